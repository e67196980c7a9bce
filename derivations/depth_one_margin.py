# %% [markdown]
# Claim. At depth 1 gradient flow, $\ell_2$-SAM and $\ell_\infty$-SAM follow $w = b\log t + r$, with
# $b$ the $\ell_2$ max-margin vector of the data: all tend to its direction. For one example every
# rule keeps to the line $w(0) + s\mu$ of gradient flow.
#
# Formula $w = b\,\log t + r, \quad b = \mathrm{arg\,min}\,\{\|b\|_2 : \langle b, z_i\rangle \geq
# 1\}$
#
# Assumes linearly separable data; exponential tails of the loss; for the line, that the direction
# of $w$ converges and that every support vector has a positive weight.
#
# Used by flowsam.rates, flowsam.outcomes.late_verdicts, flowsam.margin.
#
# Source: arXiv:2603.08290, Theorems 3.1 and 4.1; the line with its offset: flowsam.

# %%
import sympy as sp

t = sp.Symbol("t", positive=True)
n = sp.Symbol("n", positive=True, integer=True)

# %% [markdown]
# One example: the gradient is ell'(m_hat) mu at any perturbed point, so the velocity is along mu.
# %%
m_hat, rho = sp.symbols("m_hat rho", real=True)
mu = sp.Matrix(sp.symbols("mu_1:4", real=True))
w = sp.Matrix(sp.symbols("w_1:4", real=True))
eps = sp.Matrix(sp.symbols("e_1:4", real=True))
loss = sp.log(1 + sp.exp(-(mu.dot(w))))
velocity = -sp.Matrix([loss.diff(x) for x in w]).subs(dict(zip(w, w + eps, strict=True)))
for j in range(3):
    for k in range(3):
        assert sp.simplify(velocity[j] * mu[k] - velocity[k] * mu[j]) == 0

# %% [markdown]
# Weak duality: for q >= 0 of sum 1, min m_i <= sum q_i m_i = <beta, sum q_i z_i> <= |beta| |g|.
# %%
z = sp.Matrix(3, 2, sp.symbols("z_1:7", real=True))
beta = sp.Matrix(sp.symbols("beta_1:3", real=True))
q = sp.Matrix(sp.symbols("q_1:4", nonnegative=True))
g = z.T * q
assert sp.expand(q.dot(z * beta) - beta.dot(g)) == 0
cauchy = beta.dot(beta) * g.dot(g) - beta.dot(g) ** 2
assert sp.expand(cauchy - (beta[0] * g[1] - beta[1] * g[0]) ** 2) == 0

# %% [markdown]
# b = sum a_i z_i with a >= 0, margins >= 1, and = 1 where a_i > 0, is the shortest such vector:
# for any other, |beta|^2 - |b|^2 = |beta - b|^2 + 2 sum a_i (m_i(beta) - m_i(b)), and
# a_i (m_i(b) - 1) = 0.
# %%
a = sp.Matrix(sp.symbols("a_1:4", nonnegative=True))
b = z.T * a
excess = beta.dot(beta) - b.dot(b) - (beta - b).dot(beta - b)
assert sp.expand(excess - 2 * a.dot(z * beta - z * b)) == 0

# %% [markdown]
# On w = b log t + r with <r, z_i> = -log(n a_i) - <eps, z_i> on the support, the loss gradient is
# b / t, the velocity of that line: e^{-m_hat_i} / n = a_i / t there.
# %%
weight, push = sp.Symbol("a", positive=True), sp.Symbol("push", real=True)
offset = -sp.log(n * weight) - push
perturbed_margin = sp.log(t) + offset + push
assert sp.simplify(sp.exp(-perturbed_margin) / n - weight / t) == 0
assert sp.diff(sp.log(t), t) == 1 / t

# %% [markdown]
# An example whose margin under b is 1 + gap falls behind: its pull times t tends to 0. The logistic
# slope is the exponential one up to a factor that tends to 1.
# %%
gap, shift = sp.Symbol("gap", positive=True), sp.Symbol("shift", real=True)
assert sp.limit(t * sp.exp(-(1 + gap) * sp.log(t) - shift), t, sp.oo) == 0
m = sp.Symbol("m", real=True)
assert sp.limit(sp.exp(m) / (1 + sp.exp(m)), m, sp.oo) == 1

# %% [markdown]
# eps is bounded (||eps||_p <= rho), so it enters r alone; the direction is that of b.
# %%
slope, bounded = sp.symbols("slope bounded", positive=True)
assert sp.limit((slope * sp.log(t) + bounded) / (slope * sp.log(t)), t, sp.oo) == 1

# %% [markdown]
# The package's line under l_2-SAM: its slope is sum a_i z_i, and on the support
# <r, z_i> = -log(n a_i) - <eps, z_i> with eps = -rho b/||b||.
# %%
import numpy as np

from flowsam import Data, l2, margin_certificate, max_margin
from flowsam.rates import depth_one_asymptote

data = Data([[1.0, 0.2], [0.3, 1.0], [2.0, 2.0]])
line = depth_one_asymptote(data, l2(0.3), [1.0, 1.0])
dual = margin_certificate(data, 2, max_margin(data, 2)).dual
assert np.allclose(dual @ data.z, line.slope, rtol=1e-12)
on = dual > 1e-9
step = -0.3 * line.slope / np.linalg.norm(line.slope)
left = data.z[on] @ (line.offset + step) + np.log(3 * dual[on])
assert on.sum() == 2 and np.abs(left).max() < 1e-12
