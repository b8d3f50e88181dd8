"""Lesson 2.2, first part: the loss of a yes-or-no answer, from the logit, from the probability, and its gradient."""

import math

import numpy as np

from lmcourse.exercises.activations import sigmoid
from lmcourse.exercises.exercise import Case, exercise, prop
from lmcourse.exercises.question import choice, number

weighted_sum = number(
    en="x = (1, 2, …, 10), θ = (0.1, 0.2, …, 1.0). What is θᵀx, by hand?",
    zh="x = (1, 2, …, 10)，θ = (0.1, 0.2, …, 1.0)。手算 θᵀx 等于多少？",
    answer=38.5,
    tolerance=0.01,
    because_en="0.1 · (1² + 2² + … + 10²) = 0.1 · 385 = 38.5. The article prints 6.5.",
    because_zh="0.1 · (1² + 2² + … + 10²) = 0.1 · 385 = 38.5。文章印的是 6.5。",
)

class_zero_share = choice(
    en="Ten thousand random inputs and weights. How many of the answers σ(ReLU(z)) lie below ½, which means class 0?",
    zh="一万组随机输入和权重。σ(ReLU(z)) 的回答有多少小于 ½，也就是判为第 0 类？",
    options=[
        ("about half of them", "约一半"),
        ("about a quarter", "约四分之一"),
        ("a few", "很少几个"),
        ("none", "一个也没有"),
    ],
    answer=3,
    because_en="ReLU gives at least 0, and σ of at least 0 is at least ½. For every z below 0 the answer is exactly ½: undecided.",
    because_zh="ReLU 至少为 0，而 σ 在非负处至少为 ½。凡 z 小于 0，回答恰好是 ½：不置可否。",
)

gradient_when_right = choice(
    en="A sigmoid on top, y = 1, z = 38.5. What gradient does (ŷ − y) x give in float64?",
    zh="输出用 sigmoid，y = 1，z = 38.5。在 float64 中，按 (ŷ − y) x 算出的梯度是什么？",
    options=[
        ("x, with squared length 385", "x，长度的平方为 385"),
        ("x times 1.9e-17, tiny but not zero", "1.9e-17 乘以 x：很小，但不为零"),
        ("exactly 0", "恰好为 0"),
        ("NaN", "NaN"),
    ],
    answer=2,
    because_en="ŷ rounds to 1, so ŷ − y is exactly 0. The true value, −1.9e-17 · x, is lost on the way; nothing is learned either way.",
    because_zh="ŷ 舍入为 1，所以 ŷ − y 恰好为 0。真实值 −1.9e-17 · x 在途中丢了；反正也学不到什么。",
)

breaking_point = number(
    en="Label 0, as printed in float32: from which z on is the loss infinite? (one decimal)",
    zh="标签取 0，照公式、用 float32 计算：从哪个 z 起损失变成无穷大？（保留一位小数）",
    answer=16.6,
    tolerance=0.15,
    because_en="There e⁻ᶻ falls below 2⁻²⁴, 1 + e⁻ᶻ rounds to 1, and log(1 − 1) follows. In float64 it happens at 36.7, before our 38.5.",
    because_zh="从那里起 e⁻ᶻ 小于 2⁻²⁴，1 + e⁻ᶻ 舍入为 1，接着就是 log(1 − 1)。float64 在 36.7 处断裂，仍早于我们的 38.5。",
)

steepest_square = number(
    en="Label 1, range ±6: at which z does the squared error push hardest? (one decimal)",
    zh="标签取 1，范围 ±6：平方误差在哪个 z 处推力最大？（保留一位小数）",
    answer=-0.7,
    tolerance=0.15,
    because_en="At z = −ln 2 ≈ −0.69, where ŷ = ⅓. Further left, where the answer is more wrong, the push gets weaker and dies.",
    because_zh="在 z = −ln 2 ≈ −0.69，此时 ŷ = ⅓。再往左，答案错得更离谱，推力反而变弱，直至消失。",
)

keras_from_probability = choice(
    en="You hand Keras the number ŷ = σ(38.5), in float32, and y = 0. What loss does binary_crossentropy report?",
    zh="把 float32 的数 ŷ = σ(38.5) 和 y = 0 交给 Keras。binary_crossentropy 报告的损失是多少？",
    options=[("38.5", "38.5"), ("about 16", "16 左右"), ("infinity", "无穷大"), ("0.69", "0.69")],
    answer=1,
    because_en="Keras moves ŷ into [1e-7, 1 − 1e-7] first, and −log(1e-7) is about 16. No infinity; but the truth is gone, and so is the gradient.",
    because_zh="Keras 先把 ŷ 截到 [1e-7, 1 − 1e-7]，而 −log(1e-7) 约为 16。没有无穷大，但真实值没了，梯度也没了。",
)


@exercise(
    minutes=8,
    task_en="Write the binary cross-entropy from the logit, exact at both ends.",
    task_zh="从 logit 计算二元交叉熵，两端都要精确。",
    cases=lambda: [
        Case(np.array([0.0, math.log(3)]), np.array([1, 0]), expected=[math.log(2), math.log(4)], label_en="by hand", label_zh="手算"),
        Case(np.array([38.5]), np.array([0]), expected=[38.5], label_en="wrong and sure", label_zh="错得很自信"),
        Case(np.array([38.5]), np.array([1]), expected=[1.9039802832864523e-17], label_en="right and sure", label_zh="对得很自信"),
        Case(np.array([-1000.0, 1000.0], "float32"), np.array([1, 0]), expected=[1000.0, 1000.0], label_en="±1000, float32", label_zh="±1000，float32"),
        Case(np.linspace(-5, 5, 12), np.arange(12) % 2, label_en="ordinary logits", label_zh="普通大小的 logit"),
        Case(np.linspace(-5, 5, 12).reshape(3, 4), (np.arange(12) % 3 == 0).reshape(3, 4), label_en="two axes", label_zh="两个轴"),
    ],
    properties=[
        prop(lambda f: np.allclose(f(np.linspace(-9, 9, 19), np.ones(19)), f(-np.linspace(-9, 9, 19), np.zeros(19))),
             en="L(z, 1) = L(−z, 0).", zh="L(z, 1) = L(−z, 0)。"),
    ],
    hints=[
        ("Put σ into −log ŷ and −log(1 − ŷ) on paper and simplify. How do the two differ?", "在纸上把 σ 代入 −log ŷ 和 −log(1 − ŷ) 并化简。两者差在哪里？"),
        ("Both are log(1 + exp(±z)). Draw the larger of 0 and the exponent out of the logarithm.", "两者都是 log(1 + exp(±z))。把 0 和指数中较大的一个提到对数外面。"),
        ("`np.maximum(z, 0) - z * y + np.log1p(…)`: what belongs in the last brackets never exceeds 1.",
         "`np.maximum(z, 0) - z * y + np.log1p(…)`：最后括号里的数不会超过 1。"),
    ],
)  # fmt: skip
def binary_cross_entropy(z, y):
    """The loss of each answer, from its logit. z: floats of any shape; y: 0 or 1, of the same shape."""
    return np.maximum(z, 0) - z * y + np.log1p(np.exp(-np.abs(z)))


@binary_cross_entropy.mistake(
    en="This goes through the probability, which rounds to 1: log(1 − 1) is −∞, and the digits of small losses are lost.",
    zh="这里绕道概率，而概率会舍入为 1：log(1 − 1) 是 −∞，小损失的有效数字也丢了。",
)
def through_the_probability(z, y):
    p = sigmoid(z)
    return -np.where(y, np.log(p), np.log(1 - p))


@binary_cross_entropy.mistake(
    en="Clipping the probability hides the infinity and caps the loss near 16: an answer that is far more wrong costs no more.",
    zh="截断概率掩盖了无穷大，却把损失封顶在 16 左右：错得再离谱也不多罚。",
)
def clipped(z, y):
    p = np.clip(sigmoid(z), 1e-7, 1 - 1e-7)
    return -np.where(y, np.log(p), np.log(1 - p))


@binary_cross_entropy.mistake(
    en="log(1 + e) forgets every e below 1e-16: the loss of a sure, right answer becomes 0. Use np.log1p.",
    zh="log(1 + e) 会丢掉小于 1e-16 的 e：自信且正确的答案，损失成了 0。请用 np.log1p。",
)
def without_log1p(z, y):
    return np.maximum(z, 0) - z * y + np.log(1 + np.exp(-np.abs(z)))


@binary_cross_entropy.mistake(
    en="The labels are exchanged: this is the loss for 1 − y.", zh="标签弄反了：这是 1 − y 的损失。"
)
def labels_exchanged(z, y):
    return np.maximum(-z, 0) + z * y + np.log1p(np.exp(-np.abs(z)))


@binary_cross_entropy.mistake(
    en="The label is never used: this is the loss for y = 0. The term −z · y is missing.",
    zh="没有用到标签：这是 y = 0 时的损失。漏了 −z · y 这一项。",
)
def without_label(z, y):
    return np.maximum(z, 0) + np.log1p(np.exp(-np.abs(z)))


@binary_cross_entropy.mistake(
    en="exp(z) overflows for large z; log(1 + exp(z)) must be written with −|z|.",
    zh="z 较大时 exp(z) 溢出；log(1 + exp(z)) 要用 −|z| 来写。",
)
def overflowing(z, y):
    return np.log1p(np.exp(z)) - z * y


@binary_cross_entropy.right
def by_logaddexp(z, y):
    return np.logaddexp(0, np.where(y, -z, z))


@binary_cross_entropy.right
def one_by_one(z, y):
    signed = [-a if b else a for a, b in zip(np.ravel(z).tolist(), np.ravel(y).tolist(), strict=True)]
    return np.reshape([max(v, 0.0) + math.log1p(math.exp(-abs(v))) for v in signed], np.shape(z))


@exercise(
    minutes=4,
    task_en="The brackets are missing, as in the article. Mend the mean cross-entropy.",
    task_zh="和文章一样，这里缺了括号。请修好平均交叉熵。",
    cases=lambda: [
        Case(np.array([0.8]), np.array([0]), expected=-math.log(0.2), label_en="one example of class 0", label_zh="一个第 0 类的样本"),
        Case(np.array([0.9, 0.2, 0.6]), np.array([1, 0, 1]), expected=0.2797765635793423, label_en="from scikit-learn", label_zh="来自 scikit-learn"),
        Case(np.array([0.5, 0.5]), np.array([1, 0]), expected=math.log(2), label_en="undecided", label_zh="不置可否"),
        Case(np.linspace(0.05, 0.95, 10), np.arange(10) % 2, label_en="ten examples", label_zh="十个样本"),
        Case(np.array([0.1, 0.7], "float32"), np.array([1, 1], "float32"), label_en="only class 1, float32", label_zh="只有第 1 类，float32"),
    ],
    properties=[
        prop(lambda f: f(np.array([0.3, 0.9]), np.array([0, 0])) > 0, en="It is never negative.", zh="它不会是负数。"),
    ],
    hints=[
        ("Which of the two terms is alive for an example of class 0, and which sign does it get?", "对第 0 类的样本，两项中哪一项起作用？它前面是什么符号？"),
        ("Both terms belong inside one mean, and the minus stands before all of it.", "两项都应在同一个平均之内，负号在最前面。"),
    ],
)  # fmt: skip
def mean_cross_entropy(p, y):
    """The mean loss of n answers. p: probabilities (n,), strictly between 0 and 1; y: labels (n,)."""
    return -np.mean(y * np.log(p) + (1 - y) * np.log(1 - p))


@mean_cross_entropy.broken
def as_printed(p, y):
    """The mean loss of n answers. p: probabilities (n,), strictly between 0 and 1; y: labels (n,)."""
    return -np.mean(y * np.log(p)) + np.mean((1 - y) * np.log(1 - p))


@mean_cross_entropy.mistake(
    en="The brackets are right, but the minus is gone: the logarithm of a probability is negative, a loss is not.",
    zh="括号对了，负号却丢了：概率的对数是负的，损失不是。",
)
def without_minus(p, y):
    return np.mean(y * np.log(p) + (1 - y) * np.log(1 - p))


@mean_cross_entropy.mistake(
    en="This is the sum. The mean divides by the number of examples.", zh="这是总和。平均要除以样本数。"
)
def summed(p, y):
    return -np.sum(y * np.log(p) + (1 - y) * np.log(1 - p))


@mean_cross_entropy.mistake(
    en="Only examples of class 1 count here: the second term is missing.", zh="这里只算了第 1 类的样本：漏了第二项。"
)
def first_term_only(p, y):
    return -np.mean(y * np.log(p))


@mean_cross_entropy.right
def by_choice(p, y):
    return np.mean(-np.log(np.where(np.asarray(y) == 1, p, 1 - p)))


@mean_cross_entropy.right
def by_loop(p, y):
    return sum(-math.log(a) if b else -math.log(1 - a) for a, b in zip(p.tolist(), y.tolist(), strict=True)) / len(p)
