"""Exercises on near copies: how similar two sets are, and MinHash signatures. What is made of signatures is in `banding`."""

import numpy as np

from lmcourse.exercises.exercise import Case, exercise, prop
from lmcourse.exercises.question import choice

PRIME = 2**31 - 1

how_many = choice(
    en="Every line has now been tidied and each text stands once. How many of the 17,000 still have a near copy, one with which they "
    "share at least half of all runs of three characters?",
    zh="每一行都整理过了，每条文本只留一次。在这 17,000 条里，还有多少条存在近似重复（至少一半的三字片段相同）？",
    options=[
        ("about one in a hundred", "大约百分之一"),
        ("about one in twenty", "大约二十分之一"),
        ("about one in five", "大约五分之一"),
        ("about one in two: people write much the same about hotels", "大约一半：酒店评论写来写去都差不多"),
    ],
    answer=0,
    because_en="Fewer than most people guess: half of the lines were copies letter for letter, but those who write by themselves hardly "
    "ever repeat half of another's text. Other corpora are worse; this lesson meets one. Measure, do not guess.",
    because_zh="比多数人猜的少：有一半的行一字不差地重复，但各写各的人几乎不会重复别人文字的一半。别的语料会糟得多，这一课就会碰到。要测，不要猜。",
)

same_topic = choice(
    en="The language reference of Python has about 80 help topics. Eight are drawn by lot and held out as a whole, the rest is trained "
    "on. How much of the held-out text also stands, line for line, in the training topics?",
    zh="Python 的语言参考约有 80 个帮助主题。抽签留出 8 个完整的主题，用其余的训练。留出的文本中，有多少整行整行地也出现在训练主题里？",
    options=[
        ("nothing: whole topics were held out", "完全没有：留出的是整个主题"),
        ("about one part in a hundred, such as common phrases", "大约百分之一，例如常用语句"),
        ("about a tenth", "大约十分之一"),
        ("often more than half", "常常超过一半"),
    ],
    answer=3,
    because_en="Topics overlap: “compound” contains “for”, “if” and “try” in full, “specialnames” contains several others. Holding out whole "
    "documents is no protection when documents quote each other. Hold out groups that share nothing.",
    because_zh="主题互相重叠：“compound” 完整包含 “for”、“if”、“try”，“specialnames” 包含另外好几个。文档互相引用时，留出整个文档起不到保护作用。要留出的是互不相干的组。",
)


@exercise(
    minutes=2,
    task_en="Write Jaccard's similarity of two sets: what they share, of all that they have.",
    task_zh="写出两个集合的杰卡德相似度：共有的占全部的多少。",
    cases=lambda: [
        Case({"a", "b", "c"}, {"b", "c", "d"}, label_en="two of four", label_zh="四个中共有两个", expected=0.5),
        Case({"a"}, {"a"}, label_en="equal", label_zh="相同", expected=1.0),
        Case({"a"}, {"b"}, label_en="nothing shared", label_zh="毫无共同", expected=0.0),
        Case({"很好吃"}, {"很好吃", "好吃的", "吃的很"}, label_en="one inside the other", label_zh="一个包含另一个"),
        Case(set("abcdef"), set("fgh"), label_en="different sizes", label_zh="大小不同"),
    ],
    hints=[
        (
            "Count what stands in both, and what stands in at least one. Which of the two is larger?",
            "数一数两边都有的，再数一数至少一边有的。哪个数更大？",
        ),
        ("`a & b` is what two sets share, `a | b` all that they have.", "`a & b` 是两个集合共有的，`a | b` 是全部。"),
    ],
)
def similarity(a, b):
    """Jaccard's similarity of two sets, not both empty: 1 when they are equal, 0 when they share nothing."""
    return len(a & b) / len(a | b)


@similarity.mistake(
    en="Divided by the size of the smaller set, this is the overlap: a short text inside a long one would count as its copy.",
    zh="除以较小集合的大小，得到的是重叠系数：短文本只要包含在长文本里，就会被当成重复。",
)
def by_the_smaller(a, b):
    return len(a & b) / min(len(a), len(b))


@similarity.mistake(
    en="Divided by both sizes together, what is shared counts twice below: two equal sets would get ½.",
    zh="除以两个大小之和，共有的部分在分母里算了两次：两个相同的集合只能得到 ½。",
)
def by_the_sum(a, b):
    return len(a & b) / (len(a) + len(b))


@similarity.mistake(
    en="That is the number of shared pieces, not their share.", zh="这是共有片段的个数，不是所占的比例。"
)
def counts_only(a, b):
    return len(a & b)


@similarity.right
def by_sizes(a, b):
    shared = sum(1 for piece in a if piece in b)
    return shared / (len(a) + len(b) - shared)


@similarity.right
def by_methods(a, b):
    return 1 - len(a.symmetric_difference(b)) / len(a.union(b))


def _orders(size, seed=0):
    random = np.random.default_rng(seed)
    return random.integers(1, PRIME, size, dtype="uint64"), random.integers(0, PRIME, size, dtype="uint64")


def _hashes(count, seed=1):
    return np.random.default_rng(seed).integers(0, PRIME, count, dtype="uint64")


@exercise(
    minutes=6,
    task_en="Write the MinHash signature: for each random order, the smallest place that any piece takes.",
    task_zh="写出 MinHash 签名：在每个随机次序里，各片段所占位置中最小的那个。",
    cases=lambda: [
        Case(
            np.array([1, 5], dtype="uint64"),
            np.array([3, PRIME - 1], dtype="uint64"),
            np.array([2, 4], dtype="uint64"),
            label_en="two pieces, two orders",
            label_zh="两个片段，两种次序",
            expected=np.array([5, 3], dtype="uint64").astype("int64"),
        ),
        Case(_hashes(1), *_orders(5), label_en="one piece", label_zh="只有一个片段"),
        Case(_hashes(40), *_orders(128), label_en="a review", label_zh="一条评论"),
        Case(_hashes(7), *_orders(7), label_en="as many pieces as orders", label_zh="片段数等于次序数"),
        Case(_hashes(50), *_orders(1), label_en="one order", label_zh="只有一种次序"),
    ],
    properties=[
        prop(
            lambda f: np.array_equal(f(_hashes(9), *_orders(16)), f(_hashes(9)[::-1], *_orders(16))),
            en="A set has no order: the pieces may come in any.",
            zh="集合没有先后：片段以什么顺序给出都一样。",
        ),
    ],
    hints=[
        (
            "Make a table with a row for each piece and a column for each order. Which axis does the minimum run along?",
            "做一张表，每个片段一行，每种次序一列。最小值沿哪个轴取？",
        ),
        (
            "`hashes[:, None] * a` is that table's product, (pieces, size); add `b` and take the rest by `PRIME`.",
            "`hashes[:, None] * a` 就是这张表的乘积，形状 (pieces, size)；再加 `b`，对 `PRIME` 取余。",
        ),
    ],
)
def signature(hashes, a, b):
    """MinHash: the smallest (a h + b) mod PRIME over all pieces, for each order.

    hashes: (pieces,) uint64 below PRIME; a, b: (size,) uint64. Returns (size,) uint64.
    """
    places = (hashes[:, None] * a + b) % PRIME  # (pieces, size)
    return places.min(axis=0)


@signature.mistake(
    en="The minimum runs over the orders, one number for each piece. It should run over the pieces, one for each order.",
    zh="最小值是沿着次序取的，每个片段得到一个数。应当沿着片段取，每种次序一个数。",
)
def over_the_orders(hashes, a, b):
    return ((hashes[:, None] * a + b) % PRIME).min(axis=1)


@signature.mistake(
    en="Without the remainder every order is the same one: the smallest hash always wins. % PRIME is what shuffles.",
    zh="不取余数，所有次序其实是同一个：总是最小的哈希胜出。打乱次序的正是 % PRIME。",
)
def never_shuffles(hashes, a, b):
    return (hashes[:, None] * a + b).min(axis=0)


@signature.mistake(
    en="First the smallest hash, then the orders: all numbers come from a single piece. First shuffle, then take the minimum.",
    zh="先取最小的哈希，再打乱：所有的数都来自同一个片段。应当先打乱，再取最小。",
)
def minimum_first(hashes, a, b):
    return (hashes.min() * a + b) % PRIME


@signature.right
def order_by_order(hashes, a, b):
    return np.array([min((int(h) * int(x) + int(y)) % PRIME for h in hashes) for x, y in zip(a, b, strict=True)])


@signature.right
def the_other_way_up(hashes, a, b):
    return np.min(np.mod(np.outer(a, hashes) + b[:, None], PRIME), axis=1)
