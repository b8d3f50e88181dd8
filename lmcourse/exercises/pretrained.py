"""Exercises and questions on what is in a checkpoint: a sentence's vector from its tokens', weights packed into four bits."""

import numpy as np

from lmcourse.exercises.exercise import Case, exercise, prop
from lmcourse.exercises.question import choice, number


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

bits_each = number(
    en="The chat model's file says Q4_1: 4 bits for each weight, and for every 32 weights a scale and a minimum of 16 bits each. "
    "How many bits does one weight cost in truth?",
    zh="聊天模型的文件写着 Q4_1：每个权重 4 位，每 32 个权重另有一个缩放因子和一个最小值，各 16 位。一个权重实际占多少位？",
    answer=5,
    tolerance=0.01,
    because_en="(32 · 4 + 16 + 16) / 32 = 5. A quarter more than the name says. Larger blocks would cost less and fit worse.",
    because_zh="(32 · 4 + 16 + 16) / 32 = 5，比名字说的多四分之一。块越大越省，拟合也越差。",
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
    en="This is the mean, but not of length 1: the product of two such vectors is no cosine yet.",
    zh="这是平均，但长度不是 1：两个这样的向量相乘还不是余弦。",
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


@sentence_vectors.right
def mean_first(states, mask):
    return _scaled(np.einsum("btd,bt->bd", states, mask) / mask.sum(axis=1)[:, None])


@sentence_vectors.right
def row_by_row(states, mask):
    means = [row[np.asarray(kept, bool)].mean(axis=0) for row, kept in zip(states, mask, strict=True)]
    return np.array([mean / np.sqrt(mean @ mean) for mean in means])


def _blocks(scales, minima, packed):
    head = np.array([scales, minima], "<f2").T.copy().view("uint8")  # (n, 4)
    return np.concatenate([head, np.asarray(packed, "uint8")], axis=1)


def _some_blocks(count, seed=0):
    random = np.random.default_rng(seed)
    return _blocks(
        random.uniform(0.01, 0.1, count), -random.uniform(0.1, 0.9, count), random.integers(0, 256, (count, 16))
    )


COUNTED = np.arange(16) + 16 * (15 - np.arange(16))  # low halves 0 … 15, high halves 15 … 0


@exercise(
    minutes=8,
    task_en="Decode Q4_1: turn blocks of 20 bytes into 32 weights each.",
    task_zh="解码 Q4_1：把每块 20 个字节变成 32 个权重。",
    cases=lambda: [
        Case(
            _blocks([0.5], [-1.0], [COUNTED]),
            label_en="one block: scale 0.5, minimum -1",
            label_zh="一块：缩放 0.5，最小值 -1",
            expected=np.r_[np.arange(16), 15 - np.arange(16)][None].astype("float32") * 0.5 - 1,
        ),
        Case(_some_blocks(4), label_en="four blocks", label_zh="四块"),
        Case(_blocks([0.0], [0.25], [COUNTED]), label_en="scale 0", label_zh="缩放为 0"),
        Case(_blocks([1.0, 2.0], [3.0, -5.0], [COUNTED, COUNTED[::-1]]), label_en="whole numbers", label_zh="整数"),
    ],
    hints=[
        (
            "Two parts: the first four bytes are two numbers, the other sixteen are thirty-two. Which half of a byte holds which weight stands in the docstring.",
            "分两部分：前四个字节是两个数，后十六个字节是三十二个数。字节的哪一半是哪个权重，写在函数说明里。",
        ),
        (
            'A view reads bytes as numbers of another type: `blocks[:, :4].copy().view("<f2")` is (n, 2). Make them float32 before you compute.',
            '视图可以把字节读成另一种数：`blocks[:, :4].copy().view("<f2")` 的形状是 (n, 2)。计算前先转成 float32。',
        ),
        (
            "`byte & 15` is the low half, `byte >> 4` the high one. All low halves come first: `np.concatenate([…, …], axis=1)`.",
            "`byte & 15` 是低半字节，`byte >> 4` 是高半字节。所有低半字节在前：`np.concatenate([…, …], axis=1)`。",
        ),
    ],
)
def decode_q4_1(blocks):
    """The 32 weights in each block of 20 bytes: scale · q + minimum.

    blocks: (n, 20) uint8. Bytes 0–1 and 2–3: scale and minimum, little-endian float16. Bytes 4–19: two 4-bit numbers q each;
    the low halves are weights 0 to 15, the high halves 16 to 31. Returns (n, 32) float32.
    """
    head = blocks[:, :4].copy().view("<f2").astype("float32")  # (n, 2)
    packed = blocks[:, 4:]  # (n, 16)
    q = np.concatenate([packed & 15, packed >> 4], axis=1)  # (n, 32)
    return head[:, :1] * q + head[:, 1:]


def _head(blocks, dtype="<f2"):
    head = blocks[:, :4].copy().view(dtype).astype("float32")
    return head[:, :1], head[:, 1:]


def _q(blocks):
    return np.concatenate([blocks[:, 4:] & 15, blocks[:, 4:] >> 4], axis=1)


@decode_q4_1.mistake(
    en="The two halves of a byte became neighbours. In this format the 16 low halves come first, then the 16 high ones.",
    zh="一个字节的两半成了相邻的权重。这种格式是先放 16 个低半字节，再放 16 个高半字节。",
)
def neighbours(blocks):
    scale, minimum = _head(blocks)
    return scale * np.stack([blocks[:, 4:] & 15, blocks[:, 4:] >> 4], axis=2).reshape(-1, 32) + minimum


@decode_q4_1.mistake(
    en="High and low halves have changed places: weights 0 to 15 are the low halves, `& 15`.",
    zh="高低两半放反了：权重 0 到 15 是低半字节，即 `& 15`。",
)
def high_first(blocks):
    scale, minimum = _head(blocks)
    return scale * np.roll(_q(blocks), 16, axis=1) + minimum


@decode_q4_1.mistake(
    en="That is Q4_0, whose numbers are centred at 8 and have no minimum. Q4_1 stores the minimum and counts up from it.",
    zh="这是 Q4_0 的做法：以 8 为中心，没有最小值。Q4_1 存了最小值，从它往上数。",
)
def centred_at_eight(blocks):
    return _head(blocks)[0] * (_q(blocks) - np.float32(8))


@decode_q4_1.mistake(
    en="The minimum is subtracted. It is the value that q = 0 stands for, so it is added; as a rule it is negative itself.",
    zh="减去了最小值。它是 q = 0 所代表的值，应当加上；它本身多半是负数。",
)
def subtracts_minimum(blocks):
    scale, minimum = _head(blocks)
    return scale * _q(blocks) - minimum


@decode_q4_1.mistake(
    en="Scale and minimum have changed places: the scale is in bytes 0 and 1.",
    zh="缩放因子和最小值放反了：字节 0 和 1 是缩放因子。",
)
def head_swapped(blocks):
    minimum, scale = _head(blocks)
    return scale * _q(blocks) + minimum


@decode_q4_1.mistake(
    en="The two numbers were read big-endian. In this file the low byte comes first: `<f2`.",
    zh="两个数按大端序读了。这个文件里低位字节在前：`<f2`。",
)
def big_endian(blocks):
    scale, minimum = _head(blocks, ">f2")
    return scale * _q(blocks) + minimum


@decode_q4_1.mistake(
    en="The minimum is left out: every weight comes out too large by it.", zh="漏了最小值：每个权重都偏了这么多。"
)
def no_minimum(blocks):
    return _head(blocks)[0] * _q(blocks)


@decode_q4_1.right
def by_division(blocks):
    scale, minimum = (np.frombuffer(blocks[:, i : i + 2].tobytes(), "<f2").astype("float64")[:, None] for i in (0, 2))
    packed = blocks[:, 4:].astype(int)
    return np.hstack([packed % 16, packed // 16]) * scale + minimum


@decode_q4_1.right
def one_by_one(blocks):
    weights = []
    for block in np.asarray(blocks):
        scale, minimum = np.frombuffer(block[:4].tobytes(), "<f2").astype("float32")
        halves = [int(byte) & 15 for byte in block[4:]] + [int(byte) >> 4 for byte in block[4:]]
        weights.append([scale * q + minimum for q in halves])
    return np.array(weights, "float32")
