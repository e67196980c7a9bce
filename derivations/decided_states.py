# %% [markdown]
# Claim. A state of $\ell_p$-SAM or unnormalised SAM proves its limit. At $L = 2$ a coordinate with
# $|u+\mathrm{sign}(\mu)\,v| > 2^{1-1/p}\rho$ only grows, and for $p > 2$ one with
# $(|u|+|v|)^{2-q}\,((2-q)|\mu|+(q-1)M) < (2-q)\,|\mu|^q\rho/(\|g\|_q+b)^{q-1}$ dies in finite
# $\tau$. At $L \geq 3$ the coordinate whose latest blow-up precedes the earliest of all others
# wins.
#
# Formula $|u+\mathrm{sign}(\mu)\,v| > 2^{1-1/p}\rho$
#
# Assumes one example; $M = \max_j|\mu_j|$, $b = M\,(2d)^{1/q-1/p}\rho$, $1/p+1/q = 1$.
#
# Used by flowsam.outcomes.certificates, flowsam.outcomes.blow_up_order.
#
# Source: flowsam; not in arXiv:2603.08290.

# %%
import sympy as sp

tau, rho, mu, y = sp.symbols("tau rho mu y", positive=True)
u, v = sp.symbols("u v", real=True)
p = sp.Symbol("p", positive=True)

# %% [markdown]
# L = 2, mu > 0: s = u + v obeys s' = mu (s + eps_u + eps_v). With |eps_u|^p + |eps_v|^p <= rho^p
# the sum is largest at equal parts, where it is 2^(1-1/p) rho (power means).
# %%
eps_u, eps_v = sp.symbols("eps_u eps_v", real=True)
assert sp.expand(mu * (v + eps_v) + mu * (u + eps_u) - mu * (u + v + eps_u + eps_v)) == 0
part = (rho**p / 2) ** (1 / p)
assert sp.expand(sp.expand_log(sp.log(2 * part / (2 ** (1 - 1 / p) * rho)), force=True)) == 0

# %% [markdown]
# p > 2: m = |u| + |v| obeys m' <= mu (m - c mu^(q-1) m^(q-1)), c = rho / ||g||_q^(q-1), since
# |u|^(q-1) + |v|^(q-1) >= m^(q-1) for q - 1 < 1. Then x = m^(2-q) obeys a linear inequality.
# %%
q, m, c = sp.symbols("q m c", positive=True)
slope = mu * (m - c * mu ** (q - 1) * m ** (q - 1))
x_slope = (2 - q) * m ** (1 - q) * slope
assert sp.expand(x_slope - (2 - q) * mu * (m ** (2 - q) - c * mu ** (q - 1))) == 0

# %% [markdown]
# ||g||_q' <= M (||g||_q + b), so c >= C e^(-(q-1) M tau) with C = rho / (||g||_q + b)^(q-1). The
# solution of x' = A (x - B e^(-k tau)) meets 0 iff x(0) < A B / (A + k): here A = (2-q) mu,
# B = C mu^(q-1), k = (q-1) M, which is the claim.
# %%
A, B, k, x0 = sp.symbols("A B k x_0", positive=True)
x = (x0 - A * B / (A + k)) * sp.exp(A * tau) + A * B / (A + k) * sp.exp(-k * tau)
assert sp.simplify(x.diff(tau) - A * (x - B * sp.exp(-k * tau))) == 0
assert sp.simplify(x.subs(tau, 0) - x0) == 0
C, M = sp.symbols("C M", positive=True)
bound = (A * B / (A + k)).subs({B: C * mu ** (q - 1), k: (q - 1) * M}).subs(A, (2 - q) * mu)
assert sp.simplify(bound * ((2 - q) * mu + (q - 1) * M) - (2 - q) * mu**q * C) == 0

# %% [markdown]
# Unnormalised: eps = -rho Lambda mu (v, u), so s' = mu s (1 - rho Lambda mu), and u - v decays.
# %%
Lambda = sp.Symbol("Lambda", positive=True)
du, dv = mu * (v - rho * Lambda * mu * u), mu * (u - rho * Lambda * mu * v)
assert sp.expand(du + dv - mu * (u + v) * (1 - rho * Lambda * mu)) == 0
assert sp.expand(du - dv + mu * (u - v) * (1 + rho * Lambda * mu)) == 0

# %% [markdown]
# L >= 3: z_k' = mu prod_{m != k} z_m keeps z_k^2 - z_l^2, and with z_k^2 = z_k(0)^2 + 2 y blow-up
# takes int_0^inf dy / (mu prod (z_k^2 + 2 y)^(1/2)): z^-(L-2) / ((L-2) mu) for equal z.
# log(e^a + y) is convex in a and log(b + y) concave in b, so by Jensen the product lies between
# those of equal factors at the geometric and at the quadratic mean.
# %%
z, a, b = sp.symbols("z a b", positive=True)
for depth in range(3, 7):
    time = sp.integrate((z**2 + 2 * y) ** (-sp.Rational(depth, 2)), (y, 0, sp.oo))
    assert sp.simplify(time - z ** (2 - depth) / (depth - 2)) == 0
bend = y * sp.exp(a) / (sp.exp(a) + y) ** 2
assert sp.simplify(sp.log(sp.exp(a) + y).diff(a, 2) - bend) == 0 and bend.is_positive
assert sp.simplify(sp.log(b + y).diff(b, 2) + 1 / (b + y) ** 2) == 0

# %% [markdown]
# The package: p = 3, just beyond the bound of s the coordinate is known to escape, not just below.
# %%
import numpy as np

from flowsam import Flow, lp, single_example
from flowsam.labels import Fate
from flowsam.outcomes.certificates import fates

edge = float(2 ** (1 - 1 / sp.Integer(3))) / 2  # u = v, rho = 1
pairs = edge * np.array([0.999, 1.001]) * np.ones((2, 1, 2))
known = fates(Flow(single_example([1]), lp(1, p=3)), pairs)[0]
assert [k == Fate.ESCAPE for k in known] == [False, True]
