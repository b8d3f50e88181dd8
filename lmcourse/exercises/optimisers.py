"""Exercises and questions on update rules: momentum, RMSProp, Adam, each as Keras computes it."""

import numpy as np

from lmcourse.exercises.exercise import Case, exercise
from lmcourse.exercises.question import choice, number

first_step = number(
    en="Adam's very first step with rate 0.01: one weight has the slope 1000, another 0.001. How far does the second one move?",
    zh="Adam 的第一步，学习率 0.01：一个权重的斜率是 1000，另一个是 0.001。后者移动多远？",
    answer=0.01,
    tolerance=0.0005,
    because_en="As far as the first: 0.01. In step one the average of slopes is the slope and the average of squares its square, "
    "so that their quotient is ±1. (The ε takes three thousandths off the second one.) Adam looks at signs and steadiness, hardly at sizes: the rate is the length of a step.",
    because_zh="和前者一样远：0.01。第一步时，斜率的平均就是斜率本身，平方的平均就是它的平方，相除得 ±1（ε 让后者短了千分之三）。"
    "Adam 看的是符号和稳定性，几乎不看大小：学习率就是步长。",
)

largest_rate = number(
    en="In the narrow valley, start at (−2.5, 1), noise 0: find with the slider the largest rate at which plain gradient descent still comes to rest.",
    zh="狭长山谷，起点（−2.5，1），噪声为 0：用滑块找出普通梯度下降仍能安定下来的最大学习率。",
    answer=0.08,
    tolerance=0.004,
    because_en="Across the valley the curvature is λ = 25, and a step multiplies y by 1 − rate · 25. Its size stays below 1 "
    "as long as the rate is below 2/25 = 0.08. Along the valley, where the curvature is 1, that rate is needlessly small: the dilemma of plain descent. Momentum allows 2 · (1 + 0.9)/25 = 0.152, nearly twice as much.",
    because_zh="横穿山谷方向的曲率是 λ = 25，每一步把 y 乘以 1 − 学习率 · 25。只有学习率小于 2/25 = 0.08，它的绝对值才小于 1。"
    "而沿山谷方向曲率只有 1，这个学习率又小得没有必要：这就是普通下降法的两难。动量的上限是 2 · (1 + 0.9)/25 = 0.152，将近两倍。",
)

race_winner = choice(
    en="Each rule gets the rate that suits it best on the validation set. Which has the best test accuracy on the digits?",
    zh="每种方法都用在验证集上最合适的学习率。哪一种在数字测试集上的准确率最高？",
    options=[
        ("Adam or AdamW, by two points or more", "Adam 或 AdamW，领先两个百分点以上"),
        ("Momentum, by two points or more", "动量，领先两个百分点以上"),
        ("Plain gradient descent is two points or more behind all others", "普通梯度下降落后其他方法两个百分点以上"),
        ("No difference that these test images could show", "没有这些测试图片能分辨的差别"),
    ],
    answer=3,
    because_en="With 360 test images an accuracy is uncertain by about two points, and the rules differ by less. What differs much is the range of "
    "rates that work, and how soon the loss is down. Comparisons in which one rule was tuned and the other was not show tuning.",
    because_zh="只有 360 张测试图片时，准确率有约两个百分点的不确定，几种方法的差别比这还小。真正差得多的，是能用的学习率范围，"
    "以及损失多快降下来。一方调过参、另一方没调的比较，比的是调参。",
)


def _random(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape)


@exercise(
    minutes=5,
    task_en="One step of gradient descent with momentum, in Keras's form.",
    task_zh="带动量的梯度下降走一步，用 Keras 的写法。",
    cases=lambda: [
        Case(np.array([1.0]), np.array([0.5]), np.array([2.0]), 0.1, label_en="one weight", label_zh="一个权重",
             expected=(np.array([1.25]), np.array([0.25]))),
        Case(_random(5), 0.0, _random(5, seed=1), 0.01, label_en="the first step", label_zh="第一步"),
        Case(_random(5), _random(5, seed=2), np.zeros(5), 0.01, label_en="on flat ground", label_zh="平地上"),
        Case(_random(2, 3), _random(2, 3, seed=1), _random(2, 3, seed=2), 0.5, beta=0.5, label_en="a matrix, another β", label_zh="矩阵，换一个 β"),
    ],
    hints=[
        ("Two lines: what becomes of the velocity, and what the new velocity does to the weights.", "两行：速度变成什么，新的速度怎样改变权重。"),
        ("The slope pulls against itself: the rate times the slope is subtracted from what is left of the velocity.", "斜率往反方向拉：从剩下的速度里减去学习率乘以斜率。"),
        ("`v = beta * v - rate * g`, then add v to w.", "`v = beta * v - rate * g`，然后把 v 加到 w 上。"),
    ],
)  # fmt: skip
def momentum(w, v, g, rate, beta=0.9):
    """One step with momentum: v ← β·v − rate·g, then w ← w + v.

    w: weights; v: velocity, an array like w, or 0 at the start; g: gradient. Returns the new w and the new v.
    """
    v = beta * v - rate * g
    return w + v, v


@momentum.mistake(
    en="This averages the slopes, with a factor 1 − β: steps of a tenth. A form that some books use; Keras's sums them.",
    zh="这里对斜率取了平均，多了因子 1 − β，步子只有十分之一。有些书这样写；Keras 是累加。",
)
def averages(w, v, g, rate, beta=0.9):
    v = beta * v - (1 - beta) * rate * g
    return w + v, v


@momentum.mistake(
    en="This walks uphill: v has the minus sign in it already, so it is added.",
    zh="这是在往上走：v 里已经有负号，应当加上它。",
)
def walks_uphill(w, v, g, rate, beta=0.9):
    v = beta * v - rate * g
    return w - v, v


@momentum.mistake(
    en="The weights move by the old velocity. First renew v, then move by it.",
    zh="权重按旧的速度移动了。先更新 v，再按它移动。",
)
def moves_by_the_old_one(w, v, g, rate, beta=0.9):
    return w + v, beta * v - rate * g


@momentum.mistake(
    en="v collects bare slopes here and the rate comes in later: PyTorch's form. In Keras's the rate and the minus sign are in v already.",
    zh="这里 v 累积的是原始斜率，移动时才乘学习率：这是 PyTorch 的写法。Keras 的 v 里已经包含学习率和负号。",
)
def as_in_pytorch(w, v, g, rate, beta=0.9):
    v = beta * v + g
    return w - rate * v, v


@momentum.mistake(
    en="The slope enters v with the wrong sign, and the weights walk uphill.",
    zh="斜率加进 v 时符号错了，权重在往上走。",
)
def adds_the_slope(w, v, g, rate, beta=0.9):
    v = beta * v + rate * g
    return w + v, v


@momentum.mistake(en="Two things are wanted: the new w and the new v.", zh="要返回两样：新的 w 和新的 v。")
def returns_no_velocity(w, v, g, rate, beta=0.9):
    return w + beta * v - rate * g


@momentum.right
def with_the_other_sign(w, v, g, rate, beta=0.9):
    u = rate * g - beta * v
    return w - u, -u


@momentum.right
def in_one_expression(w, v, g, rate, beta=0.9):
    return w + beta * v - rate * g, v * beta - g * rate


@exercise(
    minutes=5,
    task_en="One step of RMSProp, in Keras's form.",
    task_zh="RMSProp 走一步，用 Keras 的写法。",
    cases=lambda: [
        Case(np.array([1.0]), np.array([0.0]), np.array([2.0]), 0.1, label_en="the first step", label_zh="第一步",
             expected=(1 - 0.2 / np.sqrt(np.array([0.4 + 1e-7])), np.array([0.4]))),
        Case(_random(5), _random(5, seed=1) ** 2, _random(5, seed=2), 0.01, label_en="five weights", label_zh="五个权重"),
        Case(_random(3), 0.0, np.array([1e-4, 0.0, -1e-4]), 0.01, label_en="very small slopes", label_zh="很小的斜率"),
        Case(_random(2, 2), _random(2, 2, seed=1) ** 2, _random(2, 2, seed=2), 0.1, rho=0.5, label_en="another ρ", label_zh="换一个 ρ"),
        Case(_random(3), 1.0, _random(3, seed=4), 0.1, eps=0.5, label_en="a large ε", label_zh="较大的 ε"),
    ],
    hints=[
        ("The memory is an average of squares that forgets. How large is the share of the newest?", "记忆是一个会遗忘的平方平均。最新的一个占多大份额？"),
        ("Renew s first; then divide the slope by the root of what s has become.", "先更新 s，再把斜率除以更新后的 s 的平方根。"),
        ("`s = rho * s + (1 - rho) * g**2`; in Keras ε stands under the root.", "`s = rho * s + (1 - rho) * g**2`；在 Keras 里 ε 在根号下面。"),
    ],
)  # fmt: skip
def rmsprop(w, s, g, rate, rho=0.9, eps=1e-7):
    """One step of RMSProp: s ← ρ·s + (1 − ρ)·g², then w ← w − rate·g / √(s + ε).

    w: weights; s: average of squares, like w, or 0 at the start; g: gradient. Returns the new w and the new s.
    """
    s = rho * s + (1 - rho) * g**2
    return w - rate * g / np.sqrt(s + eps), s


@rmsprop.mistake(
    en="The root is missing: slopes twice as large would make steps half as long.",
    zh="漏了平方根：斜率大一倍，步长反而会减半。",
)
def without_the_root(w, s, g, rate, rho=0.9, eps=1e-7):
    s = rho * s + (1 - rho) * g**2
    return w - rate * g / (s + eps), s


@rmsprop.mistake(
    en="Squares are summed and never forgotten: that is AdaGrad, whose steps only ever get shorter.",
    zh="平方一直累加，从不遗忘：这是 AdaGrad，步长只会越来越短。",
)
def never_forgets(w, s, g, rate, rho=0.9, eps=1e-7):
    s = s + g**2
    return w - rate * g / np.sqrt(s + eps), s


@rmsprop.mistake(
    en="ε stands outside the root. Many books have it there; in Keras it is inside, which matters where slopes are tiny.",
    zh="ε 在根号外面。许多书是这样写的；Keras 放在根号里，斜率很小时两者差别明显。",
)
def epsilon_outside(w, s, g, rate, rho=0.9, eps=1e-7):
    s = rho * s + (1 - rho) * g**2
    return w - rate * g / (np.sqrt(s) + eps), s


@rmsprop.mistake(
    en="The slope is divided by the old s, which is zero in the first step. Renew s first.",
    zh="斜率除以的是旧的 s，第一步时它是零。要先更新 s。",
)
def divides_by_the_old_one(w, s, g, rate, rho=0.9, eps=1e-7):
    return w - rate * g / np.sqrt(s + eps), rho * s + (1 - rho) * g**2


@rmsprop.mistake(
    en="The shares are swapped: ρ, the larger one, belongs to the old average.",
    zh="两个份额对调了：较大的 ρ 属于旧的平均。",
)
def swaps_the_shares(w, s, g, rate, rho=0.9, eps=1e-7):
    return rmsprop.reference(w, s, g, rate, 1 - rho, eps)


@rmsprop.mistake(
    en="s must average squares; slopes themselves may be negative, and have no root.",
    zh="s 应当是平方的平均；斜率本身可能是负数，开不了平方根。",
)
def forgets_to_square(w, s, g, rate, rho=0.9, eps=1e-7):
    s = rho * s + (1 - rho) * g
    with np.errstate(invalid="ignore"):
        return w - rate * g / np.sqrt(s + eps), s


@rmsprop.mistake(
    en="ε is missing: where all slopes were zero, this is 0/0.", zh="漏了 ε：斜率一直为零的地方会出现 0/0。"
)
def without_epsilon(w, s, g, rate, rho=0.9, eps=1e-7):
    with np.errstate(invalid="ignore"):
        return rmsprop.reference(w, s, g, rate, rho, 0.0)


@rmsprop.right
def by_difference(w, s, g, rate, rho=0.9, eps=1e-7):
    s = s + (1 - rho) * (g * g - s)
    return w - (rate / (s + eps) ** 0.5) * g, s


@rmsprop.right
def by_reciprocal(w, s, g, rate, rho=0.9, eps=1e-7):
    new = (1 - rho) * np.square(g) + rho * np.asarray(s)
    return [w - rate * (g * (new + eps) ** -0.5), new]
