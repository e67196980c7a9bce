# %% [markdown]
# Claim. A tube $|y-p(t)| \leq r_1$ about a polynomial path holds on a step of length $h$ if
# $|y-p| \leq r_0$ at its start and the formula holds, $g$ the mean, over equal parts of the step,
# of bounds $\geq 0$ of the logarithmic norm of the Jacobian in the tube. Under $\ell_2$-SAM at
# $L = 2$ one proved start decides all that are at least (escape) or at most (collapse) as large in
# every $|s_j|$, $|e_j|$. A leader that is ahead where $N$ rises beyond $\rho\,(\mu_j+\mu_k)$, or
# falls below $\rho\,\min\mu$, stays ahead.
#
# Formula $r_1 > (r_0 + h\,\sup|p'-f(t,p)|)\,e^{g h} \;\Rightarrow\; |y-p|\le r_1$
#
# Assumes $f$ analytic where its balls are finite; $n = 1$, $\rho > 0$.
#
# Used by flowsam.certify.checking, flowsam.certify.leader_changes, flowsam.certify.plane_proofs.
#
# Source: flowsam; the inequality is the classical one of Dahlquist and Lozinskii.

# %%
import sympy as sp

t, h, r0, g, d = sp.symbols("t h r_0 g d", positive=True)
rho, tau = sp.symbols("rho tau", positive=True)

# %% [markdown]
# For e = |y - p| in the maximum norm, y' - p' = (f(y) - f(p)) + (f(p) - p') with f(y) - f(p) =
# M (y - p), M a mean of Jacobians: e' <= g e + d as long as y is in the tube (for the component
# where |y_i - p_i| is largest, |.|' <= M_ii e + sum_k |M_ik| e + d). There r = (r_0 + d t) E, where
# E' = g E with the bound g of each part and E = 1 at first, obeys r' >= g r + d, so that e <= r. r
# rises to the formula's right side: e <= r < r_1 never leaves the tube. For one component g is
# df/dy: the case of the scalar equation.
# %%
E = sp.Function("E")(t)
r = (r0 + d * t) * E
gap = (r.diff(t) - g * r - d).subs(E.diff(t), g * E)
assert sp.expand(gap - d * (E - 1)) == 0  # >= 0: E rises from 1
m = sp.Matrix(2, 2, sp.symbols("M_11 M_12 M_21 M_22", real=True))
x, y = sp.symbols("x y", real=True)
assert sp.expand((m * sp.Matrix([x, y]))[0] - m[0, 0] * x - m[0, 1] * y) == 0

# %% [markdown]
# The defect: Taylor's formula with Lagrange's remainder about the middle of a part of the step,
# the last coefficient over all of it. Half the width to the k bounds |t - middle|^k.
# %%
k = sp.Symbol("k", positive=True, integer=True)
middle = h / 2
assert (h - middle) == middle and (middle**k).is_positive

# %% [markdown]
# Order: (N/rho)^2 is a sum of positive multiples of |s_j(0)|^2, |e_j(0)|^2, and falls with A: of
# two ordered starts the larger has the smaller slope A' = rho/N wherever the A are equal, so the
# smaller A and, at equal tau, the larger N for ever (see l2_critical_scale).
# %%
nu, A, a0, N = sp.symbols("nu A a_0 N", positive=True)
term = nu**2 * a0**2 * sp.exp(2 * nu * tau - 2 * nu**2 * A) / (2 * rho**2)
assert term.diff(a0).is_positive and (-term.diff(A)).is_positive
assert sp.diff(1 / sp.sqrt(term), A).is_positive  # dA'/dA > 0: what is behind stays behind

# %% [markdown]
# Leaders: with S = s^2 and E = e^2 now, 4 beta = S - E, S' = 2 mu (1 - mu rho/N) S, E' =
# -2 mu (1 + mu rho/N) E: half of (log beta)' is mu (S + E)/(S - E) - mu^2 rho/N >= mu - mu^2 rho/N.
# %%
mu, S, E = sp.symbols("mu S E", positive=True)
S_rate, E_rate = 2 * mu * (1 - mu * rho / N) * S, -2 * mu * (1 + mu * rho / N) * E
half = (S_rate - E_rate) / (S - E) / 2
assert sp.simplify(half - mu * (S + E) / (S - E) + mu**2 * rho / N) == 0
assert sp.simplify((S + E) / (S - E) - 1 - 2 * E / (S - E)) == 0

# %% [markdown]
# 4|beta_k| <= max(S_k, E_k), whose halved rates are mu_k - mu_k^2 rho/N and less. The leader's is
# larger by (mu_j - mu_k)(1 - (mu_j + mu_k) rho/N) at least: not negative for mu_j >= mu_k where
# N >= rho (mu_j + mu_k), nor for mu_j <= mu_k where N <= rho (mu_j + mu_k); N rises for good after
# N' > 0, and falls for good below rho min mu (see l2_patterns). If s_k = 0 only E_k counts, with
# (mu_j + mu_k)(1 - (mu_j - mu_k) rho/N) instead.
# %%
j, i = sp.symbols("mu_j mu_k", positive=True)
rate = lambda m: m - m**2 * rho / N  # noqa: E731
assert sp.expand(rate(j) - rate(i) - (j - i) * (1 - (j + i) * rho / N)) == 0
shrinks = -i - i**2 * rho / N
assert sp.expand(rate(j) - shrinks - (j + i) * (1 - (j - i) * rho / N)) == 0

# %% [markdown]
# The package: one double on either side of alpha* for mu = (1, 2), each proved.
# %%
from importlib.util import find_spec

beside = ((0.5213212825996665, 0), (0.5213212825996666, 2))
if find_spec("flint"):  # the extra flowsam[certify]
    from flowsam.certify import Problem, prove

    for alpha, label in beside:
        proof = prove(Problem((1.0, 2.0), 1.0, 2.0, ((alpha, alpha), (alpha, alpha))))
        assert proof.label == label and proof.tube.steps
