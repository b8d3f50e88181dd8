"""The activation explorer and the attention viewer in a real JupyterLab, with a kernel and without."""

import json

import lab
import nbformat
import pytest

from lmcourse import export

LANGUAGE = "from lmcourse import language\nlanguage.use({!r})"
EXPLORER = """from lmcourse.widgets.activation_explorer import activation_explorer
w = activation_explorer("sigmoid", x=1, depth=10)
w"""
VIEWER = """import numpy as np
from lmcourse.widgets.attention_viewer import attention_viewer
s = np.where(np.tril(np.ones((6, 6))), np.random.default_rng(0).normal(size=(2, 4, 6, 6)), -np.inf)
p = np.exp(s) / np.exp(s).sum(-1, keepdims=True)
v = attention_viewer(p, list({!r}))
v"""
WORDS = {"en": "attend", "zh": "小猫坐垫子上"}
LIVE = ".jp-OutputArea-output .lmw"
STATIC = ".jp-OutputArea-output img"
ERROR = "text=/Error displaying widget|Error creating widget|Loading widget|Traceback/"


def start(page, site, name, lang, *cells):
    path = f"{name}-{lang}.ipynb"
    lab.write_notebook(site.folder / path, LANGUAGE.format(lang), *cells)
    lab.open_notebook(page, site, path)
    lab.run_all(page)
    page.locator(LIVE).first.wait_for()
    page.locator(LIVE).first.scroll_into_view_if_needed()
    page.wait_for_timeout(300)
    return path


@pytest.mark.parametrize(("lang", "theme"), [("en", "light"), ("zh", "dark")])
def test_explorer_answers_keys_and_drags(page, site, lang, theme):
    start(page, site, f"explorer-{theme}", lang, EXPLORER)
    lab.theme(page, theme)
    cells = page.locator(".jp-Cell").count()
    curve, bars = lab.picture(page, nth=0), lab.picture(page, nth=1)

    page.get_by_label("x", exact=True).locator("visible=true").first.focus()
    for _ in range(5):
        page.keyboard.press("ArrowRight")
    lab.wait_for_kernel(page, "w.x", "1.05")
    assert lab.picture(page, nth=0) != curve and lab.picture(page, nth=1) != bars
    assert "f(1.05) = 0.741" in page.locator(LIVE).inner_text()

    curve = lab.picture(page, nth=0)
    lab.drag(page, page.locator(f"{LIVE} canvas").first, (0.5, 0.5), (0.9, 0.5))
    assert lab.picture(page, nth=0) != curve
    shown = page.get_by_label("x", exact=True).first.input_value()
    assert 4 < float(shown) < 6
    lab.wait_for_kernel(page, "w.x == " + shown, "True")

    page.get_by_label({"en": "layers", "zh": "层数"}[lang], exact=True).first.focus()
    page.keyboard.press("End")
    lab.wait_for_kernel(page, "w.depth", "50")
    assert {"en": "The gradient vanishes", "zh": "梯度消失"}[lang] in page.locator(LIVE).inner_text()

    page.get_by_label({"en": "function", "zh": "函数"}[lang], exact=True).first.select_option("relu")
    lab.wait_for_kernel(page, "w.function", "'relu'")
    assert page.locator(".jp-Cell").count() == cells, "JupyterLab took a key for itself"


def test_kernel_moves_every_view(page, site):
    start(page, site, "views", "en", EXPLORER, "w")
    page.locator(LIVE).nth(1).wait_for()
    lab.kernel(page, "setattr(w, 'x', -2.5)")
    for view in (0, 1):
        page.locator(LIVE).nth(view).get_by_text("f(−2.50)").wait_for()
    page.get_by_label("x", exact=True).nth(0).focus()
    page.keyboard.press("ArrowRight")
    page.locator(LIVE).nth(1).get_by_text("f(−2.49)").wait_for()


def test_theme_changes_the_drawing(page, site):
    start(page, site, "theme", "en", EXPLORER)
    lab.theme(page, "light")
    light = lab.picture(page)
    lab.theme(page, "dark")
    dark = lab.picture(page)
    lab.theme(page, "light")
    assert dark != light == lab.picture(page)


@pytest.mark.parametrize(("lang", "theme"), [("zh", "light"), ("en", "dark")])
def test_viewer_answers_keys_and_drags(page, site, lang, theme):
    start(page, site, f"viewer-{theme}", lang, VIEWER.format(WORDS[lang]))
    lab.theme(page, theme)
    large = page.locator("canvas.cells")
    last = page.locator(f"{LIVE} canvas").count() - 1

    def pictures():
        return [lab.picture(page, "canvas.cells"), lab.picture(page, nth=last)]

    before = pictures()
    large.focus()
    for key in ("ArrowDown", "ArrowDown", "ArrowRight"):
        page.keyboard.press(key)
    lab.wait_for_kernel(page, "v.query, v.key", "(2, 1)")
    assert all(a != b for a, b in zip(before, pictures(), strict=True))
    weight = lab.kernel(page, "f'{p[0, 0, 2, 1]:.3f}'").strip("'")
    assert weight in large.get_attribute("aria-label")

    before = pictures()
    lab.drag(page, large, (0.5, 0.5), (0.6, 0.8))
    assert all(a != b for a, b in zip(before, pictures(), strict=True))
    assert lab.kernel(page, "v.query") != "2"

    before = pictures()
    page.get_by_label({"en": "temperature T", "zh": "温度 T"}[lang]).first.focus()
    page.keyboard.press("Home")
    lab.wait_for_kernel(page, "v.temperature", "0.125")
    assert all(a != b for a, b in zip(before, pictures(), strict=True))

    page.get_by_label({"en": "head 3", "zh": "头 3"}[lang]).first.press("Enter")
    lab.wait_for_kernel(page, "v.head", "3")
    page.get_by_label({"en": "layer", "zh": "层"}[lang], exact=True).first.select_option("1")
    lab.wait_for_kernel(page, "v.layer", "1")


def test_hover_shows_a_cell_and_leaves_the_choice(page, site):
    start(page, site, "hover", "en", VIEWER.format(WORDS["en"]))
    large = page.locator("canvas.cells")
    before, label = lab.picture(page, "canvas.cells"), large.get_attribute("aria-label")
    large.hover(position={"x": 150, "y": 200})
    assert lab.picture(page, "canvas.cells") != before
    assert large.get_attribute("aria-label") != label
    page.mouse.move(5, 5)
    assert lab.picture(page, "canvas.cells") == before
    assert lab.kernel(page, "v.query, v.key") == "(0, 0)"


def test_bad_input_is_a_sentence(page, site):
    own = """from lmcourse.widgets.activation_explorer import activation_explorer
def broken(x):
    raise RuntimeError("<img src=x onerror=alert(1)>")
activation_explorer(broken)"""
    start(page, site, "bad", "zh", own, VIEWER.format("三个字"))
    assert "<img src=x onerror=alert(1)>" in page.locator(LIVE).nth(0).locator(".problem").inner_text()
    assert page.locator(LIVE).nth(0).locator("img").count() == 0
    assert "词元有 3 个" in page.locator(LIVE).nth(1).locator(".problem").inner_text()


def test_after_a_restart_the_browser_still_computes(page, site):
    start(page, site, "restart", "en", EXPLORER)
    page.evaluate("() => window.jupyterapp.shell.currentWidget.sessionContext.session.kernel.restart()")
    page.wait_for_timeout(1000)
    before = lab.picture(page)
    page.get_by_label("x", exact=True).first.press("ArrowRight")
    page.wait_for_timeout(300)
    assert lab.picture(page) != before
    assert page.locator(ERROR).count() == 0
    lab.run_all(page)
    page.locator(LIVE).get_by_text("f(1.00)").wait_for()


# ---- without a kernel


@pytest.fixture(scope="module")
def saved(browser, site):
    """A notebook that a learner ran and saved in JupyterLab, twice, and closed; its kernel is gone."""
    page = browser.new_page()
    path = start(page, site, "saved", "en", EXPLORER, VIEWER.format(WORDS["en"]))
    page.locator(LIVE).nth(1).wait_for()
    lab.save(page)
    page.get_by_label("x", exact=True).first.press("ArrowRight")
    lab.wait_for_kernel(page, "w.x", "1.01")
    lab.save(page)
    assert page.locator(".jp-Dialog").count() == 0, "saving asked whether the file on disk had changed"
    page.evaluate("() => window.jupyterapp.shell.currentWidget.sessionContext.shutdown()")
    page.close()
    return path


def reopened(page, site, path):
    """Open without running anything; the numbers of pictures, live widgets and error boxes."""
    lab.open_notebook(page, site, path)
    page.wait_for_timeout(2500)  # an error box comes only after the widget manager gave up
    return [page.locator(selector).count() for selector in (STATIC, LIVE, ERROR)]


def trusted(page) -> bool:
    return page.evaluate("() => window.jupyterapp.shell.currentWidget.content.widgets.every((c) => c.model.trusted)")


def test_saved_notebook_reopens_trusted_with_its_pictures(page, site, saved):
    assert reopened(page, site, saved) == [2, 0, 0]
    assert trusted(page)
    alt = nbformat.read(site.folder / saved, as_version=4).cells[1].outputs[0].metadata["image/png"]["alt"]
    assert alt.startswith("Activation explorer, sigmoid. At x = 1.00")
    lab.run_all(page)
    page.locator(LIVE).nth(1).wait_for()
    assert page.locator(STATIC).count() == 0


def test_saved_notebook_reopens_untrusted_with_its_pictures(page, site, saved):
    copy = site.folder / "downloaded.ipynb"
    notebook = json.loads((site.folder / saved).read_text("utf-8"))
    notebook["cells"][0]["source"] += "\n# changed by someone else, so no longer signed"
    copy.write_text(json.dumps(notebook), "utf-8")
    assert reopened(page, site, "downloaded.ipynb") == [2, 0, 0]
    assert not trusted(page)


def test_without_the_hook_the_error_box_would_appear(page, site, saved):
    """The reason for the hook; when JupyterLab falls back to the picture by itself, the hook can go."""
    notebook = nbformat.read(site.folder / saved, as_version=4)
    for cell in notebook.cells[1:]:
        cell.outputs[0].data[export.VIEW] = {"model_id": "0" * 32, "version_major": 2, "version_minor": 0}
        cell.metadata["trusted"] = True
    path = site.folder / "unstripped.ipynb"
    nbformat.write(notebook, path)
    lab.trust(site, path)
    pictures, live, boxes = reopened(page, site, "unstripped.ipynb")
    assert trusted(page) and (pictures, live) == (0, 0) and boxes > 0


def test_exported_page_shows_the_pictures_offline(browser, site, saved):
    page_file = export.export(site.folder / saved)
    context = browser.new_context(offline=True)
    page = context.new_page()
    page.goto(page_file.as_uri(), wait_until="domcontentloaded")
    alts = [image.get_attribute("alt") for image in page.locator("img").all()]
    assert [alt.split(".")[0].split(":")[0] for alt in alts] == ["Activation explorer, sigmoid", "Attention viewer"]
    for image in page.locator("img").all():
        assert image.evaluate("(image) => image.complete && image.naturalWidth > 300")
    assert "Error displaying" not in page.inner_text("body")
    context.close()
