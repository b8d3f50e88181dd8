import numpy as np
import pytest

from lmcourse import language
from lmcourse.widgets.roofline import Layer, attainable, attention, dense, elementwise, roofline

LAYERS = [dense("feed-forward", 768, 3072), attention("attention", 12, 12, 64, 1024), elementwise("norm", 768, 5)]


def test_javascript_computes_what_python_computes(modules):
    tokens = [2**i for i in range(17)]
    ours = modules.evaluate(
        """async ([layers, tokens, sizes, peak, bandwidth]) => { const { intensity, attainable } = await import("/roofline.js");
             return layers.map((l) => tokens.map((t) => sizes.map((s) => { const x = intensity(l, t, s); return [x, attainable(x, peak, bandwidth)]; }))); }""",
        [[vars(layer) for layer in LAYERS], tokens, [4, 2, 1], 989e12, 3350e9],
    )
    expected = [
        [[[x := layer.intensity(t, s), attainable(x, 989e12, 3350e9)] for s in (4, 2, 1)] for t in tokens]
        for layer in LAYERS
    ]
    np.testing.assert_allclose(ours, expected, rtol=1e-12)


@pytest.mark.parametrize(("tokens", "inputs", "outputs"), [(1, 768, 3072), (64, 100, 30), (4096, 4096, 4096)])
def test_a_dense_layer_is_a_matrix_product(tokens, inputs, outputs):
    """Counted on real arrays: their bytes, and a multiplication and an addition for each weight and row."""
    x, w = np.zeros((tokens, inputs), "float32"), np.zeros((inputs, outputs), "float32")
    moved = x.nbytes + w.nbytes + (x @ w).nbytes
    assert dense("", inputs, outputs).intensity(tokens, 4) == pytest.approx(2 * tokens * inputs * outputs / moved)


def test_known_intensities():
    assert dense("", 4096, 4096).intensity(1, 2) == pytest.approx(
        1, rel=1e-3
    )  # one token: an operation per byte, whatever the size
    assert dense("", 4096, 4096).intensity(2**40, 2) == pytest.approx(4096 / 2)
    # a cached token: keys and values are read, 4 operations for 2 values of 2 bytes
    assert attention("", 32, 32, 128, 10**6).intensity(1, 2) == pytest.approx(1, rel=1e-3)
    assert attention("", 32, 8, 128, 10**6).intensity(1, 2) == pytest.approx(
        4, rel=1e-3
    )  # grouped queries: four heads share a reading
    assert attention("", 32, 8, 128, 10**6).intensity(64, 2) == attention("", 32, 8, 128, 10**6).intensity(1, 2)
    assert elementwise("", 7, 3).intensity(5, 4) == 3 / 8


def test_the_roof_is_continuous_and_bends_at_the_ridge():
    peak, bandwidth = 2e11, 2e10
    assert attainable(10, peak, bandwidth) == peak == attainable(11, peak, bandwidth)
    assert attainable(5, peak, bandwidth) == peak / 2


def test_description_and_points():
    widget = roofline(LAYERS, peak=2e11, bandwidth=2e10, tokens=1, measured=[("feed-forward", 0.5, 8e9)])
    (name, x, y), *_ = widget.points()
    assert (name, y) == ("feed-forward", pytest.approx(x * 2e10))
    text = widget.describe()
    assert f"{x:.3g}" in text and f"{y / 2e11:.1%}" in text and "held by memory" in text
    widget.tokens = 1024
    assert "held by the peak" in widget.describe()
    assert widget.png().startswith(b"\x89PNG")
    language.use("zh")
    assert "受限于内存带宽" in roofline(LAYERS, peak=2e11, bandwidth=2e10).describe()


def test_a_named_machine_and_an_unknown_one():
    assert (
        roofline(LAYERS, peak=1e11, bandwidth=1e10, machine="NVIDIA H100 SXM")
        .describe()
        .startswith("Roofline of NVIDIA H100 SXM")
    )
    widget = roofline(LAYERS, peak=1e11, bandwidth=1e10, machine="abacus")
    assert "'abacus'" in widget.problem and widget.machine == 0


def test_learners_names_are_not_markup():
    odd = [Layer("$x_{ <b>", 10, 1, 1)]
    assert roofline(odd, peak=1e11, bandwidth=1e10).png()


def test_view_moves_and_cleans_up(modules):
    widget = roofline([dense("<img src=x>", 768, 3072)], peak=2e11, bandwidth=2e10, size=2, machine="NVIDIA H100 SXM")
    state = {
        name: getattr(widget, name)
        for name in ("layers", "measured", "machines", "machine", "tokens", "size", "language", "problem")
    }
    found = modules.evaluate(
        """async (state) => {
             const {default: widget} = await import("/roofline.js");
             const model = fakeModel(state);
             const close = widget.render({model, el: document.body});
             const root = document.querySelector(".lmw");
             const slider = root.querySelector("input[type=range]");
             const cells = () => [...root.querySelectorAll("td")].map((td) => td.textContent);
             const first = cells();
             const held = [];
             for (let i = 0; i <= 16; i++) { slider.value = i; slider.dispatchEvent(new Event("input")); held.push(cells()[3]); }
             const result = [first, held.indexOf("the peak"), model.state.tokens, root.querySelectorAll("img").length, root.querySelector("canvas").ariaLabel.includes("H100")];
             close();
             return [...result, model.listeners(), document.querySelectorAll(".lmw").length];
           }""",
        state,
    )
    (name, x, share, held), at, tokens, images, labelled, listeners, left = found
    assert (name, x, share, held) == ("1  <img src=x>", "1.00", "0.3%", "memory")
    assert at == 10 and tokens == 65536  # 1,024 tokens: what the lesson asks for
    assert (images, labelled, listeners, left) == (0, True, 0, 0)
