"""Sentences as vectors, against sentence-transformers with the same weights (as recorded; `test_smollm2` asks it again)."""

import sys
from pathlib import Path

import numpy as np
import pytest

from lmcourse.language import CourseError
from lmcourse.models.sentence_encoder import SentenceEncoder

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "authorities"))
import smollm2 as authority

EXPECTED = authority.load()["vectors"]


@pytest.fixture(scope="module")
def encoder():
    return SentenceEncoder()


@pytest.mark.parametrize("batch_size", [1, 3, 32])
def test_vectors_are_theirs(batch_size, encoder):
    np.testing.assert_allclose(encoder.encode(authority.SENTENCES, batch_size), EXPECTED, rtol=0, atol=1e-6)


def test_a_text_beyond_256_tokens_is_cut(encoder):
    long = authority.SENTENCES[3]
    assert len(encoder.tokenizer.encode(long).ids) == 256
    np.testing.assert_allclose(encoder.encode([long]), encoder.encode([long + " More of it."]), rtol=0, atol=1e-6)


def test_lengths_are_one_and_nothing_gives_nothing(encoder):
    np.testing.assert_allclose(np.linalg.norm(encoder.encode(["", "a b c"]), axis=1), 1, rtol=1e-6)
    assert encoder.encode([]).shape == (0, 384)


def test_one_string_is_refused(encoder):
    with pytest.raises(CourseError, match=r"encode\(\[text\]\)"):
        encoder.encode("one string")
