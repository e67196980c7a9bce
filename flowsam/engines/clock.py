"""Original time on a path known in rescaled time: `T = log(1 + t)` by quadrature in logs.

    t(tau) = int_0^tau e^{phi(s)} ds,   phi = -log Lambda(theta_hat) = log dt/dtau

The integrand grows like e^margin: panels are cut near their larger end, and only those that can
still matter are kept, so that log t = 1e5 costs no more than log t = 1.
"""

from collections.abc import Callable

import numpy as np

from flowsam.errors import InputError
from flowsam.shapes import Float, Int

Times = Float[np.ndarray, " _"]
Places = Int[np.ndarray, " _"]
LogPace = Callable[[Times], Times]

_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(16)
# Legendre coefficients of f from f W / 2 at the nodes: the last three, and their sums at the ends
_SERIES = np.polynomial.legendre.legvander(_NODES, 15) * np.arange(1, 32, 2)
_TAIL = _SERIES[:, 13:]
_ENDS = _SERIES @ np.stack([(-1.0) ** np.arange(16), np.ones(16)], axis=1)
_LOG_WEIGHTS = np.log(_WEIGHTS / 2)
# the ends are looked at, with no weight
_NODES = np.concatenate([[0.0], (_NODES + 1) / 2, [1.0]])
_SPREAD = 3.0  # largest change of phi on a panel: 16 nodes integrate e^{3x} to 1e-16
_UNSEEN = 1e-8  # of the mean: 16 nodes are exact to degree 31, and its coefficient is the square
_NEGLIGIBLE = 45.0  # e^-45 of the largest panel is below the last bit of the sum
_CUTS = 200
_NEWTON_STEPS = 100
_SECANT = 1e14  # T from where the pace, e^(phi - T), is lost in the last digits of both


@np.errstate(divide="ignore", invalid="ignore")  # phi is inf beyond margins of 1e308
def _panel_logs(
    log_pace: LogPace, left: Times, right: Times
) -> tuple[Times, Times, Times]:
    """Return log of the integral, of a bound (-inf: fine already), and where to cut each panel."""
    width = right - left
    phi = log_pace((left[:, None] + width[:, None] * _NODES).ravel()).reshape(
        -1, _NODES.size
    )
    top = phi.max(axis=1)
    last = phi[:, -1] >= phi[:, 0]
    share = np.exp(phi[:, 1:-1] - top[:, None] + _LOG_WEIGHTS)
    total = share.sum(axis=1)
    logs, bound = (x + np.log(width) for x in (top + np.log(total), top))
    ends = np.exp(phi[:, [0, -1]] - top[:, None]) - share @ _ENDS
    missed = np.abs(np.concatenate([share @ _TAIL, ends], axis=1)).max(axis=1)
    spread = top - phi.min(axis=1)
    steep = np.maximum(spread, _SPREAD)
    # that of phi itself, and that of its argument: near a blow-up phi is steep
    rounding = 1e-15 * np.abs(phi).max(axis=1) + 2e-16 * np.abs(right) * spread / width
    flat = (spread <= _SPREAD) & (missed <= (_UNSEEN + 64 * rounding) * total)
    # as fine as doubles are: phi is a line there, its integral e^top / slope
    line = ~flat & (spread > _SPREAD)
    fine = flat | (spread <= 10 * rounding) | (width <= 2e-14 * np.abs(right))
    logs = np.where(line & fine, bound - np.log(steep), logs)
    endless = top == np.inf
    logs = np.where(endless, np.inf, logs)
    fine = fine | endless
    # only what lies this near the larger end can matter next to it
    share = np.minimum(0.5, (1.5 * _NEGLIGIBLE + np.log(steep)) / steep)
    share = np.where(top > np.maximum(phi[:, 0], phi[:, -1]), 0.5, share)
    share = np.where(line, share, 0.5)
    cut = np.maximum(share * width, np.minimum(1e-14 * np.abs(right), width / 2))
    cut = np.where(last, right - cut, left + cut)
    return logs, np.where(fine, -np.inf, bound), cut


def log_integrals(log_pace: LogPace, edges: Times) -> Times:
    """Return log of the integral of e^phi over each interval between consecutive edges."""
    owner = np.arange(edges.size - 1)
    return _log_panels(log_pace, edges[:-1], edges[1:], owner)


@np.errstate(invalid="ignore")  # inf and inf
def _log_panels(log_pace: LogPace, left: Times, right: Times, owner: Places) -> Times:
    """Return log of the integral of e^phi over the panels [left_i, right_i] of each owner."""
    total = np.full(owner[-1] + 1, -np.inf)
    for _ in range(_CUTS):
        logs, bound, cut = _panel_logs(log_pace, left, right)
        fine = np.isneginf(bound)
        np.logaddexp.at(total, owner[fine], logs[fine])
        best = total.copy()
        np.maximum.at(best, owner, logs)
        keep = ~fine & (bound > best[owner] - _NEGLIGIBLE)
        if not keep.any():
            break
        left, cut, right, owner = (x[keep] for x in (left, cut, right, owner))
        left = np.concatenate([left, cut])
        right = np.concatenate([cut, right])
        owner = np.concatenate([owner, owner])
    return best


def log_time(log_pace: LogPace, tau: Times, breaks: Times) -> Times:
    """Return `T = log(1 + t)` at sorted rescaled times.

    T(tau_k) = logaddexp(0, log sum_i int e^phi over the intervals up to tau_k).
    (derivations/rescaled_clock.py)
    """
    finite = tau[np.isfinite(tau)]
    out = np.full(tau.size, np.inf)
    if not finite.size:
        return out
    inner = breaks[(breaks > 0) & (breaks < finite[-1])]
    edges, rows = (
        np.unique(np.append(0.0, x)) for x in (np.append(finite, inner), finite)
    )
    if edges.size == 1:
        out[: finite.size] = 0.0
        return out
    # panels between two rows are one sum, in which all but the largest can be dropped early
    owner = np.searchsorted(rows, edges[1:]) - 1
    logs = np.append(-np.inf, _log_panels(log_pace, edges[:-1], edges[1:], owner))
    log_t = np.logaddexp.accumulate(logs)
    out[: finite.size] = np.logaddexp(0.0, log_t[np.searchsorted(rows, finite)])
    return out


def crossed(
    log_pace: LogPace,
    log_t: float,
    left: float,
    right: float,
    *,
    start: float,
) -> tuple[float, float | None]:
    """Return T at the end of an interval, and the rescaled time at which it passed a value."""
    logs = log_integrals(log_pace, np.array([left, right]))
    reached = float(np.logaddexp(start, logs[0]))
    if reached < log_t:
        return reached, None
    return reached, float(
        when(log_pace, np.array([log_t]), left, right, start=start)[0]
    )


@np.errstate(divide="ignore", invalid="ignore", over="ignore")  # T beyond a blow-up
def when(
    log_pace: LogPace,
    log_t: Times,
    left: float,
    right: float,
    *,
    start: float,
) -> Times:
    """Return the rescaled times at which T reaches given values on one smooth interval."""
    nodes = np.linspace(left, right, log_t.size + 1)
    sums = np.array([start])
    if log_t.size > 1:  # Newton's iteration starts near each, and integrates little
        logs = log_integrals(log_pace, nodes[:-1])
        sums = np.logaddexp.accumulate(np.append(start, logs))
    place = np.maximum(np.searchsorted(sums, log_t) - 1, 0)
    low = nodes[place]
    high = nodes[place + 1]
    base = sums[place]
    before = high.copy()  # the last place, and T there
    was = np.append(sums, np.inf)[place + 1]
    tau = low.copy()
    open_ = np.arange(log_t.size)
    reached = base.copy()
    for _ in range(_NEWTON_STEPS):
        below = reached <= log_t[open_]
        wanted = log_t[open_]
        lower = open_[below]
        low[lower] = tau[lower]
        base[lower] = reached[below]
        high[open_[~below]] = tau[open_[~below]]
        step = _newton(reached, wanted, log_pace(tau[open_]))
        rise = (reached - was[open_]) / (tau - before)[open_]
        secant = np.where(rise < np.inf, (wanted - reached) / rise, np.inf)
        step = np.where(wanted > _SECANT, secant, step)
        near = np.abs(reached - wanted) <= 2e-16 * np.abs(wanted)
        near |= np.minimum(np.abs(step), (high - low)[open_] / 2) <= 2e-16 * tau[open_]
        open_ = open_[~near]
        if not open_.size:
            break
        step = step[~near]
        before[open_] = tau[open_]
        was[open_] = reached[~near]
        trial = tau[open_] + step
        inside = (trial > low[open_]) & (trial < high[open_])
        tau[open_] = np.where(inside, trial, (low[open_] + high[open_]) / 2)
        logs = _log_panels(log_pace, low[open_], tau[open_], np.arange(open_.size))
        reached = np.logaddexp(base[open_], logs)
    else:
        raise InputError(
            f"log t = {log_t[open_[0]]:.6g} was not found between tau = {low[open_[0]]:.6g} and "
            f"{high[open_[0]]:.6g} in {_NEWTON_STEPS} steps; give the end in tau"
        )
    return tau


def _newton(reached: Times, wanted: Times, phi: Times) -> Times:
    """Return Newton steps: on t (exact at a constant pace) where T is too low, else on T."""
    with np.errstate(invalid="ignore", divide="ignore"):  # T and phi may both be inf
        gap = wanted - reached
        above = np.abs(gap)
        log_size = np.log(above)
        log_size = np.where(gap > 0, above + np.log(-np.expm1(-above)), log_size)
        # in logs: a margin of 700 is left in tau = e^-700
        return np.copysign(np.exp(np.minimum(log_size + reached - phi, 700.0)), gap)
