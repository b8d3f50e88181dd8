"""What an answer is tried on: calls with known results, and properties that hold for every right answer."""

from collections.abc import Callable
from dataclasses import dataclass

REFERENCE = object()  # Case(expected=REFERENCE): what the reference gives
ANY = object()  # Case(expected=ANY): the output is left to the properties; known mistakes are still recognised by it


class Case:
    """One call of the learner's function and what should come out.

    Args:
        *arguments, **keywords: of the call. Label and expectation are keywords of their own.
        label_en, label_zh: what is special about it, as in "large inputs".
        expected: a literal value from an authority, REFERENCE or ANY.
    """

    def __init__(self, *arguments, label_en: str = "", label_zh: str = "", expected=REFERENCE, **keywords):
        self.arguments, self.keywords = arguments, keywords
        self.label_en, self.label_zh, self.expected = label_en, label_zh, expected


@dataclass(frozen=True)
class Property:
    """Something that must hold for every right answer; made by `prop`."""

    check: Callable
    en: str
    zh: str


def prop(check: Callable, *, en: str, zh: str) -> Property:
    """A property of right answers, examined when all cases agree.

    Args:
        check: gets the learner's function (its outputs arrive as NumPy arrays) or value; returns None or True when the property
            holds, False when not, or a pair (English, Chinese) that says what went wrong.
        en, zh: the property as a sentence, as in "The outputs sum to one."
    """
    return Property(check, en, zh)
