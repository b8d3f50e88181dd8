"""Widget: a machine's roofline with layers on it (Williams, Waterman and Patterson, 2009).

A layer that does F operations and moves B bytes between memory and cores has the intensity F / B. It cannot run faster than the
machine's peak, nor than bandwidth × intensity. Bytes are counted once: inputs, weights and outputs, as if caches lost nothing else.
Left out on purpose: several levels of cache, and everything that happens between two layers.
"""

import math
from dataclasses import asdict, dataclass

from traitlets import Float, Int, List

from lmcourse.plotting import COLOURS, GREY
from lmcourse.widgets import accelerators
from lmcourse.widgets.base import Widget, figure, fonts, module, printable

MOST_TOKENS = 65536


@dataclass(frozen=True)
class Layer:
    """What one layer does and moves.

    Attributes:
        name: for the picture.
        flops: operations for each token.
        moved: values in and out for each token.
        weights: values that are read once, however many tokens there are.
    """

    name: str
    flops: float
    moved: float
    weights: float

    def intensity(self, tokens: int, size: float) -> float:
        """Operations per byte, for `tokens` tokens at a time and values of `size` bytes."""
        return self.flops * tokens / (size * (self.moved * tokens + self.weights))


def dense(name: str, inputs: int, outputs: int) -> Layer:
    """A dense layer."""
    return Layer(name, 2 * inputs * outputs, inputs + outputs, inputs * outputs)


def attention(name: str, heads: int, kv_heads: int, head_dim: int, context: int) -> Layer:
    """Attention of each new token over a cache of `context` tokens, which every sequence has for itself."""
    return Layer(name, 4 * heads * head_dim * context, 2 * heads * head_dim + 2 * kv_heads * head_dim * context, 0)


def elementwise(name: str, width: int, operations: float = 1) -> Layer:
    """A layer that reads `width` values, does some operations with each, and writes as many."""
    return Layer(name, operations * width, 2 * width, 0)


def attainable(intensity: float, peak: float, bandwidth: float) -> float:
    """The most operations a second: the roof over an intensity."""
    return min(peak, intensity * bandwidth)


class Roofline(Widget):
    """See `roofline`.

    Attributes:
        layers: list of dictionaries, as of `Layer`.
        measured: list of dictionaries: name, intensity, rate (operations a second).
        machines: as of `accelerators.table`; machine: index of the one that is shown.
        tokens: tokens that a layer computes with one reading of its weights.
        size: bytes per value.
    """

    _esm = module("roofline")
    layers = List().tag(sync=True)
    measured = List().tag(sync=True)
    machines = List().tag(sync=True)
    machine = Int(0).tag(sync=True)
    tokens = Int(1).tag(sync=True)
    size = Float(4.0).tag(sync=True)

    def points(self) -> list[tuple[str, float, float]]:
        """Name, intensity and attainable operations a second of each layer, as shown now."""
        here = self.machines[self.machine]
        found = [(one["name"], Layer(**one).intensity(self.tokens, self.size)) for one in self.layers]
        return [(name, x, attainable(x, here["peak"], here["bandwidth"])) for name, x in found]

    def describe(self) -> str:
        here = self.machines[self.machine]
        ridge = here["peak"] / here["bandwidth"]
        by_memory, by_compute = (
            self.text(en="held by memory", zh="受限于内存带宽"),
            self.text(en="held by the peak", zh="受限于峰值"),
        )
        parts = [
            f"{name}: {x:.3g}, {y / here['peak']:.1%}, {by_memory if x < ridge else by_compute}"
            for name, x, y in self.points()
        ]
        return self.text(
            en=f"Roofline of {here['name']}: {here['peak']:.3g} operations a second, {here['bandwidth']:.3g} bytes a second, "
            f"ridge at {ridge:.3g} operations per byte. With {self.tokens:,} tokens and {self.size:g} bytes per value "
            f"(operations per byte, share of the peak): {'; '.join(parts)}.",
            zh=f"屋顶线，{here['name']}：每秒 {here['peak']:.3g} 次运算，每秒 {here['bandwidth']:.3g} 字节，"
            f"拐点在每字节 {ridge:.3g} 次运算。{self.tokens:,} 个词元、每个数 {self.size:g} 字节时"
            f"（每字节运算数、占峰值的比例）：{'；'.join(parts)}。",
        )

    def picture(self):
        fig, ax = figure(640, 300)
        here = self.machines[self.machine]
        ridge = here["peak"] / here["bandwidth"]
        points = self.points()
        xs = [x for _, x, _ in points] + [m["intensity"] for m in self.measured] + [ridge]
        low, high = 10 ** math.floor(math.log10(min(xs) / 2)), 10 ** math.ceil(math.log10(max(xs) * 2))
        ax.loglog(
            [low, ridge, high], [attainable(x, here["peak"], here["bandwidth"]) for x in (low, ridge, high)], color=GREY
        )
        for i, (name, x, y) in enumerate(points, 1):
            ax.plot(
                [x],
                [y],
                "o",
                color=COLOURS[(i - 1) % len(COLOURS)],
                label=printable(f"{i}  {name}").replace("$", r"\$"),
            )
        for one in self.measured:
            ax.plot([one["intensity"]], [one["rate"]], "x", color=GREY)
        ax.set_xlabel("operations per byte")
        ax.set_ylabel("operations per second")
        ax.legend(frameon=False, labelcolor=GREY, prop={"family": fonts(), "size": 8})
        return fig


def roofline(
    layers, *, peak: float, bandwidth: float, measured=(), tokens: int = 1, size: float = 4, machine: str | None = None
) -> Roofline:
    """Put layers under a machine's roof.

    Args:
        layers: `Layer`s; see `dense`, `attention`, `elementwise`.
        peak, bandwidth: of this machine, as you measured them, in operations and bytes a second.
        measured: triples (name, intensity, operations a second), shown as crosses.
        tokens: where the slider starts.
        size: bytes per value, 4 or 2 or 1.
        machine: the name of the accelerator that is shown first; by default your own machine.

    Returns:
        The widget; `widget.tokens`, `widget.machine` and `widget.size` follow what the learner does.
    """
    widget = Roofline(layers=[asdict(layer) for layer in layers], tokens=min(max(1, tokens), MOST_TOKENS), size=size)
    widget.machines = accelerators.table(
        peak=peak, bandwidth=bandwidth, name=widget.text(en="this machine, as measured", zh="本机（实测）")
    )
    widget.measured = [{"name": name, "intensity": float(x), "rate": float(y)} for name, x, y in measured]
    names = [one["name"] for one in widget.machines]
    if machine in names:
        widget.machine = names.index(machine)
    elif machine is not None:
        widget.problem = widget.text(
            en=f"There is no machine {machine!r} here, so you see your own. Choose one of {', '.join(names[1:])}.",
            zh=f"这里没有名为 {machine!r} 的机器，下面显示的是你自己的。请选择 {'、'.join(names[1:])} 之一。",
        )
    return widget
