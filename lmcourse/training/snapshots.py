"""Snapshots of a training that survive a kill: everything the next step depends on, in one file.

That is the weights, the optimiser's state (which counts the steps), the state of the random generators inside the model (dropout), and
the losses so far, whose number is the place in the data: see `loop.windows`. Left out on purpose: keeping several snapshots, saving
while the next step runs, other frameworks' formats (`lmcourse.checkpoints` reads those).
"""

import os
import zipfile
from pathlib import Path

import numpy as np

from lmcourse.language import CourseError


def save(path: str | Path, model, losses: list[float]) -> None:
    """Write a compiled model's state. A kill in between leaves the old file whole: the new one is written beside it, then renamed.

    Args:
        path: ends in .npz.
        model: compiled; it has been trained for len(losses) steps.
        losses: of each step.
    """
    path = Path(path)
    arrays = {name: variable.numpy() for name, variable in _state(model).items()}
    beside = path.with_name(path.name + ".part")
    with beside.open("wb") as file:
        np.savez(file, losses=np.array(losses, "float64"), **arrays)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)


def restore(path: str | Path, model) -> list[float]:
    """Put a snapshot back into a compiled model of the same shape, as a whole or not at all.

    Returns:
        the losses of the steps done; empty when there is no file at `path`, so that a run begins or goes on with the same call.

    Raises:
        CourseError: when the file is damaged or belongs to another model or optimiser.
    """
    path = Path(path)
    if not path.exists():
        return []
    try:
        with path.open("rb") as opened, np.load(opened) as file:
            arrays = dict(file)
        losses = arrays.pop("losses").tolist()
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        raise CourseError(
            en=f"{path} is not a whole snapshot of a training. Delete it to begin anew.",
            zh=f"{path} 不是完整的训练快照。删除它即可重新开始。",
        ) from None
    state = _state(model)
    saved = {name: array.shape for name, array in arrays.items()}
    wanted = {name: tuple(variable.shape) for name, variable in state.items()}
    odd = sorted(name for name in saved.keys() | wanted.keys() if saved.get(name) != wanted.get(name))
    if odd:
        name = odd[0]
        raise CourseError(
            en=f"{path} was saved from another model or optimiser: {len(odd)} of {len(wanted)} arrays differ, first {name} "
            f"({saved.get(name, 'missing')} in the file, {wanted.get(name, 'missing')} here). "
            "Make the model as it was, or delete the file to begin anew.",
            zh=f"{path} 来自另一个模型或优化器：{len(wanted)} 个数组中有 {len(odd)} 个不同，第一个是 {name}"
            f"（文件中：{saved.get(name, '缺失')}，这里：{wanted.get(name, '缺失')}）。请按原样构建模型，或删除该文件重新开始。",
        )
    for name, variable in state.items():
        variable.assign(arrays[name])
    return losses


def _state(model) -> dict:
    """Name → variable, in an order that depends on the architecture only: names as Keras makes them differ from session to session."""
    optimiser = model.optimizer
    if not optimiser.built:
        optimiser.build(model.trainable_variables)
    return {f"model {i} {_last(v)}": v for i, v in enumerate(model.variables)} | {
        f"optimiser {i} {_last(v)}": v for i, v in enumerate(optimiser.variables)
    }


def _last(variable) -> str:
    return variable.name.rsplit("/", 1)[-1]
