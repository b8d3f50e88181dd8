"""The tokenizers, against Hugging Face's `tokenizers` with the same words, and what must hold for any text."""

import json
import random
from pydoc_data.topics import topics

import pytest
import tokenizers as hugging_face

from lmcourse import language
from lmcourse.data import reviews
from lmcourse.language import CourseError
from lmcourse.tokenizers import WORD, BytePairTokenizer, CharacterTokenizer, merge

SPLIT = hugging_face.pre_tokenizers.Split(hugging_face.Regex(WORD), behavior="isolated")
BYTE_LEVEL = hugging_face.pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
EMOJI = "👩‍👩‍👧 says 👋🏽 hi 🇨🇳🇬🇧 ❤️‍🔥 " * 3
CONTROL = (
    "".join(map(chr, range(32))) * 3 + "\x7f\x80\x85\xa0\xad\u2028\u2029\ufeff" * 3 + "a \t\n\r\n  b\x00c\x1c\x1fd "
)
TEXTS = {
    "Chinese": reviews.load()[0][:400],
    "English": [topics[name] for name in sorted(topics)[:12]],
    "emoji": [EMOJI, EMOJI[::-1]],
    "control": [CONTROL, CONTROL[::-1]],
    "Wikipedia": ["aaabdaaabac"],
    "nothing repeats": ["abc"],
}


def byte_letters() -> list[str]:
    """The character that ByteLevel writes for each byte."""
    letters = {}
    for character in map(chr, [*range(0x80), *range(0x80, 0x800, 0x40), *range(0x80, 0xC0)]):
        written = BYTE_LEVEL.pre_tokenize_str(character)[0][0]
        letters.update(zip(character.encode(), written, strict=True))
    for value in set(range(256)) - set(letters):  # E0 to FF; the last few never occur in UTF-8
        character = bytes([value, *[0xA0 if value < 0xF0 else 0x90] * (2 if value < 0xF0 else 3)]).decode(
            errors="ignore"
        )
        letters[value] = BYTE_LEVEL.pre_tokenize_str(character)[0][0][0] if character else chr(value)
    return [letters[value] for value in range(256)]


LETTERS = byte_letters()


def theirs(texts, size, letters):
    """Hugging Face's merges, as pairs of bytes. It orders bytes by their letters; `letters` decides how they are written."""
    model = hugging_face.Tokenizer(hugging_face.models.BPE())
    trainer = hugging_face.trainers.BpeTrainer(
        vocab_size=size, min_frequency=2, initial_alphabet=letters, show_progress=False
    )
    rewritten = dict(zip(LETTERS, letters, strict=True))
    words = (
        "".join(rewritten[letter] for letter in BYTE_LEVEL.pre_tokenize_str(word)[0][0])
        for text in texts
        for word, _ in SPLIT.pre_tokenize_str(text)
    )
    model.train_from_iterator(words, trainer)
    values = {letter: value for value, letter in enumerate(letters)}
    merges = json.loads(model.to_str())["model"]["merges"]
    return [tuple(bytes(values[letter] for letter in part) for part in pair) for pair in merges]


def written(tokenizer):
    return [(tokenizer.tokens[left], tokenizer.tokens[right]) for left, right in tokenizer.merges]


def in_hugging_face(tokenizer):
    """Our merges in Hugging Face's encoder, with its own splitting and bytes."""
    tokens = ["".join(LETTERS[value] for value in token) for token in tokenizer.tokens]
    vocabulary = {token: number for number, token in enumerate(tokens)}
    model = hugging_face.models.BPE(vocabulary, [(tokens[left], tokens[right]) for left, right in tokenizer.merges])
    whole = hugging_face.Tokenizer(model)
    whole.pre_tokenizer = hugging_face.pre_tokenizers.Sequence([SPLIT, BYTE_LEVEL])
    whole.decoder = hugging_face.decoders.ByteLevel()
    return whole


def any_text(seed):
    """Characters from all of Unicode, with much white space, digits and repetition between them."""
    rng = random.Random(seed)
    pools = [(0, 0x80), (0x80, 0x800), (0x800, 0xD800), (0xE000, 0x10000), (0x10000, 0x110000), (0x4E00, 0x4E20)]
    return "".join(
        rng.choice([" ", "\n", "\t", "7", "ab", "'s", chr(rng.randrange(*rng.choice(pools)))]) for _ in range(200)
    )


# letters in the order of the bytes, so that "smaller ids first" means the same to both
ORDERED = [chr(0x100 + value) for value in range(256)]


@pytest.mark.parametrize("name", TEXTS)
def test_the_same_merges_in_the_same_order_as_hugging_face(name):
    ours = BytePairTokenizer.train(TEXTS[name], 700, special_tokens=())
    assert written(ours) == theirs(TEXTS[name], 700, ORDERED)
    assert bool(ours.merges) == (name != "nothing repeats")


@pytest.mark.parametrize("seed", range(20))
def test_the_same_merges_where_overlaps_and_ties_abound(seed):
    rng = random.Random(seed)
    texts = ["".join(rng.choices("ab 1é", (4, 2, 1, 1, 1), k=60)) for _ in range(8)]
    assert written(BytePairTokenizer.train(texts, 300, ())) == theirs(texts, 300, ORDERED)


@pytest.mark.parametrize("name", TEXTS)
def test_the_same_ids_as_hugging_face(name):
    ours = BytePairTokenizer.train(TEXTS[name], 700, special_tokens=())
    other = in_hugging_face(ours)
    for text in [*TEXTS[name], EMOJI, CONTROL, *map(any_text, range(3))]:
        ids = other.encode(text).ids
        assert ours.encode(text) == ids
        assert ours.decode(ids) == other.decode(ids, skip_special_tokens=False) == text


def test_the_example_of_wikipedia():
    ours = BytePairTokenizer.train(["aaabdaaabac"], 300, special_tokens=())
    assert ours.tokens[256:] == [b"aa", b"aaa", b"aaab"] or ours.tokens[256:] == [b"aa", b"ab", b"aaab"]
    assert ours.encode("aaabdaaabac") == [258, ord("d"), 258, ord("a"), ord("c")]


def test_merge_goes_from_the_left_and_does_not_overlap():
    assert merge([1, 1, 1, 2, 1, 1], (1, 1), 9) == [9, 1, 2, 9]
    assert merge([], (1, 2), 9) == []
    assert merge([2, 1], (1, 2), 9) == [2, 1]


@pytest.mark.parametrize("seed", range(30))
def test_any_text_comes_back(seed):
    text = any_text(seed)
    for ours in (BytePairTokenizer(), BytePairTokenizer.train([text, any_text(seed + 1)], 500)):
        assert ours.decode(ours.encode(text)) == text
    characters = CharacterTokenizer.train([text], 10_000)
    assert characters.decode(characters.encode(text)) == text


def test_a_generator_is_read_once_and_gives_the_same():
    assert (
        BytePairTokenizer.train(iter(TEXTS["emoji"]), 400).merges == BytePairTokenizer.train(TEXTS["emoji"], 400).merges
    )


@pytest.mark.parametrize("size", [257, 258, 300])
def test_the_vocabulary_has_the_size_asked_for(size):
    ours = BytePairTokenizer.train(TEXTS["English"], size)
    assert ours.vocabulary_size == size
    assert ours.special_tokens == {"<|end|>": size - 1}


def test_a_character_cut_in_two_is_shown_as_such():
    ours = BytePairTokenizer()
    assert ours.decode(ours.encode("中")[:2]) == "\ufffd"


def test_special_tokens_cannot_be_typed():
    name = "<|end|>"
    ours = BytePairTokenizer.train([name * 50], 300)
    end = ours.special_tokens[name]
    assert end not in ours.encode(name)
    assert ours.decode(ours.encode(name)) == ours.decode([end]) == name
    characters = CharacterTokenizer.train(["[MASK][PAD]"], 30)
    assert not set(characters.encode("[MASK][PAD]")) & set(characters.special_tokens.values())


@pytest.mark.parametrize(
    "ours",
    [
        BytePairTokenizer.train([EMOJI], 300, ("<|开始|>", "<|end|>")),
        CharacterTokenizer.train(["很好！\n\ud800"], 20, special_tokens=("[PAD]", "[UNK]")),
    ],
    ids=["bytes", "characters"],
)
def test_a_saved_tokenizer_comes_back(ours, tmp_path):
    path = tmp_path / "tokenizer.json"
    ours.save(path)
    again = type(ours).load(path)
    assert again.special_tokens == ours.special_tokens
    assert again.vocabulary_size == ours.vocabulary_size
    assert again.encode("很好 " + EMOJI) == ours.encode("很好 " + EMOJI)

    content = path.read_text(encoding="utf-8")
    other = CharacterTokenizer if isinstance(ours, BytePairTokenizer) else BytePairTokenizer
    with pytest.raises(CourseError, match=f"not a whole file written by {other.__name__}"):
        other.load(path)
    name = json.dumps(type(ours).__name__)
    for wrong in [content[:-1], content[: len(content) // 2], "", "[]", "null", f'{{"tokenizer": {name}}}']:
        path.write_text(wrong, encoding="utf-8")
        with pytest.raises(CourseError, match="not a whole file"):
            type(ours).load(path)
    with pytest.raises(CourseError, match="no file"):
        type(ours).load(tmp_path / "missing.json")


def test_characters_by_frequency_and_the_rest_unknown():
    ours = CharacterTokenizer.train(["好好好吗吗b", "ab"], 8)  # five special tokens, so three characters
    assert ours.characters == "好b吗"  # b and 吗 twice each: b comes first in Unicode
    unknown = ours.special_tokens["[UNK]"]
    assert ours.encode("吗a好") == [7, unknown, 5]
    assert ours.decode(ours.encode("吗a好")) == "吗[UNK]好"
    assert ours.special_tokens["[PAD]"] == 0


WRONG = {
    "no text": (lambda: BytePairTokenizer.train([], 300), "no text", "没有可供学习的文本"),
    "empty text": (lambda: BytePairTokenizer.train(["", ""], 300), "no text", "没有可供学习的文本"),
    "no characters": (lambda: CharacterTokenizer.train([""], 300), "no text", "没有可供学习的文本"),
    "one string": (lambda: BytePairTokenizer.train("text", 300), "one string", "一个字符串"),
    "too small": (lambda: BytePairTokenizer.train(["text"], 256), "257 or more, not 256", "至少要有 257 个"),
    "no room": (lambda: CharacterTokenizer.train(["text"], 5), "no room", "放不下"),
    "unknown id": (
        lambda: BytePairTokenizer().decode([0, 257]),
        "no token 257: ids go from 0 to 256",
        "编号从 0 到 256",
    ),
    "negative id": (lambda: BytePairTokenizer().decode([-1]), "no token -1", "没有编号为 -1"),
    "unknown character": (lambda: CharacterTokenizer("ab").decode([7]), "no token 7", "没有编号为 7"),
    "half a surrogate": (lambda: BytePairTokenizer().encode("a\ud83d"), r"U\+D83D", "半个代理对"),
    "half in training": (lambda: BytePairTokenizer.train(["a\udc4b"], 300), r"U\+DC4B", "半个代理对"),
    "later merge": (lambda: BytePairTokenizer([(97, 256)]), "only 256 exist", "只有 256 个词元"),
    "no file": (lambda: BytePairTokenizer.load("missing.json"), "no file missing.json", "没有 missing.json"),
    "a folder": (lambda: BytePairTokenizer.load("."), "not a whole file", "不是由 BytePairTokenizer.save"),
}


@pytest.mark.parametrize("name", WRONG)
def test_errors_say_what_to_do_in_both_languages(name):
    action, english, chinese = WRONG[name]
    with pytest.raises(CourseError, match=english):
        action()
    language.use("zh")
    with pytest.raises(CourseError, match=chinese):
        action()
