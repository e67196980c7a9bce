"""limit and limits: where a flow ends as t -> inf, by the theorem that decides.

Directions converge like powers of log t, and near a saddle look converged: no label comes from how
little a run moves, but from theorems, then from certificates of a run's state.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike

from flowsam.errors import InputError
from flowsam.flow import Flow
from flowsam.inputs import listed
from flowsam.labels import Label
from flowsam.outcomes.outcome import Limit, basis
from flowsam.outcomes.own_scale import in_range
from flowsam.regimes import MOST_STEPS, Case, case_of
from flowsam.shapes import Labels, Theta
from flowsam.signatures import public

NOT_COVERED = "proofs cover one example under GD and l_p with p > 1, L >= 2"


@public
def limit(
    flow: Flow,
    theta0: ArrayLike,
    *,
    log_t_end: float | None = None,
    most_steps: int = MOST_STEPS,
    prove: bool = False,
) -> Limit:
    """Return where the flow from one start ends as t -> inf, and why.

    One example: l_inf and GD at depth L = 2 (any signs) and any L (balanced, or positive and
    aligned) go to 0 or to `sign(mu_j) e_j` of the coordinate that escapes first,
    `j = argmax mu_j (alpha_j - rho)^(L-2)` over alpha_j > rho for balanced starts; l_2 at
    L = 2 to the largest |mu_j| with `u_j + sign(mu_j) v_j != 0`, or to 0. The rest is read off a
    run in rescaled time, with a certificate, or is undecided.

    Several examples: L = 1 goes to the l_2 max margin, by theorem. L = 2 is run to log t = 1e4 and
    certified by weak duality once `min_i m_i / ||beta||_1` is at least 0.999 of the largest margin
    of the features that survive, for GD, l_2 and l_inf; below that the max margin itself is named,
    "conditional" on the convergence of directions; stalled where they do not separate. L >= 3, and
    other rules: the direction there, with no claim. Data that do not separate: stalled where the
    loss has a finite minimiser that every path reaches (L = 1; GD at L >= 2, where it falls below
    the loss of 0), or where a run of normalised SAM comes to rest, at the end of its slide along
    the minima; else undecided, with what goes on.

    Parameters
    ----------
    flow : Flow
        Data, rule and loss.
    theta0 : array_like, shape (L, d)
        Initial weights.
    log_t_end : float, optional
        How far in log(1 + t) a run goes where one decides: several examples, L >= 2; by default
        1e4, or 300 under a rule of the user's own, to which squares of gradients are doubles. One
        example is decided in rescaled time, and takes none.
    most_steps : int
        How many steps the path of one example may take where no theorem decides.
    prove : bool
        One example, GD and l_p with p > 1, L >= 2: prove the label in balls (l_2 at L = 2, d to
        64; elsewhere d <= 4) or by exact comparison (l_inf, GD). The certificate is then "proved",
        or what it was, with the reason. Needs the extra flowsam[certify].

    Returns
    -------
    Limit

    Raises
    ------
    TypeError, ValueError
        For bad input, in one line.

    Notes
    -----
    Derivations: derivations/linf_limit.py, derivations/linf_two_layer.py, derivations/l2_limit.py,
    derivations/sliding_minima.py.
    Source: arXiv:2603.08290, Theorems 3.1, 3.2, 4.1, 4.2, Corollary 3.5; signs, ties and
    certificates: flowsam.

    Examples
    --------
    >>> from flowsam import Flow, linf, single_example
    >>> flow = Flow(single_example([1, 2]), linf(1))
    >>> limit(flow, [[1.5, 0.6], [1.5, 0.6]]).label, limit(flow, [[0.5, 0.6]] * 2).kind
    (1, 'zero')
    """
    theta0 = flow.one_start(theta0, "limit", "see limits")
    if most_steps < 1:
        raise InputError(f"most_steps needs one or more, got {most_steps}")
    if len(flow.data.z) > 1 and most_steps != MOST_STEPS:
        raise InputError(
            f"most_steps = {most_steps} is for one example; several go to log_t_end"
        )
    own = case_of(flow, len(theta0))
    end = _checked_end(own, log_t_end)
    case = replace(own, log_t_end=end, most_steps=most_steps)
    group = next(in_range(case, theta0[None]))
    found = group.case.verdict(group.starts[0])
    active = flow.data.moving
    reason = found.reason + group.units
    idle = np.flatnonzero(~active) + 1
    if found.label == Label.ZERO and not theta0[:, active].any():
        reason = "every active weight is 0 from the start: it rests"
    if idle.size:
        shown = listed(idle)
        zero = "mu_j" if flow.data.z.shape[0] == 1 else "every z_ij"
        reason += f"; idle ({zero} = 0): {shown}"
    found = replace(found, reason=reason, features=flow.data.features)
    return _proved(own, theta0, found) if prove else found


def _checked_end(case: Case, log_t_end: float | None) -> float:
    """Return how far a run may go."""
    if log_t_end is None:
        return case.log_t_end
    if not 0 < log_t_end < np.inf:
        raise InputError(
            f"log_t_end needs a finite number > 0, got {log_t_end:g}; runs start at 0"
        )
    if len(case.flow.data.z) == 1:
        raise InputError(
            f"log_t_end = {log_t_end:g} is for several examples: the limit of one example is "
            "decided in rescaled time, without a last log t; leave it out"
        )
    return log_t_end


def _proved(case: Case, theta0: Theta, found: Limit) -> Limit:
    """Return a limit with its proof, or as it was with the reason why there is none."""
    from flowsam.certify import Problem, Unproved, prove
    from flowsam.certify.plane_proofs import agreed

    try:
        if not case.regime.provable:
            raise Unproved(NOT_COVERED)
        proof = prove(Problem.at(case.flow, theta0))
    except Unproved as error:
        return replace(found, reason=f"{found.reason}; not proved: {error}")
    label = agreed(proof.label, found.label)
    direction = found.direction if label == found.label else None
    if label >= 1:
        direction = basis(case.mu, label)
    how = "the doubles, compared exactly, decide"
    if proof.tube:
        count = len(proof.tube.steps)
        how = f"{count} steps in balls, checked, lead to a state that decides"
    reason = f"{how}: {found.reason}" if label == found.label else how
    return replace(
        found,
        label=label,
        direction=direction,
        certificate="proved",
        reason=reason,
        proof=proof,
    )


@public
def limits(flow: Flow, theta0s: ArrayLike) -> Labels:
    """Return the labels of many starts: the rule of `limit`, vectorised where a theorem decides.

    Parameters
    ----------
    flow : Flow
        Data, rule and loss.
    theta0s : array_like, shape (..., L, d)
        Starts.

    Returns
    -------
    ndarray of int, shape (...)
        j >= 1 for basis vectors, else members of `Label`.

    Raises
    ------
    TypeError, ValueError
        For bad input, in one line.

    Examples
    --------
    >>> from flowsam import Flow, balanced, linf, single_example
    >>> flow = Flow(single_example([1, 2]), linf(1))
    >>> limits(flow, balanced([[1.5, 0.6], [1.5, 1.6], [0.5, 0.5], [1.0, 0.5]], 2))
    array([ 1,  2,  0, -2])
    """
    theta0s = flow.checked(theta0s)
    starts = theta0s.reshape(-1, *theta0s.shape[-2:])
    found = np.empty(len(starts), dtype=np.int64)
    for group in in_range(case_of(flow, starts.shape[1]), starts):
        found[group.places] = group.case.labels(group.starts)
    return found.reshape(theta0s.shape[:-2])
