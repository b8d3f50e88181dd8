"""Lesson 2.1, second part: the slope of the exact GELU. NumPy and `math` only."""

import math

import numpy as np

from lmcourse.exercises.activations import sigmoid
from lmcourse.exercises.exercise import Case, exercise, prop


def _grid() -> np.ndarray:
    return np.linspace(-6, 6, 25)


def _slope(f, x: np.ndarray, step: float = 1e-5) -> np.ndarray:
    """Central differences in float64: right to about ten digits."""
    return (f(x + step) - f(x - step)) / (2 * step)


normal_below = np.vectorize(lambda z: math.erfc(-z / math.sqrt(2)) / 2)  # Φ, number by number


def gelu(z):
    """The exact GELU of each number in an array `z` of any shape; the lesson gives it."""
    return z * normal_below(z)


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
    bell = np.exp(-(z**2) / 2) / math.sqrt(2 * math.pi)  # φ
    return normal_below(z) + z * bell


@gelu_slope.mistake(
    en="Only the first term of the product rule, Φ(z): z φ(z) is missing.",
    zh="只有乘积法则的第一项 Φ(z)，漏了 z φ(z)。",
)
def first_term_only(z):
    return normal_below(z)


@gelu_slope.mistake(
    en="The inner derivative z of z φ(z) is missing: you add φ(z) alone.", zh="第二项是 z φ(z)，你只加了 φ(z)。"
)
def bell_without_z(z):
    return normal_below(z) + np.exp(-(z**2) / 2) / math.sqrt(2 * math.pi)


@gelu_slope.mistake(
    en="This is SiLU's slope, with the sigmoid in place of Φ.", zh="这是 SiLU 的斜率：用的是 sigmoid 而不是 Φ。"
)
def of_silu(z):
    return sigmoid(z) + z * sigmoid(z) * sigmoid(-z)


@gelu_slope.mistake(en="The bell curve lacks its factor 1/√(2π).", zh="钟形曲线少了因子 1/√(2π)。")
def unscaled_bell(z):
    return normal_below(z) + z * np.exp(-(z**2) / 2)


@gelu_slope.right
def by_normal_distribution(z):
    from statistics import NormalDist

    unit = NormalDist()
    return np.vectorize(lambda v: unit.cdf(v) + v * unit.pdf(v))(z)


@gelu_slope.right
def by_error_function(z):
    return 0.5 + 0.5 * np.vectorize(math.erf)(z * 0.5**0.5) + z * np.exp(-z * z / 2) * (2 * math.pi) ** -0.5
