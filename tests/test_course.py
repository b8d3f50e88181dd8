import pytest

from lmcourse import course, language


@pytest.mark.parametrize("name", language.LANGUAGES)
def test_lessons_are_read_from_the_notebooks(name):
    language.use(name)
    found = {lesson.number: lesson for lesson in course.lessons()}
    assert list(found) == sorted(found)
    assert found["0.1"].topics == ("start",)
    assert found["1.2"].topics == ("averaging", "pipeline", "shrinking")
    assert found["1.2"].title.startswith({"en": "The pipeline", "zh": "流水线"}[name])


def test_an_installation_without_notebooks_says_what_to_do(monkeypatch, tmp_path):
    monkeypatch.setattr(course, "__file__", str(tmp_path / "lmcourse/course.py"))
    with pytest.raises(language.CourseError, match="Install lmcourse again"):
        course.notebooks_folder()
