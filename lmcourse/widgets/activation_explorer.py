"""Widget: an activation function, its slope at a point, and what becomes of a gradient that passes many such slopes.

The browser computes everything but the learner's own function, which is sampled here. Every layer is taken to sit at
the same x with the same weight w, so that a gradient is multiplied by w·f'(x) per layer; in a network each layer has
its own x.
"""

import math

import numpy as np
from traitlets import Bytes, Float, Int, Unicode, validate

from lmcourse.language import CourseError
from lmcourse.plotting import BLUE, GREY, ORANGE
from lmcourse.widgets.base import Widget, figure, module

LIMIT = 6.0  # the plot runs from -LIMIT to LIMIT, as in the JavaScript
POINTS = 601
NAMES = ("sigmoid", "tanh", "relu", "leaky_relu", "gelu", "gelu_tanh", "silu", "softplus")

_erf = np.vectorize(math.erf, otypes=[float])


def evaluate(name: str, x) -> np.ndarray:
    """A built-in function's values.

    Args:
        name: one of `NAMES`.
        x: array of any shape.
    """
    x = np.asarray(x, float)
    half_tanh = (1 + np.tanh(x / 2)) / 2  # the sigmoid, without overflow
    return {
        "sigmoid": lambda: half_tanh,
        "tanh": lambda: np.tanh(x),
        "relu": lambda: np.maximum(x, 0),
        "leaky_relu": lambda: np.where(x > 0, x, 0.2 * x),
        "gelu": lambda: x * (1 + _erf(x / math.sqrt(2))) / 2,
        "gelu_tanh": lambda: x * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3))) / 2,
        "silu": lambda: x * half_tanh,
        "softplus": lambda: np.logaddexp(0, x),
    }[name]()


def sample(function, x):
    """A learner's function and its numerical derivative at the points x.

    The function may take arrays or single numbers. The derivative is (f(x + h) - f(x - h)) / 2h; at a kink that is the
    mean of both slopes.

    Args:
        function: a Python function of one argument.
        x: array (points,).

    Returns:
        Two float64 arrays (points,).

    Raises:
        CourseError: the function returns something else than a number per point. Also whatever the function raises.
    """
    value = _call(function, x)
    h = 1e-5 if value.dtype == np.float64 else 5e-3  # half the digits of the numbers that the function computes with
    slope = (_call(function, x + h).astype(float) - _call(function, x - h).astype(float)) / (2 * h)
    return value.astype(float), slope


def _call(function, x):
    with np.errstate(all="ignore"):
        try:
            value = np.asarray(function(x.copy()))
        except (TypeError, ValueError):  # `if x > 0` and math.exp want one number at a time
            value = np.asarray([np.asarray(function(float(point))) for point in x])
    if value.shape != x.shape:
        raise CourseError(
            en=f"It got an array of shape {x.shape} and returned one of shape {value.shape}.",
            zh=f"它收到形状为 {x.shape} 的数组，返回的形状却是 {value.shape}。",
        )
    if value.dtype.kind not in "fiub":
        raise CourseError(
            en=f"It returned values of type {value.dtype}, not real numbers.",
            zh=f"它返回的值类型为 {value.dtype}，不是实数。",
        )
    return value if value.dtype.kind == "f" else value.astype(np.float64)


class ActivationExplorer(Widget):
    """See `activation_explorer`.

    Attributes:
        function: one of `NAMES`, or "own".
        name: how the learner's function is called.
        x: the point, from -6 to 6.
        depth: layers, 1 to 50.
        weight: the factor w per layer, 0.1 to 5.
        samples: the learner's function: 601 values, then 601 derivatives, float32.
    """

    _esm = module("drawing", "activation_explorer")
    function = Unicode("sigmoid").tag(sync=True)
    name = Unicode("").tag(sync=True)
    x = Float(1.0).tag(sync=True)
    depth = Int(10).tag(sync=True)
    weight = Float(1.0).tag(sync=True)
    samples = Bytes(b"").tag(sync=True)

    @validate("x", "depth", "weight")
    def _within(self, proposal):
        low, high = {"x": (-LIMIT, LIMIT), "depth": (1, 50), "weight": (0.1, 5.0)}[proposal.trait.name]
        return min(max(proposal.value, low), high) if proposal.value == proposal.value else low

    def curve(self):
        """x, value and derivative at 601 points: three float64 arrays."""
        x = np.linspace(-LIMIT, LIMIT, POINTS)
        if self.function == "own" and self.samples:
            return x, *np.frombuffer(self.samples, "float32").astype(float).reshape(2, POINTS)
        name = self.function if self.function in NAMES else "sigmoid"
        return x, *sample(lambda at: evaluate(name, at), x)

    def at_point(self):
        """Value and derivative at the point: two numbers."""
        x, value, slope = self.curve()
        return float(np.interp(self.x, x, value)), float(np.interp(self.x, x, slope))

    def describe(self) -> str:
        name = self.name if self.function == "own" else self.function
        value, slope = self.at_point()
        with np.errstate(over="ignore"):
            product = np.float64(self.weight * slope) ** self.depth
        size = abs(product)
        if np.isnan(product):
            outcome = self.text(en="the derivative is not a number there", zh="此处的导数不是一个数")
        elif size == 0:
            outcome = self.text(en="nothing passes", zh="什么也传不过去")
        elif size < 1e-3:
            outcome = self.text(en="the gradient vanishes", zh="梯度消失")
        elif size > 1e3:
            outcome = self.text(en="the gradient explodes", zh="梯度爆炸")
        else:
            outcome = self.text(en="the gradient stays in a usable range", zh="梯度保持在可用的范围内")
        text = self.text(
            en=f"Activation explorer, {name}. At x = {self.x:.2f} the value is {value:.3f} and the slope {slope:.3f}. "
            f"{self.depth} layers with weight {self.weight:.2f} multiply a gradient by {product:.2g}: {outcome}.",
            zh=f"激活函数探索器，{name}。x = {self.x:.2f} 处函数值为 {value:.3f}，斜率为 {slope:.3f}。"
            f"权重为 {self.weight:.2f} 时，梯度经过 {self.depth} 层后变为原来的 {product:.2g} 倍：{outcome}。",
        )
        return f"{text}\n{self.problem}" if self.problem else text

    def picture(self):
        x, value, slope = self.curve()
        here, tilt = self.at_point()
        fig, (left, right) = figure(660, 240, ncols=2)
        left.plot(x, value, color=BLUE, label="f(x)", linewidth=1.8)
        left.plot(x, slope, color=ORANGE, label="f′(x)", linewidth=1.5, linestyle="--")
        reach = np.array([-1.5, 1.5]) / math.hypot(1, tilt if math.isfinite(tilt) else 0)
        left.plot(self.x + reach, here + tilt * reach, color=GREY, linewidth=1.2)
        left.plot([self.x], [here], "o", color=BLUE)
        left.set_xlabel("x")
        left.legend(frameon=False, labelcolor=GREY, fontsize=8)
        layers = np.arange(1, self.depth + 1)
        with np.errstate(divide="ignore"):
            exponents = layers * np.log10(np.abs(self.weight * tilt))
        shown = np.nan_to_num(exponents, nan=0, neginf=-10)
        right.bar(layers, shown, color=np.where(shown < 0, BLUE, ORANGE))
        right.axhline(0, color=GREY, linewidth=0.6)
        right.set_ylim(min(-1, shown.min()), max(1, shown.max()))
        right.yaxis.set_major_locator(_whole())
        right.xaxis.set_major_locator(_whole())
        right.yaxis.set_major_formatter(lambda exponent, _: f"$10^{{{exponent:.0f}}}$")
        right.set_xlabel("k")
        right.set_title(r"$|w \cdot f\,'(x)|^{\,k}$", color=GREY, fontsize=9)
        return fig


def _whole():
    from matplotlib.ticker import MaxNLocator

    return MaxNLocator(6, integer=True, min_n_ticks=1)


def activation_explorer(function="sigmoid", *, x: float = 1.0, depth: int = 10, name: str | None = None):
    """Explore an activation function: drag the point, change the depth, watch the gradient.

    Args:
        function: one of `NAMES`, or a Python function of one argument, which is then sampled from -6 to 6.
        x: where the point starts.
        depth: how many layers the gradient passes, 1 to 50.
        name: what to call your own function; by default its own name.

    Returns:
        The widget; `widget.x`, `widget.depth`, `widget.weight` and `widget.function` follow what the learner does.
    """
    if callable(function):
        return _explore_own(function, name or getattr(function, "__name__", "f").replace("<lambda>", "f"), x, depth)
    if function in NAMES:
        return ActivationExplorer(function=function, x=x, depth=depth)
    widget = ActivationExplorer(x=x, depth=depth)
    known = ", ".join(NAMES)
    widget.problem = widget.text(
        en=f"There is no activation function {function!r} here. Choose one of {known}, or pass a Python function.",
        zh=f"这里没有名为 {function!r} 的激活函数。请选择 {known} 之一，或者传入一个 Python 函数。",
    )
    return widget


def _explore_own(function, name, x, depth):
    widget = ActivationExplorer(x=x, depth=depth, name=name)
    grid = np.linspace(-LIMIT, LIMIT, POINTS)
    try:
        value, slope = sample(function, grid)
    except Exception as error:  # whatever the learner's code raises becomes a sentence
        reason = str(error) if isinstance(error, CourseError) else f"{type(error).__name__}: {error}"
        widget.problem = widget.text(
            en=f"{name} could not be drawn, so you see sigmoid. A function for the explorer takes an array of numbers "
            f"(or one number) and returns as many. {reason}",
            zh=f"无法绘制 {name}，下面显示的是 sigmoid。传给探索器的函数应接收一个数组（或一个数），并返回同样多的数。"
            f"{reason}",
        )
        return widget
    widget.samples = np.concatenate([value, slope]).astype("float32").tobytes()
    widget.function = "own"
    bad = ~np.isfinite(value)
    if bad.any():
        widget.problem = widget.text(
            en=f"{name} gives NaN or infinity at {bad.sum()} of {POINTS} points, first at x = {grid[bad][0]:.2f}. "
            "The curve has gaps there.",
            zh=f"{name} 在 {POINTS} 个点中的 {bad.sum()} 个点上得到 NaN 或无穷大，第一个位于 x = {grid[bad][0]:.2f}。"
            "曲线在这些地方断开。",
        )
    return widget
