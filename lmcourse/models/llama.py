"""Llama: RMS norms, rotary positions, grouped-query attention, a gated feed-forward part. Lesson 3.5 fills it with SmolLM2's weights.

GPT's skeleton (`lmcourse.models.decoder`) with four parts exchanged. Left out on purpose: dropout (the weights come trained), scaled
rotary positions for longer texts.

Source: Touvron et al. (2023), LLaMA: open and efficient foundation language models.
"""

import keras
from keras import ops

from lmcourse.layers import PreNormBlock, SelfAttention
from lmcourse.models.decoder import Decoder


@keras.saving.register_keras_serializable("lmcourse")
class GatedFeedForward(keras.layers.Layer):
    """SwiGLU: narrow(silu(gate(x)) · widen(x)), without biases. (batch, time, hidden_dim) → the same shape.

    Args:
        intermediate_dim: the width in between.

    Source: Shazeer (2020), GLU variants improve transformer.
    """

    def __init__(self, intermediate_dim: int, **kwargs):
        super().__init__(**kwargs)
        self.intermediate_dim = intermediate_dim

    def build(self, shape):
        outside, inside = shape[-1], self.intermediate_dim
        for name, before, after in (("gate", outside, inside), ("widen", outside, inside), ("narrow", inside, outside)):
            dense = keras.layers.Dense(after, use_bias=False, dtype=self.dtype_policy, name=name)
            dense.build((None, None, before))
            setattr(self, name, dense)

    def call(self, x):
        return self.narrow(ops.silu(self.gate(x)) * self.widen(x))


@keras.saving.register_keras_serializable("lmcourse")
class LlamaBlock(PreNormBlock):
    """x + attention(norm(x)), then x + feed_forward(norm(x)), with RMS norms and SwiGLU.

    Args:
        num_heads, num_key_value_heads, rotary_base: see `lmcourse.layers.SelfAttention`.
        intermediate_dim: see `GatedFeedForward`.
        norm_epsilon: added to the mean square before its root is taken.

    Call arguments and returns: as of `lmcourse.layers.SelfAttention`.
    """

    def __init__(self, num_heads, num_key_value_heads, intermediate_dim, rotary_base, norm_epsilon, **kwargs):
        super().__init__(**kwargs)
        dtype = self.dtype_policy
        self.attention_norm = keras.layers.RMSNormalization(epsilon=norm_epsilon, dtype=dtype, name="attention_norm")
        self.attention = SelfAttention(
            num_heads,
            causal=True,
            rotary=True,
            num_key_value_heads=num_key_value_heads,
            use_bias=False,
            rotary_base=rotary_base,
            dtype=dtype,
            name="attention",
        )
        self.feed_forward_norm = keras.layers.RMSNormalization(
            epsilon=norm_epsilon, dtype=dtype, name="feed_forward_norm"
        )
        self.feed_forward = GatedFeedForward(intermediate_dim, dtype=dtype, name="feed_forward")
        self.drop = keras.layers.Identity(dtype=dtype)


@keras.saving.register_keras_serializable("lmcourse")
class Llama(Decoder):
    """Scores of the next token at every place of a text; `Decoder` says what can be asked of it.

    Args:
        vocabulary_size: how many tokens there are.
        num_layers: how many blocks.
        hidden_dim: the width of the residual stream.
        max_sequence_length: the longest text that the weights were trained for; the positions themselves have no end.
        tied: read the output with the token embedding's table; otherwise with a matrix of its own.
        num_heads, num_key_value_heads, intermediate_dim, rotary_base, norm_epsilon: see `LlamaBlock`.
    """

    def __init__(
        self,
        vocabulary_size: int,
        num_layers: int,
        num_heads: int,
        num_key_value_heads: int,
        hidden_dim: int,
        intermediate_dim: int,
        max_sequence_length: int,
        rotary_base: float = 10_000.0,
        norm_epsilon: float = 1e-5,
        tied: bool = True,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.vocabulary_size, self.max_sequence_length = vocabulary_size, max_sequence_length
        self.cache_shape = (num_key_value_heads, hidden_dim // num_heads)
        dtype = self.dtype_policy
        self.token_embedding = keras.layers.Embedding(vocabulary_size, hidden_dim, dtype=dtype, name="token_embedding")
        self.blocks = [
            LlamaBlock(
                num_heads,
                num_key_value_heads,
                intermediate_dim,
                rotary_base,
                norm_epsilon,
                dtype=dtype,
                name=f"block{i}",
            )
            for i in range(num_layers)
        ]
        self.norm = keras.layers.RMSNormalization(epsilon=norm_epsilon, dtype=dtype, name="norm")
        self.token_embedding.build((None, None))
        for layer in (*self.blocks, self.norm):
            layer.build((None, None, hidden_dim))
        if not tied:
            self.head = self.add_weight((hidden_dim, vocabulary_size), name="head")
        self.built = True
