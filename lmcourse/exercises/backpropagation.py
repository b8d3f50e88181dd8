"""Exercises and questions on reverse-mode differentiation: slopes by hand, the order of the graph, the way back."""

import numpy as np

from lmcourse.exercises.exercise import Case, exercise
from lmcourse.exercises.knots import Knot, doubled, plus, short_and_long_way, times
from lmcourse.exercises.question import choice, number
from lmcourse.language import pick

price = choice(
    en="A network has 2,410 parameters. Measured in runs of its loss, what does its whole gradient cost by backpropagation?",
    zh="一个网络有 2,410 个参数。以“计算一次损失”为单位，用反向传播求整个梯度要花多少？",
    options=[
        ("About 2,410: every parameter has a slope of its own", "约 2,410 次：每个参数都有自己的斜率"),
        ("About 50: it grows with the square root", "约 50 次：按平方根增长"),
        ("A few, fewer than ten, however many parameters there are", "几次，不到十次，与参数个数无关"),
        ("Exactly one: the way back is free", "恰好一次：反向不花钱"),
    ],
    answer=2,
    because_en="The way back visits every operation once, as the way forth did, and does about twice the work there; our Python adds some bookkeeping. "
    "The number of parameters does not enter. Baur and Strassen proved in 1983 that a small constant factor is always enough.",
    because_zh="反向和前向一样，每个运算只经过一次，在那里的工作量约为前向的两倍（我们的 Python 还要加些记账），与参数个数无关。"
    "Baur 和 Strassen 在 1983 年证明：一个很小的常数倍总是够用的。",
)

silenced = choice(
    en="In the microscope, the weight from hidden neuron 1 to the output is set to 0. Which weights then have the slope 0?",
    zh="在显微镜里，把隐藏神经元 1 到输出的权重设为 0。这时哪些权重的斜率为 0？",
    options=[
        ("That weight alone", "只有这个权重"),
        ("That weight and those that lead into neuron 1", "这个权重，以及进入神经元 1 的权重"),
        ("Those that lead into neuron 1, but not that weight itself", "进入神经元 1 的权重，但不包括这个权重本身"),
        ("None", "都不为 0"),
    ],
    answer=2,
    because_en="A weight's slope is its input times what comes back to its output, and its own value does not enter: it is the messenger, "
    "not the message. What comes back to neuron 1 is multiplied by the 0 on the way, so everything that leads into it gets nothing. "
    "This is why a network whose weights are all 0 cannot start.",
    because_zh="一个权重的斜率等于它的输入乘以从输出端回来的斜率，与它自身的值无关。而回到神经元 1 的斜率途中要乘以这个 0，"
    "所以进入神经元 1 的权重什么也收不到。权重全为 0 的网络无法起步，原因就在这里。",
)

twice = number(
    en="y = x · x is built as multiply(x, x). On the way back the multiplication hands x two slopes. At x = 3, how large is each of them?",
    zh="y = x · x 由 multiply(x, x) 构成。反向时，乘法会交给 x 两个斜率。当 x = 3 时，每个斜率是多少？",
    answer=3,
    tolerance=0.01,
    because_en="Each factor's slope is the value of the other: 3 and 3. Only their sum, 6, is the slope 2x that you know. "
    "Whoever overwrites the first with the second gets half.",
    because_zh="每个因子的斜率等于另一个因子的值：3 和 3。两者之和 6 才是熟悉的 2x。谁用第二个覆盖了第一个，就只剩一半。",
)


@exercise(
    minutes=4,
    task_en="Return both slopes of L = (tanh(w·x + b) − y)², computing what they share only once.",
    task_zh="给出 L = (tanh(w·x + b) − y)² 的两个斜率，共用的部分只算一次。",
    cases=lambda: [
        Case(0.0, 0.0, 2.0, 1.0, label_en="z = 0", label_zh="z = 0", expected=(-4.0, -2.0)),
        Case(0.5, -0.2, 1.5, 1.0, label_en="ordinary numbers", label_zh="普通的数"),
        Case(-1.0, 0.3, 0.7, -1.0, label_en="a negative target", label_zh="负的目标值"),
        Case(2.0, 1.0, 2.0, 0.0, label_en="a saturated tanh", label_zh="饱和的 tanh"),
        Case(1.2, 0.4, 0.0, 0.5, label_en="x = 0", label_zh="x = 0"),
    ],
    hints=[
        (
            "Name what lies between: z = w·x + b, then a = tanh z, then L = (a − y)². What is the slope of each with respect to the one before?",
            "给中间量起名字：z = w·x + b，a = tanh z，L = (a − y)²。每一个对前一个的斜率是什么？",
        ),
        (
            "tanh′(z) = 1 − tanh²(z), and you have tanh z already. The slope with respect to z is shared by w and b.",
            "tanh′(z) = 1 − tanh²(z)，而 tanh z 你已经有了。w 和 b 共用对 z 的斜率。",
        ),
        (
            "`dz = 2 * (a - y) * (1 - a * a)`; then z depends on w with slope x and on b with slope 1.",
            "`dz = 2 * (a - y) * (1 - a * a)`；z 对 w 的斜率是 x，对 b 的斜率是 1。",
        ),
    ],
)
def slopes(w, b, x, y):
    """The slopes dL/dw and dL/db of L = (tanh(w·x + b) − y)².

    w, b, x, y: numbers. Returns two numbers.
    """
    a = np.tanh(w * x + b)
    dz = 2 * (a - y) * (1 - a * a)  # dL/dz, shared by both
    return dz * x, dz


@slopes.mistake(en="The slope of tanh is missing: dL/da is not yet dL/dz.", zh="漏了 tanh 的斜率：dL/da 还不是 dL/dz。")
def forgets_tanh(w, b, x, y):
    a = np.tanh(w * x + b)
    return 2 * (a - y) * x, 2 * (a - y)


@slopes.mistake(
    en="tanh was taken twice: the slope is 1 − a² with a = tanh z, not 1 − tanh²(a).",
    zh="多取了一次 tanh：斜率是 1 − a²，其中 a = tanh z，而不是 1 − tanh²(a)。",
)
def tanh_of_tanh(w, b, x, y):
    a = np.tanh(w * x + b)
    dz = 2 * (a - y) * (1 - np.tanh(a) ** 2)
    return dz * x, dz


@slopes.mistake(
    en="The signs are turned round: the slope of (a − y)² with respect to a is 2(a − y).",
    zh="符号反了：(a − y)² 对 a 的斜率是 2(a − y)。",
)
def turned_round(w, b, x, y):
    a = np.tanh(w * x + b)
    dz = 2 * (y - a) * (1 - a * a)
    return dz * x, dz


@slopes.mistake(
    en="The two are in the wrong order: dL/dw comes first, dL/db second.", zh="两个斜率的次序反了：先 dL/dw，后 dL/db。"
)
def wrong_order(w, b, x, y):
    return slopes.reference(w, b, x, y)[::-1]


@slopes.mistake(
    en="z = w·x + b changes with w as fast as x is large: multiply by x, not by w.",
    zh="z = w·x + b 对 w 的斜率是 x：应乘以 x，而不是 w。",
)
def times_w(w, b, x, y):
    dz = slopes.reference(w, b, x, y)[1]
    return dz * w, dz


@slopes.right
def by_cosh(w, b, x, y):
    z = w * x + b
    dz = 2 * (np.tanh(z) - y) / np.cosh(z) ** 2
    return [dz * x, dz]


@slopes.right
def by_exponentials(w, b, x, y):
    e = np.exp(2 * (w * x + b))
    dz = 2 * ((e - 1) / (e + 1) - y) * 4 * e / (e + 1) ** 2
    return np.array([dz * x, dz])


def _facts(answer, result):
    """What can be said of an order of nodes, whichever of the right ones it is."""
    found = answer(result)
    if isinstance(found, set | dict):
        raise TypeError(
            pick(en="an order is wanted: a list, not a set or dict", zh="要的是次序：请返回列表，不要集合或字典")
        )
    if not isinstance(found, list | tuple):
        return found
    seen, repeated, early = set(), 0, 0
    for node in found:
        repeated += id(node) in seen
        early += any(id(parent) not in seen for parent in node.parents)
        seen.add(id(node))
    return {
        pick(en="different nodes", zh="不同的节点数"): len(seen),
        pick(en="listed again", zh="重复列出的次数"): repeated,
        pick(en="listed before a parent", zh="排在父节点之前的个数"): early,
        pick(en="the result is last", zh="结果排在最后"): int(bool(found) and found[-1] is result),
    }


@exercise(
    minutes=8,
    task_en="List everything that a result is made of: each node once, parents first.",
    task_zh="列出构成结果的全部节点：每个一次，父节点在前。",
    cases=lambda: [
        Case(Knot(1.0), label_en="an input alone", label_zh="只有一个输入"),
        Case(plus(times(Knot(2.0), Knot(3.0)), Knot(1.0)), label_en="a · b + c", label_zh="a · b + c"),
        Case(doubled(1), label_en="x + x", label_zh="x + x"),
        Case(short_and_long_way(), label_en="x · (x · x + x)", label_zh="x · (x · x + x)"),
        Case(doubled(14), label_en="doubled 14 times", label_zh="连续翻倍 14 次"),
    ],
    use=_facts,
    hints=[
        (
            "A node may be listed once all of its parents are. What has to happen, then, before you list the result itself?",
            "一个节点的父节点都列出之后，才轮到它。那么列出结果之前，要先做什么？",
        ),
        (
            "A recursive `visit(node)`: visit each parent, then append the node. Keep a set of those already visited and return at once for them.",
            "写一个递归的 `visit(node)`：先访问每个父节点，再把自己加进列表。用一个集合记住访问过的节点，遇到就立刻返回。",
        ),
    ],
)
def ordered(result):
    """Every node that `result` is made of, once each, parents first, so that `result` comes last.

    result: a node. `node.parents` is a tuple of nodes, empty for inputs. Returns a list of nodes.
    """
    order, seen = [], set()

    def visit(node):
        if node in seen:
            return
        seen.add(node)
        for parent in node.parents:
            visit(parent)
        order.append(node)

    visit(result)
    return order


@ordered.mistake(
    en="A node that is used twice is listed twice, and its part of the graph walked twice; after 14 doublings that is 2¹⁴ times. Remember the ones visited.",
    zh="用到两次的节点被列出两次，它下面的图也走了两遍；翻倍 14 次就是 2¹⁴ 遍。要记住访问过的节点。",
)
def forgets_whom_it_met(result):
    order = []

    def visit(node):
        for parent in node.parents:
            visit(parent)
        order.append(node)

    visit(result)
    return order


@ordered.mistake(
    en="The result comes first and its parents after it. Append a node only when its parents are in the list.",
    zh="结果排在最前，父节点在后。父节点都进了列表，才能加入节点自己。",
)
def result_first(result):
    order, seen = [], set()

    def visit(node):
        if node not in seen:
            seen.add(node)
            order.append(node)
            for parent in node.parents:
                visit(parent)

    visit(result)
    return order


@ordered.mistake(
    en="Listing nodes as they are met and turning the list round is not enough: one reached by a short and by a long way ends up too late. "
    "Append a node only after its parents.",
    zh="遇到就记下、最后再倒过来还不够：既有短路又有长路的节点会排得太晚。要等父节点都进了列表，再加入节点自己。",
)
def level_by_level(result):
    order = [result]
    for node in order:
        order += [parent for parent in dict.fromkeys(node.parents) if parent not in order]
    return order[::-1]


@ordered.mistake(en="The result itself is missing: it comes last in the list.", zh="漏了结果本身：它应排在列表的最后。")
def leaves_out_the_result(result):
    return ordered.reference(result)[:-1]


@ordered.right
def without_recursion(result):
    order, seen, stack = [], {id(result)}, [(result, iter(result.parents))]
    while stack:
        node, parents = stack[-1]
        fresh = next((p for p in parents if id(p) not in seen), None)
        if fresh is None:
            order.append(stack.pop()[0])
        else:
            seen.add(id(fresh))
            stack.append((fresh, iter(fresh.parents)))
    return order


@ordered.right
def growing_a_dict(result):
    order = {}

    def visit(node):
        if node not in order:
            for parent in node.parents:
                visit(parent)
            order[node] = True

    visit(result)
    return list(order)
