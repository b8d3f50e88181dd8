"""Exercises and questions on machines: how to time them, arithmetic intensity, the roof over it, overlapping, when one is not enough."""

import math

import numpy as np

from lmcourse.exercises.exercise import Case, exercise, prop
from lmcourse.exercises.question import choice, number

sixteen_tokens = choice(
    en="A dense layer with 4,096 × 4,096 weights computes for 16 tokens at a time instead of one. The time for one call becomes …",
    zh="一个权重为 4,096 × 4,096 的全连接层，从一次算 1 个词元改为一次算 16 个。一次调用的时间变为原来的……",
    options=[
        ("about 16 times as long: 16 times the work", "约 16 倍：工作量是 16 倍"),
        ("about 8 times as long", "约 8 倍"),
        ("less than 4 times as long", "不到 4 倍"),
    ],
    answer=2,
    because_en="For one token the time goes into reading 67 MB of weights; the arithmetic is done meanwhile. Sixteen tokens share one reading. "
    "That is why a service collects requests into batches.",
    because_zh="只算一个词元时，时间都花在读 67 MB 的权重上，运算顺带就做完了。十六个词元共用一次读取。服务要把请求攒成批，道理就在这里。",
)

generating_share = choice(
    en="An H100 multiplies at 989·10¹² operations a second. A model generates for one user, one token after the other. What share of that can its "
    "dense layers reach at best?",
    zh="H100 的矩阵乘法每秒可做 989·10¹² 次运算。一个模型为一位用户逐个生成词元，它的全连接层最多能用到其中多少？",
    options=[
        ("about 90 %", "约 90%"),
        ("about 30 %", "约 30%"),
        ("about 3 %", "约 3%"),
        ("less than 1 %", "不到 1%"),
    ],
    answer=3,
    because_en="0.3 %. For one token each 16-bit weight is read (2 bytes) and used for 2 operations: one operation per byte. The H100 would need "
    "295 of them per byte to be busy.",
    because_zh="0.3%。一个词元时，每个 16 位权重读一次（2 字节），做 2 次运算：每字节一次。而 H100 每字节要有 295 次运算才忙得过来。",
)

busy_tokens = number(
    en="On the H100 with 2 bytes per value: what is the first number of tokens on the slider at which the feed-forward layer is held by the peak?",
    zh="在 H100 上、每个数 2 字节时：滑块上第一个使前馈层受限于峰值的词元数是多少？",
    answer=1024,
    tolerance=1,
    because_en="1,024. At 512 the layer reaches 279 operations per byte, still below 295; the exact crossing is near 568. Training, with tens of "
    "thousands of tokens a step, is far beyond it; generating, with one token for each user, far below.",
    because_zh="1,024。512 个词元时每字节 279 次运算，还低于 295；精确的交叉点在 568 附近。训练一步有数万个词元，远远超过；生成时每位用户一个词元，远远不及。",
)


@exercise(
    minutes=4,
    task_en="Give the operations per byte of a matrix product.",
    task_zh="求矩阵乘法每字节的运算数。",
    cases=lambda: [
        Case(1, 768, 3072, size=2, label_en="one token, 16 bits", label_zh="一个词元，16 位", expected=2 * 768 * 3072 / (2 * (768 + 768 * 3072 + 3072))),
        Case(1000, 1000, 1000, label_en="square, 32 bits", label_zh="方阵，32 位", expected=1000 / 6),
        Case(512, 768, 3072, label_en="many tokens", label_zh="许多词元"),
        Case(7, 3, 5, size=1, label_en="eight bits", label_zh="8 位"),
    ],
    hints=[
        ("Count the operations of (m, k) @ (k, n); then the values of both inputs and of the output.", "先数 (m, k) @ (k, n) 的运算，再数两个输入和一个输出里的数。"),
        ("2·m·k·n operations; m·k + k·n + m·n values of `size` bytes.", "2·m·k·n 次运算；m·k + k·n + m·n 个数，每个 `size` 字节。"),
    ],
)  # fmt: skip
def intensity(m, k, n, size=4):
    """Operations per byte of (m, k) @ (k, n), if both inputs are read once and the output is written once; `size` bytes per value."""
    return 2 * m * k * n / (size * (m * k + k * n + m * n))


@intensity.mistake(en="The output is written too: m · n values.", zh="输出也要写回内存：m · n 个数。")
def inputs_only(m, k, n, size=4):
    return 2 * m * k * n / (size * (m * k + k * n))


@intensity.mistake(
    en="Each product is multiplied and added: two operations, not one.", zh="每一项先乘后加：是两次运算，不是一次。"
)
def one_operation(m, k, n, size=4):
    return m * k * n / (size * (m * k + k * n + m * n))


@intensity.mistake(
    en="This divides by the number of values; bytes are `size` times as many.",
    zh="这里除以的是数的个数；字节数是它的 `size` 倍。",
)
def per_value(m, k, n, size=4):
    return 2 * m * k * n / (m * k + k * n + m * n)


@intensity.right
def by_steps(m, k, n, size=4):
    moved = m * k
    moved += k * n
    moved += m * n
    return (m * n) * (2 * k) / moved / size


@intensity.right
def by_reciprocal(m, k, n, size=4):
    return 2 / size / (1 / n + 1 / m + 1 / k)


@exercise(
    minutes=3,
    task_en="Give the most operations a second that a machine allows at an intensity.",
    task_zh="求一台机器在给定强度下每秒最多能做多少次运算。",
    cases=lambda: [
        Case(1, 989e12, 3350e9, label_en="one operation per byte on an H100", label_zh="H100，每字节一次运算", expected=3350e9),
        Case(1000, 989e12, 3350e9, label_en="many operations per byte", label_zh="每字节许多次运算", expected=989e12),
        Case(np.array([0.5, 10.0, 80.0]), 2e11, 2e10, label_en="several intensities at once", label_zh="一次给多个强度", expected=np.array([1e10, 2e11, 2e11])),
    ],
    hints=[
        ("Two limits hold at once: the peak, and what the memory delivers. Which one counts?", "两个上限同时成立：峰值，以及内存能供给的。哪一个算数？"),
        ("Memory delivers bandwidth · intensity operations a second. `np.minimum` works for arrays and numbers.", "内存每秒能供给 bandwidth · intensity 次运算。`np.minimum` 对数组和单个数都适用。"),
    ],
)  # fmt: skip
def roof(intensity, peak, bandwidth):
    """The most operations a second at an intensity (operations per byte; a number or an array).

    peak: operations a second; bandwidth: bytes a second.
    """
    return np.minimum(peak, bandwidth * intensity)


@roof.mistake(
    en="The larger of the two limits was taken; both hold, so it is the smaller.",
    zh="取了两个上限中较大的；两个都成立，应取较小的。",
)
def larger(intensity, peak, bandwidth):
    return np.maximum(peak, bandwidth * intensity)


@roof.mistake(
    en="Python's own `min` compares single numbers; for arrays there is `np.minimum`.",
    zh="Python 自带的 `min` 比较的是单个数；数组要用 `np.minimum`。",
)
def smallest_of_two(intensity, peak, bandwidth):
    return min(peak, bandwidth * intensity)


@roof.mistake(
    en="Bandwidth times intensity has no upper end here: the peak is missing.", zh="带宽乘强度没有封顶：漏了峰值。"
)
def no_peak(intensity, peak, bandwidth):
    return bandwidth * np.asarray(intensity)


@roof.mistake(
    en="Bytes a second *times* operations per byte gives operations a second; this divides.",
    zh="每秒字节数*乘以*每字节运算数才是每秒运算数；这里用了除法。",
)
def divides(intensity, peak, bandwidth):
    return np.minimum(peak, bandwidth / np.asarray(intensity))


@roof.right
def by_where(intensity, peak, bandwidth):
    intensity = np.asarray(intensity)
    return np.where(intensity < peak / bandwidth, intensity * bandwidth, peak)


@roof.right
def by_clip(intensity, peak, bandwidth):
    return np.clip(np.asarray(intensity, float) * bandwidth, 0, peak)


@exercise(
    minutes=4,
    task_en="Predict the time of a training whose data loading is overlapped with the steps.",
    task_zh="预测数据加载与训练步骤重叠时的总时间。",
    cases=lambda: [
        Case(0.02, 0.05, 10, label_en="training is slower", label_zh="训练较慢", expected=0.02 + 10 * 0.05),
        Case(0.05, 0.02, 10, label_en="loading is slower", label_zh="加载较慢", expected=10 * 0.05 + 0.02),
        Case(0.03, 0.03, 1, label_en="a single step", label_zh="只有一步", expected=0.06),
    ],
    properties=[
        prop(lambda f: f(0.0, 0.1, 7) <= 0.7 + 1e-9, en="Loading in no time adds nothing.", zh="加载不花时间时，什么也不增加。"),
    ],
    hints=[
        ("Draw two rows of boxes, loading above training. The first step must wait for the first batch; the last batch trains alone.",
         "画两行方框，上面加载，下面训练。第一步要等第一批数据；最后一批训练时已没有加载。"),
        ("In between, each step takes the longer of the two: (steps − 1) · max(load, train).", "中间每一步的时间取两者中较长的：(steps − 1) · max(load, train)。"),
    ],
)  # fmt: skip
def overlapped(load, train, steps):
    """Seconds for `steps` steps when the next batch is loaded while this one trains; `load`, `train`: seconds for one batch."""
    return load + (steps - 1) * max(load, train) + train


@overlapped.mistake(en="This is the sum of both: nothing overlaps.", zh="这是两者之和：完全没有重叠。")
def one_after_the_other(load, train, steps):
    return steps * (load + train)


@overlapped.mistake(
    en="The first step must wait for its batch, and the last one trains with nothing beside it: one of each is not overlapped.",
    zh="第一步要等它的数据，最后一步训练时旁边没有加载：各有一次没有重叠。",
)
def ends_forgotten(load, train, steps):
    return steps * max(load, train)


@overlapped.mistake(
    en="Overlapped work takes as long as the slower of the two, not the faster.",
    zh="重叠的工作取决于较慢的一方，不是较快的。",
)
def the_faster(load, train, steps):
    return load + (steps - 1) * min(load, train) + train


@overlapped.mistake(
    en="Right while training is the slower of the two. When loading is slower, training waits for every batch.",
    zh="训练较慢时是对的。加载较慢时，训练每一批都要等。",
)
def training_is_slower(load, train, steps):
    return load + steps * train


@overlapped.right
def by_clock(load, train, steps):
    loaded = done = 0.0
    for _ in range(steps):
        loaded += load
        done = max(done, loaded) + train
    return done


@overlapped.right
def by_cases(load, train, steps):
    return load + steps * train if train >= load else steps * load + train


@exercise(
    minutes=6,
    task_en="Say how many accelerators a training needs, for its memory and for its deadline.",
    task_zh="算出一次训练需要多少个加速器：既要放得下，又要赶得上期限。",
    cases=lambda: [
        Case(128e9, 80e9, 1e20, 4e14, 30, label_en="two for the memory", label_zh="内存需要两个", expected=2),
        Case(2e9, 80e9, 8.7e23, 4e14, 30, label_en="many for the deadline", label_zh="期限需要许多", expected=math.ceil(8.7e23 / (4e14 * 30 * 86400))),
        Case(1e9, 16e9, 1e15, 1e11, 1, label_en="one is enough", label_zh="一个就够", expected=1),
        Case(1e9, 2e9, 1e12 * 864_000, 1e12, 1, label_en="exactly in time", label_zh="刚好赶上", expected=10),
        Case(1e9, 2e9, 1e12 * 864_005, 1e12, 1, label_en="five seconds too late", label_zh="迟了五秒", expected=11),
        Case(160e9, 80e9, 1e15, 1e12, 1, label_en="exactly full", label_zh="刚好放满", expected=2),
    ],
    hints=[
        ("Two questions, two numbers: how many to hold it, how many to finish in time. Both must be satisfied.", "两个问题，两个数：要几个才放得下，要几个才来得及。两者都要满足。"),
        ("`math.ceil(state / memory)` and `math.ceil(operations / (rate · days · 86400))`; take the larger.", "`math.ceil(state / memory)` 与 `math.ceil(operations / (rate · days · 86400))`，取较大的。"),
    ],
)  # fmt: skip
def accelerators_needed(state, memory, operations, rate, days):
    """The least number of accelerators, an integer.

    state: bytes to keep in all; memory: bytes in one; operations: of the whole training; rate: operations a second that one reaches.
    """
    to_hold = math.ceil(state / memory)
    in_time = math.ceil(operations / (rate * days * 86400))
    return max(to_hold, in_time)


@accelerators_needed.mistake(
    en="Only the memory is looked at; the deadline may need more.", zh="只看了内存；期限可能需要更多。"
)
def memory_only(state, memory, operations, rate, days):
    return math.ceil(state / memory)


@accelerators_needed.mistake(
    en="Only the deadline is looked at; the model may not fit.", zh="只看了期限；模型可能放不下。"
)
def deadline_only(state, memory, operations, rate, days):
    return math.ceil(operations / (rate * days * 86400))


@accelerators_needed.mistake(
    en="A part of an accelerator cannot be had: round up, not to the nearest.",
    zh="加速器没有零头：要向上取整，不是四舍五入。",
)
def rounds(state, memory, operations, rate, days):
    return max(1, round(state / memory), round(operations / (rate * days * 86400)))


@accelerators_needed.mistake(
    en="The same accelerators hold the model and compute: the larger of the two numbers, not their sum.",
    zh="存放模型和计算的是同一批加速器：取两个数中较大的，不是相加。",
)
def one_set_for_each(state, memory, operations, rate, days):
    return math.ceil(state / memory) + math.ceil(operations / (rate * days * 86400))


@accelerators_needed.right
def by_negative_division(state, memory, operations, rate, days):
    return int(max(-(-state // memory), -(-operations // (rate * days * 86400))))


@accelerators_needed.right
def by_counting(state, memory, operations, rate, days):
    return math.ceil(max(state / memory, operations / rate / 86400 / days))
