"""The Keras code that builds and trains what the microscope shows, written from the same settings."""

from lmcourse.language import pick
from lmcourse.widgets.microscope_network import INITIALISATIONS, OPTIMISERS, seeded


def write(settings: dict, epochs: int, points=None) -> str:
    """A script that ends with the model trained for `epochs` epochs.

    Args:
        settings: the microscope's controls.
        epochs: how long to train.
        points: own points [(x, y, class), …] instead of a named problem.
    """
    optimiser = _call("optimizers", *OPTIMISERS[settings["optimiser"]], learning_rate=settings["rate"])
    kind, arguments = INITIALISATIONS[settings["initialisation"]]
    units = [(settings["width"], settings["activation"])] * settings["depth"] + [(1, "sigmoid")]
    layers = "".join(
        f'    keras.layers.Dense({size}, activation="{activation}",\n                       kernel_initializer='
        f"{_call('initializers', kind, arguments, **seeded(kind, settings['seed'] + number))}),\n"
        for number, (size, activation) in enumerate(units)
    )
    return (
        f"{_data(settings, points)}\n"
        f"model = keras.Sequential([\n    keras.Input((2,)),\n{layers}])\n"
        f'model.compile(optimizer={optimiser}, loss="binary_crossentropy")\n'
        f"model.fit(x, y, batch_size={settings['batch']}, epochs={epochs}, shuffle=False)\n"
    )


def write_own(settings: dict, stages, loss: str, rate, optimiser: str, epochs: int) -> str:
    """The same for a learner's model: its shape, and how it is trained here; its weights are its own.

    Args:
        stages: what the microscope read from it.
        loss, optimiser, rate: names and the number (None where a schedule sets it).
    """
    lines = []
    for stage in stages:
        known = stage.name != "table"
        activation = f'"{stage.name}"' if known else getattr(stage.act, "name", getattr(stage.act, "__name__", "…"))
        bias = "" if stage.dense.use_bias else ", use_bias=False"
        lines.append(f"#     keras.layers.Dense({stage.dense.units}, activation={activation}{bias}),\n")
        lines += [f"#     {type(layer).__name__}(…),\n" for layer in stage.after]
    head = pick(
        en="# Your own model, with the weights it had when the microscope opened:\n",
        zh="# 您自己的模型，权重为显微镜打开时的值：\n",
    )
    learning = "" if rate is None else f"learning_rate={rate:g}"
    return (
        f"{head}# keras.Sequential([\n#     keras.Input((2,)),\n{''.join(lines)}# ])\n"
        f'model.compile(optimizer=keras.optimizers.{optimiser}({learning}), loss="{loss}")\n'
        f"model.fit(x, y, batch_size={settings['batch']}, epochs={epochs}, shuffle=False)\n"
    )


def _data(settings, points):
    if points is None:
        name = settings["problem"]
        arguments = f"points={settings['points']}, noise={settings['noise']}, seed={settings['seed']}"
        return (
            f"import keras\n\nfrom lmcourse.widgets.microscope_problems import {name}\n\nx, y = {name}({arguments})\n"
        )
    rows = "".join(f"    [{first}, {second}, {label}],\n" for first, second, label in points)
    return (
        f"import keras\nimport numpy as np\n\npoints = np.array([\n{rows}])\n"
        'x, y = points[:, :2].astype("float32"), points[:, 2].astype("int32")\n'
    )


def _call(module, kind, arguments, **more):
    listed = ", ".join(f"{name}={value}" for name, value in {**arguments, **more}.items())
    return f"keras.{module}.{kind}({listed})"
