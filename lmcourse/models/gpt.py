"""GPT: token and learned positions, pre-norm blocks, a head tied to the token embedding. Lesson 3.3 builds and trains it.

GPT-2's architecture with its start values, so that published weights fit. Left out on purpose: an untied head, layers without
biases; generating text, which `lmcourse.generation` does for any model with these methods.

Source: Radford et al. (2019), Language models are unsupervised multitask learners.
"""

import keras

from lmcourse.layers import LearnedPositions, TransformerBlock
from lmcourse.models.decoder import Decoder


def gelu(x):
    """GELU by GPT-2's approximation with a hyperbolic tangent."""
    return keras.activations.gelu(x, approximate=True)


@keras.saving.register_keras_serializable("lmcourse")
class GPT(Decoder):
    """Scores of the next token at every place of a text.

    Built at once, so that weights can be counted and loaded before the first call.

    Args:
        vocabulary_size: how many tokens there are; ids are 0 … vocabulary_size - 1.
        num_layers, num_heads, hidden_dim, intermediate_dim: see `lmcourse.layers.TransformerBlock`.
        max_sequence_length: the longest text.
        dropout: share dropped while training, of embeddings, attention weights and what each half of a block adds.

    Call arguments:
        token_ids: (batch, time), whole numbers.
        padding_mask: (batch, time), true where there is a token; nobody looks at the rest.

    Returns:
        (batch, time, vocabulary_size) float32 logits.

    Raises:
        ValueError: for a text longer than max_sequence_length.
    """

    def __init__(
        self,
        vocabulary_size: int,
        num_layers: int,
        num_heads: int,
        hidden_dim: int,
        intermediate_dim: int,
        max_sequence_length: int,
        dropout: float = 0.0,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.vocabulary_size, self.num_layers, self.num_heads = vocabulary_size, num_layers, num_heads
        self.hidden_dim, self.intermediate_dim = hidden_dim, intermediate_dim
        self.max_sequence_length, self.dropout = max_sequence_length, dropout
        self.cache_shape = (num_heads, hidden_dim // num_heads)
        dtype = self.dtype_policy
        self.token_embedding = keras.layers.Embedding(vocabulary_size, hidden_dim, dtype=dtype, name="token_embedding")
        self.positions = LearnedPositions(max_sequence_length, dtype=dtype, name="positions")
        self.drop = keras.layers.Dropout(dropout, dtype=dtype)
        self.blocks = [
            TransformerBlock(
                num_heads,
                intermediate_dim,
                causal=True,
                dropout=dropout,
                activation=gelu,
                dtype=dtype,
                name=f"block{i}",
            )
            for i in range(num_layers)
        ]
        self.norm = keras.layers.LayerNormalization(epsilon=1e-5, dtype=dtype, name="norm")
        self.token_embedding.build((None, None))
        for layer in (self.positions, *self.blocks, self.norm):
            layer.build((None, None, hidden_dim))
        self.built = True
        self._start()

    def _start(self):
        """GPT-2's random start: matrices from a normal distribution of 0.02, those that add to the residual stream √(2 layers) smaller."""
        for block in self.blocks:
            last = (block.attention.output_dense.kernel, block.feed_forward.narrow.kernel)
            for weight in block.weights:
                if len(weight.shape) == 2:
                    small = (2 * self.num_layers) ** -0.5 if any(weight is w for w in last) else 1.0
                    weight.assign(keras.random.normal(weight.shape, stddev=0.02 * small))
        self.token_embedding.embeddings.assign(keras.random.normal(self.token_embedding.embeddings.shape, stddev=0.02))

    def get_config(self):
        names = (
            "vocabulary_size",
            "num_layers",
            "num_heads",
            "hidden_dim",
            "intermediate_dim",
            "max_sequence_length",
            "dropout",
        )
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}

    def embed(self, token_ids, training=None, index=0):
        """(batch, time) ids, the first at place `index` → (batch, time, hidden_dim), where the residual stream begins."""
        return self.drop(self.positions(self.token_embedding(token_ids), index=index), training=training)
