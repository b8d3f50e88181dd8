"""The microscope's training loop, cut so that it can be stopped between any two of its four phases.

`Engine` takes the batches in order, as `fit(shuffle=False)` does, and keeps what the picture needs: weights, gradients
(GradientTape's), last updates, and a thinned record of the run. It knows nothing of threads or widgets.
"""

import math

import numpy as np

from lmcourse.language import CourseError, pick

PHASES = ("forward", "loss", "backward", "update")
BINS = 21  # of the histogram of a layer's gradients
KEPT, KEPT_BYTES = 240, 1_500_000  # the record of a run: frames, and bytes in all


class Engine:
    """Trains the stages of a model on points, one step or one phase at a time.

    Args:
        stages: what `microscope_network.read` found in the model.
        x, y: (points, 2) float32 and the targets, as the loss wants them.
        batch: points in a step.
        optimiser: a Keras optimiser that nobody else uses.
        loss: Keras loss or function of (targets, predictions); its mean is taken.
    """

    def __init__(self, stages, x, y, batch, optimiser, loss):
        self.stages, self.optimiser, self.loss = stages, optimiser, loss
        self.weights = [weight for stage in stages for weight in stage.weights]
        self.trainable = [weight for weight in self.weights if weight.trainable]
        self._sizes = [math.prod(weight.shape) for weight in self.weights]
        optimiser.build(self.trainable)
        kept = [variable for variable in optimiser.variables if not variable.path.endswith("learning_rate")]
        self._beginning = [(variable, variable.numpy().copy()) for variable in [*self.weights, *kept]]
        self._look = self._step = None
        self.set_data(x, y, batch)
        self._clear()

    def _clear(self):
        self.steps, self.last_loss = 0, float("nan")
        self._grads = self._before = self._after = self._deltas = None
        self.history, self._stride, self._offered = [], 1, 0
        self._leave_phases()

    def _leave_phases(self):
        self.phase, self._pending, self.example = "", None, b""

    def set_data(self, x, y, batch):
        """Go on with these points and this batch size, the weights unchanged."""
        self.x, self.y, self.batch = x, y, max(1, min(batch, len(x)))
        self._batches = {}
        self._leave_phases()

    def set_rate(self, rate):
        try:
            self.optimiser.learning_rate = rate
        except TypeError:
            raise CourseError(
                en="This optimiser follows a schedule of rates, so its rate cannot be set by hand.",
                zh="这个优化器的学习率由调度表决定，不能手动设置。",
            ) from None

    def reset(self):
        """The first weights again, the optimiser's memory emptied, no record."""
        for variable, value in self._beginning:
            variable.assign(value)
        self._clear()

    def restore(self, frame: bytes):
        """The weights, step and loss of an earlier frame of this network, the record up to it, the optimiser's memory
        emptied: frames do not hold it. A frame of another network is ignored."""
        numbers = np.frombuffer(frame, "float32")
        total = sum(self._sizes)
        if len(numbers) != 3 + 3 * total + len(self.stages) * (1 + BINS):
            return
        step, earlier = int(numbers[0]), self.history
        self.reset()
        parts = np.split(numbers[3 : 3 + total], np.cumsum(self._sizes)[:-1])
        for weight, part in zip(self.weights, parts, strict=True):
            weight.assign(part.reshape(weight.shape))
        self.steps, self.last_loss = step, float(numbers[1])
        for old in earlier:
            if np.frombuffer(old, "float32", 1)[0] < step:
                self.remember(old)

    def step(self):
        """Train on the next batch; a batch begun in phases is finished first, and is the step."""
        if self._pending:
            self._update()
            self._leave_phases()
            return
        x, y = self._next()
        self.last_loss, self._before, self._after, self._grads, self._deltas = self._step(x, y)
        self.steps += 1
        self._leave_phases()

    def next_phase(self) -> str:
        """Forward, loss, backward and update in turn, for one batch; the name of the phase just done."""
        place = 0 if self._pending is None else PHASES.index(self.phase) + 1
        if place == 0:
            self._begin()
        elif PHASES[place] == "update":
            self._update()
        self.phase = PHASES[place]
        return self.phase

    def _begin(self):
        x, y = self._next()
        self._pending = self._look(x, y)
        self.last_loss, _, self._deltas, before, after = self._pending
        self._before = self._after = self._grads = None
        lone = np.ravel(self.loss(y[:1], after[-1][:1])).mean()
        label = np.argmax(y[0]) if y.shape[-1] > 1 and len(y.shape) > 1 else np.ravel(y[0])[0]
        numbers = [x[0], [label, lone, len(x)]]
        for z, a, delta in zip(before, after, self._deltas, strict=True):
            numbers += [z[0], a[0], delta[0]]
        self.example = np.concatenate([np.asarray(part, "float32") for part in numbers]).tobytes()

    def _update(self):
        self._before, self._grads = _flat_numpy(self.weights), self._pending[1]
        gradients = dict(zip(map(id, self.weights), self._pending[1], strict=True))
        self.optimiser.apply([gradients[id(weight)] for weight in self.trainable], self.trainable)
        self._pending = None
        self.steps += 1

    def _next(self):
        if not len(self.x):
            raise CourseError(
                en="There are no points to train on: draw some, or choose a problem.",
                zh="没有可供训练的点：请画几个点，或选一个问题。",
            )
        if self._step is None:
            self._compile()
        import tensorflow as tf

        place = self.steps % -(-len(self.x) // self.batch)
        if place not in self._batches:
            rows = slice(place * self.batch, (place + 1) * self.batch)
            self._batches[place] = tf.constant(self.x[rows]), tf.constant(self.y[rows])
        return self._batches[place]

    def _compile(self):
        import tensorflow as tf

        def look(x, y):
            with tf.GradientTape() as tape:
                before, after, h = [], [], x
                for stage in self.stages:
                    z = tf.matmul(h, stage.dense.kernel)
                    z = z + stage.dense.bias if stage.dense.use_bias else z
                    h = tf.convert_to_tensor(stage.act(z))
                    before.append(z)
                    after.append(h)
                    for layer in stage.after:
                        h = layer(h, training=True)
                loss = tf.reduce_mean(self.loss(y, h))
                loss += sum(weight.regularizer(weight) for weight in self.trainable if weight.regularizer)
            zero = tf.UnconnectedGradients.ZERO
            weights = [weight.value for weight in self.weights]
            grads, deltas = tape.gradient(loss, [weights, before], unconnected_gradients=zero)
            return loss, grads, deltas, before, after

        def step(x, y):
            before = _flat(self.weights)
            loss, grads, deltas, _, _ = look(x, y)
            chosen = [grad for grad, weight in zip(grads, self.weights, strict=True) if weight.trainable]
            with tf.control_dependencies([before]):
                self.optimiser.apply(chosen, self.trainable)
            return loss, before, _flat(self.weights), grads, deltas

        shapes = [tf.TensorSpec((None, 2), "float32"), tf.TensorSpec((None, *self.y.shape[1:]), self.y.dtype)]
        self._look = tf.function(look, input_signature=shapes)
        self._step = tf.function(step, input_signature=shapes)

    def edit(self, at: int, value: float):
        """Write one weight, by its place among all of them (kernel row by row, then bias, stage after stage)."""
        for weight in self.weights:
            array = weight.numpy().copy()
            if at < array.size:
                array.flat[at] = value
                weight.assign(array)
                self._after = None
                self._leave_phases()
                return
            at -= array.size

    def frame(self) -> bytes:
        """What the picture shows, as float32: step, loss, phase (0 for none), weights, gradients, updates, then for
        each stage the largest |dL/dz| and a histogram of dL/dz between minus and plus that value."""
        # Reading variables one by one takes longer than a step; right after one its own copy serves.
        weights = _flat_numpy(self.weights) if self._after is None else self._after.numpy()
        self._after = None
        silent = np.zeros_like(weights)
        grads, updates = silent, silent
        if self._grads is not None:
            grads, updates = _flat_numpy(self._grads), weights - np.asarray(self._before)
        elif self.phase == "backward":
            grads = _flat_numpy(self._pending[1])
        place = PHASES.index(self.phase) + 1 if self.phase else 0
        head = [self.steps, float(self.last_loss), place]
        shown = self._deltas is not None and self.phase not in ("forward", "loss")
        deltas = self._deltas if shown else [np.zeros(0)] * len(self.stages)
        parts = [head, weights, grads, updates, *(_histogram(delta) for delta in deltas)]
        return np.concatenate([np.asarray(part, "float32") for part in parts]).tobytes()

    def remember(self, frame: bytes):
        """Add a frame to the record; when it is full, every other frame goes and half as many come."""
        self._offered += 1
        if (self._offered - 1) % self._stride:
            return
        self.history.append(frame)
        if len(self.history) > max(2, min(KEPT, KEPT_BYTES // len(frame))):
            self.history, self._stride = self.history[::2], 2 * self._stride

    def trouble(self, frame: bytes) -> str:
        """A sentence when a frame's weights or loss are not finite, naming the first such layer; else empty."""
        numbers = np.frombuffer(frame, "float32", 3 + sum(self._sizes))
        if np.isfinite(numbers[3:]).all() and (not numbers[0] or np.isfinite(numbers[1])):
            return ""
        broken = [
            stage.dense.name for stage in self.stages if not all(np.isfinite(w.numpy()).all() for w in stage.weights)
        ]
        return pick(
            en=f"{f'The weights of {broken[0]} are' if broken else 'The loss is'} no longer finite (NaN or infinity) at step "
            f"{self.steps}. A smaller rate may help; Reset starts anew.",
            zh=f"第 {self.steps} 步：{f'{broken[0]} 的权重' if broken else '损失'}不再是有限的数（NaN 或无穷大）。"
            "可以调小学习率，再点“重置”重新开始。",
        )


def _flat(tensors):
    import tensorflow as tf

    return tf.concat([tf.reshape(tensor, [-1]) for tensor in tensors], 0)


def _flat_numpy(tensors):
    return np.concatenate([np.ravel(tensor.numpy()) for tensor in tensors])


def _histogram(delta):
    """(1 + BINS,): the largest magnitude, then the share of values in each bin; NaN first when a value isn't finite."""
    values, result = np.ravel(delta), np.zeros(1 + BINS, "float32")
    if values.size:
        result[0] = top = np.abs(values).max()
        if 0 < top < np.inf:
            places = ((values / top + 1) * (BINS / 2)).astype(int)
            places[places == BINS] = BINS - 1  # the largest value itself
            result[1:] = np.bincount(places, minlength=BINS) / values.size
    return result
