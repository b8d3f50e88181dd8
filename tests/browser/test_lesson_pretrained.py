"""Lesson 3.5 in a real JupyterLab, both languages, to its end: talking with the real model in the chat box."""

import lab
import pytest

CHAT = ".jp-OutputArea-output .lmw.chat"
WORDS = {
    "en": {"stop": "Stop", "over": "Start over", "temperature": "temperature T", "stopped": "Model, stopped"},
    "zh": {"stop": "停止", "over": "重新开始", "temperature": "温度 T", "stopped": "模型，已停止"},
}


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_the_chat_box_talks_with_the_real_model(page, site, lang):
    words = WORDS[lang]
    lab.open_lesson(page, site, lang, "3_training/05_pretrained_models.ipynb", "chat")
    lab.run_all(page, timeout=400)
    view = page.locator(CHAT).last
    message = view.locator("textarea")
    message.wait_for()
    view.get_by_label(words["temperature"]).focus()
    page.keyboard.press("Home")
    lab.wait_for_kernel(page, "box.temperature", "0.0")

    message.fill("What is the capital of France?")
    message.press("Enter")
    view.locator(".turn.assistant", has_text="Paris").wait_for(timeout=60_000)
    lab.wait_for_kernel(page, "box.busy", "False", 60)

    message.fill("And of Italy?")
    message.press("Enter")
    view.locator(".turn.assistant", has_text="Rome").wait_for(timeout=60_000)
    lab.wait_for_kernel(page, "box.busy", "False", 60)

    message.fill("Tell me about the sea.")
    message.press("Enter")
    view.locator(".live .said", has_text="sea").wait_for(timeout=60_000)
    view.get_by_role("button", name=words["stop"], exact=True).click()
    view.get_by_text(words["stopped"]).wait_for(timeout=10_000)

    message.fill("word " * 600)
    message.press("Enter")
    view.locator(".problem", has_text="256").wait_for(timeout=30_000)
    assert message.input_value().startswith("word word")
    view.get_by_role("button", name=words["over"]).click()
    lab.wait_for_kernel(page, "box.messages", "[]")
    assert not lab.errors(page)
