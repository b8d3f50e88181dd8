import numpy as np
import pytest
from scipy.special import softmax

from lmcourse import language
from lmcourse.widgets.attention_viewer import attention_viewer, temper

RANDOM = np.random.default_rng(0)
TOKENS = ["The", "cat", "sat", "down", "."]
SCORES = np.where(np.tril(np.ones((5, 5))), RANDOM.normal(size=(2, 3, 5, 5)) * 2, -np.inf)
WEIGHTS = softmax(SCORES, axis=-1)


@pytest.mark.parametrize("temperature", [0.125, 0.5, 1.0, 3.0, 8.0])
def test_tempering_equals_dividing_the_scores(modules, temperature):
    expected = softmax(SCORES / temperature, axis=-1)
    np.testing.assert_allclose(temper(WEIGHTS, temperature), expected, atol=1e-6)
    ours = modules.evaluate(
        """async ([weights, T]) => [...(await import("/attention_viewer.js")).temper(new Float32Array(weights), 5, T)]""",
        [WEIGHTS[0, 0].ravel().tolist(), temperature],
    )
    np.testing.assert_allclose(np.reshape(ours, (5, 5)), expected[0, 0], atol=1e-5)
    assert (np.reshape(ours, (5, 5))[np.triu_indices(5, 1)] == 0).all(), "masked stays masked"


def test_tempering_survives_tiny_weights_and_empty_rows(modules):
    rows = [1e-30, 2e-30, 0, 0, 0, 0, 1, 0, 0]
    expected = [[1e-30 / 5 * 3, 4e-30 / 5 * 3, 0], [0, 0, 0], [1, 0, 0]]
    np.testing.assert_allclose(temper(np.reshape(rows, (3, 3)), 0.5), expected, rtol=1e-5)
    ours = modules.evaluate(
        """async (w) => [...(await import("/attention_viewer.js")).temper(new Float32Array(w), 3, 0.5)]""", rows
    )
    np.testing.assert_allclose(np.reshape(ours, (3, 3)), expected, rtol=1e-5)


@pytest.mark.parametrize(
    ("weights", "shape"), [(WEIGHTS, [2, 3, 5, 5]), (WEIGHTS[0], [1, 3, 5, 5]), (WEIGHTS[0, 0], [1, 1, 5, 5])]
)
def test_three_kinds_of_array(weights, shape):
    widget = attention_viewer(weights, TOKENS)
    assert (widget.shape, widget.problem, widget.tokens) == (shape, "", TOKENS)
    np.testing.assert_array_equal(
        np.frombuffer(widget.weights, "float32").reshape(shape), weights.astype("float32").reshape(shape)
    )


def test_tensors_are_taken():
    import tensorflow as tf

    assert attention_viewer(tf.constant(WEIGHTS, tf.float32), TOKENS).shape == [2, 3, 5, 5]


def test_description_names_the_strongest():
    widget = attention_viewer(WEIGHTS, TOKENS, layer=1, head=2)
    widget.query = 3
    strongest = int(WEIGHTS[1, 2, 3].argmax())
    lines = widget.describe().splitlines()
    assert "Layer 1, head 2" in lines[0] and "“down”" in lines[0]
    assert lines[1].split() == [TOKENS[strongest], f"{WEIGHTS[1, 2, 3, strongest]:.3f}"]
    language.use("zh")
    assert "第 1 层，头 2" in attention_viewer(WEIGHTS, list("我爱你们。"), layer=1, head=2).describe()


@pytest.mark.parametrize("tokens", [TOKENS, list("我爱你们。"), ["$x_{", "<b>", "\n", "", "a" * 500]])
def test_picture_is_small_whatever_the_tokens(tokens):
    png = attention_viewer(WEIGHTS, tokens).png()
    assert png.startswith(b"\x89PNG") and len(png) < 30_000


@pytest.mark.parametrize("tokens", [32, 128])
def test_a_large_input_has_a_picture_of_bounded_size(tokens):
    # noise: nothing compresses worse
    widget = attention_viewer(softmax(RANDOM.normal(size=(2, 16, tokens, tokens)), axis=-1), ["tok"] * tokens)
    assert widget.problem == "" and len(widget.png()) < 50_000


BAD = {
    "another number of tokens": (WEIGHTS, TOKENS[:4], "4 tokens"),
    "a batch": (WEIGHTS[None], TOKENS, "batch"),
    "not square": (WEIGHTS[..., :4], TOKENS, "(2, 3, 5, 4)"),
    "empty": (np.zeros((0, 0)), [], "(0, 0)"),
    "too long": (np.full((1, 1, 200, 200), 1 / 200), ["x"] * 200, "Slice"),
    "scores": (SCORES, TOKENS, "before the softmax"),
    "words": ("none", TOKENS, "not an array"),
    "ragged": ([[1.0], [0.5, 0.5]], TOKENS, "not an array"),
    "nothing": (None, TOKENS, "needs (layers"),
}


@pytest.mark.parametrize(("weights", "tokens", "words"), BAD.values(), ids=BAD.keys())
def test_unusable_input_becomes_a_sentence(weights, tokens, words):
    widget = attention_viewer(weights, tokens)
    assert words in widget.problem and widget.weights == b""
    assert widget.problem in widget.describe()
    assert widget.png().startswith(b"\x89PNG")
    language.use("zh")
    assert attention_viewer(weights, tokens).problem[-1] in "。？"


def test_nan_is_shown_and_named():
    weights = WEIGHTS.copy()
    weights[1, 2, 4] = np.nan
    widget = attention_viewer(weights, TOKENS, layer=1)
    assert "layer 1, head 2, row 4" in widget.problem
    assert widget.weights and widget.png()


def test_a_masked_array_is_shown_and_named():
    widget = attention_viewer(np.ma.masked_where(WEIGHTS < 0.1, WEIGHTS), TOKENS)
    assert "mask" in widget.problem
    assert (np.frombuffer(widget.weights, "float32")[WEIGHTS.ravel() < 0.1] == 0).all()


def test_rows_that_sum_to_more_are_named():
    assert "sum to 2.00" in attention_viewer(np.full((2, 2), 1.0), ["a", "b"]).problem


def test_choices_out_of_range_are_brought_back():
    widget = attention_viewer(WEIGHTS, TOKENS, layer=9, head=-1)
    assert (widget.layer, widget.head) == (1, 0)
    widget.temperature = 0.0
    assert widget.temperature == 0.125


def test_view_never_reads_tokens_as_html_and_cleans_up(modules):
    shown = modules.evaluate(
        """async () => {
             const {default: widget} = await import("/attention_viewer.js");
             const model = fakeModel({language: "zh", problem: "", weights: bytes([1, 0, NaN, NaN]), shape: [1, 1, 2, 2],
               tokens: ["<img src=x>", "</div>"], layer: 0, head: 0, query: 1, key: 0, temperature: 1});
             const close = widget.render({model, el: document.body});
             const root = document.querySelector(".lmw");
             const big = root.querySelector("canvas.cells");
             const before = big.ariaLabel;
             big.dispatchEvent(new KeyboardEvent("keydown", {key: "ArrowUp", bubbles: true, cancelable: true}));
             const found = [root.querySelectorAll("img").length, before.includes("NaN"), big.ariaLabel.includes("1.000"), model.state.query, model.saved];
             close();
             return [...found, model.listeners()];
           }"""
    )
    assert shown == [0, True, True, 0, 1, 0]
