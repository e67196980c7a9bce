"""Taylor's method on a batch, by heyoka: smooth rules, few coordinates and examples.

The expressions are those SymPy derives for one coordinate (`flowsam.symbolic`), compiled for a
shape and not for its numbers: data and radius are parameters. Shares of examples are shifted by
the largest, so that margins of any size are right. A member that does not arrive (a collapse, a
blow-up) is left to DOP853, which follows it to its end.
"""

from __future__ import annotations

import importlib.util
import math
from functools import cache
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Int

from flowsam import symbolic
from flowsam.flow import Flow

__all__ = ["covers", "installed", "march", "worth"]

Weights = Float[np.ndarray, "L d N"]
Terms = list[list[Any]]  # heyoka's expressions, (L, d) or (n, d)
MOST_STEPS = 200  # a member that needs more is near its end: one for DOP853
LARGEST = 64  # n L d; beyond it NumPy's rows are as fast
WORTH = 10_000  # members per example whose gain pays for compiling
COMPACT = 4  # n L d from which the compact form runs as fast and compiles ten times faster
FINER = 1e-4  # of rtol: Taylor steps gain digits for little


def installed() -> bool:
    """Return whether heyoka can be imported, without importing it."""
    return importlib.util.find_spec("heyoka") is not None


def covers(flow: Flow) -> bool:
    """Return whether the rule is analytic in the weights: GD, l_2 and unnormalised SAM.

    Examples
    --------
    >>> from flowsam import gradient_flow, lp, single_example
    >>> [covers(Flow(single_example([1.0]), rule)) for rule in (gradient_flow(), lp(1.0, 3))]
    [True, False]
    """
    return not flow.perturbation.rho or flow.perturbation.p == 2


def worth(flow: Flow, w: Weights) -> bool:
    """Return whether heyoka is there, covers the flow, and is faster, compiling included."""
    depth, d, number = w.shape
    n = flow.data.z.shape[0]
    return n * depth * d <= LARGEST and number >= n * WORTH and covers(flow) and installed()


def march(
    flow: Flow, w: Weights, *, tau_end: float, rtol: float
) -> tuple[Weights, Int[np.ndarray, " N"], Bool[np.ndarray, " N"]]:
    """Return last weights, steps, and which members arrived at tau_end.

    Parameters
    ----------
    flow : Flow
        One that `covers` accepts.
    w : ndarray, shape (L, d, N)
        Starts.
    tau_end : float
        End, in rescaled time.
    rtol : float
        The steps keep an error of 1e-4 rtol.

    Returns
    -------
    w : ndarray, shape (L, d, N)
    steps : ndarray of int, shape (N,)
    arrived : ndarray of bool, shape (N,)

    Examples
    --------
    >>> from flowsam import gradient_flow, single_example
    >>> flow, start = Flow(single_example([1.0]), gradient_flow()), np.ones((2, 1, 1))
    >>> if installed():
    ...     assert abs(march(flow, start, tau_end=1.0, rtol=1e-9)[0] - np.e).max() < 1e-14
    """
    run, number = _compiled(flow, w.shape, rtol), w.shape[-1]
    lanes = run.batch_size
    numbers = [flow.perturbation.rho, *flow.data.z.ravel()]
    run.pars[:] = np.broadcast_to(np.array(numbers)[:, None], run.pars.shape)
    # one batch after the other in memory, the last one filled with one member; small starts are
    # the ones to collapse, and one of them keeps its batch waiting: they wait together
    order = np.argsort(np.einsum("ldn,ldn->n", w, w), kind="stable")
    chosen = order[np.minimum(np.arange(-(-number // lanes) * lanes), number - 1)]
    batches = w.reshape(-1, number)[:, chosen].reshape(-1, chosen.size // lanes, lanes)
    batches = np.ascontiguousarray(batches.swapaxes(0, 1))
    reached, steps = np.empty(batches[:, 0].shape), np.empty(batches[:, 0].shape, dtype=np.int64)
    state, time = run.state, run.time
    for k, batch in enumerate(batches):
        run.set_time(0.0)
        state[:] = batch
        run.propagate_until(tau_end, max_steps=MOST_STEPS)
        batch[:], reached[k], steps[k] = state, time, [end[3] for end in run.propagate_res]
    place = np.argsort(order)
    out = np.ascontiguousarray(batches.swapaxes(0, 1)).reshape(*w.shape[:2], -1)[..., place]
    arrived = (reached.ravel()[place] == tau_end) & np.isfinite(out).all(axis=(0, 1))
    return np.ascontiguousarray(out), steps.ravel()[place], arrived


def _compiled(flow: Flow, shape: tuple[int, ...], rtol: float) -> Any:
    """The integrator for flows of one shape: compiled once in a process, in 0.1 to 1 s."""
    rule = flow.perturbation
    kind = "GD" if not rule.rho else "l_2" if rule.normalised else "unnormalised"
    n = flow.data.z.shape[0]
    loss = "" if n == 1 and kind != "unnormalised" else flow.loss.name  # not in the field
    return _integrator((n, shape[1], shape[0]), kind, loss, max(FINER * rtol, 1e-17))


@cache
def _integrator(shape: tuple[int, int, int], kind: str, loss: str, tolerance: float) -> Any:
    """Compile the field of a shape (n, d, L)."""
    import heyoka as hy

    n, d, depth = shape
    w = [[hy.expression(f"w_{k}_{j}") for j in range(d)] for k in range(depth)]
    z = [[hy.par[1 + i * d + j] for j in range(d)] for i in range(n)]
    field = _field(hy, w, z, (kind, loss))
    system = [(w[k][j], field[k][j]) for k in range(depth) for j in range(d)]
    lanes = hy.recommended_simd_size()
    ones, compact = np.ones((depth * d, lanes)), n * depth * d > COMPACT
    return hy.taylor_adaptive_batch(system, ones, tol=tolerance, compact_mode=compact)


def _field(hy: Any, w: Terms, z: Terms, about: tuple[str, str]) -> Terms:
    """SAM's rescaled field: the descent at the perturbed weights."""
    (kind, loss), depth = about, len(w)
    one = symbolic.coordinate(depth, None if kind == "GD" else 2)
    descent, log_scale = _descent(hy, one, w, z, loss)
    if kind == "GD":
        return descent
    scale = hy.exp(log_scale) if kind == "unnormalised" else 1.0
    g = [[-scale * entry for entry in row] for row in descent]
    square = hy.sum([entry * entry for row in g for entry in row])
    names = {"rho": hy.par[0], "N": hy.sqrt(square) if kind == "l_2" else hy.expression(1.0)}
    hat = [
        [
            _evaluate(hy, one, one.perturbed[k], w, (j, names | _entries(g, j)))
            for j in range(len(z[0]))
        ]
        for k in range(depth)
    ]
    return _descent(hy, one, hat, z, loss)[0]


def _entries(g: Terms, j: int) -> dict[str, Any]:
    """The gradient of one coordinate by the names of its symbols."""
    return {f"g_{k}": row[j] for k, row in enumerate(g, 1)}


def _evaluate(
    hy: Any, one: symbolic.Coordinate, expression: Any, w: Terms, about: tuple[int, dict[str, Any]]
) -> Any:
    """One coordinate's expression of SymPy with the weights of coordinate j, and other values."""
    j, values = about
    values = {str(symbol): row[j] for symbol, row in zip(one.w, w, strict=True)} | values
    given = {s: values[str(s)] for s in expression.free_symbols}
    return hy.from_sympy(expression, given)


def _descent(hy: Any, one: symbolic.Coordinate, w: Terms, z: Terms, loss: str) -> tuple[Terms, Any]:
    """`(sum_i q_i z_i) prod_{k != l} w^(k)` and log Lambda, as `Flow.descent` has them."""
    d = len(z[0])
    pull, log_scale = (
        (z[0], None) if not loss else _pull(hy, [_margin(hy, one, w, row) for row in z], z, loss)
    )
    slopes = [one.margin.diff(symbol) for symbol in one.w]
    terms = [[_evaluate(hy, one, s, w, (j, {"mu": pull[j]})) for j in range(d)] for s in slopes]
    return terms, log_scale


def _margin(hy: Any, one: symbolic.Coordinate, w: Terms, z: list[Any]) -> Any:
    """A margin, coordinate by coordinate."""
    margin = hy.expression(0.0)
    for j, entry in enumerate(z):
        margin = _evaluate(hy, one, one.margin, w, (j, {"r": margin, "mu": entry}))
    return margin


def _pull(hy: Any, margins: list[Any], z: Terms, loss: str) -> tuple[list[Any], Any]:
    """`sum_i q_i z_i` and log Lambda, shifted by the largest log|ell'|.

    Shift and softplus are written with ramps, but the sums are analytic whatever is taken for
    the largest: on which side of a ramp a step begins does not change its Taylor series.
    """
    logs = [-_softplus(hy, m) if loss == "logistic" else -m for m in margins]
    top = logs[0]
    for value in logs[1:]:
        top = top + hy.relu(value - top)
    shares = [hy.exp(value - top) for value in logs]
    total = hy.sum(shares)
    pull = [
        hy.sum([s * row[j] for s, row in zip(shares, z, strict=True)]) / total
        for j in range(len(z[0]))
    ]
    return pull, top + hy.log(total) - math.log(len(z))


def _softplus(hy: Any, m: Any) -> Any:
    """log(1 + e^m) = max(m, 0) + log(1 + e^-|m|)."""
    ramp = hy.relu(m)
    return ramp + hy.log(1.0 + hy.exp(m - 2.0 * ramp))
