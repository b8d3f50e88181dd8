"""The exercise and the question on a sentence encoder: a sentence's vector from its tokens', and what it makes of unknown ones."""

import numpy as np

from lmcourse.exercises.exercise import Case, exercise, prop
from lmcourse.exercises.question import choice


def _random(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape)


foreign = choice(
    en="MiniLM reads pairs of Chinese reviews picked at random: hotels, laptops, books, praise and complaint. Their mean cosine is …",
    zh="让 MiniLM 读随机配对的中文评论：酒店、笔记本电脑、图书，有夸有骂。它们的余弦平均……",
    options=[
        (
            "near 0, as for English sentences that have nothing to do with each other",
            "接近 0，和互不相干的英文句子一样",
        ),
        ("below 0: praise and complaint point in opposite ways", "小于 0：夸和骂方向相反"),
        ("near ½: to this model they look alike", "接近 ½：在这个模型看来它们很像"),
        ("there is none: unknown characters raise an error", "没有：不认识的字会报错"),
    ],
    answer=2,
    because_en="Nearly two tokens in three are [UNK], one and the same vector. Texts that consist of the same few tokens look alike, and nothing "
    "warns you: a model answers for any input, also for one that it cannot read.",
    because_zh="近三分之二的词元是 [UNK]，都是同一个向量。由同样几个词元组成的文本看起来自然相像，而且没有任何警告："
    "不管什么输入，模型都会给出答案，读不懂的也一样。",
)


@exercise(
    minutes=6,
    task_en="Turn the vectors of a text's tokens into one vector of length 1, padding left out.",
    task_zh="把一段文本各词元的向量合成一个长度为 1 的向量，不计补齐。",
    cases=lambda: [
        Case(
            np.array([[[3.0, 0.0], [0.0, 4.0], [9.0, 9.0]]]),
            np.array([[1, 1, 0]]),
            label_en="two tokens, one padding",
            label_zh="两个词元，一个补齐",
            expected=np.array([[0.6, 0.8]]),
        ),
        Case(_random(2, 5, 8), np.ones((2, 5), int), label_en="no padding", label_zh="没有补齐"),
        Case(
            _random(3, 6, 4) + 1,
            np.array([[1] * 6, [1, 1, 1, 0, 0, 0], [1, 0, 0, 0, 0, 0]]),
            label_en="three lengths",
            label_zh="三种长度",
        ),
        Case(100 * _random(2, 3, 4), np.array([[1, 1, 0], [1, 1, 1]]), label_en="long vectors", label_zh="很长的向量"),
    ],
    properties=[
        prop(
            lambda f: np.allclose(
                f(np.pad(_random(1, 3, 4), ((0, 0), (0, 5), (0, 0)), constant_values=7), np.array([[1] * 3 + [0] * 5])),
                f(_random(1, 3, 4), np.ones((1, 3), int)),
            ),
            en="More padding changes nothing.",
            zh="多一些补齐，结果不变。",
        ),
    ],
    hints=[
        (
            "Which places may not count? And since only the direction is kept in the end, does it matter by what the sum is divided?",
            "哪些位置不能算？反正最后只留方向，那么和除以多少还重要吗？",
        ),
        (
            "`mask[:, :, None]` has the shape (batch, time, 1) and multiplies every number of a token's vector.",
            "`mask[:, :, None]` 的形状是 (batch, time, 1)，会乘到词元向量的每个数上。",
        ),
        (
            "`np.linalg.norm(…, axis=1, keepdims=True)` gives one length for each text.",
            "`np.linalg.norm(…, axis=1, keepdims=True)` 给出每段文本的向量长度。",
        ),
    ],
)
def sentence_vectors(states, mask):
    """The mean of a text's tokens without the padding, scaled to length 1.

    states: (batch, time, dim); mask: (batch, time), 1 where there is a token, else 0. Returns (batch, dim).
    """
    total = (states * mask[:, :, None]).sum(axis=1)  # (batch, dim); a mean would point the same way
    return total / np.linalg.norm(total, axis=1, keepdims=True)


def _scaled(vectors):
    return vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)


@sentence_vectors.mistake(
    en="The padding is averaged in: a short text in a batch with a long one gets another vector than alone.",
    zh="补齐也算进了平均：短文本和长文本放在一批时，得到的向量与单独算时不同。",
)
def padding_counted(states, mask):
    return _scaled(states.mean(axis=1))


@sentence_vectors.mistake(
    en="This is the mean, but not of length 1: the dot product of two such vectors is no cosine yet.",
    zh="这是平均，但长度不是 1：两个这样的向量的内积还不是余弦。",
)
def not_scaled(states, mask):
    return (states * mask[:, :, None]).sum(axis=1) / mask.sum(axis=1, keepdims=True)


@sentence_vectors.mistake(
    en="This takes the vector of the first token, [CLS]. BERT's classifiers do; MiniLM was trained with the mean of all.",
    zh="这里只取了第一个词元 [CLS] 的向量。BERT 的分类器是这样做的，而 MiniLM 训练时用的是全部词元的平均。",
)
def first_token(states, mask):
    return _scaled(states[:, 0])


@sentence_vectors.mistake(
    en="Each token is scaled to length 1 before the sum. Average first, scale once.",
    zh="求和之前先把每个词元缩放到了长度 1。应先平均，最后缩放一次。",
)
def tokens_scaled(states, mask):
    return _scaled((_scaled(states) * mask[:, :, None]).sum(axis=1))


@sentence_vectors.mistake(
    en="All texts are divided by one length. Each row needs its own: `axis=1, keepdims=True`.",
    zh="所有文本都除以了同一个长度。每一行要用自己的：`axis=1, keepdims=True`。",
)
def one_length(states, mask):
    total = (states * mask[:, :, None]).sum(axis=1)
    return total / np.linalg.norm(total)


@sentence_vectors.mistake(
    en="All texts are divided by one length. Each row needs its own: `axis=1, keepdims=True`.",
    zh="所有文本都除以了同一个长度。每一行要用自己的：`axis=1, keepdims=True`。",
)
def one_length_of_means(states, mask):
    mean = not_scaled(states, mask)
    return mean / np.linalg.norm(mean)


@sentence_vectors.mistake(
    en="Each token is scaled to length 1, their mean is not. Average first, scale once, at the end.",
    zh="缩放到长度 1 的是每个词元，平均之后却没有缩放。应先平均，最后缩放一次。",
)
def only_tokens_scaled(states, mask):
    return not_scaled(_scaled(states), mask)


@sentence_vectors.mistake(
    en="The padding is averaged in, and the mean is not scaled to length 1.",
    zh="补齐也算进了平均，平均之后也没有缩放到长度 1。",
)
def plain_mean(states, mask):
    return states.mean(axis=1)


@sentence_vectors.mistake(
    en="The sum is divided by the padded length, and not scaled to length 1. Scaled, it would not matter by what you divide.",
    zh="和除以了补齐后的长度，也没有缩放到长度 1。只要最后缩放，除以多少都无所谓。",
)
def padded_length(states, mask):
    return (states * mask[:, :, None]).mean(axis=1)


@sentence_vectors.right
def mean_first(states, mask):
    return _scaled(np.einsum("btd,bt->bd", states, mask) / mask.sum(axis=1)[:, None])


@sentence_vectors.right
def row_by_row(states, mask):
    means = [row[np.asarray(kept, bool)].mean(axis=0) for row, kept in zip(states, mask, strict=True)]
    return np.array([mean / np.sqrt(mean @ mean) for mean in means])
