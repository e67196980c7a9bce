r"""Cost grows at most in proportion to features, examples and cells, far slower in late time.

Takes: 4 s.

Processor seconds of one thread over the size of the work, dots, and the power fitted to them, lines
and titles. Features and examples: 64 starts of $\ell_2$-SAM, $\rho = 0.1$, to $\tau = 1/2$ with 20
examples or 20 features. Cells: an exact portrait of $\ell_\infty$-SAM. Late time: one run of 20
examples to $\log(1 + t)$ in the hundreds and thousands.
"""

import numpy as np

from figures import style
from figures.costs import late_run, plane_of, run_of
from figures.timing import exponent, timed

FAST, UNREPEATED = {"most": 2}, ("*",)  # times
NAMES = {
    "features": ("features $d$", "grows like $d$"),
    "examples": ("examples $n$", "grows like $n$"),
    "cells": ("cells $c$ of a portrait", "grows like $c$"),
    "log_t": (r"late time $\log t$", r"like $(\log t)$"),
}


def compute(most=5):
    """Return sizes and seconds (2, k) of each."""
    work = {
        "features": (lambda d: run_of(d, 20), 64.0),
        "examples": (lambda n: run_of(20, n), 64.0),
    }
    work |= {"cells": (plane_of, 4e6), "log_t": (late_run, 100.0)}
    found = {}
    for name, (make, first) in work.items():
        factor = 3.2 if name == "log_t" else 2.0
        sizes = np.array([round(first * factor**k) for k in range(most)])
        make(sizes[0])()
        found[name] = np.array([sizes, [timed(make(size), repeat=3)[0] for size in sizes]])
    facts = {"rule": "l_2-SAM; portrait: l_inf-SAM", "rho": "0.1; portrait: 1", "L": 2}
    facts |= {"data": "positive Gaussian z; portrait: mu = (1, 2)", "loss": "exponential"}
    facts |= {"start": "uniform, margins of order 1; portrait: balanced"}
    facts |= {"clock": "tau; log(1 + t)", "tolerances": "rtol 1e-9, 1e-8"}
    facts |= {"method": "solve_many (64 starts), phase_portrait, solve"}
    return found | {"card": style.card(**facts)}


def draw(**found):
    """Return the figure: four panels of seconds over size, with the fitted power."""
    figure, axes = style.panels(2, rows=2, width=style.COLUMN, height=3.6)
    times = np.concatenate([seconds for _, seconds in found.values()])
    for panel, (name, (sizes, seconds)) in zip(axes.flat, found.items(), strict=True):
        panel.loglog(sizes, seconds, "o", color="#0072B2", markersize=4)
        power = exponent(sizes, seconds)
        level = np.exp(np.mean(np.log(seconds) - power * np.log(sizes)))
        panel.loglog(sizes, level * sizes**power, color="black", linewidth=0.8)
        word, title = NAMES[name]
        panel.set(xlabel=word, ylim=(times.min() / 1.5, times.max() * 1.5))
        panel.set_title(f"{title}$^{{{power:.2f}}}$")
        panel.set_xticks(sizes[[0, -1]], [rounded(size) for size in sizes[[0, -1]]])
        panel.minorticks_off()
    for panel in axes[:, 0]:
        panel.set_ylabel("seconds")
    return figure


def rounded(size):
    """Return a size in words that fit under an axis."""
    return f"{size:,.0f}" if size < 1e6 else f"{size / 1e6:.0f} million"


if __name__ == "__main__":
    style.save("fig_scaling", compute, draw)
