"""The chat box in a real JupyterLab: typing, streaming, stopping, two languages, a busy, interrupted and restarted kernel."""

import lab
import pytest

CELL = """import time
from lmcourse import language
language.use({!r})
from lmcourse.widgets.chat_box import chat_box
calls = []
def reply(messages, temperature, stop_event):
    calls.append((messages[-1]["content"], temperature))
    for n in range(10 if "short" in messages[-1]["content"] else 400):
        if stop_event.is_set():
            return
        time.sleep(0.05)
        yield f"{{n}} <b>"
box = chat_box(reply)
box"""
CHAT = ".jp-OutputArea-output .lmw.chat"
WORDS = {
    "en": {"message": "your message", "stop": "Stop", "over": "Start over", "temperature": "temperature T", "stopped": "Model, stopped",
           "empty": "Type a message first.", "nothing": "Nothing has been said yet."},
    "zh": {"message": "你的消息", "stop": "停止", "over": "重新开始", "temperature": "温度 T", "stopped": "模型，已停止",
           "empty": "请先输入消息。", "nothing": "还没有人说话。"},
}  # fmt: skip


def start(page, site, name, lang="en", *cells):
    lab.write_notebook(site.folder / f"{name}.ipynb", CELL.format(lang), *cells)
    lab.open_notebook(page, site, f"{name}.ipynb")
    lab.run_all(page)
    view = page.locator(CHAT).first
    view.locator("textarea").wait_for()
    return view


def type_message(page, view, text):
    view.locator("textarea").focus()
    page.keyboard.type(text)
    page.keyboard.press("Enter")


def count_of_words(view):
    return view.locator(".turn .said").last.inner_text().count("<b>")


@pytest.mark.parametrize(("lang", "theme"), [("en", "light"), ("zh", "dark")])
def test_a_conversation(page, site, lang, theme):
    words = WORDS[lang]
    view = start(page, site, f"chat-{theme}", lang)
    lab.theme(page, theme)
    cells = page.locator(".jp-Cell").count()
    executed = page.locator(".jp-InputPrompt").first.inner_text()

    view.get_by_label(words["temperature"]).focus()
    page.keyboard.press("End")
    view.locator("textarea").focus()
    page.keyboard.type("short a b d")
    page.keyboard.press("Shift+Enter")
    page.keyboard.type("x")
    page.keyboard.press("Enter")
    view.locator(".live .said", has_text="2 <b>").wait_for()
    assert view.locator("b").count() == 0
    lab.wait_for_kernel(page, "box.busy", "False")
    assert lab.kernel(page, "calls[0]") == r"('short a b d\nx', 2.0)"
    assert view.locator(".turn.user .said").inner_text() == "short a b d\nx"
    assert view.locator("textarea").input_value() == ""
    assert page.locator(".jp-Cell").count() == cells, "JupyterLab took a key for itself"
    assert page.locator(".jp-InputPrompt").first.inner_text() == executed, "Shift+Enter ran the cell"

    type_message(page, view, "a long one")
    view.locator(".live .said", has_text="3 <b>").wait_for()
    assert lab.kernel(page, "6 * 7") == "42", "the kernel answers meanwhile"
    view.get_by_role("button", name=words["stop"], exact=True).click()
    shown = count_of_words(view)
    view.get_by_text(words["stopped"]).wait_for(timeout=3000)
    assert count_of_words(view) <= shown + 10, "half a second for the way there and back"
    assert lab.kernel(page, "box.messages[-1]['stopped']") == "True"

    type_message(page, view, " ")
    view.get_by_text(words["empty"]).wait_for()
    view.get_by_role("button", name=words["over"]).click()
    view.get_by_text(words["nothing"]).wait_for()
    assert lab.kernel(page, "box.messages") == "[]"
    assert not lab.errors(page)


def test_stop_reaches_a_reply_while_a_cell_runs(page, site):
    view = start(page, site, "chat-busy", "en", "end = time.time() + 6\nwhile time.time() < end: pass\n'done'")
    type_message(page, view, "a long one")
    view.locator(".live .said", has_text="3 <b>").wait_for()
    page.evaluate(
        """() => { const {content, sessionContext} = window.jupyterapp.shell.currentWidget;
             sessionContext.session.kernel.requestExecute({code: content.widgets[1].model.sharedModel.getSource()}); }"""
    )
    page.wait_for_timeout(500)
    view.get_by_role("button", name="Stop", exact=True).click()
    view.get_by_text("Model, stopped").wait_for(timeout=3000)


def test_an_interrupt_leaves_box_and_kernel_usable(page, site):
    view = start(page, site, "chat-interrupted")
    type_message(page, view, "a long one")
    view.locator(".live .said", has_text="3 <b>").wait_for()
    page.evaluate("() => window.jupyterapp.shell.currentWidget.sessionContext.session.kernel.interrupt()")
    page.wait_for_timeout(500)
    assert lab.kernel(page, "1 + 1") == "2"
    view.get_by_role("button", name="Stop", exact=True).click()
    lab.wait_for_kernel(page, "box.busy", "False")
    type_message(page, view, "short")
    view.locator(".turn", has_text="9 <b>").wait_for()
    assert not lab.errors(page)


def test_after_a_restart_running_again_works(page, site):
    view = start(page, site, "chat-restarted")
    type_message(page, view, "a long one")
    view.locator(".live .said", has_text="3 <b>").wait_for()
    page.evaluate("() => window.jupyterapp.shell.currentWidget.sessionContext.session.kernel.restart()")
    page.wait_for_timeout(1500)
    if view.count():  # JupyterLab may take the dead view away by itself
        view.get_by_role("button", name="Stop", exact=True).click()
        view.get_by_text("No answer from the kernel").wait_for(timeout=20_000)
    lab.run_all(page)
    view = page.locator(CHAT).last
    view.get_by_text("Nothing has been said yet.").wait_for()
    type_message(page, view, "short")
    view.locator(".turn", has_text="9 <b>").wait_for()
    assert not lab.errors(page)


def test_two_views_and_an_error(page, site):
    view = start(page, site, "chat-twice", "en", "box")
    second = page.locator(CHAT).nth(1)
    second.locator("textarea").wait_for()
    type_message(page, view, "short")
    for place in (view, second):
        place.locator(".turn", has_text="9 <b>").wait_for()
    lab.kernel(page, "setattr(box, 'reply', lambda m, t, e: 1 / 0)")
    type_message(page, second, "again")
    for place in (view, second):
        place.locator(".problem", has_text="ZeroDivisionError").wait_for()
    assert second.locator("textarea").input_value() == "again"
    lab.kernel(page, "setattr(box, 'reply', lambda m, t, e: ['fine'])")
    second.locator("textarea").press("Enter")
    view.locator(".turn", has_text="fine").wait_for()
    assert not lab.errors(page)
