# %% [markdown]
# Claim. Along every path of $\ell_2$-SAM with two layers and one example, $N$ rises (and the flow
# escapes), falls (and it collapses, or tends to a saddle), or falls, then rises (and it escapes):
# once $N' > 0$, always. $\tau/A$ does the same. So minor first may begin with a descent of the
# leader.
#
# Formula $(\log N)'' = 2\,\mathrm{Var}(\nu-v\nu^2)+v\,\langle\nu^2\rangle\,(\log N)', \quad
# v=\rho/N$
#
# Assumes $\ell' < 0$, $n = 1$, $L = 2$, $\rho > 0$; any real start and $\mu$.
#
# Used by flowsam.amplification.pattern, flowsam.exact.l2_march, flowsam.exact.l2_curve.
#
# Source: flowsam.

# %%
import numpy as np
import sympy as sp

from flowsam.amplification import pattern
from flowsam.exact.l2_two_layer import read

tau = sp.Symbol("tau", positive=True)
rates = sp.symbols("nu_1:4", real=True, nonzero=True)  # three stand for any number
weights = sp.symbols("c_1:4", positive=True)
A = sp.Function("A")(tau)

# %% [markdown]
# (N/rho)^2 is a sum of exponentials (l2_two_layer). Write <f> for means under it, v = rho/N = A'.
# Then (log N)' = <nu (1 - nu v)>. Any moment can be moved to tau = A = 0: c are its weights.
# %%
terms = [c * sp.exp(2 * n * tau - 2 * n**2 * A) for c, n in zip(weights, rates, strict=True)]
log_norm = sp.log(sum(terms)) / 2
v = sp.Symbol("v", positive=True)


def mean(f):
    """The mean of a function of the rate."""
    return sum(c * f(n) for c, n in zip(weights, rates, strict=True)) / sum(weights)


def moment(expression):
    """The value at a moment, with A' = v and A'' = v' = -v (log N)'."""
    slope = mean(lambda n: n * (1 - n * v))
    expression = expression.subs(A.diff(tau, 2), -v * slope).subs(A.diff(tau), v)
    return expression.subs(A, 0).subs(tau, 0)


def vanishes(expression):
    """Whether a rational expression is 0."""
    return sp.expand(sp.numer(sp.together(expression))) == 0


first = moment(log_norm.diff(tau))
assert vanishes(first - mean(lambda n: n * (1 - n * v)))
# %% [markdown]
# (log N)'' = 2 Var(nu - v nu^2) + v <nu^2> (log N)'. Where N' = 0 it is a variance: N turns
# upwards only. It vanishes only if nu (1 - nu v) is the same for all rates that carry weight, so
# 0: one rate, nu = N/rho, a saddle, where the path stays.
# %%
second = moment(log_norm.diff(tau, 2))
h = [n - v * n**2 for n in rates]
variance = mean(lambda n: (n - v * n**2) ** 2) - mean(lambda n: n - v * n**2) ** 2
assert vanishes(second - 2 * variance - v * mean(lambda n: n**2) * first)
pairs = sum(weights[i] * weights[j] * (h[i] - h[j]) ** 2 for i in range(3) for j in range(i))
assert vanishes(variance * sum(weights) ** 2 - pairs)
assert sp.solve(h[0], rates[0]) == [1 / v]
# %% [markdown]
# Hence N' > 0 persists: after its first zero crossing (log N)' solves q' >= v <nu^2> q. N then has
# no finite limit (there every exponent would stand still), so it escapes. And N <= rho nu for
# every rate nu > 0 that carries weight makes every exponent fall, nu (1 - nu rho/N) <= 0 (nu < 0:
# always), so N falls and stays below: collapse, unless N = rho nu and nothing else is left: the
# saddle.
# %%
nu, N, rho = sp.symbols("nu N rho", positive=True)
exponent_rate = 2 * nu * (1 - nu * rho / N)
assert sp.simplify(exponent_rate.subs(N, rho * nu)) == 0
assert exponent_rate.diff(N).is_positive
assert sp.simplify((-nu) * (1 + nu * rho / N)).is_negative
# %% [markdown]
# At the collapse N ~ rho m^2 (tau_c - tau), m the smallest |rate| left: A = -log(tau_c - tau)/m^2
# + c solves A' = rho/N with N = C exp(-m^2 A), so tau_c is finite.
# %%
m, left, C = sp.symbols("m x C", positive=True)  # left = tau_c - tau
path = sp.log(C / (rho * m**2 * left)) / m**2
norm = C * sp.exp(-(m**2) * path)
assert sp.simplify(norm - rho * m**2 * left) == 0
assert sp.simplify(-path.diff(left) - rho / norm) == 0  # d/dtau = -d/dx
# %% [markdown]
# tau/A starts at N(0)/rho; its slope has the sign of N A - rho tau, and (N A/rho - tau)' = N'
# A/rho: it falls while N falls, then turns once.
# %%
a = sp.Symbol("a", positive=True)
ratio_slope = sp.simplify((1 / A - tau * A.diff(tau) / A**2).subs(A.diff(tau), rho / N).subs(A, a))
assert sp.simplify(ratio_slope - (N * a - rho * tau) / (N * a**2)) == 0
norm_of = sp.Function("N")(tau)
turning = (norm_of * A / rho - tau).diff(tau).subs(A.diff(tau), rho / norm_of)
assert sp.simplify(turning - norm_of.diff(tau) * A / rho) == 0

# %% The package: which way N goes, early and late, from three starts on one ray
mu, starts = np.array([1, 2]), np.array([0.3, 0.55, 0.7])[:, None, None] * np.ones((2, 2))
run = read(starts, mu, 1.0).weights([0.0, 0.05, 3.0, 3.1])
ways = np.sign(np.diff(np.linalg.norm(mu * run, axis=(-2, -1))))[:, ::2]
assert ways.tolist() == [[-1, 0], [-1, 1], [1, 1]]  # 0: at rest since the collapse
assert pattern(starts, mu, rho=1.0).tolist() == [-1, 0, 1]
