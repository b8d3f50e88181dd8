"""The tokenizer explorer in a real JupyterLab: typing, keys, dragging and play change the picture and the kernel's value."""

import lab
import pytest

CELLS = (
    "from lmcourse import language\nlanguage.use({!r})",
    """from lmcourse.tokenizers import BytePairTokenizer
from lmcourse.widgets.tokenizer_explorer import tokenizer_explorer
table = BytePairTokenizer.train(["the theme then hens the other brother 很好 很不好 好吃 " * 3], 300, ())
w = tokenizer_explorer(table.merges, "the other 很好")
w""",
)
LIVE = ".jp-OutputArea-output .lmw"
WORDS = {
    "en": {"text": "Text", "merges": "merges applied", "play": "▶ Play", "none": "the tokens are the bytes"},
    "zh": {"text": "文本", "merges": "已做的合并", "play": "▶ 播放", "none": "词元就是字节"},
}


@pytest.mark.parametrize(("lang", "theme"), [("en", "dark"), ("zh", "light")])
def test_explorer_answers_typing_keys_drags_and_play(page, site, lang, theme):
    lab.write_notebook(site.folder / f"tokens-{lang}.ipynb", CELLS[0].format(lang), CELLS[1])
    lab.open_notebook(page, site, f"tokens-{lang}.ipynb")
    lab.run_all(page)
    view, words = page.locator(LIVE).first, WORDS[lang]
    view.locator("canvas").wait_for()
    view.scroll_into_view_if_needed()
    lab.theme(page, theme)
    cells = page.locator(".jp-Cell").count()
    slider = view.get_by_label(words["merges"], exact=True)
    most = int(slider.get_attribute("max"))
    assert most > 5 and lab.kernel(page, "w.applied") == str(most)

    def pairs():
        return view.locator(".tokens").nth(2).locator("span").all_inner_texts()

    assert pairs() == ["the", "␣other", "␣", "很", "好"] or "".join(pairs()) == "the␣other␣很好"
    curve = lab.picture(page, f"{LIVE} canvas")
    slider.focus()
    page.keyboard.press("Home")
    lab.wait_for_kernel(page, "w.applied", "0")
    assert words["none"] in view.inner_text() and len(pairs()) == 10 + 6
    assert lab.picture(page, f"{LIVE} canvas") != curve
    page.keyboard.press("ArrowRight")
    lab.wait_for_kernel(page, "w.applied", "1")

    curve = lab.picture(page, f"{LIVE} canvas")
    lab.drag(page, view.locator("canvas"), (0.1, 0.5), (0.95, 0.5))
    lab.wait_for_kernel(page, "w.applied", str(most))
    assert lab.picture(page, f"{LIVE} canvas") != curve

    view.get_by_role("button").filter(has_text=words["play"].split()[1]).click()
    lab.wait_for_kernel(page, "w.applied > 1", "True")
    lab.wait_for_kernel(page, "w.applied", str(most), seconds=30)
    assert words["play"] in view.inner_text(), "it stops at the end"

    view.get_by_label(words["text"], exact=True).fill("<b>好</b> 👍 a")
    lab.wait_for_kernel(page, "w.typed", repr("<b>好</b> 👍 a"))
    assert view.locator(".tokens b").count() == 0 and len(view.locator(".tokens").first.locator("span").all()) == 12
    view.get_by_label(words["text"], exact=True).focus()
    for key in ("j", "Enter", "b", "ArrowLeft", "Backspace"):
        page.keyboard.press(key)
    assert page.locator(".jp-Cell").count() == cells, "JupyterLab took a key for itself"
    # what was typed must have arrived, or it would overwrite what the kernel sets
    lab.wait_for_kernel(page, "w.typed", repr(view.get_by_label(words["text"], exact=True).input_value()))

    lab.kernel(page, "setattr(w, 'typed', 'from the kernel')")
    view.locator(".tokens").nth(3).get_by_text("kernel", exact=True).wait_for()
    dark = lab.picture(page, f"{LIVE} canvas")
    lab.theme(page, {"dark": "light", "light": "dark"}[theme])
    assert lab.picture(page, f"{LIVE} canvas") != dark
    lab.theme(page, "light")
