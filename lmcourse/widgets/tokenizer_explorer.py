"""Tokenizer explorer: a text as characters, as bytes, as byte pairs after any number of merges, and cut at spaces.

    tokenizer_explorer(tokenizer.merges, "很好 very good")

The merges travel once; the page splits, merges and counts while one types or moves the slider. Left out on purpose: special tokens,
normalisation, other ways of training.
"""

import re

import numpy as np
from traitlets import Bytes, Int, TraitError, Unicode, validate

from lmcourse.language import CourseError
from lmcourse.plotting import BLUE, GREY
from lmcourse.tokenizers import WORD, BytePairTokenizer, merge
from lmcourse.widgets.base import Widget, figure, fonts, module, printable, sentence

LIMIT = 300  # characters of the text
FILTERS = '!"#$%&()*+,-./:;<=>?@[\\]^_`{|}~\t\n'  # what Keras's Tokenizer takes for spaces


def cut_at_spaces(text: str) -> list[str]:
    """The words of Keras's `Tokenizer`: lower case, marks become spaces, spaces separate.

    Source: `text_to_word_sequence` of Keras; Keras 3 has it no longer in public.
    """
    spaced = text.lower().translate(str.maketrans(FILTERS, " " * len(FILTERS)))
    return [word for word in spaced.split(" ") if word]


def rules(merges) -> np.ndarray:
    """Merges with what they make: (n, 3) whole numbers, ids of left, right and joined.

    Raises:
        CourseError: see `BytePairTokenizer`.
    """
    tokenizer = BytePairTokenizer(merges, ())
    ids = {token: number for number, token in enumerate(tokenizer.tokens)}
    joined = [ids[tokenizer.tokens[left] + tokenizer.tokens[right]] for left, right in tokenizer.merges]
    return np.array([(*pair, new) for pair, new in zip(tokenizer.merges, joined, strict=True)], int).reshape(-1, 3)


def steps(text: str, table: np.ndarray) -> list[tuple[int, list[int]]]:
    """What byte-pair encoding does to a text: each step carries out one merge in every place, the earliest learned one first.

    Args:
        text: without half surrogate pairs.
        table: as `rules` gives it.

    Returns:
        pairs (number of the merge, token ids after it); the first one is (-1, the bytes), the last one holds the encoded text.
    """
    known = {}
    for number, (left, right, joined) in enumerate(table.tolist()):
        known.setdefault((left, right), (number, joined))
    words = [list(word.encode()) for word in re.findall(WORD, text)]
    done = [(-1, sum(words, []))]
    while True:
        pairs = {pair for ids in words for pair in zip(ids, ids[1:], strict=False)} & known.keys()
        if not pairs:
            return done
        pair = min(pairs, key=known.get)
        words = [merge(ids, pair, known[pair][1]) for ids in words]
        done.append((known[pair][0], sum(words, [])))


def legible(token: bytes) -> str:
    """A token for the eye: white space gets a sign, bytes that are no whole character their hexadecimal number in ⟨⟩."""
    text = token.decode(errors="surrogateescape").replace(" ", "␣").replace("\n", "⏎").replace("\t", "⇥")
    return re.sub("[\udc80-\udcff]", lambda half: f"⟨{ord(half[0]) - 0xDC00:02X}⟩", text)


class TokenizerExplorer(Widget):
    """See `tokenizer_explorer`.

    Attributes:
        typed: the text, at most LIMIT characters.
        table: what `rules` gives, as float32 bytes.
        applied: how many of the merges that the text allows are carried out; more than there are count as all.
        pattern: the regular expression whose matches no merge crosses.
    """

    _esm = module("drawing", "tokenizer_explorer")
    typed = Unicode("").tag(sync=True)
    table = Bytes(b"").tag(sync=True)
    applied = Int(0).tag(sync=True)
    pattern = Unicode(WORD).tag(sync=True)

    @validate("typed")
    def _short(self, proposal):
        return re.sub("[\ud800-\udfff]", "\ufffd", proposal.value[:LIMIT])

    @validate("applied")
    def _not_below_zero(self, proposal):
        return max(proposal.value, 0)

    def _table(self) -> np.ndarray:
        return np.frombuffer(self.table, "float32").reshape(-1, 3).astype(int)

    def tokens(self) -> list[bytes]:
        """The byte-pair tokens after the merges applied so far."""
        table = self._table()
        written = {number: bytes([number]) for number in range(256)}
        for left, right, joined in table.tolist():
            written.setdefault(joined, written[left] + written[right])
        done = steps(self.typed, table)
        return [written[number] for number in done[min(self.applied, len(done) - 1)][1]]

    def counts(self) -> dict[str, int]:
        """How many tokens each of the four ways makes of the text; the names are in the widget's language."""
        english = ("characters", "bytes", "byte pairs", "cut at spaces")
        chinese = ("字符", "字节", "字节对", "按空格切分")
        sizes = (len(self.typed), len(self.typed.encode()), len(self.tokens()), len(cut_at_spaces(self.typed)))
        return dict(zip(chinese if self.language == "zh" else english, sizes, strict=True))

    def describe(self) -> str:
        if self.problem:
            return self.text(en="Tokenizer explorer. ", zh="分词探索器。") + self.problem
        count = len(steps(self.typed, self._table())) - 1
        done = min(self.applied, count)
        numbers = self.text(en=", ", zh="，").join(f"{name} {n}" for name, n in self.counts().items())
        pieces = "|".join(map(legible, self.tokens()))
        return self.text(
            en=f"Tokenizer explorer: “{self.typed}”. Tokens after {done} of {count} merges: {numbers}. Byte pairs: {pieces}",
            zh=f"分词探索器：“{self.typed}”。做完 {count} 次合并中的 {done} 次，词元数为：{numbers}。字节对：{pieces}",
        )

    def picture(self):
        if self.problem:
            return sentence(self.problem)
        counts = self.counts()
        fig, ax = figure(600, 170)
        ax.barh(range(4), counts.values(), color=BLUE, height=0.6)
        for row, n in enumerate(counts.values()):
            ax.text(n, row, f" {n}", va="center", color=GREY, fontsize=8)
        ax.set_yticks(range(4), map(printable, counts), fontfamily=fonts())
        ax.invert_yaxis()
        ax.set_xlabel("tokens", color=GREY)
        pieces = _drawable("|".join(map(legible, self.tokens())))
        title = pieces if len(pieces) <= 80 else pieces[:79] + "…"
        ax.set_title(title, color=GREY, fontsize=8, fontfamily=fonts(), loc="left", parse_math=False)
        return fig


def _drawable(text: str) -> str:
    """The text with a box for each character that the fonts of a picture cannot be relied on to have."""
    return re.sub("[^ -~\u00a1-\u024f\u2000-\u206f\u3000-\u303f\u4e00-\u9fff\uff01-\uff5e⏎⇥␣⟨⟩]", "□", printable(text))


def tokenizer_explorer(merges, text: str = "", *, applied: int | None = None):
    """Type a text, watch the merges happen, and compare four ways to cut it.

    Args:
        merges: pairs of token ids in the order in which they were learned, as `BytePairTokenizer.merges`.
        text: to begin with; LIMIT characters at most, the rest is cut off.
        applied: how many merges are carried out at first; all of them by default.

    Returns:
        the widget; `widget.typed` and `widget.applied` follow the learner, `widget.tokens()` are the pieces.
    """
    widget = TokenizerExplorer()
    try:
        table = rules(merges)
        widget.table = table.astype("float32").tobytes()
        widget.typed = text
    except CourseError as error:
        widget.problem = str(error)
    except (TypeError, ValueError, TraitError):
        widget.problem = widget.text(
            en="The explorer needs merges, a list of pairs of token ids such as tokenizer.merges, and a text.",
            zh="探索器需要合并表（词元编号对的列表，例如 tokenizer.merges）和一段文本。",
        )
    else:
        widget.applied = len(steps(widget.typed, table)) - 1 if applied is None else applied
    return widget
