"""Run a learner's code so that an accident ends as an explanation and the kernel stays as it was.

A clock ends Python code that does not end by itself. On the main thread it is an interval timer (POSIX), elsewhere an asynchronous
exception. It rests while modules are imported. Left out on purpose: loops inside C code or TensorFlow, which nothing can end
from within (the learner restarts the kernel), and answers that mean harm.
"""

import contextlib
import ctypes
import linecache
import signal
import sys
import threading
import time
import traceback
from dataclasses import dataclass

from lmcourse.exercises.state import InputCalled, kept

TICK = 0.02  # seconds between two looks at the clock


class TimeUp(BaseException):
    """Raised inside the learner's code when its time is over."""


@dataclass(frozen=True)
class Fault:
    """How the learner's code ended instead of returning.

    Attributes:
        kind: "time", "memory", "recursion", "exit", "input", "interrupt" or "error".
        type, message: of the exception.
        line, code: where in the learner's code, 0 and "" if unknown.
    """

    kind: str
    type: str
    message: str
    line: int = 0
    code: str = ""

    @property
    def fatal(self) -> bool:
        """Whether it makes no sense to go on to the next case."""
        return self.kind in ("time", "exit", "input", "interrupt", "memory")


class Sandbox:
    """Runs pieces of learner's code one after the other under one clock.

        with Sandbox(function, seconds=10) as box:
            value, fault = box.attempt(function, *arguments)

    Attributes:
        after: what the code printed, warned about and changed (`state.Traces`), once the sandbox is left.
    """

    def __init__(self, answer, seconds: float):
        self._file = getattr(getattr(answer, "__code__", None), "co_filename", None)
        self._answer, self._limit = answer, seconds
        self._used, self._seen = 0.0, 0.0
        self._active = self._fired = False
        self._lock = threading.Lock()

    def __enter__(self):
        with contextlib.ExitStack() as stack:
            self.after = stack.enter_context(kept(self._answer))
            on_main = threading.current_thread() is threading.main_thread() and hasattr(signal, "setitimer")
            stack.enter_context(self._timer() if on_main else self._watcher())
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *error):
        return self._stack.__exit__(*error)

    def attempt(self, function, *arguments, **keywords):
        """Call a function.

        Returns:
            Its value and None, or None and a `Fault`.
        """
        value, fault = None, None
        self._seen, self._active = time.monotonic(), True
        try:
            value = function(*arguments, **keywords)
            self._rest()
        except BaseException as error:  # SystemExit and our own TimeUp among them
            self._rest()
            fault = self._fault(error)
        if self._fired and (fault is None or fault.kind != "time"):  # the code caught our exception and went on
            fault = Fault("time", "", "")
        return (None, fault) if fault else (value, None)

    def _rest(self):
        """Stop the clock; afterwards nothing of it can arrive any more."""
        while True:
            try:
                with self._lock:
                    self._active = False
                for _ in range(2):  # an exception that the watcher has sent arrives at a jump back, at the latest
                    pass
                return
            except TimeUp:
                continue

    def _over(self, frame) -> bool:
        """Count the time since the last look, unless something is being imported; whether the limit is passed."""
        now = time.monotonic()
        since, self._seen = now - self._seen, now
        while frame is not None and frame.f_code.co_filename != __file__:
            if "importlib._bootstrap" in frame.f_code.co_filename:
                return False
            frame = frame.f_back
        self._used += since
        return self._used > self._limit

    @contextlib.contextmanager
    def _timer(self):
        def tick(_, frame):
            # in this file's own frames the exception would miss the `try` above
            if not self._active or frame.f_code.co_filename == __file__ or not self._over(frame):
                return
            if self._fired:
                self._insist(frame)
            self._fired = True
            raise TimeUp

        tracer = sys.gettrace()
        handler = signal.signal(signal.SIGALRM, tick)
        timer = signal.setitimer(signal.ITIMER_REAL, TICK, TICK)
        try:
            yield
        finally:
            signal.setitimer(signal.ITIMER_REAL, *timer)
            signal.signal(signal.SIGALRM, handler)
            sys.settrace(tracer)

    def _insist(self, frame):
        """The code swallowed the exception (`except: pass` in a loop): raise it once more on the next line, inside the `except`."""

        def again(_, event, __):
            if event == "line" and self._active:
                raise TimeUp
            return again

        while frame is not None and frame.f_code.co_filename != __file__:
            frame.f_trace = again
            frame = frame.f_back
        sys.settrace(again)

    @contextlib.contextmanager
    def _watcher(self):
        runner, done = threading.get_ident(), threading.Event()

        def watch():
            while not done.wait(TICK):
                frame = sys._current_frames().get(runner)
                with self._lock:
                    if not self._active or frame is None or frame.f_code.co_filename == __file__:
                        continue
                    if self._over(frame):
                        self._fired = True
                        ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(runner), ctypes.py_object(TimeUp))
                del frame

        thread = threading.Thread(target=watch, daemon=True)
        thread.start()
        try:
            yield
        finally:
            done.set()
            thread.join()

    def _fault(self, error: BaseException) -> Fault:
        kinds = [(TimeUp, "time"), (MemoryError, "memory"), (RecursionError, "recursion"), (SystemExit, "exit"),
                 (InputCalled, "input"), (KeyboardInterrupt, "interrupt")]  # fmt: skip
        kind = next((kind for type_, kind in kinds if isinstance(error, type_)), "error")
        if type(error).__name__ == "ResourceExhaustedError":  # TensorFlow's way to say MemoryError
            kind = "memory"
        line, code = self._place(error.__traceback__)
        traceback.clear_frames(error.__traceback__)  # they hold what the code had allocated
        try:
            message = "".join(traceback.format_exception_only(error)).strip()
        except Exception:  # an exception class of the learner's that cannot be printed
            message = type(error).__name__
        message = message.removeprefix(f"{type(error).__module__}.").removeprefix(f"{type(error).__qualname__}: ")[:500]
        return Fault(kind, type(error).__name__, message, line, code)

    def _place(self, tb) -> tuple[int, str]:
        """The last line of the learner's own code that an exception passed through."""
        found = (0, "")
        for frame, line in traceback.walk_tb(tb):
            if frame.f_code.co_filename == self._file:
                found = (line, linecache.getline(self._file, line).strip())
        return found
