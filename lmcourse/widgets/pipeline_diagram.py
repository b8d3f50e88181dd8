"""The six boxes of lesson 1.2, filled in while the notebook runs: how many items left each step, and how long it took.

Left out on purpose: other pipelines, branches, steps at the same time.
"""

import time
from contextlib import contextmanager

from traitlets import List

from lmcourse.language import pick
from lmcourse.plotting import GREY
from lmcourse.widgets.base import Widget, figure, fonts, module, printable

STEPS = {
    "data": ("Data", "数据", "lines", "行"),
    "processing": ("Processing", "处理", "pieces", "个片段"),
    "training": ("Training", "训练", "parameters", "参数"),
    "optimisation": ("Optimisation", "优化", "bytes", "字节"),
    "inference": ("Inference", "推理", "answers", "个答案"),
    "output": ("Output", "输出", "live box", "个输入框"),
}


class PipelineDiagram(Widget):
    """See `pipeline_diagram`."""

    _esm = module("pipeline_diagram")
    boxes = List().tag(sync=True)

    def __init__(self):
        names = [pick(en=en, zh=zh) for en, zh, _, _ in STEPS.values()]
        super().__init__(boxes=[{"name": name, "state": "open", "count": "", "seconds": ""} for name in names])

    @contextmanager
    def stage(self, step: str):
        """Time what happens inside; set `.count` on the value it gives to tell how many items came out.

        Args:
            step: "data", "processing", "training", "optimisation", "inference" or "output".
        """
        stage = _Stage()
        self._fill(step, state="running", count="…", seconds="")
        start = time.perf_counter()
        try:
            yield stage
        except BaseException:
            self._fill(step, state="open", count="", seconds="")
            raise
        unit = pick(en=STEPS[step][2], zh=STEPS[step][3])
        count = "" if stage.count is None else f"{stage.count:,} {unit}"
        self._fill(step, state="done", count=count, seconds=f"{time.perf_counter() - start:.2f} s")

    def note(self, step: str, text: str) -> None:
        """Replace the count of a step by a text."""
        self._fill(step, count=text)

    def _fill(self, step: str, **content) -> None:
        at = list(STEPS).index(step)
        self.boxes = [box | content if i == at else box for i, box in enumerate(self.boxes)]

    def describe(self) -> str:
        return " → ".join(" ".join(filter(None, (b["name"], b["count"], b["seconds"]))) for b in self.boxes)

    def picture(self):
        fig, ax = figure(820, 90)
        ax.set(xlim=(0, len(self.boxes)), ylim=(0, 1))
        ax.set_axis_off()
        for i, box in enumerate(self.boxes):
            style = {"ha": "center", "color": GREY, "fontfamily": fonts()}
            frame = {
                "boxstyle": "round,pad=0.5",
                "fc": "none",
                "ec": GREY,
                "lw": 1.4 if box["state"] == "done" else 0.6,
            }
            ax.text(i + 0.5, 0.72, printable(box["name"]), fontsize=9, bbox=frame, **style)
            ax.text(i + 0.5, 0.32, printable(box["count"]), fontsize=8, **style)
            ax.text(i + 0.5, 0.05, box["seconds"], fontsize=8, **style)
            if i:
                ax.annotate(
                    "", (i + 0.12, 0.76), (i - 0.12, 0.76), arrowprops={"arrowstyle": "->", "color": GREY, "lw": 0.8}
                )
        return fig


class _Stage:
    count: int | None = None


def pipeline_diagram() -> PipelineDiagram:
    """The diagram, empty; `with pipeline.stage("data") as stage:` fills the first box in every view of it."""
    return PipelineDiagram()
