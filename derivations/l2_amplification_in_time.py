# %% [markdown]
# Claim. Two layers, $\ell_2$-SAM, one example, a uniform start $w = \alpha\mathbf{1}$: $\beta_j$ is
# largest where $\mu_j$ is nearest $\tau/(2A)$, and grows fastest where $\mu_j$ is nearest
# $N/(2\rho)$. Coordinates $j$ and $k$ swap exactly when $\tau/A = \mu_j + \mu_k$: cones in the
# $(\tau, A)$ plane, the same for every $\alpha$. In a collapse $w_j \sim
# (\tau_c-\tau)^{\mu_j^2/\mu_1^2}$ with $\mu_1$ the smallest: the minor coordinate survives longest.
#
# Formula $\beta_j = \beta_k \;\Leftrightarrow\; \tau/A = \mu_j+\mu_k$
#
# Assumes $\ell' < 0$, $n = 1$, $L = 2$, $\rho > 0$, $\mu > 0$. General starts: sizes have more
# terms, below.
#
# Used by flowsam.amplification, flowsam.amplification.succession, flowsam.exact.l2_sizes.
#
# Source: arXiv:2603.08290, Theorem 4.4, Proposition 4.7 (bounds of rates); exact times: flowsam.

# %%
import sympy as sp

tau, A, N, rho, alpha = sp.symbols("tau A N rho alpha", positive=True)
mu, mu_j, mu_k = sp.symbols("mu mu_j mu_k", positive=True)

# %% [markdown]
# s_j = 2 alpha exp(mu tau - mu^2 A), e_j = 0 (l2_two_layer), so beta_j = s_j^2/4. Its logarithm is
# a parabola in mu with its top at tau/(2A): the nearest mu_j wins.
# %%
s = 2 * alpha * sp.exp(mu * tau - mu**2 * A)
size = sp.expand_log(sp.log(s**2 / 4), force=True)
top = tau / (2 * A)
assert sp.expand(size - (-2 * A * (mu - top) ** 2 + tau**2 / (2 * A) + 2 * sp.log(alpha))) == 0

# %% [markdown]
# A pair: the difference has the factor tau - (mu_j + mu_k) A, and nothing of alpha.
# %%
lead = sp.expand(size.subs(mu, mu_k) - size.subs(mu, mu_j))
assert sp.expand(lead - 2 * (mu_k - mu_j) * (tau - (mu_j + mu_k) * A)) == 0

# %% [markdown]
# Growth: with A' = rho/N the rate 2 mu (1 - mu rho/N) is a parabola with its top at N/(2 rho); j
# is handed over to a larger k only where N >= rho (mu_j + mu_k), to a smaller one only where N <=
# it.
# %%
growth = size.diff(tau) + size.diff(A) * rho / N
assert sp.simplify(growth - 2 * mu * (1 - mu * rho / N)) == 0
assert sp.solve(growth.diff(mu), mu) == [N / (2 * rho)]
lead_rate = lead.diff(tau) + lead.diff(A) * rho / N
assert sp.simplify(lead_rate - 2 * (mu_k - mu_j) * (N - rho * (mu_j + mu_k)) / N) == 0

# %% [markdown]
# At tau = 0 all sizes are equal and tau/A -> N(0)/rho: the first leader is the one that grows
# fastest.
# %%
assert lead.subs({tau: 0, A: 0}) == 0
assert sp.limit(tau / (tau * rho / N), tau, 0) == N / rho

# %% [markdown]
# A general start. |beta_j| = |s^2 - e^2|/4 with s^2 growing and e^2 falling in their common factor
# exp(-2 mu^2 A): beta_j changes sign once at most, from - to +, and between sign changes the slope
# of log|s^2 e^(2 mu tau) - e^2 e^(-2 mu tau)|, 2 mu coth, falls. So values at the ends of a
# stretch of the path bound sizes and slopes all along it.
# %%
p, q = sp.symbols("p q", positive=True)  # s^2 and e^2 without that factor, at the moment
x = sp.Symbol("x", real=True)
bracket = p * sp.exp(2 * mu * x) - q * sp.exp(-2 * mu * x)
assert sp.simplify(bracket.diff(x)).is_positive
slope = bracket.diff(x) / bracket
half = sp.log(p / q) / 2 + 2 * mu * x
assert sp.cancel((slope - 2 * mu * sp.coth(half)).rewrite(sp.exp)) == 0
assert sp.cancel(slope.diff(x) + 16 * mu**2 * p * q / bracket**2) == 0
crossing = sp.log(q / p) / (4 * mu)
assert sp.simplify(bracket.subs(x, crossing)) == 0

# %% [markdown]
# Collapse: A = -log(tau_c - tau)/mu_1^2 + const (l2_patterns), so exp(-mu^2 A) is a power.
# %%
left, mu_1 = sp.symbols("x mu_1", positive=True)
power = sp.expand_log(sp.log(sp.exp(-(mu**2) * (-sp.log(left) / mu_1**2))), force=True)
assert sp.simplify(power - mu**2 / mu_1**2 * sp.log(left)) == 0

# %% [markdown]
# The package's switches are at sums of two entries of mu.
# %%
import numpy as np

from flowsam.amplification import leaders
from flowsam.exact.l2_two_layer import read

start, rates = np.full((2, 3), 0.45), np.array([1.0, 1.5, 2.0])
found = leaders(start, rates, rho=1)
ratio, order = (
    found.times / read(start, rates, 1).curve.a_at(found.times),
    np.array(found.order) - 1,
)
assert order.size > 1 and np.allclose(ratio, rates[order[1:]] + rates[order[:-1]], rtol=1e-12)
