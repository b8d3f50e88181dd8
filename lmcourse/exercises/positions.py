"""Exercises on attention's surroundings: what a token may see, where it stands, what a longer text costs."""

import numpy as np

from lmcourse.exercises.exercise import Case, exercise, prop


def _random(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape)


def _angles(positions, dim):
    return np.asarray(positions)[:, None] * 10_000.0 ** (-np.arange(0, dim, 2) / dim)


def _turned(x, angle):
    a, b = np.split(x, 2, axis=-1)
    return np.concatenate([a * np.cos(angle) - b * np.sin(angle), a * np.sin(angle) + b * np.cos(angle)], axis=-1)


@exercise(
    minutes=7,
    task_en="Turn each pair of numbers (i, i + dim/2) by its position's i-th angle.",
    task_zh="把每一对数 (i, i + dim/2) 旋转所在位置的第 i 个角度。",
    cases=lambda: [
        Case(
            np.array([[1.0, 0.0], [1.0, 0.0]]),
            np.array([0, np.pi / 2]),
            label_en="a quarter turn",
            label_zh="转四分之一圈",
            expected=np.array([[1.0, 0.0], [0.0, 1.0]]),
        ),
        Case(_random(6, 8), np.arange(6), label_en="six places, four pairs", label_zh="六个位置，四对数"),
        Case(_random(2, 5, 6, 4), np.arange(6), label_en="batch and heads in front", label_zh="前面还有批和头"),
        Case(_random(3, 8), np.array([100, 7, 0]), label_en="other positions", label_zh="别的位置"),
        Case(_random(2, 3, 4), np.arange(3), label_en="a batch of two", label_zh="一批两条"),
    ],
    properties=[
        prop(
            lambda f: np.allclose(
                np.linalg.norm(f(_random(5, 8), np.arange(5)), axis=-1), np.linalg.norm(_random(5, 8), axis=-1)
            ),
            en="A rotation keeps every vector's length.",
            zh="旋转不改变任何向量的长度。",
        ),
        prop(
            lambda f: np.allclose(
                f(_random(5, 8), np.arange(5)) @ f(_random(5, 8, seed=1), np.arange(5)).T,
                f(_random(5, 8), np.arange(5) + 40) @ f(_random(5, 8, seed=1), np.arange(5) + 40).T,
            ),
            en="Scores depend on distances only: moving the whole text by 40 places changes none.",
            zh="分数只取决于距离：整段文本平移 40 位，分数都不变。",
        ),
    ],
    hints=[
        (
            "A pair (a, b) turned by θ becomes (a cos θ − b sin θ, a sin θ + b cos θ). Which array holds all a, which all b?",
            "(a, b) 旋转 θ 后是 (a cos θ − b sin θ, a sin θ + b cos θ)。哪个数组装所有的 a，哪个装所有的 b？",
        ),
        (
            "`a, b = np.split(x, 2, axis=-1)`; the angles are `positions[:, None] * 10_000.0 ** (-np.arange(0, dim, 2) / dim)`, "
            "(time, dim/2), which broadcasts.",
            "`a, b = np.split(x, 2, axis=-1)`；角度是 `positions[:, None] * 10_000.0 ** (-np.arange(0, dim, 2) / dim)`，"
            "形状 (time, dim/2)，可以广播。",
        ),
    ],
)
def rotate(x, positions):
    """Rotary positions.

    x: (…, time, dim), dim even; positions: (time,). Returns the same shape. Pair i is (x[i], x[i + dim/2]).
    """
    angle = positions[:, None] * 10_000.0 ** (-np.arange(0, x.shape[-1], 2) / x.shape[-1])  # (time, dim / 2)
    a, b = np.split(x, 2, axis=-1)
    return np.concatenate([a * np.cos(angle) - b * np.sin(angle), a * np.sin(angle) + b * np.cos(angle)], axis=-1)


@rotate.mistake(
    en="This pairs neighbours, (0, 1), (2, 3), …: a fine choice, and the first paper's. Llama's weights, and ours, pair i with i + dim/2.",
    zh="这里配对的是相邻的数 (0, 1)、(2, 3)……这样也行，最早的论文就是如此。但 Llama 的权重和这里都用 i 配 i + dim/2。",
)
def pairs_neighbours(x, positions):
    angle = _angles(positions, x.shape[-1])
    a, b = x[..., 0::2], x[..., 1::2]
    turned = [a * np.cos(angle) - b * np.sin(angle), a * np.sin(angle) + b * np.cos(angle)]
    return np.stack(turned, axis=-1).reshape(x.shape)


@rotate.mistake(
    en="One sign is wrong, so this is no rotation: lengths change. The first half is a cos θ − b sin θ.",
    zh="有一个符号错了，这不是旋转，长度会变。前一半是 a cos θ − b sin θ。",
)
def both_signs_plus(x, positions):
    angle, (a, b) = _angles(positions, x.shape[-1]), np.split(x, 2, axis=-1)
    return np.concatenate([a * np.cos(angle) + b * np.sin(angle), a * np.sin(angle) + b * np.cos(angle)], axis=-1)


@rotate.mistake(
    en="It turns the other way. Scores would still depend on distances only, but not agree with the published convention.",
    zh="转的方向反了。分数仍然只取决于距离，但与公开的约定不一致。",
)
def turns_backwards(x, positions):
    return _turned(x, -_angles(positions, x.shape[-1]))


@rotate.mistake(
    en="All pairs turn at the same speed, so places 2π apart look alike. Each pair has its own rate, 10000^(−2i/dim).",
    zh="所有数对以同样的速度转动，相隔 2π 的位置就分不清了。每对各有速率 10000^(−2i/dim)。",
)
def one_speed(x, positions):
    return _turned(x, np.asarray(positions)[:, None])


@rotate.mistake(
    en="Every rate but the first is too fast: the exponent is −2i/dim for pair i, so it runs over 0, 2, 4, …, each divided by dim.",
    zh="除第一对以外，速率都偏快：第 i 对的指数是 −2i/dim，也就是 0、2、4……各除以 dim。",
)
def forgets_the_two(x, positions):
    dim = x.shape[-1]
    return _turned(x, np.asarray(positions)[:, None] * 10_000.0 ** (-np.arange(dim // 2) / dim))


@rotate.right
def by_complex_numbers(x, positions):
    half = x.shape[-1] // 2
    z = (x[..., :half] + 1j * x[..., half:]) * np.exp(1j * _angles(positions, x.shape[-1]))
    return np.concatenate([z.real, z.imag], axis=-1)


@rotate.right
def pair_by_pair(x, positions):
    out, half = np.empty_like(x), x.shape[-1] // 2
    for i in range(half):
        c, s = np.cos(_angles(positions, x.shape[-1])[:, i]), np.sin(_angles(positions, x.shape[-1])[:, i])
        out[..., i] = x[..., i] * c - x[..., i + half] * s
        out[..., i + half] = x[..., i] * s + x[..., i + half] * c
    return out


@exercise(
    minutes=6,
    task_en="Find the fault: who may look at whom in padded texts without looking ahead.",
    task_zh="找出错误：有补齐、不许看未来时，谁可以看谁。",
    cases=lambda: [
        Case(
            np.array([[True, True, False]]),
            label_en="two tokens and one padding",
            label_zh="两个词元，一个补齐",
            expected=np.array([[[1, 0, 0], [1, 1, 0], [1, 1, 0]]], dtype=bool),
        ),
        Case(np.ones((1, 5), dtype=bool), label_en="no padding", label_zh="没有补齐"),
        Case(np.tri(4, 6, dtype=bool), label_en="texts of other lengths", label_zh="文本长短不一"),
        Case(np.array([[False, False, True, True]]), label_en="padding in front", label_zh="补齐在前面"),
        Case(np.ones((2, 1), dtype=bool), label_en="texts of one token", label_zh="只有一个词元的文本"),
    ],
    hints=[
        (
            "Take a text of two tokens and write the matrix by hand. Which entry is wrong?",
            "取一个只有两个词元的文本，把矩阵写出来。哪一格错了？",
        ),
        (
            "`np.tri(3, k=1)`: which places does row 0 see? A next-token model is asked at row 0 for exactly what stands at place 1.",
            "`np.tri(3, k=1)` 的第 0 行看得到哪些位置？预测下一个词元时，第 0 行要答的正是位置 1 上的东西。",
        ),
    ],
)
def mask_for(is_token):
    """Who may look at whom: place i may look at place j when j is not later than i and holds a token.

    is_token: (batch, time) booleans, False at padding. Returns (batch, time, time) booleans, [b, i, j].
    """
    time = is_token.shape[1]
    not_later = np.tri(time, dtype=bool)  # (time, time)
    return not_later & is_token[:, None, :]


@mask_for.broken
def too_good(is_token):
    """Who may look at whom: place i may look at place j when j is not later than i and holds a token.

    is_token: (batch, time) booleans, False at padding. Returns (batch, time, time) booleans, [b, i, j].
    """
    time = is_token.shape[1]
    not_later = np.tri(time, k=1, dtype=bool)  # (time, time)
    return not_later & is_token[:, None, :]


@mask_for.mistake(
    en="Now a place cannot see itself, and the first place sees nothing at all: its softmax would be 0/0.",
    zh="这样一来每个位置看不到自己，第一个位置什么也看不到，softmax 会变成 0/0。",
)
def not_even_itself(is_token):
    return np.tri(is_token.shape[1], k=-1, dtype=bool) & is_token[:, None, :]


@mask_for.mistake(
    en="Upside down: each place sees the present and the future. Rows are queries, columns are keys.",
    zh="上下颠倒了：每个位置看到的是现在和未来。行是查询，列是键。",
)
def upside_down(is_token):
    return np.tri(is_token.shape[1], dtype=bool).T & is_token[:, None, :]


@mask_for.mistake(
    en="The padding is masked as a query, in the rows. It must be masked as a key, in the columns: real tokens must not listen to it.",
    zh="补齐在行上（作为查询）被遮住了。应当在列上（作为键）遮住：真正的词元不该去听它。",
)
def masks_the_queries(is_token):
    return np.tri(is_token.shape[1], dtype=bool) & is_token[:, :, None]


@mask_for.mistake(
    en="The rows of padding see nothing at all now, and their softmax would be 0/0. Mask the columns only; nobody reads what those rows give.",
    zh="补齐所在的行现在什么也看不到，softmax 会变成 0/0。只遮列就够了：那些行的结果没有人用。",
)
def masks_both(is_token):
    return np.tri(is_token.shape[1], dtype=bool) & is_token[:, None, :] & is_token[:, :, None]


@mask_for.mistake(en="The future is hidden, but the padding is still heard.", zh="未来遮住了，补齐却还听得见。")
def hears_the_padding(is_token):
    batch, time = is_token.shape
    return np.broadcast_to(np.tri(time, dtype=bool), (batch, time, time))


@mask_for.right
def by_comparing_places(is_token):
    places = np.arange(is_token.shape[1])
    return (places[:, None] >= places) & is_token[:, None, :]


@mask_for.right
def by_tril(is_token):
    return np.tril(np.repeat(is_token[:, None, :], is_token.shape[1], axis=1))


@exercise(
    minutes=5,
    task_en="Fit cost ≈ c · length^p to a measurement and return p.",
    task_zh="用 cost ≈ c · length^p 拟合一组测量，返回 p。",
    cases=lambda: [
        Case([1, 2, 4, 8], [3.0, 12.0, 48.0, 192.0], label_en="an exact square", label_zh="恰好是平方", expected=2.0),
        Case(np.array([64, 128, 256]), np.array([0.5, 1.0, 2.0]), label_en="in proportion", label_zh="成正比", expected=1.0),
        Case([100, 200, 400, 800], [1.1, 1.9, 4.6, 15.0], label_en="measured, bending upwards", label_zh="实测，向上弯"),
        Case([10, 1000], [5.0, 50.0], label_en="slower than the length", label_zh="比长度长得慢", expected=0.5),
    ],
    hints=[
        ("Take the logarithm of both sides. What kind of curve is it now, and what is p of it?",
         "两边取对数。现在是什么曲线，p 是它的什么？"),
        ("`np.polyfit(x, y, 1)` returns slope and intercept of the straight line through points.",
         "`np.polyfit(x, y, 1)` 给出穿过各点的直线的斜率和截距。"),
    ],
)  # fmt: skip
def growth(lengths, costs):
    """The exponent p of cost ≈ c · length^p, by least squares on the logarithms.

    lengths: n numbers; costs: n numbers, in any unit; all positive. Returns p, a float.
    """
    slope, _ = np.polyfit(np.log(lengths), np.log(costs), 1)
    return slope


@growth.mistake(
    en="This is the slope without logarithms: so many units of cost for each token. The exponent is the slope of the logarithms.",
    zh="这是没有取对数的斜率，即每个词元多少成本。指数是取对数之后的斜率。",
)
def no_logarithms(lengths, costs):
    return np.polyfit(lengths, costs, 1)[0]


@growth.mistake(
    en="Lengths and costs have changed places, so this is about 1/p.",
    zh="长度和成本放反了，得到的大约是 1/p。",
)
def the_other_way_round(lengths, costs):
    x = np.log(np.asarray(costs, dtype=float))
    return np.log(np.asarray(lengths) / lengths[0]).sum() / max((x - x[0]).sum(), 1e-12)


@growth.mistake(
    en="Only the first and the last measurement count here, so one disturbed timing spoils the answer. Fit a line through all.",
    zh="这里只用了第一个和最后一个测量，有一次计时受干扰就不准了。应当用所有的点拟合直线。",
)
def first_and_last(lengths, costs):
    return np.log(costs[-1] / costs[0]) / np.log(lengths[-1] / lengths[0])


@growth.right
def by_covariance(lengths, costs):
    x, y = np.log(lengths), np.log(costs)
    return ((x - x.mean()) * (y - y.mean())).sum() / ((x - x.mean()) ** 2).sum()


@growth.right
def by_least_squares(lengths, costs):
    table = np.stack([np.log(lengths), np.ones(len(lengths))], axis=1)
    return float(np.linalg.lstsq(table, np.log(costs), rcond=None)[0][0])
