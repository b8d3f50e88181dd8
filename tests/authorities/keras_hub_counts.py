"""Count the parameters of Keras Hub's own models, from shapes alone, and record them in keras_hub_counts.json.

    pip install keras-hub
    python tests/authorities/keras_hub_counts.py

Keras Hub needs tensorflow-text (some 200 MB) and is therefore no requirement of the tests: they compare with what is recorded, and
with Keras Hub itself where it is installed. No weights are made or downloaded.
"""

import json
from pathlib import Path

from lmcourse.models.inspection import shapes_only

RECORD = Path(__file__).with_suffix(".json")


def gpt2(layers, width, heads, vocabulary=50257, positions=1024, hidden=None):
    from keras_hub.models import GPT2Backbone

    return GPT2Backbone(vocabulary, layers, heads, width, hidden or 4 * width, max_sequence_length=positions)


def bert(layers, width, heads, vocabulary=30522, positions=512):
    from keras_hub.models import BertBackbone

    return BertBackbone(vocabulary, layers, heads, width, 4 * width, max_sequence_length=positions)


def vit(layers, width, heads, side, image=224, classes=1000):
    import keras
    from keras_hub.models import ViTBackbone

    backbone = ViTBackbone(image_shape=(image, image, 3), patch_size=side, num_layers=layers, num_heads=heads,
                           hidden_dim=width, mlp_dim=4 * width)  # fmt: skip
    return keras.Model(backbone.input, keras.layers.Dense(classes)(backbone.output[:, 0]))


def llama(layers, width, heads, kv_heads, hidden, vocabulary, tied):
    from keras_hub.models import Llama3Backbone

    return Llama3Backbone(vocabulary_size=vocabulary, num_layers=layers, num_query_heads=heads, hidden_dim=width,
                          intermediate_dim=hidden, num_key_value_heads=kv_heads, tie_word_embeddings=tied)  # fmt: skip


def mixtral(layers, width, heads, kv_heads, hidden, vocabulary, experts):
    from keras_hub.models import MixtralBackbone

    return MixtralBackbone(vocabulary_size=vocabulary, num_layers=layers, num_query_heads=heads, hidden_dim=width,
                           intermediate_dim=hidden, num_key_value_heads=kv_heads, num_experts=experts)  # fmt: skip


# name → (builder, its arguments). Names of known models first; the rest are shapes that nobody has published.
MODELS = {
    "GPT-2 small": (gpt2, (12, 768, 12)),
    "GPT-2 XL": (gpt2, (48, 1600, 25)),
    "GPT-3": (gpt2, (96, 12288, 96, 50257, 2048)),
    "BERT-base": (bert, (12, 768, 12)),
    "BERT-large": (bert, (24, 1024, 16)),
    "ViT-B/16": (vit, (12, 768, 12, 16)),
    "SmolLM2-135M": (llama, (30, 576, 9, 3, 1536, 49152, True)),
    "Llama 3.1 8B": (llama, (32, 4096, 32, 8, 14336, 128256, False)),
    "Llama 3.1 70B": (llama, (80, 8192, 64, 8, 28672, 128256, False)),
    "Mixtral 8x7B": (mixtral, (32, 4096, 32, 8, 14336, 32000, 8)),
    "a small GPT": (gpt2, (5, 120, 6, 777, 99, 200)),
    "a small BERT": (bert, (3, 96, 4, 1234, 70)),
    "ViT-L/32 on 384 pixels": (vit, (24, 1024, 16, 32, 384, 21)),
    "a narrow llama": (llama, (7, 60, 6, 2, 111, 999, True)),
    "an untied llama": (llama, (3, 64, 4, 1, 200, 333, False)),
    "a small mixture": (mixtral, (2, 48, 4, 2, 100, 512, 5)),
}


def count(name: str) -> int:
    """What Keras Hub says for one of `MODELS`."""
    builder, arguments = MODELS[name]
    return shapes_only(lambda: builder(*arguments)).count_params()


if __name__ == "__main__":
    import keras_hub

    counts = {name: count(name) for name in MODELS}
    record = {"keras_hub": keras_hub.__version__, "counts": counts}
    RECORD.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    print(RECORD.read_text(encoding="utf-8"))
