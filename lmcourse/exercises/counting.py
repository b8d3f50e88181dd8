"""Exercises on counting and cutting: n-gram probabilities, a batch of windows."""

import numpy as np

from lmcourse.exercises.exercise import Case, exercise, prop


def _a(*numbers):
    return np.array(numbers)


_CONTEXT = (_a(5, 2, 1, 0), _a(3, 3, 3, 3), _a(8, 8, 8, 8), _a(0.1, 0.2, 0.3, 0.4))


@exercise(
    minutes=7,
    task_en="Write an n-gram's probability: discounted counts, what was saved given to the shorter context.",
    task_zh="写出 n-gram 的概率：计数打折，省下的部分交给更短的上下文。",
    cases=lambda: [
        Case(_a(3), _a(2), _a(4), _a(0.5), 0.5, label_en="a known context", label_zh="见过的上下文", expected=_a(0.75)),
        Case(_a(0), _a(2), _a(4), _a(0.5), 0.5, label_en="a byte that never came", label_zh="从未出现的字节"),
        Case(_a(0), _a(0), _a(0), _a(0.3), 0.5, label_en="an unknown context", label_zh="没见过的上下文"),
        Case(_a(1, 0), _a(1, 1), _a(1, 1), _a(0.2, 0.3), 0.9, label_en="seen once", label_zh="只见过一次"),
        Case(
            _a(7, 0, 1), _a(3, 3, 2), _a(9, 9, 2), 1 / 256, 0.8, label_en="one chance for all", label_zh="只有一个概率"
        ),
    ],
    properties=[
        prop(
            lambda f: np.isclose(f(*_CONTEXT, 0.75).sum(), 1),
            en="Over all bytes, the probabilities after a context sum to 1.",
            zh="对所有字节求和，同一上下文之后的概率总和为 1。",
        ),
    ],
    hints=[
        (
            "Each of the kinds gives up one discount. What do they give up together, and who gets it in which shares?",
            "每一种后续各让出一份折扣。一共让出多少？按什么比例分给谁？",
        ),
        (
            "The numerator has two terms: `np.maximum(seen - discount, 0)`, and `discount * kinds` shared out by `shorter`.",
            "分子有两项：`np.maximum(seen - discount, 0)`，以及按 `shorter` 分配的 `discount * kinds`。",
        ),
        (
            "Where `total` is 0 the answer is `shorter`: `np.where(total > 0, …, shorter)`, with `np.maximum(total, 1)` below the bar.",
            "`total` 为 0 时答案就是 `shorter`：用 `np.where(total > 0, …, shorter)`，分母写 `np.maximum(total, 1)`。",
        ),
    ],
)
def blend(seen, kinds, total, shorter, discount):
    """The probability of each byte of a text after its context.

    seen: how often the byte came after the context; kinds: how many different bytes came after it; total: how many bytes came after it,
    0 for an unknown context; shorter: the probability after the context without its first byte, or one number for all.
    All are (bytes,); discount: a number from 0 to 1. Returns (bytes,).
    """
    rest = discount * kinds * shorter
    longer = (np.maximum(seen - discount, 0) + rest) / np.maximum(total, 1)
    return np.where(total > 0, longer, shorter)


@blend.mistake(
    en="For an unknown context this gives 0, which costs infinitely many bits. Hand on what the shorter context says.",
    zh="上下文没见过时，这里给出 0，代价是无穷多比特。应直接采用更短上下文的概率。",
)
def dies_of_the_unknown(seen, kinds, total, shorter, discount):
    return (np.maximum(seen - discount, 0) + discount * kinds * shorter) / np.maximum(total, 1)


@blend.mistake(
    en="The shorter context is asked only for bytes that never came, and with its whole probability: together that is more than 1.",
    zh="只在字节从未出现时才问更短的上下文，而且用了它的全部概率：加起来超过 1。",
)
def backs_off_for_free(seen, kinds, total, shorter, discount):
    return np.where(seen > 0, seen / np.maximum(total, 1), shorter)


@blend.mistake(
    en="One discount is handed on, but every kind of byte gave one: multiply by kinds.",
    zh="只交出了一份折扣，而每一种字节都让出了一份：要乘以 kinds。",
)
def hands_on_one(seen, kinds, total, shorter, discount):
    longer = (np.maximum(seen - discount, 0) + discount * shorter) / np.maximum(total, 1)
    return np.where(total > 0, longer, shorter)


@blend.mistake(
    en="A byte that never came gets a count below zero: nothing can be taken from nothing.",
    zh="从未出现的字节得到了负的计数：没有的东西是不能打折的。",
)
def takes_from_nothing(seen, kinds, total, shorter, discount):
    longer = (seen - discount + discount * kinds * shorter) / np.maximum(total, 1)
    return np.where(total > 0, longer, shorter)


@blend.mistake(
    en="`if` asks once, but there is one context for each byte, known or not: choose with `np.where(total > 0, …, …)`.",
    zh="`if` 只问一次，而每个字节各有一个上下文，有的见过，有的没见过：用 `np.where(total > 0, …, …)` 选择。",
)
def asks_once_for_all(seen, kinds, total, shorter, discount):
    if total > 0:
        return (np.maximum(seen - discount, 0) + discount * kinds * shorter) / total
    return shorter


@blend.right
def by_shares(seen, kinds, total, shorter, discount):
    known, all_of_it = total > 0, np.where(total > 0, total, 1)
    kept = np.where(seen > 0, seen - discount, 0) / all_of_it
    return kept + np.where(known, discount * kinds / all_of_it, 1) * shorter


@blend.right
def one_by_one(seen, kinds, total, shorter, discount):
    result = []
    for s, k, t, p in zip(*np.broadcast_arrays(seen, kinds, total, shorter), strict=True):
        result.append((max(s - discount, 0) + discount * k * p) / t if t else p)
    return np.array(result)


@exercise(
    minutes=4,
    task_en="Mend the colleague's batch: at every place the target is the token that follows.",
    task_zh="改好同事的批：每个位置的目标是它后面的那个词元。",
    cases=lambda: [
        Case(
            np.arange(10, 20),
            _a(0, 4),
            3,
            label_en="two windows of three",
            label_zh="两个窗口，各三个",
            expected=_a([[10, 11, 12], [14, 15, 16]], [[11, 12, 13], [15, 16, 17]]),
        ),
        Case(np.arange(50) ** 2 % 31, _a(7), 9, label_en="one window", label_zh="一个窗口"),
        Case(
            np.arange(50) ** 2 % 31, _a(3, 40, 3, 12), 1, label_en="windows of one token", label_zh="只有一个词元的窗口"
        ),
        Case(np.arange(9) * 5 % 9, _a(2, 0), 6, label_en="up to the stream's end", label_zh="直到数据流的末尾"),
    ],
    hints=[
        (
            "Write down a window of three tokens and below it the three answers. How many tokens of the stream are involved?",
            "写下一个三词元的窗口，再在下面写出三个答案。一共涉及数据流中的几个词元？",
        ),
        (
            "Cut pieces of `length + 1`; inputs are all but the last token of each, targets all but the first.",
            "切出长为 `length + 1` 的片段；输入去掉每段的最后一个词元，目标去掉第一个。",
        ),
    ],
)
def batch_at(stream, starts, length):
    """Windows of a stream and what is to be predicted at each of their places.

    stream: (n,) token ids; starts: (batch,) where the windows begin; length: tokens of a window.
    Returns inputs and targets, both (batch, length).
    """
    pieces = stream[starts[:, None] + np.arange(length + 1)]  # (batch, length + 1)
    return pieces[:, :-1], pieces[:, 1:]


@batch_at.broken
def same_twice(stream, starts, length):
    """Windows of a stream and what is to be predicted at each of their places.

    stream: (n,) token ids; starts: (batch,) where the windows begin; length: tokens of a window.
    Returns inputs and targets, both (batch, length).
    """
    pieces = stream[starts[:, None] + np.arange(length)]  # (batch, length)
    return pieces, pieces


@batch_at.mistake(
    en="The targets are the tokens before: this model learns to tell the past.",
    zh="目标成了前一个词元：这样的模型学会的是“预测”过去。",
)
def looks_back(stream, starts, length):
    pieces = stream[starts[:, None] + np.arange(length + 1)]
    return pieces[:, 1:], pieces[:, :-1]


@batch_at.mistake(
    en="The last target of each window is its own first token: `np.roll` goes round in a circle.",
    zh="每个窗口最后一个目标成了它自己的第一个词元：`np.roll` 会绕圈。",
)
def goes_round(stream, starts, length):
    pieces = stream[starts[:, None] + np.arange(length)]
    return pieces, np.roll(pieces, -1, axis=1)


@batch_at.mistake(
    en="The windows came out one token short: a window of length tokens and the one after it make length + 1.",
    zh="窗口少了一个词元：length 个词元加上其后一个，共 length + 1 个。",
)
def one_short(stream, starts, length):
    pieces = stream[starts[:, None] + np.arange(length)]
    return pieces[:, :-1], pieces[:, 1:]


@batch_at.right
def by_two_gathers(stream, starts, length):
    places = starts[:, None] + np.arange(length)[None]
    return stream[places], stream[places + 1]


@batch_at.right
def by_slices(stream, starts, length):
    return np.stack([stream[s : s + length] for s in starts]), np.stack(
        [stream[s + 1 : s + 1 + length] for s in starts]
    )
