"""States at L >= 3 that lose two layers of every coordinate, against paths of the definition."""

import numpy as np
from scipy.integrate import solve_ivp

from flowsam import Flow, exponential, lp, single_example, unnormalised
from flowsam.outcomes.sinking import sinking
from tests.theorems.ledger import negative_control, numeric, symbolic

CLAIM = "sinking"
SOURCE = "flowsam"


def ascent(rule, g, slope):
    """The step of l_p-SAM or, at p = 2 and as the definition has it, of unnormalised SAM."""
    if not rule.normalised:
        return rule.rho * slope * g
    q, size = rule.p / (rule.p - 1), np.abs(g) / np.abs(g).max()
    return rule.rho * np.sign(g) * size ** (q - 1) / (size**q).sum() ** (1 / rule.p)


def others(w):
    """Products of the other layers: of those before each, times of those after it."""
    one = np.ones_like(w[:1])
    before = np.cumprod(np.concatenate([one, w[:-1]]), axis=0)
    after = np.cumprod(np.concatenate([one, w[:0:-1]]), axis=0)
    return before * after[::-1]


def end_of(rule, mu, w, bounds):
    """Follow w (L, d) until the norm of its first two layers has changed by one of two factors."""

    def velocity(_, state):
        x = state.reshape(w.shape)
        slope = np.exp(-mu @ x.prod(axis=0))  # |ell'| of the exponential loss
        return (mu * others(x + ascent(rule, -mu * others(x), slope))).ravel()

    def size(state):
        return np.linalg.norm(state[: 2 * mu.size])

    first, leave = size(w.ravel()), []
    for factor in bounds:
        event = lambda _, state, f=factor: np.log(size(state) / first / f)  # noqa: E731
        event.terminal = True
        leave.append(event)
    # stiff: where q < 2 a weight comes to 0 faster and faster, and stays there
    how = {"method": "BDF", "rtol": 1e-6, "atol": 1e-9 * first, "events": leave}
    run = solve_ivp(velocity, (0, 1e3), w.ravel(), **how)
    return run.y[:, -1].reshape(w.shape), size(run.y[:, -1]) / first


def draw(rng):
    """A rule, an example of either sign, and a state with two small layers."""
    d, depth, rho = int(rng.integers(1, 3)), int(rng.integers(3, 6)), rng.uniform(0.5, 2.0)
    plain = rng.random() < 0.3
    mu = rng.uniform(0.5, 2.0, d) * rng.choice([-1.0, 1.0], d)
    c = rng.uniform(0.5, 1.5, (depth - 2, d)) * rng.choice([-1.0, 1.0], (depth - 2, d))
    if plain:  # brakes where rho |ell'| a > 1
        rho = 3.0 / np.abs(mu * c.prod(axis=0)).min()
    w = np.concatenate([rng.uniform(-1.0, 1.0, (2, d)), c])
    return unnormalised(rho) if plain else lp(rho, p=rng.uniform(1.3, 3.0)), mu, w


def demand(rule, mu, w):
    """r falls to a hundredth, and every other layer keeps nine tenths and more."""
    end, share = end_of(rule, mu, w, (1e-2, 1.5))
    words = f"{rule}, mu={mu.tolist()}, w={w.tolist()}"
    assert share < 1.1e-2, f"{words}: r changes by {share}"
    kept = np.abs(end[2:] / w[2:] - 1).max()
    assert kept < 0.1 / (len(w) - 2), f"{words}: another layer changes by {kept}"


def check(rng):
    rule, mu, w = draw(rng)
    flow = Flow(single_example(mu), rule, exponential)
    while not sinking(flow, w[..., None])[0]:
        w[:2] *= 0.8
    demand(rule, mu, w)


def control(rng):
    """Unnormalised SAM with a brake that is too weak: two layers as small grow."""
    _, mu, w = draw(rng)
    pull = mu * w[2:].prod(axis=0)
    w[:2] = 1e-3 * np.array([np.ones(mu.size), np.sign(pull)])
    demand(unnormalised(0.3 / np.abs(pull).max()), mu, w)


def test_symbolic():
    symbolic(CLAIM)


def test_numeric():
    numeric(check)


def test_negative_control():
    negative_control(control)
