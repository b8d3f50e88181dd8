import matplotlib
import pytest

matplotlib.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402

from lmcourse import language, plotting  # noqa: E402


def luminance(colour: str) -> float:
    """Relative luminance (WCAG 2.2)."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    r, g, b = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return 0.2126 * r + 0.7152 * g + 0.0722 * b


@pytest.mark.parametrize("page", ["#ffffff", "#111111"])
def test_text_is_readable_on_a_light_and_on_a_dark_page(page):
    dark, light = sorted([luminance(plotting.GREY), luminance(page)])
    assert (light + 0.05) / (dark + 0.05) > 4


@pytest.mark.parametrize("name", language.LANGUAGES)
def test_a_figure_is_shown_with_its_text_and_closed(name, monkeypatch):
    shown = []
    monkeypatch.setattr("IPython.display.display", lambda bundle, raw: shown.append(bundle))
    language.use(name)
    plotting.use_style()
    figure, axes = plt.subplots()
    axes.plot([0, 1])
    plotting.show(figure, en='a line from "0" to 1', zh="从 0 到 1 的直线")
    (bundle,) = shown
    assert set(bundle) == {"text/html", "image/png", "text/plain"}
    text = {"en": "a line from &quot;0&quot; to 1", "zh": "从 0 到 1 的直线"}[name]
    assert f'alt="{text}"' in bundle["text/html"]
    assert not plt.fignum_exists(figure.number)


def test_the_diverging_map_is_neutral_at_zero_and_apart_at_the_ends():
    colours = plotting.diverging()
    low, middle, high = colours(0.0), colours(0.5), colours(1.0)
    assert max(middle[:3]) - min(middle[:3]) < 0.02
    assert low[2] > low[0] and high[0] > high[2]  # blue below, orange above
