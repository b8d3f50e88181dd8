"""An exercise and questions on learning curves: what pretraining is worth, in labels."""

import numpy as np

from lmcourse.exercises.exercise import Case, exercise
from lmcourse.exercises.question import choice

padding_averaged = choice(
    en="BERT is fine-tuned with 200 labels, read by the mean over the whole row of 128 places, of which about half are padding. "
    "Attention never looks at padding. Compared with the proper mean the accuracy …",
    zh="用 200 个标签微调 BERT，读法是对整行 128 个位置求平均，其中约一半是补齐。注意力从不看补齐。与正确的平均相比，准确率……",
    options=[
        ("falls to that of guessing", "降到和瞎猜一样"),
        ("falls by five points or more", "下降五个百分点或更多"),
        ("stays the same, within the spread of three seeds", "不变，差别在三个种子的范围之内"),
    ],
    answer=2,
    because_en="Nobody looks at padding, but padding looks at the text: after four layers of attention its vectors have collected what the "
    "text says, as [CLS] does. The article's embeddings cannot look anywhere, so there the same fault drowns the text. Leave padding out all "
    "the same: the answer must not depend on how a batch was filled up.",
    because_zh="没有谁看补齐，可补齐在看文本：经过四层注意力，它的向量收集了文本的内容，和 [CLS] 一样。文章的嵌入哪里也看不了，"
    "所以同样的毛病在那里会把文本淹没。补齐仍然应当排除：答案不该取决于一批是怎样补到一样长的。",
)

winner = choice(
    en="With how many labels does the pretrained and fine-tuned BERT beat TF-IDF by two points of accuracy or more, on the mean of three seeds?",
    zh="预训练再微调的 BERT，在多少标签时胜过 TF-IDF 两个百分点以上（三个种子的平均）？",
    options=[
        ("with any number, from 50 to 12,600", "不管多少，从 50 到 12,600 都胜"),
        ("only with a few hundred or fewer", "只在几百个以内时"),
        ("only with many thousands: a network needs data", "只在有上万标签时：网络需要数据"),
        ("never", "从来没有"),
    ],
    answer=1,
    because_en="With 50 or 200 labels TF-IDF has hardly met the words that decide, while pretraining knows which words go together. With "
    "1,000 the two are even; with 4,000 and with all of them TF-IDF is ahead by less than a point.",
    because_zh="只有 50 或 200 个标签时，起决定作用的词 TF-IDF 还没见过几个，而预训练已经知道哪些词常在一起。到 1,000 个，两者持平；"
    "4,000 个以及用上全部标签时，TF-IDF 领先不到一个百分点。",
)


@exercise(
    minutes=8,
    task_en="Turn a learning curve round: how many labels does it need to reach an accuracy?",
    task_zh="把学习曲线反过来读：要达到某个准确率，它需要多少标签？",
    cases=lambda: [
        Case(
            [100, 10_000],
            [0.6, 0.8],
            0.7,
            label_en="half way up, so half way on a logarithmic axis",
            label_zh="高度上的一半，也就是对数轴上的一半",
            expected=1000.0,
        ),
        Case([50, 200, 1000], [0.5, 0.7, 0.8], 0.7, label_en="at a point", label_zh="正好在一个点上"),
        Case([50, 200, 1000], [0.5, 0.7, 0.8], 0.73, label_en="between points", label_zh="在两点之间"),
        Case([50, 200, 1000], [0.5, 0.7, 0.8], 0.81, label_en="never reached", label_zh="始终达不到"),
        Case([50, 200, 1000], [0.5, 0.7, 0.8], 0.8, label_en="reached at the last point", label_zh="最后一点才达到"),
        Case(
            [50, 200, 1000],
            [0.5, 0.7, 0.8],
            0.4,
            label_en="reached before the first point",
            label_zh="第一点之前就达到了",
        ),
    ],
    hints=[
        (
            "Which is known here and which is sought? On a plot with labels to the right and accuracy upwards, you come from the left side.",
            "这里已知的是什么，要求的是什么？图上横轴是标签数，纵轴是准确率，你要从纵轴出发去找横轴。",
        ),
        (
            "`np.interp(reached, accuracies, …)` reads between points. Give it logarithms of the counts, and undo the logarithm at the end.",
            "`np.interp(reached, accuracies, …)` 在点与点之间插值。交给它标签数的对数，最后再还原。",
        ),
        (
            "`np.interp` never goes beyond the last point, so ask first whether `reached > accuracies[-1]`.",
            "`np.interp` 不会越过最后一点，所以先问 `reached > accuracies[-1]` 是否成立。",
        ),
    ],
)
def worth(counts, accuracies, reached):
    """How many labels a learning curve needs to reach an accuracy, read between its points on a logarithmic axis.

    counts, accuracies: n numbers each, both rising; reached: an accuracy.
    Returns a number: counts[0] when the first point is already there, infinity when even the last is not.
    """
    if reached > accuracies[-1]:
        return np.inf
    return 10 ** np.interp(reached, accuracies, np.log10(counts))


@worth.mistake(
    en="An accuracy that the curve never reaches costs infinitely many labels; this claims that the last count is enough.",
    zh="曲线始终达不到的准确率，要无穷多标签；这里却说最后那个数就够了。",
)
def never_gives_up(counts, accuracies, reached):
    return 10 ** np.interp(reached, accuracies, np.log10(counts))


@worth.mistake(
    en="This reads on a linear axis. From 100 to 10,000 labels half the gain comes in the first 900: interpolate the logarithms.",
    zh="这是在线性轴上读的。从 100 到 10,000 个标签，一半的收益出在头 900 个：要对对数插值。",
)
def on_a_linear_axis(counts, accuracies, reached):
    return np.inf if reached > accuracies[-1] else np.interp(reached, accuracies, counts)


@worth.mistake(
    en="The logarithm has not been undone: 3 stands for 1,000 labels.",
    zh="对数没有还原：3 代表的是 1,000 个标签。",
)
def keeps_the_logarithm(counts, accuracies, reached):
    return np.inf if reached > accuracies[-1] else np.interp(reached, accuracies, np.log10(counts))


@worth.mistake(
    en="This takes the first point at or above the accuracy. Read between the points.",
    zh="这里取了第一个不低于该准确率的点。要在点与点之间读。",
)
def takes_the_next_point(counts, accuracies, reached):
    return next((n for n, a in zip(counts, accuracies, strict=True) if a >= reached), np.inf)


@worth.right
def by_natural_logarithms(counts, accuracies, reached):
    found = np.interp(reached, accuracies, np.log(counts), right=np.inf)
    return np.exp(found)


@worth.right
def by_hand(counts, accuracies, reached):
    if reached <= accuracies[0]:
        return float(counts[0])
    for i in range(1, len(counts)):
        if reached <= accuracies[i]:
            share = (reached - accuracies[i - 1]) / (accuracies[i] - accuracies[i - 1])
            return counts[i - 1] * (counts[i] / counts[i - 1]) ** share
    return float("inf")
