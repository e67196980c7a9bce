"""l_inf-SAM from signed starts at L >= 3: against 50-digit quadrature, steps, and discrete SAM."""

import numpy as np
import pytest
from mpmath import mp
from mpmath import mpf as exactly

from flowsam.exact import linf_deep
from tests.references import fresh_rng

KINDS = ("cross", "turn", "slide", "zero", "blow-up")


def signed(rng, depth, d=1):
    """Gaussian weights of scale 2 rho, with mu of either sign."""
    rho = float(rng.uniform(0.2, 1.5))
    mu = rng.choice([-1, 1], d) * rng.uniform(0.5, 2.0, d)
    return 2 * rho * rng.normal(size=(depth, d)), mu, rho


def quadrature(integrand, start, stop, marks):
    """int of `integrand` between two ends, cut at the marks between them, at 50 digits."""
    inner = sorted({m for m in marks if start < m < stop})
    return mp.quad(integrand, [start, *inner, stop])


def times_at_50_digits(w, mu, rho):
    """Event times of one coordinate from a_l' = s |mu| prod (a_k - s rho): kind -> tau.

    The smallest |z| is the variable between zeros; on a slide it is y of `a^3/3 - rho^2 a`.
    """
    w, mu, rho = [exactly(x) for x in w], exactly(mu), exactly(rho)
    sizes, found, tau = sorted(abs(x) for x in w), {}, exactly(0)
    if mp.sign(mu) * mp.fprod(mp.sign(x) for x in w) < 0:
        gaps = [(a + rho) ** 2 - (sizes[0] + rho) ** 2 for a in sizes]
        rate = lambda x: 1 / mp.sqrt(mp.fprod(x * x + g for g in gaps[1:]))  # noqa: E731
        tau = quadrature(rate, rho, sizes[0] + rho, [mp.sqrt(g) for g in gaps]) / abs(mu)
        sizes = [mp.mpf(0)] + [mp.sqrt(rho**2 + g) - rho for g in gaps[1:]]
        if mp.fprod(a - rho for a in sizes[1:]) > 0:
            found["cross"] = tau
    if found or tau == 0:
        sizes, tau = _along(sizes, mu, rho, tau, found)
    if sizes:
        found["slide"] = tau
        found["zero"] = tau + _slide(sizes[1:], rho) / abs(mu)
    return {kind: float(time) for kind, time in found.items()}


def _along(sizes, mu, rho, tau, found):
    """The leg with s = +: adds a turn and a blow-up, or returns the sizes where it slides."""
    z = sorted((a - rho for a in sizes), key=abs)
    gaps = [x * x - z[0] ** 2 for x in z]
    place = mp.fprod(mp.sign(x) for x in z[1:]) * z[0]
    low = [x for x in z[1:] if x < 0]
    stop = mp.sqrt(rho**2 - min(low) ** 2 + z[0] ** 2) if low else mp.inf
    rate = lambda u: 1 / mp.sqrt(mp.fprod(u * u + g for g in gaps[1:]))  # noqa: E731
    marks = [s * mp.sqrt(g) for g in gaps for s in (-1, 1)] + [0, 4 * abs(z[-1])]
    if place < 0 < stop:
        found["turn"] = tau + quadrature(rate, place, 0, marks) / abs(mu)
    tau += quadrature(rate, place, stop, marks) / abs(mu)
    if stop == mp.inf:
        found["blow-up"] = tau
        return [], tau
    moved = [mp.sign(x) * mp.sqrt(stop**2 + g) + rho for x, g in zip(z[1:], gaps[1:], strict=True)]
    moved.append(mp.fprod(mp.sign(x) for x in z[1:]) * stop + rho)
    return [mp.mpf(0), *sorted(moved)[1:]], tau


def _slide(others, rho):
    """|mu| tau of a slide by a_k' = -2 rho^2 A_k B_k / (B - A), an integral over the least a."""
    least, *rest = others
    cubic = lambda a: a**3 / 3 - rho**2 * a  # noqa: E731

    def root(k, a):
        q = 3 * (cubic(rest[k]) + cubic(a) - cubic(least)) / (2 * rho**3)
        if rest[k] < rho:
            return 2 * rho * mp.cos((mp.acos(q) + 4 * mp.pi) / 3)
        return 2 * rho * (mp.cosh(mp.acosh(q) / 3) if q > 1 else mp.cos(mp.acos(q) / 3))

    def rate(a):
        sizes = [root(k, a) for k in range(len(rest))]
        inner = mp.fprod(x - rho for x in sizes)
        outer = mp.fprod(x + rho for x in sizes)
        return (outer * (a + rho) - inner * (a - rho)) / (2 * rho**2 * inner * outer)

    return abs(quadrature(rate, mp.mpf(0), least, [least * k / 4 for k in (1, 2, 3)]))


def worst_error(rng, depth):
    """The largest relative error among the event times of one random start, and the start."""
    theta, mu, rho = signed(rng, depth)
    mine = {e.kind: e.tau for e in linf_deep.events(theta, mu, rho=rho)}
    own = times_at_50_digits(theta[:, 0], mu[0], rho)
    assert set(mine) == set(own), (mine, own, theta.tolist(), mu, rho)
    return max(abs(mine[kind] / own[kind] - 1) for kind in own), (theta.tolist(), mu, rho, mine)


@pytest.mark.parametrize("depth", [3, 4, 5, 6])
def test_event_times_equal_quadrature_at_50_digits(depth):
    rng = np.random.default_rng(depth)
    for _ in range(5):
        error, case = worst_error(rng, depth)
        assert error < 1e-12, case


@pytest.mark.long
@pytest.mark.parametrize("depth", [3, 4, 5, 6])
def test_500_starts_have_event_times_of_50_digits(depth):
    rng = fresh_rng()
    errors = [worst_error(rng, depth) for _ in range(125)]
    worst, case = max(errors, key=lambda pair: pair[0])
    assert worst < 1e-12, (worst, case)
