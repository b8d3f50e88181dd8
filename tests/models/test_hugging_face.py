"""GPT and BERT against Hugging Face's code with the same weights: live where PyTorch is installed, else as recorded (the ids say which)."""

import sys
from pathlib import Path

import numpy as np
import pytest
from keras import ops

from lmcourse.language import CourseError
from lmcourse.models import bert as berts
from lmcourse.models import hugging_face

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "authorities"))
import hugging_face_models as authority

CASES = pytest.mark.parametrize(
    "name",
    [name for name in authority.CONFIGS if not name.startswith("llama")],
    ids=lambda name: f"{name} ({authority.SOURCE})",
)


def ours(case, path):
    """Our model from a folder, how to call it for logits everywhere, and its table of names."""
    time = case["ids"].shape[1]
    places = np.tile(np.arange(time, dtype="int32"), (3, 1))
    if case["config"]["model_type"] == "gpt2":
        model = hugging_face.gpt2(authority.folder(case, path))
        names = hugging_face.gpt2_names(case["config"]["n_layer"])
        return model, lambda ids, mask: model(ids, padding_mask=mask), names, "transformer."
    model = hugging_face.bert(authority.folder(case, path), berts.masked_language_model)
    names = hugging_face.bert_names(case["config"]["num_hidden_layers"])
    return (
        model,
        lambda ids, mask: model({"token_ids": ids, "padding_mask": mask, "mask_positions": places}),
        names,
        "bert.",
    )


@CASES
def test_logits_and_gradients_are_theirs(name, tmp_path):
    import tensorflow as tf

    case = authority.load(name)
    model, call, names, prefix = ours(case, tmp_path)
    with tf.GradientTape() as tape:
        logits = call(case["ids"], case["mask"])
        loss = tf.reduce_sum(logits * case["direction"])
    token = case["mask"].astype(bool)
    scale = np.abs(case["logits"]).max()
    np.testing.assert_allclose(
        ops.convert_to_numpy(logits)[token] / scale, case["logits"][token] / scale, rtol=0, atol=1e-5
    )
    gradients = {key.removeprefix(prefix): value for key, value in case["gradients"].items()}
    for weight, mine in zip(model.trainable_weights, tape.gradient(loss, model.trainable_weights), strict=True):
        source, change = names[weight.path]
        theirs = change(gradients[source])
        mine = ops.convert_to_numpy(tf.convert_to_tensor(mine))
        bound = 1e-4 * max(np.abs(theirs).max(), 1e-2 * scale)  # a key's bias has no gradient but rounding
        np.testing.assert_allclose(mine, theirs, rtol=0, atol=bound, err_msg=weight.path)


@CASES
def test_padding_is_not_seen(name, tmp_path):
    case = authority.load(name)
    _, call, _, _ = ours(case, tmp_path)
    token = case["mask"].astype(bool)
    other = np.where(token, case["ids"], (case["ids"] + 1) % case["config"]["vocab_size"]).astype("int32")
    before, after = (ops.convert_to_numpy(call(ids, case["mask"])) for ids in (case["ids"], other))
    np.testing.assert_allclose(after[token], before[token], rtol=0, atol=1e-5 * np.abs(before).max())


@CASES
def test_who_sees_the_future(name, tmp_path):
    case = authority.load(name)
    _, call, _, _ = ours(case, tmp_path)
    time, full = case["ids"].shape[1], np.ones_like(case["mask"])
    other = case["ids"].copy()
    other[:, time // 2] = (other[:, time // 2] + 1) % case["config"]["vocab_size"]
    moved = np.abs(ops.convert_to_numpy(call(other, full)) - ops.convert_to_numpy(call(case["ids"], full))).max(
        axis=(0, 2)
    )
    past = moved[: time // 2] > 1e-6
    assert not past.any() if case["config"]["model_type"] == "gpt2" else past.all()
    assert (moved[time // 2 :] > 1e-6).all()


@pytest.mark.skipif(
    not authority.LIVE, reason="torch and transformers are not installed; what was recorded is compared above"
)
@pytest.mark.parametrize("name", authority.CONFIGS)
def test_the_record_is_what_hugging_face_says(name):
    live, kept = authority.live()[name], authority.read()[name]
    assert live["config"] == kept["config"]
    np.testing.assert_allclose(live["logits"], kept["logits"], rtol=0, atol=1e-4)
    assert all((live["tensors"][key] == kept["tensors"][key]).all() for key in live["tensors"])


def test_another_architecture_is_refused(tmp_path):
    case = authority.read()["gpt2"]
    with pytest.raises(CourseError, match="model_type = 'gpt2', but only bert"):
        hugging_face.bert(authority.folder(case, tmp_path))


def test_a_vocabulary_of_another_size_is_named(tmp_path):
    case = authority.read()["bert"]
    case["config"]["vocab_size"] = 40
    with pytest.raises(CourseError, match=r"word_embeddings.weight \(31, 12\) ≠ token_embedding/embeddings \(40, 12\)"):
        hugging_face.bert(authority.folder(case, tmp_path))
