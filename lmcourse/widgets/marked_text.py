"""A text whose pieces are shaded by a number each: what moved an answer, and which way."""

import html

import numpy as np


def marked_text(pieces, values) -> str:
    """HTML that shades each piece: orange above zero, blue below, strongest at the largest size.

    Args:
        pieces: n strings; shown as text whatever they hold.
        values: (n,) numbers.
    """
    values = np.asarray(values, dtype=float)
    strength = np.abs(values) / (np.abs(values).max(initial=0) or 1)
    spans = (
        f'<span style="background:rgba({"224,140,40" if value > 0 else "50,130,200"},{shade:.2f})">{html.escape(piece)}</span>'
        for piece, value, shade in zip(pieces, values, strength, strict=True)
    )
    return f'<div style="font-size:1.3em;line-height:1.7">{"".join(spans)}</div>'
