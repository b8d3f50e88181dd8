"""Continuing texts with any model of the next token: greedily, by temperature, top-k, top-p; in batches, with a cache, compiled.

    generator = Generator(model)
    generator.generate([[5, 17, 3], [8]], max_new_tokens=20, temperature=0.8, top_p=0.9, seed=0)   # lists of new tokens
    for token in generator.stream([5, 17, 3], max_new_tokens=20): ...                              # one by one

All steps run inside one compiled loop, whose length is a number and not a shape: prompts of any length share a compilation as long as
prompt and continuation fit the same power of two. Left out on purpose: beams, penalties, stopping at words (a tokenizer's matter).
"""

import keras
import numpy as np
from keras import ops

from lmcourse.language import CourseError

PIECE = 32  # tokens of a prompt that are read at once: fewer read the weights too often, more compute too many places in vain


def check_ids(ids, vocabulary_size: int) -> None:
    """Look for ids that a model has no vector for; compiled code would silently take another one.

    Raises:
        CourseError: naming the first such id.
    """
    ids = np.asarray(ids)
    wrong = ids[(ids < 0) | (ids >= vocabulary_size)]
    if wrong.size:
        raise CourseError(
            en=f"The id {wrong.flat[0]} is unknown: this model's ids are 0 … {vocabulary_size - 1}. "
            "Encode the text with the tokenizer that the model was trained with.",
            zh=f"未知的词元编号 {wrong.flat[0]}：这个模型的编号是 0 … {vocabulary_size - 1}。请使用训练该模型时的分词器。",
        )


def keep_likely(logits, top_k, top_p):
    """Put what may not be drawn at minus infinity: all but the k best, then all but the fewest of these that hold a share p.

    Args:
        logits: (batch, vocabulary).
        top_k: how many stay; 0 for all.
        top_p: the share, above 0, up to 1; the best token always stays.

    Returns:
        (batch, vocabulary). Equal logits stay or go together.

    Source: Holtzman et al. (2020), The curious case of neural text degeneration.
    """
    ordered = ops.flip(ops.sort(logits, axis=-1), axis=-1)  # the best first
    rank = ops.arange(logits.shape[-1])
    ordered = ops.where((rank < top_k) | (top_k == 0), ordered, -np.inf)
    chances = ops.softmax(ordered, axis=-1)
    better = ops.cumsum(chances, axis=-1) - chances  # what all better tokens hold together
    kept = (better < top_p) & (ordered > -np.inf)
    least = ops.min(ops.where(kept, ordered, np.inf), axis=-1, keepdims=True)
    return ops.where(logits < least, -np.inf, logits)


def draw(logits, uniform):
    """Draw from softmax(logits): the first token at which the summed probabilities reach `uniform`.

    Args:
        logits: (batch, vocabulary).
        uniform: (batch,), each from (0, 1].

    Returns:
        (batch,) int32.
    """
    chances = ops.softmax(logits, axis=-1)
    summed = ops.cumsum(chances, axis=-1)
    # its end is not quite 1, and sums made in parallel may waver: what has no chance must not be hit
    reached = (summed >= uniform[:, None] * ops.max(summed, axis=-1, keepdims=True)) & (chances > 0)
    return ops.cast(ops.argmax(reached, axis=-1), "int32")


class Generator:
    """Continues texts with a model, and keeps what was compiled for it.

    Args:
        model: ids (batch, time) → logits (batch, time, vocabulary), written with `keras.ops` and causal. If it has `empty_cache` and
            `call_with_cache` (as `lmcourse.models.decoder.Decoder`), each token is computed once. Its `vocabulary_size` and
            `max_sequence_length`, if it has them, are used to check prompts.
        cached: False computes the whole text again for each token, to compare.
    """

    def __init__(self, model, cached: bool = True):
        self.model, self.cached = model, cached and hasattr(model, "call_with_cache")
        self._loops = {}

    def generate(self, prompts, max_new_tokens: int, *, stop=(), seed=None, **sampling) -> list[list[int]]:
        """Continue several prompts side by side.

        A row's tokens do not depend on the other rows. Prompts are written to the left, room for the continuations to their right, and
        the loop walks along the columns: a short prompt is being continued while a longer one is still being read. So a token's column is
        its position, and nothing needs a mask.

        Args:
            prompts: lists of token ids, of any lengths.
            max_new_tokens: for each.
            stop: ids that end a text.
            seed: of the draws; the same seed gives the same texts.
            sampling: `temperature` (0, the default, takes the best token), `top_k` (0 for all), `top_p` (1 for all), applied in this order.

        Returns:
            for each prompt the new tokens, without the one that ended it.

        Raises:
            CourseError: for an empty prompt, unknown ids, a text longer than the model takes, settings that mean nothing.
        """
        state = self._begin(prompts, max_new_tokens, stop, seed, **sampling)
        ids, ends = self._run(state)[:2]
        return [row[len(prompt) : end].tolist() for row, prompt, end in zip(ids, prompts, ends, strict=True)]

    def stream(self, prompt, max_new_tokens: int, *, stop=(), seed=None, stop_event=None, **sampling):
        """Continue one prompt and hand out each token as soon as there is one; the same tokens as `generate`'s.

        Args:
            prompt: token ids.
            stop_event: something with `is_set()`, such as a `threading.Event`: ends the stream before the next token.
            max_new_tokens, stop, seed, sampling: see `generate`.
        """
        state = self._begin([prompt], max_new_tokens, stop, seed, **sampling)
        for end in range(len(prompt) + 1, len(prompt) + max_new_tokens + 1):
            if stop_event is not None and stop_event.is_set():
                return
            ids, ends, cache = self._run(state | {"ends": np.array([end], "int32")})
            if ends[0] < end:
                return
            yield int(ids[0, end - 1])
            state |= {"ids": ids, "cache": cache, "known": np.int32(end - 1), "given": np.array([end], "int32")}

    def _begin(self, prompts, new, stop, seed, temperature=0.0, top_k=0, top_p=1.0):
        """What a loop is called with, as arrays."""
        given = np.array([len(prompt) for prompt in prompts], "int32")
        longest = getattr(self.model, "max_sequence_length", None)
        self._check(prompts, given, new, longest, temperature, top_k, top_p)
        total = int(given.max()) + new
        length = 1 << (total - 1).bit_length()  # the next power of two
        length = length if longest is None else min(length, longest)
        ids, draws = np.zeros((len(prompts), length), "int32"), np.zeros((len(prompts), length), "float32")
        for row, prompt in enumerate(prompts):
            ids[row, : len(prompt)] = prompt
            uniform = np.random.default_rng(None if seed is None else (seed, row)).random(new, "float32")
            draws[row, len(prompt) : len(prompt) + new] = 1 - uniform  # in (0, 1]
        state = {"ids": ids, "given": given, "ends": given + np.int32(new), "known": np.int32(0)}
        state["stop"] = np.array([*stop, -1], "int32")  # -1: no shape of its own for no stops at all
        state["cache"] = self.model.empty_cache(*ids.shape) if self.cached else ()
        if temperature:
            state |= {"draws": draws, "temperature": np.float32(temperature)}
            if top_k or top_p < 1:
                state |= {"top_k": np.int32(top_k), "top_p": np.float32(top_p)}
        return state

    def _check(self, prompts, given, new, longest, temperature, top_k, top_p):
        if not len(given) or not given.min():
            raise CourseError(
                en="There is nothing to continue: give at least one prompt, each with at least one token, such as the end-of-text token.",
                zh="没有可以续写的内容：请至少给一个提示词，每个提示词至少有一个词元，例如文本结束词元。",
            )
        for prompt in prompts:
            check_ids(prompt, getattr(self.model, "vocabulary_size", np.inf))
        if longest is not None and given.max() + new > longest:
            raise CourseError(
                en=f"A prompt of {given.max()} tokens and {new} new ones are more than the {longest} that the model takes. "
                "Shorten the prompt or ask for fewer.",
                zh=f"提示词有 {given.max()} 个词元，再加 {new} 个新词元，超过了模型的上限 {longest}。请缩短提示词，或少生成一些。",
            )
        if new < 0 or temperature < 0 or top_k < 0 or not 0 < top_p <= 1:
            raise CourseError(
                en="max_new_tokens, temperature and top_k must not be negative, and top_p must lie above 0 and not above 1.",
                zh="max_new_tokens、temperature 和 top_k 不能为负，top_p 必须大于 0 且不超过 1。",
            )

    def _run(self, state):
        # one compiled function for each shape and each way of choosing
        key = (state["ids"].shape, state["stop"].shape, *(name for name in ("draws", "top_k") if name in state))
        if key not in self._loops:
            self._loops[key] = Loop(self.model, self.cached)
        return self._loops[key].predict_on_batch(state)


class Loop(keras.Model):
    """The loop for one shape, as a Keras model, because Keras compiles those on every backend.

    Called with a dictionary:
        ids: (batch, length), the texts, with room to the right.
        given: (batch,), how much of each row is text. ends: (batch,), where it must end.
        stop: ids that end it earlier.
        cache, known: the first `known` columns are in the cache already.
        draws (batch, length), temperature, top_k, top_p: how to choose; the best token without them.

    Returns:
        ids, ends, cache as they are afterwards.
    """

    def __init__(self, model, cached: bool):
        super().__init__(dtype="float32", autocast=False)
        self.model, self.cached = model, cached
        self.jit_compile = keras.backend.backend() != "torch"  # left to itself, Keras does so on accelerators only
        self.built = True

    def call(self, state):
        batch, length = state["ids"].shape
        given, stop, first = state["given"], state["stop"], ops.min(state["given"]) - 1
        cache = self._read(state, first) if self.cached else ()

        def step(index, ids, ends, cache):
            if self.cached:
                token = ops.slice(ids, (0, index), (batch, 1))
                logits, cache = self.model.call_with_cache(token, cache, index)
                logits = logits[:, 0]
            else:
                logits = ops.take(self.model(ids), index, axis=1)
            index = index + 1
            old = ops.slice(ids, (0, index), (batch, 1))[:, 0]
            new = ops.where(index < given, old, self._choose(logits, state, index))
            ended = (index >= given) & (index < ends) & ops.any(new[:, None] == stop, axis=-1)
            ids = ops.slice_update(ids, (0, index), new[:, None])
            return index, ids, ops.where(ended, index, ends), cache

        def goes_on(index, ids, ends, cache):
            return index + 1 < ops.max(ends)

        _, ids, ends, cache = ops.while_loop(goes_on, step, (first, state["ids"], state["ends"], cache))
        return ids, ends, cache

    def _read(self, state, first):
        """Fill the cache with what stands before column `first`, a piece at a time."""
        ids, piece = state["ids"], min(PIECE, state["ids"].shape[1])

        def read(index, cache):
            # the last piece reaches back, or beyond `first`, where the steps write again
            start = ops.minimum(index, ids.shape[1] - piece)
            _, cache = self.model.call_with_cache(ops.slice(ids, (0, start), (ids.shape[0], piece)), cache, start)
            return index + piece, cache

        return ops.while_loop(lambda index, cache: index < first, read, (state["known"], state["cache"]))[1]

    def _choose(self, logits, state, index):
        """(batch, vocabulary) logits → (batch,) tokens."""
        if "draws" not in state:
            return ops.cast(ops.argmax(logits, axis=-1), "int32")
        logits = logits / state["temperature"]
        if "top_k" in state:
            logits = keep_likely(logits, state["top_k"], state["top_p"])
        return draw(logits, ops.take(state["draws"], index, axis=1))
