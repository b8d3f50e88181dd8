"""Training: the loss against Keras's, the schedule against its formula, a killed run against one that was not, bits against sums by hand."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest

from lmcourse import language
from lmcourse.language import CourseError
from lmcourse.models.gpt import GPT
from lmcourse.tokenizers import BytePairTokenizer
from lmcourse.training import recordings
from lmcourse.training.loop import IGNORED, masked_loss, optimiser, train, windows
from lmcourse.training.progress import Progress, duration
from lmcourse.training.scoring import bits_per_byte
from lmcourse.training.snapshots import restore, save

RANDOM = np.random.default_rng(0)
TEXT = "The quick brown fox jumps over the lazy dog. " * 20
LENGTH, STEPS = 16, 12


def numpy(x):
    return x.numpy() if hasattr(x, "numpy") else np.asarray(x)


def tiny(hidden_dim=8, dropout=0.2):
    """A compiled GPT with dropout, so that a resumed run also needs the random state."""
    keras.utils.set_random_seed(0)
    model = GPT(257, 1, 2, hidden_dim, 16, LENGTH, dropout=dropout)
    model.compile(optimiser(1e-2, STEPS, warmup=3), masked_loss)
    return model


def batches():
    return windows(list(TEXT.encode()), LENGTH, 4, seed=1)


@pytest.fixture(scope="module")
def uninterrupted():
    return train(tiny(), batches(), STEPS)


# ---- loss, schedule, windows


def test_masked_loss_equals_kerass_and_a_mean_by_hand():
    logits, targets = RANDOM.normal(size=(3, 7, 11)) * 5, RANDOM.integers(0, 11, (3, 7))
    targets[0, 3:], targets[1] = IGNORED, IGNORED
    authority = keras.losses.SparseCategoricalCrossentropy(from_logits=True, ignore_class=IGNORED)
    ours = float(masked_loss(targets, logits.astype("float32")))
    assert ours == pytest.approx(float(authority(targets, logits.astype("float32"))), rel=1e-5)
    log = logits - np.log(np.exp(logits).sum(-1, keepdims=True))
    counted = [-log[b, t, targets[b, t]] for b, t in np.argwhere(targets != IGNORED)]
    assert ours == pytest.approx(np.mean(counted), rel=1e-5)


def test_masked_loss_is_zero_when_nothing_counts_and_survives_huge_logits():
    logits = np.array([[[1e4, -1e4, 0.0]]], "float32")
    assert float(masked_loss(np.array([[IGNORED]]), logits)) == 0
    assert float(masked_loss(np.array([[1]]), logits)) == pytest.approx(2e4)


def test_the_learning_rate_rises_in_a_line_and_falls_in_half_a_cosine():
    rate = optimiser(0.4, steps=100, warmup=10)._learning_rate
    ours = [float(rate(step)) for step in (0, 5, 10, 55, 100, 500)]
    np.testing.assert_allclose(ours, [0, 0.2, 0.4, 0.04 + 0.36 / 2, 0.04, 0.04], rtol=1e-5, atol=1e-8)


def test_only_matrices_decay():
    model = tiny()
    before = [numpy(w) for w in model.trainable_variables]
    adamw = optimiser(0.1, 10, warmup=0, weight_decay=0.5)
    adamw.apply([keras.ops.zeros_like(w) for w in model.trainable_variables], model.trainable_variables)
    for old, new in zip(before, model.trainable_variables, strict=True):
        shrunk = not np.array_equal(old, numpy(new))
        assert shrunk == (old.ndim > 1), new.path


def test_windows_are_the_stream_moved_by_one_and_the_same_for_the_same_step():
    batch = windows(np.arange(100), 5, 8, seed=3)
    x, y = batch(7)
    assert x.shape == y.shape == (8, 5) and x.dtype == "int32"
    np.testing.assert_array_equal(y, x + 1)
    np.testing.assert_array_equal(batch(7)[0], x)
    assert not np.array_equal(batch(8)[0], x) and not np.array_equal(windows(np.arange(100), 5, 8, seed=4)(7)[0], x)
    seen = np.concatenate([windows(np.arange(7), 5, 50)(step)[0][:, 0] for step in range(3)])
    assert set(seen) == {0, 1}, "every window of the stream is reached, and none beyond its end"


# ---- the loop, kills, resumes


def test_training_learns_and_tells_its_callbacks(uninterrupted):
    heard = []

    class Ear(keras.callbacks.Callback):
        def on_train_begin(self, logs=None):
            heard.append("begin")

        def on_train_batch_end(self, batch, logs=None):
            heard.append((batch, logs["loss"]))

        def on_train_end(self, logs=None):
            heard.append("end")

    losses = train(tiny(), batches(), 3, callbacks=[Ear()])
    assert heard == ["begin", *enumerate(losses), "end"]
    assert len(uninterrupted) == STEPS and uninterrupted[-1] < uninterrupted[0] - 0.3


def test_a_run_in_two_parts_has_the_same_losses(tmp_path, uninterrupted):
    path = tmp_path / "run.npz"
    first = train(tiny(), batches(), 5, checkpoint=path)
    model = tiny()
    assert len(first) == 5
    np.testing.assert_allclose(train(model, batches(), STEPS, checkpoint=path), uninterrupted, rtol=1e-5)
    assert int(model.optimizer.iterations) == STEPS


KILLED = """
import os, signal, sys
sys.path.insert(0, {folder!r})
import keras, test_training as t
class Kill(keras.callbacks.Callback):
    def on_train_batch_end(self, batch, logs=None):
        if batch == 6:
            os.kill(os.getpid(), signal.SIGKILL)
t.train(t.tiny(), t.batches(), t.STEPS, checkpoint={path!r}, every=0, callbacks=[Kill()])
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="this system has no SIGKILL")
def test_a_killed_run_goes_on_as_if_nothing_had_happened(tmp_path, uninterrupted):
    path = tmp_path / "run.npz"
    code = KILLED.format(folder=str(Path(__file__).parent), path=str(path))
    done = subprocess.run(
        [sys.executable, "-c", code], env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"}, capture_output=True
    )
    assert done.returncode == -signal.SIGKILL, done.stderr.decode()[-2000:]
    assert len(restore(path, tiny())) == 6, "the seventh step was done, but not saved"
    np.testing.assert_allclose(train(tiny(), batches(), STEPS, checkpoint=path), uninterrupted, rtol=1e-5)


def test_a_kill_while_saving_leaves_the_old_snapshot(tmp_path, monkeypatch):
    path, model = tmp_path / "run.npz", tiny()
    save(path, model, [1.0])

    def dies(file, **arrays):
        file.write(b"half")
        raise KeyboardInterrupt

    monkeypatch.setattr(np, "savez", dies)
    with pytest.raises(KeyboardInterrupt):
        save(path, model, [1.0, 2.0])
    assert restore(path, model) == [1.0]


def test_an_interrupt_saves_and_says_so(tmp_path, capsys):
    path = tmp_path / "run.npz"

    def batch(step):
        if step == 2:
            raise KeyboardInterrupt
        return batches()(step)

    with pytest.raises(KeyboardInterrupt):
        train(tiny(), batch, STEPS, checkpoint=path)
    assert "Interrupted after step 2; saved" in capsys.readouterr().out
    assert len(restore(path, tiny())) == 2


def test_a_snapshot_of_another_model_is_refused_and_nothing_is_loaded(tmp_path):
    path, other = tmp_path / "run.npz", tiny(hidden_dim=12)
    save(path, tiny(), [])
    before = other.get_weights()
    with pytest.raises(CourseError, match="another model or optimiser: .* first .*8.* in the file, .*12"):
        train(other, batches(), STEPS, checkpoint=path)
    for old, new in zip(before, other.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)
    plain = tiny()
    plain.compile("sgd", masked_loss)
    with pytest.raises(CourseError, match="missing"):
        restore(path, plain)


@pytest.mark.parametrize("damage", [lambda b: b[: len(b) // 2], lambda b: b"", lambda b: b"text", lambda b: b[:-1]])
def test_a_damaged_snapshot_is_refused(tmp_path, damage):
    path, model = tmp_path / "run.npz", tiny()
    save(path, model, [1.0])
    path.write_bytes(damage(path.read_bytes()))
    language.use("zh")
    with pytest.raises(CourseError, match="不是完整的训练快照"):
        restore(path, model)


def test_no_number_stops_the_run():
    model = tiny()
    model.set_weights([w * np.nan for w in model.get_weights()])
    with pytest.raises(CourseError, match="The loss became nan at step 0"):
        train(model, batches(), STEPS)


def test_what_does_not_fit_is_refused_in_a_sentence():
    with pytest.raises(CourseError, match="16 tokens, too few for windows of 16"):
        windows(np.arange(16), 16, 4)
    with pytest.raises(ValueError, match="only 16 positions"):
        train(tiny(), windows(np.arange(200), 32, 4), 1)


# ---- progress


def test_progress_measures_recent_speed_and_time_left():
    progress = Progress(100, start=40)
    progress._tokens = 5000
    assert progress.line(50, 2.5, since=10.0, first=45, counted=1000, now=20.0) == (
        "step 50 of 100 | loss 2.500 | 400 tokens/s | 1 min 40 s left"
    )
    language.use("zh")
    assert "还需 1 分 40 秒" in progress.line(50, 2.5, since=10.0, first=45, counted=1000, now=20.0)


def test_progress_is_one_line_in_a_terminal(capsys):
    progress = Progress(3)
    for step in range(1, 4):
        progress.show(step, 1.0, tokens=10)
    progress.close()
    printed = capsys.readouterr().out
    assert printed.count("\r") == 2 and printed.count("\n") == 1, "the first, the last; the one between came too soon"


def test_durations():
    assert [duration(s) for s in (0.4, 59.4, 61, 7300)] == ["0 s", "59 s", "1 min 1 s", "2 h 1 min"]


# ---- bits per byte


class Fixed(keras.Model):
    """Gives every token the same logits, whatever came before."""

    def __init__(self, logits):
        super().__init__()
        self.fixed = np.asarray(logits, "float32")

    def call(self, ids, training=None):
        return np.broadcast_to(self.fixed, (*ids.shape, len(self.fixed)))


@pytest.mark.parametrize("text", ["a", "short", "a text of several windows, " * 9, "中文也按字节算"])
def test_bits_of_a_model_without_context_are_a_sum(text):
    logits = RANDOM.normal(size=300) * 2
    bits = -(logits - np.log(np.exp(logits).sum())) / np.log(2)
    tokenizer = BytePairTokenizer([(ord("a"), ord(" "))])
    ids = tokenizer.encode(text)
    ours = bits_per_byte(Fixed(logits), tokenizer, [text, text], LENGTH, batch_size=3)
    assert ours == pytest.approx(bits[ids].sum() / len(text.encode()), rel=1e-5)


def test_every_token_is_scored_with_half_a_window_before_it():
    model, tokenizer = tiny(dropout=0), BytePairTokenizer()
    text = TEXT[:50]
    ids, total = [256, *text.encode()], 0.0
    for t in range(1, len(ids)):
        start = 0 if t <= LENGTH else (t - LENGTH + LENGTH // 2 - 1) // (LENGTH // 2) * (LENGTH // 2)
        assert t - start >= min(t, LENGTH // 2)
        piece = np.pad(ids[start:t], (0, LENGTH - (t - start)))  # what is later changes nothing
        logits = numpy(model(piece[None]))[0, t - start - 1].astype("float64")
        total += np.log2(np.exp(logits).sum()) - logits[ids[t]] / np.log(2)
    assert bits_per_byte(model, tokenizer, [text], LENGTH) == pytest.approx(total / 50, rel=1e-5)


def test_bad_texts_and_vocabularies_are_refused():
    with pytest.raises(CourseError, match="no text"):
        bits_per_byte(tiny(), BytePairTokenizer(), [""], LENGTH)
    with pytest.raises(CourseError, match="258 tokens, the model knows 257"):
        bits_per_byte(tiny(), BytePairTokenizer([(97, 98)]), ["text"], LENGTH)


# ---- recordings


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setattr(recordings, "FOLDER", tmp_path)
    return tmp_path


def test_a_recording_comes_back(folder):
    model = tiny()
    recordings.record("run", model, 61.2, {"seed": 7, "held_out": ["中"]}, losses=np.arange(3, dtype="float32"))
    recording = recordings.load("run")
    assert recording.facts["seed"] == 7 and recording.facts["held_out"] == ["中"] and recording.facts["seconds"] == 61
    assert {"date", "machine", "versions", "commit"} <= recording.facts.keys()
    np.testing.assert_array_equal(recording.arrays["losses"], [0, 1, 2])
    other = tiny()
    other.set_weights([w * 0 for w in other.get_weights()])
    recording.fill(other)
    for ours, theirs in zip(other.get_weights(), model.get_weights(), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-3, atol=1e-6)
    assert "1 min 1 s" in recording.origin() and recording.facts["date"] in recording.origin()
    assert [p.name for p in folder.iterdir()] == ["run.npz"]


def test_recordings_that_cannot_be_used_are_refused(folder, monkeypatch):
    recordings.record("run", tiny(), 1, {})
    with pytest.raises(CourseError, match="Make the model with the recorded sizes"):
        recordings.load("run").fill(tiny(hidden_dim=12))
    with pytest.raises(CourseError, match="no recording 'walk'; there are: run"):
        recordings.load("walk")
    (folder / "run.npz").write_bytes((folder / "run.npz").read_bytes()[:500])
    with pytest.raises(CourseError, match=r"run\.npz is damaged"):
        recordings.load("run")
    monkeypatch.setattr(recordings, "LARGEST", 100)
    with pytest.raises(CourseError, match="at most"):
        recordings.record("large", tiny(), 1, {})
    assert not (folder / "large.npz").exists() and not (folder / "unfinished.npz").exists()


def test_every_recording_of_the_course_can_be_read():
    root = Path(__file__).resolve().parents[1]
    for path in recordings.FOLDER.glob("*.npz"):
        recording = recordings.load(path.stem)
        assert recording.weights and all(np.isfinite(w).all() for w in recording.weights)
        assert recording.origin() and json.dumps(recording.facts)
        assert (root / "recordings" / path.with_suffix(".py").name).is_file(), "the script that made it"
