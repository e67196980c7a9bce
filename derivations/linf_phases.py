# %% [markdown]
# Claim. Two weights of a coordinate at 0, $R$ the others, $A=\prod_R(a_k-\rho)>0$,
# $B=\prod_R(a_k+\rho)$. Filippov's share $p$ of the side $\mathrm{sign}(\mu\beta)=+$ is free;
# discrete $\ell_\infty$-SAM with steps $h\to0$ that do not depend on the side has $p=0$ or $p=1$ at
# almost every time, told by two phases: the sum of the two weights modulo $2h\mu\rho A$ and their
# difference modulo $2h\mu\rho B$. Of uniform phases $A/(2B)$, less than half, have $p=1$. The
# phases drift, and no stretch with $p=1$ lasts until the other layers run away.
#
# Formula $p=1\iff m_u>m_v,
# \quad m_u=\mathrm{dist}(w_1+w_2,\,2h\mu\rho A\,\mathbb{Z}),
# \quad m_v=\mathrm{dist}(w_1-w_2,\,2h\mu\rho B\,\mathbb{Z})$
#
# Assumes $\ell' < 0$, $n = 1$, $\mu > 0$ (else one layer's sign is turned), $\rho > 0$, $L \geq 3$.
#
# Used by flowsam.exact.first_escape.
#
# Source: flowsam.

# %%
import numpy as np
import sympy as sp

from flowsam.exact import first_escape

h, mu, rho, A, B = sp.symbols("h mu rho A B", positive=True)
x, y = sp.symbols("x y", real=True)
u, v = x + y, x - y

# %% [markdown]
# One step of discrete SAM, signs of R taken as positive. The gradient of w_1 is -mu w_2 prod R, so
# with (s_1, s_2) the signs of the two weights eps = -rho (s_2, s_1), and of R's layers
# -rho s_1 s_2: on s = + (s_1 = s_2) u steps by 2 h mu rho A towards 0 and v stays, to leading
# order; on s = - (s_1 = -s_2) v steps by 2 h mu rho B towards 0 and u stays.
# %%
for s_1, s_2 in ((1, 1), (-1, -1), (1, -1), (-1, 1)):
    rest = A if s_1 == s_2 else B
    hat = (x - rho * s_2, y - rho * s_1)
    new = (x + h * mu * hat[1] * rest, y + h * mu * hat[0] * rest)
    sums, difference = sp.expand(new[0] + new[1]), sp.expand(new[0] - new[1])
    if s_1 == s_2:
        assert sp.expand(sums - (u * (1 + h * mu * A) - 2 * h * mu * rho * A * s_1)) == 0
        assert sp.expand(difference - v * (1 - h * mu * A)) == 0
    else:
        assert sp.expand(sums - u * (1 + h * mu * B)) == 0
        assert sp.expand(difference - (v * (1 - h * mu * B) - 2 * h * mu * rho * B * s_1)) == 0

# %% [markdown]
# s = + is |u| > |v|: the larger of the two steps. In units of h mu rho u keeps its place modulo 2 A
# and ends on two values of sizes m_u <= A and 2 A - m_u, v on m_v <= B and 2 B - m_v. If m_u > m_v,
# a state with |v| = m_v steps in u for ever, p = 1; it is reached, for from |v| = 2 B - m_v either
# v steps there, or u, which then has |u| = m_u below |v| or p = 1 at once. If m_u < m_v, p = 0
# alike. Uniform phases: m_u and m_v are uniform on [0, A] and [0, B].
# %%
a, b = sp.symbols("m_u m_v", positive=True)
assert sp.simplify(sp.integrate(sp.integrate(1, (b, 0, a)), (a, 0, A)) / (A * B) - A / (2 * B)) == 0

# %% [markdown]
# Drift, in two steps of p = 1: u = A + d goes to u - 2 A (1 - h mu u / (2 A)) and back by the A of
# the next step: d' = mu A d, v' = -mu A v. With p = 0, v = B + e: e' = -mu B e, u' = mu B u.
# %%
d, slope = sp.symbols("d Adot", real=True)
first = (A + d) * (1 + h * mu * A) - 2 * A
later = A + h * slope
second = first * (1 + h * mu * later) + 2 * later
drift = sp.expand(second - (A + 2 * h * slope) - d).coeff(h, 1) / 2
assert sp.expand(drift - mu * A * d) == 0
e = sp.Symbol("e", real=True)
first = (B + e) * (1 - h * mu * B) - 2 * B
later = B + h * slope
second = first * (1 - h * mu * later) + 2 * later
drift = sp.expand(second - (B + 2 * h * slope) - e).coeff(h, 1) / 2
assert sp.expand(drift + mu * B * e) == 0

# %% [markdown]
# p = 1 ends when A - |d| = |v|. To run away the other layers need p = 1 to the end, with all z_k of
# R positive: z_k z_k' = mu rho^2 A, so that the integral of mu A is (z_k^2 - z_k(0)^2)/(2 rho^2),
# and |d| grows like exp(z_k^2/(2 rho^2)), beyond A, a polynomial in the z_k: p = 1 ends at a finite
# z, unless d = 0, a set of measure 0.
# Then m = A - |d| = |v|. With p = 0 over an integral I of mu B, u = m e^I meets B - (B - m) e^-I at
# B - m; if that is at most A, p = 1 comes back with A - |d| = |v| = B - m and ends at
# m - (B - A), A and B taken as constant, for dz = rho^2 dI/z is small at large z: after finitely
# many turns m < B - A, and then u passes A before it meets v, is turned back by 2 A, and p stays 0.
# %%
m, grown = sp.symbols("m E", positive=True)
meets = sp.solve(sp.Eq(m * grown, B - (B - m) / grown), grown)
assert any(sp.simplify(m * E - (B - m)) == 0 for E in meets)
c = B - m
ends = sp.solve(sp.Eq(A - (A - c) * grown, c / grown), grown)
assert any(sp.simplify(c / E - (m - (B - A))) == 0 for E in ends)

# %% [markdown]
# Steps that do depend on the side move the boundary: with h inversely proportional to the side's
# own speed h A and h B are equal, half of the phases have p = 1, and m is kept from turn to turn.
# The package: at L = 5 and 6 the first blow-up is the limit of discrete SAM.
# %%
theta = np.array([[1.3, 0.2], [1.3, 0.9], [1.4, 3.0], [1.5, 3.1], [1.6, 3.2]])
found = first_escape.finding(theta, [1.0, -1.0], rho=1.0)
assert (found.label, found.certificate) == (1, "limit of discrete SAM")
