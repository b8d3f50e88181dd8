import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))  # for `import mutation`


@pytest.fixture(autouse=True)
def own_progress(tmp_path, monkeypatch):
    """Every test has a progress file of its own, and no strictness but what it asks for."""
    path = tmp_path / "progress.json"
    monkeypatch.setenv("LMCOURSE_PROGRESS", str(path))
    monkeypatch.delenv("LMCOURSE_STRICT", raising=False)
    return path
