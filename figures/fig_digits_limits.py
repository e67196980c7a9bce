r"""The winner is the strongest pixel that starts above the radius: digits, GD and l_inf-SAM.

Claim: linf_limit, on real data with entries of both signs. Takes: 2 s.

Two layers on the difference $\mu$ of the class means of the digits 3 and 5, 64 pixels, orange where
3 is darker and purple where 5 is. The other pictures keep the pixels that can win under
$\ell_\infty$-SAM, those whose start exceeds $\rho$; grey ones are suppressed. The winner, boxed and
named by row and column from 1, is the largest $|\mu_j|$ of them (top: layer 1 has the signs of
$\mu$). In the control every weight is positive, and a pixel with $\mu_j < 0$ cannot win. Hatched
pixels are the same in both classes and never move. Starts are $\alpha_j = 0.5\,e^{x_j/2}$ with
normal $x_j$.
"""

import numpy as np
from matplotlib.colors import ListedColormap
from matplotlib.patches import Rectangle

from figures import style
from figures.cases import digits_case
from flowsam import Flow, limit, linf
from flowsam.real_data.tables import pixel_names

FAST = {"radii": (0.0, 0.5)}
GREY = ListedColormap(["#D9D9D9"])


def compute(radii=(0.0, 0.3, 0.5, 0.7, 1.0)):
    """Return mu (64,), and a row a start: labels (2, k) and directions (2, k, 64)."""
    data, *starts, words = digits_case()
    ends = [[limit(Flow(data, linf(rho)), start) for rho in radii] for start in starts]
    shown = [[np.zeros(64) if e.direction is None else e.direction for e in row] for row in ends]
    facts = {
        "rule": "GD and l_inf-SAM",
        "rho": ", ".join(map(str, radii)),
        "L": 2,
        "data": data.name,
    }
    facts |= {"start": f"{words}; control all positive", "clock": "limits as t -> inf"}
    facts |= {"loss": "logistic", "method": ends[0][-1].certificate, "tolerances": "none"}
    labels = [[e.label for e in row] for row in ends]
    rows = [" ".join(place(label - 1) if label > 0 else "none" for label in r) for r in labels]
    facts |= {"winners": f"pixels (row,column) that win: {rows[0]}; control: {rows[1]}"}
    facts |= {"pixels": pixel_facts(data.z[0])}
    arrays = {"mu": data.z[0], "alpha": starts[1][0], "radii": np.array(radii)}
    return arrays | {"ends": np.array(shown), "labels": labels, "card": style.card(**facts)}


def place(pixel):
    """Return row and column of a pixel, from 1, as the features of tables are named."""
    return pixel_names((8, 8))[pixel].removeprefix("pixel ")


def pixel_facts(mu):
    """Say which pixels are idle, and which tie exactly."""
    idle = np.flatnonzero(mu == 0)
    size = np.abs(mu)
    tied = [np.flatnonzero(size == x) for x in np.unique(size[mu != 0]) if (size == x).sum() > 1]
    equal = " and ".join(" ".join(map(place, pixels)) for pixels in tied)
    return f"{len(idle)} idle pixels, hatched: {' '.join(map(place, idle))}; equal |mu|: {equal}"


def draw(mu, alpha, radii, labels, **_):
    """Return the figure: mu, then a row a start: what exceeds rho, and the winner."""
    figure, axes = style.panels(len(radii) + 1, rows=2, width=style.PAGE, height=3.05)
    shown = np.where(mu == 0, np.nan, mu / np.abs(mu).max())
    style.pixels(axes[0, 0], shown, "what is learnt\n" r"difference $\mu$")
    style.pixels(axes[1, 0], alpha / alpha.max(), "where it starts\n" r"$\alpha$, largest dark")
    for row, able in enumerate((mu != 0, mu > 0)):
        axes[row, 1].set_ylabel(("aligned start", "all positive")[row])
        for k, rho in enumerate(radii):
            panel = axes[row, k + 1]
            rule = rf"$\rho$ = {rho:g}" if rho else "GD"
            label = labels[row, k]
            style.pixels(
                panel, shown, f"{rule}\npixel {place(label - 1)} wins" if label > 0 else rule
            )
            lost = np.where(able & (alpha > rho), np.nan, 1.0).reshape(8, 8)
            panel.imshow(np.where(mu.reshape(8, 8) == 0, np.nan, lost), cmap=GREY)
            spot = ((label - 1) % 8 - 0.5, (label - 1) // 8 - 0.5)
            box = Rectangle(spot, 1, 1, fill=False, linewidth=1.6, clip_on=False)
            panel.add_patch(box).set_visible(label > 0)
    return figure


if __name__ == "__main__":
    style.save("fig_digits_limits", compute, draw)
