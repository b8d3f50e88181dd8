import subprocess
import sys
from pathlib import Path

import pytest

from lmcourse import language


@pytest.fixture(autouse=True)
def english():
    """Every test starts in English, whatever the one before it chose."""
    language.use("en")


@pytest.fixture(scope="session")
def isolate() -> list[str]:
    """The words that put a command into a network namespace of its own; none where the system does not allow it."""
    words = ["unshare", "-rn", sys.executable, str(Path(__file__).resolve().parent / "offline/isolated.py")]
    try:
        allowed = subprocess.run([*words, "true"], capture_output=True, check=False).returncode == 0
    except FileNotFoundError:  # not Linux
        allowed = False
    return words if allowed else []
