# %% [markdown]
# Claim. The maximum of $\langle\epsilon, g\rangle$ over $\|\epsilon\|_p \leq \rho$ is
# $\rho\,\|g\|_q$, $1/p+1/q = 1$, reached at $\epsilon =
# \rho\,\mathrm{sign}(g)\,|g|^{q-1}/\|g\|_q^{q-1}$. For $p = \infty$ this is
# $\rho\,\mathrm{sign}(g)$, and as $p \to 1$ all of $\rho$ goes to the largest $|g|$.
#
# Formula $\epsilon = \rho\,\mathrm{sign}(g)\,|g|^{q-1}/\|g\|_q^{q-1}, \quad 1/p+1/q=1$
#
# Assumes $g \neq 0$. For $1 < p < \infty$ the maximiser is unique.
#
# Used by flowsam.perturbations, flowsam.symbolic.
#
# Source: definition of SAM for an l_p ball; equality case of Hoelder's inequality.

# %%
import sympy as sp

from flowsam.symbolic import coordinate

s = sp.Symbol("s", positive=True)
p, q = 1 + s, (1 + s) / s  # every p in (1, inf) once
assert sp.simplify(1 / p + 1 / q) == 1

# %% [markdown]
# Young: a b <= a^p/p + b^q/q for a, b > 0. The gap is convex in a, and 0 at its only stationary
# point a = b^(q-1), so it is positive elsewhere.
# %%
a, b = sp.symbols("a b", positive=True)
gap = a**p / p + b**q / q - a * b
best = b ** sp.simplify(q - 1)
assert sp.simplify(gap.diff(a).subs(a, best)) == 0
assert sp.simplify(gap.diff(a, 2) - s * a ** (s - 1)) == 0  # > 0
assert sp.simplify(sp.powsimp(sp.expand(gap.subs(a, best)))) == 0

# %% [markdown]
# Sum Young over u_k = |eps_k|/rho and v_k = |g_k|/||g||_q: sum u v <= 1/p + 1/q = 1, which is
# <eps, g> <= rho ||g||_q. Equality needs u_k = v_k^(q-1) and equal signs in every entry: the claim,
# and its uniqueness. That this eps lies on the ball and attains the bound is two exponents,
# ||eps||_p^p = rho^p sum v^((q-1)p) and <eps, g> = rho ||g||_q sum v^((q-1)+1), with sum v^q = 1.
# %%
assert sp.simplify((q - 1) * p - q) == 0
assert sp.simplify((q - 1) + 1 - q) == 0

# %% [markdown]
# The same with three entries written out, for two exponents.
# %%
rho = sp.Symbol("rho", positive=True)
g = sp.symbols("g_1:4", positive=True)
for number in (sp.Integer(3), sp.Rational(3, 2)):
    dual = number / (number - 1)
    norm = sum(x**dual for x in g) ** (1 / dual)
    eps = [rho * x ** (dual - 1) / norm ** (dual - 1) for x in g]
    attained = sum(e * x for e, x in zip(eps, g, strict=True)) / norm
    assert sp.simplify(sum(e**number for e in eps) / rho**number) == 1
    assert sp.simplify(attained) == rho

# %% [markdown]
# The ends. p = inf, q = 1: |g|^0 = 1, the signs alone. p -> 1, s -> 0: the share of an entry
# smaller than the largest by a factor below 1 vanishes.
# %%
ratio = 1 / (1 + sp.Symbol("c", positive=True))  # |g_k| over the largest
assert sp.limit(1 / s, s, sp.oo) == 0  # q - 1 -> 0 as p -> inf
assert sp.limit(ratio ** (1 / s), s, 0, "+") == 0

# %% [markdown]
# The package writes the same step: sign, power q - 1, the norm to the power q - 1.
# %%
norm = sp.Symbol("N", positive=True)
for number, power in ((3, sp.Rational(1, 2)), (1.5, sp.Integer(2)), (2, sp.Integer(1))):
    one = coordinate(2, number)
    sign = sp.Symbol("sigma_1", real=True)
    claimed = one.w[0] + rho * sign * (sp.Abs(one.g[0]) / norm) ** power
    both = (claimed - one.perturbed[0]).subs(sign, sp.sign(one.g[0]))
    for value in (-2, 5):
        assert sp.simplify(both.subs(one.g[0], value)) == 0

# %% [markdown]
# In numbers: Perturbation.epsilon at p = 3.
# %%
import numpy as np

from flowsam.perturbations import lp

at, numbers = np.array([[1.0, -2.0, 3.0]]), (sp.Integer(1), sp.Integer(2), sp.Integer(3))
cube = sum(x ** sp.Rational(3, 2) for x in numbers) ** sp.Rational(1, 3)
own = [float(sp.sqrt(x) / cube) for x in numbers]  # rho = 1, q - 1 = 1/2
assert np.allclose(lp(1, p=3).epsilon(at)[0], np.array([1, -1, 1]) * own, rtol=1e-14)
