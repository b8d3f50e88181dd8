"""How fast the widgets answer, beside `ipywidgets.interact` with matplotlib, in one run:

    python benchmarks/widgets.py              # the tables, as Markdown; about six minutes
    python benchmarks/widgets.py --quick      # fewer key presses

Latency: from a key's event to the end of the first frame in which a picture has changed, for every slider, locally and
through a proxy that adds 75 ms in each direction. It measures the page's main thread, not the monitor. Training: frames
painted a second, and steps a second against the same loop with nobody watching. Needs Chromium and Playwright.
"""

import asyncio
import dataclasses
import statistics
import sys
import threading
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests/browser"))
import lab  # noqa: E402

DELAY = 0.075  # seconds, each way
CELLS = {
    "interact + matplotlib": """import ipywidgets, numpy as np, matplotlib.pyplot as plt
%matplotlib inline
def curve(w=1.0):
    t = np.linspace(-6, 6, 200)
    plt.plot(t, 1 / (1 + np.exp(-w * t)))
    plt.show()
ipywidgets.interact(curve, w=(0.1, 4.0, 0.05));""",
    "activation explorer": "from lmcourse.widgets.activation_explorer import activation_explorer\nactivation_explorer()",
    "attention viewer": """import numpy as np
from lmcourse.widgets.attention_viewer import attention_viewer
p = np.random.default_rng(0).dirichlet(np.ones(12), size=(4, 8, 12))
attention_viewer(p, list("abcdefghijkl"))""",
    "network microscope": """import keras
from lmcourse.widgets.network_microscope import microscope
m = microscope(speed=0)
m""",
    "gradient flow": """import keras, numpy as np
from lmcourse.widgets.gradient_flow import GradientFlow
x = np.random.default_rng(0).normal(size=(400, 2)); y = (x[:, 0] > 0).astype("int32")
flow = GradientFlow(x, y, every=2)
model = keras.Sequential([keras.Input((2,)), *[keras.layers.Dense(16, "tanh") for n in range(6)], keras.layers.Dense(1, "sigmoid")])
model.compile("adam", "binary_crossentropy")
flow""",
}
# What a widget needs before its timeline has anything to look back on.
FILL = {
    "network microscope": "[(m._engine.step(), m._show(), __import__('time').sleep(0.01)) for step in range(100)] and None",
    "gradient flow": "model.fit(x, y, batch_size=8, epochs=4, verbose=0, callbacks=[flow]) and None",
}
# A number for what the page shows, taken in the task after each frame; t is when it first differed after a key.
WATCH = """() => {
  const look = () => {
    let sum = 2166136261;
    for (const canvas of document.querySelectorAll(".jp-OutputArea-output canvas")) {
      if (canvas.width * canvas.height < 8000) continue;
      const pixels = new Uint32Array(canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data.buffer);
      for (let i = 0; i < pixels.length; i += 5) sum = Math.imul(sum ^ pixels[i], 16777619);
    }
    const images = [...document.querySelectorAll(".jp-OutputArea-output img")].filter((i) => i.complete && i.naturalWidth);
    if (images.length) sum += images[images.length - 1].src;
    return sum;
  };
  const bench = (window.bench = {key: 0, before: null, result: null});
  const channel = new MessageChannel();
  channel.port1.onmessage = () => {
    const now = performance.now();
    if (bench.before !== null && bench.result === null && look() !== bench.before) bench.result = now - bench.key;
    requestAnimationFrame(() => channel.port2.postMessage(0));
  };
  requestAnimationFrame(() => channel.port2.postMessage(0));
  window.addEventListener("keydown", (event) => { if (bench.armed) { bench.key = event.timeStamp; bench.armed = false; } }, true);
  bench.arm = () => Object.assign(bench, {before: look(), result: null, armed: true});
}"""


class Delay:
    """A TCP proxy to `port` that holds every byte for `seconds`, each way."""

    def __init__(self, port, seconds):
        self.target, self.seconds = port, seconds
        started = threading.Event()
        threading.Thread(target=asyncio.run, args=(self._serve(started),), daemon=True).start()
        started.wait()

    async def _serve(self, started):
        server = await asyncio.start_server(self._pair, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        started.set()
        async with server:
            await server.serve_forever()

    async def _pair(self, reader, writer):
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self.target)
        await asyncio.gather(self._pass(reader, far_writer), self._pass(far_reader, writer))

    async def _pass(self, reader, writer):
        loop, waiting = asyncio.get_running_loop(), asyncio.Queue()

        async def deliver():
            while (item := await waiting.get()) is not None:
                await asyncio.sleep(max(0, item[0] - loop.time()))
                writer.write(item[1])
            writer.close()

        task = asyncio.create_task(deliver())
        try:
            while data := await reader.read(65536):
                waiting.put_nowait((loop.time() + self.seconds, data))
        except ConnectionError:
            pass
        waiting.put_nowait(None)
        await task


def show(page, site, name):
    """Open a notebook with one widget; returns seconds from running its cell to the picture, and bytes received."""
    file = name.split()[0] + ".ipynb"
    # Imports are paid for in the cell before: every widget of a lesson but the first finds them done.
    lab.write_notebook(site.folder / file, "import keras, matplotlib.pyplot, lmcourse.widgets.base", CELLS[name])
    received = []
    page.on("websocket", lambda socket: socket.on("framereceived", lambda data: received.append(len(data))))
    lab.open_notebook(page, site, file)
    page.evaluate("() => window.jupyterapp.shell.currentWidget.sessionContext.ready")
    page.evaluate("() => window.jupyterapp.commands.execute('notebook:run-cell-and-select-next')")
    page.wait_for_function(
        "() => window.jupyterapp.shell.currentWidget.content.widgets[0].model.executionCount", timeout=120_000
    )
    page.wait_for_timeout(500)
    received.clear()
    began = time.perf_counter()
    page.evaluate("() => { window.jupyterapp.commands.execute('notebook:run-cell-and-select-next'); }")
    page.locator(".jp-OutputArea-output canvas, .jp-OutputArea-output img").first.wait_for(timeout=120_000)
    seconds, size = time.perf_counter() - began, sum(received)
    page.wait_for_timeout(1500)
    return seconds, size


def latencies(page, presses, fill=None):
    """For each visible slider: its label, and the latencies in ms of `presses` keys (none where no picture changed).

    The kernel evaluates `fill` before each: other sliders may have begun a new network.
    """
    page.evaluate(WATCH)
    sliders = page.locator(
        ".jp-OutputArea-output input[type=range]:visible, .jp-OutputArea-output .noUi-handle:visible"
    )
    for place in range(sliders.count()):
        slider = sliders.nth(place)
        label = (
            slider.get_attribute("aria-label")
            or slider.evaluate("(s) => s.closest('.widget-inline-hbox')?.innerText")
            or "slider"
        )
        if fill:
            lab.kernel(page, fill)
            page.wait_for_timeout(500)
        slider.focus()
        page.wait_for_timeout(400)
        found = []
        for press in range(3 + presses):
            page.evaluate("() => window.bench.arm()")
            # There and back again, so that short sliders do not come to their end.
            page.keyboard.press("ArrowLeft" if press % 4 < 2 else "ArrowRight")
            try:
                page.wait_for_function("() => window.bench.result !== null", timeout=1500)
            except Exception:  # Playwright's timeout: this slider changes no picture by itself
                if press >= 3 and not found:
                    break
                continue
            if press >= 3:
                found.append(page.evaluate("() => window.bench.result"))
            page.wait_for_timeout(120)
        yield label.strip().split("\n")[0], found


def count(page, expression):
    return np.array(page.evaluate(expression))


def count_steps(page):
    return np.array(
        [float(number) for number in lab.kernel(page, "(time.perf_counter(), m._engine.steps)")[1:-1].split(",")]
    )


def training(page, site, seconds):
    """Frames painted a second, and steps a second watched and alone, in turns; the microscope's notebook is open."""
    rounds = []
    painted = "() => [performance.now() / 1000, +document.querySelector('.lmw.micro').dataset.painted]"
    alone = (
        f"(lambda e, t: [e.step() for _ in iter(lambda: time.perf_counter() < t + {seconds}, False)].__len__())"
        "(m._engine, time.perf_counter())"
    )
    lab.kernel(page, "globals().update(time=__import__('time'))")
    for _ in range(3):
        single = int(lab.kernel(page, alone)) / seconds
        page.locator(".lmw.micro .go").click()
        page.wait_for_timeout(1500)
        frames, steps = count(page, painted), count_steps(page)
        page.wait_for_timeout(1000 * seconds)
        frames, steps = (count(page, painted) - frames), (count_steps(page) - steps)
        page.locator(".lmw.micro .go").click()
        lab.wait_for_kernel(page, "m.playing", "False")
        rounds.append((frames[1] / frames[0], steps[1] / steps[0], single))
    return [statistics.median(column) for column in zip(*rounds, strict=True)]


def main(presses, seconds):
    import tempfile

    with tempfile.TemporaryDirectory() as folder, lab.chromium() as browser:
        work = Path(folder) / "work"
        work.mkdir()
        with lab.server(work) as site:
            delay = Delay(int(site.url.rpartition(":")[2]), DELAY)
            far = dataclasses.replace(site, url=f"http://127.0.0.1:{delay.port}")
            lines, firsts = [], []
            for name in CELLS:
                columns = {}
                for where, here in (("local", site), ("150 ms", far)):
                    page = browser.new_page(viewport={"width": 1280, "height": 1100})
                    seconds_first, size = show(page, here, name)
                    if where == "local":
                        firsts.append(f"| {name} | {size / 1000:.0f} | {seconds_first:.2f} |")
                    for label, found in latencies(page, presses, FILL.get(name)):
                        columns.setdefault(label, {})[where] = found
                    if name == "network microscope" and where == "local":
                        trained = training(page, here, seconds)
                    page.close()
                for label, found in columns.items():
                    cells = [
                        f"{statistics.median(f):.0f} / {sorted(f)[int(0.95 * (len(f) - 1))]:.0f} ({len(f)})"
                        if f
                        else "–"
                        for f in (found.get("local"), found.get("150 ms"))
                    ]
                    lines.append(f"| {name} | {label} | {cells[0]} | {cells[1]} |")
    print(
        "| widget | slider | local: median / 95 % ms (n) | + 150 ms round trip |\n|---|---|---|---|", *lines, sep="\n"
    )
    print("\n| widget | kB received to first picture | seconds |\n|---|---|---|", *firsts, sep="\n")
    frames, watched, alone = trained
    print(
        f"\nTraining 2-8-8-1 on 500 points: {frames:.1f} frames painted a second; {watched:.0f} steps a second watched, ",
        end="",
    )
    print(f"{alone:.0f} alone ({100 * (1 - watched / alone):.0f} % slower).")


if __name__ == "__main__":
    quick = "--quick" in sys.argv
    main(presses=8 if quick else 40, seconds=2 if quick else 5)
