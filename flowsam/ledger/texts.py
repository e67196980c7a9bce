"""The texts of the report, kept in texts.toml, and the numbers that they name.

A measure takes what the figures saved, name to arrays (with the run card under "card"), and
returns what its text needs; KeyError says that a figure is missing.
"""

import tomllib
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from flowsam import (
    Flow,
    balanced,
    gradient_flow,
    iterate,
    l2,
    limit,
    limits,
    linf,
    single_example,
    solve,
)
from flowsam.amplification import critical_scale, leaders, regimes
from flowsam.exact.l2_two_layer import read
from flowsam.rates import estimated_exponent
from flowsam.shapes import Pair

Saved = Mapping[str, Mapping[str, Any]]
_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


@dataclass(frozen=True)
class Text:
    """A question and its answer, or the sentence of a number and the number."""

    words: str
    answer: str  # what `measure` returns is filled in
    # claims and figures that carry the answer; it stands only where all are there
    shown_by: Sequence[str] = ()
    measure: str = ""  # a function of this file
    part: str = ""  # of the checklist

    def answered(self, saved: Saved) -> str:
        """Return the answer with its numbers; KeyError where a figure is missing."""
        found = globals()[self.measure](saved) if self.measure else {}
        return self.answer.format(**found)


_FILE = Path(__file__).with_name("texts.toml").read_text("utf-8")
TEXTS = {
    kind: [Text(**facts) for facts in entries]
    for kind, entries in tomllib.loads(_FILE).items()
}


def once(measure: Callable[[Saved], dict[str, Any]]) -> Any:
    """Return a measure that needs no figure, computed where it is asked for first."""
    found = cache(lambda: measure({}))
    return lambda _: found()


def clocks(saved: Saved) -> dict[str, Any]:
    """Count the figures by clock."""
    used = [arrays["card"].get("clock", "not said") for arrays in saved.values()]
    counts = Counter(sorted(used)).items()
    return {"clocks": "; ".join(f"{clock}: {count}" for clock, count in counts)}


@once
def blow_up(_: Saved) -> dict[str, Any]:
    """Stop a coordinate short of rho by another's blow-up."""
    flow = Flow(single_example([1.0, 1.3]), linf(0.5))
    run = solve(flow, balanced([1.0, 0.3], 3), tau_end=3.0)
    return {"star": run.tau[-1], "frozen": run.beta[-1, 1], "rest": 0.5**3}


@once
def signed_pairs(_: Saved) -> dict[str, Any]:
    """Compare the escapes of random pairs of any sign with those of positive pairs."""
    flow = Flow(single_example([1.0]), linf(1.0))
    rng = np.random.default_rng(2026)  # an answer is the same in every report
    pairs = rng.uniform(-3, 3, (20_000, 2, 1))
    escapes = limits(flow, pairs) == 1
    positive = (pairs > 0).all(axis=(1, 2))
    return {"any": escapes.mean(), "positive": escapes[positive].mean()}


@once
def radius_free(_: Saved) -> dict[str, Any]:
    """Compute the interval of starts with a minor leader, in units of rho, over five decades."""
    radii = np.array([1e-3, 1.0, 1e2])
    found = [regimes([1.0, 2.0], rho) for rho in radii]
    low, high = np.array([(f.critical, f.major) for f in found]).T / radii
    spread = max(np.ptp(low), np.ptp(high), 1e-16)
    return {"low": low[1], "high": high[1], "spread": spread}


def amplified_map(saved: Saved) -> dict[str, Any]:
    """Say how much of the map of leaders is not the major coordinate's, for both rules."""
    arrays = saved["fig_amplification_map"]
    leaders = arrays["leaders"][:, :, arrays["tau"] > 0]
    major = leaders.max()
    minor = [(part > 0) & (part < major) for part in leaders]
    return {"sam": minor[0].mean(), "gd": minor[1].sum(), "points": minor[1].size}


def _above(share: float, mu: list[float]) -> Pair:
    """The uniform start at so many critical scales of l_2-SAM, rho = 1."""
    return np.full((2, len(mu)), share * critical_scale(mu, 1.0))


@once
def leader_at(_: Saved) -> dict[str, Any]:
    """Find the switches of one run, and how well tau/A there is a sum of two entries of mu."""
    mu = np.array([1.0, 1.5, 2.0, 3.0])
    start = _above(1.001, mu.tolist())
    found = leaders(start, mu, rho=1.0)
    ratio = found.times / read(start, mu, 1.0).curve.a_at(found.times)
    places = np.array(found.order) - 1
    error = np.abs(ratio - mu[places[1:]] - mu[places[:-1]]).max()
    size, power = f"{error:.0e}".split("e")
    return {
        "mu": f"({', '.join(f'{entry:g}' for entry in mu)})",
        "order": "-".join(map(str, found.order)),
        "times": ", ".join(f"{time:.4f}" for time in found.times),
        "error": error,
        "raised": f"{size}\u00a0×\u00a010{str(int(power)).translate(_RAISED)}",
    }


@once
def switch(_: Saved) -> dict[str, Any]:
    """Find when the major feature takes the lead, 1 % above the critical scale."""
    mu = [1.0, 2.0]
    return {"time": leaders(_above(1.01, mu), np.array(mu), rho=1.0).times[-1]}


@once
def two_limits(_: Saved) -> dict[str, Any]:
    """Lead with a minor coordinate on the way to the major one, whose share it gives."""
    found: dict[str, Any] = {}
    start = _above(1.01, [1.0, 2.0])
    for name, rule in (("sam", l2(1.0)), ("gd", gradient_flow())):
        flow = Flow(single_example([1.0, 2.0]), rule)
        beta = solve(flow, start, tau_end=3.0, save_at=[1.0, 3.0]).beta
        found[f"{name}_early"], found[name] = beta[:, 1] / beta.sum(axis=1)
        found[f"{name}_limit"] = limit(flow, start).label
    return found


@once
def shares(_: Saved) -> dict[str, Any]:
    """Find which share of the square [0, 2]^2 of starts ends at the minor feature, rho = 1."""
    from flowsam.regions.measure import Flat, chance

    how: dict[str, Any] = {"mu": np.array([1.0, 2.0]), "rho": 1.0}
    square = Flat(0.0, 2.0)
    return {f"depth_{k}": chance(1, square, depth=k, **how) for k in (2, 3)}


@once
def order(_: Saved) -> dict[str, Any]:
    """Find the order of the error of discrete SAM in its step."""
    flow = Flow(single_example([1.0, 2.0]), l2(0.3))
    start = balanced([0.6, 0.6], 2)
    exact = solve(flow, start, log_t_end=np.log1p(4.0)).theta[-1]
    errors = []
    for n in (400, 800):
        run = iterate(flow, start, learning_rate=4.0 / n, steps=n)
        errors.append(np.abs(run.theta[-1] - exact).max())
    return {"order": np.log2(errors[0] / errors[1])}


def deep_order(saved: Saved) -> dict[str, Any]:
    """Read the leaders at L = 3 near alpha = 0.5, and the orders seen at any alpha."""
    arrays = saved["fig_l2_deep"]
    seen = [row[np.r_[True, np.diff(row) != 0]] for row in arrays["leaders"][0]]
    at = np.abs(arrays["alpha"] - 0.5).argmin()
    ends = {int(row[-1]) for row in seen}
    return {
        "alpha": arrays["alpha"][at],
        "order": "-".join(map(str, seen[at])),
        "ends": " or ".join(map(str, sorted(ends))),
    }


def two_classes(saved: Saved) -> dict[str, Any]:
    """Say how the two classes were made and which share the major feature has in the end."""
    arrays = saved["fig_many_examples"]
    ends = {name: arrays[name][-1] for name in arrays if name in ("GD", "l_2-SAM")}
    shares = [f"{name} {end[2] / end[1:].sum():.3f}" for name, end in ends.items()]
    log_t = ends["GD"][0]
    return {"data": arrays["card"]["data"], "shares": ", ".join(shares), "log_t": log_t}


def late_losses(saved: Saved) -> dict[str, Any]:
    """Read the last losses at depth 2."""
    arrays = saved["fig_loss"]
    names = [name for name in arrays if name.startswith("2 ") and name != "2 rate"]
    words = [f"{name[2:]} {arrays[name][-1, 1]:.1f}" for name in names]
    return {"log_t": arrays["2 GD"][-1, 0], "losses": ", ".join(words)}


def depth_two_rates(saved: Saved) -> dict[str, Any]:
    """Compare measured rates with the predicted ones at the end of the longest runs."""
    arrays = saved["fig_rates"]
    gaps = [abs(rows[-1, 1]) for name, rows in arrays.items() if name[0] in "23"]
    slopes = [
        estimated_exponent(rows[-2:, 0], rows[-2:, 1])
        for name, rows in arrays.items()
        if name.startswith("d ")
    ]
    return {
        "log_t": arrays["d GD"][-1, 0],
        "least": min(slopes),
        "most": max(slopes),
        "gap": max(gaps),
    }
