"""An exercise and questions on learning curves: what pretraining is worth, in labels."""

import numpy as np

from lmcourse.exercises.exercise import Case, exercise


@exercise(
    minutes=8,
    task_en="Turn a learning curve round: how many labels does it need to reach an accuracy?",
    task_zh="把学习曲线反过来读：要达到某个准确率，它需要多少标签？",
    cases=lambda: [
        Case(
            [100, 10_000],
            [0.6, 0.8],
            0.7,
            label_en="half way up, so half way on a logarithmic axis",
            label_zh="高度上的一半，也就是对数轴上的一半",
            expected=1000.0,
        ),
        Case([50, 200, 1000], [0.5, 0.7, 0.8], 0.7, label_en="at a point", label_zh="正好在一个点上"),
        Case([50, 200, 1000], [0.5, 0.7, 0.8], 0.73, label_en="between points", label_zh="在两点之间"),
        Case([50, 200, 1000], [0.5, 0.7, 0.8], 0.81, label_en="never reached", label_zh="始终达不到"),
        Case([50, 200, 1000], [0.5, 0.7, 0.8], 0.8, label_en="reached at the last point", label_zh="最后一点才达到"),
        Case(
            [50, 200, 1000],
            [0.5, 0.7, 0.8],
            0.4,
            label_en="reached before the first point",
            label_zh="第一点之前就达到了",
        ),
    ],
    hints=[
        (
            "Which is known here and which is sought? On a plot with labels to the right and accuracy upwards, you come from the left side.",
            "这里已知的是什么，要求的是什么？图上横轴是标签数，纵轴是准确率，你要从纵轴出发去找横轴。",
        ),
        (
            "`np.interp(reached, accuracies, …)` reads between points. Give it logarithms of the counts, and undo the logarithm at the end.",
            "`np.interp(reached, accuracies, …)` 在点与点之间插值。交给它标签数的对数，最后再还原。",
        ),
        (
            "`np.interp` never goes beyond the last point, so ask first whether `reached > accuracies[-1]`.",
            "`np.interp` 不会越过最后一点，所以先问 `reached > accuracies[-1]` 是否成立。",
        ),
    ],
)
def worth(counts, accuracies, reached):
    """How many labels a learning curve needs to reach an accuracy, read between its points on a logarithmic axis.

    counts, accuracies: n numbers each, both rising; reached: an accuracy.
    Returns a number: counts[0] when the first point is already there, infinity when even the last is not.
    """
    if reached > accuracies[-1]:
        return np.inf
    return 10 ** np.interp(reached, accuracies, np.log10(counts))


@worth.mistake(
    en="An accuracy that the curve never reaches costs infinitely many labels; this claims that the last count is enough.",
    zh="曲线始终达不到的准确率，要无穷多标签；这里却说最后那个数就够了。",
)
def never_gives_up(counts, accuracies, reached):
    return 10 ** np.interp(reached, accuracies, np.log10(counts))


@worth.mistake(
    en="This reads on a linear axis. From 100 to 10,000 labels half the gain comes in the first 900: interpolate the logarithms.",
    zh="这是在线性轴上读的。从 100 到 10,000 个标签，一半的收益出在头 900 个：要对对数插值。",
)
def on_a_linear_axis(counts, accuracies, reached):
    return np.inf if reached > accuracies[-1] else np.interp(reached, accuracies, counts)


@worth.mistake(
    en="The logarithm has not been undone: 3 stands for 1,000 labels.",
    zh="对数没有还原：3 代表的是 1,000 个标签。",
)
def keeps_the_logarithm(counts, accuracies, reached):
    return np.inf if reached > accuracies[-1] else np.interp(reached, accuracies, np.log10(counts))


@worth.mistake(
    en="This takes the first point at or above the accuracy. Read between the points.",
    zh="这里取了第一个不低于该准确率的点。要在点与点之间读。",
)
def takes_the_next_point(counts, accuracies, reached):
    return next((n for n, a in zip(counts, accuracies, strict=True) if a >= reached), np.inf)


@worth.right
def by_natural_logarithms(counts, accuracies, reached):
    found = np.interp(reached, accuracies, np.log(counts), right=np.inf)
    return np.exp(found)


@worth.right
def by_hand(counts, accuracies, reached):
    if reached <= accuracies[0]:
        return float(counts[0])
    for i in range(1, len(counts)):
        if reached <= accuracies[i]:
            share = (reached - accuracies[i - 1]) / (accuracies[i] - accuracies[i - 1])
            return counts[i - 1] * (counts[i] / counts[i - 1]) ** share
    return float("inf")
