"""Gradient flow: activations and gradients of every layer while a model trains, as bands over the steps.

    flow = GradientFlow(x[:64], y[:64])
    flow                                             # the last line of a cell shows it
    model.fit(x, y, callbacks=[flow])                # in the next cell; it moves while the model trains

It looks at one fixed batch every few steps (`gradient_watch`), keeps a thinned record, and never stops a training:
what goes wrong is said in the widget. Left out: weights, and what an optimiser makes of the gradients.
"""

import time

import numpy as np
from traitlets import Bytes, List

from lmcourse.language import CourseError
from lmcourse.plotting import BLUE, GREY, ORANGE
from lmcourse.widgets import gradient_watch
from lmcourse.widgets.base import Widget, figure, module, sentence

KEPT = 200  # records
LARGEST_BATCH = 256
SECONDS_BETWEEN = 0.1  # messages to the page


def _nothing(self, *args, **kwargs):
    """A hook of Keras's that this callback does not need."""


class GradientFlow(Widget):
    """A widget that is also a Keras callback.

    Args:
        x: inputs of the batch that is looked at: whatever the model takes. At most 256 examples are used.
        y: its targets, as for `fit`.
        layers: layers or their names; by default the model's own that have weights or an activation.
        every: steps between two looks, at least.
        budget: the share of the training time that looking may take; with a slow model, looks become rarer.

    Attributes:
        names: the layers watched, in the order of the model.
        history: the record, (records, 2 + layers × COLUMNS) float32: step, loss, then a row of
            `gradient_watch.summarise` for each layer.
        latest: the newest record, for the page.
    """

    _esm = module("gradient_flow")
    names = List().tag(sync=True)
    history = Bytes().tag(sync=True)
    latest = Bytes().tag(sync=True)

    # Keras asks for these too; only the few below do something. It needn't be a subclass of Keras's Callback.
    set_params = on_epoch_end = on_train_batch_begin = on_batch_begin = on_batch_end = _nothing
    on_test_begin = on_test_end = on_test_batch_begin = on_test_batch_end = _nothing
    on_predict_begin = on_predict_end = on_predict_batch_begin = on_predict_batch_end = _nothing

    def __init__(self, x, y, layers=None, *, every=10, budget=0.1):
        super().__init__()
        self._batch, self._chosen, self._every, self._budget = (x, y), layers, max(1, every), budget
        self._model = self._watch = None
        self._layers, self._records = [], []
        self._forget()

    def _forget(self):
        self.steps, self._records, self._stride, self._looks = 0, [], 1, 0
        self._within, self._next_step, self._next_time, self._sent = -1, 0, 0.0, 0.0

    @property
    def records(self) -> np.ndarray:
        """The record as an array; see `history`."""
        return np.array(self._records, "float32") if self._records else np.zeros((0, 2), "float32")

    def set_model(self, model):
        if model is not self._model:
            self._model, self._watch = model, None
            self._forget()

    def release(self):
        """Let go of the model, so that its memory can be freed; the record stays, until another training is watched."""
        self._model = self._watch = None
        self._layers = []

    def on_train_begin(self, logs=None):
        self.problem = ""
        self._guarded(self._prepare)

    def on_epoch_begin(self, epoch, logs=None):
        self._within = -1

    def on_train_batch_end(self, batch, logs=None):
        self.steps += batch - self._within  # more than one where Keras runs several steps at once
        self._within = batch
        if self._watch and self.steps >= self._next_step and time.perf_counter() >= self._next_time:
            self._guarded(self.look)

    def on_train_end(self, logs=None):
        if self._watch:
            self._guarded(self.look)
        self._publish()

    def _guarded(self, action):
        try:
            action()
        except CourseError as error:
            self._watch, self.problem = None, str(error)
        except Exception as error:  # whatever the model or its loss raises: the training goes on without us
            self._watch = None
            what = f"{type(error).__name__}: {(str(error).strip().splitlines() or [''])[-1][:300]}"
            self.problem = self.text(
                en=f"The layers could not be watched for this batch; the training goes on. {what}",
                zh=f"无法用这一批数据观察各层，训练照常进行。{what}",
            )

    def _prepare(self):
        import keras
        import tensorflow as tf

        if keras.backend.backend() != "tensorflow":
            raise CourseError(
                en="Gradient flow needs Keras on TensorFlow.", zh="梯度流需要以 TensorFlow 为后端的 Keras。"
            )
        if self._watch is None:
            batch = keras.tree.map_structure(lambda array: tf.convert_to_tensor(array[:LARGEST_BATCH]), self._batch)
            if not all(layer.built for layer in self._model.layers):
                self._model(batch[0], training=False)
            layers = gradient_watch.choose_layers(self._model, self._chosen)
            self._watch = gradient_watch.watcher(self._model, layers, *batch)
            self._layers = layers
            self.look()

    def look(self):
        """Measure the layers now and add a record."""
        began = time.perf_counter()
        loss, places, measured = self._watch()
        layers = [self._layers[int(place)] for place in places]
        names = [layer.name for layer in layers]
        self.names = names if len(set(names)) == len(names) else [layer.path for layer in layers]
        rows = gradient_watch.summarise(layers, [[part.numpy() for part in layer] for layer in measured])
        record = np.r_[np.float32(self.steps), loss.numpy(), rows.ravel()].astype("float32")
        self._remember(record)
        now = time.perf_counter()
        # The first look also traces the model, which says nothing about the later ones.
        pause = 0.0 if len(self._records) == 1 else (now - began) * (1 / self._budget - 1)
        self._next_step, self._next_time = self.steps + self._every, now + pause
        if now - self._sent >= SECONDS_BETWEEN:
            self._sent, self.latest = now, record.tobytes()

    def _remember(self, record):
        if self._records and self._records[-1][0] == record[0]:
            return
        if self._looks % self._stride == 0:
            self._records.append(record)
        self._looks += 1
        if len(self._records) > KEPT:
            self._records, self._stride = self._records[::2], 2 * self._stride
            self._publish()

    def _publish(self):
        self.history = b"".join(record.tobytes() for record in self._records)

    def findings(self) -> dict[str, list[str]]:
        """What is wrong at the newest record, in words, for each layer with something to say."""
        words = {
            gradient_watch.SATURATED: self.text(en="saturated", zh="饱和"),
            gradient_watch.DEAD: self.text(en="dead units", zh="死单元"),
            gradient_watch.VANISHING: self.text(en="vanishing gradient", zh="梯度消失"),
            gradient_watch.EXPLODING: self.text(en="exploding gradient", zh="梯度爆炸"),
            gradient_watch.BROKEN: self.text(en="NaN or infinity", zh="NaN 或无穷大"),
            gradient_watch.SILENT: self.text(en="no gradient at all", zh="完全没有梯度"),
        }
        if not self._records:
            return {}
        flags = self._records[-1][2:].reshape(-1, gradient_watch.COLUMNS)[:, -1].astype(int)
        found = zip(self.names, flags, strict=True)
        return {name: [word for bit, word in words.items() if flag & bit] for name, flag in found if flag}

    def describe(self):
        if not self._records:
            return self.text(
                en="Gradient flow: nothing watched yet. Pass it to fit: callbacks=[flow].",
                zh="梯度流：还没有观察任何训练。请传给 fit：callbacks=[flow]。",
            )
        wrong = "; ".join(f"{name}: {', '.join(words)}" for name, words in self.findings().items())
        return self.text(
            en=f"Gradient flow: {len(self.names)} layers. {wrong or 'Nothing out of the ordinary'}.",
            zh=f"梯度流：{len(self.names)} 层。{wrong or '没有异常'}。",
        )

    def picture(self):
        """Medians and middle halves of each layer's activations and gradients over the steps."""
        records = self.records
        if not len(records):
            return sentence(self.problem or self.describe())
        fig, (left, right) = figure(600, 230, ncols=2)
        left.set_title("activations")
        right.set_title("log10 |gradient|")
        steps, rows = records[:, 0], records[:, 2:].reshape(len(records), -1, gradient_watch.COLUMNS)
        for layer in range(rows.shape[1]):
            strength = 0.25 + 0.75 * (layer + 1) / rows.shape[1]
            for ax, first, colour in ((left, 0, BLUE), (right, 5, ORANGE)):
                ax.plot(steps, rows[:, layer, first + 2], color=colour, alpha=strength, lw=1.2)
                ax.fill_between(steps, rows[:, layer, first + 1], rows[:, layer, first + 3], color=colour, alpha=0.06)
        for ax in (left, right):
            ax.set_xlabel("step", color=GREY)
        return fig
