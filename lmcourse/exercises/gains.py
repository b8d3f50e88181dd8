"""An exercise on what depth leaves to measure: the gain for which no theory was given."""

import numpy as np

from lmcourse.exercises.exercise import Case, exercise


@exercise(
    minutes=6,
    task_en="Pick the gain that leaves the gradient's size closest to what it was, as a factor.",
    task_zh="选出让梯度大小（按倍数）变化最小的增益。",
    cases=lambda: [
        Case({1.0: 1e-6, 1.4: 0.5, 2.0: 1e5}, label_en="one good gain", label_zh="只有一个合适", expected=1.4),
        Case(
            {1.0: 0.01, 2.0: 50.0}, label_en="factors count, not differences", label_zh="看倍数，不看差", expected=2.0
        ),
        Case({1.0: 0.2, 1.5: 4.0, 2.0: 9.0}, label_en="too large by less", label_zh="偏大得更少", expected=1.5),
        Case({0.5: 0.9, 3.0: 1.2}, label_en="both fine", label_zh="两个都不错"),
        Case({1.0: 0.05, 2.0: 1.3, 3.0: 4.0}, label_en="a little too large", label_zh="略微偏大", expected=2.0),
        Case({1.0: 1e-30, 2.0: 1e-3, 3.0: 1e9}, label_en="far apart", label_zh="相差悬殊"),
    ],
    hints=[
        (
            "Is a hundredth closer to 1 than fifty is? On which scale are both equally far?",
            "百分之一比五十更接近 1 吗？在什么刻度上，放大和缩小同样倍数才算一样远？",
        ),
        ("Sort by `abs(np.log(ratio))`.", "按 `abs(np.log(ratio))` 来比。"),
    ],
)
def best_gain(measured):
    """The gain that changes the gradient's size least.

    measured: dict, gain → size of the gradient at the first layer divided by its size at the last. Returns a gain.
    """
    return min(measured, key=lambda gain: abs(np.log(measured[gain])))


@best_gain.mistake(
    en="Differences from 1 make a vanishing factor look good: 0.01 is only 0.99 away from 1, yet a hundred times too small. Compare logarithms.",
    zh="用与 1 之差来比，会让消失的梯度显得不错：0.01 离 1 只差 0.99，实际却小了一百倍。请比较对数。",
)
def by_difference(measured):
    return min(measured, key=lambda gain: abs(measured[gain] - 1))


@best_gain.mistake(
    en="This picks the largest gradient. Exploding is no better than vanishing.",
    zh="这里选了最大的梯度。爆炸并不比消失好。",
)
def the_largest(measured):
    return max(measured, key=measured.get)


@best_gain.mistake(
    en="This only takes ratios below 1. Slightly too large is as good as slightly too small.",
    zh="这里只考虑小于 1 的比值。略大一点和略小一点同样好。",
)
def the_largest_below_one(measured):
    return max((gain for gain in measured if measured[gain] <= 1), key=measured.get)


@best_gain.mistake(
    en="This returns the ratio; the gain that led to it is asked for.",
    zh="这里返回的是比值；要的是得到它的增益。",
)
def the_ratio(measured):
    return min(measured.values(), key=lambda ratio: abs(np.log(ratio)))


@best_gain.right
def by_worse_side(measured):
    return min(measured, key=lambda gain: max(measured[gain], 1 / measured[gain]))


@best_gain.right
def by_sorting(measured):
    return sorted((abs(np.log10(ratio)), gain) for gain, ratio in measured.items())[0][1]
