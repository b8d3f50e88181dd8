"""An exercise on drawing the next token: top-p."""

import numpy as np

from lmcourse.exercises.exercise import Case, exercise, prop


def _chances(n, seed=0, sharp=2.0):
    e = np.exp(sharp * np.random.default_rng(seed).normal(size=n))
    return e / e.sum()


@exercise(
    minutes=6,
    task_en="Write top-p: keep the fewest likely tokens that together reach a share, and let them share everything.",
    task_zh="写出 top-p：保留最少的几个最可能的词元，使其总概率达到给定份额，再让它们分掉全部概率。",
    cases=lambda: [
        Case(
            np.array([0.125, 0.5, 0.125, 0.25]),
            0.7,
            label_en="two are enough",
            label_zh="两个就够",
            expected=np.array([0.0, 2 / 3, 0.0, 1 / 3]),
        ),
        Case(np.array([0.125, 0.5, 0.0625, 0.25, 0.0625]), 0.75, label_en="reached exactly", label_zh="恰好达到"),
        Case(np.array([0.03, 0.95, 0.02]), 0.5, label_en="the best alone is more", label_zh="最好的一个就超过"),
        Case(_chances(50), 0.9, label_en="fifty tokens", label_zh="五十个词元"),
        Case(_chances(50, seed=1, sharp=0.2), 0.3, label_en="nearly even", label_zh="几乎均匀"),
        Case(np.array([0.5, 0.25, 0.25]), 1.0, label_en="everything", label_zh="全部保留"),
    ],
    properties=[
        prop(
            lambda f: np.isclose(f(_chances(30, seed=2), 0.6).sum(), 1),
            en="What is left sums to 1.",
            zh="留下的概率总和为 1。",
        ),
    ],
    hints=[
        (
            "Sort first, the likely ones in front. A token stays if those before it have not reached the share yet.",
            "先排序，可能的在前。如果排在它前面的总和还没达到份额，这个词元就留下。",
        ),
        (
            "`order = np.argsort(-p)`; the sum before each is `np.cumsum(p[order]) - p[order]`.",
            "`order = np.argsort(-p)`；每个词元之前的总和是 `np.cumsum(p[order]) - p[order]`。",
        ),
        (
            "Write `p` into zeros at the places that stay, `order[before < share]`, and divide by the sum.",
            "在全零数组里，把 `p` 写到留下的位置 `order[before < share]`，再除以总和。",
        ),
    ],
)
def nucleus(p, share):
    """Keep the fewest tokens, the likeliest first, that together hold at least a share; they divide everything among themselves.

    p: (vocabulary,) probabilities; share: above 0, up to 1. Returns (vocabulary,): sums to 1, 0 where a token was cut.
    """
    order = np.argsort(-p)
    before = np.cumsum(p[order]) - p[order]
    stay = order[before < share]
    kept = np.zeros(len(p))
    kept[stay] = p[stay]
    return kept / kept.sum()


@nucleus.mistake(en="What is left no longer sums to 1: divide by its sum.", zh="留下的总和不再是 1：要除以它们的和。")
def forgets_to_share_out(p, share):
    result = nucleus(p, share)
    return np.where(result > 0, p, 0)


@nucleus.mistake(
    en="The token that crosses the share is cut as well, so the rest does not reach it; if the best alone is more, nothing is left.",
    zh="跨过份额的那个词元也被剪掉了，剩下的达不到份额；如果最好的一个就超过，便什么也不剩。",
)
def stops_before(p, share):
    order = np.argsort(-p)
    kept = np.zeros(len(p))
    stay = order[np.cumsum(p[order]) <= share]
    kept[stay] = p[stay]
    with np.errstate(invalid="ignore"):
        return kept / kept.sum()


@nucleus.mistake(
    en="The sum runs over ids, not from the likely to the unlikely: sort first.",
    zh="按编号次序累加了，而不是从最可能的到最不可能的：先排序。",
)
def forgets_to_sort(p, share):
    kept = np.where(np.cumsum(p) - p < share, p, 0)
    return kept / kept.sum()


@nucleus.mistake(
    en="The share is compared with single probabilities. It is the sum of those that stay which must reach it.",
    zh="拿份额去比单个概率了。应当是留下的总和达到份额。",
)
def compares_each(p, share):
    kept = np.where(p >= p.max() * (1 - share), p, 0)
    return kept / kept.sum()


@nucleus.right
def one_by_one(p, share):
    kept, held = np.zeros(len(p)), 0.0
    for token in np.argsort(p)[::-1]:
        if held >= share:
            break
        kept[token], held = p[token], held + p[token]
    return kept / held


@nucleus.right
def by_a_threshold(p, share):
    falling = np.sort(p)[::-1]
    count = int(np.searchsorted(np.cumsum(falling), share - 1e-12)) + 1
    least = falling[min(count, len(p)) - 1]
    kept = p * (p >= least)
    return kept / kept.sum()
