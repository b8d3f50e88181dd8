"""The mask filler: its numbers against sorting by hand and, in the page, against Python's; what is read, cut, refused; a click."""

import re
import time

import numpy as np
import pytest

from lmcourse import language
from lmcourse.language import CourseError
from lmcourse.widgets.mask_filler import LISTED, LONGEST, mask_filler, surprise

NAMES = "的很好不干净房间服务<$"


def look(text):
    """Rows that depend on the text and the place."""
    logits = np.array([np.random.default_rng(ord(c) + i).normal(size=len(NAMES)) for i, c in enumerate(text)])
    return np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)


def filler(text="房间很好", **more):
    return mask_filler(look, NAMES, text, **more)


def test_the_best_the_own_and_the_rank():
    widget, p = filler(), look("房间很好")
    for i, piece in enumerate("房间很好"):
        order = sorted(range(len(NAMES)), key=lambda n, row=p[i]: -row[n])
        assert widget.candidates[i] == [NAMES[n] for n in order[:LISTED]]
        assert widget.chances[i] == pytest.approx(sorted(p[i])[::-1][:LISTED])
        assert widget.own[i] == pytest.approx(p[i][NAMES.index(piece)])
        assert widget.ranks[i] == order.index(NAMES.index(piece))


def test_a_character_that_the_model_does_not_know_has_no_probability():
    widget = filler("房X")
    assert widget.own[1] == -1 and widget.ranks[1] == -1 and len(widget.candidates[1]) == LISTED
    assert "There stands X, ?" in mask_filler(look, NAMES, "房X", place=1).describe()


def test_another_text_is_read_and_a_message_from_the_page_answered():
    widget = filler(place=3)
    widget.read("  服务 \n 不好 ")
    assert "".join(widget.pieces) == "服务 不好" and widget.place == 3 and not widget.problem
    step = widget.step
    widget.receive("read", {"text": "好"}, [])
    until = time.monotonic() + 10
    while widget.step == step and time.monotonic() < until:
        time.sleep(0.01)
    widget._worker.stop()
    assert widget.pieces == ["好"] and widget.place == 0


@pytest.mark.parametrize(
    ("text", "words", "left"),
    [
        ("", "Type a text", "房间很好"),
        (" \n\t", "Type a text", "房间很好"),
        ("好" * 1000, f"first {LONGEST} of 1,000", "好" * LONGEST),
    ],
    ids=["nothing", "white space", "1,000 characters"],
)
def test_an_odd_text_gets_a_sentence(text, words, left):
    widget = filler()
    widget.read(text)
    assert words in widget.problem and "".join(widget.pieces) == left
    widget.read("很好")
    assert widget.problem == "" and widget.pieces == ["很", "好"]


def refuse(text):
    raise CourseError(en="Chinese only.", zh="只读中文。")


@pytest.mark.parametrize(
    ("bad", "words"),
    [
        (refuse, "Chinese only"),
        (lambda text: np.zeros((2, 3)), r"shape \(2, 3\)"),
        (lambda text: np.full((len(text), len(NAMES)), np.nan), "finite numbers"),
        (lambda text: 1 / 0, "ZeroDivisionError"),
    ],
    ids=["a refusal", "another shape", "NaN", "an error"],
)
def test_a_model_that_gives_no_answer_is_a_sentence(bad, words):
    widget = mask_filler(bad, NAMES, "好")
    assert re.search(words, widget.problem) and not widget.pieces
    assert widget.png().startswith(b"\x89PNG") and widget.problem in widget.describe()


def test_the_page_computes_the_same(modules):
    own = [1.0, 0.5, 1e-3, 1e-9, 0.0]
    page = modules.evaluate(
        """async (own) => { const m = await import("/mask_filler.js"); return own.map(m.surprise); }""", own
    )
    np.testing.assert_allclose(page, surprise(own), rtol=1e-9, atol=1e-12)
    assert modules.evaluate(
        """async () => { const m = await import("/mask_filler.js");
             return [m.replaced(["a", "b", "c"], 1, "<i>"), m.replaced(["a"], 0, "x")]; }"""
    ) == ["a<i>c", "x"]


def show(modules, widget, **more):
    """The view of a widget's state in the page."""
    names = ("language", "problem", "pieces", "candidates", "chances", "own", "ranks", "place", "step")
    state = {name: getattr(widget, name) for name in names} | more
    modules.evaluate(
        """async (state) => { const m = await import("/mask_filler.js"); window.model = fakeModel(state);
             window.close = m.default.render({ model: window.model, el: document.body }); }""",
        state,
    )
    return modules


@pytest.mark.parametrize(("lang", "label"), [("en", "hidden place"), ("zh", "遮住的位置")])
def test_keys_choose_a_place_and_a_click_asks_for_another_text(modules, lang, label):
    language.use(lang)
    widget = filler("房间<好")
    page = show(modules, widget)
    assert page.locator(".places button").all_inner_texts() == list("房间<好")
    page.get_by_label(label, exact=True).focus()
    page.keyboard.press("End")
    assert page.evaluate("model.get('place')") == 3
    assert page.locator(".fills button .name").all_inner_texts() == widget.candidates[3]
    page.locator(".fills button").nth(1).click()
    assert page.evaluate("model.sent") == [{"kind": "read", "text": "房间<" + widget.candidates[3][1]}]
    page.locator(".fills button").nth(0).click()
    assert len(page.evaluate("model.sent")) == 1, "one question at a time"


def test_a_typed_tag_is_text_and_closing_leaves_nothing(modules):
    page = show(modules, filler("<b>好</b>"))
    assert page.locator(".places b, .fills b").count() == 0
    page.locator("input[type=text]").fill("<img src=x onerror=alert(1)>")
    page.keyboard.press("Enter")
    assert page.evaluate("model.sent.at(-1).text") == "<img src=x onerror=alert(1)>"
    page.evaluate("close()")
    assert page.evaluate("model.listeners()") == 0 and page.evaluate("document.body.children.length") == 0


def test_words_and_picture_in_both_languages():
    widget = filler("房间$好", place=2)
    assert "房间▢好" in widget.describe() and "There stands $" in widget.describe()
    png = widget.png()
    assert png.startswith(b"\x89PNG") and len(png) < 30_000
    language.use("zh")
    assert "原处是“好”" in filler("房间$好", place=3).describe()
