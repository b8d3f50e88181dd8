"""Llama against transformers' with the same weights, and its own promises: no look ahead, a cache that changes nothing."""

import numpy as np
import pytest

from lmcourse.models.llama import Llama

SIZES = {"vocabulary_size": 97, "num_layers": 3, "hidden_dim": 48, "intermediate_dim": 80, "max_sequence_length": 64}
RANDOM = np.random.default_rng(0)
IDS = RANDOM.integers(0, 97, (2, 20))


def llama(num_heads=6, num_key_value_heads=2, **options):
    return Llama(num_heads=num_heads, num_key_value_heads=num_key_value_heads, **SIZES, **options)


@pytest.mark.parametrize(
    ("heads", "shared", "tied"),
    [(6, 6, True), (6, 3, True), (6, 2, False), (6, 1, True), (1, 1, False), (12, 4, True)],
)
def test_equals_transformers(heads, shared, tied):
    torch = pytest.importorskip("torch", reason="PyTorch is missing: install lmcourse[authority]")
    transformers = pytest.importorskip("transformers", reason="transformers is missing: install lmcourse[authority]")
    torch.manual_seed(0)
    configuration = transformers.LlamaConfig(
        vocab_size=97,
        hidden_size=48,
        intermediate_size=80,
        num_hidden_layers=3,
        num_attention_heads=heads,
        num_key_value_heads=shared,
        max_position_embeddings=64,
        rope_parameters={"rope_type": "default", "rope_theta": 100_000.0},
        rms_norm_eps=1e-4,
        tie_word_embeddings=tied,
        initializer_range=0.2,
    )
    authority = transformers.LlamaForCausalLM(configuration).eval()
    theirs = {name: tensor.detach().numpy() for name, tensor in authority.state_dict().items()}
    ours = llama(heads, shared, rotary_base=100_000.0, norm_epsilon=1e-4, tied=tied)
    for name, weight in names(ours):
        value = theirs[name]
        weight.assign(value.T if name.endswith("proj.weight") or name == "lm_head.weight" else value)
    with torch.no_grad():
        expected = authority(torch.tensor(IDS)).logits.numpy()
    difference = np.abs(np.array(ours(IDS)) - expected).max()
    assert difference < 1e-5 * np.abs(expected).max()


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
