# %% [markdown]
# Claim. At $L = 2$ gradient flow and $\ell_2$-SAM go to an $\ell_1$ max-margin direction: a
# direction and shares $q$ that converge satisfy its optimality conditions.
#
# Formula $\min_i m_i/\|\beta\|_1 \;\leq\; \gamma_1^\star \;\leq\; \|\sum_i q_i z_i\|_\infty$
#
# Assumes linearly separable data that a predictor within the signs of a balanced start separates;
# that the loss tends to 0; that $\beta/\|\beta\|$ and $q$ converge. Balanced starts, $u = v > 0$.
#
# Used by flowsam.outcomes.late_verdicts, flowsam.outcomes.survivors, flowsam.margin.
#
# Source: arXiv:2603.08290, Theorem 4.2, which assumes that directions converge.

# %%
import sympy as sp

from flowsam.symbolic import coordinate

# %% [markdown]
# u = v = w in every coordinate. The rescaled gradient field is F = G w in both layers, G = sum q z,
# so N = sqrt(2) |G w|, and l_2-SAM moves w_hat = w (1 - rho G/N): w' = G_hat w_hat.
# %%
w, G, G_hat, rho, N = sp.symbols("w G G_hat rho N", positive=True)
one = coordinate(2, None)
slope, m = one.loss.diff(sp.Symbol("m", real=True)), sp.Symbol("m", real=True)
assert [sp.simplify(g / slope / sp.Symbol("mu", real=True)) for g in one.gradient] == list(
    one.w[::-1]
)
w_hat = w - rho * (G * w) / N
growth = sp.expand(G_hat * w_hat / w)
assert sp.simplify(growth - G_hat * (1 - rho * G / N)) == 0

# %% [markdown]
# N is at least sqrt(2) |G_j| w_j for every j, and w grows without bound where the margins do: the
# growth rate of log beta_j = 2 log w_j is 2 G_j in the limit, for GD (rho = 0) and l_2-SAM alike.
# %%
assert sp.limit(growth, N, sp.oo) == G_hat
assert growth.subs(rho, 0) == G_hat

# %% [markdown]
# Dual feasibility: if G_k < G_j in the limit then beta_k / beta_j tends to 0, so the entries of the
# direction's support share the largest G_j, and no other is larger: |G|_inf is reached there.
# %%
tau, gap = sp.symbols("tau gap", positive=True)
assert sp.limit(sp.exp(2 * (G - gap) * tau) / sp.exp(2 * G * tau), tau, sp.oo) == 0

# %% [markdown]
# Complementarity: shares are e^{-m_i} normalised at late times; an example whose margin exceeds the
# smallest by a fixed share of a growing norm gets none.
# %%
size, more = sp.symbols("size more", positive=True)
assert sp.limit(sp.exp(-more * size) / (1 + sp.exp(-more * size)), size, sp.oo) == 0
assert sp.limit(sp.exp(-m) / (1 + sp.exp(-m)) / sp.exp(-m), m, sp.oo) == 1

# %% [markdown]
# These are optimality conditions: for q >= 0 of sum 1 and any beta, min m <= <beta, G> <=
# |beta|_1 |G|_inf. On the limit both are equalities, so its ratio min m / |beta|_1 = |G|_inf is the
# largest there is.
# %%
z = sp.Matrix(3, 2, sp.symbols("z_1:7", real=True))
beta = sp.Matrix(sp.symbols("beta_1:3", nonnegative=True))
q = sp.Matrix(sp.symbols("q_1:4", nonnegative=True))
pull = z.T * q
assert sp.expand(q.dot(z * beta) - beta.dot(pull)) == 0
top, below = sp.symbols("top below", nonnegative=True)
bound = (beta[0] + beta[1]) * top - (beta[0] * top + beta[1] * (top - below))
assert sp.expand(bound - beta[1] * below) == 0 and bound.expand().is_nonnegative
least, spare = sp.symbols("least spare", nonnegative=True)
margins = sp.Matrix([least, least, least + spare])
assert sp.expand(q.dot(margins) - least * sum(q) - q[2] * spare) == 0

# %% [markdown]
# The package's certificate of a state is this ratio: at l_1, with the shares q of Flow.pull.
# %%
import numpy as np

from flowsam import Data, Flow, gradient_flow
from flowsam.outcomes.survivors import state_certificate
from flowsam.regimes import case_of

flow = Flow(Data([[2.0, 1.0], [1.0, 3.0]]), gradient_flow())
theta = np.array([[1.0, 2.0], [1.0, 2.0]])
least = (flow.data.z @ theta.prod(axis=0)).min() / theta.prod(axis=0).sum()
own = least / np.abs(flow.pull(theta)[0]).max()
assert np.isclose(state_certificate(case_of(flow, 2), theta, 1, np.ones(2)), own, rtol=1e-12)
