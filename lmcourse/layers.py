"""The parts of a transformer as Keras layers: attention, feed-forward, positions, the pre-norm block. Lesson 2.6 builds each by hand.

Written on `keras.ops`, so they run on TensorFlow, JAX and PyTorch; argument names are Keras-hub's. Tensors are (batch, time, dim),
masks are boolean and True where a query may look. A key-value cache is a pair of tensors (batch · key_value_heads, length, head_dim)
that the caller keeps: three axes, since a compiler copies four before it multiplies. Left out on purpose: attention between two sequences, fused kernels, RMS normalisation, which Keras has.
"""

import keras
from keras import ops

from lmcourse.language import CourseError, pick

MASKED = -1e9  # finite, so that a row without anything to look at averages evenly instead of giving NaN


def causal_mask(time: int, keys: int | None = None, index=0):
    """Who may look at whom when nobody sees the future: (time, keys) booleans.

    Args:
        time: how many queries there are; the first stands at place `index`.
        keys: how many keys, from place 0 on; as many as queries unless given.
    """
    return (index + ops.arange(time))[:, None] >= ops.arange(time if keys is None else keys)[None, :]


def attention_weights(query, key, mask=None):
    """How much each query looks at each key: softmax(Q Kᵀ / √dim), for any number of axes in front.

    The softmax is computed in float32 at least, also where the layers run in bfloat16.

    Args:
        query: (…, queries, dim).
        key: (…, keys, dim).
        mask: boolean, broadcast against (…, queries, keys); True where the query may look at the key.

    Returns:
        (…, queries, keys), whose rows sum to 1.

    Source: Vaswani et al. (2017), Attention is all you need, section 3.2.
    """
    scores = ops.matmul(query, ops.swapaxes(key, -1, -2)) / query.shape[-1] ** 0.5
    scores = ops.cast(scores, keras.backend.result_type(scores.dtype, "float32"))
    if mask is not None:
        scores = ops.where(mask, scores, MASKED)
    return ops.softmax(scores, axis=-1)


def angles(positions, dim: int, base: float = 10_000.0):
    """The angles that sinusoidal and rotary positions share: position / base^(2i / dim), i = 0 … dim/2 - 1.

    Args:
        positions: (time,), whole numbers or floats.
        dim: even.
        base: the larger, the slower the last pairs turn.

    Returns:
        (time, dim / 2) float32, in radians.
    """
    rates = base ** (-ops.arange(0, dim, 2, dtype="float32") / dim)
    return ops.cast(positions, "float32")[:, None] * rates


def sinusoids(positions, dim: int):
    """One vector for each position: sine and cosine of its angles in turn.

    Args:
        positions: (time,).
        dim: even.

    Returns:
        (time, dim) float32.

    Source: Vaswani et al. (2017), section 3.5.
    """
    angle = angles(positions, dim)
    pairs = ops.stack([ops.sin(angle), ops.cos(angle)], axis=-1)  # (time, dim / 2, 2)
    return ops.reshape(pairs, (-1, dim))


def rotate(x, positions, base: float = 10_000.0):
    """Turn each pair of coordinates (i, i + dim/2) by its position's i-th angle: rotary positions.

    The dot product of two rotated vectors depends on their positions only through the distance. Halves are paired, not neighbours, as
    in Llama's published weights.

    Args:
        x: (…, time, dim), dim even.
        positions: (time,).
        base: see `angles`.

    Returns:
        The same shape and dtype; lengths are kept.

    Source: Su et al. (2021), RoFormer: enhanced transformer with rotary position embedding.
    """
    angle = angles(positions, x.shape[-1], base)
    cosine, sine = ops.cast(ops.cos(angle), x.dtype), ops.cast(ops.sin(angle), x.dtype)  # (time, dim / 2)
    first, second = ops.split(x, 2, axis=-1)
    return ops.concatenate([first * cosine - second * sine, first * sine + second * cosine], axis=-1)


@keras.saving.register_keras_serializable("lmcourse")
class SinusoidalPositions(keras.layers.Layer):
    """Adds `sinusoids` to embeddings: (batch, time, hidden_dim) → the same shape. Nothing to learn; hidden_dim must be even."""

    def call(self, x):
        return x + ops.cast(sinusoids(ops.arange(ops.shape(x)[1]), x.shape[-1]), x.dtype)


@keras.saving.register_keras_serializable("lmcourse")
class LearnedPositions(keras.layers.Layer):
    """Adds one learned vector for each position to embeddings: (batch, time, hidden_dim) → the same shape.

    Args:
        max_sequence_length: how many positions there are.

    Called with embeddings and `index`, the position of the first of them, a number or a scalar tensor.

    Raises:
        ValueError: for an input that is longer.
    """

    def __init__(self, max_sequence_length: int, **kwargs):
        super().__init__(**kwargs)
        self.max_sequence_length = max_sequence_length

    def build(self, shape):
        normal = keras.initializers.RandomNormal(stddev=0.02)  # GPT-2's
        self.table = self.add_weight((self.max_sequence_length, shape[-1]), initializer=normal, name="table")

    def call(self, x, index=0):
        end = index + ops.shape(x)[1]
        if isinstance(end, int) and end > self.max_sequence_length:
            text = pick(
                en=f"The text has {end} tokens, but only {self.max_sequence_length} positions were learned. Cut it, or raise max_sequence_length.",
                zh=f"文本有 {end} 个词元，而学到的位置只有 {self.max_sequence_length} 个。请截短文本，或增大 max_sequence_length。",
            )
            raise ValueError(text)  # Keras lets its own exceptions through, and turns a CourseError into another
        return x + ops.take(self.table, index + ops.arange(ops.shape(x)[1]), axis=0)


@keras.saving.register_keras_serializable("lmcourse")
class SelfAttention(keras.layers.Layer):
    """Multi-head self-attention: every token asks, all tokens it may see answer.

    Args:
        num_heads: how many attentions run side by side, each on hidden_dim / num_heads numbers.
        causal: no token sees a later one.
        rotary: turn queries and keys by their positions, see `rotate`.
        dropout: share of the attention weights dropped while training.
        num_key_value_heads: num_heads, or fewer, each shared by a group of heads (Ainslie et al., 2023, GQA).
        use_bias: whether the four dense layers add one.
        rotary_base: see `angles`.

    Call arguments:
        x: (batch, time, hidden_dim).
        padding_mask: (batch, keys), true where there is a token; nobody looks at the rest.
        return_attention_scores: also return the weights, (batch, num_heads, time, keys), before dropout.
        cache: keys and values of the tokens before, two tensors (batch · num_key_value_heads, length, head_dim). There are then `length`
            keys, and the new ones are written to the places from `index` on. Use it with `causal`, which hides the empty places.
        index: how many tokens the cache holds already, a number or a scalar tensor.

    Returns:
        (batch, time, hidden_dim); if asked for, then the weights; with a cache, then the cache with the new tokens.

    Raises:
        CourseError: when hidden_dim cannot be shared among the heads, or a head is too odd to rotate.
    """

    def __init__(
        self,
        num_heads: int,
        causal: bool = False,
        rotary: bool = False,
        dropout: float = 0.0,
        num_key_value_heads: int | None = None,
        use_bias: bool = True,
        rotary_base: float = 10_000.0,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.num_heads, self.causal, self.rotary = num_heads, causal, rotary
        self.num_key_value_heads = num_key_value_heads or num_heads
        self.use_bias, self.rotary_base = use_bias, rotary_base
        self.drop = keras.layers.Dropout(dropout, dtype=self.dtype_policy)

    def build(self, shape):
        hidden_dim = shape[-1]
        for many, few in ((hidden_dim, self.num_heads), (self.num_heads, self.num_key_value_heads)):
            if many % few:
                raise CourseError(
                    en=f"{many} cannot be shared equally among {few}: hidden_dim must be a multiple of num_heads, and num_heads of num_key_value_heads.",
                    zh=f"{many} 无法平分成 {few} 份：hidden_dim 必须是 num_heads 的倍数，num_heads 必须是 num_key_value_heads 的倍数。",
                )
        head_dim = hidden_dim // self.num_heads
        if self.rotary and head_dim % 2:
            raise CourseError(
                en=f"Rotary positions turn pairs of numbers, but a head has {head_dim}. Choose an even size.",
                zh=f"旋转位置编码成对转动，而每个头有 {head_dim} 个数。请选偶数。",
            )
        shared = self.num_key_value_heads * head_dim
        for name, units in (("query", hidden_dim), ("key", shared), ("value", shared), ("output", hidden_dim)):
            dense = keras.layers.Dense(units, use_bias=self.use_bias, dtype=self.dtype_policy, name=name)
            dense.build((None, None, hidden_dim))
            setattr(self, f"{name}_dense", dense)

    def split(self, x, heads):
        """(batch, time, heads · head_dim) → (batch, heads, time, head_dim)"""
        x = ops.reshape(x, (-1, ops.shape(x)[1], heads, x.shape[-1] // heads))
        return ops.swapaxes(x, 1, 2)

    def join(self, x):
        """(batch, heads, time, head_dim) → (batch, time, hidden_dim)"""
        return ops.reshape(ops.swapaxes(x, 1, 2), (-1, ops.shape(x)[2], self.num_heads * x.shape[-1]))

    def call(self, x, padding_mask=None, training=None, return_attention_scores=False, cache=None, index=0):
        query = self.split(self.query_dense(x), self.num_heads)
        key, value = (self.split(dense(x), self.num_key_value_heads) for dense in (self.key_dense, self.value_dense))
        time, head_dim, group = ops.shape(x)[1], query.shape[-1], self.num_heads // self.num_key_value_heads
        if self.rotary:
            query, key = (rotate(part, index + ops.arange(time), self.rotary_base) for part in (query, key))
        # texts and key-value heads become one axis; heads that share keys ask one after the other, so that nothing is repeated
        query = ops.reshape(query, (-1, group * time, head_dim))
        key, value = (ops.reshape(part, (-1, time, head_dim)) for part in (key, value))
        if cache is not None:
            both = zip(cache, (key, value), strict=True)
            key, value = cache = [ops.slice_update(old, (0, index, 0), new) for old, new in both]
        keys = ops.shape(key)[1]
        mask = ops.tile(causal_mask(time, keys, index), (group, 1)) if self.causal else None  # (group · time, keys)
        if padding_mask is not None:
            seen = ops.repeat(ops.cast(padding_mask, "bool"), self.num_key_value_heads, axis=0)[:, None, :]
            mask = seen if mask is None else ops.logical_and(mask, seen)
        weights = attention_weights(query, key, mask)  # (batch · key_value_heads, group · time, keys)
        looked = ops.cast(self.drop(weights, training=training), value.dtype)
        out = self.output_dense(self.join(ops.reshape(ops.matmul(looked, value), (-1, self.num_heads, time, head_dim))))
        scores = ops.reshape(weights, (-1, self.num_heads, time, keys))
        more = ([scores] if return_attention_scores else []) + ([cache] if cache is not None else [])
        return (out, *more) if more else out


@keras.saving.register_keras_serializable("lmcourse")
class FeedForward(keras.layers.Layer):
    """Two dense layers for each token by itself: widen, activate, narrow. (batch, time, hidden_dim) → the same shape.

    Args:
        intermediate_dim: the width in between, often four times hidden_dim.
        activation: as for `keras.layers.Dense`.
    """

    def __init__(self, intermediate_dim: int, activation="gelu", **kwargs):
        super().__init__(**kwargs)
        self.widen = keras.layers.Dense(intermediate_dim, activation=activation, dtype=self.dtype_policy, name="widen")

    def build(self, shape):
        self.widen.build(shape)
        self.narrow = keras.layers.Dense(shape[-1], dtype=self.dtype_policy, name="narrow")
        self.narrow.build((*shape[:-1], self.widen.units))

    def call(self, x):
        return self.narrow(self.widen(x))


class PreNormBlock(keras.layers.Layer):
    """x + attention(norm(x)), then x + feed_forward(norm(x)). Whoever inherits makes the two norms, the two parts and `drop`."""

    def build(self, shape):
        for part in (self.attention_norm, self.attention, self.feed_forward_norm, self.feed_forward):
            part.build(shape)

    def call(self, x, padding_mask=None, training=None, return_attention_scores=False, cache=None, index=0):
        wanted = {"padding_mask": padding_mask, "return_attention_scores": return_attention_scores}
        heard = self.attention(self.attention_norm(x), training=training, cache=cache, index=index, **wanted)
        heard, *more = heard if isinstance(heard, tuple) else (heard,)
        x = x + self.drop(heard, training=training)
        x = x + self.drop(self.feed_forward(self.feed_forward_norm(x)), training=training)
        return (x, *more) if more else x


@keras.saving.register_keras_serializable("lmcourse")
class TransformerBlock(PreNormBlock):
    """A pre-norm transformer block: x + attention(norm(x)), then x + feed_forward(norm(x)).

    Args:
        num_heads, causal, rotary: see `SelfAttention`.
        intermediate_dim, activation: see `FeedForward`.
        dropout: share dropped while training, of the attention weights and of what each half adds.

    Call arguments and returns: as of `SelfAttention`.
    """

    def __init__(
        self, num_heads, intermediate_dim, causal=False, rotary=False, dropout=0.0, activation="gelu", **kwargs
    ):
        super().__init__(**kwargs)
        dtype = self.dtype_policy
        self.attention_norm = keras.layers.LayerNormalization(epsilon=1e-5, dtype=dtype, name="attention_norm")
        self.attention = SelfAttention(num_heads, causal, rotary, dropout, dtype=dtype, name="attention")
        self.feed_forward_norm = keras.layers.LayerNormalization(epsilon=1e-5, dtype=dtype, name="feed_forward_norm")
        self.feed_forward = FeedForward(intermediate_dim, activation, dtype=dtype, name="feed_forward")
        self.drop = keras.layers.Dropout(dropout, dtype=dtype)
