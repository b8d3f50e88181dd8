"""Continuing texts: greedily as transformers does, sampling against the distributions by hand, and the ways that must not matter."""

import sys
import threading
from pathlib import Path

import keras
import numpy as np
import pytest

from lmcourse.generation import Generator, check_ids, draw, keep_likely
from lmcourse.language import CourseError
from lmcourse.models import hugging_face
from lmcourse.models.gpt import GPT
from lmcourse.models.llama import Llama
from lmcourse.widgets.token_sampler import sampling_distribution

sys.path.insert(0, str(Path(__file__).resolve().parent / "authorities"))
import hugging_face_models as authority

VOCABULARY, LONGEST = 29, 64
RANDOM = np.random.default_rng(0)
PROMPTS = [RANDOM.integers(0, VOCABULARY, n).tolist() for n in (3, 17, 1, 40)]
SAMPLING = {"temperature": 1.3, "top_k": 9, "top_p": 0.8, "seed": 5}


def numpy(x):
    return np.asarray(x)


def spread(model):
    """Larger weights, so that tokens differ in their chances."""
    model.set_weights([w * 8 if w.ndim > 1 else w for w in model.get_weights()])
    return model


@pytest.fixture(scope="module", params=["gpt", "llama"])
def generator(request):
    keras.utils.set_random_seed(0)
    if request.param == "gpt":
        return Generator(spread(GPT(VOCABULARY, 2, 2, 16, 32, LONGEST)))
    return Generator(spread(Llama(VOCABULARY, 2, 4, 2, 16, 32, LONGEST)))


def by_hand(model, prompt, new):
    """The best next token, again and again, the whole text anew each time; what stands behind a place changes nothing there."""
    ids = np.zeros((1, LONGEST), "int32")
    ids[0, : len(prompt)] = prompt
    for at in range(len(prompt), len(prompt) + new):
        ids[0, at] = numpy(model(ids))[0, at - 1].argmax()
    return ids[0, len(prompt) : len(prompt) + new].tolist()


# ---- greedy


@pytest.mark.parametrize("name", ["gpt2", "gpt2, one head, long"], ids=lambda name: f"{name} ({authority.SOURCE})")
def test_greedy_is_transformers(name, tmp_path):
    case = authority.load(name)
    model = hugging_face.gpt2(authority.folder(case, tmp_path))
    theirs = case["greedy"]
    ours = Generator(model).generate(theirs[:, :5].tolist(), theirs.shape[1] - 5)
    np.testing.assert_array_equal(ours, theirs[:, 5:])


def test_greedy_is_the_best_token_again_and_again(generator):
    for prompt, text in zip(PROMPTS, generator.generate(PROMPTS, 8), strict=True):
        assert text == by_hand(generator.model, prompt, 8)


def test_neither_cache_nor_company_nor_streaming_changes_a_text(generator):
    for settings in ({}, SAMPLING):
        together = generator.generate(PROMPTS[:1] * 2 + PROMPTS[1:], 12, **settings)
        assert (
            Generator(generator.model, cached=False).generate(PROMPTS[:1] * 2 + PROMPTS[1:], 12, **settings) == together
        )
        assert generator.generate(PROMPTS[:1], 12, **settings) == together[:1]
        assert list(generator.stream(PROMPTS[0], 12, **settings)) == together[0]
    assert (
        generator.generate(PROMPTS[:1] * 2, 12, **SAMPLING)[0] != generator.generate(PROMPTS[:1] * 2, 12, **SAMPLING)[1]
    ), "each row has draws of its own"


def test_one_compilation_serves_many_lengths():
    generator = Generator(GPT(VOCABULARY, 1, 1, 8, 8, LONGEST))
    for prompt in PROMPTS[:3]:
        generator.generate([prompt], 32 - len(prompt))
        generator.generate([prompt], 17 - len(prompt) + 2)
    (loop,) = generator._loops.values()
    assert loop.predict_function is not None


def test_stops_end_a_text_and_only_that(generator):
    free = generator.generate(PROMPTS, 20)
    stop = free[0][6]
    stopped = generator.generate(PROMPTS, 20, stop=[stop])
    for whole, text in zip(free, stopped, strict=True):
        end = whole.index(stop) if stop in whole else 20
        assert text == whole[:end]
    assert list(generator.stream(PROMPTS[0], 20, stop=[stop])) == stopped[0]


def test_a_stream_ends_when_told():
    generator, told = Generator(GPT(VOCABULARY, 1, 1, 8, 8, LONGEST)), threading.Event()
    seen = []
    for token in generator.stream([1, 2], 30, stop_event=told):
        seen.append(token)
        if len(seen) == 3:
            told.set()
    assert len(seen) == 3


def test_nothing_asked_nothing_given(generator):
    assert generator.generate(PROMPTS[:2], 0) == [[], []]
    assert list(generator.stream(PROMPTS[0], 0)) == []


def test_a_text_may_fill_the_model_to_the_last_place(generator):
    prompt = PROMPTS[3]
    assert generator.generate([prompt], LONGEST - len(prompt))[0] == by_hand(
        generator.model, prompt, LONGEST - len(prompt)
    )


# ---- sampling


@pytest.mark.parametrize(("top_k", "top_p"), [(0, 1.0), (4, 1.0), (0, 0.7), (6, 0.5), (1, 0.9), (0, 1e-6), (50, 0.99)])
def test_what_may_be_drawn_is_the_distribution_by_hand(top_k, top_p):
    logits = RANDOM.normal(size=(5, 20)).astype("float32") * 3
    ours = numpy(keras.ops.softmax(keep_likely(logits, top_k, top_p)))
    for row, scores in zip(ours, logits, strict=True):
        np.testing.assert_allclose(row, sampling_distribution(scores, 1.0, top_k, top_p), rtol=1e-4, atol=1e-7)


def test_draws_follow_the_chances():
    logits = np.log(np.array([0.5, 0.25, 0.125, 0.125, 1e-30], "float32"))
    uniform = (np.arange(8000, dtype="float32") + 1) / 8000  # every eight-thousandth once: no luck in it
    drawn = numpy(draw(np.tile(logits, (8000, 1)), uniform))
    counts = np.bincount(drawn, minlength=5)
    assert np.abs(counts - [4000, 2000, 1000, 1000, 0]).max() <= 1
    assert counts[4] == 0


def test_the_seed_decides(generator):
    one, same, other = (generator.generate(PROMPTS, 15, temperature=1.5, seed=seed) for seed in (1, 1, 2))
    assert one == same != other


def test_a_cold_temperature_and_a_k_of_one_are_greedy(generator):
    greedy = generator.generate(PROMPTS, 10)
    assert generator.generate(PROMPTS, 10, temperature=1e-4, seed=0) == greedy
    assert generator.generate(PROMPTS, 10, temperature=2.0, top_k=1, seed=0) == greedy


# ---- what is refused


@pytest.mark.parametrize(
    ("prompts", "new", "settings", "sentence"),
    [
        ([], 5, {}, "nothing to continue"),
        ([[1], []], 5, {}, "nothing to continue"),
        ([[1, VOCABULARY]], 5, {}, f"The id {VOCABULARY} is unknown"),
        ([[1, -1]], 5, {}, "The id -1 is unknown"),
        ([[1] * 60], 5, {}, "more than the 64"),
        ([[1]], -1, {}, "must not be negative"),
        ([[1]], 5, {"temperature": -0.1}, "must not be negative"),
        ([[1]], 5, {"temperature": 1.0, "top_p": 0.0}, "top_p must lie above 0"),
    ],
)
def test_bad_input_is_a_sentence(generator, prompts, new, settings, sentence):
    with pytest.raises(CourseError, match=sentence):
        generator.generate(prompts, new, **settings)


def test_ids_are_checked_by_value():
    check_ids([[0, 4]], 5)
    with pytest.raises(CourseError, match="0 … 4"):
        check_ids([[0, 5]], 5)
