"""Data and starts that several figures share."""

import numpy as np

from flowsam import balanced
from flowsam.real_data.tables import digit_table


def digits_case(seed=0):
    """Return the digits' class-mean difference (d = 64), an aligned start, a positive control."""
    data = digit_table(3, 5).mean_difference("digits 3 - 5, class means, d = 64")
    alpha = 0.5 * np.exp(0.5 * np.random.default_rng(seed).standard_normal(64))
    signs = np.where(data.z[0] < 0, -1, 1)
    words = f"start alpha_j = 0.5 exp(0.5 N(0, 1)), seed {seed}, sign(mu_j) on layer 1"
    return data, balanced(alpha, 2, signs), balanced(alpha, 2), words
