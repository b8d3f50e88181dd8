"""How long 2,000 byte-pair merges take on one megabyte of Python's documentation and library, in one run:

    python benchmarks/byte_pairs.py           # the table, as Markdown; under a minute

Beside ours: the naive way, which counts every pair of all words again before each merge, and Hugging Face's `tokenizers` (Rust,
several threads). The naive way makes its first merges only; its total is that time for each merge, times all merges. That is an
estimate, marked ≈. Exit code 1 when ours takes longer than the target.
"""

import re
import sys
import time
from collections import Counter

import tokenizers as hugging_face

from lmcourse.data import python_docs
from lmcourse.tokenizers import WORD, BytePairTokenizer, merge

MERGES, NAIVE_MERGES = 2000, 10
TARGET = 10  # seconds
MEGABYTE = 10**6


def corpus() -> list[str]:
    """Half a megabyte of topics, then modules, up to one megabyte."""
    texts, room = [], MEGABYTE
    for part, limit in ((python_docs.load(), MEGABYTE // 2), (python_docs.source(), MEGABYTE)):
        for text in part.values():
            piece = text.encode()[: min(room, limit)].decode(errors="ignore")
            texts.append(piece)
            room, limit = room - len(piece.encode()), limit - len(piece.encode())
            if min(room, limit) < 4:  # bytes of a character that did not fit
                break
    return texts


def naive(texts: list[str], merges: int) -> list[tuple[int, int]]:
    """Count all pairs in all words, merge the most frequent one everywhere, begin again."""
    words = Counter(word for text in texts for word in re.findall(WORD, text))
    spelled = [(list(word.encode()), count) for word, count in words.items()]
    learned = []
    for new in range(256, 256 + merges):
        pairs = Counter()
        for ids, count in spelled:
            for pair in zip(ids, ids[1:], strict=False):
                pairs[pair] += count
        best = min(pairs, key=lambda pair: (-pairs[pair], pair))
        spelled = [(merge(ids, best, new), count) for ids, count in spelled]
        learned.append(best)
    return learned


def rust(texts: list[str]) -> hugging_face.Tokenizer:
    tokenizer = hugging_face.Tokenizer(hugging_face.models.BPE())
    split = hugging_face.pre_tokenizers.Split(hugging_face.Regex(WORD), behavior="isolated")
    level = hugging_face.pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    tokenizer.pre_tokenizer = hugging_face.pre_tokenizers.Sequence([split, level])
    alphabet = hugging_face.pre_tokenizers.ByteLevel.alphabet()
    trainer = hugging_face.trainers.BpeTrainer(
        vocab_size=256 + MERGES, min_frequency=2, initial_alphabet=alphabet, show_progress=False
    )
    tokenizer.train_from_iterator(texts, trainer)
    return tokenizer


def timed(function, *args):
    start = time.perf_counter()
    result = function(*args)
    return time.perf_counter() - start, result


def main() -> int:
    texts = corpus()
    size = sum(len(text.encode()) for text in texts)
    ours, tokenizer = timed(BytePairTokenizer.train, texts, 256 + MERGES, ())
    few, first = timed(naive, texts, NAIVE_MERGES)
    theirs, _ = timed(rust, texts)
    if first != tokenizer.merges[:NAIVE_MERGES]:
        raise SystemExit("The naive merges differ from ours: one of them is wrong.")
    whole = few / NAIVE_MERGES * MERGES

    print(f"{len(tokenizer.merges):,} merges on {size:,} bytes; target for ours: under {TARGET} s\n")
    print("| | seconds | times ours |\n|---|---:|---:|")
    print(f"| ours | {ours:.2f} | 1 |")
    print(f"| counting again each time, from {NAIVE_MERGES} merges | ≈ {whole:.0f} | ≈ {whole / ours:.0f} |")
    print(f"| Hugging Face tokenizers {hugging_face.__version__} | {theirs:.2f} | {theirs / ours:.2f} |")
    return int(ours > TARGET)


if __name__ == "__main__":
    sys.exit(main())
