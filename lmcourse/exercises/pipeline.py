"""The exercises and questions of the lesson on the pipeline: from raw reviews to a served answer."""

import numpy as np

from lmcourse.exercises.exercise import Case, exercise
from lmcourse.exercises.question import choice

article_answer = choice(
    en="What does the trained program answer for its test sentence?",
    zh="训练好的程序对它的测试句会给出什么？",
    options=[
        ("Close to 1: the sentence praises, and that is class 1", "接近 1：这句话是称赞，属于第 1 类"),
        ("Exactly what it answers for an empty text, near 0.5", "和空文本的回答完全相同，在 0.5 附近"),
        ("Something different with every seed, anywhere between 0 and 1", "每个种子都不同，0 到 1 之间哪里都有可能"),
        ("Close to 0: it knows none of the words", "接近 0：里面的词它一个也不认识"),
    ],
    answer=1,
    because_en="To the model the test sentence *is* an empty text, and ten updates hardly moved it from the 0.5 it started at.",
    because_zh="对模型来说，测试句就是空文本；十次更新几乎没有让它离开最初的 0.5。",
)

without_duplicates = choice(
    en="Without the copies, the accuracy on the test set …",
    zh="去掉重复之后，测试集上的准确率会……",
    options=[
        ("rises by a point or two: cleaner data, better model", "上升一两个百分点：数据更干净，模型更好"),
        ("stays within a point: copies carry no information", "变化不到一个百分点：重复不带来信息"),
        ("falls by five to ten points", "下降五到十个百分点"),
        ("falls to about one half, as if guessing", "降到一半左右，等于乱猜"),
    ],
    answer=2,
    because_en="It falls by about eight points. The model did not get worse: the first test was an exam with known questions. "
    "Its score on the lines it had not seen was the honest one all along.",
    because_zh="下降约八个百分点。模型并没有变差：第一次考试里全是见过的题。它在没见过的行上的得分，从一开始就是真实水平。",
)

winner = choice(
    en="On the test set, the network with 930,000 numbers, compared with the TF-IDF baseline, is …",
    zh="在测试集上，拥有 93 万个数字的网络与 TF-IDF 基线相比……",
    options=[
        ("clearly better, by five points or more", "明显更好，至少高五个百分点"),
        ("better, by one to five points", "更好，高一到五个百分点"),
        ("not better: equal or a little worse", "并不更好：相当或略差"),
        ("much worse, by ten points or more", "差得多，至少低十个百分点"),
    ],
    answer=2,
    because_en="The baseline is ahead by one or two points with every seed. Both are weighted sums over nearly the same pieces; the baseline "
    "also knows how rare a piece is, and its fit has no chance in it. Always have a baseline.",
    because_zh="每个种子下都是基线领先一两个百分点。两者都是对几乎相同的片段加权求和；基线还知道每个片段有多罕见，拟合也不靠运气。永远要有基线。",
)


@exercise(
    minutes=6,
    task_en="Keep each text once, in its first place, and drop every text that stands in both classes.",
    task_zh="每条文本只留一次，保持首次出现的顺序；去掉同时出现在两类中的文本。",
    cases=lambda: [
        Case(["a", "b", "a"], [1, 0, 1], label_en="one copy", label_zh="一条重复", expected=(["a", "b"], [1, 0])),
        Case(
            ["a", "b", "a"],
            [1, 0, 0],
            label_en="one text in both classes",
            label_zh="一条文本分属两类",
            expected=(["b"], [0]),
        ),
        Case(
            ["c", "b", "c", "a", "b", "c"],
            [0, 1, 0, 0, 1, 0],
            label_en="order of first places",
            label_zh="首次出现的顺序",
        ),
        Case(["x", "x", "x"], [0, 1, 0], label_en="both classes, three times", label_zh="三次出现，分属两类"),
        Case(["好", "好 ", "不好"], np.array([1, 1, 0]), label_en="labels in an array", label_zh="标签是数组"),
        Case([], [], label_en="no text at all", label_zh="一条也没有"),
    ],
    hints=[
        (
            "Before you keep a text, you must know all of its labels. How many times do you have to walk through the list?",
            "决定是否保留一条文本之前，必须知道它的全部标签。这份列表要走几遍？",
        ),
        (
            "A dict keeps its keys in the order of insertion. Let it map each text to the set of its labels.",
            "字典按插入顺序保存键。让它把每条文本映射到标签的集合。",
        ),
        (
            "`classes.setdefault(text, set()).add(int(label))` in a first walk; then keep the texts whose set has one element.",
            "第一遍用 `classes.setdefault(text, set()).add(int(label))`；然后只留集合中只有一个元素的文本。",
        ),
    ],
)
def deduplicate(texts, labels):
    """Each text once, in its first place; none that stands in both classes.

    texts: list of n strings; labels: n integers, 0 or 1. Returns the texts and labels kept, as two lists.
    """
    classes = {}
    for text, label in zip(texts, labels, strict=True):
        classes.setdefault(text, set()).add(int(label))
    kept = [(text, seen.pop()) for text, seen in classes.items() if len(seen) == 1]
    return [text for text, _ in kept], [label for _, label in kept]


@deduplicate.mistake(
    en="A text that stands in both classes is still there, with the label it had first.",
    zh="同时出现在两类中的文本还在，带着它第一次的标签。",
)
def keeps_contradictions(texts, labels):
    first = {}
    for text, label in zip(texts, labels, strict=True):
        first.setdefault(text, int(label))
    return list(first), list(first.values())


@deduplicate.mistake(
    en="Every text that has a copy is gone, even where all copies agree. One of them should stay.",
    zh="凡是有重复的文本都被删光了，即使标签一致。应当留下一条。",
)
def drops_all_copies(texts, labels):
    kept = [(t, int(y)) for t, y in zip(texts, labels, strict=True) if list(texts).count(t) == 1]
    return [t for t, _ in kept], [y for _, y in kept]


@deduplicate.mistake(
    en="The texts come out sorted. Keep the order in which they first appear.",
    zh="输出的文本被排序了。请保持首次出现的顺序。",
)
def sorts(texts, labels):
    pairs = {(t, int(y)) for t, y in zip(texts, labels, strict=True)}
    kept = sorted((t, y) for t, y in pairs if (t, 1 - y) not in pairs)
    return [t for t, _ in kept], [y for _, y in kept]


@deduplicate.right
def by_sets(texts, labels):
    both = {t for t, y in zip(texts, labels, strict=True) if y} & {
        t for t, y in zip(texts, labels, strict=True) if not y
    }
    kept = {t: int(y) for t, y in zip(texts, labels, strict=True) if t not in both}
    return list(kept), list(kept.values())


@deduplicate.right
def by_loop(texts, labels):
    out, values = [], []
    for i, text in enumerate(texts):
        same = [int(y) for t, y in zip(texts, labels, strict=True) if t == text]
        if text not in out and min(same) == max(same):
            out.append(text)
            values.append(int(labels[i]))
    return out, values


@exercise(
    minutes=3,
    task_en="Cut a text into its characters, then its pairs of neighbours.",
    task_zh="把文本先切成单字，再切成相邻两字。",
    cases=lambda: [
        Case("很好", label_en="two characters", label_zh="两个字", expected=["很", "好", "很好"]),
        Case("不太好", label_en="three characters", label_zh="三个字", expected=["不", "太", "好", "不太", "太好"]),
        Case("好", label_en="one character", label_zh="一个字"),
        Case("", label_en="the empty text", label_zh="空文本", expected=[]),
        Case("aaaa b", label_en="copies and a space", label_zh="有重复和空格"),
        Case("👍真棒", label_en="an emoji", label_zh="带表情符号"),
    ],
    hints=[
        (
            "A text of n characters has n − 1 pairs of neighbours. Where does the last one start?",
            "n 个字的文本有 n − 1 个相邻两字。最后一个从哪里开始？",
        ),
        (
            "`list(text)` gives the characters, and `text[i : i + 2]` the pair that starts at i.",
            "`list(text)` 给出单字，`text[i : i + 2]` 是从 i 开始的两字。",
        ),
    ],
)
def pieces(text):
    """The characters of a text, then its pairs of neighbours, both in order: "很好" → ["很", "好", "很好"]."""
    return list(text) + [text[i : i + 2] for i in range(len(text) - 1)]


@pieces.mistake(
    en="The last pair is a single character: a text of n characters has only n − 1 pairs.",
    zh="最后一个“两字”只有一个字：n 个字只有 n − 1 个相邻两字。",
)
def one_pair_too_many(text):
    return list(text) + [text[i : i + 2] for i in range(len(text))]


@pieces.mistake(
    en="The pairs do not overlap: in 不太好 the pair 太好 is missing. Neighbouring pairs share a character.",
    zh="两字之间没有重叠：“不太好”里少了“太好”。相邻的两个组合共用一个字。",
)
def pairs_do_not_overlap(text):
    return list(text) + [text[i : i + 2] for i in range(0, len(text) - 1, 2)]


@pieces.mistake(en="Only the pairs are there; the single characters are missing.", zh="只有两字组合，缺少单字。")
def pairs_only(text):
    return [text[i : i + 2] for i in range(len(text) - 1)]


@pieces.mistake(
    en="Characters and pairs are mixed. First all characters, then all pairs.",
    zh="单字和两字混在了一起。先列出所有单字，再列出所有两字。",
)
def interleaved(text):
    found = []
    for i, character in enumerate(text):
        found.append(character)
        if i + 1 < len(text):
            found.append(text[i : i + 2])
    return found


@pieces.right
def by_zip(text):
    return [*text, *(a + b for a, b in zip(text, text[1:], strict=False))]


@pieces.right
def by_appending(text):
    found = []
    for width in (1, 2):
        for start in range(len(text) - width + 1):
            found.append(text[start : start + width])
    return found
