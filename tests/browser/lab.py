"""A real JupyterLab and a real browser, as small functions.

with lab.server(folder) as site, lab.chromium() as browser:   # or the fixtures `site`, `browser`, `page`
    page = browser.new_page()
    lab.open_notebook(page, site, "en/first.ipynb")
    lab.run_all(page)
    lab.theme(page, "dark")
    lab.kernel(page, "1 + 1")       # "2"
"""

import contextlib
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from dataclasses import dataclass
from pathlib import Path

import nbformat
import pytest

ROOT = Path(__file__).resolve().parents[2]
LIVE = ".jp-OutputArea-output .lmw"
both_languages = pytest.mark.parametrize("lang", ["en", "zh"])
QUIET = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync"]  # fmt: skip


@dataclass
class Site:
    """A running JupyterLab."""

    folder: Path
    url: str
    token: str
    home: Path
    environment: dict


def find_chromium(playwright) -> str:
    """Where Chromium is; skips the test, saying what is missing, where there is none."""
    places = [
        playwright.chromium.executable_path,
        *map(shutil.which, ("chromium", "chromium-browser", "google-chrome")),
    ]
    for place in places:
        if place and Path(place).exists():
            return place
    return pytest.skip("Chromium is missing, so nothing is tried in a browser: run `playwright install chromium`")


@contextlib.contextmanager
def chromium():
    """A headless browser, closed at the end."""
    sync_api = pytest.importorskip("playwright.sync_api", reason="Playwright is missing: install lmcourse[test]")
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_chromium(playwright), args=QUIET)
        yield browser
        browser.close()


@contextlib.contextmanager
def server(folder: Path, *, lang: str = "en", options=()):
    """JupyterLab on a folder, started with the options of `lmcourse lab`; its settings live in a folder of their own."""
    from lmcourse.cli import lab_options

    home = folder.with_name(folder.name + "-home")
    home.mkdir(exist_ok=True)
    own = {
        "JUPYTER_CONFIG_DIR": "config",
        "JUPYTER_DATA_DIR": "data",
        "JUPYTER_RUNTIME_DIR": "runtime",
        "IPYTHONDIR": "ipython",
    }
    environment = {**os.environ, **{name: str(home / place) for name, place in own.items()}}
    environment |= {"HOME": str(home), "PYTHONPATH": str(ROOT), "TF_CPP_MIN_LOG_LEVEL": "3", "LMCOURSE_SMALL": "1"}
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    token = "a-token-as-always"
    command = [sys.executable, "-m", "jupyter", "lab", str(folder), "--no-browser", "--allow-root", *lab_options(lang)]
    command += [f"--ServerApp.port={port}", "--ServerApp.port_retries=0", f"--IdentityProvider.token={token}"]
    command += ["--LabApp.expose_app_in_browser=True", *options]
    with (home / "server.log").open("w") as file:
        process = subprocess.Popen(command, env=environment, stdout=file, stderr=subprocess.STDOUT, cwd=folder)
    site = Site(folder, f"http://127.0.0.1:{port}", token, home, environment)
    try:
        _wait_until_up(site, process)
        yield site
        for kernel in _api(site, "kernels"):
            _api(site, f"kernels/{kernel['id']}", method="DELETE")
    finally:
        process.terminate()
        process.wait(20)


def _api(site: Site, path: str, method: str = "GET"):
    request = urllib.request.Request(
        f"{site.url}/api/{path}", method=method, headers={"Authorization": f"token {site.token}"}
    )
    with urllib.request.urlopen(request, timeout=10) as answer:
        return json.loads(answer.read() or "null")


def _wait_until_up(site: Site, process) -> None:
    for _ in range(300):
        assert process.poll() is None, (site.home / "server.log").read_text()
        with contextlib.suppress(OSError):
            _api(site, "status")
            return
        time.sleep(0.1)
    raise AssertionError("JupyterLab did not start:\n" + (site.home / "server.log").read_text())


def write_notebook(path: Path, *cells: str) -> None:
    """A notebook with these code cells."""
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(notebook, path)


def trust(site: Site, path: Path) -> None:
    """Sign a notebook, as `jupyter trust` does."""
    subprocess.run(
        [sys.executable, "-m", "jupyter", "trust", str(path)], env=site.environment, check=True, capture_output=True
    )


def open_notebook(page, site: Site, path: str) -> None:
    """Open a notebook (its path below the site's folder) in a fresh workspace and wait until it is drawn."""
    workspace = re.sub(r"\W", "-", f"{path}-{time.monotonic_ns()}")
    page.goto(f"{site.url}/lab/workspaces/{workspace}/tree/{path}?token={site.token}")
    page.wait_for_function(
        "() => window.jupyterapp?.shell?.currentWidget?.content?.widgets?.length > 0", timeout=60_000
    )
    page.wait_for_selector(".jp-NotebookPanel:not(.lm-mod-hidden) .jp-Cell", timeout=60_000)


def open_lesson(page, site, lang, path, last):
    """Open a lesson as a learner finds it, up to the cell of this name, with that cell in sight."""
    notebook = nbformat.read(ROOT / "notebooks" / lang / path, as_version=4)
    end = next(i for i, cell in enumerate(notebook.cells) if cell.id == last)
    notebook.cells = notebook.cells[: end + 1]
    name = f"{lang}-{path.rpartition('/')[2]}"
    nbformat.write(notebook, site.folder / name)
    open_notebook(page, site, name)
    page.evaluate("(i) => window.jupyterapp.shell.currentWidget.content.scrollToItem(i, 'start')", end)


def run_all(page, timeout: float = 120) -> None:
    """Run every cell and wait for the last one; fails when a cell fails or none starts in time (seconds)."""
    page.evaluate("() => window.jupyterapp.shell.currentWidget.sessionContext.ready")
    page.set_default_timeout(timeout * 1000)
    page.evaluate("() => window.jupyterapp.commands.execute('notebook:run-all-cells')")
    page.wait_for_function(
        "() => window.jupyterapp.shell.currentWidget.content.widgets.every("
        "(c) => c.model.type !== 'code' || !c.model.sharedModel.getSource().trim() || c.model.executionCount)"
    )
    assert not errors(page)


def errors(page) -> list[str]:
    """What the open notebook's failed cells say."""
    return page.evaluate(
        """() => window.jupyterapp.shell.currentWidget.content.widgets.flatMap((cell) =>
             (cell.model.outputs?.toJSON() ?? []).filter((o) => o.output_type === "error").map((o) => o.ename + ": " + o.evalue))"""
    )


def kernel(page, expression: str) -> str:
    """The repr of a Python expression, computed in the open notebook's kernel."""
    reply = page.evaluate(
        """async (expression) => {
             const kernel = window.jupyterapp.shell.currentWidget.sessionContext.session.kernel;
             const reply = await kernel.requestExecute({code: "", silent: true, user_expressions: {it: expression}}).done;
             return reply.content.user_expressions.it;
           }""",
        expression,
    )
    assert reply["status"] == "ok", reply
    return reply["data"]["text/plain"]


def wait_for_kernel(page, expression: str, value: str, seconds: float = 10) -> None:
    """Wait until a Python expression has this repr."""
    end = time.monotonic() + seconds
    while (found := kernel(page, expression)) != value:
        assert time.monotonic() < end, f"{expression} stayed {found}, not {value}"
        page.wait_for_timeout(50)


def save(page) -> None:
    """Save the open notebook as a learner does."""
    page.evaluate("() => window.jupyterapp.commands.execute('docmanager:save')")


def theme(page, name: str) -> None:
    """Switch JupyterLab to the "light" or the "dark" theme; it stays so for every later page of the same server."""
    title = {"light": "JupyterLab Light", "dark": "JupyterLab Dark"}[name]
    page.evaluate("(theme) => window.jupyterapp.commands.execute('apputils:change-theme', {theme})", title)
    page.wait_for_function("(light) => document.body.dataset.jpThemeLight === light", arg=str(name == "light").lower())
    page.wait_for_timeout(100)  # a widget reads the new colours at the next frame


def drag(page, locator, start: tuple[float, float], end: tuple[float, float]) -> None:
    """Press at one place of an element, given as fractions of its size, move in steps to another, release."""
    locator.scroll_into_view_if_needed()
    box = locator.bounding_box()
    places = [(box["x"] + fx * box["width"], box["y"] + fy * box["height"]) for fx, fy in (start, end)]
    page.mouse.move(*places[0])
    page.mouse.down()
    page.mouse.move(*places[1], steps=8)
    page.mouse.up()


def picture(page, selector: str = ".lmw canvas", nth: int = 0) -> str:
    """A canvas's pixels as a short text that changes when they do."""
    return (
        page.locator(selector)
        .nth(nth)
        .evaluate(
            """(canvas) => {
             const bytes = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
             let hash = 2166136261;
             for (const byte of bytes) hash = Math.imul(hash ^ byte, 16777619);
             return `${canvas.width}x${canvas.height}:${hash >>> 0}`;
           }"""
        )
    )
