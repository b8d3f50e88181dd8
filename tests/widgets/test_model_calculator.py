import dataclasses

import numpy as np
import pytest

from lmcourse import language
from lmcourse.widgets import model_sizes as sizes
from lmcourse.widgets.model_calculator import model_calculator
from lmcourse.widgets.presets import PRESETS, llama

STATE = (
    "preset",
    "shape",
    "context",
    "batch",
    "precision",
    "serving",
    "attention",
    "tokens",
    "accelerator",
    "count",
    "utilisation",
    "price",
)


def random_shapes(count):
    """Shapes with every option on and off."""
    random = np.random.default_rng(0)
    for _ in range(count):
        values = {}
        for field in dataclasses.fields(sizes.Shape):
            values[field.name] = (
                bool(random.random() < 0.5)
                if field.type is bool or field.default in (True, False)
                else int(random.integers(1, 300))
            )
        values |= {
            "norm": int(random.integers(1, 3)),
            "experts": int(random.integers(1, 9)),
            "patch": int(random.choice([0, 768])),
        }
        yield sizes.Shape(**values | {"active": min(values["active"], values["experts"])})


@pytest.mark.parametrize("attention", sizes.ATTENTION)
def test_javascript_computes_what_python_computes(modules, attention):
    context, batch, tokens = 777, 5, 3e11
    shapes = [*random_shapes(40), *(p.shape for p in PRESETS)]
    ours = modules.evaluate(
        """async ([shapes, T, B, D, attention]) => { const m = await import("/model_sizes.js");
             return shapes.map((s) => [m.parameters(s), m.total(s), m.active(s), m.trainingFlops(s, T), m.trainingDays(s, T, D, 3e14, 12, 0.4),
               Object.keys(m.TRAINING).map((p) => m.trainingMemory(s, T, B, p, attention)),
               Object.keys(m.SERVING).map((p) => m.servingMemory(s, T, B, p))]); }""",
        [[vars(s) for s in shapes], context, batch, tokens, attention],
    )
    for shape, (parts, total, active, flops, days, training, serving) in zip(shapes, ours, strict=True):
        assert parts == sizes.parameters(shape)
        assert (total, active) == (sizes.total(shape), sizes.active(shape))
        assert (flops, days) == pytest.approx(
            (sizes.training_flops(shape, context), sizes.training_days(shape, context, tokens, 3e14, 12, 0.4))
        )
        assert training == [sizes.training_memory(shape, context, batch, p, attention) for p in sizes.TRAINING]
        assert serving == [sizes.serving_memory(shape, context, batch, p) for p in sizes.SERVING]


def test_both_sides_know_the_same_precisions(modules):
    ours = modules.evaluate(
        """async () => { const m = await import("/model_sizes.js"); return [m.TRAINING, m.SERVING]; }"""
    )
    assert [list(side.items()) for side in ours] == [
        [(name, list(values)) for name, values in side.items()] for side in (sizes.TRAINING, sizes.SERVING)
    ]


@pytest.mark.parametrize(
    ("name", "value"), [("width", 1000), ("width", 1536), ("heads", 7), ("heads", 16), ("kv_heads", 5), ("layers", 3)]
)
def test_a_moved_shape_is_one_that_can_be_built(modules, name, value):
    shape = vars(llama(30, 576, 9, 3, 1536, 49152))
    moved = modules.evaluate(
        """async ([s, name, value]) => (await import("/model_calculator.js")).moved(s, name, value)""",
        [shape, name, value],
    )
    assert moved["width"] == moved["heads"] * moved["head_dim"]
    assert moved["heads"] % moved["kv_heads"] == 0
    assert moved["hidden"] == round(1536 / 576 * moved["width"])
    assert moved.keys() == shape.keys()
    sizes.total(sizes.Shape(**moved))


@pytest.mark.parametrize(
    ("days", "text", "unit"),
    [
        (0, "0", "seconds"),
        (1 / 8640, "10", "seconds"),
        (0.5, "12", "hours"),
        (3, "3", "days"),
        (730.5e3, "2,000", "years"),
    ],
)
def test_durations(modules, days, text, unit):
    value, words = modules.evaluate("""async (d) => (await import("/model_calculator.js")).duration(d)""", days)
    assert (value, words["en"]) == (text, unit)


def test_description_has_the_numbers():
    widget = model_calculator("GPT-2 small", batch=2)
    text = widget.describe()
    memory = sizes.training_memory(widget.model, 1024, 2, "mixed_bfloat16")
    assert "124,439,808" in text and "498 MB" in text and f"{memory['activations'] / 1e9:.3g} GB" in text
    assert f"{widget.cost():,.0f} dollars" in text and widget.cost() > 0
    assert text == model_calculator("GPT-2 small", batch=2).describe()
    language.use("zh")
    assert "124,439,808 个参数" in model_calculator("GPT-2 small").describe()
    assert "12,879,925,248" in model_calculator("Mixtral 8x7B").describe()


def test_own_shape_and_own_machine():
    shape = llama(2, 64, 4, 2, 100, 300)
    widget = model_calculator(shape, context=64, peak=2e11)
    assert (widget.preset, widget.model, widget.problem) == ("", shape, "")
    assert widget.accelerators[0]["peak"] == 2e11
    assert widget.accelerators[widget.accelerator]["name"] == "NVIDIA H100 SXM"
    widget.accelerator = 0
    widget.count, widget.utilisation = 1, 0.5
    assert widget.days() == pytest.approx(sizes.training_flops(shape, 64) * widget.tokens / 1e11 / 86400)
    assert widget.png().startswith(b"\x89PNG")


def test_an_unknown_preset_becomes_a_sentence():
    widget = model_calculator("GPT-5")
    assert "'GPT-5'" in widget.problem and widget.preset == "GPT-2 small"
    language.use("zh")
    assert "没有" in model_calculator("GPT-5").problem


def render(modules, widget, script):
    """Render a widget's state in the page, run a script that sees `model` and `root`, close the view; what the script gives and what is left."""
    state = {name: getattr(widget, name) for name in (*STATE, "accelerators", "presets", "language", "problem")}
    return modules.evaluate(
        """async ([state, script]) => {
             const {default: widget} = await import("/model_calculator.js");
             const model = fakeModel(state);
             const close = widget.render({model, el: document.body});
             const found = await new Function("model", "root", `return (async () => { ${script} })()`)(model, document.querySelector(".lmw"));
             close();
             return [found, model.listeners(), document.querySelectorAll(".lmw").length];
           }""",
        [state, script],
    )


PRESS = """const press = (label, value) => { const input = root.querySelector(`[aria-label="${label}"]`); input.value = value;
  input.dispatchEvent(new Event(input.tagName === "SELECT" ? "change" : "input")); return input; };"""


def test_view_counts_anew_and_tells_the_kernel(modules):
    script = (
        PRESS
        + """
      press("layers", 0); const one = [root.querySelector("b").textContent, model.state.preset, model.state.shape.layers];
      press("model", "SmolLM2-135M"); const other = [root.querySelector("b").textContent, model.state.shape.kv_heads, model.state.tokens];
      press("heads", 5); const heads = [model.state.shape.heads, model.state.shape.kv_heads];
      return [one, other, heads, root.querySelector("canvas").ariaLabel.includes("Adam"), model.saved > 2];"""
    )
    (one, other, heads, labelled, saved), listeners, left = render(modules, model_calculator("GPT-2 small"), script)
    gpt = dataclasses.replace(model_calculator("GPT-2 small").model, layers=1)
    assert one == [f"{sizes.total(gpt):,}", "", 1]
    assert other == ["134,515,008", 3, 2e12]
    assert heads == [6, 2] and labelled and saved
    assert (listeners, left) == (0, 0)


def test_view_follows_the_kernel_and_shows_what_no_slider_has(modules):
    script = """model.set("batch", 3); model.set("context", 1000);
      return [...root.querySelectorAll("output")].map((o) => o.textContent);"""
    outputs = render(modules, model_calculator("GPT-2 small"), script)[0]
    assert "3" in outputs and "1,000" in outputs


def test_every_control_can_be_reached_by_keyboard_and_is_named(modules):
    script = """return [...root.querySelectorAll("input, select")].map((c) => [c.tabIndex, Boolean(c.ariaLabel ?? c.getAttribute("aria-label"))]);"""
    found = render(modules, model_calculator("BERT-base"), script)[0]
    assert len(found) == 16 and all(tab == 0 and named for tab, named in found)
