"""Exercises and a question on checking a gradient against differences: how to measure it, how far to step."""

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


def _cube(w):
    return float((w**3).sum())


def _twisted(w):
    return float(np.sin(w).sum() * w.flat[0])


@exercise(
    minutes=7,
    task_en="Estimate a gradient by central differences, one entry at a time.",
    task_zh="用中心差分逐个元素地估计梯度。",
    tolerance=1e-6,
    cases=lambda: [
        Case(
            _cube,
            np.array([1.0, 2.0, -3.0]),
            label_en="a sum of cubes",
            label_zh="立方和",
            expected=np.array([3.0, 12.0, 27.0]),
        ),
        Case(
            _twisted,
            np.array([[0.3, -1.0], [2.0, 0.7]]),
            label_en="a matrix whose entries act together",
            label_zh="各元素相互影响的矩阵",
        ),
        Case(_cube, np.array([0.5]), label_en="one entry", label_zh="一个元素"),
        Case(_cube, np.array([1.0, 2.0]), h=1e-3, label_en="another step", label_zh="换一个步长"),
        Case(
            _cube,
            np.array([1.0, 2.0]),
            h=0.5,
            label_en="a wide step",
            label_zh="很大的步长",
            expected=np.array([3.25, 12.25]),
        ),
        Case(_twisted, np.ones((2, 1, 2)), label_en="three axes", label_zh="三个轴"),
    ],
    hints=[
        (
            "For one entry: the function a little to the right, a little to the left, and the distance between the two. Then the next entry.",
            "对一个元素：函数往右一点的值、往左一点的值、两点的距离。再换下一个元素。",
        ),
        (
            "`for i in np.ndindex(w.shape)` visits every entry, whatever the shape. Change copies, not w itself.",
            "`for i in np.ndindex(w.shape)` 能走遍任何形状的所有元素。改动副本，不要改 w 本身。",
        ),
        (
            "`right, left = w.copy(), w.copy()`, then `right[i] += h` and `left[i] -= h`. The two are 2h apart.",
            "`right, left = w.copy(), w.copy()`，然后 `right[i] += h`、`left[i] -= h`。两者相距 2h。",
        ),
    ],
)
def numerical_gradient(f, w, h=1e-5):
    """The gradient of f at w by central differences: (f(w + h·eᵢ) − f(w − h·eᵢ)) / 2h for every entry i.

    f: a function from arrays like w to a number; w: an array of floats, left as it is. Returns an array of w's shape.
    """
    slopes = np.zeros_like(w)
    for i in np.ndindex(w.shape):
        right, left = w.copy(), w.copy()
        right[i] += h
        left[i] -= h
        slopes[i] = (f(right) - f(left)) / (2 * h)
    return slopes


@numerical_gradient.mistake(
    en="These are forward differences: the error is about h instead of h². Step to both sides.",
    zh="这是前向差分：误差约为 h，而不是 h²。要向两边各走一步。",
)
def forward_difference(f, w, h=1e-5):
    slopes = np.zeros_like(w)
    for i in np.ndindex(w.shape):
        right = w.copy()
        right[i] += h
        slopes[i] = (f(right) - f(w)) / h
    return slopes


@numerical_gradient.mistake(
    en="`/ 2 * h` divides by 2 and then multiplies by h. Write `/ (2 * h)`.",
    zh="`/ 2 * h` 是先除以 2 再乘以 h。要写成 `/ (2 * h)`。",
)
def multiplies_by_h(f, w, h=1e-5):
    return numerical_gradient.reference(f, w, h) * h * h


@numerical_gradient.mistake(
    en="The step h that was asked for is ignored.", zh="没有用传入的步长 h，而是用了固定的步长。"
)
def ignores_the_step(f, w, h=1e-5):
    return numerical_gradient.reference(f, w)


@numerical_gradient.mistake(
    en="Both names stand for the same array, so the moves cancel and every slope is zero. Take copies: `w.copy()`.",
    zh="两个名字指的是同一个数组，移动互相抵消，斜率全是零。要用副本：`w.copy()`。",
)
def takes_no_copies(f, w, h=1e-5):
    return np.zeros_like(w)


@numerical_gradient.mistake(
    en="Only the first axis is walked, so whole rows move together. Visit every entry: `np.ndindex(w.shape)`.",
    zh="只沿第一个轴走，整行一起移动了。要走遍每个元素：`np.ndindex(w.shape)`。",
)
def row_by_row(f, w, h=1e-5):
    return numerical_gradient.reference(f, w, h).reshape(len(w), -1).sum(axis=1)


@numerical_gradient.mistake(en="The two points are 2h apart, so divide by 2h.", zh="两点相距 2h，应除以 2h。")
def divides_by_h(f, w, h=1e-5):
    return 2 * numerical_gradient.reference(f, w, h)


@numerical_gradient.mistake(
    en="w is not put back: every entry stays moved when the next one is tried. Work on copies, or undo each step.",
    zh="没有把 w 还原：试下一个元素时，前面的元素还停在移动后的位置。请在副本上操作，或撤销每一步。",
)
def leaves_w_moved(f, w, h=1e-5):
    slopes = np.zeros_like(w)
    for i in np.ndindex(w.shape):
        w[i] += h
        right = f(w)
        w[i] -= 2 * h
        slopes[i] = (right - f(w)) / (2 * h)
    return slopes


@numerical_gradient.mistake(
    en="All entries are moved at once: that gives the sum of all slopes, in every place. Move one at a time.",
    zh="所有元素一起移动了：每个位置得到的都是全部斜率之和。一次只移动一个。",
)
def moves_all(f, w, h=1e-5):
    return np.full_like(w, (f(w + h) - f(w - h)) / (2 * h))


@numerical_gradient.right
def by_unit_arrays(f, w, h=1e-5):
    steps = h * np.eye(w.size).reshape(w.size, *w.shape)
    return np.array([(f(w + step) - f(w - step)) / (2 * h) for step in steps]).reshape(w.shape)


@numerical_gradient.right
def there_and_back(f, w, h=1e-5):
    w = np.array(w, dtype=float)
    flat, slopes = w.reshape(-1), []
    for i, kept in enumerate(flat.copy()):
        flat[i] = kept + h
        right = f(w)
        flat[i] = kept - h
        slopes.append((right - f(w)) / (2 * h))
        flat[i] = kept
    return np.array(slopes).reshape(w.shape)


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
