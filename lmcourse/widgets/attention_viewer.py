"""Widget: who looks at whom. The attention weights of a transformer's layers and heads over a list of tokens.

The weights travel once; the browser selects, sharpens and draws. Left out: cross attention between two texts, batches.
"""

import numpy as np
from traitlets import Bytes, Float, Int, List, Unicode, validate

from lmcourse.plotting import GREY
from lmcourse.widgets.base import Widget, figure, fonts, module, printable, sentence

MAX_TOKENS = 128
MAX_NUMBERS = 4_000_000  # 16 MB of float32 to the browser
SEQUENTIAL = ["#e9e9e7", "#4d96cc", "#084580"]
PURPLE = "#CC79A7"  # NaN


def temper(weights, temperature: float) -> np.ndarray:
    """What attention weights become when the scores before the softmax are divided by a temperature.

    softmax(s / T) is proportional to exp(s)^(1/T), hence to p^(1/T): the scores themselves are not needed. Entries that
    are zero, as masked ones are, stay zero; each row keeps its sum.

    Args:
        weights: (..., time, time), each row a distribution over keys.
        temperature: above 1 flattens, below 1 sharpens.

    Returns:
        float32 array of the same shape.
    """
    weights = np.asarray(weights, np.float64)
    peak = np.max(weights, axis=-1, keepdims=True)
    power = (weights / np.where(peak == 0, 1, peak)) ** (1 / temperature)
    total = power.sum(axis=-1, keepdims=True)
    return (power * weights.sum(axis=-1, keepdims=True) / np.where(total == 0, 1, total)).astype("float32")


class AttentionViewer(Widget):
    """See `attention_viewer`.

    Attributes:
        weights: float32, (layers, heads, time, time), as bytes; empty when the input could not be shown.
        shape: those four numbers.
        tokens: one string per position.
        layer, head: the head shown large, counted from 0.
        query, key: the cell chosen: row and column.
        temperature: 0.125 to 8.
    """

    _esm = module("attention_viewer")
    weights = Bytes(b"").tag(sync=True)
    shape = List(Int(), [0, 0, 0, 0]).tag(sync=True)
    tokens = List(Unicode()).tag(sync=True)
    layer = Int(0).tag(sync=True)
    head = Int(0).tag(sync=True)
    query = Int(0).tag(sync=True)
    key = Int(0).tag(sync=True)
    temperature = Float(1.0).tag(sync=True)

    @validate("layer", "head", "query", "key")
    def _inside(self, proposal):
        axis = {"layer": 0, "head": 1, "query": 2, "key": 3}[proposal.trait.name]
        return min(max(proposal.value, 0), max(self.shape[axis] - 1, 0))

    @validate("temperature")
    def _positive(self, proposal):
        return min(max(proposal.value, 0.125), 8.0) if proposal.value == proposal.value else 1.0

    def matrices(self) -> np.ndarray:
        """The heads of the chosen layer at the chosen temperature: (heads, time, time)."""
        weights = np.frombuffer(self.weights, "float32").reshape(self.shape)
        return temper(weights[self.layer], self.temperature)

    def describe(self) -> str:
        if not self.weights:
            return self.text(en="Attention viewer. ", zh="注意力查看器。") + self.problem
        layers, heads, time, _ = self.shape
        row = self.matrices()[self.head, self.query]
        lines = [
            self.text(
                en=f"Attention viewer: {layers} layers, {heads} heads, {time} tokens. "
                f"Layer {self.layer}, head {self.head}, temperature {self.temperature:.2f}: "
                f"“{self.tokens[self.query]}” looks at:",
                zh=f"注意力查看器：{layers} 层，{heads} 个头，{time} 个词元。"
                f"第 {self.layer} 层，头 {self.head}，温度 {self.temperature:.2f}：“{self.tokens[self.query]}”在看：",
            )
        ]
        largest = sorted(range(time), key=lambda i: (-np.nan_to_num(row[i]), i))[:5]
        lines += [f"  {self.tokens[i]}  {row[i]:.3f}" for i in largest]
        return "\n".join([*lines, self.problem] if self.problem else lines)

    def picture(self):
        if not self.weights:
            return sentence(self.problem)
        from matplotlib.colors import LinearSegmentedColormap, PowerNorm

        colours = LinearSegmentedColormap.from_list("attention", SEQUENTIAL).with_extremes(bad=PURPLE)
        matrices = self.matrices()
        heads, time = matrices.shape[:2]
        shown = min(heads, 12) if time <= 32 else 1  # small heads with many tokens are grey and weigh much
        rows = 1 if shown == 1 else -(-shown // 4)
        layout = [["large", *([f"{r * 4 + c}" for c in range(4)] if shown > 1 else [])] for r in range(rows)]
        layout = [[name if name == "large" or int(name) < shown else "." for name in line] for line in layout]
        fig, _ = figure(660, 330, mosaic=layout, width_ratios=[3, *([1] * (len(layout[0]) - 1))])
        for ax in fig.axes:
            name = ax.get_label()
            matrix = matrices[self.head if name == "large" else int(name)]
            peak = max(float(np.nanmax(np.append(matrix, 0))), 1e-9)
            ax.imshow(matrix, cmap=colours, norm=PowerNorm(0.5, 0, peak))
            ax.spines[:].set(visible=True, color=GREY, linewidth=0.6)
            if name != "large":
                ax.set(xticks=[], yticks=[])
                ax.set_title(name, color=GREY, fontsize=8)
        large = next(ax for ax in fig.axes if ax.get_label() == "large")
        places = np.arange(0, time, -(-time // 24))
        labels = [printable(self.tokens[i]).replace("$", r"\$")[:12] for i in places]
        large.set_xticks(places, labels, rotation=60 if max(map(len, labels)) > 2 else 0, fontfamily=fonts())
        large.set_yticks(places, labels, fontfamily=fonts())
        large.xaxis.tick_top()
        large.tick_params(length=0)
        return fig


def attention_viewer(weights, tokens, *, layer: int = 0, head: int = 0):
    """Look at attention: all heads small, one large, a row and a column in numbers, a slider for temperature.

    The slider shows what the weights would be if the scores before the softmax were divided by T; see `temper`.

    Args:
        weights: (layers, heads, time, time), (heads, time, time) or (time, time); row = query, column = key.
        tokens: one string per position, at most 128.
        layer, head: what to show large at first, counted from 0.

    Returns:
        The widget; `widget.layer`, `.head`, `.query`, `.key` and `.temperature` follow what the learner does.
    """
    widget = AttentionViewer()
    tokens = [str(token) for token in tokens]
    try:
        masked = np.ma.isMaskedArray(weights)
        array = np.asarray(np.ma.filled(weights, 0) if masked else weights, dtype="float32")
    except (TypeError, ValueError) as error:
        widget.problem = widget.text(
            en=f"The weights are not an array of numbers ({error}).", zh=f"权重不是数字数组（{error}）。"
        )
        return widget
    widget.problem = _refusal(array, tokens, widget.text)
    if widget.problem:
        return widget
    array = array.reshape((1,) * (4 - array.ndim) + array.shape)
    widget.shape, widget.tokens, widget.weights = list(array.shape), tokens, array.tobytes()
    widget.layer, widget.head = layer, head
    widget.problem = _remark(array, masked, widget.text)
    return widget


def _refusal(array, tokens, text) -> str:
    """Why these weights cannot be shown at all; empty if they can."""
    shape = array.shape
    if array.ndim not in (2, 3, 4) or shape[-1] != shape[-2] or 0 in shape:
        return text(
            en=f"The weights have the shape {shape}; the viewer needs (layers, heads, time, time). "
            "Take one example out of a batch first, for instance weights[:, 0].",
            zh=f"权重的形状是 {shape}，而查看器需要 (层, 头, 时间, 时间)。"
            "请先从批次中取出一个样本，例如 weights[:, 0]。",
        )
    if shape[-1] != len(tokens):
        return text(
            en=f"There are {len(tokens)} tokens, but the weights have {shape[-1]} positions. Give one token for each.",
            zh=f"词元有 {len(tokens)} 个，权重却对应 {shape[-1]} 个位置。请让两者一一对应。",
        )
    if shape[-1] > MAX_TOKENS or array.size > MAX_NUMBERS:
        return text(
            en=f"{shape[-1]} tokens in {array.size:,} weights are more than the viewer shows (at most {MAX_TOKENS} "
            f"tokens and {MAX_NUMBERS:,} weights). Slice both: weights[..., :64, :64] and tokens[:64].",
            zh=f"{shape[-1]} 个词元、{array.size:,} 个权重超出了查看器的范围"
            f"（最多 {MAX_TOKENS} 个词元、{MAX_NUMBERS:,} 个权重）。"
            "请对两者切片：weights[..., :64, :64] 和 tokens[:64]。",
        )
    if (array < 0).any() or (array > 1.001).any():
        return text(
            en=f"The weights run from {np.nanmin(array):.2f} to {np.nanmax(array):.2f}; attention weights lie between "
            "0 and 1. Are these the scores before the softmax?",
            zh=f"权重的范围是 {np.nanmin(array):.2f} 到 {np.nanmax(array):.2f}，而注意力权重应在 0 和 1 之间。"
            "这些会不会是 softmax 之前的分数？",
        )
    return ""


def _remark(array, masked, text) -> str:
    """What is odd about weights that are shown; empty if nothing is."""
    layer, head, row = next(iter(np.argwhere(np.isnan(array).any(axis=-1))), (None, None, None))
    if layer is not None:
        return text(
            en=f"Some weights are NaN (purple), first in layer {layer}, head {head}, row {row}. A softmax over a row "
            "that is masked from end to end gives that.",
            zh=f"部分权重是 NaN（紫色），最先出现在第 {layer} 层、头 {head}、第 {row} 行。"
            "整行都被掩码时，softmax 就会得到 NaN。",
        )
    sums = array.sum(axis=-1)
    if masked:
        return text(en="Entries that the array masks are shown as zero.", zh="数组中被掩码的元素显示为零。")
    if (sums > 1.01).any():
        return text(
            en=f"Some rows sum to {sums.max():.2f}; a row of attention weights sums to 1.",
            zh=f"有的行之和为 {sums.max():.2f}，而注意力权重每行之和应为 1。",
        )
    return ""
