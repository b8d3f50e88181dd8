import json

import pytest

from lmcourse import workfolder
from lmcourse.language import CourseError


def book(text: str, **more) -> str:
    return json.dumps({"cells": [{"cell_type": "code", "source": [text], **more}]})


@pytest.fixture
def course(tmp_path, monkeypatch):
    """A course with two notebooks, and the function that hands them out."""
    source = tmp_path / "notebooks"
    (source / "en/1_part").mkdir(parents=True)
    (source / "en/1_part/01_a.ipynb").write_text(book("a = 1"))
    (source / "en/1_part/02_b.ipynb").write_text(book("b = 1"))
    monkeypatch.setattr(workfolder, "notebooks_folder", lambda: source)
    return source / "en/1_part", tmp_path / "work/en/1_part", lambda: workfolder.update(tmp_path / "work", "en")


def test_first_run_copies_everything_silently_and_the_second_does_nothing(course):
    source, work, update = course
    assert update() == [] and update() == []
    assert sorted(p.name for p in work.iterdir()) == ["01_a.ipynb", "02_b.ipynb"]


def test_run_but_unedited_is_updated(course):
    source, work, update = course
    update()
    (work / "01_a.ipynb").write_text(book("a = 1", outputs=["1"], execution_count=3))
    (source / "01_a.ipynb").write_text(book("a = 2"))
    (said,) = update()
    assert "01_a.ipynb: updated" in said
    assert (work / "01_a.ipynb").read_text() == book("a = 2")


def test_edited_is_kept_the_new_one_put_beside_it_and_said_once(course):
    source, work, update = course
    update()
    (work / "01_a.ipynb").write_text(book("my answer"))
    assert update() == []  # no new version: nothing to say
    (source / "01_a.ipynb").write_text(book("a = 2"))
    (said,) = update()
    assert "kept" in said and "01_a.new.ipynb" in said
    assert (work / "01_a.ipynb").read_text() == book("my answer")
    assert (work / "01_a.new.ipynb").read_text() == book("a = 2")
    assert update() == []


def test_deleted_is_restored(course):
    source, work, update = course
    update()
    (work / "02_b.ipynb").unlink()
    (said,) = update()
    assert "restored" in said and (work / "02_b.ipynb").exists()


@pytest.mark.parametrize("damage", ["not json", '{"cells": 3}', "[]"])
def test_a_damaged_notebook_or_manifest_loses_nothing(course, damage):
    source, work, update = course
    update()
    (work / "01_a.ipynb").write_text(damage)
    (work.parent.parent / workfolder.MANIFEST).write_text(damage)
    (source / "01_a.ipynb").write_text(book("a = 2"))
    update()
    assert (work / "01_a.ipynb").read_text() == damage
    assert (work / "01_a.new.ipynb").exists()


def test_a_folder_that_cannot_be_written_is_a_sentence(course, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(CourseError, match="--folder"):
        workfolder.update(tmp_path / "file" / "work", "en")
