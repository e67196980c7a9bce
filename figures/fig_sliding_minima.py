r"""Minima are no rest for SAM: it slides along them to where they are flattest.

Claims: sliding_minima. Takes: 4 s.

A scalar factorised as $uv$ on data that do not separate: minima are the curve $uv = s$. Left: GD
rests on it, $\ell_2$-SAM slides along it to the flattest point, where $u = v$; dots are discrete
SAM. Middle: the gap between the layers over time, flow by flow. Right: the error of discrete SAM
falls in proportion to its learning rate, dotted.
"""

import numpy as np

import flowsam.draw as paint
from figures import style
from flowsam import Data, Flow, gradient_flow, iterate, l2, linf, lp, solve

FAST = {"rows": 9, "counts": (100, 200), "end": 5.0}
WORDS = {"start": "(2, 0.35)", "left": "dots: steps of 0.1"}
START = [[2.0], [0.35]]


def compute(rows=200, counts=(200, 400, 800, 2000), end=20.0):
    """Return paths (t, u, v), errors of discrete SAM in u^2 - v^2 at the end, and its steps."""
    data, arrays = Data([[1.0], [1.0], [-1.0]], "z = (1, 1, -1)"), {"end": end}
    runs = []
    times = {"log_t_end": np.log1p(100.0), "save_at": np.log1p(np.linspace(0, 100, rows))}
    for flow in (Flow(data, r) for r in (gradient_flow(), lp(0.3, p=1.5), l2(0.3), linf(0.3))):
        name, run = flow.perturbation.name, solve(flow, START, **times)
        runs.append(run)
        path = np.column_stack([np.expm1(run.log_t), run.theta[:, :, 0]])
        path[-1, 0] = 100.0  # a run ends where it rests, and stays there
        arrays[f"{name} path"] = path
        last = [iterate(flow, START, learning_rate=end / k, steps=k).theta[-1] for k in counts]
        last.append(solve(flow, START, log_t_end=np.log1p(end)).theta[-1])
        gap = np.diff(np.array(last)[:, :, 0] ** 2)[:, 0]
        arrays[f"{name} error"] = np.c_[end / np.array(counts), np.abs(gap[:-1] - gap[-1])]
    steps = iterate(Flow(data, l2(0.3)), START, learning_rate=0.1, steps=10 * rows, save_every=7)
    return arrays | {"dots": steps.theta[:, :, 0], "card": style.card(*runs, clock="t", **WORDS)}


def draw(end, dots, **arrays):
    """Return the figure: the plane of weights, the slide in time, errors of discrete SAM."""
    figure, axes = style.panels(3, width=style.PAGE, height=2.6)
    paths = {name[:-5]: rows for name, rows in arrays.items() if name.endswith("path")}
    axes[0].plot(*paths["l_2-SAM"][2:, 1:3].T, "#C8C8C8", linewidth=4, label="minima")
    paint.paths(axes[0], {"l_2-SAM": paths["l_2-SAM"][:, 1:3]}, width=1.0)
    axes[0].plot(*dots.T, ".", color="#D55E00", markersize=1.5)
    axes[0].plot(*paths["GD"][-1, 1:3], "ko", markersize=4, label="GD rests")
    axes[0].plot(*[np.sqrt(np.log(2))] * 2, "k*", label="flattest")
    axes[0].set(xlabel="$u$", ylabel="$v$", title="along the minima $uv = s$")
    gaps = {name: np.c_[rows[:, 0], -np.diff(rows[:, 1:] ** 2)] for name, rows in paths.items()}
    paint.paths(axes[1], gaps, width=1.0)
    axes[1].set(xlabel="$t$", ylabel="$u^2 - v^2$", title="the slide in time")
    errors = {name[:-6]: rows for name, rows in arrays.items() if name.endswith("M error")}
    axes[2].loglog(*errors["l_2-SAM"].T * [[1], [0.4]], "k:", label="slope 1")
    paint.paths(axes[2], errors, width=1.0)
    axes[2].set(
        xlabel="learning rate", ylabel="error", title=f"discrete SAM, $t = {end:g}$: first order"
    )
    axes[2].tick_params(which="minor", labelbottom=False)
    for panel in axes:
        panel.legend()
    return figure


if __name__ == "__main__":
    style.save("fig_sliding_minima", compute, draw)
