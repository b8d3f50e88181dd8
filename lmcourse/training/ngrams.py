"""Counting bytes after contexts, fast: what an n-gram model is made of, and the baseline of every language model here.

    p = 1 / 256
    for n in range(order + 1):                         # from no context to `order` bytes of it
        p = blend(*counts(learn, unseen, n), p)        # lesson 3.3 writes `blend`
    bits = -np.log2(p).mean()                          # per byte, as `scoring.bits_per_byte` counts them

Contexts are compared by a 56-bit hash: two of the few millions here share one with a chance of less than one in a thousand. Left out
on purpose: text too large for memory, counts kept for a second use.
"""

from collections.abc import Iterable

import numpy as np

from lmcourse.language import CourseError

_ODD = np.uint64(0x9E3779B97F4A7C15)  # 2⁶⁴ divided by the golden ratio: multiplying by it spreads the bits
_LAST = np.uint64(0xFF)
_BYTE = np.uint64(8)


def counts(learn: Iterable[str], unseen: Iterable[str], n: int, distinct: bool = False) -> tuple:
    """For every byte of the unseen texts, what followed the same n bytes in the texts to learn from.

    Args:
        learn, unseen: strings; before each of them stands a run of zero bytes.
        n: bytes of context.
        distinct: count each pair of context and byte once for every different byte before the context, as Kneser and Ney do, instead
            of once for every time it occurs.

    Returns:
        seen: (bytes,) how often this byte came after this context.
        kinds: (bytes,) how many different bytes came after it.
        total: (bytes,) how many bytes came after it; 0 for an unknown context.

    Raises:
        CourseError: for texts that are all empty.

    Source: Kneser and Ney (1995), Improved backing-off for m-gram language modeling.
    """
    keys = _keys(learn, n)
    if distinct:
        _, first = np.unique(_keys(learn, n + 1), return_index=True)
        keys = keys[first]
    keys = np.sort(keys)
    starts = _starts(keys)
    pairs, times = keys[starts], np.diff(starts, append=len(keys))
    contexts = pairs >> _BYTE
    starts = _starts(contexts)
    kinds, total = np.diff(starts, append=len(contexts)), np.add.reduceat(times, starts)
    asked = _keys(unseen, n)
    return (
        _look_up(pairs, times, asked),
        _look_up(contexts[starts], kinds, asked >> _BYTE),
        _look_up(contexts[starts], total, asked >> _BYTE),
    )


def _keys(texts, n):
    """(bytes,) one number for each byte: above, a hash of the n bytes before it; in the lowest eight bits, the byte."""
    texts = [text.encode() for text in texts]
    if not any(texts):
        raise CourseError(en="There is no text to count in.", zh="没有可以计数的文本。")
    whole = np.frombuffer(b"".join(bytes(n) + text for text in texts), "uint8").astype("uint64")
    inside = np.concatenate([np.arange(n + len(text)) >= n for text in texts])
    keys = np.zeros(len(whole), "uint64")
    for back in range(1, n + 1):
        keys[back:] = (keys[back:] ^ (keys[back:] >> np.uint64(29))) * _ODD + whole[:-back] + np.uint64(1)
    keys = (keys ^ (keys >> np.uint64(32))) * _ODD
    return ((keys & ~_LAST) | whole)[inside]


def _starts(ordered):
    """Where each run of equal numbers begins."""
    return np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]])


def _look_up(known, values, asked):
    """values[i] where known[i] is asked for, 0 where it is unknown; `known` is sorted."""
    place = np.minimum(np.searchsorted(known, asked), len(known) - 1)
    return np.where(known[place] == asked, values[place], 0)
