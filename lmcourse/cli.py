"""The command `lmcourse`: open the course, examine the machine, see and reset progress, export a notebook."""

import argparse
import locale
import os
import socket
import subprocess
import sys
from pathlib import Path

from lmcourse import language
from lmcourse.language import LANGUAGES, CourseError, pick


def main(arguments: list[str] | None = None) -> int:
    """Run one command.

    Args:
        arguments: words after `lmcourse`; by default those of this process.

    Returns:
        The exit status: 0 when it worked, 1 after a sentence that says what to do.
    """
    parser = argparse.ArgumentParser(prog="lmcourse", description="An interactive course on large models.")
    parser.add_argument("--lang", choices=LANGUAGES, default=_system_language(), help="the course's language")
    commands = parser.add_subparsers(dest="command", required=True)
    # --lang may stand before or after the command's name
    shared = argparse.ArgumentParser(add_help=False)
    shared.add_argument("--lang", choices=LANGUAGES, default=argparse.SUPPRESS, help="the course's language")
    lab = commands.add_parser("lab", parents=[shared], help="open the notebooks in JupyterLab")
    lab.add_argument(
        "--folder", type=Path, default=Path("lmcourse-work"), help="where your copies of the notebooks live"
    )
    lab.add_argument("--port", type=int, help="listen on this port; by default the first free one from 8888")
    lab.add_argument("--no-browser", action="store_true", help="print the address and open no browser")
    commands.add_parser("doctor", parents=[shared], help="examine this machine")
    progress = commands.add_parser("progress", parents=[shared], help="show which exercises are done")
    progress.add_argument("--reset", metavar="LESSON", help="forget the progress of one lesson, as in 1.2")
    export = commands.add_parser(
        "export", parents=[shared], help="write a notebook as one HTML file that works offline"
    )
    export.add_argument("notebook", type=Path)
    chosen = parser.parse_args(arguments)
    language.use(chosen.lang)
    run = {"lab": _lab, "doctor": _doctor, "progress": _progress, "export": _export}[chosen.command]
    try:
        return run(chosen)
    except CourseError as error:
        print(error, file=sys.stderr)
        return 1


def _system_language() -> str:
    name = os.environ.get("LMCOURSE_LANG") or locale.getlocale()[0] or os.environ.get("LANG", "")
    return "zh" if name.lower().startswith(("zh", "chinese")) else "en"


def _lab(chosen) -> int:
    import importlib.util

    from lmcourse import workfolder

    if importlib.util.find_spec("jupyterlab") is None:
        raise CourseError(
            en='JupyterLab is missing. Run: pip install "lmcourse[lab]"',
            zh='缺少 JupyterLab。请运行：pip install "lmcourse[lab]"',
        )
    if chosen.port is not None:
        _require_free(chosen.port)
    folder = chosen.folder.resolve()
    for sentence in workfolder.update(folder, chosen.lang):
        print(sentence)
    print(pick(en=f"Your notebooks: {folder / chosen.lang}", zh=f"你的笔记本：{folder / chosen.lang}"))
    command = [sys.executable, "-m", "jupyter", "lab", str(folder), *lab_options(chosen.lang)]
    command += [f"--ServerApp.port={chosen.port}", "--ServerApp.port_retries=0"] if chosen.port is not None else []
    command += ["--no-browser"] if chosen.no_browser else []
    command += ["--allow-root"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []  # containers often run as root
    try:
        return subprocess.run(command, check=False).returncode
    except KeyboardInterrupt:  # Ctrl-C is how a learner closes the server
        return 0


def lab_options(lang: str) -> list[str]:
    """JupyterLab's options: this machine only, its token as always, a first page."""
    return [
        "--ServerApp.ip=127.0.0.1",
        f"--LabApp.default_url=/lab/tree/{lang}/0_start/01_start_here.ipynb",
    ]


def _require_free(port: int) -> None:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except (OSError, OverflowError):
            raise CourseError(
                en=f"Port {port} is in use or not allowed. Leave --port out, and a free one is found.",
                zh=f"端口 {port} 已被占用或不允许使用。不写 --port，程序会自动找一个空闲端口。",
            ) from None


def _doctor(chosen) -> int:
    from lmcourse import doctor

    lines, healthy = doctor.report()
    print("\n".join(lines))
    return 0 if healthy else 1


def _progress(chosen) -> int:
    from lmcourse.exercises import progress

    if chosen.reset:
        progress.reset(chosen.reset)
    print("\n".join(progress.summary()))
    return 0


def _export(chosen) -> int:
    from lmcourse import export

    print(export.export(chosen.notebook))
    return 0


if __name__ == "__main__":
    sys.exit(main())
