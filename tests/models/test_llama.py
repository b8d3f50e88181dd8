"""Llama against transformers' with the same weights, and its own promises: no look ahead, a cache that changes nothing."""

import sys
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from lmcourse.models.llama import Llama

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "authorities"))
import hugging_face_models as authority

SIZES = {"vocabulary_size": 97, "num_layers": 3, "hidden_dim": 48, "intermediate_dim": 80, "max_sequence_length": 64}
RANDOM = np.random.default_rng(0)
IDS = RANDOM.integers(0, 97, (2, 20))


def llama(num_heads=6, num_key_value_heads=2, **options):
    return Llama(num_heads=num_heads, num_key_value_heads=num_key_value_heads, **SIZES, **options)


@pytest.mark.parametrize(
    "name",
    [name for name in authority.CONFIGS if name.startswith("llama")],
    ids=lambda name: f"{name} ({authority.SOURCE})",
)
def test_equals_transformers(name):
    case = authority.load(name)
    theirs, expected = case["tensors"], case["logits"]
    c = case["config"]
    model = Llama(c["vocab_size"], c["num_hidden_layers"], c["num_attention_heads"], c["num_key_value_heads"], c["hidden_size"],
                  c["intermediate_size"], c["max_position_embeddings"], rotary_base=100_000.0, norm_epsilon=c["rms_norm_eps"],
                  tied=c["tie_word_embeddings"])  # fmt: skip
    for name, weight in names(model):
        value = theirs[name]
        weight.assign(value.T if name.endswith("proj.weight") or name == "lm_head.weight" else value)
    with tf.GradientTape() as tape:
        logits = model(case["ids"], padding_mask=case["mask"])
        loss = tf.reduce_sum(logits * case["direction"])
    token = case["mask"].astype(bool)
    scale = np.abs(expected).max()
    np.testing.assert_allclose(np.array(logits)[token], expected[token], rtol=0, atol=1e-5 * scale)
    gradients = tape.gradient(loss, [weight.value for _, weight in names(model)])
    for (name, _), mine in zip(names(model), gradients, strict=True):
        mine, theirs = np.array(tf.convert_to_tensor(mine)), case["gradients"][name]
        mine = mine.T if name.endswith("proj.weight") or name == "lm_head.weight" else mine
        np.testing.assert_allclose(mine, theirs, rtol=0, atol=1e-4 * np.abs(theirs).max(), err_msg=name)


def names(model):
    """transformers' name of each of our weights."""
    yield "model.embed_tokens.weight", model.token_embedding.embeddings
    yield "model.norm.weight", model.norm.scale
    if model.head is not None:
        yield "lm_head.weight", model.head
    for i, block in enumerate(model.blocks):
        for name in "query", "key", "value", "output":
            dense = getattr(block.attention, f"{name}_dense")
            yield f"model.layers.{i}.self_attn.{name[0]}_proj.weight", dense.kernel
        for theirs, ours in ("gate", "gate"), ("up", "widen"), ("down", "narrow"):
            yield f"model.layers.{i}.mlp.{theirs}_proj.weight", getattr(block.feed_forward, ours).kernel
        yield f"model.layers.{i}.input_layernorm.weight", block.attention_norm.scale
        yield f"model.layers.{i}.post_attention_layernorm.weight", block.feed_forward_norm.scale


def test_the_published_count():
    sizes = {"vocabulary_size": 49_152, "num_layers": 30, "hidden_dim": 576, "intermediate_dim": 1536}
    model = Llama(**sizes, max_sequence_length=8192, num_heads=9, num_key_value_heads=3)
    assert model.count_params() == 134_515_008  # SmolLM2-135M


def test_no_token_sees_a_later_one():
    model, changed = llama(), IDS.copy()
    changed[:, 11:] = (changed[:, 11:] + 1) % 97
    before, after = np.array(model(IDS)), np.array(model(changed))
    np.testing.assert_allclose(before[:, :11], after[:, :11], atol=1e-6)
    assert np.abs(before[:, 11] - after[:, 11]).max() > 1e-3


@pytest.mark.parametrize("cuts", [[7], [1, 2, 3], [19]])
def test_a_cache_changes_nothing(cuts):
    model = llama()
    cache, index, parts = model.empty_cache(2, 32), 0, []
    for part in np.split(IDS, cuts, axis=1):
        logits, cache = model.call_with_cache(part, cache, index)
        parts.append(np.array(logits))
        index += part.shape[1]
    np.testing.assert_allclose(np.concatenate(parts, axis=1), np.array(model(IDS)), atol=1e-5)


def test_what_happens_inside_is_what_comes_out():
    model = llama()
    streams = model.residual_stream(IDS)
    assert tuple(streams.shape) == (4, 2, 20, 48)
    np.testing.assert_allclose(np.array(model.logits(streams[-1])), np.array(model(IDS)), atol=1e-5)
    scores = np.array(model.attention_scores(IDS))
    assert scores.shape == (3, 2, 6, 20, 20)
    np.testing.assert_allclose(scores.sum(-1), 1, atol=1e-5)
