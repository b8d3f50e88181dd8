"""The token sampler: its numbers against SciPy and, in the page, against Python's; what happens to a text; bad models."""

import re
import time

import numpy as np
import pytest
from scipy.special import softmax

from lmcourse import language
from lmcourse.widgets.token_sampler import EXACT, sampling_distribution, token_sampler, visible

RANDOM = np.random.default_rng(0)
SMALL, LARGE = RANDOM.normal(size=300) * 2, RANDOM.normal(size=20_000) * 2
SETTINGS = [(1.0, 0, 1.0), (0.1, 0, 1.0), (3.0, 20, 1.0), (0.7, 0, 0.9), (1.5, 50, 0.5), (2.0, 1, 1.0), (1.0, 0, 0.01)]


def decode(ids):
    return "".join(chr(0x4E00 + i) for i in ids)


def sampler(logits=SMALL, **settings):
    return token_sampler(lambda ids: np.roll(logits, len(ids) - 2), decode, [5, 7], **settings)


@pytest.mark.parametrize(("temperature", "k", "p"), SETTINGS)
def test_limits_keep_the_best_and_renormalise(temperature, k, p):
    whole = softmax(SMALL / temperature)
    order = np.argsort(-SMALL)[: k or None]
    share = whole[order] / whole[order].sum()
    kept = order if p == 1 else order[: 1 + int(np.sum(np.cumsum(share)[:-1] < p))]
    ours = sampling_distribution(SMALL, temperature, k, p)
    assert set(np.flatnonzero(ours)) == set(kept)
    np.testing.assert_allclose(ours[kept], whole[kept] / whole[kept].sum(), rtol=1e-9)


def test_huge_logits_and_ties_are_no_trouble():
    np.testing.assert_array_equal(sampling_distribution([1e5, 0, -1e5], 0.1), [1, 0, 0])
    np.testing.assert_array_equal(sampling_distribution([3.0, 3.0, 3.0], 1, top_k=1), [1, 0, 0])


@pytest.mark.parametrize("logits", [SMALL, LARGE], ids=["all exact", "with a tail"])
@pytest.mark.parametrize(("temperature", "k", "p"), SETTINGS)
def test_the_page_computes_the_same(modules, logits, temperature, k, p):
    widget = sampler(logits)
    exact, tail = (np.frombuffer(part, "float32").tolist() for part in (widget.logits, widget.tail))
    assert len(exact) == min(len(logits), EXACT) and len(exact) + sum(tail[::2]) == len(logits)
    page = modules.evaluate(
        """async (a) => { const m = await import("/token_sampler.js"); return m.distribution(...a); }""",
        [exact, tail, temperature, k, p],
    )
    truth = sampling_distribution(logits, temperature, k, p)
    best = np.argsort(-logits, kind="stable")[: len(exact)]
    np.testing.assert_allclose(page["after"], truth[best], rtol=2e-3, atol=1e-6)
    np.testing.assert_allclose(page["before"], softmax(logits / temperature)[best], rtol=2e-3, atol=1e-6)
    kept = truth[truth > 0]
    assert page["kept"] == pytest.approx(len(kept), rel=1e-2)
    assert page["entropy"] == pytest.approx(-(kept * np.log2(kept)).sum(), abs=5e-3)


def test_a_text_grows_and_shrinks():
    widget = sampler()
    first = widget.logits
    widget.take(9)
    assert widget.ids == [5, 7, 9] and "".join(widget.pieces) == decode([5, 7, 9]) and widget.logits != b""
    widget.undo()
    assert widget.ids == [5, 7] and widget.logits == first
    widget.undo()
    assert widget.ids == [5, 7], "the prompt stays"


def test_draws_obey_the_limits_and_the_seed():
    texts = []
    for _ in range(2):
        widget = sampler(top_k=3, seed=4)
        for _ in range(20):
            allowed = np.flatnonzero(sampling_distribution(widget._scores, 1, 3))
            widget.draw()
            assert widget.ids[-1] in allowed
        texts.append(widget.ids)
    assert texts[0] == texts[1] and len(set(texts[0])) > 5


def test_a_message_from_the_page_is_answered():
    widget = sampler()
    widget.receive("take", {"place": 2}, [])
    until = time.monotonic() + 10
    while widget.step < 2 and time.monotonic() < until:
        time.sleep(0.01)
    widget._worker.stop()
    assert widget.ids == [5, 7, int(np.argsort(-SMALL)[2])]


@pytest.mark.parametrize(
    ("next_logits", "prompt", "words"),
    [
        (lambda ids: np.zeros((2, 3)), [1], r"shape \(2, 3\)"),
        (lambda ids: np.array([1.0, np.nan]), [1], "finite numbers"),
        (lambda ids: 1 / 0, [1], "ZeroDivisionError"),
        (lambda ids: SMALL, [], "no text to continue"),
    ],
)
def test_a_bad_model_or_prompt_is_a_sentence(next_logits, prompt, words):
    widget = token_sampler(next_logits, decode, prompt)
    assert re.search(words, widget.problem) and widget.logits == b""
    assert widget.png().startswith(b"\x89PNG") and widget.problem in widget.describe()


def test_a_model_that_fails_later_leaves_the_text_alone():
    widget = token_sampler(lambda ids: SMALL if len(ids) < 3 else 1 / 0, decode, [5, 7])
    widget.take(3)
    assert widget.ids == [5, 7] and "ZeroDivisionError" in widget.problem


def test_words_and_picture_in_both_languages():
    widget = sampler(top_k=4)
    best = int(SMALL.argmax())
    assert "4 of 300 tokens" in widget.describe() and decode([best]) in widget.describe()
    png = widget.png()
    assert png.startswith(b"\x89PNG") and len(png) < 30_000
    language.use("zh")
    assert "300 个词元中可能抽到 4 个" in sampler(top_k=4).describe()


def test_white_space_gets_signs_in_labels():
    tokens = [" a", "a b", "\n", "\n    ", "  ", "\t", "", "a\n"]
    assert [visible(token) for token in tokens] == ["␣a", "a b", "⏎", "⏎␣␣␣␣", "␣␣", "⇥", "∅", "a⏎"]
