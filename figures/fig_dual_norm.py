r"""The best step in an l_p ball: where the gradient's level line touches the ball.

Claim: dual_norm. Takes: 1 s.

The step $\epsilon$ of SAM, blue, is the point of the ball of radius $\rho$ that lies furthest along
the gradient $g$, grey: there the level line of $g$, dotted, touches the ball. Circles are the best
of 720 points found by search. A small $p$ moves few weights far, $p = \infty$ all alike.
"""

import numpy as np

from figures import style
from flowsam import lp

TITLES = {1.0: "one weight", 1.5: "few", 2.0: "like $g$", np.inf: "all alike"}
FAST, GRADIENT, BALLS = {"points": 9}, np.array([1.0, 0.6]), (1.0, 1.5, 2.0, np.inf)
FACTS = {"rule": "l_p-SAM, p = 1, 1.5, 2, inf", "rho": 1.0, "L": "any", "data": "one gradient g"}
FACTS |= {
    "start": "any start",
    "clock": "either clock",
    "loss": "any",
    "method": "Hoelder's equality",
}


def compute(points=721):
    """Return for every p: the ball's boundary (points, 2), its best point by search, and eps."""
    angle = np.linspace(0, 2 * np.pi, points)
    circle, arrays = np.column_stack([np.cos(angle), np.sin(angle)]), {}
    for p in BALLS:
        ball = circle / np.linalg.norm(circle, p, axis=1, keepdims=True)
        arrays[f"ball {p}"] = ball
        arrays[f"searched {p}"] = ball[np.argmax(ball @ GRADIENT)]
        arrays[f"eps {p}"] = lp(1.0, p=p).epsilon(GRADIENT[None])[0]
    return arrays | {"card": style.card(**FACTS, tolerances="none")}


def draw(**arrays):
    """Return the figure: one panel a ball, with the gradient, its level line and the step."""
    figure, axes = style.panels(len(BALLS), width=style.PAGE, height=2.1)
    across = np.array([-GRADIENT[1], GRADIENT[0]])
    for p, ax in zip(BALLS, axes, strict=True):
        eps, ball = arrays[f"eps {p}"], arrays[f"ball {p}"]
        ax.fill(*ball.T, color="#56B4E9", alpha=0.35)
        level = eps + np.outer([-1.6, 1.6], across)
        ax.plot(*level.T, color="black", linewidth=0.8, linestyle=":")
        ax.plot(*arrays[f"searched {p}"], "o", color="black", fillstyle="none", markersize=7)
        for tip, colour, width in ((GRADIENT, "#7F7F7F", 0.008), (eps, "#0072B2", 0.016)):
            ax.quiver(0, 0, *tip, color=colour, units="xy", scale=1, width=2.5 * width, zorder=3)
        name = r"\infty" if np.isinf(p) else f"{p:g}"
        ax.set(
            xlim=(-1.25, 1.45),
            ylim=(-1.25, 1.45),
            aspect="equal",
            title=f"$p = {name}$: {TITLES[p]}",
        )
        ax.set(xticks=[-1, 0, 1], yticks=[-1, 0, 1], xlabel=r"$\epsilon_1 / \rho$")
    axes[0].set_ylabel(r"$\epsilon_2 / \rho$")
    words = {"$g$": (GRADIENT, (0.55, 0.85)), r"$\epsilon$": ((0.7, 0), (0.45, -0.4))}
    style.point_at(axes[0], words)
    return figure


if __name__ == "__main__":
    style.save("fig_dual_norm", compute, draw)
