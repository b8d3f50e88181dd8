"""Lesson 1.2 in a real JupyterLab, both languages: run to its end, then reviews typed."""

import lab
import pytest

from lmcourse import workfolder

WORDS = {
    "en": {
        "praise": "praise with probability",
        "empty": "Type a review",
        "foreign": "cannot judge",
        "cut": "first 128",
    },
    "zh": {"praise": "是好评的概率", "empty": "请输入", "foreign": "判断不了", "cut": "前 128 个字"},
}


@pytest.fixture(scope="module", params=["en", "zh"])
def pipeline(request, browser, tmp_path_factory):
    """Lesson 1.2 opened from a work folder as `lmcourse lab` makes it, and run to its end."""
    folder = tmp_path_factory.mktemp(f"work-{request.param}")
    workfolder.update(folder, request.param)
    with lab.server(folder, lang=request.param) as site:
        page = browser.new_page(viewport={"width": 1280, "height": 1000})
        lab.open_notebook(page, site, f"{request.param}/1_concepts/02_the_pipeline.ipynb")
        lab.run_all(page, timeout=300)
        yield page, request.param
        page.close()


def verdict_after(page, text: str, word: str) -> str:
    """Type a text into the review box and wait until the answer holds the word."""
    page.locator("textarea:not([readonly])").last.fill(text)
    answer = page.locator(".widget-html-content", has_text=word).last
    answer.wait_for(timeout=15_000)
    return answer.inner_text()


def test_a_typed_review_changes_the_answer(pipeline):
    page, language = pipeline
    words = WORDS[language]
    praise = verdict_after(page, "房间干净，服务很好，非常满意，下次还会来", words["praise"])
    page.wait_for_timeout(300)
    complaint = verdict_after(page, "房间很脏，服务太差，非常失望，再也不来了", words["praise"])
    page.wait_for_timeout(500)
    complaint = verdict_after(page, "房间很脏，服务太差，非常失望，再也不来了", words["praise"])
    assert praise != complaint
    probability = [float(text.split()[-1].split("：")[-1]) for text in (praise, complaint)]
    assert probability[0] > probability[1]


@pytest.mark.parametrize(
    ("text", "kind"),
    [("", "empty"), ("😀😀😀", "foreign"), ("A lovely stay, thank you", "foreign"), ("好" * 100_000, "cut")],
    ids=["nothing", "emoji", "English", "100,000 characters"],
)
def test_an_odd_text_gets_a_sensible_answer(pipeline, text, kind):
    page, language = pipeline
    verdict_after(page, "房间干净", WORDS[language]["praise"])
    verdict_after(page, text, WORDS[language][kind])


def test_a_typed_tag_is_shown_as_text(pipeline):
    page, language = pipeline
    verdict_after(page, "<img src=x onerror=alert(1)>很好", WORDS[language]["foreign"])
    assert page.locator(".widget-html-content img").count() == 0


def test_the_diagram_is_filled(pipeline):
    page, language = pipeline
    boxes = page.locator(".lmw li.done")
    assert boxes.count() >= 6
    assert not lab.errors(page)


def test_no_cell_writes_to_standard_error(pipeline):
    page, _ = pipeline
    written = page.evaluate(
        """() => window.jupyterapp.shell.currentWidget.content.widgets.flatMap((cell) =>
             (cell.model.outputs?.toJSON() ?? []).filter((o) => o.name === "stderr").map((o) => String(o.text)))"""
    )
    assert written == []
