"""Progress: kept, merged, set aside when damaged; and the questions that store their answers in it."""

import json
import subprocess
import sys

import pytest

from lmcourse import language
from lmcourse.exercises import activations as ex
from lmcourse.exercises import progress
from lmcourse.exercises.question import _Asked


def test_what_is_done_is_kept(own_progress, capsys):
    assert progress.load() == {} and not own_progress.exists()
    ex.sigmoid.check(lambda z: z)
    assert progress.load() == {}
    ex.sigmoid.check(ex.sigmoid.reference)
    first = progress.load()["activations.sigmoid"]["passed"]
    ex.sigmoid.check(ex.sigmoid.reference)
    ex.sigmoid.solution()
    ex.tanh._tier = 0
    ex.tanh.hint()
    progress.record("activations.tanh", hints=0)
    records = progress.load()
    assert records["activations.sigmoid"]["passed"] == first and "solution" in records["activations.sigmoid"]
    assert records["activations.tanh"] == {"hints": 1}
    (row,) = [row for row in progress.rows() if row.lesson.startswith("2.1 ")]
    assert (row.passed, row.answered, row.hints, row.solutions) == (1, 0, 1, 1)
    assert row.exercises >= 4 and row.questions >= 2
    assert any("2.1 " in line and f"1/{row.exercises}" in line for line in progress.summary())


def test_reset_forgets_one_lesson_with_all_its_topics(own_progress):
    for key in ("pipeline.pieces", "averaging.fold", "start.relu"):
        progress.record(key, passed=True)
    progress.reset("1.2")
    assert list(progress.load()) == ["start.relu"]
    with pytest.raises(language.CourseError, match="0.1, 1"):
        progress.reset("9.9")


@pytest.mark.parametrize("text", ["", '{"a": {"passed"', "[1, 2]", '{"a": 3}', "\x00\xff"])
def test_a_damaged_file_is_set_aside(own_progress, capsys, text):
    own_progress.write_text(text, encoding="utf-8")
    progress.record("start.relu", passed=True)
    assert "could not be read" in capsys.readouterr().out
    (aside,) = own_progress.parent.glob("*.damaged-*.json")
    assert aside.read_text(encoding="utf-8") == text
    assert list(progress.load()) == ["start.relu"]
    assert capsys.readouterr().out == ""


def test_two_processes_lose_nothing(own_progress):
    code = "import sys\nfrom lmcourse.exercises import progress\nfor i in range(40): progress.record(f'{sys.argv[1]}.{i}', passed=True)"
    both = [subprocess.Popen([sys.executable, "-c", code, topic]) for topic in ("one", "two")]
    assert [process.wait(60) for process in both] == [0, 0]
    assert len(progress.load()) == 80
    assert [path.name for path in own_progress.parent.iterdir()] == [own_progress.name]


def test_a_lock_left_behind_is_broken(own_progress):
    lock = own_progress.with_suffix(".lock")
    lock.touch()
    with progress._lock(lock, patience=0.05):
        assert lock.exists()
    assert not lock.exists()


def test_a_place_that_cannot_be_written_costs_only_the_record(tmp_path, monkeypatch, capsys):
    (tmp_path / "file").touch()
    monkeypatch.setenv("LMCOURSE_PROGRESS", str(tmp_path / "file" / "progress.json"))
    monkeypatch.setattr(progress, "_complained", False)
    progress.record("start.relu", passed=True)
    progress.record("start.relu", passed=True)
    assert capsys.readouterr().out.count("cannot be stored") == 1
    assert progress.load() == {}


def test_the_table_follows(own_progress, monkeypatch):
    class Handle:
        shown = []

        def update(self, table):
            self.shown.append(table._repr_html_())

    monkeypatch.setattr(progress, "_live", [Handle()])
    progress.record("activations.sigmoid", passed=True)
    progress.record("activations.tanh", passed=True)
    assert ">1/" in Handle.shown[0] and ">2/" in Handle.shown[1]
    language.use("zh")
    assert "通过的练习" in progress.table()._repr_html_()


# Questions


def controls(question):
    return _Asked(question)._controls().children


def test_a_choice_is_committed_once(own_progress, capsys):
    question = ex.flattest_at_five
    question.ask()
    assert "smallest slope" in capsys.readouterr().out
    _, entry, button, told = controls(question)
    button.click()
    assert "Choose first" in told.value and question.given() is None
    entry.value = 1
    button.click()
    assert question.given() == 1 and entry.disabled and "tanh" in told.value
    question.commit(0)
    assert question.given() == 1
    question.ask()
    assert "Your answer: tanh" in capsys.readouterr().out
    assert "application/vnd.jupyter.widget-view+json" not in _Asked(question)._repr_mimebundle_()
    question.reveal()
    assert "Your answer: tanh – right." in capsys.readouterr().out


@pytest.mark.parametrize(
    "text, value", [("1e-6", 1e-6), (" 0,5 ", 0.5), ("much", None), ("", None), ("nan", None), ("inf", None)]
)
def test_a_number_is_read(own_progress, text, value):
    question = ex.gradient_after_ten_layers
    _, entry, button, told = controls(question)
    entry.value = text
    button.click()
    assert question.given() == value
    assert ("number" in told.value) == (value is None)


def test_an_unanswered_question_can_be_revealed(own_progress, capsys):
    ex.gradient_after_ten_layers.reveal()
    shown = capsys.readouterr().out
    assert "not answered yet" in shown and "9.53674e-07" in shown
    ex.gradient_after_ten_layers.commit(0.25)
    ex.gradient_after_ten_layers.reveal()
    assert "0.25 – not right" in capsys.readouterr().out


def test_a_stored_answer_that_makes_no_sense_counts_as_none(own_progress):
    own_progress.write_text(json.dumps({"activations.flattest_at_five": {"answer": 9}}))
    assert ex.flattest_at_five.given() is None


def test_a_question_in_a_notebook_has_controls_text_and_html(own_progress):
    bundle = _Asked(ex.flattest_at_five)._repr_mimebundle_()
    assert bundle["application/vnd.jupyter.widget-view+json"]["model_id"]
    assert "○ tanh" in bundle["text/plain"] and "tanh" in bundle["text/html"]
