"""Exercises on feeding texts of many lengths to a model: batches by length, and packing into rows without padding."""

from itertools import chain

import numpy as np

from lmcourse.exercises.exercise import Case, exercise
from lmcourse.exercises.question import number
from lmcourse.language import pick

how_much_padding = number(
    en="Reviews have 73 characters on average; half have 46 or fewer. Take 32 at random and pad each to the longest of the 32. How many "
    "per cent of the table are padding, typically?",
    zh="评论平均 73 个字，有一半不超过 46 个字。随机取 32 条，每条都补齐到这 32 条里最长的那条。这张表里通常有百分之几是补齐？",
    answer=76,
    tolerance=8,
    because_en="About three quarters: one long review decides for all 32, and among 32 there nearly always is one. The model would spend three "
    "quarters of its work on nothing.",
    because_zh="大约四分之三：一条长评论替 32 条做主，而 32 条里几乎总会有一条。模型四分之三的力气都花在空白上。",
)


def _facts(answer, lengths, size, window):
    """What can be said of batches by length, whatever the random order."""
    random = np.random.default_rng(0)
    first, again = (answer(lengths, size, window, random) for _ in range(2))
    if not isinstance(first, list | tuple) or not all(np.ndim(batch) == 1 for batch in first):
        return first
    padded = sum(int(lengths[batch].max()) * len(batch) for batch in first)
    order, later = (np.concatenate([*batches, np.array([], int)]) for batches in (first, again))
    ranks = [np.median(lengths[batch]) for batch in first]
    facts = {
        pick(en="sizes of the batches", zh="各批的大小"): sorted(len(batch) for batch in first),
        pick(en="different places", zh="不同的位置数"): len(np.unique(order)),
        pick(en="the batches' own order is random", zh="批与批之间的顺序是随机的"): int(
            len(first) < 4 or (ranks != sorted(ranks) and ranks != sorted(ranks)[::-1])
        ),
        pick(en="another order next time", zh="下一轮顺序不同"): int(
            len(first) < 4 or not np.array_equal(order, later)
        ),
    }
    if window >= len(lengths):  # then no luck is left in it
        facts[pick(en="cells of all tables", zh="所有表的格数")] = padded
    else:
        best = sum(int(part.max()) * len(part) for part in np.split(np.sort(lengths), range(size, len(lengths), size)))
        facts[pick(en="sorted beyond its window", zh="排序越出了窗口")] = int(padded == best)
        plain = np.random.default_rng(1).permutation(lengths)
        loose = sum(int(part.max()) * len(part) for part in np.split(plain, range(size, len(lengths), size)))
        facts[pick(en="less padding than unsorted", zh="比不排序少补齐")] = int(padded < 0.9 * loose)
    return facts


def _lengths(count, seed=0):
    return np.random.default_rng(seed).integers(5, 300, count)


@exercise(
    minutes=5,
    task_en="Make batches of similar length that stay random: shuffle, sort within each window only, cut, and mix the batches.",
    task_zh="做出长度相近又保持随机的批：打乱，只在每个窗口内排序，切成批，再打乱批的顺序。",
    cases=lambda: [
        Case(_lengths(64), 8, 64, label_en="one window for all", label_zh="只有一个窗口"),
        Case(_lengths(400), 8, 80, label_en="five windows", label_zh="五个窗口"),
        Case(_lengths(70), 8, 80, label_en="the last batch is smaller", label_zh="最后一批较小"),
        Case(_lengths(205), 8, 40, label_en="the last window is smaller", label_zh="最后一个窗口较小"),
        Case(_lengths(5), 8, 16, label_en="less than one batch", label_zh="不够一批"),
    ],
    use=_facts,
    hints=[
        (
            "Where must chance come in so that the model does not see all short texts first, and not the same neighbours in each epoch?",
            "随机要放在哪几步，模型才不会先看完所有短文本，也不会每一轮都遇到同样的邻居？",
        ),
        (
            "`order = random.permutation(len(lengths))`; a window is `order[start : start + window]`. Sort it by the lengths of its places.",
            "`order = random.permutation(len(lengths))`；一个窗口是 `order[start : start + window]`。按其中各位置的长度排序。",
        ),
        (
            "`part[np.argsort(lengths[part])]` sorts a window. Collect its batches in a list, and give the list back in the order of a second "
            "permutation.",
            "`part[np.argsort(lengths[part])]` 给窗口排序。把切出的批收进列表，最后按第二个随机排列的次序返回。",
        ),
    ],
)
def bucketed(lengths, size, window, random):
    """Batches of places whose texts are about equally long; sorted within windows only, batches in random order.

    lengths: (n,); size: of a batch; window: a multiple of size; random: a NumPy generator. Returns a list of integer arrays that hold
    each place 0 … n - 1 once.
    """
    order = random.permutation(len(lengths))
    batches = []
    for start in range(0, len(order), window):
        part = order[start : start + window]
        part = part[np.argsort(lengths[part])]
        batches += [part[i : i + size] for i in range(0, len(part), size)]
    return [batches[i] for i in random.permutation(len(batches))]


@bucketed.mistake(
    en="The batches come in the order of their length: the model first sees all short texts, then all long ones. Mix the batches at the end.",
    zh="批按长度的次序出现：模型先看完短的，再看长的。最后要把批打乱。",
)
def short_ones_first(lengths, size, window, random):
    order = np.argsort(lengths)
    return [order[i : i + size] for i in range(0, len(order), size)]


@bucketed.mistake(
    en="Within a window the batches still come from short to long. Mix all batches at the end.",
    zh="在一个窗口里，批还是由短到长出现的。最后要把所有的批打乱。",
)
def never_mixes(lengths, size, window, random):
    order, batches = random.permutation(len(lengths)), []
    for start in range(0, len(order), window):
        part = order[start : start + window]
        part = part[np.argsort(lengths[part])]
        batches += [part[i : i + size] for i in range(0, len(part), size)]
    return batches


@bucketed.mistake(
    en="Everything is sorted at once, so the window has no effect, and the same texts are neighbours in each epoch.",
    zh="一次把所有文本都排了序，窗口不起作用，每一轮的邻居都是同样的文本。",
)
def sorts_everything(lengths, size, window, random):
    order = np.argsort(lengths)
    batches = [order[i : i + size] for i in range(0, len(order), size)]
    return [batches[i] for i in random.permutation(len(batches))]


@bucketed.mistake(
    en="The lengths are sorted, but not the places: the argsort counts within the window, and its numbers are places in the window.",
    zh="argsort 给出的是窗口内的序号，不是文本的位置：要用它去取窗口里的位置。",
)
def forgets_where_the_window_was(lengths, size, window, random):
    order = random.permutation(len(lengths))
    batches = []
    for start in range(0, len(order), window):
        part = np.argsort(lengths[order[start : start + window]])
        batches += [part[i : i + size] for i in range(0, len(part), size)]
    return [batches[i] for i in random.permutation(len(batches))]


@bucketed.mistake(
    en="A shuffle, but no sorting: short and long texts share a batch as before.",
    zh="只打乱，没有排序：长短文本照旧混在一批里。",
)
def never_sorts(lengths, size, window, random):
    order = random.permutation(len(lengths))
    return [order[i : i + size] for i in range(0, len(order), size)]


@bucketed.right
def with_split(lengths, size, window, random):
    order = random.permutation(len(lengths))
    windows = np.split(order, range(window, len(order), window))
    batches = [part for w in windows for part in np.split(w[np.argsort(lengths[w])], range(size, len(w), size))]
    random.shuffle(batches)
    return batches


@bucketed.right
def with_sorted(lengths, size, window, random):
    order, batches = random.permutation(len(lengths)).tolist(), []
    while order:
        part, order = sorted(order[:window], key=lambda place: lengths[place]), order[window:]
        batches += [np.array(part[i : i + size]) for i in range(0, len(part), size)]
    return [batches[i] for i in random.permutation(len(batches))]


@exercise(
    minutes=5,
    task_en="Pack documents into rows of equal length, each document followed by the end-of-text token.",
    task_zh="把文档打包成等长的行，每个文档后面跟一个文本结束词元。",
    cases=lambda: [
        Case(
            [[1, 2, 3], [4], [5, 6]],
            4,
            0,
            label_en="three documents, rows of four",
            label_zh="三个文档，每行四个",
            expected=np.array([[1, 2, 3, 0], [4, 0, 5, 6]]),
        ),
        Case([[1, 2], [3, 4, 5]], 7, 9, label_en="exactly one row", label_zh="恰好一行"),
        Case([list(range(1, 12)), [12, 13]], 5, 0, label_en="a document longer than a row", label_zh="比一行长的文档"),
        Case([[1], [], [2, 3, 4, 5]], 2, 8, label_en="an empty document", label_zh="空文档"),
        Case([[1, 2]], 8, 0, label_en="too little for a row", label_zh="不够一行"),
    ],
    hints=[
        (
            "Forget the rows for a moment: what does the whole corpus look like as one long line of tokens?",
            "先别管行：整个语料排成一长串词元，是什么样子？",
        ),
        (
            "Count the whole rows that fit into that line, cut the rest off, and reshape.",
            "数一数这一串里能放下多少整行，截掉剩余的，再改形状。",
        ),
        (
            "`[token for document in documents for token in [*document, end]]` is the line, `len(stream) // length` the number of rows. "
            "`dtype=int` helps when nothing is left.",
            "`[token for document in documents for token in [*document, end]]` 就是那一串，`len(stream) // length` 是行数。"
            "什么也没剩下时，`dtype=int` 有用。",
        ),
    ],
)
def pack(documents, length, end):
    """All documents as one line of tokens, `end` after each, cut into rows; what does not fill the last row is left out.

    documents: lists of token ids; length: of a row; end: the end-of-text token. Returns (rows, length) integers.
    """
    stream = [token for document in documents for token in [*document, end]]
    rows = len(stream) // length
    return np.array(stream[: rows * length], dtype=int).reshape(rows, length)


@pack.mistake(
    en="Nothing marks where a document ends, so the model learns that one text goes on into the next. Put the end token after each.",
    zh="没有标出文档在哪里结束，模型会以为一篇接着另一篇。每个文档后面都要放结束词元。",
)
def without_end(documents, length, end):
    stream = list(chain(*documents))
    rows = len(stream) // length
    return np.array(stream[: rows * length], dtype=int).reshape(rows, length)


@pack.mistake(
    en="Each document begins a new row and is filled up with the end token: that is padding again.",
    zh="每个文档另起一行，再用结束词元填满：这又成了补齐。",
)
def a_row_for_each(documents, length, end):
    rows = []
    for document in documents:
        tokens = [*document, end]
        rows += [tokens[i : i + length] for i in range(0, len(tokens), length)]
    return np.array([row + [end] * (length - len(row)) for row in rows], dtype=int).reshape(-1, length)


@pack.mistake(
    en="The rest of each document is thrown away when it fills no row. Lay the documents end to end first, then cut.",
    zh="每个文档不满一行的剩余都被扔掉了。应当先首尾相接，再切。",
)
def cuts_each_by_itself(documents, length, end):
    rows = []
    for document in documents:
        tokens = [*document, end]
        rows += [tokens[i : i + length] for i in range(0, len(tokens) - length + 1, length)]
    return np.array(rows, dtype=int).reshape(-1, length)


@pack.mistake(
    en="The end token stands before each document instead of after it, so the first text begins with an end and the last one has none.",
    zh="结束词元放到了文档前面：第一篇以“结束”开头，最后一篇反而没有。",
)
def end_in_front(documents, length, end):
    stream = [token for document in documents for token in [end, *document]]
    rows = len(stream) // length
    return np.array(stream[: rows * length], dtype=int).reshape(rows, length)


@pack.mistake(
    en="The last document has no end token: it stands after each, not only between two.",
    zh="最后一篇没有结束词元：每篇后面都要有，不只是两篇之间。",
)
def between_only(documents, length, end):
    stream = [token for document in documents for token in [*document, end]][:-1]
    rows = len(stream) // length
    return np.array(stream[: rows * length], dtype=int).reshape(rows, length)


@pack.mistake(
    en="The last row is filled up instead of left out: a little padding again.",
    zh="最后一行被填满了，而不是舍去：这仍是补齐。",
)
def fills_the_last_row(documents, length, end):
    stream = [token for document in documents for token in [*document, end]]
    return np.array(stream + [end] * (-len(stream) % length), dtype=int).reshape(-1, length)


@pack.right
def by_concatenation(documents, length, end):
    parts = [np.append(np.array(document, dtype=int), end) for document in documents]
    stream = np.concatenate(parts)
    return stream[: len(stream) // length * length].reshape(-1, length)


@pack.right
def row_by_row(documents, length, end):
    rows, row = [], []
    for token in chain.from_iterable(chain(document, [end]) for document in documents):
        row.append(token)
        if len(row) == length:
            rows.append(row)
            row = []
    return np.array(rows, dtype=int).reshape(-1, length)
