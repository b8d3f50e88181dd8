"""An exercise on categories as numbers: one column for each, known from the training set alone."""

import numpy as np

from lmcourse.exercises.exercise import Case, exercise
from lmcourse.exercises.question import choice

which_code = choice(
    en="The letters a to z are numbered 0 to 25. A logistic regression gets a letter's number and guesses whether the next letter is a vowel. "
    "In the documentation 60 % of the next letters are not, so “never” is right in 60 %. How often is the model right?",
    zh="字母 a 到 z 编为 0 到 25。逻辑回归拿到一个字母的编号，猜下一个字母是不是元音。文档里 60% 的下一个字母不是元音，所以永远答“不是”能对 60%。模型能对多少？",
    options=[
        ("about 60 %: no better than “never”", "约 60%：不比永远答“不是”强"),
        ("about 68 %: half of what the letter tells", "约 68%：字母所含信息的一半"),
        ("about 76 %: all that the letter tells", "约 76%：字母所含信息的全部"),
        ("clearly below 60 %: the numbers mislead it", "明显低于 60%：编号会误导它"),
    ],
    answer=0,
    because_en="A single slope over 0 … 25 can only say “vowels follow more often late in the alphabet”, or early. Which letters like a vowel has "
    "nothing to do with the alphabet. With a column of its own each letter gets its own weight: 76 %.",
    because_zh="在 0 到 25 上只有一个斜率，它只能说“字母越靠后，后面越常跟元音”，或者反过来。可哪些字母爱跟元音，和字母表的次序毫无关系。让每个字母各占一列，各有权重，就能对 76%。",
)


@exercise(
    minutes=3,
    task_en="Encode categories as columns of 0 and 1; the training set decides which columns there are.",
    task_zh="把类别编成由 0 和 1 组成的列；有哪些列，由训练集决定。",
    cases=lambda: [
        Case(
            np.array(["hotel", "book", "hotel"]),
            np.array(["book", "laptop"]),
            label_en="a category that only the test set has",
            label_zh="只有测试集才有的类别",
            expected=(np.array([[0.0, 1.0], [1.0, 0.0], [0.0, 1.0]]), np.array([[1.0, 0.0], [0.0, 0.0]])),
        ),
        Case(np.array([7, 3, 3, 9]), np.array([9, 7]), label_en="numbers as names", label_zh="以数字为名"),
        Case(np.array(list("abca")), np.array(list("a")), label_en="the test set lacks two", label_zh="测试集缺两类"),
        Case(np.array(["x"]), np.array(["y", "x"]), label_en="one category", label_zh="只有一类"),
    ],
    hints=[
        (
            "Which categories will the deployed model know? Where does their list come from?",
            "模型上线后认得哪些类别？这份名单从哪里来？",
        ),
        (
            "`np.unique(train)` is that list, sorted. Compare every value with every name.",
            "`np.unique(train)` 就是排好序的名单。拿每个值与每个名字相比。",
        ),
        (
            "`values[:, None] == names` is a table of booleans, (values, categories); `.astype(float)` makes numbers.",
            "`values[:, None] == names` 是一张布尔表，形状 (values, categories)；用 `.astype(float)` 变成数。",
        ),
    ],
)
def one_hot(train, test):
    """A column for each category of the training set, in sorted order; a category that is new in the test set is a row of zeros.

    train: (n,) strings or integers; test: (m,). Returns (n, categories) and (m, categories) of 0.0 and 1.0.
    """
    names = np.unique(train)  # (categories,)
    return (train[:, None] == names).astype(float), (test[:, None] == names).astype(float)


@one_hot.mistake(
    en="The columns come from both sets: the model gets a column for a category that it has never seen, and the test set decided its shape.",
    zh="列取自两个集合：模型多出一列从没见过的类别，形状竟由测试集决定。",
)
def columns_from_both(train, test):
    names = np.unique(np.concatenate([train, test]))
    return (train[:, None] == names).astype(float), (test[:, None] == names).astype(float)


@one_hot.mistake(
    en="Each set has its own columns, so column 0 means one category in training and another in the test.",
    zh="两个集合各有各的列，第 0 列在训练时是一个类别，测试时却是另一个。",
)
def each_its_own(train, test):
    return tuple((part[:, None] == np.unique(part)).astype(float) for part in (train, test))


@one_hot.mistake(
    en="These are integer codes, which claim that category 2 is more than category 1. One column for each category claims nothing.",
    zh="这是整数编码，等于说类别 2 比类别 1 大。每类一列，就什么也没说。",
)
def integer_codes(train, test):
    names = np.unique(train)
    return np.searchsorted(names, train).astype(float), np.searchsorted(names, test).astype(float)


@one_hot.mistake(
    en="A category that is new in the test set lands in the column of its neighbour in the alphabet. It should be a row of zeros.",
    zh="测试集里的新类别，落进了字母表上与它相邻的那一列。它应当是一行零。",
)
def new_ones_in_a_neighbours_column(train, test):
    names = np.unique(train)
    table = np.eye(len(names))
    return table[np.searchsorted(names, train)], table[np.minimum(np.searchsorted(names, test), len(names) - 1)]


@one_hot.right
def by_scikit_learn(train, test):
    from sklearn.preprocessing import OneHotEncoder

    encoder = OneHotEncoder(handle_unknown="ignore", sparse_output=False).fit(train[:, None])
    return encoder.transform(train[:, None]), encoder.transform(test[:, None])


@one_hot.right
def by_a_table(train, test):
    number = {name: i for i, name in enumerate(sorted(set(train.tolist())))}
    rows = np.vstack([np.eye(len(number)), np.zeros(len(number))])  # the last row is for what is new
    return tuple(rows[[number.get(value, len(number)) for value in part.tolist()]] for part in (train, test))
