"""The rules of the house that a machine can read: floors, sizes, empty `__init__`, one setting for the public address."""

import ast
import re
import tomllib
from importlib import import_module
from pathlib import Path

import pytest
from anywidget import AnyWidget

ROOT = Path(__file__).resolve().parent.parent
FLOORS = [
    {"language", "accelerators"},
    {"plotting", "course", "device", "data", "tokenizers", "layers", "gguf_files", "checkpoints", "generation"},
    {"models", "widgets"},
    {"training"},
    {"exercises", "serving"},
    {"cli", "doctor", "workfolder", "export"},
]
MODULES = sorted((ROOT / "lmcourse").rglob("*.py"))
HEAVY = {"tensorflow", "keras", "sklearn", "jax", "torch"}
MAY_BE_HEAVY = {"layers", "models", "training", "generation"}


def room(path: Path) -> str:
    """The module or folder directly below `lmcourse/` that a file belongs to."""
    return path.relative_to(ROOT / "lmcourse").parts[0].removesuffix(".py")


def floor(name: str) -> int:
    (level,) = [i for i, names in enumerate(FLOORS) if name in names]
    return level


def imported_rooms(tree: ast.AST) -> set[str]:
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] == "lmcourse":
            parts = node.module.split(".")
            found |= {parts[1]} if len(parts) > 1 else {alias.name for alias in node.names}
        if isinstance(node, ast.Import):
            found |= {a.name.split(".")[1] for a in node.names if a.name.startswith("lmcourse.")}
    return found - {"__version__"}


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(ROOT)))
def test_module(path):
    text = path.read_text(encoding="utf-8")
    if path.name == "__init__.py":
        assert path.parent == ROOT / "lmcourse" or text == "", "an __init__ stays empty"
        return
    assert len(text.splitlines()) <= 300, "split it by idea"
    tree = ast.parse(text)
    assert ast.get_docstring(tree), "a module says what it is"
    here = room(path)
    for other in imported_rooms(tree) - {here}:
        # the top floor is one room: the command and its parts
        same_top = {here, other} <= FLOORS[-1]
        assert floor(other) < floor(here) or same_top, f"{here} may not import {other}"
    if here not in MAY_BE_HEAVY:
        for node in tree.body:
            names = (
                [a.name for a in node.names] if isinstance(node, ast.Import) else [getattr(node, "module", "") or ""]
            )
            heavy = (
                HEAVY & {name.split(".")[0] for name in names}
                if isinstance(node, ast.Import | ast.ImportFrom)
                else set()
            )
            assert not heavy, f"import {heavy} where it is used"


@pytest.mark.parametrize("path", sorted((ROOT / "lessons").glob("*/*.md")), ids=lambda p: p.name)
def test_lesson_is_short_enough(path):
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 800


def test_javascript_stays_small():
    """Sent with every widget, over a slow connection too."""
    for path in (ROOT / "lmcourse/widgets").glob("*.py"):
        for value in vars(import_module(f"lmcourse.widgets.{path.stem}")).values():
            if isinstance(value, type) and issubclass(value, AnyWidget):
                assert len(getattr(value, "_esm", "")) <= 30_000, f"{path.stem} sends more than 30 kB of JavaScript"


def test_recordings_stay_small():
    recorded = list((ROOT / "lmcourse/data/recorded").glob("**/*"))
    assert all(p.stat().st_size <= 5e6 for p in recorded)
    assert sum(p.stat().st_size for p in recorded) <= 60e6


def test_the_public_address_is_named_in_one_place():
    address = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["urls"]["Repository"]
    slug = address.removeprefix("https://github.com/")
    hand_written = [
        p
        for pattern in (
            "lmcourse/**/*.py",
            "lessons/**/*.md",
            "lessons/*.py",
            "tests/**/*.py",
            "binder/*",
            "*.yml",
            "*.txt",
            "Makefile",
            "CONTRIBUTING.md",
        )
        for p in ROOT.glob(pattern)
        if p.is_file() and "__pycache__" not in p.parts
    ]
    assert not [p for p in hand_written if f"github.com/{slug}" in p.read_text(encoding="utf-8")]
    for readme in ("README.md", "README.zh.md"):
        outside_table = re.sub(
            r"<!-- lessons -->.*<!-- /lessons -->", "", (ROOT / readme).read_text(encoding="utf-8"), flags=re.S
        )
        assert slug not in outside_table.replace("git clone " + address, "")
