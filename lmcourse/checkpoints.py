"""Weights from files: named tensors in, a model filled by an explicit table of names, or nothing changed and one error that says why.

Left out on purpose: files split into shards, pickled PyTorch files (opening one can run any code), writing.
"""

import contextlib
import hashlib
import json
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np

from lmcourse.language import CourseError

Names = Mapping[
    str, tuple[str, Callable[[np.ndarray], np.ndarray]]
]  # our path → (name in the file, how to turn it into ours)


def read(path: Path, sha256: str | None = None) -> dict[str, np.ndarray]:
    """Read a `.safetensors` file.

    Args:
        path: of the file.
        sha256: what its checksum must be, in hexadecimal.

    Returns:
        The tensors by their names in the file.

    Raises:
        CourseError: when the file is missing, cut short, no such file at all, or its checksum another.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    path = Path(path)
    if not path.is_file():
        raise CourseError(
            en=f"There is no file {path}. Give the path of a .safetensors file.",
            zh=f"没有文件 {path}。请给出一个 .safetensors 文件的路径。",
        )
    if sha256 is not None:
        with path.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
        if found != sha256:
            raise CourseError(
                en=f"{path.name} is not the expected file: its SHA-256 is {found}, not {sha256}. Fetch it again.",
                zh=f"{path.name} 不是预期的文件：它的 SHA-256 是 {found}，应为 {sha256}。请重新获取。",
            )
    try:
        return load_file(path)
    except SafetensorError as error:
        raise CourseError(
            en=f"{path.name} cannot be read; it was cut short or is no .safetensors file ({error}). Fetch it again.",
            zh=f"{path.name} 无法读取：文件不完整，或者不是 .safetensors 文件（{error}）。请重新获取。",
        ) from None


def read_folder(folder: Path) -> tuple[dict, dict[str, np.ndarray]]:
    """Read a local Hugging Face folder.

    Args:
        folder: holds `config.json` and `model.safetensors`.

    Returns:
        The configuration, and the tensors by their names.

    Raises:
        CourseError: when one of the two files is missing or cannot be read.
    """
    config = Path(folder) / "config.json"
    try:
        settings = json.loads(config.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise CourseError(
            en=f"{config} cannot be read ({error}). Give a folder with config.json and model.safetensors.",
            zh=f"{config} 无法读取（{error}）。请给出含有 config.json 和 model.safetensors 的文件夹。",
        ) from None
    return settings, read(Path(folder) / "model.safetensors")


def fill(
    model, tensors: Mapping[str, np.ndarray], names: Names, ignore: Callable[[str], bool] = lambda name: False
) -> None:
    """Give every weight of a model its value from a file. All is checked before anything is changed.

    Args:
        model: a built Keras model.
        tensors, ignore: see `match`.
        names: for each of the model's weights, by its `path`: see `match`.

    Raises:
        CourseError: see `match`. The model is then as it was.
    """
    # a weight of the model itself, not of a layer, has the model's name in front
    paths = {weight.path.removeprefix(f"{model.name}/"): weight for weight in model.weights}
    weights = {path: weight for path, weight in paths.items() if "seed_generator" not in path}
    values = match({path: tuple(weight.shape) for path, weight in weights.items()}, tensors, names, ignore)
    for path, weight in weights.items():
        weight.assign(values[path]())


def match(
    shapes: Mapping[str, tuple],
    tensors: Mapping[str, np.ndarray],
    names: Names,
    ignore: Callable[[str], bool] = lambda name: False,
) -> dict[str, Callable[[], np.ndarray]]:
    """Find for each weight its tensor in a file, and read nothing yet.

    Args:
        shapes: of the weights, by their paths.
        tensors: by the file's names: arrays, or what has a shape and becomes an array when its turn comes.
        names: for each path the file's name, and a function that turns the file's tensor into ours.
        ignore: says of a name in the file that nobody needs it.

    Returns:
        for each path a function that reads the value.

    Raises:
        CourseError: naming each tensor that is missing, left over, or of another shape.
    """
    missing, misshapen, values = [], [], {}
    for path, wanted in shapes.items():
        source, change = names.get(path, (path, None))
        if source not in tensors or change is None:
            missing.append(source)
            continue
        shape = tuple(tensors[source].shape)
        with contextlib.suppress(ValueError, IndexError):
            shape = change(np.broadcast_to(np.float32(0), shape)).shape  # one number behind every place: no memory
        if shape != wanted:
            misshapen.append(f"{source} {shape} ≠ {path} {wanted}")
        values[path] = lambda source=source, change=change: change(np.asarray(tensors[source]))
    used = {source for path, (source, _) in names.items() if path in shapes}
    extra = [name for name in tensors if name not in used and not ignore(name)]
    if missing or extra or misshapen:
        lists = (", ".join(dict.fromkeys(part)) or "–" for part in (missing, extra, misshapen))
        lost, left, odd = lists
        what = ("sizes (layers, width, vocabulary, positions)", "规模（层数、宽度、词表、位置数）")
        en, zh = what if misshapen else ("names (the table)", "名字（对照表）")
        raise CourseError(
            en=f"These weights do not fit the model; nothing was loaded. Missing: {lost}. Left over: {left}. Other shapes: {odd}. "
            f"Compare the model's {en} with the file's.",
            zh=f"这些权重与模型不符，什么也没有加载。缺少：{lost}。多余：{left}。形状不同：{odd}。请比较模型与文件的{zh}。",
        )
    return values
