"""The folder a learner works in: copies of the notebooks, so that an update never touches an edited one.

A manifest keeps a hash of each notebook as it was handed out (cell types and sources only: running a notebook is not editing it).
Left out on purpose: merging. An edited notebook is kept, and the new one is put beside it.
"""

import hashlib
import json
import shutil
from pathlib import Path

from lmcourse.course import notebooks_folder
from lmcourse.language import CourseError, pick

MANIFEST = ".lmcourse.json"


def fingerprint(path: Path) -> str:
    """A hash of a notebook's cell types and sources; outputs, counts and metadata do not matter.

    A file that is no notebook (a learner may have damaged it) is hashed whole.
    """
    data = path.read_bytes()
    try:
        cells = json.loads(data)["cells"]
        data = json.dumps([[c["cell_type"], "".join(c["source"])] for c in cells]).encode()
    except (ValueError, KeyError, TypeError):
        pass
    return hashlib.sha256(data).hexdigest()


def update(folder: Path, language: str) -> list[str]:
    """Bring new lessons into the work folder, update untouched ones, keep edited ones.

    Args:
        folder: the work folder; made when it is missing.
        language: whose notebooks to copy, "en" or "zh"; they go to a subfolder of that name.

    Returns:
        What happened, one sentence for each notebook that was added, updated, restored or kept.

    Raises:
        CourseError: when the folder cannot be written.
    """
    try:
        return _update(folder, language)
    except OSError as error:
        raise CourseError(
            en=f"Cannot write to the work folder {folder} ({error.strerror}). Choose another: lmcourse lab --folder PATH",
            zh=f"无法写入工作文件夹 {folder}（{error.strerror}）。请另选一个：lmcourse lab --folder 路径",
        ) from None


def _update(folder: Path, language: str) -> list[str]:
    source = notebooks_folder() / language
    folder.mkdir(parents=True, exist_ok=True)
    manifest = folder / MANIFEST
    handed_out = _read_manifest(manifest)
    said = []
    for original in sorted(source.rglob("*.ipynb")):
        if ".ipynb_checkpoints" in original.parts:
            continue
        name = f"{language}/{original.relative_to(source).as_posix()}"
        target = folder / name
        new, before = fingerprint(original), handed_out.get(name)
        target.parent.mkdir(parents=True, exist_ok=True)
        if not target.exists():
            shutil.copyfile(original, target)
            if before:
                said.append(pick(en=f"{name}: was deleted, restored", zh=f"{name}：已被删除，现已恢复"))
        elif fingerprint(target) == new:
            pass
        elif fingerprint(target) == before:
            shutil.copyfile(original, target)
            said.append(pick(en=f"{name}: updated", zh=f"{name}：已更新"))
        elif before != new:
            beside = target.with_name(f"{target.stem}.new.ipynb")
            shutil.copyfile(original, beside)
            said.append(
                pick(
                    en=f"{name}: you edited it, so it is kept; the new version is {beside.name}",
                    zh=f"{name}：你修改过，已保留；新版本是 {beside.name}",
                )
            )
        handed_out[name] = new
    manifest.write_text(json.dumps(handed_out, indent=1), encoding="utf-8")
    return said


def _read_manifest(path: Path) -> dict[str, str]:
    try:
        return dict(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError):  # none yet, or damaged: then every changed notebook counts as edited and is kept
        return {}
