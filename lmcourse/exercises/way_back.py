"""Exercises on the way back through a graph of arrays: slopes that meet are added, and what broadcasting stretched is summed."""

import numpy as np

from lmcourse.exercises.exercise import Case, exercise
from lmcourse.exercises.knots import Knot, parents_first, plus, short_and_long_way, square, times


def _random(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape)


def _gradients(answer, order):
    answer(order)
    return [node.grad for node in order]


@exercise(
    minutes=6,
    task_en="Find the fault: set the slope of the last node with respect to every node.",
    task_zh="找出错误：求出最后一个节点对每个节点的斜率。",
    cases=lambda: [
        Case(parents_first(plus(times(Knot(2.0), Knot(3.0)), Knot(1.0))), label_en="a · b + c, every node used once",
             label_zh="a · b + c，每个节点用一次", expected=[3.0, 2.0, 1.0, 1.0, 1.0]),
        Case(parents_first(square(3.0)), label_en="x · x at 3", label_zh="x · x，x = 3", expected=[6.0, 1.0]),
        Case(parents_first(short_and_long_way()), label_en="x · (x · x + x) at 2", label_zh="x · (x · x + x)，x = 2"),
        Case(parents_first(plus(*[square(np.array([1.0, -2.0]))] * 2)), label_en="an array, used twice", label_zh="数组，用了两次"),
        Case([Knot(4.0)], label_en="an input alone", label_zh="只有一个输入", expected=[1.0]),
    ],
    use=_gradients,
    hints=[
        ("Compare the case that works with the first one that fails. What is special about x in x · x?", "比较通过的和第一个没通过的情形。x · x 里的 x 有什么特别？"),
        ("Two slopes arrive at x, one for each use. What does the code do with the first when the second comes?", "x 收到两个斜率，每次使用一个。第二个到来时，代码对第一个做了什么？"),
        ("Slopes that arrive by different ways add up: `parent.grad = parent.grad + g`.", "从不同路径到来的斜率要相加：`parent.grad = parent.grad + g`。"),
    ],
)  # fmt: skip
def backward(order):
    """Set `node.grad` of every node to the slope of the last node with respect to it.

    order: nodes, parents first. `node.pull(g)` gives one slope for each of `node.parents`; inputs have no pull (None).
    """
    for node in order:
        node.grad = 0.0
    order[-1].grad = 1.0
    for node in reversed(order):
        if node.pull:
            for parent, g in zip(node.parents, node.pull(node.grad), strict=True):
                parent.grad = parent.grad + g


@backward.broken
def overwrites(order):
    """Set `node.grad` of every node to the slope of the last node with respect to it.

    order: nodes, parents first. `node.pull(g)` gives one slope for each of `node.parents`; inputs have no pull (None).
    """
    for node in order:
        node.grad = 0.0
    order[-1].grad = 1.0
    for node in reversed(order):
        if node.pull:
            for parent, g in zip(node.parents, node.pull(node.grad), strict=True):
                parent.grad = g


@backward.mistake(
    en="What an earlier run left in `grad` is added in. Set every grad to zero first.",
    zh="上一次运行留在 `grad` 里的值也被加了进去。先把所有 grad 设为零。",
)
def keeps_old_slopes(order):
    order[-1].grad = 1.0
    for node in reversed(order):
        if node.pull:
            for parent, g in zip(node.parents, node.pull(node.grad), strict=True):
                parent.grad = parent.grad + g


@backward.mistake(
    en="The walk goes forwards. A node may hand its slope on only when all that use it have handed theirs to it: walk from the result back.",
    zh="方向走反了。一个节点要等所有用到它的节点都把斜率交给它，才能继续往下传：应从结果往回走。",
)
def walks_forwards(order):
    for node in order:
        node.grad = 0.0
    order[-1].grad = 1.0
    for node in order:
        if node.pull:
            for parent, g in zip(node.parents, node.pull(node.grad), strict=True):
                parent.grad = parent.grad + g


@backward.mistake(
    en="Every slope is zero, because nothing starts the walk: the slope of the result with respect to itself is 1.",
    zh="所有斜率都是零，因为没有起点：结果对它自己的斜率是 1。",
)
def never_starts(order):
    for node in order:
        node.grad = 0.0
    for node in reversed(order):
        if node.pull:
            for parent, g in zip(node.parents, node.pull(node.grad), strict=True):
                parent.grad = parent.grad + g


@backward.mistake(
    en="At x, one of two slopes is still lost: whichever is kept, the other replaces it or is dropped. They have to be added.",
    zh="在 x 那里，两个斜率仍然丢了一个：不管留下哪个，另一个都被覆盖或丢弃了。应当把它们相加。",
)
def keeps_one_slope(order):
    backward.stub(order)


@backward.right
def by_index(order):
    for node in order:
        node.grad = 0.0
    order[-1].grad = 1.0
    for i in range(len(order) - 1, -1, -1):
        slopes = order[i].pull(order[i].grad) if order[i].pull else ()
        for k, g in enumerate(slopes):
            order[i].parents[k].grad = order[i].parents[k].grad + g


@backward.right
def collecting_first(order):
    arrived = {id(node): [] for node in order}
    arrived[id(order[-1])].append(1.0)
    for node in order[::-1]:
        node.grad = sum(arrived[id(node)], 0.0)
        for parent, g in zip(node.parents, node.pull(node.grad) if node.pull else (), strict=True):
            arrived[id(parent)].append(g)


@exercise(
    minutes=8,
    task_en="Sum a gradient over every axis along which broadcasting stretched the array.",
    task_zh="沿广播拉伸过的每一个轴，对梯度求和。",
    cases=lambda: [
        Case(np.arange(6.0).reshape(2, 3), (3,), label_en="a bias", label_zh="偏置", expected=np.array([3.0, 5.0, 7.0])),
        Case(np.arange(6.0).reshape(2, 3), (2, 1), label_en="a column", label_zh="一列", expected=np.array([[3.0], [12.0]])),
        Case(_random(2, 3), (2, 3), label_en="nothing stretched", label_zh="没有拉伸"),
        Case(_random(4, 2, 3), (1, 3), label_en="a new axis and a stretched one", label_zh="一个新增的轴、一个拉伸的轴"),
        Case(_random(3, 3), (3,), label_en="a square array", label_zh="方阵"),
        Case(_random(2, 5), (), label_en="a number", label_zh="一个数"),
        Case(np.ones((1, 3)), (1, 3), label_en="a batch of one", label_zh="批量为一"),
    ],
    hints=[
        ("If one number is used in five places, five slopes come back to it. What becomes of them?", "一个数用在五个地方，就有五个斜率回到它这里。该怎么处理？"),
        ("Broadcasting does two things: it puts new axes in front, and it stretches axes of length 1. Undo both by a sum; the second keeps its axis.", "广播做两件事：在前面添新轴，把长度为 1 的轴拉长。两者都用求和撤销；后一种要保留轴。"),
        ("First `g.sum(axis=tuple(range(g.ndim - len(shape))))`, then `.sum(axis=…, keepdims=True)` over the axes where `shape` has a 1.", "先 `g.sum(axis=tuple(range(g.ndim - len(shape))))`，再在 `shape` 为 1 的轴上 `.sum(axis=…, keepdims=True)`。"),
    ],
)  # fmt: skip
def unbroadcast(g, shape):
    """The gradient for an array of this shape that was broadcast: `g` summed over the axes that were stretched.

    g: an array, the gradient of the broadcast result; shape: a tuple. Returns an array of that shape.
    """
    g = g.sum(axis=tuple(range(g.ndim - len(shape))))  # axes that were put in front
    stretched = tuple(axis for axis, length in enumerate(shape) if length == 1)
    return g.sum(axis=stretched, keepdims=True)


@unbroadcast.mistake(
    en="This takes the mean. Each use adds its own slope, so they are summed.",
    zh="这里取了平均。每次使用都贡献一个斜率，应当求和。",
)
def takes_the_mean(g, shape):
    g = g.mean(axis=tuple(range(g.ndim - len(shape))))
    return g.mean(axis=tuple(axis for axis, length in enumerate(shape) if length == 1), keepdims=True)


@unbroadcast.mistake(
    en="Only the axes in front are summed. An axis of length 1 was stretched too: sum it, and keep it as an axis of length 1.",
    zh="只对前面新增的轴求了和。长度为 1 的轴也被拉伸过：对它求和，并保留为长度 1 的轴。",
)
def front_axes_only(g, shape):
    return g.sum(axis=tuple(range(g.ndim - len(shape))))


@unbroadcast.mistake(
    en="This sums every axis whose length is not in the shape, by value. With a square array it cannot tell which: go by position, from the right.",
    zh="这里按长度找要求和的轴。遇到方阵就分不清了：应当从右往左按位置对齐。",
)
def goes_by_length(g, shape):
    axes = tuple(axis for axis, length in enumerate(g.shape) if length not in shape)
    return g.sum(axis=axes).reshape(shape) if g.sum(axis=axes).size == np.prod(shape) else g.sum(axis=axes)


@unbroadcast.right
def axis_by_axis(g, shape):
    while g.ndim > len(shape):
        g = g.sum(axis=0)
    for axis, length in enumerate(shape):
        if length != g.shape[axis]:
            g = g.sum(axis=axis, keepdims=True)
    return g


@unbroadcast.right
def padding_the_shape(g, shape):
    full = (1,) * (g.ndim - len(shape)) + tuple(shape)
    return g.sum(axis=tuple(i for i in range(g.ndim) if full[i] == 1), keepdims=True).reshape(shape)
