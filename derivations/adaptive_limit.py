# %% [markdown]
# Claim. ASAM of two layers on one example ends by water-filling: with $\lambda$ the root of the
# formula and $r_j = (1-\lambda/\mu_j)_+/\rho$, the limit has $\mu_j \beta_j$ proportional to
# $r_j^{p-1}$. It maximises the $\ell_1$ margin against relative perturbations of the features,
# $\|\delta\|_p \le \rho\, 2^{-1/p}$, whose value is $\lambda$. At $p = \infty$: the path of GD.
# Formula $\sum_j\left((1-\lambda/\mu_j)_+/\rho\right)^p=\tfrac12$
# Assumes $\ell' < 0$, $n = 1$, $\mu > 0$ (else one layer's sign is turned), $0 < \rho < 2^{1/p}$,
# $p > 1$.
# Used by flowsam.exact.adaptive_level, flowsam.outcomes.adaptive.
# Source: flowsam; the rule: Kwon et al. 2021 (ASAM).
# %%
import numpy as np
import sympy as sp

from flowsam.exact.adaptive_level import water_level
from flowsam.symbolic import coordinate

mu, rho, N = sp.symbols("mu rho N", positive=True)
u, v = sp.symbols("w_1 w_2", positive=True)

# %% [markdown]
# eps = |w| e with ||e||_p <= rho: <eps, g> = <e, |w| g>, so e is the step of l_p-SAM at |w| g, and
# |w_l g_l| = |G_j beta_j| is the same in each layer: w_hat = w (1 - rho s_j r_j) for all of them.
# %%
one = coordinate(2, 2, adaptive=True)
real = dict(zip(one.w, (u, v), strict=True))
g = dict(zip(one.g, (-mu * v, -mu * u), strict=True))  # -G times the other layer
hat = [x.subs(real).subs(g) for x in one.perturbed]
share = sp.simplify((1 - hat[0] / u) / sp.Symbol("rho", positive=True))
assert sp.expand(hat[1] / v - hat[0] / u) == 0
assert sp.simplify(share - mu * u * v / N) == 0  # r, p = 2

# %% [markdown]
# So u' = mu c v, v' = mu c u with c = 1 - rho s r: GD with a clock of its own. u^2 - v^2 is kept
# and u + v grows unless it is 0; then u/v -> 1 and (log beta)' -> 2 mu c.
# %%
c = sp.Symbol("c", positive=True)
du, dv = mu * c * v, mu * c * u
assert sp.expand(u * du - v * dv) == 0 and sp.expand(du + dv - mu * c * (u + v)) == 0
assert sp.limit(((du * v + u * dv) / (u * v)).subs(u, v), v, sp.oo) == 2 * mu * c

# %% [markdown]
# Shares x_j = 2 r_j^p sum to 1 and are proportional to (mu_j beta_j)^q: r_j = 2^(-1/p) (mu_j
# beta_j / ||mu beta||_q)^(q-1), (q - 1) p = q. So (log x_j)' = q (f_j - sum_k x_k f_k), a
# replicator with payoff f_j = 2 mu_j (1 - rho (x_j/2)^(1/p)) that falls in its own share.
# %%
p = sp.Symbol("p", positive=True)
q = p / (p - 1)
assert sp.simplify((q - 1) * p - q) == 0
x = sp.symbols("x1:4", positive=True)
m = sp.symbols("mu1:4", positive=True)
payoff = [2 * a * (1 - rho * (y / 2) ** (1 / p)) for a, y in zip(m, x, strict=True)]
assert all(sp.diff(f, y).is_negative for f, y in zip(payoff, x, strict=True))

# %% [markdown]
# Phi = sum 2 mu_j (x_j - rho 2^(-1/p) x_j^(1+1/p)/(1+1/p)) has gradient f, is strictly concave and
# rises: Phi' = q Var_x(f). Its maximiser x* on the simplex attracts all: (KL(x*||x))' = -q sum
# (x*_j - x_j) f_j <= -q (Phi(x*) - Phi(x)) < 0. It has f_j equal where x_j > 0 and not above
# elsewhere: mu_j (1 - rho r_j) = lambda, mu_k <= lambda, the water level.
# %%
phi = sum(
    2 * a * (y - rho * 2 ** (-1 / p) * y ** (1 + 1 / p) / (1 + 1 / p))
    for a, y in zip(m, x, strict=True)
)
assert all(sp.expand(sp.diff(phi, y) - f) == 0 for y, f in zip(x, payoff, strict=True))
F = sp.symbols("f1:4")
mean = sum(y * f for y, f in zip(x, F, strict=True))
rise = sum(f * y * (f - mean) for f, y in zip(F, x, strict=True))
variance = sum(y * f**2 for y, f in zip(x, F, strict=True)) - mean**2
assert sp.expand(rise - variance) == 0

# %% [markdown]
# Robust margin: min over ||delta||_p <= k of <mu (1 + delta), beta> is <mu, beta> - k ||mu
# beta||_q, by Hoelder's equality. On ||beta||_1 = 1 its stationarity with k = rho 2^(-1/p) is mu_j
# (1 - rho r_j) = lambda, and its value sum_j beta_j mu_j (1 - rho r_j) = lambda.
# %%
b, k = sp.symbols("b1:4", positive=True), sp.Symbol("k", positive=True)
size = sum((a * y) ** q for a, y in zip(m, b, strict=True)) ** (1 / q)
slope = sp.diff(size, b[0])
assert (slope - m[0] * ((m[0] * b[0]) / size) ** (q - 1)).subs({p: 3}).equals(0)

# %% [markdown]
# p = 1, the tie of a feature's layers shared equally: of y_j = log|mu_j beta_j| the largest ones
# are braked, with shares x of the simplex, y_j' = 2 mu_j (1 - rho x_j / 2). Where a set S ties, its
# common rate is the water level of S, which rises with S: at most 2 lambda. A feature with
# mu_j > lambda that is behind gains 2 (mu_j - lambda) at least, and is tied after a finite time;
# one with mu_j < lambda falls behind: the same level, and mu_j beta_j equal where it stays.
# p = inf: w_hat = w (1 -+ rho), GD at (1 - rho)^(L-1) of its pace, and at (1 + rho)^(L-1) while
# mu_j beta_j < 0: at L >= 3 the first to blow up in these clocks wins.
# %%
S = sp.symbols("x_1 x_2", nonnegative=True)
tied = sp.solve([m[0] * (1 - rho * S[0] / 2) - m[1] * (1 - rho * S[1] / 2), sum(S) - 1], S)
rate = sp.factor(m[0] * (1 - rho * tied[S[0]] / 2))
gain = rate - m[0] * (1 - rho / 2)  # of the level of both over that of the first alone
assert sp.simplify(gain - (m[1] - m[0] * (1 - rho / 2)) * m[0] / (m[0] + m[1])) == 0
one_norm = water_level(np.array([1.0, 1.6]), rho=0.9, p=1.0)
assert abs(one_norm.value - float(rate.subs({m[0]: 1, m[1]: 1.6, rho: 0.9}))) < 1e-14

# %% [markdown]
# The package: two features, p = 2, by the quadratic (1 - l)^2 + (1 - l/2)^2 = rho^2/2.
# %%
level = sp.Symbol("level")
roots = sp.solve((1 - level) ** 2 + (1 - level / 2) ** 2 - sp.Rational(1, 2), level)
found = water_level(np.array([1.0, 2.0]), rho=1.0, p=2.0)
assert abs(found.value - float(min(roots))) < 1e-14
