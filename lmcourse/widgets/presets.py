"""Known models as shapes: the presets of the model calculator, each with its source.

Tokens are those of pretraining: 300 billion (Brown et al., table 2.1); 2 trillion in sequences of 2,048 for SmolLM2-135M, as its authors'
training configuration says (2 million steps of 512 sequences); "about 15 trillion" for Llama 3.1 (Dubey et al.; the model card says 15T+),
most of them in sequences of 8,192. GPT-2's authors count text in gigabytes, BERT's in words; Mixtral's say nothing.
"""

from dataclasses import dataclass

from lmcourse.widgets.model_sizes import Shape


@dataclass(frozen=True)
class Preset:
    """A published model.

    Attributes:
        name: as published.
        shape: its shape.
        context: tokens in a sequence that it was trained on.
        tokens: tokens that it was trained on, as published; 0 where the source counts something else.
        source: who published shape and tokens.
    """

    name: str
    shape: Shape
    context: int
    tokens: float
    source: str


def gpt(layers, width, heads, positions=1024):
    """The family of GPT-2 and GPT-3."""
    return Shape(layers, width, heads, heads, width // heads, 4 * width, 50257, positions, bias=True, norm=2)


def bert(layers, width, heads):
    """The family of BERT, English and uncased, without the heads of pretraining."""
    return Shape(layers, width, heads, heads, width // heads, 4 * width, 30522, 512, bias=True, norm=2, logits=False,
                 token_types=2, embedding_norm=True, pooler=True, final_norm=False)  # fmt: skip


def vit(layers, width, heads, side=16, image=224, classes=1000):
    """Vision transformers: square patches of `side` pixels, one position per patch and one for the class token."""
    return Shape(layers, width, heads, heads, width // heads, 4 * width, 0, (image // side) ** 2 + 1, bias=True, norm=2,
                 logits=False, patch=3 * side**2, classes=classes)  # fmt: skip


def llama(layers, width, heads, kv_heads, hidden, vocabulary, **more):
    """The family of Llama: RMSNorm, SwiGLU, rotary positions, no biases."""
    return Shape(layers, width, heads, kv_heads, width // heads, hidden, vocabulary, gated=True, **more)


PRESETS = (
    Preset("GPT-2 small", gpt(12, 768, 12), 1024, 0, "Radford et al., 2019"),
    Preset("GPT-2 XL", gpt(48, 1600, 25), 1024, 0, "Radford et al., 2019"),
    Preset("GPT-3", gpt(96, 12288, 96, 2048), 2048, 300e9, "Brown et al., 2020"),
    Preset("BERT-base", bert(12, 768, 12), 512, 0, "Devlin et al., 2019"),
    Preset("BERT-large", bert(24, 1024, 16), 512, 0, "Devlin et al., 2019"),
    Preset("ViT-B/16", vit(12, 768, 12), 197, 0, "Dosovitskiy et al., 2021"),
    Preset("SmolLM2-135M", llama(30, 576, 9, 3, 1536, 49152), 2048, 2e12, "Allal et al., 2025"),
    Preset("Llama 3.1 8B", llama(32, 4096, 32, 8, 14336, 128256, tied=False), 8192, 15e12, "Dubey et al., 2024"),
    Preset("Llama 3.1 70B", llama(80, 8192, 64, 8, 28672, 128256, tied=False), 8192, 15e12, "Dubey et al., 2024"),
    Preset(
        "Mixtral 8x7B",
        llama(32, 4096, 32, 8, 14336, 32000, tied=False, experts=8, active=2),
        32768,
        0,
        "Jiang et al., 2024",
    ),
)


def preset(name: str) -> Preset:
    """The preset of that name."""
    (found,) = [p for p in PRESETS if p.name == name]
    return found
