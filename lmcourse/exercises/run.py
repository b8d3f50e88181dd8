"""Try an answer on every case of an exercise, inside the sandbox."""

import inspect
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from lmcourse.exercises.compare import plain
from lmcourse.exercises.sandbox import Fault, Sandbox
from lmcourse.exercises.state import Traces
from lmcourse.language import pick


@dataclass(frozen=True)
class Outcome:
    """What came of one case: the output and the arguments afterwards, both as plain values, or a fault."""

    output: object = None
    arguments: object = None
    fault: Fault | None = None


@dataclass
class Run:
    """What came of all cases.

    Attributes:
        outcomes: one a case; fewer when it made no sense to go on.
        broken: index of the first property that does not hold, or None.
        complaint: what that property found, or None. fault: how examining it ended.
        after: what the code printed, warned about and changed.
    """

    outcomes: list[Outcome] = field(default_factory=list)
    broken: int | None = None
    complaint: str | None = None
    fault: Fault | None = None
    after: Traces | None = None


class Unfit(Exception):
    """The answer cannot be called, or its output cannot be compared; the message is for the learner."""


def call(function, *arguments, **keywords):
    """How a function is put to use by default."""
    return function(*arguments, **keywords)


def value_itself(value):
    """How a value is put to use by default."""
    return value


def run(exercise, answer, go_on: Callable[[list[Outcome]], bool] | None = None) -> Run:
    """Try an answer.

    Args:
        exercise: an `Exercise`.
        answer: a function or a value.
        go_on: whether the outcomes are worth examining the properties; by default these are left out.
    """
    done = Run()
    use = adapted(exercise, answer)
    with Sandbox(answer, exercise.seconds) as box:
        for case in exercise.cases():
            output, fault = box.attempt(use, *case.arguments, **case.keywords)
            done.outcomes.append(Outcome(output, visible(case), fault))
            if fault and fault.fatal:
                break
        if go_on and go_on(done.outcomes):
            _examine_properties(exercise, use if exercise.use is call else answer, box, done)
    done.after = box.after
    return done


def _examine_properties(exercise, subject, box: Sandbox, done: Run) -> None:
    for i, each in enumerate(exercise.properties):
        result, fault = box.attempt(each.check, subject)
        if fault is None and (result is None or result is True or (isinstance(result, np.bool_) and result)):
            continue
        done.broken, done.fault = i, fault
        if isinstance(result, tuple):
            done.complaint = pick(en=result[0], zh=result[1])
        return


def adapted(exercise, answer) -> Callable:
    """The answer as a function of a case's arguments, positional or keyword as it likes them, that gives plain values."""

    def use(*arguments, **keywords):
        if exercise.use is call:
            arguments, keywords = _fitting(exercise, answer, arguments, keywords)
        return _settled(exercise.use(answer, *arguments, **keywords))

    return use


def _fitting(exercise, answer, arguments: tuple, keywords: dict) -> tuple[tuple, dict]:
    try:
        signature = inspect.signature(answer)
    except (TypeError, ValueError):  # some functions written in C do not tell
        return arguments, keywords
    bound = inspect.signature(exercise.reference).bind(*arguments, **keywords)
    for way in ((arguments, keywords), (bound.args, bound.kwargs), ((), dict(bound.arguments))):
        try:
            signature.bind(*way[0], **way[1])
            return way
        except TypeError:
            continue
    called = f"{exercise.name}({', '.join(bound.arguments)})"
    raise Unfit(pick(en=f"It is called as {called}, but yours is {exercise.name}{signature}.",
                     zh=f"调用方式是 {called}，而你的定义是 {exercise.name}{signature}。"))  # fmt: skip


def _settled(output):
    if inspect.isgenerator(output) or inspect.isasyncgen(output):
        raise Unfit(pick(en="It gives a generator, because it uses `yield`. Collect the values and `return` them.",
                         zh="函数里用了 `yield`，得到的是生成器。请把值收集起来，用 `return` 返回。"))  # fmt: skip
    if inspect.iscoroutine(output):
        output.close()
        raise Unfit(
            pick(en="It is an `async def`: write a plain `def`.", zh="这里用了 `async def`，请改用普通的 `def`。")
        )
    return plain(output)


def visible(case) -> list:
    """A case's arguments, as far as a change can be seen in them: other objects become the name of their type."""

    def seen(value):
        if isinstance(value, list):
            return [seen(part) for part in value]
        if isinstance(value, dict):
            return {key: seen(part) for key, part in value.items()}
        return value if value is None or isinstance(value, np.ndarray | str | bytes) else type(value).__name__

    return seen(plain([case.arguments, case.keywords]))


def unsuitable(exercise, answer) -> str | None:
    """Why an answer cannot even be tried, or None."""
    if exercise.use is not call:
        return None
    usage = f"{exercise.name}.check({exercise.name})"
    if inspect.isclass(answer):
        return pick(en=f"{answer.__name__} is a class; a function is wanted: def {exercise.name}(…).",
                    zh=f"{answer.__name__} 是类，这里需要函数：def {exercise.name}(…)。")  # fmt: skip
    if not callable(answer):
        return pick(en=f"The check wants the function itself, not what it returns: {usage}, without further parentheses.",
                    zh=f"检查需要函数本身，而不是它的返回值：写 {usage}，函数名后不要再加括号。")  # fmt: skip
    return None
