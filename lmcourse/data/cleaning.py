"""From raw lines to text worth training on: tidying, copies, contradictions, and near copies by MinHash. Lesson 3.1 builds it by hand.

Two forms of a text are told apart: `tidy` gives the one that a model reads, `key` the one by which texts are compared. Left out on
purpose: language identification beyond counting Chinese characters, quality models, and anything that no lesson measures. The same
cleaning as a Spark job is in `spark_cleaning`.
"""

import html
import unicodedata
import zlib
from collections import defaultdict
from itertools import combinations

import numpy as np

SHORTEST, LONGEST = 4, 1000  # letters and digits of a review
PRIME = 2**31 - 1  # a · h + b stays below 2⁶² and so fits into uint64


def tidy(text: str) -> str:
    """The text that a model reads: HTML entities resolved, composed (NFC), without control characters, with single spaces.

    Everything in Unicode's class C goes except white space: control and format characters, private use, unassigned. An emoji that is
    joined from several falls apart into them.
    """
    text = unicodedata.normalize("NFC", html.unescape(text))
    return " ".join("".join(c for c in text if c.isspace() or unicodedata.category(c)[0] != "C").split())


def key(text: str) -> str:
    """The form by which texts are compared: letters and digits only, folded in width and case (NFKC), nothing to train on."""
    return "".join(c for c in unicodedata.normalize("NFKC", text).casefold() if c.isalnum())


def is_chinese(text: str) -> bool:
    """Whether at least half of the letters are Chinese characters."""
    letters = [c for c in text if c.isalpha()]
    return sum("\u4e00" <= c <= "\u9fff" for c in letters) * 2 >= max(len(letters), 1)


def clean(texts: list[str], labels) -> tuple[list[str], dict[str, list[int]]]:
    """Tidy labelled texts and take them through five filters.

    Args:
        texts: n strings.
        labels: n numbers.

    Returns:
        tidied: n strings.
        kept: name of the filter → places that are left after it, ascending. "length": SHORTEST to LONGEST letters and digits. "language":
            Chinese. "contradictions": the same key never stands under two labels. "copies": the first text of each key.
    """
    tidied = [tidy(text) for text in texts]
    keys = [key(text) for text in tidied]
    kept = {"length": [i for i in range(len(texts)) if SHORTEST <= len(keys[i]) <= LONGEST]}
    kept["language"] = [i for i in kept["length"] if is_chinese(tidied[i])]
    classes = defaultdict(set)
    for i in kept["language"]:
        classes[keys[i]].add(int(labels[i]))
    kept["contradictions"] = [i for i in kept["language"] if len(classes[keys[i]]) == 1]
    first = {}
    for i in kept["contradictions"]:
        first.setdefault(keys[i], i)
    kept["copies"] = list(first.values())
    return tidied, kept


def shingles(text: str, width: int = 3) -> set[str]:
    """All runs of `width` characters; a shorter text is its own only run."""
    return {text[i : i + width] for i in range(max(len(text) - width + 1, 1))}


def similarity(a: set, b: set) -> float:
    """Jaccard's: the share that two sets have in common of all that they have. Two empty sets are equal: 1."""
    return len(a & b) / len(a | b) if a | b else 1.0


def permutations(size: int = 128, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Factors and summands of `size` random orders h → (a h + b) mod PRIME: two (size,) uint64 arrays."""
    random = np.random.default_rng(seed)
    return random.integers(1, PRIME, size, dtype="uint64"), random.integers(0, PRIME, size, dtype="uint64")


def signature(pieces: set[str], a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """MinHash: the smallest place that any piece takes in each random order, (size,) uint64.

    Two sets agree at a place with a probability that equals their similarity.

    Args:
        pieces: a set of strings, not empty.
        a, b: see `permutations`.

    Source: Broder (1997), On the resemblance and containment of documents.
    """
    hashes = np.array([zlib.crc32(piece.encode()) % PRIME for piece in pieces], dtype="uint64")
    return ((hashes[:, None] * a + b) % PRIME).min(axis=0)


def candidates(signatures: np.ndarray, bands: int) -> list[tuple[int, int]]:
    """Locality-sensitive hashing: pairs of rows that agree in all numbers of at least one band.

    Args:
        signatures: (texts, size); size is a multiple of bands.
        bands: into how many runs a signature is cut.

    Returns:
        pairs (i, j), i < j, in order.
    """
    found = set()
    for band in np.split(np.asarray(signatures), bands, axis=1):
        buckets = defaultdict(list)
        for i, numbers in enumerate(band):
            buckets[numbers.tobytes()].append(i)
        for bucket in buckets.values():
            found.update(combinations(bucket, 2))
    return sorted(found)


def near_copies(
    texts: list[str], threshold: float = 0.5, size: int = 128, bands: int = 32
) -> dict[tuple[int, int], float]:
    """Pairs of texts whose keys have a similarity of at least `threshold`: MinHash proposes, the exact similarity decides.

    With 32 bands of 4 numbers a pair of similarity 0.7 is proposed with a probability of 0.9998, one of 0.5 with 0.87.

    Returns:
        (i, j) → similarity, i < j, in order.
    """
    a, b = permutations(size)
    sets = [shingles(key(text)) for text in texts]
    proposed = candidates([signature(pieces, a, b) for pieces in sets], bands) if texts else []
    found = {(i, j): similarity(sets[i], sets[j]) for i, j in proposed}
    return {pair: value for pair, value in found.items() if value >= threshold}
