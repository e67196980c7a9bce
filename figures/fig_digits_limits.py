"""Which pixel wins: limits of GD and l_inf-SAM on the digits' class-mean difference, 3 against 5.

Claim: linf_limit, on real data with entries of both signs. Takes: 2 s.
"""

import numpy as np

from figures import style
from figures.cases import digits_case
from flowsam import Flow, limit, linf

FAST = {"radii": (0.0, 0.5)}


def compute(radii=(0.0, 0.3, 0.5, 0.7, 1.0)):
    """Return mu (64,), and a row a start: labels (2, k) and directions (2, k, 64)."""
    data, *starts, words = digits_case()
    ends = [[limit(Flow(data, linf(rho)), start) for rho in radii] for start in starts]
    shown = [[np.zeros(64) if e.direction is None else e.direction for e in row] for row in ends]
    facts = {"rule": "GD and l_inf-SAM", "rho": str(radii), "L": 2, "data": data.name}
    facts |= {"start": f"{words}; control all positive", "clock": "limits as t -> inf"}
    facts |= {"loss": "logistic", "method": ends[0][-1].certificate, "tolerances": "none"}
    labels = [[e.label for e in row] for row in ends]
    rows = [", ".join(f"{label - 1} ({label})" for label in row) for row in labels]
    facts |= {"winners": f"pixels (labels) that win: {rows[0]}; control: {rows[1]}"}
    facts |= {"pixels": pixel_facts(data.z[0])}
    arrays = {"mu": data.z[0], "alpha": starts[1][0], "radii": np.array(radii)}
    return arrays | {"ends": np.array(shown), "labels": labels, "card": style.card(**facts)}


def pixel_facts(mu):
    """Say which pixels are idle, and which tie exactly, numbered from 0."""
    idle, size = np.flatnonzero(mu == 0), np.abs(mu)
    tied = [np.flatnonzero(size == x) for x in np.unique(size[mu != 0]) if (size == x).sum() > 1]
    words = " and ".join(", ".join(map(str, pixels)) for pixels in tied)
    return f"{len(idle)} idle pixels, hatched: {', '.join(map(str, idle))}; equal |mu|: {words}"


def draw(caption, mu, alpha, **limits):
    """Return the figure: mu, then a row of limits a start; pixels from 0, labels from 1."""
    radii, shown = limits["radii"], np.where(mu == 0, np.nan, mu / np.abs(mu).max())
    first = shown, alpha / alpha.max()
    figure, axes = style.panels(len(radii) + 1, rows=2, width=style.PAGE, height=3.0)
    for row, name in enumerate(("aligned start", "control: all positive")):
        style.pixels(axes[row, 0], first[row], (r"$\mu$", r"$\alpha$")[row])
        axes[row, 0].set_ylabel(name)
        for k, rho in enumerate(radii):
            label, rule = limits["labels"][row, k], rf"$\rho$ = {rho:g}" if rho else "GD"
            where = f"pixel {label - 1}, label {label}" if label > 0 else f"label {label}"
            style.pixels(axes[row, k + 1], limits["ends"][row, k], f"{rule}\n{where}")
    return style.caption(figure, caption)


if __name__ == "__main__":
    style.save("fig_digits_limits", compute, draw)
