r"""Critical starts: their scale over the ratio of two features, and the curve of unequal ones.

Claim: l2_critical_scale. Takes: 3 s.

$\ell_2$-SAM on two layers, $\rho = 1$. Left: the critical scale $\alpha^{*}$ of uniform starts for
$\mu = (1, m)$, between its two bounds, dashed. Middle: for five ratios $\mu_2/\mu_1$ the balanced
starts that neither collapse nor escape. Right: the same for one feature, $d = 1$, with unequal
layers $u$ and $v$; circles are saddles.
"""

import numpy as np

from figures import style
from flowsam.amplification import critical_scale
from flowsam.exact.l2_separatrix import balanced_separatrix, lone_separatrix

TITLES = "equal starts", "unequal starts: a curve", "one feature, two layers"
FAST, RHO, RATIOS = {"points": 9}, 1.0, (1.0, 1.5, 2.0, 4.0, 16.0)


def compute(points=33):
    """Return alpha* over mu_2/mu_1 with its bracket, separatrices in both planes."""
    ratio = 1 + np.geomspace(0.02, 30, points)
    found = np.array([critical_scale([1.0, m], RHO) for m in ratio])
    norm = np.sqrt(2) * np.hypot(1, ratio)
    bracket = RHO * np.stack([1 / norm, (1 + ratio**4) / (1 + ratio**3) / norm])
    curves = np.stack([balanced_separatrix([1, m], rho=RHO, points=61) for m in RATIOS])
    plane = lone_separatrix(np.sinh(np.linspace(-4, 4, 201)), rho=RHO)
    words = {"rule": "l_2-SAM", "rho": RHO, "L": 2, "data": "mu = (1, m); right: d = 1, any mu"}
    words |= {"start": "balanced; right: (u, v)", "clock": "limits as t -> inf", "loss": "any"}
    words |= {"method": "bisection on certificates", "tolerances": "alpha* to 3e-15"}
    words["bracket"] = "dashed: bounds of alpha*; circles: saddles"
    arrays = {"ratio": ratio, "found": found, "bracket": bracket, "curves": curves}
    return arrays | {"plane": plane, "card": style.card(**words)}


def draw(ratio, found, curves, **arrays):
    """Return the figure: the scale, the balanced plane, and the plane of one coordinate."""
    figure, (left, middle, right) = style.panels(3, width=style.PAGE, height=2.4)
    left.semilogx(ratio - 1, arrays["bracket"].T, "--", color="#0072B2", linewidth=0.8)
    left.semilogx(ratio - 1, found, color="black")
    for word, place in (("$\\alpha^*$", (12, 0.57)), ("escape", (0.03, 0.62))):
        left.text(*place, word)
    left.text(0.03, 0.2, "collapse")
    left.set(xlabel="$\\mu_2/\\mu_1 - 1$", ylabel="$\\alpha^*$", ylim=(0, 0.75))
    for panel, title in zip((left, middle, right), TITLES, strict=True):
        panel.set_title(title)
    for curve, m, colour in zip(curves, RATIOS, style.ranks(len(RATIOS)), strict=True):
        middle.plot(*curve.T, linewidth=1.3, color=colour)
        spot = curve[np.argmin(np.abs(curve[:, 0] - curve[:, 1]))]
        style.point_at(middle, {f"{m:g}": (spot, (0.78, 0.34 + 0.09 * RATIOS.index(m)))})
    middle.text(0.74, 0.8, "$\\mu_2/\\mu_1$")
    middle.text(0.08, 0.2, "collapse")
    middle.set(xlabel="$\\alpha_1$", ylabel="$\\alpha_2$", xlim=(0, 0.95), ylim=(0, 0.95))
    middle.set(aspect="equal")
    for side in (1, -1):
        right.plot(*(side * arrays["plane"].T), color="black")
        right.plot(side * 2**-0.5, side * 2**-0.5, "o", color="white", markeredgecolor="black")
        right.text(1.9 * side, 1.9 * side, "escape", ha="center", va="center")
    right.text(0, 0, "collapse", ha="center", va="center")
    right.set(xlim=(-3, 3), ylim=(-3, 3), xlabel="$u$", ylabel="$v$", aspect="equal")
    return figure


if __name__ == "__main__":
    style.save("fig_critical_scale", compute, draw)
