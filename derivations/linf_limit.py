# %% [markdown]
# Claim. Under $\ell_\infty$-SAM with balanced, aligned starts the limit is 0 (even $L$) or $\rho^L$
# where $\alpha_j < \rho$ (odd $L$) if no $\alpha_j$ exceeds $\rho$; else it is the direction
# $\mathrm{sign}(\mu_j)\,e_j$ of the largest $|\mu_j|\,(\alpha_j-\rho)^{L-2}$ over $\alpha_j >
# \rho$. So every basis vector is the limit of some start, whatever $\mu$: the initialisation
# decides. At $L \geq 3$ the others stop where they are.
#
# Formula $j^\star = \mathrm{arg\,max}_{\alpha_j > \rho}\;|\mu_j|\,(\alpha_j-\rho)^{L-2}$
#
# Assumes $\ell' < 0$, $n = 1$, $L \geq 2$, all $|w^{(l)}_j|$ equal with product of signs
# $\mathrm{sign}(\mu_j)$, one largest score, and, where nothing escapes, no $\alpha_j = \rho$.
#
# Used by flowsam.outcomes, flowsam.outcomes.theorems.
#
# Source: arXiv:2603.08290, Theorem 3.2 and Corollary 3.5; the frozen coordinates: flowsam.

# %%
import sympy as sp

tau, rho, lead = sp.symbols("tau rho lead", positive=True)
mu_j, mu_k, z_j, z_k = sp.symbols("mu_j mu_k z_j z_k", positive=True)
n = sp.Symbol("n", integer=True, positive=True)  # L - 2

# %% [markdown]
# One coordinate: z = a - rho obeys z' = |mu| z^(L-1) (derivations/linf_trichotomy.py), so at L = 2
# a = rho + z0 e^(|mu| tau), and at L >= 3 z^-n = z0^-n - n |mu| tau for z > 0.
# %%
a = rho + z_j * sp.exp(mu_j * tau)
assert sp.simplify(a.diff(tau) - mu_j * (a - rho)) == 0
z = (z_j ** (-n) - n * mu_j * tau) ** (-1 / n)
assert sp.expand(z.diff(tau) - mu_j * z ** (n + 1)) == 0

# %% [markdown]
# L = 2. Among those above rho the largest |mu_j| wins: (a_k/a_j)^2 -> 0, with y = e^-tau.
# %%
y, gap = sp.symbols("y gap", positive=True)
size_k = y ** (mu_k + gap) * (rho + z_k * y ** (-mu_k))  # both over e^((mu_k + gap) tau)
size_j = y ** (mu_k + gap) * (rho + z_j * y ** (-mu_k - gap))
assert sp.limit(sp.expand(size_k), y, 0, "+") == 0
assert sp.limit(sp.expand(size_j), y, 0, "+") == z_j

# %% [markdown]
# L >= 3. The blow-up times 1/(n |mu| z0^n) are in the order of the scores S = |mu| z0^n, largest
# first. At the winner's, z_k^-n = (S_j - S_k)/(z0_k^n S_j) > 0: z_k is finite, beta_k/beta_j -> 0.
# %%
score_k = mu_k * z_k**n
score_j = score_k + lead
star = 1 / (n * score_j)
left = z_k ** (-n) - n * mu_k * star
assert sp.simplify(left - lead / (z_k**n * score_j)) == 0 and (lead / score_j).is_positive
assert sp.simplify(sp.diff(1 / (n * gap), gap)).is_negative

# %% [markdown]
# Equal scores: both blow up at once, and z_k/z_j = (|mu_j|/|mu_k|)^(1/n) is a number: a tie.
# %%
tied = z_j * (mu_j / mu_k) ** (1 / n)
power_j = z_j ** (-n) - n * mu_j * tau
power_k = tied ** (-n) - n * mu_k * tau
assert sp.simplify(sp.powdenest(power_k / power_j, force=True) - mu_k / mu_j) == 0

# %% [markdown]
# Below rho the size stays below rho for ever (y = rho - a): it is 0 from some time on or falls
# towards 0 at even L, and rises towards rho at odd L; so it is bounded and never wins. With nothing
# above rho there is no blow-up, tau -> inf, and the trichotomy gives 0 (even L) or rho^L (odd L).
# %%
below = sp.Symbol("below", positive=True)  # rho - alpha
for depth in (3, 5, 7):
    power = depth - 2
    size = rho - (below ** (-power) + power * mu_j * tau) ** (-sp.Rational(1, power))
    assert sp.simplify(size.diff(tau) - mu_j * (size - rho) ** (depth - 1)) == 0
    assert sp.limit(size.subs({rho: 2, below: 1, mu_j: 1}) ** depth, tau, sp.oo) == 2**depth

# %% [markdown]
# But a blow-up stops a coordinate short of rho: L = 3, |mu| = (1, 1.3), rho = .5, alpha = (1, .3)
# blows up at tau* = 2, when beta_2 is (7/19)^3, not 1/8.
# %%
half, rate = sp.Rational(1, 2), sp.Rational(13, 10)
star = 1 / (half * 1)
stopped = half - 1 / (1 / sp.Rational(1, 5) + rate * star)
assert star == 2 and stopped == sp.Rational(7, 19) and stopped**3 < sp.Rational(1, 8)

# %% [markdown]
# Any basis vector: alpha_j = rho + c and the others rho/2 leave j alone above rho, for every mu.
# %%
c = sp.Symbol("c", positive=True)
for j in range(3):
    alpha = [rho + c if k == j else rho / 2 for k in range(3)]
    assert [k for k, size in enumerate(alpha) if (size - rho).is_positive] == [j]

# %% [markdown]
# The package freezes it there, and names the winner.
# %%
from flowsam import Flow, balanced, limit, linf, single_example, solve

flow, start = Flow(single_example([1, 1.3]), linf(0.5)), balanced([1, 0.3], 3)
assert abs(solve(flow, start, tau_end=3).beta[-1, 1] - float(stopped**3)) < 1e-16
assert limit(flow, start).label == 1
