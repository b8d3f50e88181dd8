"""Lessons 2.1 and 2.2 do not load TensorFlow until they compare with it, 3.1 never does, 3.2 imports nothing heavy: the cells are run and watched."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
WATCH = """
import sys
sys.path[:0] = ["lessons", "."]
from source import read
from pathlib import Path
import matplotlib
matplotlib.use("Agg")
cells = [cell for cell in read(Path(sys.argv[1])).cells if cell.code is not None]
names = {}
for cell in cells[: [cell.id for cell in cells].index(sys.argv[2])]:
    exec(cell.exercise.solution_source() if cell.exercise else cell.code, names)
heavy = {"tensorflow", "keras", "torch", "jax"} & set(sys.modules)
assert len(names) > 40 and not heavy, heavy
"""


@pytest.mark.parametrize(
    ("lesson", "before"),
    [
        ("2_mathematics/01_activations.md", "load-keras"),
        ("2_mathematics/02_forward_and_loss.md", "load-keras"),
        ("3_training/01_data.md", "verdict"),
    ],
)
def test_nothing_heavy_is_loaded_before(lesson, before, tmp_path):
    environment = os.environ | {"LMCOURSE_PROGRESS": str(tmp_path / "progress.json"), "LMCOURSE_SMALL": "1"}
    command = [sys.executable, "-c", WATCH, lesson, before]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]


def test_tokenization_imports_nothing_heavy():
    watch = """
import sys
sys.path[:0] = ["lessons", "."]
from source import read
from pathlib import Path
import matplotlib
matplotlib.use("Agg")
code = [cell.code for cell in read(Path("3_training/02_tokenization.md")).cells if cell.code is not None]
assert not [part for part in code[1:] if "import " in part]
exec(code[0], {})
heavy = {"tensorflow", "keras", "torch", "jax"} & set(sys.modules)
assert not heavy, heavy
"""
    done = subprocess.run([sys.executable, "-c", watch], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
