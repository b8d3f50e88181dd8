"""Execute every solved lesson: wall time, CPU time and peak resident memory of its kernel; fail above the budgets.

Measured as a learner has it: without JAX, which TensorFlow loads wherever it is installed, with 110 MB.

python benchmarks/lessons.py [LESSON …]      # parts of names, as in 02_the_pipeline; all without any
"""

import os
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import nbformat
import psutil
from nbclient import NotebookClient

ROOT = Path(__file__).resolve().parent.parent
MEMORY = 1.5e9  # bytes, what Binder can be relied on to give
SECONDS = 90


class Watch(threading.Thread):
    """Samples the memory and CPU time of this process's children, kernels and what they start, until stopped."""

    def __init__(self):
        super().__init__(daemon=True)
        self.memory, self.cpu, self.stopped = 0, 0.0, threading.Event()

    def run(self):
        while not self.stopped.wait(0.05):
            sizes, cpu = set(), 0.0  # between fork and exec a process still is its parent, to the byte: counted once
            for child in psutil.Process().children(recursive=True):
                try:
                    sizes.add(child.memory_info()[:2])
                    times = child.cpu_times()
                    cpu += times.user + times.system
                except psutil.NoSuchProcess:
                    continue
            memory = sum(resident for resident, _ in sizes)
            self.memory, self.cpu = max(self.memory, memory), max(self.cpu, cpu)


def measure(path: Path) -> tuple[float, float, int]:
    """Wall seconds, CPU seconds and peak bytes of one notebook's execution, from the start of its kernel."""
    notebook = nbformat.read(path, as_version=4)
    notebook.cells.insert(0, nbformat.v4.new_code_cell("import sys; sys.modules['jax'] = None"))
    client = NotebookClient(notebook, timeout=300, kernel_name="python3")
    watch = Watch()
    watch.start()
    start = time.perf_counter()
    client.execute()
    wall = time.perf_counter() - start
    watch.stopped.set()
    watch.join()
    return wall, watch.cpu, watch.memory


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        os.environ |= {"LMCOURSE_STRICT": "1", "LMCOURSE_PROGRESS": f"{folder}/progress.json"}
        subprocess.run(
            [sys.executable, ROOT / "lessons/build.py", "--solved", folder], check=True, stdout=subprocess.DEVNULL
        )
        lessons = sorted((Path(folder) / "en").rglob("*.ipynb"))
        chosen = [lesson for lesson in lessons if any(word in lesson.stem for word in sys.argv[1:] or [""])]
        over = []
        print(f"{'lesson':28} {'wall s':>7} {'CPU s':>7} {'peak MB':>8}")
        for lesson in chosen:
            wall, cpu, memory = measure(lesson)
            print(f"{lesson.stem:28} {wall:7.1f} {cpu:7.1f} {memory / 1e6:8.0f}", flush=True)
            if memory > MEMORY or wall > SECONDS:
                over.append(lesson.stem)
    if over:
        print(f"over {SECONDS} s or {MEMORY / 1e9:.1f} GB:", *over)
    return bool(over)


if __name__ == "__main__":
    sys.exit(main())
