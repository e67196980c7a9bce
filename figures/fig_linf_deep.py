"""Three layers under l_inf-SAM: one coordinate blows up, the other freezes, and a gap turns round.

Claim: linf_deep. Takes: 3 s.
"""

import numpy as np

from figures import style
from flowsam import Flow, balanced, linf, single_example, solve

FAST, RHO = {"rows": 61, "count": 9}, 0.5
PAIR, LONE, UNIT = (Flow(single_example(mu), linf(RHO)) for mu in ([1, 1.3], [1.3], [1]))
CASES = {"pair": (PAIR, balanced([1, 0.3], 3)), "unequal": (UNIT, [[0.4], [1.2], [1.5]])}
COLOURS, DASHES = ("#D55E00", "#0072B2", "#009E73"), ("-", (0, (5, 2)), (0, (1, 1)))


def compute(rows=801, count=15):
    """Return weights (rows, k) by formula and DOP853, and beta_2 over log t, beside w_1, alone."""
    tau, log_t = np.linspace(0, 1.99, rows), np.geomspace(0.3, 1e6, rows)
    found = {"tau": tau, "dots": tau[:: rows // count]}
    for case, (flow, theta) in CASES.items():
        last = solve(flow, theta, tau_end=9)
        found[f"{case}_ends"] = [event.tau for event in last.events]
        for method, times in (("auto", tau), ("DOP853", found["dots"])):
            run = solve(flow, theta, tau_end=times[-1], save_at=times, method=method)
            found[f"{case}_{method}"] = run.theta[:, 0] if case == "pair" else run.theta[..., 0]
    for name, case, end in (("beside", "pair", 1e6), ("alone", "lone", 25.0)):
        flow, theta = (CASES | {"lone": (LONE, balanced([0.3], 3))})[case]
        times = log_t[log_t <= end]
        run = solve(flow, theta, log_t_end=times[-1], save_at=times)
        found[name] = np.stack([times, run.beta[:, -1]])
    words = {"start": "alpha = (1, 0.3); layers 0.4, 1.2, 1.5", "data": "mu = (1, 1.3); mu = 1"}
    words["method"] = "lines by formula, dots by DOP853"
    return found | {"card": style.card(run, **words)}


def draw(caption, tau, dots, beside, alone, **kept):
    """Return the figure: two coordinates over tau and log t, and three unequal layers."""
    figure, axes = style.panels(3, width=style.PAGE, height=2.4)
    for panel, case, name in ((axes[0], "pair", "$w_{}$"), (axes[2], "unequal", "layer {}")):
        for k, curve in enumerate(kept[f"{case}_auto"].T):
            style_k = {"color": COLOURS[k], "linestyle": DASHES[k], "label": name.format(k + 1)}
            panel.plot(dots, kept[f"{case}_DOP853"][:, k], "o", color=COLOURS[k], markersize=2.8)
            panel.plot(tau, curve, linewidth=1.1, **style_k)
        for end, word in zip(kept[f"{case}_ends"][::-1], (r"$\tau^*$", "turn"), strict=False):
            panel.axvline(end, color="black", linewidth=0.8)
            panel.text(end, 3.05, word, ha="center", va="bottom")
        panel.axhline(RHO, color="#808080", linewidth=0.6, zorder=0)
        panel.set(ylim=(0, 3), xlim=(0, 2.1), xlabel=r"rescaled time $\tau$")
        panel.legend(loc=(0.22, 0.7))
    axes[0].set_ylabel("weights (line: $\\rho$)")
    for curve, k, word in ((beside, 1, "beside $w_1$"), (alone, 0, "alone")):
        axes[1].semilogx(
            *curve, linestyle=DASHES[1 - k], color=COLOURS[k], label=rf"$\beta_2$ {word}"
        )
    for level, word in ((RHO**3, r"$\rho^3$"), ((7 / 19) ** 3, r"$w_2(\tau^*)^3$")):
        axes[1].axhline(level, color="black", linewidth=0.7, linestyle=(0, (4, 2)))
        axes[1].text(1e6, level, word, ha="right", va="bottom")
    axes[1].set(xlabel=r"$\log(1 + t)$", ylim=(0.02, 0.138))
    axes[1].legend(loc="center left")
    return style.caption(figure, caption)


if __name__ == "__main__":
    style.save("fig_linf_deep", compute, draw)
