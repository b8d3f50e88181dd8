"""The transformer's parts, against Keras's own layers with copied weights, complex numbers, and what must hold for any weights.

Run on whichever backend Keras uses; the comparisons of gradients need TensorFlow, the course's default.
"""

import keras
import numpy as np
import pytest
from keras import ops

from lmcourse import layers
from lmcourse.language import CourseError

BATCH, TIME, DIM = 3, 7, 16  # heads of 16, 4 and 1: Keras rounds 1/√size to float32, which these survive


def random(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape)


def numpy(x):
    return ops.convert_to_numpy(x)


def randomise(layer, seed=1):
    """Give every weight, also biases and norms, a value of its own, so that none can be forgotten unseen."""
    rng = np.random.default_rng(seed)
    layer.set_weights([rng.normal(size=w.shape) * 0.5 for w in layer.get_weights()])
    return layer


def keras_attention(ours, dim):
    """Keras's layer with our weights; it keeps its kernels by head."""
    heads, size = ours.num_heads, dim // ours.num_heads
    theirs = keras.layers.MultiHeadAttention(heads, size, dtype="float64")
    theirs.build((None, None, dim), (None, None, dim))
    (qk, qb, kk, kb, vk, vb, ok, ob) = ours.get_weights()
    inward = [
        part
        for k, b in ((qk, qb), (kk, kb), (vk, vb))
        for part in (k.reshape(dim, heads, size), b.reshape(heads, size))
    ]
    theirs.set_weights([*inward, ok.reshape(heads, size, dim), ob])
    return theirs


def built(layer, dim=DIM):
    layer.build((None, None, dim))
    return randomise(layer)


PADDING = np.array([[1] * 7, [1] * 4 + [0] * 3, [1] + [0] * 6])


@pytest.mark.parametrize("heads", [1, 4, 16])
@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("padding", [None, PADDING], ids=["full", "padded"])
def test_attention_equals_keras_forward_and_backward(heads, causal, padding):
    import tensorflow as tf

    ours = built(layers.SelfAttention(heads, causal=causal, dtype="float64"))
    theirs = keras_attention(ours, DIM)
    x, direction = tf.constant(random(BATCH, TIME, DIM)), random(BATCH, TIME, DIM, seed=2)
    results = []
    mask = None if padding is None else padding[:, None, :].astype(bool)
    for layer, call in (
        (ours, lambda: ours(x, padding_mask=padding, return_attention_scores=True)),
        (theirs, lambda: theirs(x, x, attention_mask=mask, use_causal_mask=causal, return_attention_scores=True)),
    ):
        with tf.GradientTape() as tape:
            tape.watch(x)
            out, weights = call()
            loss = tf.reduce_sum(out * direction)
        by_weight = tape.gradient(loss, [x, *layer.trainable_weights])
        results.append([out, weights, *by_weight])
    for mine, authority in zip(*results, strict=True):
        np.testing.assert_allclose(numpy(mine).ravel(), numpy(authority).ravel(), rtol=0, atol=1e-10)


def test_attention_in_float32_is_as_good_as_float32():
    ours = built(layers.SelfAttention(4, causal=True))
    exact = layers.SelfAttention(4, causal=True, dtype="float64")
    exact.build((None, None, DIM))
    exact.set_weights(ours.get_weights())
    x = random(BATCH, TIME, DIM).astype("float32")
    np.testing.assert_allclose(numpy(ours(x)), numpy(exact(x)), rtol=1e-5, atol=1e-5)


def test_bfloat16_keeps_its_softmax_in_float32():
    layer = built(layers.SelfAttention(4, causal=True, dtype="mixed_bfloat16"))
    out, weights = layer(random(BATCH, TIME, DIM).astype("float32"), return_attention_scores=True)
    assert keras.backend.standardize_dtype(out.dtype) == "bfloat16"
    assert np.abs(numpy(weights).sum(-1) - 1).max() < 1e-6  # bfloat16 would be off by 1e-3


BLOCKS = [
    lambda **k: layers.SelfAttention(4, causal=True, dtype="float64", **k),
    lambda **k: layers.TransformerBlock(4, 20, causal=True, dtype="float64", **k),
]


@pytest.mark.parametrize("make", BLOCKS, ids=["attention", "block"])
@pytest.mark.parametrize("rotary", [False, True])
def test_no_output_depends_on_a_later_input(make, rotary):
    layer, x = built(make(rotary=rotary)), random(1, TIME, DIM)
    before = numpy(layer(x))
    for changed in range(TIME):
        other = x.copy()
        other[:, changed] += random(DIM, seed=3)
        moved = np.abs(numpy(layer(other)) - before).max(axis=(0, 2)) > 1e-9
        assert not moved[:changed].any()
        assert moved[changed:].all()  # and the present and the past do matter


@pytest.mark.parametrize("make", BLOCKS, ids=["attention", "block"])
def test_padding_changes_nothing_and_hears_nothing(make):
    layer = built(make())
    x, mask = random(1, TIME, DIM), np.array([[1, 1, 1, 1, 0, 0, 0]])
    padded, weights = layer(x, padding_mask=mask, return_attention_scores=True)
    np.testing.assert_allclose(numpy(padded)[:, :4], numpy(layer(x[:, :4])), atol=5e-6)
    assert (numpy(weights)[..., 4:] == 0).all()


def test_a_text_of_nothing_but_padding_gives_numbers():
    layer = built(layers.SelfAttention(4, causal=True))
    out, weights = layer(random(1, TIME, DIM), padding_mask=np.zeros((1, TIME)), return_attention_scores=True)
    assert np.isfinite(numpy(out)).all()
    np.testing.assert_allclose(numpy(weights).sum(-1), 1, rtol=1e-6)


def test_without_mask_and_positions_order_means_nothing():
    layer = built(layers.TransformerBlock(4, 20, dtype="float64"))
    x, order = random(1, TIME, DIM), np.random.default_rng(0).permutation(TIME)
    np.testing.assert_allclose(
        numpy(layer(x[:, order])), numpy(layer(x))[:, order], atol=5e-6
    )  # on JAX Keras norms in float32


def test_block_equals_its_formula():
    block = built(layers.TransformerBlock(4, 20, causal=True, dtype="float64"))
    x = random(BATCH, TIME, DIM)
    scale, shift, *attention, scale2, shift2, wide, wide_bias, narrow, narrow_bias = block.get_weights()

    def norm(x, scale, shift):
        return (x - x.mean(-1, keepdims=True)) / np.sqrt(x.var(-1, keepdims=True) + 1e-5) * scale + shift

    ours = layers.SelfAttention(4, causal=True, dtype="float64")
    ours.build((None, None, DIM))
    ours.set_weights(attention)
    theirs = keras_attention(ours, DIM)
    normed = norm(x, scale, shift)
    middle = x + numpy(theirs(normed, normed, use_causal_mask=True))
    widened = numpy(keras.activations.gelu(norm(middle, scale2, shift2) @ wide + wide_bias))
    np.testing.assert_allclose(numpy(block(x)), middle + widened @ narrow + narrow_bias, atol=5e-6)


def test_causal_mask_is_the_lower_triangle():
    assert (numpy(layers.causal_mask(5)) == np.tri(5, dtype=bool)).all()


def test_rotation_is_multiplication_by_a_complex_number():
    x, positions = random(2, TIME, 8), np.arange(TIME) + 5
    rates = 10_000.0 ** (-2 * np.arange(4) / 8)
    turned = (x[..., :4] + 1j * x[..., 4:]) * np.exp(1j * positions[:, None] * rates)
    ours = numpy(layers.rotate(ops.convert_to_tensor(x, "float64"), positions))
    np.testing.assert_allclose(ours, np.concatenate([turned.real, turned.imag], -1), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("shift", [1, 17, 500])
def test_rotated_scores_depend_on_the_distance_only(shift):
    query, key = (ops.convert_to_tensor(random(TIME, 8, seed=seed), "float32") for seed in (0, 1))
    places = np.arange(TIME)
    scores = [
        numpy(layers.rotate(query, at) @ ops.transpose(layers.rotate(key, at))) for at in (places, places + shift)
    ]
    np.testing.assert_allclose(scores[0], scores[1], rtol=0, atol=5e-4)  # angles up to 507 in float32: 3e-5 each
    moved = numpy(layers.rotate(query, places) @ ops.transpose(layers.rotate(key, places + shift)))
    assert np.abs(moved - scores[0]).max() > 0.1


@pytest.mark.parametrize("dim", [2, 8, 64])
def test_sinusoids_follow_the_paper(dim):
    ours = numpy(layers.sinusoids(np.arange(50), dim))
    for i in range(dim // 2):
        angle = np.arange(50) / 10_000 ** (2 * i / dim)
        np.testing.assert_allclose(ours[:, 2 * i], np.sin(angle), atol=1e-5)
        np.testing.assert_allclose(ours[:, 2 * i + 1], np.cos(angle), atol=1e-5)


def test_positions_are_added():
    x = random(2, TIME, 8).astype("float32")
    sinusoidal = numpy(layers.SinusoidalPositions()(x))
    np.testing.assert_allclose(
        sinusoidal - x, np.broadcast_to(numpy(layers.sinusoids(np.arange(TIME), 8)), x.shape), atol=1e-5
    )
    learned = layers.LearnedPositions(10)
    out = numpy(learned(x))
    np.testing.assert_allclose(out - x, np.broadcast_to(learned.get_weights()[0][:TIME], x.shape), atol=1e-5)


@pytest.mark.parametrize(
    ("layer", "shape", "words"),
    [
        (layers.LearnedPositions(5), (1, 6, 8), "6 tokens, but only 5"),
        (layers.SelfAttention(5), (1, 6, 8), "8 cannot be shared equally among 5"),
        (layers.SelfAttention(4, rotary=True), (1, 6, 12), "a head has 3"),
    ],
)
def test_what_does_not_fit_is_refused_in_a_sentence(layer, shape, words):
    with pytest.raises((CourseError, ValueError), match=words):
        layer(np.zeros(shape, "float32"))


def test_dropout_only_while_training():
    x = random(2, TIME, DIM).astype("float32")
    layer, plain = (built(layers.TransformerBlock(4, 20, dropout=rate)) for rate in (0.5, 0.0))
    np.testing.assert_array_equal(numpy(layer(x)), numpy(plain(x)))
    assert np.abs(numpy(layer(x, training=True)) - numpy(plain(x))).max() > 0.01


@pytest.mark.filterwarnings(
    "ignore:__array__ implementation:DeprecationWarning"
)  # TensorFlow's variables under NumPy 2
def test_a_model_of_blocks_is_saved_and_takes_any_length(tmp_path):
    ids = keras.Input((None,), dtype="int32")
    x = keras.layers.Embedding(20, DIM)(ids)
    x = layers.LearnedPositions(TIME)(layers.SinusoidalPositions()(x))
    x = layers.TransformerBlock(4, 20, causal=True, dropout=0.1)(x)
    model = keras.Model(ids, keras.layers.Dense(20)(x))
    some = np.arange(2 * TIME).reshape(2, TIME)
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(model.predict(some, verbose=0), again.predict(some, verbose=0))
    assert again.predict(some[:, :3], verbose=0).shape == (2, 3, 20)
    assert [w.path for w in model.weights] == [w.path for w in again.weights]
