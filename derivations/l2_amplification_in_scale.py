# %% [markdown]
# Claim. Two layers, $\ell_2$-SAM, one example, a uniform start $w = \alpha\mathbf{1}$: there are
# thresholds $\alpha^\star < a_1 < \cdots < a_{d-1}$, with $a_k$ where the minimum of $\tau/A$
# equals $\mu_k + \mu_{k+1}$. An escaping run's leaders go down from the $\mu_j$ nearest
# $N(0)/(2\rho)$ to the first $k$ with $\alpha < a_k$, then up to $d$, one step at a time; a
# collapsing run's go down to 1. Up to $\alpha = \rho\,\mu_1/(\sqrt{2}\,\|\mu\|)$ every $\beta_j$
# falls from the start.
#
# Formula $a_{d-1} = \rho\,(\mu_{d-1}+\mu_d)/(\sqrt{2}\,\|\mu\|)$
#
# Assumes $\ell' < 0$, $n = 1$, $L = 2$, $\rho > 0$, $0 < \mu_1 < \cdots < \mu_d$.
#
# Used by flowsam.amplification.thresholds.
#
# Source: arXiv:2603.08290, Theorem 4.5 (the three regimes); thresholds and sequences: flowsam.

# %%
import sympy as sp

alpha, rho, tau, A, N = sp.symbols("alpha rho tau A N", positive=True)
d = 3
gaps = sp.symbols("g_1:4", positive=True)
mu = [sum(gaps[: k + 1]) for k in range(d)]  # 0 < mu_1 < mu_2 < mu_3

# %% [markdown]
# The start: s = 2 alpha, e = 0, so N(0) = sqrt2 alpha ||mu||, and tau/A -> N(0)/rho.
# %%
N0 = sp.sqrt(sum(m**2 * (2 * alpha) ** 2 for m in mu) / 2)
length = sp.sqrt(sum(m**2 for m in mu))
assert sp.simplify(N0 - sp.sqrt(2) * alpha * length) == 0

# %% [markdown]
# All fall: at N <= rho mu_1 every rate 2 mu_j (1 - mu_j rho/N) is <= 0, so N falls and stays
# below. In terms of alpha that is alpha <= rho mu_1/(sqrt2 ||mu||).
# %%
for m in mu:
    rate = 2 * m * (1 - m * rho / (rho * mu[0]))
    assert sp.simplify(rate * mu[0] + 2 * m * (m - mu[0])) == 0
    assert (m - mu[0]).is_nonnegative
assert sp.simplify(N0.subs(alpha, rho * mu[0] / (sp.sqrt(2) * length)) - rho * mu[0]) == 0

# %% [markdown]
# N rises from the start where N(0) >= rho sum mu^4/sum mu^3.
# %%
weights = [m**2 for m in mu]
slope = sum(w * m * (1 - m * rho / N) for w, m in zip(weights, mu, strict=True))
start = rho * sum(m**4 for m in mu) / sum(m**3 for m in mu)
assert sp.cancel(slope.subs(N, start)) == 0 and slope.diff(N).is_positive

# %% [markdown]
# On the way: tau/A falls as long as it exceeds N/rho and rises after (l2_patterns), so along a run
# it has one minimum, or falls to 0 in a collapse. The leader is the mu nearest tau/(2A)
# (l2_amplification_in_time), that is the number of sums mu_k + mu_{k+1} below tau/A: it goes down
# one step at a time with tau/A, then up, and it goes down to k exactly if min tau/A < mu_k +
# mu_{k+1}.
# %%
for k in range(d - 1):
    middle = (mu[k] + mu[k + 1]) / 2
    assert sp.expand((middle - mu[k]) - (mu[k + 1] - middle)) == 0
    assert (middle - mu[k]).is_positive
sums = [mu[k] + mu[k + 1] for k in range(d - 1)]
assert (sums[1] - sums[0]).is_positive

# %% [markdown]
# More alpha, larger minimum: N(tau, A) grows with alpha and falls with A, so of two runs the
# larger has the smaller A at every tau (it cannot catch up: where the A are equal, its A' = rho/N
# is less). Hence tau/A, its minimum and the thresholds are ordered, and all lie above alpha*: at
# alpha* itself tau/A falls to mu_1 < mu_1 + mu_2.
# %%
square = sum(2 * alpha**2 * m**2 * sp.exp(2 * m * tau - 2 * m**2 * A) for m in mu)
assert square.diff(alpha).is_positive
assert sp.expand(-square.diff(A)).is_positive
assert (sums[0] - mu[0]).is_positive

# %% [markdown]
# The last threshold in closed form. sum mu^4/sum mu^3 is a mean of the mu, so at most mu_d, and
# less than mu_{d-1} + mu_d: a run with N(0) = rho (mu_{d-1} + mu_d) rises from the start, its
# minimum of tau/A is N(0)/rho. The same holds for every k with mu_k + mu_{k+1} >= sum mu^4/sum
# mu^3.
# %%
cubes = sum(m**3 for m in mu)
assert sp.expand(mu[-1] * cubes - sum(m**4 for m in mu) - sum(m**3 * (mu[-1] - m) for m in mu)) == 0
last = rho * (mu[-2] + mu[-1]) / (sp.sqrt(2) * length)
assert sp.cancel(N0.subs(alpha, last) / rho - (mu[-2] + mu[-1])) == 0

# %% [markdown]
# The package's first and last thresholds are these, and all are in order.
# %%
from flowsam.amplification import regimes

found, numbers = regimes([1, 2, 4], 3), {gaps[0]: 1, gaps[1]: 1, gaps[2]: 2, rho: 3}
assert abs(found.major - float(last.subs(numbers))) < 1e-14
assert abs(found.falling - float((rho * mu[0] / (sp.sqrt(2) * length)).subs(numbers))) < 1e-14
assert found.falling < found.critical < found.thresholds[0] < found.thresholds[1] == found.major
