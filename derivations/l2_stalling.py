# %% [markdown]
# Claim. $\ell_2$-SAM at $L = 3$ can end at a finite, non-zero predictor: from balanced starts of
# two coordinates with $R = \mu_2/\mu_1 > 2+\sqrt{3}$, a whole sector tends to the equilibrium on
# both, $\mu_1w_1 = \mu_2w_2$. With $x = 1-r$, $r_j = \rho\,\mu_jw_j/N$, it holds $\{-h < x_1 < 0,\;
# x_1 \leq x_2 \leq R\,|x_1|\}$, $h$ the one root in $(0, 1/R)$ of $(Rb^2+a^2)(R^2a^4+b^4) -
# 2R(1+R)(a^5+b^5)$, $a = 1+h$, $b = 1-Rh$. Below that $R$, near the equilibrium, no ray but equal
# scores leads to it.
#
# Formula $\mu_2/\mu_1 > 2+\sqrt{3}$
#
# Assumes $\ell' < 0$, $n = 1$, $L = 3$, $\rho > 0$, $\mu > 0$, all layers equal and positive.
#
# Used by flowsam.outcomes.balanced_l2.
#
# Source: flowsam; not in arXiv:2603.08290.

# %%
import sympy as sp

R, h, x1, x2, t = sp.symbols("R h x_1 x_2 t", positive=True)
k = sp.Symbol("k", real=True)

# %% [markdown]
# From l2_deep_limits, in the clock (N/rho) dtau: r_j' = r_j (f_j - 2 mean), f = r (1-r)^2, the mean
# over shares of r_j^4/mu_j^2. To second order about r = 1, p the shares there:
# x_j' = 2 (p_1 x_1^2 + p_2 x_2^2) - x_j^2.
# %%
p1, p2 = R**2 / (1 + R**2), 1 / (1 + R**2)


def speeds(x):
    """x' of both, with no expansion."""
    r = [1 - y for y in x]
    f = [s * (1 - s) ** 2 for s in r]
    share = [R**2 * r[0] ** 4, r[1] ** 4]
    mean = (share[0] * f[0] + share[1] * f[1]) / (share[0] + share[1])
    return [-s * (g - 2 * mean) for s, g in zip(r, f, strict=True)]


second = [2 * (p1 * x1**2 + p2 * x2**2) - x**2 for x in (x1, x2)]
for exact, leading in zip(speeds([h * x1, h * x2]), second, strict=True):
    assert sp.simplify(sp.limit(sp.cancel(exact / h**2), h, 0) - leading) == 0

# %% [markdown]
# Rays x_2 = k x_1 obey (k - 1)(2 p_2 k^2 + k + 2 p_1) = 0: beside equal scores (k = 1) there are
# two, with k < 0, iff 16 p_1 p_2 < 1, iff R > 2 + sqrt(3) (R >= 1). Their product is R^2.
# %%
ray = sp.expand((second[0] * k - second[1]).subs(x2, k * x1) / x1**2)
assert sp.expand(ray - (k - 1) * (2 * p2 * k**2 + k + 2 * p1)) == 0
gap = sp.factor((1 - 16 * p1 * p2) * (1 + R**2) ** 2)
assert sp.expand(gap - (R**2 - 4 * R + 1) * (R**2 + 4 * R + 1)) == 0
assert sp.expand((2 + sp.sqrt(3)) ** 2 - 4 * (2 + sp.sqrt(3)) + 1) == 0
assert sp.simplify(p1 / p2 - R**2) == 0

# %% [markdown]
# The edge x_2 = R |x_1|, x_1 = -h, so r = (a, b): with no expansion, (x_2 + R x_1)' < 0, inwards,
# iff P(h) = (R b^2 + a^2)(R^2 a^4 + b^4) - 2 R (1 + R)(a^5 + b^5) > 0.
# %%
a, b = 1 + h, 1 - R * h
P = (R * b**2 + a**2) * (R**2 * a**4 + b**4) - 2 * R * (1 + R) * (a**5 + b**5)
edge = speeds([-h, R * h])
factor = R * h**2 / (R**2 * a**4 + b**4)
assert sp.simplify(edge[1] + R * edge[0] + factor * P) == 0

# %% [markdown]
# P has one root in (0, 1/R) for R > 2 + sqrt(3): in Bernstein's basis its seven coefficients are
# quadratics of R times positive factors and change sign once. The first three are positive there,
# the next two become so at R = 5.9 and 15.6, in this order, the last two never.
# %%
poly = sp.Poly(sp.expand(P.subs(h, t / R)), t)
c, n = poly.all_coeffs()[::-1], poly.degree()
ratio = [[sp.binomial(i, j) / sp.binomial(n, j) for j in range(i + 1)] for i in range(n + 1)]
bernstein = [sum(x * y for x, y in zip(row, c, strict=False)) for row in ratio]
quadratics = [(1, -4, 1), (2, -6, 1), (6, -21, 1), (1, -5, -5), (1, -15, -10)]
largest = []
for coefficient, (c2, c1, c0) in zip(bernstein, quadratics, strict=False):
    rest = sp.cancel(sp.together(coefficient) / (c2 * R**2 + c1 * R + c0))
    assert rest.is_positive
    largest.append((-c1 + sp.sqrt(c1**2 - 4 * c2 * c0)) / (2 * c2))
assert largest[0] == 2 + sp.sqrt(3) > max(largest[1:3]) and largest[0] < largest[3] < largest[4]
assert all(sp.factor(sp.together(coefficient)).is_negative for coefficient in bernstein[5:])

# %% [markdown]
# Inside, x_1 < 0 rises: r_1 >= r_2, so p_1 = R^2 r_1^4/(R^2 r_1^4 + r_2^4) > 1/2 and x_1' =
# r_1 (2 mean - f_1) > 0. Where x_2 < 0 too, f_2 <= f_1 (f grows for r > 1), so x_2 rises; through
# x_2 = 0 it goes inwards, and x_1 <= x_2 is kept (equal scores). So x_1 rises to a limit, which is
# at rest, so 0; then x_2 -> 0, both r -> 1, and N to its value at rest.
# %%
q, m, x = sp.symbols("q m x", positive=True)
least_share = R**2 * (q + m) ** 4 / (R**2 * (q + m) ** 4 + q**4)  # r_2 = q <= r_1 = q + m
excess = sp.together(least_share.subs(R, 1 + x) - sp.Rational(1, 2)).as_numer_denom()[0]
assert all(value > 0 for value in sp.Poly(sp.expand(excess), q, m, x).coeffs())
assert ((1 + x) * x**2).diff(x).is_positive

# %%
from flowsam.outcomes.balanced_l2 import sector_depth  # the package's h

assert abs(P.subs({R: 6, h: sector_depth(6.0)})) < 1e-9 and sector_depth(3.7) == 0
