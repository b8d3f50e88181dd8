"""Record lesson 3.3's longer run: a GPT on Python's documentation, scored on topics that it never saw.

    python recordings/gpt.py                     # about 45 minutes on two cores; goes on where it was killed
    python recordings/gpt.py --steps 200 --dry   # a pilot: nothing is recorded

It reads the topics that are not held out and the docstrings of the standard library, twice as often the topics as their size would give.
What was tried and measured on the way stands in lesson 3.3.
"""

import argparse
import json
import time
from pathlib import Path

import keras
import numpy as np

from lmcourse import device
from lmcourse.data import python_docs
from lmcourse.models.gpt import GPT
from lmcourse.tokenizers import BytePairTokenizer
from lmcourse.training.loop import masked_loss, optimiser, train, windows
from lmcourse.training.recordings import record
from lmcourse.training.scoring import bits_per_byte

SEED, VOCABULARY, LENGTH, BATCH = 0, 2048, 128, 16
SIZES = {"num_layers": 4, "num_heads": 4, "hidden_dim": 160, "intermediate_dim": 640}


class Scores(keras.callbacks.Callback):
    """Rows (step, seconds of training so far, bits per byte on the held-out topics), kept in a file beside the snapshot."""

    def __init__(self, every, path, score):
        super().__init__()
        self.every, self.path, self.score = every, path, score
        self.rows = json.loads(path.read_text()) if path.exists() else []
        self.began = time.perf_counter() - (self.rows[-1][1] if self.rows else 0)

    def on_train_batch_end(self, batch, logs=None):
        if (batch + 1) % self.every == 0:
            seconds = time.perf_counter() - self.began
            self.rows.append((batch + 1, seconds, self.score()))
            self.path.write_text(json.dumps(self.rows))
            print(
                f"\nstep {batch + 1}, {seconds:.0f} s: {self.rows[-1][2]:.3f} bits per byte on held-out topics",
                flush=True,
            )


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=4000)
    parser.add_argument("--peak", type=float, default=3e-3)
    parser.add_argument("--dropout", type=float, default=0.1)
    parser.add_argument("--topics", type=int, default=2, help="how often the topics stand in the stream")
    parser.add_argument("--folder", type=Path, default=Path("build/gpt"), help="where the run keeps its snapshot")
    parser.add_argument("--dry", action="store_true")
    options = parser.parse_args()
    device.say_device()
    keras.utils.set_random_seed(SEED)
    options.folder.mkdir(parents=True, exist_ok=True)

    learn, unseen = python_docs.split(python_docs.load())
    docstrings = python_docs.docstrings()
    tokenizer = BytePairTokenizer.train([*learn.values(), *docstrings.values()], VOCABULARY)
    end = tokenizer.special_tokens["<|end|>"]
    random = np.random.default_rng(SEED)
    texts = [*learn.values()] * options.topics + [*docstrings.values()]
    stream = np.array([i for n in random.permutation(len(texts)) for i in [*tokenizer.encode(texts[n]), end]])
    print(f"{sum(len(t.encode()) for t in texts):,} bytes, {len(stream):,} tokens")

    model = GPT(tokenizer.vocabulary_size, **SIZES, max_sequence_length=LENGTH, dropout=options.dropout)
    print(f"{model.count_params():,} parameters")
    model.compile(optimiser(options.peak, options.steps), masked_loss, jit_compile=True)
    scores = Scores(
        250, options.folder / "scores.json", lambda: bits_per_byte(model, tokenizer, unseen.values(), LENGTH)
    )
    batch = windows(stream, LENGTH, BATCH, SEED)
    losses = train(model, batch, options.steps, checkpoint=options.folder / "snapshot.npz", callbacks=[scores])
    seconds = time.perf_counter() - scores.began
    bits = bits_per_byte(model, tokenizer, unseen.values(), LENGTH)
    print(f"{bits:.3f} bits per byte on held-out topics after {seconds:.0f} s")
    if options.dry:
        return
    facts = {"seed": SEED, "steps": options.steps, "batch_size": BATCH, "peak": options.peak, "dropout": options.dropout,
             "topics": options.topics, "length": LENGTH, "sizes": SIZES, "held_out": list(unseen), "bits_per_byte": bits}  # fmt: skip
    path = record("gpt", model, seconds, facts, losses=np.array(losses, "float32"), scores=np.array(scores.rows, "float32"),
                  merges=np.array(tokenizer.merges, "uint16"))  # fmt: skip
    print(path, f"{path.stat().st_size / 1e6:.2f} MB")


if __name__ == "__main__":
    main()
