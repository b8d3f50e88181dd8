"""Record lesson 3.3's longer run: a GPT on Python's documentation and library, scored on topics that it never saw.

    export KERAS_BACKEND=jax                           # 3 minutes each on a GPU, hours on two cores; goes on where it was killed
    python recordings/gpt.py --dropout 0 --folder build/gpt0 --dry
    python recordings/gpt.py --without-dropout build/gpt0

It reads the topics that are neither held out nor kept for choosing, the docstrings, and the source of the standard library. Along the
run it is scored on the topics for choosing; the weights that did best there are kept, and only these are recorded. Scores on the
held-out topics are written down beside them and choose nothing.
"""

import argparse
import json
import time
from pathlib import Path

import keras
import numpy as np

from lmcourse import device
from lmcourse.data import python_docs
from lmcourse.generation import Generator
from lmcourse.models.gpt import GPT
from lmcourse.tokenizers import BytePairTokenizer
from lmcourse.training.loop import masked_loss, optimiser, train, windows
from lmcourse.training.recordings import record
from lmcourse.training.scoring import bits_per_byte

SEED, VOCABULARY, LENGTH = 0, 2048, 256
SIZES = {"num_layers": 4, "num_heads": 4, "hidden_dim": 192, "intermediate_dim": 768}
PROMPT = 'The "with" statement'
SAMPLED = (0, 250, 1000, 4000)  # steps after which the model may speak, and at the end


class Watch(keras.callbacks.Callback):
    """Scores and speaks along the run, keeps the weights that choose best; all in files, so that a killed run goes on.

    Attributes:
        rows: (step, seconds of training so far, bits per byte of the texts to choose by, of the held-out ones).
        samples: [step, text].
    """

    def __init__(self, every, folder, score, speak):
        super().__init__()
        self.every, self.log, self.best = every, folder / "log.json", folder / "best.npz"
        self.score, self.speak, self.spent = score, speak, 0.0
        self.rows, self.samples = json.loads(self.log.read_text()) if self.log.exists() else ([], [])

    def on_train_begin(self, logs=None):
        self.began = time.perf_counter() - (self.rows[-1][1] if self.rows else 0)
        if not self.rows:
            self.look(0)

    def on_train_batch_end(self, batch, logs=None):
        if (batch + 1) % self.every == 0:
            self.look(batch + 1)

    def look(self, step):
        paused = time.perf_counter()
        seconds = paused - self.began
        self.rows.append((step, seconds, *self.score()))
        if step in SAMPLED:
            self.samples.append((step, self.speak()))
        if self.rows[-1][2] == min(row[2] for row in self.rows):
            np.savez(self.best, *self.model.get_weights())
        self.log.write_text(json.dumps([self.rows, self.samples]))
        self.began += time.perf_counter() - paused  # looking is not training
        print(f"\nstep {step}, {seconds:.0f} s: {self.rows[-1][2]:.3f} bits per byte to choose by, "
              f"{self.rows[-1][3]:.3f} on held-out topics", flush=True)  # fmt: skip


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=8000)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--peak", type=float, default=2e-3)
    parser.add_argument("--dropout", type=float, default=0.1)
    parser.add_argument("--mixture", type=int, nargs=3, default=[4, 2, 1], metavar=("TOPICS", "DOCSTRINGS", "SOURCE"),
                        help="how often each kind of text stands in the stream")  # fmt: skip
    parser.add_argument("--folder", type=Path, default=Path("build/gpt"), help="where the run keeps its snapshot")
    parser.add_argument(
        "--without-dropout", type=Path, help="the folder of a run with --dropout 0, to keep its scores too"
    )
    parser.add_argument("--dry", action="store_true", help="record nothing")
    options = parser.parse_args()
    device.say_device()
    keras.utils.set_random_seed(SEED)
    options.folder.mkdir(parents=True, exist_ok=True)

    topics, choose, unseen = python_docs.split_three(python_docs.load())
    kinds = [python_docs.apart(k, choose | unseen) for k in (topics, python_docs.docstrings(), python_docs.source())]
    tokenizer = BytePairTokenizer.train([*kinds[0].values(), *kinds[1].values()], VOCABULARY)
    end = tokenizer.special_tokens["<|end|>"]
    texts = [t for kind, times in zip(kinds, options.mixture, strict=True) for t in [*kind.values()] * times]
    order = np.random.default_rng(SEED).permutation(len(texts))
    stream = np.array([i for n in order for i in [*tokenizer.encode(texts[n]), end]], "uint16")
    sizes = [sum(len(t.encode()) for t in kind.values()) for kind in (*kinds, choose, unseen)]
    print(
        *(f"{n:,}" for n in sizes),
        "bytes of topics, docstrings, source, to choose by, held out;",
        f"{len(stream):,} tokens",
    )

    def build(precision, dropout=0.0):
        return GPT(tokenizer.vocabulary_size, **SIZES, max_sequence_length=LENGTH, dropout=dropout, dtype=precision)

    def score(model):
        return [bits_per_byte(model, tokenizer, kind.values(), LENGTH, 64) for kind in (choose, unseen)]

    model = build(device.find().precision, options.dropout)
    print(f"{model.count_params():,} parameters")
    model.compile(optimiser(options.peak, options.steps), masked_loss, jit_compile=True)
    generator, prompt = Generator(model), [end, *tokenizer.encode(PROMPT)]

    def speak():
        new = generator.generate([prompt], 100, temperature=0.8, seed=SEED, stop=[end])[0]
        return tokenizer.decode([*prompt[1:], *new])

    watch = Watch(max(options.steps // 20, 1), options.folder, lambda: score(model), speak)
    batch = windows(stream, LENGTH, options.batch, SEED)
    losses = train(model, batch, options.steps, checkpoint=options.folder / "snapshot.npz", callbacks=[watch])

    best = min(watch.rows, key=lambda row: row[2])
    with np.load(watch.best) as file:
        model.set_weights([*file.values()])
    watch.samples.append((best[0], speak()))
    halved = build("float32")  # what a reader of the recording will have
    halved.set_weights([np.asarray(w, "float16").astype("float32") for w in model.get_weights()])
    chosen, bits = score(halved)
    seconds = watch.rows[-1][1]
    print(
        f"{seconds:.0f} s; best at step {best[0]}: {chosen:.4f} bits per byte to choose by, {bits:.4f} on held-out topics"
    )
    for step, text in watch.samples:
        print(f"--- step {step}\n{text}")
    if options.dry:
        return
    facts = {"seed": SEED, "steps": options.steps, "batch_size": options.batch, "peak": options.peak, "dropout": options.dropout,
             "mixture": options.mixture, "length": LENGTH, "sizes": SIZES, "bytes": sizes, "choose_by": list(choose), "held_out": list(unseen),
             "best_step": best[0], "bits_per_byte": bits, "chosen_bits_per_byte": chosen, "samples": watch.samples}  # fmt: skip
    arrays = {"losses": np.array(losses, "float32"), "scores": np.array(watch.rows, "float32"),
              "merges": np.array(tokenizer.merges, "uint16")}  # fmt: skip
    if options.without_dropout:
        rows, _ = json.loads((options.without_dropout / "log.json").read_text())
        arrays["without_dropout"] = np.array(rows, "float32")
    path = record("gpt", halved, seconds, facts, **arrays)
    print(path, f"{path.stat().st_size / 1e6:.2f} MB")


if __name__ == "__main__":
    main()
