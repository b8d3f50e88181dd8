"""The exercise on averaging vectors of which some are padding."""

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


@masked_mean.mistake(
    en="A small constant in the divisor shifts every average a little. Only a row without any 1 needs help: np.maximum(count, 1).",
    zh="除数里加一个小常数，会让每个平均值都偏一点。只有一个 1 都没有的行才需要照顾：np.maximum(count, 1)。",
)
def adds_a_constant(vectors, mask):
    weights = np.asarray(mask)[..., None]
    return (vectors * weights).sum(axis=1) / (weights.sum(axis=1) + 1e-7)


@masked_mean.right
def by_einsum(vectors, mask):
    mask = np.asarray(mask, dtype=vectors.dtype)
    return np.einsum("btd,bt->bd", vectors, mask) / np.clip(mask.sum(axis=1, keepdims=True), 1, None)


@masked_mean.right
def row_by_row(vectors, mask):
    rows = [v[np.asarray(m, dtype=bool)] for v, m in zip(vectors, mask, strict=True)]
    return np.array([r.mean(axis=0) if len(r) else np.zeros(vectors.shape[-1]) for r in rows])
