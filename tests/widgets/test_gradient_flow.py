import gc
import weakref

import keras
import numpy as np
import pytest
import tensorflow as tf

from lmcourse import language
from lmcourse.widgets import gradient_watch
from lmcourse.widgets.gradient_flow import KEPT, GradientFlow
from lmcourse.widgets.gradient_watch import BROKEN, COLUMNS, DEAD, EXPLODING, SATURATED, SILENT, VANISHING

RANDOM = np.random.default_rng(1)
X = RANDOM.normal(size=(64, 4)).astype("float32")
Y = (X[:, 0] > 0).astype("int32")


def stack(*layers, loss="binary_crossentropy", optimiser="sgd"):
    model = keras.Sequential([keras.Input((4,)), *layers])
    model.compile(optimiser, loss)
    return model


def plain(activation="tanh", depth=2, **more):
    hidden = [keras.layers.Dense(8, activation, name=f"h{n}", **more) for n in range(depth)]
    return stack(*hidden, keras.layers.Dense(1, "sigmoid", name="last"))


def fit(model, flow, epochs=1, x=X, y=Y):
    model.fit(x, y, epochs=epochs, batch_size=16, verbose=0, callbacks=[flow], shuffle=False)
    return flow


def findings(flow):
    return dict(zip(flow.names, flow.records[-1][2:].reshape(-1, COLUMNS)[:, -1].astype(int), strict=True))


def test_it_has_every_hook_of_a_keras_callback():
    for name in dir(keras.callbacks.Callback):
        if name.startswith(("on_", "set_")):
            assert callable(getattr(GradientFlow, name, None)), name


def test_gradients_and_activations_equal_the_tapes():
    model = plain()
    with tf.GradientTape() as tape:
        h = [tf.convert_to_tensor(X)]
        tape.watch(h[0])
        for layer in model.layers:
            h.append(layer(h[-1]))
        loss = keras.losses.BinaryCrossentropy()(Y[:, None].astype("float32"), h[-1])
    gradients = [gradient.numpy() for gradient in tape.gradient(loss, h[1:3])]
    flow = fit(model, GradientFlow(X, Y))
    first = flow.records[0]
    assert first[0] == 0 and first[1] == pytest.approx(float(loss), rel=1e-5)
    for row, output, gradient in zip(first[2:].reshape(-1, COLUMNS), h[1:3], gradients, strict=False):
        np.testing.assert_allclose(row[:5], np.percentile(output, gradient_watch.QUANTILES), atol=1e-5)
        np.testing.assert_allclose(
            row[5:10], np.percentile(np.log10(np.abs(gradient)), gradient_watch.QUANTILES), atol=1e-3
        )
        assert row[10] == pytest.approx(np.log10(np.linalg.norm(gradient)), abs=1e-3)


def test_watching_changes_nothing():
    watched, alone = plain(), plain()
    alone.set_weights(watched.get_weights())
    fit(watched, GradientFlow(X, Y, every=1, budget=1), epochs=2)
    alone.fit(X, Y, epochs=2, batch_size=16, verbose=0, shuffle=False)
    for ours, theirs in zip(watched.get_weights(), alone.get_weights(), strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-6)
    assert all("call" not in vars(layer) for layer in watched.layers), "the wrapping is undone"


def test_steps_are_counted_across_epochs_and_fits():
    flow = GradientFlow(X, Y, every=3, budget=1)
    model = plain()
    fit(model, flow, epochs=3)
    assert flow.records[:, 0].tolist() == [0, 3, 6, 9, 12]
    fit(model, flow)
    assert flow.steps == 16 and flow.records[-1, 0] == 16
    fit(plain(), flow)
    assert flow.steps == 4 and flow.records[0, 0] == 0, "another model begins anew"


def test_a_released_model_is_freed_and_the_record_stays():
    model = plain()
    flow, seen = fit(model, GradientFlow(X, Y)), weakref.ref(model)
    del model
    gc.collect()
    assert seen() is not None  # so that a second `fit` goes on where the first one stopped
    before, picture = flow.records.copy(), flow.describe()
    flow.release()
    gc.collect()
    assert seen() is None
    np.testing.assert_array_equal(flow.records, before)
    assert flow.describe() == picture
    assert fit(plain(), flow).steps == 4  # and it watches another model


def test_the_record_is_bounded():
    flow = GradientFlow(X, Y)
    for step in range(4 * KEPT):
        flow._remember(np.float32([step, 0]))
    steps = flow.records[:, 0]
    assert KEPT / 2 <= len(steps) <= KEPT and len(set(np.diff(steps))) == 1
    assert len(np.frombuffer(flow.history, "float32")) <= 2 * (KEPT + 1)


SICK = {
    "saturated": (
        lambda: plain("tanh", kernel_initializer=keras.initializers.RandomNormal(stddev=30, seed=1)),
        {"h0": SATURATED},
    ),
    "dead": (lambda: plain("relu", bias_initializer=keras.initializers.Constant(-50)), {"h0": DEAD, "h1": DEAD}),
    "vanishing": (lambda: plain("sigmoid", depth=8), {"h0": VANISHING}),
    "exploding": (
        lambda: plain("linear", 6, kernel_initializer=keras.initializers.RandomNormal(stddev=5, seed=1)),
        {"h0": EXPLODING},
    ),
    "silent": (lambda: plain("relu", bias_initializer=keras.initializers.Constant(-50)), {"h0": SILENT}),
}


@pytest.mark.parametrize("name", SICK)
def test_what_is_wrong_is_named(name):
    make, expected = SICK[name]
    model = make()
    model.compile(keras.optimizers.SGD(0.0), "binary_crossentropy")
    flow = fit(model, GradientFlow(X, Y))
    found = findings(flow)
    for layer, bit in expected.items():
        assert found[layer] & bit, found
    assert not found["last"]
    language.use("zh")
    chinese = GradientFlow(X, Y)
    chinese._records, chinese.names = flow._records, flow.names
    assert "h0" in flow.describe() and "h0" in chinese.describe() and flow.describe() != chinese.describe()


def test_a_sound_model_gets_no_findings():
    flow = fit(plain(), GradientFlow(X, Y))
    assert flow.findings() == {} and "Nothing out of the ordinary" in flow.describe()


def test_infinite_values_are_named():
    model = plain("linear")
    model.layers[0].kernel.assign(np.full((4, 8), 1e38))
    flow = fit(model, GradientFlow(X, Y))
    assert findings(flow)["h0"] & BROKEN and not flow.problem and flow.png()


class Tokens(keras.Model):
    """Subclassed, built on the fly, tokens in, layers in a list, a tuple out of one of them."""

    def __init__(self):
        super().__init__()
        self.embedding = keras.layers.Embedding(20, 8)
        self.blocks = [keras.layers.MultiHeadAttention(2, 4) for _ in range(2)]
        self.head = keras.layers.Dense(20)

    def call(self, tokens):
        h = self.embedding(tokens)
        for block in self.blocks:
            h = h + block(h, h, return_attention_scores=True)[0]
        return self.head(h)


def test_subclassed_models_on_tokens():
    tokens = RANDOM.integers(0, 20, (32, 6))
    model = Tokens()
    model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    flow = fit(model, GradientFlow(tokens, tokens, every=1), x=tokens, y=tokens)
    assert not flow.problem and len(flow.names) == 4 and np.isfinite(flow.records[0]).all()


def test_layers_can_be_chosen_anywhere_inside():
    inner = keras.Sequential(
        [keras.Input((4,)), keras.layers.Dense(3, "tanh", name="deep"), keras.layers.Dense(2, name="deeper")]
    )
    model = stack(inner, keras.layers.Dense(1, "sigmoid"))
    assert fit(model, GradientFlow(X, Y, ["deep", inner.layers[1]])).names == ["deep", "deeper"]
    assert "no layer 'shallow'" in fit(model, GradientFlow(X, Y, ["shallow"])).problem
    wrapped = stack(
        keras.Sequential([keras.Input((4,)), keras.layers.Dense(3, name="a"), keras.layers.Dense(1, name="b")]),
        loss="mse",
    )
    assert fit(wrapped, GradientFlow(X, Y)).names == ["a", "b"]


@pytest.mark.parametrize(("x", "y"), [(X[:, :3], Y), (X, Y[:10]), ("words", Y)])
def test_a_bad_batch_never_stops_the_training(x, y):
    model = plain()
    before = model.get_weights()[0]
    flow = fit(model, GradientFlow(x, y))
    assert flow.problem and flow.describe() and not np.array_equal(before, model.get_weights()[0])


def test_what_stands_in_the_notebook():
    data, _ = GradientFlow(X, Y)._repr_mimebundle_()
    assert "nothing watched yet" in data["text/plain"]
    data, _ = fit(plain(), GradientFlow(X, Y))._repr_mimebundle_()
    assert "3 layers" in data["text/plain"] and data["image/png"]


def test_the_page_shows_findings_and_looks_back(modules):
    flow = fit(
        plain("relu", bias_initializer=keras.initializers.Constant(-50)),
        GradientFlow(X, Y, every=1, budget=1),
        epochs=2,
    )
    numbers = [float(value) if np.isfinite(value) else None for value in np.frombuffer(flow.history, "float32")]
    modules.evaluate(
        """async ([names, numbers]) => {
             const history = bytes(numbers.map((v) => v ?? NaN));
             window.model = fakeModel({language: "en", problem: "", names, history, latest: bytes([])});
             const {default: widget} = await import("/gradient_flow.js");
             window.close_ = widget.render({model, el: document.body});
           }""",
        [flow.names, numbers],
    )
    label = modules.locator("canvas").get_attribute("aria-label")
    assert "step 8" in label and "dead units 100 %" in label
    modules.get_by_label("Look back").focus()
    modules.keyboard.press("Home")
    assert "step 0" in modules.locator("canvas").get_attribute("aria-label")
    modules.evaluate("window.close_()")
    assert modules.evaluate("model.listeners()") == 0
