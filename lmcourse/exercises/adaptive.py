"""The exercise on Adam: two averages that forget, and the correction for their empty beginning."""

import numpy as np

from lmcourse.exercises.exercise import Case, exercise, prop


def _random(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape)


def _case(**more):
    return Case(_random(4), (_random(4, seed=1), _random(4, seed=2) ** 2), _random(4, seed=3), 0.01, **more)


def _ten_equal_slopes(f):
    """Under a slope that never changes, corrected averages are that slope and its square from the first step on."""
    w, memory = 0.0, (0.0, 0.0)
    for t in range(1, 11):
        w, memory = f(w, memory, 3.0, 0.01, t)
    return np.isclose(w, -0.1, rtol=1e-3)


@exercise(
    minutes=8,
    task_en="One step of Adam, in Keras's form.",
    task_zh="Adam 走一步，用 Keras 的写法。",
    cases=lambda: [
        Case(np.array([1.0]), (0.0, 0.0), np.array([2.0]), 0.1, 1, label_en="the first step", label_zh="第一步"),
        _case(t=10, label_en="the tenth step", label_zh="第十步"),
        _case(t=5000, label_en="late", label_zh="很晚的一步"),
        Case(_random(3), (0.0, 0.0), np.array([1e-6, 0.0, -1e-6]), 0.01, 1, label_en="very small slopes", label_zh="很小的斜率"),
        _case(t=3, beta1=0.5, beta2=0.75, label_en="other β", label_zh="换一组 β"),
        _case(t=2, eps=0.25, label_en="a large ε", label_zh="较大的 ε"),
    ],
    properties=[
        prop(
            _ten_equal_slopes,
            en="Under one steady slope every step is as long as the rate, from the first on.",
            zh="斜率恒定时，从第一步起每一步的长度都等于学习率。",
        ),
    ],
    hints=[
        ("Three things in this order: renew both averages; correct the rate for step t; move.", "依次做三件事：更新两个平均，按第 t 步修正学习率，移动。"),
        ("m follows the slopes with β₁, s their squares with β₂. Both begin at zero, so early on they reach only the share 1 − βᵗ of what they should.", "m 以 β₁ 跟随斜率，s 以 β₂ 跟随平方。两者从零开始，所以早期只到应有值的 1 − βᵗ。"),
        ("`m = beta1 * m + (1 - beta1) * g`, s likewise with `g**2`; the corrected rate is `rate * np.sqrt(1 - beta2**t) / (1 - beta1**t)`.", "`m = beta1 * m + (1 - beta1) * g`，s 用 `g**2` 同理；修正后的学习率是 `rate * np.sqrt(1 - beta2**t) / (1 - beta1**t)`。"),
    ],
)  # fmt: skip
def adam(w, memory, g, rate, t, beta1=0.9, beta2=0.999, eps=1e-7):
    """Step t = 1, 2, … of Adam: m ← β₁·m + (1 − β₁)·g, s ← β₂·s + (1 − β₂)·g², then
    w ← w − rate · √(1 − β₂ᵗ) / (1 − β₁ᵗ) · m / (√s + ε).

    w: weights; memory: m and s, like w, or 0 at the start; g: gradient. Returns the new w, and the new m and s as a pair.
    """
    m, s = memory
    m = beta1 * m + (1 - beta1) * g
    s = beta2 * s + (1 - beta2) * g**2
    corrected = rate * np.sqrt(1 - beta2**t) / (1 - beta1**t)
    return w - corrected * m / (np.sqrt(s) + eps), (m, s)


@adam.mistake(
    en="The correction for the empty beginning is missing: the first step comes out three times as long as it should.",
    zh="漏了对空白开头的修正：第一步的长度约是应有的三倍。",
)
def without_correction(w, memory, g, rate, t, beta1=0.9, beta2=0.999, eps=1e-7):
    m = beta1 * memory[0] + (1 - beta1) * g
    s = beta2 * memory[1] + (1 - beta2) * g**2
    return w - rate * m / (np.sqrt(s) + eps), (m, s)


@adam.mistake(
    en="Steps are counted from 1 here: t needs no + 1.",
    zh="这里的步数从 1 数起：t 不用再加 1。",
)
def counts_from_nought(w, memory, g, rate, t, beta1=0.9, beta2=0.999, eps=1e-7):
    return adam.reference(w, memory, g, rate, t + 1, beta1, beta2, eps)


@adam.mistake(
    en="ε is added after the correction, as in the paper's Algorithm 1. Right in principle, and different where slopes are tiny; Keras adds it to √s itself.",
    zh="ε 加在了修正之后，这是论文中算法 1 的写法。道理没错，斜率很小时结果不同；Keras 是直接加在 √s 上。",
)
def as_in_the_paper(w, memory, g, rate, t, beta1=0.9, beta2=0.999, eps=1e-7):
    m = beta1 * memory[0] + (1 - beta1) * g
    s = beta2 * memory[1] + (1 - beta2) * g**2
    return w - rate * (m / (1 - beta1**t)) / (np.sqrt(s / (1 - beta2**t)) + eps), (m, s)


@adam.mistake(
    en="The corrected averages go into the memory, so they are corrected again in every step. Keep the plain ones.",
    zh="修正过的平均被存进了记忆，于是每一步都会再修正一次。要存未修正的。",
)
def keeps_the_corrected(w, memory, g, rate, t, beta1=0.9, beta2=0.999, eps=1e-7):
    new, (m, s) = adam.reference(w, memory, g, rate, t, beta1, beta2, eps)
    return new, (m / (1 - beta1**t), s / (1 - beta2**t))


@adam.mistake(
    en="The correction for s is under the root, as s itself is: √(1 − β₂ᵗ).",
    zh="对 s 的修正漏了平方根：s 在根号下，修正也要开方，即 √(1 − β₂ᵗ)。",
)
def corrects_without_the_root(w, memory, g, rate, t, beta1=0.9, beta2=0.999, eps=1e-7):
    return adam.reference(w, memory, g, rate * np.sqrt(1 - beta2**t), t, beta1, beta2, eps)


@adam.mistake(
    en="ε stands under the root, as in RMSProp. Keras's Adam adds it to √s, outside.",
    zh="ε 放在了根号里面，那是 RMSProp 的位置。Keras 的 Adam 把它加在 √s 上，在根号外面。",
)
def epsilon_inside(w, memory, g, rate, t, beta1=0.9, beta2=0.999, eps=1e-7):
    m = beta1 * memory[0] + (1 - beta1) * g
    s = beta2 * memory[1] + (1 - beta2) * g**2
    return w - rate * np.sqrt(1 - beta2**t) / (1 - beta1**t) * m / np.sqrt(s + eps), (m, s)


@adam.mistake(
    en="The averages have each other's β: m forgets with β₁, s with β₂.", zh="两个平均的 β 用反了：m 用 β₁，s 用 β₂。"
)
def swaps_the_betas(w, memory, g, rate, t, beta1=0.9, beta2=0.999, eps=1e-7):
    m = beta2 * memory[0] + (1 - beta2) * g
    s = beta1 * memory[1] + (1 - beta1) * g**2
    return w - rate * np.sqrt(1 - beta2**t) / (1 - beta1**t) * m / (np.sqrt(s) + eps), (m, s)


@adam.mistake(
    en="m and s belong together as one pair: `return w, (m, s)`.", zh="m 和 s 要合成一对返回：`return w, (m, s)`。"
)
def returns_three(w, memory, g, rate, t, beta1=0.9, beta2=0.999, eps=1e-7):
    w, (m, s) = adam.reference(w, memory, g, rate, t, beta1, beta2, eps)
    return w, m, s


@adam.right
def by_differences(w, memory, g, rate, t, beta1=0.9, beta2=0.999, eps=1e-7):
    m = memory[0] + (1 - beta1) * (g - memory[0])
    s = memory[1] + (1 - beta2) * (g * g - memory[1])
    step = m * (rate * (1 - beta2**t) ** 0.5 / (1 - beta1**t))
    return w - step / (s**0.5 + eps), [m, s]


@adam.right
def correcting_both(w, memory, g, rate, t, beta1=0.9, beta2=0.999, eps=1e-7):
    m = beta1 * memory[0] + (1 - beta1) * g
    s = beta2 * memory[1] + (1 - beta2) * np.square(g)
    first, second = m / (1 - beta1**t), np.sqrt(s / (1 - beta2**t))
    return w - rate * first / (second + eps / np.sqrt(1 - beta2**t)), (m, s)
