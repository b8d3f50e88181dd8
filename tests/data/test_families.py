"""Families of Python's help topics against connected components; a split that shares nothing; what the loaders read."""

import inspect
import json.decoder
from itertools import combinations
from pathlib import Path
from pydoc_data.topics import topics

import pytest

from lmcourse.data import python_docs
from lmcourse.language import CourseError


def long_lines(text):
    return {line.strip() for line in text.splitlines() if len(line.strip()) >= 40}


def test_topics_are_pydocs_in_order():
    documents = python_docs.load()
    assert list(documents) == sorted(topics)
    assert all(text == topics[name].strip() + "\n" for name, text in documents.items())


def test_families_are_the_connected_components_of_sharing_two_lines():
    scipy = pytest.importorskip("scipy", reason="scipy is missing: install lmcourse[lessons]")
    documents = python_docs.load()
    names, lines = list(documents), [long_lines(text) for text in documents.values()]
    edges = [(i, j) for i, j in combinations(range(len(names)), 2) if len(lines[i] & lines[j]) >= 2]
    rows, columns = zip(*edges, strict=True)
    graph = scipy.sparse.coo_matrix(([1] * len(edges), (rows, columns)), shape=(len(names), len(names)))
    _, components = scipy.sparse.csgraph.connected_components(graph, directed=False)
    first = {}
    for name, component in zip(names, components, strict=True):
        first.setdefault(component, name)
    assert python_docs.families(documents) == {n: first[c] for n, c in zip(names, components, strict=True)}
    assert 1 < len(first) < len(names)


def test_families_join_through_a_third():
    one, two, three, four = (letter * 50 for letter in "abcd")
    documents = {"x": f"{one}\n{two}", "y": f"{three}\n{four}", "z": f"{one}\n{two}\n{three}\n{four}", "w": f"{one}\nw"}
    assert python_docs.families(documents) == {"x": "x", "y": "x", "z": "x", "w": "w"}
    documents = {
        "a": one,
        "b": two,
        "c": f"{one}\n{two}",
        "d": f"{one}\n{two}",
    }  # c and d meet in lines that others had first
    assert python_docs.families(documents) == {"a": "a", "b": "b", "c": "c", "d": "c"}
    assert python_docs.families({}) == {}


def test_split_shares_nothing_and_loses_nothing():
    documents = python_docs.load()
    kept, held = python_docs.split(documents)
    assert kept and held and not set(kept) & set(held) and kept | held == documents
    for text in held.values():
        assert all(len(long_lines(text) & long_lines(other)) < 2 for other in kept.values())
    assert python_docs.split(documents, 0.0) == (documents, {})
    assert python_docs.split(documents, 1.0) == ({}, documents)


def test_split_of_a_family_does_not_depend_on_the_others():
    documents = {f"topic {i}": f"text {i}" for i in range(200)}
    held = set(python_docs.split(documents)[1])
    some = {name: text for name, text in documents.items() if int(name.split()[1]) % 3}
    assert set(python_docs.split(some)[1]) == held & set(some)
    assert 0.07 < len(held) / len(documents) < 0.23


def test_source_is_the_library_without_its_tests():
    found = python_docs.source()
    assert found["json/decoder.py"] == Path(json.decoder.__file__).read_text(encoding="utf-8")
    assert not [name for name in found if "/test" in f"/{name}" and "unittest" not in name and "doctest" not in name]


def test_docstrings_are_those_that_inspect_shows(monkeypatch):
    code = Path(json.decoder.__file__).read_text(encoding="utf-8")
    monkeypatch.setattr(python_docs, "source", lambda: {"json/decoder.py": code, "empty.py": "x = 1\n"})
    found = python_docs.docstrings()
    assert list(found) == ["json/decoder.py"]
    parts = [json.decoder, json.decoder.JSONDecodeError, json.decoder.JSONDecoder, json.decoder.JSONDecoder.raw_decode]
    places = [found["json/decoder.py"].index(inspect.getdoc(part)) for part in parts]
    assert places == sorted(places)


def test_a_python_without_source_is_named(monkeypatch, tmp_path):
    monkeypatch.setattr(python_docs.sysconfig, "get_path", lambda name: str(tmp_path))
    with pytest.raises(CourseError, match="source"):
        python_docs.source()
