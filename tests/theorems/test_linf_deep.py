"""Unequal weights at L >= 3: one integral a coordinate, its end, and the winner of several."""

import numpy as np
from scipy.integrate import quad
from scipy.special import elliprf

from flowsam.exact import first_escape, linf_deep
from flowsam.labels import Fate, Label
from tests.theorems.ledger import negative_control, numeric, symbolic
from tests.theorems.marching import demand_winner, march

CLAIM = "linf_deep"
SOURCE = "flowsam; equal weights: arXiv:2603.08290, Theorem 3.2"


def draw(rng, d):
    """mu, rho and positive aligned weights, |z| distinct by 2 % of rho in each coordinate."""
    depth, rho = int(rng.integers(3, 7)), rng.uniform(0.3, 1.0)
    mu = rng.choice([-1, 1], d) * rng.uniform(0.5, 2, d)
    while True:
        size = rho * rng.uniform(0.2, 3.0, (depth, d))
        if np.diff(np.sort(np.abs(size - rho), axis=0), axis=0).min() > 0.02 * rho:
            return mu, rho, size * np.vstack([np.sign(mu), np.ones((depth - 1, d))])


def clock(size, rho, stop):
    """int du / prod sqrt(u^2 + z_k^2 - z_m^2) from S z_m to `stop`, by quadrature."""
    z = np.array(sorted(size - rho, key=abs))
    gaps, start = z[1:] ** 2 - z[0] ** 2, np.prod(np.sign(z[1:])) * z[0]
    marks = [start, *([0.0] if start < 0 < stop else []), stop]
    integrand = lambda u: np.prod(u * u + gaps) ** -0.5  # noqa: E731
    return sum(quad(integrand, a, b, limit=200)[0] for a, b in zip(marks, marks[1:], strict=False))


def compare(mu, rho, theta, marched):
    """Assert end, time and weights of one coordinate against the march of `marched`."""
    label = f"mu={mu.tolist()}, rho={rho}, theta={theta.tolist()}, marched={marched.tolist()}"
    z = np.abs(theta[:, 0]) - rho
    low = np.flatnonzero(z < 0)
    nearest = np.abs(z).argmin()
    escapes = low.size == 0 or (low.size == 1 and low[0] == nearest)
    square = np.inf if escapes else rho**2 + z[nearest] ** 2 - z[low].min() ** 2
    expected = clock(np.abs(theta[:, 0]), rho, np.sqrt(square)) / abs(mu[0])
    if escapes and z.size == 3 and low.size == 0:
        assert np.isclose(expected, elliprf(*z**2) / abs(mu[0]), rtol=1e-6), label
    end = "blow-up" if escapes else "slide"
    found = {e.kind: e.tau for e in linf_deep.read(theta, mu, rho).events}
    assert np.isclose(found[end], expected, rtol=1e-6), label
    fate = Fate.ESCAPE if escapes else Fate.PINNED
    assert linf_deep.read(theta, mu, rho).fate[0] == fate, label
    for tau in (0.5 * expected, 0.95 * expected):
        _, end = march(marched, mu, rho=rho, tau_end=tau)
        found = linf_deep.read(theta, mu, rho).weights([tau])[0]
        np.testing.assert_allclose(np.abs(end), np.abs(found), rtol=1e-5, atol=1e-6, err_msg=label)
        kept = (np.abs(end) - rho) ** 2
        np.testing.assert_allclose(
            np.diff(kept, axis=0)[:, 0], np.diff(z**2), rtol=1e-3, atol=1e-5, err_msg=label
        )


def check(rng):
    mu, rho, theta = draw(rng, 1)
    compare(mu, rho, theta, theta)
    mu, rho, theta = draw(rng, 3)
    winner = first_escape.finding(theta, mu, rho=rho).label
    clean = not np.isin(linf_deep.read(theta, mu, rho).fate, (Fate.PINNED, Fate.SADDLE)).any()
    label = f"mu={mu.tolist()}, rho={rho}, theta={theta.tolist()}"
    assert winner >= 0 or winner == Label.UNDECIDED, label
    if winner >= 1 and clean:
        tau, end = march(theta, mu, rho=rho)
        star = linf_deep.read(theta, mu, rho).blow_up_time.min()
        assert abs(tau / star - 1) < 1e-4, f"tau*={star}, marched to {tau}: {label}"
        demand_winner(end, winner, mu, label)


def control(rng):
    """One sign turned over: the weights are no longer aligned, and the ascent points outwards."""
    mu, rho, theta = draw(rng, 1)
    turned = theta.copy()
    turned[-1] *= -1
    compare(mu, rho, theta, turned)


def test_symbolic():
    symbolic(CLAIM)


def test_numeric():
    numeric(check)


def test_negative_control():
    negative_control(control)
