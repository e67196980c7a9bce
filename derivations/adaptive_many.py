# %% [markdown]
# Claim. ASAM of two layers on several examples: if the direction of $\beta$ converges, and with it
# $c_j = 1 - \rho s_j r_j$, then $\beta c$ tends to the $\ell_1$ max margin of the data
# $z_{ij} c_j$, a fixed point. For any state the least perturbed margin over
# $\|\beta c\|_1\, \|c \sum_i q_i z_i\|_\infty$, $q$ at the perturbed weights, is at most the share
# of that margin that $\beta c$ has.
# Formula $\beta c\to b,\quad b\ \mathrm{of}\ \max_{\|b\|_1\le1}\min_i\langle b,z_i c\rangle$
# Assumes $\ell' < 0$, separable data, $L = 2$, $1 < p < \infty$, $\rho < 2^{1/p}$, margins to
# infinity.
# Used by flowsam.outcomes.late_verdicts.
# Source: flowsam; the rule: Kwon et al. 2021 (ASAM).
# %%
import numpy as np
import sympy as sp

from flowsam import Data, Flow, asam, max_margin
from flowsam.outcomes.late_verdicts import factors, rescaled_certificate

c, z, b = (sp.symbols(f"{name}1:4", positive=True) for name in "czb")

# %% [markdown]
# w_hat = c w in both layers, so beta_hat = c^2 beta, and the perturbed margins are those of beta c
# on the data z c: sum_j z_j c_j^2 beta_j = sum_j (z_j c_j) (beta_j c_j).
# %%
hat = sum(y * a**2 * x for y, a, x in zip(z, c, b, strict=True))
assert sp.expand(hat - sum((y * a) * (a * x) for y, a, x in zip(z, c, b, strict=True))) == 0

# %% [markdown]
# (log beta_j)' = 2 c_j G_j(theta_hat) once u/v -> 1, G = sum_i q_i z_i, as for GD on the data z c.
# If directions converge, features that stay have the largest |c_j G_j| with the sign of beta_j,
# the others less: stationarity. q at theta_hat, e^(-m_i) over its sum, keeps examples of the least
# perturbed margin only: complementary slackness. Both are the optimality of a linear program, max
# gamma: <b, z_i c> >= gamma, ||b||_1 <= 1, whose dual is min_q ||sum_i q_i z_i c||_inf.
# %%
u, g = sp.symbols("u G", positive=True)
assert sp.simplify((u * (c[0] * g * u) + (c[0] * g * u) * u) / u**2 - 2 * c[0] * g) == 0
m1, m2, scale = sp.symbols("m1 m2 scale", positive=True)
ratio = sp.exp(-scale * (m1 + m2)) / sp.exp(-scale * m1)  # the larger margin is m1 + m2
assert sp.limit(ratio, scale, sp.oo) == 0

# %% [markdown]
# Weak duality: for q >= 0 with sum 1 and ||b||_1 <= 1, min_i <b, z_i c> <= sum_i q_i <b, z_i c> <=
# ||sum_i q_i z_i c||_inf. In numbers, with the package's l_1 max margin of the rescaled data: the
# certificate of a state is never above the true ratio, and 1 for a single example.
# %%
rng = np.random.default_rng(0)
for _ in range(20):
    flow = Flow(Data(rng.uniform(0.2, 2.0, (4, 3))), asam(rng.uniform(0.1, 0.9)))
    theta = rng.uniform(0.2, 2.0, (2, 3))
    scaled = factors(flow, theta)
    best = max_margin(Data(flow.data.z * scaled), 1)
    own = np.prod(theta, axis=0) * scaled
    true = (flow.data.z * scaled @ own).min() / np.abs(own).sum() * np.abs(best).sum()
    assert rescaled_certificate(flow, theta) <= true * (1 + 1e-12)
