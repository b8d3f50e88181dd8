"""The learner's points and their labels: checked, shaped for the loss, and the loss itself where none was chosen."""

import numpy as np

from lmcourse.language import CourseError

SHOWN_POINTS = 2000  # of many more, drawn; all of them train


def check_points(x, y):
    """The points as arrays that can be drawn and trained on.

    Args:
        x: (points, 2) numbers.
        y: (points,) or (points, 1) classes or values, or (points, classes) one-hot.

    Returns:
        x (points, 2) float32 and y: int32 when every label is a whole number, else float32.

    Raises:
        CourseError: when one is missing, masked, of the wrong shape, or holds NaN or infinity.
    """
    if x is None or y is None:
        raise CourseError(
            en="The microscope needs both: x, the points, and y, their labels.",
            zh="显微镜两样都需要：点 x 和标签 y。",
        )
    if np.ma.isMaskedArray(x) or np.ma.isMaskedArray(y):
        raise CourseError(
            en="x or y is a masked array; leave the masked points out first, for instance x[~mask.any(axis=1)].",
            zh="x 或 y 是带掩码的数组；请先去掉被遮盖的点，例如 x[~mask.any(axis=1)]。",
        )
    try:
        x, y = np.asarray(x, "float32"), np.asarray(y, "float32")
    except (TypeError, ValueError):
        raise CourseError(
            en="x and y must be arrays of numbers.",
            zh="x 和 y 必须是由数字组成的数组。",
        ) from None
    if x.ndim != 2 or x.shape[1] != 2:
        raise CourseError(
            en=f"x has the shape {x.shape}; the microscope draws the plane and needs (points, 2).",
            zh=f"x 的形状是 {x.shape}；显微镜画的是平面，需要 (点数, 2)。",
        )
    if y.ndim not in (1, 2) or len(y) != len(x):
        raise CourseError(
            en=f"y has the shape {y.shape}; for {len(x)} points it must be ({len(x)},) or ({len(x)}, classes).",
            zh=f"y 的形状是 {y.shape}；{len(x)} 个点需要 ({len(x)},) 或 ({len(x)}, 类别数)。",
        )
    if not (np.isfinite(x).all() and np.isfinite(y).all()):
        raise CourseError(
            en="x or y holds NaN or infinity; such points have no place in the plane.",
            zh="x 或 y 中有 NaN 或无穷大，这样的点在平面上没有位置。",
        )
    y = y[:, 0] if y.ndim == 2 and y.shape[1] == 1 else y
    return x, y.astype("int32") if (y == np.round(y)).all() else y


def classes(y):
    """(points,) what colours a point: its class, or its value."""
    return y.argmax(axis=1) if y.ndim == 2 else y


def targets(y, units: int, loss: str):
    """The labels in the shape the loss takes beside predictions of (points, units).

    Raises:
        CourseError: when they do not go together.
    """
    sparse = loss.startswith("sparse")
    top = int(y.max()) if sparse and len(y) else 0
    outside = loss == "binary_crossentropy" and len(y) and not (y.min() >= 0 and y.max() <= 1)
    if (
        (y.ndim == 2 and y.shape[1] != units)
        or (y.ndim == 1 and units > 1 and not sparse)
        or top >= max(units, 2)
        or outside
    ):
        kinds = y.shape[1] if y.ndim == 2 else len(np.unique(y))
        raise CourseError(
            en=f"The labels do not fit the network: {kinds} kinds of label, {units} output(s), loss {loss}.",
            zh=f"标签与网络不匹配：{kinds} 种标签，{units} 个输出，损失为 {loss}。",
        )
    if sparse:
        return y.astype("int32")
    return y.reshape(len(y), units).astype("float32")


def choose_loss(model, stages, y):
    """The loss of a compiled model, else the one that its last activation calls for; with the name to show.

    Args:
        model: built; if compiled, with one loss.
        stages: from `microscope_network.read`.
        y: (points,) classes or values, or (points, outputs).

    Raises:
        CourseError: when the model was compiled with several losses, or no usual loss fits.
    """
    import keras

    losses = keras.losses
    if getattr(model, "compiled", False) and model.loss is not None:
        if isinstance(model.loss, (dict, list, tuple)):
            raise CourseError(
                en="The microscope follows one loss; this model was compiled with several.",
                zh="显微镜只跟踪一个损失；这个模型编译时有多个损失。",
            )
        loss = losses.get(model.loss)
        return loss, getattr(loss, "name", None) or getattr(loss, "__name__", type(loss).__name__)
    last, labels = stages[-1], bool(np.isin(y, (0, 1)).all())
    if last.dense.units > 1 and last.name in ("softmax", "linear"):
        sparse, logits = y.ndim == 1, last.name == "linear"
        kind = losses.SparseCategoricalCrossentropy if sparse else losses.CategoricalCrossentropy
        chosen = kind(from_logits=logits)
    elif last.dense.units == 1 and (last.name == "sigmoid" or (labels and last.name == "linear")):
        chosen = losses.BinaryCrossentropy(from_logits=last.name == "linear")
    else:
        chosen = losses.MeanSquaredError()
    return chosen, chosen.name
