r"""Every label proved: few starts decide a plane, down to the last digit of the separatrix.

Claim: proved_labels. Takes: 6 s.

$\ell_2$-SAM, two layers, $\mu = (1, 2)$, $\rho = 1$. Left: limits of balanced starts, each proved;
black dots are the few starts proved by following the flow in balls, and monotonicity decides the
others. Middle: the doubles next to the critical scale; all but those on it are proved. Right: the
starts that have to be followed grow like the length of the boundary, not like its plane.
"""

import numpy as np

import flowsam.draw as paint
from figures import style
from flowsam import Flow, l2, phase_portrait, single_example

NEEDS = "flint"
FAST, MU, NEAR = {"n": 40, "digits": 5}, [1.0, 2.0], 0.5213212825996666
SIZES, TICKS = (10, 20, 40, 80, 160), (5, 10, 20, 40, 80)


def proved(x):
    """Prove a plane of balanced starts of l_2-SAM."""
    return phase_portrait(Flow(single_example(MU), l2(1.0)), x, x, prove=True).proof


def compute(n=200, digits=15):
    """Return a plane with the starts that prove it, doubles about alpha*, counts over n."""
    x = np.linspace(1.5 / n, 1.5, n)
    far, ulp = proved(x), np.spacing(NEAR)
    steps = np.arange(-(digits // 2), digits // 2 + 1)
    close = proved(NEAR + steps * ulp)
    corners = far.starts[sorted(far.proofs), 0]
    sizes = [k for k in SIZES if k <= n * 1.2]
    grids = [np.linspace(1.5 / k, 1.5, k) for k in sizes]
    counts = np.array([[k, len(proved(g).proofs)] for k, g in zip(sizes, grids, strict=True)])
    words = {"rule": "l_2-SAM", "rho": 1.0, "L": 2, "data": "mu = (1, 2)", "start": "balanced"}
    words |= {"clock": "limits as t -> inf", "loss": "any", "method": "tubes in balls, checked"}
    shown = f"left: {far.describe()}; middle: {close.describe()}"
    card = style.card(**words, tolerances="none: proved", shown=shown)
    near = close.labels.reshape(2 * [steps.size])
    arrays = {"x": x, "labels": far.labels.reshape(n, n), "corners": corners, "steps": steps}
    return arrays | {"near": near, "counts": counts, "card": card}


def draw(x, labels, corners, **arrays):
    """Return the figure: the plane, the doubles about the separatrix, the cost."""
    figure, (left, middle, right) = style.panels(3, width=style.PAGE, height=2.4)
    paint.regions(left, x, x, labels)
    left.plot(*corners.T, "o", markersize=1.2, color="black")
    left.set(xlabel=r"$\alpha_1$", ylabel=r"$\alpha_2$", aspect="equal")
    left.set_title("dots: the starts that prove it", fontsize=7)
    steps = arrays["steps"].astype(float)
    paint.regions(middle, steps, steps, arrays["near"])
    middle.set(xlabel=r"$\alpha_1$: doubles from $\alpha^*$")
    middle.set(ylabel=r"$\alpha_2$: doubles from $\alpha^*$", aspect="equal")
    middle.set_title("one cell, one pair of doubles", fontsize=7)
    size, starts = arrays["counts"].T
    right.loglog(size**2, starts, "o-", markersize=3, color="black")
    right.loglog(size**2, size / 2, "--", linewidth=0.8, color="#0072B2")
    right.text(size[-1] ** 2, size[2] / 2, "half a side", ha="right", color="#0072B2")
    right.set_box_aspect(1)
    right.set(xlabel="cells", ylabel="starts proved")
    right.set_yticks(TICKS, [str(count) for count in TICKS])
    right.set_yticks((), minor=True)
    right.set_title("the cost is that of the boundary", fontsize=7)
    return figure


if __name__ == "__main__":
    style.save("fig_proved_labels", compute, draw)
