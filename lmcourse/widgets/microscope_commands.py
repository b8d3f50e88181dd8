"""What the page may ask of the network microscope: a command `name` is the method `_do_name`, on the worker's thread.

Each gets the message's content. What goes wrong in one becomes a sentence in the widget; see `NetworkMicroscope._guard`.
"""

from lmcourse.widgets.microscope_points import SHOWN_POINTS

REBUILD = {"depth", "width", "activation", "initialisation", "seed"}
DATA = {"problem", "points", "noise"}


class Commands:
    """A part of `NetworkMicroscope`, which holds the state."""

    def _do_play(self, _):
        self._engine._next()  # compiles here, so that a refusal comes before the first step
        self.problem, self.playing = "", True
        self._step_due = self._frame_due = 0.0

    def _do_pause(self, _):
        if self.playing:
            self.playing = False
            self._show()
            self._write_code()

    def _do_step(self, _):
        self.problem, self.playing = "", False
        self._engine.step()
        self._show()
        self._write_code()

    def _do_phase(self, _):
        self.problem, self.playing = "", False
        self._engine.next_phase()
        self._show()

    def _do_reset(self, _):
        self.problem, self.playing = "", False
        self._engine.reset()
        self._show()
        self._write_code()

    def _do_restore(self, content):
        """Go on from a moment that the timeline shows: the frame comes back as it was sent."""
        self._engine.restore(bytes(content["buffers"][0]))
        self._show()
        self._do_play(content)

    def _do_edit(self, content):
        self.problem = ""
        self._engine.edit(int(content["at"]), float(content["value"]))
        self._show()

    def _do_history(self, _):
        history = list(self._engine.history)
        self.push("history", buffers=[b"".join(history)], frames=len(history))

    def _do_points(self, content):
        """Own points, drawn with the mouse: [[x, y, class], …]."""
        self._drawn = [(round(float(a), 2), round(float(b), 2), int(c)) for a, b, c in content["points"]][:SHOWN_POINTS]
        self.problem, self.playing = "", False
        self.settings = {**self.settings, "problem": "own"}
        self._load_data()

    def _do_set(self, _):
        wanted, self._wanted = self._wanted, {}
        changed = {key: value for key, value in wanted.items() if self.settings.get(key) != value}
        if not changed:
            return
        self.problem = ""
        self.settings = {**self.settings, **changed}
        if REBUILD & changed.keys() and self._own_model is None:
            self._build()
        elif "optimiser" in changed:
            self._train_with(self._optimiser())
        elif (DATA | {"batch"}) & changed.keys():
            self._load_data()
        elif "rate" in changed:
            self._engine.set_rate(self.settings["rate"])
            self._write_code()
