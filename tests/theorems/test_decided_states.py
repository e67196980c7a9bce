"""States that prove their limit, against paths integrated on from them by the definition."""

import numpy as np
from scipy.integrate import solve_ivp

from flowsam import Flow, lp, single_example
from flowsam.outcomes.blow_up_order import winner
from flowsam.outcomes.certificates import dying
from tests.theorems.ledger import negative_control, numeric, symbolic

CLAIM = "decided_states"
SOURCE = "flowsam"


def path_from(case, event, end):
    """Follow l_p-SAM from theta (L, d) until an event `theta -> float` falls to 0."""
    mu, rho, p, theta = case
    depth, q = len(theta), p / (p - 1)

    def others(w):
        return w[::-1] if depth == 2 else np.roll(w, 1, axis=0) * np.roll(w, 2, axis=0)

    def velocity(_, state):
        w = state.reshape(theta.shape)
        g = -mu * others(w)
        size = np.abs(g) / np.abs(g).max()
        norm = (size**q).sum() ** (1 / p)
        return (mu * others(w + rho * np.sign(g) * size ** (q - 1) / norm)).ravel()

    stop = lambda _, state: event(state.reshape(theta.shape))  # noqa: E731
    stop.terminal = True
    run = solve_ivp(velocity, (0, end), theta.ravel(), "RK45", rtol=1e-6, atol=1e-8, events=stop)
    return run.t_events[0].size, run.y[:, -1].reshape(theta.shape)


def draw(rng, depth):
    """Example, radius and norm; a state of two coordinates."""
    mu, rho, p = rng.uniform(0.5, 2.0, 2), rng.uniform(0.5, 2.0), rng.uniform(1.3, 4.0)
    theta = rho * rng.uniform(0.05, 3.0, (1, 2)) * rng.uniform(0.8, 1.25, (depth, 2))
    return mu, rho, p, theta


def check(rng):
    check_death(rng)
    check_first(rng)
    check_growth(rng, 1.0)


def check_first(rng):
    """L = 3: the coordinate said to blow up first leads when the first is far out."""
    for _ in range(50):
        mu, rho, p, theta = draw(rng, 3)
        first = winner(Flow(single_example(mu), lp(rho, p=p)), theta[..., None])[0]
        if first >= 0:
            break
    _, end = path_from((mu, rho, p, theta), lambda w: 1e2 * rho - np.abs(w).max(), 1e4)
    speeds = mu * np.abs(end).min(axis=0)
    assert speeds[first] == speeds.max(), f"mu={mu}, rho={rho}, p={p}, theta={theta}: {end}"


def check_death(rng):
    """L = 2, p > 2: a coordinate said to die falls to a hundredth; the other may escape."""
    mu, rho, p = rng.uniform(0.5, 2.0, 2), rng.uniform(0.5, 2.0), rng.uniform(2.5, 4.0)
    theta = rho * np.array([rng.uniform(1.5, 3.0), 1.0]) * rng.uniform(0.8, 1.2, (2, 2))
    while not dying(Flow(single_example(mu), lp(rho, p=p)), theta[..., None])[1, 0]:
        theta[:, 1] *= 0.8
    size = np.abs(theta[:, 1]).sum()
    gone = lambda w: np.abs(w[:, 1]).sum() - 1e-2 * size  # noqa: E731
    fell, end = path_from((mu, rho, p, theta), gone, 20 / mu[1])
    assert fell, f"mu={mu}, rho={rho}, p={p}, theta={theta}: still at {end}"


def check_growth(rng, share):
    """L = 2, one coordinate beyond a share of 2^(1-1/p) rho: it grows."""
    mu, rho, p = rng.uniform(0.5, 2.0), rng.uniform(0.5, 2.0), rng.uniform(1.3, 4.0)
    s = share * 2 ** (1 - 1 / p) * rho * rng.uniform(1.01, 1.5)
    theta = np.array([[s / 2], [s / 2]])
    case = np.array([mu]), rho, p, theta
    _, end = path_from(case, lambda w: min(2 * s - w.sum(), w.sum() - s / 10), 20 / mu)
    assert end.sum() > 1.9 * s, f"mu={mu}, rho={rho}, p={p}, s={s}: ends at {end.sum()}"


def control(rng):
    """At half that distance a coordinate collapses."""
    check_growth(rng, 0.5)


def test_symbolic():
    symbolic(CLAIM)


def test_numeric():
    numeric(check)


def test_negative_control():
    negative_control(control)
