"""Widget: a model's shape → its parameters, memory by kind, operations, days and price. The formulas are in model_sizes.py and .js."""

from traitlets import Dict, Float, Int, List, Unicode

from lmcourse.plotting import BLUE, GREEN, GREY, ORANGE, PINK, RED
from lmcourse.widgets import accelerators
from lmcourse.widgets import model_sizes as sizes
from lmcourse.widgets.base import Widget, figure, module
from lmcourse.widgets.presets import PRESETS, preset

COLOURS = {"weights": BLUE, "gradients": GREEN, "adam": ORANGE, "activations": RED, "cache": PINK}
WORDS = {
    "weights": ("weights", "权重"),
    "gradients": ("gradients", "梯度"),
    "adam": ("Adam", "Adam"),
    "activations": ("activations", "激活值"),
    "cache": ("key-value cache", "键值缓存"),
}
# Assumptions, for the learner to change: 40 % of the peak, as the largest Llama 3 reached 38 to 43 % (Dubey et al., 2024); 2 dollars an hour
# as DeepSeek-AI assume for an H800 (DeepSeek-V3, December 2024).
DEFAULTS = {
    "batch": 8, "precision": "mixed_bfloat16", "serving": "bfloat16", "attention": "kept", "count": 8, "utilisation": 0.4, "price": 2.0
}  # fmt: skip
TOKENS_PER_PARAMETER = 20  # where nobody says how many tokens a model saw (Hoffmann et al., 2022)


class ModelCalculator(Widget):
    """See `model_calculator`.

    Attributes:
        preset: the name of a known model, "" once a slider has moved away from it.
        shape: the shape as a dictionary, as of `model_sizes.Shape`.
        context, batch: tokens in a sequence, sequences at a time.
        precision, serving, attention: keys of `model_sizes.TRAINING`, `SERVING`, `ATTENTION`.
        tokens: tokens to train on.
        accelerator: index into `accelerators`, a list of dictionaries.
        count, utilisation, price: accelerators, the share of their peak that is used, price of one of them for an hour.
    """

    _esm = module("model_sizes", "model_calculator")
    preset = Unicode("").tag(sync=True)
    shape = Dict().tag(sync=True)
    context = Int(1024).tag(sync=True)
    batch = Int().tag(sync=True)
    precision = Unicode().tag(sync=True)
    serving = Unicode().tag(sync=True)
    attention = Unicode().tag(sync=True)
    tokens = Float().tag(sync=True)
    accelerator = Int(0).tag(sync=True)
    count = Int().tag(sync=True)
    utilisation = Float().tag(sync=True)
    price = Float().tag(sync=True)
    accelerators = List().tag(sync=True)
    presets = List().tag(sync=True)

    @property
    def model(self) -> sizes.Shape:
        """The shape as an object."""
        return sizes.Shape(**self.shape)

    def training_memory(self) -> dict[str, float]:
        """Bytes by kind for one training step."""
        return sizes.training_memory(self.model, self.context, self.batch, self.precision, self.attention)

    def serving_memory(self) -> dict[str, float]:
        """Bytes by kind for generating."""
        return sizes.serving_memory(self.model, self.context, self.batch, self.serving)

    def days(self) -> float:
        """Days of training on all accelerators together."""
        peak = self.accelerators[self.accelerator]["peak"]
        return sizes.training_days(self.model, self.context, self.tokens, peak, self.count, self.utilisation)

    def cost(self) -> float:
        """Price of the training, in the unit of `price`."""
        return self.days() * 24 * self.count * self.price

    def describe(self) -> str:
        total, active = sizes.total(self.model), sizes.active(self.model)
        name = self.preset or self.text(en="your own shape", zh="你自己的配置")
        machine = self.accelerators[self.accelerator]
        own = (
            self.text(en=f" ({active:,} active for each token)", zh=f"（每个词元激活 {active:,} 个）")
            if active < total
            else ""
        )
        parts = {
            kind: gigabytes(size)
            for kind, size in {**self.training_memory(), "cache": self.serving_memory()["cache"]}.items()
        }
        training, serving = (gigabytes(sum(m.values())) for m in (self.training_memory(), self.serving_memory()))
        flops = sizes.training_flops(self.model, self.context) * self.tokens
        return self.text(
            en=f"Model calculator, {name}: {total:,} parameters{own}. Training memory {training}: weights {parts['weights']}, "
            f"gradients {parts['gradients']}, Adam {parts['adam']}, activations {parts['activations']}. "
            f"Serving memory {serving}, of it {parts['cache']} key-value cache. "
            f"Training on {self.tokens:.2g} tokens takes {flops:.2g} operations: {self.days():.3g} days and {self.cost():,.0f} dollars "
            f"with {self.count} × {machine['name']} at {self.utilisation:.0%} of the peak.",
            zh=f"模型计算器，{name}：{total:,} 个参数{own}。训练内存 {training}：权重 {parts['weights']}，"
            f"梯度 {parts['gradients']}，Adam {parts['adam']}，激活值 {parts['activations']}。"
            f"推理内存 {serving}，其中键值缓存 {parts['cache']}。"
            f"用 {self.tokens:.2g} 个词元训练需要 {flops:.2g} 次运算：{self.count} × {machine['name']}，"
            f"利用率 {self.utilisation:.0%} 时要 {self.days():.3g} 天、{self.cost():,.0f} 美元。",
        )

    def picture(self):
        fig, ax = figure(660, 200)
        bars = {"training": self.training_memory(), "serving": self.serving_memory()}
        for row, memory in enumerate(bars.values()):
            left = 0.0
            for kind, size in memory.items():
                ax.barh(row, size / 1e9, left=left, color=COLOURS[kind], height=0.6, label=WORDS[kind][0])
                left += size / 1e9
        one = self.accelerators[self.accelerator]
        if one["memory"]:
            ax.axvline(one["memory"] / 1e9, color=GREY, linestyle="--", linewidth=1)
        ax.set_yticks([0, 1], list(bars))
        ax.invert_yaxis()
        ax.set_xlabel("GB")
        ax.set_title(f"{self.preset or 'own shape'}: {sizes.total(self.model):,} parameters", color=GREY, fontsize=9)
        handles, labels = ax.get_legend_handles_labels()
        unique = dict(zip(labels, handles, strict=True))
        fig.legend(
            unique.values(),
            unique.keys(),
            loc="outside upper left",
            ncols=5,
            frameon=False,
            labelcolor=GREY,
            fontsize=8,
        )
        return fig


def gigabytes(size: float) -> str:
    """Bytes for reading, in powers of 1000."""
    for unit in ("B", "kB", "MB", "GB", "TB"):
        if size < 1000 or unit == "TB":
            return f"{size:.3g} {unit}" if size < 1000 else f"{size:,.0f} {unit}"
        size /= 1000
    raise AssertionError


def model_calculator(
    start="GPT-2 small", *, context: int | None = None, batch: int = DEFAULTS["batch"], peak: float | None = None
):
    """Move a model's shape and see what it costs.

    Args:
        start: the name of a preset, or a `model_sizes.Shape` of your own.
        context: tokens in a sequence; by default as the model was trained.
        batch: sequences at a time.
        peak: operations a second of this machine, as you measured it: it stands first among the accelerators.

    Returns:
        The widget; its attributes follow what the learner does, and `widget.model` is the shape.
    """
    own = isinstance(start, sizes.Shape)
    known = {p.name: p for p in PRESETS}
    first = None if own else known.get(start, preset("GPT-2 small"))
    shape = start if own else first.shape
    tokens = float(not own and first.tokens or TOKENS_PER_PARAMETER * sizes.active(shape))
    widget = ModelCalculator(
        preset="" if own else first.name, shape=vars(shape), context=context or (first.context if first else 1024), tokens=tokens,
        **DEFAULTS | {"batch": batch},
    )  # fmt: skip
    here = widget.text(en="this machine, as measured", zh="本机（实测）")
    widget.accelerators = accelerators.table(peak=peak, name=here)
    widget.accelerator = [a["name"] for a in widget.accelerators].index("NVIDIA H100 SXM")
    widget.presets = [
        {"name": p.name, "shape": vars(p.shape), "context": p.context, "tokens": p.tokens, "source": p.source}
        for p in PRESETS
    ]
    if not own and start not in known:
        widget.problem = widget.text(
            en=f"There is no preset {start!r}, so you see GPT-2 small. Choose one of {', '.join(known)}.",
            zh=f"没有名为 {start!r} 的预设，下面显示的是 GPT-2 small。请选择 {', '.join(known)} 之一。",
        )
    return widget
