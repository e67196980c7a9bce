"""Loss and direction in original time against their predicted rates, for each depth and rule.

Claims: rates. Takes: 6 s.
"""

import numpy as np

import flowsam.draw as paint
from figures import style
from flowsam import Flow, balanced, gradient_flow, l2, linf, single_example, solve
from flowsam.rates import late_log_loss

FAST = {"rows": 7, "end": 100.0}
WORDS = {"rule": "GD, l_inf-SAM, l_2-SAM", "start": "alpha = (1, 1); loss: mu = 1.3, alpha = 1.2"}


def compute(rows=40, end=1e4):
    """Return (log(1 + t), measured less predicted log perturbed loss) and direction ratios."""
    arrays, log_t = {}, np.geomspace(10.0, end, rows)
    for rule in (gradient_flow(), linf(0.3), l2(0.3)):
        for depth in (2, 3):
            flow = Flow(single_example([1.3]), rule)
            run = solve(flow, balanced([1.2], depth), log_t_end=end, save_at=log_t)
            rate = late_log_loss(run.log_t, 1.3, depth, rule)[0]
            gap = flow.log_loss(flow.perturbed(run.theta)) - rate
            arrays[f"{depth} {rule.name}"] = np.column_stack([run.log_t, gap])
        flow = Flow(single_example([1, 2]), rule)
        run = solve(flow, balanced([1.0, 1.0], 2), log_t_end=end, save_at=log_t)
        arrays[f"d {rule.name}"] = np.column_stack([log_t, run.beta[:, 0] / run.beta[:, 1]])
    return arrays | {"card": style.card(run, clock=style.ORIGINAL, **WORDS)}


def draw(caption, **arrays):
    """Return the figure: log loss less its rate at L = 2, 3; beta_1 / beta_2 and its slope."""
    figure, axes = style.panels(3, width=style.PAGE, height=2.4)
    for name, rows in arrays.items():
        paint.paths(axes["23d".index(name[0])], {name[2:]: rows})
    axes[2].plot(rows[:, 0], 2.0 * rows[:, 0] ** -0.5, "k:", label="slope $-1/2$")
    titles = ("log loss $-$ rate, $L = 2$", "log loss $-$ rate, $L = 3$", r"$\beta_1/\beta_2$")
    for panel, title in zip(axes, titles, strict=True):
        panel.set(xscale="log", xlabel=r"$\log(1+t)$", title=title)
    axes[2].set(yscale="log")
    axes[2].legend()
    return style.caption(figure, caption)


if __name__ == "__main__":
    style.save("fig_rates", compute, draw)
