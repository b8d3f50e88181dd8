"""BERT: a transformer that reads in both directions, with heads that fill in blanks, sum a text up, or classify it. Lesson 3.4 trains one.

Post-norm, as published, on the attention and feed-forward of `lmcourse.layers`. Left out on purpose: the next-sentence task, which
later work found useless (Liu et al., 2019), and token ids of special tokens, which belong to a tokenizer.
"""

import keras
from keras import ops

from lmcourse import layers


def _normal():
    return keras.initializers.TruncatedNormal(stddev=0.02)  # Devlin et al.'s


def _norm(dtype, name):
    return keras.layers.LayerNormalization(epsilon=1e-12, dtype=dtype, name=name)


@keras.saving.register_keras_serializable("lmcourse")
class PostNormBlock(keras.layers.Layer):
    """The first transformers' block: norm(x + attention(x)), then norm(x + feed_forward(x)).

    Args:
        num_heads, intermediate_dim, activation: see `layers.SelfAttention` and `layers.FeedForward`.
        dropout: share dropped while training, of the attention weights and of what each half adds.

    Call arguments and returns: as of `layers.SelfAttention`.

    Source: Vaswani et al. (2017), section 3.1; Devlin et al. (2019).
    """

    def __init__(self, num_heads: int, intermediate_dim: int, dropout: float = 0.0, activation="gelu", **kwargs):
        super().__init__(**kwargs)
        dtype = self.dtype_policy
        self.attention = layers.SelfAttention(num_heads, dropout=dropout, dtype=dtype, name="attention")
        self.attention_norm = _norm(dtype, "attention_norm")
        self.feed_forward = layers.FeedForward(intermediate_dim, activation, dtype=dtype, name="feed_forward")
        self.feed_forward_norm = _norm(dtype, "feed_forward_norm")
        self.drop = keras.layers.Dropout(dropout, dtype=dtype)

    def build(self, shape):
        for part in (self.attention, self.attention_norm, self.feed_forward, self.feed_forward_norm):
            part.build(shape)

    def call(self, x, padding_mask=None, training=None, return_attention_scores=False):
        heard, weights = self.attention(x, padding_mask=padding_mask, training=training, return_attention_scores=True)
        x = self.attention_norm(x + self.drop(heard, training=training))
        x = self.feed_forward_norm(x + self.drop(self.feed_forward(x), training=training))
        return (x, weights) if return_attention_scores else x


@keras.saving.register_keras_serializable("lmcourse")
class BERT(keras.Model):
    """The encoder: token ids in, one vector for each token out, every one of which has seen the whole text.

    Args:
        vocabulary_size, num_layers, num_heads, hidden_dim, intermediate_dim: as in Keras Hub. BERT-base: 30522, 12, 12, 768, 3072.
        max_sequence_length: how many positions are learned; a longer text is refused.
        num_segments: how many kinds of text one input may join, such as question and answer.
        dropout: share dropped while training.
        activation: of the feed-forward part and of the head for masks. The published code and Hugging Face use the exact GELU, Keras Hub the approximation by tanh.

    Call arguments:
        token_ids: (batch, time) whole numbers.
        padding_mask: (batch, time), true where there is a token; nobody looks at the rest.
        segment_ids: (batch, time), 0 where left out.

    Returns:
        (batch, time, hidden_dim).

    Raises:
        ValueError: for a text longer than max_sequence_length.

    Source: Devlin, Chang, Lee and Toutanova (2019), BERT: pre-training of deep bidirectional transformers for language understanding.
    """

    def __init__(
        self,
        vocabulary_size: int,
        num_layers: int,
        num_heads: int,
        hidden_dim: int,
        intermediate_dim: int,
        max_sequence_length: int = 512,
        num_segments: int = 2,
        dropout: float = 0.1,
        activation="gelu",
        **kwargs,
    ):
        super().__init__(**kwargs)
        dtype = self.dtype_policy
        self.token_embedding = keras.layers.ReversibleEmbedding(
            vocabulary_size, hidden_dim, embeddings_initializer=_normal(), dtype=dtype, name="token_embedding"
        )
        self.position_embedding = layers.LearnedPositions(max_sequence_length, dtype=dtype, name="position_embedding")
        self.segment_embedding = keras.layers.Embedding(
            num_segments, hidden_dim, embeddings_initializer=_normal(), dtype=dtype, name="segment_embedding"
        )
        self.embedding_norm = _norm(dtype, "embedding_norm")
        self.drop = keras.layers.Dropout(dropout, dtype=dtype)
        self.blocks = [
            PostNormBlock(num_heads, intermediate_dim, dropout, activation, dtype=dtype, name=f"block{i}")
            for i in range(num_layers)
        ]
        self.hidden_dim, self.activation = hidden_dim, activation
        for embedding in (self.token_embedding, self.segment_embedding):
            embedding.build((None, None))
        for part in (self.position_embedding, self.embedding_norm, *self.blocks):
            part.build((None, None, hidden_dim))
        self.built = True

    def embed(self, token_ids, segment_ids=None, training=None):
        """(batch, time) ids → (batch, time, hidden_dim): the sum of three embeddings, normed, where the blocks begin."""
        segment_ids = ops.zeros_like(token_ids) if segment_ids is None else segment_ids
        x = self.position_embedding(self.token_embedding(token_ids)) + self.segment_embedding(segment_ids)
        return self.drop(self.embedding_norm(x), training=training)

    def call(self, token_ids, padding_mask=None, segment_ids=None, training=None):
        x = self.embed(token_ids, segment_ids, training)
        for block in self.blocks:
            x = block(x, padding_mask=padding_mask, training=training)
        return x

    def attention_scores(self, token_ids, padding_mask=None):
        """Who looked at whom: (num_layers, batch, num_heads, time, time), rows sum to 1."""
        x, scores = self.embed(token_ids), []
        for block in self.blocks:
            x, weights = block(x, padding_mask=padding_mask, return_attention_scores=True)
            scores.append(weights)
        return ops.stack(scores)


@keras.saving.register_keras_serializable("lmcourse")
class MaskedLMHead(keras.layers.Layer):
    """From vectors to scores of the tokens that stood there: dense, activation, norm, then the embedding table once more, transposed.

    Args:
        token_embedding: the `ReversibleEmbedding` of the model.
        activation: of the dense layer.

    Call arguments:
        x: (batch, time, hidden_dim).

    Returns:
        (batch, time, vocabulary_size) logits.
    """

    def __init__(self, token_embedding, activation="gelu", **kwargs):
        super().__init__(**kwargs)
        self.token_embedding, self.activation = token_embedding, activation

    def build(self, shape):
        self.dense = keras.layers.Dense(
            shape[-1], activation=self.activation, kernel_initializer=_normal(), dtype=self.dtype_policy, name="dense"
        )
        self.dense.build(shape)
        self.norm = _norm(self.dtype_policy, "norm")
        self.norm.build(shape)
        self.bias = self.add_weight((self.token_embedding.input_dim,), initializer="zeros", name="bias")

    def call(self, x):
        return self.token_embedding(self.norm(self.dense(x)), reverse=True) + self.bias


def masked_language_model(bert: BERT) -> keras.Model:
    """A model that says what stood at chosen places, for pretraining and for filling in blanks.

    Args:
        bert: the encoder; its embeddings are shared, so that training this trains it.

    Returns:
        A model of a dict: `token_ids` and `padding_mask`, both (batch, time), and `mask_positions`, (batch, masks): the places asked
        about, any number of them, the same one again if need be. It gives logits, (batch, masks, vocabulary_size).
    """
    inputs = _inputs() | {"mask_positions": keras.Input((None,), dtype="int32", name="mask_positions")}
    x = bert(inputs["token_ids"], padding_mask=inputs["padding_mask"])
    x = ops.take_along_axis(x, inputs["mask_positions"][:, :, None], axis=1)  # (batch, masks, hidden_dim)
    return keras.Model(inputs, MaskedLMHead(bert.token_embedding, bert.activation, name="mask_head")(x))


def pooled(bert: BERT) -> keras.Model:
    """A model that sums a text up: a dense layer with tanh over the vector of the first token, [CLS].

    Returns:
        A model of a dict, `token_ids` and `padding_mask`, both (batch, time). It gives (batch, hidden_dim).
    """
    inputs = _inputs()
    return keras.Model(inputs, _pool(bert, inputs))


def classifier(bert: BERT, num_classes: int, dropout: float = 0.1) -> keras.Model:
    """A model that classifies a text by its pooled vector.

    Args:
        bert: the encoder, fresh or pretrained; training this trains it.
        num_classes: how many logits there are to be.
        dropout: share of the pooled vector dropped while training.

    Returns:
        A model of a dict, `token_ids` and `padding_mask`, both (batch, time). It gives logits, (batch, num_classes).
    """
    inputs = _inputs()
    x = keras.layers.Dropout(dropout)(_pool(bert, inputs))
    return keras.Model(inputs, keras.layers.Dense(num_classes, kernel_initializer=_normal(), name="classes")(x))


def reader(bert: BERT, num_classes: int, dropout: float = 0.1) -> keras.Model:
    """A model that classifies a text by a weighted sum of its tokens' vectors; whoever calls it says where to read.

    A 1 at the first place and 0 elsewhere reads [CLS]; 1/n at each of n tokens reads their mean. One compiled model serves all ways.

    Args:
        bert: the encoder, fresh or pretrained; training this trains it.
        num_classes: how many logits there are to be.
        dropout: share of the sum dropped while training.

    Returns:
        A model of a dict: `token_ids`, `padding_mask` and `weights`, floats, all (batch, time). It gives logits, (batch, num_classes).
    """
    inputs = _inputs() | {"weights": keras.Input((None,), dtype="float32", name="weights")}
    x = bert(inputs["token_ids"], padding_mask=inputs["padding_mask"])
    x = ops.sum(ops.cast(x, "float32") * inputs["weights"][:, :, None], axis=1)  # (batch, hidden_dim)
    x = keras.layers.Dropout(dropout, dtype="float32")(x)
    return keras.Model(
        inputs, keras.layers.Dense(num_classes, kernel_initializer=_normal(), dtype="float32", name="classes")(x)
    )


def _inputs() -> dict:
    return {name: keras.Input((None,), dtype="int32", name=name) for name in ("token_ids", "padding_mask")}


def _pool(bert, inputs):
    first = bert(inputs["token_ids"], padding_mask=inputs["padding_mask"])[:, 0]  # (batch, hidden_dim)
    return keras.layers.Dense(bert.hidden_dim, activation="tanh", kernel_initializer=_normal(), name="pooler")(first)
