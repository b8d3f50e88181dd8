"""GGUF files, in which quantised language models travel: settings, a tokenizer and tensors in one file, read where they lie.

A tensor is decoded when it is asked for, so a file needs no more memory than its largest tensor. Two kinds of blocks are written out,
the ones that SmolLM2's file holds: 32 weights share a scale, and each keeps 4 bits (Q4_1) or 8 (Q8_0). Left out on purpose: other
kinds, writing. The package `gguf`, which the tests compare with, reads the same and takes a hundred times as long for a tokenizer.

Source: the format's description in ggml's repository, docs/gguf.md.
"""

import re
import struct
from collections.abc import Callable
from dataclasses import dataclass
from math import prod
from pathlib import Path

import numpy as np

from lmcourse.language import CourseError

NUMBERS = dict(enumerate(("B", "b", "H", "h", "I", "i", "f", "?"))) | {10: "Q", 11: "q", 12: "d"}
STRING, ARRAY = 8, 9


def q4_1(blocks):
    """Blocks of 32 weights in 4 bits each: weight = scale · q + least, q = 0 … 15.

    Args:
        blocks: (…, 20) bytes: the scale and the least weight in float16, then 16 bytes; the i-th holds q of weight i in its low half,
            of weight i + 16 in its high half.

    Returns:
        (…, 32) float32.
    """
    scale, least = (np.ascontiguousarray(blocks[..., i : i + 2]).view("<f2").astype("float32") for i in (0, 2))
    halves = blocks[..., 4:]
    return scale * np.concatenate([halves & 15, halves >> 4], axis=-1) + least


def q8_0(blocks):
    """Blocks of 32 weights in 8 bits each: weight = scale · q, q = -127 … 127.

    Args:
        blocks: (…, 34) bytes: the scale in float16, then each q.

    Returns:
        (…, 32) float32.
    """
    scale = np.ascontiguousarray(blocks[..., :2]).view("<f2").astype("float32")
    return scale * blocks[..., 2:].view("int8")


@dataclass(frozen=True)
class Kind:
    """How a tensor is stored.

    Attributes:
        name: as in the format's description.
        weights, size: so many weights lie in a block of so many bytes.
        decode: bytes (…, size) → float32 (…, weights).
    """

    name: str
    weights: int
    size: int
    decode: Callable


KINDS = {
    0: Kind("F32", 1, 4, lambda blocks: blocks.view("<f4").astype("float32")),
    1: Kind("F16", 1, 2, lambda blocks: blocks.view("<f2").astype("float32")),
    3: Kind("Q4_1", 32, 20, q4_1),
    8: Kind("Q8_0", 32, 34, q8_0),
}


@dataclass(frozen=True)
class Tensor:
    """A tensor in a file; `numpy.asarray` reads and decodes it.

    Attributes:
        shape: as NumPy counts, the last axis lies together in memory. A dense layer's is (outputs, inputs).
        kind: how it is stored.
        path, begin: in which file, from which byte on.
    """

    shape: tuple[int, ...]
    kind: Kind
    path: Path
    begin: int

    @property
    def size(self) -> int:
        """How many bytes it takes in the file."""
        return prod(self.shape) // self.kind.weights * self.kind.size

    @property
    def stored(self) -> np.ndarray:
        """Its bytes, read now: (*shape[:-1], blocks in a row, bytes of a block)."""
        found = np.fromfile(self.path, "uint8", self.size, offset=self.begin)
        return found.reshape(*self.shape[:-1], -1, self.kind.size)

    def __array__(self, dtype=None, copy=None):
        return self.kind.decode(self.stored).reshape(self.shape).astype(dtype or "float32", copy=False)


@dataclass(frozen=True)
class Stack:
    """The same tensor of all layers; `numpy.asarray` reads and decodes it.

    Attributes:
        layers: its parts, from the first layer on.
    """

    layers: list[Tensor]

    @property
    def shape(self) -> tuple[int, ...]:
        return len(self.layers), *self.layers[0].shape

    def __array__(self, dtype=None, copy=None):
        found = np.empty(self.shape, dtype or "float32")
        for i, layer in enumerate(self.layers):  # one at a time: all of them beside the whole would take twice the room
            found[i] = np.asarray(layer)
        return found


def stacks(tensors: dict[str, Tensor]) -> dict[str, Tensor | Stack]:
    """Put the layers' tensors together: `blk.0.ffn_up.weight`, `blk.1.ffn_up.weight`, … become `blk.*.ffn_up.weight`.

    Those that are not alike in all layers stay alone.
    """
    found, groups = {}, {}
    for name, tensor in tensors.items():
        layer = re.match(r"blk\.(\d+)\.", name)
        if layer:
            groups.setdefault(name.replace(layer[0], "blk.*.", 1), {})[int(layer[1])] = tensor
        else:
            found[name] = tensor
    count = max(map(len, groups.values()), default=0)
    for name, group in groups.items():
        if sorted(group) == list(range(count)) and len({tensor.shape for tensor in group.values()}) == 1:
            found[name] = Stack([group[i] for i in range(count)])
        else:
            found |= {name.replace("*", str(i)): tensor for i, tensor in group.items()}
    return found


@dataclass(frozen=True)
class File:
    """What is in a GGUF file.

    Attributes:
        settings: by name: numbers, texts, lists of them.
        tensors: by name.
    """

    settings: dict
    tensors: dict[str, Tensor]


def read(path: Path) -> File:
    """Read a GGUF file's settings, and where its tensors lie.

    Raises:
        CourseError: when the file is missing, cut short, no such file at all, or holds a kind of tensor that is not in `KINDS`.
    """
    path = Path(path)
    if not path.is_file():
        raise CourseError(
            en=f"There is no file {path}. Give the path of a .gguf file.",
            zh=f"没有文件 {path}。请给出一个 .gguf 文件的路径。",
        )
    try:
        with path.open("rb") as stream:
            return _Head(path, stream).file()
    except (struct.error, ValueError, KeyError) as error:
        raise CourseError(
            en=f"{path.name} cannot be read; it was cut short or is no GGUF file ({error}). Fetch it again.",
            zh=f"{path.name} 无法读取：文件不完整，或者不是 GGUF 文件（{error}）。请重新获取。",
        ) from None


class _Head:
    """Walks through what stands before the tensors."""

    def __init__(self, path: Path, stream):
        self.path, self.stream, self.size = path, stream, path.stat().st_size

    def take(self, form: str):
        """The next numbers, in `struct`'s letters: one, or a tuple of several."""
        values = struct.unpack("<" + form, self.bytes(struct.calcsize("<" + form)))
        return values[0] if len(values) == 1 else values

    def bytes(self, count: int):
        if count > self.size:
            raise ValueError(f"{count:,} > {self.size:,}")  # no room is made for a number that cannot be
        return self.stream.read(count)

    def text(self) -> str:
        length = self.take("Q")
        return struct.unpack(f"{length}s", self.bytes(length))[0].decode()

    def value(self, kind: int):
        if kind == STRING:
            return self.text()
        if kind == ARRAY:
            inner, count = self.take("IQ")
            return [self.value(inner) for _ in range(count)]
        return self.take(NUMBERS[kind])

    def file(self) -> File:
        magic, version, tensors, settings = self.take("4sIQQ")
        if magic != b"GGUF" or version not in (2, 3):
            raise ValueError(f"{magic!r}, {version}")
        settings = {self.text(): self.value(self.take("I")) for _ in range(settings)}
        found = []
        for _ in range(tensors):
            name = self.text()
            shape = tuple(self.take("Q") for _ in range(self.take("I")))[::-1]  # the file counts from the inside
            found.append((name, shape, *self.take("IQ")))
        step = settings.get("general.alignment", 32)
        start = -(-self.stream.tell() // step) * step
        return File(
            settings, {name: self.tensor(name, shape, kind, start + where) for name, shape, kind, where in found}
        )

    def tensor(self, name: str, shape: tuple, kind: int, begin: int) -> Tensor:
        if kind not in KINDS:
            known = [kind.name for kind in KINDS.values()]
            raise CourseError(
                en=f"{name} is stored in a way (number {kind}) that this course does not read, only {', '.join(known)}. "
                "Convert the file, for instance with llama.cpp's llama-quantize.",
                zh=f"{name} 的存储方式（编号 {kind}）本课程不支持，只支持 {'、'.join(known)}。请转换文件，例如用 llama.cpp 的 llama-quantize。",
            )
        tensor = Tensor(shape, KINDS[kind], self.path, begin)
        if begin + tensor.size > self.size:
            raise ValueError(f"{name}: {begin + tensor.size:,} > {self.size:,}")
        return tensor
