"""Lesson 2.2's references against Keras, scikit-learn and automatic differentiation, and the worked example's numbers."""

import math

import numpy as np
import pytest

from lmcourse.exercises.activations import sigmoid
from lmcourse.exercises.descents import gradient
from lmcourse.exercises.losses import binary_cross_entropy, keras_from_probability, mean_cross_entropy
from lmcourse.exercises.slopes import balancing_weight
from lmcourse.exercises.softmaxes import cross_entropy, half_sure, softmax

RANDOM = np.random.default_rng(0)
Z = np.concatenate([RANDOM.normal(0, 8, 100), [-1000, -38.5, 0, 38.5, 1000]])
Y = RANDOM.integers(0, 2, len(Z)).astype(float)
LOGITS, LABELS = RANDOM.normal(0, 4, (50, 6)), RANDOM.integers(0, 6, 50)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_binary_cross_entropy_equals_keras(dtype):
    import keras

    z, y = Z.astype(dtype), Y.astype(dtype)
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        ours = binary_cross_entropy.reference(z, y)
    theirs = keras.losses.binary_crossentropy(y[:, None], z[:, None], from_logits=True)
    np.testing.assert_allclose(
        ours, keras.ops.convert_to_numpy(theirs), rtol=1e-5 if dtype == "float32" else 1e-12, atol=1e-20
    )


def test_mean_cross_entropy_equals_scikit_learn():
    from sklearn.metrics import log_loss

    p = sigmoid.reference(np.clip(Z, -20, 20))
    assert mean_cross_entropy.reference(p, Y) == pytest.approx(log_loss(Y, p), rel=1e-12)


def test_cross_entropy_equals_keras_and_scikit_learn():
    import keras
    from sklearn.metrics import log_loss

    ours = cross_entropy.reference(LOGITS, LABELS)
    theirs = keras.losses.sparse_categorical_crossentropy(LABELS, LOGITS, from_logits=True)
    np.testing.assert_allclose(ours, keras.ops.convert_to_numpy(theirs), rtol=1e-6)
    assert ours.mean() == pytest.approx(log_loss(LABELS, softmax.reference(LOGITS)), rel=1e-12)


def test_softmax_equals_keras():
    import keras

    for temperature in (0.5, 1.0, 3.0):
        theirs = keras.activations.softmax(keras.ops.convert_to_tensor(LOGITS / temperature))
        np.testing.assert_allclose(
            softmax.reference(LOGITS, temperature), keras.ops.convert_to_numpy(theirs), rtol=1e-12
        )


def test_gradient_equals_automatic_differentiation():
    import tensorflow as tf

    theta, x, y = RANDOM.normal(size=4), RANDOM.normal(size=(9, 4)), RANDOM.integers(0, 2, 9).astype(float)
    weights = tf.Variable(theta)
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits(y, tf.linalg.matvec(tf.constant(x), weights)))
    np.testing.assert_allclose(gradient.reference(theta, x, y), tape.gradient(loss, weights).numpy(), rtol=1e-12)


def test_the_worked_example():
    x, theta = np.arange(1.0, 11), np.arange(1, 11) / 10
    z = theta @ x
    assert z == pytest.approx(38.5, rel=1e-15)
    assert binary_cross_entropy.reference(z, 1) == pytest.approx(math.exp(-38.5), rel=1e-12)
    assert binary_cross_entropy.reference(z, 0) == 38.5
    assert not gradient.reference(theta, x[None], np.array([1])).any()
    g = gradient.reference(theta, x[None], np.array([0]))
    assert g @ g == 385
    stepped = (theta - 0.1 * g) @ x
    assert abs(stepped) < 1e-12 and binary_cross_entropy.reference(stepped, 0) == pytest.approx(math.log(2), rel=1e-12)


def test_answers_to_questions_are_computed_ones():
    import keras

    top = [
        (softmax.reference(np.array([2.0, 1, 0, -1]), t)[0]) for t in (half_sure.answer - 0.1, half_sure.answer + 0.1)
    ]
    assert top[0] > 0.5 > top[1]
    probability = sigmoid.reference(np.array([[38.5]], dtype="float32"))
    loss = float(keras.losses.binary_crossentropy(np.array([[0.0]], dtype="float32"), probability)[0])
    assert keras_from_probability.answer == 1 and 15 < loss < 17


def test_the_balancing_weight_of_lesson_2_1_is_a_computed_one():
    slope = 1 - math.tanh(1) ** 2
    weights = np.arange(0.1, 5.05, 0.1)  # to one decimal, as the question asks
    best = weights[np.abs(np.log((weights * slope) ** 50)).argmin()]
    assert best == pytest.approx(balancing_weight.answer) and balancing_weight.is_right(1 / slope)
    assert (2.1 * slope) ** 50 == pytest.approx(0.002, rel=0.1) and (2.7 * slope) ** 50 > 500  # as its explanation says
