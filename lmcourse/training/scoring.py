"""Bits per byte: one measure for models with different tokens, and for counting models beside networks. Less is better.

Left out on purpose: anything that needs a task rather than text.
"""

import numpy as np

from lmcourse.language import CourseError


def bits_per_byte(model, tokenizer, texts, length: int, batch_size: int = 16) -> float:
    """How many bits a model needs for each byte of texts it has not seen: −log₂ of the probability it gives them, over their size.

    Each text follows an end-of-text token, and each token is predicted once, from at least half a window of what stands before it
    (or from all of it). The text is taken as its tokenizer cuts it; other cuts of the same text would only add to its probability.

    Args:
        model: (batch, time) ids → (batch, time, vocabulary_size) logits; trained with documents behind the end-of-text token.
        tokenizer: with `encode` and the special token "<|end|>".
        texts: strings.
        length: tokens of a window, even; at most what the model takes.
        batch_size: windows at a time.

    Raises:
        CourseError: for no text, or a tokenizer with more tokens than the model.
    """
    size = sum(len(text.encode()) for text in texts)
    if not size:
        raise CourseError(en="There is no text to score.", zh="没有可以评分的文本。")
    known = model.predict_on_batch(np.zeros((batch_size, length), "int32")).shape[-1]
    if tokenizer.vocabulary_size > known:
        raise CourseError(
            en=f"The tokenizer has {tokenizer.vocabulary_size} tokens, the model knows {known}. Use the tokenizer "
            "that the model was trained with.",
            zh=f"分词器有 {tokenizer.vocabulary_size} 个词元，模型只认识 {known} 个。请使用训练模型时的分词器。",
        )
    end = tokenizer.special_tokens["<|end|>"]
    inputs, targets = zip(
        *(pair for text in texts for pair in _cut([end, *tokenizer.encode(text)], length)), strict=True
    )
    inputs, targets, nats = np.array(inputs, "int32"), np.array(targets, "int32"), 0.0
    for at in range(0, len(inputs), batch_size):
        logits = model.predict_on_batch(
            _filled(inputs[at : at + batch_size], batch_size, 0)
        )  # compiled, if the model is
        aims = _filled(targets[at : at + batch_size], batch_size, -1)
        logits, aims = logits[aims >= 0], aims[aims >= 0]  # (counted, vocabulary_size), (counted,)
        peak = logits.max(axis=-1, keepdims=True)
        total = np.log(np.exp(logits - peak).sum(axis=-1)) + peak[..., 0]
        nats += float(np.sum(total - logits[np.arange(len(aims)), aims], dtype="float64"))
    return nats / np.log(2) / size


def _cut(ids: list[int], length: int):
    """Windows that overlap by half: pairs of inputs and targets, -1 where a target was counted before or there is none."""
    half = length // 2
    for start in range(0, max(len(ids) - 1 - half, 1), half):
        piece = ids[start : start + length + 1]
        aims = [-1] * half + piece[1 + half :] if start else piece[1:]
        spare = length - (len(piece) - 1)
        yield piece[:-1] + [0] * spare, aims + [-1] * spare


def _filled(rows, batch_size: int, value: int):
    """The last batch as large as the others, or a compiled model would be compiled twice."""
    return np.pad(rows, ((0, batch_size - len(rows)), (0, 0)), constant_values=value)
