"""GGUF files: our reading against the package `gguf`, blocks against the formula by hand, damage named in one sentence."""

import struct

import gguf
import numpy as np
import pytest

from lmcourse import gguf_files
from lmcourse.language import CourseError

RANDOM = np.random.default_rng(0)
WEIGHTS = {
    "F32": RANDOM.normal(size=(3, 5)).astype("float32"),
    "F16": RANDOM.normal(size=(2, 3, 4)).astype("float16"),
    "Q4_1": RANDOM.normal(size=(4, 64)).astype("float32"),
    "Q8_0": RANDOM.normal(size=(4, 96)).astype("float32"),
}


def write(path, **settings):
    """A file with one tensor of each kind, written by the package."""
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_uint32("a number", 7)
    writer.add_float32("a float", 0.5)
    writer.add_bool("a truth", True)
    writer.add_string("a text", "你好 🙂")
    writer.add_array("texts", ["Ġa", "", "é"])
    writer.add_array("numbers", [1, 2, 3])
    for kind, weights in WEIGHTS.items():
        number = gguf.GGMLQuantizationType[kind]
        stored = weights if kind.startswith("F") else gguf.quants.quantize(weights, number)
        writer.add_tensor(f"tensor {kind}", stored, raw_dtype=number)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return write(tmp_path_factory.mktemp("gguf") / "small.gguf")


def test_settings_and_tensors_are_the_packages(path):
    ours, theirs = gguf_files.read(path), gguf.GGUFReader(path)
    wanted = {name: field.contents() for name, field in theirs.fields.items() if not name.startswith("GGUF.")}
    assert ours.settings == wanted
    assert set(ours.tensors) == {tensor.name for tensor in theirs.tensors}
    for tensor in theirs.tensors:
        mine = ours.tensors[tensor.name]
        assert mine.shape == tuple(int(n) for n in tensor.shape[::-1])
        assert mine.kind.name == tensor.tensor_type.name
        expected = gguf.quants.dequantize(tensor.data, tensor.tensor_type).astype("float32")
        np.testing.assert_array_equal(np.asarray(mine), expected.reshape(mine.shape))


def test_a_q4_1_block_by_hand():
    scale, least = np.float16(0.25), np.float16(-1.5)
    numbers = list(range(16)) + list(range(15, -1, -1))
    halves = [low | high << 4 for low, high in zip(numbers[:16], numbers[16:], strict=True)]
    block = np.frombuffer(struct.pack("<ee16B", scale, least, *halves), "uint8")
    np.testing.assert_array_equal(gguf_files.q4_1(block), [0.25 * q - 1.5 for q in numbers])


def test_a_q8_0_block_by_hand():
    numbers = list(range(-127, 128, 8))
    block = np.frombuffer(struct.pack("<e32b", np.float16(0.125), *numbers), "uint8")
    np.testing.assert_array_equal(gguf_files.q8_0(block), [0.125 * q for q in numbers])


def test_a_file_cut_short_is_refused(path, tmp_path):
    whole = path.read_bytes()
    for kept in [*range(0, len(whole) - 32, 41), len(whole) - 40]:  # behind the last tensor stands only padding
        (tmp_path / "cut.gguf").write_bytes(whole[:kept])
        with pytest.raises(CourseError, match="cut short or is no GGUF file"):
            gguf_files.read(tmp_path / "cut.gguf")


def test_numbers_that_cannot_be_are_refused(path, tmp_path):
    whole = bytearray(path.read_bytes())
    whole[24:32] = struct.pack("<Q", 2**62)  # the length of the first name
    (tmp_path / "odd.gguf").write_bytes(whole)
    with pytest.raises(CourseError, match="cut short or is no GGUF file"):
        gguf_files.read(tmp_path / "odd.gguf")


def test_files_that_are_none(tmp_path):
    with pytest.raises(CourseError, match="There is no file"):
        gguf_files.read(tmp_path / "no.gguf")
    (tmp_path / "zip.gguf").write_bytes(b"PK\x03\x04" + bytes(100))
    with pytest.raises(CourseError, match="no GGUF file"):
        gguf_files.read(tmp_path / "zip.gguf")


def test_another_kind_is_named(tmp_path):
    writer = gguf.GGUFWriter(tmp_path / "other.gguf", "llama")
    number = gguf.GGMLQuantizationType.Q5_0
    writer.add_tensor("x", gguf.quants.quantize(WEIGHTS["Q4_1"], number), raw_dtype=number)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    with pytest.raises(CourseError, match=r"x is stored in a way \(number 6\).*only F32, F16, Q4_1, Q8_0"):
        gguf_files.read(tmp_path / "other.gguf")


def test_stacks_join_what_is_alike():
    def tensor(*shape):
        return gguf_files.Tensor(shape, gguf_files.KINDS[0], None, 0)

    found = gguf_files.stacks({"a": tensor(2), "blk.0.b": tensor(3), "blk.1.b": tensor(3), "blk.1.c": tensor(3)})
    assert {name: found[name].shape for name in found} == {"a": (2,), "blk.*.b": (2, 3), "blk.1.c": (3,)}
