# %% [markdown]
# Claim. Under $\ell_\infty$-SAM a balanced, aligned coordinate of size $\alpha$ is released if
# $\alpha > \rho$ ($\beta_j \to \mathrm{sign}(\mu_j)\,\infty$), held if $\alpha = \rho$, and
# suppressed if $\alpha < \rho$: to 0 in finite rescaled time at even $L$, to $\rho^L$ at odd $L$.
# If the signs oppose $\mu$ ($P = -1$), it meets 0 in finite time; there even $L$ rests and odd $L$
# passes through, to be suppressed from the other side.
#
# Formula $da/d\tau = |\mu|\,P\,(a - P\rho)^{L-1}$
#
# Assumes $\ell' < 0$, $n = 1$, $L \geq 2$, all $|w^{(l)}_j|$ equal; $P =
# \mathrm{sign}(\mu)\prod_l\mathrm{sign}(w^{(l)})$. Statements about one coordinate alone: another's
# blow-up freezes it first (`linf_limit`).
#
# Used by flowsam.exact.linf_balanced.
#
# Source: arXiv:2603.08290, Theorem 3.2; opposed signs: flowsam.

# %%
import itertools
import math

import sympy as sp

from flowsam.symbolic import coordinate

tau, rho, a, m = sp.symbols("tau rho a m", positive=True)
alpha, k = sp.symbols("alpha k", positive=True)
n = sp.Symbol("n", integer=True, positive=True)  # L - 2

# %% [markdown]
# The size obeys a' = |mu| P (a - P rho)^(L-1): every sign pattern, from the package's SAM gradient.
# %%
mu, m_hat = sp.symbols("mu mhat", real=True)
for depth in (2, 3, 4):
    one = coordinate(depth, math.inf)
    for signs in itertools.product((1, -1), repeat=depth + 1):
        head, weights = signs[0], signs[1:]
        product = head * sp.prod(weights)
        point = dict(zip(one.w, [s * a for s in weights], strict=True))
        sigma = [sp.Symbol(f"sigma_{j + 1}", real=True) for j in range(depth)]
        ascent = {x: -product * s for x, s in zip(sigma, weights, strict=True)}  # ell' < 0
        hat = [x.subs(point).subs(ascent) for x in one.perturbed]
        at = {mu: head * m, **dict(zip(one.w_hat, hat, strict=True))}
        for s, gradient in zip(weights, one.sam_gradient, strict=True):
            velocity = sp.cancel(-gradient * (sp.exp(m_hat) + 1)).subs(at)  # over |ell'|
            assert sp.expand(s * velocity - m * product * (a - product * rho) ** (depth - 1)) == 0

# %% [markdown]
# P = +1, z = a - rho: z' = m z^(L-1). L = 2 is z = z0 e^(m tau). L >= 3: |z|^-n changes at the
# constant rate -+n m as |z| grows or shrinks; it grows for z > 0, and for z < 0 at even L only.
# %%
z = sp.Function("z", positive=True)(tau)
for direction in (1, -1):
    slope = direction * m * z ** (n + 1)
    assert sp.simplify((z ** (-n)).diff(tau).subs(z.diff(tau), slope) + direction * n * m) == 0
y = sp.Symbol("y", positive=True)
for depth in range(3, 9):
    assert sp.expand(-m * (-y) ** (depth - 1) - (-1) ** depth * m * y ** (depth - 1)) == 0  # |z|'

# %% [markdown]
# alpha > rho: a grows without bound, at L >= 3 by tau* = 1/(n m (alpha - rho)^n).
# alpha = rho: z = 0 stays. alpha < rho, odd L: |z|^-n = |z0|^-n + n m tau, so a -> rho from below.
# %%
assert sp.limit(k * sp.exp(m * tau), tau, sp.oo) == sp.oo
assert sp.simplify(sp.solve(k ** (-n) - n * m * tau, tau)[0] * n * m * k**n) == 1
assert sp.limit((k ** (-3) + 3 * m * tau) ** sp.Rational(-1, 3), tau, sp.oo) == 0

# %% [markdown]
# alpha < rho, even L: |z| grows from rho - alpha to rho, where a = 0, in a finite time.
# P = -1: z = a + rho shrinks from rho + alpha to rho, where a = 0, in a finite time, at every L.
# With c the smaller end both times are (1 - (1 + alpha/c)^-n)/(n m c^n) > 0.
# %%
low = rho / (1 + k)  # any alpha < rho
hit = sp.log(1 + low / (rho - low)) / m
assert sp.simplify((rho - low) * sp.exp(m * hit)) == rho
assert sp.simplify((alpha + rho) * sp.exp(-m * sp.log(1 + alpha / rho) / m)) == rho
for power in (1, 2, 3, 4, 6):
    for end, size, sign in ((rho - low, low, 1), (rho, alpha, -1)):
        time = (1 - (1 + size / end) ** (-power)) / (power * m * end**power)
        begin = end if sign > 0 else end + size
        z_hit = begin ** (-power) - sign * power * m * time  # |z|^-n there
        assert sp.cancel(z_hit - rho ** (-power)) == 0

# %% [markdown]
# At the origin w_hat_l = -P rho sign(w_l): the velocity |mu| P (-P rho)^(L-1) along every sign(w_l)
# is inward in all orthants at even L, so the coordinate rests. At odd L it is P |mu| rho^(L-1):
# inward where P = -1, outward where P = +1; all L signs turn over and P = -1 becomes P = +1.
# %%
for depth, side in itertools.product(range(2, 9), (1, -1)):
    outward = m * side * (-side * rho) ** (depth - 1)
    assert outward == (-m if depth % 2 == 0 else side * m) * rho ** (depth - 1)
    assert (-1) ** depth * side == (side if depth % 2 == 0 else -side)

# %% [markdown]
# The package: times of the blow-up and of the hit.
# %%
from flowsam.exact.linf_balanced import read

assert abs(read([[1.5]] * 4, [2], 1).blow_up_time[0] - 1 / (2 * 2 * 0.5**2)) < 1e-15
assert abs(read([[0.5]] * 4, [2], 1).zero_time[0] - (0.5**-2 - 1) / (2 * 2)) < 1e-15
