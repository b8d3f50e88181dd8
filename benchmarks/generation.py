"""How fast our GPT writes, beside `transformers.generate` with the same weights, in one run on the processor:

    python benchmarks/generation.py              # --quick: fewer rounds, greedy only

Greedy, batches of 1 and 16, at the size of the lessons and at GPT-2's 124 M with random weights. The sides take turns, the time to the
first answer (ours compiles) is shown apart, and the tokens must be the same. Then without a target: top-p sampling, and transformers'
own compiled mode with a static cache where a C++ compiler lets it run. One token of one text reads every weight once, so the last lines
say how many tokens a second the memory allows.

The first race gives each side one thread and compares processor time, which a busy machine hardly disturbs; the second gives each all
cores and compares seconds, and needs a quiet machine, see `helpers/race.py`. Exit code 1 for a missed target or different tokens.
"""

import argparse
import importlib.util
import os
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from helpers import race

SMALL = {"n_layer": 4, "n_head": 4, "n_embd": 128, "n_positions": 256, "vocab_size": 256}
GPT2 = {"n_layer": 12, "n_head": 12, "n_embd": 768, "n_positions": 1024, "vocab_size": 50257}
PROMPT, QUICK = 16, 3  # tokens; rounds of a quick run, which is greedy only
TARGETS = {("small", 1): 10, ("small", 16): 3, ("124 M", 1): 1.5, ("124 M", 16): 1.5}
TOP_P = {"temperature": 0.8, "top_p": 0.9}


def prompts(batch, vocabulary):
    return np.random.default_rng(batch).integers(0, vocabulary, (batch, PROMPT)).tolist()


def transformers(folder, sizes, threads):
    """Also makes the weights: as GPT-2 starts, but larger, or it would repeat one token."""
    import torch
    from transformers import GPT2Config, GPT2LMHeadModel

    torch.set_num_threads(threads)
    torch.manual_seed(0)
    if not (folder / "config.json").exists():
        config = GPT2Config(**sizes, initializer_range=0.05, bos_token_id=None, eos_token_id=None)
        GPT2LMHeadModel(config).save_pretrained(folder)
    model = GPT2LMHeadModel.from_pretrained(folder).eval()
    model.generation_config.pad_token_id = 0

    def work(batch, new, *options):
        sampling, compiled = (dict(options).get(name) for name in ("sampling", "compiled"))
        ids = torch.tensor(prompts(batch, sizes["vocab_size"]))
        how = {"do_sample": True, **sampling, "top_k": 0} if sampling else {"do_sample": False}
        if compiled:
            from transformers import CompileConfig

            setting = CompileConfig(fullgraph=False, mode="default")
            setting._compile_all_devices = True  # or only accelerators are compiled for
            how |= {"cache_implementation": "static", "compile_config": setting}
        with torch.no_grad():
            out = model.generate(ids, attention_mask=torch.ones_like(ids), max_new_tokens=new, **how)
        return out[:, PROMPT:].tolist()

    return work


def ours(folder, sizes, threads):
    os.environ["KERAS_BACKEND"] = "tensorflow"
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(threads)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    from lmcourse.generation import Generator
    from lmcourse.models.hugging_face import gpt2

    generator = Generator(gpt2(folder))

    def work(batch, new, *options):
        sampling = dict(options).get("sampling", {})
        return generator.generate(prompts(batch, sizes["vocab_size"]), new, seed=0, **sampling)

    return work


def bandwidth(threads):
    """Bytes that so many threads read from memory together: for each second by the clock, or of processor time for one thread."""
    array = np.ones(2**26, "float32")
    clock = time.process_time if threads == 1 else time.perf_counter
    best = np.inf
    with ThreadPoolExecutor(threads) as pool:
        for _ in range(5):
            began = clock()
            list(pool.map(np.max, np.split(array, threads)))
            best = min(best, clock() - began)
    return array.nbytes / best


def compare(size, sizes, folder, rounds, new, threads, kind):
    """Print one size's rows of a race; returns whether no target is missed and all tokens are equal.

    kind: which of a side's times counts: 0 by the clock, 1 processor time.
    """
    sides = {"transformers": race.Side(transformers, folder, sizes, threads)}  # first: it makes the weights
    sides["ours"] = race.Side(ours, folder, sizes, threads)
    fine = True
    ways = (("greedy", {}), ("top-p", {"sampling": TOP_P}), ("greedy, theirs compiled", {"compiled": True}))
    for how, theirs in ways[: 1 if rounds <= QUICK else 3]:
        for batch in (1, 16):
            requests = {"transformers": (batch, new, *theirs.items()), "ours": (batch, new)}
            if how == "top-p":
                requests["ours"] = requests["transformers"]
            first, times, quiet = {}, {name: [] for name in sides}, race.share_of_the_cores()
            try:
                for name, side in sides.items():
                    *seconds, tokens = side.run(*requests[name])
                    first[name] = (seconds[0], tokens)
            except race.Failure as problem:
                print(f"transformers' compiled mode does not run here: {str(problem).strip().splitlines()[-1][:200]}")
                break
            if how == "greedy" and first["ours"][1] != first["transformers"][1]:
                alike = np.mean(np.array(first["ours"][1]) == np.array(first["transformers"][1]))
                print(f"DIFFERENT TOKENS, {size}, batch {batch}: {100 * alike:.1f} % are equal.")
                fine = False
            for number in range(rounds):
                for name in sorted(sides, reverse=number % 2 == 0):
                    times[name].append(sides[name].run(*requests[name])[kind])
            quiet = min(quiet, race.share_of_the_cores())
            ratios = np.array(times["transformers"]) / np.array(times["ours"])
            target = TARGETS[size, batch] if how == "greedy" else None
            verdict = race.judge(ratios.tolist(), target, kind == 1 or quiet >= race.QUIET) if target else "–"
            fine &= verdict != "NO"
            cells = [f"{size}, {threads} thread{'s' * (threads > 1)}", how, str(batch)]
            cells += [race.span(batch * new / np.array(times[name]), 0) for name in sides]
            cells += [" / ".join(f"{first[name][0]:.1f}" for name in sides), race.span(ratios, 1)]
            print("|", " | ".join([*cells, f"≥ {target}" if target else "", verdict]), "|", flush=True)
    for side in sides.values():
        side.close()
    return fine


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true")
    options = parser.parse_args()
    if any(importlib.util.find_spec(name) is None for name in ("torch", "transformers")):
        print('not run: needs PyTorch and transformers: pip install -c constraints.txt -e ".[authority]"')
        return 0
    rounds = QUICK if options.quick else 7
    print(f"Prompts of {PROMPT} tokens; tokens for each second, median (range) of {rounds} rounds in turns\n")
    print(
        "| size | how | batch | transformers | ours | seconds to the first answer, theirs / ours | times theirs | target | met |"
    )
    print("|---|---|---:|---:|---:|---:|---:|---|---|")
    fine = True
    with tempfile.TemporaryDirectory() as name:
        for threads, kind in ((1, 1), (os.cpu_count(), 0)):
            quiet = race.share_of_the_cores()
            if kind == 0 and quiet < race.QUIET:
                print(
                    f"| {threads} threads | not run: busy loops got {100 * quiet:.0f} % of their cores | | | | | | | open |"
                )
                break
            for size, sizes, new in (("small", SMALL, 240), ("124 M", GPT2, 48)):
                folder = Path(name) / size.replace(" ", "")
                folder.mkdir(exist_ok=True)
                fine &= compare(size, sizes, folder, rounds, new, threads, kind)
                if size == "small":
                    continue  # its weights stay in the processor's cache
                weights, speed = (folder / "model.safetensors").stat().st_size, bandwidth(threads)
                print(
                    f"| {size} | what the memory allows: {weights / 1e6:.0f} MB at {speed / 1e9:.0f} GB/s | 1 | | {speed / weights:.0f} | | | | |",
                    flush=True,
                )
    return int(not fine)


if __name__ == "__main__":
    sys.exit(main())
