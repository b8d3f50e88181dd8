"""The first question and the first exercise, which teach how questions and exercises work."""

import numpy as np

from lmcourse.exercises.exercise import Case, exercise
from lmcourse.exercises.question import choice

loops_against_numpy = choice(
    en="For tables of 100 × 100 numbers, NumPy's @ is faster than three Python loops by a factor of about …",
    zh="对 100 × 100 的数表，NumPy 的 @ 的速度大约是三层 Python 循环的……",
    options=[
        ("2", "2 倍"),
        ("10", "10 倍"),
        ("30", "30 倍"),
        ("100 or more", "100 倍或更多"),
    ],
    answer=3,
    because_en="A million multiplications keep the Python interpreter busy for about a tenth of a second; compiled code that uses every "
    "unit of the processor needs less than a thousandth. This is why deep learning is written in arrays.",
    because_zh="一百万次乘法，Python 解释器要用大约十分之一秒；编译代码用上处理器的全部单元，用不了千分之一秒。所以深度学习都用数组来写。",
)


@exercise(
    minutes=3,
    task_en="Write ReLU: positive numbers stay, negative ones become zero.",
    task_zh="写出 ReLU：正数保留，负数变成零。",
    cases=lambda: [
        Case(
            np.array([-2.0, -0.5, 0.0, 0.5, 2.0]),
            label_en="five numbers",
            label_zh="五个数",
            expected=np.array([0, 0, 0, 0.5, 2.0]),
        ),
        Case(
            np.array([[-1.0, 3.0], [4.0, -5.0]]),
            label_en="a table",
            label_zh="一张表",
            expected=np.array([[0, 3.0], [4.0, 0]]),
        ),
        Case(np.array([1e6, -1e6, 1e-6, -1e-6]), label_en="very large and very small", label_zh="很大和很小的数"),
        Case(np.array([], dtype="float64"), label_en="no number at all", label_zh="一个数也没有"),
        Case(np.linspace(-3, 3, 7, dtype="float32"), label_en="float32", label_zh="float32"),
    ],
    hints=[
        ("Compare each number with zero, and keep the larger of the two.", "把每个数和零比较，留下较大的那个。"),
        (
            "Python's own max compares whole arrays; NumPy has a maximum that works number by number.",
            "Python 自带的 max 比较整个数组；NumPy 有逐个比较的 maximum。",
        ),
        ("`np.maximum(0, x)`", "`np.maximum(0, x)`"),
    ],
)
def relu(x):
    """Positive numbers stay, negative ones become zero. x: an array of any shape. Returns the same shape."""
    return np.maximum(0, x)


@relu.mistake(
    en="This is the size of each number: −2 became 2. Negative numbers should become zero.",
    zh="这是每个数的绝对值：−2 变成了 2。负数应当变成零。",
)
def absolute(x):
    return np.abs(x)


@relu.mistake(
    en="This gives 1 and 0: it says which numbers are positive, but forgets how large they are.",
    zh="这里给出的是 1 和 0：只说了哪些是正数，丢掉了它们的大小。",
)
def step(x):
    return (x > 0) * 1.0


@relu.mistake(
    en="The negative numbers were left out, so the shape changed. Keep their places and put zeros there.",
    zh="负数被去掉了，形状也变了。位置要保留，填上零。",
)
def drops(x):
    return x[x > 0]


@relu.mistake(
    en="Python's max compares whole arrays, and an array is neither smaller nor larger than zero. NumPy has a maximum, number by number.",
    zh="Python 的 max 比较的是整个数组，而数组无所谓大于零还是小于零。NumPy 有逐个比较的 maximum。",
)
def builtin_max(x):
    return max(0, x)


@relu.right
def by_where(x):
    return np.where(x > 0, x, 0)


@relu.right
def by_product(x):
    return x * (x > 0)
