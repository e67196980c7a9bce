# %% [markdown]
# Claim. ASAM of three and more layers on one example has several limits: each single feature
# attracts, and a mixture can attract too. The even mixture of $m$ equal features does iff $\rho$ is
# above the threshold of the formula; at $L = 3$, $p = 2$, $m = 2$ that is $\sqrt 6/7$.
# Formula $\rho>\frac{(L-2)(mL)^{1/p}}{(L-2)+L(L-1)/(p-1)}$
# At $p = 1$ a mixture is a tie of the $|\mu_j\beta_j|$.
# Assumes $\ell' < 0$, $n = 1$, $L \ge 3$, $1 < p < \infty$, $\rho < L^{1/p}$; balanced layers for
# the threshold.
# Used by flowsam.exact.adaptive_pair, flowsam.outcomes.adaptive_deep,
# flowsam.portrait.theory_curves, flowsam.one_example.relative_ties.
# Source: flowsam; the rule: Kwon et al. 2021 (ASAM).
# %%
import sympy as sp

from flowsam.exact.adaptive_pair import Pair

mu, rho, r, delta = sp.symbols("mu rho r delta", positive=True)
p, m, L = sp.symbols("p m L", positive=True)

# %% [markdown]
# With r_j = (|mu_j beta_j| / (L sum_k |mu_k beta_k|^q)^(1/q))^(q-1), which no common factor of the
# weights changes, w_hat = w (1 - rho r), and w' = mu (1 - rho r)^(L-1) w^(L-1): of degree L - 1 in
# all weights together. So the direction of theta moves on its own, and v = log(w_2/w_1) by
# the difference of growth_j = mu_j (1 - rho r_j)^(L-1) w_j^(L-2). sum_j r_j^p = 1/L.
# %%
q = p / (p - 1)
first, second, scale = sp.symbols("b1 b2 scale", positive=True)


def shares(a, b, depth):
    norm = (depth * (a**q + b**q)) ** (1 / q)
    return [(x / norm) ** (q - 1) for x in (a, b)]


at = {p: 3}
plain = [x.subs(at) for x in shares(first, second, L)]
scaled = [x.subs(at) for x in shares(scale * first, scale * second, L)]
assert all(sp.cancel(a / b) == 1 for a, b in zip(plain, scaled, strict=True))
assert sp.simplify(sum(x**3 for x in plain) * L) == 1

# %% [markdown]
# A single feature attracts: beside it growth_k = mu_k (1 - rho r_k)^(L-1) w_k^(L-2) -> 0 as w_k/w_j
# -> 0, L >= 3. A bound that proves it from a state: rho r lies in [0, g], g = rho L^(-1/p), so that
# feature j blows up before 1/((L-2) mu_j (1-g)^(L-1) gm^(L-2)) and k not before the same with
# 1 + g and the quadratic mean.
# %%
y, a = sp.symbols("y a", positive=True)
n = sp.Symbol("n", positive=True)  # L - 2
assert sp.simplify(sp.diff(-(y ** (-n)) / n, y) * y ** (n + 1)) == 1  # w' = w^(n+1)

# %% [markdown]
# The even mixture: r = (m L)^(-1/p). A change delta_j of log w_j with sum 0 leaves the norm as it
# is, so log r_j changes by (q - 1) L delta_j = L delta_j/(p - 1), and log growth_j by (L-2) delta
# - (L-1) rho r/(1 - rho r) L delta/(p - 1): it attracts iff that falls.
# %%
log_r = L * delta / (p - 1)
growth = (L - 1) * sp.log(1 - rho * r * sp.exp(log_r)) + (L - 2) * delta
slope = sp.diff(growth, delta).subs(delta, 0)
threshold = (L - 2) / (r * ((L - 2) + L * (L - 1) / (p - 1)))
assert sp.simplify(slope.subs(rho, threshold)) == 0
assert sp.simplify(sp.diff(slope, rho) * (1 - rho * r) ** 2 * (p - 1) + L * (L - 1) * r) == 0  # < 0
special = threshold.subs(r, (m * L) ** (-1 / p)).subs({L: 3, p: 2, m: 2})
assert sp.simplify(special - sp.sqrt(6) / 7) == 0

# %% [markdown]
# The package's line of two features changes the slope of its root at v = 0 there.
# %%
import numpy as np

for offset, attracts in ((-1e-6, False), (1e-6, True)):
    pair = Pair(1.0, float(sp.sqrt(6) / 7) + offset, 2.0, 3)
    assert pair.stable(np.zeros(1))[0] == attracts

# %% [markdown]
# p = 1. |w g| = |mu_j beta_j| in every layer of feature j: the best step is never unique, and all
# of rho is on the layers of the largest. r -> 1/L in each of them as p -> 1+, which the package
# takes. Then growth_j = mu_j (1 - rho/L)^(L-1) w_j^(L-2) for the largest, mu_k w_k^(L-2) for the
# others. At a tie of two, w_2/w_1 = (mu_1/mu_2)^(1/L), the growths without a brake are as
# (mu_2/mu_1)^(2/L), so that it attracts iff, with mu_2 >= mu_1,
#
#     (mu_2/mu_1)^(2/L) (1 - rho/L)^(L-1) < 1:  any rho for equal ones.
# %%
first, second = sp.symbols("mu1 mu2", positive=True)
w2 = (first / second) ** (1 / L)  # w_1 = 1
assert sp.simplify(sp.log(second * w2**L / first)) == 0
ratio = sp.expand_log(sp.log(second * w2 ** (L - 2) / first), force=True)
assert sp.simplify(ratio - 2 / L * (sp.log(second) - sp.log(first))) == 0
falls = threshold.subs(r, (2 * L) ** (-1 / p)).subs(L, 3)
assert sp.limit(falls, p, 1, "+") == 0

# %%
for size, gate in ((1.3, 0.6), (1.3, 0.2), (1.0, 0.01)):
    pair = Pair(size, gate, 1.0, 3)
    tie = -np.log(size) / 3
    attracts = size ** (2 / 3) * (1 - gate / 3) ** 2 < 1
    assert bool(np.isin(tie, pair.roots)) == attracts
    assert pair.stable(pair.roots).sum() == attracts
