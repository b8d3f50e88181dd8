"""Accidents of many kinds leave the process, and a real kernel, alive and unchanged."""

import inspect
import json
import random
import signal
import subprocess
import sys
import textwrap
import threading
import warnings
from pathlib import Path

import hostile
import numpy as np
import pytest
from hostile import EXPECTED, double

from lmcourse.exercises import judge
from lmcourse.exercises.verdict import Verdict

every_accident = pytest.mark.parametrize("answer", EXPECTED, ids=lambda f: f.__name__)
# on another thread than the main one, a sleep lasts as long as it likes: only its end can be told
SLEEPERS = (hostile.long_sleep, hostile.loop_that_swallows_in_its_sleep, hostile.loop_that_swallows_everything)


def surroundings():
    return (
        sys.stdout, sys.stderr, sys.stdin, input, sys.getrecursionlimit(), sys.gettrace(), hostile.learner, np.geterr(),
        signal.getitimer(signal.ITIMER_REAL), signal.getsignal(signal.SIGALRM), list(warnings.filters), random.getstate(),
        np.random.get_state()[1].tolist(), Path.cwd(),
    )  # fmt: skip


def test_battery_is_large():
    assert len(EXPECTED) >= 20


@every_accident
def test_accident(answer):
    before = surroundings()
    verdict = double.judge(answer)
    assert EXPECTED[answer] in str(verdict)
    assert "our fault" not in str(verdict)
    assert surroundings() == before
    assert "<script>" not in verdict._repr_html_()
    assert len(str(verdict)) < 3000
    assert double.judge(double.reference).passed


@pytest.mark.parametrize("answer", [a for a in EXPECTED if a not in SLEEPERS], ids=lambda f: f.__name__)
def test_accident_on_another_thread(answer):
    before, verdicts = surroundings(), []
    thread = threading.Thread(target=lambda: verdicts.append(double.judge(answer)), daemon=True)
    thread.start()
    thread.join(20)
    assert verdicts and EXPECTED[answer] in str(verdicts[0])
    assert surroundings() == before


def test_memory_is_given_back():
    if not sys.platform.startswith("linux"):
        pytest.skip("the cap is Linux's")
    import resource

    before = resource.getrlimit(resource.RLIMIT_AS)
    double.judge(hostile.growing_list)
    assert resource.getrlimit(resource.RLIMIT_AS) == before


def test_imports_do_not_count(tmp_path, monkeypatch):
    (tmp_path / "slow_to_import.py").write_text("import time\nfor _ in range(15):\n    time.sleep(0.1)\n")
    monkeypatch.syspath_prepend(tmp_path)

    def imports(x):
        import slow_to_import  # noqa: F401

        return 2 * x

    assert double.judge(imports).passed


def test_keras_random_state_is_kept():
    import keras

    keras.utils.set_random_seed(7)
    keras.random.uniform((1,))
    expected = [keras.random.uniform((1,)).numpy() for _ in range(2)]
    keras.utils.set_random_seed(7)
    keras.random.uniform((1,))

    def noisy(x):
        keras.utils.set_random_seed(3)
        return 2 * x + 0 * keras.random.uniform((1,)).numpy()

    verdict = double.judge(noisy)
    assert verdict.passed and "global random state" in str(verdict)
    assert [keras.random.uniform((1,)).numpy() for _ in range(2)] == expected


def test_a_defect_of_the_check_ends_as_a_sentence(monkeypatch):
    def fail(*_):
        raise ZeroDivisionError("oops")

    monkeypatch.setattr(judge, "_expected", fail)
    verdict = double.judge(lambda x: 3 * x)
    assert isinstance(verdict, Verdict) and not verdict.passed
    assert "The check itself failed (ZeroDivisionError: oops)" in str(verdict)


def test_a_kernel_survives_them_all(own_progress):
    """Each in a cell of its own, in one kernel; after each the learner's variable is asked for."""
    script = textwrap.dedent("""
        import json, sys
        from jupyter_client.manager import start_new_kernel

        manager, client = start_new_kernel(kernel_name="python3")
        answers = []
        for cell in json.load(sys.stdin):
            heard = []
            def listen(message):
                content = message["content"]
                heard.append(content.get("text") or content.get("data", {}).get("text/plain") or "\\n".join(content.get("traceback", [])))
            reply = client.execute_interactive(cell, timeout=60, output_hook=listen, allow_stdin=False)
            answers.append((reply["content"]["status"], "\\n".join(filter(None, heard))))
        print(json.dumps(answers))
        client.stop_channels()
        manager.shutdown_kernel(now=True)
    """)
    folder = str(Path(hostile.__file__).parent)
    cells = [
        f"import sys; sys.path.insert(0, {folder!r})\nimport numpy as np\nfrom hostile import double\nlearner = 42"
    ]
    for answer in EXPECTED:
        cells += [f"{inspect.getsource(answer)}\ndouble.check({answer.__name__})", "learner"]
    done = subprocess.run(
        [sys.executable, "-c", script], input=json.dumps(cells), capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr[-2000:]
    first, *answers = json.loads(done.stdout.splitlines()[-1])
    assert first[0] == "ok", first
    for answer, (status, shown), (alive, variable) in zip(EXPECTED, answers[::2], answers[1::2], strict=True):
        assert status == "ok" and EXPECTED[answer] in shown, (answer.__name__, shown)
        assert "Traceback" not in shown
        assert (alive, variable) == ("ok", "42"), answer.__name__
