"""Python's own documentation and library: English prose and code that every Python brings along.

Source: the help texts of the language reference (`pydoc_data.topics`) and the `.py` files of the standard library, both by the Python
Software Foundation and its contributors, under the PSF licence version 2. They are read from the running Python, nothing is
downloaded. Both grow with the Python version, so sizes are to be printed, not relied on.
"""

import ast
import hashlib
import sysconfig
import tokenize
import warnings
from collections import Counter, defaultdict
from pathlib import Path

from lmcourse.language import CourseError

# tests and bundled wheels are not the library; pydoc_data holds the topics, and so would carry held-out topics into the training text
_LEFT_OUT = {"test", "tests", "idle_test", "site-packages", "dist-packages", "__pycache__", "pydoc_data", "_vendor"}
_DOCUMENTED = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef


def load() -> dict[str, str]:
    """The topics of Python's language reference, as `help("TOPIC")` prints them.

    Returns:
        topic → text, in alphabetical order; about 80 topics, half a megabyte.
    """
    from pydoc_data.topics import topics

    return {name: topics[name].strip() + "\n" for name in sorted(topics)}


def source() -> dict[str, str]:
    """The standard library's modules, without its tests.

    Returns:
        path relative to the library ("json/decoder.py") → source text, in alphabetical order; about 700 files, 12 megabytes.

    Raises:
        CourseError: when this Python came without its library's source.
    """
    root = Path(sysconfig.get_path("stdlib"))
    names = (path.relative_to(root) for path in root.rglob("*.py"))
    names = sorted(name.as_posix() for name in names if not _LEFT_OUT.intersection(name.parts))
    if not names:
        raise CourseError(
            en=f"No source of the standard library lies in {root}. Use a Python from python.org, conda or your system's packages.",
            zh=f"{root} 中没有标准库的源代码。请使用来自 python.org、conda 或系统软件包的 Python。",
        )
    return {name: _read(root / name) for name in names}


def docstrings() -> dict[str, str]:
    """The docstrings of the standard library, indentation removed: the prose among its code.

    Returns:
        path → all docstrings of that module, in the order of the file, with an empty line between; about 2 megabytes.
    """
    found = {}
    for name, code in source().items():
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # some modules escape characters that need none
            tree = ast.parse(code)
        nodes = [node for node in ast.walk(tree) if isinstance(node, _DOCUMENTED)]
        texts = [ast.get_docstring(node) for node in sorted(nodes, key=lambda node: getattr(node, "lineno", 0))]
        if any(texts):
            found[name] = "\n\n".join(text for text in texts if text) + "\n"
    return found


def families(documents: dict[str, str]) -> dict[str, str]:
    """Which documents belong together because they repeat each other: name → name of the family's first document.

    The topics do: "compound" contains "for", "if" and "class" word by word. Documents that share two lines of at least 40 characters are
    one family, and so are their families.
    """
    parent = {name: name for name in documents}

    def first(name):
        while parent[name] != name:
            name = parent[name]
        return name

    holders, shared = defaultdict(list), Counter()
    for name, text in documents.items():
        for line in _long_lines(text):
            shared.update((earlier, name) for earlier in holders[line])
            holders[line].append(name)
    for (one, other), lines in shared.items():
        if lines >= 2:
            low, high = sorted((first(one), first(other)))
            parent[high] = low
    return {name: first(name) for name in documents}


def split(documents: dict[str, str], held_out: float = 0.15) -> tuple[dict[str, str], dict[str, str]]:
    """Keep whole families of documents back, so that no text is trained on in one half and tested in the other.

    The name of a family's first document decides its side (by its hash), whatever other families there are.

    Args:
        documents: name → text.
        held_out: the share of families to keep back, on average.

    Returns:
        (documents to train on, documents held out), in the given order.
    """
    family = families(documents)
    kept = {name: text for name, text in documents.items() if _fraction(family[name]) >= held_out}
    return kept, {name: text for name, text in documents.items() if name not in kept}


def split_three(
    documents: dict[str, str], held_out: float = 0.15, choose: float = 0.15, largest: int = 50_000
) -> tuple:
    """As `split`, and some more documents kept back to choose by (steps, orders, rates): the held-out ones choose nothing.

    Args:
        documents: name → text.
        held_out, choose: the shares of families.
        largest: bytes; a family larger than that is not kept to choose by, since it would be too much to lose to learning.

    Returns:
        (documents to train on, documents to choose by, documents held out), in the given order.
    """
    learn, unseen = split(documents, held_out)
    _, back = split(learn, held_out + choose)
    family, size = families(back), Counter()
    for name, text in back.items():
        size[family[name]] += len(text.encode())
    back = {name: text for name, text in back.items() if size[family[name]] <= largest}
    return {name: text for name, text in learn.items() if name not in back}, back, unseen


def apart(documents: dict[str, str], others: dict[str, str]) -> dict[str, str]:
    """The documents that repeat none of the others, in the sense of `families`: for training texts of another kind.

    Returns:
        name → text, in the given order.
    """
    known = set().union(*map(_long_lines, others.values()))
    return {name: text for name, text in documents.items() if len(known & _long_lines(text)) < 2}


def _long_lines(text: str) -> set[str]:
    return {line for line in map(str.strip, text.splitlines()) if len(line) >= 40}


def _fraction(name: str) -> float:
    """A number from 0 to 1 that looks random and is always the same for the same name."""
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:6], "big") / 2**48


def _read(path: Path) -> str:
    with tokenize.open(path) as file:  # obeys a file's own `coding` line
        return file.read()
