"""Exercises and questions on attention: weights from scores, heads, masks. Positions and costs are in `positions`."""

import numpy as np

from lmcourse.exercises.exercise import Case, exercise, prop
from lmcourse.exercises.question import choice, number


def _random(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape)


spread = number(
    en="Two vectors of 64 independent numbers, each with mean 0 and variance 1. The standard deviation of their dot product is …",
    zh="两个向量各有 64 个独立的数，均值都是 0，方差都是 1。它们点积的标准差是……",
    answer=8,
    tolerance=0.5,
    because_en="Each of the 64 products has variance 1; variances of independent terms add up to 64, and the deviation is √64 = 8. "
    "Hence the division by √dim.",
    because_zh="64 个乘积的方差各为 1；独立项的方差相加得 64，标准差就是 √64 = 8。所以要除以 √dim。",
)

order = choice(
    en="One causal attention layer without positions. The earlier characters change places among themselves; the last one stays. "
    "What comes out at the last place …",
    zh="一层因果注意力，没有位置编码。前面的字互换位置，最后一个字不动。最后一处的输出……",
    options=[
        ("changes: the mask is a triangle, and a triangle has an order", "会变：掩码是三角形，三角形有先后"),
        ("stays the same, to the rounding", "不变，只差舍入误差"),
        ("changes only if a character moves by more than one place", "只有某个字移动超过一位时才会变"),
        ("stays the same only with one head", "只有一个头时才不变"),
    ],
    answer=1,
    because_en="The last place sees all the others, and a weighted average does not care in which order its terms are added. "
    "The mask decides what each place sees, not in which order.",
    because_zh="最后一处能看到其他所有位置，而加权平均不在乎各项按什么次序相加。掩码决定看得到什么，不决定先后。",
)

takes_over = number(
    en="A block of width 768 costs 12·768² multiplications for each token in its dense layers. From how many tokens of text on does "
    "attention itself (scores and averages) cost more?",
    zh="宽度 768 的一个块，全连接层对每个词元要做 12·768² 次乘法。文本有多少个词元时，注意力本身（打分和求平均）开始更贵？",
    answer=4608,
    tolerance=300,
    because_en="Each token is compared with n keys and averages n values: 2·n·768 multiplications. That equals 12·768² at "
    "n = 6·768 = 4,608: far later than most people guess. Below it, a transformer's time grows almost in proportion to the text.",
    because_zh="每个词元要与 n 个键比较，再对 n 个值求平均：2·n·768 次乘法。令其等于 12·768²，得 n = 6·768 = 4,608，"
    "比多数人猜的晚得多。在此之前，Transformer 的耗时几乎与文本长度成正比。",
)


@exercise(
    minutes=8,
    task_en="Write scaled dot-product attention's weights: a softmax over the keys that each query may see.",
    task_zh="写出缩放点积注意力的权重：每个查询在它看得到的键上做 softmax。",
    cases=lambda: [
        Case(
            np.array([[1.0, 0.0, 0.0, 0.0]]),
            np.array([[2 * np.log(3.0), 0, 0, 0], [0.0, 5, 5, 5]]),
            label_en="one query, two keys",
            label_zh="一个查询，两个键",
            expected=np.array([[0.75, 0.25]]),
        ),
        Case(_random(5, 16), _random(5, 16, seed=1), label_en="no mask", label_zh="没有掩码"),
        Case(
            _random(5, 9), _random(5, 9, seed=1), np.tri(5, dtype=bool), label_en="a causal mask", label_zh="因果掩码"
        ),
        Case(_random(3, 4), _random(7, 4, seed=1), label_en="more keys than queries", label_zh="键比查询多"),
        Case(
            _random(2, 3, 4, 8),
            _random(2, 3, 4, 8, seed=1),
            np.tri(4, dtype=bool),
            label_en="batch and heads in front",
            label_zh="前面还有批和头",
        ),
        Case(100 * _random(4, 4), 100 * _random(4, 4, seed=1), label_en="large scores", label_zh="很大的分数"),
    ],
    properties=[
        prop(
            lambda f: np.allclose(f(_random(2, 6, 4), _random(2, 6, 4, seed=1), np.tri(6, dtype=bool)).sum(-1), 1),
            en="Each row sums to 1, also behind a mask.",
            zh="每一行之和为 1，有掩码时也一样。",
        ),
    ],
    hints=[
        (
            "Three steps: scores, mask, softmax. What must a forbidden score be, so that its exponential is zero?",
            "三步：打分、掩码、softmax。不许看的分数应当是多少，指数才会是零？",
        ),
        (
            "`query @ np.swapaxes(key, -1, -2)` compares all pairs, whatever stands in front. Then `np.where(mask, scores, -np.inf)`.",
            "`query @ np.swapaxes(key, -1, -2)` 比较所有成对的向量，前面有几个轴都行。然后用 `np.where(mask, scores, -np.inf)`。",
        ),
        (
            "Subtract each row's maximum before `np.exp`, and divide by the row's sum: `axis=-1, keepdims=True` in both.",
            "取 `np.exp` 之前减去每行的最大值，之后除以每行的和：两处都用 `axis=-1, keepdims=True`。",
        ),
    ],
)
def attention_weights(query, key, mask=None):
    """How much each query looks at each key.

    query: (…, queries, dim); key: (…, keys, dim); mask: booleans, broadcast against the scores, True where the
    query may look. Returns (…, queries, keys); each row sums to 1.
    """
    scores = query @ np.swapaxes(key, -1, -2) / np.sqrt(query.shape[-1])  # (…, queries, keys)
    if mask is not None:
        scores = np.where(mask, scores, -np.inf)
    e = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def _softmax(scores, axis=-1):
    e = np.exp(scores - scores.max(axis=axis, keepdims=True))
    return e / e.sum(axis=axis, keepdims=True)


def _scores(query, key, mask=None, hidden=-np.inf):
    scores = query @ np.swapaxes(key, -1, -2) / np.sqrt(query.shape[-1])
    return scores if mask is None else np.where(mask, scores, hidden)


@attention_weights.mistake(
    en="The scores are not divided by √dim: with many dimensions they are so large that one key takes all.",
    zh="分数没有除以 √dim：维数一多，分数大到一个键独占全部权重。",
)
def forgets_the_root(query, key, mask=None):
    return _softmax(_scores(query * np.sqrt(query.shape[-1]), key, mask))


@attention_weights.mistake(
    en="This divides by dim instead of √dim. It is the deviation that must be 1, not the variance that must be undone.",
    zh="这里除以了 dim，而不是 √dim。要让标准差变成 1，应除以方差的平方根。",
)
def divides_by_dim(query, key, mask=None):
    return _softmax(_scores(query / np.sqrt(query.shape[-1]), key, mask))


@attention_weights.mistake(
    en="The softmax runs over the queries. Each query shares its attention among the keys: the last axis.",
    zh="softmax 沿查询方向做了。每个查询把注意力分给各个键，应沿最后一个轴。",
)
def over_the_queries(query, key, mask=None):
    return _softmax(_scores(query, key, mask, hidden=-1e9), axis=-2)


@attention_weights.mistake(
    en="The mask comes after the softmax: the rows no longer sum to 1, and what is hidden still pushed the visible weights down.",
    zh="掩码放在了 softmax 之后：每行之和不再是 1，看不见的仍然压低了看得见的权重。",
)
def masks_after_softmax(query, key, mask=None):
    weights = _softmax(_scores(query, key))
    return weights if mask is None else weights * mask


@attention_weights.mistake(
    en="Hidden scores are set to 0, but e⁰ = 1: the future is still seen. A hidden score must be −∞ or close to it.",
    zh="被遮住的分数设成了 0，可是 e⁰ = 1，未来照样看得见。应设成 −∞ 或非常小的数。",
)
def hides_with_zero(query, key, mask=None):
    return _softmax(_scores(query, key, mask, hidden=0.0))


@attention_weights.mistake(
    en="The mask is the wrong way round: True means that the query may look.",
    zh="掩码用反了：True 表示可以看。",
)
def mask_reversed(query, key, mask=None):
    return _softmax(_scores(query, key, None if mask is None else ~np.asarray(mask), hidden=-1e9))


@attention_weights.mistake(
    en="The mask is not used: every query looks at every key.", zh="没有用到掩码：每个查询都看了全部的键。"
)
def ignores_the_mask(query, key, mask=None):
    return _softmax(_scores(query, key))


@attention_weights.right
def by_einsum(query, key, mask=None):
    scores = np.einsum("...qd,...kd->...qk", query, key) * query.shape[-1] ** -0.5
    if mask is not None:
        scores = scores + np.where(mask, 0.0, -1e9)
    return _softmax(scores)


@attention_weights.right
def by_scaling_the_query(query, key, mask=None):
    return _softmax(_scores(query / query.shape[-1] ** 0.25, key * query.shape[-1] ** 0.25, mask))


@exercise(
    minutes=4,
    task_en="Split the last axis among the heads, so that each head has its own matrix of tokens.",
    task_zh="把最后一个轴分给各个头，让每个头都有自己的词元矩阵。",
    cases=lambda: [
        Case(
            np.arange(8.0).reshape(1, 2, 4),
            2,
            label_en="two tokens, two heads",
            label_zh="两个词元，两个头",
            expected=np.array([[[[0.0, 1], [4, 5]], [[2, 3], [6, 7]]]]),
        ),
        Case(_random(2, 5, 12), 3, label_en="three heads", label_zh="三个头"),
        Case(_random(2, 5, 12), 1, label_en="one head", label_zh="一个头"),
        Case(_random(2, 5, 6), 6, label_en="one number a head", label_zh="每个头一个数"),
        Case(_random(1, 4, 8), 4, label_en="as many tokens as heads", label_zh="词元与头一样多"),
    ],
    hints=[
        (
            "Reshaping alone keeps the order of the numbers in memory. Which axis must move, and past which other?",
            "单用 reshape 不会改变数在内存里的次序。哪个轴要移动，越过哪个轴？",
        ),
        (
            "First `(batch, time, heads, size)`, where the last two share what was one axis; then swap `time` and `heads`.",
            "先变成 `(batch, time, heads, size)`，后两个轴由原来的一个轴拆成；再交换 `time` 和 `heads`。",
        ),
    ],
)
def split_heads(x, num_heads):
    """(batch, time, dim) → (batch, heads, time, dim / heads); head h gets the h-th run of neighbouring numbers."""
    batch, time, dim = x.shape
    return x.reshape(batch, time, num_heads, dim // num_heads).swapaxes(1, 2)


@split_heads.mistake(
    en="Reshaping straight to (batch, heads, time, size) mixes the tokens: a head gets half a text instead of half of each vector. "
    "Split the last axis first, then swap.",
    zh="直接 reshape 成 (batch, heads, time, size) 会把词元搅混：一个头拿到半篇文本，而不是每个向量的一半。先拆最后一个轴，再交换。",
)
def reshapes_only(x, num_heads):
    batch, time, dim = x.shape
    return x.reshape(batch, num_heads, time, dim // num_heads)


@split_heads.mistake(
    en="The axes time and heads still have to be swapped.",
    zh="time 和 heads 两个轴还没有交换。",
)
def forgets_to_swap(x, num_heads):
    batch, time, dim = x.shape
    return x.reshape(batch, time, num_heads, dim // num_heads)


@split_heads.mistake(
    en="Head h got every num_heads-th number. It should get a run of neighbours: split into (heads, size), not (size, heads).",
    zh="头 h 拿到的是每隔几个取一个的数。应当拿相邻的一段：拆成 (heads, size)，而不是 (size, heads)。",
)
def deals_like_cards(x, num_heads):
    batch, time, dim = x.shape
    return x.reshape(batch, time, dim // num_heads, num_heads).transpose(0, 3, 1, 2)


@split_heads.right
def by_split(x, num_heads):
    return np.stack(np.split(x, num_heads, axis=-1), axis=1)


@split_heads.right
def by_slices(x, num_heads):
    size = x.shape[-1] // num_heads
    return np.array([[row[:, h * size : (h + 1) * size] for h in range(num_heads)] for row in x])
