"""Two classes of points in the plane: four classic problems for a small network.

The points come shuffled and lie roughly in the square from -1 to 1. Left out: more classes, more dimensions, a test set.
"""

import numpy as np


def circle(points: int = 500, noise: float = 0.1, seed: int = 0):
    """A disc of class 1 inside a ring of class 0.

    Args:
        points: how many, both classes together.
        noise: standard deviation of the jitter added to each coordinate, in units of the half square.
        seed: of the random generator.

    Returns:
        x (points, 2) float32 and y (points,) int32 of 0 and 1.
    """
    random = np.random.default_rng(seed)
    y = np.arange(points) % 2
    radius = np.where(y == 1, 0.45 * np.sqrt(random.random(points)), random.uniform(0.65, 0.95, points))
    angle = random.uniform(0, 2 * np.pi, points)
    return _jitter(radius * np.cos(angle), radius * np.sin(angle), y, noise, random)


def xor(points: int = 500, noise: float = 0.1, seed: int = 0):
    """Four squares of alternating class; arguments and result as for `circle`."""
    random = np.random.default_rng(seed)
    x = random.uniform(0.06, 0.95, (2, points)) * random.choice([-1, 1], (2, points))
    return _jitter(*x, (x[0] * x[1] > 0).astype(int), noise, random)


def spirals(points: int = 500, noise: float = 0.1, seed: int = 0):
    """Two spirals wound into each other; arguments and result as for `circle`."""
    random = np.random.default_rng(seed)
    y = np.arange(points) % 2
    along = np.sqrt(random.uniform(0.01, 1, points))
    angle = 3.5 * np.pi * along + np.pi * y
    # Wound this tightly, the arms would merge under the jitter the other problems bear.
    return _jitter(0.95 * along * np.cos(angle), 0.95 * along * np.sin(angle), y, 0.4 * noise, random)


def blobs(points: int = 500, noise: float = 0.1, seed: int = 0):
    """Two round clouds, one a class; arguments and result as for `circle`."""
    random = np.random.default_rng(seed)
    y = np.arange(points) % 2
    centre = np.where(y == 1, 0.42, -0.42)
    spread = random.normal(0, 0.13, (2, points))
    return _jitter(centre + spread[0], centre + spread[1], y, noise, random)


def apart(problem: str, points: int, seed: int):
    """A problem's points without noise and what noise 1 adds to them, each (points, 2); noise moves them in proportion."""
    still, _ = PROBLEMS[problem](points, 0.0, seed)
    return still, PROBLEMS[problem](points, 1.0, seed)[0] - still


def _jitter(first, second, y, noise, random):
    x = np.stack([first, second], axis=1) + random.normal(0, 1, (len(y), 2)) * noise
    order = random.permutation(len(y))  # the microscope and `fit(shuffle=False)` take the batches in this order
    return x[order].astype("float32"), y[order].astype("int32")


PROBLEMS = {"circle": circle, "xor": xor, "spirals": spirals, "blobs": blobs}
