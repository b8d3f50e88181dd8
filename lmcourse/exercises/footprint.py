"""Exercises and questions on what a model weighs and costs: ResNet-50's three counts, active parameters, memory, operations."""

import numpy as np

from lmcourse.exercises.exercise import Case, exercise
from lmcourse.exercises.question import choice, number

largest_part = choice(
    en="GPT-2 small is trained with Adam in float32, 8 sequences of 1,024 tokens at a time. What takes the most memory?",
    zh="用 Adam 以 float32 训练 GPT-2 small，每次 8 个序列，各 1,024 个词元。哪一项最占内存？",
    options=[
        ("the weights", "权重"),
        ("the gradients", "梯度"),
        ("Adam's two moments", "Adam 的两个动量"),
        ("the activations, by far", "激活值，而且远超其他"),
    ],
    answer=3,
    because_en="12 GB of activations against 2 GB for everything else together. Weights, gradients and moments depend on the model alone; "
    "activations also on every token in the batch.",
    because_zh="激活值 12 GB，其余合计只有 2 GB。权重、梯度和动量只取决于模型；激活值还随批里的每个词元增长。",
)

mixed_precision = choice(
    en="You switch Keras from float32 to mixed_bfloat16. The memory of weights, gradients and Adam's moments together …",
    zh="把 Keras 从 float32 换成 mixed_bfloat16。权重、梯度和 Adam 动量合起来占的内存……",
    options=[
        ("halves: 16 bits instead of 32", "减半：从 32 位变成 16 位"),
        ("falls by a quarter: only the weights shrink", "减少四分之一：只有权重变小"),
        ("stays exactly the same", "完全不变"),
        ("grows by an eighth: a second copy of the weights", "增加八分之一：权重多了一份副本"),
    ],
    answer=2,
    because_en="Mixed precision computes in 16 bits but keeps variables, gradients and moments in 32, since small updates would be lost in "
    "rounding. What halves are the activations (and the time, on hardware made for it).",
    because_zh="混合精度用 16 位计算，但变量、梯度和动量仍是 32 位，否则微小的更新会在舍入中丢失。减半的是激活值（在专门的硬件上还有时间）。",
)

cache_overtakes = number(
    en="Llama 3.1 8B answers one user in bfloat16. From how many tokens of context on does its key-value cache weigh more than its weights? "
    "Use the calculator: the first context on the slider where it does.",
    zh="Llama 3.1 8B 以 bfloat16 回答一位用户。上下文达到多少个词元，键值缓存就比权重还大？请用计算器找：滑块上第一个满足的上下文。",
    answer=131_072,
    tolerance=9_000,
    because_en="One token needs 2 · 32 layers · 8 heads · 128 numbers · 2 bytes = 131,072 bytes, so 16.06 GB of weights are reached after "
    "122,531 tokens; on the slider that is 131,072.",
    because_zh="一个词元需要 2 · 32 层 · 8 头 · 128 个数 · 2 字节 = 131,072 字节，所以 122,531 个词元后就赶上 16.06 GB 的权重；滑块上是 131,072。",
)


@exercise(
    minutes=8,
    task_en="Mend the count of ResNet-50, so that it gives Keras's number and the published one.",
    task_zh="改好 ResNet-50 的参数计数，使它能给出 Keras 的数字和公布的数字。",
    cases=lambda: [
        Case(True, True, label_en="as Keras counts", label_zh="Keras 的算法", expected=25_636_712),
        Case(True, False, label_en="what Keras trains", label_zh="Keras 训练的部分", expected=25_583_592),
        Case(False, False, label_en="as published", label_zh="公布的数字", expected=25_557_032),
    ],
    hints=[
        ("By how much is it too large? Which layers could that be: look for names with `_0_conv` in Keras's model.", "多出了多少？可能是哪些层：在 Keras 的模型里找名字带 `_0_conv` 的层。"),
        (
            "A shortcut needs a convolution only where the number of channels changes. After the first block of a stage it no longer does.",
            "只有通道数变化时，捷径上才需要卷积。每一级的第一个块之后，通道数就不变了。",
        ),
        ("`if inputs != 4 * width:` before the line of the shortcut.", "在捷径那一行前面加上 `if inputs != 4 * width:`。"),
    ],
)  # fmt: skip
def resnet50_parameters(bias, statistics):
    """ResNet-50: `bias`: convolutions have one; `statistics`: count each norm's running mean and variance, which are not trained."""

    def convolution(kernel, inputs, outputs):
        return kernel * kernel * inputs * outputs + bias * outputs + (4 if statistics else 2) * outputs

    total, inputs = convolution(7, 3, 64), 64
    for blocks, width in [(3, 64), (4, 128), (6, 256), (3, 512)]:
        for _ in range(blocks):
            total += convolution(1, inputs, width) + convolution(3, width, width) + convolution(1, width, 4 * width)
            if inputs != 4 * width:
                total += convolution(1, inputs, 4 * width)  # the shortcut
            inputs = 4 * width
    return total + 2048 * 1000 + 1000


@resnet50_parameters.broken
def too_many(bias, statistics):
    """ResNet-50: `bias`: convolutions have one; `statistics`: count each norm's running mean and variance, which are not trained."""

    def convolution(kernel, inputs, outputs):
        return kernel * kernel * inputs * outputs + bias * outputs + (4 if statistics else 2) * outputs

    total, inputs = convolution(7, 3, 64), 64
    for blocks, width in [(3, 64), (4, 128), (6, 256), (3, 512)]:
        for _ in range(blocks):
            total += convolution(1, inputs, width) + convolution(3, width, width) + convolution(1, width, 4 * width)
            total += convolution(1, inputs, 4 * width)  # the shortcut
            inputs = 4 * width
    return total + 2048 * 1000 + 1000


def _resnet(bias, statistics, shortcut):
    def convolution(kernel, inputs, outputs):
        return kernel * kernel * inputs * outputs + bias * outputs + (4 if statistics else 2) * outputs

    total, inputs = convolution(7, 3, 64), 64
    for stage, (blocks, width) in enumerate([(3, 64), (4, 128), (6, 256), (3, 512)]):
        for block in range(blocks):
            total += convolution(1, inputs, width) + convolution(3, width, width) + convolution(1, width, 4 * width)
            total += shortcut(stage, block) * convolution(1, inputs, 4 * width)
            inputs = 4 * width
    return total + 2048 * 1000 + 1000


@resnet50_parameters.mistake(
    en="Now there is no shortcut convolution at all; each stage has one, in its first block.",
    zh="现在捷径上一个卷积也没有了；每一级的第一个块里都有一个。",
)
def no_shortcut(bias, statistics):
    return _resnet(bias, statistics, lambda stage, block: False)


@resnet50_parameters.mistake(
    en="The first stage lacks its shortcut. It keeps the image's size, but goes from 64 channels to 256.",
    zh="第一级少了捷径。它不改变图像大小，但通道从 64 变成 256。",
)
def only_where_it_shrinks(bias, statistics):
    return _resnet(bias, statistics, lambda stage, block: stage > 0 and block == 0)


@resnet50_parameters.mistake(
    en="The shortcut stands after the first block; it belongs into it.",
    zh="捷径放到了第一个块之后；它应当在第一个块里。",
)
def in_the_others(bias, statistics):
    return _resnet(bias, statistics, lambda stage, block: block > 0)


@resnet50_parameters.right
def in_the_first_block(bias, statistics):
    return _resnet(bias, statistics, lambda stage, block: block == 0)


@resnet50_parameters.right
def by_list(bias, statistics):
    shapes, inputs = [(7, 3, 64)], 64
    for blocks, width in zip((3, 4, 6, 3), (64, 128, 256, 512), strict=True):
        shapes.append((1, inputs, 4 * width))
        for _ in range(blocks):
            shapes += [(1, inputs, width), (3, width, width), (1, width, 4 * width)]
            inputs = 4 * width
    each = int(bias) + (4 if statistics else 2)
    return sum(k * k * i * o + each * o for k, i, o in shapes) + 2_049_000


@exercise(
    minutes=4,
    task_en="From all parameters of a mixture of experts, count those that one token passes through.",
    task_zh="在混合专家模型的全部参数中，数出一个词元会经过的那些。",
    cases=lambda: [
        Case(10_000, 2, 8, 16, 4, 1, label_en="a small mixture", label_zh="一个小模型", expected=10_000 - 2 * 3 * 3 * 8 * 16),
        Case(46_702_792_704, 32, 4096, 14336, 8, 2, label_en="Mixtral 8x7B: 12.9 billion published", label_zh="Mixtral 8x7B：公布为 129 亿", expected=12_879_925_248),
        Case(5_000, 3, 4, 10, 6, 6, label_en="all experts active", label_zh="所有专家都激活", expected=5_000),
    ],
    hints=[
        ("Which parameters does a token *not* meet? Count those, and subtract.", "哪些参数是一个词元*不会*遇到的？数出来，再减掉。"),
        ("An expert is a SwiGLU of three matrices, width × hidden. In each layer, experts − active of them are skipped.", "一个专家是三个 width × hidden 矩阵的 SwiGLU。每一层跳过 experts − active 个。"),
    ],
)  # fmt: skip
def active_parameters(total, layers, width, hidden, experts, active):
    """The parameters that a token passes through: `active` of the `experts` in each layer, and everything else."""
    return total - layers * (experts - active) * 3 * width * hidden


@active_parameters.mistake(
    en="Dividing the total by experts / active shrinks attention and embeddings too; every token passes through those.",
    zh="把总数按 active / experts 缩小，连注意力和嵌入也缩小了；那些是每个词元都要经过的。",
)
def share(total, layers, width, hidden, experts, active):
    return total * active // experts


@active_parameters.mistake(en="The skipped experts are counted for one layer only.", zh="跳过的专家只算了一层。")
def one_layer(total, layers, width, hidden, experts, active):
    return total - (experts - active) * 3 * width * hidden


@active_parameters.mistake(
    en="An expert has three matrices (SwiGLU), not two.", zh="一个专家有三个矩阵（SwiGLU），不是两个。"
)
def two_matrices(total, layers, width, hidden, experts, active):
    return total - layers * (experts - active) * 2 * width * hidden


@active_parameters.mistake(
    en="All experts are subtracted here; the active ones do compute.",
    zh="这里把所有专家都减掉了；激活的那些是参与计算的。",
)
def no_expert_left(total, layers, width, hidden, experts, active):
    return total - layers * experts * 3 * width * hidden


@active_parameters.right
def by_adding(total, layers, width, hidden, experts, active):
    expert = 3 * width * hidden
    rest = total - layers * experts * expert
    return rest + layers * active * expert


@active_parameters.right
def by_numpy(total, layers, width, hidden, experts, active):
    return int(total - np.prod([layers, experts - active, 3, width, hidden], dtype=np.int64))


@exercise(
    minutes=8,
    task_en="Find the context at which the part of the activations that grows with its square overtakes the part that grows linearly.",
    task_zh="找出上下文多长时，激活值中按平方增长的部分超过按线性增长的部分。",
    cases=lambda: [
        Case([64, 128, 256, 512], [100 * t + t * t for t in (64, 128, 256, 512)], label_en="100 t + t²", label_zh="100 t + t²", expected=100.0),
        Case([32, 64, 96], [3000 * t + 2 * t * t for t in (32, 64, 96)], label_en="far beyond what was measured", label_zh="远在测量范围之外", expected=1500.0),
        Case(np.array([10, 20, 40, 80]), np.array([60.0, 140.0, 360.0, 1040.0]), label_en="arrays", label_zh="数组"),
        Case([8, 16, 32], [7 + 64 * t + t * t for t in (8, 16, 32)], label_en="with a constant", label_zh="带常数项", expected=64.0),
    ],
    tolerance=1e-4,
    hints=[
        ("Fit m(t) = a + b t + c t². At which t are b t and c t² equal?", "拟合 m(t) = a + b t + c t²。t 为多少时 b t 与 c t² 相等？"),
        ("`np.polyfit(t, m, 2)` gives the coefficients, the highest power first.", "`np.polyfit(t, m, 2)` 给出系数，最高次在前。"),
        ("b t = c t² at t = b / c.", "b t = c t² 的解是 t = b / c。"),
    ],
)  # fmt: skip
def crossover(contexts, measured):
    """The context at which c t² = b t, for the parabola a + b t + c t² through the measurements.

    contexts: tokens, at least three values; measured: bytes for each of them.
    """
    c, b, _ = np.polyfit(contexts, measured, 2)
    return b / c


@crossover.mistake(en="The ratio is upside down: that is 1 / t.", zh="比值颠倒了：那是 1 / t。")
def upside_down(contexts, measured):
    c, b, _ = np.polyfit(contexts, measured, 2)
    return c / b


@crossover.mistake(
    en="`polyfit` gives the highest power first; b and the constant are confused.",
    zh="`polyfit` 的最高次在前；b 和常数项弄混了。",
)
def wrong_order(contexts, measured):
    c, _, b = np.polyfit(contexts, measured, 2)
    return b / c


@crossover.right
def by_lstsq(contexts, measured):
    t = np.asarray(contexts, float)
    powers = np.stack([np.ones_like(t), t, t * t], axis=1)
    _, b, c = np.linalg.lstsq(powers, np.asarray(measured, float), rcond=None)[0]
    return float(b / c)


@crossover.right
def by_polynomial(contexts, measured):
    fit = np.polynomial.Polynomial.fit(contexts, measured, 2).convert().coef
    return fit[1] / fit[2]
