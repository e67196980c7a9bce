"""The catalogue of solved cases: every one has a closed form, an end, and its own amplification.

`amplification` is how much the flow itself magnifies a relative error of the start on the way,
measured on the closed form (`python -m tests.cases` prints it again): a solver cannot do better
than its tolerance times that.
"""

from dataclasses import dataclass

import numpy as np

from flowsam import Flow, balanced, gradient_flow, l2, linf, lp, single_example, solve

SMALLEST = 1e-3  # weights below it count as this large: relative errors mean nothing at 0


@dataclass(frozen=True, eq=False)
class Case:
    """A flow, a start, an end in rescaled time, and the flow's amplification by then."""

    flow: Flow
    theta0: np.ndarray
    tau_end: float
    amplification: float


def case(mu, rule, theta0, tau_end, amplification=1.0):
    """Return a case of one example."""
    theta0 = np.asarray(theta0, dtype=float)
    return Case(Flow(single_example(mu), rule), theta0, tau_end, amplification)


CASES = {
    "paper, l_inf": case([1, 2], linf(1), balanced([1.5, 0.6], 2), 3.0, 2.74),
    "GD": case([1, 2], gradient_flow(), balanced([0.5, 0.3], 2), 2.0, 1.01),
    "GD, opposite signs": case([1, 2], gradient_flow(), [[0.5, -0.3], [-0.2, 0.9]], 1.5, 1.01),
    "both collapse": case([1, 2], linf(1), balanced([0.5, 0.6], 2), 2.0, 708),
    "escape, alpha near rho": case([1.0], linf(1), balanced([1.01], 2), 5.0, 60.6),
    "cross, then escape": case([1.0], linf(1), [[-0.6], [3.2]], 2.0, 2.27),
    "cross, then collapse": case([1.0], linf(1), [[-1.6], [2.4]], 2.0, 103),
    "slide": case([1.0], linf(1), [[0.1], [0.9]], 0.9, 44.8),
    "slide at the start": case([1.0], linf(1), [[0.0], [0.9]], 0.5, 2.26),
    "cross at the start": case([1.0], linf(1), [[0.0], [2.6]], 1.0, 1.76),
    "second quadrants": case([1.0, -2.0], linf(1), [[1.5, 0.6], [-2.9, 2.9]], 1.5, 3.41),
    "negative and idle mu": case([1, -2, 0], linf(0.5), [[1, -1, 3], [1, 1, -2]], 1.2, 1.84),
    "twins": case([1, 1], linf(1), balanced([0.5, 0.5], 2), 1.0, 708),
    "depth one": case([1, -2], linf(1), [[0.5, 0.3]], 4.0, 1.01),
    "depth three, escape": case([1, 1.3], linf(0.5), balanced([1, 0.3], 3), 1.8, 18.3),
    "depth three, stall": case([1.0], linf(1), balanced([0.5], 3), 5.0, 1.01),
    "depth three, crossing": case([1.0], linf(1), balanced([0.5], 3, signs=[-1]), 3.0, 89.3),
    "depth four, zero": case([1, 2], linf(1), balanced([0.5, 0.6], 4), 3.0, 1060),
    "depth three, unequal": case([1, 1], linf(0.5), [[1.2, 1.1], [1, 0.9], [0.9, 0.8]], 1.0, 2.79),
    "l_2, escape": case([1, 2], l2(1), balanced([0.6, 0.6], 2), 2.0, 8.54),
    "l_2, near collapse": case([1, 2], l2(1), balanced([0.4, 0.4], 2), 1.25, 45),
    "l_2, any signs": case([1, -2, 0.5], l2(0.7), [[1, 0.4, -0.3], [-0.3, 0.5, 0.8]], 1.0, 1.95),
    "l_3, one coordinate": case([1.3], lp(0.9, p=3), balanced([1.0], 3), 1.5, 6.94),
}


def amplification(item):
    """Return the largest change of the exact path, relative, per relative change of the start."""
    rng, worst, size = np.random.default_rng(0), 0.0, 1e-7
    path = exact_path(item, item.theta0)
    scale = np.maximum(np.abs(path).max(axis=(1, 2), keepdims=True), SMALLEST)
    for _ in range(8):
        moved = item.theta0 * (1 + size * rng.choice([-1, 1], item.theta0[:1].shape))
        change = np.abs(exact_path(item, moved) - path) / scale
        worst = max(worst, float(change.max() / size))
    return worst


def exact_path(item, theta0):
    """Return the closed form at 400 times."""
    return solve(item.flow, theta0, tau_end=item.tau_end, method="exact", save_at=400).theta


if __name__ == "__main__":
    for name, item in CASES.items():
        print(f"{name:26s} {amplification(item):10.3g}  recorded {item.amplification:g}")
