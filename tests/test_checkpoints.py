"""Checkpoints: what is read is what was written, and a file that does not fit changes nothing and is named in one sentence."""

import hashlib

import keras
import numpy as np
import pytest
from safetensors.numpy import save_file

from lmcourse import checkpoints
from lmcourse.language import CourseError

NAMES = {"a/kernel": ("w", np.transpose), "a/bias": ("b", lambda tensor: tensor)}
GOOD = {"w": np.arange(6, dtype="float32").reshape(2, 3), "b": np.ones(2, "float32")}


def model():
    x = keras.Input((3,))
    return keras.Model(x, keras.layers.Dense(2, name="a")(x))


@pytest.fixture
def path(tmp_path):
    save_file(GOOD, tmp_path / "x.safetensors")
    return tmp_path / "x.safetensors"


def test_a_file_fills_a_model(path):
    ours = model()
    checkpoints.fill(ours, checkpoints.read(path, hashlib.sha256(path.read_bytes()).hexdigest()), NAMES)
    np.testing.assert_array_equal(ours.get_layer("a").kernel, GOOD["w"].T)
    np.testing.assert_array_equal(ours.get_layer("a").bias, GOOD["b"])


WRONG = {
    "missing": ({"w": GOOD["w"]}, "Missing: b. Left over: –"),
    "extra": (GOOD | {"c": np.ones(1)}, "Missing: –. Left over: c"),
    "misshapen": (GOOD | {"w": np.ones((4, 3))}, r"w \(3, 4\) ≠ a/kernel \(3, 2\)"),
    "all at once": ({"w": np.ones((4, 3)), "c": np.ones(1)}, r"Missing: b. Left over: c. Other shapes: w"),
}


@pytest.mark.parametrize("tensors, said", WRONG.values(), ids=WRONG)
def test_what_does_not_fit_is_named_and_nothing_changes(tensors, said):
    ours = model()
    before = ours.get_weights()
    with pytest.raises(CourseError, match=said):
        checkpoints.fill(ours, tensors, NAMES)
    assert all((a == b).all() for a, b in zip(before, ours.get_weights(), strict=True))


def test_a_weight_without_a_row_is_missing():
    with pytest.raises(CourseError, match="Missing: a/bias. Left over: b"):
        checkpoints.fill(model(), GOOD, {"a/kernel": NAMES["a/kernel"]})


def test_what_nobody_needs_may_be_ignored():
    checkpoints.fill(model(), GOOD | {"c": np.ones(1)}, NAMES, ignore=lambda name: name == "c")


def test_a_checksum_that_differs_is_refused(path):
    with pytest.raises(CourseError, match="not the expected file"):
        checkpoints.read(path, "0" * 64)


@pytest.mark.parametrize("kept", [0, 5, 40, -1])
def test_a_file_cut_short_is_refused(path, kept):
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(CourseError, match="cut short"):
        checkpoints.read(path)


def test_files_that_are_not_there(tmp_path):
    with pytest.raises(CourseError, match="There is no file"):
        checkpoints.read(tmp_path / "no.safetensors")
    with pytest.raises(CourseError, match="config.json cannot be read"):
        checkpoints.read_folder(tmp_path)
