r"""Three layers under l_inf-SAM: one feature blows up, the other freezes, and a layer turns round.

Claim: linf_deep. Takes: 4 s.

$\ell_\infty$-SAM with $\rho = 0.5$; lines are closed forms, dots an independent integration by
DOP853. Left: $\mu = (1, 1.3)$ from balanced $\alpha = (1, 0.3)$; the first blows up at $\tau = 2$,
where original time ends. Middle: the second predictor therefore freezes at $w_2(2)^3$, far below
the $\rho^3$ that it reaches alone. Right: one feature with layers 0.4, 1.2 and 1.5; layers 2 and 3
fall until layer 1 passes $\rho$ at $\tau = 0.144$, then all rise and blow up together.
"""

import numpy as np

from figures import style
from flowsam import Flow, balanced, linf, single_example, solve

FAST, RHO, MU = {"rows": 61}, 0.5, {"pair": [1, 1.3], "lone": [1.3], "three": [1]}
STARTS = {"pair": balanced([1, 0.3], 3), "lone": balanced([0.3], 3), "three": [[0.4], [1.2], [1.5]]}
FLOWS = {case: Flow(single_example(mu), linf(RHO)) for case, mu in MU.items()}
TITLES = "the first blows up", "the second freezes", "unequal layers: a turn"
LOOKS = tuple(zip(("#D55E00", "#0072B2", "#009E73"), ("-", "--", ":"), strict=True))


def compute(rows=801):
    """Return rows (tau, w) by formula and by DOP853, event times, and rows (log t, beta_2)."""
    found = {}
    for case, size in (("pair", 2), ("three", 3)):
        for how, count in (("auto", rows), ("DOP853", 16)):
            run = solve(FLOWS[case], STARTS[case], tau_end=1.99, save_at=count, method=how)
            dots = run if how == "DOP853" else None
            found[f"{case}_{how}"] = np.c_[run.tau, run.theta.reshape(count, -1)[:, :size]]
        whole = solve(FLOWS[case], STARTS[case], tau_end=9)
        found |= {f"{case}_ends": [e.tau for e in whole.events], f"{case}_last": whole.beta[-1, -1]}
        found[f"{case}_words"] = [f"{e.kind} at {e.tau:.3f}" for e in whole.events]
    for case, end in (("pair", 1e6), ("lone", 25)):
        run = solve(FLOWS[case], STARTS[case], log_t_end=end, save_at=np.geomspace(0.3, end, rows))
        found[f"{case}_late"] = np.column_stack([run.log_t, run.beta[:, -1]])
    more = {"start": "alpha = (1, 0.3); layers 0.4, 1.2, 1.5", "data": "mu = (1, 1.3); mu = 1"}
    return found | {"card": style.card(dots, method="lines by formula, dots by DOP853", **more)}


def draw(**found):
    """Return the figure: two coordinates over tau and log t, and three unequal layers."""
    figure, axes = style.panels(3, width=style.PAGE, height=2.4)
    for panel, case, name in ((axes[0], "pair", "$w_{}$"), (axes[2], "three", "layer {}")):
        (tau, *lines), (dots, *steps) = found[f"{case}_auto"].T, found[f"{case}_DOP853"].T
        for k, ((colour, dash), line) in enumerate(zip(LOOKS, lines, strict=False)):
            both = panel.plot(dots, steps[k], "o", tau, line, dash, color=colour, markersize=2.8)
            both[1].set_label(name.format(k + 1))
        for end, word in zip(found[f"{case}_ends"], found[f"{case}_words"], strict=True):
            panel.axvline(end, color="black", linewidth=0.8)
            panel.text(end, 2.98, f"{word} ", rotation=90, ha="right", va="top", fontsize=7)
        panel.set(ylim=(0, 3), xlim=(-0.1, 2.1), ylabel="weight", xlabel=r"rescaled time $\tau$")
        panel.legend(loc=(0.16, 0.66), handlelength=1.6)
    second = (("pair", LOOKS[1], "beside $w_1$"), ("lone", LOOKS[0], "alone"))
    for case, (colour, dash), word in second:
        axes[1].semilogx(*found[f"{case}_late"].T, dash, color=colour, label=word)
    levels = [RHO**3, float(found["pair_last"])]
    axes[1].hlines(levels, 0.3, 1e6, "black", ":", linewidth=0.7)
    for level, word in zip(levels, (r"$\rho^3$", r"$w_2(\tau^*)^3$"), strict=True):
        axes[1].text(1e6, level - 0.002, word, ha="right", va="top", fontsize=7)
    axes[1].set(xlabel=r"$\log(1 + t)$", ylabel=r"$\beta_2$", xticks=[1, 1e3, 1e6], ylim=(0, 0.135))
    axes[1].minorticks_off()
    axes[1].legend(loc=(0.35, 0.55), handlelength=1.6)
    for panel, title in zip(axes, TITLES, strict=True):
        panel.set_title(title)
    return figure


if __name__ == "__main__":
    style.save("fig_linf_deep", compute, draw)
