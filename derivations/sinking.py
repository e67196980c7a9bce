# %% [markdown]
# Claim. At $L \geq 3$ a state of $\ell_p$-SAM, $1 < p < \infty$, with two layers $u, v$ of every
# coordinate small beside $\rho$ loses them for good: $r = (\sum_j u_j^2+v_j^2)^{1/2}$ reaches 0 in
# finite $\tau$, and none of the $n = L-2$ others $c$ changes by a share $1/(10n)$. With $a =
# |\mu|\prod|c|$, $b = \max a/c$, $K = \kappa\min a$, $\kappa = \min(1, (2d)^{1/q-1/2})$, it
# suffices that $12\,r\max a \leq \rho K$, $s = rb/(2K) \leq 1/(20n)$ and $\rho\,s^{q-1}+F \leq D =
# \min c/(10n)$, $F = 4(r+\rho)^2\,br/(\rho K)$. Unnormalised SAM brakes at a rate: with $m =
# \rho\,|\ell'|\min a-1 > 0$ and $y = \min(3m, 1)$, $r \to 0$ as $\tau \to \infty$ if
# $\rho\,|\ell'|\,br^2 + 8b\,(1+2\rho\,|\ell'|\max a)^2\,r^2/(y\min a) \leq yD$.
#
# Formula $r' \leq r\,\max_j a_j - \rho\,\kappa\,\min_j a_j$
#
# Assumes one example, $1/p+1/q = 1$, $d$ active coordinates; $|\ell'|$ at the worst $|m| \leq
# r^2\sum a$.
#
# Used by flowsam.outcomes.sinking.
#
# Source: flowsam; not in arXiv:2603.08290.

# %%
import numpy as np
import sympy as sp

from flowsam import Flow, l2, single_example
from flowsam.outcomes.sinking import sinking

a, hat, u, v, r, rho, q, N = sp.symbols("a a_hat u v r rho q N", positive=True)

# %% [markdown]
# The gradient is -sign a v in u, -sign a u in v, -sign a u v/c in c, sign = sign(mu prod w) (layers
# flipped until positive). With eps = rho g^(q-1)/N^(q-1), N = ||g||_q, and a_hat the a of perturbed
# c, one coordinate gives (u^2 + v^2)'/2 = 2 sign a_hat u v - rho a_hat a^(q-1) (u^q + v^q)/N^(q-1).
# %%
brake = rho * hat * a ** (q - 1) * (u**q + v**q) / N ** (q - 1)
for sign in (1, -1):
    eps_u, eps_v = (-sign * rho * (a * x) ** (q - 1) / N ** (q - 1) for x in (v, u))
    half = u * sign * hat * (v + eps_v) + v * sign * hat * (u + eps_u)
    assert sp.simplify(sp.expand(half - 2 * sign * hat * u * v + brake)) == 0

# %% [markdown]
# 2 u v <= u^2 + v^2: the first terms are at most r^2 max a_hat. Were a_hat = a and N that of u and
# v alone, the brakes were rho N >= rho min a ||(u, v)||_q >= rho K r: of 2d numbers the q-norm is
# least beside the 2-norm where all are equal (q > 2) or one is not 0. That is the formula.
# %%
alone = brake.subs({hat: a, u**q + v**q: (N / a) ** q})
assert sp.simplify(sp.expand_log(sp.log(alone) - sp.log(rho * N), force=True)) == 0

# %% [markdown]
# What is neglected. While no c, perturbed or not, has changed by 1/(10 n), a, a_hat and a/c are
# within 9/10 (Bernoulli) and e^(1/10) of their first values. In c, sum |g|^q <= n/2 (r/c)^q times
# that in u and v, as 2 (u v)^q <= u^(2q) + v^(2q), and r/c <= 2 s <= 1/(10 n) as b >= min a/min c:
# N exceeds that of u and v by 1/20 at most. So r falls at 3/5 rho K at least.
# %%
low, high = sp.Rational(9, 10), sp.Rational(10, 9)
assert sp.exp(sp.Rational(1, 10)) < high
assert (low / high) * low / sp.Rational(21, 20) - high / 12 > sp.Rational(3, 5)

# %% [markdown]
# In that time |c'| = (a_hat/c_hat) |u_hat v_hat| <= high b (r + rho)^2 moves c by less than F/2,
# and F >= 8 rho s. |eps_c| = rho (|g_c|/N)^(q-1) <= rho s^(q-1) with the present s, as 2 u v <=
# r^2.
# %%
b, K, s = sp.symbols("b K s", positive=True)
F = 4 * (r + rho) ** 2 * b * r / (rho * K)
assert high * b * (r + rho) ** 2 * r / (sp.Rational(3, 5) * rho * K) / F < sp.Rational(1, 2)
assert sp.expand(F.subs(b, 2 * K * s / r) - 8 * rho * s).is_positive

# %% [markdown]
# q <= 2, rho s^(q-1) = x D, F <= (1 - x) D: f = (1 - x)/20 bounds what moves, so the present s is
# at most e^f/(1 - f) <= 1 + (1 - x)/5 of the first, and the sum stays below D: no c leaves its
# share. q > 2: rho s^(q-1) <= rho s, at the present s <= high/low/20 < 1 less than F/5.
# %%
x, f = sp.symbols("x f", positive=True)
most = sp.exp(sp.Rational(1, 20)) / (1 - sp.Rational(1, 20))  # e^f/(1 - f) = sum is convex in f
assert most < 1 + sp.Rational(1, 5)
room = 1 - x * (1 + (1 - x) / 5) - (1 - x) / 2  # positive for 0 < x < 1
assert sp.expand(room - (1 - x) * (sp.Rational(1, 2) - x / 5)) == 0
assert high / (8 * low) < sp.Rational(1, 5)

# %% [markdown]
# Unnormalised, lambda = |ell'|: eps_v = -sign rho lambda a u, so (u^2 + v^2)'/2 is at most a_hat (1
# - rho lambda a) (u^2 + v^2). A change of c by a share y/(10 n) leaves 3/5 m >= y/5 of m.
# %%
lam, m, k, least, y = sp.symbols("lambda m k a_min y", positive=True)
for sign in (1, -1):
    half = hat * (2 * sign * u * v - rho * lam * a * (u**2 + v**2))
    steps = [-sign * rho * lam * a * other for other in (v, u)]
    assert sp.expand(u * sign * hat * (v + steps[1]) + v * sign * hat * (u + steps[0]) - half) == 0
left = [sp.expand((1 + m) * (1 - z / 10) - 1 - sp.Rational(3, 5) * m) for z in (3 * m, sp.S.One)]
assert sp.expand(left[0] - sp.Rational(3, 10) * m * (sp.Rational(1, 3) - m)) == 0  # 3 m < 1
assert sp.expand(left[1] - sp.Rational(3, 10) * (m - sp.Rational(1, 3))) == 0

# %% [markdown]
# r^2 falls at the rate 2 low (3/5) m min a; |u_hat v_hat| <= (1 + k)^2 r^2/2, k = rho lambda max a;
# |eps_c| <= rho lambda high b r^2/2: c changes by less than the claim's left side, at most y D.
# %%
moved = high * b * (1 + k) ** 2 / 2 * r**2 / (2 * low * sp.Rational(3, 5) * (y / 3) * least)
assert moved / (8 * b * (1 + k) ** 2 * r**2 / (y * least)) < 1 and high / 2 < 1

# %% The package: c = mu = rho = 1, p = 2, so that b = K = 1, s = r/2 = u/2^(1/2): at the bound on c
edge = sp.nsolve(r / 2 + F.subs({rho: 1, b: 1, K: 1}) - sp.Rational(1, 10), r, 0.02) / sp.sqrt(2)
small = float(edge) * np.array([0.999, 1.001])
states = np.stack([np.ones(2), small, small])[:, None]
assert sinking(Flow(single_example([1.0]), l2(1.0)), states).tolist() == [True, False]
