"""Exercises and questions on talking with a model: the template, the cost of a token, how sure a score is, where an answer forms."""

import numpy as np

from lmcourse.exercises.exercise import Case, exercise, prop
from lmcourse.exercises.question import choice

how_sure = choice(
    en="Most of the two-digit sums come out wrong. How much probability does the model give to the first digit that it gets wrong, on average?",
    zh="两位数加法多数算错了。对写错的第一个数字，模型平均给了它多大的概率？",
    options=[
        ("about 10 %: ten digits, and it does not know", "约 10 %：十个数字，它并不知道"),
        ("about 25 %: it wavers between a few", "约 25 %：在几个之间犹豫"),
        ("more than 45 %: nearly as much as to many right ones", "超过 45 %：和许多写对的差不多"),
    ],
    answer=2,
    because_en="About 60 % here. A language model's probability says how usual a text is after another, not whether it is true: a high one proves nothing.",
    because_zh="这里约 60 %。语言模型的概率说的是一段文本接在另一段之后有多常见，而不是对不对：概率高，证明不了什么。",
)

TALK = [
    {"role": "system", "content": "You are brief."},
    {"role": "user", "content": "Hi!"},
    {"role": "assistant", "content": "Hello."},
    {"role": "user", "content": "Name a\ncolour."},
]
LONG = [
    {
        "role": "user",
        "content": "Here is my list: " + ", ".join(f"item {i}" for i in range(40)) + ". Which item is last?",
    }
]


@exercise(
    minutes=6,
    task_en="Mend the template, so that the model answers instead of writing the word “assistant” first.",
    task_zh="改好这个模板，让模型直接回答，而不是先写出“assistant”这个词。",
    cases=lambda: [
        # the first is long, so that what is shown of it does not end with the solution
        Case(LONG, label_en="a long message", label_zh="一条长消息"),
        Case(
            TALK[:2],
            label_en="system and user",
            label_zh="系统和用户",
            expected="<|im_start|>system\nYou are brief.<|im_end|>\n<|im_start|>user\nHi!<|im_end|>\n<|im_start|>assistant\n",
        ),
        Case(TALK[1:2], label_en="one message", label_zh="一条消息"),
        Case(TALK, label_en="a conversation", label_zh="一段对话"),
        Case(TALK[:1] + TALK[3:], label_en="a line break", label_zh="有换行"),
    ],
    properties=[
        prop(
            lambda f: f(TALK[:1]).count("<|im_start|>") == f(TALK[:1]).count("<|im_end|>") + 1,
            en="Exactly one turn is open: the one the model is to write.",
            zh="恰好有一段没有结束：就是要模型写的那一段。",
        )
    ],
    hints=[
        (
            "The model continues a text. Who would speak next, by the text as it stands? What would the model have to write first?",
            "模型只会续写。照现在的文本，接下来该谁说话？模型得先写出什么？",
        ),
        (
            "Training texts hold whole turns, the assistant's too. Ours must end right after the beginning of one.",
            "训练用的文本里每段都是完整的，助手的也是。我们的文本要恰好停在助手那段的开头之后。",
        ),
        ('Add `"<|im_start|>assistant\\n"` at the end, line break included.', '在末尾加上 `"<|im_start|>assistant\\n"`，换行也要。'),
    ],
)  # fmt: skip
def chat_text(messages):
    """The conversation as the text that the model is to continue.

    messages: list of dicts with "role" ("system", "user" or "assistant") and "content". Returns a string.
    """
    text = ""
    for message in messages:
        text += f"<|im_start|>{message['role']}\n{message['content']}<|im_end|>\n"
    return text + "<|im_start|>assistant\n"


@chat_text.broken
def no_opening(messages):
    """The conversation as the text that the model is to continue.

    messages: list of dicts with "role" ("system", "user" or "assistant") and "content". Returns a string.
    """
    text = ""
    for message in messages:
        text += f"<|im_start|>{message['role']}\n{message['content']}<|im_end|>\n"
    return text


def _turns(messages, end="<|im_end|>\n"):
    return "".join(f"<|im_start|>{m['role']}\n{m['content']}{end}" for m in messages)


@chat_text.mistake(
    en="The assistant's turn is opened and closed at once: to the model it has already spoken.",
    zh="助手的那段刚打开就关上了：在模型看来，它已经说完了。",
)
def closed_at_once(messages):
    return _turns([*messages, {"role": "assistant", "content": ""}])


@chat_text.mistake(
    en="The line break after “assistant” is missing. The model would have to write it first; it never saw an answer begin on that line.",
    zh="“assistant” 之后少了换行。模型得先把它写出来；训练中从没有答案从那一行开始。",
)
def no_line_break(messages):
    return _turns(messages) + "<|im_start|>assistant"


@chat_text.mistake(
    en="“assistant” alone opens nothing: to the model it is a word of the text. A turn begins with <|im_start|>.",
    zh="只写“assistant”并没有开始新的一段：在模型看来，它只是文本里的一个词。每段都以 <|im_start|> 开头。",
)
def only_the_word(messages):
    return _turns(messages) + "assistant\n"


@chat_text.mistake(
    en="A turn is opened, but whose? The role is missing, and the model writes it first.",
    zh="新的一段开始了，却没说是谁的：少了角色，模型会先把它写出来。",
)
def nobody_named(messages):
    return _turns(messages) + "<|im_start|>"


@chat_text.mistake(
    en="The opening stands after every message, and the roles with it. Only the last turn is the model's to write.",
    zh="每条消息之后都开了一段助手的话。只有最后一段才由模型来写。",
)
def opened_each_time(messages):
    return "".join(_turns([message]) + "<|im_start|>assistant\n" for message in messages)


@chat_text.mistake(
    en="The messages are no longer closed by <|im_end|>: the model may as well continue the user's sentence.",
    zh="消息不再以 <|im_end|> 结束：模型可能会替用户把话接着说下去。",
)
def never_closed(messages):
    return _turns(messages, end="\n") + "<|im_start|>assistant\n"


@chat_text.right
def by_join(messages):
    return _turns(messages) + "<|im_start|>assistant\n"


@chat_text.right
def by_pieces(messages):
    lines = [["<|im_start|>" + m["role"], m["content"] + "<|im_end|>"] for m in messages]
    return "\n".join([line for pair in lines for line in pair] + ["<|im_start|>assistant", ""])


@exercise(
    minutes=4,
    task_en="Count the bytes that one more token must fetch from memory.",
    task_zh="算出多生成一个词元要从内存取多少字节。",
    cases=lambda: [
        Case(
            134_515_008, 100, 30, 3, 64,
            label_en="SmolLM2 in float32, 100 tokens", label_zh="SmolLM2，float32，100 个词元",
            expected=538_060_032 + 100 * 46_080,
        ),
        Case(
            8_030_261_248, 131_072, 32, 8, 128, 2,
            label_en="Llama 3.1 8B in 16 bits, a full context", label_zh="Llama 3.1 8B，16 位，上下文用满",
            expected=16_060_522_496 + 131_072 * 131_072,
        ),
        Case(1000, 0, 2, 3, 5, 2, label_en="no tokens before", label_zh="前面没有词元"),
        Case(1000, 7, 2, 3, 5, 1, label_en="one byte each", label_zh="每个数一个字节"),
    ],
    hints=[
        (
            "Two things are read: what the model is, and what it remembers. Lesson 1.1 counted both.",
            "要读两样东西：模型本身，以及它记住的内容。两者在 1.1 课都数过。",
        ),
        (
            "For each token before, each layer keeps a key and a value for every key-value head: `2 * layers * kv_heads * head_dim` numbers.",
            "前面的每个词元，每层为每个键值头存一个键和一个值：共 `2 * layers * kv_heads * head_dim` 个数。",
        ),
    ],
)  # fmt: skip
def bytes_read(parameters, context, layers, kv_heads, head_dim, size=4):
    """Bytes fetched for one more token: every weight once, and the keys and values of all tokens before it.

    context: tokens before; size: bytes a number. Returns a whole number.
    """
    cache = 2 * context * layers * kv_heads * head_dim
    return size * (parameters + cache)


@bytes_read.mistake(
    en="The cache is left out. With a long context it outweighs everything else.",
    zh="漏了缓存。上下文很长时，它比其他都大。",
)
def weights_only(parameters, context, layers, kv_heads, head_dim, size=4):
    return size * parameters


@bytes_read.mistake(
    en="Keys are counted, values are not: both are read, so twice as many numbers.",
    zh="只数了键，没有数值：两者都要读，所以是两倍。",
)
def keys_only(parameters, context, layers, kv_heads, head_dim, size=4):
    return size * (parameters + context * layers * kv_heads * head_dim)


@bytes_read.mistake(
    en="The weights are read once for the new token, not again for each token before; that is what the cache is for.",
    zh="为新词元，权重只读一遍，不必为前面的每个词元再读一遍；缓存的意义正在于此。",
)
def weights_each_time(parameters, context, layers, kv_heads, head_dim, size=4):
    return size * ((context + 1) * parameters + 2 * context * layers * kv_heads * head_dim)


@bytes_read.mistake(
    en="The cache's numbers have a size, too: multiply both by the bytes a number takes.",
    zh="缓存里的数也占字节：两部分都要乘以每个数的字节数。",
)
def cache_as_bytes(parameters, context, layers, kv_heads, head_dim, size=4):
    return size * parameters + 2 * context * layers * kv_heads * head_dim


@bytes_read.mistake(
    en="These are numbers, not bytes yet: each takes `size` bytes.",
    zh="这是数的个数，还不是字节数：每个数占 `size` 个字节。",
)
def numbers_only(parameters, context, layers, kv_heads, head_dim, size=4):
    return parameters + 2 * context * layers * kv_heads * head_dim


@bytes_read.mistake(
    en="The cache of one layer is counted; every layer keeps its own.",
    zh="只数了一层的缓存，而每一层都有自己的。",
)
def one_layer(parameters, context, layers, kv_heads, head_dim, size=4):
    return size * (parameters + 2 * context * kv_heads * head_dim)


@bytes_read.mistake(
    en="The weights are read once for the new token, not once for each token before; that is what the cache is for.",
    zh="为新词元，权重只读一遍，不必为前面的每个词元各读一遍；缓存的意义正在于此。",
)
def weights_for_each(parameters, context, layers, kv_heads, head_dim, size=4):
    return size * context * (parameters + 2 * layers * kv_heads * head_dim)


@bytes_read.right
def by_parts(parameters, context, layers, kv_heads, head_dim, size=4):
    each = sum(kv_heads * head_dim for _ in range(2 * layers))
    return parameters * size + context * each * size


@bytes_read.right
def by_product(parameters, context, layers, kv_heads, head_dim, size=4):
    return int(parameters * size + size * np.prod([2, context, layers, kv_heads, head_dim]))
