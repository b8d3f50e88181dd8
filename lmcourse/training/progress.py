"""One line that tells how a long run is doing: step, loss, tokens a second, time left. In a notebook and in a terminal.

Left out on purpose: bars, nesting, curves (`lmcourse.widgets.gradient_flow` draws while a model trains).
"""

import sys
import time

from lmcourse.language import pick

SECONDS_BETWEEN = 0.5
RECENT = 20.0  # seconds over which the speed is measured


class Progress:
    """A line that rewrites itself, at most twice a second.

    Args:
        steps: the number of the last step.
        start: steps that were done before, in an earlier session.
    """

    def __init__(self, steps: int, start: int = 0):
        self.steps, self._handle, self._shown = steps, None, 0.0
        self._marks = [(time.perf_counter(), start, 0)]  # time, step, tokens so far
        self._tokens = 0

    def show(self, step: int, loss: float, tokens: int) -> None:
        """Tell that `step` steps are done, the last with this loss over so many tokens."""
        now, self._tokens = time.perf_counter(), self._tokens + tokens
        if now - self._shown < SECONDS_BETWEEN and step < self.steps:
            return
        self._shown = now
        self._marks.append((now, step, self._tokens))
        while len(self._marks) > 2 and now - self._marks[1][0] > RECENT:
            self._marks.pop(0)
        self._write(self.line(step, loss, *self._marks[0], now))

    def line(self, step, loss, since, first, counted, now) -> str:
        """The text, from what stood at `since`: step `first` and `counted` tokens."""
        seconds = max(now - since, 1e-9)
        speed = (self._tokens - counted) / seconds
        left = duration((self.steps - step) * seconds / max(step - first, 1))
        return pick(
            en=f"step {step:,} of {self.steps:,} | loss {loss:.3f} | {speed:,.0f} tokens/s | {left} left",
            zh=f"第 {step:,} / {self.steps:,} 步 | 损失 {loss:.3f} | {speed:,.0f} 词元/秒 | 还需 {left}",
        )

    def close(self) -> None:
        """End the line, so that what follows stands below it."""
        if self._handle is None and self._shown:
            print(flush=True)

    def _write(self, text):
        if not _in_notebook():
            sys.stdout.write(f"\r{text}   ")
            sys.stdout.flush()
            return
        from IPython.display import display

        data = {"text/plain": text}
        if self._handle is None:
            self._handle = display(data, raw=True, display_id=True)
        else:
            self._handle.update(data, raw=True)


def duration(seconds: float) -> str:
    """ "45 s", "12 min 5 s", "3 h 20 min" """
    seconds = round(seconds)
    if seconds < 60:
        return pick(en=f"{seconds} s", zh=f"{seconds} 秒")
    minutes, seconds = divmod(seconds, 60)
    if minutes < 60:
        return pick(en=f"{minutes} min {seconds} s", zh=f"{minutes} 分 {seconds} 秒")
    hours, minutes = divmod(minutes, 60)
    return pick(en=f"{hours} h {minutes} min", zh=f"{hours} 小时 {minutes} 分")


def _in_notebook() -> bool:
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython else None
    return hasattr(shell, "kernel")
