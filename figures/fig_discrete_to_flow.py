r"""Discrete SAM tends to its flow at first order; where it slides, to Filippov's, not to Utkin's.

Claims: discrete_to_flow. Takes: 3 s.

Discrete SAM against its flow as the learning rate falls, slope 1 dotted. Left: the largest error at
$t = 2$ for rules without jumps. Right: $\ell_\infty$-SAM on a run that slides along a surface where
its sign jumps; the iterates tend to Filippov's solution, not to Utkin's. GD and unnormalised SAM
coincide here.
"""

import numpy as np

import flowsam.draw as paint
from figures import style
from figures.sets import separable
from flowsam import Flow, gradient_flow, iterate, l2, linf, solve, unnormalised

FAST = {"counts": (8, 16, 32), "finer": (4, 8)}
WORDS = {"start": "w = 0.8; l_inf: (0.48, 0.51, 0.87)", "clock": "original time t"}
WORDS |= {"data": "N(0, I) on one side of a plane, n = 8, d = 3, seed 0; l_inf: seed 2"}
WORDS |= {"right": "right: largest distance in beta up to log(1 + t) = 4.5"}
WORDS |= {"steps": "beside each: iterate; Utkin: sign smoothed by tanh"}


def compute(counts=(25, 50, 100, 200, 400, 800), finer=(4, 8, 16, 32, 64)):
    """Return errors at t = 2 for each rule and step, and distances to two sliding solutions."""
    data, theta, arrays = separable(0, n=8, d=3), np.full((2, 3), 0.8), {"counts": counts}
    runs = []
    for rule in (gradient_flow(), l2(0.3), unnormalised(0.3)):
        flow = Flow(data, rule)
        runs.append(solve(flow, theta, log_t_end=np.log(3.0), rtol=1e-12))
        last = [iterate(flow, theta, learning_rate=2 / k, steps=k).theta[-1] for k in counts]
        arrays[rule.name] = np.abs(np.array(last) - runs[-1].theta[-1]).max(axis=(1, 2))
    flow, theta, slid = Flow(separable(2, n=8, d=3), linf(0.2)), [[0.48, 0.51, 0.87]], []
    for k in finer:
        run = iterate(flow, theta, learning_rate=0.64 / k, steps=138 * k, save_every=k)
        how = {"log_t_end": 4.5, "save_at": run.log_t}
        ends = [solve(flow, theta, method=name, **how) for name in ("auto", "smoothed")]
        slid.append([0.64 / k, *(np.abs(run.beta - end.beta).max() for end in ends)])
    return arrays | {"slid": slid, "card": style.card(*runs, ends[0], **WORDS)}


def draw(counts, slid, **errors):
    """Return the figure: errors of the smooth rules, distances to two sliding solutions."""
    figure, axes = style.panels(2, width=style.PAGE)
    paint.paths(axes[0], {name: np.column_stack([2 / counts, x]) for name, x in errors.items()})
    for column, name, mark in ((2, "Utkin", "s--"), (1, "Filippov", "o-")):
        rows = slid[:, [0, column]].T
        axes[1].plot(*rows, mark, color="#0072B2", markersize=4, label=f"to {name}'s solution")
    for panel, steps, last in zip(axes, (2 / counts, slid[:, 0]), (2e-3, 4e-3), strict=True):
        panel.plot(steps, last * steps / steps[0], "k:", label="slope 1")
        panel.set(xscale="log", yscale="log", xlabel="learning rate")
        panel.set_xticks(steps, [f"{step:.2g}" for step in steps])
        panel.minorticks_off()
        panel.legend()
    axes[0].set(ylabel="error at $t = 2$", title="smooth rules: first order")
    axes[1].set(
        ylabel="distance of the iterates", title=r"$\ell_\infty$-SAM slides as Filippov says"
    )
    return figure


if __name__ == "__main__":
    style.save("fig_discrete_to_flow", compute, draw)
