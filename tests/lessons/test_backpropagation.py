"""The autodiff engine that lesson 2.3 builds: its cells, executed, against TensorFlow's tape."""

import sys
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[2]
FIRST = ("engine-node", "engine-scalars", "engine-operators", "ordered-stub", "backward-stub", "engine-gradient")
THEN = ("unbroadcast-stub", "engine-broadcasting", "engine-arrays")


@pytest.fixture(scope="module")
def cells():
    """name → code of the engine's cells, exercises solved."""
    sys.path.insert(0, str(ROOT / "lessons"))
    from source import read

    lesson = read(Path("2_mathematics/03_backpropagation.md"))
    found = {}
    for cell in lesson.cells:
        found[cell.id] = cell.exercise.solution_source() if cell.exercise else cell.code
    return {name: found[name] for name in FIRST + THEN}


def build(cells, names):
    space = {"np": np}
    for name in names:
        exec(cells[name], space)
    return space


@pytest.fixture(scope="module")
def scalars(cells):
    return build(cells, FIRST)


@pytest.fixture(scope="module")
def engine(cells):
    return build(cells, FIRST + THEN)


def tape(function, inputs):
    import tensorflow as tf

    variables = [tf.Variable(np.asarray(x, "float64")) for x in inputs]
    with tf.GradientTape() as recording:
        value = function(*variables)
    return value.numpy(), [g.numpy() for g in recording.gradient(value, variables)]


def agree(space, ours, theirs, inputs):
    nodes = [space["Node"](x) for x in inputs]
    result = ours(*nodes)
    slopes = space["gradient"](result, nodes)
    value, expected = tape(theirs, inputs)
    np.testing.assert_allclose(result.value, value, rtol=1e-14)
    for slope, wanted, x in zip(slopes, expected, inputs, strict=True):
        assert np.shape(slope) == np.shape(x)
        np.testing.assert_allclose(slope, wanted, rtol=1e-12, atol=1e-14)


def test_scalars_equal_the_tape(scalars):
    import tensorflow as tf

    s = scalars
    for a, b, c in np.random.default_rng(0).uniform(0.5, 2, (20, 3)):
        agree(
            s,
            lambda a, b, c: s["log"](a * b + 3) * s["tanh"](a - c) / (2 - s["exp"](-b)) + s["power"](c, 3) - 1 / a,
            lambda a, b, c: tf.math.log(a * b + 3) * tf.tanh(a - c) / (2 - tf.exp(-b)) + c**3 - 1 / a,
            [float(a), float(b), float(c)],
        )


@pytest.mark.parametrize(
    ("left", "right"),
    [((3, 4), (4,)), ((3, 4), (3, 1)), ((2, 3, 4), (3, 1)), ((), (3, 4)), ((1, 4), (3, 1)), ((4,), (4,))],
)
def test_broadcasting_equals_the_tape(engine, left, right):
    import tensorflow as tf

    e, rng = engine, np.random.default_rng(1)
    inputs = [rng.uniform(0.5, 2, left), rng.uniform(0.5, 2, right)]
    agree(
        e,
        lambda a, b: e["total"](e["tanh"](a * b + a) / b - a),
        lambda a, b: tf.reduce_sum(tf.tanh(a * b + a) / b - a),
        inputs,
    )


def test_a_network_equals_the_tape(engine):
    import tensorflow as tf

    e, rng = engine, np.random.default_rng(2)
    x, y = rng.normal(size=(7, 5)), np.eye(3)[rng.integers(0, 3, 7)]

    def ours(W1, b1, W2, b2):
        z = e["relu"](x @ W1 + b1) @ W2 + b2
        return e["total"](e["log"](e["total"](e["exp"](z), axis=1)) - e["total"](z * y, axis=1)) / len(x)

    def theirs(W1, b1, W2, b2):
        z = tf.nn.relu(x @ W1 + b1) @ W2 + b2
        return tf.reduce_mean(tf.nn.softmax_cross_entropy_with_logits(y, z))

    agree(e, ours, theirs, [rng.normal(size=shape) for shape in ((5, 6), (6,), (6, 3), (3,))])


def test_a_second_walk_gives_the_same_and_values_stay(engine):
    e = engine
    w = e["Node"](np.array([1.0, -2.0]))
    loss = e["total"](w * w)
    first, second = e["gradient"](loss, [w]), e["gradient"](loss, [w])
    np.testing.assert_array_equal(first, second)
    np.testing.assert_array_equal(w.value, [1.0, -2.0])


def test_it_is_about_a_hundred_lines(cells):
    lines = [line for code in cells.values() for line in code.splitlines() if line.strip()]
    assert 70 <= len(lines) <= 130
