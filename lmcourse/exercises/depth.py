"""Exercises and questions on deep networks: the scale of weights, the size of signals, normalisation. Gains are in `gains`."""

import numpy as np

from lmcourse.exercises.exercise import Case, exercise, prop
from lmcourse.exercises.question import choice


def _random(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape)


glorot_with_relu = choice(
    en="Fifty ReLU layers with Glorot's weights, of variance 1/n. How large is the signal (root mean square) that comes out, compared with "
    "what went in?",
    zh="五十层 ReLU，权重按 Glorot 取，方差为 1/n。输出信号的大小（均方根）是输入的多少？",
    options=[
        ("about the same: that is what Glorot is for", "差不多：Glorot 就是为此设计的"),
        ("about a half", "约一半"),
        ("about one fiftieth", "约五十分之一"),
        ("about one thirty-millionth", "约三千万分之一"),
    ],
    answer=3,
    because_en="Each ReLU throws away half of the mean square, so the size shrinks by √½ a layer: 2 to the power −25 after fifty, 3e-8. "
    "Glorot's rule was made for tanh near zero; Keras uses it for every Dense layer unless told otherwise.",
    because_zh="每个 ReLU 丢掉一半的均方，大小每层缩到 √½：五十层之后是 2 的 −25 次方，即 3e-8。"
    "Glorot 的规则是为零附近的 tanh 设计的；而 Keras 的全连接层如不指定，一律用它。",
)

batch_norm_alone = choice(
    en="Same network, five epochs. Which single cure leaves it worst off on unseen digits?",
    zh="同样的网络，训练五轮。只用一种疗法，哪一种在没见过的数字上最差？",
    options=[
        ("He's initialisation", "He 初始化"),
        ("batch normalisation in each layer", "每层做批归一化"),
        ("RMS normalisation in each layer", "每层做 RMS 归一化"),
        ("residual connections", "残差连接"),
    ],
    answer=1,
    because_en="Normalisations that subtract a mean let the gradient grow by about 1.21 in each ReLU layer on its way back, more "
    "than thirty times over eighteen layers, as the next cell measures. Batch normalisation adds noise from the company that an image happens to keep. RMS, "
    "which subtracts nothing, is spared. With residual connections, as in ResNet, batch normalisation works very well.",
    because_zh="减去均值的归一化会让梯度在往回传时每过一个 ReLU 层变大约 1.21 倍，十八层就是三十多倍，下一个单元会量出来。"
    "批归一化还带来噪声：一张图的结果取决于同批有谁。RMS 什么也不减，所以幸免。配上残差连接（如 ResNet），批归一化非常好用。",
)


@exercise(
    minutes=4,
    task_en="Give the standard deviation of the weights by Glorot's or He's rule.",
    task_zh="按 Glorot 或 He 的规则给出权重的标准差。",
    cases=lambda: [
        Case(64, 64, "glorot", label_en="Glorot, square", label_zh="Glorot，方阵", expected=0.125),
        Case(50, 200, "he", label_en="He, widening", label_zh="He，展宽", expected=0.2),
        Case(300, 100, "glorot", label_en="Glorot, narrowing", label_zh="Glorot，收窄"),
        Case(300, 100, "he", label_en="He, narrowing", label_zh="He，收窄"),
        Case(2, 6, "glorot", label_en="a small layer", label_zh="很小的层", expected=0.5),
    ],
    hints=[
        ("The rules give variances. Which number is asked for?", "规则给出的是方差。这里要的是什么？"),
        (
            "Glorot: 2 / (fan_in + fan_out). He: 2 / fan_in. Take the root of either.",
            "Glorot：2 / (fan_in + fan_out)。He：2 / fan_in。都要开方。",
        ),
    ],
)
def init_std(fan_in, fan_out, rule):
    """The standard deviation of a layer's weights. fan_in, fan_out: inputs and outputs; rule: "glorot" or "he"."""
    variance = 2 / (fan_in + fan_out) if rule == "glorot" else 2 / fan_in
    return variance**0.5


@init_std.mistake(en="This is the variance. The standard deviation is its root.", zh="这是方差。标准差要开方。")
def variance_itself(fan_in, fan_out, rule):
    return 2 / (fan_in + fan_out) if rule == "glorot" else 2 / fan_in


@init_std.mistake(
    en="He's rule counts the inputs of a unit, since they are what it sums up. Here the outputs were counted.",
    zh="He 的规则数的是一个单元的输入，因为它是对输入求和。这里数成了输出。",
)
def he_by_outputs(fan_in, fan_out, rule):
    return (2 / (fan_in + fan_out) if rule == "glorot" else 2 / fan_out) ** 0.5


@init_std.mistake(
    en="Both rules are treated alike here: He's factor 2 makes up for the half that a ReLU throws away; Glorot averages inputs and outputs.",
    zh="两条规则在这里成了一条：He 的因子 2 补上 ReLU 丢掉的一半，Glorot 则取输入输出的平均。",
)
def one_over_inputs(fan_in, fan_out, rule):
    return (1 / fan_in) ** 0.5


@init_std.mistake(
    en="√6 belongs to the limit of a uniform distribution, which is √3 times as large as its standard deviation.",
    zh="√6 出现在均匀分布的上下限里，它是标准差的 √3 倍。这里要的是标准差。",
)
def uniform_limit(fan_in, fan_out, rule):
    return (6 / (fan_in + fan_out) if rule == "glorot" else 6 / fan_in) ** 0.5


@init_std.right
def by_table(fan_in, fan_out, rule):
    return np.sqrt({"glorot": 1 / ((fan_in + fan_out) / 2), "he": 2 / fan_in}[rule])


@init_std.right
def by_gain(fan_in, fan_out, rule):
    gain, fan = {"glorot": (1, (fan_in + fan_out) / 2), "he": (2**0.5, fan_in)}[rule]
    return gain / fan**0.5


@exercise(
    minutes=6,
    task_en="Send x through the ReLU layers and return the root mean square after each.",
    task_zh="让 x 依次穿过各个 ReLU 层，返回每层之后的均方根。",
    cases=lambda: [
        Case(
            np.array([[3.0, -4.0]]),
            [np.eye(2), 2 * np.eye(2)],
            label_en="two small layers",
            label_zh="两个小层",
            expected=[4.5**0.5, 18**0.5],
        ),
        Case(_random(5, 8), [_random(8, 8, seed=i) / 2 for i in range(4)], label_en="four layers", label_zh="四层"),
        Case(_random(3, 4), [_random(4, 6), _random(6, 2)], label_en="other widths", label_zh="宽度不同"),
        Case(_random(2, 3), [], label_en="no layer", label_zh="没有层", expected=[]),
    ],
    hints=[
        (
            "Carry one array along. What is done to it in each layer, and when do you measure?",
            "带着一个数组往前走。每层对它做什么，什么时候量？",
        ),
        (
            "`h = np.maximum(h @ w, 0)`, then `np.sqrt((h**2).mean())`.",
            "`h = np.maximum(h @ w, 0)`，然后 `np.sqrt((h**2).mean())`。",
        ),
    ],
)
def signal_sizes(x, weights):
    """Root mean square of the activations after each ReLU layer, without biases.

    x: (batch, n) floats; weights: list of matrices, each (inputs, outputs). Returns a list with one number a layer.
    """
    sizes = []
    for w in weights:
        x = np.maximum(x @ w, 0)
        sizes.append(np.sqrt((x**2).mean()))
    return sizes


@signal_sizes.mistake(
    en="This is the standard deviation, which takes the mean away. ReLU's outputs have a mean, and the next layer gets it too: use the mean of squares.",
    zh="这是标准差，减掉了均值。ReLU 的输出有均值，下一层同样会收到它：要用平方的平均。",
)
def deviation(x, weights):
    sizes = []
    for w in weights:
        x = np.maximum(x @ w, 0)
        sizes.append(x.std())
    return sizes


@signal_sizes.mistake(
    en="This measures before the ReLU. What the next layer gets is what comes after it.",
    zh="这里量的是 ReLU 之前。下一层收到的是 ReLU 之后的。",
)
def before_the_bend(x, weights):
    sizes = []
    for w in weights:
        z = x @ w
        sizes.append(np.sqrt((z**2).mean()))
        x = np.maximum(z, 0)
    return sizes


@signal_sizes.mistake(
    en="There is no ReLU between the layers; without it fifty layers are one matrix.",
    zh="层与层之间没有 ReLU；没有它，五十层不过是一个矩阵。",
)
def no_bend(x, weights):
    sizes = []
    for w in weights:
        x = x @ w
        sizes.append(np.sqrt((x**2).mean()))
    return sizes


@signal_sizes.right
def by_accumulate(x, weights):
    from itertools import accumulate

    states = list(accumulate(weights, lambda h, w: np.where(h @ w > 0, h @ w, 0), initial=x))[1:]
    return [np.mean(h**2) ** 0.5 for h in states]


@signal_sizes.right
def by_norm(x, weights):
    sizes = []
    for w in weights:
        x = (x @ w).clip(min=0)
        sizes.append(np.linalg.norm(x) / x.size**0.5)
    return sizes


@exercise(
    minutes=6,
    task_en="Find the fault: layer normalisation, each example by itself.",
    task_zh="找出错误：层归一化，每个样本各自归一化。",
    cases=lambda: [
        Case(
            np.array([[1.0, 3.0], [10.0, 30.0]]),
            0.0,
            label_en="two examples",
            label_zh="两个样本",
            expected=np.array([[-1.0, 1], [-1, 1]]),
        ),
        Case(3 + 2 * _random(6, 10), label_en="a batch", label_zh="一批"),
        Case(_random(1, 5), label_en="one example", label_zh="一个样本"),
        Case(_random(2, 4, 8), label_en="a batch of texts", label_zh="一批文本"),
        Case(np.full((2, 4), 7.0), label_en="constant examples", label_zh="各数相等的样本", expected=np.zeros((2, 4))),
        Case(1e-2 * _random(3, 4), label_en="small numbers, where epsilon counts", label_zh="很小的数，epsilon 起作用"),
    ],
    properties=[
        prop(
            lambda f: np.allclose(f(_random(8, 5))[2:3], f(_random(8, 5)[2:3])),
            en="An example alone gets the same answer as in company.",
            zh="一个样本单独来，和混在一批里来，结果相同。",
        ),
    ],
    hints=[
        (
            "Normalise a batch of one by hand. What is the mean over the batch, and what is left after taking it away?",
            "用手算只有一个样本的批。沿批求的平均是多少，减掉之后还剩什么？",
        ),
        ("The last axis holds the numbers of one example: `axis=-1`.", "最后一个轴装着一个样本的各个数：`axis=-1`。"),
    ],
)
def layer_norm(x, epsilon=1e-3):
    """Each example minus its mean, divided by its deviation. x: (…, dim) → the same shape."""
    mean = x.mean(axis=-1, keepdims=True)
    variance = x.var(axis=-1, keepdims=True)
    return (x - mean) / np.sqrt(variance + epsilon)


@layer_norm.broken
def over_the_batch(x, epsilon=1e-3):
    """Each example minus its mean, divided by its deviation. x: (…, dim) → the same shape."""
    mean = x.mean(axis=0, keepdims=True)
    variance = x.var(axis=0, keepdims=True)
    return (x - mean) / np.sqrt(variance + epsilon)


@layer_norm.mistake(
    en="One mean for the whole array: an example still depends on its company. Each example has its own mean.",
    zh="整个数组只用一个均值：一个样本的结果仍然取决于同批的其他样本。每个样本要用自己的均值。",
)
def over_everything(x, epsilon=1e-3):
    return (x - x.mean()) / np.sqrt(x.var() + epsilon)


@layer_norm.mistake(
    en="The mean stays in: this is RMS normalisation, a good choice too, but not this one.",
    zh="均值没有减掉：这是 RMS 归一化，也是好办法，但不是这里要的。",
)
def rms_instead(x, epsilon=1e-3):
    return x / np.sqrt((x**2).mean(axis=-1, keepdims=True) + epsilon)


@layer_norm.mistake(en="This divides by the variance; divide by its root.", zh="这里除以了方差，应除以它的平方根。")
def by_variance(x, epsilon=1e-3):
    return (x - x.mean(axis=-1, keepdims=True)) / (x.var(axis=-1, keepdims=True) + epsilon)


@layer_norm.mistake(
    en="Axis 1 is the last one only for (batch, dim). A batch of texts is (batch, time, dim): say axis=-1.",
    zh="只有形状是 (batch, dim) 时，轴 1 才是最后一个轴。一批文本是 (batch, time, dim)：请写 axis=-1。",
)
def over_axis_one(x, epsilon=1e-3):
    return (x - x.mean(axis=1, keepdims=True)) / np.sqrt(x.var(axis=1, keepdims=True) + epsilon)


@layer_norm.mistake(
    en="Epsilon stands outside the root. It is added to the variance, under the root.",
    zh="epsilon 放在了根号外面。它要加在方差上，在根号里面。",
)
def epsilon_outside(x, epsilon=1e-3):
    return (x - x.mean(axis=-1, keepdims=True)) / (x.std(axis=-1, keepdims=True) + epsilon)


@layer_norm.right
def by_centring_first(x, epsilon=1e-3):
    centred = x - x.mean(-1)[..., None]
    return centred * ((centred**2).mean(-1)[..., None] + epsilon) ** -0.5


@layer_norm.right
def by_einsum(x, epsilon=1e-3):
    centred = x - np.einsum("...d->...", x)[..., None] / x.shape[-1]
    return centred / np.sqrt(np.einsum("...d,...d->...", centred, centred)[..., None] / x.shape[-1] + epsilon)
