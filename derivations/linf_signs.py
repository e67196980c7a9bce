# %% [markdown]
# Claim. Under $\ell_\infty$-SAM with $L \geq 2$ layers of any signs the two smallest sizes $a_{(1)}
# \leq a_{(2)}$ decide. With $s = \mathrm{sign}(\mu\prod w)$ a coordinate escapes iff the formula
# holds; equality is the separatrix. The blow-up is at $|\mu|\,\tau^\star = \int du/\prod_{k \neq
# m}\sqrt{u^2+z_k^2-z_m^2}$, regular through the turn at $u = 0$.
#
# Formula $s=+:\ a_{(1)}+a_{(2)}>2\rho;\quad s=-:\ (a_{(2)}+\rho)^2-(a_{(1)}+\rho)^2>8\rho^2$
#
# Assumes $\ell' < 0$, $n = 1$, $\mu > 0$ (else one layer's sign is turned), $\rho > 0$.
#
# Used by flowsam.exact.linf_signs, flowsam.exact.linf_course, flowsam.exact.linf_deep.
#
# Source: flowsam; two layers: derivations/linf_two_layer.py; equal weights: arXiv:2603.08290,
# Theorem 3.2.

# %%
import itertools
import math

import sympy as sp

from flowsam.symbolic import coordinate

mu, rho = sp.symbols("mu rho", positive=True)
m_hat = sp.Symbol("mhat", real=True)

# %% [markdown]
# Sizes. The package's SAM gradient over |ell'|, for every pattern of signs: with w_l = sign_l a_l,
# a_l' = s mu prod_{k != l} (a_k - s rho), the table's two rows.
# %%
for depth in (3, 4):
    one, a = coordinate(depth, math.inf), sp.symbols(f"a1:{depth + 1}", positive=True)
    for signs in itertools.product((1, -1), repeat=depth):
        s = sp.prod(signs)
        ascent = {sp.Symbol(f"sigma_{j + 1}", real=True): -s * c for j, c in enumerate(signs)}
        at = {w: c * size for w, c, size in zip(one.w, signs, a, strict=True)}
        hat = [h.subs(ascent).subs(at) for h in one.perturbed]
        own = [sp.expand(c * h) for c, h in zip(signs, hat, strict=True)]
        assert own == [x - s * rho for x in a]
        for layer, gradient in enumerate(one.sam_gradient):
            speed = sp.cancel(-gradient * (sp.exp(m_hat) + 1))
            speed = speed.subs(dict(zip(one.w_hat, hat, strict=True)))
            speed = speed.subs(sp.Symbol("mu", real=True), mu)
            others = [x - s * rho for k, x in enumerate(a) if k != layer]
            assert sp.expand(signs[layer] * speed - s * mu * sp.prod(others)) == 0

# %% [markdown]
# (z_l^2)' = 2 s mu prod z for every l, z = a - s rho: differences of squares are conserved, and
# |z_k|^2 = u^2 + D_k, D_k >= 0, with u the smallest: no z but the smallest can change its sign.
# %%
z1, z2, z3 = sp.symbols("z1:4", real=True)
z = (z1, z2, z3)
for s in (1, -1):
    field = [s * mu * sp.prod(x for x in z if x is not own) for own in z]
    assert all(
        sp.expand(2 * x * v - 2 * s * mu * z1 * z2 * z3) == 0 for x, v in zip(z, field, strict=True)
    )

# %% [markdown]
# s = +, z_1 <= z_2 <= ...: if z_1 + z_2 > 0, either all z > 0, they grow, and the clock to infinity
# is finite; or z_1 < 0 with |z_1| < z_2 <= ...: prod z < 0, all |z| fall, the smallest, z_1, turns,
# and then all are > 0. If z_1 + z_2 < 0, z_1 < 0 is not the smallest in size (|z_2| < |z_1|), keeps
# its sign, and not all z are ever > 0 while no weight is 0: no escape. Equality: |z_1| = |z_2|, the
# turn takes for ever.
# %%
u, gap = sp.symbols("u D", positive=True)
assert sp.limit(u**2 / (u**2 + gap), u, sp.oo) == 1
assert sp.integrate(1 / u, (u, 0, 1)) == sp.oo

# %% [markdown]
# s = -: all sizes fall, the smallest meets 0 first, and there x_k = a_k + rho has
# x_k^2 = rho^2 + (a_k + rho)^2 - (a_1 + rho)^2. At w_1 = 0 the size moves by mu A on the side s = +
# and by -mu B on the side s = -: B > 0 always points at 0, so it crosses iff A > 0 and slides if
# A < 0; no part of the surface repels on both sides.
# %%
x1, x2, x3 = sp.symbols("x1:4", positive=True)
plus = mu * (x2 - rho) * (x3 - rho)
minus = -mu * (x2 + rho) * (x3 + rho)
assert minus.is_negative and sp.expand(plus / mu - (x2 - rho) * (x3 - rho)) == 0

# %% [markdown]
# After a crossing z_1 = -rho and z_2 = x_2 - 2 rho: escape iff z_2 > rho iff x_2 > 3 rho iff
# (a_2 + rho)^2 - (a_1 + rho)^2 > 8 rho^2; then every z_k > rho > 0, A > 0, and it does cross. At
# L = 2 this is the conic |u+v| (2 rho + |u| + |v|) = 8 rho^2.
# %%
a1, a2 = sp.symbols("a1 a2", positive=True)
square = rho**2 + (a2 + rho) ** 2 - (a1 + rho) ** 2
assert sp.expand(square - 9 * rho**2 - ((a2 + rho) ** 2 - (a1 + rho) ** 2 - 8 * rho**2)) == 0
conic = (a2 - a1) * (2 * rho + a1 + a2)
assert sp.expand((a2 + rho) ** 2 - (a1 + rho) ** 2 - conic) == 0

# %% [markdown]
# The package: a start of three layers that crosses, turns and blows up, against the integral.
# %%
from flowsam.exact.linf_deep import read

y = sp.Symbol("y", real=True)
falls = [16 - sp.Rational(5, 4) ** 2, 25 - sp.Rational(5, 4) ** 2]
gaps = [(sp.sqrt(1 + g) - 2) ** 2 - 1 for g in falls]
legs = [(falls, 1, sp.Rational(5, 4)), (gaps, -1, sp.oo)]
clocks = [sp.Integral(1 / sp.sqrt((y**2 + a) * (y**2 + b)), (y, *ends)) for (a, b), *ends in legs]
expected = sum(float(clock.evalf(15)) for clock in clocks)
assert abs(read([[-0.25], [3], [4]], [1], 1).blow_up_time[0] / expected - 1) < 1e-12
assert math.isinf(read([[-0.25], [1.5], [2]], [1], 1).blow_up_time[0])
