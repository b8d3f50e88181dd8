"""The exercise on choosing a rule and its rate from measured validation losses, some of them not a number."""

import warnings

import numpy as np

from lmcourse.exercises.exercise import Case, exercise

NAN = float("nan")


def _losses():
    return {
        ("GD", 0.1): [0.30, 0.34],
        ("GD", 1.0): [0.25, 0.27],
        ("Adam", 0.01): [0.20, 0.40],
        ("Adam", 0.1): [NAN, NAN],
    }


def _named(answer, measured):
    """The setting as text, whatever kind of thing a learner's answer gives."""
    found = answer(measured)
    return ", ".join(map(str, found)) if isinstance(found, tuple) else str(found)


@exercise(
    minutes=6,
    use=_named,
    task_en="Of measured settings, give the one with the lowest mean loss; a setting that diverged for any seed is out.",
    task_zh="在测过的设置中，选平均损失最低的；任何一个种子发散过的设置都出局。",
    cases=lambda: [
        Case(_losses(), label_en="two rules", label_zh="两种方法", expected="GD, 1.0"),
        Case({("Adam", 0.1): [NAN, 0.1], ("GD", 0.1): [0.5, 0.5]}, label_en="diverged for one seed", label_zh="一个种子发散", expected="GD, 0.1"),
        Case({("GD", 0.1): [0.5, 0.5], ("Adam", 0.1): [0.1, NAN]}, label_en="the second diverged for one seed", label_zh="第二个有一个种子发散", expected="GD, 0.1"),
        Case({("GD", 10.0): [float("inf"), 0.1], ("GD", 0.1): [0.5, 0.7]}, label_en="an infinite loss", label_zh="损失为无穷", expected="GD, 0.1"),
        Case({("A", 1.0): [0.1, 0.9], ("B", 1.0): [0.4, 0.4]}, label_en="one lucky seed", label_zh="有一个种子走运", expected="B, 1.0"),
        Case({("A", 0.5): [0.3, 0.3], ("B", 0.5): [0.4]}, label_en="unequal numbers of seeds", label_zh="种子数不同", expected="A, 0.5"),
        Case({("A", 0.5): [0.3]}, label_en="one setting", label_zh="只有一种设置", expected="A, 0.5"),
        Case({("A", 0.5): [NAN], ("B", 0.5): [0.8], ("C", 0.5): [0.6]}, label_en="the first diverged", label_zh="第一个就发散", expected="C, 0.5"),
        Case({("A", 0.5): [NAN], ("B", 0.5): [0.8, NAN]}, label_en="all diverged", label_zh="全都发散", expected="None"),
    ],
    hints=[
        ("Two steps: which settings are finite for every seed, and which of those has the lowest mean?", "分两步：哪些设置在所有种子下都是有限数？其中平均最低的是哪个？"),
        ("Every comparison with NaN is false, so `min` over a list with NaN gives whatever stood first. Sort NaN out before.", "与 NaN 的任何比较都为假，所以含 NaN 时 `min` 给出的取决于谁排在前面。要先剔除 NaN。"),
        ("`np.isfinite(losses).all()` keeps the good ones; then `min(good, key=lambda k: np.mean(measured[k]), default=None)`: without the default, `min` fails where nothing is left.", "`np.isfinite(losses).all()` 留下好的；然后 `min(good, key=lambda k: np.mean(measured[k]), default=None)`：没有 default，一个都不剩时 `min` 会出错。"),
    ],
)  # fmt: skip
def best_setting(measured):
    """The setting with the lowest mean loss among those that stayed finite for every seed; None if no setting did.

    measured: dict, (rule, rate) → list of losses, one a seed, NaN or infinite where the run diverged. Returns one of its keys.
    """
    mean = {setting: np.mean(losses) for setting, losses in measured.items() if np.isfinite(losses).all()}
    return min(mean, key=mean.get, default=None)


@best_setting.mistake(
    en="NaN wins here: comparisons with NaN are always false, so `min` keeps it once it has it. Sort diverged settings out first.",
    zh="这里 NaN 会赢：与 NaN 的比较永远为假，`min` 拿到它就不放手。要先剔除发散的设置。",
)
def lets_nan_win(measured):
    return min(measured, key=lambda setting: np.mean(measured[setting]))


@best_setting.mistake(
    en="This takes each setting's luckiest seed. Use the mean over the seeds.",
    zh="这里取的是每种设置中最走运的种子。应取各种子的平均。",
)
def takes_the_luckiest(measured):
    finite = {setting: min(losses) for setting, losses in measured.items() if np.isfinite(losses).all()}
    return min(finite, key=finite.get)


@best_setting.mistake(
    en="Diverged seeds are left out of the mean, so a setting that fails half the time can win. One divergence is enough to be out.",
    zh="求平均时略去了发散的种子，于是一半时候失败的设置也可能胜出。发散一次就该出局。",
)
def forgives_divergence(measured):
    finite = {
        setting: np.mean(np.array(losses)[np.isfinite(losses)])
        for setting, losses in measured.items()
        if np.isfinite(losses).any()
    }
    return min(finite, key=finite.get)


@best_setting.mistake(
    en="`np.nanmean` leaves out the seeds that diverged, so a setting that fails half the time can win. One divergence is enough to be out.",
    zh="`np.nanmean` 会略去发散的种子，于是一半时候失败的设置也可能胜出。发散一次就该出局。",
)
def ignores_nan(measured):
    with warnings.catch_warnings(action="ignore"):  # of a mean of nothing
        return min(measured, key=lambda setting: np.nanmean(measured[setting]))


@best_setting.mistake(
    en="Right as long as something is left. When every setting diverged, nothing is, and `min` of nothing is an error: return None then.",
    zh="只要还有剩下的，就是对的。如果所有设置都发散了，一个也不剩，对空的东西取 `min` 会出错：这时应返回 None。",
)
def fails_when_nothing_is_left(measured):
    finite = {setting: np.mean(losses) for setting, losses in measured.items() if np.isfinite(losses).all()}
    return min(finite, key=finite.get)


@best_setting.mistake(
    en="This is the lowest loss. What is wanted is the setting that it belongs to: a key of `measured`.",
    zh="这是最低的损失。要的是它对应的设置，也就是 `measured` 的键。",
)
def gives_the_loss(measured):
    return min(np.mean(losses) for losses in measured.values() if np.isfinite(losses).all())


@best_setting.right
def by_sorting(measured):
    good = sorted((sum(v) / len(v), k) for k, v in measured.items() if all(abs(x) < np.inf for x in v))
    return good[0][1] if good else None


@best_setting.right
def by_infinity(measured):
    means = {k: np.nan_to_num(np.sum(v), nan=np.inf, posinf=np.inf) / len(v) for k, v in measured.items()}
    best = min(means, key=means.get)
    return best if means[best] < np.inf else None
