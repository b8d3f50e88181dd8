"""Exercises on what depth leaves to measure: units that died, and the gain for which no theory was given."""

import numpy as np

from lmcourse.exercises.exercise import Case, exercise


def _random(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape)


@exercise(
    minutes=3,
    task_en="Return the share of units that are zero for every example.",
    task_zh="返回对所有样本输出都为零的单元所占的比例。",
    cases=lambda: [
        Case(
            np.array([[0.0, 1.0, 0.0, 2.0], [0.0, 0.0, 0.0, 1.0]]),
            label_en="two of four units",
            label_zh="四个单元中的两个",
            expected=0.5,
        ),
        Case(np.maximum(_random(3, 8), 0), label_en="few examples, many zeros", label_zh="样本少，零很多"),
        Case(np.zeros((4, 5)), label_en="all dead", label_zh="全部失活", expected=1.0),
        Case(np.eye(4), label_en="each unit alive once", label_zh="每个单元活过一次", expected=0.0),
        Case(np.maximum(_random(1, 10), 0), label_en="one example", label_zh="一个样本"),
    ],
    hints=[
        (
            "A zero for one image is what a ReLU is for. When is a unit beyond saving?",
            "对某一张图输出零，正是 ReLU 该做的。什么时候一个单元才算没救了？",
        ),
        (
            "`(h == 0).all(axis=0)` says it for each unit; its mean is a share.",
            "`(h == 0).all(axis=0)` 对每个单元作答，再取平均就是比例。",
        ),
    ],
)
def dead_share(h):
    """The share of dead units. h: (examples, units), activations after a ReLU. Returns a number from 0 to 1."""
    return (h == 0).all(axis=0).mean()


@dead_share.mistake(
    en="This is the share of zeros. About half of a healthy ReLU's outputs are zero; a dead unit is zero for every example.",
    zh="这是零的比例。健康的 ReLU 约一半输出为零；失活的单元是对所有样本都为零。",
)
def share_of_zeros(h):
    return (h == 0).mean()


@dead_share.mistake(
    en="This counts units that are zero for at least one example, and that is nearly all of them.",
    zh="这里数的是至少对一个样本为零的单元，那几乎是全部。",
)
def zero_once(h):
    return (h == 0).any(axis=0).mean()


@dead_share.mistake(
    en="The axes are the wrong way round: this counts examples for which all units are silent.",
    zh="轴弄反了：这里数的是让所有单元都沉默的样本。",
)
def silent_examples(h):
    return (h == 0).all(axis=1).mean()


@dead_share.right
def by_maximum(h):
    return np.mean(np.abs(h).max(axis=0) == 0)


@dead_share.right
def by_loop(h):
    return sum(not column.any() for column in h.T) / h.shape[1]


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
