r"""Depth 1: three rules, one direction, the l_2 max margin; the error falls with log time.

Claims: depth_one_margin, rates. Takes: 2 s.

One layer, two Gaussian classes, start at 0. The direction of the weights tends to the $\ell_2$ max
margin like $C/\log t$ under all three rules: the error times $\log(1 + t)$ levels out. For GD and
$\ell_2$-SAM the constant $C$ is predicted, dotted; for $\ell_\infty$-SAM, which slides along a
surface where its sign jumps, no prediction is known.
"""

import numpy as np

import flowsam.draw as paint
from figures import style
from figures.sets import gaussian_classes
from flowsam import Flow, gradient_flow, l2, linf, max_margin, solve
from flowsam.rates import depth_one_asymptote

FAST = {"rows": 9, "end": 50.0}
WORDS = {"start": "w = 0", "clock": style.ORIGINAL, "constant": "l_inf's is not predicted"}


def compute(rows=60, end=1e4):
    """Return columns (log(1 + t), error times log t) of each rule and the predicted constants."""
    data = gaussian_classes(seed=1)
    arrays, log_t, best = {}, np.geomspace(1.0, end, rows), max_margin(data, 2)
    runs = []
    for rule in (linf(0.5), gradient_flow(), l2(0.5)):
        how = {"method": "smoothed"} if rule.kind == "l_inf" else {}
        run = solve(Flow(data, rule), np.zeros((1, 2)), log_t_end=end, save_at=log_t, **how)
        runs.append(run)
        units = [b / np.linalg.norm(b) for b in (best, *run.beta)]
        error = np.linalg.norm(np.array(units[1:]) - units[0], axis=1)
        arrays[rule.name] = np.column_stack([log_t, error * log_t])
        if rule.kind != "l_inf":
            arrays[rule.name + "*"] = depth_one_asymptote(data, rule, run.beta[-1]).error_constant
    return arrays | {"card": style.card(*runs, **WORDS)}


def draw(**arrays):
    """Return the figure: error times log t tends to a constant known beforehand."""
    figure, axes = style.panels()
    paint.paths(axes, {name: rows for name, rows in arrays.items() if rows.ndim})
    for name in ("GD*", "l_2-SAM*"):
        line = axes.axhline(arrays[name], color="black", linewidth=1.0, linestyle=":")
    line.set_label(r"predicted $C$, GD and $\ell_2$-SAM")
    axes.set(xscale="log", xlabel=r"$\log(1+t)$", ylabel=r"direction error $\times \log(1+t)$")
    axes.set_title(r"the error falls like $C/\log t$ under every rule")
    axes.legend()
    return figure


if __name__ == "__main__":
    style.save("fig_depth_one_margin", compute, draw)
