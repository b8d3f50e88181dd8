"""GPT-2 and BERT from a local Hugging Face folder: which of its tensors is which of our weights.

PyTorch's dense layers keep their kernels transposed; GPT-2's do not, but hold query, key and value side by side in one. Left out on
purpose: other architectures, downloading.
"""

from functools import partial
from pathlib import Path

import keras
import numpy as np

from lmcourse import checkpoints
from lmcourse.language import CourseError
from lmcourse.models.bert import BERT
from lmcourse.models.gpt import GPT

ACTIVATIONS = {"gelu": "gelu", "gelu_new": partial(keras.activations.gelu, approximate=True), "relu": "relu"}


def same(tensor):
    return tensor


def third(i: int, tensor):
    """The i-th of three equal parts of the last axis."""
    return np.split(tensor, 3, axis=-1)[i]


def gpt2(folder: Path) -> GPT:
    """A GPT with the weights of a folder that `GPT2LMHeadModel` or `GPT2Model` saved.

    Raises:
        CourseError: when a file is missing or damaged, the architecture another, or a tensor does not fit.
    """
    config, tensors = checkpoints.read_folder(folder)
    _expect(config, model_type="gpt2", activation_function="gelu_new")
    model = GPT(
        config["vocab_size"],
        config["n_layer"],
        config["n_head"],
        config["n_embd"],
        config.get("n_inner") or 4 * config["n_embd"],
        config["n_positions"],
    )
    tensors = {name.removeprefix("transformer."): tensor for name, tensor in tensors.items()}
    # causal masks and a second name for the tied head
    checkpoints.fill(
        model,
        tensors,
        gpt2_names(config["n_layer"]),
        lambda n: n == "lm_head.weight" or n.endswith((".attn.bias", ".attn.masked_bias")),
    )
    return model


def gpt2_names(num_layers: int) -> checkpoints.Names:
    """The table for `checkpoints.fill`, without the prefix `transformer.`."""
    names = {
        "token_embedding/embeddings": ("wte.weight", same),
        "positions/table": ("wpe.weight", same),
        "norm/gamma": ("ln_f.weight", same),
        "norm/beta": ("ln_f.bias", same),
    }
    for i in range(num_layers):
        for ours, theirs in (("attention_norm", "ln_1"), ("feed_forward_norm", "ln_2")):
            names[f"block{i}/{ours}/gamma"] = (f"h.{i}.{theirs}.weight", same)
            names[f"block{i}/{ours}/beta"] = (f"h.{i}.{theirs}.bias", same)
        dense = [
            (f"attention/{part}", "attn.c_attn", partial(third, k)) for k, part in enumerate(("query", "key", "value"))
        ]
        dense += [
            ("attention/output", "attn.c_proj", same),
            ("feed_forward/widen", "mlp.c_fc", same),
            ("feed_forward/narrow", "mlp.c_proj", same),
        ]
        for ours, theirs, change in dense:
            names[f"block{i}/{ours}/kernel"] = (f"h.{i}.{theirs}.weight", change)
            names[f"block{i}/{ours}/bias"] = (f"h.{i}.{theirs}.bias", change)
    return names


def bert(folder: Path, head=None) -> keras.Model:
    """A BERT with the weights of a folder that `BertModel`, `BertForMaskedLM` or a kin saved.

    Args:
        folder: with `config.json` and `model.safetensors`.
        head: `bert.pooled` or `bert.masked_language_model` for a model with that head; the encoder alone unless given. Weights of heads
            not asked for are passed over.

    Raises:
        CourseError: as `gpt2`.
    """
    config, tensors = checkpoints.read_folder(folder)
    _expect(config, model_type="bert", hidden_act=tuple(ACTIVATIONS))
    model = encoder = BERT(
        config["vocab_size"],
        config["num_hidden_layers"],
        config["num_attention_heads"],
        config["hidden_size"],
        config["intermediate_size"],
        config["max_position_embeddings"],
        config["type_vocab_size"],
        config["hidden_dropout_prob"],
        ACTIVATIONS[config["hidden_act"]],
    )
    if head is not None:
        model = head(encoder)
    tensors = {name.removeprefix("bert."): tensor for name, tensor in tensors.items()}
    heads = ("pooler.", "cls.", "classifier.", "embeddings.position_ids")
    checkpoints.fill(model, tensors, bert_names(config["num_hidden_layers"]), lambda name: name.startswith(heads))
    return model


def bert_names(num_layers: int) -> checkpoints.Names:
    """The table for `checkpoints.fill`, without the prefix `bert.`; the heads' rows too."""
    names = {
        "token_embedding/embeddings": ("embeddings.word_embeddings.weight", same),
        "position_embedding/table": ("embeddings.position_embeddings.weight", same),
        "segment_embedding/embeddings": ("embeddings.token_type_embeddings.weight", same),
        "mask_head/bias": ("cls.predictions.bias", same),
    }
    norms = {"embedding_norm": "embeddings.LayerNorm", "mask_head/norm": "cls.predictions.transform.LayerNorm"}
    dense = {"pooler": "pooler.dense", "mask_head/dense": "cls.predictions.transform.dense"}
    for i in range(num_layers):
        block = f"encoder.layer.{i}"
        norms[f"block{i}/attention_norm"] = f"{block}.attention.output.LayerNorm"
        norms[f"block{i}/feed_forward_norm"] = f"{block}.output.LayerNorm"
        for part in ("query", "key", "value"):
            dense[f"block{i}/attention/{part}"] = f"{block}.attention.self.{part}"
        dense[f"block{i}/attention/output"] = f"{block}.attention.output.dense"
        dense[f"block{i}/feed_forward/widen"] = f"{block}.intermediate.dense"
        dense[f"block{i}/feed_forward/narrow"] = f"{block}.output.dense"
    for ours, theirs in norms.items():
        names |= {f"{ours}/gamma": (f"{theirs}.weight", same), f"{ours}/beta": (f"{theirs}.bias", same)}
    for ours, theirs in dense.items():
        names |= {f"{ours}/kernel": (f"{theirs}.weight", np.transpose), f"{ours}/bias": (f"{theirs}.bias", same)}
    return names


def _expect(config: dict, **wanted) -> None:
    for key, values in wanted.items():
        values = values if isinstance(values, tuple) else (values,)
        if config.get(key) not in values:
            raise CourseError(
                en=f"config.json says {key} = {config.get(key)!r}, but only {' or '.join(values)} can be loaded here.",
                zh=f"config.json 里 {key} = {config.get(key)!r}，而这里只能加载 {' 或 '.join(values)}。",
            )
