"""An exercise on locality-sensitive hashing: candidate pairs by the bands of their signatures."""

from collections import defaultdict
from itertools import combinations

import numpy as np

from lmcourse.exercises.exercise import Case, exercise


def _numbers(texts, size, seed=0):
    return np.random.default_rng(seed).integers(0, 3, (texts, size))


@exercise(
    minutes=9,
    task_en="Propose the pairs of texts whose signatures agree in all numbers of at least one band.",
    task_zh="提出候选对：两条文本的签名至少有一个带中的数全部相同。",
    cases=lambda: [
        Case(
            np.array([[1, 2, 3, 4], [1, 2, 5, 6], [7, 8, 5, 6], [2, 1, 4, 3]]),
            2,
            label_en="four texts, two bands",
            label_zh="四条文本，两个带",
            expected=[(0, 1), (1, 2)],
        ),
        Case(_numbers(12, 6), 3, label_en="three bands of two", label_zh="三个带，每带两个数"),
        Case(_numbers(12, 6), 1, label_en="one band: all numbers must agree", label_zh="一个带：所有的数都要相同"),
        Case(_numbers(6, 6), 6, label_en="six bands of one number", label_zh="六个带，每带一个数"),
        Case(np.tile(_numbers(1, 4), (4, 1)), 2, label_en="four equal texts", label_zh="四条相同的文本"),
        Case(
            np.array([[5, 6, 1, 2], [1, 2, 5, 6]]),
            2,
            label_en="the same numbers in other bands",
            label_zh="同样的数在不同的带里",
            expected=[],
        ),
        Case(
            np.array([[1, 23], [12, 3]]),
            1,
            label_en="1 and 23 are not 12 and 3",
            label_zh="1、23 不是 12、3",
            expected=[],
        ),
    ],
    hints=[
        (
            "Comparing every pair is what we want to avoid. What do texts with an equal band have in common that a dict could use?",
            "要避免的正是两两比较。一个带完全相同的文本有什么共同点，可以拿来当字典的键？",
        ),
        (
            "For each band a fresh `defaultdict(list)`: the band's numbers as a tuple are the key, the text's place goes into the list.",
            "每个带用一个新的 `defaultdict(list)`：带中的数组成元组作键，文本的位置放进列表。",
        ),
        (
            "Whoever shares a bucket is a candidate: `combinations(bucket, 2)`. A set keeps each pair once; sort it at the end.",
            "同在一个桶里的就是候选：`combinations(bucket, 2)`。用集合保证每对只留一次，最后排序。",
        ),
    ],
)
def candidates(signatures, bands):
    """Pairs of texts that agree in all numbers of at least one band.

    signatures: (texts, size) whole numbers; bands: divides size. Returns a sorted list of pairs (i, j), i < j, each once.
    """
    found = set()
    for band in np.split(signatures, bands, axis=1):  # (texts, size / bands)
        buckets = defaultdict(list)
        for i, numbers in enumerate(band):
            buckets[tuple(numbers)].append(i)
        for bucket in buckets.values():
            found.update(combinations(bucket, 2))
    return sorted(found)


@candidates.mistake(
    en="All bands share one set of buckets, so band 1 of one text meets band 2 of another. Give each band its own.",
    zh="所有带共用一组桶，一条文本的第 1 带会碰上另一条的第 2 带。每个带要有自己的桶。",
)
def shares_the_buckets(signatures, bands):
    buckets = defaultdict(list)
    for band in np.split(signatures, bands, axis=1):
        for i, numbers in enumerate(band):
            buckets[tuple(numbers)].append(i)
    return sorted({(i, j) for bucket in buckets.values() for i, j in combinations(sorted(bucket), 2) if i != j})


@candidates.mistake(
    en="A pair that agrees in several bands is listed several times. Collect the pairs in a set.",
    zh="在几个带里都相同的一对，被列出了好几次。请用集合收集。",
)
def lists_pairs_again(signatures, bands):
    found = []
    for band in np.split(signatures, bands, axis=1):
        buckets = defaultdict(list)
        for i, numbers in enumerate(band):
            buckets[tuple(numbers)].append(i)
        for bucket in buckets.values():
            found += combinations(bucket, 2)
    return sorted(found)


@candidates.mistake(
    en="Here all bands must agree, so only nearly equal signatures meet. One band is enough.",
    zh="这里要求所有的带都相同，只有几乎一样的签名才能碰到一起。有一个带相同就够了。",
)
def wants_all_bands(signatures, bands):
    return [(i, j) for i, j in combinations(range(len(signatures)), 2) if np.array_equal(signatures[i], signatures[j])]


@candidates.mistake(
    en="`bands` is how many bands there are; here it was taken for how many numbers are in one.",
    zh="`bands` 是带的个数，这里把它当成了每带几个数。",
)
def takes_bands_for_rows(signatures, bands):
    return candidates.reference(signatures, signatures.shape[1] // bands)


@candidates.mistake(
    en="Only the first text of a bucket is paired with the others. All that share a bucket are candidates, each with each.",
    zh="桶里只有第一条文本与其余的配了对。同一个桶里的，两两都是候选。",
)
def pairs_with_the_first_only(signatures, bands):
    found = set()
    for band in np.split(signatures, bands, axis=1):
        first = {}
        for i, numbers in enumerate(band):
            if first.setdefault(tuple(numbers), i) != i:
                found.add((first[tuple(numbers)], i))
    return sorted(found)


@candidates.mistake(
    en="One equal number is enough here. A pair is proposed when all numbers of a band agree.",
    zh="这里有一个数相同就算。一个带里的数全部相同，才提出这一对。",
)
def one_number_is_enough(signatures, bands):
    return candidates.reference(signatures, signatures.shape[1])


@candidates.right
def by_comparing_all(signatures, bands):
    cut = np.asarray(signatures).reshape(len(signatures), bands, -1)
    pairs = combinations(range(len(signatures)), 2)
    return [(i, j) for i, j in pairs if (cut[i] == cut[j]).all(axis=1).any()]


@candidates.right
def by_bytes(signatures, bands):
    rows, found = signatures.shape[1] // bands, set()
    for start in range(0, signatures.shape[1], rows):
        seen = {}
        for j in range(len(signatures)):
            earlier = seen.setdefault(signatures[j, start : start + rows].tobytes(), [])
            found |= {(i, j) for i in earlier}
            earlier.append(j)
    return sorted(found)
