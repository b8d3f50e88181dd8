"""Widget: update rules race down a surface of two parameters, from one start, with one learning rate.

Gradient descent, momentum, RMSProp and Adam, each as Keras computes it, plus noise on the gradients, the same for all. The
browser computes everything; what is here draws the static picture. Left out: a rate for each rule, surfaces of the learner's own.
"""

import math

import numpy as np
from traitlets import Float, Int, Unicode, validate

from lmcourse.plotting import BLUE, GREEN, GREY, ORANGE
from lmcourse.widgets.base import Widget, figure, module, packed

PURPLE = "#CC79A7"


def _plain(x, y):
    hole = np.exp(-(x * x + y * y))
    return 1 - hole, (2 * x * hole, 2 * y * hole)


# name → left, right, bottom, top; the smallest value; (x, y) → value and gradient
SURFACES = {
    "valley": ((-3, 3, -1.6, 1.6), 0.0, lambda x, y: (0.5 * (x * x + 25 * y * y), (x, 25 * y))),
    "bend": (
        (-2, 2, -1, 3),
        0.0,
        lambda x, y: (
            (1 - x) ** 2 + 10 * (y - x * x) ** 2,
            (-2 * (1 - x) - 40 * x * (y - x * x), 20 * (y - x * x)),
        ),
    ),
    "saddle": ((-2, 2, -1.6, 1.6), -0.25, lambda x, y: (0.5 * x * x - 0.5 * y * y + 0.25 * y**4, (x, y**3 - y))),
    "plain": ((-3, 3, -2, 2), 0.0, _plain),
}
RULES = ("gd", "momentum", "rmsprop", "adam")
LABELS = {"gd": ("GD", "GD"), "momentum": ("momentum", "动量"), "rmsprop": ("RMSProp",) * 2, "adam": ("Adam",) * 2}
STYLES = {"gd": (BLUE, "-"), "momentum": (ORANGE, "--"), "rmsprop": (GREEN, ":"), "adam": (PURPLE, "-.")}
LIMITS = {"rate": (1e-3, 10**0.5), "momentum": (0.0, 0.99), "noise": (0.0, 5.0)}


def normals(seed: int):
    """Standard normal numbers without end, the same as the browser's: mulberry32 and Box–Muller."""
    state, mask = seed & 0xFFFFFFFF, 0xFFFFFFFF

    def uniform():
        nonlocal state
        state = (state + 0x6D2B79F5) & mask
        t = (state ^ (state >> 15)) * (state | 1) & mask
        t ^= (t + (t ^ (t >> 7)) * (t | 61)) & mask
        return (t ^ (t >> 14)) / 2**32

    while True:
        first, second = uniform(), uniform()
        yield math.sqrt(-2 * math.log(1 - first)) * math.cos(2 * math.pi * second)


def run(
    rule: str, surface: str, start, *, rate: float, momentum=0.9, noise=0.0, steps=100, seed=0, decay=0.999
) -> np.ndarray:
    """One rule's way down.

    Args:
        rule: one of `RULES`.
        surface: a key of `SURFACES`.
        start: x and y.
        rate, momentum: of the rule. "momentum" uses the second, and "adam" as its first decay; plain descent and RMSProp do not.
        noise: standard deviation of what is added to each slope.
        steps, seed: how many steps; of the noise.
        decay: Adam's second. RMSProp's is 0.9, as in Keras.

    Returns:
        (points, 3): x, y and loss, from the start on; fewer than steps + 1 where the run leaves the plane for good.
    """
    evaluate, draw = SURFACES[surface][2], normals(seed)
    at, v, s = np.array(start, float), np.zeros(2), np.zeros(2)
    path = [[*at, evaluate(*at)[0]]]
    for t in range(1, steps + 1):
        g = np.array([slope + noise * next(draw) for slope in evaluate(*at)[1]])
        if rule == "gd":
            change = -rate * g
        elif rule == "momentum":
            change = v = momentum * v - rate * g
        elif rule == "rmsprop":
            s = 0.9 * s + (1 - 0.9) * g * g
            change = -rate * g / np.sqrt(s + 1e-7)
        else:
            v, s = momentum * v + (1 - momentum) * g, decay * s + (1 - decay) * g * g
            change = -rate * math.sqrt(1 - decay**t) / (1 - momentum**t) * v / (np.sqrt(s) + 1e-7)
        at = at + change
        if not (np.abs(at) < 1e3).all():
            break
        path.append([*at, evaluate(*at)[0]])
    return np.array(path)


class OptimiserRace(Widget):
    """See `optimiser_race`.

    Attributes:
        surface: a key of `SURFACES`.
        x, y: the start.
        rate, momentum, noise: what the sliders say.
        steps: of each run; seed: of the noise.
    """

    _esm = packed(module("drawing", "optimiser_race"))
    surface = Unicode("valley").tag(sync=True)
    x = Float(-2.5).tag(sync=True)
    y = Float(1.0).tag(sync=True)
    rate = Float(0.02).tag(sync=True)
    momentum = Float(0.9).tag(sync=True)
    noise = Float(0.0).tag(sync=True)
    steps = Int(100).tag(sync=True)
    seed = Int(1).tag(sync=True)

    @validate("rate", "momentum", "noise")
    def _within(self, proposal):
        low, high = LIMITS[proposal.trait.name]
        return min(max(proposal.value, low), high) if proposal.value == proposal.value else low

    def runs(self) -> dict:
        """The path of each rule, as `run` gives it."""
        settings = {name: getattr(self, name) for name in ("rate", "momentum", "noise", "steps", "seed")}
        return {rule: run(rule, self.surface, (self.x, self.y), **settings) for rule in RULES}

    def describe(self) -> str:
        least, said = SURFACES[self.surface][1], []
        for rule, path in self.runs().items():
            gone = len(path) <= self.steps
            left = path[-1, 2] - least
            english, chinese = LABELS[rule]
            en = f"{english} diverges at step {len(path)}" if gone else f"{english} {left:.3g}"
            zh = f"{chinese} 在第 {len(path)} 步发散" if gone else f"{chinese} {left:.3g}"
            said.append(self.text(en=en, zh=zh))
        text = self.text(
            en=f"Optimiser race on the surface {self.surface!r} from ({self.x:.2f}, {self.y:.2f}), rate {self.rate:.3g}, "
            f"momentum {self.momentum:.2f}, noise {self.noise:.1f}. Height above the lowest point after {self.steps} steps: "
            f"{'; '.join(said)}.",
            zh=f"优化器赛跑，曲面 {self.surface!r}，起点（{self.x:.2f}，{self.y:.2f}），学习率 {self.rate:.3g}，"
            f"动量 {self.momentum:.2f}，噪声 {self.noise:.1f}。{self.steps} 步之后离最低点的高度：{'；'.join(said)}。",
        )
        return f"{text}\n{self.problem}" if self.problem else text

    def picture(self):
        (left, right, bottom, top), least, evaluate = SURFACES[self.surface]
        fig, (plane, heights) = figure(660, 260, ncols=2)
        grid = np.meshgrid(np.linspace(left, right, 121), np.linspace(bottom, top, 91))
        surface = evaluate(*grid)[0] - least
        levels = surface.max() * ((np.arange(12) + 0.5) / 12) ** 2.5
        plane.contour(*grid, surface, levels=levels, colors=GREY, linewidths=0.5, alpha=0.7)
        for rule, path in self.runs().items():
            colour, dash = STYLES[rule]
            plane.plot(path[:, 0], path[:, 1], dash, color=colour, linewidth=1.6)
            heights.semilogy(
                np.maximum(path[:, 2] - least, 1e-6), dash, color=colour, label=LABELS[rule][0], linewidth=1.6
            )
        plane.plot([self.x], [self.y], "o", color=GREY)
        plane.set(xlim=(left, right), ylim=(bottom, top), xlabel="x", ylabel="y")
        heights.set(xlabel="t", ylabel="L − min L", ylim=(None, min(1e4, heights.get_ylim()[1])))
        heights.legend(frameon=False, labelcolor=GREY, fontsize=7)
        return fig


def optimiser_race(surface: str = "valley", *, start=None, rate=0.02, momentum=0.9, noise=0.0, steps=100):
    """Let four update rules race: drag the start, the learning rate, the momentum and the noise.

    Args:
        surface: "valley", "bend", "saddle" or "plain".
        start: x and y; by default a place on the slope.
        rate: the learning rate of all rules, 0.001 to about 3.
        momentum: of the rule of that name, and Adam's first decay, 0 to 0.99.
        noise: standard deviation of what is added to each slope, 0 to 5.
        steps: of each run, 10 to 500.

    Returns:
        The widget; `widget.x`, `.y`, `.rate`, `.momentum`, `.noise` and `.surface` follow what the learner does.
    """
    settings = {"rate": rate, "momentum": momentum, "noise": noise, "steps": max(10, min(500, steps))}
    if surface not in SURFACES:
        widget = OptimiserRace(**settings)
        known = ", ".join(SURFACES)
        widget.problem = widget.text(
            en=f"There is no surface {surface!r}; choose one of {known}. You see 'valley'.",
            zh=f"没有名为 {surface!r} 的曲面，可选的有 {known}。下面显示的是 'valley'。",
        )
        return widget
    x, y = start or {"valley": (-2.5, 1.0), "bend": (-1.5, 2.5), "saddle": (-1.5, 0.0), "plain": (-1.5, 1.0)}[surface]
    return OptimiserRace(surface=surface, x=x, y=y, **settings)
