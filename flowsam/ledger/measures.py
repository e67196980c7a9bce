"""Numbers that answer a reader's question: computed now, or read from the arrays of a figure.

A measure takes what the figures saved, name to arrays (with the run card under "card"), and
returns the words its answer needs; KeyError says that a figure is missing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

__all__ = [
    "amplified_map",
    "blow_up",
    "clocks",
    "deep_order",
    "depth_two_rates",
    "late_losses",
    "leader_at",
    "radius_free",
    "signed_pairs",
    "two_classes",
    "two_limits",
]

Saved = Mapping[str, Mapping[str, Any]]


def clocks(saved: Saved) -> dict[str, Any]:
    """Count the figures by clock."""
    used = [arrays["card"].get("clock", "not said") for arrays in saved.values()]
    counts = {clock: used.count(clock) for clock in sorted(set(used))}
    return {"clocks": "; ".join(f"{clock}: {count}" for clock, count in counts.items())}


def blow_up(_: Saved) -> dict[str, Any]:
    """Stop a coordinate short of rho by another's blow-up."""
    from flowsam import Flow, balanced, linf, single_example, solve

    flow = Flow(single_example([1.0, 1.3]), linf(0.5))
    run = solve(flow, balanced([1.0, 0.3], 3), tau_end=3.0)
    return {
        "star": f"{run.tau[-1]:.6g}",
        "frozen": f"{run.beta[-1, 1]:.7f}",
        "rest": 0.5**3,
    }


def signed_pairs(_: Saved) -> dict[str, Any]:
    """Compare the escapes of random pairs of any sign with those of positive pairs."""
    from flowsam import Flow, limits, linf, single_example

    flow = Flow(single_example([1.0]), linf(1.0))
    pairs = _rng().uniform(-3, 3, (20_000, 2, 1))
    escapes = limits(flow, pairs) == 1
    positive = (pairs > 0).all(axis=(1, 2))
    return {
        "any": f"{escapes.mean():.1%}",
        "positive": f"{escapes[positive].mean():.1%}",
    }


def _rng() -> np.random.Generator:
    """A fixed seed: an answer is the same in every report."""
    return np.random.default_rng(2026)


def radius_free(_: Saved) -> dict[str, Any]:
    """Compute the interval of starts with a minor leader, in units of rho, over five decades."""
    from flowsam.amplification import regimes

    found = [regimes([1.0, 2.0], rho) for rho in (1e-3, 1.0, 1e2)]
    low = [f.critical / rho for f, rho in zip(found, (1e-3, 1.0, 1e2), strict=True)]
    high = [f.major / rho for f, rho in zip(found, (1e-3, 1.0, 1e2), strict=True)]
    return {
        "low": f"{low[1]:.6f}",
        "high": f"{high[1]:.6f}",
        "spread": f"{max(np.ptp(low), np.ptp(high), 1e-16):.0e}",
    }


def amplified_map(saved: Saved) -> dict[str, Any]:
    """Say how much of the map of leaders is not the major coordinate's, for both rules."""
    arrays = saved["fig_amplification_map"]
    leaders = arrays["leaders"][:, :, arrays["tau"] > 0]
    major = leaders.max()
    minor = [(part > 0) & (part < major) for part in leaders]
    return {
        "sam": f"{minor[0].mean():.0%}",
        "gd": f"{minor[1].sum()} of {minor[1].size}",
    }


def leader_at(_: Saved) -> dict[str, Any]:
    """Find the switches of one run, and how well tau/A there is a sum of two entries of mu."""
    from flowsam.amplification import critical_scale, leaders
    from flowsam.exact.l2_two_layer import curve

    mu = np.array([1.0, 1.5, 2.0, 3.0])
    start = np.full((2, 4), 1.001 * critical_scale(mu, 1.0))
    found = leaders(start, mu, rho=1.0)
    ratio = found.times / curve(start, mu, rho=1.0).a_at(found.times)
    places = np.array(found.order) - 1
    error = np.abs(ratio - mu[places[1:]] - mu[places[:-1]]).max()
    times = ", ".join(f"{time:.4f}" for time in found.times)
    order = "-".join(map(str, found.order))
    shown = f"({', '.join(f'{entry:g}' for entry in mu)})"
    return {"mu": shown, "order": order, "times": times, "error": f"{error:.0e}"}


def two_limits(_: Saved) -> dict[str, Any]:
    """Lead with a minor coordinate on the way to the major one."""
    from flowsam import Flow, balanced, gradient_flow, l2, limit, single_example, solve
    from flowsam.amplification import critical_scale

    data = single_example([1.0, 2.0])
    words: dict[str, Any] = {}
    start = balanced(np.full(2, 1.01 * critical_scale([1.0, 2.0], 1.0)), 2)
    for name, rule in (("sam", l2(1.0)), ("gd", gradient_flow())):
        beta = solve(Flow(data, rule), start, tau_end=3.0).beta[-1]
        words[name] = f"{beta[1] / beta.sum():.4f}"
        words[f"{name}_limit"] = limit(Flow(data, rule), start).label
    return words


def deep_order(saved: Saved) -> dict[str, Any]:
    """Read the leaders at L = 3 near alpha = 0.5, and the orders seen at any alpha."""
    arrays = saved["fig_l2_deep"]
    seen = [row[np.r_[True, np.diff(row) != 0]] for row in arrays["leaders"][0]]
    at = np.abs(arrays["alpha"] - 0.5).argmin()
    ends = {int(row[-1]) for row in seen}
    order = "-".join(map(str, seen[at]))
    return {
        "alpha": f"{arrays['alpha'][at]:.2g}",
        "order": order,
        "ends": " or ".join(map(str, sorted(ends))),
    }


def two_classes(saved: Saved) -> dict[str, Any]:
    """Say how the two classes were made and which share the major feature has in the end."""
    arrays = saved["fig_many_examples"]
    runs = {name: rows for name, rows in arrays.items() if name in ("GD", "l_2-SAM")}
    ends = [f"{name} {r[-1, 2] / r[-1, 1:].sum():.3f}" for name, r in runs.items()]
    log_t = f"{runs['GD'][-1, 0]:g}"
    return {"data": arrays["card"]["data"], "shares": ", ".join(ends), "log_t": log_t}


def late_losses(saved: Saved) -> dict[str, Any]:
    """Read the last losses at depth 2."""
    arrays = saved["fig_loss"]
    ends = {
        name[2:]: rows[-1] for name, rows in arrays.items() if name.startswith("2 ")
    }
    words = [f"{name} {row[1]:.1f}" for name, row in ends.items() if name != "rate"]
    return {"log_t": f"{ends['GD'][0]:g}", "losses": ", ".join(words)}


def depth_two_rates(saved: Saved) -> dict[str, Any]:
    """Compare measured rates with the predicted ones at the end of the longest runs."""
    from flowsam.rates import estimated_exponent

    arrays = saved["fig_rates"]
    gaps = [abs(rows[-1, 1]) for name, rows in arrays.items() if name[0] in "23"]
    slopes = [
        estimated_exponent(rows[-2:, 0], rows[-2:, 1])
        for name, rows in arrays.items()
        if name.startswith("d ")
    ]
    shown = f"{min(slopes):.3f} to {max(slopes):.3f}"
    return {
        "log_t": f"{arrays['d GD'][-1, 0]:g}",
        "gap": f"{max(gaps):.2g}",
        "slopes": shown,
    }
