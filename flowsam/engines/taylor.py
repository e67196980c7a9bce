"""Fields for Taylor's method, as heyoka compiles them: rules that are analytic in the weights.

The field's expressions are compiled for a shape, with data and radius as parameters. Shares of
examples are shifted by the largest: margins may have any size.
"""

import importlib.util
import math
from functools import cache, partial
from typing import Any, NamedTuple

import numpy as np

from flowsam.engines import series
from flowsam.errors import MissingLibraryError
from flowsam.flow import Flow
from flowsam.shapes import Float

Terms = list[list[Any]]  # heyoka's expressions, (L, d) or (n, d)
Kind = tuple[tuple[int, int, int], str, str]  # shape (n, d, L), rule, loss
WATCH = 1e-3  # small beside the weights, whose error it shares; large enough to be seen

ATOL = 1e-3  # added to the size of a weight, as the ensemble's absolute tolerance is
# n L d up to which a step is one long function; beyond, that compiles too long
UNROLLED = 4


def installed() -> bool:
    """Return whether heyoka can be imported, without importing it."""
    return importlib.util.find_spec("heyoka") is not None


def demand() -> None:
    """Refuse to go on without heyoka."""
    if not installed():
        raise MissingLibraryError(
            "method='heyoka' needs heyoka; pip install 'flowsam[fast]'"
        )


def kind_of(flow: Flow, depth: int) -> Kind:
    """Return what a field is compiled for: flows of one kind differ in `numbers` alone."""
    rule = flow.perturbation
    (n, d) = flow.data.z.shape
    word = "GD" if not rule.rho else "l_2" if rule.normalised else "unnormalised"
    return (
        (n, d, depth),
        word,
        "" if n == 1 and word != "unnormalised" else flow.loss.name,
    )


def numbers(flow: Flow) -> Float[np.ndarray, " P"]:
    """Return the parameters of a field: radius and data."""
    return np.array([flow.rho, *flow.data.z.ravel()])


def system(kind: Kind) -> list[tuple[Any, Any]]:
    """Return weights and their rescaled velocities as heyoka's expressions, layer by layer.

    l_2-SAM has a watch as its last entry, the integral of 1/N, N = ||g||: its singularity at a
    collapse keeps steps from reaching over, where the weights' own series go on along -N.
    """
    import heyoka as hy

    (n, d, depth), rule, loss = kind
    w = [[hy.expression(f"w_{k}_{j}") for j in range(d)] for k in range(depth)]
    z = [[hy.par[1 + i * d + j] for j in range(d)] for i in range(n)]
    field, norm = _field(hy, w, z, _About(rule, loss, hy.par[0]))
    weights = [(w[k][j], field[k][j]) for k in range(depth) for j in range(d)]
    if rule != "l_2":
        return weights
    unit = hy.par[0] ** (2.0 * depth - 3.0) * hy.sum(
        [entry**2.0 for row in z for entry in row]
    )
    return [*weights, (hy.expression("watch"), WATCH * unit / norm)]


def writes_out(kind: Kind) -> bool:
    """Return whether `step` takes a kind: no logistic, exponential or constant in its field."""
    return not kind[2] and kind[0][2] > 1


@cache
def integrator(kind: Kind, tolerance: float, *, batch: bool) -> Any:
    """Return heyoka's integrator of one start or a batch, compiled in 0.1 to 1 s."""
    import heyoka as hy

    n, d, depth = kind[0]
    small = n * depth * d <= UNROLLED
    equations = system(kind)
    how = {"tol": tolerance, "compact_mode": not small}
    if not batch:
        return hy.taylor_adaptive(equations, np.ones(len(equations)), **how)
    lanes = (2 if small else 1) * hy.recommended_simd_size()
    start = np.ones((len(equations), lanes))
    return hy.taylor_adaptive_batch(equations, start, **how)


@cache
def step(kind: Kind, tolerance: float) -> Any:
    """Return one step of Taylor's method as a function heyoka has compiled in 0.1 to 5 s.

    h is where the last two terms, in units of `tolerance (|w| + 1e-3)`, have a mean square of 1;
    the series of N passes 0 and ends a step where l_2's weights are analytic at a collapse.
    """
    import heyoka as hy

    (_, d, depth), rule, _ = kind
    z = [hy.par[1 + j] for j in range(d)]
    names = [hy.expression(f"w_{i}") for i in range(depth * d)]

    def velocity(k: int, j: int) -> Any:
        return field[k][j]  # which comes later

    weights = [
        series.integral(name, partial(velocity, *divmod(i, d)))
        for i, name in enumerate(names)
    ]
    rows = [weights[k * d : (k + 1) * d] for k in range(depth)]
    field, norm = _field(series, rows, [z], _About(rule, "", hy.par[0]))
    # two more terms than the least work of the products asks for: a step has other costs as well
    order = 3 + math.ceil(-math.log(tolerance) / 2)
    last = (order - 1, order)
    units = [
        1.0 / ((one[0] ** 2.0 + ATOL**2) * (len(names) * tolerance**2))
        for one in weights
    ]
    ends = [
        hy.sum([one[k] ** 2.0 * unit for one, unit in zip(weights, units, strict=True)])
        for k in last
    ]
    logs = [hy.log(end) * (-0.5 / k) for end, k in zip(ends, last, strict=True)]
    left = hy.expression("left")
    size = hy.exp(hy.select(hy.lt(*logs), *logs))
    size = hy.select(hy.lt(size, left), size, left)
    after = left - size
    if norm is not None:
        after = hy.select(hy.gt(norm.value(order - 1, size), 0.0), after, math.nan)
    new = [one.value(order, size) for one in weights]
    return hy.cfunc([*new, after], [*names, left], compact_mode=len(names) > UNROLLED)


class _About(NamedTuple):
    """A rule, a loss ("" for none) and the radius as an expression."""

    kind: str
    loss: str
    rho: Any


def _field(hy: Any, w: Terms, z: Terms, about: _About) -> tuple[Terms, Any]:
    """SAM's rescaled field, the descent at the perturbed weights, and N = ||g||."""
    kind, loss, rho = about
    descent, log_scale = _descent(hy, w, z, loss)
    if kind == "GD":
        return descent, None
    away, norm = _away(hy, descent, log_scale, rho, normalised=kind == "l_2")
    hat = [
        [step + weight for step, weight in zip(*rows, strict=True)]
        for rows in zip(away, w, strict=True)
    ]
    return _descent(hy, hat, z, loss)[0], norm


def _away(
    hy: Any,
    descent: Terms,
    log_scale: Any,
    rho: Any,
    *,
    normalised: bool,
) -> tuple[Terms, Any]:
    """`-Perturbation.step` as expressions; and N, of l_2 alone."""
    if not normalised:
        scale = hy.exp(log_scale) * -rho
        return [[scale * entry for entry in row] for row in descent], None
    # rho g / N depends on g / N alone; a square and a root cost half a product
    norm = hy.sum([entry**2.0 for row in descent for entry in row]) ** 0.5
    over = norm * (-1.0 / rho)
    return [[entry / over for entry in row] for row in descent], norm


def _descent(hy: Any, w: Terms, z: Terms, loss: str) -> tuple[Terms, Any]:
    """`(sum_i q_i z_i) prod_{k != l} w^(k)` and log Lambda, as `Flow.descent` has them."""
    features = list(zip(*w, strict=True))
    pull = z[0]
    log_scale = None
    if loss:
        margins = [_margin(hy, features, row) for row in z]
        pull, log_scale = _pull(hy, margins, z, loss)
    terms = [
        [
            hy.prod([one, *layers[:k], *layers[k + 1 :]])
            for one, layers in zip(pull, features, strict=True)
        ]
        for k in range(len(w))
    ]
    return terms, log_scale


def _margin(hy: Any, features: list[tuple[Any, ...]], z: list[Any]) -> Any:
    """A margin, feature by feature."""
    margin = hy.expression(0.0)
    for entry, layers in zip(z, features, strict=True):
        margin = margin + hy.prod([entry, *layers])
    return margin


def _pull(hy: Any, margins: list[Any], z: Terms, loss: str) -> tuple[list[Any], Any]:
    """`sum_i q_i z_i` and log Lambda, shifted by the largest log|ell'| through ramps."""
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
