"""The loss in original time under gradient flow and SAM, at depth 1, 2 and 3, with its rates.

Claims: rates. Takes: 4 s.
"""

import numpy as np

import flowsam.draw as paint
from figures import style
from flowsam import Flow, balanced, gradient_flow, l2, linf, single_example, solve
from flowsam.rates import depth_one_loss, late_log_loss

FAST = {"rows": 9, "end": 20.0}
WORDS = {"rho": 0.3, "start": "alpha = (0.8, 0.8)"}


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


def draw(caption, **arrays):
    """Return the figure: one panel a depth, circles: the predicted rate of gradient flow."""
    figure, axes = style.panels(3, width=style.PAGE, height=2.4)
    for name, rows in arrays.items():
        panel = axes[int(name[0]) - 1]
        if name[2:] == "rate":
            shown = np.linspace(0, len(rows) - 1, 9).astype(int)
            panel.plot(*rows[shown].T, "ko", fillstyle="none", markersize=4, label="GD, predicted")
        else:
            paint.paths(panel, {name[2:]: rows}, width=1.0)
        panel.set(xlabel=r"$\log(1 + t)$", title=f"$L = {name[0]}$")
    axes[0].set(ylabel="log loss")
    axes[1].legend()
    return style.caption(figure, caption)


if __name__ == "__main__":
    style.save("fig_loss", compute, draw)
