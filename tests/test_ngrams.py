"""Fast counting against dictionaries, and what it must add up to."""

from collections import Counter, defaultdict

import numpy as np
import pytest

from lmcourse.exercises.counting import blend
from lmcourse.language import CourseError
from lmcourse.training.ngrams import counts

LEARN = ["abracadabra", "", "banana bandana\n", "中文也是字节"]
UNSEEN = ["cabana", "中国", "a"]


def by_dictionaries(learn, unseen, n, distinct):
    """The same counts, one byte at a time."""
    pairs, before = Counter(), defaultdict(set)
    for text in learn:
        data = bytes(n + 1) + text.encode()
        for at in range(n + 1, len(data)):
            pair = data[at - n : at], data[at]
            pairs[pair] += 1
            before[pair].add(data[at - n - 1])
    if distinct:
        pairs = Counter({pair: len(seen) for pair, seen in before.items()})
    rows = []
    for text in unseen:
        data = bytes(n) + text.encode()
        for at in range(n, len(data)):
            context = data[at - n : at]
            followers = [count for (c, _), count in pairs.items() if c == context]
            rows.append((pairs[context, data[at]], len(followers), sum(followers)))
    return np.array(rows).T


@pytest.mark.parametrize("distinct", [False, True])
@pytest.mark.parametrize("n", [0, 1, 2, 3, 8])
def test_counts_equal_those_of_dictionaries(n, distinct):
    np.testing.assert_array_equal(counts(LEARN, UNSEEN, n, distinct), by_dictionaries(LEARN, UNSEEN, n, distinct))


def test_the_blended_probabilities_of_all_bytes_sum_to_one():
    """Each possible byte is asked for as the last one of a text that begins alike."""
    asked = ["ban" + chr(b) for b in range(128)]
    p = 1 / 128  # these learn texts hold ASCII only
    for n in range(4):
        p = blend(*counts(LEARN[:3], asked, n, distinct=n < 3), p, 0.75)
    assert p.reshape(128, 4)[:, 3].sum() == pytest.approx(1)


def test_a_text_is_read_with_what_stands_before_it_only():
    """Counting bytes of other unseen texts, or of a neighbour's end, would show here."""
    alone = [counts(LEARN, [text], 2) for text in UNSEEN]
    np.testing.assert_array_equal(counts(LEARN, UNSEEN, 2), np.concatenate(alone, axis=1))


def test_nothing_to_count_is_refused():
    with pytest.raises(CourseError, match="no text to count"):
        counts(["", ""], UNSEEN, 2)
    with pytest.raises(CourseError, match="no text to count"):
        counts(LEARN, [], 2)
