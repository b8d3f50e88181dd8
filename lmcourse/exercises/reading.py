"""Exercises on using what was pretrained: filling a blank, reading a text. How blanks are made is in `masked_models`."""

import numpy as np

from lmcourse.exercises.exercise import Case, exercise, prop


def _scores(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape) * 2


@exercise(
    minutes=6,
    task_en="Pick the k best tokens for a blank, special tokens left out, each with its probability.",
    task_zh="为一个空挑出最好的 k 个词元及其概率，特殊词元除外。",
    cases=lambda: [
        Case(
            np.log(np.array([8.0, 1.0, 2.0, 4.0, 2.0])),
            1,
            2,
            label_en="one special token in front",
            label_zh="前面有一个特殊词元",
            expected=(np.array([3, 2]), np.array([4 / 9, 2 / 9])),
        ),
        Case(_scores(50), 5, 5, label_en="five of fifty", label_zh="五十选五"),
        Case(_scores(20, seed=1), 0, 3, label_en="no special tokens", label_zh="没有特殊词元"),
        Case(400 * _scores(12, seed=2), 5, 4, label_en="large logits", label_zh="很大的 logit"),
        Case(
            np.r_[900.0, _scores(8, seed=4)],
            1,
            2,
            label_en="a special token far ahead of all others",
            label_zh="一个特殊词元遥遥领先",
        ),
        Case(_scores(9, seed=3), 5, 4, label_en="all that are left", label_zh="剩下的全要"),
    ],
    properties=[
        prop(
            lambda f: np.isclose(np.sum(f(_scores(30), 5, 25)[1]), 1),
            en="The probabilities of all ordinary tokens sum to 1.",
            zh="所有普通词元的概率之和为 1。",
        ),
    ],
    hints=[
        (
            "A forbidden token must get no probability at all. So is it removed before the softmax or after it?",
            "被禁止的词元一点概率都不能有。那么应当在 softmax 之前去掉，还是之后？",
        ),
        (
            "Take `logits[specials:]`, make a softmax of that, and remember that its place 0 is token number `specials`.",
            "取 `logits[specials:]` 做 softmax，并记住它的第 0 位是编号为 `specials` 的词元。",
        ),
        (
            '`np.argsort(-p, kind="stable")[:k]` gives the places of the k largest, the largest first.',
            '`np.argsort(-p, kind="stable")[:k]` 给出最大的 k 个的位置，最大的在前。',
        ),
    ],
)
def fills(logits, specials, k):
    """The k best tokens for a blank, the best first, and their probabilities.

    logits: (vocabulary,); the first `specials` tokens are [PAD], [MASK] and the like, and must not be chosen.
    Returns ids (k,) and probabilities (k,), among the ordinary tokens.
    """
    e = np.exp(logits[specials:] - logits[specials:].max())
    p = e / e.sum()
    best = np.argsort(-p, kind="stable")[:k]
    return best + specials, p[best]


def _softmax(logits):
    e = np.exp(logits - logits.max())
    return e / e.sum()


@fills.mistake(
    en="The special tokens still take their share of the probability. Leave them out before the softmax, not after it.",
    zh="特殊词元仍然分走了概率。要在 softmax 之前去掉，而不是之后。",
)
def removes_them_late(logits, specials, k):
    p = _softmax(logits)
    best = np.argsort(-p[specials:], kind="stable")[:k] + specials
    return best, p[best]


@fills.mistake(
    en="These are places in the shortened list. Token number = place + specials.",
    zh="这些是缩短之后的列表里的位置。词元编号 = 位置 + specials。",
)
def forgets_the_shift(logits, specials, k):
    p = _softmax(logits[specials:])
    best = np.argsort(-p, kind="stable")[:k]
    return best, p[best]


@fills.mistake(
    en="[PAD] or [MASK] can be chosen: the first `specials` tokens must be left out.",
    zh="[PAD] 或 [MASK] 也可能被选中：前 `specials` 个词元要排除。",
)
def allows_specials(logits, specials, k):
    p = _softmax(logits)
    best = np.argsort(-p, kind="stable")[:k]
    return best, p[best]


@fills.mistake(
    en="The order is the wrong way round: argsort goes from the smallest up.",
    zh="次序反了：argsort 是从小到大排的。",
)
def takes_the_worst(logits, specials, k):
    p = _softmax(logits[specials:])
    best = np.argsort(p, kind="stable")[:k]
    return best + specials, p[best]


@fills.mistake(
    en="The probabilities were shared among the k chosen only. They belong to all ordinary tokens: the rest is the model's doubt.",
    zh="概率只在选出的 k 个之间分了。应当在全部普通词元之间分：剩下的那部分正是模型的犹豫。",
)
def shares_among_k(logits, specials, k):
    best = np.argsort(-logits[specials:], kind="stable")[:k] + specials
    return best, _softmax(logits[best])


@fills.right
def with_minus_infinity(logits, specials, k):
    allowed = np.where(np.arange(len(logits)) < specials, -np.inf, logits)
    p = _softmax(allowed)
    best = np.argsort(-p, kind="stable")[:k]
    return best, p[best]


@fills.right
def by_sorting(logits, specials, k):
    p = _softmax(logits[specials:])
    pairs = sorted(((-value, i) for i, value in enumerate(p)))[:k]
    return np.array([i + specials for _, i in pairs]), np.array([-value for value, _ in pairs])


@exercise(
    minutes=5,
    task_en="Say where to read a text: equal weights on its tokens, none on padding.",
    task_zh="说明从哪里读一段文本：它的各个词元权重相等，补齐没有权重。",
    cases=lambda: [
        Case(
            np.array([[2, 10, 11, 0], [2, 12, 0, 0]]),
            0,
            label_en="two texts",
            label_zh="两段文本",
            expected=np.array([[1 / 3, 1 / 3, 1 / 3, 0], [1 / 2, 1 / 2, 0, 0]]),
        ),
        Case(np.array([[2, 7, 8, 9]]), 0, label_en="no padding", label_zh="没有补齐"),
        Case(
            np.array([[3, 0, 9, 9], [9, 9, 9, 9]]), 9, label_en="padding has another number", label_zh="补齐用别的编号"
        ),
        Case(np.array([[0, 0, 0], [2, 5, 0]]), 0, label_en="a row of padding only", label_zh="有一行全是补齐"),
    ],
    properties=[
        prop(
            lambda f: np.allclose(f(np.tri(6, dtype=int) * 7, 0).sum(axis=1), 1),
            en="The weights of a text sum to 1, however short it is.",
            zh="一段文本的权重之和为 1，再短也一样。",
        ),
    ],
    hints=[
        (
            "First a row of ones and zeros that says what is text. By what must it be divided, so that it sums to 1?",
            "先得到一行 1 和 0，标出哪里是文本。除以什么，它的和才是 1？",
        ),
        (
            "`mask = ids != padding`, and its sum over `axis=1, keepdims=True` counts the tokens of each row.",
            "`mask = ids != padding`，沿 `axis=1, keepdims=True` 求和就是每行的词元数。",
        ),
        (
            "`np.maximum(count, 1)` for the row that holds nothing.",
            "空行用 `np.maximum(count, 1)`。",
        ),
    ],
)
def reading_weights(ids, padding):
    """Weights that read the mean of a text's tokens.

    ids: (batch, time) token ids; padding: the id that fills rows up.
    Returns (batch, time) floats: 1/n on each of a row's n tokens, 0 on padding; zeros for a row of padding only.
    """
    mask = ids != padding
    return mask / np.maximum(mask.sum(axis=1, keepdims=True), 1)


@reading_weights.mistake(
    en="Padding is read as well, which is the article's fault: a short review drowns in it.",
    zh="补齐也读进去了，这正是文章的毛病：短评论会被补齐淹没。",
)
def reads_padding(ids, padding):
    return np.full(ids.shape, 1 / ids.shape[1])


@reading_weights.mistake(
    en="The weights do not sum to 1: divide by the number of tokens in the row, not by its length.",
    zh="权重之和不是 1：应除以这一行的词元数，而不是行的长度。",
)
def divides_by_length(ids, padding):
    return (ids != padding) / ids.shape[1]


@reading_weights.mistake(
    en="The tokens of the whole batch were counted. Each row has its own number: sum along `axis=1`, with `keepdims=True`.",
    zh="数的是整批的词元。每一行各有自己的个数：沿 `axis=1` 求和，并加上 `keepdims=True`。",
)
def counts_the_batch(ids, padding):
    mask = ids != padding
    return mask / np.maximum(mask.sum(), 1)


@reading_weights.mistake(
    en="This is the mask itself: a long text would count for more than a short one. Divide by the number of tokens.",
    zh="这只是掩码本身：长文本会比短文本更有分量。还要除以词元数。",
)
def gives_the_mask(ids, padding):
    return (ids != padding).astype(float)


@reading_weights.mistake(
    en="A row of padding only gives 0/0 = NaN. Give zeros there.",
    zh="全是补齐的行会得到 0/0 = NaN。这种行请给出零。",
)
def divides_by_zero(ids, padding):
    mask = ids != padding
    with np.errstate(invalid="ignore"):
        return mask / mask.sum(axis=1, keepdims=True)


@reading_weights.mistake(
    en="Padding is not always number 0: use the argument.",
    zh="补齐的编号不一定是 0：要用参数。",
)
def assumes_zero(ids, padding):
    mask = ids != 0
    return mask / np.maximum(mask.sum(axis=1, keepdims=True), 1)


@reading_weights.right
def row_by_row(ids, padding):
    return np.array([[(i != padding) / max(int((row != padding).sum()), 1) for i in row] for row in ids])


@reading_weights.right
def by_where(ids, padding):
    count = (ids != padding).sum(axis=1)
    return np.where(ids != padding, 1 / np.where(count == 0, 1, count)[:, None], 0.0)
