"""Each exercise of each topic, found by itself: its stub, solution, mistakes, right ways, hints and mutants."""

import ast
import re
from math import ceil

import pytest
from mutation import equivalents, exercises, survivors

from lmcourse import language
from lmcourse.exercises import stubs
from lmcourse.exercises.compare import Tolerance, difference, plain
from lmcourse.exercises.exercise import Exercise, collect, topics
from lmcourse.exercises.verdict import NOT_ATTEMPTED, NOT_YET

EXERCISES = exercises()
QUESTIONS = [
    thing for module in topics().values() for thing in collect(module).values() if not isinstance(thing, Exercise)
]
every_exercise = pytest.mark.parametrize("exercise", EXERCISES, ids=lambda e: e.key)


@pytest.fixture(scope="module")
def hunted() -> dict:
    """For each exercise the number of its mutants and the survivors."""
    return {exercise.key: survivors(exercise) for exercise in EXERCISES}


def answer(exercise, function):
    """What the learner would hand over: the function, or the value that it gives."""
    return function() if exercise.takes_value else function


def run_cell(exercise, source: str):
    """A lesson's cell: what it binds to the exercise's name, with the names that the topic module binds."""
    names = dict(exercise.reference.__globals__)
    exec(source, names)
    return names[exercise.name]


def test_something_is_found():
    assert EXERCISES and QUESTIONS


@every_exercise
def test_the_stub_is_not_attempted(exercise):
    assert exercise.judge(run_cell(exercise, exercise.stub_source())).state == NOT_ATTEMPTED


@every_exercise
def test_the_solution_passes(exercise):
    verdict = exercise.judge(run_cell(exercise, exercise.solution_source()))
    assert verdict.passed, verdict
    executed = [int(n) for n in re.findall(r"\d+", verdict.rows[0][1])]  # cases and, where there are some, properties
    assert sum(executed) > 0


@every_exercise
def test_cases_are_the_same_each_time(exercise):
    first, second = ([plain([c.arguments, c.keywords]) for c in exercise.cases()] for _ in range(2))
    numbers = [(a, b) for a, b in zip(first, second, strict=True) if "object at 0x" not in repr(a)]
    # Nodes of a graph are compared by what they show.
    assert all(
        repr(a) == repr(b) if "Node(" in repr(a) else difference(a, b, Tolerance.of(a)) is None for a, b in numbers
    )


@every_exercise
def test_every_known_mistake_gets_its_own_feedback(exercise):
    assert len(exercise.mistakes) >= 2
    for lang in language.LANGUAGES:
        language.use(lang)
        for mistake, en, zh in exercise.mistakes:
            verdict = exercise.judge(answer(exercise, mistake))
            assert (verdict.state, verdict.mistake) == (NOT_YET, mistake.__name__), verdict
            assert (zh if lang == "zh" else en) in str(verdict)


@every_exercise
def test_other_right_ways_pass(exercise):
    assert len(exercise.rights) >= 2
    for right in exercise.rights:
        verdict = exercise.judge(answer(exercise, right))
        assert verdict.passed, verdict


@pytest.mark.parametrize("exercise", [e for e in EXERCISES if e.stub], ids=lambda e: e.key)
def test_broken_code_is_really_broken(exercise, monkeypatch):
    monkeypatch.setattr(stubs, "is_stub", lambda *_: False)
    assert exercise.judge(exercise.stub).state == NOT_YET


@every_exercise
def test_hints_lead_there_without_giving_it_away(exercise):
    assert len(exercise.hints) >= 2
    assert all(en.strip() and re.search(r"[\u4e00-\u9fff]|`", zh) for en, zh in exercise.hints)
    lines = {line.strip() for line in exercise.solution_source().splitlines() if "=" in line or "return " in line}
    for hint in exercise.hints[0]:
        spans = re.findall(r"`([^`]+)`", hint)
        assert not [span for span in spans if re.search(r"[(=+*/@\[]", span)], "code in the first hint"
        assert not [line for line in lines if line.removeprefix("return ") in hint], "the solution in the first hint"


@every_exercise
def test_mutants_fail(exercise, hunted):
    count, alive = hunted[exercise.key]
    assert count - len(alive) >= 3
    (function,) = ast.parse(exercise.solution_source()).body
    body = "\n".join(map(ast.unparse, function.body[1:]))  # without its docstring
    assert count >= 10 or len(body) < 150, f"only {count} mutants"
    explained = equivalents(exercise)
    assert set(alive) == set(explained), "survivors (left) and listed equivalents (right)"
    assert all(len(reason) > 10 for reason in explained.values())


def test_nearly_all_mutants_fail(hunted):
    total, alive = sum(count for count, _ in hunted.values()), sum(len(names) for _, names in hunted.values())
    print(f"killed {total - alive} of {total} mutants: {1 - alive / total:.1%}")
    assert total - alive >= ceil(0.95 * total)


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda q: q.key)
def test_questions_speak_both_languages(question):
    assert question.is_right(question.answer)
    assert re.search(r"[\u4e00-\u9fff]", question.text("zh")) and re.search(r"[\u4e00-\u9fff]", question.because("zh"))
    assert question.text("en") and question.because("en")
    if question.options:
        assert 0 <= question.answer < len(question.options) and len(set(question.options)) == len(question.options) > 1
