"""Exercises on a model that averages vectors: the mask, folding two layers into one, eight bits instead of thirty-two."""

import numpy as np

from lmcourse.exercises.exercise import Case, exercise, prop


def _random(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape)


@exercise(
    minutes=6,
    task_en="Average the vectors over time where the mask is 1; give zeros to a row without any.",
    task_zh="在掩码为 1 的位置上对向量求时间平均；一行中没有 1 时给出零。",
    cases=lambda: [
        Case(
            np.array([[[1.0, 2.0], [3.0, 4.0], [9.0, 9.0]]]),
            np.array([[1, 1, 0]]),
            label_en="two vectors and one padding",
            label_zh="两个向量，一个补齐",
            expected=np.array([[2.0, 3.0]]),
        ),
        Case(_random(4, 6, 3), np.tri(4, 6, dtype=int), label_en="rows of other lengths", label_zh="各行长度不同"),
        Case(
            _random(2, 3, 2),
            np.array([[1, 1, 1], [0, 0, 0]]),
            label_en="a row of padding only",
            label_zh="有一行全是补齐",
        ),
        Case(
            _random(2, 4, 1).astype("float32"),
            np.array([[0, 1, 0, 1], [1, 1, 1, 1]]),
            label_en="gaps, float32",
            label_zh="有间隔，float32",
        ),
        Case(
            _random(1, 5, 2),
            np.array([[True, False, True, True, False]]),
            label_en="a mask of booleans",
            label_zh="布尔掩码",
        ),
    ],
    properties=[
        prop(
            lambda f: np.allclose(f(_random(2, 3, 4), np.ones((2, 3))), _random(2, 3, 4).mean(axis=1)),
            en="With a mask of ones it is the ordinary mean.",
            zh="掩码全为 1 时，就是普通的平均。",
        ),
    ],
    hints=[
        (
            "What must a padding place add to the sum, and what to the count?",
            "补齐的位置应当给总和加多少？给个数加多少？",
        ),
        (
            "Give the mask a last axis, `mask[..., None]`, and multiply. Divide the sum over time by the number of ones.",
            "给掩码补上最后一个轴 `mask[..., None]` 再相乘。对时间求和后，除以 1 的个数。",
        ),
        (
            "`np.maximum(count, 1)` keeps the division finite where a row has no ones.",
            "某行没有 1 时，`np.maximum(count, 1)` 能避免除以零。",
        ),
    ],
)
def masked_mean(vectors, mask):
    """The mean over time of the vectors where the mask is 1; zeros where a row has none.

    vectors: (batch, time, dim) floats; mask: (batch, time) of 0 and 1. Returns (batch, dim).
    """
    weights = np.asarray(mask)[..., None]  # (batch, time, 1)
    return (vectors * weights).sum(axis=1) / np.maximum(weights.sum(axis=1), 1)


@masked_mean.mistake(
    en="Padding is averaged in: the sum is divided by the whole length. This is the article's fault; divide by the number of ones.",
    zh="补齐被算进了平均：总和除以了整行长度。这正是文章的毛病；应除以 1 的个数。",
)
def divides_by_length(vectors, mask):
    return (vectors * np.asarray(mask)[..., None]).mean(axis=1)


@masked_mean.mistake(en="The mask is not used at all.", zh="根本没有用到掩码。")
def ignores_the_mask(vectors, mask):
    return np.asarray(vectors).mean(axis=1)


@masked_mean.mistake(
    en="A row without any text gives 0/0 = NaN, and one NaN is enough to ruin a whole training run. Give zeros there.",
    zh="没有文本的行算出 0/0 = NaN，而一个 NaN 就足以毁掉整个训练。这种行请给出零。",
)
def divides_by_zero(vectors, mask):
    weights = np.asarray(mask)[..., None]
    with np.errstate(invalid="ignore"):
        return (vectors * weights).sum(axis=1) / weights.sum(axis=1)


@masked_mean.mistake(
    en="This averages over the batch. The mean runs over time, axis 1.",
    zh="这里是对批求平均。平均应沿时间，也就是第 1 轴。",
)
def averages_the_batch(vectors, mask):
    weights = np.asarray(mask)[..., None]
    return (vectors * weights).sum(axis=0) / np.maximum(weights.sum(axis=0), 1)


@masked_mean.right
def by_einsum(vectors, mask):
    mask = np.asarray(mask, dtype=vectors.dtype)
    return np.einsum("btd,bt->bd", vectors, mask) / np.clip(mask.sum(axis=1, keepdims=True), 1, None)


@masked_mean.right
def row_by_row(vectors, mask):
    rows = [v[np.asarray(m, dtype=bool)] for v, m in zip(vectors, mask, strict=True)]
    return np.array([r.mean(axis=0) if len(r) else np.zeros(vectors.shape[-1]) for r in rows])


@exercise(
    minutes=3,
    task_en="Fold the table of vectors and the last layer's weights into one score for each piece.",
    task_zh="把向量表和最后一层的权重合成每块一个分数。",
    cases=lambda: [
        Case(
            np.array([[1.0, 2.0], [3.0, -1.0], [0.0, 0.5]]),
            np.array([[2.0], [1.0]]),
            label_en="three pieces",
            label_zh="三块",
            expected=np.array([4.0, 5.0, 0.5]),
        ),
        Case(
            _random(50, 16).astype("float32"),
            _random(16, 1, seed=1).astype("float32"),
            label_en="float32",
            label_zh="float32",
        ),
        Case(_random(4, 1), _random(1, 1, seed=1), label_en="one dimension", label_zh="一维"),
        Case(_random(3, 3), _random(3, 1, seed=1), label_en="as many pieces as dimensions", label_zh="块数等于维数"),
        Case(_random(1, 5), _random(5, 1, seed=1), label_en="one piece", label_zh="一块"),
    ],
    hints=[
        (
            "Each score is a sum of products. Which product of two arrays does that for all pieces at once?",
            "每个分数都是乘积之和。两个数组的哪种乘法能对所有块一次算完？",
        ),
        (
            "`table @ weights` has the shape (pieces, 1). One axis is too many.",
            "`table @ weights` 的形状是 (块数, 1)，多了一个轴。",
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
    zh="形状是 (块数, 1)；分数应当只有一个轴：(块数,)。",
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
    task_zh="找出错误：给出 −127 到 127 的整数，以及把它们变回去的刻度。",
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
    ],
    hints=[
        (
            "Which score is the first that does not fit into -127 … 127? What happens to it in int8?",
            "哪个分数最先放不进 −127 到 127？变成 int8 后它怎样了？",
        ),
        (
            "The scale must be chosen so that the largest size among the scores becomes exactly 127.",
            "刻度要这样选：分数中最大的绝对值恰好变成 127。",
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
    zh="刻度取自最大的正分数，绝对值大的负分数就放不下了。要用绝对值：np.abs。",
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
    zh="截断掩盖了溢出，但最要紧的大分数还是丢了。刻度要按最大的来选。",
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
