"""Exercises and questions on tokenization: count pairs, merge one, learn a vocabulary. Using it is in `byte_pairs`."""

from collections import Counter
from itertools import chain, pairwise

from lmcourse.exercises.exercise import Case, exercise
from lmcourse.exercises.question import choice

english_on_chinese = choice(
    en="A byte-level tokenizer has learned 1,792 merges from Python's documentation, all of it English. How many tokens does it need for a "
    "character of a Chinese review?",
    zh="一个字节级分词器从 Python 文档里学了 1,792 条合并，文档全是英文。中文评论里的一个字，它平均要用几个词元？",
    options=[
        ("none: such characters become [UNK]", "0 个：这些字都成了 [UNK]"),
        ("about 1: a character is a character", "约 1 个：一个字就是一个词元"),
        ("about 1½: some merges fit by luck", "约 1.5 个：有些合并碰巧用得上"),
        ("nearly 3: the bytes as they are", "将近 3 个：字节原样不动"),
    ],
    answer=3,
    because_en="A Chinese character is three bytes in UTF-8. English text holds hardly any of these bytes, so no merge joins them. Nothing "
    "is unknown and nothing is lost; it is only long.",
    because_zh="一个汉字在 UTF-8 里是三个字节。英文文本里几乎没有这些字节，所以没有合并能把它们连起来。没有未知，也没有损失，只是很长。",
)

same_content = choice(
    en="Now the tokenizer learns from both languages, half of the bytes each. English text takes a third to a half of a token per character, "
    "Chinese about one. This course exists in both languages and says the same in both. Its Chinese edition takes …",
    zh="现在让分词器从两种语言各学一半（按字节计）。英文每字符三分之一到半个词元，中文大约每字符一个。本课程有中英两版，内容相同。它的中文版要用……",
    options=[
        ("about twice as many tokens as the English one", "大约是英文版两倍的词元"),
        ("about half as many again", "比英文版多一半左右的词元"),
        ("somewhat fewer tokens than the English one", "比英文版略少的词元"),
        ("exactly as many: the content is the same", "与英文版正好相等：内容一样"),
    ],
    answer=2,
    because_en="A Chinese character says more than an English letter: the Chinese edition has less than half as many characters. Tokens "
    "per character compare texts of one language; for two languages, compare what the same content costs.",
    because_zh="一个汉字说的比一个英文字母多：中文版的字符数不到英文版的一半。每字符词元数只能比较同一种语言的文本；比较两种语言，要看同样的内容花多少。",
)

round_trip = choice(
    en="A colleague wrote an encoder and tested it well: for a million texts, decoding what it encoded gave the same text again. What does "
    "that prove?",
    zh="一位同事写了编码器，并认真测试过：对一百万条文本，编码再解码都得到原来的文本。这证明了什么？",
    options=[
        ("its tokens are those that the model was trained on", "它给出的词元就是模型训练时用的词元"),
        ("it needs as few tokens as possible", "它用的词元最少"),
        ("only that its tokens, put together, spell the text", "只证明它的词元拼起来就是原文"),
        ("both of the first two", "前两项都证明了"),
    ],
    answer=2,
    because_en="A vocabulary spells most texts in many ways, and each of them decodes to the same text. A model has seen one of them. "
    "Compare ids with another implementation, not texts.",
    because_zh="同一个词表往往有许多种拼法能拼出一段文本，解码后都一样。模型只见过其中一种。要与另一个实现比较编号，而不是比较文本。",
)


def _words(*texts):
    return {tuple(word): n for word, n in Counter(chain.from_iterable(t.encode().split(b"|") for t in texts)).items()}


@exercise(
    minutes=3,
    task_en="Count how often each pair of neighbouring tokens occurs, in words that each occur a number of times.",
    task_zh="数出每一对相邻词元出现多少次；每个词本身也出现若干次。",
    cases=lambda: [
        Case(
            _words("aaabdaaabac"),
            label_en="Wikipedia's example",
            label_zh="维基百科的例子",
            expected={(97, 97): 4, (97, 98): 2, (98, 100): 1, (100, 97): 1, (98, 97): 1, (97, 99): 1},
        ),
        Case({(1, 2, 1): 10, (2, 1): 3}, label_en="two words, 13 in all", label_zh="两个词，共出现 13 次"),
        Case({(5,): 7, (): 2}, label_en="nothing to pair", label_zh="没有可配对的"),
        Case({(4, 4, 4, 4): 2, (300, 4): 1}, label_en="the same neighbour again", label_zh="相邻的词元相同"),
        Case(_words("the|theme|then|the|the"), label_en="a few words", label_zh="几个词"),
    ],
    hints=[
        (
            "Every word is spelled once here but stands for many. What must one pair in it add to the count?",
            "每个词在这里只写一遍，却代表许多次出现。其中的一对应当给计数加上多少？",
        ),
        (
            "`zip(ids, ids[1:], strict=False)` walks through the pairs of one word.",
            "`zip(ids, ids[1:], strict=False)` 走过一个词里的各对。",
        ),
        ("Start with `pairs = Counter()`; then `pairs[pair] += count`.", "从 `pairs = Counter()` 开始，再 `pairs[pair] += count`。"),
    ],
)  # fmt: skip
def count_pairs(words):
    """How often each pair of neighbours occurs.

    words: dict, tuple of token ids → how often that word occurs. Returns a dict, pair (left, right) → count.
    """
    pairs = Counter()
    for ids, count in words.items():
        for pair in zip(ids, ids[1:], strict=False):
            pairs[pair] += count
    return pairs


@count_pairs.mistake(
    en="Each word counts once, however often it occurs: the commonest words have no more weight than a misprint.",
    zh="每个词只算了一次，不管它出现多少次：最常见的词和一个错字分量一样。",
)
def forgets_the_counts(words):
    return Counter(pair for ids in words for pair in pairwise(ids))


@count_pairs.mistake(
    en="Pairs reach from the end of one word into the next. Words are kept apart: no merge may cross their border.",
    zh="有的对跨过了词尾，连到下一个词。词要分开：合并不能越过边界。",
)
def across_words(words):
    return Counter(pairwise(chain.from_iterable(ids for ids, n in words.items() for _ in range(n))))


@count_pairs.mistake(
    en="A pair that occurs twice in a word was counted once for it. Count every place.",
    zh="一个词里出现两次的对只算了一次。每一处都要算。",
)
def once_a_word(words):
    pairs = Counter()
    for ids, count in words.items():
        for pair in set(pairwise(ids)):
            pairs[pair] += count
    return pairs


@count_pairs.mistake(
    en="The last pair of each word is missing: a word of n tokens has n − 1 pairs.",
    zh="每个词的最后一对漏掉了：n 个词元有 n − 1 对。",
)
def misses_the_last(words):
    return count_pairs.reference({ids[:-1]: n for ids, n in words.items()})


@count_pairs.right
def by_places(words):
    found = {}
    for ids in words:
        for i in range(len(ids) - 1):
            found[ids[i], ids[i + 1]] = found.get((ids[i], ids[i + 1]), 0) + words[ids]
    return found


@count_pairs.right
def by_repetition(words):
    return dict(Counter(pair for ids, n in words.items() for _ in range(n) for pair in pairwise(ids)))


@exercise(
    minutes=5,
    task_en="Replace every occurrence of a pair by one new token, from the left.",
    task_zh="从左到右，把一对词元的每次出现换成一个新词元。",
    cases=lambda: [
        Case(
            list(b"aaabdaaabac"),
            (97, 97),
            256,
            label_en="Wikipedia's example",
            label_zh="维基百科的例子",
            expected=[256, 97, 98, 100, 256, 97, 98, 97, 99],
        ),
        Case([1, 1, 1, 1, 1], (1, 1), 9, label_en="five in a row", label_zh="连着五个"),
        Case([3, 1, 2], (1, 2), 9, label_en="at the end", label_zh="在末尾"),
        Case([1, 2, 1, 2, 1], (1, 2), 9, label_en="one left over", label_zh="剩下一个"),
        Case([2, 1, 1, 3], (1, 2), 9, label_en="both there, never together", label_zh="两个都有，但不相邻"),
        Case((7,), (7, 7), 9, label_en="a single token", label_zh="只有一个词元"),
        Case([], (1, 2), 9, label_en="nothing", label_zh="空的"),
    ],
    hints=[
        (
            "In “aaa” the pair “aa” can be joined once. How do you make sure that no token is used twice?",
            "“aaa” 里的 “aa” 只能合并一次。怎样保证没有词元被用两次？",
        ),
        (
            "Build a new list. Look at its last entry and at the next token: are they the pair?",
            "建一个新列表。看它的最后一项和下一个词元：是不是那一对？",
        ),
        (
            "If `merged` is not empty and `(merged[-1], token) == pair`, then `merged[-1] = new`; otherwise append the token.",
            "如果 `merged` 不空且 `(merged[-1], token) == pair`，就 `merged[-1] = new`，否则把词元追加上去。",
        ),
    ],
)
def merge(ids, pair, new):
    """Replace each occurrence of a pair by a new token, from the left; occurrences do not overlap.

    ids: sequence of token ids; pair: tuple (left, right); new: an id not in the pair. Returns a list.
    """
    merged = []
    for token in ids:
        if merged and (merged[-1], token) == pair:
            merged[-1] = new
        else:
            merged.append(token)
    return merged


@merge.mistake(
    en="The right half of the pair is still there after the merge: go on behind it.",
    zh="合并之后，这一对的右半边还留着：应当从它后面继续。",
)
def keeps_the_right_half(ids, pair, new):
    return [new if (a, b) == pair else a for a, b in zip(ids, [*ids[1:], None], strict=False)]


@merge.mistake(
    en="Only the first occurrence was replaced.",
    zh="只换了第一次出现。",
)
def only_the_first(ids, pair, new):
    ids = list(ids)
    for i, found in enumerate(pairwise(ids)):
        if found == pair:
            return [*ids[:i], new, *ids[i + 2 :]]
    return ids


@merge.mistake(
    en="This works from the right: “aaa” becomes a + aa. From the left it is aa + a, and everyone must do it alike.",
    zh="这是从右边开始的：“aaa” 成了 a + aa。从左边是 aa + a；所有人必须用同样的做法。",
)
def from_the_right(ids, pair, new):
    return merge.reference(list(ids)[::-1], pair[::-1], new)[::-1]


@merge.mistake(
    en="The last token gets lost when it is not part of a pair.",
    zh="最后一个词元不属于任何一对时，被弄丢了。",
)
def loses_the_last(ids, pair, new):
    merged, i = [], 0
    while i < len(ids) - 1:
        found = (ids[i], ids[i + 1]) == pair
        merged.append(new if found else ids[i])
        i += 1 + found
    return merged


@merge.right
def with_an_index(ids, pair, new):
    merged, i = [], 0
    while i < len(ids):
        found = tuple(ids[i : i + 2]) == pair
        merged.append(new if found else ids[i])
        i += 2 if found else 1
    return merged


@merge.right
def by_cutting(ids, pair, new):
    ids = list(ids)
    for i, found in enumerate(pairwise(ids)):
        if found == pair:
            return [*ids[:i], new, *by_cutting(ids[i + 2 :], pair, new)]
    return ids
