"""Widget: what a loss says about one answer. Two views: a yes-or-no answer from a logit z, and a choice from several by softmax.

The browser computes everything. For yes or no it draws, over z, the cross-entropy computed from the logit, the same formula typed
in as printed (through the probability, in float32 or float64), and the squared error; beside them their gradients. For several
classes: logits, a temperature, the probabilities, and the cross-entropy of a target. Left out on purpose: batches and weights.
"""

import math

import numpy as np
from traitlets import Float, Int, List, Unicode, validate

from lmcourse.plotting import BLUE, GREY, ORANGE
from lmcourse.widgets.base import Widget, figure, module

LIMIT = 45.0  # logits run from -LIMIT to LIMIT, as in the JavaScript
SPANS = (6, 20, 45)
HOT, COLD = 5.0, 0.05  # temperatures
PURPLE = "#CC79A7"


def losses(z, label: int, precision: str = "float64") -> dict:
    """The three losses of one yes-or-no answer and their derivatives with respect to the logit.

    Args:
        z: logits, an array of any shape.
        label: 0 or 1.
        precision: "float32" or "float64", in which the naive formula is computed.

    Returns:
        "logits", "naive", "squared" → (losses, derivatives), arrays of z's shape.
    """
    z = np.asarray(z, float)
    e = np.exp(-np.abs(z))
    p, rest = (
        np.where(z >= 0, 1, e) / (1 + e),
        np.where(z >= 0, e, 1) / (1 + e),
    )  # σ(z) and 1 − σ(z), both to all digits
    stable = np.maximum(z, 0) - label * z + np.log1p(e)
    with np.errstate(all="ignore"):
        q = 1 / (1 + np.exp(-z.astype(precision)))
        naive = 0 - np.log(q if label else 1 - q)
        naive_slope = (-1 / q if label else 1 / (1 - q)) * (q * (1 - q))
    away = -rest if label else p
    return {
        "logits": (stable, away),
        "naive": (naive.astype(float), 0 + naive_slope.astype(float)),
        "squared": (away**2, 2 * away * p * rest),
    }


def softmax(logits, temperature: float) -> np.ndarray:
    """Probabilities (classes,) from logits (classes,) divided by a temperature."""
    z = np.asarray(logits, float) / temperature
    e = np.exp(z - z.max())
    return e / e.sum()


class LossExplorer(Widget):
    """See `loss_explorer`.

    Attributes:
        view: "binary" or "softmax".
        z: the logit, from -45 to 45; label: 0 or 1.
        precision: "float32" or "float64", of the naive formula.
        span: the plots run from -span to span: 6, 20 or 45.
        logits: two to eight numbers from -10 to 10; target: index of the right class.
        temperature: 0.05 to 5.
    """

    _esm = module("drawing", "loss_explorer")
    view = Unicode("binary").tag(sync=True)
    z = Float(1.0).tag(sync=True)
    label = Int(1).tag(sync=True)
    precision = Unicode("float64").tag(sync=True)
    span = Int(6).tag(sync=True)
    logits = List(Float(), [2.0, 1.0, 0.0, -1.0]).tag(sync=True)
    target = Int(0).tag(sync=True)
    temperature = Float(1.0).tag(sync=True)

    @validate("z", "temperature", "label", "target")
    def _within(self, proposal):
        low, high = {
            "z": (-LIMIT, LIMIT),
            "temperature": (COLD, HOT),
            "label": (0, 1),
            "target": (0, len(self.logits) - 1),
        }[proposal.trait.name]
        return min(max(proposal.value, low), high) if proposal.value == proposal.value else low

    def describe(self) -> str:
        text = self._describe_softmax() if self.view == "softmax" else self._describe_binary()
        return f"{text}\n{self.problem}" if self.problem else text

    def _describe_binary(self) -> str:
        found = {name: (float(a), float(b)) for name, (a, b) in losses(self.z, self.label, self.precision).items()}
        numbers = [f"{loss:.3g} ({slope:.3g})" for loss, slope in found.values()]
        return self.text(
            en=f"Loss explorer. Logit z = {self.z:.2f}, label {self.label}. Loss, and in brackets its derivative: cross-entropy from the "
            f"logit {numbers[0]}; as printed, through the probability in {self.precision} {numbers[1]}; squared error {numbers[2]}.",
            zh=f"损失探索器。logit z = {self.z:.2f}，标签 {self.label}。损失（括号内为导数）：从 logit 计算的交叉熵 {numbers[0]}；"
            f"照公式经由概率、用 {self.precision} 计算 {numbers[1]}；平方误差 {numbers[2]}。",
        )

    def _describe_softmax(self) -> str:
        p = softmax(self.logits, self.temperature)
        shown = ", ".join(f"{value:.3f}" for value in p)
        loss = -math.log(p[self.target]) if p[self.target] else math.inf
        return self.text(
            en=f"Loss explorer, softmax. Logits {[round(v, 2) for v in self.logits]} at temperature {self.temperature:.2f} give the "
            f"probabilities {shown}. The cross-entropy of class {self.target} is {loss:.3f}.",
            zh=f"损失探索器，softmax。logits {[round(v, 2) for v in self.logits]}，温度 {self.temperature:.2f}，得到概率 {shown}。"
            f"类别 {self.target} 的交叉熵为 {loss:.3f}。",
        )

    def picture(self):
        return self._picture_softmax() if self.view == "softmax" else self._picture_binary()

    def _picture_binary(self):
        fig, panels = figure(660, 240, ncols=2)
        z = np.linspace(-self.span, self.span, 601)
        curves, here = losses(z, self.label, self.precision), losses(self.z, self.label, self.precision)
        styles = {"logits": (BLUE, "-"), "naive": (ORANGE, "--"), "squared": (PURPLE, "-.")}
        for ax, which in zip(panels, (0, 1), strict=True):
            for name, (colour, dash) in styles.items():
                ax.plot(z, curves[name][which], dash, color=colour, linewidth=1.6, label=name)
            ax.axvline(self.z, color=GREY, linewidth=0.8, linestyle=":")
            ax.plot([self.z], [here["logits"][which]], "o", color=BLUE)
            ax.set_xlabel("z")
        panels[0].set_title("L", color=GREY, fontsize=9)
        panels[1].set_title("dL/dz", color=GREY, fontsize=9)
        panels[0].legend(frameon=False, labelcolor=GREY, fontsize=8)
        return fig

    def _picture_softmax(self):
        fig, (left, right) = figure(660, 220, ncols=2)
        classes, p = np.arange(len(self.logits)), softmax(self.logits, self.temperature)
        left.bar(classes, self.logits, color=BLUE)
        left.axhline(0, color=GREY, linewidth=0.6)
        left.set_title("z", color=GREY, fontsize=9)
        right.bar(classes, p, color=[ORANGE if k == self.target else BLUE for k in classes])
        right.set_ylim(0, 1)
        right.set_title(f"softmax(z / {self.temperature:.2f})", color=GREY, fontsize=9)
        for ax in (left, right):
            ax.set_xticks(classes)
        return fig


def loss_explorer(
    logits=None,
    *,
    z: float = 1.0,
    label: int = 1,
    temperature: float = 1.0,
    target: int = 0,
    precision: str = "float64",
):
    """Explore losses: drag the logit, change the label, the precision or the temperature.

    Args:
        logits: two to eight numbers: opens the view with several classes; without them, a yes-or-no answer.
        z: the logit of the yes-or-no answer, -45 to 45.
        label: its label, 0 or 1.
        temperature: divides the logits, 0.05 to 5.
        target: index of the right class.
        precision: "float32" or "float64", in which the naive formula is computed.

    Returns:
        The widget; `widget.z`, `widget.temperature` and so on follow what the learner does.
    """
    widget = LossExplorer(
        label=label, temperature=temperature, precision=precision if precision == "float32" else "float64"
    )
    widget.span = next((span for span in SPANS if abs(z) <= span), SPANS[-1])
    widget.z = z
    if logits is None:
        return widget
    widget.view = "softmax"
    try:
        values = np.asarray(logits, float)
    except (TypeError, ValueError):
        values = np.zeros(0)
    if values.ndim != 1 or not 2 <= len(values) <= 8 or not np.isfinite(values).all():
        widget.problem = widget.text(
            en="The explorer takes a list of two to eight finite numbers as logits. You see an example instead.",
            zh="探索器需要由 2 到 8 个有限的数组成的列表作为 logits。下面显示的是一个示例。",
        )
        return widget
    widget.logits = np.clip(values, -10, 10).tolist()
    widget.target = target
    return widget
