"""Blanks for pretraining: what may be drawn, the three fates in their shares, what is asked against what stood there."""

import numpy as np
import pytest

from lmcourse.tokenizers import CharacterTokenizer
from lmcourse.training.loop import IGNORED
from lmcourse.training.masking import blanks, choose, corrupt, rows

TOKENIZER = CharacterTokenizer("的一是不了在人有我他这个们中来上大为和国")
TEXTS = ["我们在这里", "中国人", "", "他" * 50]
SPECIALS = len(TOKENIZER.special_tokens)
MASK = TOKENIZER.special_tokens["[MASK]"]
IDS = np.random.default_rng(0).integers(0, TOKENIZER.vocabulary_size, (300, 40)).astype("int32")


def test_rows_begin_with_cls_and_are_cut_and_filled():
    ids = rows(TEXTS, TOKENIZER, 8)
    assert ids.shape == (4, 8) and (ids[:, 0] == TOKENIZER.special_tokens["[CLS]"]).all()
    assert TOKENIZER.decode(ids[0]) == "[CLS]我们在这[UNK][PAD][PAD]"
    assert TOKENIZER.decode(ids[2]) == "[CLS]" + "[PAD]" * 7
    assert TOKENIZER.decode(ids[3]) == "[CLS]" + "他" * 7


@pytest.mark.parametrize("rate", [0.05, 0.15, 0.5])
def test_a_share_of_the_ordinary_tokens_is_chosen_and_never_a_special_one(rate):
    chosen = choose(IDS, SPECIALS, np.random.default_rng(1), rate)
    ordinary = IDS >= SPECIALS
    assert not (chosen & ~ordinary).any()
    np.testing.assert_array_equal(chosen.sum(1), np.round(rate * ordinary.sum(1)).clip(1))
    assert (chosen.sum(0) > 0).all(), "every place has its turn"
    assert not choose(IDS * 0, SPECIALS, np.random.default_rng(1)).any(), "nothing to choose in a row of padding"
    assert choose(rows(["好中"], TOKENIZER, 5), SPECIALS, np.random.default_rng(1)).sum() == 1, "at least one"


def test_the_three_fates_have_their_shares():
    random = np.random.default_rng(2)
    chosen, strangers = random.random(IDS.shape) < 0.5, np.full(IDS.shape, 999)
    read = corrupt(IDS, chosen, random.random(IDS.shape), strangers, 777)
    shares = [(read == 777)[chosen].mean(), (read == 999)[chosen].mean(), (read == IDS)[chosen].mean()]
    np.testing.assert_allclose(shares, [0.8, 0.1, 0.1], atol=0.02)
    assert (read == IDS)[~chosen].all()


def test_what_is_asked_is_what_stood_there_and_the_rest_is_ignored():
    ids = rows(TEXTS, TOKENIZER, 40)
    inputs, targets = blanks(ids, TOKENIZER, 6, np.random.default_rng(3))
    asked = targets != IGNORED
    np.testing.assert_array_equal(asked.sum(1), [1, 1, 0, 6])
    np.testing.assert_array_equal(targets[asked], np.take_along_axis(ids, inputs["mask_positions"], axis=1)[asked])
    np.testing.assert_array_equal(inputs["padding_mask"], ids != 0)
    changed = inputs["token_ids"] != ids
    places = np.zeros(ids.shape, bool)
    for row, positions, counts in zip(places, inputs["mask_positions"], asked, strict=True):
        row[positions[counts]] = True
    assert not (changed & ~places).any(), "nothing changes where nothing is asked"
    again, _ = blanks(ids, TOKENIZER, 6, np.random.default_rng(4))
    assert (again["mask_positions"] != inputs["mask_positions"]).any(), "other places the next time"
