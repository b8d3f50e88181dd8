"""Parameters of Hugging Face's own models for the calculator's presets, counted on PyTorch's "meta" device: shapes and no values.

    python tests/authorities/transformers_counts.py     # prints JSON: preset → parameters

A second authority beside Keras Hub, written by other people. A process of its own, since PyTorch and TensorFlow in one can bring each
other down. Left out on purpose: weights, tokenizers, anything to download.
"""

import json

from lmcourse.widgets.model_sizes import Shape
from lmcourse.widgets.presets import PRESETS


def count(s: Shape) -> int:
    """What `num_parameters()` says for a shape; tied weights count once."""
    import torch
    import transformers as hf

    common = {
        "num_hidden_layers": s.layers,
        "hidden_size": s.width,
        "num_attention_heads": s.heads,
        "intermediate_size": s.hidden,
    }
    with torch.device("meta"):
        if s.patch:
            model = hf.ViTForImageClassification(hf.ViTConfig(**common, num_labels=s.classes))
        elif s.token_types:
            model = hf.BertModel(hf.BertConfig(**common, vocab_size=s.vocabulary))
        elif s.gated:
            common |= {"num_key_value_heads": s.kv_heads, "vocab_size": s.vocabulary, "tie_word_embeddings": s.tied}
            if s.experts > 1:
                model = hf.MixtralForCausalLM(hf.MixtralConfig(**common, num_local_experts=s.experts))
            else:
                model = hf.LlamaForCausalLM(hf.LlamaConfig(**common))
        else:
            gpt = {"n_layer": s.layers, "n_embd": s.width, "n_head": s.heads, "n_positions": s.positions}
            model = hf.GPT2LMHeadModel(hf.GPT2Config(**gpt, vocab_size=s.vocabulary))
        return model.num_parameters()


if __name__ == "__main__":
    print(json.dumps({preset.name: count(preset.shape) for preset in PRESETS}))
