"""Verdicts read off a run in rescaled time, each with the argument that makes it certain.

At L = 2, with s = u + sign(mu) v: every l_p rule has `s_j' = |mu_j| (s_j + c)`, with |c| at most
2^(1-1/p) rho, so beyond that distance s_j grows for ever, at a rate that tends to |mu_j|, which no
coordinate of smaller |mu| can match. Unnormalised SAM, `s_j' = |mu_j| s_j (1 - rho Lambda |mu_j|)`,
loses its brake for good once `rho Lambda(theta) max|mu| < 1`, since margins then only grow.
At L >= 3 a coordinate that reaches infinity in finite tau has won: the others freeze there.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float

from flowsam.flow import Flow
from flowsam.labels import Label
from flowsam.solver import solve
from flowsam.trajectory import Trajectory

__all__ = ["Verdict", "by_run"]

_SPANS = (8.0, 32.0, 128.0)  # rescaled time, in units of the slowest active rate


@dataclass(frozen=True, eq=False)
class Verdict:
    """A label, its direction, and what decided.

    Parameters
    ----------
    label : int
    direction : ndarray, shape (d,), or None
    certificate : str
        "theorem", "monotone", "numerical" or "none".
    reason : str
    """

    label: int
    direction: Float[np.ndarray, " d"] | None
    certificate: str
    reason: str


def basis(mu: Float[np.ndarray, " d"], label: int) -> Float[np.ndarray, " d"]:
    """Return sign(mu_j) e_j for a label j >= 1."""
    direction = np.zeros(mu.size)
    direction[label - 1] = np.sign(mu[label - 1])
    return direction


def by_run(flow: Flow, theta0: Float[np.ndarray, "L d"]) -> Verdict:
    """Return the verdict on one start by integrating until a certificate holds.

    Parameters
    ----------
    flow : Flow
        One example, a rule without a theorem (l_p, unnormalised, l_2 at L >= 3).
    theta0 : ndarray, shape (L, d)
        The start, L >= 2.

    Returns
    -------
    Verdict
        Undecided where no certificate holds by 128 units of the slowest rate.
    """
    sizes = np.abs(flow.mu[flow.mu != 0])
    scale = max(flow.perturbation.rho, float(np.abs(theta0).max()))
    rate = float(sizes.min()) * scale ** max(len(theta0) - 2, 0)
    for span in _SPANS:
        run = solve(flow, theta0, tau_end=span / rate, rtol=1e-8)
        if run.status == "collapsed":
            reason = f"every active weight reaches 0 at tau = {run.events[-1].tau:.6g}"
            return Verdict(int(Label.ZERO), None, "numerical", reason)
        if run.status == "failed":
            return Verdict(int(Label.FAILED), None, "none", run.message)
        verdict = _escape(flow, run) if len(theta0) == 2 else _blow_up(flow, run)
        if verdict is not None:
            return verdict
        if run.status not in ("finished",):
            break
    reason = (
        f"no certificate holds by tau = {run.tau[-1]:.4g} ({run.status}); it may linger at a saddle"
    )
    return Verdict(int(Label.UNDECIDED), None, "none", reason)


def _blow_up(flow: Flow, run: Trajectory) -> Verdict | None:
    """Return the winner of a blow-up at L >= 3."""
    blow_up = [event for event in run.events if event.kind == "blow-up"]
    if not blow_up:
        return None
    winner, mu = blow_up[0].coordinate, flow.mu
    reason = f"coordinate {winner + 1} blows up at tau = {blow_up[0].tau:.6g}, where others freeze"
    scores = _preserved_scores(flow, run.theta[0])
    twins = _twins(mu, run.theta[0], winner)
    if scores is not None:
        twins |= np.abs(scores - scores[winner]) <= 8 * np.finfo(float).eps * scores[winner]
        if scores[winner] < scores.max() and not twins[np.argmax(scores)]:
            reason = (
                "the run broke the order of |mu_j| |w_j|^(L-2), which l_2 preserves; lower rtol"
            )
            return Verdict(int(Label.FAILED), None, "none", reason)
        reason += "; the order of |mu_j| |w_j|^(L-2) never changes, so no other coordinate can win"
    certificate = "numerical" if scores is None else "monotone"
    if twins.sum() > 1:
        size = np.where(
            twins,
            np.where(twins, np.abs(mu), 1.0) ** (-len(run.theta[0]) / (len(run.theta[0]) - 2)),
            0.0,
        )
        direction = np.sign(mu) * size / np.linalg.norm(size)
        return Verdict(
            int(Label.TIE), direction, certificate, f"{reason}; its equals do so with it"
        )
    return Verdict(winner + 1, basis(mu, winner + 1), certificate, reason)


def _twins(
    mu: Float[np.ndarray, " d"], theta: Float[np.ndarray, "L d"], winner: int
) -> Bool[np.ndarray, " d"]:
    """Return the coordinates that move as the winner does, by symmetry."""
    sign = np.sign(mu) * np.prod(np.sign(theta), axis=0)
    sizes = np.sort(np.abs(theta), axis=0)
    same = (np.abs(mu) == np.abs(mu[winner])) & (sign == sign[winner])
    return same & (sizes == sizes[:, [winner]]).all(axis=0)


def _preserved_scores(
    flow: Flow, theta: Float[np.ndarray, "L d"]
) -> Float[np.ndarray, " d"] | None:
    """Return |mu_j| |w_j|^(L-2), whose order l_2 keeps for balanced aligned starts, else None."""
    rule, sizes = flow.perturbation, np.abs(theta)
    aligned = (np.sign(flow.mu) * np.prod(np.sign(theta), axis=0))[flow.mu != 0] > 0
    if not (rule.p == 2 and rule.normalised and aligned.all() and (sizes == sizes[0]).all()):
        return None
    return np.abs(flow.mu) * sizes[0] ** (len(theta) - 2)


def _escape(flow: Flow, run: Trajectory) -> Verdict | None:
    """Return the winner at L = 2 where the coordinates of the largest |mu| can only grow."""
    mu, rule = flow.mu, flow.perturbation
    finite = np.isfinite(run.theta).all(axis=(1, 2))
    first, last = run.theta[0], run.theta[finite][-1]
    moving = (mu != 0) & (first[0] + np.sign(mu) * first[1] != 0)
    if not moving.any():
        return Verdict(
            int(Label.SEPARATRIX), None, "monotone", "u_j + sign(mu_j) v_j = 0 everywhere"
        )
    top = moving & (np.abs(mu) == np.abs(mu[moving]).max())
    if rule.normalised:
        brake = 2 ** (1 - 1 / rule.p) * rule.rho
        certain = (np.abs(last[0] + np.sign(mu) * last[1])[top] > brake).all()
        reason = (
            f"|u_j + sign(mu_j) v_j| passed 2^(1-1/p) rho = {brake:.4g}, from where it only grows"
        )
    else:
        log_slope = float(flow.pull(last)[1])
        certain = rule.rho * np.exp(log_slope) * np.abs(mu).max() < 1
        reason = "rho Lambda max|mu| fell below 1, from where every coordinate only grows"
    if not certain:
        return None
    label = int(np.argmax(top)) + 1 if top.sum() == 1 else int(Label.TIE)
    direction = basis(mu, label) if label > 0 else None
    return Verdict(label, direction, "monotone", reason + ", and the largest |mu_j| wins")
