r"""Two Gaussian classes: predictors and margins under GD and l_2-SAM, L = 2.

Claims: l2_limit. Takes: 2 s.

Left: 20 signed examples $z_i = y_i x_i$ and the two max margins. Right: the share of the major
feature in $\beta$ over original time. GD and $\ell_2$-SAM tend to the $\ell_1$ max margin; which of
them leans on the minor feature meanwhile, and for how long, depends on the start.
"""

import numpy as np

import flowsam.draw as paint
from figures import style
from figures.sets import gaussian_classes
from flowsam import Flow, balanced, gradient_flow, l2, max_margin, solve

FAST, CLOCK = {"rows": 9, "end": 10.0}, style.ORIGINAL
WORDS = {"start": "alpha = (0.6, 0.6)", "clock": CLOCK}


def compute(rows=200, end=1e3):
    """Return the examples, both max-margin directions, and (log(1 + t), beta) of each rule."""
    data = gaussian_classes(seed=6)
    arrays = {"examples": data.z, "margins": np.array([max_margin(data, k) for k in (1, 2)])}
    log_t = np.concatenate([[0.0], np.geomspace(0.05, end, rows - 1)])
    runs = []
    for rule in (gradient_flow(), l2(1.0)):
        run = solve(Flow(data, rule), balanced([0.6, 0.6], 2), log_t_end=end, save_at=log_t)
        runs.append(run)
        arrays[rule.name] = np.column_stack([run.log_t, run.beta])
    return arrays | {"card": style.card(*runs, **WORDS)}


def draw(examples, margins, **runs):
    """Return the figure: signed examples with both max margins; the major share over log t."""
    figure, axes = style.panels(2, width=style.PAGE)
    axes[0].plot(*examples.T, "o", color="#999999", markersize=3)
    for k, way, dash in zip((1, 2), margins, ("-", ":"), strict=True):
        line, words = np.outer(3.0 * way / np.linalg.norm(way), [0, 1]), f"$\\ell_{k}$ max margin"
        axes[0].plot(*line, dash, color="#009E73", label=words)
    axes[0].legend()
    axes[0].set(xlabel=r"$y x_1$", ylabel=r"$y x_2$", title="signed examples", aspect="equal")
    share = {n: np.column_stack([r[1:, 0], r[1:, 2] / r[1:, 1:].sum(1)]) for n, r in runs.items()}
    paint.paths(axes[1], share)
    axes[1].set(xscale="log", xlabel=r"$\log(1 + t)$", ylabel=r"$\beta_2/(\beta_1+\beta_2)$")
    axes[1].set_title("share of the major feature: a detour under SAM")
    axes[1].legend()
    return figure


if __name__ == "__main__":
    style.save("fig_many_examples", compute, draw)
