"""Rescaled flows of one example marched from the definition, for the checks of balanced starts."""

import numpy as np
from scipy.integrate import solve_ivp

from flowsam.network import beta


def march(theta, mu, *, rho, tau_end=np.inf):
    """Integrate w_l' = mu prod_{k != l} w_hat_k with w_hat = w - rho sign(mu prod others).

    Signs are held between zeros; a coordinate whose weights meet 0 together stays there. Ends at
    `tau_end`, or far out (as far as tau resolves a blow-up), or at rest. Returns (tau, theta).
    """
    depth = len(theta)
    cap, rest = 10 ** (8 / max(depth - 2, 1)), [np.delete(range(depth), k) for k in range(depth)]
    theta, tau, mu = np.array(theta, float), 0.0, np.asarray(mu, float)
    while tau < tau_end and theta.any():
        shift = rho * np.sign(mu * theta[rest].prod(axis=1))
        signs, shape, rate = np.sign(theta).ravel(), theta.shape, mu * theta.any(axis=0)

        def field(_, w, shift=shift, shape=shape, rate=rate):
            return (rate * (w.reshape(shape) - shift)[rest].prod(axis=1)).ravel()

        def zero(_, w, signs=signs):
            return (w * signs)[signs != 0].min()

        def escape(_, w):
            return cap - np.abs(w).max()

        zero.terminal = escape.terminal = True
        with np.errstate(over="ignore", invalid="ignore"):  # trial steps past a blow-up
            run = solve_ivp(
                field,
                (tau, min(tau_end, tau + 1e9)),
                theta.ravel(),
                method="DOP853",
                rtol=1e-9,
                atol=1e-12,
                events=(zero, escape) if rho else (escape,),
            )
        assert run.success, run.message
        tau, theta = run.t[-1], run.y[:, -1].reshape(shape)
        if run.t_events[-1].size:
            break
        if rho and run.t_events[0].size:
            theta[:, (np.abs(theta) < 1e-9).any(axis=0)] = 0.0
    return tau, theta


def demand_winner(theta, winner, mu, label):
    """Assert that beta points along sign(mu_j) e_j up to a tenth, j counted from 1."""
    product = beta(theta)
    others = np.abs(np.delete(product, winner - 1)).max(initial=0.0)
    assert np.sign(mu[winner - 1]) * product[winner - 1] > 10 * others, f"beta={product}: {label}"
