"""l_2-SAM at L = 2 from its definition, by Taylor series with mpmath's numbers: no reduction.

The rescaled flow of one example is w_l' = mu prod of the OTHER layers at theta + eps, with
eps = rho g/||g|| and g proportional to -mu (v, u): so u' = mu (v - rho mu u/N), and the same with
u and v exchanged, N = ||mu (u, v)||. The 2d weights are integrated together.
"""

from __future__ import annotations

import math

import mpmath as mp
import numpy as np
from scipy.integrate import solve_ivp

DIGITS, ORDER = 30, 30


def _convolve(a, b, k):
    return mp.fdot(a[: k + 1], b[k::-1])


def _power(base, exponent, so_far, k):
    """Coefficient k of base^exponent, from the coefficients of base and those found so far."""
    if k == 0:
        return base[0] ** exponent
    total = mp.fsum((exponent * i - (k - i)) * base[i] * so_far[k - i] for i in range(1, k + 1))
    return total / (k * base[0])


def _coefficients(u, v, mu, rho, order):
    """Taylor coefficients of all weights at one point."""
    d = len(mu)
    us, vs = [[x] for x in u], [[x] for x in v]
    square, inverse = [], []
    for k in range(order):
        square.append(
            mp.fsum(mu[j] ** 2 * (_convolve(w, w, k)) for j in range(d) for w in (us[j], vs[j]))
        )
        inverse.append(_power(square, mp.mpf(-1) / 2, inverse, k))
        for j in range(d):
            pull = rho * mu[j]
            next_u = mu[j] * (vs[j][k] - pull * _convolve(us[j], inverse, k)) / (k + 1)
            next_v = mu[j] * (us[j][k] - pull * _convolve(vs[j], inverse, k)) / (k + 1)
            us[j].append(next_u)
            vs[j].append(next_v)
    return us, vs


def _step_length(series, tolerance):
    """Step at which the last two terms are below the tolerance, relative to the largest weight."""
    order = len(series[0]) - 1
    scale = max(abs(c[0]) for c in series)
    lengths = []
    for k in (order - 1, order):
        last = max(abs(c[k]) for c in series)
        lengths.append((tolerance * scale / last) ** (mp.mpf(1) / k) if last else mp.inf)
    return min(lengths) * mp.mpf("0.8")


def integrate(theta0, mu, rho, taus):
    """Weights (T, 2, d) at increasing rescaled times, from the definition; doubles are exact."""
    with mp.workdps(DIGITS):
        u, v = ([mp.mpf(float(x)) for x in row] for row in np.asarray(theta0))
        mu, rho = [mp.mpf(float(m)) for m in mu], mp.mpf(float(rho))
        now, states = mp.mpf(0), []
        tolerance = mp.mpf(10) ** (4 - DIGITS)
        for target in (mp.mpf(float(tau)) for tau in taus):
            while now < target:
                us, vs = _coefficients(u, v, mu, rho, ORDER)
                step = min(_step_length(us + vs, tolerance), target - now)
                u = [mp.polyval(c[::-1], step) for c in us]
                v = [mp.polyval(c[::-1], step) for c in vs]
                now = target if step == target - now else now + step
            states.append([[float(x) for x in u], [float(x) for x in v]])
        return np.array(states)


def march(theta0, mu, rho, tau_end, *, rtol=1e-10, far=1e8):  # noqa: PLR0913, limits of a run
    """The definition at any depth by solve_ivp, with A = int rho/N as one more component.

    Ends early where N is 1e-8 or `far` of its natural unit; returns SciPy's result.
    """
    theta0, mu = np.asarray(theta0, dtype=float), np.asarray(mu, dtype=float)
    depth, unit = len(theta0), rho ** (len(theta0) - 1) * np.abs(mu).max()
    rest = [np.delete(range(depth), k) for k in range(depth)]

    def gradient(theta):  # minus it, over |ell'|
        return mu * (theta[::-1] if depth == 2 else np.multiply.reduce(theta[rest], axis=1))

    def norm(state):
        return np.linalg.norm(gradient(state[:-1].reshape(theta0.shape)))

    def field(_, state):
        theta = state[:-1].reshape(theta0.shape)
        pull = gradient(theta)
        share = rho / math.sqrt(np.vdot(pull, pull))
        slope = np.empty_like(state)
        slope[:-1] = gradient(theta - share * pull).ravel()
        slope[-1] = share
        return slope

    events = [lambda _, s, f=f, o=o: o * (norm(s) - f * unit) for f, o in ((1e-8, 1), (far, -1))]
    for event in events:
        event.terminal = True
    start = np.append(theta0, 0.0)
    tolerances = {"rtol": rtol, "atol": 1e-4 * rtol * rho}
    with np.errstate(over="ignore", invalid="ignore"):  # trial steps past a blow-up
        return solve_ivp(
            field, (0, tau_end), start, "DOP853", events=events, dense_output=True, **tolerances
        )


def predictor(run, tau, depth=2):
    """beta along a run, (T, d)."""
    return run.sol(np.atleast_1d(tau))[:-1].T.reshape(np.size(tau), depth, -1).prod(axis=1)
