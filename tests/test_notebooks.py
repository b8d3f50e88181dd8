"""nbval executes every notebook with the network cut: solved at full size, the learner's edition small, the other language twice.

Code is equal in both languages by construction (`test_build.py` proves it), so one language runs whole and the other on samples.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
OFFLINE = ROOT / "tests/offline"
LESSONS = sorted(
    p.relative_to(ROOT / "notebooks/en") for p in (ROOT / "notebooks/en").rglob("*.ipynb") if "checkpoint" not in str(p)
)
CHINESE = [LESSONS[0], *[lesson for lesson in LESSONS if lesson.stem == "02_the_pipeline"]]
SECONDS_A_CELL, SECONDS_A_LESSON = 180, 1200  # far beyond the budgets: what hangs is to fail


def execute(notebook: Path, isolate: list[str], folder: Path, **environment) -> None:
    """Run one notebook under nbval in a process that cannot reach the network; fail with nbval's own words."""
    log = folder / "network.log"
    environment = os.environ | {
        "PYTHONPATH": str(OFFLINE),
        "LMCOURSE_NETWORK_LOG": str(log),
        "LMCOURSE_PROGRESS": str(folder / "progress.json"),
        **environment,
    }
    command = [sys.executable, "-m", "pytest", "--nbval-lax", f"--nbval-cell-timeout={SECONDS_A_CELL}", "-q"]
    command += ["-p", "no:cacheprovider", f"--rootdir={folder}", "-c", os.devnull, str(notebook)]
    done = subprocess.run(
        [*isolate, *command], env=environment, capture_output=True, text=True, check=False, timeout=SECONDS_A_LESSON
    )
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    assert not log.exists(), log.read_text()


@pytest.fixture(scope="session")
def solved(tmp_path_factory):
    folder = tmp_path_factory.mktemp("solved")
    subprocess.run(
        [sys.executable, str(ROOT / "lessons/build.py"), "--solved", str(folder)], check=True, capture_output=True
    )
    return folder


@pytest.mark.parametrize("lesson", LESSONS, ids=str)
def test_solved_edition_runs_at_full_size_and_passes_every_check(lesson, solved, isolate, tmp_path):
    execute(solved / "en" / lesson, isolate, tmp_path, LMCOURSE_STRICT="1")


@pytest.mark.parametrize("lesson", LESSONS, ids=str)
def test_learners_edition_runs_to_its_end_unsolved(lesson, isolate, tmp_path):
    execute(ROOT / "notebooks/en" / lesson, isolate, tmp_path, LMCOURSE_SMALL="1")


@pytest.mark.parametrize("lesson", CHINESE, ids=str)
def test_chinese_edition_runs(lesson, isolate, tmp_path):
    execute(ROOT / "notebooks/zh" / lesson, isolate, tmp_path, LMCOURSE_SMALL="1")
