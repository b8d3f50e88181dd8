"""Lesson 2.2, second part: the gradient of a batch, and learning rates judged by the losses they leave."""

import math

import numpy as np

from lmcourse.exercises.activations import sigmoid
from lmcourse.exercises.exercise import Case, exercise, prop
from lmcourse.exercises.losses import binary_cross_entropy


def _data(n=6, d=3, seed=0):
    random = np.random.default_rng(seed)
    return random.normal(size=d), random.normal(size=(n, d)), random.integers(0, 2, n)


def _slope(f, theta: np.ndarray, step: float = 1e-5) -> np.ndarray:
    """Central differences of a function of a vector."""
    return np.array([(f(theta + step * e) - f(theta - step * e)) / (2 * step) for e in np.eye(len(theta))])


def _equals_difference(f) -> bool:
    theta, x, y = _data(seed=3)
    return np.allclose(
        f(theta, x, y), _slope(lambda t: binary_cross_entropy.reference(x @ t, y).mean(), theta), atol=1e-8
    )


@exercise(
    minutes=6,
    task_en="Write the gradient of the mean cross-entropy of a batch with respect to θ.",
    task_zh="写出一批样本的平均交叉熵对 θ 的梯度。",
    cases=lambda: [
        Case(np.arange(1, 11) / 10, np.arange(1.0, 11)[None], np.array([0]), expected=np.arange(1.0, 11), label_en="the article's example, y = 0", label_zh="文章的例子，y = 0"),
        Case(np.arange(1, 11) / 10, np.arange(1.0, 11)[None], np.array([1]), expected=np.zeros(10), label_en="the article's example, y = 1", label_zh="文章的例子，y = 1"),
        Case(np.zeros(2), np.array([[2.0, 4.0], [0.0, 8.0]]), np.array([1, 0]), expected=[-0.5, 1.0], label_en="by hand", label_zh="手算"),
        Case(*_data(), label_en="six examples", label_zh="六个样本"),
        Case(*_data(5, 5, seed=1), label_en="as many examples as features", label_zh="样本数等于特征数"),
    ],
    properties=[prop(_equals_difference, en="It equals the finite differences of the mean loss.", zh="它等于平均损失的有限差分。")],
    hints=[
        ("For one example, how much does the loss change with z, and z with each θ? Then take the mean over the examples.",
         "对一个样本：损失随 z 变化多少？z 随每个 θ 变化多少？然后对样本取平均。"),
        ("∂L/∂z = ŷ − y, shape (n,), and ∂z/∂θ = x. The sum over examples is a matrix product with x transposed.",
         "∂L/∂z = ŷ − y，形状 (n,)；∂z/∂θ = x。对样本求和就是与 x 的转置做矩阵乘法。"),
        ("`x.T @ (sigmoid(x @ theta) - y)`, and divide by the number of examples.", "`x.T @ (sigmoid(x @ theta) - y)`，再除以样本数。"),
    ],
)  # fmt: skip
def gradient(theta, x, y):
    """Of the mean cross-entropy of sigmoid(x @ theta). theta: (d,); x: (n, d); y: (n,) of 0 and 1. Returns (d,)."""
    return x.T @ (sigmoid(x @ theta) - y) / len(y)


@gradient.mistake(en="The sign is opposite: the error is ŷ − y.", zh="符号反了：误差是 ŷ − y。")
def opposite(theta, x, y):
    return x.T @ (y - sigmoid(x @ theta)) / len(y)


@gradient.mistake(
    en="This is the gradient of the sum. The mean loss divides by the number of examples.",
    zh="这是总和的梯度。平均损失要除以样本数。",
)
def of_the_sum(theta, x, y):
    return x.T @ (sigmoid(x @ theta) - y)


@gradient.mistake(
    en="The factor ŷ(1 − ŷ) belongs to the squared error. In the cross-entropy it cancels against the derivative of the logarithm.",
    zh="因子 ŷ(1 − ŷ) 属于平方误差。在交叉熵里，它与对数的导数约掉了。",
)
def as_for_squares(theta, x, y):
    p = sigmoid(x @ theta)
    return x.T @ ((p - y) * p * (1 - p)) / len(y)


@gradient.mistake(
    en="The sigmoid is missing: z itself is compared with the label.", zh="漏了 sigmoid：这里拿 z 直接与标签相减。"
)
def without_sigmoid(theta, x, y):
    return x.T @ (x @ theta - y) / len(y)


@gradient.right
def by_einsum(theta, x, y):
    return np.einsum("nd,n->d", x, sigmoid(np.einsum("nd,d->n", x, theta)) - y) / x.shape[0]


@gradient.right
def by_examples(theta, x, y):
    return np.mean(
        [(float(sigmoid(np.dot(row, theta))) - label) * row for row, label in zip(x, y, strict=True)], axis=0
    )


@exercise(
    minutes=6,
    task_en="Pick the rate with the lowest last loss among those whose loss never rises.",
    task_zh="在损失从不上升的学习率中，选最后损失最低的。",
    cases=lambda: [
        Case({0.1: [1.0, 0.8, 0.7], 1.0: [1.0, 0.5, 0.3], 9.0: [1.0, 2.0, 3.0]}, expected=1.0, label_en="three rates", label_zh="三个学习率"),
        Case({1.0: [1.0, 3.0, 0.1], 0.1: [1.0, 0.8, 0.7]}, expected=0.1, label_en="low in the end, after a rise", label_zh="上升过，最后却很低"),
        Case({0.1: [1.0, 0.9], 1.0: [1.0, math.nan], 5.0: [1.0, math.inf]}, expected=0.1, label_en="NaN and infinity", label_zh="NaN 和无穷大"),
        Case({0.1: [1.0, 0.4, 0.4], 2.0: [1.0, 0.5, 0.45]}, expected=0.1, label_en="the largest is not the best", label_zh="最大的不是最好的"),
        Case({0.3: [2.0, 1.0], 0.5: [2.0, 1.5, 1.2]}, expected=0.3, label_en="other lengths", label_zh="长度不同"),
        Case({0.2: [1.0, 0.5, 0.45], 0.1: [1.0, 0.8, 0.2]}, expected=0.1, label_en="slow at first", label_zh="起步慢"),
        Case({0.1: [9.0, 5.0], 1.0: [3.0, 2.5], 2.0: [1.0, 2.0]}, expected=1.0, label_en="other starts", label_zh="起点不同"),
        Case({3.0: [1.0, 0.2, 0.9, 0.05], 0.2: [1.0, 0.6, 0.5, 0.4], 0.1: [1.0, 0.9, 0.8, 0.7]}, expected=0.2, label_en="a rise in the middle", label_zh="中途上升"),
    ],
    hints=[
        ("Two questions for each rate: did its loss ever rise, and where did it end?", "对每个学习率问两件事：损失上升过吗？最后到了哪里？"),
        ("Pairs of neighbours come from `zip(losses, losses[1:])`. A comparison with NaN is always False: which way round does that help you?",
         "相邻两项可用 `zip(losses, losses[1:])`。与 NaN 比较永远是 False：怎样写才能利用这一点？"),
    ],
)  # fmt: skip
def best_rate(curves):
    """The rate with the lowest last loss among those whose loss never rises; at least one does not.

    curves: dict, learning rate → list of losses, one a step.
    """
    falling = [rate for rate, losses in curves.items() if all(b <= a for a, b in zip(losses, losses[1:], strict=False))]
    return min(falling, key=lambda rate: curves[rate][-1])


@best_rate.mistake(
    en="This rate ends lowest, but its loss rose on the way: it was luck. Keep only rates whose loss never rises.",
    zh="它最后最低，但途中上升过：那是运气。只留下损失从不上升的学习率。",
)
def lowest_in_the_end(curves):
    return min(curves, key=lambda rate: curves[rate][-1] if curves[rate][-1] == curves[rate][-1] else math.inf)


@best_rate.mistake(
    en="This is the largest rate that never rises. A smaller one may have come further.",
    zh="这是从不上升的最大学习率。更小的也许走得更远。",
)
def largest_falling(curves):
    return max(rate for rate, losses in curves.items() if all(b <= a for a, b in zip(losses, losses[1:], strict=False)))


@best_rate.mistake(
    en="Only the first and the last loss are compared: a rise in between is missed.",
    zh="这里只比较首尾两个损失：中间的上升漏掉了。",
)
def first_and_last(curves):
    falling = [rate for rate, losses in curves.items() if losses[-1] <= losses[0]]
    return min(falling, key=lambda rate: curves[rate][-1])


@best_rate.mistake(
    en="A loss that stays where it is has not risen: such a rate counts too.",
    zh="损失保持不变不算上升：这样的学习率也应算在内。",
)
def strictly_falling(curves):
    falling = [rate for rate, losses in curves.items() if all(b < a for a, b in zip(losses, losses[1:], strict=False))]
    return min(falling, key=lambda rate: curves[rate][-1])


@best_rate.mistake(
    en="This is the rate whose loss fell furthest. Where the curves start does not matter, only where they end.",
    zh="这是下降幅度最大的学习率。起点高低无关，只看最后的损失。",
)
def largest_drop(curves):
    falling = [rate for rate, losses in curves.items() if all(b <= a for a, b in zip(losses, losses[1:], strict=False))]
    return max(falling, key=lambda rate: curves[rate][0] - curves[rate][-1])


@best_rate.mistake(
    en="NaN slips through: `b > a` is False for NaN, so its curve seems never to rise. Ask whether all b <= a.",
    zh="NaN 混过去了：b 是 NaN 时 `b > a` 为 False，于是它似乎从不上升。要问是否都有 b <= a。",
)
def lets_nan_pass(curves):
    falling = [
        rate for rate, losses in curves.items() if not any(b > a for a, b in zip(losses, losses[1:], strict=False))
    ]
    return sorted(falling, key=lambda rate: (curves[rate][-1] == curves[rate][-1], curves[rate][-1]))[0]


@best_rate.right
def by_differences(curves):
    falling = {losses[-1]: rate for rate, losses in curves.items() if np.all(np.diff(losses) <= 0)}
    return falling[min(falling)]


@best_rate.right
def by_sorting(curves):
    falling = [
        (losses[-1], rate)
        for rate, losses in curves.items()
        if list(losses) == sorted(losses, reverse=True) and math.isfinite(losses[-1])
    ]
    return sorted(falling)[0][1]
