"""Lesson 2.1, second part: GELU, exact in its tails, and its slope. NumPy and `math` only."""

import math

import numpy as np

from lmcourse.exercises.activations import sigmoid
from lmcourse.exercises.exercise import Case, exercise, prop


def _grid() -> np.ndarray:
    return np.linspace(-6, 6, 25)


def _slope(f, x: np.ndarray, step: float = 1e-5) -> np.ndarray:
    """Central differences in float64: right to about ten digits."""
    return (f(x + step) - f(x - step)) / (2 * step)


@exercise(
    minutes=3,
    task_en="Write the exact GELU, z · Φ(z), with the normal distribution function Φ from `math.erfc`.",
    task_zh="用 `math.erfc` 表示正态分布函数 Φ，写出精确的 GELU：z · Φ(z)。",
    cases=lambda: [
        Case(np.array([-1.0, 0.0, 1.0]), expected=[-0.15865525393145707, 0.0, 0.8413447460685429],
             label_en="from a table of Φ", label_zh="查 Φ 表"),
        Case(_grid(), label_en="ordinary numbers", label_zh="普通大小的数"),
        Case(np.array([-100.0, 100.0]), expected=[0.0, 100.0], label_en="large numbers", label_zh="很大的数"),
        Case(np.array([-10.0]), expected=[-7.61985302416052e-23], label_en="far to the left", label_zh="左侧很远处"),
        Case(_grid().reshape(5, 5).astype(np.float32), label_en="float32, two axes", label_zh="float32，两个轴"),
    ],
    properties=[
        prop(lambda f: np.allclose(f(_grid()) - f(-_grid()), _grid()), en="GELU(z) − GELU(−z) = z.", zh="GELU(z) − GELU(−z) = z。"),
    ],
    hints=[
        ("Φ is the area under the bell curve to the left of z; the error function counts area in other units. Which change of scale joins them?",
         "Φ 是钟形曲线在 z 左侧的面积；误差函数用的是另一种尺度。怎样换算？"),
        ("Φ(z) = ½ erfc(−z / √2); it keeps its digits far to the left, where 1 + erf does not.",
         "Φ(z) = ½ erfc(−z / √2)；在左侧很远处它仍有精度，而 1 + erf 没有。"),
        ("`np.vectorize(math.erfc)` takes arrays.", "`np.vectorize(math.erfc)` 能作用于数组。"),
    ],
)  # fmt: skip
def gelu(z):
    """The exact GELU of each number in an array `z` of any shape."""
    erfc = np.vectorize(math.erfc)
    return z * erfc(-z / math.sqrt(2)) / 2


@gelu.mistake(
    en="This is the tanh approximation, off by up to 5e-4; here the exact GELU is wanted.",
    zh="这是 tanh 近似，误差最大约 5e-4；这里要精确的 GELU。",
)
def approximated(z):
    return 0.5 * z * (1 + np.tanh(math.sqrt(2 / math.pi) * (z + 0.044715 * z**3)))


@gelu.mistake(
    en="This is SiLU, z · σ(z), with the sigmoid in place of Φ.", zh="这是 SiLU，即 z · σ(z)：用的是 sigmoid 而不是 Φ。"
)
def silu(z):
    return z * sigmoid(z)


@gelu.mistake(
    en="1 + erf cancels far to the left: Φ(−10) is 7.6e-24, not 0. Use erfc.",
    zh="在左侧很远处 1 + erf 会相消：Φ(−10) 是 7.6e-24 而不是 0。请用 erfc。",
)
def by_erf(z):
    return z * (1 + np.vectorize(math.erf)(z / math.sqrt(2))) / 2


@gelu.mistake(en="This is Φ(z) alone: the factor z is missing.", zh="这只是 Φ(z)：漏了因子 z。")
def without_z(z):
    return np.vectorize(math.erfc)(-z / math.sqrt(2)) / 2


@gelu.mistake(
    en="This is z · Φ(−z): erfc measures the area on the right, so its argument is −z / √2.",
    zh="这是 z · Φ(−z)：erfc 量的是右侧的面积，所以自变量应为 −z / √2。",
)
def other_side(z):
    return z * np.vectorize(math.erfc)(z / math.sqrt(2)) / 2


@gelu.mistake(en="The argument of erfc is −z / √2: the √2 is missing.", zh="erfc 的自变量应为 −z / √2：漏了 √2。")
def without_root(z):
    return z * np.vectorize(math.erfc)(-z) / 2


@gelu.right
def by_elements(z):
    return np.reshape([0.5 * v * math.erfc(-v / 2**0.5) for v in np.ravel(z).tolist()], np.shape(z))


@gelu.right
def by_distribution(z):
    from statistics import NormalDist

    low = [v * math.erfc(abs(v) / math.sqrt(2)) / 2 for v in z.ravel().tolist()]
    return np.where(z > 0, z * np.vectorize(NormalDist().cdf)(z), np.reshape(low, z.shape))


@exercise(
    minutes=5,
    task_en="Write the derivative of the exact GELU.",
    task_zh="写出精确 GELU 的导数。",
    cases=lambda: [
        Case(np.array([0.0]), expected=[0.5], label_en="by hand", label_zh="手算"),
        Case(_grid(), label_en="ordinary numbers", label_zh="普通大小的数"),
        Case(np.array([-100.0, 100.0]), expected=[0.0, 1.0], label_en="large numbers", label_zh="很大的数"),
        Case(_grid().reshape(5, 5).astype(np.float32), label_en="float32, two axes", label_zh="float32，两个轴"),
    ],
    properties=[
        prop(lambda f: np.allclose(f(_grid()), _slope(gelu, _grid()), atol=1e-9),
             en="It equals the finite difference of GELU.", zh="它等于 GELU 的有限差分。"),
    ],
    hints=[
        ("GELU is a product. Which rule applies, and what is the derivative of Φ called?", "GELU 是乘积：用哪条求导法则？Φ 的导数叫什么？"),
        ("GELU′(z) = Φ(z) + z φ(z), with the bell curve φ(z) = exp(−z²/2) / √(2π).",
         "GELU′(z) = Φ(z) + z φ(z)，其中 φ(z) = exp(−z²/2) / √(2π) 是钟形曲线。"),
    ],
)  # fmt: skip
def gelu_slope(z):
    """The derivative of the exact GELU at each number in an array `z` of any shape."""
    area = np.vectorize(math.erfc)(-z / math.sqrt(2)) / 2  # Φ
    bell = np.exp(-(z**2) / 2) / math.sqrt(2 * math.pi)  # φ
    return area + z * bell


@gelu_slope.mistake(
    en="Only the first term of the product rule, Φ(z): z φ(z) is missing.",
    zh="只有乘积法则的第一项 Φ(z)，漏了 z φ(z)。",
)
def first_term_only(z):
    return np.vectorize(math.erfc)(-z / math.sqrt(2)) / 2


@gelu_slope.mistake(
    en="The inner derivative z of z φ(z) is missing: you add φ(z) alone.", zh="第二项是 z φ(z)，你只加了 φ(z)。"
)
def bell_without_z(z):
    return first_term_only(z) + np.exp(-(z**2) / 2) / math.sqrt(2 * math.pi)


@gelu_slope.mistake(
    en="This is SiLU's slope, with the sigmoid in place of Φ.", zh="这是 SiLU 的斜率：用的是 sigmoid 而不是 Φ。"
)
def of_silu(z):
    return sigmoid(z) + z * sigmoid(z) * sigmoid(-z)


@gelu_slope.mistake(en="The bell curve lacks its factor 1/√(2π).", zh="钟形曲线少了因子 1/√(2π)。")
def unscaled_bell(z):
    return first_term_only(z) + z * np.exp(-(z**2) / 2)


@gelu_slope.right
def by_normal_distribution(z):
    from statistics import NormalDist

    unit = NormalDist()
    return np.vectorize(lambda v: unit.cdf(v) + v * unit.pdf(v))(z)


@gelu_slope.right
def by_error_function(z):
    return 0.5 + 0.5 * np.vectorize(math.erf)(z * 0.5**0.5) + z * np.exp(-z * z / 2) * (2 * math.pi) ** -0.5
