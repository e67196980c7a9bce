"""References that share no formula with the package: 50-digit mpmath, and direct integration.

Doubles are taken exactly: `mp.mpf(x)` of a float is that double. Each mpmath reference solves the
definition of the flow from first principles for ONE coordinate, by another route than the package:
quadrant by quadrant in (u + v, u - v), or the separable equation of a balanced coordinate.
"""

import os

import numpy as np
from mpmath import mp

mp.dps = 50
EPS = float(np.finfo(float).eps)


def fresh_rng():
    """Random numbers of a fixed seed, or of FLOWSAM_SEED: the bounds hold for any."""
    return np.random.default_rng(int(os.environ.get("FLOWSAM_SEED", "2026")))


def balanced_size(a, speed, rho, tau, *, alignment, depth):  # noqa: PLR0913
    """Size of a balanced coordinate at tau, signed relative to the start (mpf; inf past blow-up).

    Separable: int da / (a - P rho)^(L-1) = P |mu| tau, on each side of a = 0.
    """
    a, speed, rho, tau = map(mp.mpf, (a, speed, rho, tau))
    if a == 0 or alignment == 0 or speed == 0:
        return a
    z = a - alignment * rho
    if z == 0:
        return a
    hit = balanced_hit(a, speed, rho, alignment=alignment, depth=depth)
    if tau < hit:
        return _separable(z, alignment * speed * tau, depth) + alignment * rho
    if depth % 2 == 0:
        return mp.mpf(0)
    return -(_separable(-rho, speed * (tau - hit), depth) + rho)


def _separable(z, clock, depth):
    """Solve z' = z^(L-1) from z for the signed time `clock`."""
    if depth == 2:
        return z * mp.exp(clock)
    power = depth - 2
    left = 1 - power * clock * z**power
    return z / mp.root(left, power) if left > 0 else mp.inf


def balanced_hit(a, speed, rho, *, alignment, depth):
    """Time at which a balanced coordinate meets 0, inf if it never does (mpf)."""
    a, speed, rho = map(mp.mpf, (a, speed, rho))
    z, rest = a - alignment * rho, -alignment * rho
    reaches = (alignment > 0 and a < rho and depth % 2 == 0) or (alignment < 0 and rho > 0)
    if not reaches:
        return mp.inf
    if depth == 2:
        return mp.log(rest / z) / (alignment * speed)
    power = depth - 2
    return (1 / z**power - 1 / rest**power) / (power * alignment * speed)


def two_layer(u, v, mu, rho, tau):
    """Weights (u, v) at tau, the list of (time, kind) on the way, all mpf.

    In a quadrant with signs (p, q), s = u + v and e = u - v obey s' = m (s - rho (p + q)) and
    e' = -m (e - rho (q - p)), after the sign of mu is moved onto u; the exit is the first root of
    u = 0 or v = 0.
    """
    u, v, rho, tau, speed = map(mp.mpf, (u, v, rho, tau, abs(mu)))
    flip = -1 if mu < 0 else 1
    u, now, log = flip * u, mp.mpf(0), []
    if rho == 0:
        grown, decayed = (u + v) * mp.exp(speed * tau), (u - v) * mp.exp(-speed * tau)
        return (flip * (grown + decayed) / 2, (grown - decayed) / 2), log
    while True:
        signs = _signs(u, v, rho)
        if signs == (0, 0):
            log.append((now, "zero"))
            return (mp.mpf(0), mp.mpf(0)), log
        move, leave, hit = _slide(u, v, rho) if 0 in signs else _quadrant(u, v, rho, signs)
        if 0 in signs:
            log.append((now, "slide"))
        if now + leave / speed > tau:
            u, v = move(speed * (tau - now))
            return (flip * u, v), log
        now += leave / speed
        state = [w if abs(w) > mp.mpf(10) ** -40 * rho else mp.mpf(0) for w in move(leave)]
        state[hit] = mp.mpf(0)
        u, v = state


def _signs(u, v, rho):
    """Signs of the quadrant being entered; 0 for a weight that stays at 0."""
    su, sv = mp.sign(u), mp.sign(v)
    if su == 0 and abs(v) > rho:
        su = sv
    if sv == 0 and abs(u) > rho:
        sv = su
    return int(su), int(sv)


def _slide(u, v, rho):
    """One weight at 0, the other falls at unit rate times rho."""

    def move(x):
        return tuple(w - mp.sign(w) * rho * x for w in (u, v))

    return move, (abs(u) + abs(v)) / rho, 0 if v == 0 else 1


def _quadrant(u, v, rho, signs):
    """Flow map in a quadrant in x = |mu| tau, x of the first exit, the weight that is 0 there."""
    s0, e0 = u + v, u - v
    s_rest, e_rest = rho * (signs[0] + signs[1]), rho * (signs[1] - signs[0])

    def move(x):
        s = s_rest + (s0 - s_rest) * mp.exp(x)
        e = e_rest + (e0 - e_rest) * mp.exp(-x)
        return (s + e) / 2, (s - e) / 2

    exits = []
    for place, weight, side in ((0, u, 1), (1, v, -1)):  # s + side e = 0, times y = e^x
        a, b, c = s0 - s_rest, s_rest + side * e_rest, side * (e0 - e_rest)
        roots = _roots(a, b, c, leaving=weight == 0)
        exits += [(mp.log(y), place) for y in roots if y > 1]
    return (move, *min(exits, default=(mp.inf, 0)))


def _roots(a, b, c, *, leaving):
    """Real roots of a y^2 + b y + c; without y = 1 where the path starts on the axis."""
    if leaving:
        return [c / a] if a else []
    square = b * b - 4 * a * c
    if square < 0:
        return []
    half = -(b + (mp.sqrt(square) if b >= 0 else -mp.sqrt(square))) / 2  # no cancellation
    return [top / bottom for top, bottom in ((half, a), (c, half)) if bottom]


def condition(function, arguments):
    """Values of a vector function at mpf arguments, and each one's relative condition number.

    `sum_i |x_i df/dx_i| / |f|`, by 50-digit differences; 0 where f is 0 or infinite.
    """
    arguments = [mp.mpf(x) for x in arguments]
    values, step = function(*arguments), mp.mpf(10) ** -22
    totals = [mp.mpf(0)] * len(values)
    for place, x in enumerate(arguments):
        shifted = [*arguments[:place], x * (1 + step), *arguments[place + 1 :]]
        for k, (moved, value) in enumerate(zip(function(*shifted), values, strict=True)):
            if value != 0 and mp.isfinite(value):
                totals[k] += abs(moved - value) / (step * abs(value))
    return values, totals


def misses(computed, values, conditions):
    """Relative errors over max(1e-12, 16 eps condition): below 1 is a pass.

    An exact 0 or inf must be met exactly.
    """
    found = []
    for double, value, conditioning in zip(computed, values, conditions, strict=True):
        if value == 0 or not mp.isfinite(value):
            found.append(0.0 if mp.mpf(double) == value else np.inf)
        else:
            allowed = max(1e-12, 16 * EPS * float(conditioning))
            found.append(float(abs(mp.mpf(double) - value) / abs(value)) / allowed)
    return found


def integrate_two_layer(u, v, mu, *, rho, tau_end, step=0.02):  # noqa: PLR0913
    """March coordinates (u, v) (m,) by RK4 with the signs held fixed, landing on each axis.

    Whether a weight at 0 crosses or stays follows from its two one-sided velocities (Filippov).
    A step that would pass an axis is shortened by bisection. Returns the last states (2, m).
    """
    state = np.array([u, v], dtype=float)
    mu, left = (np.array(np.broadcast_to(x, state[0].shape), float) for x in (mu, tau_end))
    while (left > 0).any():
        modes = _modes(state, mu, rho)
        length = np.minimum(step / np.abs(mu), left)
        trial = _rk4(state, modes, mu, rho=rho, length=length)
        some = np.flatnonzero((trial * modes < 0).any(axis=0))
        if some.size:
            trial[:, some], length[some] = _land(
                state[:, some], modes[:, some], mu[some], rho=rho, length=length[some]
            )
        state, left = trial, left - length
    return state


def _land(state, modes, mu, *, rho, length):
    """State on the first axis met within a step, and the time of meeting it."""
    low, high = np.zeros_like(length), length
    for _ in range(45):
        middle = (low + high) / 2
        over = (_rk4(state, modes, mu, rho=rho, length=middle) * modes < 0).any(axis=0)
        low, high = np.where(over, low, middle), np.where(over, middle, high)
    landed = _rk4(state, modes, mu, rho=rho, length=high)
    return np.where(landed * modes > 0, landed, 0.0), high


def _modes(state, mu, rho):
    """Sign of each weight, or the one it takes on next; 0 where it is held at 0."""
    modes = np.sign(state)
    for weight, other in ((0, 1), (1, 0)):
        above, below = (mu * state[other] - rho * np.abs(mu) * side for side in (1, -1))
        next_sign = np.where((above > 0) & (below > 0), 1.0, 0.0)
        next_sign -= (above < 0) & (below < 0)
        modes[weight] = np.where(state[weight] == 0, next_sign, modes[weight])
    return modes


def _velocity(state, modes, mu, rho):
    """The flow with perturbed weights w - rho sign(mu) sign(other), held weights at rest."""
    perturbed = state - rho * np.sign(mu) * modes[::-1]
    return np.where(modes == 0, 0.0, mu * perturbed[::-1])


def _rk4(state, modes, mu, *, rho, length):
    """One classical step of the given lengths."""
    k1 = _velocity(state, modes, mu, rho)
    k2 = _velocity(state + length / 2 * k1, modes, mu, rho)
    k3 = _velocity(state + length / 2 * k2, modes, mu, rho)
    k4 = _velocity(state + length * k3, modes, mu, rho)
    return state + length / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
