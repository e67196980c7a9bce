# %% [markdown]
# Claim. Discrete SAM with step $\eta$ stays within $O(\eta)$ of SAM flow up to any fixed time where
# the ascent step is smooth. At a sign change that both fields point to, it chatters within
# $O(\eta)$ and follows Filippov's sliding solution, $\lambda f_+ + (1-\lambda)f_-$ with $\lambda =
# b/(b-a)$.
#
# Formula $\|\theta_k-\theta(k\eta)\| = O(\eta); \quad f_0 = \lambda f_+ + (1-\lambda)f_-,\;\;
# \lambda = b/(b-a)$
#
# Assumes a smooth ascent step (GD, $\ell_2$, unnormalised; $\ell_\infty$ between sign changes) for
# the first part; one surface at a time (codimension 1) and $a < 0 < b$, the two fields' normal
# components $f_+$ and $f_-$, for the second.
#
# Used by flowsam.discrete, flowsam.many_examples.chatter, flowsam.one_example.filippov.
#
# Source: flowsam; the flow as the limit of small steps: arXiv:2603.08290, definition.

# %%
import sympy as sp

eta, rho, mu = sp.symbols("eta rho mu", positive=True)

# %% [markdown]
# On a path x' = V(x), x'' = J V: the step x + eta V misses it by eta^2/2 J V + O(eta^3). For
# l_2-SAM at L = 2, one coordinate, J V is not 0, and so first order is the order.
# %%
u, v = sp.symbols("u v", positive=True)
norm = sp.sqrt(u**2 + v**2)
hat = sp.Matrix([u - rho * v / norm, v - rho * u / norm])  # eps = rho g/|g|, g along -(v, u)
slope = 1 / (1 + sp.exp(mu * hat[0] * hat[1]))
velocity = slope * mu * sp.Matrix([hat[1], hat[0]])
point = {u: sp.Rational(3, 2), v: sp.Rational(4, 5), rho: sp.Rational(1, 3), mu: 2}
acceleration = velocity.jacobian([u, v]) * velocity
s = sp.Symbol("s")
path = {u: sp.Function("u")(s), v: sp.Function("v")(s)}  # V along a path, differentiated
on_path = {path[w].diff(s): x for w, x in zip((u, v), velocity.subs(path), strict=True)}
along = velocity.subs(path).diff(s).subs(on_path)
assert (along - acceleration.subs(path)).expand().is_zero_matrix
assert abs(sp.N(acceleration.subs(point).norm())) > 0.1

# %% [markdown]
# Errors grow by E' = (1 + K eta) E + C eta^2 a step at most, K a Lipschitz constant, so after k
# steps E <= C eta ((1 + K eta)^k - 1)/K <= C eta (e^{K t} - 1)/K with t = k eta.
# %%
C, K, t = sp.symbols("C K t", positive=True)
k = sp.Symbol("k", integer=True, nonnegative=True)
bound = C * eta * ((1 + K * eta) ** k - 1) / K
assert bound.subs(k, 0) == 0
assert sp.simplify(bound.subs(k, k + 1) - (1 + K * eta) * bound - C * eta**2) == 0
z = sp.Symbol("z", positive=True)  # e^z - 1 - z starts at 0 and grows
above = sp.exp(z) - 1 - z
assert above.diff(z, 2).is_positive and above.diff(z).subs(z, 0) == 0 == above.subs(z, 0)

# %% [markdown]
# A surface h = 0 whose rates on its two sides are a < 0 (above) and b > 0 (below). A step from
# above lowers h by eta |a|, one from below raises it by eta b, so h stays in [eta a, eta b]. Of k
# steps a share lambda is above: lambda a + (1 - lambda) b = (h_k - h_0)/(k eta), at most
# (b - a)/k, tends to 0.
# %%
a, b = sp.Symbol("a", negative=True), sp.Symbol("b", positive=True)
share = sp.Symbol("lambda")
found = sp.solve(share * a + (1 - share) * b, share)
assert found == [-b / (a - b)] and sp.simplify(found[0] - b / (b - a)) == 0
assert (b / (b - a)).is_positive and sp.simplify(1 - b / (b - a) - (-a) / (b - a)) == 0

# %% [markdown]
# l_inf-SAM, L = 2, one coordinate on the axis u = 0 with 0 < v < rho: u' = mu (v - rho sign u) is
# a = mu (v - rho) < 0 above and b = mu (v + rho) > 0 below, v' = mu (u - rho sign v) = -mu rho on
# both. The mean velocity is (0, -mu rho): it slides to the origin in tau = v(0)/(mu rho).
# %%
above = mu * sp.Matrix([v - rho, -rho])
below = mu * sp.Matrix([v + rho, -rho])
weight = sp.simplify(below[0] / (below[0] - above[0]))
mean = sp.simplify(weight * above + (1 - weight) * below)
assert mean == sp.Matrix([0, -mu * rho])
assert sp.simplify(weight - (v + rho) / (2 * rho)) == 0

# %% [markdown]
# The package: one step of iterate, and Filippov's velocity on that axis.
# %%
import numpy as np

from flowsam import Flow, iterate, l2, linf, single_example, solve

run = iterate(Flow(single_example([2]), l2(1 / 3)), [[1.5], [0.8]], learning_rate=0.1, steps=1)
own = np.array([1.5, 0.8]) + 0.1 * np.array(velocity.subs(point).evalf(), dtype=float)[:, 0]
assert np.allclose(run.theta[1, :, 0], own, rtol=1e-14)
slid = solve(Flow(single_example([2]), linf(1)), [[0.0], [0.8]], tau_end=0.3, method="DOP853")
assert np.allclose(slid.theta[-1, :, 0], [0, 0.8 - 2 * 0.3], atol=1e-9)
