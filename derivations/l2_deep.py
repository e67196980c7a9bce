# %% [markdown]
# Claim. Three layers and more, $\ell_2$-SAM, one example, balanced start: the order of $\mu_j
# w_j^{L-2}$ never changes, so a smaller $\mu$ may lead in size only within $\beta_k/\beta_d \leq
# (\mu_d/\mu_k)^{L/(L-2)}$ of a uniform start. At odd $L$ no weight ever falls, and nothing
# collapses; at even $L$ a collapse is along $w_j \sim \mu_j^{-1/(L-2)}$, all coordinates together.
# The equilibria on a support $S$ are $w_j = \rho\,\mu_j^{-1/(L-2)}/\sqrt{L\sum_S\mu_i^{-2/(L-2)}}$.
#
# Formula $\dot w_j/w_j = (N/\rho)\,r_j(1-r_j)^{L-1}, \quad r_j=\rho\,\mu_j w_j^{L-2}/N$
#
# Assumes $\ell' < 0$, $n = 1$, $L \geq 3$, $\rho > 0$, $\mu > 0$, all layers equal and positive.
#
# Used by flowsam.outcomes.balanced_l2.
#
# Source: flowsam.

# %%
import sympy as sp

rho, N, r = sp.symbols("rho N r", positive=True)
mu_j, mu_k = sp.symbols("mu_j mu_k", positive=True)

# %% [markdown]
# The definition. Every layer has the gradient ell' mu_j w_j^{L-1}, so the norm over all layers is
# |ell'| N with N^2 = L sum mu_j^2 w_j^{2L-2}, and theta_hat is balanced again. Balanced starts
# stay so: w_j' = mu_j (w_j - rho mu_j w_j^{L-1}/N)^{L-1}.
# %%
slope = sp.Symbol("c", negative=True)
for L in (3, 4, 5):
    layers = sp.symbols(f"w_1:{L + 1}", positive=True)
    other = sp.symbols("q", positive=True)  # mu_k^2 w_k^{2L-2} of the other coordinates
    gradients = [slope * mu_j * sp.prod(layers) / w for w in layers]
    equal = dict.fromkeys(layers, layers[0])
    square = sum(g**2 for g in gradients).subs(equal) + slope**2 * L * other
    claimed = slope**2 * L * (mu_j**2 * layers[0] ** (2 * L - 2) + other)
    assert sp.expand(square - claimed) == 0
    hats = [w + rho * g / (-slope * N) for w, g in zip(layers, gradients, strict=True)]
    velocity = mu_j * sp.prod(hats[1:]).subs(equal)
    w = layers[0]
    assert sp.simplify(velocity - mu_j * (w - rho * mu_j * w ** (L - 1) / N) ** (L - 1)) == 0

# %% [markdown]
# With r_j = rho mu_j w_j^{L-2}/N: w_j'/w_j = (N/rho) phi(r_j), phi(r) = r (1 - r)^{L-1}.
# Coordinates of equal r move alike, so (uniqueness) the order of r, that of mu_j w_j^{L-2}, is
# kept for ever. From a uniform start mu_d w_d^{L-2} is the largest, so beta_k/beta_d is at most
# (mu_d/mu_k)^{L/(L-2)} always.
# %%
for L in (3, 4, 5):
    w = sp.Symbol("w", positive=True)
    ratio = rho * mu_j * w ** (L - 2) / N
    velocity = mu_j * (w - rho * mu_j * w ** (L - 1) / N) ** (L - 1)
    assert sp.expand(velocity / w - N / rho * ratio * (1 - ratio) ** (L - 1)) == 0
    phi = (r * (1 - r) ** (L - 1)).diff(r)
    assert sp.expand(phi - (1 - r) ** (L - 2) * (1 - L * r)) == 0  # Lipschitz

# %% [markdown]
# Odd L: phi >= 0, an even power, so no weight falls. Even L: phi < 0 exactly for r > 1.
# %%
assert all((sp.Symbol("x", real=True) ** (L - 1)).is_nonnegative for L in (3, 5))
assert all((r * (1 - r) ** (L - 1)).subs(r, 1 + mu_j).is_negative for L in (4, 6))

# %% [markdown]
# Equilibria: r = 1 on the support, w_j = (N/(rho mu_j))^{1/(L-2)}; with the definition of N. In
# x_j = mu_j^{1/(L-2)} all of it is rational.
# %%
x_j, x_k = sp.symbols("x_j x_k", positive=True)
for L in (3, 4, 5):
    w = [rho / (x * sp.sqrt(L * (x_j**-2 + x_k**-2))) for x in (x_j, x_k)]
    square = L * sum(
        x ** (2 * L - 4) * y ** (2 * L - 2) for x, y in zip((x_j, x_k), w, strict=True)
    )
    for x, y in zip((x_j, x_k), w, strict=True):  # (rho mu w^{L-2})^2 = N^2
        assert sp.simplify((rho * x ** (L - 2) * y ** (L - 2)) ** 2 / square) == 1

# %% [markdown]
# Collapse at even L: w_j = a x^{q} mu_j^{-1/(L-2)} makes all r equal and N ~ w^{L-1}: r grows like
# rho/w, and to leading order w' = -C with C > 0: the origin in finite time, all together.
# %%
for L in (4, 6):
    a, total = sp.symbols("a T", positive=True)  # w_j = a mu_j^{-p}, T = sum mu_i^{-2p}
    p = sp.Rational(1, L - 2)
    w = a * mu_j**-p
    norm = sp.sqrt(L * total) * a ** (L - 1)  # mu^2 w^{2L-2} = a^{2L-2} mu^{-2p}
    square = sp.powsimp(mu_j**2 * w ** (2 * L - 2) / (a ** (2 * L - 2) * mu_j ** (-2 * p)))
    assert sp.simplify(square) == 1
    velocity = mu_j * (w - rho * mu_j * w ** (L - 1) / norm) ** (L - 1)
    limit = sp.simplify(velocity.subs(a, 0) * mu_j**p)
    assert limit.is_negative and not limit.has(mu_j)  # the same for every coordinate

# %% [markdown]
# The package's field at L = 4.
# %%
import numpy as np

from flowsam import Flow, balanced, l2, single_example

size, rate = np.array([0.7, 1.2]), np.array([1.0, 2.0])
ratio = rate * size**2 / (2 * np.linalg.norm(rate * size**3))  # r, rho = 1, sqrt(L) = 2
own = rate * (size * (1 - ratio)) ** 3
assert np.allclose(Flow(single_example(rate), l2(1)).field(balanced(size, 4))[0], own, rtol=1e-14)
