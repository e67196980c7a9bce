"""The same start, three rules, three predictors: beta under GD, l_inf-SAM and l_2-SAM.

Claims: gradient_flow_limit, linf_limit, l2_limit. Takes: 2 s.
"""

import numpy as np

import flowsam.draw as paint
from figures import style
from flowsam import Flow, balanced, gradient_flow, l2, linf, single_example, solve

FAST = {"rows": 21}
WORDS = {"start": "alpha = (1.2, 0.8)", "rho": 1.0}


def compute(rows=401):
    """Return columns (log(1 + t), beta_1, beta_2) of each rule, to log(1 + t) = 15."""
    data, start = single_example([1, 2]), balanced([1.2, 0.8], 2)
    runs = [
        solve(Flow(data, rule), start, log_t_end=15, save_at=rows)
        for rule in (gradient_flow(), linf(1), l2(1))
    ]
    arrays = {run.perturbation.name: np.column_stack([run.log_t, run.beta]) for run in runs}
    return arrays | {"card": style.card(*runs, clock=style.ORIGINAL, **WORDS)}


def draw(caption, **runs):
    """Return the figure: the plane of predictors, and the major feature's share over log t."""
    figure, axes = style.panels(2, width=style.PAGE)
    paint.paths(axes[0], {name: run[:, 1:] for name, run in runs.items()})
    axes[0].plot(1.44, 0.64, "o", color="black", markersize=4)
    axes[0].set(xlabel=r"$\beta_1$ (minor)", ylabel=r"$\beta_2$ (major)", xlim=(0, 4), ylim=(0, 4))
    share = {n: np.column_stack([r[:, 0], r[:, 2] / r[:, 1:].sum(1)]) for n, r in runs.items()}
    paint.paths(axes[1], share)
    axes[1].set(xlabel=r"$\log(1 + t)$", ylabel=r"major share, $\beta_2/(\beta_1+\beta_2)$")
    axes[1].legend(title=r"$\mu = (1, 2)$, $L = 2$", loc="center right")
    return style.caption(figure, caption)


if __name__ == "__main__":
    style.save("fig_rules_compared", compute, draw)
