"""Exercises on preparing data: tidying text, and scaling without a look at the test set. Near copies are in `near_copies`."""

import html
import unicodedata

import numpy as np

from lmcourse.exercises.exercise import Case, exercise, prop
from lmcourse.exercises.question import choice

coin_labels = choice(
    en="A colleague's labels are coin flips: 2,000 reviews, nothing to learn. He picks the 300 characters and pairs that go best with the "
    "labels, then splits, trains on 80 % and tests on 20 %. Which accuracy does he report?",
    zh="一位同事的标签是抛硬币得来的：2,000 条评论，没有任何东西可学。他先挑出与标签最相配的 300 个单字和两字组合，再拆分，用 80% 训练，在 20% 上测试。他会报告多高的准确率？",
    options=[
        (
            "about 0.50: there is nothing to learn, and the test reviews were held out",
            "约 0.50：没东西可学，而且测试评论是留出来的",
        ),
        ("about 0.55: a little luck in the choice", "约 0.55：挑选时有点运气"),
        ("above 0.65", "高于 0.65"),
        ("above 0.95: it learns the test set by heart", "高于 0.95：它把测试集背了下来"),
    ],
    answer=2,
    because_en="The choice of pieces saw the test labels. Of ten thousands of pieces some fit any labels by chance, in the test part too, and "
    "exactly those were kept. Everything that is fitted, choices included, belongs behind the split.",
    because_zh="挑选时看过测试集的标签。几万个字和组合里，总有一些碰巧与任何标签相配，在测试部分也相配，留下的恰恰是它们。凡是拟合出来的东西，包括挑选，都要放在拆分之后。",
)


@exercise(
    minutes=5,
    task_en="Tidy a text: resolve HTML entities, compose (NFC), drop Unicode's class C except white space, and leave single spaces.",
    task_zh="整理文本：还原 HTML 实体，合成（NFC），去掉 Unicode 的 C 类字符（空白除外），空白合并成单个空格。",
    cases=lambda: [
        Case("还行&#183;&#183;吧", label_en="entities", label_zh="HTML 实体", expected="还行··吧"),
        Case("  很\u3000好\t\n吃 ", label_en="white space of several kinds", label_zh="各种空白", expected="很 好 吃"),
        Case("cafe\u0301&nbsp;&nbsp;不错", label_en="two characters for é", label_zh="é 由两个字符组成"),
        Case("好\u200b用\ufeff\ue5e5\x00！", label_en="invisible characters", label_zh="看不见的字符"),
        Case("e&#769;&#8203;", label_en="entities that hide both", label_zh="藏在实体里的"),
        Case("Ａ１，不变", label_en="full width stays", label_zh="全角保留", expected="Ａ１，不变"),
        Case("&amp;lt; 只还原一次", label_en="an entity of an entity", label_zh="实体的实体"),
        Case(
            "好 \u200b 用",
            label_en="an invisible one between spaces",
            label_zh="空格之间看不见的字符",
            expected="好 用",
        ),
        Case("", label_en="the empty text", label_zh="空文本", expected=""),
    ],
    properties=[
        prop(
            lambda f: f("  a \u200b b&nbsp;") == f(f("  a \u200b b&nbsp;")),
            en="Tidying a tidy text changes nothing.",
            zh="整理过的文本再整理一次，不会变。",
        ),
    ],
    hints=[
        (
            "Four steps, and their order matters: an entity may stand for a space or for an accent. What has to come first, what last?",
            "一共四步，次序很要紧：一个实体可能代表空格，也可能代表重音符号。什么最先，什么最后？",
        ),
        (
            "`html.unescape`, `unicodedata.normalize`, `unicodedata.category(c)` (its first letter is the class), and `str.split`.",
            "`html.unescape`、`unicodedata.normalize`、`unicodedata.category(c)`（首字母就是类别），以及 `str.split`。",
        ),
        (
            'A newline is in class C too: keep a character when `c.isspace() or unicodedata.category(c)[0] != "C"`. `" ".join(text.split())` '
            "does the spaces.",
            '换行也属于 C 类：满足 `c.isspace() or unicodedata.category(c)[0] != "C"` 的字符留下。空格用 `" ".join(text.split())`。',
        ),
    ],
)
def tidy(text):
    """Entities resolved, composed (NFC), no characters of Unicode's class C except white space, single spaces, none at the ends."""
    text = unicodedata.normalize("NFC", html.unescape(text))
    seen = [c for c in text if c.isspace() or unicodedata.category(c)[0] != "C"]
    return " ".join("".join(seen).split())


@tidy.mistake(
    en="NFKC folds full-width punctuation and letters into half-width ones: the text that the model reads has changed. Compose with NFC, and "
    "keep NFKC for comparing.",
    zh="NFKC 把全角标点和字母折成了半角：模型读到的文本变了。合成用 NFC，NFKC 留给比较。",
)
def folds_widths(text):
    text = unicodedata.normalize("NFKC", html.unescape(text))
    seen = [c for c in text if c.isspace() or unicodedata.category(c)[0] != "C"]
    return " ".join("".join(seen).split())


@tidy.mistake(
    en="A newline and a tab are in class C too. They are dropped before they can become a space, and words grow together.",
    zh="换行和制表符也属于 C 类，还没变成空格就被删掉了，前后的词粘在一起。",
)
def glues_lines(text):
    text = unicodedata.normalize("NFC", html.unescape(text))
    return " ".join("".join(c for c in text if unicodedata.category(c)[0] != "C").split())


@tidy.mistake(
    en="The entities are resolved last, so the spaces, accents and invisible characters that they stand for stay in.",
    zh="实体放在最后才还原，它们所代表的空格、重音符号和不可见字符就留了下来。",
)
def unescapes_last(text):
    text = unicodedata.normalize("NFC", text)
    seen = [c for c in text if c.isspace() or unicodedata.category(c)[0] != "C"]
    return html.unescape(" ".join("".join(seen).split()))


@tidy.mistake(
    en="The spaces are joined before the invisible characters go: where one stood between two spaces, both remain.",
    zh="先合并了空格，才去掉看不见的字符：它若夹在两个空格之间，两个空格都会留下。",
)
def joins_spaces_first(text):
    text = " ".join(unicodedata.normalize("NFC", html.unescape(text)).split())
    return "".join(c for c in text if unicodedata.category(c)[0] != "C")


@tidy.right
def by_a_table(text):
    text = unicodedata.normalize("NFC", html.unescape(text))
    drop = {ord(c): None for c in text if unicodedata.category(c).startswith("C") and not c.isspace()}
    return " ".join(text.translate(drop).split())


@tidy.right
def spaces_first(text):
    words = unicodedata.normalize("NFC", html.unescape(text)).split()
    words = ["".join(c for c in word if not unicodedata.category(c).startswith("C")) for word in words]
    return " ".join(word for word in words if word)


@exercise(
    minutes=4,
    task_en="Find the fault: scale each column to [0, 1] by what the training set alone shows.",
    task_zh="找出错误：把每一列缩放到 [0, 1]，只能用训练集里看到的。",
    cases=lambda: [
        Case(
            np.array([[0.0, 5.0], [10.0, 5.0]]),
            np.array([[20.0, 6.0]]),
            label_en="a test value beyond the training range, and a constant column",
            label_zh="测试值超出训练范围，还有一列常数",
            expected=(np.array([[0.0, 0.0], [1.0, 0.0]]), np.array([[2.0, 1.0]])),
        ),
        Case(
            np.array([[1.0], [3.0], [2.0]]),
            np.array([[2.5], [0.0]]),
            label_en="below the training range",
            label_zh="低于训练范围",
        ),
        Case(
            np.random.default_rng(0).normal(size=(6, 3)),
            np.random.default_rng(1).normal(size=(4, 3)),
            label_en="three columns",
            label_zh="三列",
        ),
    ],
    hints=[
        (
            "The deployed model will meet one new review at a time. Which numbers does it know then, and which not?",
            "模型上线后每次只遇到一条新评论。那时它知道哪些数，不知道哪些？",
        ),
        (
            "`low` and `high` come from `both`. Where else could they come from?",
            "`low` 和 `high` 来自 `both`。它们本该从哪里来？",
        ),
    ],
)
def scale(train, test):
    """Both parts scaled column by column so that the training values fill [0, 1]; a column that is constant there is only shifted.

    train: (n, columns); test: (m, columns). Returns two arrays of the same shapes; test values may leave [0, 1].
    """
    low, high = train.min(axis=0), train.max(axis=0)
    width = np.where(high > low, high - low, 1)
    return (train - low) / width, (test - low) / width


@scale.broken
def fits_on_both(train, test):
    """Both parts scaled column by column so that the training values fill [0, 1]; a column that is constant there is only shifted.

    train: (n, columns); test: (m, columns). Returns two arrays of the same shapes; test values may leave [0, 1].
    """
    both = np.concatenate([train, test])
    low, high = both.min(axis=0), both.max(axis=0)
    width = np.where(high > low, high - low, 1)
    return (train - low) / width, (test - low) / width


@scale.mistake(
    en="Each part is scaled by its own range, so the same review gets two different numbers. Use the training set's range for both.",
    zh="两部分各用各的范围，同一条评论会得到两个不同的数。两边都要用训练集的范围。",
)
def each_by_its_own(train, test):
    def own(x):
        low, high = x.min(axis=0), x.max(axis=0)
        return (x - low) / np.where(high > low, high - low, 1)

    return own(train), own(test)


@scale.mistake(
    en="Test values are pressed into [0, 1]. A value beyond the training range is news; do not hide it.",
    zh="测试值被压进了 [0, 1]。超出训练范围的值本身就是信息，不要把它藏起来。",
)
def clips(train, test):
    low, high = train.min(axis=0), train.max(axis=0)
    width = np.where(high > low, high - low, 1)
    return (train - low) / width, np.clip((test - low) / width, 0, 1)


@scale.mistake(
    en="One range for all columns: a column of small numbers is squashed by a column of large ones. Work along axis 0.",
    zh="所有列共用一个范围：数值小的列会被数值大的列压扁。请沿轴 0 逐列计算。",
)
def one_range(train, test):
    low, high = train.min(), train.max()
    return (train - low) / (high - low), (test - low) / (high - low)


@scale.mistake(
    en="The upper end of the range still comes from both sets.",
    zh="范围的上端仍取自两个集合。",
)
def upper_end_of_both(train, test):
    low, high = train.min(axis=0), np.maximum(train.max(axis=0), test.max(axis=0))
    width = np.where(high > low, high - low, 1)
    return (train - low) / width, (test - low) / width


@scale.right
def by_scikit_learn(train, test):
    from sklearn.preprocessing import MinMaxScaler

    scaler = MinMaxScaler().fit(train)
    return scaler.transform(train), scaler.transform(test)


@scale.right
def column_by_column(train, test):
    out = train.astype(float), test.astype(float)
    for column in range(train.shape[1]):
        low, width = train[:, column].min(), np.ptp(train[:, column]) or 1.0
        for part in out:
            part[:, column] = (part[:, column] - low) / width
    return out
