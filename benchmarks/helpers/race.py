"""Two programs side by side: each in a process of its own, in turns, judged by the ratio of their times.

TensorFlow and PyTorch each take all cores and keep threads that wait for work, so they must not share a process; while one side works,
the others sleep. A busy machine slows the sides unequally, so without quiet cores a verdict by the clock stays open. Processor time of a
side that works on one thread is hardly disturbed by others, and is given beside it.
"""

import contextlib
import multiprocessing
import os
import statistics
import time
import traceback

QUIET = 0.9  # of each core for busy loops: with less, something else ran


class Failure(Exception):
    """What went wrong on a side."""


class Side:
    """One side of a race.

    Args:
        make: a function of the script's top level: make(*args) → a function that does a piece of work and returns a result.
    """

    def __init__(self, make, *args):
        context = multiprocessing.get_context("spawn")  # a fresh Python: a forked one would share what is imported
        self._pipe, far = context.Pipe()
        self._process = context.Process(target=_serve, args=(far, make, args), daemon=True)
        self._process.start()
        far.close()
        self.ready = self._hear()

    def run(self, *request):
        """Do a piece of work: seconds by the clock, seconds of processor time, result."""
        self._pipe.send(request)
        return self._hear()

    def close(self):
        self._pipe.close()
        self._process.join()

    def _hear(self):
        try:
            answer = self._pipe.recv()
        except EOFError:
            raise SystemExit("A side ended without a word; out of memory?") from None
        if isinstance(answer, str):
            raise Failure(answer)
        return answer


def _serve(pipe, make, args):
    nothing = os.open(os.devnull, os.O_WRONLY)
    for stream in (1, 2):  # what the frameworks have to say
        os.dup2(nothing, stream)
    try:
        work = _timed(make, args)
        pipe.send((*work[:2], None))
    except Exception:
        pipe.send(traceback.format_exc())
        return
    with contextlib.suppress(EOFError):  # the other end is closed
        while True:
            request = pipe.recv()
            try:
                pipe.send(_timed(work[2], request))
            except Exception:
                pipe.send(traceback.format_exc())


def _timed(work, args):
    wall, processor = time.perf_counter(), time.process_time()
    result = work(*args)
    return time.perf_counter() - wall, time.process_time() - processor, result


def share_of_the_cores(seconds=0.3):
    """How much of its core the worst of as many busy loops as there are cores gets."""
    context = multiprocessing.get_context("spawn")
    with context.Pool(os.cpu_count()) as pool:
        return min(pool.map(_busy, [seconds] * os.cpu_count(), chunksize=1))


def _busy(seconds):
    wall, own = time.perf_counter(), time.thread_time()
    while time.perf_counter() - wall < seconds:
        pass
    return (time.thread_time() - own) / seconds


def judge(ratios, target, quiet):
    """ "yes" when the median reaches the target, "NO" when three quarters do not; open unless the machine was quiet."""
    if not quiet:
        return "open: busy machine"
    if statistics.median(ratios) >= target:
        return "yes"
    return "NO" if statistics.quantiles(ratios, n=4)[2] < target else "too noisy to tell"


def span(values, digits=2):
    return f"{statistics.median(values):.{digits}f} ({min(values):.{digits}f} to {max(values):.{digits}f})"
