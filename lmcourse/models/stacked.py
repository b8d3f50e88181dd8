"""Llama once more, for speed: each kind of weight of all layers in one tensor, and one loop over the layers.

What it computes is what `lmcourse.models.llama` computes. The loop's body is compiled once, not once for each layer, which saves most of
the time and memory that compiling takes; and a kernel lies as (outputs, inputs), so that one token's product reads it from front to end.
Each weight comes from a file when its turn comes: zeros or drawn ones before would take twice the memory. Left out on purpose: training;
weights in fewer bits, which XLA unpacks before the loop, or so slowly that float32 is faster (measured).

Source: Touvron et al. (2023), LLaMA: open and efficient foundation language models.
"""

from collections.abc import Callable, Mapping
from math import prod

import keras
from keras import ops

from lmcourse.layers import attention_weights, causal_mask, rotate


class StackedLlama(keras.Model):
    """Scores of the next token at every place of a text; takes what `lmcourse.models.llama.Llama` takes, without `tied`, which it is.

    Args:
        read: given the weights' shapes by their names, returns for each name a function that reads the weight, such as
            `lmcourse.checkpoints.match` with a file's tensors.

    Calls and methods: those of `lmcourse.models.decoder.Decoder`, without padding masks.
    """

    def __init__(
        self,
        read: Callable[[dict[str, tuple]], Mapping[str, Callable]],
        vocabulary_size: int,
        num_layers: int,
        num_heads: int,
        num_key_value_heads: int,
        hidden_dim: int,
        intermediate_dim: int,
        max_sequence_length: int,
        rotary_base: float = 10_000.0,
        norm_epsilon: float = 1e-5,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.vocabulary_size, self.max_sequence_length = vocabulary_size, max_sequence_length
        self.num_layers, self.num_heads, self.num_key_value_heads = num_layers, num_heads, num_key_value_heads
        self.head_dim, self.rotary_base, self.norm_epsilon = hidden_dim // num_heads, rotary_base, norm_epsilon
        shared = num_key_value_heads * self.head_dim
        layer = {
            "attention_norm": (hidden_dim,),
            "query": (hidden_dim, hidden_dim),
            "key": (shared, hidden_dim),
            "value": (shared, hidden_dim),
            "output": (hidden_dim, hidden_dim),
            "feed_forward_norm": (hidden_dim,),
            "gate": (intermediate_dim, hidden_dim),
            "widen": (intermediate_dim, hidden_dim),
            "narrow": (hidden_dim, intermediate_dim),
        }
        stacks = {name: (num_layers, *shape) for name, shape in layer.items()}
        shapes = {"table": (vocabulary_size, hidden_dim), "norm": (hidden_dim,), **stacks}
        values, weights = read(shapes), {}
        for name in sorted(shapes, key=lambda name: -prod(shapes[name])):  # on its way a weight takes its room twice
            weights[name] = self.add_weight(shapes[name], lambda shape, dtype, name=name: values[name](), name=name)
        self.table, self.norm_scale = weights["table"], weights["norm"]
        self.stacks = {name: weights[name] for name in stacks}
        self.built = True

    def embed(self, token_ids):
        """(batch, time) ids → (batch, time, hidden_dim), where the residual stream begins."""
        return ops.take(self.table, token_ids, axis=0)

    def layer(self, number, x, keys, values, index):
        """One layer.

        Args:
            number: which, a number or a scalar tensor.
            x: (batch, time, hidden_dim), the residual stream; its first token stands at place `index`.
            keys, values: (num_layers, batch, num_key_value_heads, length, head_dim), the cache.

        Returns:
            x, keys, values as they are afterwards, and the attention's weights, (batch, num_heads, time, length).
        """
        batch, time, length = ops.shape(x)[0], ops.shape(x)[1], keys.shape[3]

        def weight(name):
            stack = ops.convert_to_tensor(self.stacks[name])
            one = ops.slice(stack, (number, *(0 for _ in stack.shape[1:])), (1, *stack.shape[1:]))
            return one[0]

        def dense(x, name):
            return ops.matmul(x, ops.transpose(weight(name)))

        def split(x):
            return ops.swapaxes(ops.reshape(x, (batch, time, -1, self.head_dim)), 1, 2)

        def join(x):
            x = ops.reshape(x, (batch, self.num_heads, time, self.head_dim))
            return ops.reshape(ops.swapaxes(x, 1, 2), (batch, time, -1))

        def place(cache, new):
            cache = ops.slice_update(cache, (number, 0, 0, index, 0), new[None])
            return cache, ops.slice(cache, (number, 0, 0, 0, 0), (1, *cache.shape[1:]))[0]

        heard = self._norm(x, weight("attention_norm"))
        query, key, value = (split(dense(heard, name)) for name in ("query", "key", "value"))
        places = index + ops.arange(time)
        query, key = (rotate(part, places, self.rotary_base) for part in (query, key))
        (keys, key), (values, value) = place(keys, key), place(values, value)
        # each key serves a group of queries: (batch, key_value_heads, group · time, head_dim)
        group = self.num_heads // self.num_key_value_heads
        query = ops.reshape(query, (batch, self.num_key_value_heads, group * time, self.head_dim))
        mask = ops.tile(causal_mask(time, length, index), (group, 1))
        looked = attention_weights(query, key, mask)
        found = ops.matmul(looked, value)
        # The weights sum to 1, so dividing by the sum changes nothing but where XLA cuts: it would look up each number of `found` within
        # the next product, which then takes three times as long.
        total = ops.broadcast_to(ops.sum(looked, axis=-1, keepdims=True), found.shape)
        x = x + dense(join(found) / join(total), "output")
        read = self._norm(x, weight("feed_forward_norm"))
        x = x + dense(ops.silu(dense(read, "gate")) * dense(read, "widen"), "narrow")
        return x, keys, values, ops.reshape(looked, (batch, self.num_heads, time, length))

    def logits(self, x):
        """Read a residual stream as scores of the next token: (…, hidden_dim) → (…, vocabulary_size) float32."""
        rows = ops.reshape(self._norm(x, self.norm_scale), (-1, x.shape[-1]))
        scores = ops.transpose(
            ops.matmul(self.table, ops.transpose(rows))
        )  # the table as it lies: a turned copy is large
        return ops.reshape(scores, (*x.shape[:-1], self.vocabulary_size))

    def call(self, token_ids):
        return self.call_with_cache(token_ids, self.empty_cache(*token_ids.shape), 0)[0]

    def residual_stream(self, token_ids):
        """What flows along the layers, before the first and after each: (num_layers + 1, batch, time, hidden_dim)."""
        return ops.stack([x for x, _ in self._walk(token_ids)])

    def attention_scores(self, token_ids):
        """Who looked at whom: (num_layers, batch, num_heads, time, time), rows sum to 1."""
        return ops.stack([looked for _, looked in self._walk(token_ids)][1:])

    def empty_cache(self, batch_size: int, length: int):
        """Room for the keys and values of `length` tokens in all layers: two tensors, see `layer`."""
        shape = (self.num_layers, batch_size, self.num_key_value_heads, length, self.head_dim)
        return [ops.zeros(shape), ops.zeros(shape)]

    def call_with_cache(self, token_ids, cache, index):
        """As `lmcourse.models.decoder.Decoder.call_with_cache`."""

        def step(number, x, keys, values):
            return number + 1, *self.layer(number, x, keys, values, index)[:3]

        start = (0, self.embed(token_ids), *cache)
        _, x, *cache = ops.while_loop(lambda number, *rest: number < self.num_layers, step, start)
        return self.logits(x), cache

    def _walk(self, token_ids):
        x, cache = self.embed(token_ids), self.empty_cache(*token_ids.shape)
        yield x, None
        for number in range(self.num_layers):
            x, *cache, looked = self.layer(number, x, *cache, 0)
            yield x, looked

    def _norm(self, x, scale):
        return ops.rms_normalization(x, scale, epsilon=self.norm_epsilon)
