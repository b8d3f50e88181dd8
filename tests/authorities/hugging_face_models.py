"""GPT-2, BERT and Llama by Hugging Face's own code, tiny and with random weights: outputs and gradients, live or as recorded beside this file.

    pip install -c constraints.txt -e ".[authority]"
    python tests/authorities/hugging_face_models.py     # writes hugging_face_models.npz

Live, a process of its own computes them: PyTorch and TensorFlow in one process can bring each other down. Seeds: weights 0, ids and
directions 1.
"""

import json
import subprocess
import sys
import tempfile
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import numpy as np

RECORD = Path(__file__).with_suffix(".npz")
LIVE = all(find_spec(name) for name in ("torch", "transformers"))
SOURCE = "live" if LIVE else "recorded"
GPT2 = {"model_type": "gpt2", "activation_function": "gelu_new"}
BERT = {"model_type": "bert", "hidden_dropout_prob": 0.1, "type_vocab_size": 2}
LLAMA = {
    "model_type": "llama",
    "vocab_size": 31,
    "hidden_size": 24,
    "intermediate_size": 40,
    "num_hidden_layers": 2,
    "rms_norm_eps": 1e-4,
    "max_position_embeddings": 24,
    "rope_parameters": {"rope_type": "default", "rope_theta": 100_000.0},
}
CONFIGS = {
    "gpt2": GPT2 | {"vocab_size": 31, "n_positions": 12, "n_embd": 12, "n_layer": 2, "n_head": 3, "n_inner": None},
    "gpt2, one head, long": GPT2 | {"vocab_size": 17, "n_positions": 160, "n_embd": 6, "n_layer": 1, "n_head": 1, "n_inner": 20},
    "bert": BERT | {"vocab_size": 31, "hidden_size": 12, "num_hidden_layers": 2, "num_attention_heads": 3, "intermediate_size": 30,
                    "max_position_embeddings": 12, "hidden_act": "gelu"},
    "bert, one head, long": BERT | {"vocab_size": 17, "hidden_size": 6, "num_hidden_layers": 1, "num_attention_heads": 1,
                                    "intermediate_size": 20, "max_position_embeddings": 160, "hidden_act": "gelu_new"},
} | {
    f"llama, {heads} heads, {shared} shared, {'tied' if tied else 'untied'}": LLAMA | {
        "num_attention_heads": heads, "num_key_value_heads": shared, "tie_word_embeddings": tied}
    for heads, shared, tied in [(6, 6, True), (6, 3, True), (6, 2, False), (6, 1, True), (1, 1, False), (12, 4, True)]
}  # fmt: skip


def compute(name: str) -> dict:
    """Run Hugging Face's model: config, ids and mask (batch, time), direction and logits (batch, time, vocabulary), tensors, gradients.

    The gradients are of the sum of logits · direction, which is 0 at padding, by tensor name. Models of the next token also give greedy,
    (batch, time): the first five ids, continued.
    """
    import torch
    import transformers as hf

    config = CONFIGS[name]
    kinds = {
        "gpt2": (hf.GPT2Config, hf.GPT2LMHeadModel),
        "bert": (hf.BertConfig, hf.BertForMaskedLM),
        "llama": (hf.LlamaConfig, hf.LlamaForCausalLM),
    }
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
    greedy = {}
    if config["model_type"] != "bert":
        prompts, new = torch.tensor(ids[:, :5]).long(), time - 5
        kept = model.generate(
            prompts, max_new_tokens=new, do_sample=False, attention_mask=torch.ones_like(prompts), eos_token_id=None
        )
        greedy = {"greedy": kept.numpy().astype("int32")}
    return greedy | {
        "config": config, "ids": ids, "mask": mask, "direction": direction, "logits": logits.detach().numpy(),
        "tensors": {key: value.detach().numpy() for key, value in parameters.items()},
        "gradients": {key: value.grad.numpy() for key, value in parameters.items()},
    }  # fmt: skip


def write(path: Path) -> None:
    """Compute every model and keep what came out."""
    flat = {}
    for name in CONFIGS:
        for what, value in compute(name).items():
            if what in ("tensors", "gradients"):
                flat |= {f"{name}|{what}|{key}": tensor for key, tensor in value.items()}
            else:
                flat[f"{name}|{what}"] = json.dumps(value) if what == "config" else value
    np.savez_compressed(path, **flat)


@cache
def live() -> dict:
    """All models, computed now."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "live.npz"
        done = subprocess.run([sys.executable, __file__, path], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr[-3000:]
        return read(path)


def read(path: Path = RECORD) -> dict:
    """name → what `compute` gave when it was written."""
    cases = {}
    with np.load(path) as file:
        for key in file.files:
            name, what, *tensor = key.split("|")
            case = cases.setdefault(name, {"tensors": {}, "gradients": {}})
            if tensor:
                case[what][tensor[0]] = file[key]
            else:
                case[what] = json.loads(str(file[key])) if what == "config" else file[key]
    return cases


def load(name: str) -> dict:
    return (live() if LIVE else read())[name]


def folder(case: dict, path: Path) -> Path:
    """A Hugging Face folder with a case's configuration and tensors."""
    from safetensors.numpy import save_file

    (path / "config.json").write_text(json.dumps(case["config"]), encoding="utf-8")
    save_file(case["tensors"], path / "model.safetensors")
    return path


if __name__ == "__main__":
    write(Path(sys.argv[1]) if sys.argv[1:] else RECORD)
