"""BERT's shapes, count, attention and refusals; what it computes is compared in test_hugging_face."""

import numpy as np
import pytest
from keras import ops

from lmcourse.models import bert as berts
from lmcourse.models.inspection import shapes_only

IDS = np.random.default_rng(0).integers(0, 20, (2, 7)).astype("int32")
MASK = np.array([[1] * 7, [1] * 4 + [0] * 3], "int32")


def tiny(**more):
    return berts.BERT(20, 2, 2, 8, 16, max_sequence_length=7, **more)


def test_the_published_count():
    model = shapes_only(lambda: berts.pooled(berts.BERT(30522, 12, 12, 768, 3072)))
    assert model.count_params() == 109_482_240


def test_attention_scores_are_averages_that_skip_padding():
    scores = ops.convert_to_numpy(tiny().attention_scores(IDS, MASK))
    assert scores.shape == (2, 2, 2, 7, 7)  # layers, batch, heads, queries, keys
    np.testing.assert_allclose(scores.sum(-1), 1, rtol=1e-5)
    assert (scores[:, 1, ..., 4:] == 0).all()


def test_a_mask_position_asks_only_there():
    model = berts.masked_language_model(tiny())
    everywhere = model({"token_ids": IDS, "padding_mask": MASK, "mask_positions": np.tile(np.arange(7), (2, 1))})
    asked = model({"token_ids": IDS, "padding_mask": MASK, "mask_positions": np.array([[3, 3], [0, 2]])})
    expected = np.stack([ops.convert_to_numpy(everywhere)[0, [3, 3]], ops.convert_to_numpy(everywhere)[1, [0, 2]]])
    np.testing.assert_allclose(ops.convert_to_numpy(asked), expected, rtol=1e-5, atol=1e-6)


def test_heads_train_the_encoder_and_share_its_table():
    encoder = tiny()
    masked, classes = berts.masked_language_model(encoder), berts.classifier(encoder, 3)
    assert classes({"token_ids": IDS, "padding_mask": MASK}).shape == (2, 3)
    shared = {id(v) for v in encoder.trainable_variables}
    assert all(shared <= {id(v) for v in head.trainable_variables} for head in (masked, classes))
    assert not [w for w in masked.trainable_variables if tuple(w.shape) in ((8, 20), (20, 8)) and id(w) not in shared]


def test_a_reader_reads_where_it_is_told():
    encoder = tiny()
    model, x = berts.reader(encoder, 3), ops.convert_to_numpy(encoder(IDS, padding_mask=MASK))
    kernel, bias = model.get_layer("classes").get_weights()
    for weights in (np.eye(1, 7).repeat(2, axis=0), MASK / MASK.sum(1, keepdims=True)):
        logits = model({"token_ids": IDS, "padding_mask": MASK, "weights": weights.astype("float32")})
        expected = np.einsum("bt,btd->bd", weights, x) @ kernel + bias
        np.testing.assert_allclose(ops.convert_to_numpy(logits), expected, rtol=1e-4, atol=1e-6)
    names = [w.path for w in model.weights[: len(encoder.weights)]]
    assert names == [w.path for w in encoder.weights], "the encoder's weights come first"


def test_segments_matter():
    model = tiny()
    plain, other = model(IDS), model(IDS, segment_ids=np.ones_like(IDS))
    assert np.abs(ops.convert_to_numpy(plain) - ops.convert_to_numpy(other)).max() > 1e-3


def test_a_text_that_is_too_long_is_refused():
    with pytest.raises(ValueError, match="8 tokens, but only 7 positions"):
        tiny()(np.zeros((1, 8), "int32"))
