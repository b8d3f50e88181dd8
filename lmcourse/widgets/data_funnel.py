"""Widget: what a cleaning keeps and drops, step by step, with examples; the last step, near copies, follows a slider.

Counts, examples and the similar pairs travel once; the browser does the rest: at each threshold it drops the later text of every pair
at or above it. Left out: cleaning itself (`lmcourse.data.cleaning` does it) and changes inside a text.
"""

import numpy as np
from traitlets import Float, Int, List, Unicode, validate

from lmcourse.plotting import BLUE, GREY, ORANGE
from lmcourse.widgets.base import Widget, figure, fonts, module, printable, sentence, shorten

EXAMPLES = 40  # of each step, spread evenly over what it drops
CHARACTERS = 240  # of each text
LOWEST = 0.3  # of the threshold's slider


def dropped(pairs, threshold: float) -> int:
    """How many texts go when the later one of each pair at or above the threshold does; `pairs` holds [i, j, similarity …]."""
    return len({pair[1] for pair in pairs if pair[2] >= threshold})


class DataFunnel(Widget):
    """See `data_funnel`.

    Attributes:
        names: of the steps; counts: what is left after each, the raw number first.
        examples: one list of texts for each step.
        pairs: [i, j, similarity, first text, second text, mark of the first, mark of the second], most similar first.
        step: the step whose examples are shown, from 0; the last one is the near copies.
        threshold: 0.3 to 1.
    """

    _esm = module("data_funnel")
    names = List(Unicode()).tag(sync=True)
    counts = List(Int()).tag(sync=True)
    examples = List(List(Unicode())).tag(sync=True)
    pairs = List(List()).tag(sync=True)
    step = Int(0).tag(sync=True)
    threshold = Float(0.7).tag(sync=True)

    @validate("step")
    def _inside(self, proposal):
        return min(max(proposal.value, 0), len(self.names))

    @validate("threshold")
    def _within(self, proposal):
        return min(max(proposal.value, LOWEST), 1.0) if proposal.value == proposal.value else 0.7

    def left(self) -> list[int]:
        """What is left after each step, the raw number first and the near copies last."""
        return [*self.counts, self.counts[-1] - dropped(self.pairs, self.threshold)]

    def labels(self) -> list[str]:
        """The steps' names, with the first and the last row's."""
        near = self.text(en="near copies", zh="近似重复")
        return [self.text(en="raw", zh="原始"), *self.names, near]

    def describe(self) -> str:
        if not self.counts:
            return self.text(en="Data funnel. ", zh="数据漏斗。") + self.problem
        left = self.left()
        rows = [
            self.text(en=f"{name}: {n:,} left, {before - n:,} dropped", zh=f"{name}：剩 {n:,}，去掉 {before - n:,}")
            for name, n, before in zip(self.labels()[1:], left[1:], left[:-1], strict=True)
        ]
        head = self.text(
            en=f"Data funnel: {left[0]:,} texts. Threshold for near copies {self.threshold:.2f}.",
            zh=f"数据漏斗：{left[0]:,} 条文本。近似重复的阈值为 {self.threshold:.2f}。",
        )
        return "\n".join([head, *rows, *([self.problem] if self.problem else [])])

    def picture(self):
        if not self.counts:
            return sentence(self.problem)
        left, names = self.left(), [printable(name) for name in self.labels()]
        fig, (bars, histogram) = figure(660, 60 + 26 * len(left), ncols=2, width_ratios=[3, 2])
        rows = range(len(left))
        bars.barh(rows, left, color=BLUE, height=0.7)
        for row, n in enumerate(left):
            bars.text(n, row, f" {n:,}", va="center", color=GREY, fontsize=8)
        bars.set_yticks(rows, names, fontfamily=fonts())
        bars.set(ylim=(len(left) - 0.5, -0.5), xlim=(0, left[0] * 1.2), xticks=[])
        histogram.hist([pair[2] for pair in self.pairs], bins=np.linspace(LOWEST, 1, 29), color=BLUE)
        histogram.axvline(self.threshold, color=ORANGE)
        histogram.set(xlabel="similarity", ylabel="pairs")
        return fig


def data_funnel(texts, steps, pairs, *, marks=None, threshold: float = 0.7):
    """See what each step of a cleaning drops, and move the threshold for near copies.

    Args:
        texts: n strings, in their first order.
        steps: pairs (name, places), in order; places are the texts that are left after it.
        pairs: (i, j) → similarity, i < j counted within what the last step left, as `cleaning.near_copies` gives them.
        marks: a short string for each of the n texts, shown beside near copies; none by default.
        threshold: at which similarity a pair counts as a near copy, at first.

    Returns:
        The widget; `widget.step` and `widget.threshold` follow what the learner does.
    """
    widget = DataFunnel(threshold=threshold)
    try:
        texts, steps = [str(text) for text in texts], [(str(name), [int(i) for i in places]) for name, places in steps]
        marks = [""] * len(texts) if marks is None else [str(mark) for mark in marks]
        before, examples = set(range(len(texts))), []
        for name, places in steps:
            if not set(places) <= before:
                raise _Unfit(
                    widget.text(
                        en=f"Step “{name}” keeps texts that an earlier one dropped. Give the steps in their order.",
                        zh=f"步骤“{name}”留下了前面已去掉的文本。请按先后次序给出各步。",
                    )
                )
            gone = sorted(before - set(places))
            spread = np.linspace(0, len(gone) - 1, min(EXAMPLES, len(gone))).astype(int)
            examples.append([shorten(texts[gone[i]], CHARACTERS) for i in spread])
            before = set(places)
        last = steps[-1][1]
        rows = []
        for (i, j), value in sorted(pairs.items(), key=lambda item: (-item[1], item[0])):
            one, two = last[i], last[j]
            short = (shorten(texts[place], CHARACTERS) for place in (one, two))
            rows.append([i, j, float(value), *short, marks[one], marks[two]])
    except _Unfit as error:
        widget.problem = str(error)
        return widget
    except (TypeError, ValueError, IndexError, AttributeError):
        widget.problem = widget.text(
            en="The funnel needs texts, steps as pairs (name, places left), and pairs as a dict {(i, j): similarity}, where i and j "
            "count within the last step.",
            zh="漏斗需要 texts、由 (名称, 剩下的位置) 组成的 steps，以及字典 pairs：{(i, j): 相似度}，i 和 j 在最后一步剩下的文本里计数。",
        )
        return widget
    widget.names, widget.examples, widget.pairs = [name for name, _ in steps], examples, rows
    widget.counts = [len(texts), *[len(places) for _, places in steps]]
    return widget


class _Unfit(Exception):
    """The steps do not fit together; the message is for the learner."""
