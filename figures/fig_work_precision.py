r"""Work against precision: seconds a start and the largest error, flowsam's engines beside others.

Takes: 5 s.

Processor seconds for one start against the largest error relative to a fine reference; low and left
is good. $\ell_2$-SAM, two layers, to $\tau = 4$, from starts with weights uniform in (0.7, 2). The
loop and discrete SAM take fewer starts than the engines, so that they end.
"""

import numpy as np

from figures import style
from figures.costs import engines
from figures.timing import relative_error, timed
from flowsam import Flow, l2, single_example
from flowsam.ensemble import solve_many

FAST, END = {"number": 64, "looped": 8}, 4.0
UNREPEATED = ("*",)  # times
STYLES = {"exact form": "*", "heyoka": "s-", "solve_many": "o-", "solve_ivp loop": "^--"}
STYLES |= {"discrete SAM": "v:"}
COLOURS = dict(zip(STYLES, ("black", "#009E73", "#0072B2", "#D55E00", "#CC79A7"), strict=True))


def compute(number=2000, looped=40):
    """Return for each engine its seconds a start and errors, (2, settings)."""
    flow = Flow(single_example([1, 2]), l2(1.0))
    starts = np.random.default_rng(2).uniform(0.7, 2.0, (number, 2, 2))
    found = {}
    fine = solve_many(flow, starts, tau_end=END, rtol=1e-13, method="DOP853").theta
    for name, (run, settings) in engines(flow, END, looped).items():
        spent = [(run(starts[:8], x), timed(lambda x=x: run(starts, x))) for x in settings]  # noqa: B023
        errors = [relative_error(end, fine[: len(end)]) for _, (_, end) in spent]
        found[name] = np.array([[s / len(end) for _, (s, end) in spent], errors])
    facts = {"start": f"{number} starts, weights uniform in (0.7, 2); loops: the first {looped}"}
    facts |= {"rule": "l_2-SAM", "rho": 1.0, "L": 2, "data": flow.data.name, "loss": "any"}
    facts |= {"clock": f"tau = {END:g} (rescaled)", "method": "as named", "tolerances": "as drawn"}
    return found | {"card": style.card(**facts, machine="processor seconds of one thread")}


def draw(**found):
    """Return the figure: a curve an engine, both axes logarithmic; good is low and left."""
    figure, axes = style.panels(height=3.0)
    for name, (seconds, errors) in found.items():
        axes.loglog(errors, seconds, STYLES[name], color=COLOURS[name], markersize=4, label=name)
    axes.set(xlabel="largest relative error", ylabel="seconds a start")
    axes.set_title("low and left is good")
    axes.legend(loc="center", bbox_to_anchor=(0.45, 0.53))
    return figure


if __name__ == "__main__":
    style.save("fig_work_precision", compute, draw)
