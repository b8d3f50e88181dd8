"""Lesson 2.1, activations: stable values and slopes of sigmoid and tanh. GELU is in `gelu.py`, the rest in `slopes.py`.

Everything is NumPy, so that the lesson need not load TensorFlow before it compares with it.
"""

import math

import numpy as np

from lmcourse.exercises.exercise import Case, exercise, prop
from lmcourse.exercises.question import choice, number


def _grid() -> np.ndarray:
    return np.linspace(-6, 6, 25)


def _slope(f, x: np.ndarray, step: float = 1e-5) -> np.ndarray:
    """Central differences in float64: right to about ten digits."""
    return (f(x + step) - f(x - step)) / (2 * step)


def _without_overflow(f) -> None:
    with np.errstate(over="raise"):
        f(np.array([-1000.0, 1000.0]))


@exercise(
    minutes=8,
    task_en="Write the sigmoid so that neither large positive nor large negative inputs overflow.",
    task_zh="实现 sigmoid，使绝对值很大的正、负输入都不会溢出。",
    cases=lambda: [
        Case(np.array([0.0, math.log(3), -math.log(3)]), expected=[0.5, 0.75, 0.25], label_en="by hand", label_zh="手算"),
        Case(_grid(), label_en="ordinary numbers", label_zh="普通大小的数"),
        Case(np.array([-1000.0, 1000.0]), expected=[0.0, 1.0], label_en="large numbers", label_zh="很大的数"),
        Case(np.array([-40.0]), expected=[4.248354255291589e-18], label_en="far to the left", label_zh="左侧很远处"),
        Case(_grid().reshape(5, 5).astype(np.float32), label_en="float32, two axes", label_zh="float32，两个轴"),
        Case(np.zeros((0, 3)), label_en="no numbers at all", label_zh="空数组"),
    ],
    properties=[
        prop(lambda f: np.allclose(f(-_grid()), 1 - f(_grid())), en="σ(−z) = 1 − σ(z).", zh="σ(−z) = 1 − σ(z)。"),
        prop(_without_overflow, en="No exponential overflows, at z = −1000 or 1000.", zh="z = ±1000 时，指数都不溢出。"),
    ],
    hints=[
        ("Which of the two signs of the exponent can overflow? It depends on the sign of z.",
         "指数取哪种符号会溢出？这与 z 的正负有关。"),
        ("With e = exp(−|z|), which is never above 1, the sigmoid is 1 / (1 + e) on one side of zero and e / (1 + e) on the other.",
         "令 e = exp(−|z|)，它不会超过 1；sigmoid 在零的一侧是 1 / (1 + e)，另一侧是 e / (1 + e)。"),
        ("`np.where(z >= 0, right, left)` picks between two arrays, element by element.",
         "`np.where(z >= 0, right, left)` 逐元素地在两个数组中取值。"),
    ],
)  # fmt: skip
def sigmoid(z):
    """The logistic sigmoid of each number in an array `z` of any shape, without overflow."""
    e = np.exp(-np.abs(z))  # in (0, 1]
    return np.where(z >= 0, 1, e) / (1 + e)


@sigmoid.mistake(
    en="The values are right, but an exponential still overflows on the way, and 1/∞ = 0 or np.where, which computes both branches, "
    "hides it. Use exp(−|z|).",
    zh="数值都对，但中途仍有指数溢出，只是被 1/∞ = 0 或者 np.where（两个分支都会算）掩盖了。请用 exp(−|z|)。",
)
def as_printed(z):
    return 1 / (1 + np.exp(-z))


@sigmoid.mistake(
    en="For large positive z, exp(z) overflows and ∞/∞ gives NaN: use exp(−|z|).",
    zh="z 是很大的正数时，exp(z) 溢出，∞/∞ 得 NaN：请用 exp(−|z|)。",
)
def exponentials_of_z(z):
    return np.exp(z) / (1 + np.exp(z))


@sigmoid.mistake(
    en="This is the sigmoid mirrored: check the sign of the exponent.", zh="这是左右翻转的 sigmoid：检查指数的符号。"
)
def mirrored(z):
    return 1 / (1 + np.exp(z))


@sigmoid.mistake(
    en="Near zero outputs, 1 − σ(|z|) cancels: all digits of a small number are lost. Use e / (1 + e) there.",
    zh="输出接近 0 时，1 − σ(|z|) 会相消，小数的有效数字全部丢失。那里请用 e / (1 + e)。",
)
def by_cancellation(z):
    right = 1 / (1 + np.exp(-np.abs(z)))
    return np.where(z >= 0, right, 1 - right)


@sigmoid.right
def by_tails(z):
    z = np.asarray(z, dtype=float)
    flat = [1 / (1 + math.exp(-v)) if v >= 0 else math.exp(v) / (1 + math.exp(v)) for v in z.ravel()]
    return np.array(flat).reshape(z.shape)


@sigmoid.right
def by_clipping_the_exponent(z):
    return np.exp(np.minimum(z, 0)) / (1 + np.exp(-np.abs(z)))


@exercise(
    minutes=4,
    task_en="Write the derivative of the sigmoid at each z.",
    task_zh="写出 sigmoid 在每个 z 处的导数。",
    cases=lambda: [
        Case(np.array([0.0, math.log(3)]), expected=[0.25, 0.1875], label_en="by hand", label_zh="手算"),
        Case(_grid(), label_en="ordinary numbers", label_zh="普通大小的数"),
        Case(np.array([-1000.0, 1000.0]), expected=[0.0, 0.0], label_en="large numbers", label_zh="很大的数"),
        Case(np.array([40.0]), expected=[4.248354255291589e-18], label_en="far to the right", label_zh="右侧很远处"),
        Case(_grid().reshape(5, 5).astype(np.float32), label_en="float32, two axes", label_zh="float32，两个轴"),
    ],
    properties=[
        prop(lambda f: np.allclose(f(_grid()), _slope(sigmoid, _grid()), atol=1e-9),
             en="It equals the finite difference of the sigmoid.", zh="它等于 sigmoid 的有限差分。"),
    ],
    hints=[
        ("Express the derivative through the sigmoid's own value. Then ask what happens where that value rounds to one.",
         "用 sigmoid 自身的值表示导数，再想想：当这个值舍入为 1 时会怎样？"),
        ("σ′(z) = σ(z) σ(−z); it is symmetric in z.", "σ′(z) = σ(z) σ(−z)，它关于 z 对称。"),
        ("With `e = np.exp(-np.abs(z))`: e / (1 + e)².", "令 `e = np.exp(-np.abs(z))`，结果是 e / (1 + e)²。"),
    ],
)  # fmt: skip
def sigmoid_slope(z):
    """The derivative of the sigmoid at each number in an array `z` of any shape."""
    e = np.exp(-np.abs(z))
    return e / (1 + e) ** 2


@sigmoid_slope.mistake(
    en="σ(1 − σ) is the right formula, but for large z the factor 1 − σ rounds to zero long before the slope does. Use σ(z) σ(−z).",
    zh="σ(1 − σ) 公式没错，但 z 较大时 1 − σ 会过早舍入为 0。请用 σ(z) σ(−z)。",
)
def by_one_minus(z):
    s = sigmoid(z)
    return s * (1 - s)


@sigmoid_slope.mistake(en="This is the sigmoid itself, not its derivative.", zh="这是 sigmoid 本身，不是它的导数。")
def not_differentiated(z):
    return sigmoid(z)


@sigmoid_slope.mistake(
    en="This is tanh's derivative, 1 − f², with the sigmoid as f.", zh="这是把 sigmoid 代入 tanh 的导数 1 − f²。"
)
def as_for_tanh(z):
    return 1 - sigmoid(z) ** 2


@sigmoid_slope.right
def by_both_tails(z):
    return sigmoid(z) * sigmoid(-z)


@sigmoid_slope.right
def by_hyperbolic_cosine(z):
    return np.exp(-np.abs(z)) / (2 + np.exp(-2 * np.abs(z)) - 1 + 2 * np.exp(-np.abs(z)))


@exercise(
    minutes=6,
    task_en="This tanh gives NaN for large inputs and loses digits for small ones. Mend it, without calling np.tanh.",
    task_zh="这个 tanh 在输入较大时给出 NaN，较小时丢失精度。请修好它，不要直接调用 np.tanh。",
    cases=lambda: [
        Case(np.array([0.0, math.log(2)]), expected=[0.0, 0.6], label_en="by hand", label_zh="手算"),
        Case(_grid(), label_en="ordinary numbers", label_zh="普通大小的数"),
        Case(np.array([1000.0]), expected=[1.0], label_en="a large number", label_zh="很大的数"),
        Case(np.array([-1000.0]), expected=[-1.0], label_en="a large negative number", label_zh="很大的负数"),
        Case(np.array([44.5, 90.0], dtype=np.float32), expected=[1.0, 1.0], label_en="float32", label_zh="float32"),
        Case(np.array([1e-12, -1e-12]), expected=[1e-12, -1e-12], label_en="tiny numbers", label_zh="很小的数"),
    ],
    properties=[
        prop(lambda f: np.allclose(f(-_grid()), -f(_grid())), en="tanh(−z) = −tanh(z).", zh="tanh(−z) = −tanh(z)。"),
    ],
    hints=[
        ("Two things go wrong: the exponential overflows on one side, and for tiny z a difference of nearly equal numbers loses its digits.",
         "有两处问题：指数函数在一侧溢出；z 很小时，两个几乎相等的数相减会丢失有效数字。"),
        ("Work with −|z| and put the sign back at the end. NumPy has a function for exp(x) − 1 that keeps the digits.",
         "用 −|z| 计算，最后再乘上符号。NumPy 有一个保留精度的 exp(x) − 1 函数。"),
        ("`d = np.expm1(-2 * np.abs(z))`, then tanh |z| = −d / (2 + d).",
         "`d = np.expm1(-2 * np.abs(z))`，于是 tanh |z| = −d / (2 + d)。"),
    ],
)  # fmt: skip
def tanh(z):
    """The hyperbolic tangent of each number in an array `z`, from exponentials."""
    d = np.expm1(-2 * np.abs(z))  # e^(−2|z|) − 1, in (−1, 0]
    return np.sign(z) * -d / (2 + d)


@tanh.broken
def from_exponentials(z):
    """The hyperbolic tangent of each number in an array `z`, from exponentials."""
    e = np.exp(2 * z)
    return (e - 1) / (e + 1)


@tanh.mistake(
    en="The overflow has only moved to the large negative side. Use −2|z| and put the sign back at the end.",
    zh="溢出只是移到了很大的负数一侧。请用 −2|z|，最后再乘上符号。",
)
def other_side(z):
    d = np.expm1(-2 * z)
    return -d / (2 + d)


@tanh.mistake(
    en="No overflow any more, but 1 − e cancels for tiny z, where tanh z ≈ z: use np.expm1.",
    zh="溢出解决了，但 z 很小时 1 − e 会相消，而那里 tanh z ≈ z：请用 np.expm1。",
)
def still_cancelling(z):
    e = np.exp(-2 * np.abs(z))
    return np.sign(z) * (1 - e) / (1 + e)


@tanh.mistake(
    en="2σ(2z) − 1 subtracts nearly equal numbers too when z is tiny: σ is then close to ½. Use np.expm1.",
    zh="z 很小时 σ 接近 ½，2σ(2z) − 1 同样是两个几乎相等的数相减。请用 np.expm1。",
)
def by_sigmoid(z):
    return 2 * sigmoid(2 * z) - 1


@tanh.mistake(en="tanh is odd: put the sign of z back at the end.", zh="tanh 是奇函数：最后要乘上 z 的符号。")
def sign_lost(z):
    d = np.expm1(-2 * np.abs(z))
    return -d / (2 + d)


@tanh.right
def by_clipping(z):
    d = np.expm1(2 * np.clip(z, -300, 40))
    return d / (d + 2)


@tanh.right
def by_loop(z):
    return np.array(
        [math.copysign(math.expm1(2 * min(abs(v), 40)) / (math.expm1(2 * min(abs(v), 40)) + 2), v) for v in z.tolist()]
    )


gradient_after_ten_layers = number(
    en="Ten sigmoids in a row, every weight 1: what is the largest factor by which they can multiply a gradient?",
    zh="10 个 sigmoid 相连，权重都为 1：它们最多能把梯度乘以多大的因子？",
    answer=0.25**10,
    tolerance=1e-7,
    because_en="Each sigmoid is at most ¼ steep, at z = 0; ¼ to the tenth power is about 9.5e-7.",
    because_zh="每个 sigmoid 的斜率最大为 ¼（在 z = 0 处）；¼ 的 10 次方约为 9.5e-7。",
)

flattest_at_five = choice(
    en="Which of the three has the smallest slope at z = 5?",
    zh="在 z = 5 处，三者中谁的斜率最小？",
    options=[("sigmoid", "sigmoid"), ("tanh", "tanh"), ("exact GELU", "精确的 GELU")],
    answer=1,
    because_en="tanh′(5) ≈ 1.8e-4, σ′(5) ≈ 6.6e-3, GELU′(5) ≈ 1: tanh(z) = 2σ(2z) − 1 saturates twice as fast as σ.",
    because_zh="tanh′(5) ≈ 1.8e-4，σ′(5) ≈ 6.6e-3，GELU′(5) ≈ 1：tanh(z) = 2σ(2z) − 1，饱和得比 σ 快一倍。",
)
