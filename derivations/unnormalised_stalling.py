# %% [markdown]
# Claim. Unnormalised SAM on one example, $L \geq 3$, equal layers: with
# $s_j = |\mu_j| w_j^{L-2}$, $M(s)$ the margin where all $s_j = s$ and
# $H(s) = \rho\, s\, |\ell'(M(s))|$, a function with one peak: at even $L$ a start with $\max_j s_j$
# at most the larger root of $H = 1$ never escapes: all $s_j$ below it tend to the smaller root, and
# $\beta$ is finite. At odd $L$ a start with $\max_j s_j$ at most the smaller root and all
# $h_j = \rho\,|\ell'(m)|\,s_j \leq 1$ does the same; one with equal $s_j$, up to the larger root,
# rises to the next root. Starts with $\min_j s_j$ beyond the larger root escape, and the largest
# $s_j$ wins. Where $H < 1$ everywhere all starts escape.
#
# Formula $s_j' = (L-2)\,s_j^2\,(1-\rho\,|\ell'(m)|\,s_j)^{L-1},\quad H(s)=\rho\,s\,|\ell'(M(s))|$
#
# Assumes $n = 1$, $\mu > 0$ (else one layer's sign is turned), logistic or exponential loss.
#
# Used by flowsam.outcomes.held_by_ascent.
#
# Source: flowsam.

# %%
import numpy as np
import sympy as sp

from flowsam import Flow, single_example, unnormalised
from flowsam.outcomes.held_by_ascent import held

mu, rho, lam, w, s, m = sp.symbols("mu rho lambda w s m", positive=True)

# %% [markdown]
# eps = rho g, g = -lambda mu w^(L-1) with lambda = |ell'(m)|: w_hat = w (1 - rho lambda s), and
# w' = mu w_hat^(L-1). All coordinates see one lambda, so s_j' is one function of s_j and m.
# %%
for L in (3, 4, 5, 6):
    hat = w - rho * lam * mu * w ** (L - 1)
    size = mu * w ** (L - 2)
    speed = sp.diff(size, w) * mu * hat ** (L - 1)
    law = (L - 2) * size**2 * (1 - rho * lam * size) ** (L - 1)
    assert sp.expand(speed - law) == 0
    assert sp.simplify((mu * w**L) ** (L - 2) - size**L / mu**2) == 0

# %% [markdown]
# The order of the s_j is kept: equal s move alike. For even L the law is cooperative: s_j' rises
# with every other s_k, for m does and lambda falls with m; the sign is that of an even power. So a
# solution lies between those with all s_j equal to its least and to its largest. On these
# s' = (L-2) s^2 (1 - H)^(L-1): to the smaller root of H = 1 from below the larger one, to infinity
# from beyond. Two paths that start with s_j > s_k and blow up: the larger first, and it wins.
# %%
L = 4
law = (L - 2) * s**2 * (1 - rho * lam * s) ** (L - 1)
by_others = sp.factor(sp.diff(law, lam))
assert sp.simplify(by_others + 6 * rho * s**3 * (1 - rho * lam * s) ** 2) == 0

# %% [markdown]
# Odd L: the power is even, no s_j falls, so m never falls and lambda never rises. Where h_j = 1,
# h_j' = h_j (lambda'/lambda + s_j'/s_j) = h_j lambda'/lambda <= 0: all h_j <= 1 stays so. There the
# law rises with every other s_k too, and H(max s_j) <= max h_j <= 1, so that max s_j never lies
# strictly between the roots: at most the smaller one, it stays so. All s_j rise to a rest, which
# with all s_j > 0 has all h_j = 1: equal s_j. Equal s_j stay equal, s' = (L-2) s^2 (1 - H)^(L-1)
# >= 0, and they rise to the next root.
# %%
for L in (3, 5):
    by_others = sp.diff((L - 2) * s**2 * (1 - rho * lam * s) ** (L - 1), lam)
    below = by_others.subs(lam, (1 - m) / (rho * s))  # m: 1 - h, in (0, 1)
    assert sp.simplify(below / (rho * s**3 * m ** (L - 2))).is_negative

# %% [markdown]
# log H = log rho + log s + log|ell'(M)|, M = c s^(L/(L-2)) convex, log|ell'| concave and falling:
# concave, so that H = 1 has two roots, or one, or none, and one peak.
# %%
c = sp.Symbol("c", positive=True)
for power in (sp.Integer(3), sp.Rational(4, 2), sp.Rational(6, 4)):
    margin = c * s**power
    assert sp.simplify(sp.diff(margin, s, 2)).is_positive
for slope in (-sp.log(1 + sp.exp(m)), -m):
    assert sp.simplify(sp.diff(slope, m)).is_negative
    assert sp.simplify(sp.diff(slope, m, 2) * (1 + sp.exp(m)) ** 2 / sp.exp(m)) in (-1, 0)

# %% [markdown]
# The package: mu = (1, 2), rho = 8, L = 4, M(s) = 3 s^2 / 2; states beside the larger root.
# %%
H = sp.lambdify(s, 8 * s / (1 + sp.exp(sp.Rational(3, 2) * s**2)), "mpmath")
root = float(sp.nsolve(8 * s - 1 - sp.exp(sp.Rational(3, 2) * s**2), s, 1.2))
assert abs(H(root) - 1) < 1e-12
flow = Flow(single_example([1.0, 2.0]), unnormalised(8.0))
sizes = np.sqrt(np.array([[root * (1 - 1e-6), root * (1 + 1e-6)], [0.3, 0.3]]) / [[1.0], [2.0]])
assert held(flow, np.repeat(sizes[None], 4, axis=0)).tolist() == [True, False]

# %% [markdown]
# L = 3: at the start m = 0 nearly, and the gates are s = 1/(rho/2) = 1/4.
# %%
below, beyond = np.array([[0.2, 0.1], [0.2, 0.13]])
starts = np.stack([below, beyond], axis=-1)
assert held(flow, np.repeat(starts[None], 3, axis=0)).tolist() == [True, False]
