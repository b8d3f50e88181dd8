"""GPT-2 and BERT by Hugging Face's own code, tiny and with random weights: outputs and gradients, live or as recorded beside this file.

    pip install -c constraints.txt -e ".[authority]"
    python tests/authorities/hugging_face_models.py     # writes hugging_face_models.npz

Seeds: weights 0, ids and directions 1.
"""

import json
from importlib.util import find_spec
from pathlib import Path

import numpy as np

RECORD = Path(__file__).with_suffix(".npz")
LIVE = all(find_spec(name) for name in ("torch", "transformers"))
SOURCE = "live" if LIVE else "recorded"
GPT2 = {"model_type": "gpt2", "activation_function": "gelu_new"}
BERT = {"model_type": "bert", "hidden_dropout_prob": 0.1, "type_vocab_size": 2}
CONFIGS = {
    "gpt2": GPT2 | {"vocab_size": 31, "n_positions": 12, "n_embd": 12, "n_layer": 2, "n_head": 3, "n_inner": None},
    "gpt2, one head, long": GPT2 | {"vocab_size": 17, "n_positions": 160, "n_embd": 6, "n_layer": 1, "n_head": 1, "n_inner": 20},
    "bert": BERT | {"vocab_size": 31, "hidden_size": 12, "num_hidden_layers": 2, "num_attention_heads": 3, "intermediate_size": 30,
                    "max_position_embeddings": 12, "hidden_act": "gelu"},
    "bert, one head, long": BERT | {"vocab_size": 17, "hidden_size": 6, "num_hidden_layers": 1, "num_attention_heads": 1,
                                    "intermediate_size": 20, "max_position_embeddings": 160, "hidden_act": "gelu_new"},
}  # fmt: skip


def compute(name: str) -> dict:
    """Run Hugging Face's model: config, ids and mask (batch, time), direction and logits (batch, time, vocabulary), tensors, gradients.

    The gradients are of the sum of logits · direction, which is 0 at padding, by tensor name.
    """
    import torch
    from transformers import BertConfig, BertForMaskedLM, GPT2Config, GPT2LMHeadModel

    config = CONFIGS[name]
    kinds = {"gpt2": (GPT2Config, GPT2LMHeadModel), "bert": (BertConfig, BertForMaskedLM)}
    make_config, make_model = kinds[config["model_type"]]
    # with a padding token, PyTorch's embedding would keep that row's gradient at zero
    model = make_model(make_config(**config, bos_token_id=0, eos_token_id=0, pad_token_id=None)).eval()
    weights, random = np.random.default_rng(0), np.random.default_rng(1)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(torch.tensor(weights.normal(size=parameter.shape, scale=0.3)))
    time = config.get("n_positions") or config["max_position_embeddings"]
    ids = random.integers(0, config["vocab_size"], (3, time)).astype("int32")
    mask = (np.arange(time) < np.array([[time], [time // 2], [1]])).astype("int32")
    direction = (random.normal(size=(3, time, config["vocab_size"])) * mask[:, :, None]).astype("float32")
    logits = model(torch.tensor(ids).long(), attention_mask=torch.tensor(mask)).logits
    (logits * torch.tensor(direction)).sum().backward()
    parameters = dict(model.named_parameters())
    return {
        "config": config, "ids": ids, "mask": mask, "direction": direction, "logits": logits.detach().numpy(),
        "tensors": {key: value.detach().numpy() for key, value in parameters.items()},
        "gradients": {key: value.grad.numpy() for key, value in parameters.items()},
    }  # fmt: skip


def recorded(name: str) -> dict:
    """What `compute` gave when it was recorded."""
    case = {"tensors": {}, "gradients": {}}
    with np.load(RECORD) as file:
        for key in file.files:
            who, what, *tensor = key.split("|")
            if who == name:
                if tensor:
                    case[what][tensor[0]] = file[key]
                else:
                    case[what] = file[key]
    return case | {"config": json.loads(str(case["config"]))}


def load(name: str) -> dict:
    return compute(name) if LIVE else recorded(name)


if __name__ == "__main__":
    flat = {}
    for name in CONFIGS:
        for what, value in compute(name).items():
            if what in ("tensors", "gradients"):
                flat |= {f"{name}|{what}|{key}": tensor for key, tensor in value.items()}
            else:
                flat[f"{name}|{what}"] = json.dumps(value) if what == "config" else value
    np.savez_compressed(RECORD, **flat)
    print(f"{RECORD.name}: {RECORD.stat().st_size:,} bytes")
