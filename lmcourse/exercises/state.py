"""Keep a process as it is while somebody else's code runs in it: random state, output, warnings, variables, memory.

What the code did is noted, then undone. Left out on purpose: files, the network, and what C code prints.
"""

import builtins
import contextlib
import io
import os
import random
import sys
import warnings
from dataclasses import dataclass, field
from pathlib import Path
from unittest import mock

import numpy as np

MEMORY_MARGIN = 2**30  # bytes the code may allocate; more where a framework needs room of its own
KEPT_CHARACTERS = 2000
DEEPEST = 10_000  # calls inside one another


class InputCalled(Exception):
    """The code asked for keyboard input, which nobody would answer."""


@dataclass
class Traces:
    """What the code did besides returning: `printed` text, `warned` sentences, whether `random` state changed, `variables` it rebound."""

    printed: str = ""
    warned: list[str] = field(default_factory=list)
    random: bool = False
    variables: list[str] = field(default_factory=list)


class _Output(io.StringIO):
    """Keeps the first characters written and forgets the rest."""

    def write(self, text):
        room = KEPT_CHARACTERS - self.tell()
        super().write(text[: max(0, room)])
        return len(text)

    def close(self):
        """Stays open: what was printed is still wanted."""


@contextlib.contextmanager
def kept(answer):
    """Undo at the end what `answer`'s code does to this process meanwhile.

    Args:
        answer: the learner's function or value; a function's global variables are kept too.

    Yields:
        `Traces`, filled in when the context is left.
    """
    traces, output = Traces(), _Output()
    variables = getattr(answer, "__globals__", {})
    before = dict(variables)
    states, limit = _random_states(), sys.getrecursionlimit()
    caught = []
    try:
        with contextlib.ExitStack() as stack:
            caught = stack.enter_context(warnings.catch_warnings(record=True))
            warnings.simplefilter("always")
            warnings.simplefilter("ignore", DeprecationWarning)  # a library's business, not the learner's
            stack.enter_context(np.errstate())
            stack.enter_context(contextlib.redirect_stdout(output))
            stack.enter_context(contextlib.redirect_stderr(output))
            for owner, name, replacement in _replacements():
                stack.enter_context(mock.patch.object(owner, name, replacement))
            stack.enter_context(_memory_cap())
            yield traces
    finally:
        sys.setrecursionlimit(limit)
        traces.printed = output.getvalue()
        traces.warned = list(dict.fromkeys(f"{w.category.__name__}: {w.message}" for w in caught))[:3]
        traces.random = not _same(states, _random_states())
        _restore_random(states)
        traces.variables = _restore_variables(variables, before)


def _replacements() -> list[tuple]:
    """What would reach the keyboard, the kernel or the C stack: (owner, name, replacement)."""

    def ask(*_):
        raise InputCalled("input()")

    def leave(*_):
        raise SystemExit

    set_limit = sys.setrecursionlimit
    replaced = [(builtins, "input", ask), (sys, "stdin", io.StringIO()),
                (sys, "setrecursionlimit", lambda limit: set_limit(min(limit, DEEPEST)))]  # fmt: skip
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython else None
    if shell is not None:  # in a notebook, exit() and quit() ask the shell to end the kernel
        replaced.append((shell, "ask_exit", leave))
    return replaced


def _random_states() -> list:
    """The state of each global random generator in use: Python's, NumPy's and, if it is loaded, Keras's."""
    states = [random.getstate(), np.random.get_state()]
    if "keras" in sys.modules:
        from keras.src.backend.common import global_state

        generator = global_state.get_global_attribute("global_seed_generator")
        seed = global_state.get_global_attribute("global_random_seed")
        states += [generator, None if generator is None else np.asarray(generator.state).copy(), seed]
    return states


def _same(a, b) -> bool:
    if isinstance(a, tuple | list):
        return len(a) == len(b) and all(map(_same, a, b))
    return np.array_equal(a, b) if isinstance(a, np.ndarray) else a is b or a == b


def _restore_random(states) -> None:
    random.setstate(states[0])
    np.random.set_state(states[1])
    if len(states) > 2:
        from keras.src.backend.common import global_state

        generator, state, seed = states[2:]
        global_state.set_global_attribute("global_seed_generator", generator)
        global_state.set_global_attribute("global_random_seed", seed)
        if generator is not None:
            generator.state.assign(state)


def _restore_variables(variables: dict, before: dict) -> list[str]:
    """Put rebound, new and deleted global variables back; their names."""
    changed = [
        name for name in variables.keys() | before.keys() if variables.get(name, before) is not before.get(name, before)
    ]
    for name in changed:
        if name in before:
            variables[name] = before[name]
        else:
            del variables[name]
    return sorted(name for name in changed if not name.startswith("__"))  # Python's own, as __warningregistry__


@contextlib.contextmanager
def _memory_cap():
    """On Linux, make giant allocations fail with MemoryError. A GPU's driver maps memory of its own at any time: no cap there."""
    if not sys.platform.startswith("linux") or Path("/dev/nvidiactl").exists():
        yield
        return
    import resource

    pages = int(Path("/proc/self/statm").read_text().split()[0])
    margin = MEMORY_MARGIN
    if {"tensorflow", "torch", "jax"} & sys.modules.keys():  # its threads start late, each with memory of its own
        margin += 2**30 + 2**27 * (os.cpu_count() or 1)
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    cap = pages * resource.getpagesize() + margin
    if soft != resource.RLIM_INFINITY:
        cap = min(cap, soft)
    resource.setrlimit(resource.RLIMIT_AS, (cap, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))
