r"""At depth 2 GD and l_2-SAM reach the l_1 max margin alike, slowly; a run alone can prove how far.

Claims: l2_limit. Takes: 3 s.

Three random separable sets of ten features, two layers, every weight 0.5 at the start; GD in
circles, $\ell_2$-SAM with $\rho = 0.05$ in lines, which run through the circles: the two coincide.
Left: by what share the run's $\ell_1$ margin misses the largest one, known from a linear program.
Right: the share it misses at most, proven by weak duality from the state alone. The bound is always
above the truth; it can rise while examples take turns as the hardest. Set 0 has slowed down by the
end, at 0.2 % from the margin.
"""

import numpy as np

import flowsam.draw as paint
from figures import style
from figures.sets import separable
from flowsam import Flow, gradient_flow, l2, max_margin, solve, split_signs
from flowsam.outcomes.survivors import state_certificate
from flowsam.regimes import case_of

WORDS = {"start": "w = 0.5", "clock": style.ORIGINAL}
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


def draw(**arrays):
    """Return the figure: what is missing to the max margin, true and proven."""
    figure, axes = style.panels(2, width=style.PAGE)
    for column, panel in enumerate(axes, 1):
        for name, rows in arrays.items():
            seed = name[-1]
            missing = np.abs(1 - rows[:, column])
            if name.startswith("GD"):
                panel.plot(rows[::3, 0], missing[::3], "ko", fillstyle="none", markersize=3.5)
                place = {"textcoords": "offset points", "va": "center", "fontsize": 7}
                panel.annotate(f"set {seed}", (rows[-1, 0], missing[-1]), (5, 0), **place)
            else:
                paint.paths(panel, {name[:-2]: np.c_[rows[:, 0], missing]}, width=1.0)
        panel.set(xscale="log", yscale="log", ylim=(1e-5, 1), xlabel=r"$\log(1+t)$")
    axes[0].set(ylabel=r"missing share of the $\ell_1$ margin")
    axes[0].set_title(r"both near the $\ell_1$ max margin alike")
    axes[1].set_title("what a run proves by itself: a bound")
    axes[1].plot([], [], "ko", fillstyle="none", markersize=3.5, label="GD")
    handles, words = axes[1].get_legend_handles_labels()
    axes[1].legend(handles[-2:], words[-2:], loc="lower left")
    return figure


if __name__ == "__main__":
    style.save("fig_l1_margin", compute, draw)
