"""GPT's own promises; `test_hugging_face.py` compares it with transformers'."""

import keras
import numpy as np
import pytest

from lmcourse.models.gpt import GPT

SIZES = {"num_layers": 2, "num_heads": 3, "hidden_dim": 24, "intermediate_dim": 50, "max_sequence_length": 32}
IDS = np.random.default_rng(0).integers(0, 61, (2, 20))


@pytest.fixture(scope="module")
def gpt():
    keras.utils.set_random_seed(0)
    model = GPT(61, **SIZES)
    for weight in model.trainable_weights:  # a start of 0.02 would hide mistakes behind tiny logits
        weight.assign(keras.random.normal(weight.shape, stddev=0.5))
    return model


def test_the_published_count():
    model = GPT(50_257, num_layers=12, num_heads=12, hidden_dim=768, intermediate_dim=3072, max_sequence_length=1024)
    assert model.count_params() == 124_439_808  # GPT-2 small


@pytest.mark.parametrize("changed", [1, 11, 19])
def test_no_token_sees_a_later_one(gpt, changed):
    other = IDS.copy()
    other[:, changed:] = (other[:, changed:] + 1) % 61
    before, after = np.array(gpt(IDS)), np.array(gpt(other))
    np.testing.assert_allclose(before[:, :changed], after[:, :changed], atol=1e-5)
    assert np.abs(before[:, changed] - after[:, changed]).max() > 1e-3


def test_what_is_padded_changes_nothing(gpt):
    mask = np.ones((2, 20), bool)
    mask[1, 12:] = False
    other = np.where(mask, IDS, 7)
    whole, cut = np.array(gpt(other, padding_mask=mask)), np.array(gpt(IDS[1:, :12]))
    np.testing.assert_allclose(whole[1:, :12], cut, atol=1e-4)


@pytest.mark.parametrize("cuts", [[7], [1, 2, 3], [19]])
def test_a_cache_changes_nothing(gpt, cuts):
    cache, index, parts = gpt.empty_cache(2, 32), 0, []
    for part in np.split(IDS, cuts, axis=1):
        logits, cache = gpt.call_with_cache(part, cache, index)
        parts.append(np.array(logits))
        index += part.shape[1]
    np.testing.assert_allclose(np.concatenate(parts, axis=1), np.array(gpt(IDS)), atol=1e-4)


def test_what_happens_inside_is_what_comes_out(gpt):
    streams = gpt.residual_stream(IDS)
    assert tuple(streams.shape) == (3, 2, 20, 24)
    np.testing.assert_allclose(np.array(gpt.logits(streams[-1])), np.array(gpt(IDS)), atol=1e-4)
    scores = np.array(gpt.attention_scores(IDS))
    assert scores.shape == (2, 2, 3, 20, 20)
    np.testing.assert_allclose(scores.sum(-1), 1, atol=1e-5)


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # Keras's own, with NumPy 2
def test_saved_and_loaded_it_is_the_same(gpt, tmp_path):
    gpt.save(tmp_path / "gpt.keras")
    again = keras.models.load_model(tmp_path / "gpt.keras")
    np.testing.assert_array_equal(np.array(again(IDS)), np.array(gpt(IDS)))


def test_a_text_beyond_the_positions_is_refused(gpt):
    with pytest.raises(ValueError, match="33 tokens, but only 32 positions"):
        gpt(np.zeros((1, 33), int))


def test_it_starts_as_surprised_as_a_uniform_guess():
    keras.utils.set_random_seed(0)
    logits = GPT(61, **SIZES)(IDS[:, :-1])
    loss = keras.losses.sparse_categorical_crossentropy(IDS[:, 1:], logits, from_logits=True)
    assert abs(float(np.mean(loss)) - np.log(61)) < 0.1
