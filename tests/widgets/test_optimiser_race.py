import math

import numpy as np
import pytest

from lmcourse import language
from lmcourse.widgets.optimiser_race import RULES, SURFACES, normals, optimiser_race, run

RATE, MOMENTUM, DECAY = 2.0**-7, 0.875, 1 - 2.0**-10  # exact in float32, to which Keras rounds an optimiser's settings
SETTINGS = {"rate": RATE, "momentum": MOMENTUM, "decay": DECAY, "steps": 100}
STARTS = {"valley": (-2.5, 1.0), "bend": (-1.5, 2.5), "saddle": (-1.5, 0.1), "plain": (-0.5, 0.8)}


def keras_run(rule, surface, steps):
    """The authority: Keras's own optimiser on TensorFlow's gradients, in float64; (steps + 1, 2)."""
    import keras
    import tensorflow as tf

    optimiser = {
        "gd": lambda: keras.optimizers.SGD(RATE),
        "momentum": lambda: keras.optimizers.SGD(RATE, momentum=MOMENTUM),
        "rmsprop": lambda: keras.optimizers.RMSprop(RATE),
        "adam": lambda: keras.optimizers.Adam(RATE, MOMENTUM, DECAY),
    }[rule]()
    loss = {
        "valley": lambda x, y: 0.5 * (x**2 + 25 * y**2),
        "bend": lambda x, y: (1 - x) ** 2 + 10 * (y - x**2) ** 2,
        "saddle": lambda x, y: 0.5 * x**2 - 0.5 * y**2 + 0.25 * y**4,
        "plain": lambda x, y: 1 - tf.exp(-(x**2 + y**2)),
    }[surface]
    place = keras.Variable(np.array(STARTS[surface]), dtype="float64")
    path = [place.numpy().copy()]
    for _ in range(steps):
        with tf.GradientTape() as tape:
            value = loss(place.value[0], place.value[1])
        optimiser.apply([tape.gradient(value, place.value)], [place])
        path.append(place.numpy().copy())
    return np.array(path)


def in_browser(modules, rule, surface, start, **settings):
    path = modules.evaluate(
        """async ([rule, surface, start, settings]) => (await import("/optimiser_race.js")).run(rule, surface, start, settings)""",
        [rule, surface, list(start), {"momentum": 0.9, "noise": 0, "steps": 100, "seed": 1, **settings}],
    )
    return np.array(path)


@pytest.mark.parametrize("surface", SURFACES)
@pytest.mark.parametrize("rule", RULES)
def test_each_rule_equals_keras_step_by_step(modules, rule, surface):
    expected = keras_run(rule, surface, 100)
    for path in (
        in_browser(modules, rule, surface, STARTS[surface], **SETTINGS),
        run(rule, surface, STARTS[surface], **SETTINGS),
    ):
        assert path.shape == (101, 3)
        np.testing.assert_allclose(path[:, :2], expected, rtol=1e-10, atol=1e-12)
    assert np.abs(expected[-1] - expected[0]).max() > 0.01, "it moved"


@pytest.mark.parametrize("rule", RULES)
def test_noise_is_the_same_here_and_in_the_browser(modules, rule):
    settings = {"rate": 0.01, "momentum": 0.8, "noise": 1.5, "steps": 60, "seed": 7}
    ours = run(rule, "saddle", (1.0, 0.0), **settings)
    np.testing.assert_allclose(in_browser(modules, rule, "saddle", (1.0, 0.0), **settings), ours, rtol=1e-9, atol=1e-12)
    assert np.abs(ours[:, 1]).max() > 0.01, "noise leaves the ridge, on which every slope to the side is zero"


def test_noise_is_normal():
    draw = normals(3)
    numbers = np.array([next(draw) for _ in range(20_000)])
    assert abs(numbers.mean()) < 0.03 and abs(numbers.std() - 1) < 0.02
    assert abs(np.mean(np.abs(numbers) < 1) - math.erf(1 / math.sqrt(2))) < 0.012
    assert [next(normals(3)) for _ in range(2)] != [next(normals(4)) for _ in range(2)]


@pytest.mark.parametrize("surface", SURFACES)
def test_gradients_agree_with_differences_and_the_least_value_is_least(surface):
    (left, right, bottom, top), least, evaluate = SURFACES[surface]
    rng, h = np.random.default_rng(0), 1e-5
    for x, y in rng.uniform([left, bottom], [right, top], (50, 2)):
        measured = [
            (evaluate(x + h, y)[0] - evaluate(x - h, y)[0]) / (2 * h),
            (evaluate(x, y + h)[0] - evaluate(x, y - h)[0]) / (2 * h),
        ]
        np.testing.assert_allclose(evaluate(x, y)[1], measured, rtol=1e-6, atol=1e-8)
    values = evaluate(*np.meshgrid(np.linspace(left, right, 601), np.linspace(bottom, top, 601)))[0]
    assert least <= values.min() < least + 1e-2


def test_surfaces_are_the_same_here_and_in_the_browser(modules):
    theirs = modules.evaluate(
        """async () => Object.fromEntries(Object.entries((await import("/optimiser_race.js")).SURFACES)
             .map(([name, s]) => [name, [s.box, s.least, s.f(0.3, -0.7), ...s.d(0.3, -0.7)]]))"""
    )
    assert list(theirs) == list(SURFACES)
    for name, (box, least, value, *slope) in theirs.items():
        assert (tuple(box), least) == SURFACES[name][:2]
        np.testing.assert_allclose([value, *slope], np.hstack(SURFACES[name][2](0.3, -0.7)), rtol=1e-12)


def test_gradient_descent_diverges_where_theory_says(modules):
    """On the valley the steepest curvature is 25: plain descent shrinks y while the rate is below 2/25."""
    for rate, falls in ((0.079, True), (0.081, False)):
        path = run("gd", "valley", (0.0, 1.0), rate=rate, steps=200)
        assert (abs(path[-1, 1]) < 1) == falls
    gone = run("gd", "valley", (-2.5, 1.0), rate=1.0, steps=100)
    assert len(gone) < 20 and len(gone) == len(in_browser(modules, "gd", "valley", (-2.5, 1.0), rate=1.0))
    assert f"GD diverges at step {len(gone)}" in optimiser_race(rate=1.0).describe()


def test_contours_lie_on_their_level(modules):
    segments = modules.evaluate(
        """async () => { const m = await import("/optimiser_race.js"); const s = m.SURFACES.valley; return m.contour(s.f, s.box, 2); }"""
    )
    ends = np.array(segments).reshape(-1, 2)
    assert len(ends) > 100
    value = 0.5 * (ends[:, 0] ** 2 + 25 * ends[:, 1] ** 2)
    assert np.abs(value - 2).max() < 0.1


def test_description_has_the_numbers_in_both_languages():
    text = optimiser_race("valley", rate=0.05, steps=50).describe()
    best = run("momentum", "valley", (-2.5, 1.0), rate=0.05, steps=50)[-1, 2]
    assert f"momentum {best:.3g}" in text and "after 50 steps" in text
    language.use("zh")
    assert "50 步之后" in optimiser_race("valley", steps=50).describe()
    assert optimiser_race("plain", noise=2).png()


def test_values_out_of_range_are_brought_back():
    widget = optimiser_race(rate=50, momentum=2, noise=-1, steps=9999)
    assert (round(widget.rate, 3), widget.momentum, widget.noise, widget.steps) == (3.162, 0.99, 0.0, 500)
    widget.rate = float("nan")
    assert widget.rate == 0.001


def test_an_unknown_surface_becomes_a_sentence():
    widget = optimiser_race("hills")
    assert "'hills'" in widget.problem and widget.problem in widget.describe() and widget.png()


VIEW = """async (calm) => {
  const {default: widget} = await import("/optimiser_race.js");
  const model = fakeModel({language: "zh", problem: "", surface: "valley", x: -2.5, y: 1, rate: 0.02, momentum: 0.9, noise: 0, steps: 100, seed: 1});
  const close = widget.render({model, el: document.body});
  window.race = {model, close, root: document.querySelector(".lmw")};
  await new Promise((done) => setTimeout(done, 100));
  return [...race.root.querySelectorAll("li span")].map((e) => e.textContent);
}"""


def test_the_view_answers_keys_and_mouse_and_closes(modules):
    first = modules.evaluate(VIEW)
    assert len(first) == 4 and first[1].startswith("动量")
    plane = modules.locator("canvas.plane")
    plane.focus()
    modules.keyboard.press("ArrowRight")
    modules.keyboard.press("Shift+ArrowUp")
    assert modules.evaluate("[race.model.get('x'), race.model.get('y')]") == [-2.45, 1.5]
    box = plane.bounding_box()
    modules.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    modules.mouse.down()
    modules.mouse.move(box["x"] + box["width"] - 20, box["y"] + 30, steps=3)
    modules.mouse.up()
    x, y = modules.evaluate("[race.model.get('x'), race.model.get('y')]")
    assert 2 < x <= 3 and 1 < y <= 1.6
    modules.evaluate("race.model.set('rate', 1)")
    assert "发散" in modules.locator("li").first.inner_text()
    assert modules.evaluate("(race.close(), [race.model.listeners(), document.querySelectorAll('.lmw').length])") == [
        0,
        0,
    ]


@pytest.mark.parametrize("calm", [False, True])
def test_the_race_runs_and_respects_reduced_motion(modules, calm):
    modules.emulate_media(reduced_motion="reduce" if calm else "no-preference")
    modules.evaluate(VIEW)
    steps = modules.locator("input[type=range]").last
    modules.get_by_role("button").click()
    soon = int(steps.input_value())
    assert soon == 100 if calm else soon < 60
    modules.wait_for_function("() => [...document.querySelectorAll('input[type=range]')].at(-1).value === '100'")
