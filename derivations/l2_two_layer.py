# %% [markdown]
# Claim. Two layers under $\ell_2$-SAM, one example, any real start and $\mu$: with $s = u+v$ and $e
# = u-v$, $s_j = s_j(0)\,e^{\mu_j\tau-\mu_j^2A}$ and $e_j = e_j(0)\,e^{-\mu_j\tau-\mu_j^2A}$, where
# $N^2 = \sum_j\mu_j^2(u_j^2+v_j^2)$ is a function of $(\tau, A)$ alone: the flow in $2d$ weights is
# one scalar equation.
#
# Formula $s_j = s_j(0)\,e^{\mu_j\tau-\mu_j^2A}, \quad dA/d\tau = \rho/N$
#
# Assumes $\ell' < 0$, $n = 1$, $L = 2$, $\rho > 0$, $N > 0$. At $N = 0$ the perturbation is not
# defined and the flow ends.
#
# Used by flowsam.exact.l2_spectrum, flowsam.exact.l2_two_layer.
#
# Source: flowsam. arXiv:2603.08290 works with bounds of the rates instead.

# %%
import sympy as sp

tau, rho = sp.symbols("tau rho", positive=True)
ell_slope = sp.Symbol("c", negative=True)  # ell'(m) at theta, and below at theta_hat
d = 3
u, v, mu = (sp.symbols(f"{name}_1:{d + 1}", real=True) for name in ("u", "v", "mu"))

# %% [markdown]
# The definition. The gradient of ell(sum_j mu_j u_j v_j) is ell' mu_j (v_j, u_j); the perturbation
# rho g/||g|| does not feel the size of ell', only its sign.
# %%
gradient = [ell_slope * m * w for m, w in zip(mu, v, strict=True)]
gradient += [ell_slope * m * w for m, w in zip(mu, u, strict=True)]
norm = sp.sqrt(sum(m**2 * (a**2 + b**2) for m, a, b in zip(mu, u, v, strict=True)))
size = -ell_slope * norm
assert sp.expand(sum(g**2 for g in gradient) - size**2) == 0
u_hat = [a + rho * g / size for a, g in zip(u, gradient[:d], strict=True)]
v_hat = [b + rho * g / size for b, g in zip(v, gradient[d:], strict=True)]

# %% [markdown]
# The rescaled flow is u' = mu v_hat, v' = mu u_hat. In s and e it is diagonal, up to N: s' = mu s
# (1 - mu rho/N), e' = -mu e (1 + mu rho/N).
# %%
for a, b, a_hat, b_hat, m in zip(u, v, u_hat, v_hat, mu, strict=True):
    s_velocity, e_velocity = m * (b_hat + a_hat), m * (b_hat - a_hat)
    assert sp.expand(s_velocity - m * (a + b) * (1 - m * rho / norm)) == 0
    assert sp.expand(e_velocity + m * (a - b) * (1 + m * rho / norm)) == 0

# %% [markdown]
# With A' = rho/N the solution is explicit, and N is a function of tau and A.
# %%
A = sp.Function("A")(tau)
s0, e0 = (sp.symbols(f"{name}_1:{d + 1}", real=True) for name in ("s", "e"))
s = [x * sp.exp(m * tau - m**2 * A) for x, m in zip(s0, mu, strict=True)]
e = [x * sp.exp(-m * tau - m**2 * A) for x, m in zip(e0, mu, strict=True)]
N = sp.Symbol("N", positive=True)
for x, y, m in zip(s, e, mu, strict=True):
    on_path = {A.diff(tau): rho / N}
    assert sp.expand(x.diff(tau).subs(on_path) - m * x * (1 - m * rho / N)) == 0
    assert sp.expand(y.diff(tau).subs(on_path) + m * y * (1 + m * rho / N)) == 0
back = {**{a: (x + y) / 2 for a, x, y in zip(u, s, e, strict=True)}}
back |= {b: (x - y) / 2 for b, x, y in zip(v, s, e, strict=True)}
square = sum(m**2 * (x**2 + y**2) for x, y, m in zip(s, e, mu, strict=True)) / 2
assert sp.expand((norm**2).subs(back) - square) == 0

# %% [markdown]
# One measure on signed rates: nu = mu carries s, nu = -mu carries e. So mu -> -mu exchanges s and
# e, mu_j = 0 carries nothing and does not move, and no s_j or e_j changes its sign.
# %%
nu, amplitude, a = sp.symbols("nu a0 A", real=True)
atom = nu**2 * amplitude**2 * sp.exp(2 * nu * tau - 2 * nu**2 * a) / 2
for j in range(d):
    pair = sum(atom.subs({nu: k * mu[j], amplitude: x[j]}) for k, x in ((1, s0), (-1, e0)))
    own = mu[j] ** 2 * (s[j] ** 2 + e[j] ** 2).subs(A, a) / 2
    assert sp.expand(pair - own) == 0

# %% [markdown]
# The clock sigma = k tau + k^2 A, any rate k: with g = log(N/(rho k)) and y = 1/(1 + e^{-g}), k
# tau' = y and k^2 A' = 1 - y, bounded for N -> 0 and N -> inf. The moments of the measure close:
# F_m = sum (nu/k)^m atom has F_m' = 2 y (F_{m+1} + F_{m+2}) - 2 F_{m+2}.
# %%
k = sp.Symbol("k", positive=True)
y = 1 / (1 + rho * k / N)
assert sp.simplify((1 - y) / k**2 / (y / k) - rho / N) == 0  # dA/dtau
assert sp.limit(y, N, 0) == 0 and sp.limit(y, N, sp.oo) == 1
m = sp.Symbol("m", positive=True)
change = atom.diff(tau) * y / k + atom.diff(a) * (1 - y) / k**2
closed = 2 * y * (nu / k) ** (m + 1) + 2 * (y - 1) * (nu / k) ** (m + 2)
assert sp.expand((nu / k) ** m * change / atom - closed) == 0

# %% [markdown]
# The package: its weights are these s and e at its own A, whose slope is rho/N.
# %%
import numpy as np

from flowsam.exact.l2_two_layer import read

start, rate = np.array([[0.9, -0.2], [0.4, 1.1]]), np.array([1.0, 2.0])
now, near = 0.7, np.array([0.7 - 1e-4, 0.7, 0.7 + 1e-4])
theta, area = read(start, rate, 1).weights([now])[0], read(start, rate, 1).curve.a_at(near)
for side, way in ((1, 1), (-1, -1)):
    own = (start[0] + side * start[1]) * np.exp(way * rate * now - rate**2 * area[1])
    assert np.allclose(theta[0] + side * theta[1], own, rtol=1e-10)
assert np.isclose((area[2] - area[0]) / 2e-4, 1 / np.linalg.norm(rate * theta), rtol=1e-6)
