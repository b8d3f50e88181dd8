"""A learner answers wrongly, takes a hint, answers rightly, and sees the progress change: in a real JupyterLab, both languages."""

import shutil

import lab
import pytest

from lmcourse import workfolder

WORDS = {
    "en": {
        "wrong": "size of each number",
        "todo": "Replace the ...",
        "hint": "Hint 1/3",
        "right": "passed",
        "yours": "use your relu",
    },
    "zh": {
        "wrong": "绝对值",
        "todo": "先把上一个单元格里的 ...",
        "hint": "提示 1/3",
        "right": "通过",
        "yours": "用你写的 relu",
    },
}


@pytest.fixture(scope="module", params=["en", "zh"])
def work(request, browser, tmp_path_factory):
    """JupyterLab on a work folder as `lmcourse lab` makes it, and the language."""
    folder = tmp_path_factory.mktemp(f"work-{request.param}")
    workfolder.update(folder, request.param)
    with lab.server(folder, lang=request.param) as site:
        yield site, request.param


@pytest.fixture
def start(work, browser, request):
    """A copy of lesson 0.1, opened and run to its end."""
    site, language = work
    lesson = site.folder / language / "0_start/01_start_here.ipynb"
    shutil.copy(lesson, lesson.with_name(f"{request.node.originalname}.ipynb"))
    page = browser.new_page(viewport={"width": 1280, "height": 1000})
    lab.open_notebook(page, site, f"{language}/0_start/{request.node.originalname}.ipynb")
    lab.run_all(page, timeout=180)
    yield page, WORDS[language]
    page.close()


def cell(page, text: str):
    """The code cell that holds a text."""
    return page.locator(".jp-CodeCell", has_text=text).first


def run(page, code) -> None:
    """Run a cell with Shift+Enter, as a learner does."""
    code.locator(".cm-content").click()
    page.keyboard.press("Shift+Enter")


def answer(page, body: str) -> None:
    """Type an answer over the stub and run it, then its check."""
    stub = cell(page, "def relu(x)")
    stub.locator(".cm-content").click()
    page.keyboard.press("Control+a")
    page.keyboard.insert_text(f"def relu(x):\n    {body}")
    page.keyboard.press("Shift+Enter")
    run(page, cell(page, "ex.relu.check(relu)"))


def test_wrong_hint_right_and_the_progress_follows(start):
    page, words = start
    check = cell(page, "ex.relu.check(relu)")
    check.get_by_text(words["todo"]).wait_for()
    table = cell(page, "progress.show()").locator(".jp-OutputArea")
    before = table.inner_text()

    answer(page, "return np.abs(x)")
    check.get_by_text(words["wrong"]).wait_for(timeout=20_000)

    hint = cell(page, "ex.relu.hint()")
    hint.get_by_text(words["hint"]).wait_for()

    answer(page, "return np.maximum(0, x)")
    check.get_by_text(words["yours"]).wait_for(timeout=20_000)
    assert words["right"] in check.inner_text()
    page.wait_for_function(
        "([table, before]) => table.innerText !== before", arg=[table.element_handle(), before], timeout=10_000
    )
    assert not lab.errors(page)


def test_an_answer_that_raises_shows_no_traceback_of_ours(start):
    page, _ = start
    answer(page, "return x.nothing")
    check = cell(page, "ex.relu.check(relu)")
    check.get_by_text("AttributeError").wait_for(timeout=20_000)
    assert "Traceback" not in check.inner_text() and "lmcourse/" not in check.inner_text()


def test_an_endless_loop_ends_and_the_kernel_lives(start):
    page, _ = start
    answer(page, "while True: pass")
    check = cell(page, "ex.relu.check(relu)")
    page.wait_for_timeout(500)
    check.get_by_text("relu").first.wait_for(timeout=60_000)
    assert lab.kernel(page, "1 + 1") == "2"
