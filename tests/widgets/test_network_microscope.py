import threading
import time

import keras
import lab
import numpy as np
import pytest
import tensorflow as tf

from lmcourse import language
from lmcourse.language import CourseError
from lmcourse.widgets import microscope_network, microscope_problems, network_microscope
from lmcourse.widgets.microscope_points import SHOWN_POINTS, check_points, choose_loss, targets
from lmcourse.widgets.microscope_training import BINS, KEPT, PHASES, Engine
from lmcourse.widgets.network_microscope import microscope

RANDOM = np.random.default_rng(3)
X = RANDOM.uniform(-1, 1, (50, 2)).astype("float32")
Y = (X[:, 0] * X[:, 1] > 0).astype("int32")


def dense_model(*layers, units=2):
    return keras.Sequential([keras.Input((units,)), *layers])


def two_layers():
    return dense_model(keras.layers.Dense(5, "tanh"), keras.layers.Dense(4, "relu"), keras.layers.Dense(1, "sigmoid"))


def engine(model, batch=16, optimiser=None, x=X, y=Y):
    stages = microscope_network.read(model)
    loss, name = choose_loss(model, stages, y)
    return Engine(
        stages, x, targets(y, stages[-1].dense.units, name), batch, optimiser or keras.optimizers.SGD(0.1), loss
    )


def parts(frame, parameters):
    numbers = np.frombuffer(frame, "float32")
    return numbers[:3], *np.split(numbers[3 : 3 + 3 * parameters], 3), numbers[3 + 3 * parameters :]


def flat(tensors):
    return np.concatenate([np.ravel(tensor.numpy()) for tensor in tensors])


def tape(model, loss, x, y):
    """The authority: Keras's own forward pass under TensorFlow's tape."""
    with tf.GradientTape() as record:
        value = loss(y.reshape(len(y), -1).astype("float32"), model(x))
    return float(value), flat(record.gradient(value, model.trainable_variables))


def wait_until(true, seconds=20):
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end
        time.sleep(0.01)


@pytest.fixture
def scope():
    """Microscopes that are closed after the test."""
    made = []

    def make(*arguments, **settings):
        made.append(microscope(*arguments, **settings))
        return made[-1]

    yield make
    for widget in made:
        widget.close()


# ---------------------------------------------------------------- the engine


@pytest.mark.parametrize("problem", microscope_problems.PROBLEMS)
def test_problems_are_two_balanced_classes_in_the_square(problem):
    x, y = microscope_problems.PROBLEMS[problem](points=400, noise=0.0, seed=1)
    assert x.shape == (400, 2) and x.dtype == np.float32 and set(y) == {0, 1}
    assert np.abs(x).max() < 1.2 and 150 < y.sum() < 250
    again, _ = microscope_problems.PROBLEMS[problem](points=400, noise=0.0, seed=1)
    noisy, _ = microscope_problems.PROBLEMS[problem](points=400, noise=0.2, seed=1)
    assert np.array_equal(x, again) and not np.array_equal(x, noisy)
    assert microscope_problems.PROBLEMS[problem](points=0)[0].shape == (0, 2)


@pytest.mark.parametrize("problem", microscope_problems.PROBLEMS)
def test_noise_moves_points_in_proportion(problem):
    still, moved = microscope_problems.apart(problem, 90, 2)
    x, _ = microscope_problems.PROBLEMS[problem](points=90, noise=0.3, seed=2)
    np.testing.assert_allclose(still + 0.3 * moved, x, atol=1e-6)


def test_gradients_equal_the_tape_and_the_update_is_the_optimisers():
    model = two_layers()
    before = flat(model.trainable_variables)
    loss, gradients = tape(model, keras.losses.BinaryCrossentropy(), X[:16], Y[:16])
    it = engine(model)
    it.step()
    head, weights, shown, updates, _ = parts(it.frame(), len(before))
    np.testing.assert_allclose(head, [1, loss, 0], rtol=1e-5)
    np.testing.assert_allclose(shown, gradients, atol=1e-7)
    np.testing.assert_allclose(updates, -0.1 * gradients, atol=1e-7)
    np.testing.assert_allclose(weights, before + updates, atol=1e-6)


def test_layer_gradients_equal_the_tapes():
    model = two_layers()
    it = engine(model)
    first, second, last = model.layers
    with tf.GradientTape() as record:
        z = [tf.matmul(X[:16], first.kernel) + first.bias]
        z.append(tf.matmul(tf.tanh(z[0]), second.kernel) + second.bias)
        z.append(tf.matmul(tf.nn.relu(z[1]), last.kernel) + last.bias)
        loss = keras.losses.BinaryCrossentropy()(Y[:16, None].astype("float32"), tf.sigmoid(z[2]))
    deltas = [delta.numpy() for delta in record.gradient(loss, z)]
    for _ in range(3):
        it.next_phase()
    bands = parts(it.frame(), model.count_params())[4].reshape(3, 1 + BINS)
    np.testing.assert_allclose(bands[:, 0], [np.abs(delta).max() for delta in deltas], rtol=1e-4)
    np.testing.assert_allclose(bands[:, 1:].sum(1), 1, rtol=1e-5)
    # The example's numbers: place, class, loss, batch; then z, a, dL/dz of each stage for the batch's first point.
    example = np.frombuffer(it.example, "float32")
    np.testing.assert_allclose(example[:3], [*X[0], Y[0]])
    np.testing.assert_allclose(example[5:20], np.r_[z[0][0], np.tanh(z[0][0]), deltas[0][0]], atol=1e-6)


def test_dropout_and_regularisers_take_part():
    layers = [
        keras.layers.Dense(4, "tanh", kernel_regularizer=keras.regularizers.L2(0.5)),
        keras.layers.Dropout(0.999999),
    ]
    model = dense_model(*layers, keras.layers.Dense(1, "sigmoid"))
    it = engine(model)
    it.step()
    kernel = parts(it.frame(), model.count_params())
    assert np.abs(kernel[2][12:16]).max() == 0  # all but surely dropped, so nothing reaches the last kernel
    np.testing.assert_allclose(kernel[2][:8], (kernel[1] - kernel[3])[:8] * 2 * 0.5, rtol=1e-3)


def test_a_step_by_phases_equals_a_step():
    one, other = two_layers(), two_layers()
    other.set_weights(one.get_weights())
    whole, phased = (
        engine(one, optimiser=keras.optimizers.Adam(0.1)),
        engine(other, optimiser=keras.optimizers.Adam(0.1)),
    )
    for _ in range(3):
        whole.step()
        before = flat(other.trainable_variables)
        names = []
        for _ in PHASES:
            names.append(phased.next_phase())
            moved = np.any(flat(other.trainable_variables) != before)
            assert moved == (names[-1] == "update")
        assert tuple(names) == PHASES
    np.testing.assert_allclose(flat(one.trainable_variables), flat(other.trainable_variables), atol=1e-6)
    assert whole.steps == phased.steps == 3


def test_phases_show_only_what_has_happened():
    it = engine(two_layers())
    seen = []
    for _ in PHASES:
        it.next_phase()
        head, _, gradients, updates, _ = parts(
            it.frame(), sum(weight.value.shape.num_elements() for weight in it.weights)
        )
        seen.append((int(head[2]), bool(gradients.any()), bool(updates.any())))
    assert seen == [(1, False, False), (2, False, False), (3, True, False), (4, True, True)]


def test_a_step_finishes_the_phases_begun():
    it = engine(two_layers())
    it.next_phase()
    it.step()
    assert (it.steps, it.phase, it.example) == (1, "", b"")


def test_edit_writes_one_weight_and_reset_restores_all():
    model = two_layers()
    it = engine(model)
    start = flat(model.trainable_variables)
    it.edit(11, 4.5)  # 2·5 kernel, then the second bias
    changed = flat(model.trainable_variables)
    assert model.layers[0].bias.numpy()[1] == 4.5 and np.flatnonzero(changed != start).tolist() == [11]
    it.step()
    it.set_rate(0.7)
    it.reset()
    np.testing.assert_array_equal(flat(model.trainable_variables), start)
    assert it.steps == 0 and float(it.optimiser.learning_rate) == pytest.approx(0.7)


def test_the_record_is_bounded_and_even():
    it = engine(two_layers())
    for number in range(5 * KEPT):
        it.remember(np.float32(number).tobytes())
    steps = np.frombuffer(b"".join(it.history), "float32")
    assert KEPT / 2 <= len(steps) <= KEPT and steps[0] == 0
    assert len(set(np.diff(steps))) == 1 and steps[-1] > 4.9 * KEPT


def test_an_earlier_frame_is_trained_on_from():
    model = two_layers()
    it = engine(model, optimiser=keras.optimizers.Adam(0.1))
    frames = [it.frame()]
    for _ in range(6):
        it.step()
        frames.append(it.frame())
        it.remember(frames[-1])
    it.restore(frames[3])
    then, now = (parts(frame, model.count_params()) for frame in (frames[3], it.frame()))
    np.testing.assert_array_equal(now[0], then[0])
    np.testing.assert_array_equal(now[1], then[1])
    assert [np.frombuffer(frame, "float32")[0] for frame in it.history] == [1, 2]
    # Adam begins anew there: its first update is the rate times the gradient's sign, wherever that is not near zero.
    it.step()
    _, _, gradients, updates, _ = parts(it.frame(), model.count_params())
    clear = np.abs(gradients) > 1e-3
    np.testing.assert_allclose(updates[clear], -0.1 * np.sign(gradients[clear]), rtol=1e-2)
    before = flat(model.weights)
    it.restore(frames[0][:-4])  # another network's
    np.testing.assert_array_equal(flat(model.weights), before)


def test_trouble_names_the_layer():
    model = two_layers()
    it = engine(model)
    assert it.trouble(it.frame()) == ""
    it.edit(15, float("nan"))
    assert model.layers[1].name in it.trouble(it.frame()) and "NaN" in it.trouble(it.frame())


# ---------------------------------------------------------------- what can be looked at


def test_reads_chains_of_many_kinds():
    inputs = keras.Input((2,))
    h = keras.layers.Dense(3, use_bias=False)(inputs)
    h = keras.layers.LeakyReLU(negative_slope=0.3)(h)
    functional = keras.Model(inputs, keras.layers.Dense(2, "softmax")(h))
    names = [stage.describe()["activation"] for stage in microscope_network.read(functional)]
    assert names == ["table", "softmax"]
    mish = dense_model(keras.layers.Dense(3), keras.layers.Activation("mish"), keras.layers.Dense(1))
    (first, second) = microscope_network.read(mish)
    grid = microscope_network.GRID
    np.testing.assert_allclose(first.table, keras.activations.mish(grid).numpy(), atol=1e-6)
    assert second.name == "linear"


class Loose(keras.Model):
    def call(self, x):
        return x


REFUSED = {
    "not a model": lambda: 3,
    "not built": lambda: keras.Sequential([keras.layers.Dense(1)]),
    "three inputs": lambda: dense_model(keras.layers.Dense(1), units=3),
    "pictures": lambda: keras.Sequential([keras.Input((4, 4, 1)), keras.layers.Flatten(), keras.layers.Dense(1)]),
    "no weights": lambda: dense_model(keras.layers.Dropout(0.1)),
    "weightless layer": lambda: dense_model(keras.layers.Reshape((2,)), keras.layers.Dense(1)),
    "normalisation": lambda: dense_model(keras.layers.Dense(2), keras.layers.BatchNormalization()),
    "too wide": lambda: dense_model(keras.layers.Dense(500), keras.layers.Dense(1)),
    "hidden softmax": lambda: dense_model(keras.layers.Dense(3, "softmax"), keras.layers.Dense(1)),
    "subclassed": Loose,
    "raising activation": lambda: dense_model(keras.layers.Dense(3, lambda z: z if z.shape[0] != 2049 else 1 / 0)),
}


@pytest.mark.parametrize("name", REFUSED)
@pytest.mark.parametrize("lang", language.LANGUAGES)
def test_other_models_get_a_sentence(scope, name, lang):
    language.use(lang)
    widget = scope(REFUSED[name](), X, Y)
    assert widget.problem and widget.network == {} and widget.png().startswith(b"\x89PNG")
    assert ("。" in widget.problem or "：" in widget.problem) == (lang == "zh")
    widget.receive("play", {}, [])  # nothing to train: nothing happens
    wait_until(lambda: widget._worker._commands.empty())
    assert not widget.playing and widget.describe()


@pytest.mark.parametrize(
    ("x", "y", "word"),
    [
        (X, None, "both"),
        (X[:, :1], Y, "shape"),
        (X, Y[:-1], "shape"),
        (np.ma.masked_less(X, 0), Y, "masked"),
        (np.where(X > 0, X, np.nan), Y, "NaN"),
        ([["a", "b"]], [1], "numbers"),
        (X, np.arange(50) % 3, "do not fit"),
    ],
)
def test_other_points_get_a_sentence(scope, x, y, word):
    assert word in scope(None, x, y).problem


def test_points_of_many_shapes():
    x, y = check_points(X.tolist(), Y[:, None])
    assert y.dtype == np.int32 and y.shape == (50,) and x.dtype == np.float32
    one_hot = np.eye(3)[np.arange(50) % 3]
    model = dense_model(keras.layers.Dense(3, "softmax"))
    for labels in (one_hot, np.arange(50) % 3):
        it = engine(model, x=X, y=check_points(X, labels)[1])
        it.step()
        assert np.isfinite(it.last_loss)
    assert engine(dense_model(keras.layers.Dense(1)), y=X[:, 0]).loss.name == "mean_squared_error"


def test_an_unknown_setting_is_refused():
    with pytest.raises(CourseError, match="tempo"):
        microscope(tempo=3)


# ---------------------------------------------------------------- the widget


def do(widget, kind, **content):
    """A command as the page sends it; waits until it was obeyed."""
    done = threading.Event()
    push, widget.push = widget.push, lambda *_, **__: done.set()
    widget.receive(kind, {"kind": kind, **content}, [])
    assert done.wait(20)
    widget.push = push


def test_training_runs_beside_pauses_and_ends_with_the_widget(scope):
    widget = scope(speed=0)
    assert np.frombuffer(widget.frame, "float32")[0] == 0 and not widget.problem
    do(widget, "play")
    wait_until(lambda: widget._engine.steps > 20)
    do(widget, "pause")
    steps = widget._engine.steps
    assert not widget.playing and np.frombuffer(widget.frame, "float32")[0] == steps
    time.sleep(0.1)
    assert widget._engine.steps == steps
    do(widget, "play")
    thread = widget._worker.thread
    widget.close()
    assert not thread.is_alive()


def test_the_code_shown_trains_the_same_network(scope):
    widget = scope(
        problem="xor", points=60, batch=20, depth=1, width=3, activation="relu", optimiser="momentum", rate=0.1
    )
    for _ in range(6):
        do(widget, "step")
    assert "epochs=2" in widget.code
    names = {}
    exec(widget.code, names)
    for ours, theirs in zip(widget.model.weights, names["model"].weights, strict=True):
        np.testing.assert_allclose(ours.numpy(), theirs.numpy(), atol=1e-5)
    x, y = names["x"], names["y"]
    loss = names["model"].evaluate(x, y, verbose=0)
    assert loss == pytest.approx(tape(widget.model, keras.losses.BinaryCrossentropy(), x, y)[0], rel=1e-4)


def test_the_code_for_drawn_points_makes_the_same_points(scope):
    widget = scope()
    do(widget, "points", points=[[0.123456, -0.5, 0], [0.75, 0.25, 1], [-0.1, 0.9, 1]])
    names = {}
    exec(widget.code.partition("model =")[0], names)
    drawn = np.frombuffer(widget.data, "float32").reshape(-1, 5)[:, :3]
    np.testing.assert_array_equal(np.column_stack([names["x"], names["y"]]), drawn)
    assert widget.settings["problem"] == "own"


def test_the_learners_own_model_is_trained_in_place_with_its_own_loss_and_a_copy_of_its_optimiser(scope):
    model = two_layers()
    model.compile(keras.optimizers.Adam(0.05), "mse")
    before = model.get_weights()
    widget = scope(model, X, Y)
    do(widget, "step")
    assert widget.model is model and widget._engine.optimiser is not model.optimizer
    assert (
        widget.network["own"]
        and "mean_squared" in widget.network["loss"]
        and widget.settings["rate"] == pytest.approx(0.05)
    )
    assert not np.array_equal(before[0], model.get_weights()[0])
    do(widget, "set", values={"rate": 0.5})
    assert float(widget._engine.optimiser.learning_rate) == 0.5


def test_controls_rebuild_only_what_they_change(scope):
    widget = scope()
    do(widget, "step")
    model = widget.model
    do(widget, "set", values={"noise": 0.3, "rate": 0.1, "batch": 8})
    assert widget.model is model and widget._engine.steps == 1
    do(widget, "set", values={"depth": 1, "width": 3})
    assert [stage["units"] for stage in widget.network["stages"]] == [3, 1] and widget._engine.steps == 0
    do(widget, "set", values={"depth": 0})
    assert [stage["units"] for stage in widget.network["stages"]] == [1]


def test_a_slow_watch_shows_fewer_frames(scope, monkeypatch):
    widget = scope(speed=0)
    widget._engine._next()
    widget.playing = True
    show, shown = widget._show, []

    def slowly():
        show()
        shown.append(time.sleep(0.05))

    monkeypatch.setattr(widget, "_show", slowly)
    now = [0.0]
    monkeypatch.setattr(network_microscope.time, "perf_counter", lambda: now[0])
    monkeypatch.setattr(network_microscope.time, "sleep", lambda seconds: now.__setitem__(0, now[0] + seconds))
    for _ in range(5000):
        now[0] += 0.001
        widget._tick()
    spent = 0.05 * len(shown)
    assert len(shown) > 2 and spent <= 1.2 * network_microscope.WATCHING * now[0]


def test_of_many_points_some_are_drawn_and_without_points_nothing_trains(scope):
    many = scope(points=10_000)
    assert many.network["total"] == 10_000 and len(many.data) == SHOWN_POINTS * 20
    do(many, "step")
    none = scope(points=0)
    assert not none.problem and none.data == b"" and none.png()
    for kind in ("play", "step", "phase"):
        none.problem = ""
        do(none, kind)
        assert "no points" in none.problem and not none.playing


def test_numbers_that_are_not_finite_stop_the_training(scope):
    model = dense_model(keras.layers.Dense(3), keras.layers.Dense(1))
    model.compile(keras.optimizers.SGD(1e20), "mse")
    widget = scope(model, X, Y, speed=0)
    do(widget, "play")
    wait_until(lambda: not widget.playing)
    assert model.layers[0].name in widget.problem and "NaN" in widget.problem
    do(widget, "reset")
    assert not widget.problem and np.isfinite(np.frombuffer(widget.frame, "float32")[3:]).all()


def test_a_loss_that_raises_becomes_a_sentence(scope):
    def broken(y, p):
        raise RuntimeError("<b>my loss</b>")

    model = two_layers()
    model.compile("sgd", broken)
    widget = scope(model, X, Y)
    do(widget, "play")
    wait_until(lambda: not widget.playing)
    assert "my loss" in widget.problem and widget._worker.thread.is_alive()


def test_what_stands_in_the_notebook(scope):
    for lang, word in (("en", "Network microscope"), ("zh", "显微镜")):
        language.use(lang)
        data, metadata = scope()._repr_mimebundle_()
        assert word in data["text/plain"] and data["image/png"] and word in metadata["image/png"]["alt"]
        assert "application/vnd.jupyter.widget-view+json" in data


def test_the_first_picture_is_small(scope):
    import base64

    widget = scope()
    state = sum(len(value) for value in widget.get_state().values() if isinstance(value, (str, bytes)))
    assert state - len(widget.data) + len(base64.b64encode(widget.png())) < 60_000


# ---------------------------------------------------------------- the page

FORWARD = """async ([stages, weights, points]) => {
  const {place, forward} = await import("/network_microscope.js");
  return forward(place(stages), Float32Array.from(weights), Float32Array.from(points)).map((a) => [...a]);
}"""


@pytest.mark.parametrize("activation", [*microscope_network.ACTIVATIONS, "gelu", "mish"])
def test_javascript_computes_what_keras_computes(modules, activation):
    last = "softmax" if activation == "softmax" else "sigmoid"
    hidden = "tanh" if activation == "softmax" else activation
    layers = [keras.layers.Dense(6, hidden), keras.layers.Dense(5, hidden, use_bias=False), keras.layers.Dense(3, last)]
    model = dense_model(*layers)
    for weight in model.weights:
        weight.assign(RANDOM.normal(size=weight.shape))
    stages = microscope_network.read(model)
    weights = flat([weight for stage in stages for weight in stage.weights])
    ours = modules.evaluate(FORWARD, [[stage.describe() for stage in stages], weights.tolist(), X.ravel().tolist()])
    h = X
    for layer, values in zip(layers, ours, strict=True):
        h = layer(h)
        # Activations that the browser does not know come as a table, which is coarser.
        np.testing.assert_allclose(np.reshape(values, h.shape), h.numpy(), atol=1e-4 if activation == "mish" else 1e-5)


def test_javascript_slope_equals_the_tape(modules):
    for name in ("tanh", "sigmoid", "relu", "elu", "silu", "softplus", "leaky_relu"):
        z = tf.constant([-2.1, -0.3, 0.4, 1.7], tf.float64)
        with tf.GradientTape() as record:
            record.watch(z)
            a = getattr(keras.activations, name)(z)
        ours = modules.evaluate(
            """async ([activation, zs]) => { const {slope} = await import("/network_microscope.js");
                 return zs.map((z) => slope({activation, slope: 0.2}, z)); }""",
            [name, z.numpy().tolist()],
        )
        np.testing.assert_allclose(ours, record.gradient(a, z), atol=1e-5)


def state_of(widget):
    """The traits as the page gets them, with bytes as lists of numbers."""
    state = {name: getattr(widget, name) for name in ("language", "problem", "settings", "playing", "network", "code")}
    return state, {
        name: np.frombuffer(getattr(widget, name), "float32").tolist() for name in ("data", "frame", "example")
    }


OPEN = """async ([state, numbers]) => {
  for (const [name, values] of Object.entries(numbers)) state[name] = bytes(values.map((v) => v ?? NaN));
  window.model = fakeModel(state);
  const {default: widget} = await import("/network_microscope.js");
  window.close_ = widget.render({model, el: document.body});
  await new Promise((done) => setTimeout(done, 200));
}"""


def test_weights_that_are_not_numbers_are_drawn(modules, scope):
    widget = scope()
    widget._engine.edit(3, float("nan"))
    widget._show()
    state, numbers = state_of(widget)
    numbers = {name: [None if value != value else value for value in values] for name, values in numbers.items()}
    modules.evaluate(OPEN, [state, numbers])
    assert modules.locator(".neuron").count() == 2 + 8 + 8 + 1
    assert "no longer finite" in modules.locator(".problem").inner_text()
    pixel = "(canvas) => [...canvas.getContext('2d').getImageData(20, 20, 1, 1).data].slice(0, 3)"
    colours = [modules.locator(".neuron canvas").nth(n).evaluate(pixel) for n in range(2, 10)]
    assert colours.count([204, 121, 167]) == 1, "one neuron of the first layer is purple"


def test_noise_moves_the_points_before_the_kernel_answers(modules, scope):
    widget = scope(points=40)
    modules.evaluate(OPEN, list(state_of(widget)))
    before = lab.picture(modules, ".side canvas")
    modules.get_by_label("noise").press("ArrowRight")
    moved = lab.picture(modules, ".side canvas")
    assert moved != before
    assert modules.evaluate("model.sent.at(-1)") == {"kind": "set", "values": {"noise": 0.15}}
    do(widget, "set", values={"noise": 0.15})
    modules.evaluate("window.close_()")
    modules.evaluate(OPEN, list(state_of(widget)))
    assert lab.picture(modules, ".side canvas") == moved, "where the kernel's points lie"


def test_an_empty_network_stands_in_until_the_kernel_has_built_it(modules, scope):
    widget = scope()
    modules.evaluate(OPEN, list(state_of(widget)))
    modules.get_by_label("neurons in each").press("ArrowLeft")
    modules.get_by_label("hidden layers").press("ArrowLeft")
    assert modules.locator(".neuron").count() == 2 + 7 + 1
    update = """([state, numbers]) => {
      for (const [name, values] of Object.entries(numbers)) state[name] = bytes(values);
      model.set(state);
    }"""
    do(widget, "set", values={"width": 7})
    modules.evaluate(update, list(state_of(widget)))
    assert modules.locator(".neuron").count() == 2 + 7 + 1, "a network already overtaken is not shown"
    blank = lab.picture(modules, ".neuron canvas", 3)
    do(widget, "set", values={"depth": 1})
    modules.evaluate(update, list(state_of(widget)))
    modules.wait_for_timeout(100)
    assert modules.locator(".neuron").count() == 2 + 7 + 1 and lab.picture(modules, ".neuron canvas", 3) != blank


def test_a_closed_view_leaves_no_listener_and_text_is_not_markup(modules, scope):
    model = two_layers()
    model.layers[0].name = "x"
    widget = scope(model, X, Y)
    widget.problem = "<img src=x onerror=alert(1)>"
    modules.evaluate(OPEN, list(state_of(widget)))
    assert modules.locator(".problem img").count() == 0 and "<img" in modules.locator(".problem").inner_text()
    modules.evaluate("window.close_()")
    assert modules.evaluate("model.listeners()") == 0 and modules.locator(".lmw").count() == 0
