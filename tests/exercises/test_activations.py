"""Lesson 2.1's references against Keras, TensorFlow's automatic differentiation, and float64."""

import numpy as np
import pytest

from lmcourse.exercises import activations, gelu, slopes

GRID = np.concatenate([np.linspace(-12, 12, 481), [-1000, -100, -44.4, 44.4, 100, 1000]])


@pytest.mark.parametrize(
    ("name", "value", "slope"),
    [
        ("sigmoid", activations.sigmoid.reference, activations.sigmoid_slope),
        ("tanh", activations.tanh.reference, None),
        ("gelu", gelu.gelu, gelu.gelu_slope),
    ],
)
def test_values_and_slopes_equal_keras_and_automatic_differentiation(name, value, slope):
    import keras
    import tensorflow as tf

    function = keras.activations.get(name)
    x = tf.constant(GRID, tf.float64)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = function(x)
    loose = 1e-7 if name == "gelu" else 1e-14  # TensorFlow keeps GELU's constants in float32
    np.testing.assert_allclose(value(GRID), y.numpy(), atol=loose, rtol=loose)
    if slope:
        np.testing.assert_allclose(slope.reference(GRID), tape.gradient(y, x).numpy(), atol=loose)


@pytest.mark.parametrize(
    "exercise", [activations.sigmoid, activations.sigmoid_slope, activations.tanh], ids=lambda e: e.name
)
def test_float32_neither_overflows_nor_strays_from_float64(exercise):
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        single = exercise.reference(GRID.astype("float32"))
    assert single.dtype == np.float32
    np.testing.assert_allclose(
        single, exercise.reference(GRID.astype("float32").astype("float64")), rtol=1e-5, atol=1e-37
    )


def test_the_broken_tanh_breaks_where_the_lesson_says():
    with np.errstate(all="ignore"):
        below, above, tiny = activations.tanh.stub(np.array([44.3, 44.4, 1e-8], dtype="float32"))
    assert below == 1 and np.isnan(above) and tiny == 0


def test_a_sigmoid_that_overflows_on_the_way_is_refused():
    for values in (
        lambda z: 1 / (1 + np.exp(-z)),
        lambda z: np.where(z < 0, np.exp(z) / (1 + np.exp(z)), 1 / (1 + np.exp(-z))),
    ):
        assert activations.sigmoid.judge(values).mistake == "as_printed"


def test_the_explorers_answers_are_computed_ones():
    x = np.linspace(-6, 6, 120_001)
    first_flat = x[(x > 0) & (activations.sigmoid_slope.reference(x) < 0.01)][0]
    assert slopes.flat_from.is_right(first_flat) and round(first_flat, 1) == slopes.flat_from.answer
    silu = x * activations.sigmoid.reference(x)
    lowest = x[silu.argmin()]
    assert slopes.silu_lowest.is_right(lowest) and round(lowest, 1) == slopes.silu_lowest.answer
    assert round(lowest, 2) == -1.28 and round(silu.min(), 3) == -0.278  # as its explanation says
