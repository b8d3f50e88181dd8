"""Exercises on reading results: how far a score on few questions can be trusted, from which layer on an answer stands."""

import numpy as np

from lmcourse.exercises.exercise import Case, exercise, prop


@exercise(
    minutes=6,
    task_en="Write Wilson's interval for a share of right answers.",
    task_zh="写出正确率的 Wilson 区间。",
    cases=lambda: [
        # authority: scipy.stats.binomtest(12, 48).proportion_ci(method="wilson") and so on
        Case(12, 48, label_en="12 of 48", label_zh="48 道对 12 道", expected=(0.1492063, 0.3878437)),
        Case(10, 10, label_en="all right", label_zh="全对", expected=(0.7224672, 1.0)),
        Case(0, 20, label_en="none right", label_zh="全错", expected=(0.0, 0.1611252)),
        Case(38, 48, label_en="38 of 48", label_zh="48 道对 38 道"),
        Case(1, 2, 1.0, label_en="another z", label_zh="另一个 z"),
    ],
    tolerance=1e-4,  # the authority's z is 1.959964
    properties=[
        prop(
            lambda f: np.diff(f(25, 100))[0] > 1.9 * np.diff(f(100, 400))[0],
            en="Four times the questions halve the width, nearly.",
            zh="题目多到四倍，宽度差不多减半。",
        )
    ],
    hints=[
        (
            "Three pieces, each one line: the centre, the half width, the two ends. The centre is not the share itself.",
            "分三步，各一行：中心、半宽、两端。中心并不是正确率本身。",
        ),
        (
            "Centre and half width have the same denominator, `1 + z**2 / n`.",
            "中心和半宽的分母相同，都是 `1 + z**2 / n`。",
        ),
        (
            "Under the root stand `p * (1 - p) / n + z**2 / (4 * n**2)`; the root is multiplied by z.",
            "根号下是 `p * (1 - p) / n + z**2 / (4 * n**2)`，根号外还要乘 z。",
        ),
    ],
)
def wilson(right, n, z=1.96):
    """The interval that holds the true share of right answers with 95 % confidence (for z = 1.96).

    right: how many of n answers were right. Returns (low, high).
    """
    p = right / n
    centre = (p + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z * np.sqrt(p * (1 - p) / n + z**2 / (4 * n**2)) / (1 + z**2 / n)
    return centre - half, centre + half


def _parts(right, n, z, extra=True):
    """The share, what its centre is moved by, the half width (both not yet divided), and what divides them."""
    p = right / n
    return p, z**2 / (2 * n), z * np.sqrt(p * (1 - p) / n + extra * z**2 / (4 * n**2)), 1 + z**2 / n


def _around(middle, half):
    return middle - half, middle + half


@wilson.mistake(
    en="That is the textbook's p ± z·√(p(1 − p)/n): when all answers are right it has no width at all, as if ten questions proved perfection.",
    zh="这是教科书上的 p ± z·√(p(1 − p)/n)：全对时宽度为零，好像十道题就能证明完美。",
)
def from_the_textbook(right, n, z=1.96):
    p, _, half, _ = _parts(right, n, z, extra=False)
    return _around(p, half)


@wilson.mistake(
    en="The interval is centred at p. Wilson's centre moves towards ½, the more the fewer the questions.",
    zh="区间以 p 为中心了。Wilson 的中心会向 ½ 移动，题目越少移得越多。",
)
def centred_at_p(right, n, z=1.96):
    p, _, half, below = _parts(right, n, z)
    return _around(p, half / below)


@wilson.mistake(
    en="The half width is not divided by 1 + z²/n.",
    zh="半宽没有除以 1 + z²/n。",
)
def not_shrunk(right, n, z=1.96):
    p, lift, half, below = _parts(right, n, z)
    return _around((p + lift) / below, half)


@wilson.mistake(
    en="Under the root the second term, z²/(4n²), is missing: with all answers right the interval is a point.",
    zh="根号下少了第二项 z²/(4n²)：全对时区间缩成一点。",
)
def term_missing(right, n, z=1.96):
    p, lift, half, below = _parts(right, n, z, extra=False)
    return _around((p + lift) / below, half / below)


@wilson.mistake(
    en="It always takes 1.96: use the argument z, which another confidence needs.",
    zh="它总是用 1.96：请用参数 z，换一个置信度时要用到。",
)
def fixed_z(right, n, z=1.96):
    p, lift, half, below = _parts(right, n, 1.96)
    return _around((p + lift) / below, half / below)


@wilson.mistake(
    en="Only the part after ± is divided by 1 + z²/n. The fraction's bar spans both: put brackets around centre ± half, or divide each.",
    zh="只有 ± 后面的部分除以了 1 + z²/n。分数线管的是整个分子：给 中心 ± 半宽 加括号，或者各除一次。",
)
def centre_not_divided(right, n, z=1.96):
    p, lift, half, below = _parts(right, n, z)
    return _around(p + lift, half / below)


@wilson.mistake(
    en="Nothing is divided by 1 + z²/n: the whole numerator stands over it.",
    zh="没有除以 1 + z²/n：整个分子都在它上面。",
)
def not_divided(right, n, z=1.96):
    p, lift, half, _ = _parts(right, n, z)
    return _around(p + lift, half)


@wilson.mistake(
    en="`/ 2 * n` divides by 2 and then multiplies by n: write `/ (2 * n)`, and `/ (4 * n**2)` under the root.",
    zh="`/ 2 * n` 是先除以 2 再乘 n：要写 `/ (2 * n)`，根号下写 `/ (4 * n**2)`。",
)
def brackets_missing(right, n, z=1.96):
    p, lift, half, below = _parts(right, n, z)
    return _around((p + lift * n**2) / below, half / below)


@wilson.right
def by_quadratic(right, n, z=1.96):
    # the two p₀ with (p − p₀)² = z² p₀ (1 − p₀) / n
    p = right / n
    low, high = sorted(np.roots([1 + z**2 / n, -(2 * p + z**2 / n), p**2]).real)
    return low, high


@wilson.right
def by_counts(right, n, z=1.96):
    middle = (right + z**2 / 2) / (n + z**2)
    half = z / (n + z**2) * np.sqrt(right * (n - right) / n + z**2 / 4)
    return [middle - half, middle + half]


@exercise(
    minutes=5,
    task_en="Find the layer from which on the last layer's token stays ahead.",
    task_zh="找出从哪一层起，最后一层的词元一直领先。",
    cases=lambda: [
        Case(np.array([5, 9, 7, 7, 7]), label_en="settles early", label_zh="早早定下", expected=2),
        Case(np.array([7, 9, 7, 9, 9, 7]), label_en="comes and goes", label_zh="来而复去", expected=5),
        Case(np.array([3, 3, 3]), label_en="from the start", label_zh="从一开始", expected=0),
        Case(np.array([1, 2, 3, 4]), label_en="only at the end", label_zh="到最后才定", expected=3),
        Case(np.array([2, 8, 8, 2, 8, 8]), label_en="lost once", label_zh="丢过一次", expected=4),
    ],
    hints=[
        (
            "An early lead counts for nothing if it is lost again. From which end is it easier to look?",
            "早先领先，后来又丢了，就不算。从哪一头看更容易？",
        ),
        ("Walk back from the last layer while the layer before has the same token.", "从最后一层往回走，只要前一层的词元相同就继续。"),
        ("`while layer > 0 and winners[layer - 1] == winners[-1]:`", "`while layer > 0 and winners[layer - 1] == winners[-1]:`"),
    ],
)  # fmt: skip
def settles(winners):
    """The first layer from which on the last layer's token is the winner without a break.

    winners: (layers + 1,) token ids, the likeliest token read after each layer. Returns an index, from 0.
    """
    layer = len(winners) - 1
    while layer > 0 and winners[layer - 1] == winners[-1]:
        layer -= 1
    return layer


@settles.mistake(
    en="This is where the token is ahead for the first time; it may be overtaken later.",
    zh="这是它第一次领先的地方，后来可能又被超过。",
)
def first_lead(winners):
    return int(np.argmax(np.asarray(winners) == winners[-1]))


@settles.mistake(
    en="One too early: that layer still prefers another token.",
    zh="早了一层：那一层还偏向别的词元。",
)
def last_other(winners):
    others = np.flatnonzero(np.asarray(winners) != winners[-1])
    return int(others[-1]) if len(others) else 0


@settles.mistake(
    en="This counts the layers that agree, wherever they are. The question is from which layer on.",
    zh="这里数的是有多少层一致，不管在哪里。要问的是从哪一层起。",
)
def how_many(winners):
    return int(np.sum(np.asarray(winners) == winners[-1]))


@settles.right
def by_others(winners):
    others = np.flatnonzero(np.asarray(winners) != winners[-1])
    return int(others[-1]) + 1 if len(others) else 0


@settles.right
def by_search(winners):
    winners = list(winners)
    return next(i for i in range(len(winners)) if set(winners[i:]) == {winners[-1]})
