"""Exercises and questions on what a step sees and how long it is: mini-batches, noise, schedules, a fair choice."""

import numpy as np

from lmcourse.exercises.exercise import Case, exercise
from lmcourse.exercises.question import choice, number
from lmcourse.language import pick

names = choice(
    en="A colleague writes model.compile('sgd', …) and model.fit(…, batch_size=64) on 1,078 images. What is that called?",
    zh="同事写了 model.compile('sgd', …) 和 model.fit(…, batch_size=64)，训练集有 1,078 张图片。这叫什么？",
    options=[
        ("Stochastic gradient descent, strictly: Keras says so", "严格意义的随机梯度下降：Keras 就是这么叫的"),
        ("Batch gradient descent: each step takes a batch", "批量梯度下降：每一步取一批"),
        ("Mini-batch gradient descent", "小批量梯度下降"),
        ("That depends on the learning rate", "取决于学习率"),
    ],
    answer=2,
    because_en="A step sees 64 of 1,078: mini-batch. 'sgd' names the rule w ← w − rate · g; batch_size decides what g is. With 1 it would be stochastic "
    "in the old sense, with 1,078 batch gradient descent. In everyday speech SGD covers all three, which is how the mix-up began.",
    because_zh="每一步看 1,078 张中的 64 张：小批量。“sgd”说的是更新规则 w ← w − 学习率 · g，g 是什么由 batch_size 决定：取 1 才是原本意义上的随机梯度下降，"
    "取 1,078 就是批量梯度下降。日常说的 SGD 三者都包括，混淆就是这样来的。",
)

half_noise = number(
    en="A gradient from 32 examples, drawn from a very large set of data, is off by some typical error. How many make that error half as large?",
    zh="从极大的数据集里抽 32 个样本算梯度，会有一个典型误差。要让它减半，需要多少个样本？",
    answer=128,
    tolerance=11,
    because_en="The mean square error falls like 1/B, the error itself only like 1/√B: half the error costs four times the examples. "
    "So large batches buy less and less, and a little noise is cheap. (Among our 1,078 the last factor helps a little: there 118 would do.)",
    because_zh="均方误差按 1/B 下降，误差本身只按 1/√B 下降：误差减半要四倍的样本。所以批量越大越不划算，留一点噪声反而便宜。（我们总共只有 1,078 个样本，公式最后那个因子帮了点忙：118 个就够。）",
)


def _facts(answer, n, size):
    """What can be said of an epoch's batches, whatever their order."""
    x, y = np.arange(2.0 * n).reshape(n, 2), np.arange(n) * 10
    random = np.random.default_rng(0)
    parts = answer(x, y, size, random)
    if not isinstance(parts, list | tuple):
        return parts
    xs, ys = (np.concatenate([np.asarray(part[k]) for part in parts]) for k in (0, 1))
    again = np.concatenate([np.asarray(part[1]) for part in answer(x, y, size, random)])
    return {
        pick(en="sizes of the batches", zh="各批的大小"): np.array([len(part[1]) for part in parts]),
        pick(en="different examples", zh="不同样本数"): len(np.unique(xs[:, 0])),
        pick(en="examples with their own label", zh="与自己的标签配对的样本数"): int((xs[:, 0] * 5 == ys).sum()),
        pick(en="order shuffled", zh="顺序打乱了"): int(n < 2 or not np.array_equal(ys, np.sort(ys))),
        pick(en="another order next time", zh="下一轮顺序不同"): int(n < 2 or not np.array_equal(ys, again)),
    }


@exercise(
    minutes=6,
    task_en="Find the fault: one epoch of mini-batches, shuffled, each example once with its own label.",
    task_zh="找出错误：把一轮数据打乱分成小批量，每个样本出现一次，带着自己的标签。",
    cases=lambda: [
        Case(12, 4, label_en="12 examples, batches of 4", label_zh="12 个样本，每批 4 个"),
        Case(50, 16, label_en="the last batch is smaller", label_zh="最后一批较小"),
        Case(8, 8, label_en="one batch", label_zh="只有一批"),
        Case(7, 1, label_en="one example at a time", label_zh="每次一个样本"),
        Case(5, 32, label_en="a batch larger than the data", label_zh="批量大于数据量"),
    ],
    use=_facts,
    hints=[
        ("What does the label of the first image say after shuffling? Is it still that image's?", "打乱之后，第一张图片的标签是什么？还是它自己的吗？"),
        ("Two shuffles are two different orders. Draw one order and use it for both.", "打乱两次就是两个不同的顺序。只抽一个顺序，两边都用它。"),
        ("`order = random.permutation(len(x))`, then `x[order]` and `y[order]`.", "`order = random.permutation(len(x))`，然后 `x[order]` 和 `y[order]`。"),
    ],
)  # fmt: skip
def batches(x, y, size, random):
    """One epoch of mini-batches in random order; the last one may be smaller.

    x: (n, …) examples; y: (n,) labels; random: a NumPy generator. Returns a list of pairs: some of x, their y.
    """
    order = random.permutation(len(x))
    x, y = x[order], y[order]
    return [(x[i : i + size], y[i : i + size]) for i in range(0, len(x), size)]


@batches.broken
def shuffles_twice(x, y, size, random):
    """One epoch of mini-batches in random order; the last one may be smaller.

    x: (n, …) examples; y: (n,) labels; random: a NumPy generator. Returns a list of pairs: some of x, their y.
    """
    x, y = random.permutation(x), random.permutation(y)
    return [(x[i : i + size], y[i : i + size]) for i in range(0, len(x), size)]


@batches.mistake(
    en="Nothing is shuffled any more. Data sorted by class would make every batch one-sided.",
    zh="现在完全不打乱了。如果数据按类别排好，每一批都会一边倒。",
)
def never_shuffles(x, y, size, random):
    return [(x[i : i + size], y[i : i + size]) for i in range(0, len(x), size)]


@batches.mistake(
    en="The examples left over at the end are dropped: some are never seen in this epoch.",
    zh="末尾凑不满一批的样本被丢掉了：这一轮里有些样本没出现。",
)
def drops_the_rest(x, y, size, random):
    order = random.permutation(len(x))
    x, y = x[order], y[order]
    return [(x[i : i + size], y[i : i + size]) for i in range(0, max(len(x) - size, 0) + 1, size)]


@batches.mistake(
    en="Examples are drawn with replacement: some come twice, others not at all. An epoch has each once.",
    zh="这是有放回的抽样：有的出现两次，有的一次也没有。一轮之内每个样本恰好一次。",
)
def draws_with_replacement(x, y, size, random):
    order = random.integers(0, len(x), len(x))
    x, y = x[order], y[order]
    return [(x[i : i + size], y[i : i + size]) for i in range(0, len(x), size)]


@batches.mistake(
    en="Every epoch gets the same order: draw it from the generator that was passed in, not from a new one.",
    zh="每一轮的顺序都一样：要用传进来的随机数生成器，而不是另造一个。",
)
def same_order_every_time(x, y, size, random):
    return batches.reference(x, y, size, np.random.default_rng(1))


@batches.right
def by_split(x, y, size, random):
    order = np.argsort(random.random(len(x)))
    return [(x[rows], y[rows]) for rows in np.split(order, range(size, len(x), size))]


@batches.right
def by_pairs(x, y, size, random):
    order = list(range(len(x)))
    random.shuffle(order)
    parts = [order[i : i + size] for i in range(0, len(order), size)]
    return [(np.array([x[i] for i in rows]), np.array([y[i] for i in rows])) for rows in parts]


@exercise(
    minutes=6,
    task_en="The rate of a step: a straight climb during the warm-up, then half a cosine down to zero.",
    task_zh="某一步的学习率：预热期间直线上升，之后沿半个余弦降到零。",
    cases=lambda: [
        Case(0, 100, 10, 0.5, label_en="the first step", label_zh="第一步", expected=0.0),
        Case(5, 100, 10, 0.5, label_en="halfway up", label_zh="上升到一半", expected=0.25),
        Case(10, 100, 10, 0.5, label_en="the peak", label_zh="顶点", expected=0.5),
        Case(55, 100, 10, 0.5, label_en="halfway down", label_zh="下降到一半", expected=0.25),
        Case(99, 100, 10, 0.5, label_en="the last step", label_zh="最后一步"),
        Case(30, 100, 10, 2.0, label_en="on the way down", label_zh="下降途中"),
        Case(3, 40, 0, 0.1, label_en="no warm-up", label_zh="没有预热"),
        Case(0, 40, 0, 0.1, label_en="no warm-up, the first step", label_zh="没有预热，第一步", expected=0.1),
    ],
    hints=[
        ("Two pieces, one before and one after the warm-up. How far along its own piece is the step, from 0 to 1?", "分两段，预热前后各一段。这一步在自己那段里走了多远（从 0 到 1）？"),
        ("The cosine falls from 1 to −1 while its angle goes from 0 to π; half of (1 + cos) falls from 1 to 0.", "角度从 0 到 π 时，余弦从 1 降到 −1；(1 + cos) 的一半就从 1 降到 0。"),
        ("After the warm-up: `done = (step - warmup) / (steps - warmup)`, and the rate is `peak * (1 + np.cos(np.pi * done)) / 2`.", "预热之后：`done = (step - warmup) / (steps - warmup)`，学习率是 `peak * (1 + np.cos(np.pi * done)) / 2`。"),
    ],
)  # fmt: skip
def schedule(step, steps, warmup, peak):
    """The rate of a step: from 0 straight up to `peak` during `warmup` steps, then down to 0 at `steps` along half a cosine.

    step: 0 … steps; steps: of the whole run; warmup: of the climb; peak: the highest rate. Returns a number.
    """
    if step < warmup:
        return peak * step / warmup
    done = (step - warmup) / (steps - warmup)
    return peak * (1 + np.cos(np.pi * done)) / 2


@schedule.mistake(
    en="The cosine starts at step 0 rather than after the warm-up, so the rate jumps down when the climb ends.",
    zh="余弦从第 0 步算起，而不是从预热之后算起，所以上升结束时学习率会突然掉下来。",
)
def starts_at_nought(step, steps, warmup, peak):
    if step < warmup:
        return peak * step / warmup
    return peak * (1 + np.cos(np.pi * step / steps)) / 2


@schedule.mistake(
    en="The cosine goes below zero: half the way down the rate would turn negative, and the steps lead uphill. Use (1 + cos)/2.",
    zh="余弦会变成负数：降到一半之后学习率为负，就是往上走了。要用 (1 + cos)/2。",
)
def goes_negative(step, steps, warmup, peak):
    if step < warmup:
        return peak * step / warmup
    return peak * np.cos(np.pi * (step - warmup) / (steps - warmup))


@schedule.mistake(
    en="There is no warm-up: the first steps get the highest rates.", zh="没有预热：最初几步的学习率反而最高。"
)
def forgets_the_warm_up(step, steps, warmup, peak):
    return peak * (1 + np.cos(np.pi * step / steps)) / 2


@schedule.mistake(
    en="The way down has only steps − warmup steps: dividing by all of them, the rate never gets to zero.",
    zh="下降段只有 steps − warmup 步：除以总步数的话，学习率到最后也降不到零。",
)
def divides_by_all_steps(step, steps, warmup, peak):
    if step < warmup:
        return peak * step / warmup
    return peak * (1 + np.cos(np.pi * (step - warmup) / steps)) / 2


@schedule.mistake(
    en="The climb begins one step too high: at step 0 the rate is 0.", zh="上升段高了一步：第 0 步的学习率是 0。"
)
def begins_above_zero(step, steps, warmup, peak):
    return schedule.reference(step + (step < warmup), steps, warmup, peak)


@schedule.mistake(
    en="The way down is not (1 + cos)/2 of an angle from 0 to π: a quarter of a wave has another shape.",
    zh="下降段不是 (1 + cos)/2（角度从 0 到 π）：四分之一个波的形状不同。",
)
def quarter_of_a_wave(step, steps, warmup, peak):
    if step < warmup:
        return peak * step / warmup
    return peak * np.cos(np.pi / 2 * (step - warmup) / (steps - warmup))


@schedule.right
def by_interpolation(step, steps, warmup, peak):
    done = np.clip((step - warmup) / (steps - warmup), 0, 1)
    climb = min(step / warmup, 1) if warmup else 1
    return float(climb * peak * np.cos(np.pi / 2 * done) ** 2)


@schedule.right
def by_cases(step, steps, warmup, peak):
    return peak * (step / warmup if step < warmup else 0.5 + 0.5 * np.cos(np.pi * (step - warmup) / (steps - warmup)))
