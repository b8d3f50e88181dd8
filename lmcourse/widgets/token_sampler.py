"""Token sampler: the next token's probabilities under temperature, top-k and top-p; a click continues the text.

    token_sampler(next_logits, tokenizer.decode, tokenizer.encode("The value of"))

The logits of a place travel once, and the browser does the rest while a slider moves. A vocabulary may be large, so the page gets the
EXACT highest logits as they are and the others as a histogram of BINS equally wide bins: its sums over the tail are then off by a factor
of at most cosh(w / 2T), w being the width of a bin. Drawing happens here, from all logits. Left out on purpose: beams, penalties, batches.
"""

import numpy as np
from traitlets import Bytes, Float, Int, List, Unicode, validate

from lmcourse.language import CourseError
from lmcourse.plotting import BLUE, GREY
from lmcourse.widgets.base import Widget, figure, fonts, module, printable, sentence, shorten
from lmcourse.widgets.worker import Worker

EXACT, BINS, LISTED = 512, 64, 24


def sampling_distribution(logits, temperature: float = 1.0, top_k: int = 0, top_p: float = 1.0) -> np.ndarray:
    """The probabilities that a token is drawn with: softmax(logits / T), cut to the k best, then to the smallest set that holds p.

    Args:
        logits: (vocabulary,).
        temperature: above 0.
        top_k: how many tokens stay; 0 for all.
        top_p: the share of what top-k left that the set must reach; the best token always stays.

    Returns:
        (vocabulary,) float64, sums to 1; 0 where a token was cut off. Of equal logits the smaller id comes first.

    Source: Holtzman et al. (2020), The curious case of neural text degeneration.
    """
    logits = np.asarray(logits, "float64")
    order = np.argsort(-logits, kind="stable")[: top_k or None]
    p = np.exp((logits[order] - logits[order[0]]) / temperature)
    p /= p.sum()
    if top_p < 1:  # or rounding would cut off the last few
        p[1:][np.cumsum(p)[:-1] >= top_p] = 0
    result = np.zeros(len(logits))
    result[order] = p / p.sum()
    return result


class TokenSampler(Widget):
    """See `token_sampler`.

    Attributes:
        pieces: the text so far, one string for each token; the first `given` of them were given.
        logits: the EXACT highest, descending, float32 bytes.
        tail: of the others, pairs (how many, mean logit) for each bin that is not empty, descending, float32 bytes.
        labels: the tokens of the first LISTED of them.
        vocabulary: how many tokens there are.
        step: counts the answers to the page.
        temperature: 0.1 to 4.
        top_k: 0 for off.
        top_p: 0.01 to 1.
    """

    _esm = module("token_sampler")
    pieces = List(Unicode()).tag(sync=True)
    given = Int(0).tag(sync=True)
    logits = Bytes(b"").tag(sync=True)
    tail = Bytes(b"").tag(sync=True)
    labels = List(Unicode()).tag(sync=True)
    vocabulary = Int(0).tag(sync=True)
    step = Int(0).tag(sync=True)
    temperature = Float(1.0).tag(sync=True)
    top_k = Int(0).tag(sync=True)
    top_p = Float(1.0).tag(sync=True)

    @validate("temperature", "top_p", "top_k")
    def _inside(self, proposal):
        low, high = {"temperature": (0.1, 4.0), "top_p": (0.01, 1.0), "top_k": (0, 10**9)}[proposal.trait.name]
        return min(max(proposal.value, low), high) if proposal.value == proposal.value else high

    def begin(self, next_logits, decode, prompt_ids, seed):
        """Set out from a prompt; a prompt or a model that fails becomes the problem."""
        self._next, self._decode, self._random = next_logits, decode, np.random.default_rng(seed)
        self._worker, self._past = Worker(self._obey, lambda: None), []
        self.ids, self._scores = [int(i) for i in prompt_ids], np.zeros(0)
        self.given = len(self.ids)
        self._look(self.ids)

    def _look(self, ids):
        """Ask the model what follows `ids`; the text changes only if it answers."""
        self.problem = ""
        try:
            if not ids:
                raise CourseError(
                    en="There is no text to continue. Give at least one token.",
                    zh="没有可以续写的文本。请至少给出一个词元。",
                )
            scores = np.asarray(self._next(ids), "float64")
            if scores.ndim != 1 or not len(scores) or not np.isfinite(scores).all():
                raise CourseError(
                    en=f"next_logits returned an array of shape {scores.shape}; finite numbers of shape (vocabulary,) are needed.",
                    zh=f"next_logits 返回的数组形状是 {scores.shape}；需要形状为 (词表,) 的有限数。",
                )
            self._publish(ids, scores)
        except CourseError as error:
            self.problem = str(error)
        except Exception as error:  # whatever the learner's model raises
            what = f"{type(error).__name__}: {(str(error).strip().splitlines() or [''])[0][:300]}"
            self.problem = self.text(en=f"The model gave no answer. {what}", zh=f"模型没有给出答案。{what}")
        self.step += 1

    def _publish(self, ids, scores):
        order = np.argsort(-scores, kind="stable")
        exact, rest = order[:EXACT], scores[order[EXACT:]]
        tail = []
        if len(rest):
            which = np.minimum((rest[0] - rest) / max(rest[0] - rest[-1], 1e-9) * BINS, BINS - 1).astype(int)
            tail = [(np.sum(which == b), rest[which == b].mean()) for b in np.unique(which)]
        with self.hold_sync():
            self.ids, self._scores, self._order = list(ids), scores, order
            self.pieces = [self._decode([i]) for i in ids]
            self.labels = [self._decode([int(i)]) for i in exact[:LISTED]]
            self.vocabulary, self.tail = len(scores), np.array(tail, "float32").tobytes()
            self.logits = scores[exact].astype("float32").tobytes()

    def receive(self, kind, content, buffers):
        if kind in ("take", "draw", "undo"):
            self._worker.send((kind, content))

    def _obey(self, command):
        kind, content = command
        if kind == "undo":
            self.undo()
        elif kind == "draw":
            self.draw()
        else:
            self.take(int(self._order[min(max(int(content["place"]), 0), len(self._order) - 1)]))

    def take(self, token: int) -> None:
        """Continue the text with a token."""
        if len(self._scores):
            before = (self.ids, self._scores)
            self._look([*self.ids, token])
            if not self.problem:
                self._past.append(before)

    def draw(self) -> None:
        """Continue with a token drawn from what the sliders leave."""
        if len(self._scores):
            p = sampling_distribution(self._scores, self.temperature, self.top_k, self.top_p)
            self.take(int(self._random.choice(len(p), p=p)))

    def undo(self) -> None:
        """Take the last token back; at the prompt nothing happens."""
        self.problem = ""
        if self._past:
            self._publish(*self._past.pop())
        self.step += 1

    def describe(self):
        if not self.logits:
            return self.text(en="Token sampler. ", zh="词元采样器。") + self.problem
        p = sampling_distribution(self._scores, self.temperature, self.top_k, self.top_p)
        kept = p[p > 0]
        entropy = float(-(kept * np.log2(kept)).sum())
        limits = f"T = {self.temperature:.2f}, top-k = {self.top_k or '–'}, top-p = {self.top_p:.2f}"
        best = ", ".join(
            f"“{self.labels[n]}” {p[self._order[n]]:.3f}" for n in range(min(5, len(kept), len(self.labels)))
        )
        return self.text(
            en=f"Token sampler, {limits}. After “{''.join(self.pieces)}”: {len(kept)} of {self.vocabulary} tokens can be drawn, "
            f"entropy {entropy:.2f} bits; {best}. {self.problem}",
            zh=f"词元采样器，{limits}。“{''.join(self.pieces)}”之后：{self.vocabulary} 个词元中可能抽到 {len(kept)} 个，"
            f"熵 {entropy:.2f} 比特；{best}。{self.problem}",
        ).strip()

    def picture(self):
        if not self.logits:
            return sentence(self.problem)
        count = min(16, len(self.labels))
        places = self._order[:count]
        whole = sampling_distribution(self._scores, self.temperature)[places]
        left = sampling_distribution(self._scores, self.temperature, self.top_k, self.top_p)[places]
        fig, ax = figure(600, 60 + 17 * count)
        ax.barh(range(count), whole, color=GREY, alpha=0.4, height=0.8)
        ax.barh(range(count), left, color=BLUE, height=0.45)
        names = [printable(shorten(visible(label), 16)).replace("$", r"\$") for label in self.labels[:count]]
        ax.set_yticks(range(count), names, fontfamily=fonts())
        ax.invert_yaxis()
        ax.set_xlabel("p", color=GREY)
        text = printable(visible("".join(self.pieces))[-64:]).replace("$", r"\$")
        ax.set_title(text, color=GREY, fontsize=8, fontfamily=fonts(), loc="left")
        return fig


def visible(token: str) -> str:
    """A token as a label: white space that would not be seen gets a sign."""
    token = token.replace("\n", "⏎").replace("\t", "⇥")
    if not token.strip(" ⏎⇥"):
        return token.replace(" ", "␣") or "∅"
    return "␣" + token[1:] if token.startswith(" ") else token


def token_sampler(
    next_logits, decode, prompt_ids, *, temperature: float = 1.0, top_k: int = 0, top_p: float = 1.0, seed: int = 0
):
    """Continue a text token by token, and see what temperature, top-k and top-p leave of the choice.

    Args:
        next_logits: list of token ids → (vocabulary,) logits of the token after them; called when a token is taken.
        decode: list of token ids → text, as a tokenizer's.
        prompt_ids: the text to begin with.
        temperature, top_k, top_p: where the sliders stand at first.
        seed: of the draws.

    Returns:
        the widget; `widget.ids` are the tokens so far.
    """
    widget = TokenSampler(temperature=temperature, top_k=top_k, top_p=top_p)
    widget.begin(next_logits, decode, prompt_ids, seed)
    return widget
