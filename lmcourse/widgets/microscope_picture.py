"""The microscope's static picture: the network with each neuron's map, and the plane with the points."""

import numpy as np

from lmcourse.plotting import BLUE, GREY, ORANGE, diverging
from lmcourse.widgets.base import figure

CELLS = 10  # a neuron's map is this many squares wide
ROWS = 8  # neurons drawn of each layer


def draw(stages, points):
    """A figure of the network as it is now.

    Args:
        stages: from `microscope_network.read`; empty when there is no network.
        points: (points, 3) float32: place and class.
    """
    fig, ax = figure(400, 168)
    ax.set_axis_off()
    ax.set(xlim=(0, 24), ylim=(10, 0), aspect="equal")
    if not stages:
        return fig
    # The points may lie anywhere: the picture shows the smallest square around them.
    low, high = (points[:, :2].min(0), points[:, :2].max(0)) if len(points) else (-np.ones(2), np.ones(2))
    centre, half = (low + high) / 2, max(1e-3, (high - low).max() * 0.55)
    line = np.linspace(-half, half, CELLS)
    plane = np.stack(np.meshgrid(line, line[::-1]), -1).reshape(-1, 2) + centre
    layers = [plane, *_activations(stages, plane.astype("float32"))]

    across = np.linspace(0.6, 13.4, len(layers))
    places = [np.linspace(5 - 0.6 * (n - 1), 5 + 0.6 * (n - 1), n) for n in (min(ROWS, h.shape[1]) for h in layers)]
    for k, stage in enumerate(stages):
        kernel = stage.dense.kernel.numpy()
        largest = np.abs(kernel).max() or 1.0
        for i, start in enumerate(places[k]):
            for j, end in enumerate(places[k + 1]):
                weight = kernel[i, j]
                if abs(weight) < 0.3 * largest:  # hardly seen, and a picture of them all would be twice as large
                    continue
                colour = ORANGE if weight > 0 else BLUE
                ax.plot([across[k], across[k + 1]], [start, end], color=colour, lw=0.2 + 1.4 * abs(weight) / largest)
    for x, rows, h in zip(across, places, layers, strict=True):
        for j, y in enumerate(rows):
            _map(ax, h[:, j], x, y, 0.48)
    _map(ax, layers[-1][:, 0], 19.2, 5, 4.2)
    for label, colour in ((0, BLUE), (1, ORANGE)):
        shown = 19.2 + 4.2 * (points[points[:, 2] == label][:50, :2] - centre) / half * [1, -1] - [0, 14.2]
        ax.scatter(shown[:, 0], shown[:, 1], s=5, color=colour, linewidths=0, zorder=5)
    return fig


def _activations(stages, h):
    """(places, units) for each stage."""
    import keras

    layers = []
    for stage in stages:
        z = h @ stage.dense.kernel.numpy() + (stage.dense.bias.numpy() if stage.dense.use_bias else 0)
        h = keras.ops.convert_to_numpy(stage.act(keras.ops.convert_to_tensor(z)))
        layers.append(h)
    if stages[-1].name == "sigmoid":
        layers[-1] = 2 * h - 1  # the middle of the colours is the boundary between the classes
    return layers


def _map(ax, values, x, y, half):
    from matplotlib.patches import Rectangle

    box = (x - half, x + half, y + half, y - half)
    ax.imshow(np.tanh(values.reshape(CELLS, CELLS)), diverging(), vmin=-1, vmax=1, extent=box, zorder=3)
    ax.add_patch(Rectangle((x - half, y - half), 2 * half, 2 * half, fill=False, ec=GREY, lw=0.6, zorder=4))
