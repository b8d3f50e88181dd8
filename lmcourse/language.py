"""The learner's language: English or Chinese.

A notebook's first cell calls `use`; everything that speaks to the learner goes through `pick` or `say`.
Left out on purpose: catalogues, plural rules, a third language.
"""

LANGUAGES = ("en", "zh")
_current = "en"


class CourseError(Exception):
    """A sentence for the learner: what went wrong and what to do next. Notebooks show it without a traceback."""

    def __init__(self, en: str, zh: str):
        super().__init__(pick(en=en, zh=zh))

    def _render_traceback_(self):  # IPython's hook: the lines to print instead of a traceback
        return [str(self)]


def use(language: str) -> None:
    """Set the language of everything that follows.

    Args:
        language: "en" or "zh".

    Raises:
        CourseError: for any other value.
    """
    global _current
    if language not in LANGUAGES:
        raise CourseError(
            en=f"The course speaks 'en' and 'zh', not {language!r}. Choose one of the two.",
            zh=f"本课程支持 'en' 和 'zh'，不支持 {language!r}。请选择其中之一。",
        )
    _current = language


def current() -> str:
    """The language in use: "en" (at the start) or "zh"."""
    return _current


def pick(*, en, zh):
    """The one of two values that fits the language in use; usually strings."""
    return zh if _current == "zh" else en


def say(*, en: str, zh: str) -> None:
    """Print a sentence in the language in use."""
    print(pick(en=en, zh=zh))
