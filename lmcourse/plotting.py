"""One style for every static figure, readable on a light and on a dark page.

The page behind a figure may be white or nearly black, so figures are transparent and their text is a grey with a contrast
of at least 4:1 on both. Colours are Okabe and Ito's, which stay apart for every common kind of colour vision.
"""

import base64
import io

from lmcourse.language import pick

GREY = "#7a7a7a"
BLUE, ORANGE, GREEN, RED, PINK, SKY = "#0072B2", "#E69F00", "#009E73", "#D55E00", "#CC79A7", "#56B4E9"
COLOURS = [BLUE, ORANGE, GREEN, RED, PINK, SKY]
DIVERGING = ["#0b4f86", "#4d96cc", "#bfbfbf", "#eda64a", "#b35c00"]  # negative, zero, positive


def use_style() -> None:
    """Set matplotlib's defaults to the course's style. Call it once, before the first figure."""
    import matplotlib as mpl
    from cycler import cycler

    mpl.rcParams.update(
        {
            "figure.figsize": (6.4, 3.2),
            "figure.dpi": 110,
            "figure.facecolor": "none",
            "savefig.facecolor": "none",
            "axes.facecolor": "none",
            "axes.edgecolor": GREY,
            "axes.labelcolor": GREY,
            "axes.titlecolor": GREY,
            "axes.titlesize": "medium",
            "axes.spines.top": False,
            "axes.spines.right": False,
            "axes.prop_cycle": cycler(color=COLOURS),
            "axes.axisbelow": True,
            "grid.color": GREY,
            "grid.alpha": 0.25,
            "grid.linewidth": 0.6,
            "legend.frameon": False,
            "legend.labelcolor": GREY,
            "lines.linewidth": 1.8,
            "text.color": GREY,
            "xtick.color": GREY,
            "ytick.color": GREY,
            "figure.constrained_layout.use": True,
        }
    )


def diverging():
    """The course's colour map for signed values: blue below zero, grey at zero, orange above."""
    from matplotlib.colors import LinearSegmentedColormap

    return LinearSegmentedColormap.from_list("lmcourse", DIVERGING)


def show(figure, *, en: str, zh: str) -> None:
    """Display a figure with a text for those who cannot see it, then close it.

    Args:
        figure: a matplotlib figure.
        en: what the figure shows, in English; becomes the picture's alternative text.
        zh: the same in Chinese.
    """
    from html import escape

    import matplotlib.pyplot as plt
    from IPython.display import display

    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=figure.dpi, bbox_inches="tight")
    plt.close(figure)
    png = base64.b64encode(buffer.getvalue()).decode()
    text = pick(en=en, zh=zh)
    picture = f'<img src="data:image/png;base64,{png}" alt="{escape(text)}" style="max-width:100%">'
    display({"text/html": picture, "image/png": png, "text/plain": f"[{text}]"}, raw=True)
