# %% [markdown]
# Claim. Under $\ell_\infty$-SAM with $L \geq 3$ unequal weights $z_l = w_l - \rho\,\sigma_l$,
# $\sigma_l$ the sign of $\mu\prod_{k \neq l}w_k$, conserves $z_k^2 - z_l^2$ until a weight is 0.
# With $z_m$ the smallest $|z|$, the place $u = S z_m$, $S = \mathrm{sign}(\mu)\prod_{k \neq
# m}\mathrm{sign}(z_k)$, moves by the formula, $D_k = z_k^2 - z_m^2$: elliptic at $L = 3$ and 4. It
# turns at $u = 0$ unless two smallest $|z|$ are equal, and ends in a blow-up or at a first $w = 0$.
#
# Formula $|\mu|\,\tau = \int du\,/\prod_{k\neq m}\sqrt{u^2+D_k}$
#
# Assumes $\ell' < 0$, $n = 1$, $L \geq 3$, no weight 0; for the ends, positive aligned weights.
#
# Used by flowsam.exact.linf_legs, flowsam.exact.hyperelliptic, flowsam.exact.first_escape.
#
# Source: flowsam; equal weights: arXiv:2603.08290, Theorem 3.2.

# %%
import itertools
import math

import sympy as sp

from flowsam.symbolic import coordinate

mu, m_hat = sp.symbols("mu mhat", real=True)
u, t, y, rho, size = sp.symbols("u t y rho size", positive=True)

# %% [markdown]
# The package's SAM gradient over |ell'|: z_l' = mu prod_{k != l} z_k for every pattern of signs, so
# (z_k^2)' = 2 mu prod z is the same for all layers, and differences of squares are conserved.
# %%
for depth in (3, 4):
    one, z = coordinate(depth, math.inf), sp.symbols(f"z1:{depth + 1}", real=True)
    speeds = [sp.cancel(-g * (sp.exp(m_hat) + 1)) for g in one.sam_gradient]
    for signs in itertools.product((1, -1), repeat=depth):  # sigma; the gradient's are opposite
        ascent = {sp.Symbol(f"sigma_{j + 1}", real=True): -s for j, s in enumerate(signs)}
        at = {w: a + rho * s for w, a, s in zip(one.w, z, signs, strict=True)}
        assert [sp.expand(hat.subs(ascent).subs(at)) for hat in one.perturbed] == list(z)
    for w_hat, speed in zip(one.w_hat, speeds, strict=True):
        assert sp.expand(2 * w_hat * speed - 2 * mu * sp.prod(one.w_hat)) == 0

# %% [markdown]
# u = S z_m: u' = S mu prod_{k != m} z_k = |mu| prod_{k != m} |z_k| > 0 for every pattern of signs.
# %%
for signs in itertools.product((1, -1), repeat=4):  # of mu and of the three larger z
    assert sp.prod(signs) * signs[0] * sp.prod(s * size for s in signs[1:]) == size**3

# %% [markdown]
# L = 3, u > 0: with v^2 = u^2 + t the clock is Carlson's R_F(u^2, u^2 + D_1, u^2 + D_2)/|mu|.
# u < 0: the integrand is even, so the way to the blow-up is 2 F(0) - F(|u|). Equal gaps 0 give
# F = u^-n/n, n = L - 2, the balanced time. From u < 0 with D_1 = 0 the turn takes for ever.
# %%
n = sp.Symbol("n", positive=True)
gap1, gap2 = sp.symbols("D1 D2", positive=True)
clock, path = 1 / ((y**2 + gap1) * (y**2 + gap2)), sp.sqrt(u**2 + t)  # the clock squared
carlson = 1 / ((u**2 + t) * (u**2 + t + gap1) * (u**2 + t + gap2)) / 4
assert sp.simplify(clock.subs(y, path) * sp.diff(path, t) ** 2 - carlson) == 0
assert clock.subs(y, -y) == clock
assert sp.simplify(sp.diff(-(y ** (-n)) / n, y) * y ** (n + 1)) == 1
assert sp.integrate(1 / y, (y, 0, 1)) == sp.oo

# %% [markdown]
# L = 4: U_ij = (X_i X_j Y_k Y_l + Y_i Y_j X_k X_l)/t with X = sqrt(z^2 + t), Y = |z| has
# U_12' = -U_13 U_23/(2 prod X), and U_12^2 - U_13^2 is constant. So lambda = U_12^2 - U_12(inf)^2
# falls from inf to 0 with dt/prod X = -dlambda/(U_12 U_13 U_23): the clock int dt/(2 prod X) is R_F
# at U_ij(inf)^2 = (Y_i Y_j + Y_k Y_l)^2.
# %%
X, Y, squares = sp.symbols("X1:5"), sp.symbols("Y1:5"), sp.symbols("s1:5")


def reduced(expression):
    for a, b, s in zip(X, Y, squares, strict=True):
        expression = sp.rem(sp.rem(sp.expand(expression), a**2 - s - t, a), b**2 - s, b)
    return sp.expand(expression)


def crossed(i, j):  # t U_ij
    k, m = sorted({0, 1, 2, 3} - {i, j})
    return X[i] * X[j] * Y[k] * Y[m] + Y[i] * Y[j] * X[k] * X[m]


slope = sum(sp.diff(crossed(0, 1), x) / (2 * x) for x in X)  # X' = 1/(2 X)
moved = sp.expand((t * slope - crossed(0, 1)) * sp.prod(X))  # t^2 U_12' prod X
assert reduced(moved + crossed(0, 2) * crossed(1, 2) / 2) == 0
constant = (squares[3] - squares[0]) * (squares[2] - squares[1]) * t**2
assert reduced(crossed(0, 1) ** 2 - crossed(0, 2) ** 2 - constant) == 0

# %% [markdown]
# Ends of positive aligned weights, z = w - rho. A weight k != m below rho keeps z_k < 0 and is 0 at
# u^2 = rho^2 - D_k = w_k (2 rho - w_k) + z_m^2 of the start, the smallest w_k first. With none
# below but perhaps z_m, S = 1 and u -> inf in finite time: the integrand falls like u^-(n+1).
# %%
hit = rho**2 - ((y - rho) ** 2 - t)  # y = w_k, t = z_m^2
assert sp.expand(hit - y * (2 * rho - y) - t) == 0
assert sp.expand(sp.diff(hit, y).subs(y, rho - size) - 2 * size) == 0
assert sp.limit(y**4 * clock, y, sp.oo) == 1

# %% [markdown]
# The package's blow-up at L = 3 is that integral.
# %%
from flowsam.exact.linf_deep import read

own = sp.Integral(sp.sqrt(clock.subs({gap1: 3, gap2: 8})), (y, 1, sp.oo))
assert abs(read([[1.5], [2.5], [3.5]], [2], 0.5).blow_up_time[0] - float(own.evalf(15)) / 2) < 1e-12
