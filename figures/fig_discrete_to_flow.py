"""Discrete SAM tends to its flow at first order; at a sign change, to the sliding solution.

Claims: discrete_to_flow. Takes: 3 s.
"""

import numpy as np

import flowsam.draw as paint
from figures import style
from figures.sets import separable
from flowsam import Flow, gradient_flow, iterate, l2, linf, single_example, solve, unnormalised

FAST = {"counts": (8, 16, 32)}
LEFT = {"start": "(u, v) = (0, 0.8)", "tolerances": "step 0.1; left: flow at rtol 1e-12"}
LEFT["left"] = "left: original time t; GD, l_2 and unnormalised, rho = 0.3, n = 8, d = 3, w = 0.8"


def compute(counts=(25, 50, 100, 200, 400, 800)):
    """Return errors at t = 2 for each rule and step, and iterates beside a sliding solution."""
    data, theta, arrays = separable(0, n=8, d=3), np.full((2, 3), 0.8), {"counts": counts}
    for rule in (gradient_flow(), l2(0.3), unnormalised(0.3)):
        flow = Flow(data, rule)
        exact = solve(flow, theta, log_t_end=np.log(3.0), rtol=1e-12).theta[-1]
        last = [iterate(flow, theta, learning_rate=2 / k, steps=k).theta[-1] for k in counts]
        arrays[rule.name] = np.abs(np.array(last) - exact).max(axis=(1, 2))
    flow = Flow(single_example([1.0]), linf(1.0))
    run = iterate(flow, [[0.0], [0.8]], learning_rate=0.1, steps=24)
    arrays["chatter"] = np.column_stack([run.tau, run.theta[:, :, 0]])
    return arrays | {"card": style.card(run, **LEFT)}


def draw(counts, chatter, caption, **errors):
    """Return the figure: errors against the step, and weights that chatter along an axis."""
    figure, axes = style.panels(2, width=style.PAGE)
    paint.paths(axes[0], {name: np.column_stack([counts, x]) for name, x in errors.items()})
    axes[0].plot(counts, 0.1 / np.array(counts), "k:", label="slope $-1$")
    axes[0].set(xscale="log", yscale="log", xlabel="steps to $t = 2$", ylabel="error")
    axes[0].set_xticks(counts, counts)
    axes[0].minorticks_off()
    axes[0].legend()
    for name, weight, colour in zip("uv", chatter[:, 1:].T, ("#56B4E9", "#0072B2"), strict=True):
        axes[1].plot(chatter[:, 0], weight, "o-", markersize=2, color=colour, label=f"${name}$")
    axes[1].plot(chatter[:, 0], np.maximum(0.8 - chatter[:, 0], 0.0), "k:", label="sliding: $v$")
    axes[1].set(xlabel=r"$\tau$", title=r"$\ell_\infty$-SAM from $(u, v) = (0, 0.8)$")
    axes[1].legend()
    return style.caption(figure, caption)


if __name__ == "__main__":
    style.save("fig_discrete_to_flow", compute, draw)
