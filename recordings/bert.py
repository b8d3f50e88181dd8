"""Record lesson 3.4's longer run: a BERT pretrained on reviews, then fine-tuned on few and many labels, beside two rivals.

    python recordings/bert.py          # under 5 minutes on an H200; a CPU would need most of a day
    python recordings/bert.py --dry    # tiny, to see that it runs: nothing is recorded

Pretraining reads the training reviews without their labels; validation and test reviews, and near copies of them, stay out. Every
fine-tuning gets at most the same number of steps and keeps what the validation set liked best; learning rates are chosen on the
validation set too, with a subset that is not used again. The test set only reports.

This is the second run. The first had half the pretraining, rates from 1e-4 up and at most 800 steps; its held-out loss was still
falling and its lowest rate was chosen, hence the changes. It came to 0.647, 0.730, 0.782, 0.823, 0.844 for the pretrained model.
"""

import argparse
import time
import zlib
from concurrent.futures import ThreadPoolExecutor

import keras
import numpy as np

from lmcourse import device
from lmcourse.data import reviews
from lmcourse.models.bert import BERT, masked_language_model, reader
from lmcourse.tokenizers import CharacterTokenizer
from lmcourse.training.loop import IGNORED, masked_loss, optimiser, train
from lmcourse.training.masking import blanks, rows
from lmcourse.training.recordings import record

SEED, VOCABULARY, LENGTH, PLACES, BATCH = 0, 2500, 128, 19, 256
SIZES = {"num_layers": 4, "num_heads": 4, "hidden_dim": 160, "intermediate_dim": 640}
COUNTS, SEEDS = [50, 200, 1000, 4000], [0, 1, 2]  # and all training reviews
METHODS = ["TF-IDF", "from scratch", "pretrained"]
FINE_BATCH, CHUNK, CHUNKS, PATIENCE = 64, 50, 24, 4  # validated after each chunk of 50 steps
RATES, TUNING_COUNT, TUNING_SEED = [3e-5, 1e-4, 3e-4], 1000, 3


def encoder(tokenizer):
    return BERT(tokenizer.vocabulary_size, **SIZES, max_sequence_length=LENGTH, dropout=0.1)


def filled(model, ids, tokenizer):
    """Loss and accuracy of filling in blanks, the same blanks each time."""
    inputs, targets = blanks(ids, tokenizer, PLACES, np.random.default_rng(SEED))
    counts, right, nats = targets != IGNORED, 0, 0.0
    for at in range(0, len(ids) - BATCH + 1, BATCH):  # whole batches: one shape
        batch = slice(at, at + BATCH)
        logits = model.predict_on_batch({name: part[batch] for name, part in inputs.items()}).astype("float32")
        right += ((logits.argmax(axis=-1) == targets[batch]) & counts[batch]).sum()
        nats += float(masked_loss(targets[batch], logits)) * counts[batch].sum()
    total = counts[: at + BATCH].sum()
    return nats / total, right / total


class HeldOut(keras.callbacks.Callback):
    """Rows (step, seconds so far, loss, accuracy) on reviews that are not trained on."""

    def __init__(self, every, score):
        super().__init__()
        self.every, self.score, self.rows, self.began = every, score, [], time.perf_counter()

    def on_train_batch_end(self, batch, logs=None):
        if (batch + 1) % self.every == 0:
            self.rows.append((batch + 1, time.perf_counter() - self.began, *self.score()))
            print("\nstep {}, {:.0f} s: held-out loss {:.3f}, accuracy {:.3f}".format(*self.rows[-1]), flush=True)


def where_to_read(ids, way):
    """Weights for `reader`, (batch, time): the mean of a text's tokens, of the whole row, or [CLS] alone."""
    if way == "mean":
        return (ids != 0) / (ids != 0).sum(axis=1, keepdims=True)
    if way == "mean with padding":
        return np.full(ids.shape, 1 / ids.shape[1])
    return np.eye(1, ids.shape[1]).repeat(len(ids), axis=0)


def asked(ids, way):
    return {
        "token_ids": ids,
        "padding_mask": (ids != 0).astype("int32"),
        "weights": where_to_read(ids, way).astype("float32"),
    }


class FineTuning:
    """One compiled model for all runs: weights and optimiser are set back instead of made anew, so that it compiles once."""

    def __init__(self, tokenizer, parts, chunks):
        self.make = lambda: reader(encoder(tokenizer), 2)
        self.parts, self.chunks = parts, chunks
        self.model = self.make()
        self.optimiser = keras.optimizers.AdamW(RATES[0], weight_decay=0.01, global_clipnorm=1.0)
        self.optimiser.build(self.model.trainable_variables)
        self.start = [variable.numpy().copy() for variable in self.optimiser.variables]
        self.model.compile(self.optimiser, keras.losses.SparseCategoricalCrossentropy(from_logits=True))

    def accuracy(self, part, way):
        ids, labels = self.parts[part]
        scores = self.model.predict(asked(ids, way), batch_size=500, verbose=0)
        return float(np.mean(scores.argmax(axis=-1) == labels))

    def weights(self, seed, pretrained=None):
        """Fresh ones; the encoder's, which come first, replaced by pretrained ones where there are any."""
        keras.utils.set_random_seed(seed)
        fresh = self.make().get_weights()
        return fresh if pretrained is None else [*pretrained, *fresh[len(pretrained) :]]

    def run(self, weights, count, seed, peak, way="mean"):
        """Returns (validation accuracy, test accuracy) of the chunk that the validation set liked best, and the chunks done."""
        self.model.set_weights(weights)
        for variable, value in zip(self.optimiser.variables, self.start, strict=True):
            variable.assign(value)
        ids, labels = self.parts["training"]
        random = np.random.default_rng(seed)
        subset = random.permutation(len(ids))[:count]
        best, kept, at = -1.0, None, 0
        for chunk in range(self.chunks):
            self.optimiser.learning_rate = peak * (1 - chunk / self.chunks)
            batch = subset[random.integers(0, count, CHUNK * FINE_BATCH)]
            self.model.fit(asked(ids[batch], way), labels[batch], batch_size=FINE_BATCH, shuffle=False, verbose=0)
            score = self.accuracy("validation", way)
            if score > best:
                best, kept, at = score, self.model.get_weights(), chunk
            elif chunk - at >= PATIENCE:
                break
        self.model.set_weights(kept)
        return best, self.accuracy("test", way), chunk + 1


def counting(parts, counts):
    """TF-IDF and logistic regression on the same subsets: (counts, seeds) of test accuracy. Its strength C is chosen on the validation set."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression

    texts, labels = parts["training"]
    table = np.zeros((len(counts), len(SEEDS)))
    for i, count in enumerate(counts):
        for j, seed in enumerate(SEEDS):
            subset = np.random.default_rng(seed).permutation(len(texts))[:count]
            vectoriser = TfidfVectorizer(analyzer="char", ngram_range=(1, 2), sublinear_tf=True)
            x = vectoriser.fit_transform([texts[k] for k in subset])
            held_out = {name: vectoriser.transform(parts[name][0]) for name in ("validation", "test")}
            models = [LogisticRegression(C=c, max_iter=300).fit(x, labels[subset]) for c in (1, 4, 16)]
            best = max(models, key=lambda model: model.score(held_out["validation"], parts["validation"][1]))
            table[i, j] = best.score(held_out["test"], parts["test"][1])
            if count == len(texts):  # the same subset for every seed
                table[i] = table[i, j]
                break
    return table


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=8000, help="of pretraining")
    parser.add_argument("--peak", type=float, default=1e-3, help="learning rate of pretraining")
    parser.add_argument("--dry", action="store_true")
    options = parser.parse_args()
    began = time.perf_counter()
    device.say_device()
    keras.config.set_dtype_policy(device.find().precision)
    keras.utils.set_random_seed(SEED)
    steps, every, chunks, parts, counts = options.steps, 250, CHUNKS, reviews.split(), COUNTS
    if options.dry:
        global BATCH, FINE_BATCH, CHUNK
        steps, every, chunks, counts, BATCH, FINE_BATCH, CHUNK = 8, 4, 2, [50], 8, 4, 2
        parts = {name: (texts[::100], labels[::100]) for name, (texts, labels) in parts.items()}
    texts, labels = parts["training"]
    counts = [*counts, len(texts)]
    tokenizer = CharacterTokenizer.train(texts, VOCABULARY)
    encoded = {name: (rows(t, tokenizer, LENGTH), y.astype("int32")) for name, (t, y) in parts.items()}
    ids = encoded["training"][0]
    print({name: len(y) for name, (_, y) in encoded.items()}, f"{(ids != 0).sum():,} characters to read", flush=True)

    with ThreadPoolExecutor(1) as pool:
        counted = pool.submit(counting, parts, counts)  # beside the accelerator, which has no use for it
        bert = encoder(tokenizer)
        model = masked_language_model(bert)
        print(f"{model.count_params():,} parameters", flush=True)
        model.compile(optimiser(options.peak, steps, weight_decay=0.01), masked_loss)

        def batch(step):
            random = np.random.default_rng((SEED, step))
            return blanks(ids[random.integers(0, len(ids), BATCH)], tokenizer, PLACES, random)

        held_out = HeldOut(every, lambda: filled(model, encoded["validation"][0], tokenizer))
        losses = train(model, batch, steps, callbacks=[held_out])
        pretraining = time.perf_counter() - held_out.began
        print(f"pretrained in {pretraining:.0f} s, {time.perf_counter() - began:.0f} s since the start", flush=True)

        fine, pretrained = FineTuning(tokenizer, encoded, chunks), bert.get_weights()
        starts = {"from scratch": None, "pretrained": pretrained}
        rates = {}
        for name, start in starts.items():
            weights = fine.weights(TUNING_SEED, start)
            scores = [fine.run(weights, min(TUNING_COUNT, len(ids)), TUNING_SEED, rate)[0] for rate in RATES]
            rates[name] = RATES[int(np.argmax(scores))]
            print(f"{name}: validation accuracy {scores} at {RATES}, {time.perf_counter() - began:.0f} s", flush=True)

        table = np.zeros((len(METHODS), len(counts), len(SEEDS)))
        for i, name in enumerate(METHODS[1:], start=1):
            for j, count in enumerate(counts):
                for k, seed in enumerate(SEEDS):
                    best, table[i, j, k], done = fine.run(fine.weights(seed, starts[name]), count, seed, rates[name])
                    print(
                        f"{name}, {count} labels, seed {seed}: {best:.3f}, test {table[i, j, k]:.3f}, {done} chunks",
                        flush=True,
                    )
        places = {}
        for way in ("[CLS]", "mean with padding"):
            places[way] = [fine.run(fine.weights(seed, pretrained), counts[1], seed, rates["pretrained"], way)[1] for seed in SEEDS]  # fmt: skip
        places["mean"] = table[2, 1].tolist()
        table[0] = counted.result()
    print(places)
    for name, part in zip(METHODS, table, strict=True):
        print(f"{name:14}", *(f"{row.mean():.3f} ({row.min():.3f} to {row.max():.3f})" for row in part))
    seconds = time.perf_counter() - began
    print(f"{seconds:.0f} s in all", flush=True)
    if options.dry:
        return
    facts = {"seed": SEED, "seeds": SEEDS, "steps": steps, "batch_size": BATCH, "peak": options.peak, "length": LENGTH, "sizes": SIZES,
             "places": PLACES, "characters": tokenizer.characters, "pretraining_seconds": round(pretraining), "methods": METHODS,
             "counts": counts, "rates": rates, "fine_tuning": {"batch_size": FINE_BATCH, "chunk": CHUNK, "chunks": CHUNKS, "patience": PATIENCE},
             "where_to_read": places, "reviews": {name: len(y) for name, (_, y) in parts.items()},
             "test_checksum": zlib.crc32("\n".join(parts["test"][0]).encode())}  # fmt: skip
    path = record("bert", model, seconds, facts, losses=np.array(losses, "float32"), held_out=np.array(held_out.rows, "float32"),
                  accuracy=table.astype("float32"))  # fmt: skip
    print(path, f"{path.stat().st_size / 1e6:.2f} MB")


if __name__ == "__main__":
    main()
