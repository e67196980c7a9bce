# %% [markdown]
# Claim. Discrete SAM with step eta stays within O(eta) of SAM flow up to any fixed time where the
# ascent step is smooth. At a sign change that both fields point to, it chatters within O(eta) and
# follows Filippov's sliding solution, lambda f+ + (1 - lambda) f- with lambda = b / (b - a).
#
# Assumes a smooth ascent step (GD, l_2, unnormalised; l_inf between sign changes) for the first
# part; one surface at a time (codimension 1) and a < 0 < b for the second.
#
# Used by flowsam.discrete, flowsam.many_examples.halving, flowsam.one_example.filippov.
#
# Source: flowsam; the flow as the limit of small steps: arXiv:2603.08290, definition.

# %%
import sympy as sp

eta, rho, mu = sp.symbols("eta rho mu", positive=True)

# %% [markdown]
# One step of the iteration against the flow, for l_2-SAM at L = 2, one coordinate: the Taylor
# polynomial of the flow differs by eta^2/2 V'V, so the local error is O(eta^2), and t/eta steps
# add up to O(eta).
# %%
u, v = sp.symbols("u v", positive=True)
norm = sp.sqrt(u**2 + v**2)
hat = sp.Matrix([u - rho * v / norm, v - rho * u / norm])  # eps = rho g/|g|, g along -(v, u)
slope = 1 / (1 + sp.exp(mu * hat[0] * hat[1]))
velocity = slope * mu * sp.Matrix([hat[1], hat[0]])
acceleration = velocity.jacobian([u, v]) * velocity
point = {u: sp.Rational(3, 2), v: sp.Rational(4, 5), rho: sp.Rational(1, 3), mu: 2}
flow = sp.Matrix([u, v]) + eta * velocity + eta**2 / 2 * acceleration
step = sp.Matrix([u, v]) + eta * velocity
difference = sp.simplify((flow - step) / eta**2 - acceleration / 2)
assert difference == sp.zeros(2, 1)
assert abs(sp.N(acceleration.subs(point).norm())) > 0.1  # and no better than first order

# %% [markdown]
# The sum of N local errors C eta^2, each carried on by at most e^{K t}, over a time t = N eta.
# %%
C, K, t = sp.symbols("C K t", positive=True)
k = sp.Symbol("k", integer=True, nonnegative=True)
N = sp.Symbol("N", integer=True, positive=True)
total = sp.summation(C * eta**2, (k, 0, N - 1)).subs(N, t / eta)
assert sp.simplify(total * sp.exp(K * t) / eta - C * t * sp.exp(K * t)) == 0

# %% [markdown]
# A surface h = 0 whose rates on its two sides are a < 0 (above) and b > 0 (below). A step from
# above lowers h by eta |a|, one from below raises it by eta b: |h| stays below eta (b - a), and
# over many steps the share lambda spent above makes the mean rate 0.
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
