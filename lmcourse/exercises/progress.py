"""What the learner has done: one JSON file on this machine, safe with two notebooks open, shown as text or as a live table.

The file is `~/.lmcourse/progress.json`, or what `LMCOURSE_PROGRESS` names. Left out on purpose: accounts, marks, the network.
"""

import contextlib
import html
import json
import os
import tempfile
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path

from lmcourse.course import lessons
from lmcourse.exercises.verdict import Shown, card
from lmcourse.exercises.verdict import show as display
from lmcourse.language import CourseError, pick, say

_live = []  # handles of the tables on show
_complained = False


def location() -> Path:
    """Where the file is, or will be."""
    named = os.environ.get("LMCOURSE_PROGRESS")
    return Path(named) if named else Path.home() / ".lmcourse" / "progress.json"


def load() -> dict:
    """What is recorded: key ("activations.sigmoid") → {"passed": time, "hints": count, "solution": time, "answer": …}.

    A damaged file is set aside under another name, and the learner is told.
    """
    path = location()
    try:
        records = json.loads(path.read_text(encoding="utf-8"))
        if isinstance(records, dict) and all(isinstance(record, dict) for record in records.values()):
            return records
    except (FileNotFoundError, PermissionError, NotADirectoryError):
        return {}
    except (ValueError, RecursionError):  # cut off, or not ours
        pass
    aside = path.with_name(f"{path.stem}.damaged-{time.time_ns()}.json")
    with contextlib.suppress(OSError):
        path.rename(aside)
        say(en=f"Your progress file could not be read. It is kept as {aside}; a new one begins.",
            zh=f"进度文件无法读取，已另存为 {aside}，现在从新文件开始。")  # fmt: skip
    return {}


def record(key: str, **facts) -> None:
    """Remember something about an exercise or a question. What is known already stays: the first pass, the most hints.

    Args:
        key: "topic.name".
        facts: `passed=True`, `solution=True`, `hints=count` or `answer=value`.
    """

    def merge(records):
        entry = records.setdefault(key, {})
        for name, value in facts.items():
            if name == "hints":
                entry[name] = max(value, entry.get(name, 0))
            else:
                entry.setdefault(name, datetime.now(UTC).isoformat(timespec="seconds") if value is True else value)

    _change(merge)


def reset(number: str) -> None:
    """Forget everything about one lesson, as in `reset("1.2")`.

    Raises:
        CourseError: for a lesson that does not exist.
    """
    topics = {lesson.number: lesson.topics for lesson in lessons()}
    if number not in topics:
        known = ", ".join(topics)
        raise CourseError(
            en=f"There is no lesson {number}. The lessons are: {known}.",
            zh=f"没有第 {number} 课。现有的课：{known}。",
        )

    def forget(records):
        for key in [key for key in records if key.split(".")[0] in topics[number]]:
            del records[key]

    _change(forget)


def _change(change) -> None:
    """Read, change and write under a lock; a folder that cannot be written costs the record, not the lesson."""
    global _complained
    path = location()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with _lock(path.with_suffix(".lock")):
            records = load()
            change(records)
            descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=path.stem, suffix=".tmp")
            os.close(descriptor)
            Path(name).write_text(json.dumps(records, ensure_ascii=False, indent=1), encoding="utf-8")
            Path(name).replace(path)
    except OSError as error:
        if not _complained:
            say(en=f"Your progress cannot be stored ({error}). Name a file that can be written in LMCOURSE_PROGRESS.",
                zh=f"进度无法保存（{error}）。请用 LMCOURSE_PROGRESS 指定一个可写的文件。")  # fmt: skip
        _complained = True
    for handle in _live:
        handle.update(table())


@contextlib.contextmanager
def _lock(path: Path, patience: float = 5.0):
    """A file that only one process can make. One left behind by a kernel that died is broken after `patience` seconds."""
    end = time.monotonic() + patience
    while True:
        try:
            os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY))
            break
        except (FileExistsError, PermissionError):  # Windows says the latter while another process deletes it
            if time.monotonic() > end:
                path.unlink(missing_ok=True)
                end = time.monotonic() + patience
            time.sleep(0.01)
    try:
        yield
    finally:
        path.unlink(missing_ok=True)


@dataclass(frozen=True)
class Row:
    """One lesson: exercises passed of how many, questions answered of how many, hints taken, solutions seen."""

    lesson: str
    passed: int
    exercises: int
    answered: int
    questions: int
    hints: int
    solutions: int


def rows() -> list[Row]:
    """A row for each lesson, in the order of the course."""
    from lmcourse.exercises.exercise import Exercise, collect

    records, found = load(), []
    for lesson in lessons():
        things = {}
        for topic in lesson.topics:
            things |= {
                f"{topic}.{name}": it for name, it in collect(import_module(f"lmcourse.exercises.{topic}")).items()
            }
        exercises = [records.get(key, {}) for key, thing in things.items() if isinstance(thing, Exercise)]
        questions = [records.get(key, {}) for key, thing in things.items() if not isinstance(thing, Exercise)]
        found.append(
            Row(
                f"{lesson.number} {lesson.title}",
                passed=sum("passed" in entry for entry in exercises),
                exercises=len(exercises),
                answered=sum("answer" in entry for entry in questions),
                questions=len(questions),
                hints=sum(entry.get("hints", 0) for entry in exercises),
                solutions=sum("solution" in entry for entry in exercises),
            )
        )
    return found


def _titles() -> list[str]:
    return pick(en=["lesson", "exercises passed", "questions answered", "hints", "solutions seen"],
                zh=["课", "通过的练习", "回答的问题", "提示", "看过的答案"])  # fmt: skip


def _cells(row: Row) -> list[str]:
    return [
        row.lesson,
        f"{row.passed}/{row.exercises}",
        f"{row.answered}/{row.questions}",
        str(row.hints),
        str(row.solutions),
    ]


def summary() -> list[str]:
    """The table as lines of text."""
    return [" · ".join(_titles()), *(" · ".join(_cells(row)) for row in rows())]


def table() -> Shown:
    """The table, as text and as HTML."""
    head = "".join(f'<th scope="col" style="text-align:left">{html.escape(title)}</th>' for title in _titles())
    body = "".join(f"<tr>{''.join(f'<td>{html.escape(cell)}</td>' for cell in _cells(row))}</tr>" for row in rows())
    return Shown("\n".join(summary()), card(f'<table style="color:inherit;font:inherit"><tr>{head}</tr>{body}</table>'))


def show() -> None:
    """Show the table; in a notebook it follows every check, hint and answer of this kernel."""
    handle = display(table(), live=True)
    if handle is not None:
        _live.append(handle)
