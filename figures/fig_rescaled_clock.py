r"""One path, two clocks: a blow-up at finite rescaled time is infinite original time.

Claim: rescaled_clock. Takes: 2 s.

The flow of $\ell_\infty$-SAM on two and three layers, integrated in rescaled time $\tau$, lines,
and in original time $t$, circles. Left: they are the same path. Right: the clocks against each
other; at three layers the flow blows up at $\tau^{*}$, dotted, and that is infinite original time.
"""

import numpy as np
from scipy.integrate import solve_ivp

from figures import style
from flowsam import Flow, balanced, linf, single_example, solve

FAST, ALPHA, DEPTHS = {"rows": 9}, [0.8, 0.7], (2, 3)
LATE = np.array([0, 0.3, 0.6, 0.9, 1.2, 1.5, 1.8, 2.4, 4, 6, 8, 10, 12])  # t to 1.6e5
WORDS = {"L": "2 and 3", "start": f"alpha = {tuple(ALPHA)}"}


def original(flow, start, times):
    """Integrate the flow in t itself, tau along with it; return tau and beta at the times."""

    def rates(_, state):  # every weight stays above rho: no surface is met
        theta = state[:-1].reshape(start.shape)
        pace = np.exp(flow.log_lambda(theta))
        return np.append(flow.velocity(theta).ravel(), pace)

    options = {"method": "LSODA", "rtol": 1e-9, "atol": 1e-12, "t_eval": times}
    states = solve_ivp(rates, (0, times[-1]), np.append(start.ravel(), 0.0), **options).y
    return states[-1], states[:-1].reshape(*start.shape, -1).prod(axis=0).T


def compute(rows=1001, end=25.0):
    """Return columns tau, log(1 + t), beta for each depth, in rescaled and in original time."""
    flow, arrays = Flow(single_example([1, 2]), linf(0.5)), {}
    for depth in DEPTHS:
        run = solve(flow, balanced(ALPHA, depth), log_t_end=end, save_at=rows)
        arrays[f"rescaled {depth}"] = np.column_stack([run.tau, run.log_t, run.beta])
        tau, beta = original(flow, balanced(ALPHA, depth), np.expm1(LATE))
        arrays[f"original {depth}"] = np.column_stack([tau, LATE, beta])
    card = style.card(run, clock="rescaled; circles: original", **WORDS)
    return arrays | {"card": card, "tau_star": 1 / (2 * (ALPHA[1] - 0.5))}


def draw(tau_star, **arrays):
    """Return the figure: paths that coincide, and the two clocks against each other."""
    figure, axes = style.panels(2, width=style.PAGE, height=2.5)
    for depth, colour in zip(DEPTHS, ("#0072B2", "#D55E00"), strict=True):
        line, dots = arrays[f"rescaled {depth}"], arrays[f"original {depth}"]
        for ax, (x, y) in zip(axes, ((2, 3), (0, 1)), strict=True):
            ax.plot(line[:, x], line[:, y], color=colour, label=f"$L = {depth}$, rescaled flow")
            ax.plot(dots[:, x], dots[:, y], "o", color=colour, markersize=3.5, fillstyle="none")
    axes[0].plot([], [], "o", color="black", fillstyle="none", label="integrated in $t$ itself")
    axes[0].set(xlabel=r"$\beta_1$ (minor)", ylabel=r"$\beta_2$ (major)", title="the same path")
    axes[0].set(xlim=(0.3, 2.0), ylim=(0.2, 6.0))
    axes[0].legend(loc="upper left")
    axes[1].axvline(tau_star, color="#D55E00", linestyle=":")
    axes[1].text(tau_star + 0.04, 1.0, r"$\tau^*$")
    axes[1].set(
        xlabel=r"rescaled time $\tau$",
        ylabel=r"$\log(1+t)$",
        title="finite $\\tau$ is all of $t$ at $L = 3$",
    )
    return figure


if __name__ == "__main__":
    style.save("fig_rescaled_clock", compute, draw)
