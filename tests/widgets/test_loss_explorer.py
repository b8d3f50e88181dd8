import math

import numpy as np
import pytest

from lmcourse import language
from lmcourse.widgets.loss_explorer import LossExplorer, loss_explorer, losses, softmax

GRID = np.concatenate([np.linspace(-45, 45, 361), [38.5, -38.5, 1e-9]])


def tensorflow(label):
    """The authority: losses and gradients with respect to the logit, in float64."""
    import keras
    import tensorflow as tf

    z, y = tf.constant(GRID, tf.float64), tf.constant(np.full_like(GRID, label), tf.float64)
    found = {}
    for name, loss in {
        "logits": lambda: tf.nn.sigmoid_cross_entropy_with_logits(y, z),
        "squared": lambda: keras.losses.mean_squared_error(y[:, None], keras.activations.sigmoid(z)[:, None]),
    }.items():
        with tf.GradientTape() as tape:
            tape.watch(z)
            value = loss()
        found[name] = value.numpy(), tape.gradient(value, z).numpy()
    return found


@pytest.mark.parametrize("label", [0, 1])
def test_losses_and_derivatives_equal_tensorflow(modules, label):
    browser = modules.evaluate(
        """async ([zs, label]) => { const {losses} = await import("/loss_explorer.js"); return zs.map((z) => losses(z, label)); }""",
        [GRID.tolist(), label],
    )
    for name, (value, slope) in tensorflow(label).items():
        ours = losses(GRID, label)[name]
        np.testing.assert_allclose(ours[0], value, rtol=1e-12, atol=1e-15)
        np.testing.assert_allclose(ours[1], slope, rtol=1e-9, atol=1e-15)
        np.testing.assert_allclose([b[name] for b in browser], np.transpose(ours), rtol=1e-12, atol=1e-300)


@pytest.mark.parametrize(("precision", "breaks_at"), [("float32", 24 * math.log(2)), ("float64", 53 * math.log(2))])
def test_the_naive_formula_breaks_where_the_sigmoid_rounds_to_one(modules, precision, breaks_at):
    """1 + exp(-z) rounds to 1 once exp(-z) is half a spacing of the dtype: both sides must show the same point."""
    z = np.linspace(0, 45, 4501)
    z = z[np.abs(z - breaks_at) > 0.02]
    value, slope = losses(z, 0, precision)["naive"]
    np.testing.assert_array_equal(np.isinf(value), z > breaks_at)
    np.testing.assert_array_equal(np.isnan(slope), z > breaks_at)
    browser = modules.evaluate(
        """async ([zs, single]) => {
             const {losses} = await import("/loss_explorer.js");
             return zs.map((z) => Number.isFinite(losses(z, 0, single ? Math.fround : undefined).naive[0]));
           }""",
        [z.tolist(), precision == "float32"],
    )
    np.testing.assert_array_equal(browser, z < breaks_at)


def test_squared_error_is_steepest_at_minus_ln_2():
    z = np.linspace(-6, 6, 120_001)
    assert abs(z[np.argmin(losses(z, 1)["squared"][1])] + math.log(2)) < 1e-3


@pytest.mark.parametrize("temperature", [0.05, 0.5, 1.0, 5.0])
def test_softmax_and_its_cross_entropy_equal_scipy(modules, temperature):
    from scipy import special

    z = np.array([2.0, -3.0, 9.9, 9.8, -10.0])
    np.testing.assert_allclose(softmax(z, temperature), special.softmax(z / temperature), rtol=1e-12)
    p, loss = modules.evaluate(
        """async ([z, t]) => { const m = await import("/loss_explorer.js"); return [m.softmax(z, t), z.map((_, k) => m.crossEntropy(z, k, t))]; }""",
        [z.tolist(), temperature],
    )
    np.testing.assert_allclose(p, special.softmax(z / temperature), rtol=1e-12)
    np.testing.assert_allclose(loss, -special.log_softmax(z / temperature), rtol=1e-12, atol=1e-15)


def test_descriptions_have_the_numbers_of_the_worked_example():
    text = loss_explorer(z=38.5, label=1).describe()
    assert "38.50" in text and "the logit 1.9e-17 (-1.9e-17)" in text and "float64 0 (0)" in text
    text = loss_explorer(z=38.5, label=0).describe()
    assert "38.5 (1)" in text and "inf (nan)" in text
    language.use("zh")
    assert "标签 0" in loss_explorer(z=38.5, label=0).describe()


def test_softmax_view_describes_probabilities():
    text = loss_explorer([2, 1, 0, -1], temperature=1, target=1).describe()
    p = softmax([2, 1, 0, -1], 1)
    assert ", ".join(f"{v:.3f}" for v in p) in text and f"{-math.log(p[1]):.3f}" in text
    language.use("zh")
    assert "温度 1.00" in loss_explorer([2, 1]).describe()


def test_both_views_have_a_picture_that_follows_the_state():
    widget = loss_explorer(z=2)
    first = widget.png()
    widget.z = 4
    second = widget.png()
    widget.view = "softmax"
    assert first[:4] == b"\x89PNG" and len({first, second, widget.png()}) == 3


def test_values_out_of_range_are_brought_back():
    widget = loss_explorer(z=99, label=7, temperature=0)
    assert (widget.z, widget.span, widget.label, widget.temperature) == (45.0, 45, 1, 0.05)
    widget.z = float("nan")
    assert widget.z == -45.0
    widget = loss_explorer([1, 2], target=9)
    assert widget.target == 1


@pytest.mark.parametrize("logits", ["abc", [1], list(range(9)), [[1, 2]], [1, math.nan], [None, 1], {}])
def test_bad_logits_become_a_sentence(logits):
    widget = loss_explorer(logits)
    assert "two to eight" in widget.problem and widget.problem in widget.describe() and widget.png()
    language.use("zh")
    assert "2 到 8" in loss_explorer(logits).problem


STATE = {"language": "en", "problem": "", "view": "binary", "z": 38.5, "label": 0, "precision": "float64", "span": 45}
STATE |= {"logits": [2, 1, 0, -1], "target": 0, "temperature": 1}


def test_view_shows_numbers_reacts_and_cleans_up(modules):
    found = modules.evaluate(
        """async (state) => {
             const {default: widget} = await import("/loss_explorer.js");
             const model = fakeModel(state);
             const close = widget.render({model, el: document.body});
             const root = document.querySelector(".lmw");
             const rows = () => [...root.querySelectorAll("tbody tr")].map((r) => [...r.querySelectorAll("td")].map((c) => c.textContent).join(" "));
             const before = rows();
             const label = root.querySelector("select[aria-label='label y']");
             label.value = "1"; label.dispatchEvent(new Event("change"));
             const after = rows();
             model.set("view", "softmax");
             const shown = root.querySelector(".sum").textContent;
             const slider = root.querySelector("input[aria-label=z3]");
             slider.value = "10"; slider.dispatchEvent(new Event("input"));
             const lifted = root.querySelector(".sum").textContent;
             const kept = [model.state.label, model.state.logits[3]];
             close();
             return {before, after, shown, lifted, state: kept, left: [model.listeners(), document.querySelectorAll(".lmw").length]};
           }""",
        STATE,
    )
    assert found["before"] == ["38.500 1.000", "∞ NaN", "1.000 3.8·10⁻¹⁷"]
    assert found["after"][0] == "1.9·10⁻¹⁷ −1.9·10⁻¹⁷"
    assert "p = [0.644, 0.237, 0.087, 0.032]" in found["shown"] and "0.440" in found["shown"]
    assert ", 0.999]. Cross-entropy of class 0: 8.001" in found["lifted"]
    assert found["state"] == [1, 10] and found["left"] == [0, 0]


def test_the_traits_that_javascript_reads_exist():
    named = {"view", "z", "label", "precision", "span", "logits", "target", "temperature"}
    assert named <= {name for name, trait in LossExplorer().traits(sync=True).items()}
