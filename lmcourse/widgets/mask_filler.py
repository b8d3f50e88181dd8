"""Mask filler: a text, each of its places hidden in turn, and what a model would put there; a click puts it in.

    mask_filler(look, tokenizer.characters, "房间很干净")      # look: text → (places, tokens) probabilities

The model answers for all places at once, so that moving along the text needs no kernel; only another text does. Left out on purpose:
hiding several places together, texts of more than LONGEST characters, tokens longer than a character.
"""

import numpy as np
from traitlets import Float, Int, List, Unicode, validate

from lmcourse.language import CourseError
from lmcourse.plotting import BLUE, GREY
from lmcourse.widgets.base import Widget, figure, fonts, module, printable, sentence
from lmcourse.widgets.worker import Worker

LONGEST, LISTED = 48, 6


def surprise(p) -> np.ndarray:
    """How unexpected what happened was, in bits: -log₂ p, at most 16. NaN, for a token that the model does not know, stays."""
    return -np.log2(np.maximum(np.asarray(p, "float64"), 2.0**-16))


class MaskFiller(Widget):
    """See `mask_filler`.

    Attributes:
        pieces: the text, one string for each place.
        candidates, chances: for each place the LISTED best tokens and their probabilities, the best first.
        own, ranks: for each place the probability of what stands there, and how many tokens are likelier; -1 where the model does not
            know the token.
        place: the one looked at, from 0.
        step: counts the answers to the page.
    """

    _esm = module("mask_filler")
    pieces = List(Unicode()).tag(sync=True)
    candidates = List(List(Unicode())).tag(sync=True)
    chances = List(List(Float())).tag(sync=True)
    own = List(Float()).tag(sync=True)
    ranks = List(Int()).tag(sync=True)
    place = Int(0).tag(sync=True)
    step = Int(0).tag(sync=True)

    @validate("place")
    def _inside(self, proposal):
        return min(max(proposal.value, 0), max(len(self.pieces) - 1, 0))

    def begin(self, look, names, text):
        """Take a model and a first text; what is wrong with either becomes the problem."""
        self._look, self._names = look, list(names)
        self._number = {name: i for i, name in enumerate(self._names)}
        self._worker = Worker(self.read, lambda: None)
        self.read(text)

    def receive(self, kind, content, buffers):
        if kind == "read":
            self._worker.send(str(content.get("text", ""))[:100_000])

    def read(self, text: str) -> None:
        """Ask the model about another text; the old one stays when there is no answer. A long text is cut, and that is said."""
        problem = ""
        try:
            pieces = list(" ".join(text.split()))
            if not pieces:
                raise CourseError(en="Type a text.", zh="请输入一段文本。")
            if len(pieces) > LONGEST:
                problem = self.text(
                    en=f"Only the first {LONGEST} of {len(pieces):,} characters are read.",
                    zh=f"共 {len(pieces):,} 个字，只读前 {LONGEST} 个。",
                )
                pieces = pieces[:LONGEST]
            p = np.asarray(self._look("".join(pieces)), "float64")
            if p.shape != (len(pieces), len(self._names)) or not np.isfinite(p).all():
                raise CourseError(
                    en=f"look returned an array of shape {p.shape}; finite numbers of shape {len(pieces), len(self._names)} are needed, "
                    "a row for each character and a column for each name.",
                    zh=f"look 返回的数组形状是 {p.shape}；需要形状为 {len(pieces), len(self._names)} 的有限数，每个字一行，每个候选一列。",
                )
            self._publish(pieces, p)
        except CourseError as error:
            problem = str(error)
        except Exception as error:  # whatever the learner's model raises
            what = f"{type(error).__name__}: {(str(error).strip().splitlines() or [''])[0][:300]}"
            problem = self.text(en=f"The model gave no answer. {what}", zh=f"模型没有给出答案。{what}")
        self.problem = problem
        self.step += 1

    def _publish(self, pieces, p):
        best = np.argsort(-p, axis=1, kind="stable")[:, :LISTED]
        known = [self._number.get(piece, -1) for piece in pieces]
        with self.hold_sync():
            self.candidates = [[self._names[i] for i in row] for row in best]
            self.chances = np.take_along_axis(p, best, axis=1).tolist()
            self.own = [float(row[i]) if i >= 0 else -1.0 for row, i in zip(p, known, strict=True)]
            self.ranks = [int(np.sum(row > row[i])) if i >= 0 else -1 for row, i in zip(p, known, strict=True)]
            self.pieces = pieces
            self.place = min(self.place, len(pieces) - 1)

    def describe(self):
        if not self.pieces:
            return self.text(en="Mask filler. ", zh="填空器。") + self.problem
        i = self.place
        hidden = "".join([*self.pieces[:i], "▢", *self.pieces[i + 1 :]])
        best = ", ".join(f"{c} {p:.3f}" for c, p in zip(self.candidates[i], self.chances[i], strict=True))
        own = f"{self.own[i]:.3f}" if self.own[i] >= 0 else "?"
        return self.text(
            en=f"Mask filler. {hidden}: {best}. There stands {self.pieces[i]}, {own}. {self.problem}",
            zh=f"填空器。{hidden}：{best}。原处是“{self.pieces[i]}”，{own}。{self.problem}",
        ).strip()

    def picture(self):
        if not self.pieces:
            return sentence(self.problem)
        from lmcourse.plotting import diverging

        fig, (top, bottom) = figure(640, 210, nrows=2, height_ratios=[1, 2])
        bits = [-surprise(p) / 10 if p >= 0 else np.nan for p in self.own]  # below zero the colours are blue
        top.imshow([bits], cmap=diverging(), vmin=-1, vmax=1, aspect="auto")
        top.set_xticks(range(len(self.pieces)), [_plain(c) for c in self.pieces], fontfamily=fonts(), fontsize=8)
        top.set_yticks([])
        top.get_xticklabels()[self.place].set(color=BLUE, fontweight="bold")
        bottom.barh(range(len(self.chances[self.place])), self.chances[self.place], color=BLUE, height=0.6)
        names = [_plain(c) for c in self.candidates[self.place]]
        bottom.set_yticks(range(len(names)), names, fontfamily=fonts())
        bottom.invert_yaxis()
        bottom.set_xlabel("p", color=GREY)
        return fig


def _plain(character: str) -> str:
    return printable(character).replace("$", r"\$")


def mask_filler(look, names, text: str, *, place: int = 0):
    """Look at what a masked language model would put at each place of a text, and put it there.

    Args:
        look: text → (characters, names) probabilities, one row for each character, which was hidden from the model alone; a
            `CourseError` of it is shown as its sentence.
        names: what can be put in, one character each: a string, or a list.
        text: to begin with.
        place: the place to look at first, from 0.

    Returns:
        the widget; `"".join(widget.pieces)` is the text now.
    """
    widget = MaskFiller()
    widget.begin(look, names, text)
    widget.place = place
    return widget
