"""Exercises and a question on counting the parameters of transformers: a GPT with every bias, a Llama with grouped queries."""

from lmcourse.exercises.exercise import Case, exercise
from lmcourse.exercises.question import choice

embedding_share = choice(
    en="GPT-2 small has a vocabulary of 50,257 pieces and vectors of 768 numbers. How much of the model is its embedding table?",
    zh="GPT-2 small 的词表有 50,257 块，向量有 768 个数。嵌入表占整个模型的多少？",
    options=[
        ("about 3 %", "约 3%"),
        ("about 10 %", "约 10%"),
        ("about 30 %", "约 30%"),
        ("more than half", "一半以上"),
    ],
    answer=2,
    because_en="38.6 of 124.4 million, 31 %. Its twelve blocks hold 85 million. The larger a model, the smaller this share: it grows with the "
    "width, the blocks with the square of the width and with their number.",
    because_zh="1.244 亿中的 3,860 万，占 31%；十二个块共 8,500 万。模型越大，这一份越小：嵌入随宽度增长，块则随宽度的平方和层数增长。",
)


@exercise(
    minutes=10,
    task_en="Count the parameters of a GPT with biases, LayerNorms, learned positions and an output layer tied to the embedding.",
    task_zh="数一数 GPT 的参数：有偏置，用 LayerNorm，位置是学出来的，输出层与嵌入共用权重。",
    cases=lambda: [
        Case(1, 8, 10, 4, label_en="one tiny block", label_zh="只有一个小小的块", expected=1000),
        Case(
            12,
            768,
            50257,
            1024,
            label_en="GPT-2 small, as published",
            label_zh="GPT-2 small，公布的数字",
            expected=124_439_808,
        ),
        Case(
            48,
            1600,
            50257,
            1024,
            label_en="GPT-2 XL, as published",
            label_zh="GPT-2 XL，公布的数字",
            expected=1_557_611_200,
        ),
        Case(0, 16, 100, 10, label_en="no block at all", label_zh="一个块也没有"),
    ],
    hints=[
        (
            "Sort what stands in the picture into three groups: once per model, once per block, once per block and matrix.",
            "把图里的东西分成三类：每个模型一份，每个块一份，每个块的每个矩阵一份。",
        ),
        (
            "A block: attention has four square matrices with biases, the feed-forward part two matrices of width × 4 width with biases, "
            "and each of the two norms has a scale and a shift. Together 12 d² + 13 d.",
            "一个块：注意力有四个方阵，各带偏置；前馈部分有两个 d × 4d 的矩阵，各带偏置；两个归一化各有缩放和平移。合计 12d² + 13d。",
        ),
        (
            "Besides the blocks: (vocabulary + context) · width for the embeddings, and 2 · width for the norm at the end. The output layer is tied: nothing.",
            "块以外：嵌入是 (vocabulary + context) · width，末尾的归一化是 2 · width。输出层共用权重，不另算。",
        ),
    ],
)
def gpt_parameters(layers, width, vocabulary, context):
    """Parameters of a GPT whose feed-forward part is four times as wide as the model."""
    attention = 4 * (width * width + width)
    feed_forward = (width * 4 * width + 4 * width) + (4 * width * width + width)
    norms = 2 * 2 * width
    embeddings = (vocabulary + context) * width
    return layers * (attention + feed_forward + norms) + embeddings + 2 * width


@gpt_parameters.mistake(
    en="The output layer is counted a second time. It is tied: it uses the embedding's own weights.",
    zh="输出层又算了一遍。它与嵌入共用权重，不另占参数。",
)
def untied(layers, width, vocabulary, context):
    return layers * (12 * width**2 + 13 * width) + (2 * vocabulary + context) * width + 2 * width


@gpt_parameters.mistake(
    en="The norm after the last block is missing: a scale and a shift, 2 · width.",
    zh="漏了最后一个块之后的归一化：缩放和平移，共 2 · width。",
)
def no_last_norm(layers, width, vocabulary, context):
    return layers * (12 * width**2 + 13 * width) + (vocabulary + context) * width


@gpt_parameters.mistake(
    en="The positions are missing: they are learned too, one vector for each place.",
    zh="漏了位置：它们也是学出来的，每个位置一个向量。",
)
def no_positions(layers, width, vocabulary, context):
    return layers * (12 * width**2 + 13 * width) + vocabulary * width + 2 * width


@gpt_parameters.mistake(
    en="The biases and norms of the blocks are missing: 13 · width in each.",
    zh="漏了块里的偏置和归一化：每块 13 · width。",
)
def matrices_only(layers, width, vocabulary, context):
    return layers * 12 * width**2 + (vocabulary + context) * width + 2 * width


@gpt_parameters.mistake(
    en="Attention has four matrices; the one after the heads, the output, is missing.",
    zh="注意力有四个矩阵，漏了各头之后的输出矩阵。",
)
def three_matrices(layers, width, vocabulary, context):
    return layers * (11 * width**2 + 12 * width) + (vocabulary + context) * width + 2 * width


@gpt_parameters.right
def by_hand(layers, width, vocabulary, context):
    return layers * (12 * width**2 + 13 * width) + (vocabulary + context + 2) * width


@gpt_parameters.right
def by_loop(layers, width, vocabulary, context):
    total = width * (vocabulary + context) + width * 2
    for _ in range(layers):
        for inputs, outputs in [(width, 3 * width), (width, width), (width, 4 * width), (4 * width, width)]:
            total += inputs * outputs + outputs
        total += 4 * width
    return total


@exercise(
    minutes=8,
    task_en="Count the parameters of a Llama: grouped-query attention, SwiGLU, RMSNorm, rotary positions, no biases.",
    task_zh="数一数 Llama 的参数：分组查询注意力、SwiGLU、RMSNorm、旋转位置编码，没有偏置。",
    cases=lambda: [
        Case(1, 8, 4, 1, 16, 5, tied=False, label_en="one tiny block, one key-value head", label_zh="只有一个小小的块、一个键值头"),
        Case(2, 12, 3, 3, 20, 7, label_en="as many key-value heads as heads", label_zh="键值头与头一样多"),
        Case(30, 576, 9, 3, 1536, 49152, label_en="SmolLM2-135M, as published", label_zh="SmolLM2-135M，公布的数字", expected=134_515_008),
        Case(32, 4096, 32, 8, 14336, 128256, tied=False, label_en="Llama 3.1 8B, as published", label_zh="Llama 3.1 8B，公布的数字", expected=8_030_261_248),
    ],
    hints=[
        ("Which of the four attention matrices become narrower when there are fewer key-value heads?", "键值头变少时，注意力的四个矩阵里哪几个变窄？"),
        (
            "Keys and values are width × (kv_heads · head_dim), with head_dim = width / heads. Queries and output stay square.",
            "键和值的矩阵是 width × (kv_heads · head_dim)，其中 head_dim = width / heads。查询和输出仍是方阵。",
        ),
        (
            "SwiGLU has three matrices of width × hidden; an RMSNorm only a scale; rotary positions nothing. Untied: the vocabulary's table twice.",
            "SwiGLU 有三个 width × hidden 的矩阵；RMSNorm 只有缩放；旋转位置编码没有参数。不共用时，词表那张表算两次。",
        ),
    ],
)  # fmt: skip
def llama_parameters(layers, width, heads, kv_heads, hidden, vocabulary, tied=True):
    """Parameters of a Llama; `kv_heads` of the `heads` have keys and values of their own, `hidden` is the feed-forward width."""
    keys = kv_heads * (width // heads)
    attention = 2 * width * width + 2 * width * keys
    feed_forward = 3 * width * hidden
    norms = 2 * width
    tables = 1 if tied else 2
    return layers * (attention + feed_forward + norms) + width + tables * vocabulary * width


@llama_parameters.mistake(
    en="Keys and values are counted as if every head had its own. With grouped queries only kv_heads have.",
    zh="键和值按每个头一份来算了。分组查询时，只有 kv_heads 份。",
)
def all_heads(layers, width, heads, kv_heads, hidden, vocabulary, tied=True):
    return layers * (4 * width**2 + 3 * width * hidden + 2 * width) + width + (2 - tied) * vocabulary * width


@llama_parameters.mistake(
    en="The feed-forward part has two matrices here; SwiGLU has a third, the gate.",
    zh="这里前馈部分只有两个矩阵；SwiGLU 还有第三个：门。",
)
def no_gate(layers, width, heads, kv_heads, hidden, vocabulary, tied=True):
    attention = 2 * width**2 + 2 * width * kv_heads * (width // heads)
    return layers * (attention + 2 * width * hidden + 2 * width) + width + (2 - tied) * vocabulary * width


@llama_parameters.mistake(
    en="An RMSNorm has a scale and no shift: one number per feature.", zh="RMSNorm 只有缩放，没有平移：每个特征一个数。"
)
def layer_norms(layers, width, heads, kv_heads, hidden, vocabulary, tied=True):
    attention = 2 * width**2 + 2 * width * kv_heads * (width // heads)
    return layers * (attention + 3 * width * hidden + 4 * width) + 2 * width + (2 - tied) * vocabulary * width


@llama_parameters.mistake(
    en="`tied` makes no difference here. An untied output layer is a second table.",
    zh="这里 `tied` 没起作用。不共用时，输出层是第二张表。",
)
def always_tied(layers, width, heads, kv_heads, hidden, vocabulary, tied=True):
    attention = 2 * width**2 + 2 * width * kv_heads * (width // heads)
    return layers * (attention + 3 * width * hidden + 2 * width) + width + vocabulary * width


@llama_parameters.mistake(
    en="`kv_heads` counts heads; each of them has width / heads numbers.",
    zh="`kv_heads` 是头的个数；每个头有 width / heads 个数。",
)
def heads_as_numbers(layers, width, heads, kv_heads, hidden, vocabulary, tied=True):
    block = 2 * width**2 + 2 * width * kv_heads + 3 * width * hidden + 2 * width
    return layers * block + width + (2 - tied) * vocabulary * width


@llama_parameters.mistake(
    en="The norm after the last block is missing: one scale, `width` numbers.",
    zh="漏了最后一个块之后的归一化：一组缩放，`width` 个数。",
)
def no_norm_at_the_end(layers, width, heads, kv_heads, hidden, vocabulary, tied=True):
    block = 2 * width**2 + 2 * width * kv_heads * (width // heads) + 3 * width * hidden + 2 * width
    return layers * block + (2 - tied) * vocabulary * width


@llama_parameters.right
def by_ratio(layers, width, heads, kv_heads, hidden, vocabulary, tied=True):
    square = width * width
    block = 2 * square + 2 * square * kv_heads // heads + 3 * hidden * width + 2 * width
    return layers * block + width * (1 + vocabulary * (1 if tied else 2))


@llama_parameters.right
def by_matrices(layers, width, heads, kv_heads, hidden, vocabulary, tied=True):
    dim = width // heads
    matrices = [(width, heads * dim), (width, kv_heads * dim), (width, kv_heads * dim), (heads * dim, width)]
    matrices += [(width, hidden), (width, hidden), (hidden, width)]
    total = layers * (sum(a * b for a, b in matrices) + 2 * width) + width + vocabulary * width
    return total if tied else total + vocabulary * width
