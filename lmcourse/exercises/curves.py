"""An exercise on reading curves: where one falls below a baseline."""

import numpy as np

from lmcourse.exercises.exercise import Case, exercise


def _a(*numbers):
    return np.array(numbers)


@exercise(
    minutes=6,
    task_en="Find the step at which a curve first falls below a baseline, read between the records.",
    task_zh="找出曲线首次降到基线以下的步数，在两次记录之间按直线估读。",
    cases=lambda: [
        Case(
            _a(0, 100, 200),
            _a(4.0, 3.0, 1.0),
            2.0,
            label_en="half-way between two",
            label_zh="两次记录正中间",
            expected=150.0,
        ),
        Case(_a(0, 10, 50, 90), _a(5.0, 4.0, 2.5, 2.0), 3.1, label_en="uneven records", label_zh="间隔不等的记录"),
        Case(
            _a(0, 10, 20, 30),
            _a(4.0, 2.9, 3.4, 2.0),
            3.0,
            label_en="below, above, below again",
            label_zh="先低，再高，又低",
        ),
        Case(_a(0, 10, 20), _a(4.0, 3.0, 2.5), 2.0, label_en="never", label_zh="从未低于", expected=np.inf),
        Case(
            _a(5, 10, 20), _a(1.5, 1.2, 1.0), 2.0, label_en="from the beginning", label_zh="一开始就低于", expected=5.0
        ),
        Case(_a(0, 10, 20), _a(3.0, 2.0, 1.0), 2.0, label_en="one record equal to it", label_zh="有一次正好相等"),
        Case(
            _a(0, 10, 20, 40),
            _a(3.0, 2.0, 2.5, 1.0),
            2.0,
            label_en="touches it, rises again",
            label_zh="碰到之后又上升",
        ),
    ],
    hints=[
        (
            "Which is the first record below? The crossing lies between it and the one before; there may be none before, or none below.",
            "第一个低于基线的记录是哪个？交点在它和前一个之间；也可能没有前一个，或者根本没有低于基线的。",
        ),
        (
            "`np.flatnonzero(bits < baseline)` lists the records below. Return `np.inf` if it is empty, the first step if it begins with 0.",
            "`np.flatnonzero(bits < baseline)` 列出低于基线的记录。列表为空就返回 `np.inf`，首项为 0 就返回第一个步数。",
        ),
        (
            "The share of the way is `(bits[i - 1] - baseline) / (bits[i - 1] - bits[i])`.",
            "走过的比例是 `(bits[i - 1] - baseline) / (bits[i - 1] - bits[i])`。",
        ),
    ],
)
def crossing(steps, bits, baseline):
    """The step at which a curve first falls below a baseline, on a straight line between two records.

    steps: (n,) rising; bits: (n,); baseline: a number. Returns a float: np.inf for never, steps[0] if it begins below.
    """
    below = np.flatnonzero(bits < baseline)
    if len(below) == 0:
        return np.inf
    i = below[0]
    if i == 0:
        return steps[0]
    share = (bits[i - 1] - baseline) / (bits[i - 1] - bits[i])
    return steps[i - 1] + share * (steps[i] - steps[i - 1])


@crossing.mistake(
    en="This is the first record below. The crossing lies between it and the one before.",
    zh="这是第一个低于基线的记录。交点在它和前一个记录之间。",
)
def takes_the_record(steps, bits, baseline):
    below = np.flatnonzero(bits < baseline)
    return float(steps[below[0]]) if len(below) else np.inf


@crossing.mistake(
    en="A curve that never gets there has no crossing: np.inf, not the last step.",
    zh="曲线始终没有降到基线，就没有交点：应返回 np.inf，而不是最后一步。",
)
def ends_with_the_run(steps, bits, baseline):
    found = crossing(steps, bits, baseline)
    return found if np.isfinite(found) else float(steps[-1])


@crossing.mistake(
    en="np.interp needs values that rise; turned round, a curve that falls, rises and falls again still misleads it.",
    zh="np.interp 要求数值递增；把曲线倒过来，遇到先降、再升、又降的曲线仍会出错。",
)
def by_interp(steps, bits, baseline):
    if bits.min() >= baseline:
        return np.inf
    return float(np.interp(baseline, bits[::-1], steps[::-1]))


@crossing.right
def step_by_step(steps, bits, baseline):
    if bits[0] < baseline:
        return steps[0]
    for i in range(1, len(bits)):
        if bits[i] < baseline:
            return np.interp(baseline, bits[[i, i - 1]], steps[[i, i - 1]])
    return np.inf


@crossing.right
def by_argmax(steps, bits, baseline):
    below = np.r_[bits, -np.inf] < baseline
    i = int(np.argmax(below))
    if i in (0, len(bits)):
        return float(steps[0]) if i == 0 else float("inf")
    slope = (steps[i] - steps[i - 1]) / (bits[i] - bits[i - 1])
    return steps[i] + (baseline - bits[i]) * slope
