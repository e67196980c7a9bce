"""Sizes at which runs end: where weights count as fallen, blow up, or leave the doubles."""

import numpy as np

FALLEN = 1e3  # in units of atol: weights below it collapse for certain
RADIUS = 1e6  # in units of the start: a blow-up is known there to 1e-12 of what is left
LARGEST = 1e300  # margins end here


def range_end(whole: float, depth: int) -> float:
    """Return the largest weight with margins in the range of doubles, `whole` the sum of |z_j|."""
    return float((LARGEST / np.maximum(1.0, whole)) ** (1.0 / depth))
