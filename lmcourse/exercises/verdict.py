"""What a check answers: passed, not yet or not attempted, as HTML in a notebook and as text elsewhere.

A verdict is an exception too, so that the strict edition of a lesson (`LMCOURSE_STRICT=1`, used by the tests) can raise it.
Left out on purpose: how an answer is judged (`exercise.py`).
"""

import html
import sys

from lmcourse.language import pick

PASSED, NOT_YET, NOT_ATTEMPTED = "passed", "not yet", "not attempted"
_SYMBOLS = {PASSED: "✔", NOT_YET: "✘", NOT_ATTEMPTED: "○"}
_EDGES = {PASSED: "#009E73", NOT_YET: "#D55E00", NOT_ATTEMPTED: "#7a7a7a"}  # visible on white and on nearly black


class Verdict(Exception):
    """The answer to one check.

    Attributes:
        state: PASSED, NOT_YET or NOT_ATTEMPTED.
        name: the exercise's name.
        rows: pairs (label, text) that explain it, in the learner's language.
        mistake: the name of the known mistake that was recognised, or None.
    """

    def __init__(self, state: str, name: str, rows: list[tuple[str, str]], mistake: str | None = None):
        super().__init__(state, name)
        self.state, self.name, self.rows, self.mistake = state, name, rows, mistake
        words = {PASSED: "通过", NOT_YET: "还不对", NOT_ATTEMPTED: "尚未作答"}
        self._headline = f"{_SYMBOLS[state]} {name}{pick(en=': ' + state, zh='：' + words[state])}"

    @property
    def passed(self) -> bool:
        return self.state == PASSED

    def __str__(self) -> str:
        lines = [self._headline]
        for label, text in self.rows:
            first, *rest = text.splitlines() or [""]
            lines += [f"  {label}{pick(en=': ', zh='：')}{first}", *(f"      {line}" for line in rest)]
        return "\n".join(lines)

    __repr__ = __str__  # IPython's text/plain

    def _repr_html_(self) -> str:
        cells = "".join(_row(label, text) for label, text in self.rows)
        return card(
            f'<strong>{html.escape(self._headline)}</strong><table style="color:inherit;font:inherit">{cells}</table>',
            _EDGES[self.state],
        )

    def _render_traceback_(self):  # IPython's hook: the lines to print instead of a traceback
        return str(self).splitlines()


def _row(label: str, text: str) -> str:
    left = 'style="text-align:left;vertical-align:top;padding:1px 8px 1px 0;background:none"'
    body = f'<span style="white-space:pre-wrap;font-family:monospace">{html.escape(text)}</span>'
    return f'<tr style="background:none"><th scope="row" {left}>{html.escape(label)}</th><td {left}>{body}</td></tr>'


def card(content: str, edge: str = "#7a7a7a") -> str:
    """HTML with a coloured edge on its left; text and background stay the page's, light or dark.

    Args:
        content: HTML, its texts already escaped.
        edge: a colour.
    """
    return (
        f'<div class="lmcourse-card" style="border-left:4px solid {edge};padding:4px 10px;margin:4px 0">{content}</div>'
    )


class Shown:
    """Something to read: `text` where only text is possible, `markup` (HTML) in a notebook."""

    def __init__(self, text: str, markup: str):
        self.text, self.markup = text, markup

    def __repr__(self) -> str:
        return self.text

    def _repr_html_(self) -> str:
        return self.markup


def show(thing, live: bool = False):
    """Display an object in a notebook, print it elsewhere.

    Args:
        thing: an object with a text and an HTML form.
        live: whether the display will be changed later.

    Returns:
        The display's handle when it is live and there is one, else None.
    """
    from IPython import get_ipython  # ipywidgets depends on it

    if "ipykernel" in sys.modules and get_ipython() is not None:
        from IPython.display import display

        return display(thing, display_id=live or None)
    print(thing)
    return None
