"""Blanks to fill in: which tokens are hidden, what stands in their place, what is asked. Lesson 3.4 builds it by hand.

The places are drawn anew each time a text is read, so that a text is never asked the same twice (Liu et al., 2019, call this dynamic
masking). Left out on purpose: hiding whole words, which needs a segmenter, and spans.
"""

import numpy as np

from lmcourse.training.loop import IGNORED

RATE = 0.15


def rows(texts: list[str], tokenizer, length: int) -> np.ndarray:
    """One row for each text: [CLS], its tokens, cut to `length`, then [PAD]: (texts, length) int32."""
    first, padding = (tokenizer.special_tokens[name] for name in ("[CLS]", "[PAD]"))
    ids = np.full((len(texts), length), padding, dtype="int32")
    for row, text in zip(ids, texts, strict=True):
        found = [first, *tokenizer.encode(text[: length - 1])][:length]
        row[: len(found)] = found
    return ids


def choose(ids: np.ndarray, specials: int, random, rate: float = RATE) -> np.ndarray:
    """Draw a share of each row's ordinary tokens, at least one where there is any.

    Args:
        ids: (batch, time); ids below `specials` are special tokens and never drawn.
        random: a NumPy generator.
        rate: the share.

    Returns:
        (batch, time) booleans.
    """
    ordinary = ids >= specials
    counts = ordinary.sum(axis=1)
    wanted = np.minimum(np.maximum(np.round(rate * counts), 1), counts)  # (batch,)
    lots = np.where(ordinary, random.random(ids.shape), 2.0)
    return lots.argsort(axis=1).argsort(axis=1) < wanted[:, None]


def corrupt(ids, chosen, draws, strangers, mask_id: int):
    """What the model reads: of the chosen tokens 80 % become [MASK], 10 % another token, 10 % stay.

    Args:
        ids, chosen: (batch, time) whole numbers and booleans.
        draws: (batch, time) numbers from 0 to 1: below 0.8 a token is masked, from there to below 0.9 replaced.
        strangers: (batch, time) ids to replace by.

    Returns:
        ids of the same shape; those not chosen are as they were.

    Source: Devlin et al. (2019), section 3.1.
    """
    read = np.where(draws < 0.8, mask_id, np.where(draws < 0.9, strangers, ids))
    return np.where(chosen, read, ids)


def blanks(ids: np.ndarray, tokenizer, places: int, random, rate: float = RATE) -> tuple[dict, np.ndarray]:
    """A batch for a masked language model: inputs and what is asked.

    Args:
        ids: (batch, time), see `rows`.
        places: how many each row has room for, so that batches have one shape; no row may have more tokens chosen.
        random, rate: see `choose`.

    Returns:
        inputs: `token_ids`, `padding_mask`, `mask_positions`, as of `lmcourse.models.bert.masked_language_model`.
        targets: (batch, places) ids that stood there; IGNORED where a row has fewer.
    """
    specials = len(tokenizer.special_tokens)
    chosen = choose(ids, specials, random, rate)
    draws, strangers = random.random(ids.shape), random.integers(specials, tokenizer.vocabulary_size, ids.shape)
    positions = np.argsort(~chosen, axis=1, kind="stable")[:, :places].astype("int32")  # chosen ones first
    asked = np.take_along_axis(chosen, positions, axis=1)
    inputs = {
        "token_ids": corrupt(ids, chosen, draws, strangers, tokenizer.special_tokens["[MASK]"]).astype("int32"),
        "padding_mask": (ids != tokenizer.special_tokens["[PAD]"]).astype("int32"),
        "mask_positions": positions,
    }
    return inputs, np.where(asked, np.take_along_axis(ids, positions, axis=1), IGNORED)
