"""Lesson 2.1, second half: what slopes do to a network. Questions for the explorer, dead units, a rate that spares them."""

import numpy as np

from lmcourse.exercises.exercise import Case, exercise, prop
from lmcourse.exercises.question import choice, number

tanh_of_fifty = choice(
    en="What does the article's formula, (e²ˣ − 1)/(e²ˣ + 1), give for x = 50 in float32?",
    zh="在 float32 中，按文章的公式 (e²ˣ − 1)/(e²ˣ + 1) 计算 x = 50，会得到什么？",
    options=[
        ("1, as it should", "1，结果正确"),
        ("0.9999999, one digit off", "0.9999999，差一位"),
        ("infinity", "无穷大"),
        ("NaN: not a number", "NaN：不是数"),
    ],
    answer=3,
    because_en="e¹⁰⁰ is more than float32 can hold, so it becomes ∞, and ∞/∞ is no number. The true value is 1 to 43 digits.",
    because_zh="e¹⁰⁰ 超出 float32 的范围，变成 ∞，而 ∞/∞ 不是数。真实值与 1 在前 43 位小数上都相同。",
)

flat_from = number(
    en="Drag the point to the right. From which x on is the sigmoid's slope below 0.01? (one decimal)",
    zh="把圆点向右拖。从哪个 x 起，sigmoid 的斜率小于 0.01？（保留一位小数）",
    answer=4.6,
    tolerance=0.1,
    because_en="At x = 4.6 the output is 0.99, and 0.99 × 0.01 is just below 0.01.",
    because_zh="x = 4.6 时输出为 0.99，而 0.99 × 0.01 略小于 0.01。",
)

balancing_weight = number(
    en="tanh, x = 1, 50 layers: which weight w keeps the product closest to 1? (one decimal)",
    zh="tanh，x = 1，50 层：权重 w 取多少，乘积最接近 1？（保留一位小数）",
    answer=2.4,
    tolerance=0.06,
    because_en="w must undo the slope: 1/tanh′(1) = 1/0.42 = 2.38. Take 2.1 and 50 layers leave two thousandths; take 2.7 and they multiply by over 500.",
    because_zh="w 要恰好抵消斜率：1/tanh′(1) = 1/0.42 = 2.38。取 2.1，50 层之后只剩千分之二；取 2.7，则放大 500 多倍。",
)

silu_lowest = number(
    en="Where is SiLU lowest? Drag until the tangent lies flat. (x, one decimal)",
    zh="SiLU 在哪里最低？拖到切线放平为止。（x，保留一位小数）",
    answer=-1.3,
    tolerance=0.06,
    because_en="At x = −1.28, where SiLU is −0.278. To the left of it the slope is negative: a larger input gives a smaller output.",
    because_zh="在 x = −1.28，那里 SiLU 的值是 −0.278。再往左斜率为负：输入变大，输出反而变小。",
)

ten_layer_winner = choice(
    en="Ten hidden layers of 64 units, Keras's defaults, ten epochs on real digits. Which network recognises most unseen digits?",
    zh="10 个隐藏层，每层 64 个单元，Keras 默认设置，在真实数字图像上训练 10 轮。哪个网络认对的新图像最多？",
    options=[("sigmoid", "sigmoid"), ("tanh", "tanh"), ("ReLU", "ReLU"), ("GELU", "GELU")],
    answer=1,
    because_en="tanh, with every seed we tried. Its slope near 0 is 1, and Keras's default initialisation was made for "
    "such curves; with one made for ReLU the gap shrinks (lesson 2.5 takes it up). GELU and ReLU learn as well; ten sigmoids do not.",
    because_zh="是 tanh，试过的每个种子都如此。它在 0 附近斜率为 1，而 Keras 的默认初始化正是为这类曲线设计的；换成为 ReLU 设计的"
    "初始化，差距会缩小（第 2.5 课再谈）。GELU 和 ReLU 也学得动，十层 sigmoid 学不动。",
)


@exercise(
    minutes=4,
    task_en="Write a function that gives the share of dead units: those whose output is 0 for every example.",
    task_zh="写一个函数，求死单元所占的比例：对每个样本都输出 0 的单元。",
    cases=lambda: [
        Case(np.array([[0.0, 1.0, 0.0], [0.0, 2.0, 3.0]]), expected=1 / 3, label_en="one of three", label_zh="三个中有一个"),
        Case(np.zeros((4, 2)), expected=1.0, label_en="all dead", label_zh="全都死了"),
        Case(np.array([[0.0, 0.5], [0.5, 0.0]]), expected=0.0, label_en="each silent once", label_zh="各沉默一次"),
        Case(np.array([[-1.0, -0.2], [1.0, -0.1]]), expected=0.0, label_en="leaky ReLU", label_zh="leaky ReLU"),
        Case(np.array([[0.0, 1.0, 0.0, 0.0, 2.0]]), expected=0.6, label_en="a single example", label_zh="只有一个样本"),
        Case(np.maximum(np.random.default_rng(0).normal(-2, 1, (40, 50)), 0), label_en="40 examples", label_zh="40 个样本"),
        Case(np.array([[0, 0, 3]], dtype=np.float32), label_en="float32", label_zh="float32"),
    ],
    hints=[
        ("Dead is stronger than silent: which axis holds the examples, and must one or all of them give 0?",
         "“死”比“沉默”更强：哪个轴是样本？要有一个样本为 0，还是全部为 0？"),
        ("`np.all(…, axis=…)` tells for each unit whether something holds for all examples; the mean of truths is a share.",
         "`np.all(…, axis=…)` 逐单元判断某事是否对全部样本成立；真假值的平均就是比例。"),
    ],
)  # fmt: skip
def dead_share(outputs):
    """The share, from 0 to 1, of units that give 0 for every example. outputs: (examples, units)."""
    return np.mean(np.all(outputs == 0, axis=0))


@dead_share.mistake(
    en="This is the share of zeros. A ReLU that is silent for half of the examples is healthy; dead means silent for all.",
    zh="这是零所占的比例。ReLU 对一半样本沉默是正常的；对所有样本都沉默才算死。",
)
def zeros(outputs):
    return np.mean(outputs == 0)


@dead_share.mistake(
    en="This counts units that are silent for at least one example. Dead means silent for all.",
    zh="这里数的是至少对一个样本沉默的单元。对所有样本都沉默才算死。",
)
def silent_once(outputs):
    return np.mean(np.any(outputs == 0, axis=0))


@dead_share.mistake(
    en="This is a share of examples, not of units: the examples are axis 0.",
    zh="这是样本的比例，不是单元的比例：样本在第 0 轴。",
)
def of_examples(outputs):
    return np.mean(np.all(outputs == 0, axis=1))


@dead_share.mistake(en="This is the number of dead units, not their share.", zh="这是死单元的个数，不是比例。")
def number_of_dead(outputs):
    return np.sum(np.all(outputs == 0, axis=0))


@dead_share.mistake(
    en="A unit whose outputs are negative is not dead: leaky ReLU passes a gradient there. Dead is exactly 0.",
    zh="输出为负的单元并没有死：leaky ReLU 在那里仍传递梯度。恰好为 0 才算死。",
)
def negative_too(outputs):
    return np.mean(np.max(outputs, axis=0) <= 0)


@dead_share.right
def by_largest_size(outputs):
    return float(np.mean(np.abs(outputs).max(axis=0) == 0))


@dead_share.right
def by_columns(outputs):
    columns = outputs.T.tolist()
    return sum(not any(column) for column in columns) / len(columns)


@exercise(
    minutes=6,
    task_en="Pick the largest learning rate up to which no measured rate kills more than the allowed share.",
    task_zh="找出最大的学习率，使得不超过它的每个测量值，死单元的比例都不超过允许值。",
    cases=lambda: [
        Case({0.1: 0.08, 0.3: 0.04, 0.6: 0.13, 1.0: 0.37}, label_en="four rates", label_zh="四个学习率", expected=0.6),
        Case({1.0: 0.37, 0.1: 0.08, 0.6: 0.13}, label_en="not in order", label_zh="没有排好序", expected=0.6),
        Case({0.1: 0.05, 0.3: 0.4, 0.6: 0.1}, label_en="bad in between", label_zh="中间有坏值", expected=0.1),
        Case({0.1: 0.1, 0.3: 0.2}, label_en="a share of 0.2", label_zh="比例为 0.2", expected=0.1),
        Case({0.1: 0.5, 0.3: 0.6}, label_en="none is safe", label_zh="没有安全的", expected=0.0),
        Case({0.5: 0.1, 1.0: 0.25, 2.0: 0.26}, allowed=0.25, label_en="exactly on the limit", label_zh="恰好等于界限", expected=1.0),
        Case({0.1: 0.0, 3.0: 0.01}, label_en="all are safe", label_zh="全都安全", expected=3.0),
        Case({0.1: 0.8, 0.2: 0.9}, allowed=1, label_en="anything allowed", label_zh="什么都允许", expected=0.2),
    ],
    properties=[
        prop(lambda f: f({0.2: 0.1}) == 0.2, en="One safe rate is the answer itself.", zh="只有一个安全的学习率时，答案就是它。"),
    ],
    hints=[
        ("Go from small rates to large ones. When do you have to stop?", "从小到大看这些学习率。什么时候必须停下？"),
        ("`for rate in sorted(measured)`: keep the last rate that was fine, and leave the loop at the first that is not.",
         "`for rate in sorted(measured)`：记住最后一个合格的，遇到第一个不合格的就退出循环。"),
    ],
)  # fmt: skip
def safe_rate(measured, allowed=0.15):
    """The largest rate such that it and all smaller ones kill at most the share `allowed`; 0.0 if there is none.

    measured: dict, learning rate → share of dead units.
    """
    safe = 0.0
    for rate in sorted(measured):
        if measured[rate] > allowed:
            break
        safe = rate
    return safe


@safe_rate.mistake(
    en="A smaller rate already kills too many. A larger one that happens to do better is luck, not safety.",
    zh="更小的学习率已经害死太多单元。更大的碰巧好一些，是运气，不是安全。",
)
def largest_that_is_fine(measured, allowed=0.15):
    return max((rate for rate, share in measured.items() if share <= allowed), default=0.0)


@safe_rate.mistake(
    en="This is the rate with the fewest dead units. Wanted is the largest one that is still allowed.",
    zh="这是死单元最少的学习率。要找的是仍然允许的最大值。",
)
def fewest_dead(measured, allowed=0.15):
    best = min(measured, key=measured.get)
    return best if measured[best] <= allowed else 0.0


@safe_rate.mistake(
    en="The rates are taken in the order in which they were measured. Sort them first.",
    zh="这里按测量的先后顺序来看学习率。请先排序。",
)
def as_measured(measured, allowed=0.15):
    safe = 0.0
    for rate, share in measured.items():
        if share > allowed:
            break
        safe = rate
    return safe


@safe_rate.mistake(en="A share exactly equal to the limit is still allowed.", zh="恰好等于界限的比例仍然是允许的。")
def strictly(measured, allowed=0.15):
    safe = 0.0
    for rate in sorted(measured):
        if measured[rate] >= allowed:
            break
        safe = rate
    return safe


@safe_rate.right
def by_first_failure(measured, allowed=0.15):
    failing = [rate for rate, share in measured.items() if share > allowed]
    return max((rate for rate in measured if not failing or rate < min(failing)), default=0.0)


@safe_rate.right
def by_takewhile(measured, allowed=0.15):
    from itertools import takewhile

    return max([0.0, *takewhile(lambda rate: measured[rate] <= allowed, sorted(measured))])
