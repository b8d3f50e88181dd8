import base64
import io
import re
from importlib import import_module

import numpy as np
import pytest
from PIL import Image
from traitlets import Float

from lmcourse import language
from lmcourse.widgets import base

WIDGETS = [path.stem for path in base.HERE.glob("*.js") if "\nexport default" in path.read_text("utf-8")]


class Small(base.Widget):
    _esm = "export default { render() {} }"
    x = Float(1.0).tag(sync=True)
    drawn = 0

    def describe(self):
        return self.text(en=f"x is {self.x}", zh=f"x 为 {self.x}")

    def picture(self):
        self.drawn += 1
        fig, ax = base.figure(300, 120)
        ax.plot([0, self.x])
        return fig


def test_bundle_has_a_live_form_a_picture_and_a_text():
    data, metadata = Small()._repr_mimebundle_()
    png = base64.b64decode(data["image/png"])
    assert png.startswith(b"\x89PNG\r\n\x1a\n")
    assert "application/vnd.jupyter.widget-view+json" in data
    assert data["text/plain"] == metadata["image/png"]["alt"] == "x is 1.0"
    image = Image.open(io.BytesIO(png))
    assert image.size == tuple(metadata["image/png"][side] * base.SHARPNESS for side in ("width", "height"))
    assert image.convert("RGBA").getpixel((0, 0))[3] == 0, "transparent, for light and dark pages"


def test_text_follows_the_language_at_birth():
    language.use("zh")
    widget = Small()
    language.use("en")
    assert widget.language == "zh"
    assert widget.describe() == "x 为 1.0"


def test_the_picture_is_drawn_when_needed_and_anew_after_a_change():
    widget = Small()
    assert widget.drawn == 0
    before = widget.png()
    assert widget.png() is before
    assert widget.drawn == 1
    widget.x = -1.0
    assert widget.png() != before


def test_no_window_and_no_global_style_is_touched():
    import matplotlib
    import matplotlib.pyplot as plt

    style = dict(matplotlib.rcParams)
    Small().png()
    assert plt.get_fignums() == []
    assert dict(matplotlib.rcParams) == style


def test_messages_reach_receive():
    heard = []

    class Listener(Small):
        def receive(self, kind, content, buffers):
            heard.append((kind, content["n"], buffers))

    Listener()._handle_custom_msg({"kind": "step", "n": 2}, [b"x"])
    assert heard == [("step", 2, [b"x"])]


def test_push_names_the_kind(monkeypatch):
    sent = []
    widget = Small()
    monkeypatch.setattr(widget, "send", lambda content, buffers: sent.append((content, buffers)))
    widget.push("frame", [b"1"], step=3)
    assert sent == [({"kind": "frame", "step": 3}, [b"1"])]


def test_a_sentence_is_printable_without_chinese_fonts(monkeypatch):
    monkeypatch.setattr(base, "fonts", lambda: ["DejaVu Sans"])
    assert base.printable("形状 (3,) − 1") == "□□ (3,) − 1"
    base.to_png(base.sentence("权重 $x_{"))  # neither a missing glyph nor mathematics: both would warn or raise


@pytest.mark.parametrize("path", sorted(base.HERE.glob("*.js")), ids=lambda path: path.stem)
def test_no_source_reads_text_as_html_or_asks_the_network(path):
    assert not re.search(
        r"https?://|import\(|innerHTML|insertAdjacentHTML|document\.write|\beval\(", path.read_text("utf-8")
    )


@pytest.fixture(params=WIDGETS)
def sent(request):
    """The code that a widget sends to the page."""
    found = vars(import_module(f"lmcourse.widgets.{request.param}")).values()
    (widget,) = {c for c in found if isinstance(c, type) and issubclass(c, base.Widget) and c is not base.Widget}
    return str(widget._esm)


def test_sent_code_is_small_and_loads_from_memory(modules, sent):
    assert len(sent.encode()) < 30_000
    kinds = modules.evaluate(
        """async (code) => {
             const module = await import(URL.createObjectURL(new Blob([code], {type: "text/javascript"})));
             return [typeof module.default.render, typeof module.render];
           }""",
        sent,
    )
    assert kinds == ["function", "undefined"]


# ---- common.js, in the browser


def call(modules, expression, argument=None):
    return modules.evaluate(f"async (a) => {{ const c = await import('/common.js'); return {expression}; }}", argument)


def test_f32_reads_a_window_at_any_offset(modules):
    numbers = [1.5, -2.25, 3.0]
    raw = [9] * 7 + list(np.array(numbers, "float32").tobytes()) + [9] * 3
    assert call(modules, "[...c.f32(new DataView(new Uint8Array(a).buffer, 7, 12))]", raw) == numbers


@pytest.mark.parametrize(
    ("value", "text"),
    [("0", "0.000"), ("-0.00001", "−1.0·10⁻⁵"), ("1.23456", "1.235"), ("-2", "−2.000"), ("123456", "1.2·10⁵"),
     ("NaN", "NaN"), ("-Infinity", "−∞"), ("-0.0", "0.000")],
)  # fmt: skip
def test_number(modules, value, text):
    assert call(modules, f"c.number({value})") == text


@pytest.mark.parametrize(
    ("low", "high", "expected"), [(0, 1, [0, 0.2, 0.4, 0.6, 0.8, 1]), (-6, 6, [-6, -4, -2, 0, 2, 4, 6])]
)
def test_ticks_are_round_numbers(modules, low, high, expected):
    assert call(modules, f"c.ticks({low}, {high}, 6)") == expected


def test_diverging_map_is_even_and_has_no_red_against_green(modules):
    modules.evaluate("() => { document.body.style.color = '#222' }")
    script = """(() => { const ui = c.open(fakeModel({language: "en", problem: ""}), document.body, "x"); const m = ui.colours; ui.close();
      return [-5, -1, 0, 1, 5, NaN].map((v) => c.diverging(v, m)); })()"""
    low, blue, neutral, orange, high, unknown = call(modules, script)
    assert low == blue and high == orange  # clipped
    assert max(neutral) - min(neutral) < 6
    assert blue[2] > blue[0] and orange[0] > orange[2]
    assert unknown not in (blue, neutral, orange)


def test_used_keys_stay_and_others_pass(modules):
    heard = modules.evaluate(
        """async () => {
             const {open} = await import("/common.js");
             const ui = open(fakeModel({language: "en", problem: ""}), document.body, "x");
             const slider = ui.range(ui.root, {label: "a", min: 0, max: 1, step: 0.1, value: 0, onInput: () => {}}).input;
             const choice = ui.select(ui.root, {label: "b", options: [{value: 1, en: "1"}], value: 1, onChange: () => {}}).input;
             const heard = [];
             document.addEventListener("keydown", (event) => heard.push(event.key + (event.shiftKey ? "+shift" : "") + (event.ctrlKey ? "+ctrl" : "")));
             const press = (target, key, more) => target.dispatchEvent(new KeyboardEvent("keydown", {key, bubbles: true, ...more}));
             for (const key of ["ArrowLeft", "Home", "PageUp", " ", "Enter", "b", "Escape"]) press(slider, key);
             press(slider, "Enter", {shiftKey: true}); press(slider, "s", {ctrlKey: true}); press(choice, "d");
             return heard;
           }"""
    )
    assert heard == ["b", "Escape", "Enter+shift", "s+ctrl"]


def test_closing_a_view_removes_everything(modules):
    counts = modules.evaluate(
        """async () => {
             const {open} = await import("/common.js");
             let added = 0;
             for (const kind of [EventTarget.prototype]) {
               const {addEventListener: on, removeEventListener: off} = kind;
               kind.addEventListener = function (...words) { added++; return on.apply(this, words); };
               kind.removeEventListener = function (...words) { added--; return off.apply(this, words); };
             }
             const model = fakeModel({language: "zh", problem: "<b>x</b>"});
             let ticks = 0;
             const views = [1, 2].map(() => {
               const ui = open(model, document.body, {en: "title", zh: "标题"});
               ui.range(ui.root, {label: "a", min: 0, max: 1, step: 0.1, value: 0, onInput: () => {}});
               ui.button(ui.root, {text: "b", onClick: () => {}});
               const plot = ui.canvas(ui.root, {height: 20, draw: () => {}});
               ui.drag(plot.element, {move: () => {}});
               ui.onMessage("frame", () => {});
               ui.every(5, () => ticks++);
               ui.announce("words");
               return ui;
             });
             const open_ = [document.querySelectorAll(".lmw").length, document.querySelectorAll(".problem b").length, views[0].root.ariaLabel];
             views[0].close();
             const one = document.querySelectorAll(".lmw").length;
             views[1].close();
             const before = ticks;
             await new Promise((done) => setTimeout(done, 40));
             return [...open_, one, document.querySelectorAll(".lmw").length, added, model.listeners(), ticks - before];
           }"""
    )
    assert counts == [2, 0, "标题", 1, 0, 0, 0, 0]
