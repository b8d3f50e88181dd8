"""The exercise and the question on weights packed into four bits."""

import numpy as np

from lmcourse.exercises.exercise import Case, exercise, prop
from lmcourse.exercises.question import number

bits_each = number(
    en="The chat model's file says Q4_1: 4 bits for each weight, and for every 32 weights a scale and a minimum of 16 bits each. "
    "How many bits does one weight cost in truth?",
    zh="聊天模型的文件写着 Q4_1：每个权重 4 位，每 32 个权重另有一个缩放因子和一个最小值，各 16 位。一个权重实际占多少位？",
    answer=5,
    tolerance=0.01,
    because_en="(32 · 4 + 16 + 16) / 32 = 5. A quarter more than the name says. Larger blocks would cost less and fit worse.",
    because_zh="(32 · 4 + 16 + 16) / 32 = 5，比名字说的多四分之一。块越大越省，拟合也越差。",
)


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
    properties=[
        prop(
            lambda f: np.asarray(f(_some_blocks(2))).dtype.itemsize >= 4,
            en="The weights are float32: in float16 they would keep three digits. Convert scale and minimum before you compute.",
            zh="权重是 float32：float16 只有三位有效数字。请先把缩放因子和最小值转成 float32 再计算。",
        )
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


@decode_q4_1.mistake(en="The minimum is left out: every weight is off by it.", zh="漏了最小值：每个权重都偏了这么多。")
def no_minimum(blocks):
    return _head(blocks)[0] * _q(blocks)


@decode_q4_1.mistake(
    en="The high half is still 16 times too large: shift it down by 4 bits, `>> 4`.",
    zh="高半字节大了 16 倍：要右移 4 位，`>> 4`。",
)
def not_shifted(blocks):
    scale, minimum = _head(blocks)
    return scale * np.concatenate([blocks[:, 4:] & 15, blocks[:, 4:] & 240], axis=1) + minimum


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
