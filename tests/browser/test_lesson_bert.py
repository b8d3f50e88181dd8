"""Lesson 3.4's mask filler where the lesson shows it: a place chosen, a candidate put in, a text typed, odd texts answered."""

import lab
import pytest

WORDS = {
    "en": ("hidden place", "Type a text", "learned from Chinese", "first 48 of 100"),
    "zh": ("遮住的位置", "请输入", "只读过中文", "只读前 48 个"),
}


@lab.both_languages
def test_blanks_are_filled_and_odd_texts_answered(page, site, lang):
    lab.open_lesson(page, site, lang, "3_training/04_bert.ipynb", "filler")
    lab.run_all(page, timeout=300)
    slider, empty, foreign, cut = WORDS[lang]
    view = page.locator(lab.LIVE).last
    view.locator(".places button").first.wait_for()
    text = lab.kernel(page, "''.join(blanks_widget.pieces)").strip("'")

    view.get_by_label(slider, exact=True).focus()
    page.keyboard.press("End")
    lab.wait_for_kernel(page, "blanks_widget.place", str(len(text) - 1))
    candidate = view.locator(".fills button .name:not(.own)").first.inner_text()
    view.locator(".fills button", has=page.locator(".name:not(.own)")).first.click()
    lab.wait_for_kernel(page, "''.join(blanks_widget.pieces)", repr(text[:-1] + candidate))
    view.locator(".places button").last.get_by_text(candidate, exact=True).wait_for()

    def typed(words, expected):
        entry = view.locator("input[type=text]")
        entry.fill(words)
        entry.press("Enter")
        view.locator(".problem", has_text=expected).wait_for(timeout=30_000)

    typed("", empty)
    typed("<img src=x onerror=alert(1)>", foreign)
    typed("好" * 100, cut)
    assert view.locator("img").count() == 0 and view.locator(".places button").count() == 48
    view.locator("input[type=text]").fill("早餐很好")
    page.keyboard.press("Enter")
    lab.wait_for_kernel(page, "''.join(blanks_widget.pieces)", "'早餐很好'")
    assert view.locator(".problem").inner_text() == ""
    assert not lab.errors(page)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_every_place_can_be_read_in_both_themes(page, site, theme):
    """Text on its shade keeps a contrast of at least 4.5."""
    lab.write_notebook(
        site.folder / f"{theme}.ipynb",
        "import numpy as np\nfrom lmcourse.widgets.mask_filler import mask_filler\n"
        "mask_filler(lambda t: np.array([[2.0 ** -i, 1 - 2.0 ** -i] for i in range(len(t))]), '很好', '很' * 12, place=11)",
    )
    lab.open_notebook(page, site, f"{theme}.ipynb")
    lab.theme(page, theme)
    lab.run_all(page)
    view = page.locator(lab.LIVE).last
    view.locator(".places button").first.wait_for()
    page.wait_for_timeout(300)
    contrasts = view.locator(".places button").evaluate_all(
        """(buttons) => {
             const rgba = (css) => css.match(/[\\d.]+/g).map(Number);
             const luminance = (rgb) => rgb.map((c) => (c /= 255) <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
               .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
             return buttons.map((button) => {
               let [r, g, b, a = 1] = rgba(getComputedStyle(button).backgroundColor);
               const page = rgba(getComputedStyle(document.querySelector(".jp-Notebook")).backgroundColor);
               const back = [r, g, b].map((c, i) => c * a + page[i] * (1 - a));
               const [x, y] = [luminance(back), luminance(rgba(getComputedStyle(button).color).slice(0, 3))].sort((p, q) => q - p);
               return (x + 0.05) / (y + 0.05);
             });
           }"""
    )
    lab.theme(page, "light")
    assert min(contrasts) >= 4.5, contrasts
