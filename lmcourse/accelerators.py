"""What each backend of Keras says about its accelerators, and one small multiplication to see whether the first one works.

Only asks: what to make of the answers is `device.py`'s business. Left out on purpose: any setting but TensorFlow's memory growth.
"""

import contextlib
from dataclasses import dataclass


@dataclass(frozen=True)
class Accelerator:
    """One accelerator as a backend describes it. `memory` in bytes (0: unknown); `bfloat16`: has fast units for it."""

    kind: str
    name: str
    memory: int = 0
    bfloat16: bool = False


def _tensorflow_list() -> list[Accelerator]:
    import tensorflow as tf

    found = []
    for kind in ("TPU", "GPU"):
        for device in tf.config.list_physical_devices(kind):
            details = tf.config.experimental.get_device_details(device) if kind == "GPU" else {}
            if kind == "GPU":
                with contextlib.suppress(RuntimeError):  # too late: something ran on it before this was asked
                    tf.config.experimental.set_memory_growth(device, True)
            capability = details.get("compute_capability") or (0, 0)
            name = details.get("device_name", device.name)
            found.append(Accelerator(kind.lower(), name, nvidia_memory(len(found)), capability >= (8, 0)))
    return found


def _tensorflow_try() -> None:
    import tensorflow as tf

    kind = "TPU" if tf.config.list_physical_devices("TPU") else "GPU"
    with tf.device(f"/{kind}:0"):
        float(tf.reduce_sum(tf.ones((8, 8)) @ tf.ones((8, 8))))


def _jax_list() -> list[Accelerator]:
    import jax

    found = []
    for device in jax.local_devices():
        if device.platform in ("gpu", "cuda", "rocm", "tpu", "METAL"):
            memory = (device.memory_stats() or {}).get("bytes_limit", 0)
            kind = "tpu" if device.platform == "tpu" else "gpu"
            capability = float(getattr(device, "compute_capability", None) or 0)
            found.append(Accelerator(kind, device.device_kind, memory, kind == "tpu" or capability >= 8))
    return found


def _jax_try() -> None:
    import jax.numpy as jnp

    float((jnp.ones((8, 8)) @ jnp.ones((8, 8))).sum())


def _torch_list() -> list[Accelerator]:
    import torch

    if torch.cuda.is_available():
        cards = [torch.cuda.get_device_properties(i) for i in range(torch.cuda.device_count())]
        return [Accelerator("gpu", card.name, card.total_memory, card.major >= 8) for card in cards]
    if torch.backends.mps.is_available():
        return [Accelerator("gpu", "Apple GPU")]
    return []


def _torch_try() -> None:
    import torch

    one = torch.ones((8, 8), device="cuda" if torch.cuda.is_available() else "mps")
    float((one @ one).sum())


def nvidia_memory(index: int) -> int:
    """Bytes of the NVIDIA card with that index, from its driver's own tool; 0 without one."""
    import shutil
    import subprocess

    tool = shutil.which("nvidia-smi")
    if tool is None:
        return 0
    query = [tool, "--query-gpu=memory.total", "--format=csv,noheader,nounits"]
    lines = subprocess.run(query, capture_output=True, text=True, timeout=20, check=False).stdout.split()
    return int(lines[index]) * 2**20 if index < len(lines) and lines[index].isdigit() else 0


BACKENDS = {
    "tensorflow": (_tensorflow_list, _tensorflow_try),
    "jax": (_jax_list, _jax_try),
    "torch": (_torch_list, _torch_try),
}
