"""Exercises on making a model smaller: two layers folded into one, eight bits instead of thirty-two, fewer pieces."""

import numpy as np

from lmcourse.exercises.exercise import Case, exercise, prop


def _random(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape)


@exercise(
    minutes=3,
    task_en="Fold the table of vectors and the last layer's weights into one score for each piece.",
    task_zh="把向量表和最后一层的权重合成每个片段一个分数。",
    cases=lambda: [
        Case(
            np.array([[1.0, 2.0], [3.0, -1.0], [0.0, 0.5]]),
            np.array([[2.0], [1.0]]),
            label_en="three pieces",
            label_zh="三个片段",
            expected=np.array([4.0, 5.0, 0.5]),
        ),
        Case(
            _random(50, 16).astype("float32"),
            _random(16, 1, seed=1).astype("float32"),
            label_en="float32",
            label_zh="float32",
        ),
        Case(_random(4, 1), _random(1, 1, seed=1), label_en="one dimension", label_zh="一维"),
        Case(_random(3, 3), _random(3, 1, seed=1), label_en="as many pieces as dimensions", label_zh="片段数等于维数"),
        Case(_random(1, 5), _random(5, 1, seed=1), label_en="one piece", label_zh="一个片段"),
    ],
    hints=[
        (
            "Each score is a sum of products. Which product of two arrays does that for all pieces at once?",
            "每个分数都是乘积之和。两个数组的哪种乘法能对所有片段一次算完？",
        ),
        (
            "`table @ weights` has the shape (pieces, 1). One axis is too many.",
            "`table @ weights` 的形状是 (片段数, 1)，多了一个轴。",
        ),
    ],
)
def fold(table, weights):
    """One score for each piece: its vector times the last layer's weights.

    table: (pieces, dim); weights: (dim, 1), as Keras keeps them. Returns (pieces,).
    """
    return table @ weights[:, 0]


@fold.mistake(
    en="The shape is (pieces, 1); the scores should be one axis, (pieces,).",
    zh="形状是 (片段数, 1)；分数应当只有一个轴：(片段数,)。",
)
def keeps_an_axis(table, weights):
    return table @ weights


@fold.mistake(
    en="These are sums of the vectors without the weights. Each number must be multiplied by its weight first.",
    zh="这里只把向量相加，没有用权重。每个数都要先乘以它的权重。",
)
def forgets_the_weights(table, weights):
    return table.sum(axis=1)


@fold.right
def by_sum(table, weights):
    return (table * weights.T).sum(axis=1)


@fold.right
def by_loop(table, weights):
    return np.array(
        [sum(float(a) * float(w) for a, w in zip(row, weights[:, 0], strict=True)) for row in table], dtype=table.dtype
    )


@exercise(
    minutes=7,
    task_en="Find the fault: whole numbers from -127 to 127 and the scale that turns them back.",
    task_zh="找出错误：给出 −127 到 127 的整数，以及把它们变回去的缩放因子。",
    cases=lambda: [
        Case(
            np.array([0.5, -1.0, 0.25, 2.54]),
            label_en="four scores",
            label_zh="四个分数",
            expected=(np.array([25, -50, 12, 127], dtype="int8"), 0.02),
        ),
        Case(np.array([-40.0, 0.1, 3.0]), label_en="the largest is negative", label_zh="绝对值最大的是负数"),
        Case(_random(1000), label_en="a thousand scores", label_zh="一千个分数"),
        Case(_random(64).astype("float32") * 1e-3, label_en="small scores, float32", label_zh="很小的分数，float32"),
        Case(np.array([7.0]), label_en="one score", label_zh="一个分数"),
    ],
    properties=[
        prop(
            lambda f: (lambda whole, scale: np.abs(np.asarray(whole) * scale - _random(500)).max() <= scale * 0.5001)(
                *f(_random(500))
            ),
            en="Turned back, no score is off by more than half a step.",
            zh="变回去之后，任何分数的误差都不超过半步。",
        ),
        prop(
            lambda f: np.asarray(f(_random(9))[0]).dtype == np.int8,
            en="The whole numbers are stored as int8: eight bits each.",
            zh="整数以 int8 存储：每个 8 位。",
        ),
    ],
    hints=[
        (
            "Which score is the first that does not fit into -127 … 127? What happens to it in int8?",
            "哪个分数最先放不进 −127 到 127？变成 int8 后它怎样了？",
        ),
        (
            "The scale must be chosen so that the largest size among the scores becomes exactly 127.",
            "缩放因子要这样选：分数中最大的绝对值恰好变成 127。",
        ),
        (
            "Replace `.mean()` by `.max()`. int8 does not complain when a number does not fit: it wraps around.",
            "把 `.mean()` 换成 `.max()`。放不下时 int8 不会抱怨，而是绕回去。",
        ),
    ],
)
def quantise(scores):
    """Whole numbers from -127 to 127 and the scale that turns them back: scores ≈ whole * scale.

    scores: (pieces,) floats, not all zero. Returns whole (pieces,) int8 and scale, a float.
    """
    scale = np.abs(scores).max() / 127
    return np.round(scores / scale).astype("int8"), scale


@quantise.broken
def in_a_hurry(scores):
    """Whole numbers from -127 to 127 and the scale that turns them back: scores ≈ whole * scale.

    scores: (pieces,) floats, not all zero. Returns whole (pieces,) int8 and scale, a float.
    """
    scale = np.abs(scores).mean() / 127
    return np.round(scores / scale).astype("int32").astype("int8"), scale


@quantise.mistake(
    en="The scale comes from the largest positive score, so a large negative one does not fit. Use sizes: np.abs.",
    zh="缩放因子取自最大的正分数，绝对值大的负分数就放不下了。要用绝对值：np.abs。",
)
def forgets_the_sign(scores):
    scale = scores.max() / 127
    with np.errstate(invalid="ignore"):
        return np.round(scores / scale).astype("int32").astype("int8"), scale


@quantise.mistake(
    en="`astype` alone cuts off towards zero, so scores are off by up to a whole step. Round first.",
    zh="单用 `astype` 会向零截断，误差可达一整步。请先四舍五入。",
)
def cuts_off(scores):
    scale = np.abs(scores).max() / 127
    return (scores / scale).astype("int8"), scale


@quantise.mistake(
    en="Clipping hides the overflow, but the large scores, which matter most, are still lost. Choose the scale by the largest.",
    zh="截断掩盖了溢出，但最要紧的大分数还是丢了。缩放因子要按最大的来选。",
)
def clips(scores):
    scale = np.abs(scores).mean() / 127
    return np.clip(np.round(scores / scale), -127, 127).astype("int8"), scale


@quantise.right
def by_rint(scores):
    step = max(scores.max(), -scores.min()) / 127
    return np.rint(scores / step).astype(np.int8), float(step)


@quantise.right
def by_floor(scores):
    step = np.max(np.abs(scores)) / 127
    return np.array([int(round(float(s / step))) for s in scores], dtype="int8"), step


@exercise(
    minutes=8,
    task_en="Pick the smallest vocabulary whose accuracy is within `loss` of the best.",
    task_zh="在准确率与最好成绩相差不超过 `loss` 的词表中，选最小的。",
    cases=lambda: [
        Case(
            {58000: 0.832, 15500: 0.825, 4700: 0.815, 1400: 0.8},
            label_en="four sizes",
            label_zh="四种大小",
            expected=15500,
        ),
        Case({100: 0.9, 50: 0.9}, label_en="a tie", label_zh="并列", expected=50),
        Case(
            {100: 0.7, 50: 0.8, 10: 0.7},
            label_en="the best is not the largest",
            label_zh="最好的不是最大的",
            expected=50,
        ),
        Case({7: 0.5}, label_en="one size", label_zh="只有一种"),
        Case(
            {100: 0.75, 50: 0.5, 25: 0.25},
            loss=0.25,
            label_en="exactly on the limit",
            label_zh="恰好在界上",
            expected=50,
        ),
        Case(
            {100: 0.9, 50: 0.8, 25: 0.7, 12: 0.88},
            loss=0.05,
            label_en="smaller and better again",
            label_zh="更小反而更好",
        ),
        Case({100: 0.9, 50: 0.8, 25: 0.7}, loss=1, label_en="any loss allowed", label_zh="允许任何损失"),
    ],
    hints=[
        (
            "Two steps: which sizes are good enough, and which of those is the smallest?",
            "分两步：哪些够好？其中哪个最小？",
        ),
        (
            "The bar is `max(measured.values()) - loss`; take `min` over the sizes that reach it.",
            "门槛是 `max(measured.values()) - loss`；在达到门槛的大小里取 `min`。",
        ),
    ],
)
def smallest_good(measured, loss=0.01):
    """The smallest vocabulary whose accuracy is within `loss` of the best.

    measured: dict, vocabulary size → accuracy. Returns one of its sizes.
    """
    bar = max(measured.values()) - loss
    return min(size for size, accuracy in measured.items() if accuracy >= bar)


@smallest_good.mistake(
    en="This returns the most accurate size. A smaller one may be nearly as good.",
    zh="这里返回的是最准的大小。更小的也许几乎一样好。",
)
def most_accurate(measured, loss=0.01):
    return max(measured, key=measured.get)


@smallest_good.mistake(
    en="This compares with the accuracy of the largest vocabulary. Compare with the best, which may be another.",
    zh="这里是和最大词表的准确率比。应当和最好的比，那可能是另一个。",
)
def against_the_largest(measured, loss=0.01):
    return min(size for size, accuracy in measured.items() if accuracy >= measured[max(measured)] - loss)


@smallest_good.mistake(
    en="A size that loses exactly `loss` is within it: compare with >=.",
    zh="恰好损失 `loss` 的大小也在范围内：应当用 >= 比较。",
)
def strictly(measured, loss=0.01):
    return min(size for size, accuracy in measured.items() if accuracy > max(measured.values()) - loss)


@smallest_good.mistake(
    en="The argument `loss` is not used: it may be other than 0.01.", zh="没有用到参数 `loss`：它不一定是 0.01。"
)
def ignores_the_loss(measured, loss=0.01):
    return min(size for size, accuracy in measured.items() if accuracy >= max(measured.values()) - 0.01)


@smallest_good.right
def by_sorting(measured, loss=0.01):
    best = sorted(measured.values())[-1]
    return sorted(size for size in measured if best - measured[size] <= loss)[0]


@smallest_good.right
def by_walking_down(measured, loss=0.01):
    best, answer = max(measured.values()), None
    for size in sorted(measured, reverse=True):
        if measured[size] >= best - loss:
            answer = size
    return answer
