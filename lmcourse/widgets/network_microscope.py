"""The network microscope: a small network, training for real in the kernel, with every neuron and every weight in view.

    microscope()                    a network built from the controls
    microscope(model, x, y)         your own: a chain of Dense layers on points of the plane

The browser computes the pictures from the weights, so little travels: 1.5 kB a frame for two layers of eight neurons.
Training runs on a thread (`worker`) and stops between two steps. Left out: test sets, regularisation controls.
"""

import time

import numpy as np
from traitlets import Bool, Bytes, Dict, Unicode

from lmcourse.language import CourseError
from lmcourse.widgets import microscope_code, microscope_network
from lmcourse.widgets.base import Widget, module, packed
from lmcourse.widgets.microscope_commands import Commands
from lmcourse.widgets.microscope_picture import draw
from lmcourse.widgets.microscope_points import SHOWN_POINTS, check_points, choose_loss, classes, targets
from lmcourse.widgets.microscope_problems import PROBLEMS, apart
from lmcourse.widgets.microscope_training import Engine
from lmcourse.widgets.worker import Worker

SETTINGS = {
    "problem": "circle",
    "points": 500,
    "noise": 0.1,
    "seed": 0,
    "depth": 2,
    "width": 8,
    "activation": "tanh",
    "initialisation": "Glorot",
    "optimiser": "Adam",
    "rate": 0.01,
    "batch": 32,
    "speed": 100,  # steps a second; 0 for as many as the machine takes
}
FRAME_SECONDS, BYTES_A_SECOND = 1 / 25, 2_000_000
WATCHING = 0.1  # of the training thread's time at most goes into being watched; on a slow machine frames come later


class NetworkMicroscope(Commands, Widget):
    """See `microscope`.

    Attributes:
        model: the Keras model in view, in training or at rest.
        settings: what the controls say.
        playing: whether it trains.
        network: for the browser: stages, loss, whether the model and the data are the learner's.
        data: (points, 5) float32, of the points drawn: place without noise, class, and what noise 1 adds to the place.
        frame: see `Engine.frame`.
        example: one point's numbers while a step is taken phase by phase; see `Engine`.
        code: the Keras code that builds and trains what is seen.
    """

    _esm = packed(module("network_microscope"))
    settings = Dict().tag(sync=True)
    playing = Bool(False).tag(sync=True)
    network = Dict().tag(sync=True)
    data = Bytes().tag(sync=True)
    frame = Bytes().tag(sync=True)
    example = Bytes().tag(sync=True)
    code = Unicode("").tag(sync=True)

    def __init__(self, model=None, x=None, y=None, settings=None):
        self.model, self._engine, self._stages = None, None, []
        self._own_model, self._own_data, self._drawn = model, None, []
        self._wanted, self._step_due, self._frame_due = {}, 0.0, 0.0
        self._worker = Worker(self._obey, self._tick)
        super().__init__(settings={**SETTINGS, **(settings or {})})
        self._guard(self._open, x, y)

    def _open(self, x, y):
        if x is not None or y is not None:
            self._own_data = check_points(x, y)
        self._build()

    def receive(self, kind, content, buffers):
        if kind == "set":  # a slider sends faster than a network is built: only the last values count
            self._wanted.update(content["values"])
        self._worker.send((kind, {**content, "buffers": buffers}))

    def close(self):
        """End the training thread, then the widget."""
        self._worker.stop()
        super().close()

    # What follows, and the commands, run on the worker's thread, except for the first build.

    def _obey(self, command):
        kind, content = command
        if self._engine is not None:
            self._guard(getattr(self, f"_do_{kind}", lambda content: None), content)
        self.push("done")

    def _guard(self, action, *arguments):
        """Do it; what goes wrong becomes a sentence in the widget."""
        try:
            action(*arguments)
        except CourseError as error:
            self._stop(str(error))
        except Exception as error:  # a learner's loss, activation or layer may raise anything
            what = f"{type(error).__name__}: {(str(error).strip().splitlines() or [''])[-1][:300]}"
            self._stop(self.text(en=f"This did not work: {what}", zh=f"出错了：{what}"))

    def _stop(self, sentence):
        self.playing, self.problem = False, sentence

    def _tick(self):
        if not self.playing:
            return None
        now = time.perf_counter()
        if now >= self._step_due:
            self._guard(self._engine.step)
            speed = self.settings["speed"]
            self._step_due = max(now, self._step_due + 1 / speed) if speed else now
            if now >= self._frame_due:
                began = time.perf_counter()
                self._guard(self._show)
                spent = time.perf_counter() - began
                self._frame_due = now + max(FRAME_SECONDS, len(self.frame) / BYTES_A_SECOND, spent / WATCHING)
        return max(0.0, self._step_due - time.perf_counter())

    def _show(self):
        """Send what there is to see; stop where numbers are no longer finite."""
        frame = self._engine.frame()
        self._engine.remember(frame)
        self.frame, self.example = frame, self._engine.example
        trouble = self._engine.trouble(frame)
        if trouble and not self.problem:
            self._stop(trouble)

    # ---- building

    def _points(self):
        """x and the targets as they came; and the classes for the picture."""
        if self._own_data is not None:
            return self._own_data
        if self.settings["problem"] == "own":
            rows = np.array(self._drawn or np.zeros((0, 3)), "float32")
            return rows[:, :2], rows[:, 2].astype("int32")
        chosen = {key: self.settings[key] for key in ("points", "noise", "seed")}
        return PROBLEMS[self.settings["problem"]](**chosen)

    def _build(self):
        own = self._own_model is not None
        model = self._own_model if own else microscope_network.build(self.settings)
        self._stages = microscope_network.read(model)
        self.model = model
        if getattr(self._own_model, "optimizer", None):
            self.settings = {**self.settings, "optimiser": "own"}
        self._train_with(self._optimiser())

    def _optimiser(self):
        if self.settings["optimiser"] != "own":
            return microscope_network.optimiser(self.settings["optimiser"], self.settings["rate"])
        theirs = self._own_model.optimizer
        copy = type(theirs).from_config(theirs.get_config())
        self.settings = {**self.settings, "rate": float(f"{float(copy.learning_rate):.6g}")}
        return copy

    def _units(self):
        return self._stages[-1].dense.units

    def _train_with(self, optimiser):
        """A new engine; the picture starts at step 0 with the weights as they are."""
        x, y = self._points()
        loss, name = choose_loss(self.model, self._stages, y)
        self._engine = Engine(self._stages, x, targets(y, self._units(), name), self.settings["batch"], optimiser, loss)
        self.network = {
            "stages": [stage.describe() for stage in self._stages],
            "loss": name,
            "own": self._own_model is not None,
            "ownData": self._own_data is not None,
            "total": len(x),
        }
        self._send_points(x, y)
        self._show()
        self._write_code()

    def _load_data(self):
        x, y = self._points()
        self._engine.set_data(x, targets(y, self._units(), self.network["loss"]), self.settings["batch"])
        self.network = {**self.network, "total": len(x)}
        self._send_points(x, y)
        self._show()
        self._write_code()

    def _send_points(self, x, y):
        moved = np.zeros_like(x)
        if self._own_data is None and self.settings["problem"] != "own":
            x, moved = apart(*(self.settings[key] for key in ("problem", "points", "seed")))
        self.data = np.column_stack([x, classes(y), moved])[:SHOWN_POINTS].astype("float32").tobytes()

    def _write_code(self):
        engine = self._engine
        epochs = max(1, round(engine.steps / max(1, -(-len(engine.x) // engine.batch))))
        if self._own_model is None and self._own_data is None:
            drawn = self._drawn if self.settings["problem"] == "own" else None
            self.code = microscope_code.write(self.settings, epochs, drawn)
        else:
            rate = float(engine.optimiser.learning_rate)
            optimiser = type(engine.optimiser).__name__
            self.code = microscope_code.write_own(
                self.settings, self._stages, self.network["loss"], rate, optimiser, epochs
            )

    def describe(self):
        if not self._stages:
            return self.text(en="Network microscope: no network to show.", zh="网络显微镜：没有可显示的网络。")
        sizes = "-".join(["2", *(str(stage.dense.units) for stage in self._stages)])
        points = self.network["total"]
        return self.text(
            en=f"Network microscope: a {sizes} network on {points} points. Run the cell to watch it train.",
            zh=f"网络显微镜：{sizes} 网络，{points} 个点。运行此单元格即可观察训练过程。",
        )

    def picture(self):
        points = np.frombuffer(self.data, "float32").reshape(-1, 5)
        places = points[:, :2] + self.settings["noise"] * points[:, 3:]
        return draw(self._stages, np.column_stack([places, points[:, 2]]))


def microscope(model=None, x=None, y=None, **settings) -> NetworkMicroscope:
    """Watch a small network train: every neuron's picture of the plane, every weight, gradient and update.

    Args:
        model: a built Keras model: a chain of Dense layers whose input is 2 numbers. Without one, the controls build it.
            It is trained in place. If it was compiled, its loss and a copy of its optimiser are used.
        x: (points, 2) places in the plane; without them the controls offer four problems and a drawing board.
        y: (points,) classes from 0, or values; or (points, classes) one-hot.
        **settings: where the controls begin, for instance `problem="spirals"`, `depth=3`, `rate=0.1`; see `SETTINGS`.

    Returns:
        A widget. What cannot be shown is said in it, in a sentence.
    """
    unknown = settings.keys() - SETTINGS.keys()
    if unknown:
        raise CourseError(
            en=f"The microscope has no setting {sorted(unknown)[0]!r}; it has {', '.join(SETTINGS)}.",
            zh=f"显微镜没有 {sorted(unknown)[0]!r} 这个设置；可用的有 {', '.join(SETTINGS)}。",
        )
    return NetworkMicroscope(model, x, y, settings)
