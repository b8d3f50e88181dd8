"""SmolLM2 and MiniLM in our code beside transformers, llama.cpp and sentence-transformers, in one run:

    python benchmarks/pretrained.py           # the tables, as Markdown; some minutes

Each runs in a process of its own; what is compared is repeated by turns, and the best time counts. Memory is the resident peak of the
whole process. The limit is the bandwidth at which two threads sum a large array, over the bytes of weights that one token reads: all of
them. llama.cpp takes part where `llama-cpp-python` is installed; it is no dependency. Exit code 1 when a target is missed.
"""

import importlib.util
import json
import os
import resource
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np

PROMPT = [{"role": "user", "content": "Write a story about a cat and a lighthouse."}]
NEW, ROUNDS = 64, 3
SENTENCES = [f"The {animal} number {n} was seen near the old bridge, where the river is slow and wide." for n in range(8)
             for animal in ("heron", "otter", "fox", "owl")]  # fmt: skip
TIMES_TRANSFORMERS, SHARE_OF_LIMIT, MEMORY, TIMES_SENTENCE_TRANSFORMERS = 2.5, 0.5, 1.5e9, 1.0


def best(function, rounds: int = ROUNDS) -> float:
    """Seconds of the fastest of several calls, after one that warms up."""
    function()
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        function()
        times.append(time.perf_counter() - start)
    return min(times)


def chat_ids() -> list[int]:
    from lmcourse.models import smollm2

    return smollm2.chat_ids(smollm2.tokenizer(smollm2.read()), PROMPT)


def ours() -> dict:
    from lmcourse import device

    device.spare_memory()  # as lesson 3.5
    device.find()
    from lmcourse.generation import Generator
    from lmcourse.models import smollm2

    model, ids = smollm2.stacked(smollm2.read()), chat_ids()
    generator = Generator(model)
    start = time.perf_counter()
    generator.generate([ids], 1)
    begin = time.perf_counter() - start
    tokens = generator.generate([ids], NEW)[0]
    bytes_read = 4 * sum(int(np.prod(weight.shape)) for weight in model.weights)
    return {
        "seconds": best(lambda: generator.generate([ids], NEW)),
        "begin": begin,
        "tokens": tokens,
        "bytes": bytes_read,
    }


def _transformers(**more) -> dict:
    import torch
    from transformers import AutoModelForCausalLM

    from lmcourse.data import weights

    path = weights.smollm2()
    model = AutoModelForCausalLM.from_pretrained(path.parent, gguf_file=path.name, dtype=torch.float32).eval()
    model.generation_config.eos_token_id = None
    ids = torch.tensor([chat_ids()])

    def generate():
        with torch.no_grad():
            return model.generate(ids, max_new_tokens=NEW, do_sample=False, pad_token_id=0, **more)

    start = time.perf_counter()
    tokens = generate()[0, ids.shape[1] :].tolist()
    return {"begin": time.perf_counter() - start, "tokens": tokens, "seconds": best(generate)}


def transformers() -> dict:
    return _transformers()


def transformers_static() -> dict:
    return _transformers(cache_implementation="static")


def llama_cpp() -> dict:
    from llama_cpp import Llama

    from lmcourse.data import weights

    model, ids = Llama(str(weights.smollm2()), n_ctx=512, n_threads=2, verbose=False), chat_ids()

    def generate():
        model.reset()
        return [token for token, _ in zip(model.generate(ids, temp=0.0), range(NEW), strict=False)]

    return {"tokens": generate(), "begin": 0.0, "seconds": best(generate)}


def encoder() -> dict:
    from lmcourse.models.sentence_encoder import SentenceEncoder

    ours = SentenceEncoder()
    return {"one": best(lambda: ours.encode(SENTENCES[:1]), 20), "many": best(lambda: ours.encode(SENTENCES), 10)}


def sentence_transformers() -> dict:
    from sentence_transformers import SentenceTransformer

    from lmcourse.data import weights

    theirs = SentenceTransformer(str(weights.minilm()), device="cpu")
    return {"one": best(lambda: theirs.encode(SENTENCES[:1]), 20), "many": best(lambda: theirs.encode(SENTENCES), 10)}


def bandwidth() -> dict:
    """Bytes a second that two threads read from memory."""
    array = np.ones(2**27, "float32")
    halves = np.split(array, 2)
    with ThreadPoolExecutor(2) as pool:
        return {"bandwidth": array.nbytes / best(lambda: list(pool.map(np.max, halves)), 10)}


def in_a_process(name: str) -> dict:
    environment = os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3", "HF_HUB_DISABLE_PROGRESS_BARS": "1"}
    done = subprocess.run(
        [sys.executable, __file__, name], capture_output=True, text=True, env=environment, check=False
    )
    if done.returncode:
        raise SystemExit(f"{name}: {done.stderr[-2000:]}")
    return json.loads(done.stdout.splitlines()[-1])


def turns(names: list[str], times: tuple[str, ...], count: int = 2) -> dict[str, dict]:
    """Each program in its own process, one after the other, `count` times; of each time the best, of memory the worst."""
    found = {}
    for _ in range(count):
        for name in names:
            now = in_a_process(name)
            before = found.get(name, now)
            found[name] = now | {key: min(now[key], before[key]) for key in times}
            found[name]["peak"] = max(now["peak"], before["peak"])
    return found


def main() -> int:
    if any(importlib.util.find_spec(name) is None for name in ("transformers", "sentence_transformers")):
        print('not run: needs transformers and sentence-transformers: pip install -c constraints.txt -e ".[authority]"')
        return 0
    speed = in_a_process("bandwidth")["bandwidth"]
    programs = ["ours", "transformers", "transformers_static"]
    programs += ["llama_cpp"] if importlib.util.find_spec("llama_cpp") else []
    chat = turns(programs, ("seconds", "begin"))
    rate = {name: NEW / row["seconds"] for name, row in chat.items()}
    limit = speed / chat["ours"]["bytes"]
    print(
        f"SmolLM2-135M, {NEW} greedy tokens; memory {speed / 1e9:.1f} GB/s, so at most {limit:.0f} tokens/s in float32\n"
    )
    print(
        "| | tokens/s | times transformers | first call, s | peak MB | same tokens as ours |\n|---|---:|---:|---:|---:|---|"
    )
    for name, row in chat.items():
        same = "yes" if row["tokens"] == chat["ours"]["tokens"] else "no"
        times = rate[name] / rate["transformers"]
        print(f"| {name} | {rate[name]:.1f} | {times:.2f} | {row['begin']:.1f} | {row['peak'] / 1e6:.0f} | {same} |")
    texts = turns(["encoder", "sentence_transformers"], ("one", "many"))
    print("\nMiniLM, sentences a second\n\n| | batch 1 | batch 32 | peak MB |\n|---|---:|---:|---:|")
    for name, row in texts.items():
        many = len(SENTENCES) / row["many"]
        print(f"| {name} | {1 / row['one']:.0f} | {many:.0f} | {row['peak'] / 1e6:.0f} |")
    theirs, mine = texts["sentence_transformers"], texts["encoder"]
    targets = [
        ("times transformers", rate["ours"] / rate["transformers"], TIMES_TRANSFORMERS, 1),
        ("share of the bandwidth limit", rate["ours"] / limit, SHARE_OF_LIMIT, 1),
        ("peak MB of ours, at most", chat["ours"]["peak"] / 1e6, MEMORY / 1e6, -1),
        ("times sentence-transformers, batch 1", theirs["one"] / mine["one"], TIMES_SENTENCE_TRANSFORMERS, 1),
        ("times sentence-transformers, batch 32", theirs["many"] / mine["many"], TIMES_SENTENCE_TRANSFORMERS, 1),
    ]
    print("\n| target | reached | wanted | |\n|---|---:|---:|---|")
    missed = 0
    for what, reached, wanted, sign in targets:
        met = sign * reached >= sign * wanted
        missed += not met
        print(f"| {what} | {reached:.2f} | {wanted:.2f} | {'met' if met else 'missed'} |")
    return int(missed > 0)


if __name__ == "__main__":
    if sys.argv[1:]:
        result = globals()[sys.argv[1]]()
        print(json.dumps(result | {"peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024}))
    else:
        sys.exit(main())
