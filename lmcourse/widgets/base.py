"""What every widget shares: its module, its language, and a picture with a text for places where no kernel runs.

A widget is a subclass of `Widget` beside an ES module of the same name:

    class MyWidget(Widget):
        _esm = module("my_widget")                 # common.js + my_widget.js as one module
        x = Float(0.0).tag(sync=True)

        def describe(self): return self.text(en=f"x is {self.x}.", zh=f"x 为 {self.x}。")
        def picture(self):                         # drawn when first shown, again after a synced trait has changed
            fig, ax = figure(560, 240)
            ...
            return fig
        def receive(self, kind, content, buffers): ...    # what JavaScript sent with ui.send(kind, {...})

Left out on purpose: layout of several widgets, and everything that only the browser needs to know (common.js).
"""

import base64
import gzip
import io
import re
import textwrap
from pathlib import Path

import anywidget
from traitlets import Unicode

from lmcourse.language import current
from lmcourse.plotting import GREY

HERE = Path(__file__).parent
PIXELS_PER_INCH = 96
SHARPNESS = 1.5  # picture pixels per page pixel

_IMPORT = re.compile(r'^import \{[^}]*\} from "\./[a-z_]+\.js";\n', re.MULTILINE)
_COMMENT = re.compile(r"^\s*(//|/\*|\*).*\n", re.MULTILINE)


def module(*names: str) -> str:
    """The code of a widget's ES modules, preceded by common.js, as one module without imports.

    Relative imports do not resolve in the page, which loads the code from memory; so the files are joined and their
    import lines dropped. Comments that fill a line are dropped too: the code travels once for every widget.

    Args:
        names: file names in this folder without ".js"; the last one holds `export default { render }`.
    """
    code = "\n".join((HERE / f"{name}.js").read_text("utf-8") for name in ("common", *names))
    return _COMMENT.sub("", _IMPORT.sub("", code))


def packed(code: str) -> str:
    """The same module in a third of the bytes: a few lines that unpack it in the page. For a widget with a long module."""
    data = base64.b64encode(gzip.compress(re.sub(r"^\s+", "", code, flags=re.MULTILINE).encode(), mtime=0)).decode()
    return (
        f'const packed = Uint8Array.from(atob("{data}"), (c) => c.charCodeAt(0));\n'
        'const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));\n'
        'const code = new Blob([await new Response(stream).arrayBuffer()], { type: "text/javascript" });\n'
        "const url = URL.createObjectURL(code);\n"
        "const { default: widget } = await import(url);\n"
        "URL.revokeObjectURL(url);\nexport default widget;\n"
    )


class Widget(anywidget.AnyWidget):
    """A widget that speaks the learner's language and never fails with a traceback.

    Attributes:
        language: "en" or "zh", fixed when the widget is made.
        problem: a sentence about bad input, shown inside the widget; empty when there is none.
    """

    language = Unicode("en").tag(sync=True)
    problem = Unicode("").tag(sync=True)
    _ipython_display_ = None  # ipywidgets 7 defines it, and IPython would prefer it to the bundle below

    def __init__(self, **traits):
        self._png = None
        super().__init__(**{"language": current(), **traits})
        self.observe(lambda _: self.forget_picture())
        self.on_msg(lambda _, content, buffers: self.receive(content["kind"], content, buffers))

    def text(self, *, en: str, zh: str) -> str:
        """The one of two texts that fits the widget's language."""
        return zh if self.language == "zh" else en

    def describe(self) -> str:
        """What the widget shows now, in words: the same text for the same state."""
        raise NotImplementedError

    def picture(self):
        """What the widget shows now: a matplotlib figure (see `figure`), or PNG bytes."""
        raise NotImplementedError

    def receive(self, kind: str, content: dict, buffers: list) -> None:
        """Handle a message that JavaScript sent with `ui.send(kind, content, buffers)`; by default ignore it.

        It may run on another thread than the notebook's cells: set an event or fill a queue, do not work here.
        """

    def push(self, kind: str, buffers=(), **content) -> None:
        """Send a message to every view; JavaScript gets it with `ui.onMessage(kind, (content, buffers) => …)`."""
        self.send({"kind": kind, **content}, list(buffers))

    def forget_picture(self) -> None:
        """Draw the picture anew when it is next needed: for changes that no synced trait tells of."""
        self._png = None

    def png(self) -> bytes:
        """The picture as PNG; drawn once until something changes."""
        if self._png is None:
            picture = self.picture()
            if not isinstance(picture, bytes):
                caption = self.text(en="picture: run the cell to use it", zh="静态图片：运行单元格即可操作")
                picture.supxlabel(printable(caption), x=0.99, ha="right", color=GREY, fontsize=7, fontfamily=fonts())
                picture = to_png(picture)
            self._png = picture
        return self._png

    def _repr_mimebundle_(self, **kwargs):
        inherited = getattr(super(), "_repr_mimebundle_", None)
        if inherited is None:  # an old anywidget on ipywidgets 7
            view = {"version_major": 2, "version_minor": 0, "model_id": self.model_id}
            data, metadata = {"application/vnd.jupyter.widget-view+json": view}, {}
        else:
            data, metadata = inherited(**kwargs)
        png, text = self.png(), self.describe()
        width, height = (round(int.from_bytes(png[at : at + 4]) / SHARPNESS) for at in (16, 20))  # PNG's header
        data = {**data, "image/png": base64.b64encode(png).decode(), "text/plain": text}
        return data, {**metadata, "image/png": {"width": width, "height": height, "alt": text}}


def figure(width: int, height: int, *, mosaic=None, **grid):
    """A figure in the course's style and its axes; it belongs to no window and needs no closing.

    Args:
        width, height: in pixels of the page.
        mosaic: names of axes by place, as for matplotlib's `subplot_mosaic`.
        grid: further arguments of `subplot_mosaic`, or without a mosaic of `subplots` (nrows, ncols, sharex …).

    Returns:
        The figure, and its axes: one, an array, or a dictionary by name.
    """
    from matplotlib.figure import Figure

    fig = Figure((width / PIXELS_PER_INCH, height / PIXELS_PER_INCH), layout="constrained", facecolor="none")
    axes = fig.subplots(**grid) if mosaic is None else fig.subplot_mosaic(mosaic, **grid)
    for ax in fig.axes:
        ax.set_facecolor("none")
        ax.spines[["top", "right"]].set_visible(False)
        ax.spines[["left", "bottom"]].set(color=GREY, linewidth=0.6)
        ax.tick_params(colors=GREY, labelsize=8, width=0.6, length=3)
        for label in (ax.xaxis.label, ax.yaxis.label, ax.title):
            label.set(color=GREY, fontsize=9, fontfamily=fonts())
    return fig, axes


def fonts() -> list[str]:
    """The font families of a picture's text: two, if this machine has one with Chinese characters, else one."""
    from matplotlib import font_manager

    known = {font.name for font in font_manager.fontManager.ttflist}
    chinese = ("Noto Sans CJK SC", "Noto Sans SC", "Source Han Sans SC", "PingFang SC", "Microsoft YaHei", "SimHei",
               "Noto Sans CJK JP", "Noto Serif CJK SC", "WenQuanYi Zen Hei", "Arial Unicode MS")  # fmt: skip
    return ["DejaVu Sans", *[name for name in chinese if name in known][:1]]


def printable(text: str) -> str:
    """The text with a box for each character that no font here can draw in a picture."""
    return text if len(fonts()) > 1 else re.sub(r"[^\u0000-\u036f\u2000-\u22ff]", "□", text)


def shorten(text: str, length: int) -> str:
    """At most so many characters, the last one then an ellipsis."""
    return text if len(text) <= length else text[: length - 1] + "…"


def sentence(text: str):
    """A figure that holds nothing but a sentence: what a widget shows when its input could not be drawn."""
    wide = 46 if any(character > "\u2e7f" for character in text) else 92
    lines = [line for part in printable(text).split("\n") for line in textwrap.wrap(part, wide)]
    fig, ax = figure(660, 24 + 18 * len(lines))
    ax.set_axis_off()
    ax.text(0, 1, "\n".join(lines), color=GREY, fontsize=9, va="top", fontfamily=fonts(), parse_math=False)
    return fig


def to_png(fig) -> bytes:
    """A figure as a small PNG: 128 colours with transparency are enough for lines, text and colour maps."""
    from PIL import Image

    buffer = io.BytesIO()
    fig.savefig(buffer, format="png", dpi=PIXELS_PER_INCH * SHARPNESS)
    small = io.BytesIO()
    Image.open(buffer).quantize(128, method=Image.Quantize.FASTOCTREE).save(small, "png", optimize=True)
    return small.getvalue()
