"""Exercises of the lesson on hardware about time: a benchmark that measures the wrong thing, and readers that keep training fed."""

from dataclasses import dataclass

import numpy as np

from lmcourse.exercises.exercise import Case, exercise


@dataclass
class FakeMachine:
    """A machine with a clock of its own: the first run compiles, later ones only enqueue work that `wait` waits for.

    Two of them are equal if they have the same habits, whatever their clocks show.

    Attributes:
        compile_seconds, run_seconds: of the first call, and of every call.
        hiccups: numbers of runs that something else on the machine delays.
    """

    compile_seconds: float
    run_seconds: float
    hiccups: tuple[int, ...] = ()

    def __post_init__(self):
        self._time = self._ready = 0.0
        self._runs = 0

    def run(self):
        """Start the work; the result is not there yet."""
        if self._runs == 0:
            self._time += self.compile_seconds
        self._time += 1e-4
        slow = 20 if self._runs in self.hiccups else 1
        self._runs += 1
        self._ready = max(self._ready, self._time) + slow * self.run_seconds
        return self._ready

    def wait(self, result):
        """Wait until a result is there."""
        self._time = max(self._time, result)

    def now(self):
        """Seconds on the machine's clock."""
        return self._time


@exercise(
    minutes=8,
    task_en="Mend the benchmark: one run as a rule, without compiling, and with the result really there.",
    task_zh="改好这个基准测试：量出通常情况下的一次运行，不含编译，而且结果确实算完。",
    cases=lambda: [
        Case(FakeMachine(0, 0.5), label_en="a machine without surprises", label_zh="没有意外的机器", expected=0.5001),
        Case(FakeMachine(3, 0.5), label_en="the first run compiles for three seconds", label_zh="第一次运行要编译三秒", expected=0.5001),
        Case(FakeMachine(1, 0.2, hiccups=(2,)), label_en="something else runs for a moment", label_zh="中途被别的程序打断", expected=0.2001),
        Case(FakeMachine(3, 0.5), repeat=1, label_en="one repeat after compiling", label_zh="编译之后只重复一次", expected=0.5001),
        Case(FakeMachine(0, 2.0), repeat=3, label_en="three repeats", label_zh="重复三次", expected=2.0001),
    ],
    tolerance=1e-3,
    hints=[
        ("Print the time of every single run. Which one is unlike the others? And when does the clock stop: before or after the result is there?",
         "打印每一次运行的时间。哪一次与众不同？还有，停表是在结果出来之前还是之后？"),
        ("Three repairs: run and wait once before the clock starts; wait inside the timed part; the median instead of the mean.",
         "三处要改：开始计时前先运行并等待一次；在计时部分里等待结果；用中位数代替平均数。"),
        ("`machine.wait(machine.run())` once at the start, and again between `start` and `machine.now()`; then `np.median(times)`.",
         "开头先 `machine.wait(machine.run())` 一次，在 `start` 与 `machine.now()` 之间也这样写；最后 `np.median(times)`。"),
    ],
)  # fmt: skip
def benchmark(machine, repeat=7):
    """Seconds of one run, as a rule.

    machine: `run()` starts the work and gives a result that may not be there yet; `wait(result)` waits for it; `now()` is the time.
    """
    machine.wait(machine.run())
    times = []
    for _ in range(repeat):
        start = machine.now()
        machine.wait(machine.run())
        times.append(machine.now() - start)
    return float(np.median(times))


@benchmark.broken
def careless(machine, repeat=7):
    """Seconds of one run, as a rule.

    machine: `run()` starts the work and gives a result that may not be there yet; `wait(result)` waits for it; `now()` is the time.
    """
    times = []
    for _ in range(repeat):
        start = machine.now()
        machine.run()
        times.append(machine.now() - start)
    return float(np.mean(times))


def _half_mended(machine, repeat, warm_up=True, waits=True, summary=np.median):
    """The reference with one of its three repairs left out."""
    if warm_up:
        machine.wait(machine.run())
    times = []
    for _ in range(repeat):
        start = machine.now()
        result = machine.run()
        if waits:
            machine.wait(result)
        times.append(machine.now() - start)
    return float(summary(times))


@benchmark.mistake(
    en="The first run is still counted among the others; it compiles. Run once before the clock starts.",
    zh="第一次运行还算在里面，而它要编译。开始计时前先运行一次。",
)
def no_warm_up(machine, repeat=7):
    return _half_mended(machine, repeat, warm_up=False, summary=np.mean)


@benchmark.mistake(
    en="The median hides the first, compiling run only among many others. Run once before the clock starts.",
    zh="只有在许多次运行里，中位数才能掩盖第一次的编译。开始计时前先运行一次。",
)
def median_of_all(machine, repeat=7):
    return _half_mended(machine, repeat, warm_up=False)


@benchmark.mistake(
    en="The clock stops before the result is there: you measure how fast work is handed over.",
    zh="结果还没出来就停了表：量到的是交代任务的速度。",
)
def does_not_wait(machine, repeat=7):
    return _half_mended(machine, repeat, waits=False)


@benchmark.mistake(
    en="One delayed run pulls the mean up. The median, or the minimum, does not mind.",
    zh="一次被耽搁的运行就会拉高平均数。中位数或最小值不受影响。",
)
def mean_of_all(machine, repeat=7):
    return _half_mended(machine, repeat, summary=np.mean)


@benchmark.right
def fastest(machine, repeat=7):
    machine.wait(machine.run())
    times = []
    for _ in range(repeat):
        start = machine.now()
        result = machine.run()
        machine.wait(result)
        times.append(machine.now() - start)
    return min(times)


@benchmark.right
def drop_the_first(machine, repeat=7):
    times = []
    for _ in range(repeat + 1):
        start = machine.now()
        machine.wait(machine.run())
        times.append(machine.now() - start)
    return sorted(times[1:])[repeat // 2]


@exercise(
    minutes=8,
    task_en="Pick the smallest number of readers with which training hardly waits.",
    task_zh="选出使训练几乎不再等待的最少读取者数。",
    cases=lambda: [
        Case({1: 8.1, 2: 4.1, 4: 2.1, 8: 2.05}, 2.0, label_en="four are enough", label_zh="四个就够", expected=4),
        Case({8: 2.0, 1: 2.2, 2: 2.1}, 2.0, label_en="one is enough, in another order", label_zh="一个就够，次序打乱", expected=1),
        Case({1: 9.0, 2: 5.0, 4: 4.0, 8: 4.5}, 2.0, label_en="none is enough: the fastest", label_zh="都不够：取最快的", expected=4),
        Case({1: 4.0, 2: 3.0, 3: 2.5}, 2.0, slack=0.5, label_en="exactly on the limit", label_zh="恰好在界上", expected=2),
        Case({1: 3.0, 2: 2.6, 4: 2.4}, 2.0, label_en="the default slack", label_zh="默认的余量", expected=4),
    ],
    hints=[
        ("Two steps: which numbers are good enough? If there are any, the smallest of them; if not, the fastest.",
         "分两步：哪些够好？有就取其中最小的，没有就取最快的。"),
        ("Good enough: seconds ≤ alone · (1 + slack). The fastest: `min(measured, key=measured.get)`.",
         "够好：秒数 ≤ alone · (1 + slack)。最快的：`min(measured, key=measured.get)`。"),
    ],
)  # fmt: skip
def enough_readers(measured, alone, slack=0.25):
    """The smallest number of readers with which training takes at most `slack` longer than without any loading.

    measured: dict, readers → seconds; alone: seconds without loading. Returns one of its numbers, or the fastest if none is enough.
    """
    enough = [readers for readers, seconds in measured.items() if seconds <= alone * (1 + slack)]
    return min(enough) if enough else min(measured, key=measured.get)


@enough_readers.mistake(
    en="This takes the fastest; a smaller number may be nearly as fast.",
    zh="这里取的是最快的；更少的读取者也许几乎一样快。",
)
def the_fastest(measured, alone, slack=0.25):
    return min(measured, key=measured.get)


@enough_readers.mistake(
    en="The comparison is with the fastest measurement. Compare with training alone: even the fastest may be waiting.",
    zh="这里是和最快的一次比。应当和单纯训练比：最快的也可能在等待。",
)
def near_the_fastest(measured, alone, slack=0.25):
    return min(n for n, seconds in measured.items() if seconds <= min(measured.values()) * (1 + slack))


@enough_readers.right
def by_walking(measured, alone, slack=0.25):
    for readers in sorted(measured):
        if measured[readers] / alone - 1 <= slack:
            return readers
    return sorted(measured, key=measured.get)[0]


@enough_readers.right
def by_default(measured, alone, slack=0.25):
    fastest = min(measured, key=lambda n: measured[n])
    return min((n for n in measured if measured[n] <= alone + slack * alone), default=fastest)
