r"""The loss falls like 1/t at one layer under every rule; with more layers SAM is ahead of GD.

Claims: rates. Takes: 3 s.

Log of the loss over $\log(1 + t)$ in original time for $\mu = (1, 2)$ from balanced $\alpha = (0.8,
0.8)$, $\rho = 0.3$. Circles: the rate predicted for GD. With one layer the three curves lie on each
other. With $L$ layers SAM is ahead by a distance that grows like $(\log t)^{1-1/L}$, for it is the
loss at the perturbed point that falls at GD's rate.
"""

import numpy as np

import flowsam.draw as paint
from figures import style
from flowsam import Flow, balanced, gradient_flow, l2, linf, single_example, solve
from flowsam.rates import depth_one_loss, late_log_loss

FAST = {"rows": 9, "end": 20.0}
TITLES = "$L = 1$: all rules coincide", "$L = 2$: SAM is ahead", "$L = 3$: further ahead"
WORDS = {"start": "alpha = (0.8, 0.8)"}


def compute(rows=120, end=100.0):
    """Return (log(1 + t), log loss) of each rule at each depth, and GD's predicted log loss."""
    data, arrays, log_t = single_example([1, 2]), {}, np.linspace(0, end, rows)
    runs = []
    for depth in (1, 2, 3):
        for rule in (gradient_flow(), linf(0.3), l2(0.3)):
            run = solve(Flow(data, rule), balanced([0.8, 0.8], depth), log_t_end=end, save_at=log_t)
            runs.append(run)
            arrays[f"{depth} {rule.name}"] = np.column_stack([run.log_t, run.log_loss])
        rate = np.log(depth_one_loss(data, gradient_flow())) - log_t[2:]
        if depth > 1:
            rate = late_log_loss(log_t[2:], 2.0, depth, gradient_flow())[1]
        arrays[f"{depth} rate"] = np.column_stack([log_t[2:], rate])
    return arrays | {"card": style.card(*runs, clock=style.ORIGINAL, **WORDS)}


def draw(**arrays):
    """Return the figure: one panel a depth, circles: the predicted rate of gradient flow."""
    figure, axes = style.panels(3, width=style.PAGE, height=2.4)
    for name, rows in arrays.items():
        panel = axes[int(name[0]) - 1]
        if name[2:] == "rate":
            shown = np.linspace(0, len(rows) - 1, 9).astype(int)
            panel.plot(*rows[shown].T, "ko", fillstyle="none", markersize=4, label="GD, predicted")
        else:
            paint.paths(panel, {name[2:]: rows}, width=1.2)
        panel.set(xlabel=r"$\log(1 + t)$", ylim=(-145, 5))
        panel.tick_params(labelleft=panel is axes[0])
    for panel, title in zip(axes, TITLES, strict=True):
        panel.set_title(title)
    axes[0].set_ylabel("log loss")
    axes[1].legend(loc="lower left", handlelength=1.6)
    return figure


if __name__ == "__main__":
    style.save("fig_loss", compute, draw)
