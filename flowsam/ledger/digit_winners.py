"""The report's table of winners on the class-mean difference of two digits."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from flowsam.labels import kind_of
from flowsam.ledger.html import link, table
from flowsam.real_data.tables import pixel_names

__all__ = ["winners"]


def winners(arrays: Mapping[str, Any] | None) -> str:
    """Return which pixel wins for gradient flow and each radius, from both starts, as HTML."""
    if arrays is None:
        return "<p>Not drawn in this run.</p>"
    mu = arrays["mu"]
    rows = [
        (f"&rho; = {rho:g}" if rho else "GD", *(_winner(label, mu) for label in column))
        for rho, column in zip(
            arrays["radii"], arrays["labels"].T.tolist(), strict=True
        )
    ]
    sizes = np.abs(mu[mu != 0])
    tied = sizes.size - np.unique(sizes).size
    words = (
        "<p>One example: the signed difference of class means of scikit-learn's digits, 3 against "
        f"5, {mu.size} pixels, depth 2; a pixel is named by its row and column, from 1. "
        f"{np.sum(mu == 0)} pixels are constant (&mu;<sub>j</sub> = 0, they never move) and "
        f"{2 * tied} tie exactly in size. The aligned start has the signs "
        "of &mu; on layer 1; the control is all positive. The picture is "
        f"{link('fig_digits_limits')}.</p>"
    )
    return words + table(("rule", "aligned start", "control: all positive"), rows)


def _winner(label: int, mu: np.ndarray) -> str:
    """The pixel that is a feature, and the entry of mu there; or the name of another limit."""
    if label < 1:
        return f"{kind_of(int(label))} (label {label})"
    name = pixel_names((8, 8))[label - 1]
    return f"{name} (feature {label}), &mu; = {mu[label - 1]:+.3f}"
