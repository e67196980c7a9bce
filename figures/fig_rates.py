r"""Loss and direction in original time reach their predicted rates, for each depth and rule.

Claims: rates. Takes: 3 s.

Dotted: predicted. Top left: with one layer time times loss has a limit, smaller under SAM. Top
right and bottom left: with two and three layers the loss at the perturbed point over its rate tends
to 1 (logarithm 0); there the three rules coincide, drawn one over the other. Bottom right: with two
layers and $\mu = (1, 2)$ the minor share $\beta_1/\beta_2$ falls like $(\log t)^{-1/2}$, the slope
of the dotted line, whose height is free. $\rho = 0.3$; one feature, $\mu = 1.3$, for the losses of
two and three layers.
"""

import numpy as np

import flowsam.draw as paint
from figures import style
from flowsam import Flow, balanced, gradient_flow, l2, linf, single_example, solve
from flowsam.rates import depth_one_loss, late_log_loss

FAST = {"rows": 7, "end": 100.0}
RULES = ("l_inf-SAM", "GD", "l_2-SAM")  # wide to narrow where they coincide
TITLES = (
    "$L = 1$: time times loss has a limit",
    "$L = 2$: the three rules coincide",
    "$L = 3$: the three rules coincide",
    r"$L = 2$: the minor feature fades like $(\log t)^{-1/2}$",
)
LABELS = r"$t \times$ loss", *["log(perturbed loss / rate)"] * 2, r"$\beta_1/\beta_2$"
WORDS = {"data": "mu = (1, 2); log losses: mu = 1.3", "clock": style.ORIGINAL}
WORDS |= {"start": "balanced; L = 1: w = 0; ratio: alpha = 1; log losses: alpha = 1.2"}


def compute(rows=40, end=1e4):
    """Return log(1 + t) and: t * loss and its limit; log perturbed loss - its rate; ratios."""
    arrays, log_t, early = {}, np.geomspace(10.0, end, rows), np.geomspace(0.1, 12.0, rows)
    runs = []
    data, one = single_example([1, 2]), single_example([1.3])
    for rule in (gradient_flow(), linf(0.3), l2(0.3)):
        runs.append(run := solve(Flow(data, rule), np.zeros((1, 2)), log_t_end=12.0, save_at=early))
        scaled, limit = np.expm1(early) * np.exp(run.log_loss), depth_one_loss(data, rule)
        arrays[f"1 {rule.name}"] = np.column_stack([early, scaled, np.full(rows, limit)])
        for depth in (2, 3):
            flow = Flow(one, rule)
            runs.append(run := solve(flow, balanced([1.2], depth), log_t_end=end, save_at=log_t))
            gap = flow.log_loss(flow.perturbed(run.theta))
            gap -= late_log_loss(log_t, 1.3, depth, rule)[0]
            arrays[f"{depth} {rule.name}"] = np.column_stack([log_t, gap])
        runs.append(
            run := solve(Flow(data, rule), balanced([1.0, 1.0], 2), log_t_end=end, save_at=log_t)
        )
        arrays[f"d {rule.name}"] = np.column_stack([log_t, run.beta[:, 0] / run.beta[:, 1]])
    return arrays | {"card": style.card(*runs, **WORDS)}


def draw(**arrays):
    """Return the figure: a panel a law, the law dotted over what was computed."""
    figure, axes = style.panels(2, width=style.PAGE, rows=2, height=4.4)
    for name, rows in arrays.items():
        panel = axes.flat["123d".index(name[0])]
        wide = 3.2 - 1.1 * RULES.index(name[2:]) if name[0] in "23" else 1.4
        paint.paths(panel, {name[2:]: rows[:, :2]}, width=wide)
        law = 2.0 * rows[:, 0] ** -0.5 if name == "d GD" else rows[:, -1] * (name[0] == "1")
        if name[0] == "1" or name[2:] == "GD":
            panel.plot(rows[:, 0], law, "k:", linewidth=1.0, label="predicted")
    for panel, title, label in zip(axes.flat, TITLES, LABELS, strict=True):
        panel.set(xscale="log", xlabel=r"$\log(1+t)$", title=title, ylabel=label)
    axes[1, 1].set_yscale("log")
    axes[1, 1].legend(loc="lower left", handlelength=2.4)
    return figure


if __name__ == "__main__":
    style.save("fig_rates", compute, draw)
