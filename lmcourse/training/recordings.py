"""Recorded runs: what no lesson can train in a minute, kept with its log, its date and its machine.

`recordings/NAME.py` makes a run and ends with `record`; a lesson calls `load`, fills a model and scores it again by itself. Weights are
stored in half precision. Left out on purpose: optimiser states (a recording is not gone on from), pickles.
"""

import datetime
import importlib.metadata
import json
import platform
import subprocess
from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np

from lmcourse.language import CourseError, pick
from lmcourse.training.progress import duration

FOLDER = Path(__file__).resolve().parents[1] / "data" / "recorded"
LARGEST = 5e6  # bytes of one recording


@dataclass
class Recording:
    """What `load` found.

    Attributes:
        weights: float32 arrays, in the order of the model's.
        arrays: name → array: the log, and whatever else the script kept.
        facts: date, machine, seconds, versions, commit, and whatever else the script kept (seeds, sizes).
    """

    weights: list
    arrays: dict
    facts: dict

    def fill(self, model) -> None:
        """Give a model the recorded weights.

        Raises:
            CourseError: when it has other weights than the recorded one.
        """
        wanted, have = [tuple(w.shape) for w in model.weights], [w.shape for w in self.weights]
        if wanted != have:
            odd = next(
                (i for i, pair in enumerate(zip(wanted, have, strict=False)) if pair[0] != pair[1]),
                min(len(wanted), len(have)),
            )
            raise CourseError(
                en=f"The recorded model has {len(have)} arrays, this one {len(wanted)}; they differ from number {odd} on. "
                "Make the model with the recorded sizes: recording.facts shows them.",
                zh=f"录制的模型有 {len(have)} 个数组，这个有 {len(wanted)} 个；从第 {odd} 个起不同。"
                "请按录制时的尺寸构建模型：见 recording.facts。",
            )
        model.set_weights(self.weights)

    def origin(self) -> str:
        """When, where and how long it ran, in one sentence."""
        f = self.facts
        return pick(
            en=f"Recorded on {f['date']} on {f['machine']} in {duration(f['seconds'])}, {f['versions']}.",
            zh=f"录制于 {f['date']}，机器：{f['machine']}，用时 {duration(f['seconds'])}，{f['versions']}。",
        )


def record(name: str, model, seconds: float, facts: dict, **arrays) -> Path:
    """Write a recording: the model's weights in half precision, arrays (the log), facts. Date, machine and versions are added.

    Args:
        name: of the file, without ending.
        model: its weights are kept.
        seconds: the training took, all sessions together.
        facts: what JSON can hold: seeds, sizes, results.
        arrays: name → array; floats are kept in float32.

    Raises:
        CourseError: when the file would be larger than 5 MB.
    """
    facts = {
        "date": datetime.date.today().isoformat(),
        "machine": machine(),
        "seconds": round(seconds),
        "versions": ", ".join(
            f"{p} {importlib.metadata.version(p)}" for p in ("keras", keras.backend.backend(), "numpy")
        )
        + f", Python {platform.python_version()}",
        "commit": _commit(),
        **facts,
    }
    halves = {f"weight {i:03}": np.asarray(w, "float16") for i, w in enumerate(model.get_weights())}
    path = FOLDER / f"{name}.npz"
    FOLDER.mkdir(parents=True, exist_ok=True)
    beside = path.with_name("unfinished.npz")
    np.savez_compressed(beside, facts=np.array(json.dumps(facts, ensure_ascii=False)), **halves, **arrays)
    size = beside.stat().st_size
    if size > LARGEST:
        beside.unlink()
        raise CourseError(
            en=f"The recording would be {size / 1e6:.1f} MB; at most {LARGEST / 1e6:.0f} MB are kept. Make the model smaller.",
            zh=f"录制文件将有 {size / 1e6:.1f} MB，上限是 {LARGEST / 1e6:.0f} MB。请缩小模型。",
        )
    return beside.replace(path)


def load(name: str) -> Recording:
    """Read a recording by its name.

    Raises:
        CourseError: when there is none, or the file is damaged.
    """
    path = FOLDER / f"{name}.npz"
    try:
        with path.open("rb") as opened, np.load(opened) as file:
            arrays = {key: file[key] for key in file.files}
        facts = json.loads(str(arrays.pop("facts")))
    except FileNotFoundError:
        known = ", ".join(sorted(p.stem for p in FOLDER.glob("*.npz"))) or pick(en="none", zh="无")
        raise CourseError(
            en=f"There is no recording {name!r}; there are: {known}.", zh=f"没有名为 {name!r} 的录制；现有：{known}。"
        ) from None
    except Exception:  # whatever a cut-off archive raises: zipfile, zlib and NumPy have a dozen ways to say so
        raise CourseError(
            en=f"The recording {path.name} is damaged. Install lmcourse again.",
            zh=f"录制文件 {path.name} 已损坏。请重新安装 lmcourse。",
        ) from None
    weights = [arrays.pop(key).astype("float32") for key in sorted(k for k in arrays if k.startswith("weight "))]
    return Recording(weights, arrays, facts)


def machine() -> str:
    """The processor and how many cores may be used, or the accelerator."""
    import os

    from lmcourse import device

    found = device.find()
    if found.kind != "cpu":
        return found.name
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        name = next(line.split(":")[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        name = found.name
    return f"{name}, {os.cpu_count()} cores"


def _commit() -> str:
    try:
        here = Path(__file__).parent
        answer = subprocess.run(
            ["git", "rev-parse", "--short", "HEAD"], cwd=here, capture_output=True, text=True, check=True
        )
        return answer.stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return ""
