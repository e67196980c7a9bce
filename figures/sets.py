"""Random data sets that several figures share, with the formula and seed in their names."""

import numpy as np

from flowsam import Data, from_labels


def gaussian_classes(seed, n=20, spread=0.7):
    """Two Gaussian classes around +-(1, 2), of deviation `spread` in every direction: a guess.

    x_i = y_i (1, 2) + spread N(0, I), n/2 examples of either sign; draws whose examples a line
    through the origin does not separate with room are drawn again from the same generator.
    """
    rng, y = np.random.default_rng(seed), np.repeat([-1, 1], n // 2)
    while True:
        X = y[:, None] * np.array([1.0, 2.0]) + spread * rng.standard_normal((n, 2))
        data = from_labels(X, y, name=f"y (1, 2) + {spread:g} N(0, I), n = {n}, seed {seed}")
        if (data.z @ [1.0, 2.0]).min() > 0.3:
            return data


def separable(seed, n=20, d=5):
    """Gaussian examples, each moved to the side of a hidden Gaussian vector."""
    rng = np.random.default_rng(seed)
    z = rng.standard_normal((n, d))
    name = f"N(0, I) on one side of a plane, n = {n}, d = {d}, seed {seed}"
    return Data(z * np.sign(z @ rng.standard_normal(d))[:, None], name)
