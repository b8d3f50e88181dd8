"""Exercises and questions on language models: a GPT's way from ids to scores, counting, bits per byte, batches, curves."""

import numpy as np

from lmcourse.exercises.exercise import Case, exercise
from lmcourse.exercises.question import choice, number


def _random(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape)


def _halve(x):
    return x / 2


def _look_back(x):
    """A stand-in for a block: adds to each place the mean of all places up to it."""
    return x + np.cumsum(x, axis=1) / np.arange(1, x.shape[1] + 1)[:, None]


def _norm(x):
    return (x - x.mean(axis=-1, keepdims=True)) / (x.std(axis=-1, keepdims=True) + 1e-5)


def _same(x):
    return x


first_loss = number(
    en="A GPT with 2,048 tokens has small random weights and has learned nothing. Its mean cross-entropy on any text, in nats a token, "
    "is about …",
    zh="一个 GPT 有 2048 个词元，权重是很小的随机数，什么都没学过。它在任何文本上的平均交叉熵，以奈特每词元计，大约是……",
    answer=float(np.log(2048)),
    tolerance=0.15,
    because_en="Whoever knows nothing gives each token the chance 1/2048, and −ln(1/2048) = ln 2048 ≈ 7.62. A first loss far above it "
    "means a start that is sure of something wrong; one far below means that the model sees the answer.",
    because_zh="什么都不知道，就给每个词元 1/2048 的概率，而 −ln(1/2048) = ln 2048 ≈ 7.62。"
    "起始损失远高于它，说明模型一开始就对错误的东西很有把握；远低于它，说明模型看到了答案。",
)

winner = choice(
    en="Some 500 steps of training on a processor, a minute or so, against the tuned counts over the same text. On topics that neither has seen, fewer bits a byte has …",
    zh="一边是在处理器上训练约 500 步，花一分钟左右；一边是同样文本上调好的计数。在双方都没见过的主题上，每字节比特数更少的是……",
    options=[
        (
            "the GPT, clearly: attention sees 128 tokens, counts see a few bytes",
            "GPT，而且明显：注意力能看 128 个词元，计数只看几个字节",
        ),
        ("the GPT, barely", "GPT，但差距很小"),
        ("the counts, barely", "计数，但差距很小"),
        ("the counts, clearly", "计数，而且明显"),
    ],
    answer=3,
    because_en="Counting uses every byte of the text at once and needs no step; the GPT has to find out everything by small steps, and 500 "
    "of them are less than one reading of the text. A model that could be better is not better yet.",
    because_zh="计数一次就用上文本的每个字节，不需要一步步走；GPT 的一切都要靠小步摸索，500 步还不够它把文本读一遍。能够更好，不等于已经更好。",
)

loops = choice(
    en="The recorded model continues a text for 200 tokens and always takes its best token. What comes out?",
    zh="让录制的模型续写 200 个词元，每次都取概率最高的。结果会是……",
    options=[
        ("the best text that it can write", "它能写出的最好的文本"),
        ("a text as varied as the documentation", "和文档一样富于变化的文本"),
        ("before long the same few lines again and again", "没多久就翻来覆去重复那几行"),
        ("noise", "乱码"),
    ],
    answer=2,
    because_en="Each repetition makes the next one more likely, for the model has learned that texts repeat themselves; without chance nothing "
    "leads out. The most likely token at each place does not make a likely text.",
    because_zh="模型学到文本会重复自己，所以每重复一次，下一次重复就更有可能；没有随机性，就走不出来。处处取最可能的词元，得到的并不是一篇像样的文本。",
)


@exercise(
    minutes=6,
    task_en="Write a GPT's way from ids to scores: embed, add positions, run the blocks, normalise, compare with the embeddings.",
    task_zh="写出 GPT 从编号到分数的全过程：嵌入、加位置、依次经过各块、归一化、与嵌入表比较。",
    cases=lambda: [
        Case(
            np.array([[1, 0]]),
            np.array([[1.0, 0.0], [0.0, 2.0]]),
            np.array([[0.5, 0.0], [0.0, 0.5], [9.0, 9.0]]),
            [],
            _same,
            label_en="no blocks, nothing normalised",
            label_zh="没有块，也不归一化",
            expected=np.array([[[0.5, 4.0], [1.0, 1.0]]]),
        ),
        Case(
            np.array([[3, 1, 4, 1, 5]]),
            _random(6, 8),
            _random(9, 8, seed=1),
            [_look_back],
            _norm,
            label_en="one block",
            label_zh="一个块",
        ),
        Case(
            np.array([[3, 1, 4, 1], [0, 0, 2, 5], [5, 4, 3, 2]]),
            _random(6, 4),
            _random(9, 4, seed=1),
            [_look_back, _halve, _norm, _look_back],
            _norm,
            label_en="four blocks, three texts",
            label_zh="四个块，三个文本",
        ),
    ],
    hints=[
        (
            "Five stations, one line each but for the loop. The head has no matrix of its own: which one does it share?",
            "一共五站，除了循环每站一行。输出头没有自己的矩阵：它和谁共用？",
        ),
        (
            "`embedding[ids]` has shape (batch, time, dim); the first `ids.shape[1]` rows of `positions` are added to it.",
            "`embedding[ids]` 的形状是 (batch, time, dim)；给它加上 `positions` 的前 `ids.shape[1]` 行。",
        ),
        (
            "`for block in blocks: x = block(x)`, then the norm, then `@ embedding.T`. A block already adds to what it gets.",
            "`for block in blocks: x = block(x)`，然后归一化，再 `@ embedding.T`。块自己已经做了残差相加。",
        ),
    ],
)
def gpt(ids, embedding, positions, blocks, norm):
    """A GPT's scores of the next token at every place.

    ids: (batch, time) whole numbers; embedding: (vocabulary, dim); positions: (longest, dim); blocks and norm: functions
    (batch, time, dim) → the same shape. Returns (batch, time, vocabulary).
    """
    x = embedding[ids] + positions[: ids.shape[1]]  # (batch, time, dim)
    for block in blocks:
        x = block(x)
    return norm(x) @ embedding.T


def _through(x, blocks):
    for block in blocks:
        x = block(x)
    return x


@gpt.mistake(
    en="positions has a row for each place of the longest text: take as many as these texts have places.",
    zh="positions 为最长的文本准备了每个位置的一行：这里的文本有几个位置，就取几行。",
)
def takes_all_positions(ids, embedding, positions, blocks, norm):
    return norm(_through(embedding[ids] + positions, blocks)) @ embedding.T


@gpt.mistake(
    en="positions was asked with the ids. A position's number is its place in the text, 0, 1, 2, …, whatever token stands there.",
    zh="这里用词元编号去查 positions 了。位置的编号是它在文本中的次序 0、1、2……，与那里是什么词元无关。",
)
def positions_of_ids(ids, embedding, positions, blocks, norm):
    return norm(_through(embedding[ids] + positions[ids], blocks)) @ embedding.T


@gpt.mistake(
    en="No positions are added: the blocks would hardly know what stands where.",
    zh="没有加位置：各块几乎无从知道谁在哪里。",
)
def forgets_positions(ids, embedding, positions, blocks, norm):
    return norm(_through(embedding[ids], blocks)) @ embedding.T


@gpt.mistake(
    en="The last normalisation is missing: the residual stream has grown with every block, and the scores with it.",
    zh="少了最后的归一化：残差流每过一块就变大，分数也跟着变大。",
)
def forgets_the_norm(ids, embedding, positions, blocks, norm):
    return _through(embedding[ids] + positions[: ids.shape[1]], blocks) @ embedding.T


@gpt.mistake(
    en="The input of each block is added once more, but a block of lesson 2.6 does that itself.",
    zh="每个块的输入又被加了一遍，而 2.6 课的块自己已经加过了。",
)
def adds_twice(ids, embedding, positions, blocks, norm):
    x = embedding[ids] + positions[: ids.shape[1]]
    for block in blocks:
        x = x + block(x)
    return norm(x) @ embedding.T


@gpt.mistake(
    en="The norm stands before the blocks; GPT-2 normalises inside them and once more after the last.",
    zh="归一化放在了各块之前；GPT-2 在块内归一化，最后一块之后再做一次。",
)
def norm_comes_first(ids, embedding, positions, blocks, norm):
    return _through(norm(embedding[ids] + positions[: ids.shape[1]]), blocks) @ embedding.T


@gpt.mistake(
    en="These are probabilities. Return scores (logits): the loss takes the softmax itself.",
    zh="这里返回的是概率。应返回分数（logit）：损失函数自己会做 softmax。",
)
def gives_probabilities(ids, embedding, positions, blocks, norm):
    scores = gpt(ids, embedding, positions, blocks, norm)
    e = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


@gpt.right
def by_taking(ids, embedding, positions, blocks, norm):
    time = ids.shape[-1]
    x = np.take(embedding, ids, axis=0) + np.take(positions, np.arange(time), axis=0)
    return np.einsum("btd,vd->btv", norm(_through(x, blocks)), embedding)


@gpt.right
def by_one_hot(ids, embedding, positions, blocks, norm):
    x = np.eye(len(embedding))[ids] @ embedding + positions[None, : ids.shape[1]]
    return norm(_through(x, blocks)) @ np.transpose(embedding)


@exercise(
    minutes=3,
    task_en="Turn a loss in nats a token into bits a byte.",
    task_zh="把以奈特每词元计的损失换算成比特每字节。",
    cases=lambda: [
        Case(float(np.log(2)), 8, "abcdefgh", label_en="one bit a letter", label_zh="每个字母一比特", expected=1.0),
        Case(3.0, 5, "the quick brown fox", label_en="tokens of several bytes", label_zh="每个词元好几个字节"),
        Case(2.5, 7, "语言模型", label_en="Chinese: three bytes a character", label_zh="中文：一个字三个字节"),
        Case(4.0, 6, "naïve 🙂", label_en="an accent and an emoji", label_zh="带重音的字母和表情"),
    ],
    hints=[
        (
            "What does the whole text cost in nats? How many bits is a nat? How many bytes has the text?",
            "整个文本要多少奈特？一奈特是多少比特？文本有多少字节？",
        ),
        (
            "A nat is `1 / np.log(2)` bits; `len(text.encode())` counts bytes, `len(text)` characters.",
            "一奈特是 `1 / np.log(2)` 比特；`len(text.encode())` 数的是字节，`len(text)` 数的是字符。",
        ),
    ],
)
def bits_per_byte(loss, tokens, text):
    """What a text cost, for each of its bytes.

    loss: mean cross-entropy, nats a token; tokens: how many tokens the text has; text: a string. Returns bits a byte.
    """
    return loss * tokens / np.log(2) / len(text.encode())


@bits_per_byte.mistake(
    en="This is in nats. A nat is 1/ln 2 ≈ 1.44 bits.", zh="这还是奈特。一奈特是 1/ln 2 ≈ 1.44 比特。"
)
def stays_in_nats(loss, tokens, text):
    return loss * tokens / len(text.encode())


@bits_per_byte.mistake(
    en="Divided by characters. A character of Chinese has three bytes in UTF-8.",
    zh="除以了字符数。在 UTF-8 里，一个汉字有三个字节。",
)
def counts_characters(loss, tokens, text):
    return loss * tokens / np.log(2) / len(text)


@bits_per_byte.mistake(
    en="These are bits a token: a tokenizer with longer tokens would look worse for the same text.",
    zh="这是比特每词元：对同样的文本，词元长的分词器会显得更差。",
)
def stays_per_token(loss, tokens, text):
    return loss / np.log(2)


@bits_per_byte.mistake(
    en="Multiplied by ln 2 where it should be divided: a nat is more than a bit.",
    zh="该除以 ln 2 的地方乘了：一奈特比一比特多。",
)
def multiplies_by_ln_2(loss, tokens, text):
    return loss * tokens * np.log(2) / len(text.encode())


@bits_per_byte.right
def by_perplexity(loss, tokens, text):
    return np.log2(np.exp(loss)) * tokens / len(bytes(text, "utf-8"))


@bits_per_byte.right
def by_log2_of_e(loss, tokens, text):
    return np.log2(np.e) * loss / (len(text.encode("utf-8")) / tokens)
