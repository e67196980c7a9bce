"""Limits by integration: many starts at once, each followed until its state proves where it ends.

A size reached decides nothing: a path ends by a certificate, blow-up or collapse, or undecided.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from flowsam.data import Data
from flowsam.ensemble import Ending, Ensemble, solve_many
from flowsam.errors import InputError
from flowsam.flow import Flow
from flowsam.labels import Label
from flowsam.outcomes import held_by_ascent
from flowsam.outcomes.balanced_l2 import at_once, keeps_order
from flowsam.outcomes.blow_up_order import equals
from flowsam.outcomes.certificates import STILL, decided, still
from flowsam.outcomes.outcome import Limit, of_label, shared
from flowsam.outcomes.own_scale import FAR
from flowsam.regimes import Case
from flowsam.shapes import Codes, Column, Int8, Starts, Theta, Weights

Proof = Callable[[Flow, Weights], Codes]
# rescaled time, in units of the slowest active rate
SPANS = tuple(8.0**k for k in range(1, 9))
EXPONENTIAL = 5  # of these where saddles are left at a rate: at L = 2
RTOL = 1e-8
# in loops an int: NumPy looks into an enum by a function of Python 3.11, and loses a Ctrl-C there
_OPEN = int(Label.UNDECIDED)

# what certificates say, at L = 2 and beyond
_SHALLOW: dict[int, str] = {
    Label.ZERO: "every weight is where it can only fall to 0",
    Label.SEPARATRIX: "u_j + sign(mu_j) v_j = 0 everywhere, and the origin is unstable",
}
_DEEP: dict[int, str] = {
    Label.ZERO: "two layers of every coordinate, or equal ones, are where they can only reach 0",
    Label.STALLED: "no weight can pass its value at rest: beta stops there, or short of it",
    Label.SEPARATRIX: "the start rests where every rho |mu_j| |w_j|^(L-2) = N",
}


@dataclass(frozen=True, eq=False)
class Settled:
    """What became of many starts."""

    label: Codes  # as in `limits`; UNDECIDED where nothing is proved
    tau: Column  # rescaled time at which a path ended or was given up
    ending: Int8[np.ndarray, " N"]  # an `Ending`


def labels(case: Case, starts: Starts) -> Codes:
    """Return the labels that paths prove."""
    return settle(case, starts).label


def settle(case: Case, starts: Starts, *, proof: Proof = decided) -> Settled:
    """Follow each start until a state on its path proves the limit."""
    flow = case.flow
    unit, theta, clock = _in_own_units(flow, starts)
    label = proof(unit, _batch_last(theta))
    if proof is decided and theta.shape[1] > 2:
        label = np.where(label == Label.UNDECIDED, at_once(unit, theta), label)
    tau = np.zeros(label.size)
    ending = np.full(label.size, Ending.SETTLED, np.int8)
    steps = np.zeros(label.size, dtype=np.int64)
    going = np.flatnonzero(label == Label.UNDECIDED)
    ending[going] = Ending.FINISHED
    least = np.abs(unit.mu[unit.mu != 0]).min(initial=1.0)
    spans = SPANS if theta.shape[1] > 2 else SPANS[:EXPONENTIAL]
    for span in spans if case.regime.many else ():
        if not going.size:
            break
        run = solve_many(
            unit,
            theta[going],
            tau_end=span / least,
            rtol=RTOL,
            settled=lambda now: proof(unit, np.moveaxis(now, 0, -1)) != _OPEN,
            most_steps=case.most_steps,
        )
        label[going] = _told(unit, starts[going], run, proof)
        finished = run.status == Ending.FINISHED
        open_ = finished & (label[going] == Label.UNDECIDED)
        ending[going] = np.where(finished & ~open_, Ending.SETTLED, run.status)
        tau[going] += run.tau * clock
        theta[going] = run.theta
        steps[going] += run.steps
        spent = open_ & (steps[going] >= case.most_steps)
        ending[going[spent]] = Ending.OUT_OF_STEPS
        going = going[open_ & ~spent]
    label = _shared(unit, starts, label)
    exact = _batch_last(starts)
    even = keeps_order(unit, exact, 0.0) | held_by_ascent.even(unit, exact)
    again = (label == Label.STALLED) & ~even
    if again.any():  # layers that have become equal are not known to stay so
        more = settle(case, starts[again], proof=_moving)
        label[again] = more.label
        tau[again] = more.tau
        ending[again] = more.ending
    return Settled(label, tau, ending)


def settling_times(case: Case, starts: Starts) -> Column:
    """Return the rescaled time of collapse (L = 2) or of collapse or blow-up (L >= 3)."""
    found = settle(case, starts, proof=_asymptotic)
    ending = found.ending
    ends = np.isin(ending, (Ending.COLLAPSED, Ending.ESCAPED))
    unknown = ~ends & (ending != Ending.SETTLED)
    # with equal layers nothing stays to keep them at 0
    if case.falls and case.depth % 2:
        uneven = np.ptp(np.abs(starts[..., case.mu != 0]), axis=1)
        unknown |= (ending == Ending.COLLAPSED) & ~uneven.any(axis=-1)
    return np.select([unknown, ends], [np.nan, found.tau], np.inf)


def _moving(flow: Flow, w: Weights) -> Codes:
    """Labels of `decided` that a small difference of layers does not put in doubt."""
    label = decided(flow, w)
    return np.where(label == Label.STALLED, Label.UNDECIDED, label)


def _asymptotic(flow: Flow, w: Weights) -> Codes:
    """Labels of limits that are reached only as tau -> inf."""
    if len(w) > 2:
        return np.full(w.shape[-1], Label.UNDECIDED)
    label = decided(flow, w)
    finite = (label == Label.ZERO) & flow.perturbation.normalised
    return np.where(finite, Label.UNDECIDED, label)


def _in_own_units(flow: Flow, starts: Starts) -> tuple[Flow, Starts, float]:
    """Flow and starts with max |mu_j| = 1 in units of rho, or of a margin of 1, and tau's unit."""
    rule = flow.perturbation
    depth = starts.shape[-2]
    most = float(np.abs(flow.mu).max())
    if rule.normalised:  # of starts far above rho the powers have to be doubles
        top = float(np.abs(starts).max(initial=0.0))
        unit = max(rule.rho, top * 2.0 ** -(FAR // depth))
        rho = rule.rho / unit
    else:
        unit = most ** (-1 / depth)
        rho = rule.rho / unit / unit
    if rho == np.inf:
        raise InputError(
            f"unnormalised SAM needs rho max|mu_j|^(2/L) in the range of doubles, got rho = "
            f"{rule.rho:g} and max|mu_j| = {most:g}; scale the features down"
        )
    scaled = Flow(Data(flow.data.z / most), replace(rule, rho=rho), flow.loss)
    with np.errstate(over="ignore", divide="ignore"):  # a time beyond doubles is inf
        clock = float(np.float64(1.0 / most) / np.float64(unit) ** (depth - 2))
    return scaled, starts / unit, clock


def _batch_last(theta: Starts) -> Weights:
    """Put the batch last, where certificates want it."""
    return np.ascontiguousarray(np.moveaxis(theta, 0, -1))


def _told(flow: Flow, starts: Starts, run: Ensemble, proof: Proof) -> Codes:
    """Labels at the ends of a round."""
    w = _batch_last(run.theta)
    status = run.status
    label = proof(flow, np.where(np.isfinite(w), w, 0.0))
    lost = (run.theta[..., flow.mu != 0] == 0).sum(axis=1)
    size = np.abs(starts[..., flow.mu != 0])
    # an even number of layers at 0 draws them back to it, an odd one lets them through;
    # two that start there have no gradient, and rest, as for p > 2 layers that differ
    rests = (size == 0).sum(axis=1) > 1
    if flow.perturbation.steep:
        rests |= np.ptp(size, axis=1) > 0
    through = (lost > 2) & (lost % 2 == 1) & ~rests
    collapsed = status == Ending.COLLAPSED
    open_ = collapsed & through.any(axis=1) | (status == Ending.SLIDING_AMBIGUOUS)
    ends = [status == Ending.FAILED, open_, collapsed]
    label = np.select(ends, [Label.FAILED, Label.UNDECIDED, Label.ZERO], label)
    blown = np.flatnonzero((status == Ending.ESCAPED) & np.isinf(w).any(axis=(0, 1)))
    first = np.isinf(w[..., blown]).all(axis=0).argmax(axis=0)
    alone = equals(flow, starts[blown], first).sum(axis=1) == 1
    # bounds overlap to the end
    label[blown] = np.where(alone, Label.UNDECIDED, first + 1)
    return label


def _shared(flow: Flow, starts: Starts, label: Codes) -> Codes:
    """Turn winners at L >= 3 that do not win alone into ties."""
    won = np.flatnonzero(label >= 1)
    if starts.shape[1] > 2 and won.size:
        several = equals(flow, starts[won], label[won] - 1).sum(axis=1) > 1
        label[won[several]] = Label.TIE
    return label


def by_path(case: Case, theta0: Theta) -> Limit:
    """Return the verdict on one start of a rule without a theorem."""
    flow = case.flow
    found = settle(case, theta0[None])
    label = int(found.label[0])
    ending = Ending(found.ending[0])
    when = f"at tau = {found.tau[0]:.6g}"
    if label == Label.UNDECIDED and not case.regime.many:
        reason = (
            f"{flow.perturbation.name} at L = {len(theta0)} jumps where the largest |g| tie, which "
            "no engine here follows on many starts, and this start alone proves no first blow-up; "
            "solve shows one run, or try p > 1"
        )
        return Limit(label, None, "none", reason)
    if ending != Ending.SETTLED and label != Label.TIE:
        certificate = "numerical" if label == Label.ZERO else "none"
        reason = _without_proof(case, ending, when, label == Label.UNDECIDED)
        return Limit(label, None, certificate, reason)
    if len(theta0) < 3:
        brake = 2 ** (1 - 1 / case.rule.p) * case.rule.rho
        said = _SHALLOW.get(label, case.regime.escapes.format(brake))
    elif still(flow, theta0[..., None]).all():
        return Limit(label, None, "theorem", STILL)
    elif label == Label.TIE:
        return _tied(flow, theta0)
    else:
        wins = (
            f"coordinate {label} is certain to blow up first; the others freeze there"
        )
        said = _DEEP.get(label, wins)
    return of_label(flow.mu, label, "monotone", f"{when} {said}")


def _tied(flow: Flow, theta0: Theta) -> Limit:
    """Return the verdict on equal winners at L >= 3."""
    mu = flow.mu
    candidates = equals(
        flow, np.repeat(theta0[None], mu.size, axis=0), np.arange(mu.size)
    )
    together = shared(mu, candidates[candidates.sum(axis=1).argmax()], len(theta0))
    reason = "equal coordinates blow up together, by symmetry"
    return Limit(int(Label.TIE), together, "monotone", reason)


def _without_proof(case: Case, ending: Ending, when: str, undecided: bool) -> str:
    """Return why a path ended without a certificate."""
    steps = case.most_steps
    if ending == Ending.SLIDING_AMBIGUOUS or ending == Ending.COLLAPSED and undecided:
        return (
            f"the path falls into 0 {when}, an odd number of layers of a coordinate at once, and "
            "may leave it again"
        )
    return {
        Ending.COLLAPSED: f"every active coordinate loses two layers or more {when}",
        Ending.ESCAPED: f"several coordinates blow up {when}, too close to each other to tell",
        Ending.FAILED: f"the steps became too small {when}",
        Ending.FINISHED: f"no certificate holds by then, {when}; it may linger at an equilibrium",
        Ending.OUT_OF_STEPS: f"no certificate holds after {steps} steps, {when}: it lingers near "
        "an equilibrium, or is too stiff for explicit steps; solve(flow, theta0, tau_end=...) "
        f"shows it, and limit(flow, theta0, most_steps={10 * steps}) goes further",
    }[ending]
