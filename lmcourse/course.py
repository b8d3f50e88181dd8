"""Which lessons there are: read from the notebooks themselves, so that the package holds no list of them."""

import json
import re
from dataclasses import dataclass
from pathlib import Path

from lmcourse.language import CourseError, current


@dataclass(frozen=True)
class Lesson:
    """A lesson: its `number` ("1.2"), its `title` in the language in use, and the `topics` whose exercises it uses."""

    number: str
    title: str
    topics: tuple[str, ...]


def notebooks_folder() -> Path:
    """Where the notebooks are: inside an installed package, or in the repository of an editable install.

    Raises:
        CourseError: when there are none.
    """
    package = Path(__file__).resolve().parent
    for folder in (package / "notebooks", package.parent / "notebooks"):
        if (folder / "en").is_dir():
            return folder
    raise CourseError(
        en="This installation has no notebooks. Install lmcourse again from its repository.",
        zh="此安装中没有笔记本。请从代码仓库重新安装 lmcourse。",
    )


def lessons() -> list[Lesson]:
    """Every lesson, in the order of the course."""
    found = []
    for path in sorted((notebooks_folder() / current()).glob("[0-9]*/[0-9]*.ipynb")):
        cells = ["".join(cell["source"]) for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]]
        number, _, title = cells[0].splitlines()[0].removeprefix("# ").partition(" ")
        topics = re.findall(r"^from lmcourse\.exercises import (\w+) as ", "\n".join(cells), re.M)
        found.append(Lesson(number, title, tuple(topics)))
    return found
