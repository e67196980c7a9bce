# %% [markdown]
# Claim. $\ell_p$-SAM, $1 < p < \infty$, one example, balanced: $w$ rests where $\hat w = 0$, and
# there the step is the weights themselves. On each support $S$ there is one such point ($p \neq
# L$), the formula; alone, the gate $\rho\,L^{-1/p}\,e_j$. At $L = 2$ the Jacobian on $S$ is
# $\mathrm{diag}(\mu)\,((2-q)I + (q-1)\,w v^T)$ with $\langle v, w\rangle = 1$, so that the interior
# point repels in every direction for $p > 2$ and is a saddle with one repelling direction for $p <
# 2$; a coordinate off $S$ leaves it at rate $\mu_k$ for $p < 2$, $\mu_k\,(1-\mu_k/\mu_i)$ at $p =
# 2$ and $S = \{i\}$, and is drawn to 0 in finite time for $p > 2$.
#
# Formula $w_j=\rho\,\mu_j^{1/(p-L)}\,(L\sum_S\mu_i^{p/(p-L)})^{-1/p}$
#
# Assumes $\ell' < 0$, $n = 1$, $\rho > 0$, $\mu > 0$, all layers equal and not negative.
#
# Used by flowsam.exact.lp_gates.
#
# Source: flowsam.

# %%
import sympy as sp

p, L, rho = sp.symbols("p L rho", positive=True)
a, b, x, y, c, N = sp.symbols("a b x y c N", positive=True)  # mu_1, mu_2, w_1, w_2
q = p / (p - 1)

# %% [markdown]
# eps_j = rho (mu_j w_j^{L-1})^{q-1} / N^{q-1}, N = ||g||_q over all layers; w' = mu w_hat^{L-1} is
# 0 only at w_hat = w - eps = 0. Then w_j^{p-1} is proportional to mu_j w_j^{L-1}: raised to p - 1,
# w_j = c (mu_j w_j^{L-1})^{q-1} reads w_j^{p-L} = c^{p-1} mu_j.
# %%
assert sp.simplify((q - 1) * (p - 1) - 1) == 0
own = sp.log(c) + (q - 1) * (sp.log(a) + (L - 1) * sp.log(x)) - sp.log(x)
solved = sp.log(x) - ((p - 1) * sp.log(c) + sp.log(a)) / (p - L)
assert sp.cancel(sp.expand(own * (p - 1)) + sp.expand(solved * (p - L))) == 0

# %% [markdown]
# The size: ||eps||_p = rho over all layers and eps = w, so L sum_S w_j^p = rho^p. The formula has
# w_j^p = rho^p mu_j^{p/(p-L)} / T, T = L sum_S mu_i^{p/(p-L)}; alone it is rho L^{-1/p}.
# %%
T, e = sp.Symbol("T", positive=True), p / (p - L)
for mu in (a, b):
    size = sp.log(rho) + sp.log(mu) / (p - L) - sp.log(T) / p
    assert sp.expand(p * size - (p * sp.log(rho) + e * sp.log(mu) - sp.log(T))) == 0
powers = [rho**p * mu**e / (L * (a**e + b**e)) for mu in (a, b)]
assert sp.simplify(L * sum(powers) - rho**p) == 0
alone = sp.log(a) / (p - L) - (sp.log(L) + e * sp.log(a)) / p
assert sp.simplify(alone + sp.log(L) / p) == 0

# %% [markdown]
# L = 2. With N^q = 2 sum (mu_i w_i)^q and h_j = w_j - eps_j, at a point of rest (eps = w)
# dh_j/dw_k = (2-q) delta_jk + (q-1) w_j v_k, v_k = 2 (mu_k w_k)^q / (w_k N^q), and sum v_k w_k = 1.
# %%
size = 2 * ((a * x) ** q + (b * y) ** q)
steps = [rho * (mu * w) ** (q - 1) * size ** (-(q - 1) / q) for mu, w in ((a, x), (b, y))]
for j, w in enumerate((x, y)):
    for k, (mu, other) in enumerate(((a, x), (b, y))):
        share = 2 * (mu * other) ** q / (other * size)  # v_k
        slope = sp.diff(steps[j], other) / steps[j] * w  # eps_j = w_j
        claimed = (q - 1) * (int(j == k) - w * share)
        assert sp.cancel(slope - claimed) == 0
weights = [2 * (mu * w) ** q / size for mu, w in ((a, x), (b, y))]
assert sp.simplify(sum(weights) - 1) == 0

# %% [markdown]
# B = (2-q) I + (q-1) w v^T is, by D = diag(v/w)^{1/2}, similar to (2-q) I + (q-1) g g^T with
# g_j^2 = v_j w_j, |g| = 1, with eigenvalues 1 and 2-q = (p-2)/(p-1). D commutes with diag(mu), and
# diag(mu) times a symmetric matrix has the signs of that matrix (Sylvester): for p > 2 all
# directions repel, for p < 2 exactly one does.
# %%
r, s = sp.symbols("r s", positive=True)  # v_1, v_2
matrix = (2 - q) * sp.eye(2) + (q - 1) * sp.Matrix([x, y]) * sp.Matrix([[r, s]])
D = sp.diag(sp.sqrt(r / x), sp.sqrt(s / y))
g = sp.Matrix([sp.sqrt(r * x), sp.sqrt(s * y)])
similar = (2 - q) * sp.eye(2) + (q - 1) * g * g.T
assert sp.simplify(D * matrix * D.inv() - similar) == sp.zeros(2, 2)
assert sp.expand((similar * g - g).subs({r: (1 - s * y) / x})) == sp.zeros(2, 1)
across = sp.Matrix([g[1], -g[0]])  # orthogonal to g
assert sp.expand(similar * across - (2 - q) * across) == sp.zeros(2, 1)
assert sp.simplify((2 - q) - (p - 2) / (p - 1)) == 0

# %% [markdown]
# Off S: w_k' = mu_k (w_k - C w_k^{q-1}), C = rho mu_k^{q-1}/N^{q-1} > 0, N that of S to this order.
# q > 2: rate mu_k. q = 2: mu_k (1 - C), C = mu_k/mu_i at the gate of i, where N = rho mu_i. q < 2:
# w_k^{q-1} wins, and int dw/w^{q-1} from 0 is finite.
# %%
C, k = sp.symbols("C k", positive=True)
velocity = b * (y - C * y**k)  # k = q - 1
assert sp.limit(velocity.subs(k, sp.Rational(5, 2)) / y, y, 0, "+") == b
assert sp.simplify(sp.sqrt(2 * (a * rho / sp.sqrt(2)) ** 2) - rho * a) == 0
assert sp.limit(velocity.subs(k, sp.Rational(1, 2)) / y, y, 0, "+") == -sp.oo
assert sp.integrate(y ** sp.Rational(-1, 2), (y, 0, 1)) == 2

# %% [markdown]
# The package: its perturbed weights are 0 at its point.
# %%
import numpy as np

from flowsam import Flow, balanced, lp, single_example
from flowsam.exact.lp_gates import rest_weights

for norm, depth in ((1.5, 2), (3, 2), (2, 4), (5, 3)):
    point = rest_weights([1.0, 2.0], rho=0.7, p=norm, depth=depth)
    flow = Flow(single_example([1.0, 2.0]), lp(0.7, p=norm))
    assert np.abs(flow.perturbed(balanced(point, depth))).max() < 1e-14
