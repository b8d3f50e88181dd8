import re

from lmcourse.widgets.marked_text import marked_text


def shades(text: str) -> list[tuple[str, float]]:
    return [(colour, float(alpha)) for colour, alpha in re.findall(r"rgba\((\d+),\d+,\d+,([\d.]+)\)", text)]


def test_sign_gives_the_colour_and_size_the_strength():
    assert shades(marked_text("abc", [2.0, -1.0, 0.0])) == [("224", 1.0), ("50", 0.5), ("50", 0.0)]


def test_what_was_typed_is_text():
    assert "<img" not in marked_text(["<img src=x>"], [1.0])


def test_nothing_and_all_zero_are_shown_unshaded():
    assert shades(marked_text([], [])) == []
    assert shades(marked_text("ab", [0, 0])) == [("50", 0.0)] * 2
