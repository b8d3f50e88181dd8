"""From text to whole numbers and back: byte-level byte-pair encoding, and single characters. Lesson 3.2 builds the first by hand.

`BytePairTokenizer` starts from the 256 bytes, so that every text can be written, and then joins the pair of neighbouring tokens that
is most frequent, again and again. `CharacterTokenizer` gives each frequent character a number. Both only read text as text: special
tokens are added by id (`special_tokens`), so nobody can smuggle one in by typing its name. Left out on purpose: normalisation
(what goes in comes out), other splits than `WORD`, dropout, offsets, training on several cores.
"""

import heapq
import json
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from pathlib import Path

from lmcourse.language import CourseError

_SPACES = " \t\n\r\f\v"
_MARKS = "\x00-\x08\x0e-\x1f!-/:-@\\[-`{-\xbf\u2000-\u2bff\u3000-\u303f\uff00-\uff0f\uff1a-\uff20\U0001f000-\U0001faff"
# Merges never cross the border of a word: letters led by one space or apostrophe, digits, marks, or white space whose last
# space belongs to what follows. After GPT-2's pattern, with the classes spelled out, since every engine has its own idea of \w and \s.
WORD = f"[ ']?[^{_SPACES}0-9{_MARKS}]+| ?[0-9]+| ?[{_MARKS}]+|[{_SPACES}]+(?![^{_SPACES}])|[{_SPACES}]+"


class _Tokenizer:
    """What both tokenizers share: the way to a file and back."""

    _learned: str  # the attribute that goes into the file, beside the special tokens

    def save(self, path: str | Path) -> None:
        """Write a JSON file that `load` reads."""
        content = {"tokenizer": type(self).__name__, "special_tokens": list(self.special_tokens)}
        content[self._learned] = getattr(self, self._learned)
        # dumps keeps to ASCII: half a surrogate pair, learned from a text cut badly, could not be written in UTF-8
        Path(path).write_text(json.dumps(content), encoding="utf-8")

    @classmethod
    def load(cls, path: str | Path):
        """Read what `save` wrote.

        Raises:
            CourseError: when the file is missing, cut off, or something else.
        """
        try:
            content = json.loads(Path(path).read_text(encoding="utf-8"))
            if content["tokenizer"] == cls.__name__:
                return cls(content[cls._learned], content["special_tokens"])
        except FileNotFoundError:
            raise CourseError(en=f"There is no file {path}.", zh=f"没有 {path} 这个文件。") from None
        except (OSError, ValueError, KeyError, TypeError):
            pass  # not such a file, said below
        raise CourseError(
            en=f"{path} is not a whole file written by {cls.__name__}.save. Check the name, or train and save the tokenizer again.",
            zh=f"{path} 不是由 {cls.__name__}.save 写出的完整文件。请检查文件名，或重新训练并保存分词器。",
        )


class BytePairTokenizer(_Tokenizer):
    """Byte-level byte-pair encoding: 256 bytes, then one token for each merge, then the special tokens.

    Args:
        merges: pairs of token ids in the order in which they were learned; the n-th joins two earlier tokens. Two merges may give
            the same bytes: they share a token.
        special_tokens: names; they get the last ids.

    Attributes:
        merges: as given, as a list of tuples.
        tokens: id → bytes, for bytes and merges.
        special_tokens: name → id.
        vocabulary_size: how many ids there are.

    Raises:
        CourseError: when a merge joins a token that does not exist yet.

    Source: Gage (1994), A new algorithm for data compression; Sennrich, Haddow, Birch (2016); on bytes, Radford et al. (2019), GPT-2.
    """

    _learned = "merges"

    def __init__(self, merges: Sequence[tuple[int, int]] = (), special_tokens: Sequence[str] = ("<|end|>",)):
        self.merges = [(int(left), int(right)) for left, right in merges]
        self.tokens = [bytes([value]) for value in range(256)]
        self._rank, ids = {}, {token: number for number, token in enumerate(self.tokens)}
        for rank, (left, right) in enumerate(self.merges):
            if not (0 <= left < len(self.tokens) and 0 <= right < len(self.tokens)):
                raise CourseError(
                    en=f"Merge {rank} joins tokens {left} and {right}, but only {len(self.tokens)} exist by then. Is the file whole?",
                    zh=f"第 {rank} 次合并要连接词元 {left} 和 {right}，而此时只有 {len(self.tokens)} 个词元。文件完整吗？",
                )
            joined = self.tokens[left] + self.tokens[right]
            if joined not in ids:
                ids[joined] = len(self.tokens)
                self.tokens.append(joined)
            self._rank.setdefault((left, right), (rank, ids[joined]))
        self.special_tokens = {name: i for i, name in enumerate(special_tokens, start=len(self.tokens))}
        self.vocabulary_size = len(self.tokens) + len(self.special_tokens)
        self._encode_word = lru_cache(maxsize=2**16)(self._merge_word)  # words repeat, so most are looked up

    @classmethod
    def train(cls, texts: Iterable[str], vocabulary_size: int, special_tokens: Sequence[str] = ("<|end|>",)):
        """Learn merges: the most frequent pair of neighbours within words first; of equally frequent ones, the one with smaller ids.

        Counts follow Hugging Face's `BpeTrainer` (min_frequency=2): in "aaa" the pair "aa" occurs twice.

        Args:
            texts: strings; a generator will do, they are read once.
            vocabulary_size: how many ids there should be, bytes and special tokens included. Fewer come out when no pair is left
                that occurs twice.
            special_tokens: see the class.

        Raises:
            CourseError: for no text, or a vocabulary too small for the bytes and the special tokens.
        """
        smallest = 256 + len(special_tokens)
        if vocabulary_size < smallest:
            raise CourseError(
                en=f"256 bytes and {len(special_tokens)} special tokens need a vocabulary of {smallest} or more, not {vocabulary_size}.",
                zh=f"词表至少要有 {smallest} 个编号：256 个字节和 {len(special_tokens)} 个特殊词元。vocabulary_size 是 {vocabulary_size}。",
            )
        words = _count(texts, re.compile(WORD).findall)
        merges = _learn({_utf8(word): count for word, count in words.items()}, vocabulary_size - len(special_tokens))
        return cls(merges, special_tokens)

    def encode(self, text: str) -> list[int]:
        """Token ids of a text, without special tokens.

        Raises:
            CourseError: for half a surrogate pair, which no encoding of Unicode can write.
        """
        return [number for word in re.findall(WORD, text) for number in self._encode_word(word)]

    def decode(self, ids: Iterable[int]) -> str:
        """The text of token ids. Bytes that are no UTF-8 (a character cut in two) become �; special tokens become their names.

        Raises:
            CourseError: for an id outside the vocabulary.
        """
        names = {number: name.encode() for name, number in self.special_tokens.items()}
        ids = _known(ids, self.vocabulary_size)
        return b"".join(names.get(i) or self.tokens[i] for i in ids).decode(errors="replace")

    def _merge_word(self, word: str) -> list[int]:
        """The earliest learned merge first, everywhere in the word, until none applies."""
        ids, never = list(_utf8(word)), (len(self.merges),)
        while True:
            pair = min(zip(ids, ids[1:], strict=False), key=lambda pair: self._rank.get(pair, never), default=None)
            if pair not in self._rank:
                return ids
            ids = merge(ids, pair, self._rank[pair][1])


def merge(ids: list[int], pair: tuple[int, int], new: int) -> list[int]:
    """Replace each occurrence of `pair` by `new`, from the left; occurrences do not overlap."""
    left, right = pair
    merged, i = [], 0
    while i < len(ids):
        found = ids[i] == left and ids[i + 1 : i + 2] == [right]
        merged.append(new if found else ids[i])
        i += 1 + found
    return merged


def _learn(words: dict[bytes, int], size: int) -> list[tuple[int, int]]:
    """The merges that bring the vocabulary from 256 tokens to `size`.

    Each different word is kept once with its count; `places` remembers which words hold a pair, so that a merge touches only these.
    The heap is lazy: an entry whose count has fallen since is put back with its new count when it comes up.
    """
    spelled, counts = [list(word) for word in words], list(words.values())
    pairs, places = Counter(), defaultdict(set)
    for place, (ids, count) in enumerate(zip(spelled, counts, strict=True)):
        for pair in zip(ids, ids[1:], strict=False):
            pairs[pair] += count
            places[pair].add(place)
    heap = [(-count, pair) for pair, count in pairs.items()]
    heapq.heapify(heap)

    tokens = [bytes([value]) for value in range(256)]
    ids_of = {token: number for number, token in enumerate(tokens)}
    merges = []
    while len(tokens) < size and heap:
        count, pair = heapq.heappop(heap)
        if -count != pairs[pair]:
            heapq.heappush(heap, (-pairs[pair], pair))
            continue
        if -count < 2:
            break
        joined = tokens[pair[0]] + tokens[pair[1]]
        new = ids_of.setdefault(joined, len(tokens))
        if new == len(tokens):
            tokens.append(joined)
        merges.append(pair)

        grown = set()
        for place in places.pop(pair):
            before, times = spelled[place], counts[place]
            after = spelled[place] = merge(before, pair, new)
            for old in zip(before, before[1:], strict=False):
                pairs[old] -= times
            for fresh in zip(after, after[1:], strict=False):
                pairs[fresh] += times
                if new in fresh:
                    places[fresh].add(place)
                    grown.add(fresh)
        for fresh in grown:
            heapq.heappush(heap, (-pairs[fresh], fresh))
    return merges


class CharacterTokenizer(_Tokenizer):
    """One token for each character: special tokens first, then characters. The rest is [UNK].

    Args:
        characters: a string in which each character occurs once; the order gives the ids.
        special_tokens: names, "[UNK]" among them; they get the first ids, so that "[PAD]" is 0.

    Attributes:
        characters: as given.
        special_tokens: name → id.
        vocabulary_size: how many ids there are.
    """

    _learned = "characters"

    def __init__(self, characters: str, special_tokens: Sequence[str] = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")):
        self.characters = characters
        self.special_tokens = {name: i for i, name in enumerate(special_tokens)}
        self.vocabulary_size = len(self.special_tokens) + len(characters)
        self._ids = {character: i for i, character in enumerate(characters, start=len(special_tokens))}

    @classmethod
    def train(cls, texts: Iterable[str], vocabulary_size: int, **kwargs):
        """Take the most frequent characters; of equally frequent ones, the one earlier in Unicode.

        Args:
            texts: strings.
            vocabulary_size: how many ids there should be at most, special tokens included.

        Raises:
            CourseError: for no text, or a vocabulary without room for a character.
        """
        room = vocabulary_size - cls("", **kwargs).vocabulary_size
        if room < 1:
            raise CourseError(
                en=f"A vocabulary of {vocabulary_size} has no room for characters beside the special tokens. Raise vocabulary_size.",
                zh=f"词表大小 {vocabulary_size} 除了特殊词元放不下任何字。请增大 vocabulary_size。",
            )
        counts = _count(texts, list)
        return cls("".join(sorted(counts, key=lambda c: (-counts[c], c))[:room]), **kwargs)

    def encode(self, text: str) -> list[int]:
        """One id for each character, without special tokens other than [UNK]."""
        unknown = self.special_tokens["[UNK]"]
        return [self._ids.get(character, unknown) for character in text]

    def decode(self, ids: Iterable[int]) -> str:
        """The text of token ids; special tokens become their names.

        Raises:
            CourseError: for an id outside the vocabulary.
        """
        names = [*self.special_tokens, *self.characters]
        return "".join(names[i] for i in _known(ids, self.vocabulary_size))


def _count(texts: Iterable[str], parts: Callable[[str], list[str]]) -> Counter:
    if isinstance(texts, str):
        raise CourseError(
            en="This is one string; train on a list of strings: train([text], …).",
            zh="这里给的是一个字符串；训练需要字符串列表：train([text], …)。",
        )
    counts = Counter(part for text in texts for part in parts(text))
    if not counts:
        raise CourseError(
            en="There is no text to learn from: the list is empty, or all its strings are.",
            zh="没有可供学习的文本：列表是空的，或者其中的字符串都是空的。",
        )
    return counts


def _utf8(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError as error:
        half = f"U+{ord(text[error.start]):04X}"
        raise CourseError(
            en=f'The text holds half a surrogate pair ({half}). Read it as UTF-8, or clean it: text.encode("utf-8", "replace").decode().',
            zh=f'文本中有半个代理对（{half}），它不是字符。请按 UTF-8 读取文件，或清理文本：text.encode("utf-8", "replace").decode()。',
        ) from None


def _known(ids: Iterable[int], vocabulary_size: int) -> list[int]:
    ids = [int(i) for i in ids]
    if strange := [i for i in ids if not 0 <= i < vocabulary_size]:
        raise CourseError(
            en=f"There is no token {strange[0]}: ids go from 0 to {vocabulary_size - 1}. Were they made by another tokenizer?",
            zh=f"没有编号为 {strange[0]} 的词元：编号从 0 到 {vocabulary_size - 1}。这些编号是不是另一个分词器给的？",
        )
    return ids
