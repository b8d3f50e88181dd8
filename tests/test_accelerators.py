"""Each backend's answers are played by a fake of the part of its interface that is asked: none, one, several, a failing one."""

import subprocess
import sys
from contextlib import nullcontext
from types import SimpleNamespace as Fake

import numpy as np
import pytest

from lmcourse import accelerators, device
from lmcourse.accelerators import BACKENDS, Accelerator


def fail(*_, **__):
    raise RuntimeError("CUDA_ERROR_UNKNOWN")


def tensorflow(gpus=(), tpus=(), ones=np.ones, growth=lambda *_: None):
    config = Fake(
        list_physical_devices=lambda kind: list({"GPU": gpus, "TPU": tpus}[kind]),
        experimental=Fake(get_device_details=lambda gpu: gpu.details, set_memory_growth=growth),
    )
    return Fake(config=config, device=lambda name: nullcontext(), ones=ones, reduce_sum=np.sum)


def tensorflow_gpu(name, capability):
    return Fake(name="/physical_device:GPU:0", details={"device_name": name, "compute_capability": capability})


def jax_device(platform, kind, memory=None, capability=None):
    stats = {"bytes_limit": memory} if memory else None
    return Fake(platform=platform, device_kind=kind, memory_stats=lambda: stats, compute_capability=capability)


def jax(*devices, ones=np.ones):
    return Fake(local_devices=lambda: list(devices), numpy=Fake(ones=ones))


def torch(*cards, mps=False, ones=lambda shape, device: np.ones(shape)):
    cuda = Fake(
        is_available=lambda: bool(cards), device_count=lambda: len(cards), get_device_properties=lambda i: cards[i]
    )
    return Fake(cuda=cuda, backends=Fake(mps=Fake(is_available=lambda: mps)), ones=ones)


def card(name, gigabytes, major):
    return Fake(name=name, total_memory=gigabytes * 2**30, major=major)


ANSWERS = {
    "tensorflow, none": ("tensorflow", tensorflow(), []),
    "tensorflow, two": (
        "tensorflow",
        tensorflow([tensorflow_gpu("A100", (8, 0)), tensorflow_gpu("V100", (7, 0))]),
        [Accelerator("gpu", "A100", 0, True), Accelerator("gpu", "V100", 0, False)],
    ),
    "tensorflow, Apple": (
        "tensorflow",
        tensorflow([Fake(name="/physical_device:GPU:0", details={})]),
        [Accelerator("gpu", "/physical_device:GPU:0")],
    ),
    "tensorflow, already running": (
        "tensorflow",
        tensorflow([tensorflow_gpu("T4", (7, 5))], growth=fail),
        [Accelerator("gpu", "T4")],
    ),
    "tensorflow, TPU": ("tensorflow", tensorflow(tpus=[Fake(name="TPU:0")]), [Accelerator("tpu", "TPU:0")]),
    "jax, none": ("jax", jax(jax_device("cpu", "cpu")), []),
    "jax, GPU": ("jax", jax(jax_device("gpu", "H100", 2**36, "9.0")), [Accelerator("gpu", "H100", 2**36, True)]),
    "jax, old GPU": ("jax", jax(jax_device("cuda", "T4", 2**33, "7.5")), [Accelerator("gpu", "T4", 2**33, False)]),
    "jax, TPU": ("jax", jax(jax_device("tpu", "TPU v4")), [Accelerator("tpu", "TPU v4", 0, True)]),
    "jax, Apple": ("jax", jax(jax_device("METAL", "M3")), [Accelerator("gpu", "M3")]),
    "torch, none": ("torch", torch(), []),
    "torch, two": (
        "torch",
        torch(card("A10", 24, 8), card("P100", 16, 6)),
        [Accelerator("gpu", "A10", 24 * 2**30, True), Accelerator("gpu", "P100", 16 * 2**30, False)],
    ),
    "torch, Apple": ("torch", torch(mps=True), [Accelerator("gpu", "Apple GPU")]),
}


def play(monkeypatch, backend, module):
    monkeypatch.setitem(sys.modules, backend, module)
    monkeypatch.setattr(accelerators, "nvidia_memory", lambda index: 0)
    if backend == "jax":
        monkeypatch.setitem(sys.modules, "jax.numpy", module.numpy)


@pytest.mark.parametrize(("backend", "module", "expected"), ANSWERS.values(), ids=ANSWERS.keys())
def test_what_a_backend_lists(backend, module, expected, monkeypatch):
    play(monkeypatch, backend, module)
    assert BACKENDS[backend][0]() == expected


@pytest.mark.parametrize(
    ("backend", "module"),
    [
        ("tensorflow", tensorflow([tensorflow_gpu("T4", (7, 5))])),
        ("jax", jax(jax_device("gpu", "H100"))),
        ("torch", torch(card("A10", 24, 8))),
    ],
)
def test_the_trial_multiplies_and_its_failure_is_seen(backend, module, monkeypatch):
    play(monkeypatch, backend, module)
    BACKENDS[backend][1]()
    (module.numpy if backend == "jax" else module).ones = fail
    with pytest.raises(RuntimeError):
        BACKENDS[backend][1]()


def test_a_driver_that_fails_while_listing_ends_as_a_sentence():
    listed, attempt = device._listed(fail, lambda: None)
    found = device.decide("jax", listed, "auto", attempt)
    assert found.kind == "cpu" and "CUDA_ERROR_UNKNOWN" in found.reason


@pytest.mark.parametrize(("printed", "bytes_"), [("81559\n24564\n", 81559 * 2**20), ("", 0), ("[N/A]\n", 0)])
def test_memory_is_read_from_the_drivers_own_tool(printed, bytes_, monkeypatch):
    monkeypatch.setattr("shutil.which", lambda name: "/usr/bin/nvidia-smi")
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: Fake(stdout=printed))
    assert accelerators.nvidia_memory(0) == bytes_
