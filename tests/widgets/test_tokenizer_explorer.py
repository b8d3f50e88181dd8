"""The tokenizer explorer: its page against our tokenizer and Keras's words on any text; what a learner types and moves; bad input."""

import random
import re
from pydoc_data.topics import topics

import numpy as np
import pytest

from lmcourse import language
from lmcourse.data import reviews
from lmcourse.tokenizers import WORD, BytePairTokenizer
from lmcourse.widgets.tokenizer_explorer import FILTERS, LIMIT, cut_at_spaces, legible, rules, steps, tokenizer_explorer

CORPUS = [*reviews.load()[0][:1500], *[topics[name] for name in sorted(topics)[:10]], "👩‍👩‍👧 👋🏽 🇨🇳🇬🇧 ❤️‍🔥 " * 5]
TOKENIZER = BytePairTokenizer.train(CORPUS, 1200, ())
# Two of these merges give the same bytes, so that a merge learned earlier may become possible later.
TWINS = [(98, 99), (97, 98), (97, 256), (257, 99), (258, 100), (258, 258)]
FIXED = [
    "",
    "很好 very good",
    "房间很干净，服务不错！\n下次还来 :-)",
    "👩‍👩‍👧 says 👋🏽 hi 🇨🇳🇬🇧 ❤️‍🔥",
    "".join(map(chr, range(32))) + "\x7f\x80\x85\xa0\xad\u2028\ufeff\u202e",
    "mixed 混合 ελληνικά हिन्दी العربية 한국어 12345 İstanbul ΣΑΣ",
    "abcabcd abcd aabc bcd",
    "<b onclick=alert(1)>&amp;</b>",
]
PAGE = """async ([text, pattern, table]) => {
  const m = await import("/tokenizer_explorer.js");
  const known = m.grammar(table);
  const done = m.steps(text, pattern, known);
  const last = done.at(-1).ids.map((id) => known.tokens[id]);
  return [done.map((step) => [step.rule, step.ids]), last, m.cutAtSpaces(text), last.map((token) => m.pieces(token))];
}"""


def any_text(seed):
    rng = random.Random(seed)
    pools = [(0, 0x80), (0x80, 0x800), (0x800, 0xD800), (0xE000, 0x10000), (0x1F300, 0x1F700), (0x4E00, 0x4E80)]
    parts = [" ", "\n", "the ", "很好", "7", "'s", "abc"]
    return "".join(rng.choice([*parts, chr(rng.randrange(*rng.choice(pools)))]) for _ in range(90))


@pytest.mark.parametrize("merges", [TOKENIZER.merges, TWINS, []], ids=["trained", "twins", "none"])
def test_the_page_encodes_as_our_tokenizer_does(modules, merges):
    table, ours = rules(merges), BytePairTokenizer(merges, ())
    for text in [*FIXED, *map(any_text, range(30))]:
        done, last, words, parts = modules.evaluate(PAGE, [text, WORD, table.ravel().tolist()])
        assert done == [[number, ids] for number, ids in steps(text, table)]
        assert done[-1][1] == ours.encode(text)
        assert b"".join(map(bytes, last)).decode() == text
        assert words == cut_at_spaces(text)
        for token, runs in zip(last, parts, strict=True):
            again = b"".join(piece.encode() if whole else bytes([piece]) for piece, whole in runs)
            halves = [piece for piece, whole in runs if not whole]
            assert again == bytes(token)
            assert halves == [
                ord(c) - 0xDC00 for c in again.decode(errors="surrogateescape") if "\udc80" <= c <= "\udcff"
            ]


def test_every_step_is_a_tokenizer_whose_training_stopped_there():
    text = FIXED[2] + " " + CORPUS[-2][:200]
    table = rules(TOKENIZER.merges)
    for number, ids in steps(text, table)[::7]:
        assert ids == BytePairTokenizer(TOKENIZER.merges[: number + 1], ()).encode(text)


def test_words_are_those_of_keras():
    import keras
    from keras._tf_keras.keras.preprocessing.text import text_to_word_sequence  # what `tf.keras` still offers

    assert not hasattr(keras.preprocessing, "text"), "public again: lesson 3.2 says that it is not"
    for text in [*FIXED, *map(any_text, range(10)), FILTERS, "Don't-stop  BELIEVING"]:
        assert cut_at_spaces(text) == text_to_word_sequence(text)


def test_what_cannot_be_seen_gets_a_sign(modules):
    shown = modules.evaluate(
        """(texts) => import("/tokenizer_explorer.js").then((m) => texts.map(m.legible))""",
        [" a", "\n", "\x01", "\u200d", "\ufe0f", "👩\u200d👧", "é", "e\u0301", "\u0301", "\u202e", "好"],
    )
    assert shown == ["␣a", "⏎", "␁", "U+200D", "U+FE0F", "👩\u200d👧", "é", "e\u0301", "◌\u0301", "U+202E", "好"]
    assert legible(" 好\n".encode() + "中".encode()[:2]) == "␣好⏎⟨E4⟩⟨B8⟩"


def test_the_kernel_follows_text_and_merges():
    widget = tokenizer_explorer(TOKENIZER.merges, "很好 very good")
    assert widget.tokens() == [TOKENIZER.tokens[i] for i in TOKENIZER.encode("很好 very good")]
    widget.applied = 0
    assert widget.tokens() == [bytes([value]) for value in "很好 very good".encode()]
    assert list(widget.counts().items()) == [
        ("characters", 12),
        ("bytes", 16),
        ("byte pairs", 16),
        ("cut at spaces", 3),
    ]
    widget.typed = "好\ud83d" * LIMIT
    assert widget.typed == "好\ufffd" * (LIMIT // 2)
    widget.applied = -3
    assert widget.applied == 0
    widget.applied = 10**6
    assert b"".join(widget.tokens()).decode() == widget.typed


def test_words_and_picture_in_both_languages():
    widget = tokenizer_explorer(TOKENIZER.merges, "很好 $x_ 👍", applied=0)
    assert re.search(
        r"after 0 of \d+ merges: characters 8, bytes 15, byte pairs 15, cut at spaces 3", widget.describe()
    )
    assert "⟨E5⟩|⟨BE⟩|⟨88⟩" in widget.describe()
    before = widget.png()
    widget.applied = 2
    assert before.startswith(b"\x89PNG") and widget.png() != before and len(before) < 30_000
    language.use("zh")
    assert "按空格切分 3" in tokenizer_explorer(TOKENIZER.merges, "很好 $x_ 👍").describe()


@pytest.mark.parametrize("text", FIXED)
def test_any_text_can_be_drawn(text):
    assert tokenizer_explorer(TOKENIZER.merges, text).png().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("merges", "text", "words"),
    [
        ([(97, 999)], "", "only 256 exist"),
        (None, "", "needs merges"),
        ([1, 2], "", "needs merges"),
        ([], None, "needs merges"),
    ],
)
def test_unusable_input_is_a_sentence(merges, text, words):
    widget = tokenizer_explorer(merges, text)
    assert words in widget.problem and widget.problem in widget.describe()
    assert widget.png().startswith(b"\x89PNG")
    language.use("zh")
    assert tokenizer_explorer(merges, text).problem[-1] in "。？"


VIEW = """async ([state, table]) => {
  const { default: widget } = await import("/tokenizer_explorer.js");
  const model = fakeModel({ ...state, table: bytes(table) });
  const close = widget.render({ model, el: document.body });
  const root = document.querySelector(".lmw");
  await new Promise(requestAnimationFrame);
  const [box, slider] = [root.querySelector("textarea"), root.querySelector("input[type=range]")];
  const chips = () => [...root.querySelectorAll(".tokens")].map((list) => [...list.children].map((chip) => chip.textContent));
  const input = (element, value) => { element.value = value; element.dispatchEvent(new Event("input")); };
  const seen = { first: chips(), most: slider.max };
  input(slider, 0);
  seen.none = [model.state.applied, chips()[2], root.querySelector(".facts").textContent];
  input(slider, 1);
  seen.one = [chips()[2], [...root.querySelectorAll(".new")].map((chip) => chip.textContent), root.querySelector(".facts").textContent];
  input(box, "<img src=x> 好");
  seen.tag = [model.state.typed, chips()[0].length, root.querySelectorAll("img").length];
  input(box, "");
  seen.empty = [chips().flat().length, slider.disabled];
  input(box, "好".repeat(400));
  seen.long = [model.state.typed.length, chips()[0].length];
  model.set("typed", "kernel");
  seen.kernel = [box.value, chips()[0].join("")];
  model.set("applied", 1e6);
  seen.all = [+slider.value, +slider.max];
  close();
  return [seen, model.listeners(), document.querySelectorAll(".lmw").length];
}"""


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_view_cuts_counts_and_cleans_up(modules, lang):
    language.use(lang)
    text = "很好 very"
    widget = tokenizer_explorer(TOKENIZER.merges, text)
    state = {name: getattr(widget, name) for name in ("language", "problem", "typed", "applied", "pattern")}
    table = np.frombuffer(widget.table, "float32").tolist()
    seen, listeners, left = modules.evaluate(VIEW, [state, table])
    characters, byte_chips, pairs, words = seen["first"]
    assert characters == ["很", "好", "␣", "v", "e", "r", "y"] and words == ["很好", "very"]
    assert byte_chips == ["E5", "BE", "88", "E5", "A5", "BD", "␣", "v", "e", "r", "y"]
    assert pairs == [TOKENIZER.tokens[i].decode().replace(" ", "␣") for i in TOKENIZER.encode(text)]
    done = steps(text, rules(TOKENIZER.merges))
    assert int(seen["most"]) == len(done) - 1
    assert seen["none"][:2] == [0, byte_chips]
    assert {"en": "the tokens are the bytes", "zh": "词元就是字节"}[lang] in seen["none"][2]
    assert (
        len(seen["one"][0]) == len(done[1][1]) and len(seen["one"][1]) == 1 and f" {done[1][0] + 1} " in seen["one"][2]
    )
    assert seen["tag"] == ["<img src=x> 好", 13, 0]
    assert seen["empty"] == [0, True] and seen["long"] == [300, 300]
    assert seen["kernel"] == ["kernel", "kernel"] and seen["all"][0] == seen["all"][1] > 0
    assert listeners == left == 0
