"""The decision is tested with a fake of each backend's answers; `find` itself with the backend that is installed."""

import subprocess
import sys

import numpy as np
import pytest

from lmcourse import device, language
from lmcourse.accelerators import Accelerator
from lmcourse.device import decide
from lmcourse.language import CourseError

H100 = Accelerator("gpu", "NVIDIA H100", 80 * 2**30, bfloat16=True)
T4 = Accelerator("gpu", "Tesla T4", 15 * 2**30)
APPLE = Accelerator("gpu", "Apple GPU")
TPU = Accelerator("tpu", "TPU v5 lite", 16 * 2**30, bfloat16=True)


def works():
    pass


def fails():
    raise RuntimeError("CUDA error: no kernel image is available\n  at file.cc:1")


@pytest.mark.parametrize("backend", ["tensorflow", "jax", "torch"])
@pytest.mark.parametrize(("card", "precision"), [(H100, "mixed_bfloat16"), (T4, "float32"), (APPLE, "float32")])
def test_a_working_gpu_is_used_and_the_reason_names_it(backend, card, precision):
    found = decide(backend, [card], "auto", works)
    assert (found.kind, found.name, found.count, found.memory) == ("gpu", card.name, 1, card.memory)
    assert found.precision == precision
    assert card.name in found.reason


def test_a_tpu_is_used():
    assert decide("jax", [TPU], "auto", works).kind == "tpu"


def test_several_gpus_are_counted_and_the_first_is_used():
    found = decide("torch", [H100, T4], "auto", works)
    assert (found.name, found.count) == ("NVIDIA H100", 2)
    assert "2" in found.reason


def test_a_gpu_that_fails_leaves_the_cpu_and_says_why_in_one_line():
    found = decide("tensorflow", [T4], "auto", fails)
    assert found.kind == "cpu"
    assert "Tesla T4" in found.reason and "no kernel image" in found.reason and "\n" not in found.reason


@pytest.mark.parametrize("name", language.LANGUAGES)
def test_no_gpu_is_said_in_the_learners_language(name):
    language.use(name)
    reason = decide("tensorflow", [], "auto", works).reason
    assert {"en": "shows no GPU", "zh": "没有发现 GPU"}[name] in reason


def test_the_override_wins_over_a_gpu():
    assert decide("jax", [H100], "cpu", fails).kind == "cpu"


def test_asking_for_what_is_not_there_is_a_sentence():
    with pytest.raises(CourseError, match="LMCOURSE_DEVICE=gpu"):
        decide("jax", [], "gpu", works)
    with pytest.raises(CourseError, match="LMCOURSE_DEVICE=tpu"):
        decide("jax", [H100], "tpu", works)


def test_size_shrinks_only_when_asked_and_says_so(monkeypatch, capsys):
    monkeypatch.delenv("LMCOURSE_SMALL", raising=False)
    assert device.size(small=10, cpu=1000) == 1000
    assert capsys.readouterr().out == ""
    monkeypatch.setenv("LMCOURSE_SMALL", "1")
    assert device.size(small=10, cpu=1000) == 10
    assert "LMCOURSE_SMALL" in capsys.readouterr().out


def test_size_follows_the_device(monkeypatch):
    monkeypatch.delenv("LMCOURSE_SMALL", raising=False)
    for card, expected in [(None, 1000), (H100, 5000)]:
        monkeypatch.setattr(device, "_found", decide("jax", [card] if card else [], "auto", works))
        assert device.size(small=10, cpu=1000, gpu=5000) == expected


def run(code: str, **environment) -> subprocess.CompletedProcess:
    import os

    command = [sys.executable, "-c", code]
    return subprocess.run(command, capture_output=True, text=True, env=os.environ | environment, check=False)


def test_the_real_backend_answers_without_a_word_on_standard_error():
    done = run("from lmcourse import device; device.say_device(); print(device.find().kind)", LMCOURSE_DEVICE="auto")
    assert done.returncode == 0 and done.stderr == ""
    assert done.stdout.splitlines()[-1] in ("cpu", "gpu", "tpu")


def test_an_unknown_override_is_a_sentence():
    done = run("from lmcourse import device; device.find()", LMCOURSE_DEVICE="quantum")
    assert "set it to auto, cpu, gpu or tpu" in done.stderr


def test_a_failing_gpu_does_not_keep_work_from_running_on_the_cpu():
    code = """
from lmcourse import device
from lmcourse.accelerators import Accelerator
def broken(): raise RuntimeError("broken")
device.BACKENDS["tensorflow"] = (lambda: [Accelerator("gpu", "Fake")], broken)
assert device.find().kind == "cpu"
import keras
assert "CPU" in keras.ops.ones(2).device.upper()
"""
    done = run(code, KERAS_BACKEND="tensorflow")
    assert done.returncode == 0, done.stderr


def test_a_missing_backend_is_a_sentence_with_the_command():
    code = "import sys; sys.modules['tensorflow'] = None; from lmcourse import device; device.find()"
    assert 'pip install "lmcourse[tf]"' in run(code, KERAS_BACKEND="tensorflow").stderr


@pytest.mark.parametrize("c_library", ["this one", "one without malloc_trim", "none"])
def test_release_leaves_what_is_in_use_alone(monkeypatch, c_library):
    import ctypes

    import keras

    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    before = np.array(model(np.ones((1, 3))))
    if c_library != "this one":

        def load(name):
            if c_library == "none":
                raise OSError("no such library")
            return object()

        monkeypatch.setattr(ctypes, "CDLL", load)
    device.release()
    np.testing.assert_array_equal(np.array(model(np.ones((1, 3)))), before)


def in_a_fresh_process(code: str) -> str:
    return subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout.strip()


def test_keras_loads_without_what_nobody_asked_for_and_that_still_loads_afterwards():
    said = in_a_fresh_process(
        "import sys; from lmcourse import device; device.find();"
        "print([name for name in ('keras', 'sklearn') if name in sys.modules]);"
        "import sklearn.metrics; print(sklearn.metrics.accuracy_score([1], [1]))"
    )
    assert said.split("\n") == ["['keras']", "1.0"]


def test_what_is_loaded_already_stays():
    assert in_a_fresh_process(
        "import sklearn; from lmcourse import device; device.find(); import sys; print(sys.modules['sklearn'] is sklearn)"
    ).endswith("True")


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux's C library can be told so")
@pytest.mark.parametrize(("call", "given_back"), [("pass", "False"), ("device.spare_memory()", "True")])
def test_spared_memory_leaves_the_process(call, given_back):
    said = in_a_fresh_process(
        f"from lmcourse import device; {call}; import psutil, numpy as np; rest = lambda: psutil.Process().memory_info().rss;"
        "np.ones(2**22 - 2**17); kept = [np.ones(2**21 + 2**18) for _ in range(8)]; last, whole = kept[-1], rest();"  # 33, 8 · 19 MB
        "kept.clear(); print(whole - rest() > 50e6)"
    )
    assert said == given_back
