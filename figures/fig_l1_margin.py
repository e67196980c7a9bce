"""Depth 2 goes to the l_1 max margin, slowly; a certificate from the run alone says how far it is.

Claims: l2_limit. Takes: 8 s.
"""

import numpy as np

import flowsam.draw as paint
from figures import style
from figures.sets import separable
from flowsam import Flow, gradient_flow, l2, max_margin, solve, split_signs
from flowsam.outcomes.weak_duality import state_certificate
from flowsam.regimes import case_of

WORDS = {"rho": 0.05, "start": "w = 0.5", "clock": style.ORIGINAL}
FAST = {"seeds": (2,), "rows": 7, "end": 50.0}


def compute(seeds=(0, 1, 2), rows=40, end=1e4):
    """Return columns (log(1 + t), 1 - true ratio, 1 - certificate) of runs on random sets."""
    arrays, log_t = {}, np.geomspace(10.0, end, rows)
    runs = []
    for seed in seeds:
        data = split_signs(separable(seed))
        for rule in (gradient_flow(), l2(0.05)):
            flow = Flow(data, rule)
            run = solve(flow, np.full((2, 10), 0.5), log_t_end=end, save_at=log_t)
            runs.append(run)
            truth = run.margins.min(1) / run.beta.sum(1) * np.abs(max_margin(data, 1)).sum()
            proven = [
                state_certificate(case_of(flow, 2), theta, 1, np.ones(10)) for theta in run.theta
            ]
            arrays[f"{rule.name} {seed}"] = np.column_stack([log_t, truth, proven])
    sets = data.name.replace(f"seed {seed}", f"seeds {', '.join(map(str, seeds))}")
    return arrays | {"card": style.card(*runs, **WORDS, data=sets)}


def draw(caption, **arrays):
    """Return the figure: what is missing to the max margin, true and proven."""
    figure, axes = style.panels(2, width=style.PAGE)
    for column, (panel, title) in enumerate(zip(axes, ("true", "proven by the run"), strict=True)):
        for name, rows in arrays.items():
            curve = np.abs(np.column_stack([rows[:, 0], 1 - rows[:, column + 1]]))
            paint.paths(panel, {name[:-2]: curve}, width=0.8)
            if name[:2] == "GD":
                place = {"textcoords": "offset points", "va": "center", "fontsize": 6}
                panel.annotate(f"seed {name[-1]}", curve[-1], (4, 0), **place)
        panel.set(xscale="log", yscale="log", ylim=(1e-5, 1), xlabel=r"$\log(1+t)$", title=title)
    axes[0].set(ylabel=r"missing share of the $\ell_1$ margin")
    axes[1].legend(*(part[:2] for part in axes[1].get_legend_handles_labels()))
    return style.caption(figure, caption)


if __name__ == "__main__":
    style.save("fig_l1_margin", compute, draw)
