"""The arithmetic behind the model calculator: parameters, memory and operations of a transformer, from its shape alone.

model_sizes.js holds the same formulas for the browser; a test compares the two. What counts are exact: parameters, and the bytes of
weights, gradients and Adam's two moments. Activations are those that the backward pass reads, one value each: the normalised input of
a norm, queries, keys, values, attention weights, the input and output of the activation function. Left out on purpose: temporary
memory, communication buffers, dropout masks, sharding over several accelerators.
"""

from dataclasses import dataclass, fields

# Bytes per value in training: weights, gradients, the two moments of Adam together, activations. "mixed_bfloat16" as Keras does it:
# variables stay in float32, layers compute in bfloat16.
TRAINING = {"float32": (4, 4, 8, 4), "mixed_bfloat16": (4, 4, 8, 2), "bfloat16": (2, 2, 4, 2)}
# Bytes per value when serving: weights, key-value cache.
SERVING = {"float32": (4, 4), "bfloat16": (2, 2), "int8": (1, 2), "int4": (0.5, 2)}
ATTENTION = ("kept", "fused", "recomputed")


@dataclass(frozen=True)
class Shape:
    """The shape of a transformer; 0 means "none" where a part may be missing.

    Attributes:
        layers, width, heads, kv_heads: blocks, size of a token's vector, query heads, key and value heads.
        head_dim: size of one head.
        hidden: width inside the feed-forward part.
        vocabulary: tokens that the embedding knows; positions: learned positions (0: rotary or fixed ones, without parameters).
        gated: three feed-forward matrices (SwiGLU) instead of two.
        bias: dense layers have biases.
        norm: parameters per norm and feature: 2 for LayerNorm (scale and shift), 1 for RMSNorm.
        tied: the output layer uses the embedding's weights; untied adds a matrix.
        logits: the model ends in a score for each token of the vocabulary.
        experts, active: feed-forward parts per block, and how many of them a token visits; more than one adds a router.
        token_types, embedding_norm, pooler: BERT's extras.
        final_norm: a norm after the last block.
        patch: values in one image patch, as 16·16·3 (a ViT; it also has a class token); classes: outputs of a classifier.
    """

    layers: int
    width: int
    heads: int
    kv_heads: int
    head_dim: int
    hidden: int
    vocabulary: int
    positions: int = 0
    gated: bool = False
    bias: bool = False
    norm: int = 1
    tied: bool = True
    logits: bool = True
    experts: int = 1
    active: int = 1
    token_types: int = 0
    embedding_norm: bool = False
    pooler: bool = False
    final_norm: bool = True
    patch: int = 0
    classes: int = 0


NAMES = tuple(field.name for field in fields(Shape))


def parameters(s: Shape) -> dict[str, int]:
    """Parameters by part: "embedding", "attention", "feed_forward", "norms", "head"; their sum is what `count_params()` says."""
    queries, keys = s.heads * s.head_dim, s.kv_heads * s.head_dim
    attention = 2 * s.width * queries + 2 * s.width * keys + s.bias * (queries + 2 * keys + s.width)
    norms = (2 * s.layers + s.final_norm + s.embedding_norm) * s.norm * s.width
    embedding = (s.vocabulary + s.positions + s.token_types) * s.width
    embedding += (s.patch + 2) * s.width if s.patch else 0  # the patches' matrix and bias, the class token
    head = (s.logits and not s.tied) * s.vocabulary * s.width
    head += s.pooler * (s.width**2 + s.width) + s.classes * (s.width + 1)
    router = s.width * s.experts if s.experts > 1 else 0
    return {
        "embedding": embedding,
        "attention": s.layers * attention,
        "feed_forward": s.layers * (s.experts * _expert(s) + router),
        "norms": norms,
        "head": head,
    }


def _expert(s: Shape) -> int:
    """Parameters of one feed-forward part."""
    return (3 if s.gated else 2) * s.width * s.hidden + s.bias * ((2 if s.gated else 1) * s.hidden + s.width)


def total(s: Shape) -> int:
    """All parameters."""
    return sum(parameters(s).values())


def active(s: Shape) -> int:
    """The parameters that one token passes through: all but the experts that it does not visit."""
    return total(s) - s.layers * (s.experts - s.active) * _expert(s)


def kept_values(s: Shape, context: int, attention: str = "kept") -> tuple[int, int]:
    """Values that the backward pass needs for each token: in the blocks (at the layers' precision), and for the loss (in float32).

    Per block: both norms keep their input, its normalised form and their output; attention keeps queries, keys, values, the weights of
    every head over the context, and the output; each feed-forward part the input and output of its activation function, a gated one
    also the second factor and the product.

    Args:
        s: the shape.
        context: tokens in a sequence.
        attention: "kept"; "fused" does not keep the attention weights (Dao et al., 2022); "recomputed" keeps only each block's input
            and computes one block again at a time (Chen et al., 2016).
    """
    queries, keys = s.heads * s.head_dim, s.kv_heads * s.head_dim
    block = 6 * s.width + 2 * queries + 2 * keys + s.active * (4 if s.gated else 2) * s.hidden
    block += s.heads * context if attention == "kept" else 0
    blocks = s.layers * s.width + block if attention == "recomputed" else s.layers * block
    return blocks + 3 * s.width * s.final_norm, s.vocabulary * s.logits


def training_memory(
    s: Shape, context: int, batch: int, precision: str = "float32", attention: str = "kept"
) -> dict[str, float]:
    """Bytes by kind for one step of training with Adam: "weights", "gradients", "adam", "activations"."""
    n = total(s)
    weights, gradients, adam, activation = TRAINING[precision]
    blocks, loss = kept_values(s, context, attention)
    return {
        "weights": weights * n,
        "gradients": gradients * n,
        "adam": adam * n,
        "activations": batch * context * (activation * blocks + 4 * loss),
    }


def serving_memory(s: Shape, context: int, batch: int, precision: str = "bfloat16") -> dict[str, float]:
    """Bytes by kind for generating: "weights", and "cache", the keys and values of all tokens so far."""
    weights, cache = SERVING[precision]
    return {"weights": weights * total(s), "cache": cache * batch * context * 2 * s.layers * s.kv_heads * s.head_dim}


def forward_flops(s: Shape, context: int) -> float:
    """Operations for one token's way through the model: 2 for each weight of a matrix that it meets, and attention over the context.

    Counted are matrix products only; every token attends to the whole context, as the plain implementation computes it.
    """
    queries, keys = s.heads * s.head_dim, s.kv_heads * s.head_dim
    experts = s.active * (3 if s.gated else 2) * s.width * s.hidden + (s.width * s.experts if s.experts > 1 else 0)
    block = 2 * s.width * queries + 2 * s.width * keys + experts
    once = s.patch * s.width + s.logits * s.vocabulary * s.width
    return 2 * (s.layers * block + once) + 4 * s.layers * queries * context


def training_flops(s: Shape, context: int) -> float:
    """Operations per token of training: forward, and twice as much backward (for the inputs and for the weights)."""
    return 3 * forward_flops(s, context)


def rule_of_thumb(s: Shape) -> float:
    """6 N: operations per token of training, with N the active parameters (Kaplan et al., 2020)."""
    return 6 * active(s)


def training_days(s: Shape, context: int, tokens: float, peak: float, count: int, utilisation: float) -> float:
    """Days to train on `tokens` tokens with `count` accelerators of `peak` operations a second, of which a share `utilisation` is used."""
    return training_flops(s, context) * tokens / (peak * count * utilisation) / 86400
