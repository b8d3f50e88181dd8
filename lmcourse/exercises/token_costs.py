"""Exercises on tokens and what they cost: bytes back to text, and the mixture at which two languages cost the same."""

import numpy as np

from lmcourse.exercises.exercise import Case, exercise, prop

BYTES = [bytes([value]) for value in range(256)]
# few, so that a verdict shows them all
TOKENS = [b"a", b" the", "很".encode(), "好".encode()[:2], "好，".encode()[2:], b"\xff", b"\xc0"]


@exercise(
    minutes=3,
    task_en="Turn token ids back into text, whatever a model may have put together.",
    task_zh="把词元编号还原成文本，不管模型拼出了什么。",
    cases=lambda: [
        Case([0, 1], TOKENS, label_en="English", label_zh="英文", expected="a the"),
        Case([2, 3, 4], TOKENS, label_en="a character in two tokens", label_zh="一个字分在两个词元里", expected="很好，"),
        Case(list("👋🏽".encode()), BYTES, label_en="an emoji, byte by byte", label_zh="逐字节的表情符号"),
        Case([2, 3], TOKENS, label_en="an unfinished character", label_zh="没写完的字"),
        Case([5, 0, 6], TOKENS, label_en="bytes that no text has", label_zh="文本里不会有的字节"),
        Case([], TOKENS, label_en="nothing", label_zh="空的"),
    ],
    hints=[
        (
            "A character may lie across the border of two tokens. When is it safe to turn bytes into text?",
            "一个字可能跨在两个词元的边界上。什么时候把字节变成文本才稳妥？",
        ),
        ("First all bytes: `b\"\".join(…)`; then one `decode`.", "先拼出全部字节：`b\"\".join(…)`，再做一次 `decode`。"),
        ("`decode(\"utf-8\", errors=\"replace\")` shows � where bytes are no character.", "`decode(\"utf-8\", errors=\"replace\")` 在字节不成字的地方显示 �。"),
    ],
)  # fmt: skip
def decode(ids, tokens):
    """The text of token ids; bytes that are no character of UTF-8 become �.

    ids: list of token ids; tokens: list of bytes, one entry for each id. Returns a string.
    """
    joined = b"".join(tokens[i] for i in ids)
    return joined.decode("utf-8", errors="replace")


@decode.mistake(
    en="Each token is decoded by itself: a character that lies in two tokens becomes two �. Join the bytes first.",
    zh="每个词元单独解码：跨在两个词元里的字成了两个 �。先把字节拼起来。",
)
def token_by_token(ids, tokens):
    return "".join(tokens[i].decode("utf-8", errors="replace") for i in ids)


@decode.mistake(
    en="Half a character raises an error. A model may stop anywhere, and may write any bytes: show � instead.",
    zh="半个字会引发错误。模型可能停在任何地方，也可能写出任何字节：应当显示 �。",
)
def strict(ids, tokens):
    return b"".join(tokens[i] for i in ids).decode("utf-8")


@decode.mistake(
    en="Bytes that are no character vanish without a trace. Show that something is there: �.",
    zh="不成字的字节悄悄消失了。应当让人看到那里有东西：�。",
)
def silent(ids, tokens):
    return b"".join(tokens[i] for i in ids).decode("utf-8", errors="ignore")


@decode.mistake(
    en="Every byte became a character of its own. Text is UTF-8: several bytes may be one character.",
    zh="每个字节各成了一个字符。文本是 UTF-8：几个字节可能合成一个字符。",
)
def byte_is_character(ids, tokens):
    return "".join(map(chr, b"".join(tokens[i] for i in ids)))


@decode.right
def into_a_bytearray(ids, tokens):
    whole = bytearray()
    for i in ids:
        whole += tokens[i]
    return str(whole, "utf-8", "replace")


@decode.right
def by_codec(ids, tokens):
    import codecs

    reader = codecs.getincrementaldecoder("utf-8")("replace")
    return "".join(reader.decode(tokens[i]) for i in ids) + reader.decode(b"", final=True)


@exercise(
    minutes=5,
    task_en="From two measured curves, find where they first cross, with straight lines between the points.",
    task_zh="给出两条测得的曲线，求它们第一次相交的位置，点与点之间用直线相连。",
    cases=lambda: [
        Case([0.0, 1.0], [1.0, 3.0], [3.0, 1.0], label_en="two straight lines", label_zh="两条直线", expected=0.5),
        Case([0.0, 0.1, 0.5, 1.0], [3.0, 3.2, 3.5, 5.0], [9.0, 4.0, 3.0, 2.9], label_en="a curve that bends", label_zh="弯的曲线"),
        Case([0.0, 0.2, 0.4, 0.8], [5.0, 2.0, 1.0, 7.0], [4.0, 3.0, 3.0, 3.0], label_en="they cross twice", label_zh="相交两次"),
        Case([0.0, 0.5, 1.0], [1.0, 1.5, 1.8], [4.0, 3.0, 2.0], label_en="they never cross", label_zh="从不相交", expected=float("nan")),
        Case(np.array([10.0, 20.0, 40.0]), np.array([1.0, 2.0, 3.0]), np.array([8.0, 5.0, 2.0]), label_en="arrays", label_zh="数组"),
    ],
    properties=[
        prop(
            lambda f: np.isclose(f([0.0, 0.3, 1.0], [4.0, 3.0, 1.0], [2.0, 2.5, 5.0]), f([0.0, 0.3, 1.0], [2.0, 2.5, 5.0], [4.0, 3.0, 1.0])),
            en="Which of the curves is named first does not matter.",
            zh="先说哪条曲线都一样。",
        ),
    ],
    hints=[
        (
            "Look at the difference of the two curves. What happens to it where they cross?",
            "看两条曲线的差。相交的地方，差会怎样？",
        ),
        (
            "Find the first i at which `gap[i]` and `gap[i + 1]` have opposite signs: their product is negative.",
            "找第一个 i，使 `gap[i]` 和 `gap[i + 1]` 异号：乘积为负。",
        ),
        (
            "On a straight line the gap is zero after the part `gap[i] / (gap[i] - gap[i + 1])` of the way from `x[i]` to `x[i + 1]`.",
            "在直线上，从 `x[i]` 走到 `x[i + 1]` 的 `gap[i] / (gap[i] - gap[i + 1])` 处，差为零。",
        ),
    ],
)  # fmt: skip
def crossing(x, one, two):
    """Where two measured curves first cross; NaN where they never do.

    x: n numbers, ascending; one, two: n numbers each, nowhere equal. Returns a float.
    """
    gap = np.subtract(one, two)  # (n,)
    for i in range(len(gap) - 1):
        if gap[i] * gap[i + 1] < 0:
            part = gap[i] / (gap[i] - gap[i + 1])
            return x[i] + part * (x[i + 1] - x[i])
    return np.nan


@crossing.mistake(
    en="This is the measured point where the curves are closest. They cross between two points: interpolate.",
    zh="这是两条曲线最接近的那个测量点。它们在两点之间相交：要插值。",
)
def closest_point(x, one, two):
    gap = np.subtract(one, two)
    return float(x[np.argmin(np.abs(gap))]) if (gap.max() > 0) == (gap.min() < 0) else float("nan")


@crossing.mistake(
    en="This is the last point before they cross. How far on towards the next one?",
    zh="这是相交之前的最后一个点。往下一个点还要走多远？",
)
def point_before(x, one, two):
    gap = np.subtract(one, two)
    return next((float(x[i]) for i in range(len(gap) - 1) if gap[i] * gap[i + 1] < 0), float("nan"))


@crossing.mistake(
    en="This is the middle between two measured points. The gaps on both sides say how far along it is.",
    zh="这是两个测量点的中点。两边的差说明了应当走多远。",
)
def middle(x, one, two):
    gap = np.subtract(one, two)
    return next((float(x[i] + x[i + 1]) / 2 for i in range(len(gap) - 1) if gap[i] * gap[i + 1] < 0), float("nan"))


@crossing.mistake(
    en="This is a later crossing; the first was asked for, whichever curve comes from above.",
    zh="这是后来的一次相交；要的是第一次，不管哪条曲线从上面来。",
)
def last_crossing(x, one, two):
    return crossing.reference(list(x)[::-1], list(one)[::-1], list(two)[::-1])


@crossing.right
def by_signs(x, one, two):
    gap = np.asarray(one, float) - np.asarray(two, float)
    changes = np.flatnonzero(np.sign(gap[1:]) != np.sign(gap[:-1]))
    if not len(changes):
        return np.nan
    i = changes[0]
    low, high = sorted([i, i + 1], key=lambda place: gap[place])
    return np.interp(0, [gap[low], gap[high]], [x[low], x[high]])


@crossing.right
def by_weights(x, one, two):
    gap = np.abs(np.subtract(one, two))
    for i in range(len(gap) - 1):
        if (one[i] < two[i]) != (one[i + 1] < two[i + 1]):
            return (x[i] * gap[i + 1] + x[i + 1] * gap[i]) / (gap[i] + gap[i + 1])
    return np.nan
