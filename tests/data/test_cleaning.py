"""The cleaning against brute force, scikit-learn and datasketch, and what must hold for any text."""

import html
import unicodedata
from itertools import combinations

import numpy as np
import pytest

from lmcourse.data import cleaning, reviews


def some_texts(n=400, seed=0):
    """Real reviews, among them damaged copies of one another at every similarity."""
    random = np.random.default_rng(seed)
    texts = [text for text in reviews.load(clean=True)[0] if len(text) > 12]
    texts = [texts[i] for i in random.choice(len(texts), n, replace=False)]
    rates = random.uniform(0, 0.3, n)
    copies = ["".join("某" if random.random() < rate else c for c in t) for t, rate in zip(texts, rates, strict=True)]
    return [*texts, *copies]


DIRT = ["  好\u3000吃\n", "&#183;&nbsp;e&#769;", "\u200b\x00\ue5e5", "Ａ１，", "", "👨‍👩‍👧 真棒"]


@pytest.mark.parametrize("text", [*DIRT, *some_texts(20)])
def test_a_tidy_text_is_composed_visible_and_stays_as_it_is(text):
    once = cleaning.tidy(text)
    assert once == unicodedata.normalize("NFC", once) == " ".join(once.split())
    assert all(unicodedata.category(c)[0] != "C" for c in once)
    if "&" not in html.unescape(text):
        assert cleaning.tidy(once) == once


def test_a_key_folds_width_case_punctuation_and_space():
    assert cleaning.key("ＡＢＣ １２，很 好！") == cleaning.key("abc12很好") == "abc12很好"
    assert cleaning.key("？！") == ""


def test_filters_in_order():
    texts = [
        "很不错的酒店",
        "很不错的酒店！",
        "一般",
        "Very good",
        "还会再来的",
        "还会再来的。",
        "好" * 1001,
        "&#183;又来了一次",
    ]
    tidied, kept = cleaning.clean(texts, [1, 1, 0, 1, 1, 0, 1, 1])
    assert tidied[7] == "·又来了一次"
    assert kept == {
        "length": [0, 1, 3, 4, 5, 7],
        "language": [0, 1, 4, 5, 7],
        "contradictions": [0, 1, 7],  # 4 and 5 say the same under both labels
        "copies": [0, 7],
    }
    assert cleaning.clean([], [])[1] == dict.fromkeys(kept, [])


def test_the_clean_reviews_hold_no_copy_and_no_contradiction():
    texts, labels = reviews.load()
    tidied, kept = cleaning.clean(texts, labels)
    keys = [cleaning.key(tidied[i]) for i in kept["copies"]]
    assert len(set(keys)) == len(keys)
    labels_of = {}
    for i in kept["language"]:
        labels_of.setdefault(cleaning.key(tidied[i]), set()).add(int(labels[i]))
    assert set(keys) == {key for key, found in labels_of.items() if len(found) == 1}
    everything = set(range(len(texts)))
    for places in kept.values():
        assert places == sorted(places) and set(places) <= everything
        everything = set(places)


def test_similarity_equals_scikit_learns():
    from sklearn.metrics import jaccard_score

    random = np.random.default_rng(0)
    for a, b in random.integers(0, 2, (50, 2, 20)):
        ours = cleaning.similarity(set(np.flatnonzero(a)), set(np.flatnonzero(b)))
        assert ours == pytest.approx(jaccard_score(a, b, zero_division=1.0))
    assert cleaning.similarity(set(), set()) == 1


@pytest.mark.parametrize("text", ["", "好", "好吃", "好吃吗", "好吃吗好吃吗"])
def test_shingles_of_short_texts(text):
    assert cleaning.shingles(text) == {text[i : i + 3] for i in range(max(1, len(text) - 2))}


def test_equal_numbers_estimate_the_similarity():
    a, b = cleaning.permutations(4096)
    for shared in (0, 10, 40, 60):  # of 60 pieces in each
        one = {f"{i}" for i in range(60)}
        two = {f"{i}" for i in range(60 - shared, 120 - shared)}
        exact = cleaning.similarity(one, two)
        guess = np.mean(cleaning.signature(one, a, b) == cleaning.signature(two, a, b))
        assert guess == pytest.approx(exact, abs=4 * np.sqrt(exact * (1 - exact) / 4096) + 1e-9)


def test_a_signature_does_not_overflow():
    a = np.array([cleaning.PRIME - 1], dtype="uint64")
    (ours,) = cleaning.signature({"很好吃"}, a, a)
    h = cleaning.zlib.crc32("很好吃".encode()) % cleaning.PRIME
    assert int(ours) == ((cleaning.PRIME - 1) * h + cleaning.PRIME - 1) % cleaning.PRIME


@pytest.mark.parametrize("bands", [1, 8, 32])
def test_candidates_equal_brute_force_and_datasketch(bands):
    datasketch = pytest.importorskip("datasketch", reason="datasketch is missing: install lmcourse[lessons]")
    numbers = np.random.default_rng(0).integers(0, 2 if bands == 1 else 4, (60, 32)).astype("uint64")
    numbers[7] = numbers[3]
    cut = numbers.reshape(60, bands, -1)
    expected = [(i, j) for i, j in combinations(range(60), 2) if (cut[i] == cut[j]).all(axis=1).any()]
    assert (3, 7) in expected and cleaning.candidates(numbers, bands) == expected
    if bands == 1:
        return  # datasketch wants two bands at least
    index, theirs = datasketch.MinHashLSH(num_perm=32, params=(bands, 32 // bands)), []
    for j, row in enumerate(numbers):
        one = datasketch.MinHash(num_perm=32)
        one.hashvalues = row
        theirs += [(i, j) for i in index.query(one)]
        index.insert(j, one)
    assert sorted(theirs) == expected


def test_near_copies_equal_brute_force():
    texts = some_texts()
    sets = [cleaning.shingles(cleaning.key(text)) for text in texts]
    exact = {(i, j): cleaning.similarity(sets[i], sets[j]) for i, j in combinations(range(len(texts)), 2)}
    expected = {pair: value for pair, value in exact.items() if value >= 0.7}
    found = cleaning.near_copies(texts, 0.7)
    assert found.items() <= expected.items() and len(expected) > 50
    assert len(found) >= 0.995 * len(expected)  # 0.9998 each
    assert list(found) == sorted(found)


def test_all_near_copies_of_the_reviews_are_found():
    """Against every pair that shares one of its rarest shingles, as any pair of similarity 0.6 must."""
    texts, labels = reviews.load()
    tidied, kept = cleaning.clean(texts, labels)
    texts = [tidied[i] for i in kept["copies"]]
    sets = [cleaning.shingles(cleaning.key(text)) for text in texts]
    count = {}
    for pieces in sets:
        for piece in pieces:
            count[piece] = count.get(piece, 0) + 1
    meeting, expected = {}, {}
    for j, pieces in enumerate(sets):
        rare = sorted(pieces, key=lambda piece: (count[piece], piece))
        for piece in rare[: len(pieces) - int(np.ceil(0.6 * len(pieces))) + 1]:
            for i in meeting.setdefault(piece, []):
                if (i, j) not in expected:
                    expected[i, j] = cleaning.similarity(sets[i], pieces)
            meeting[piece].append(j)
    expected = {pair for pair, value in expected.items() if value >= 0.6}
    found = set(cleaning.near_copies(texts, 0.6))
    assert len(expected) > 80 and found <= expected
    assert len(expected - found) <= 2  # 1.2 % are missed at exactly 0.6, hardly any above


def test_nothing_to_compare():
    assert cleaning.near_copies([]) == {} == cleaning.near_copies(["好吃"])
    assert cleaning.near_copies(["", "！"]) == {(0, 1): 1.0}
