"""How fast our GPT trains, beside nanoGPT's own model on PyTorch, in one run on the processor:

    git clone https://github.com/karpathy/nanoGPT /somewhere/nanoGPT
    python benchmarks/gpt_training.py /somewhere/nanoGPT           # or NANOGPT=/somewhere/nanoGPT; --quick: fewer rounds

Both start from nanoGPT's random weights and see the same windows of Python's documentation, as bytes, with the same optimiser: AdamW with
warm-up, cosine and clipping. What differs is the form of GELU (ours is GPT-2's approximation) and Adam's epsilon. Ours goes through
`lmcourse.training.loop.train`, as in the lessons; nanoGPT's loop is that of its train.py with --compile=False, as its README says for
processors. The sides take turns, a piece of the same run each. The first race gives each side one thread and compares processor time,
which a busy machine hardly disturbs; the second gives each all cores and compares seconds, and needs a quiet machine (PyTorch's threads
wait for each other in busy loops: beside other programs they lose far more than ours). Exit code 1 when a race or the loss misses.
"""

import argparse
import importlib.util
import os
import statistics
import sys
import tempfile
from pathlib import Path

import numpy as np
from helpers import race

LAYERS, HEADS, WIDTH, LENGTH, BATCH, VOCABULARY = 4, 4, 128, 128, 32, 256
PEAK, WARMUP, DECAY = 1e-3, 20, 0.1
TARGET = 1.25  # times nanoGPT's tokens a second
WORSE = 0.02  # nats: further apart, the final losses are not equal


def batches(steps):
    """(steps, BATCH, LENGTH + 1) windows."""
    from lmcourse.data import python_docs

    ids = np.frombuffer("".join(python_docs.load().values()).encode(), "uint8").astype("int32")
    starts = np.random.default_rng(0).integers(0, len(ids) - LENGTH, (steps, BATCH))
    return ids[starts[..., None] + np.arange(LENGTH + 1)]


def nanogpt(clone, folder, threads):
    sys.path.insert(0, str(clone))
    import torch
    from model import GPT, GPTConfig  # nanoGPT's

    torch.set_num_threads(threads)
    torch.manual_seed(0)
    model = GPT(GPTConfig(LENGTH, VOCABULARY, LAYERS, HEADS, WIDTH, dropout=0.0, bias=True))
    start = {name.removeprefix("transformer."): tensor.numpy() for name, tensor in model.state_dict().items()}
    turned = ("c_attn.weight", "c_proj.weight", "c_fc.weight")  # GPT-2's files hold these the other way round
    np.savez(folder / "start.npz", **{n: t.T if n.endswith(turned) else t for n, t in start.items()})
    data = np.load(folder / "batches.npy").astype("int64")
    adamw = model.configure_optimizers(DECAY, PEAK, (0.9, 0.95), "cpu")

    def rate(step):
        if step < WARMUP:
            return PEAK * step / WARMUP
        share = (step - WARMUP) / (len(data) - WARMUP)
        return PEAK * (0.1 + 0.9 * (1 + np.cos(np.pi * share)) / 2)

    def work(first, last):
        losses = []
        for step in range(first, last):
            for group in adamw.param_groups:
                group["lr"] = rate(step)
            pieces = torch.from_numpy(data[step])
            _, loss = model(pieces[:, :-1], pieces[:, 1:].contiguous())
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            adamw.step()
            adamw.zero_grad(set_to_none=True)
            losses.append(loss.item())
        return losses

    return work


def ours(folder, threads):
    os.environ["KERAS_BACKEND"] = "tensorflow"
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(threads)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    from lmcourse import checkpoints
    from lmcourse.models.gpt import GPT
    from lmcourse.models.hugging_face import gpt2_names
    from lmcourse.training.loop import masked_loss, optimiser, train

    data = np.load(folder / "batches.npy")
    model = GPT(VOCABULARY, LAYERS, HEADS, WIDTH, 4 * WIDTH, LENGTH)
    checkpoints.fill(
        model, dict(np.load(folder / "start.npz")), gpt2_names(LAYERS), lambda name: name == "lm_head.weight"
    )
    model.compile(optimiser(PEAK, len(data), WARMUP, DECAY), masked_loss, jit_compile=True)

    def work(first, last):
        return train(model, lambda step: (data[first + step, :, :-1], data[first + step, :, 1:]), last - first)

    return work


def race_of(clone, folder, threads, rounds, steps):
    """Losses and, for each round, seconds by the clock and of processor time: of both sides; then how quiet the cores were."""
    sides = {"nanoGPT": race.Side(nanogpt, clone, folder, threads)}  # first: it writes the weights to start from
    sides["ours"] = race.Side(ours, folder, threads)
    losses, times, compiling = {name: [] for name in sides}, {name: [] for name in sides}, {}
    for name, side in sides.items():
        compiling[name], _, first = side.run(0, steps)  # compiles, warms up
        losses[name] += first
    quiet = [race.share_of_the_cores()]
    for number in range(1, rounds + 1):
        for name in sorted(sides, reverse=number % 2 == 0):
            wall, processor, more = sides[name].run(number * steps, (number + 1) * steps)
            times[name].append((wall, processor))
            losses[name] += more
        quiet.append(race.share_of_the_cores())
    for side in sides.values():
        side.close()
    return losses, {name: np.array(rows).T for name, rows in times.items()}, compiling, min(quiet)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("clone", nargs="?", default=os.environ.get("NANOGPT"))
    parser.add_argument("--quick", action="store_true")
    options = parser.parse_args()
    rounds, steps = (3, 5) if options.quick else (12, 20)
    clone = Path(options.clone or "nanoGPT").resolve()
    if importlib.util.find_spec("torch") is None or not (clone / "model.py").is_file():
        print("not run: needs PyTorch (pip install torch) and nanoGPT: git clone https://github.com/karpathy/nanoGPT, "
              "then name its folder here or in NANOGPT.")  # fmt: skip
        return 0

    print(f"{LAYERS} layers, {HEADS} heads, width {WIDTH}, context {LENGTH}, batch {BATCH}, vocabulary {VOCABULARY}; "
          f"median (range) of {rounds} rounds of {steps} steps in turns\n")  # fmt: skip
    print(
        "| | seconds until the first steps are done | tokens for each second | times nanoGPT | target | met |\n|---|---:|---:|---:|---:|---|"
    )
    met, tokens = True, steps * BATCH * LENGTH
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        np.save(folder / "batches.npy", batches((rounds + 1) * steps))
        for threads, kind, words in (
            (1, 1, "processor seconds, one thread"),
            (os.cpu_count(), 0, "seconds, all cores"),
        ):
            quiet = race.share_of_the_cores()
            if kind == 0 and quiet < race.QUIET:
                print(
                    f"| {words} | | not run: busy loops got {100 * quiet:.0f} % of their cores | | ≥ {TARGET} | open |"
                )
                break
            losses, times, compiling, quiet = race_of(clone, folder, threads, rounds, steps)
            ratios = times["nanoGPT"][kind] / times["ours"][kind]
            verdict = race.judge(ratios.tolist(), TARGET, kind == 1 or quiet >= race.QUIET)
            met &= verdict != "NO"
            for side, more in (("nanoGPT", ["1", "", ""]), ("ours", [race.span(ratios), f"≥ {TARGET}", verdict])):
                cells = [f"{compiling[side]:.0f}", race.span(tokens / times[side][kind], 0), *more]
                print(f"| {side}, {words} |", " | ".join(cells), "|", flush=True)
    ends = {side: statistics.mean(values[-steps:]) for side, values in losses.items()}
    apart = max(abs(a - b) for a, b in zip(*losses.values(), strict=True))
    no_worse = ends["ours"] <= ends["nanoGPT"] + WORSE
    print(f"\nLoss at the start {losses['ours'][0]:.3f}; over the last {steps} of {len(losses['ours'])} steps nanoGPT {ends['nanoGPT']:.3f}, "
          f"ours {ends['ours']:.3f}, no worse: {'yes' if no_worse else 'NO'}; never further apart than {apart:.3f}.")  # fmt: skip
    return int(not (met and no_worse))


if __name__ == "__main__":
    sys.exit(main())
