"""Lesson 2.2, third part: choosing one of several, by softmax with a temperature, and its loss from logits."""

import math

import numpy as np

from lmcourse.exercises.exercise import Case, exercise, prop
from lmcourse.exercises.losses import binary_cross_entropy
from lmcourse.exercises.question import number

half_sure = number(
    en="Logits 2, 1, 0, −1: at which temperature does the largest probability fall to one half? (one decimal)",
    zh="logits 为 2、1、0、−1：温度取多少时，最大的概率降到二分之一？（保留一位小数）",
    answer=1.6,
    tolerance=0.11,
    because_en="Near T = 1.64. Below it the model sounds surer than one half, above it less sure; the order of the classes never changes.",
    because_zh="在 T = 1.64 附近。低于它，模型显得更有把握；高于它，更没把握；类别的次序始终不变。",
)


@exercise(
    minutes=5,
    task_en="Write softmax with a temperature, for one row of logits or many.",
    task_zh="写出带温度的 softmax，一行或多行 logits 都能用。",
    cases=lambda: [
        Case(np.log(np.array([1.0, 2.0, 5.0])), expected=[0.125, 0.25, 0.625], label_en="by hand", label_zh="手算"),
        Case(np.array([1000.0, 1000.0, -1000.0]), expected=[0.5, 0.5, 0.0], label_en="large logits", label_zh="很大的 logits"),
        Case(np.array([0.0, math.log(4)]), 2.0, expected=[1 / 3, 2 / 3], label_en="temperature 2", label_zh="温度 2"),
        Case(np.arange(12.0).reshape(3, 4) % 5, 0.5, label_en="three rows, temperature ½", label_zh="三行，温度 ½"),
        Case(np.arange(12.0).reshape(2, 2, 3).astype("float32"), label_en="three axes, float32", label_zh="三个轴，float32"),
        Case(np.array([[800.0, 0.0], [0.0, 1.0]]), 1.0, label_en="rows of other sizes", label_zh="各行大小悬殊"),
    ],
    properties=[
        prop(lambda f: np.allclose(f(np.arange(4.0) + 7), f(np.arange(4.0))), en="Adding a number to all logits changes nothing.", zh="所有 logits 加上同一个数，结果不变。"),
    ],
    hints=[
        ("Which number may you subtract from all logits without changing the result, and which choice is safe?", "所有 logits 减去哪个数，结果不变而且安全？"),
        ("Divide by the temperature first. Maximum and sum run over the last axis and keep it, so that the shapes fit.",
         "先除以温度。最大值与总和都沿最后一个轴取，并保留该轴，形状才对得上。"),
        ("`z - z.max(axis=-1, keepdims=True)`, then exponentials, then divide by their sum with the same two arguments.",
         "`z - z.max(axis=-1, keepdims=True)`，取指数，再除以用同样两个参数求的和。"),
    ],
)  # fmt: skip
def softmax(z, temperature=1.0):
    """Probabilities over the last axis of the logits `z` (…, classes), divided by a temperature above 0."""
    z = z / temperature
    e = np.exp(z - z.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


@softmax.mistake(
    en="The logits are multiplied by the temperature. A higher temperature must flatten: divide.",
    zh="这里把 logits 乘以温度。温度越高应越平：要除。",
)
def multiplies(z, temperature=1.0):
    e = np.exp(z * temperature - (z * temperature).max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


@softmax.mistake(
    en="The temperature is never used: divide the logits by it first.", zh="没有用到温度：请先把 logits 除以它。"
)
def without_temperature(z, temperature=1.0):
    e = np.exp(z - z.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


@softmax.mistake(
    en="The exponential overflows for large logits: subtract the largest logit of each row first.",
    zh="logits 较大时指数溢出：请先减去每行最大的 logit。",
)
def no_shift(z, temperature=1.0):
    e = np.exp(z / temperature)
    return e / e.sum(axis=-1, keepdims=True)


@softmax.mistake(
    en="The sum runs over all rows, so only everything together adds up to one. Each row must: axis=-1.",
    zh="求和跨了所有行，只有全部加起来才是 1。应当每行各为 1：axis=-1。",
)
def over_everything(z, temperature=1.0):
    e = np.exp(z / temperature - np.max(z / temperature))
    return e / e.sum()


@softmax.mistake(
    en="The largest logit of all rows is subtracted, so a row of much smaller ones becomes 0/0. Use each row's own maximum.",
    zh="减的是所有行里最大的 logit，数值小得多的行就成了 0/0。请用每行自己的最大值。",
)
def common_maximum(z, temperature=1.0):
    e = np.exp(z / temperature - np.max(z / temperature))
    return e / e.sum(axis=-1, keepdims=True)


@softmax.right
def by_log_sum_exp(z, temperature=1.0):
    z = np.asarray(z) / temperature
    return np.exp(z - np.logaddexp.reduce(z, axis=-1)[..., None])


@softmax.right
def by_differences(z, temperature=1.0):
    gaps = (z[..., None, :] - z[..., :, None]) / temperature
    with np.errstate(over="ignore"):
        return 1 / np.exp(gaps).sum(axis=-1)


@exercise(
    minutes=7,
    task_en="Write the categorical cross-entropy from logits, by a log-sum-exp that neither overflows nor underflows.",
    task_zh="从 logits 计算多类交叉熵，其中 log-sum-exp 既不上溢也不下溢。",
    cases=lambda: [
        Case(np.log(np.array([[1.0, 2.0, 5.0], [1.0, 1.0, 2.0], [3.0, 1.0, 4.0]])), np.array([1, 0, 1]), expected=np.log([4.0, 4.0, 8.0]), label_en="by hand", label_zh="手算"),
        Case(np.array([[1000.0, 0.0], [1000.0, 0.0]]), np.array([0, 1]), expected=[0.0, 1000.0], label_en="±1000", label_zh="±1000"),
        Case(np.array([[800.0, 0.0], [0.0, 1.0]]), np.array([0, 1]), label_en="rows of other sizes", label_zh="各行大小悬殊"),
        Case(np.array([[-1000.0, -1001.0]]), np.array([0]), expected=[math.log1p(math.exp(-1))], label_en="all very negative", label_zh="全都很小"),
        Case(np.sin(np.arange(15.0)).reshape(5, 3) * 4, np.array([0, 1, 2, 2, 0]), label_en="five answers", label_zh="五个回答"),
        Case(np.cos(np.arange(9.0)).reshape(3, 3).astype("float32"), np.array([2, 0, 2]), label_en="float32, as many as classes", label_zh="float32，行数等于类数"),
    ],
    properties=[
        prop(lambda f: np.allclose(f(np.array([[0.0, 2.0], [0.0, -3.0]]), np.array([1, 1])), binary_cross_entropy.reference(np.array([2.0, -3.0]), 1)),
             en="With two classes and the logits 0 and z it is the binary cross-entropy of z.", zh="两类、logits 为 0 和 z 时，它就是 z 的二元交叉熵。"),
    ],
    hints=[
        ("Take the logarithm of softmax on paper: a quotient becomes a difference, and one of its terms needs no exponential at all.",
         "在纸上对 softmax 取对数：商变成差，其中一项根本不需要指数。"),
        ("loss = log Σ exp(z) − z of the right class. Draw the largest logit out of the sum.", "损失 = log Σ exp(z) − 正确类别的 z。把最大的 logit 提到求和外面。"),
        ("`z[np.arange(len(z)), labels]` picks one logit a row; `top[:, 0] + np.log(np.exp(z - top).sum(axis=1))` is the rest.",
         "`z[np.arange(len(z)), labels]` 每行取一个 logit；其余是 `top[:, 0] + np.log(np.exp(z - top).sum(axis=1))`。"),
    ],
)  # fmt: skip
def cross_entropy(z, labels):
    """The loss of each answer. z: logits (n, classes); labels: (n,) integers, the right classes. Returns (n,)."""
    z = z - z.max(axis=1, keepdims=True)
    return np.log(np.exp(z).sum(axis=1)) - z[np.arange(len(z)), labels]


@cross_entropy.mistake(
    en="The probability of the right class underflows to 0, and its logarithm is −∞. Take the logarithm on paper first.",
    zh="正确类别的概率下溢为 0，对数成了 −∞。请先在纸上取对数。",
)
def logarithm_of_softmax(z, labels):
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return -np.log((e / e.sum(axis=1, keepdims=True))[np.arange(len(z)), labels])


@cross_entropy.mistake(
    en="The exponentials overflow, or all of them become 0: draw the largest logit of each row out of the sum.",
    zh="指数上溢，或者全部变成 0：请把每行最大的 logit 提到求和外面。",
)
def without_maximum(z, labels):
    return np.log(np.exp(z).sum(axis=1)) - z[np.arange(len(z)), labels]


@cross_entropy.mistake(
    en="The largest logit was drawn out of the sum and not put back: add it to the logarithm again.",
    zh="最大的 logit 提到求和外面之后没有加回来：取对数后要再加上它。",
)
def maximum_forgotten(z, labels):
    return np.log(np.exp(z - z.max(axis=1, keepdims=True)).sum(axis=1)) - z[np.arange(len(z)), labels]


@cross_entropy.mistake(
    en="This is the mean over the batch; a loss for each answer is wanted.",
    zh="这是整批的平均；这里要每个回答各自的损失。",
)
def averaged(z, labels):
    return np.mean(by_logaddexp(z, labels))


@cross_entropy.mistake(
    en="`z[labels]` picks whole rows. One logit a row is wanted: z[np.arange(n), labels].",
    zh="`z[labels]` 取的是整行。每行要取一个 logit：z[np.arange(n), labels]。",
)
def picks_rows(z, labels):
    return np.logaddexp.reduce(z, axis=1) - z[labels]


@cross_entropy.right
def by_logaddexp(z, labels):
    return np.logaddexp.reduce(z, axis=1) - np.take_along_axis(z, labels[:, None], axis=1)[:, 0]


@cross_entropy.right
def by_differences_of_logits(z, labels):
    return np.array([np.logaddexp.reduce(row - row[k]) for row, k in zip(z, labels, strict=True)])
