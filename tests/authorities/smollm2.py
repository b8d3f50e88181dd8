"""SmolLM2 and MiniLM run by transformers and sentence-transformers, from the same files as ours.

    python tests/authorities/smollm2.py       # writes smollm2.npz beside itself, which the tests read where PyTorch is missing

PyTorch and TensorFlow stay in processes of their own: the live test runs this file and reads what it writes.
"""

import json
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from lmcourse.data import weights

RECORD = Path(__file__).with_suffix(".npz")
LIVE = all(find_spec(name) for name in ("accelerate", "gguf", "sentence_transformers", "torch", "transformers"))
NEW = 64
EVERY = 16  # of the logits, so many are kept
PROMPTS = [
    "The capital of France is",
    "Once upon a time, a small robot",
    "def fibonacci(n):\n",
    "Water boils at",
    "The three primary colours are",
    "In 1969, people first",
    "Dear Sir or Madam,\n\nI am writing to",
    "Photosynthesis is the process by which",
    "Question: what is 12 + 30?\nAnswer:",
    "今天天气很好，",
    "import numpy as np\n\nx = ",
    "<|im_start|>user\nWhat is the capital of Italy?<|im_end|>\n<|im_start|>assistant\n",
]
TEXTS = [
    "", " ", "\n\n  \n", "Hello, world!", "I'm sure they've 1,234.5 reasons", "12 + 30 = 42", "a  b   c\td",
    "大模型的分词器把文字切成词元。", "繁體字與 English 混排，２０２６年", "🙂👩‍👩‍👧 🇨🇳 é é", "Straße, naïve, Ελληνικά, русский, العربية",
    "def f(x):\n    return x**2  # 平方\n", "for (int i = 0; i < 10; ++i) { a[i] += 0x1F; }", "x" * 50,
    "<|im_start|>user\nHi<|im_end|>", "<|endoftext|> and <repo_name> and <|im_end", "https://example.org/a?b=c&d=1#e",
]  # fmt: skip
CHATS = [
    [{"role": "user", "content": "Hello!"}],
    [{"role": "system", "content": "Answer in one word."}, {"role": "user", "content": "你好吗？"}],
    [
        {"role": "user", "content": "What is 2 + 2?"},
        {"role": "assistant", "content": "4"},
        {"role": "user", "content": "  Sure?\n\n"},
    ],
]
SENTENCES = [
    "A man is eating food.", "", "Ein Mann isst gerade etwas Süßes.", "The quick brown fox jumps. " * 100, "x",
    "Someone has a meal.", "12 + 30 = 42 🙂", "你好，世界！", "   ", "A sentence of some more words, so that lengths differ in a batch.",
]  # fmt: skip


def compute() -> dict:
    """Everything that is compared, as arrays and texts."""
    import torch
    from sentence_transformers import SentenceTransformer
    from transformers import AutoModelForCausalLM, AutoTokenizer

    path = weights.smollm2()
    where = {"pretrained_model_name_or_path": str(path.parent), "gguf_file": path.name}
    tokenizer = AutoTokenizer.from_pretrained(**where)
    model = AutoModelForCausalLM.from_pretrained(**where, dtype=torch.float32).eval()
    prompts = [tokenizer(prompt)["input_ids"] for prompt in PROMPTS]
    width = max(map(len, prompts))
    padded = torch.tensor([[0] * (width - len(ids)) + ids for ids in prompts])
    mask = torch.tensor([[0] * (width - len(ids)) + [1] * len(ids) for ids in prompts])
    model.generation_config.eos_token_id = None  # all 64 tokens, whatever they are
    with torch.no_grad():
        continued = model.generate(
            padded, attention_mask=mask, max_new_tokens=NEW, min_new_tokens=NEW, do_sample=False, pad_token_id=0
        )
        logits = [model(torch.tensor([ids])).logits[0, -1, ::EVERY].numpy() for ids in prompts]
    encoder = SentenceTransformer(str(weights.minilm()), device="cpu")
    said = {
        "prompts": prompts,
        "texts": [tokenizer(text)["input_ids"] for text in TEXTS],
        "chats": [
            list(tokenizer.apply_chat_template(chat, add_generation_prompt=True, return_dict=True)["input_ids"])
            for chat in CHATS
        ],
    }
    return {
        "said": json.dumps(said),
        "continued": continued[:, width:].numpy().astype("int32"),
        "logits": np.stack(logits),
        "vectors": encoder.encode(SENTENCES),
    }


def load(path: Path = RECORD) -> dict:
    """What `compute` gave: a dictionary of ids and arrays."""
    with np.load(path) as file:
        arrays = {name: file[name] for name in ("continued", "logits", "vectors")}
        return json.loads(str(file["said"])) | arrays


if __name__ == "__main__":
    path = Path(sys.argv[1]) if sys.argv[1:] else RECORD
    np.savez_compressed(path, **compute())
    print(f"{path.name}: {path.stat().st_size:,} bytes")
