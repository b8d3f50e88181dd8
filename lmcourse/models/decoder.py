"""What every model that continues text shares: a residual stream through causal blocks, a cache, a head. GPT and Llama fill in the parts.

Left out on purpose: generating text, which `lmcourse.generation` does for any model with these methods; training, which `fit` does.
"""

import keras
from keras import ops


class Decoder(keras.Model):
    """A causal language model. A subclass makes the parts; this class lets a text flow through them.

    Attributes, made by the subclass:
        token_embedding: a `keras.layers.Embedding`; its table is also the head unless `head` is set.
        blocks: layers that are called like `lmcourse.layers.TransformerBlock`.
        norm: the last normalisation.
        head: a matrix (hidden_dim, vocabulary_size) for the output, or None.
        cache_shape: (key_value_heads, head_dim) of one layer's cache.

    Call arguments:
        token_ids: (batch, time), whole numbers.
        padding_mask: (batch, time), true where there is a token; nobody looks at the rest.

    Returns:
        (batch, time, vocabulary_size) float32 logits.
    """

    head = None

    def embed(self, token_ids, training=None, index=0):
        """(batch, time) ids, the first at place `index` → (batch, time, hidden_dim), where the residual stream begins."""
        return self.token_embedding(token_ids)

    def logits(self, x):
        """Read a residual stream as scores of the next token: (…, hidden_dim) → (…, vocabulary_size) float32."""
        matrix = ops.transpose(self.token_embedding.embeddings) if self.head is None else self.head
        return ops.cast(ops.matmul(self.norm(x), ops.cast(matrix, self.compute_dtype)), "float32")

    def call(self, token_ids, padding_mask=None, training=None):
        x = self.embed(token_ids, training)
        for block in self.blocks:
            x = block(x, padding_mask=padding_mask, training=training)
        return self.logits(x)

    def residual_stream(self, token_ids):
        """What flows along the blocks, before the first and after each: (num_layers + 1, batch, time, hidden_dim)."""
        streams = [self.embed(token_ids)]
        for block in self.blocks:
            streams.append(block(streams[-1]))
        return ops.stack(streams)

    def attention_scores(self, token_ids):
        """Who looked at whom: (num_layers, batch, num_heads, time, time), rows sum to 1."""
        x, scores = self.embed(token_ids), []
        for block in self.blocks:
            x, weights = block(x, return_attention_scores=True)
            scores.append(weights)
        return ops.stack(scores)

    def empty_cache(self, batch_size: int, length: int):
        """Room for the keys and values of `length` tokens: for each block two tensors (batch · key_value_heads, length, head_dim)."""
        heads, head_dim = self.cache_shape
        return [
            [ops.zeros((batch_size * heads, length, head_dim), self.compute_dtype) for _ in range(2)]
            for _ in self.blocks
        ]

    def call_with_cache(self, token_ids, cache, index):
        """As a call, for tokens that follow those in the cache.

        Args:
            token_ids: (batch, time), the new tokens only.
            cache: from `empty_cache`, or from the call before.
            index: how many tokens the cache holds already, a number or a scalar tensor.

        Returns:
            logits: (batch, time, vocabulary_size) float32.
            cache: with the new tokens.
        """
        x, updated = self.embed(token_ids, index=index), []
        for block, old in zip(self.blocks, cache, strict=True):
            x, new = block(x, cache=old, index=index)
            updated.append(new)
        return self.logits(x), updated
