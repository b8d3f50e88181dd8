"""Judge an answer: try it on the cases, compare, examine the properties, recognise known mistakes, and say it in a verdict."""

from dataclasses import dataclass

from lmcourse.exercises import saying
from lmcourse.exercises.cases import ANY, REFERENCE
from lmcourse.exercises.compare import Difference, Tolerance, difference, plain
from lmcourse.exercises.run import Outcome, Run, run, unsuitable
from lmcourse.exercises.verdict import NOT_YET, PASSED, Verdict
from lmcourse.language import pick


@dataclass(frozen=True)
class Finding:
    """What is wrong with one outcome: a difference, a fault (both None: it should have failed and did not), changed inputs."""

    difference: Difference | None = None
    faulty: bool = False
    inputs: Difference | None = None


def examine(exercise, answer) -> Verdict:
    """The verdict on an answer that is not the stub.

    Args:
        exercise: an `Exercise`.
        answer: a function or a value, as the exercise wants.

    Raises:
        ValueError: when the exercise has nothing to check.
    """
    problem = unsuitable(exercise, answer)
    if problem:
        return Verdict(NOT_YET, exercise.name, [(pick(en="problem", zh="问题"), problem)])
    expected = _expected(exercise)
    got = run(exercise, answer, lambda outcomes: _first_failing(exercise, expected, outcomes) is None)
    failing = _first_failing(exercise, expected, got.outcomes)
    if failing is None and got.broken is None:
        compared = sum(case.expected is not ANY for case in exercise.cases())
        if compared + len(exercise.properties) == 0:
            raise ValueError("the exercise has neither a case to compare nor a property")
        loosest = max(
            (_tolerance(exercise, *pair) for pair in zip(expected, got.outcomes, strict=True)), key=lambda t: t.relative
        )
        rows = saying.checked(compared, len(exercise.properties), loosest) + saying.notes(got.after)
        return Verdict(PASSED, exercise.name, rows)
    mistake = _recognise(exercise, expected, got, failing)
    if failing is None:
        rows, suggestion = saying.property_row(exercise.properties[got.broken], got, exercise.seconds), ""
    else:
        case, want, outcome = list(exercise.cases())[failing], expected[failing], got.outcomes[failing]
        finding = _finding(exercise, want, outcome)
        rows = saying.case_rows(exercise, case, want, outcome, finding, _tolerance(exercise, want, outcome))
        suggestion = finding.difference.suggestion if finding.difference else ""
    rows.append(saying.advice(exercise, mistake, suggestion))
    return Verdict(NOT_YET, exercise.name, rows + saying.notes(got.after), mistake[0].__name__ if mistake else None)


def _expected(exercise) -> list[Outcome]:
    """What a right answer gives, case by case: the reference's outcome, with an authority's literal in its place where there is one."""
    outcomes = run(exercise, exercise.reference() if exercise.takes_value else exercise.reference).outcomes
    literals = [case.expected for case in exercise.cases()]
    return [
        outcome if literal is ANY or literal is REFERENCE else Outcome(plain(literal), outcome.arguments)
        for outcome, literal in zip(outcomes, literals, strict=True)
    ]


def _first_failing(exercise, expected: list[Outcome], outcomes: list[Outcome]) -> int | None:
    for i, (case, want, outcome) in enumerate(zip(exercise.cases(), expected, outcomes, strict=False)):
        # an output that is left to the properties must still come, and leave its inputs alone
        wrong = (
            (outcome.fault or not _same_inputs(want, outcome))
            if case.expected is ANY
            else _finding(exercise, want, outcome)
        )
        if wrong:
            return i
    return None


def _finding(exercise, want: Outcome, outcome: Outcome) -> Finding | None:
    """What is wrong with an outcome, or None."""
    if want.fault or outcome.fault:
        agree = want.fault and outcome.fault and want.fault.type == outcome.fault.type
        return None if agree else Finding(faulty=True)
    if not _same_inputs(want, outcome):
        return Finding(inputs=difference(want.arguments, outcome.arguments, Tolerance.of(want.arguments)))
    found = difference(want.output, outcome.output, _tolerance(exercise, want, outcome))
    return Finding(difference=found) if found else None


def _same_inputs(want: Outcome, outcome: Outcome) -> bool:
    return difference(want.arguments, outcome.arguments, Tolerance.of(want.arguments)) is None


def _tolerance(exercise, want: Outcome, outcome: Outcome) -> Tolerance:
    return Tolerance.of(want.arguments, want.output, outcome.output, relative=exercise.tolerance)


def _recognise(exercise, expected: list[Outcome], got: Run, failing: int | None):
    """The known mistake whose every symptom the answer shows; of several the one with most symptoms; or None.

    A symptom is a case where the mistake's outcome is wrong. A mistake without symptoms is known by the property that it breaks.
    """
    best, most = None, -1
    for mistake in exercise.mistakes:
        made = run(exercise, mistake[0]() if exercise.takes_value else mistake[0],
                   lambda outcomes: _first_failing(exercise, expected, outcomes) is None)  # fmt: skip
        pairs = list(zip(made.outcomes, got.outcomes, strict=False))
        symptoms = [i for i, (theirs, _) in enumerate(pairs) if _finding(exercise, expected[i], theirs)]
        compared = symptoms if failing is not None else range(len(pairs))
        alike = all(_finding(exercise, *pairs[i]) is None for i in compared)
        same_failure = failing in symptoms if failing is not None else made.broken == got.broken
        if alike and same_failure and len(symptoms) > most:
            best, most = mistake, len(symptoms)
    return best
