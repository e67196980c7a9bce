# %% [markdown]
# Claim. In the space of balanced starts $\alpha > 0$ the region of $e_j$ is, for distinct $|\mu|$,
# the box $\alpha_j > \rho$, $\alpha_k \leq \rho$ for every $|\mu_k| > |\mu_j|$ ($L = 2$), and the
# polyhedral cone $\alpha_k-\rho < (|\mu_j|/|\mu_k|)^{1/(L-2)}\,(\alpha_j-\rho)$ at $(\rho, \ldots,
# \rho)$ ($L \geq 3$). Independent starts with $P(\alpha > \rho) = p$ go at $L = 2$ to the $j$-th
# largest $|\mu|$ with probability $p\,(1-p)^{j-1}$ and to none with $(1-p)^d$; at $L \geq 3$ $e_j$
# has $\int_\rho^\infty\prod_{k \neq j}F_k(c_k(x))\,dF_j(x)$, with $c_k$ the line that bounds the
# cone.
#
# Formula $P(e_{(j)}) = p\,(1-p)^{j-1}, \quad P(0) = (1-p)^d \quad (L=2)$
#
# Assumes $n = 1$, $L \geq 2$, balanced aligned starts with continuous, independent sizes
# $\alpha_j$.
#
# Used by flowsam.regions, flowsam.regions.measure.
#
# Source: the rule, arXiv:2603.08290, Corollary 3.5; regions and probabilities: flowsam.

# %%
import sympy as sp

d, j = sp.symbols("d j", integer=True, positive=True)
p = sp.Symbol("p", positive=True)
n, c, ours, theirs, zeta, gap = sp.symbols("n c mu_j mu_k zeta gap", positive=True)

# %% [markdown]
# L >= 3, n = L - 2. The winner has the largest score |mu| (alpha - rho)^n over alpha > rho
# (derivations/linf_limit.py). The score grows with alpha, and k's equals j's on the line
# alpha_k - rho = (|mu_j|/|mu_k|)^(1/n) (alpha_j - rho): below it j beats k, whatever the sign of
# alpha_k - rho.
# %%
line = (ours / theirs) ** (1 / n) * zeta  # zeta = alpha_j - rho
assert sp.simplify(sp.powdenest(theirs * line**n, force=True) - ours * zeta**n) == 0
assert sp.diff(theirs * zeta**n, zeta).is_positive

# %% [markdown]
# The region is a cone at the corner: scaling all alpha - rho by c changes nothing, and the lines
# are linear in alpha, so the faces are flat. At L = 2 the score's order is that of |mu| alone.
# %%
assert sp.simplify(line.subs(zeta, c * zeta) - c * line) == 0
assert sp.diff(line, zeta, 2) == 0
assert sp.simplify((theirs * zeta**n).subs(n, 0)) == theirs

# %% [markdown]
# L = 2, independent sizes: the j - 1 larger entries at or below rho and alpha_j above. The terms
# add up to 1, fall by the factor 1 - p < 1, and the first is below 1: the major coordinate is the
# favourite and no more.
# %%
chance = p * (1 - p) ** (j - 1)
for count in range(1, 8):
    total = sum(chance.subs(j, k) for k in range(1, count + 1)) + (1 - p) ** count
    assert sp.expand(total) == 1
assert sp.simplify(chance.subs(j, j + 1) / chance) == 1 - p
assert sp.solve(chance.subs(j, 1) - 1, p) == [1]

# %% [markdown]
# L >= 3. Put s = |mu_j| (x - rho)^n in j's integral: line_k(x) is the size at which k's score is
# s, so with G_k the law of k's score the integrals are int prod_{k != j} G_k dG_j over s > 0. Their
# sum is the integral of (prod G_k)', 1 - prod F_k(rho): with "none" the total is 1.
# %%
s = sp.Symbol("s", positive=True)
size_at = (s / theirs) ** (1 / n)  # alpha_k - rho at score s
assert sp.simplify(sp.powdenest(size_at.subs(s, ours * zeta**n) / line, force=True)) == 1
laws = [sp.Function(f"G{k}")(s) for k in range(4)]
terms = [sp.prod(g for g in laws if g is not h) * h.diff(s) for h in laws]
assert sp.expand(sp.prod(laws).diff(s) - sum(terms)) == 0

# %% [markdown]
# Equal |mu|: by symmetry each wins with probability (1 - (1-p)^d)/d, here from the integral itself
# with y = F(x), from 1 - p to 1.
# %%
y = sp.Symbol("y", positive=True)
for count in range(1, 7):
    won = sp.integrate(y ** (count - 1), (y, 1 - p, 1))
    assert sp.expand(won - (1 - (1 - p) ** count) / count) == 0

# %% [markdown]
# A volume by hand: L = 3, |mu| = (1, 2), rho = 1/2, box (0, 2)^2. e_1 lies below the line of slope
# 1/2, e_2 to its upper left, zero's square at the corner: 21/16 + 39/16 + 1/4 = 4.
# %%
x, half = sp.Symbol("x"), sp.Rational(1, 2)
first = sp.integrate(half + (x - half) / 2, (x, half, 2))
second = sp.integrate(half + 2 * (x - half), (x, half, sp.Rational(5, 4))) + 2 * sp.Rational(3, 4)
assert (first, second) == (sp.Rational(21, 16), sp.Rational(39, 16))
assert first + second + half**2 == 4

# %% [markdown]
# The package: these volumes as probabilities of uniform starts, and p (1-p)^(j-1).
# %%
from scipy.stats import uniform

from flowsam.regions import regions

cube = regions([1, 2], 0.5, 3)
for label, volume in ((1, first), (2, second), (-4, half**2)):  # -4: none, L odd
    assert abs(cube.probability(label, uniform(0, 2)) - float(volume) / 4) < 1e-9
assert abs(regions([1, 2], 0.5, 2).probability(1, uniform(0, 2)) - 3 / 4 * 1 / 4) < 1e-12
