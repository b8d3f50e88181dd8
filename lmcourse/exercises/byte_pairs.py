"""Exercises on byte pairs: learn the merges of a text, and encode with them."""

from collections import Counter
from itertools import pairwise

from lmcourse.exercises.exercise import Case, exercise
from lmcourse.exercises.tokenization import count_pairs, merge


def _spelled(text):
    return {tuple(word): n for word, n in Counter(text.encode().split()).items()}


THYME = "the thyme then theme hens then the thin thing other brother bother mother the end"


@exercise(
    minutes=6,
    task_en="Learn merges: the most frequent pair becomes a token, everywhere; then count again.",
    task_zh="学习合并：最常见的一对处处变成一个词元，然后重新计数。",
    cases=lambda: [
        Case(
            {tuple(b"aaabdaaabac"): 1},
            3,
            label_en="Wikipedia's example",
            label_zh="维基百科的例子",
            expected=[(97, 97), (97, 98), (256, 257)],
        ),
        Case({tuple(b"aaabdaaabac"): 1}, 50, label_en="until nothing repeats", label_zh="直到没有重复"),
        Case(_spelled(THYME), 12, label_en="a few words", label_zh="几个词"),
        Case({(9, 8): 2, (3, 4): 2, (3, 1): 2}, 3, label_en="three pairs equally frequent", label_zh="三对一样常见"),
        Case({(1, 2): 1, (3, 4): 1}, 5, label_en="nothing occurs twice", label_zh="没有出现两次的"),
        Case({(7,): 100}, 5, label_en="words of one token", label_zh="每个词只有一个词元"),
        Case(_spelled(THYME), 0, label_en="no merge wanted", label_zh="不要合并"),
        Case(_spelled("很好 很好吃 不好 好吃 很不好"), 6, label_en="Chinese", label_zh="中文"),
    ],
    hints=[
        (
            "Three steps, repeated: count, choose, rewrite all words. Which of the three needs the result of the one before?",
            "三步，反复做：计数、挑选、改写所有的词。每一步要用到前面哪一步的结果？",
        ),
        (
            "Of the pairs, `min(pairs, key=lambda pair: (-pairs[pair], pair))` is the most frequent, the smaller ids deciding a tie. Stop "
            "first when no count reaches 2.",
            "`min(pairs, key=lambda pair: (-pairs[pair], pair))` 给出最常见的一对，次数相同时编号小的优先。在此之前，如果没有一对出现两次，就停下。",
        ),
        (
            "The new words: `{tuple(merge(ids, best, new)): count for ids, count in words.items()}`, with `new` from 256 on.",
            "新的词：`{tuple(merge(ids, best, new)): count for ids, count in words.items()}`，`new` 从 256 起。",
        ),
    ],
)
def learn(words, how_many):
    """The merges of byte-pair encoding, in the order in which they are learned.

    words: dict, tuple of byte values → how often that word occurs; how_many: at most so many merges. Returns a list of pairs; the
    n-th, from 0, makes token 256 + n. Of equally frequent pairs the one with smaller ids; it ends when no pair occurs twice.
    """
    merges = []
    for new in range(256, 256 + how_many):
        pairs = count_pairs(words)
        if max(pairs.values(), default=0) < 2:
            break
        best = min(pairs, key=lambda pair: (-pairs[pair], pair))
        merges.append(best)
        words = {tuple(merge(ids, best, new)): count for ids, count in words.items()}
    return merges


def _best(pairs):
    return min(pairs, key=lambda pair: (-pairs[pair], pair))


def _rewritten(words, best, new):
    return {tuple(merge(ids, best, new)): count for ids, count in words.items()}


@learn.mistake(
    en="The pairs are counted once and the most frequent ones taken together. After each merge the counts are others: “th” uses up the t "
    "and the h of “the”.",
    zh="只数了一次，就把最常见的几对一起拿走。每次合并之后次数都变了：“th” 用掉了 “the” 里的 t 和 h。",
)
def all_at_once(words, how_many):
    pairs = count_pairs(words)
    order = sorted((p for p in pairs if pairs[p] >= 2), key=lambda pair: (-pairs[pair], pair))
    return order[:how_many]


@learn.mistake(
    en="The words are never rewritten, so the same pair wins every round.",
    zh="词没有改写，所以每一轮都是同一对胜出。",
)
def never_rewrites(words, how_many):
    pairs = count_pairs(words)
    return [_best(pairs)] * how_many if max(pairs.values(), default=0) >= 2 else []


@learn.mistake(
    en="A tie goes to the pair that was seen first. Here the smaller ids decide, so that the order of the words does not matter.",
    zh="次数相同时选了先遇到的。这里由较小的编号决定，这样词的先后就不影响结果。",
)
def first_seen_wins(words, how_many):
    merges = []
    while len(merges) < how_many and max(count_pairs(words).values(), default=0) >= 2:
        pairs = count_pairs(words)
        merges.append(max(pairs, key=pairs.get))
        words = _rewritten(words, merges[-1], 255 + len(merges))
    return merges


@learn.mistake(
    en="A tie goes to the larger ids: `max` over (count, pair) prefers them. Here the smaller ids decide.",
    zh="次数相同时选了编号较大的：对（次数, 一对）取 `max` 就会这样。这里由较小的编号决定。",
)
def larger_ids_win(words, how_many):
    merges = []
    while len(merges) < how_many and max(count_pairs(words).values(), default=0) >= 2:
        pairs = count_pairs(words)
        merges.append(max(pairs, key=lambda pair: (pairs[pair], pair)))
        words = _rewritten(words, merges[-1], 255 + len(merges))
    return merges


@learn.mistake(
    en="It goes on where every pair occurs once: such a token copies its text and helps no other.",
    zh="每一对都只出现一次了还在继续：这样的词元只是抄了原文，对别的文本没有用。",
)
def never_stops(words, how_many):
    merges = []
    while len(merges) < how_many and count_pairs(words):
        merges.append(_best(count_pairs(words)))
        words = _rewritten(words, merges[-1], 255 + len(merges))
    return merges


@learn.right
def by_sorting(words, how_many):
    merges = []
    while len(merges) < how_many:
        ranked = sorted((-n, pair) for pair, n in count_pairs(words).items() if n > 1)
        if not ranked:
            break
        merges.append(ranked[0][1])
        words = _rewritten(words, ranked[0][1], 255 + len(merges))
    return merges


@learn.right
def by_recursion(words, how_many, new=256):
    pairs = count_pairs(words)
    if how_many < 1 or not pairs or max(pairs.values()) == 1:
        return []
    return [_best(pairs), *by_recursion(_rewritten(words, _best(pairs), new), how_many - 1, new + 1)]


MERGES = learn.reference(_spelled(THYME), 20)


@exercise(
    minutes=6,
    task_en="Mend the encoder: its tokens spell the text, but they are not the ones that training made.",
    task_zh="修好编码器：它的词元拼得出原文，却不是训练时得到的那些。",
    cases=lambda: [
        Case(list(b"aaab"), [(97, 97), (97, 98), (256, 257)], label_en="Wikipedia's word", label_zh="维基百科的词"),
        Case(list(b"abcab"), [(98, 99), (97, 98)], label_en="a rarer pair was learned first", label_zh="先学到的那对更少见", expected=[97, 256, 257]),
        Case(list(b"abc"), [(98, 99), (97, 98)], label_en="two pairs overlap", label_zh="两对相叠"),
        Case(list(b"abcd"), [(97, 98), (98, 99), (256, 99), (257, 100)], label_en="two ways to spell it", label_zh="两种拼法"),
        Case(list(b"abcd"), [(99, 100), (98, 99), (97, 257), (97, 98)], label_en="a longer token would fit", label_zh="另有更长的词元放得下"),
        Case(list(b"the thyme brother thinks"), MERGES, label_en="a text", label_zh="一段文本"),
        Case(list(b"motherhood"), MERGES, label_en="a new word", label_zh="没见过的词"),
        Case(list(b"xyz"), MERGES, label_en="no merge fits", label_zh="没有可用的合并"),
        Case([], MERGES, label_en="nothing", label_zh="空的"),
    ],
    hints=[
        (
            "Think of training: when the third merge was learned, the first two had been carried out everywhere. Does this encoder work in "
            "that order?",
            "想想训练：学到第三条合并时，前两条已经处处做过了。这个编码器是按这个次序做的吗？",
        ),
        (
            "How often a pair occurs in this word is an accident. What belongs to the tokenizer is its rank: its place in `merges`.",
            "一对在这个词里出现几次，只是偶然。属于分词器的是它的名次：在 `merges` 里排第几。",
        ),
        ("The smallest rank: `min(pairs, key=rank.get)`.", "名次最小的：`min(pairs, key=rank.get)`。"),
    ],
)  # fmt: skip
def encode(ids, merges):
    """The token ids of one word.

    ids: list of byte values; merges: pairs in the order learned, the n-th makes token 256 + n. Returns a list of ids.
    """
    rank = {pair: n for n, pair in enumerate(merges)}
    while True:
        pairs = [pair for pair in zip(ids, ids[1:], strict=False) if pair in rank]
        if not pairs:
            return ids
        best = min(pairs, key=rank.get)
        ids = merge(ids, best, 256 + rank[best])


@encode.broken
def by_frequency(ids, merges):
    """The token ids of one word.

    ids: list of byte values; merges: pairs in the order learned, the n-th makes token 256 + n. Returns a list of ids.
    """
    rank = {pair: n for n, pair in enumerate(merges)}
    while True:
        pairs = [pair for pair in zip(ids, ids[1:], strict=False) if pair in rank]
        if not pairs:
            return ids
        best = max(pairs, key=pairs.count)  # the most frequent pair first, as in training
        ids = merge(ids, best, 256 + rank[best])


def _encoded(ids, merges, choose):
    rank = {pair: n for n, pair in enumerate(merges)}
    while pairs := [pair for pair in pairwise(ids) if pair in rank]:
        best = choose(pairs, rank)
        ids = merge(ids, best, 256 + rank[best])
    return ids


@encode.mistake(
    en="The pair furthest to the left goes first. Reading order is not the order of learning.",
    zh="最左边的一对先合并了。阅读的次序不是学习的次序。",
)
def from_the_left(ids, merges):
    return _encoded(ids, merges, lambda pairs, _: pairs[0])


@encode.mistake(
    en="The merge learned last goes first. It is the other way round: later merges are made of earlier ones.",
    zh="最后学到的合并先做了。应当反过来：后面的合并是用前面的搭起来的。",
)
def last_learned_first(ids, merges):
    return _encoded(ids, merges, lambda pairs, rank: max(pairs, key=rank.get))


@encode.mistake(
    en="The longest token that fits is taken, from the left: some tokenizers do so, byte-pair encoding does not. It repeats the merges as learned.",
    zh="从左边起每次取放得下的最长词元：有的分词器是这样，字节对编码不是。它按学到的次序重做合并。",
)
def longest_first(ids, merges):
    spelled = [(value,) for value in range(256)]
    for left, right in merges:
        spelled.append(spelled[left] + spelled[right])
    number, cut, i = {piece: n for n, piece in enumerate(spelled)}, [], 0
    while i < len(ids):
        end = next(end for end in range(len(ids), i, -1) if tuple(ids[i:end]) in number)
        cut.append(number[tuple(ids[i:end])])
        i = end
    return cut


@encode.mistake(
    en="Only one merge is carried out. Go on until no pair is in the table.",
    zh="只做了一次合并。要一直做到没有一对在表里为止。",
)
def stops_after_one(ids, merges):
    rank = {pair: n for n, pair in enumerate(merges)}
    pairs = [pair for pair in pairwise(ids) if pair in rank]
    return merge(ids, min(pairs, key=rank.get), 256 + rank[min(pairs, key=rank.get)]) if pairs else ids


@encode.right
def merge_after_merge(ids, merges):
    for n, pair in enumerate(merges):
        ids = merge(ids, pair, 256 + n)
    return ids


@encode.right
def by_index(ids, merges):
    return _encoded(ids, merges, lambda pairs, _: min(pairs, key=merges.index))
