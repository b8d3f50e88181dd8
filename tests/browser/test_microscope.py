"""The network microscope and gradient flow in a real JupyterLab: training in the kernel, seen and steered from the page."""

import lab
import pytest

CELL = """from lmcourse import language
language.use({!r})
from lmcourse.widgets.network_microscope import microscope
m = microscope(speed={})
m"""
MICROSCOPE = ".jp-OutputArea-output .lmw.micro"
WORDS = {
    "en": {"train": "Train", "pause": "Pause", "step": "Train on one batch", "phase": "Next phase", "reset": "first weights",
           "time": "Timeline"},
    "zh": {"train": "训练", "pause": "暂停", "step": "用一批数据训练一步", "phase": "下一个阶段", "reset": "最初的权重", "time": "时间轴"},
}  # fmt: skip


def start(page, site, name, lang="en", speed=0, *cells):
    lab.write_notebook(site.folder / f"{name}.ipynb", CELL.format(lang, speed), *cells)
    lab.open_notebook(page, site, f"{name}.ipynb")
    lab.run_all(page)
    page.locator(f"{MICROSCOPE} .neuron").first.wait_for()
    page.wait_for_function(f"() => document.querySelector('{MICROSCOPE}').dataset.painted")


def shown_step(page):
    return int(page.locator(MICROSCOPE).get_attribute("data-step"))


def wait_for_step(page, least):
    page.wait_for_function(
        f"(n) => +document.querySelector('{MICROSCOPE}').dataset.step >= n", arg=least, timeout=30_000
    )


def button(page, name, exact=False):
    return page.locator(MICROSCOPE).get_by_role("button", name=name, exact=exact)


@pytest.mark.parametrize(("lang", "theme"), [("en", "light"), ("zh", "dark")])
def test_trains_pauses_steps_and_closes(page, site, lang, theme):
    words = WORDS[lang]
    start(page, site, f"micro-{theme}", lang)
    lab.theme(page, theme)
    first = lab.picture(page, f"{MICROSCOPE} .neuron canvas", 4)

    button(page, words["train"], exact=True).click()
    wait_for_step(page, 20)
    assert lab.kernel(page, "m.playing") == "True", "the kernel answers while the network trains"
    assert lab.picture(page, f"{MICROSCOPE} .neuron canvas", 4) != first

    button(page, words["pause"]).click()
    lab.wait_for_kernel(page, "m.playing", "False")
    steps = int(lab.kernel(page, "m._engine.steps"))
    page.wait_for_function(f"(n) => +document.querySelector('{MICROSCOPE}').dataset.step === n", arg=steps)
    page.wait_for_timeout(200)
    assert int(lab.kernel(page, "m._engine.steps")) == steps == shown_step(page)

    button(page, words["step"]).click()
    wait_for_step(page, steps + 1)
    for place in range(4):
        button(page, words["phase"]).click()
        page.locator(f"{MICROSCOPE} .chips span.on").nth(0).wait_for()
        page.wait_for_function(
            f"(n) => document.querySelectorAll('{MICROSCOPE} .chips span')[n].className === 'on'", arg=place
        )
    assert int(lab.kernel(page, "m._engine.steps")) == steps + 2

    button(page, words["reset"]).click()
    page.wait_for_function(f"() => document.querySelector('{MICROSCOPE}').dataset.step === '0'")
    assert lab.picture(page, f"{MICROSCOPE} .neuron canvas", 4) == first

    button(page, words["train"], exact=True).click()
    lab.wait_for_kernel(page, "m.playing", "True")
    assert (
        lab.kernel(page, "[m._worker.thread.is_alive(), m.close(), m._worker.thread.is_alive()]")
        == "[True, None, False]"
    )


def test_a_weight_is_edited_and_the_timeline_looks_back(page, site):
    start(page, site, "micro-edit")
    wires = page.locator(f"{MICROSCOPE} .net > canvas")
    wires.scroll_into_view_if_needed()
    # The middle of the line from the first input to the first neuron of the first hidden layer.
    ends = [page.locator(f"{MICROSCOPE} .neuron").nth(n).bounding_box() for n in (0, 2)]
    left, right = ends[0]["x"] + ends[0]["width"], ends[1]["x"]
    centre = [(box["y"] + box["height"] / 2) for box in ends]
    page.mouse.move((left + right) / 2 - 2, sum(centre) / 2)
    page.mouse.move((left + right) / 2, sum(centre) / 2)
    page.mouse.down()
    page.mouse.up()
    field = page.locator(f"{MICROSCOPE} .tip.edit input")
    field.wait_for()
    before = lab.picture(page, f"{MICROSCOPE} .neuron canvas", 2)
    field.fill("2.5")
    field.press("Enter")
    changed = "[float(v) for w in m.model.layers[0].weights for v in w.numpy().ravel()].count(2.5)"
    lab.wait_for_kernel(page, changed, "1")
    page.wait_for_timeout(200)
    assert lab.picture(page, f"{MICROSCOPE} .neuron canvas", 2) != before

    page.locator(f"{MICROSCOPE} .neuron").first.focus()
    for key in ("ArrowRight", "ArrowRight", "ArrowDown", "Enter"):
        page.keyboard.press(key)
    assert lab.kernel(page, "len(m.model.layers)") == "3"
    page.locator(f"{MICROSCOPE} .sums input").last.fill("-1.25")  # the bias of the neuron reached with the arrow keys
    page.keyboard.press("Enter")
    lab.wait_for_kernel(page, "-1.25 in m.model.layers[1].bias.numpy().tolist()", "True")

    # The timeline looks back without the kernel.
    button(page, "first weights").click()
    page.wait_for_timeout(300)
    fresh = lab.picture(page, f"{MICROSCOPE} .neuron canvas", 4)
    button(page, "Train", exact=True).click()
    wait_for_step(page, 50)
    button(page, "Pause").click()
    lab.wait_for_kernel(page, "m.playing", "False")
    page.wait_for_timeout(200)
    now = shown_step(page)
    page.locator(MICROSCOPE).get_by_label("Timeline").focus()
    page.keyboard.press("Home")
    page.wait_for_function(f"() => document.querySelector('{MICROSCOPE}').dataset.step === '0'")
    assert lab.picture(page, f"{MICROSCOPE} .neuron canvas", 4) == fresh
    assert int(lab.kernel(page, "m._engine.steps")) == now, "the kernel's network stays where it was"
    page.keyboard.press("End")
    assert shown_step(page) == now

    # The same weights are trained on from, and the timeline forgets what came after.
    page.keyboard.press("Home")
    page.keyboard.press("ArrowRight")
    page.wait_for_function("(n) => +document.querySelector('.lmw.micro').dataset.step < n", arg=now)
    early = shown_step(page)
    lab.kernel(page, "m.set_trait('settings', {**m.settings, 'speed': 1})")
    button(page, "Train on from the step shown").click()
    lab.wait_for_kernel(page, "m.playing", "True")
    button(page, "Pause").click()
    lab.wait_for_kernel(page, "m.playing", "False")
    assert early <= int(lab.kernel(page, "m._engine.steps")) <= early + 20 < now + 20


def test_a_busy_cell_and_the_controls(page, site):
    start(page, site, "micro-busy", "en", 0)
    button(page, "Train", exact=True).click()
    wait_for_step(page, 20)
    page.evaluate(
        """() => { window.busy = window.jupyterapp.shell.currentWidget.sessionContext.session.kernel
             .requestExecute({code: "import time\\nend = time.time() + 4\\nwhile time.time() < end: sum(range(1000))"}).done; }"""
    )
    before = shown_step(page)
    wait_for_step(page, before + 1)
    button(page, "Pause").click()
    page.wait_for_timeout(60)  # a frame that was on its way when the button went down
    frozen = page.locator(MICROSCOPE).get_attribute("data-step")
    assert page.locator(f"{MICROSCOPE} .go").get_attribute("aria-label") == "Train"
    page.evaluate("() => window.busy")
    lab.wait_for_kernel(page, "m.playing", "False")
    page.wait_for_timeout(200)
    assert shown_step(page) == int(lab.kernel(page, "m._engine.steps")) >= int(frozen)

    # Controls and drawn points reach the kernel.
    page.locator(MICROSCOPE).get_by_label("hidden layers").focus()
    page.keyboard.press("ArrowLeft")
    lab.wait_for_kernel(page, "[s['units'] for s in m.network['stages']]", "[8, 1]")
    page.locator(MICROSCOPE).get_by_label("activation", exact=True).select_option("relu")
    lab.wait_for_kernel(page, "m.network['stages'][0]['activation']", "'relu'")
    button(page, "Draw orange points").click()
    plane = page.locator(f"{MICROSCOPE} .side canvas")
    plane.scroll_into_view_if_needed()
    box = plane.bounding_box()
    page.mouse.move(box["x"] + 40, box["y"] + 60)
    page.mouse.down()
    page.mouse.move(box["x"] + 180, box["y"] + 60, steps=10)
    page.mouse.up()
    lab.wait_for_kernel(page, "m.settings['problem']", "'own'")
    drawn = int(lab.kernel(page, "m.network['total']"))
    assert drawn > 5 and lab.kernel(page, "set(m._engine.y.ravel().tolist())") == "{1.0}"
    plane.focus()
    page.keyboard.press(" ")
    lab.wait_for_kernel(page, "m.network['total']", str(drawn + 1))


def test_gradient_flow_moves_while_fit_runs_and_looks_back(page, site):
    lab.write_notebook(
        site.folder / "flow.ipynb",
        "import keras, numpy as np\nfrom lmcourse.widgets.gradient_flow import GradientFlow\n"
        "x = np.random.default_rng(0).normal(size=(400, 2))\ny = (x[:, 0] > 0).astype('int32')\n"
        "flow = GradientFlow(x, y, every=2)\nflow",
        "layers = [keras.layers.Dense(8, 'sigmoid', name=f'layer{n}') for n in range(3)]\n"
        "model = keras.Sequential([keras.Input((2,)), *layers, keras.layers.Dense(1, 'sigmoid', name='last')])\n"
        "model.compile('adam', 'binary_crossentropy')\n"
        "history = model.fit(x, y, batch_size=8, epochs=4, verbose=0, callbacks=[flow])",
    )
    lab.open_notebook(page, site, "flow.ipynb")
    page.evaluate(
        """() => { window.seen = new Set();
             setInterval(() => window.seen.add(document.querySelector(".lmw")?.dataset.step), 20); }"""
    )
    lab.run_all(page)
    lab.wait_for_kernel(page, "flow.problem or len(flow.records) > 5", "True")
    page.wait_for_function("() => document.querySelector('.lmw')?.dataset.step === '200'")
    assert page.evaluate("() => [...window.seen].filter((step) => step).length") >= 2, "it moved before the end"
    now = lab.picture(page)
    page.get_by_label("Look back").focus()
    page.keyboard.press("Home")
    page.wait_for_function("() => document.querySelector('.lmw').dataset.step === '0'")
    assert lab.picture(page) != now
