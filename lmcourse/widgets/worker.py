"""A thread beside the notebook that obeys commands and, between them, takes the next step of its work.

The thread is started by the first command, so it inherits the context of the message that brought it: a comm answers on
the shell that last spoke on it, and a command from the page then needn't wait for a busy cell.
"""

import atexit
import contextvars
import queue
import sys
import threading
import weakref

_at_work = weakref.WeakSet()
_usual_interval = sys.getswitchinterval()
_workers = weakref.WeakSet()


class Worker:
    """Calls `do(command)` for each command sent and `tick()` in between, all on one thread.

    Args:
        do: called with each command, in order.
        tick: does the next bit of work and returns the seconds until it wants to be called again; None for "not
            before the next command".
    """

    def __init__(self, do, tick):
        self._do, self._tick = do, tick
        self._commands = queue.SimpleQueue()
        self.thread = None
        _workers.add(self)

    def send(self, command):
        """Queue a command; never waits."""
        self._commands.put(command)
        if self.thread is None or not self.thread.is_alive():
            run = contextvars.copy_context().run
            self.thread = threading.Thread(target=run, args=(self._loop,), name="lmcourse-widget", daemon=True)
            self.thread.start()

    def stop(self, wait: float = 2.0):
        """End the thread after the step it is in; returns when it has ended, or after `wait` seconds."""
        if self.thread is not None and self.thread.is_alive():
            self._commands.put(None)
            if self.thread is not threading.current_thread():
                self.thread.join(wait)

    def _loop(self):
        wait = 0.0
        try:
            while True:
                try:
                    command = self._commands.get_nowait() if wait == 0 else self._commands.get(timeout=wait)
                except queue.Empty:
                    pass
                else:
                    if command is None:
                        return
                    self._do(command)
                wait = self._tick()
                _hurry(self, wait is not None)
        finally:
            _hurry(self, False)


def _hurry(worker, working):
    """While any worker has work, let threads change places often: a busy cell would starve the picture otherwise."""
    if working == (worker in _at_work):
        return
    (_at_work.add if working else _at_work.discard)(worker)
    sys.setswitchinterval(min(0.0005, _usual_interval) if _at_work else _usual_interval)


@atexit.register
def _stop_all():
    for worker in list(_workers):
        worker.stop()
