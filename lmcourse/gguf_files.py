"""GGUF files, in which quantised language models travel: settings, a tokenizer and tensors in one file, read where they lie.

A tensor is decoded when it is asked for, so a file needs no more memory than its largest tensor. Two kinds of blocks are written out,
the ones that SmolLM2's file holds: 32 weights share a scale, and each keeps 4 bits (Q4_1) or 8 (Q8_0). Left out on purpose: other
kinds, writing. The package `gguf`, which the tests compare with, reads the same and takes a hundred times as long for a tokenizer.

Source: the format's description in ggml's repository, docs/gguf.md.
"""

import struct
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
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
    return scale * np.concatenate([halves & 15, halves >> 4], axis=-1).astype("float32") + least


def q8_0(blocks):
    """Blocks of 32 weights in 8 bits each: weight = scale · q, q = -127 … 127.

    Args:
        blocks: (…, 34) bytes: the scale in float16, then each q.

    Returns:
        (…, 32) float32.
    """
    scale = np.ascontiguousarray(blocks[..., :2]).view("<f2").astype("float32")
    return scale * blocks[..., 2:].view("int8").astype("float32")


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
    """A tensor in a file; `numpy.asarray` decodes it.

    Attributes:
        shape: as NumPy counts, the last axis lies together in memory. A dense layer's is (outputs, inputs).
        kind: how it is stored.
        stored: its bytes, still on the disk: (*shape[:-1], blocks in a row, bytes of a block).
    """

    shape: tuple[int, ...]
    kind: Kind
    stored: np.ndarray

    def __array__(self, dtype=None, copy=None):
        return self.kind.decode(np.asarray(self.stored)).reshape(self.shape).astype(dtype or "float32", copy=False)


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
        return _Reader(path).file()
    except (struct.error, ValueError, IndexError, KeyError, OverflowError, MemoryError) as error:
        raise CourseError(
            en=f"{path.name} cannot be read; it was cut short or is no GGUF file ({error}). Fetch it again.",
            zh=f"{path.name} 无法读取：文件不完整，或者不是 GGUF 文件（{error}）。请重新获取。",
        ) from None


class _Reader:
    """Walks through the head of a file."""

    def __init__(self, path: Path):
        self.path, self.place = path, 0

    @cached_property
    def bytes(self):
        return np.memmap(self.path, mode="r")  # of an empty file: ValueError

    def take(self, form: str):
        """The next numbers, in `struct`'s letters: one, or a tuple of several."""
        values = struct.unpack_from("<" + form, self.bytes, self.place)
        self.place += struct.calcsize("<" + form)
        return values[0] if len(values) == 1 else values

    def text(self) -> str:
        length = self.take("Q")
        end = self.place + length
        if end > self.bytes.size:
            raise ValueError(f"{end:,} > {self.bytes.size:,}")
        found = self.bytes[self.place : end].tobytes().decode()
        self.place = end
        return found

    def value(self, kind: int):
        if kind == STRING:
            return self.text()
        if kind == ARRAY:
            inner, count = self.take("IQ")
            if inner in NUMBERS:
                return list(self.take(f"{count}{NUMBERS[inner]}")) if count != 1 else [self.take(NUMBERS[inner])]
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
        start = -(-self.place // step) * step
        return File(settings, {name: self.tensor(start, name, *where) for name, *where in found})

    def tensor(self, start: int, name: str, shape: tuple, kind: int, offset: int) -> Tensor:
        if kind not in KINDS:
            raise CourseError(
                en=f"{name} is stored in a way (number {kind}) that this course does not read, only "
                f"{', '.join(known.name for known in KINDS.values())}. Convert the file, for instance with llama.cpp's llama-quantize.",
                zh=f"{name} 的存储方式（编号 {kind}）本课程不支持，只支持 {'、'.join(known.name for known in KINDS.values())}。"
                "请转换文件，例如用 llama.cpp 的 llama-quantize。",
            )
        kind = KINDS[kind]
        blocks = (*shape[:-1], shape[-1] // kind.weights)
        begin = start + offset
        stored = self.bytes[begin : begin + prod(blocks) * kind.size].reshape(*blocks, kind.size)
        return Tensor(shape, kind, stored)
