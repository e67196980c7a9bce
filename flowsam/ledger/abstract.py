"""The ten numbers that matter, each computed when the report is written."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

__all__ = ["FINDINGS", "Finding"]


@dataclass(frozen=True)
class Finding:
    """A number, and the sentence it stands in."""

    sentence: str  # LaTeX between dollar signs; the number stands before it
    claim: str  # what proves it
    measure: Callable[[], str]  # takes nothing, returns the number as it is shown


def _share(label: int, depth: int) -> str:
    """The share of the square [0, 2]^2 of starts that ends at a label, mu = (1, 2), rho = 1."""
    from scipy.stats import uniform

    from flowsam.regions.measure import chance

    found = chance(label, uniform(0, 2), mu=np.array([1.0, 2.0]), rho=1.0, depth=depth)
    return f"{found:.1%}"


def _signed() -> str:
    """The share of pairs of any sign that escape."""
    from flowsam.ledger.measures import signed_pairs

    return str(signed_pairs({})["any"])


def _window(which: str) -> str:
    """An end of the interval of starts with a minor leader."""
    from flowsam.ledger.measures import radius_free

    return f"{float(radius_free({})[which]):.4f}"


def _switch() -> str:
    """When the major feature takes the lead, 1 % above the critical scale."""
    from flowsam.amplification import critical_scale, leaders

    start = np.full((2, 2), 1.01 * critical_scale([1.0, 2.0], 1.0))
    return f"{leaders(start, np.array([1.0, 2.0]), rho=1.0).times[-1]:.2f}"


def _major_share(rule: str) -> str:
    """The major feature's share of the predictor at tau = 1."""
    from flowsam import Flow, balanced, gradient_flow, l2, single_example, solve
    from flowsam.amplification import critical_scale

    perturbation = {"sam": l2(1.0), "gd": gradient_flow()}[rule]
    start = balanced(np.full(2, 1.01 * critical_scale([1.0, 2.0], 1.0)), 2)
    flow = Flow(single_example([1.0, 2.0]), perturbation)
    beta = solve(flow, start, tau_end=1.0).beta[-1]
    return f"{beta[1] / beta.sum():.1%}"


_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def _cones() -> str:
    """How far switches are from the cones."""
    from flowsam.ledger.measures import leader_at

    size, power = str(leader_at({})["error"]).split("e")
    return f"{size}\u00a0×\u00a010{str(int(power)).translate(_RAISED)}"


def _order() -> str:
    """The order of the error of discrete SAM in its step."""
    from flowsam import Flow, balanced, iterate, l2, single_example, solve

    flow = Flow(single_example([1.0, 2.0]), l2(0.3))
    start = balanced([0.6, 0.6], 2)
    exact = solve(flow, start, log_t_end=np.log1p(4.0)).theta[-1]
    steps = (400, 800)
    errors = [
        np.abs(
            iterate(flow, start, learning_rate=4.0 / n, steps=n).theta[-1] - exact
        ).max()
        for n in steps
    ]
    return f"{np.log2(errors[0] / errors[1]):.3f}"


FINDINGS = (
    Finding(
        r"of the starts in $[0, 2\rho]^2$ end at the minor feature under $\ell_\infty$-SAM with "
        r"two layers, $\mu = (1, 2)$; under gradient flow none does.",
        "linf_limit",
        lambda: _share(1, 2),
    ),
    Finding(
        r"of them end at the minor feature with three layers, where it has to be ahead by more.",
        "linf_regions",
        lambda: _share(1, 3),
    ),
    Finding(
        r"of weight pairs of any sign in $[-3\rho, 3\rho]^2$ escape; the others are drawn to 0 "
        "across a conic.",
        "linf_two_layer",
        _signed,
    ),
    Finding(
        r"is the critical scale $\alpha^\star/\rho$ of $\ell_2$-SAM for $\mu = (1, 2)$: below it "
        "every uniform start collapses.",
        "l2_critical_scale",
        lambda: _window("low"),
    ),
    Finding(
        r"is the scale $\alpha/\rho$ up to which the minor feature leads for a while: between the "
        "two lies minor first, major last.",
        "l2_amplification_in_scale",
        lambda: _window("high"),
    ),
    Finding(
        r"is the rescaled time $\tau$ at which the major feature takes the lead from a start 1 % "
        r"above $\alpha^\star$, $\rho = 1$.",
        "l2_amplification_in_time",
        _switch,
    ),
    Finding(
        r"of the predictor is the major feature at $\tau = 1$ of that run, although it is all of "
        "the limit.",
        "finite_vs_infinite",
        lambda: _major_share("sam"),
    ),
    Finding(
        r"is that share under gradient flow from the same start at the same time.",
        "finite_vs_infinite",
        lambda: _major_share("gd"),
    ),
    Finding(
        r"is the largest distance of a switch of four features from its cone "
        r"$\tau/A = \mu_j + \mu_k$.",
        "l2_amplification_in_time",
        _cones,
    ),
    Finding(
        "is the measured order at which discrete SAM tends to its flow.",
        "discrete_to_flow",
        _order,
    ),
)
