// The arithmetic behind the model calculator: the same formulas as model_sizes.py, whose docstrings explain them.

export const TRAINING = { float32: [4, 4, 8, 4], mixed_bfloat16: [4, 4, 8, 2], bfloat16: [2, 2, 4, 2] };
export const SERVING = { float32: [4, 4], bfloat16: [2, 2], int8: [1, 2], int4: [0.5, 2] };

const expert = (s) => (s.gated ? 3 : 2) * s.width * s.hidden + s.bias * ((s.gated ? 2 : 1) * s.hidden + s.width);
const router = (s) => (s.experts > 1 ? s.width * s.experts : 0);

/** Parameters by part. */
export function parameters(s) {
  const queries = s.heads * s.head_dim;
  const keys = s.kv_heads * s.head_dim;
  const attention = 2 * s.width * queries + 2 * s.width * keys + s.bias * (queries + 2 * keys + s.width);
  return {
    embedding: (s.vocabulary + s.positions + s.token_types + (s.patch ? s.patch + 2 : 0)) * s.width,
    attention: s.layers * attention,
    feed_forward: s.layers * (s.experts * expert(s) + router(s)),
    norms: (2 * s.layers + s.final_norm + s.embedding_norm) * s.norm * s.width,
    head: (s.logits && !s.tied) * s.vocabulary * s.width + s.pooler * (s.width ** 2 + s.width) + s.classes * (s.width + 1),
  };
}

/** All parameters. */
export function total(s) {
  return Object.values(parameters(s)).reduce((a, b) => a + b, 0);
}

/** The parameters that one token passes through. */
export function active(s) {
  return total(s) - s.layers * (s.experts - s.active) * expert(s);
}

/** Values per token that the backward pass needs: [in the blocks, for the loss]. `attention`: kept, fused or recomputed. */
export function keptValues(s, context, attention) {
  let block = 6 * s.width + 2 * (s.heads + s.kv_heads) * s.head_dim + s.active * (s.gated ? 4 : 2) * s.hidden;
  if (attention === "kept") block += s.heads * context;
  const blocks = attention === "recomputed" ? s.layers * s.width + block : s.layers * block;
  return [blocks + 3 * s.width * s.final_norm, s.vocabulary * s.logits];
}

/** Bytes by kind for one step of training with Adam. */
export function trainingMemory(s, context, batch, precision, attention) {
  const n = total(s);
  const [weights, gradients, adam, activation] = TRAINING[precision];
  const [blocks, loss] = keptValues(s, context, attention);
  return { weights: weights * n, gradients: gradients * n, adam: adam * n, activations: batch * context * (activation * blocks + 4 * loss) };
}

/** Bytes by kind for generating. */
export function servingMemory(s, context, batch, precision) {
  const [weights, cache] = SERVING[precision];
  return { weights: weights * total(s), cache: cache * batch * context * 2 * s.layers * s.kv_heads * s.head_dim };
}

/** Operations for one token's way through the model. */
export function forwardFlops(s, context) {
  const queries = s.heads * s.head_dim;
  const block = 2 * s.width * queries + 2 * s.width * s.kv_heads * s.head_dim + s.active * (s.gated ? 3 : 2) * s.width * s.hidden + router(s);
  const once = s.patch * s.width + s.logits * s.vocabulary * s.width;
  return 2 * (s.layers * block + once) + 4 * s.layers * queries * context;
}

/** Operations per token of training. */
export function trainingFlops(s, context) {
  return 3 * forwardFlops(s, context);
}

/** Days to train. */
export function trainingDays(s, context, tokens, peak, count, utilisation) {
  return (trainingFlops(s, context) * tokens) / (peak * count * utilisation) / 86400;
}
