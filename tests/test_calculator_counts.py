"""The calculator's formulas against Keras: its own layers, its applications, Keras Hub's models (recorded, or live if installed), and
Hugging Face's models where they are installed."""

import json
import os
import subprocess
import sys
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from lmcourse.models.inspection import kept_for_backward, matrix_products, shapes_only
from lmcourse.widgets import model_sizes as sizes
from lmcourse.widgets import presets

AUTHORITY = Path(__file__).parent / "authorities/keras_hub_counts.json"
RECORDED = json.loads(AUTHORITY.read_text(encoding="utf-8"))["counts"]
OWN = {
    "a small GPT": sizes.Shape(5, 120, 6, 6, 20, 200, 777, 99, bias=True, norm=2),
    "a small BERT": sizes.Shape(3, 96, 4, 4, 24, 384, 1234, 70, bias=True, norm=2, logits=False, token_types=2,
                                embedding_norm=True, pooler=True, final_norm=False),
    "ViT-L/32 on 384 pixels": presets.vit(24, 1024, 16, 32, 384, 21),
    "a narrow llama": presets.llama(7, 60, 6, 2, 111, 999),
    "an untied llama": presets.llama(3, 64, 4, 1, 200, 333, tied=False),
    "a small mixture": presets.llama(2, 48, 4, 2, 100, 512, tied=False, experts=5, active=2),
}  # fmt: skip
SHAPES = {preset.name: preset.shape for preset in presets.PRESETS} | OWN


def test_every_preset_has_an_authority():
    assert SHAPES.keys() == RECORDED.keys()


@pytest.mark.parametrize("name", SHAPES)
def test_parameters_equal_keras_hub(name):
    assert sizes.total(SHAPES[name]) == RECORDED[name]


@pytest.mark.skipif(
    find_spec("keras_hub") is None, reason="keras-hub is not installed; its recorded counts are compared above"
)
def test_the_record_is_up_to_date():
    sys.path.insert(0, str(AUTHORITY.parent))
    import keras_hub_counts

    assert {name: keras_hub_counts.count(name) for name in keras_hub_counts.MODELS} == RECORDED


@pytest.mark.skipif(
    not (find_spec("transformers") and find_spec("torch")), reason="transformers or PyTorch is not installed"
)
def test_presets_equal_hugging_face():
    script = AUTHORITY.with_name("transformers_counts.py")
    done = subprocess.run([sys.executable, script], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    counted = json.loads(done.stdout.splitlines()[-1])
    assert counted == {preset.name: sizes.total(preset.shape) for preset in presets.PRESETS}


def test_published_figures():
    published = {
        "GPT-2 small": 124_439_808,
        "BERT-base": 109_482_240,
        "ViT-B/16": 86_567_656,
        "SmolLM2-135M": 134_515_008,
    }
    assert {name: sizes.total(SHAPES[name]) for name in published} == published
    mixtral = SHAPES["Mixtral 8x7B"]
    assert (
        round(sizes.total(mixtral) / 1e9, 1) == 46.7 and round(sizes.active(mixtral) / 1e9, 1) == 12.9
    )  # Mistral AI, December 2023
    # Brown et al., 2020, appendix D: 3.14e23 operations, without attention over the context
    gpt3 = SHAPES["GPT-3"]
    assert sizes.rule_of_thumb(gpt3) * 300e9 == pytest.approx(3.14e23, rel=0.01)
    assert sizes.training_flops(gpt3, 2048) * 300e9 == pytest.approx(3.14e23, rel=0.05)


# ---- a transformer of Keras's own layers, whatever its shape


def transformer(s, context, activation="silu"):
    """A transformer of shape `s` in Keras's layers: rotary positions and routing left out, since they have no further parameters."""
    import keras

    layers, ops = keras.layers, keras.ops

    def norm(x):
        return layers.LayerNormalization()(x) if s.norm == 2 else layers.RMSNormalization()(x)

    def feed_forward(x):
        up = layers.Dense(s.hidden, use_bias=s.bias, activation=None if s.gated else activation)(x)
        if s.gated:
            up = layers.Dense(s.hidden, use_bias=s.bias, activation=activation)(x) * up
        return layers.Dense(s.width, use_bias=s.bias)(up)

    ids = keras.Input((context,), dtype="int32")
    embedding = layers.ReversibleEmbedding(s.vocabulary, s.width, tie_weights=s.tied)
    x = embedding(ids)
    if s.positions:
        x = x + layers.Embedding(s.positions, s.width)(ops.zeros_like(ids) + ops.arange(context))
    for _ in range(s.layers):
        y = norm(x)
        attend = layers.GroupQueryAttention(s.head_dim, s.heads, s.kv_heads, use_bias=s.bias)
        x = x + attend(y, y, use_causal_mask=True)
        y = norm(x)
        if s.experts > 1:
            gate = ops.softmax(layers.Dense(s.experts, use_bias=False)(y))  # (batch, time, experts)
            x = x + sum(gate[..., i : i + 1] * feed_forward(y) for i in range(s.experts))
        else:
            x = x + feed_forward(y)
    return keras.Model(ids, embedding(norm(x), reverse=True))


def random_shape(seed):
    random = np.random.default_rng(seed)
    kv_heads, group, head_dim = random.integers(1, 5), random.integers(1, 4), random.integers(2, 9) * 2
    heads = kv_heads * group
    gated, tied, bias = random.random(3) < 0.5
    experts = int(random.choice([1, 1, 4]))
    return sizes.Shape(
        int(random.integers(1, 5)), int(random.integers(3, 40)) * 2, int(heads), int(kv_heads), int(head_dim), int(random.integers(5, 200)),
        int(random.integers(10, 500)), int(random.choice([0, 16])), bool(gated), bool(bias) and experts == 1, int(random.integers(1, 3)),
        bool(tied), experts=experts, active=min(2, experts),
    )  # fmt: skip


@pytest.mark.parametrize("seed", range(12))
def test_parameters_equal_keras_layers(seed):
    shape = random_shape(seed)
    assert sizes.total(shape) == shapes_only(lambda: transformer(shape, 16)).count_params(), shape


def test_what_has_only_shapes_never_takes_memory():
    import keras

    model = shapes_only(lambda: transformer(SHAPES["GPT-3"], 16))  # 700 GB, if it had values
    other = keras.Sequential(
        [keras.Input((2,)), keras.layers.Dense(3)]
    )  # Keras fills what it has put off when a model is built
    assert other(np.ones((1, 2))).shape == (1, 3)
    assert all(weight._value is None for weight in model.weights)


def test_resnet50_has_three_counts():
    import keras

    model = shapes_only(lambda: keras.applications.ResNet50(weights=None))
    trainable = sum(int(np.prod(w.shape)) for w in model.trainable_weights)
    biases = sum(int(np.prod(layer.bias.shape)) for layer in model.layers if isinstance(layer, keras.layers.Conv2D))
    assert (model.count_params(), trainable, biases, trainable - biases) == (25_636_712, 25_583_592, 26_560, 25_557_032)


# ---- memory

SMALL = {
    "GPT": sizes.Shape(6, 256, 4, 4, 64, 1024, 500, 512, bias=True, norm=2),
    "Llama": sizes.Shape(8, 192, 6, 2, 32, 512, 300, gated=True),
}


@contextmanager
def policy(name):
    """A global dtype policy for the length of a block."""
    import keras

    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(name)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)


@pytest.mark.parametrize("precision", sizes.TRAINING)
@pytest.mark.parametrize("name", SMALL)
def test_weights_gradients_and_adam_are_exact(name, precision):
    import keras
    import tensorflow as tf

    with policy(precision):
        model = transformer(SMALL[name], 8)
        optimizer = keras.optimizers.Adam()
        optimizer.build(model.trainable_variables)
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(tf.cast(model(np.zeros((1, 8), "int32")), "float32"))
        gradients = [tf.convert_to_tensor(g) for g in tape.gradient(loss, [v.value for v in model.trainable_variables])]
    slots = [v for v in optimizer.variables if len(v.shape)]  # two numbers besides: the step and the learning rate
    predicted = sizes.training_memory(SMALL[name], 8, 1, precision)
    assert [predicted[kind] for kind in ("weights", "gradients", "adam")] == [
        sum(int(np.prod(t.shape)) * tf.as_dtype(t.dtype).size for t in tensors)
        for tensors in (model.weights, gradients, slots)
    ]


def test_the_cache_is_exact():
    import keras

    shape, batch, context = SMALL["Llama"], 3, 40
    keys = keras.layers.Dense(shape.kv_heads * shape.head_dim)(np.zeros((batch, context, shape.width), "float32"))
    measured = 2 * shape.layers * int(np.prod(keys.shape)) * 4
    assert sizes.serving_memory(shape, context, batch, "float32")["cache"] == measured


def test_activations_equal_the_published_formula():
    """Korthikanti et al., 2022: 34 bytes per token and feature and 5 per attention weight, in 16 bits, with dropout.

    Without dropout's masks and outputs it is 32 and 2; Keras's norms keep two values more each block than the fused ones counted there.
    """
    shape, context = presets.preset("GPT-3").shape, 2048
    blocks = sizes.kept_values(shape, context)[0] - 3 * shape.width
    assert 2 * blocks == shape.layers * ((32 + 4) * shape.width + 2 * shape.heads * context)


PLACES = [("GPT", 256, 8), ("GPT", 64, 32), ("GPT", 512, 3), ("Llama", 128, 16)]


@pytest.mark.parametrize("place", PLACES, ids=str)
def test_activations_are_near_what_the_graph_keeps(place):
    """Measured: the bytes that the backward part of TensorFlow's graph reads from the forward part (see `kept_for_backward`)."""
    name, context, batch = place
    predicted = sizes.training_memory(SMALL[name], context, batch)["activations"]
    assert predicted == pytest.approx(kept_for_backward(transformer(SMALL[name], context), batch, context), rel=0.25)


CHILD = """
import sys, runpy
import numpy as np
tests = runpy.run_path(sys.argv[1])
import keras, tensorflow as tf
tf.config.threading.set_inter_op_parallelism_threads(1)    # one operation after another: no luck in the order
name, context, batch = sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
model = tests["transformer"](tests["SMALL"][name], context)
crossentropy = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
@tf.function
def step(ids):
    with tf.GradientTape() as tape:
        loss = crossentropy(ids, model(ids))
    return tape.gradient(loss, model.trainable_variables)
step(tf.zeros((1, context), tf.int32))                     # traces, and fills every cache
peaks = []
for n in (batch, 3 * batch):                               # what does not grow with the batch falls out of the difference
    step(tf.zeros((n, context), tf.int32))
    status = open("/proc/self/status").read()              # getrusage's peak would begin at the parent's size
    peaks.append(int(status.split("VmHWM:")[1].split()[0]) * 1024)
print((peaks[1] - peaks[0]) // 2)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="peak resident memory is told in other units elsewhere")
@pytest.mark.parametrize("place", [("GPT", 256, 3)], ids=str)
def test_the_peak_of_a_process_is_the_activations_and_some_temporaries(place):
    """The rise of a fresh process's peak resident memory with the batch, with an allocator that returns what is freed.

    What the calculator leaves out, the temporaries of the layer at work, is a larger share the fewer layers there are: here a third.
    """
    environment = os.environ | {"MALLOC_MMAP_THRESHOLD_": "65536", "TF_CPP_MIN_LOG_LEVEL": "3"}
    command = [sys.executable, "-c", CHILD, __file__, *map(str, place)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    rise = int(done.stdout)
    name, context, batch = place
    predicted = sizes.training_memory(SMALL[name], context, batch)["activations"]
    assert predicted < rise < 1.5 * predicted


# ---- operations


@pytest.mark.parametrize("name", SMALL)
def test_operations_equal_the_matrix_products_in_the_graph(name):
    shape, context, batch = SMALL[name], 64, 2
    model = transformer(shape, context)
    assert matrix_products(model, batch, context) == sizes.forward_flops(shape, context) * batch * context
    assert (
        matrix_products(model, batch, context, training=True) == sizes.training_flops(shape, context) * batch * context
    )
