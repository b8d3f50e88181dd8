"""Which accelerator this machine offers, how much memory, which precision: each a value and the reason for it.

Nothing is set up by hand: `find` asks the backend that Keras runs on (TensorFlow, JAX or PyTorch), tries the accelerator with one
small multiplication, and falls back to the CPU with a sentence when it fails. `LMCOURSE_DEVICE=cpu` overrides the search,
`LMCOURSE_SMALL=1` shrinks every lesson. Left out on purpose: choosing among several GPUs, training on more than one (lesson 3.8).
"""

import os
import sys
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from lmcourse.accelerators import BACKENDS, Accelerator
from lmcourse.language import CourseError, pick, say


@dataclass(frozen=True)
class Device:
    """What `find` found.

    Attributes:
        kind: "cpu", "gpu" or "tpu" (an Apple GPU is a "gpu").
        name: the accelerator's name, or the processor's.
        count: how many accelerators of that kind the backend shows; 1 for a CPU.
        memory: bytes the accelerator has, or the machine; 0 when the backend does not say.
        precision: the Keras dtype policy that fits: "float32", or "mixed_bfloat16" where the hardware multiplies it faster.
        reason: one sentence, in the learner's language.
    """

    kind: str
    name: str
    count: int
    memory: int
    precision: str
    reason: str


M_TRIM_THRESHOLD, M_MMAP_THRESHOLD, M_ARENA_MAX = -1, -3, -8  # mallopt(3)'s numbers, from malloc.h

_found: Device | None = None
_kept_on_cpu = None


def shrunk() -> bool:
    """Whether `LMCOURSE_SMALL` asks for shrunken data and steps (tests do)."""
    return os.environ.get("LMCOURSE_SMALL", "") not in ("", "0")


def size(*, small: int, cpu: int, gpu: int | None = None) -> int:
    """Pick the size that fits this machine, e.g. how many examples to train on.

    Args:
        small: used when `LMCOURSE_SMALL` is set: for tests, not for learning. The notebook's output says so.
        cpu: used without an accelerator.
        gpu: used with one; leave it out where it makes no difference, and nothing is searched.
    """
    if shrunk():
        say(
            en=f"LMCOURSE_SMALL is set: {small:,} instead of {cpu:,}. Results mean nothing.",
            zh=f"已设置 LMCOURSE_SMALL：用 {small:,} 代替 {cpu:,}，结果没有意义。",
        )
        return small
    return cpu if gpu is None or find().kind == "cpu" else gpu


def find() -> Device:
    """Load Keras's backend and find the accelerator, once a session; memory grows by need, so two notebooks can share a GPU.

    Raises:
        CourseError: when `LMCOURSE_DEVICE` asks for something that is not there.
    """
    global _found
    if _found is None:
        wanted = os.environ.get("LMCOURSE_DEVICE", "auto")
        if wanted not in ("auto", "cpu", "gpu", "tpu"):
            raise CourseError(
                en=f"LMCOURSE_DEVICE is {wanted!r}; set it to auto, cpu, gpu or tpu and restart the kernel.",
                zh=f"LMCOURSE_DEVICE 的值是 {wanted!r}；请设为 auto、cpu、gpu 或 tpu，然后重启内核。",
            )
        with _quiet():
            backend = _keras_backend()
            list_accelerators, attempt = BACKENDS[backend]
            accelerators, attempt = _listed(list_accelerators, attempt)
        _found = decide(backend, accelerators, wanted, attempt)
        if _found.kind == "cpu" and accelerators:
            _stay_on_cpu()
    return _found


def say_device() -> None:
    """Print what was found and why, in one or two lines."""
    device = find()
    print(device.reason)
    if device.memory:
        say(
            en=f"Memory: {device.memory / 2**30:.1f} GiB. Precision: {device.precision}.",
            zh=f"内存：{device.memory / 2**30:.1f} GiB。精度：{device.precision}。",
        )


def decide(backend: str, accelerators: list[Accelerator], wanted: str, attempt) -> Device:
    """Turn a backend's answer into a decision; no side effects, so tests can play any machine.

    Args:
        backend: "tensorflow", "jax" or "torch".
        accelerators: what the backend lists.
        wanted: "auto", "cpu", "gpu" or "tpu".
        attempt: called with no arguments, multiplies on the first accelerator; raises when that fails.
    """
    names = {"tensorflow": "TensorFlow", "jax": "JAX", "torch": "PyTorch"}
    framework = names[backend]
    usable = [a for a in accelerators if wanted in ("auto", a.kind)]
    if wanted == "cpu":
        return _cpu(
            pick(
                en="Using the CPU, because LMCOURSE_DEVICE=cpu asks for it.",
                zh="使用 CPU：LMCOURSE_DEVICE=cpu 要求如此。",
            )
        )
    if not usable:
        if wanted != "auto":
            raise CourseError(
                en=f"LMCOURSE_DEVICE={wanted}, but {framework} shows none. Unset it, or run `lmcourse doctor` to see why.",
                zh=f"LMCOURSE_DEVICE={wanted}，但 {framework} 没有发现。请取消该设置，或运行 `lmcourse doctor` 查看原因。",
            )
        return _cpu(
            pick(
                en=f"Using the CPU, because {framework} shows no GPU. Every lesson works without one.",
                zh=f"使用 CPU：{framework} 没有发现 GPU。没有 GPU，所有课程同样可以运行。",
            )
        )
    first = usable[0]
    try:
        attempt()
    except Exception as error:  # any failure of a driver must end as a sentence, whatever its type
        line = (str(error).strip().splitlines() or [type(error).__name__])[0][:160]
        return _cpu(
            pick(
                en=f"Using the CPU, because {first.name} is listed but failed a multiplication ({line}). "
                "Run `lmcourse doctor` for the likely cause.",
                zh=f"使用 CPU：列出了 {first.name}，但一次乘法就失败了（{line}）。运行 `lmcourse doctor` 可查看可能的原因。",
            )
        )
    count = sum(a.kind == first.kind for a in usable)
    others = (
        pick(en=f"; {count} are shown, lessons use the first", zh=f"；共有 {count} 个，课程只用第一个")
        if count > 1
        else ""
    )
    return Device(
        kind=first.kind,
        name=first.name,
        count=count,
        memory=first.memory,
        precision="mixed_bfloat16" if first.bfloat16 else "float32",
        reason=pick(
            en=f"Using {first.name}, because {framework} shows it and a multiplication on it succeeded{others}.",
            zh=f"使用 {first.name}：{framework} 发现了它，并且试算乘法成功{others}。",
        ),
    )


def machine_memory() -> int:
    """Bytes of main memory this process may use; a container's limit counts (Binder's does). 0 when unknown."""
    from pathlib import Path

    try:
        total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):  # Windows has no sysconf
        return 0
    for limit in ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"):
        try:
            total = min(total, int(Path(limit).read_text()))
        except (OSError, ValueError):  # no such file, or "max"
            continue
    return total


def release() -> None:
    """Give memory that nothing uses any more back to the system. Drop your own references first: `model = None`."""
    import ctypes
    import gc

    import keras

    keras.backend.clear_session()
    gc.collect()
    with suppress(OSError, AttributeError, TypeError):  # only Linux's C library has it
        ctypes.CDLL(None).malloc_trim(0)  # freed pages stay with the process otherwise


def spare_memory() -> None:
    """Let what is freed leave the process soon, for a session that must do with little; where it can, and a little slower.

    Call it before TensorFlow loads.
    """
    import ctypes
    from importlib.metadata import PackageNotFoundError, version

    with suppress(PackageNotFoundError):
        # a version that does not know the word would end the kernel
        if version("tensorflow").startswith(("2.20.", "2.21.")):
            os.environ.setdefault("XLA_FLAGS", "--xla_cpu_use_fusion_emitters=false")  # compiles in 80 MB less
    os.environ["TF_ENABLE_ONEDNN_OPTS"] = "0"  # that part of TensorFlow has a store of its own, which only grows
    with suppress(OSError, AttributeError, TypeError):  # only Linux's C library has it
        set_option = ctypes.CDLL(None).mallopt
        set_option(M_MMAP_THRESHOLD, 16 * 2**20)  # a block from this size on goes back when it is freed
        set_option(M_TRIM_THRESHOLD, 16 * 2**20)  # so much may lie free at the end: taking it anew costs time
        set_option(M_ARENA_MAX, 2)  # each thread keeps a store otherwise


def _cpu(reason: str) -> Device:
    import platform

    return Device("cpu", platform.processor() or platform.machine(), 1, machine_memory(), "float32", reason)


def _listed(list_accelerators, attempt):
    """What the backend lists. One that fails already while listing counts as an accelerator that fails when it is tried."""
    try:
        return list_accelerators(), attempt
    except Exception as broken:  # any failure of a driver must end as a sentence, whatever its type
        failure = broken

    def fail():
        raise failure

    return [Accelerator("gpu", pick(en="an accelerator", zh="一块加速卡"))], fail


@contextmanager
def _quiet():
    """Drop what C++ libraries write to standard error while they load: pages of log that only worry a learner."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    nowhere, kept = os.open(os.devnull, os.O_WRONLY), os.dup(2)
    os.dup2(nowhere, 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)


@contextmanager
def _hidden(name: str):
    """Let `import` find no such package, unless it is loaded already."""
    loaded = sys.modules.setdefault(name, None)  # None: Python's sign for "there is none"
    try:
        yield
    finally:
        if loaded is None:
            del sys.modules[name]


def _keras_backend() -> str:
    try:
        with _hidden("sklearn"):  # Keras loads it for wrappers that no lesson uses: 60 MB, half a second
            import keras
    except ModuleNotFoundError as missing:
        raise CourseError(
            en=f'Keras cannot load, because {missing.name} is missing. Run: pip install "lmcourse[tf]"',
            zh=f'Keras 无法加载：缺少 {missing.name}。请运行：pip install "lmcourse[tf]"',
        ) from None
    return keras.backend.backend()


def _stay_on_cpu() -> None:
    global _kept_on_cpu
    import keras

    _kept_on_cpu = keras.device("cpu:0")  # entered for good, so the reference is kept
    _kept_on_cpu.__enter__()
