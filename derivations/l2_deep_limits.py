# %% [markdown]
# Claim. A balanced state of $\ell_2$-SAM at $L \geq 3$ proves its limit, with $r_j = \rho\,\mu_j
# w_j^{L-2}/N$. If all $r_j < 1$, or one $w_j > \rho/\sqrt{L}$, or at odd $L$ one $w_j$ is beyond
# its value at rest (the formula), the flow blows up, and the largest $\mu_j w_j^{L-2}$ wins; at
# even $L$, if all $r_j > 1$, it reaches 0.
#
# Formula $w_j > \rho\,\mu_j^{-1/(L-2)}/\sqrt{L\sum_i\mu_i^{-2/(L-2)}}$
#
# Assumes $\ell' < 0$, $n = 1$, $\rho > 0$, $\mu > 0$, all layers equal and positive.
#
# Used by flowsam.outcomes.balanced_l2.
#
# Source: flowsam; not in arXiv:2603.08290.

# %%
import numpy as np
import sympy as sp

from flowsam import Flow, balanced, l2, single_example
from flowsam.outcomes.balanced_l2 import proved

rho, N, L, y = sp.symbols("rho N L y", positive=True)
mu, w, r = (sp.symbols(f"{name}_1:4", positive=True) for name in ("mu", "w", "r"))

# %% [markdown]
# From l2_deep: w_j'/w_j = (N/rho) f_j, f = r (1-r)^(L-1), N^2 = L sum (mu_j w_j^(L-1))^2. In the
# clock (N/rho) dtau, with p_j the shares of that sum: N'/N = (L-1) sum p_i f_i and
# r_j'/r_j = (L-2) f_j - (L-1) sum p_i f_i: the flow is closed in r.
# %%
f = sp.symbols("f_1:4", real=True)
terms = [L * (m * x ** (L - 1)) ** 2 for m, x in zip(mu, w, strict=True)]
norm_rate = sum(t.diff(x) * x * g for t, x, g in zip(terms, w, f, strict=True)) / 2 / sum(terms)
mean = sum(t * g for t, g in zip(terms, f, strict=True)) / sum(terms)
assert sp.expand(norm_rate - (L - 1) * mean) == 0
log_r = sp.log(rho) + sp.log(mu[0]) + (L - 2) * sp.log(w[0]) - sp.log(N)
assert sp.simplify(log_r.diff(w[0]) * w[0] * f[0] + log_r.diff(N) * N * y) == (L - 2) * f[0] - y
# %% [markdown]
# N is a function of r, falling in each: N^{-2/(L-2)} = L sum mu_j^{-2/(L-2)} (r_j/rho)^q with
# q = 2 (L-1)/(L-2). At rest all r_j = 1, so a state with all r_j < 1 has N above its value at rest.
# %%
for depth in (3, 4, 5):
    k = depth - 2
    size = [(s * N / (rho * m)) ** sp.Rational(1, k) for s, m in zip(r, mu, strict=True)]
    square = depth * sum((m * x ** (depth - 1)) ** 2 for m, x in zip(mu, size, strict=True))
    shares = [
        depth * m ** sp.Rational(-2, k) * (s / rho) ** sp.Rational(2 * depth - 2, k)
        for s, m in zip(r, mu, strict=True)
    ]
    assert sp.expand(square / N ** sp.Rational(2 * depth - 2, k) - sum(shares)) == 0
    assert all(share.diff(s).is_positive for share, s in zip(shares, r, strict=True))
    total, T = depth * sum(m ** sp.Rational(-2, k) for m in mu), sp.Symbol("T", positive=True)
    there = sum(shares).subs(dict.fromkeys(r, 1)) * rho ** sp.Rational(2 * depth - 2, k)
    assert sp.expand(there - total) == 0  # so N = total^(-k/2) rho^(L-1) at rest
    for m, x in zip(mu, size, strict=True):
        rest = x.subs(dict.fromkeys(r, 1)).subs(N, T ** sp.Rational(-k, 2) * rho ** (depth - 1))
        gate = rho * m ** sp.Rational(-1, k) / sp.sqrt(T)
        assert sp.simplify(sp.expand_log(sp.log(rest) - sp.log(gate), force=True)) == 0
# %% [markdown]
# All r < 1: then f > 0, so every w and N rise. It stays so: at r_j = 1, f_j = 0 and the mean is
# positive, r_j' < 0. A bounded path would come to rest (w is monotone) with all alive, so at r = 1,
# where N has its value at rest; N is above it and rises. Hence w is unbounded.
# %%
s = sp.Symbol("s", positive=True)
inside = s / (1 + s)  # any number of (0, 1)
assert all((inside * (1 - inside) ** (k - 1)).is_positive for k in (3, 4, 5))
at_edge = (L - 2) * 0 - (L - 1) * y  # y the mean, positive where another r < 1
assert at_edge.subs(L, s + 3).is_negative
# %% [markdown]
# One weight beyond rho/sqrt(L): |eps_j| = rho g_j/||g|| <= rho/sqrt(L), as its L layers share g_j,
# so w_j' >= mu_j (w_j - rho/sqrt(L))^(L-1) > 0: a blow-up in finite tau.
# %%
z = sp.Symbol("z", positive=True)
for depth in (3, 4, 5):
    took = sp.integrate(1 / (mu[0] * z ** (depth - 1)), (z, y, sp.oo))
    assert sp.simplify(took - y ** (2 - depth) / ((depth - 2) * mu[0])) == 0
# %% [markdown]
# Odd L: f >= 0, no weight falls. A bounded path comes to rest at w_j = gate_j, from below.
# Unbounded paths pass rho/sqrt(L), and the order of r is kept: the largest score blows up first.
# %%
real = sp.Symbol("x", real=True)
assert all((real ** (k - 1)).is_nonnegative for k in (3, 5, 7))
# %% [markdown]
# Even L, all r > 1: -f = r (r-1)^(L-1) > 0 grows with r, so the mean of f is at most f at the least
# r, and that r obeys r'/r >= (L-2) f - (L-1) f = -f > 0: all r stay above some c > 1. The
# coordinate with the largest share has eps_j >= rho/sqrt(L d), and w_j' = -mu_j (eps_j - w_j)^(L-1)
# with eps_j - w_j = eps_j (1 - 1/r_j) >= eps_j (1 - 1/c): the sum of all w falls at a positive
# speed at least, until all are 0.
# %%
above = 1 + s
for depth in (4, 6):
    brake = above * (above - 1) ** (depth - 1)
    assert brake.diff(s).is_positive
    assert sp.expand((depth - 2) * (-brake) - (depth - 1) * (-brake) - brake) == 0
eps = sp.Symbol("epsilon", positive=True)
assert sp.expand((eps - w[0]) - eps * (1 - 1 / r[0])).subs(w[0], eps / r[0]).simplify() == 0
# %% [markdown]
# The package: labels of states whose r are all above 1, all below, and of both kinds.

# %% The package, at L = 4 and rho = 1: all r > 1, none, one
two, scales = np.array([1.0, 2.0]), np.array([[0.1, 0.1], [2.0, 1.5], [0.4, 0.3]])
ratios = two * scales**2 / (2 * np.linalg.norm(two * scales**3, axis=1, keepdims=True))
assert (ratios > 1).tolist() == [[True, True], [False, False], [False, True]]
states = np.moveaxis(balanced(scales, 4), 0, -1)
assert proved(Flow(single_example(two), l2(1)), states).tolist() == [0, 2, -1]
