"""Training on the next token, without magic: an optimiser, a loss, batches, and the loop that runs them.

`train` is a plain loop over `model.train_on_batch`, so any compiled Keras model on any backend goes through it; a step's batch is a
function of its number alone, so a killed run goes on exactly where it was (`snapshots`). Left out on purpose: validation while
training, gradient accumulation, several devices (lesson 3.8).

    model.compile(optimiser(3e-3, steps), masked_loss, jit_compile=True)
    losses = train(model, windows(ids, 128, batch_size=32), steps)
"""

import time

import keras
import numpy as np
from keras import ops

from lmcourse.language import CourseError, say
from lmcourse.training import snapshots
from lmcourse.training.progress import Progress

IGNORED = -1  # a target that does not count: padding, or a place that is not to be predicted


def optimiser(peak: float, steps: int, warmup: int | None = None, weight_decay: float = 0.1):
    """AdamW as GPTs are trained: a straight warm-up to `peak`, half a cosine down to a tenth of it, long gradients cut to length 1.

    Args:
        peak: the highest learning rate.
        steps: of the whole run; afterwards the rate stays at a tenth of `peak`.
        warmup: steps of warm-up, by default a twentieth of the run.
        weight_decay: of matrices only; biases and norms are left alone.

    Source: Loshchilov and Hutter (2019), Decoupled weight decay regularization; Brown et al. (2020), GPT-3, appendix B.
    """
    warmup = steps // 20 if warmup is None else warmup
    rate = keras.optimizers.schedules.CosineDecay(
        0.0, max(steps - warmup, 1), alpha=0.1, warmup_target=peak, warmup_steps=warmup
    )
    adamw = keras.optimizers.AdamW(rate, weight_decay=weight_decay, beta_2=0.95, global_clipnorm=1.0)
    adamw.exclude_from_weight_decay(var_names=["bias", "gamma", "beta", "scale"])
    return adamw


def masked_loss(targets, logits):
    """Cross-entropy in nats, averaged over the targets that count.

    Args:
        targets: (…,) token ids; IGNORED where there is nothing to predict.
        logits: (…, vocabulary_size).

    Returns:
        a scalar; 0 when no target counts.
    """
    counts = ops.cast(ops.not_equal(targets, IGNORED), "float32")
    safe = ops.maximum(ops.cast(targets, "int32"), 0)
    losses = ops.sparse_categorical_crossentropy(safe, ops.cast(logits, "float32"), from_logits=True)
    return ops.sum(losses * counts) / ops.maximum(ops.sum(counts), 1.0)


def windows(ids, length: int, batch_size: int, seed: int = 0):
    """Random windows of a stream of tokens, each with the token that follows every place.

    Args:
        ids: (n,) whole numbers.
        length: tokens of a window.
        batch_size: windows of a batch.
        seed: another one gives other windows.

    Returns:
        a function: number of the step → inputs and targets, both (batch_size, length) int32. The same step gives the same batch.

    Raises:
        CourseError: when the stream is not longer than a window.
    """
    ids = np.asarray(ids, "int32")
    if len(ids) <= length:
        raise CourseError(
            en=f"The stream has {len(ids)} tokens, too few for windows of {length} and the token after them. Use more text or a shorter window.",
            zh=f"数据流只有 {len(ids)} 个词元，不够切出 {length} 个词元的窗口及其后一个词元。请增加文本或缩短窗口。",
        )

    def batch(step: int):
        starts = np.random.default_rng((seed, step)).integers(0, len(ids) - length, batch_size)
        pieces = ids[starts[:, None] + np.arange(length + 1)]  # (batch_size, length + 1)
        return pieces[:, :-1], pieces[:, 1:]

    return batch


def train(model, batch, steps: int, *, checkpoint=None, every: float = 60.0, callbacks=()) -> list[float]:
    """Train a compiled model up to step `steps`, and show how it goes.

    Args:
        model: compiled.
        batch: step → (inputs, targets), counted from 0; see `windows`.
        steps: of the whole run, those of earlier sessions included.
        checkpoint: a file to go on from, if it exists, and to save to: every `every` seconds, at the end, and when interrupted.
        every: seconds.
        callbacks: Keras's, such as the gradient flow widget; they hear of the beginning, of each step and of the end.

    Returns:
        the loss of every step since the run began.

    Raises:
        CourseError: for a checkpoint of another model, or a loss that is no number any more.
    """
    losses = snapshots.restore(checkpoint, model) if checkpoint else []
    watchers = keras.callbacks.CallbackList(list(callbacks), model=model)
    progress, saved = Progress(steps, start=len(losses)), time.perf_counter()
    watchers.on_train_begin()
    watchers.on_epoch_begin(0)
    try:
        for step in range(len(losses), steps):
            inputs, targets = batch(step)
            model.reset_metrics()  # or the loss would be an average since the beginning
            loss = float(model.train_on_batch(inputs, targets))
            if not np.isfinite(loss):
                raise CourseError(
                    en=f"The loss became {loss} at step {step}: a learning rate too high, or a mask that hides everything? "
                    "Nothing was saved since; begin anew with a lower rate.",
                    zh=f"第 {step} 步的损失变成了 {loss}：是学习率过高，还是掩码遮住了一切？此后没有保存；请降低学习率重新开始。",
                )
            losses.append(loss)
            progress.show(step + 1, loss, tokens=int(np.size(targets)))
            watchers.on_train_batch_end(step, {"loss": loss})
            if checkpoint and time.perf_counter() - saved > every:
                snapshots.save(checkpoint, model, losses)
                saved = time.perf_counter()
    except KeyboardInterrupt:
        if checkpoint:
            snapshots.save(checkpoint, model, losses)
            say(
                en=f"\nInterrupted after step {len(losses)}; saved. Run the same call again to go on.",
                zh=f"\n在第 {len(losses)} 步之后中断，已保存。再次运行同一调用即可继续。",
            )
        raise
    finally:
        progress.close()
    watchers.on_train_end()
    if checkpoint:
        snapshots.save(checkpoint, model, losses)
    return losses
