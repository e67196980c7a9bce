"""What theorems say of a start: one layer, and two layers under l_inf, GD and l_2.

Each has labels of many starts and the verdict on one; where none is known, that is said.
"""

import numpy as np

from flowsam.errors import InputError
from flowsam.exact import linf_two_layer, winning
from flowsam.labels import Fate, Label
from flowsam.outcomes.outcome import Limit, of_label
from flowsam.regimes import Case
from flowsam.shapes import Column, Int, Labels, Starts, Theta, Thetas, Vector


def told(case: Case, starts: Thetas) -> Labels:
    """Return the label of the table for every start."""
    return np.full(starts.shape[:-2], case.regime.label, dtype=np.int64)


def times(case: Case, starts: Starts) -> Column:
    """Return the time of the table for every start."""
    return np.full(len(starts), case.regime.time)


def refused(case: Case, starts: Starts) -> Column:
    """Say that no start can be followed to its end."""
    raise InputError(
        "settled_at needs one example and a rule that can be followed, got "
        f"{case.flow.describe()}; solve follows single starts"
    )


def unknown(case: Case, theta0: Theta) -> Limit:
    """Return UNDECIDED."""
    reason = (
        f"no theorem is known for {case.flow.describe()}; solve shows where a run goes"
    )
    return Limit(int(case.regime.label), None, "none", reason)


def along_mu(case: Case, theta0: Theta) -> Limit:
    """Return the verdict on one example and one layer, at a speed of each rule's own."""
    direction = case.mu / np.abs(case.mu).max()
    reason = "L = 1: every rule moves along mu, so beta / ||beta|| tends to mu / ||mu||"
    unit = direction / np.linalg.norm(direction)
    return Limit(int(case.regime.label), unit, "theorem", reason)


def fate_labels(fates: Int[np.ndarray, "*batch d"], mu: Vector) -> Labels:
    """Return labels at L = 2: the largest escaping |mu_j| (equal: tie), a separatrix, or zero."""
    escape = int(Fate.ESCAPE)  # as in `settling`
    saddle = int(Fate.SADDLE)
    size = np.where((fates == escape) & (mu != 0), np.abs(mu), -1.0)
    top = size.max(axis=-1, keepdims=True)
    held = np.where(
        (fates == saddle).any(axis=-1), int(Label.SEPARATRIX), int(Label.ZERO)
    )
    return winning((size == top) & (top > 0), held)


def euclidean(case: Case, starts: Thetas) -> Labels:
    """Return labels of l_2 at L = 2: the largest |mu_j| with s_j(0) != 0 escapes (equal: tie)."""
    # and SciPy's functions, which l_inf does without
    from flowsam.exact import l2_outcome

    mu = case.mu
    code = l2_outcome.outcome(starts, mu, rho=case.rule.rho)
    grows = starts[..., 0, :] + np.sign(mu) * starts[..., 1, :] != 0
    found = fate_labels(np.where(grows, Fate.ESCAPE, Fate.COLLAPSE), mu)
    ends = [code == Fate.SADDLE, code == Fate.COLLAPSE]
    return np.select(ends, [Label.SEPARATRIX, Label.ZERO], found)


def by_curve(case: Case, theta0: Theta) -> Limit:
    """Return the verdict on l_2 at L = 2, by the two certificates on the planar curve."""
    mu = case.mu
    label = int(euclidean(case, theta0))
    if label == Label.SEPARATRIX:
        reason = (
            "the start's own critical scale is 1 within 1e-12: it tends to a saddle"
        )
        return Limit(label, None, "numerical", reason)
    if label == Label.ZERO:
        reason = "N fell below rho min |mu_j|, from where every weight falls to 0 in finite tau"
        return Limit(label, None, "monotone", reason)
    reason = (
        "N' > 0 at a point of the path proves escape, "
        "and the largest |mu_j| with s_j(0) != 0 wins"
    )
    reason += "; equal ones share it" * (label == Label.TIE)
    s = theta0[0] + np.sign(mu) * theta0[1]
    top = (s != 0) & (np.abs(mu) == np.abs(mu[s != 0]).max())
    size = np.where(top, np.sign(mu) * (s / np.abs(s[top]).max()) ** 2, 0.0)
    return of_label(mu, label, "monotone", reason, size / np.linalg.norm(size))


def two_layers(case: Case, starts: Thetas) -> Labels:
    """Return the labels of l_inf and GD at L = 2."""
    found = linf_two_layer.read(starts, case.mu, case.rule.rho)
    return fate_labels(found.fate, case.mu)


def by_theorem(case: Case, theta0: Theta) -> Limit:
    """Return the verdict of the l_inf and GD theorems at L = 2.

    Members of a tie share the direction by their growth, beta_j ~ (|u_j + sign(mu_j) v_j| -
    2 rho)^2 once every one is on its last quadrant.
    """
    label = int(case.labels(theta0))
    reason = reason_of(label, "|mu_j|")
    if label != Label.TIE:
        return of_label(case.mu, label, "theorem", reason)
    mu = case.mu
    rho = case.rule.rho
    start = linf_two_layer.read(theta0, mu, rho)
    u, v = start.weights(start.last_event)[0]
    escapes = start.fate == Fate.ESCAPE
    top = escapes & (np.abs(mu) == np.abs(mu[escapes]).max())
    size = np.where(top, (np.abs(u + np.sign(mu) * v) - 2 * rho) ** 2, 0.0)
    direction = np.sign(mu) * size / np.linalg.norm(size)
    return of_label(mu, label, "theorem", reason, direction)


def reason_of(label: int, score: str) -> str:
    """Return the sentence for a label under l_inf and GD, by what the winner has most of."""
    if label >= 1:
        return f"of the coordinates that escape, coordinate {label} has the largest {score}"
    return {
        Label.ZERO: "no coordinate escapes: each active one reaches 0 in finite tau",
        Label.TIE: "several coordinates escape with the same score, up to rounding",
        Label.SEPARATRIX: "no coordinate escapes, and one tends to an unstable equilibrium",
        Label.UNDECIDED: "at odd depth a coordinate starts at 0, where Filippov's solution is not "
        "unique; start it away from 0",
    }[Label(label)]
