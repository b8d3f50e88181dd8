import difflib

import numpy as np
import pytest

from lmcourse import language
from lmcourse.data import cleaning, reviews
from lmcourse.widgets.data_funnel import EXAMPLES, data_funnel, dropped

TEXTS = ["很好吃的店", "很好吃的店！", "ok", "房间干净又大", "房间干净不大", "房间很干净又大", "房间干净又大啊"]
STEPS = [("length", [0, 1, 3, 4, 5, 6]), ("copies", [0, 3, 4, 5, 6])]
PAIRS = {(1, 2): 0.4, (1, 3): 0.5, (1, 4): 0.75, (3, 4): 0.45}  # counted within the last step
MARKS = ["👍", "👍", "👎", "👍", "👎", "👍", "👍"]


def funnel(**more):
    return data_funnel(TEXTS, STEPS, PAIRS, marks=MARKS, **more)


def test_counts_examples_and_pairs_come_from_the_steps():
    widget = funnel()
    assert (widget.problem, widget.counts, widget.examples) == ("", [7, 6, 5], [["ok"], ["很好吃的店！"]])
    assert [pair[2] for pair in widget.pairs] == [0.75, 0.5, 0.45, 0.4]
    assert widget.pairs[0] == [1, 4, 0.75, "房间干净又大", "房间干净又大啊", "👍", "👍"]
    assert widget.pairs[3][3:] == ["房间干净又大", "房间干净不大", "👍", "👎"]


@pytest.mark.parametrize(("threshold", "gone"), [(1.0, 0), (0.75, 1), (0.7, 1), (0.5, 2), (0.45, 2), (0.4, 3)])
def test_the_later_text_of_each_pair_goes_once(modules, threshold, gone):
    widget = funnel(threshold=threshold)
    assert dropped(widget.pairs, threshold) == gone and widget.left()[-1] == 5 - gone
    ours = modules.evaluate(
        '([pairs, t]) => import("/data_funnel.js").then((m) => m.dropped(pairs, t))', [widget.pairs, threshold]
    )
    assert ours == gone


def test_what_is_left_holds_no_pair_on_the_real_reviews():
    texts, labels = reviews.load()
    chosen = range(0, len(texts), 5)
    texts, labels = [texts[i] for i in chosen], labels[::5]
    tidied, kept = cleaning.clean(texts, labels)
    near = cleaning.near_copies([tidied[i] for i in kept["copies"]], 0.3)
    widget = data_funnel(tidied, list(kept.items()), near, marks=labels, threshold=0.5)
    gone = {j for (i, j), value in near.items() if value >= 0.5}
    assert gone and widget.left() == [len(texts), *map(len, kept.values()), len(kept["copies"]) - len(gone)]
    assert not [pair for pair, value in near.items() if value >= 0.5 and not gone & set(pair)]
    assert max(map(len, widget.examples)) <= EXAMPLES
    assert len(widget.png()) < 40_000


@pytest.mark.parametrize("pair", [("房间很干净", "房间不干净！"), ("", "很好"), ("abc", "abc"), ("👍好", "好👍")])
def test_comparing_puts_both_texts_together_again(modules, pair):
    runs = modules.evaluate('([a, b]) => import("/data_funnel.js").then((m) => m.compare(a, b))', list(pair))
    assert tuple("".join(text for text, _ in side) for side in runs) == pair
    common = ["".join(text for text, same in side if same) for side in runs]
    assert common[0] == common[1]
    blocks = difflib.SequenceMatcher(None, *pair, autojunk=False).get_matching_blocks()
    assert len(common[0]) >= sum(block.size for block in blocks)  # difflib finds a common subsequence, ours the longest


def test_description_in_both_languages():
    widget = funnel(threshold=0.5)
    assert widget.describe().splitlines() == [
        "Data funnel: 7 texts. Threshold for near copies 0.50.",
        "length: 6 left, 1 dropped",
        "copies: 5 left, 1 dropped",
        "near copies: 3 left, 2 dropped",
    ]
    language.use("zh")
    assert "近似重复：剩 3，去掉 2" in funnel(threshold=0.5).describe()


def test_choices_out_of_range_are_brought_back():
    widget = funnel(threshold=7)
    widget.step = 99
    assert (widget.threshold, widget.step) == (1.0, 2)
    widget.threshold = float("nan")
    assert widget.threshold == 0.7


def test_picture_follows_the_threshold_and_draws_any_text():
    widget = funnel()
    before = widget.png()
    widget.threshold = 0.4
    assert widget.png() != before and before.startswith(b"\x89PNG")
    assert data_funnel(["$x_{", "<b>"], [("漏 $", [0, 1])], {(0, 1): 0.9}).png()


BAD = {
    "steps in the wrong order": (TEXTS, STEPS[::-1], PAIRS, "earlier"),
    "no steps": (TEXTS, [], PAIRS, "needs texts"),
    "places that are not there": (TEXTS, [("all", [0, 99])], {}, "earlier"),
    "pairs as a list": (TEXTS, STEPS, [(0, 1)], "needs texts"),
    "pairs beyond the last step": (TEXTS, STEPS, {(0, 9): 0.5}, "needs texts"),
    "nothing": (None, STEPS, PAIRS, "needs texts"),
}


@pytest.mark.parametrize(("texts", "steps", "pairs", "words"), BAD.values(), ids=BAD.keys())
def test_unusable_input_becomes_a_sentence(texts, steps, pairs, words):
    widget = data_funnel(texts, steps, pairs)
    assert words in widget.problem and widget.counts == []
    assert widget.problem in widget.describe() and widget.png().startswith(b"\x89PNG")
    language.use("zh")
    assert data_funnel(texts, steps, pairs).problem[-1] == "。"


def test_many_pairs_and_long_texts_stay_small():
    texts = ["好" * 5000] * 400
    pairs = {(i, i + 1): float(v) for i, v in enumerate(np.linspace(0.3, 1, 399))}
    widget = data_funnel(texts, [("all", range(400))], pairs)
    assert max(len(pair[3]) for pair in widget.pairs) == 240
    assert widget.describe().endswith("dropped")


VIEW = """async ([state, step]) => {
  const {default: widget} = await import("/data_funnel.js");
  const model = fakeModel({...state, step, threshold: 0.7});
  const close = widget.render({model, el: document.body});
  const root = document.querySelector(".lmw");
  const marks = () => [...root.querySelectorAll("li mark")].map((m) => m.textContent);
  const rows = () => [...root.querySelectorAll(".steps b")].map((b) => b.textContent);
  const first = [rows(), root.querySelectorAll("li").length, root.querySelectorAll("li img").length];
  const buttons = [...root.querySelectorAll(".steps button")];
  buttons.at(-1).click();
  const slider = root.querySelector("input[type=range]");
  slider.value = 0.45;
  slider.dispatchEvent(new Event("input"));
  const then = [model.state.step, model.state.threshold, rows().at(-1), marks(), root.querySelector("canvas").ariaLabel];
  const labels = buttons.slice(1).map((b) => b.getAttribute("aria-label"));
  close();
  return [first, then, labels, model.listeners()];
}"""


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_view_counts_compares_and_cleans_up(modules, lang):
    language.use(lang)
    widget = data_funnel([*TEXTS[:2], "<img src=x>", *TEXTS[3:]], STEPS, PAIRS, marks=MARKS)
    names = ("language", "problem", "names", "counts", "examples", "pairs")
    state = {name: getattr(widget, name) for name in names}
    first, then, labels, listeners = modules.evaluate(VIEW, [state, 0])
    assert first == [["7", "6", "5", "4"], 1, 0]
    assert then[:3] == [2, 0.45, "3"] and "又" in then[3] and "不" in then[3]
    assert ("3 pairs count" in then[4]) if lang == "en" else ("3 对算作重复" in then[4])
    assert len(labels) == 3 and all(any(c.isdigit() for c in label) for label in labels)
    assert listeners == 0
