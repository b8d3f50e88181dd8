"""Answers that do harm by accident, each with words that its verdict must hold. `double` is the exercise they pretend to solve."""

import sys

import numpy as np

from lmcourse.exercises.exercise import Case, exercise


@exercise(
    minutes=1,
    task_en="Double it.",
    task_zh="乘以二。",
    cases=lambda: [
        Case(np.array([1.0, 2.0])),
        Case(np.arange(6.0).reshape(2, 3), label_en="a table", label_zh="一张表"),
    ],
    hints=[("Twice.", "两倍。")],
    seconds=0.5,
)
def double(x):
    """Twice `x`."""
    return 2 * x


def endless_loop(x):
    while True:
        x = x + 1


def loop_that_swallows_everything(x):
    while True:
        try:  # noqa: SIM105
            x = x + 1
        except:  # noqa: E722
            pass


def loop_that_swallows_in_its_sleep(x):
    import time

    while True:
        try:
            time.sleep(100)
        except BaseException:
            continue


def catches_and_answers(x):
    try:
        while True:
            pass
    except BaseException:
        return 2 * x


def long_sleep(x):
    import time

    time.sleep(1000)


def asks(x):
    return float(input("x?")) * 2


def reads_standard_input(x):
    import sys

    return 2 * float(sys.stdin.readline())


def runaway_recursion(x):
    return runaway_recursion(x) + 1


def raised_recursion_limit(x):
    import sys

    sys.setrecursionlimit(10**8)

    def deeper(x):
        return deeper(x) + 1

    return deeper(x)


def leaves(x):
    import sys

    sys.exit(3)


def quits(x):
    exit()


def interrupts(x):
    raise KeyboardInterrupt


def raises_a_base_exception(x):
    raise BaseException("all the way up")


def growing_list(x):
    kept = []
    while True:
        kept.append(np.zeros(10**8))


def giant_array(x):
    return np.zeros((10**5, 5 * 10**5)) + x


def prints_without_end(x):
    while True:
        print("again and again", x)


def prints_megabytes(x):
    print("abc " * 10**6)
    return 2 * x


def closes_the_output(x):
    import sys

    sys.stdout.close()
    return 2 * x


def changes_its_input(x):
    x *= 2
    return x


def seeds_numpy(x):
    np.random.seed(0)
    return 2 * x


def draws_from_python(x):
    import random

    return 2 * x + 0 * random.random()


def warns(x):
    import warnings

    warnings.warn("mind the step", stacklevel=2)
    return 2 * x


def turns_warnings_into_errors(x):
    import warnings

    warnings.simplefilter("error")
    np.seterr(all="raise")
    return 2 * x


def not_a_number(x):
    return np.log(-x)


def generator(x):
    yield 2 * x


def endless_generator(x):
    import itertools

    return (2 * x for _ in itertools.count())


async def coroutine(x):
    return 2 * x


def wrong_arity(x, y, z):
    return 2 * x


class AClass:
    def __init__(self, x):
        self.x = 2 * x


def forgets_to_return(x):
    x = 2 * x


def returns_a_function(x):
    return lambda: 2 * x


def list_that_holds_itself(x):
    made = []
    made.append(made)
    return made


def unprintable(x):
    class Shy:
        def __repr__(self):
            raise RuntimeError("no")

    return Shy()


def unprintable_exception(x):
    class ShyError(Exception):
        def __str__(self):
            raise RuntimeError("no")

    raise ShyError


def markup(x):
    raise ValueError("<script>alert(1)</script>")


def divides_by_zero(x):
    return 1 / 0


def misspells(x):
    return 2 * xx  # noqa: F821


def rebinds_a_variable(x):
    global learner
    learner = x
    return 2 * x


def object_array(x):
    return np.array([None, "a"], dtype=object)


def ragged(x):
    return [[1.0], [2.0, 3.0]]


TOO_LONG = "did not end within 0.5 s"
EXPECTED = {
    endless_loop: TOO_LONG,
    loop_that_swallows_everything: TOO_LONG,
    loop_that_swallows_in_its_sleep: TOO_LONG,
    catches_and_answers: TOO_LONG,
    long_sleep: TOO_LONG,
    asks: "keyboard input",
    reads_standard_input: "ValueError",
    runaway_recursion: "calls itself without end",
    leaves: "ends the program",
    quits: "ends the program",
    interrupts: "interrupted",
    raises_a_base_exception: "all the way up",
    prints_without_end: TOO_LONG,
    prints_megabytes: "passed",
    closes_the_output: "passed",
    changes_its_input: "changes its input",
    seeds_numpy: "global random state",
    draws_from_python: "global random state",
    warns: "mind the step",
    turns_warnings_into_errors: "passed",
    not_a_number: "NaN or infinity",
    generator: "generator",
    endless_generator: "generator",
    coroutine: "async def",
    wrong_arity: "called as double(x), but yours is double(x, y, z)",
    AClass: "is a class",
    forgets_to_return: "`return` missing",
    returns_a_function: "an array expected, got function",
    list_that_holds_itself: "not yet",
    unprintable: "an array expected, got Shy",
    unprintable_exception: "ShyError",
    markup: "<script>",
    divides_by_zero: "ZeroDivisionError: division by zero",
    misspells: "name 'xx' is not defined",
    rebinds_a_variable: "changes the variables learner",
    object_array: "not yet",
    ragged: "not yet",
}
if sys.platform.startswith("linux"):
    EXPECTED |= {
        growing_list: "more memory",
        giant_array: "more memory",
        raised_recursion_limit: "calls itself without end",
    }
learner = "untouched"
