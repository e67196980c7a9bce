# %% [markdown]
# Claim. $\ell_1$-SAM on one example, $L \ge 3$, equal layers, $c = \rho (L-1)/L$. One feature
# escapes iff $w > c$. Of two, let $j$ be the one with the larger $|g_j| = \mu_j w_j^{L-1}$. If
# $w_j \le c$, both fall to 0 iff they come to tie with $w_1 + w_2 < c$; else the larger $\mu$ wins.
# If $w_j > c$, $j$ wins where $\mu_j > \mu_k$; else whichever of $j$, braked, and $k$, free, blows
# up first alone: the minor feature can win. Equal $\mu$ that tie blow up together.
#
# Formula $w_j' = \mu_j w_j^{L-2}\,(w_j - \lambda_j c),\quad \sum_j \lambda_j = 1$
#
# Assumes $n = 1$, $\ell' < 0$, $\mu_j \beta_j > 0$.
#
# Used by flowsam.exact.l1_deep, flowsam.outcomes.tied_layers, flowsam.portrait.theory_curves.
#
# Source: flowsam.

# %%
import numpy as np
import sympy as sp

from flowsam.exact.l1_deep import Duel

mu, rho, w, c, L = sp.symbols("mu rho w c L", positive=True)
a, b, beta = sp.symbols("a b beta", positive=True)

# %% [markdown]
# Within a feature |g_l| = mu beta / w_l is largest at the smallest layer a. With all of rho there
# a a' = mu beta and b b' = mu beta (1 - rho/a) of every other layer b: b^2 - a^2 falls at the rate
# 2 mu beta rho/a, so that layers come back to equality and take turns there, 1/L of rho each.
# %%
step = {"a": mu * beta / a, "b": mu * beta / b * (1 - rho / a)}
gap = 2 * b * step["b"] - 2 * a * step["a"]
assert sp.simplify(gap + 2 * mu * beta * rho / a) == 0
for depth in (3, 4, 6):
    hit = mu * w ** (depth - 1)  # the layer that has the step itself sees the others whole
    missed = mu * w ** (depth - 2) * (w - rho)
    mean = (hit + (depth - 1) * missed) / depth
    law = mu * w ** (depth - 2) * (w - rho * (depth - 1) / sp.Integer(depth))
    assert sp.expand(mean - law) == 0

# %% [markdown]
# Features that tie share rho, lambda_j >= 0. |g_j|' / ((L-1) |g_j|) = mu_j w_j^(L-3) (w_j -
# lambda_j c) is one rate k for those on top T: k sum_T w_j^(3-L)/mu_j = sum_T w_j - c. So they
# rise together iff sum_T w > c. Then nothing falls any more: who leaves T grows freely, and the
# rest of T keeps its k; who joins adds to the sum. If sum_T w < c all lambda_j > 0, nobody
# leaves, and T falls until others join: both features fall to 0 iff they tie with w_1 + w_2 < c.
# %%
k, w1, w2, m1, m2 = sp.symbols("k w1 w2 mu1 mu2", positive=True)
share = lambda size, speed: (size - k * size ** (3 - L) / speed) / c  # noqa: E731
rate = sp.solve(sp.Eq(share(w1, m1) + share(w2, m2), 1), k)[0]
assert sp.simplify(rate * (w1 ** (3 - L) / m1 + w2 ** (3 - L) / m2) - (w1 + w2 - c)) == 0

# %% [markdown]
# Who wins: y_j = mu_j w_j^(L-2) has the rate (L-2) y_j mu_j w_j^(L-3) (w_j - lambda_j c). Where two
# y are equal the one of larger mu has the smaller w, hence the smaller |g| = y w: it is free, and
# gains. So once the larger mu has the larger y it keeps it, and wins. At a tie it has it.
# The smaller mu wins only if it is on top from the start, beyond c, and blows up before it ties:
# if it ties, the other is ahead in y, and would have blown up first alone too.
# %%
y1, y2 = m1 * w1 ** (L - 2), m2 * w2 ** (L - 2)
at_tie = {w2: w1 * (m1 / m2) ** (1 / (L - 1))}
ratio = sp.expand_log(sp.log((y2 / y1).subs(at_tie)), force=True)
assert sp.simplify(ratio - sp.log(m2 / m1).expand(force=True) / (L - 1)) == 0  # > 0 iff mu2 > mu1

# %% [markdown]
# Equal mu: at a tie w_1 = w_2, the same for ever; the braked one falls back to it.
# The times: mu_j tau = F(w_j(0)) - F(w_j), F' = -w^(2-L)/(w - c), and the package's F.
# %%
for depth in (3, 4, 5):
    power = depth - 2
    x = c / w
    whole = -sp.log(1 - x) - sum(x**i / sp.Integer(i) for i in range(1, power))
    slope = sp.diff(whole / c**power, w)
    assert sp.simplify(slope + w ** (2 - depth) / (w - c)) == 0
    duel = Duel(np.array([1.0, 1.7]), 1.2, depth)
    sizes = np.array([1.05, 1.5, 7.0]) * duel.gate
    exact = [whole.subs({c: sp.Float(duel.gate, 40), w: sp.Float(v, 40)}) for v in sizes]
    assert np.allclose(duel.clock(sizes), np.array(exact, dtype=float), rtol=1e-12)
    total = duel.saddle.sum()
    tie = duel.mu * duel.saddle ** (depth - 1)
    assert np.isclose(total, duel.gate) and np.isclose(tie[0], tie[1])

# %% [markdown]
# The curves of the package divide its labels.
# %%
for depth in (3, 4, 5):
    duel = Duel(np.array([1.0, 2.0]), 1.0, depth)
    curve = duel.separatrix()[5:-5]
    assert not duel.labels(curve * 0.999).any() and duel.labels(curve * 1.001).all()
    (both,) = duel.equal_times(3.0)
    assert set(duel.labels(both[20:] * [1.001, 1])) == {1}
    assert set(duel.labels(both[20:] * [0.999, 1])) <= {0, 2}
