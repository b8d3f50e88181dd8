"""A question and an exercise on checking a gradient against differences: how far to step."""

import numpy as np

from lmcourse.exercises.exercise import Case, exercise
from lmcourse.exercises.question import choice

sharpest_step = choice(
    en="(f(x + h) − f(x)) / h estimates the slope of f = exp at x = 1 in float64, which holds 16 digits. Which h gives the best estimate?",
    zh="用 (f(x + h) − f(x)) / h 估计 f = exp 在 x = 1 处的斜率，精度为 float64（16 位有效数字）。哪个 h 最准？",
    options=[
        ("h = 10⁻⁴", "h = 10⁻⁴"),
        ("h = 10⁻⁸", "h = 10⁻⁸"),
        ("h = 10⁻¹²", "h = 10⁻¹²"),
        ("h = 10⁻¹⁶: the smaller, the better", "h = 10⁻¹⁶：越小越好"),
    ],
    answer=1,
    because_en="A large h bends the line (error about h), a small one loses digits in the subtraction (error about 10⁻¹⁶/h). "
    "The two are equal near h = 10⁻⁸, where half of the digits are left. At 10⁻¹⁶, 1 + h is 1, and the slope comes out as zero.",
    because_zh="h 大，直线偏离曲线（误差约 h）；h 小，相减丢掉有效数字（误差约 10⁻¹⁶/h）。两者在 h = 10⁻⁸ 附近相等，"
    "此时还剩一半的位数。h = 10⁻¹⁶ 时 1 + h 就是 1，算出的斜率是零。",
)


@exercise(
    minutes=8,
    task_en="From measured errors, give the smallest and the largest step of the unbroken range of good steps about the best one.",
    task_zh="根据测得的误差，找出包含最佳步长、连续可用的范围，给出其中最小与最大的步长。",
    cases=lambda: [
        Case({1e-6: 0.5, 1e-4: 0.004, 1e-2: 0.0002, 1.0: 0.3}, label_en="two good steps", label_zh="两个可用步长", expected=(1e-4, 1e-2)),
        Case({1.0: 0.3, 1e-2: 0.0002, 1e-4: 0.004, 1e-6: 0.5}, label_en="in another order", label_zh="换个顺序", expected=(1e-4, 1e-2)),
        Case({1e-8: 0.009, 1e-6: 0.4, 1e-4: 0.001, 1e-2: 0.02}, label_en="a lucky hit outside", label_zh="范围之外碰巧的一个", expected=(1e-4, 1e-4)),
        Case({1e-3: 0.01, 1e-2: 0.0, 1e-1: 0.01}, label_en="exactly on the limit", label_zh="恰好在界上", expected=(1e-3, 1e-1)),
        Case({1e-3: 0.02, 1e-2: 0.04, 1e-1: 0.06, 1.0: 0.05}, limit=0.05, label_en="another limit", label_zh="换一个界", expected=(1e-3, 1e-2)),
        Case({1e-5: 0.002}, label_en="one step", label_zh="只有一个步长"),
    ],
    hints=[
        ("Where is the error smallest? From there, how far can you go to either side before it exceeds the limit?", "误差在哪里最小？从那里往两边走，多远才超出界限？"),
        ("Sort the steps, find the best one's place, and move two indices outwards while the neighbour is good.", "把步长排序，找到最佳步长的位置，然后让两个下标向外移动，只要邻居还合格。"),
        ("`while low > 0 and measured[steps[low - 1]] <= limit: low -= 1`, and likewise upwards.", "`while low > 0 and measured[steps[low - 1]] <= limit: low -= 1`，向上同理。"),
    ],
)  # fmt: skip
def usable_steps(measured, limit=0.01):
    """The smallest and the largest step of the unbroken range of good steps that holds the best one.

    measured: dict, step → relative error; a step is good when its error is at most `limit`; one is. Returns two steps.
    """
    steps = sorted(measured)
    low = high = steps.index(min(steps, key=measured.get))
    while low > 0 and measured[steps[low - 1]] <= limit:
        low -= 1
    while high < len(steps) - 1 and measured[steps[high + 1]] <= limit:
        high += 1
    return steps[low], steps[high]


@usable_steps.mistake(
    en="A step far from the others was good by luck, and a bad one lies between. Only the unbroken range about the best one counts.",
    zh="远处有一个步长只是碰巧合格，中间还隔着不合格的。只算包含最佳步长的那一段连续范围。",
)
def takes_lucky_hits(measured, limit=0.01):
    good = [step for step, error in measured.items() if error <= limit]
    return min(good), max(good)


@usable_steps.mistake(en="The limit itself is still good: compare with <=.", zh="恰好等于界限也算合格：用 <= 比较。")
def leaves_out_the_limit(measured, limit=0.01):
    steps = sorted(measured)
    low = high = steps.index(min(steps, key=measured.get))
    while low > 0 and measured[steps[low - 1]] < limit:
        low -= 1
    while high < len(steps) - 1 and measured[steps[high + 1]] < limit:
        high += 1
    return steps[low], steps[high]


@usable_steps.mistake(
    en="This takes the first range of good steps from below. Begin at the best step: the range must hold it.",
    zh="这里取了从小往大数的第一段。要从最佳步长出发：范围必须包含它。",
)
def takes_the_first_range(measured, limit=0.01):
    steps = sorted(measured)
    low = high = next(i for i, step in enumerate(steps) if measured[step] <= limit)
    while high < len(steps) - 1 and measured[steps[high + 1]] <= limit:
        high += 1
    return steps[low], steps[high]


@usable_steps.right
def by_runs(measured, limit=0.01):
    runs, run = [], []
    for step in [*sorted(measured), None]:
        if step is not None and measured[step] <= limit:
            run.append(step)
        elif run:
            runs, run = [*runs, run], []
    best = min(measured, key=measured.get)
    (found,) = [run for run in runs if best in run]
    return found[0], found[-1]


@usable_steps.right
def by_bad_neighbours(measured, limit=0.01):
    best = min(measured, key=measured.get)
    bad = [step for step, error in measured.items() if error > limit]
    lower = max([s for s in bad if s < best], default=-np.inf)
    upper = min([s for s in bad if s > best], default=np.inf)
    inside = [s for s in measured if lower < s < upper]
    return min(inside), max(inside)
