# %% [markdown]
# Claim. Two layers, one example, a uniform start: under $\ell_2$-SAM there is an interval of
# $\alpha$ whose predictor leans on a minor coordinate at chosen finite times, although its limit
# direction is that of the major one. Under gradient flow the major coordinate leads at every $\tau
# > 0$.
#
# Formula $\log(\beta_d/\beta_k) = 2\,(\mu_d-\mu_k)\,(\tau-(\mu_k+\mu_d)\,A)$
#
# Assumes $\ell' < 0$, $n = 1$, $L = 2$, $\rho > 0$, $0 < \mu_1 < \cdots < \mu_d$, $d \geq 2$.
#
# Used by flowsam.amplification.thresholds, flowsam.amplification.
#
# Source: arXiv:2603.08290 (its main message); the interval and the times: flowsam.

# %%
import sympy as sp

tau, A, alpha, rho, N = sp.symbols("tau A alpha rho N", positive=True)
low, gap = sp.symbols("mu_k g", positive=True)
high = low + gap

# %% [markdown]
# beta_j = alpha^2 exp(2 mu_j tau - 2 mu_j^2 A) with A' = rho/N (l2_two_layer); gradient flow is
# rho = 0, A = 0, where the lead of the larger mu only grows.
# %%
log_ratio = 2 * (high - low) * tau - 2 * (high**2 - low**2) * A  # log beta_high/beta_low
assert log_ratio.subs(A, 0).diff(tau).is_positive and log_ratio.subs({tau: 0, A: 0}) == 0

# %% [markdown]
# l_2-SAM: the smaller mu leads exactly while tau/A < mu_j + mu_k.
# %%
assert sp.expand(log_ratio - 2 * gap * (tau - (low + high) * A)) == 0

# %% [markdown]
# It does at first for every alpha with N(0) < rho (mu_1 + mu_2): there tau/A starts at N(0)/rho.
# Of those, alpha above alpha* escape, and alpha* < a_{d-1} (l2_amplification_in_scale): for d = 2
# the interval is (alpha*, a_1) with a_1 = rho (mu_1 + mu_2)/(sqrt2 ||mu||); it is not empty, since
# alpha* <= rho sum mu^4/(sum mu^3 sqrt2 ||mu||), from where N rises at once.
# %%
mean = (low**4 + high**4) / (low**3 + high**3)
assert sp.simplify(sp.numer(sp.together(low + high - mean))).subs({low: 1, gap: 1}) > 0
margin = sp.expand(sp.numer(sp.together(low + high - mean)))
assert all(coefficient > 0 for coefficient in sp.Poly(margin, low, gap).coeffs())

# %% [markdown]
# The limit of an escape: N -> inf at a rate of at least mu_1, so A tends to a finite value, and
# the largest mu wins: log beta_high/beta_low -> inf, linearly in tau.
# %%
final = sp.Symbol("A_end", positive=True)
assert sp.limit(log_ratio.subs(A, final), tau, sp.oo) == sp.oo
decay = sp.exp(-low * tau)  # rho/N is below a multiple of this in the end
assert sp.integrate(decay, (tau, 0, sp.oo)) == 1 / low

# %% [markdown]
# How long the minor coordinate keeps the lead is up to alpha: at alpha* the path stays at the
# saddle, tau/A -> mu_1; next to it for -log|alpha/alpha* - 1|/mu_1 in tau, so any finite time can
# be chosen.
# %%
offset, mu_1 = sp.symbols("delta mu_1", positive=True)
plateau = sp.solve(sp.Eq(offset * sp.exp(mu_1 * tau), 1), tau)[0]
assert sp.simplify(plateau + sp.log(offset) / mu_1) == 0
assert sp.limit(plateau, offset, 0) == sp.oo

# %% [markdown]
# The package at mu = (1, 2), rho = 1, 1 % above alpha*: minor at tau = 3, major in the limit.
# %%
import numpy as np

from flowsam import Flow, balanced, l2, limit, single_example
from flowsam.amplification import critical_scale, dominance

scale = 1.01 * critical_scale([1, 2], 1)
assert dominance([1, 2], 1, [scale], [3.0]).item() == 1
assert limit(Flow(single_example([1, 2]), l2(1)), balanced(np.full(2, scale), 2)).label == 2
assert dominance([1, 2], 0, [scale], [3.0]).item() == 2  # gradient flow
