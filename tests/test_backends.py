"""Our models run on whatever Keras runs on: with the same weights JAX writes the same tokens as TensorFlow, compiled and cached."""

import importlib.util
import os
import subprocess
import sys

import pytest

WRITE = """
import numpy as np
from lmcourse import device
device.find()
from lmcourse.generation import Generator
from lmcourse.models.bert import BERT
from lmcourse.models.gpt import GPT
from lmcourse.models.llama import Llama
from lmcourse.models.stacked import StackedLlama

random = np.random.default_rng(0)
ids = random.integers(0, 50, (2, 9))
sizes = dict(vocabulary_size=50, num_layers=2, num_heads=4, hidden_dim=16, intermediate_dim=24, max_sequence_length=64)
llama = sizes | {"num_key_value_heads": 2}

def filled(model):
    model(ids)
    for weight in model.weights:
        if "seed_generator" not in weight.path:
            weight.assign(random.normal(size=weight.shape))
    return model

def read(shapes):
    return {name: lambda shape=shape: random.normal(size=shape).astype("float32") for name, shape in shapes.items()}

for model in (filled(GPT(**sizes)), filled(Llama(**llama)), StackedLlama(read, **llama)):
    print(Generator(model).generate(ids.tolist(), 12), Generator(model).generate(ids.tolist(), 12, temperature=0.8, seed=1))
print(np.round(np.array(filled(BERT(**sizes))(ids)), 3)[0, 0])
"""


def written_with(backend: str) -> list[str]:
    environment = os.environ | {"KERAS_BACKEND": backend, "LMCOURSE_DEVICE": "cpu"}
    done = subprocess.run([sys.executable, "-c", WRITE], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout.splitlines()


@pytest.mark.skipif(importlib.util.find_spec("jax") is None, reason="JAX is missing: .ci/run installs it")
def test_jax_writes_what_tensorflow_writes():
    ours, theirs = written_with("tensorflow"), written_with("jax")
    assert len(ours) >= 4
    assert theirs == ours
