"""Looks inside a Keras model for one batch: what each layer puts out, and what the loss's gradient is there.

The outputs are caught by wrapping the layers' `call` while TensorFlow traces the model once, so any layer of any model can
be watched, subclassed ones too. Only a sample of the values leaves TensorFlow. Left out: what happens inside a layer.
"""

import numpy as np

from lmcourse.language import CourseError

QUANTILES = (5, 25, 50, 75, 95)  # per cent
COLUMNS = 2 * len(QUANTILES) + 4  # of activations; of log10 |gradient|; log10 of its norm, dead, saturated, findings
SAMPLE = 4096  # values of a layer at most
MOST_LAYERS = 24
SATURATED, DEAD, VANISHING, EXPLODING, BROKEN, SILENT = (
    1 << bit for bit in range(6)
)  # findings; gradient_flow.js has the words
RATIO = 1000.0  # times smaller or larger than the gradient at the last layer: vanishing or exploding
SHARE = 0.5  # of a layer's values saturated, or of its units dead, from where on it is said


def choose_layers(model, names=None) -> list:
    """The layers to watch: those named, or the model's own with weights or an activation, in the model's order.

    A model that only wraps another is unwrapped; of very many layers, `MOST_LAYERS` evenly spread ones are taken.

    Args:
        names: layers or their names; they may lie anywhere inside the model.

    Raises:
        CourseError: for a name that the model does not have, or a model without such layers.
    """
    if names is not None:
        inside = {layer.name: layer for layer in reversed(list(model._flatten_layers(include_self=False)))}
        chosen = [inside.get(name) if isinstance(name, str) else name for name in names]
        if None in chosen:
            missing = names[chosen.index(None)]
            raise CourseError(
                en=f"The model has no layer {missing!r}; it has {', '.join(inside)}.",
                zh=f"模型中没有名为 {missing!r} 的层；已有的层：{', '.join(inside)}。",
            )
        return chosen
    found = [layer for layer in model.layers if layer.weights or activation_name(layer)]
    if len(found) == 1 and getattr(found[0], "layers", None):
        return choose_layers(found[0])
    if not found:
        raise CourseError(
            en="This model has no layers with weights to watch. Is it built?",
            zh="这个模型没有带权重的层可供观察。它构建了吗？",
        )
    if len(found) > MOST_LAYERS:
        return [found[i] for i in np.linspace(0, len(found) - 1, MOST_LAYERS).round().astype(int)]
    return found


def activation_name(layer) -> str:
    """ "tanh" for a layer with that activation, "" for one without any."""
    return getattr(getattr(layer, "activation", None), "__name__", "") or (
        "relu" if type(layer).__name__ in ("ReLU", "LeakyReLU") else ""
    )


def watcher(model, layers, x, y):
    """A function without arguments that measures `layers` for the batch (x, y).

    It returns the loss, the places in `layers` of those that the model really called, and for each of them: a sample of its outputs, the gradient at the same places, that gradient's
    norm over the whole output, the share of units that are zero for the whole batch. All float32 tensors.
    """
    import tensorflow as tf

    @tf.function
    def watch():
        outputs = {}
        with tf.GradientTape() as tape:
            _wrap(layers, outputs)
            try:
                prediction = model(x, training=False)
            finally:
                for layer in layers:
                    object.__delattr__(layer, "call")
            loss = model.compute_loss(x=x, y=y, y_pred=prediction, training=False)
        places = sorted(outputs)
        # With a sigmoid or softmax at the end, Keras computes the loss from what went into it: look there.
        sources = [getattr(outputs[place], "_keras_logits", outputs[place]) for place in places]
        gradients = tape.gradient(loss, sources, unconnected_gradients=tf.UnconnectedGradients.ZERO)
        measured = []
        for output, gradient in zip((outputs[place] for place in places), gradients, strict=True):
            output, gradient = tf.cast(output, "float32"), tf.cast(gradient, "float32")
            flat = tf.reshape(output, [-1])
            slopes, size = tf.reshape(gradient, [-1]), flat.shape[0]
            if size > SAMPLE:
                some = np.random.default_rng(0).choice(size, SAMPLE, replace=False)
                flat, slopes = tf.gather(flat, some), tf.gather(slopes, some)
            units = tf.reshape(output, [-1, output.shape[-1]])
            dead = tf.reduce_mean(tf.cast(tf.reduce_all(units == 0, axis=0), "float32"))
            measured.append((flat, slopes, tf.norm(gradient), dead))
        return tf.cast(loss, "float32"), places, measured

    return watch


def _wrap(layers, outputs):
    import tensorflow as tf

    def wrapped(place, call):
        def caught(*args, **kwargs):
            result = call(*args, **kwargs)
            tensor = result[0] if isinstance(result, (tuple, list)) else result
            if tf.as_dtype(tensor.dtype).is_floating:
                outputs[place] = tensor
            return result

        return caught

    for place, layer in enumerate(layers):
        object.__setattr__(layer, "call", wrapped(place, layer.call))


def summarise(layers, measured) -> np.ndarray:
    """(layers, COLUMNS) float32: see `COLUMNS`; NaN where there is nothing to tell.

    Args:
        layers: in the model's order; the last one is what the others are compared with.
        measured: for each, what `watcher` returned.
    """
    rows = np.full((len(layers), COLUMNS), np.nan, "float32")
    count = len(QUANTILES)
    reference = float(measured[-1][2])
    for place, (layer, row) in enumerate(zip(layers, rows, strict=True)):
        output, gradient, norm, dead = (np.asarray(value) for value in measured[place])
        name = activation_name(layer)
        size = np.abs(gradient[(gradient != 0) & np.isfinite(gradient)])
        if np.isfinite(output).all():
            row[:count] = np.percentile(output, QUANTILES)
        if size.size:
            row[count : 2 * count] = np.percentile(np.log10(size), QUANTILES)
        low = {"sigmoid": 0.03, "tanh": -0.97}.get(name)
        saturated = 0.0 if low is None else float(np.mean((output < low) | (output > 0.97)))
        last = place == len(layers) - 1
        findings = 0
        if not (np.isfinite(output).all() and np.isfinite(norm)):
            findings = BROKEN
        else:
            findings |= SATURATED * (saturated >= SHARE and not last)  # a sure answer is no fault
            findings |= DEAD * bool(dead >= SHARE)
            findings |= SILENT * bool(norm == 0)
            findings |= VANISHING * bool(0 < norm < reference / RATIO)
            findings |= EXPLODING * bool(norm > reference * RATIO)
        row[2 * count :] = np.log10(norm) if norm > 0 else np.nan, dead, saturated, findings
    return rows
