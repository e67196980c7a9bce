# %% [markdown]
# Claim. With $\beta_j = \prod_l w^{(l)}_j$ the gradient of $\mathcal{L} =
# \frac{1}{n}\sum_i\ell(\langle\beta, z_i\rangle)$ in one weight is the formula, at any depth; SAM's
# gradient is the same expression at $\hat\theta = \theta+\epsilon(\theta)$. The derivative of
# $\mathcal{L}(\hat\theta)$ itself has one more term,
# $(d\epsilon/d\theta)^T\nabla\mathcal{L}(\hat\theta)$: zero for $\ell_\infty$ away from sign
# changes, for $\ell_2$ $(\rho/\|g\|)\,H\,(I-ff^T)\,\hat g$ with $f = g/\|g\|$ and $H$ the Hessian.
#
# Formula $\nabla_{w_j^{(l)}}\mathcal{L} = \frac{1}{n}\sum_i \ell'(m_i)\,z_{ij}\prod_{k\neq l}
# w_j^{(k)}$
#
# Assumes $\ell$ differentiable; for the extra term, a point where $\epsilon$ is differentiable.
#
# Used by flowsam.symbolic, flowsam.flow.
#
# Source: definition of SAM; linear diagonal network as in arXiv:2603.08290, section 2.

# %%
import math

import sympy as sp

from flowsam.symbolic import coordinate

ell = sp.Function("ell")

# %% [markdown]
# The gradient, any loss: two examples, two features, three layers, written out in full.
# %%
theta = sp.Matrix(3, 2, lambda layer, j: sp.Symbol(f"w{layer}_{j}", real=True))
z = sp.Matrix(2, 2, lambda i, j: sp.Symbol(f"z{i}_{j}", real=True))
beta = [sp.prod(theta[:, j]) for j in range(2)]
margins = [sum(beta[j] * z[i, j] for j in range(2)) for i in range(2)]
objective = sum(ell(m) for m in margins) / 2
x = sp.Symbol("x")
slopes = [ell(x).diff(x).subs(x, m) for m in margins]
for layer, j in [(layer, j) for layer in range(3) for j in range(2)]:
    others = sp.prod(theta[k, j] for k in range(3) if k != layer)
    claimed = sum(slopes[i] * z[i, j] for i in range(2)) / 2 * others
    assert sp.expand((objective.diff(theta[layer, j]) - claimed).doit()) == 0

# %% [markdown]
# Hence one coordinate is enough. The package's expressions, every depth and both losses.
# %%
m, m_hat = sp.symbols("m mhat", real=True)
for depth in range(1, 9):
    for loss in ("logistic", "exponential"):
        one = coordinate(depth, math.inf, loss=loss)
        for w, gradient in zip(one.w, one.gradient, strict=True):
            assert sp.expand(one.loss.diff(m) * one.margin.diff(w) - gradient) == 0

# %% [markdown]
# l_inf: between sign changes eps = rho sigma is constant, so the full derivative is SAM's gradient.
# %%
one = coordinate(3, math.inf)
moved = one.margin.subs(dict(zip(one.w, one.perturbed, strict=True)), simultaneous=True)
shift = {m_hat: moved, **dict(zip(one.w_hat, one.perturbed, strict=True))}
for w, sam in zip(one.w, one.sam_gradient, strict=True):
    full = one.loss.subs(m, moved).diff(w)
    assert sp.simplify(full - sam.subs(shift, simultaneous=True)) == 0
assert not any(one.extra)

# %% [markdown]
# l_2: differentiate eps = rho g/||g|| where g is the gradient of any potential V.
# %%
u, v = sp.symbols("u v", real=True)
rho = sp.Symbol("rho", positive=True)
V = sp.Function("V")(u, v)
g = sp.Matrix([V.diff(u), V.diff(v)])
norm = sp.sqrt(g.dot(g))
f, hessian = g / norm, sp.hessian(V, (u, v))
ghat = sp.Matrix(sp.symbols("ghat_1 ghat_2", real=True))
extra = (rho * f).jacobian([u, v]).T * ghat
claimed = rho / norm * hessian * (sp.eye(2) - f * f.T) * ghat
assert (extra - claimed).applyfunc(sp.expand) == sp.zeros(2, 1)

# %% [markdown]
# The package's extra term at depth 2 is this one, with its own symbols for g, N and H.
# %%
one = coordinate(2, 2.0)
N = sp.Symbol("N", positive=True)
g, ghat = sp.Matrix(one.g), sp.Matrix(one.g_hat)
h = sp.Matrix([[sp.Symbol("h_11"), sp.Symbol("h_12")], [sp.Symbol("h_12"), sp.Symbol("h_22")]])
claimed = rho / N * h * (sp.eye(2) - g * g.T / N**2) * ghat
assert (sp.Matrix(one.extra) - claimed).applyfunc(sp.expand) == sp.zeros(2, 1)
