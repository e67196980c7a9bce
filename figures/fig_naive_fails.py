r"""Why events: calls of a right-hand side with a sign in it, and of the event-driven one.

Claim: linf_two_layer. Takes: 2 s.

Calls of the right-hand side that five methods of solve_ivp need for $\ell_\infty$-SAM. Hatched:
with the sign written as one writes it first, where weights that reach 0 make the integrator chatter
and it is stopped at the written time. Blue: with events at the sign changes, as flowsam does it.
"""

import numpy as np

from figures import style
from figures.naive import calls_of_naive
from flowsam import Flow, balanced, linf, single_example, solve

FAST, UNREPEATED = {"budget": 2000}, ("*",)  # calls depend on the version of SciPy
METHODS = ("RK45", "DOP853", "LSODA", "Radau", "BDF")


def compute(budget=30_000):
    """Return calls (methods, 2) of the naive and the event-driven solver, and times reached."""
    flow, start = Flow(single_example([1, 2]), linf(1)), balanced([1.5, 0.6], 2)
    naive = np.array([calls_of_naive(method, budget) for method in METHODS])
    runs = [solve(flow, start, tau_end=3, method=method, rtol=1e-8) for method in METHODS]
    words = {"start": "alpha = (1.5, 0.6)", "method": "each method of solve_ivp, two ways"}
    card = style.card(runs[1], **words, stop=f"rtol 1e-8, stopped at {budget} calls")
    calls = np.column_stack([naive[:, 0], [run.nfev for run in runs]])
    return {"calls": calls, "reached": naive[:, 1], "card": card}


def draw(calls, reached):
    """Return the figure: bars of calls on a log axis, and how far the naive solver came."""
    figure, axes = style.panels(height=2.6)
    axes.bar(np.arange(5) - 0.2, calls[:, 0], 0.4, color="#BBBBBB", hatch="//", label="naive sign")
    axes.bar(np.arange(5) + 0.2, calls[:, 1], 0.4, color="#0072B2", label="events (flowsam)")
    for k, tau in enumerate(reached):
        words = {"ha": "center", "fontsize": 6.5}
        axes.text(k - 0.2, calls[k, 0] * 1.1, f"stuck at\n{tau:.2f}", **words)
    axes.set(yscale="log", ylim=(50, 4e5), ylabel="calls of the right-hand side")
    axes.set_xticks(np.arange(5), METHODS)
    axes.set_title("a sign in the field stops integrators")
    axes.legend(loc="upper right")
    return figure


if __name__ == "__main__":
    style.save("fig_naive_fails", compute, draw)
