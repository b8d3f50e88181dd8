"""Exercises and questions on filling in blanks: what the model reads, what is asked, what counts. Reading a text is in `reading`."""

import numpy as np

from lmcourse.exercises.exercise import Case, exercise, prop
from lmcourse.exercises.question import choice, number


def _ids(*shape, seed=0):
    return np.random.default_rng(seed).integers(5, 50, shape)


def _drawn(*shape, seed=1):
    """What `corrupt` gets beside the ids: chosen, draws, strangers."""
    random = np.random.default_rng(seed)
    return random.random(shape) < 0.4, random.random(shape), random.integers(5, 50, shape)


def _logits(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape) * 3


first_loss = number(
    en="A fresh model knows nothing and gives each of 2,500 tokens the same probability. Its loss at the first blank, in nats, is …",
    zh="刚初始化的模型什么都不知道，给 2,500 个词元同样的概率。它在第一个空上的损失（单位：奈特）是……",
    answer=7.82,
    tolerance=0.1,
    because_en="−ln(1/2500) = ln 2500 ≈ 7.82. A first loss far from ln(vocabulary) means a bug, most often in the targets.",
    because_zh="−ln(1/2500) = ln 2500 ≈ 7.82。第一步的损失若与 ln(词表大小) 相去甚远，就是有错，多半出在目标上。",
)

unchanged = choice(
    en="Of the tokens that are asked about, one in ten is left as it was. So the answer stands in plain sight. What is that good for?",
    zh="被提问的词元里，有十分之一原样留着，答案就摆在眼前。这有什么用？",
    options=[
        ("it makes one question in ten easy, so training is more stable", "十题里有一题容易，训练更稳定"),
        (
            "the model cannot trust any token it sees, so each vector must weigh its surroundings",
            "模型对看到的每个词元都不能全信，所以每个向量都要掂量上下文",
        ),
        ("it is a leak: later models dropped it because it hurt", "这是泄漏：后来的模型因为它有害而去掉了"),
        ("it teaches the model to copy, which fine-tuning needs", "教模型照抄，微调时用得上"),
    ],
    answer=1,
    because_en="A blank looks like [MASK], or like a wrong token, or like the right one. Where nothing looks like a blank, anything may be "
    "one; so every token gets a vector that holds what the context says, and fine-tuning, where no [MASK] ever appears, reads those.",
    because_zh="一个空可能是 [MASK]，可能是错字，也可能就是原字。既然看不出哪里是空，处处都可能是空；于是每个词元的向量都得装进上下文的意见，"
    "而微调时从不出现 [MASK]，读的正是这些向量。",
)


@exercise(
    minutes=8,
    task_en="Write what the model reads: of the chosen tokens 80 % become [MASK], 10 % another token, 10 % stay.",
    task_zh="写出模型读到的内容：被选中的词元 80% 换成 [MASK]，10% 换成别的词元，10% 不变。",
    cases=lambda: [
        Case(
            np.array([[2, 10, 11, 12, 13, 0]]),
            np.array([[False, True, True, True, False, False]]),
            np.array([[0.1, 0.3, 0.85, 0.95, 0.2, 0.5]]),
            np.array([[20, 21, 22, 23, 24, 25]]),
            4,
            label_en="one of each kind",
            label_zh="三种情况各一个",
            expected=np.array([[2, 4, 22, 12, 13, 0]]),
        ),
        Case(_ids(4, 9), *_drawn(4, 9), 4, label_en="a batch", label_zh="一批"),
        Case(_ids(2, 7), *_drawn(2, 7, seed=3), 3, label_en="another number for [MASK]", label_zh="[MASK] 用别的编号"),
        Case(
            _ids(1, 4),
            np.ones((1, 4), bool),
            np.array([[0.0, 0.8, 0.9, 0.899]]),
            _ids(1, 4, seed=5),
            4,
            label_en="draws on the borders",
            label_zh="抽到的数正好在界上",
        ),
        Case(
            _ids(2, 3), np.zeros((2, 3), bool), *_drawn(2, 3)[1:], 4, label_en="nothing chosen", label_zh="一个也没选中"
        ),
    ],
    properties=[
        prop(
            lambda f: abs((f(_ids(99, 99), np.ones((99, 99), bool), *_drawn(99, 99)[1:], 4) == 4).mean() - 0.8) < 0.02,
            en="Of many chosen tokens four in five are masked.",
            zh="选中的词元很多时，五分之四被遮住。",
        ),
    ],
    hints=[
        (
            "Each chosen token throws one number between 0 and 1. Which part of that range stands for which of the three fates?",
            "每个选中的词元都抽到一个 0 到 1 之间的数。这个区间的哪一段对应三种结局中的哪一种？",
        ),
        (
            "`np.where(draws < 0.8, mask_id, …)` decides the first fate; a second `np.where` inside it decides between the other two.",
            "`np.where(draws < 0.8, mask_id, …)` 定下第一种结局；里面再套一个 `np.where`，在另外两种之间选择。",
        ),
        (
            "At last `np.where(chosen, read, ids)`: whoever was not chosen stays what it was.",
            "最后用 `np.where(chosen, read, ids)`：没选中的保持原样。",
        ),
    ],
)
def corrupt(ids, chosen, draws, strangers, mask_id):
    """What the model reads in place of ids.

    ids, chosen, draws, strangers: (batch, time): token ids, booleans, numbers from 0 to 1, ids to replace by.
    A chosen token with a draw below 0.8 becomes mask_id, from there to below 0.9 its stranger; it stays otherwise.
    Returns (batch, time); ids itself is not changed.
    """
    read = np.where(draws < 0.8, mask_id, np.where(draws < 0.9, strangers, ids))
    return np.where(chosen, read, ids)


@corrupt.mistake(
    en="All chosen tokens become [MASK]. In fine-tuning no [MASK] appears, and the model has never learned to look at ordinary tokens.",
    zh="选中的全变成了 [MASK]。微调时不会出现 [MASK]，而模型从没学过认真看普通词元。",
)
def masks_all(ids, chosen, draws, strangers, mask_id):
    return np.where(chosen, mask_id, ids)


@corrupt.mistake(
    en="Tokens that were not chosen are changed as well: nearly the whole text is gone.",
    zh="没选中的词元也被改了：文本几乎全没了。",
)
def ignores_the_choice(ids, chosen, draws, strangers, mask_id):
    return np.where(draws < 0.8, mask_id, np.where(draws < 0.9, strangers, ids))


@corrupt.mistake(
    en="The last fifth is replaced as a whole; half of it, the draws from 0.9 on, should stay.",
    zh="剩下的五分之一全被替换了；其中一半（抽到 0.9 及以上的）应当不变。",
)
def never_keeps(ids, chosen, draws, strangers, mask_id):
    return np.where(chosen, np.where(draws < 0.8, mask_id, strangers), ids)


@corrupt.mistake(
    en="Replaced and kept have changed places: from 0.8 to below 0.9 a token is replaced, above it stays.",
    zh="替换和不变弄反了：0.8 到 0.9 之间替换，0.9 及以上不变。",
)
def keeps_before_replacing(ids, chosen, draws, strangers, mask_id):
    return np.where(chosen, np.where(draws < 0.8, mask_id, np.where(draws < 0.9, ids, strangers)), ids)


@corrupt.mistake(
    en="The strangers overwrite the blanks: a draw below 0.8 is also below 0.9. Replace only from 0.8 on.",
    zh="“陌生字”盖掉了空：小于 0.8 的数也小于 0.9。从 0.8 起才替换。",
)
def overwrites_the_blanks(ids, chosen, draws, strangers, mask_id):
    return np.where(chosen & (draws < 0.9), strangers, ids)


@corrupt.mistake(
    en="ids itself was changed. The caller still needs it: it holds the answers.",
    zh="ids 本身被改动了。调用者还要用它：里面是答案。",
)
def writes_into_ids(ids, chosen, draws, strangers, mask_id):
    ids[:] = np.where(chosen, np.where(draws < 0.8, mask_id, np.where(draws < 0.9, strangers, ids)), ids)
    return ids


@corrupt.right
def on_a_copy(ids, chosen, draws, strangers, mask_id):
    read = ids.copy()
    masked, replaced = chosen & (draws < 0.8), chosen & (draws >= 0.8) & (draws < 0.9)
    read[masked] = mask_id
    read[replaced] = strangers[replaced]
    return read


@corrupt.right
def by_select(ids, chosen, draws, strangers, mask_id):
    return np.select([~chosen, draws < 0.8, draws < 0.9], [ids, np.full_like(ids, mask_id), strangers], ids)


@exercise(
    minutes=7,
    task_en="Mend the loss: only the places that ask something count.",
    task_zh="把损失改对：只有真正提问的位置才算数。",
    cases=lambda: [
        Case(
            np.log(np.array([[[0.5, 0.25, 0.25], [0.1, 0.1, 0.8]]])),
            np.array([[0, -1]]),
            label_en="one question, one place to ignore",
            label_zh="一个问题，一个不算的位置",
            expected=np.log(2.0),
        ),
        Case(
            _logits(3, 4, 7),
            np.array([[0, 6, 2, 3], [5, 1, -1, -1], [4, -1, -1, -1]]),
            label_en="rows of other lengths",
            label_zh="各行的题数不同",
        ),
        Case(_logits(2, 3, 5, seed=2), np.array([[0, 1, 2], [3, 4, 0]]), label_en="all count", label_zh="全都算数"),
        Case(200 * _logits(1, 3, 4), np.array([[0, 3, -1]]), label_en="large logits", label_zh="很大的 logit"),
        Case(_logits(2, 2, 4), np.full((2, 2), -1), label_en="nothing is asked", label_zh="什么也没问", expected=0.0),
    ],
    properties=[
        prop(
            lambda f: np.isclose(f(np.zeros((2, 3, 2500)), np.array([[7, -1, -1], [8, 9, -1]])), np.log(2500)),
            en="Equal scores for 2,500 tokens cost ln 2500, however many places are to be ignored.",
            zh="2,500 个词元同分时，不管有多少位置不算，损失都是 ln 2500。",
        ),
    ],
    hints=[
        (
            "A target of −1 means that nothing is asked there. What does −1 pick when it is used as an index? And by what is the sum divided?",
            "目标为 −1 表示那里什么也没问。拿 −1 当下标会取到什么？总和又除以了多少？",
        ),
        (
            "Keep the losses of all places, multiply them by `targets >= 0`, and divide by how many there are of those.",
            "先算出所有位置的损失，乘以 `targets >= 0`，再除以这样的位置有多少个。",
        ),
        (
            "`np.maximum(count, 1)` keeps a batch without any question from dividing by zero.",
            "整批一个问题都没有时，`np.maximum(count, 1)` 可以避免除以零。",
        ),
    ],
)
def blank_loss(logits, targets):
    """Mean cross-entropy, in nats, over the places that ask something.

    logits: (batch, places, vocabulary); targets: (batch, places) ids, -1 where nothing is asked.
    Returns a number; 0 when nothing is asked anywhere.
    """
    z = logits - logits.max(axis=-1, keepdims=True)
    log_p = z - np.log(np.exp(z).sum(axis=-1, keepdims=True))
    losses = -np.take_along_axis(log_p, targets[..., None], axis=-1)[..., 0]  # (batch, places)
    counts = targets >= 0
    return (losses * counts).sum() / np.maximum(counts.sum(), 1)


@blank_loss.broken
def _counts_padding(logits, targets):
    """Mean cross-entropy, in nats, over the places that ask something.

    logits: (batch, places, vocabulary); targets: (batch, places) ids, -1 where nothing is asked.
    Returns a number; 0 when nothing is asked anywhere.
    """
    z = logits - logits.max(axis=-1, keepdims=True)
    log_p = z - np.log(np.exp(z).sum(axis=-1, keepdims=True))
    losses = -np.take_along_axis(log_p, targets[..., None], axis=-1)[..., 0]  # (batch, places)
    return losses.mean()


def _losses(logits, targets):
    z = logits - logits.max(axis=-1, keepdims=True)
    log_p = z - np.log(np.exp(z).sum(axis=-1, keepdims=True))
    return -np.take_along_axis(log_p, targets[..., None], axis=-1)[..., 0]


@blank_loss.mistake(
    en="Places that ask nothing add 0, but the sum is still divided by all places: a short text looks easier than a long one.",
    zh="不提问的位置加的是 0，可总和还是除以了全部位置：短文本看上去比长文本容易。",
)
def divides_by_all(logits, targets):
    return (_losses(logits, targets) * (targets >= 0)).mean()


@blank_loss.mistake(
    en="−1 was turned into 0: now each place that asks nothing demands token 0, padding, and the model gets praise for predicting it.",
    zh="把 −1 变成了 0：于是每个不提问的位置都要求填 0 号词元（补齐），模型靠猜补齐就能得分。",
)
def asks_for_padding(logits, targets):
    return _losses(logits, np.maximum(targets, 0)).mean()


@blank_loss.mistake(
    en="Each row is averaged by itself, then the rows: a blank in a short text weighs more than one in a long text.",
    zh="先各行平均，再对行平均：短文本里的一个空比长文本里的更重。",
)
def means_of_means(logits, targets):
    counts = targets >= 0
    return ((_losses(logits, targets) * counts).sum(axis=1) / np.maximum(counts.sum(axis=1), 1)).mean()


@blank_loss.mistake(
    en="A batch that asks nothing gives 0/0 = NaN, and one NaN ruins all weights. Divide by at least 1.",
    zh="什么也没问的一批算出 0/0 = NaN，而一个 NaN 就会毁掉全部权重。至少除以 1。",
)
def divides_by_zero(logits, targets):
    counts = targets >= 0
    with np.errstate(invalid="ignore"):
        return (_losses(logits, targets) * counts).sum() / counts.sum()


@blank_loss.right
def by_selection(logits, targets):
    losses = _losses(logits, targets)[targets >= 0]
    return losses.mean() if losses.size else 0.0


@blank_loss.right
def place_by_place(logits, targets):
    places = zip(logits.reshape(-1, logits.shape[-1]), targets.ravel(), strict=True)
    found = [_losses(z[None], t[None])[0] for z, t in places if t >= 0]
    return sum(found) / max(len(found), 1)
