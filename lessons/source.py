"""Read a lesson source: one Jupytext Markdown file, prose in pairs of language blocks, code once. Refuse what is malformed."""

import hashlib
import re
import sys
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path

import jupytext

ROOT = Path(__file__).resolve().parent.parent
LANGUAGES = ("en", "zh")
WORDS_A_MINUTE = 180
MINUTES_A_CODE_CELL = 0.5
MINUTES_TO_TRY = 4  # a widget under “Your turn”; what a first reader of 3.5 took

sys.path.insert(0, str(ROOT))


class LessonError(Exception):
    """A lesson source is broken; the message names file and line."""


@dataclass
class Cell:
    """One cell of a lesson, in both languages.

    Attributes:
        id: stable notebook cell id.
        text: language → Markdown, or {"code": source} for code.
        tags: as in the source.
        line: where it stands in the source, from 1.
        exercise: the object that checks it, for a cell tagged "exercise".
    """

    id: str
    text: dict[str, str]
    tags: list[str]
    line: int
    exercise: object = None

    @property
    def code(self) -> str | None:
        return self.text.get("code")


@dataclass
class Lesson:
    """A lesson: `path` below `lessons/`, `cells` for the notebook, `notes` for the teacher, `questions` in their order."""

    path: Path
    cells: list[Cell] = field(default_factory=list)
    notes: list[Cell] = field(default_factory=list)
    questions: list[object] = field(default_factory=list)

    @property
    def number(self) -> str:
        """Part and number, as in "1.2"."""
        return f"{self.path.parts[0].split('_')[0]}.{int(self.path.stem.split('_')[0])}"

    def title(self, language: str) -> str:
        first = self.cells[0].text[language].splitlines()[0]
        return first.removeprefix("#").strip()

    def sections(self) -> list[tuple[dict[str, str], float]]:
        """Each second-level heading with an estimate of its minutes: reading, running, trying and, for exercises, their own rating."""
        sections: list[tuple[dict[str, str], float]] = [
            ({language: self.title(language) for language in LANGUAGES}, 0.0)
        ]
        for cell in self.cells:
            minutes = MINUTES_A_CODE_CELL
            if cell.code is None:
                words = cell.text["en"]
                minutes = len(words.split()) / WORDS_A_MINUTE + MINUTES_TO_TRY * words.count("**Your turn")
                heads = {k: re.search(r"^## (.+)$", cell.text[k], re.M) for k in LANGUAGES}
                if all(heads.values()):
                    sections.append(({k: head.group(1) for k, head in heads.items()}, 0.0))
            if cell.exercise is not None:
                minutes = cell.exercise.minutes
            sections[-1] = (sections[-1][0], sections[-1][1] + minutes)
        return sections

    def minutes(self) -> int:
        """The whole lesson's estimate, to the next five minutes."""
        return max(5, 5 * round(sum(m for _, m in self.sections()) / 5))


def sources() -> list[Path]:
    """Every lesson source, in the order of the course, relative to `lessons/`."""
    folder = ROOT / "lessons"
    return sorted(p.relative_to(folder) for p in folder.glob("[0-9]*/[0-9]*.md"))


def read(path: Path, folder: Path = ROOT / "lessons") -> Lesson:
    """Read and check one lesson.

    Args:
        path: relative to `folder`, as in `1_concepts/02_the_pipeline.md`.

    Raises:
        LessonError: for a language block without its twin, two cells of one name, an exercise without its check, a solved or outdated
            stub, Markdown outside a language block.
    """
    text = (folder / path).read_text(encoding="utf-8")
    raw = jupytext.reads(text, fmt="md").cells
    lines = _lines(raw, text)

    def refuse(line: int, why: str):
        raise LessonError(f"lessons/{path}:{line}: {why}")

    lesson = Lesson(path)
    seen: set[str] = set()
    position = 0
    while position < len(raw):
        cell, line = raw[position], lines[position]
        tags, name = list(cell.metadata.get("tags", [])), cell.metadata.get("name")
        if cell.cell_type == "code":
            texts, key = {"code": cell.source}, cell.source
        else:
            language = cell.metadata.get("lang")
            if language is None:
                refuse(
                    line, 'Markdown outside a language block; put it between <!-- #region lang="en" --> and its twin.'
                )
            if language != "en":
                refuse(line, f"a block in {language!r} without an English one before it.")
            twin = raw[position + 1] if position + 1 < len(raw) else None
            if twin is None or twin.metadata.get("lang") != "zh" or twin.metadata.get("name") != name:
                refuse(line, f"the English block {name or ''} has no Chinese twin of the same name right after it.")
            texts, key = {"en": cell.source, "zh": twin.source}, cell.source
            position += 1
        position += 1
        if name is not None and name in seen:
            refuse(line, f"a second cell named {name!r}.")
        identifier = re.sub(r"[^A-Za-z0-9_-]", "-", name or hashlib.sha1(key.encode()).hexdigest()[:10])[:60]
        while identifier in seen:
            identifier += "-2"
        seen |= {identifier} | ({name} if name else set())
        target = lesson.notes if "teacher" in tags else lesson.cells
        target.append(Cell(identifier, texts, tags, line))
    if not lesson.cells or lesson.cells[0].code is not None or not lesson.cells[0].text["en"].startswith("# "):
        refuse(1, "a lesson begins with a block whose first line is its title, '# …'.")
    _find_exercises(lesson, refuse)
    return lesson


def _lines(cells, text: str) -> list[int]:
    """The line of each cell's first line of source."""
    lines, at, found = text.splitlines(), 0, []
    for cell in cells:
        first = cell.source.splitlines()[0] if cell.source else ""
        while at < len(lines) and lines[at] != first:
            at += 1
        found.append(min(at + 1, len(lines)))
        at += len(cell.source.splitlines())
    return found


def _find_exercises(lesson: Lesson, refuse) -> None:
    code = [cell for cell in lesson.cells if cell.code is not None]
    imports = re.findall(r"^from lmcourse\.exercises import (\w+) as (\w+)$", "\n".join(c.code for c in code), re.M)
    topics = {alias: import_module(f"lmcourse.exercises.{topic}") for topic, alias in imports}

    def lookup(cell, alias: str, name: str):
        found = getattr(topics.get(alias), name, None)
        if found is None:
            refuse(cell.line, f"{alias}.{name} is not an exercise or a question of any imported topic.")
        return found

    for cell, following in zip(code, code[1:] + [None], strict=True):
        for alias, name in re.findall(r"^(\w+)\.(\w+)\.ask\(\)", cell.code, re.M):
            lesson.questions.append(lookup(cell, alias, name))
        if "exercise" not in cell.tags:
            continue
        check = following and re.search(r"^(\w+)\.(\w+)\.check\(", following.code, re.M)
        if not check:
            refuse(cell.line, "an exercise whose check is not in the next code cell.")
        cell.exercise = lookup(cell, *check.groups())
        stub, solution = cell.exercise.stub_source().strip(), cell.exercise.solution_source().strip()
        if cell.code.strip() == solution:
            refuse(cell.line, "this exercise is already solved; put its stub here.")
        if cell.code.strip() != stub:
            refuse(cell.line, f"this stub differs from the exercise's own, which is:\n{stub}")
