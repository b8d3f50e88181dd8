"""What the microscope can look at: a chain of Dense layers on points of the plane, read from a Keras model or built.

A `Stage` is one Dense layer with its activation. The browser computes the usual activations itself; any other elementwise
activation travels as a table of samples. Left out: branches, convolutions, normalisation, recurrent layers.
"""

from dataclasses import dataclass, field

import numpy as np

from lmcourse.language import CourseError

MAX_UNITS, MAX_STAGES, MAX_PARAMETERS = 64, 8, 20_000
# What the browser computes itself; other activations are sampled on a grid, with an error of about 1e-5.
ACTIVATIONS = ("linear", "relu", "leaky_relu", "elu", "gelu", "tanh", "sigmoid", "softmax", "silu", "softplus")
GRID = np.arange(-1024, 1025, dtype="float32") / 128

# What the controls offer: the name, then the Keras class and its arguments. The code shown is written from the same rows.
INITIALISATIONS = {
    "Glorot": ("GlorotUniform", {}),
    "He": ("HeNormal", {}),
    "LeCun": ("LecunNormal", {}),
    "tiny": ("RandomNormal", {"stddev": 0.01}),
    "huge": ("RandomNormal", {"stddev": 3.0}),
    "zeros": ("Zeros", {}),
}
OPTIMISERS = {
    "SGD": ("SGD", {}),
    "momentum": ("SGD", {"momentum": 0.9}),
    "RMSprop": ("RMSprop", {}),
    "Adam": ("Adam", {}),
}


@dataclass
class Stage:
    """One Dense layer: `act` maps its pre-activation to its output; `name` is the activation's, for the browser."""

    dense: object
    name: str
    act: object
    after: list = field(default_factory=list)  # dropout layers: at work in training, not drawn
    slope: float = 0.0
    table: list = field(default_factory=list)

    @property
    def weights(self) -> list:
        return [self.dense.kernel] + ([self.dense.bias] if self.dense.use_bias else [])

    def describe(self) -> dict:
        """What the browser needs to know, ready for JSON."""
        inputs, units = self.dense.kernel.shape
        return {
            "name": self.dense.name,
            "inputs": int(inputs),
            "units": int(units),
            "bias": bool(self.dense.use_bias),
            "activation": self.name,
            "slope": self.slope,
            "table": self.table,
        }


def initialiser(name: str, seed: int):
    """The Keras initialiser of a row of `INITIALISATIONS`; each layer gets a seed of its own."""
    import keras

    kind, arguments = INITIALISATIONS[name]
    return getattr(keras.initializers, kind)(**arguments, **seeded(kind, seed))


def seeded(kind: str, seed: int) -> dict:
    return {} if kind == "Zeros" else {"seed": seed}


def optimiser(name: str, rate: float):
    """The Keras optimiser of a row of `OPTIMISERS`."""
    import keras

    kind, arguments = OPTIMISERS[name]
    return getattr(keras.optimizers, kind)(learning_rate=rate, **arguments)


def build(settings: dict):
    """A Keras model as the controls describe it: `depth` hidden layers of `width` units, one sigmoid output."""
    import keras

    def dense(units, activation, number):
        start = initialiser(settings["initialisation"], settings["seed"] + number)
        return keras.layers.Dense(units, activation=activation, kernel_initializer=start)

    depth = settings["depth"]
    hidden = [dense(settings["width"], settings["activation"], k) for k in range(depth)]
    return keras.Sequential([keras.Input((2,)), *hidden, dense(1, "sigmoid", depth)])


def read(model) -> list[Stage]:
    """The stages of a learner's model.

    Raises:
        CourseError: when the model isn't built, isn't a plain chain, or isn't one that fits on the screen.
    """
    import keras

    if not isinstance(model, keras.Model):
        raise CourseError(
            en=f"The microscope looks at a Keras model; this is {type(model).__name__}.",
            zh=f"显微镜只能观察 Keras 模型，而这是 {type(model).__name__}。",
        )
    if not model.built:
        raise CourseError(
            en="This model is not built yet, so it has no weights to show. Begin it with keras.Input((2,)).",
            zh="这个模型还没有构建，没有权重可看。请在开头加上 keras.Input((2,))。",
        )
    layers = _chain(model)
    if tuple(model.input_shape[1:]) != (2,):
        raise CourseError(
            en=f"The microscope draws the plane, so each input must be 2 numbers; this model takes {_shape(model)}.",
            zh=f"显微镜画的是平面，所以每个输入必须是 2 个数；这个模型的输入形状是 {_shape(model)}。",
        )
    stages = []
    for layer in layers:
        if type(layer) is keras.layers.Dense:
            stages.append(Stage(layer, "", layer.activation))
        elif isinstance(layer, (keras.layers.Dropout, keras.layers.GaussianNoise)) and stages:
            stages[-1].after.append(layer)
        elif _is_activation(layer) and stages and not stages[-1].after:
            _compose(stages[-1], layer)
        elif not isinstance(layer, keras.layers.InputLayer):
            raise CourseError(
                en=f"The layer {layer.name} ({type(layer).__name__}) cannot be drawn here: the microscope knows chains "
                "of Dense layers with activations and dropout.",
                zh=f"层 {layer.name}（{type(layer).__name__}）无法在这里画出：显微镜只认识由 Dense、激活与 dropout 组成的链。",
            )
    if not stages:
        raise CourseError(
            en="This model has no Dense layer, so it has no weights to show.",
            zh="这个模型没有 Dense 层，因此没有权重可看。",
        )
    _check_size(stages, model.count_params())
    for place, stage in enumerate(stages):
        _name_activation(stage, last=place == len(stages) - 1)
    return stages


def _shape(model):
    return "×".join(str(size) for size in model.input_shape[1:])


def _chain(model) -> list:
    import keras

    if isinstance(model, keras.Sequential):
        return model.layers
    layers = getattr(model, "layers", [])
    try:
        tensors = [layer.output for layer in layers]
        chained = all(layer.input is before for layer, before in zip(layers[1:], tensors, strict=False))
        if layers and chained and tensors[-1] is model.output:
            return layers
    except (AttributeError, ValueError):  # a subclassed model, or a layer used twice
        pass
    raise CourseError(
        en="The microscope needs a plain chain of layers (Sequential, or a functional model without branches).",
        zh="显微镜需要一条简单的层链（Sequential，或没有分支的函数式模型）。",
    )


def _is_activation(layer) -> bool:
    import keras

    kinds = keras.layers
    return isinstance(layer, (kinds.Activation, kinds.ReLU, kinds.LeakyReLU, kinds.ELU, kinds.Softmax))


def _compose(stage, layer):
    import keras

    before = stage.act
    if before is not keras.activations.linear:
        stage.act = lambda z: layer(before(z))
    elif isinstance(layer, keras.layers.Activation):
        stage.act = layer.activation
    else:
        stage.act = layer


def _check_size(stages, parameters):
    widest = max(stage.dense.units for stage in stages)
    if widest > MAX_UNITS or len(stages) > MAX_STAGES or parameters > MAX_PARAMETERS:
        raise CourseError(
            en=f"This network is too large to draw ({len(stages)} layers, up to {widest} units, {parameters:,} weights); the "
            f"microscope takes {MAX_STAGES} layers of {MAX_UNITS} units and {MAX_PARAMETERS:,} weights.",
            zh=f"这个网络太大，画不下（{len(stages)} 层，最宽 {widest} 个单元，{parameters:,} 个权重）；"
            f"显微镜最多支持 {MAX_STAGES} 层、每层 {MAX_UNITS} 个单元、{MAX_PARAMETERS:,} 个权重。",
        )


def _name_activation(stage, last):
    """Find the browser's name for the activation, or sample it."""
    import keras

    name = getattr(stage.act, "__name__", "")
    if name in ACTIVATIONS and getattr(keras.activations, name) is stage.act:
        stage.name, stage.slope = name, 0.2  # the slope of keras.activations.leaky_relu
    elif isinstance(stage.act, keras.layers.Softmax):
        stage.name = "softmax"
    else:
        stage.name, stage.table = "table", _sample(stage.act)
    if stage.name == "softmax" and not last:
        raise CourseError(
            en="Softmax between hidden layers cannot be drawn neuron by neuron; use it at the end only.",
            zh="隐藏层之间的 softmax 无法逐个神经元画出，请只在最后一层使用。",
        )


def _sample(act) -> list:
    import keras

    column, row = (keras.ops.convert_to_numpy(act(GRID.reshape(shape))) for shape in ((-1, 1), (1, -1)))
    if column.size != GRID.size or not np.allclose(column.ravel(), row.ravel(), equal_nan=True):
        raise CourseError(
            en="An activation of this model is not elementwise, so it has no picture for each neuron.",
            zh="这个模型有一个激活函数不是逐元素的，无法为每个神经元画图。",
        )
    return [float(f"{value:.7g}") if np.isfinite(value) else None for value in column.ravel()]
