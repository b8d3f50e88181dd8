import math

import numpy as np
import pytest
from scipy import special

from lmcourse import language
from lmcourse.widgets.activation_explorer import (
    NAMES,
    POINTS,
    ActivationExplorer,
    activation_explorer,
    evaluate,
    sample,
)

GRID = np.concatenate([np.linspace(-12, 12, 481), [-80.0, 80.0, 1e-9, -1e-9]])


def tensorflow(name):
    """The authority: TensorFlow's values and gradients, in float64."""
    import tensorflow as tf

    function = {
        "sigmoid": tf.nn.sigmoid, "tanh": tf.nn.tanh, "relu": tf.nn.relu, "leaky_relu": tf.nn.leaky_relu, "gelu": tf.nn.gelu,
        "gelu_tanh": lambda x: tf.nn.gelu(x, approximate=True), "silu": tf.nn.silu, "softplus": tf.nn.softplus,
    }[name]  # fmt: skip
    x = tf.constant(GRID, tf.float64)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = function(x)
    return y.numpy(), tape.gradient(y, x).numpy()


@pytest.mark.parametrize("name", NAMES)
def test_functions_equal_tensorflow(modules, name):
    value, slope = tensorflow(name)
    np.testing.assert_allclose(evaluate(name, GRID), value, atol=1e-8)  # TensorFlow keeps GELU's constants in float32
    f, d = modules.evaluate(
        """async ([name, xs]) => { const {f, d} = (await import("/activation_explorer.js")).ACTIVATIONS[name]; return [xs.map(f), xs.map(d)]; }""",
        [name, GRID.tolist()],
    )
    np.testing.assert_allclose(f, value, atol=1e-5, rtol=1e-9)
    np.testing.assert_allclose(d, slope, atol=1e-5)


def test_keras_agrees_on_the_defaults():
    """Where libraries differ (leaky ReLU's slope, GELU's form) the explorer takes Keras's."""
    import keras

    for name in ("leaky_relu", "gelu", "silu", "softplus"):
        expected = keras.ops.convert_to_numpy(getattr(keras.activations, name)(GRID.astype("float32")))
        np.testing.assert_allclose(evaluate(name, GRID), expected, atol=1e-4)


def test_erf_equals_scipy(modules):
    ours = modules.evaluate(
        """async (xs) => { const {erf} = await import("/activation_explorer.js"); return xs.map(erf); }""",
        GRID.tolist(),
    )
    np.testing.assert_allclose(ours, special.erf(GRID), atol=1e-14)


def test_javascript_knows_the_same_names(modules):
    assert (
        tuple(modules.evaluate("""async () => Object.keys((await import("/activation_explorer.js")).ACTIVATIONS)"""))
        == NAMES
    )


def test_powers_equal_repeated_multiplication(modules):
    exponents = modules.evaluate("""async () => (await import("/activation_explorer.js")).powers(-0.25, 30)""")
    np.testing.assert_allclose(exponents, np.log10(np.cumprod(np.full(30, 0.25))), rtol=1e-12)


@pytest.mark.parametrize(
    ("settings", "en", "zh"),
    [
        ({"function": "sigmoid", "x": 0.0, "depth": 10}, "vanishes", "梯度消失"),
        ({"function": "tanh", "x": 0.0, "depth": 50}, "usable range", "可用的范围"),
        ({"function": "relu", "x": -1.0}, "nothing passes", "什么也传不过去"),
        ({"function": "relu", "x": 1.0, "weight": 3.0, "depth": 20}, "explodes", "梯度爆炸"),
    ],
)
def test_description_and_javascript_give_the_same_verdict(modules, settings, en, zh):
    widget = ActivationExplorer(**settings)
    assert en in widget.describe()
    slope = float(sample(lambda x: evaluate(widget.function, x), np.array([widget.x]))[1][0])
    said = modules.evaluate(
        """async ([factor, depth]) => { const m = await import("/activation_explorer.js"); return m.verdict(m.powers(factor, depth).at(-1)); }""",
        [widget.weight * slope, widget.depth],
    )
    assert (
        said in {"vanishes": "vanishes", "usable range": "usable", "nothing passes": "dead", "explodes": "explodes"}[en]
    )
    language.use("zh")
    assert zh in ActivationExplorer(**settings).describe()


def test_description_has_the_numbers():
    text = activation_explorer("sigmoid", x=1, depth=3).describe()
    s = 1 / (1 + math.exp(-1))
    assert f"{s:.3f}" in text and f"{s * (1 - s):.3f}" in text and f"{(s * (1 - s)) ** 3:.2g}" in text
    assert text == activation_explorer("sigmoid", x=1, depth=3).describe()


def test_values_out_of_range_are_brought_back():
    widget = activation_explorer("tanh", x=99, depth=1000)
    assert (widget.x, widget.depth) == (6.0, 50)
    widget.x = float("nan")
    assert widget.x == -6.0


# ---- the learner's own function


def vectorised(x):
    return x / (1 + np.abs(x))


def scalar(x):
    return x / (1 + x) if x > 0 else x / (1 - x)


@pytest.mark.parametrize("function", [vectorised, scalar])
def test_own_function_is_sampled_with_its_derivative(function):
    widget = activation_explorer(function)
    assert (widget.function, widget.name, widget.problem) == ("own", function.__name__, "")
    value, slope = np.frombuffer(widget.samples, "float32").reshape(2, POINTS)
    x = np.linspace(-6, 6, POINTS)
    np.testing.assert_allclose(value, x / (1 + np.abs(x)), atol=1e-6)
    np.testing.assert_allclose(slope, 1 / (1 + np.abs(x)) ** 2, atol=2e-5)


def test_own_function_in_float32_still_has_a_derivative():
    import keras

    x = np.linspace(-6, 6, POINTS)
    _, slope = sample(lambda x: keras.activations.tanh(x.astype("float32")), x)
    np.testing.assert_allclose(slope, 1 - np.tanh(x) ** 2, atol=1e-4)


def test_javascript_interpolates_the_samples(modules):
    x = np.linspace(-6, 6, POINTS)
    at = np.linspace(-6, 6, 97)
    ours = modules.evaluate(
        """async ([values, at]) => at.map((await import("/activation_explorer.js")).sampled(values, 6))""",
        [np.sin(x).tolist(), at.tolist()],
    )
    np.testing.assert_allclose(ours, np.interp(at, x, np.sin(x)), atol=1e-12)


def test_a_function_that_changes_its_argument_does_no_harm():
    def greedy(x):
        x *= 0
        return x + 1

    assert activation_explorer(greedy).problem == ""


@pytest.mark.parametrize(
    ("function", "words"),
    [
        (lambda x: 1 / 0, "ZeroDivisionError"),
        (lambda x: undefined_name, "NameError"),  # noqa: F821
        (lambda x: 3.0, "(601,)"),
        (lambda x: x[:-1], "(600,)"),
        (lambda x: x + 1j, "complex"),
        (lambda x: "<b>no</b>", "(601,)"),
        (lambda x: None, "(601,)"),
        (lambda: 1, "TypeError"),
    ],
)
def test_an_own_function_that_fails_becomes_a_sentence(function, words):
    widget = activation_explorer(function, name="mine")
    assert "mine" in widget.problem and words in widget.problem
    assert widget.function == "sigmoid" and widget.png()
    assert widget.problem in widget.describe()


def test_nan_is_named_and_leaves_a_gap():
    widget = activation_explorer(np.sqrt)
    assert "NaN or infinity at 300 of 601" in widget.problem and "-6.00" in widget.problem
    assert widget.function == "own" and widget.png()


def test_an_unknown_name_becomes_a_sentence():
    language.use("zh")
    widget = activation_explorer("swishh")
    assert "'swishh'" in widget.problem and "没有" in widget.problem
    assert widget.png()


def test_view_shows_own_function_as_text_and_marks_samples(modules):
    shown = modules.evaluate(
        """async () => {
             const {default: widget} = await import("/activation_explorer.js");
             const samples = bytes([...Array(601).fill(0.5), ...Array(601).fill(NaN)]);
             const model = fakeModel({language: "en", problem: "", function: "own", name: "<img src=x>", x: 0, depth: 3, weight: 1, samples});
             const close = widget.render({model, el: document.body});
             const root = document.querySelector(".lmw");
             const found = [root.querySelectorAll("img").length, root.querySelector("option").textContent, root.textContent.includes("f′(0.00) = NaN")];
             close();
             return [...found, model.listeners(), document.querySelectorAll(".lmw").length];
           }"""
    )
    assert shown == [0, "<img src=x>", True, 0, 0]
