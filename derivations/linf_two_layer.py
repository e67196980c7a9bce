# %% [markdown]
# Claim. Two layers under $\ell_\infty$-SAM, one coordinate, any real $(u, v)$, $\mu > 0$. In
# rescaled time the flow is linear in each quadrant, crosses or slides on the axes, and ends at
# $\beta \to +\infty$ if $|u+v|\,(2\rho+|u|+|v|) > 8\rho^2$, at the origin in finite time if $<$, at
# the saddle $\mathrm{sign}(u+v)\,(\rho, \rho)$ if $=$. For $\mu < 0$ replace $u$ by $-u$.
#
# Formula $|u+v|\,(2\rho+|u|+|v|) > 8\rho^2 \quad (uv < 0,\;\mu > 0)$
#
# Assumes $\ell' < 0$, $n = 1$, $L = 2$, $\rho > 0$. On an axis the solution is Filippov's.
#
# Used by flowsam.exact.linf_two_layer, flowsam.exact.two_layer_path, flowsam.one_example.filippov.
#
# Source: flowsam; inside the positive quadrant it is arXiv:2603.08290, Theorem 3.2.

# %%
import math

import sympy as sp

from flowsam.symbolic import coordinate

u, v, mu_any, m_hat = sp.symbols("u v mu mhat", real=True)
mu, rho, x = sp.symbols("mu rho x", positive=True)
one = coordinate(2, math.inf)


def field(p, q):
    """The rescaled field in the quadrant where u has sign p and v has sign q, mu > 0."""
    sigma = sp.symbols("sigma_1 sigma_2", real=True)
    ascent = {sigma[0]: -q, sigma[1]: -p}  # g_u = ell' mu v, and ell' < 0
    weights = dict(zip(one.w, (u, v), strict=True))
    hat = {k: e.subs(ascent).subs(weights) for k, e in zip(one.w_hat, one.perturbed, strict=True)}
    slope = sp.exp(m_hat) + 1
    return [sp.cancel(-g * slope).subs(hat).subs(mu_any, mu) for g in one.sam_gradient]


# %% [markdown]
# The field u' = mu (v - rho p), v' = mu (u - rho q). With s = u+v, e = u-v it decouples, and
# (s - rho (p+q)) (e - rho (q-p)) is conserved. Exchange and negation are symmetries.
# %%
for p, q in ((1, 1), (-1, 1), (-1, -1), (1, -1)):
    du, dv = field(p, q)
    assert sp.expand(du - mu * (v - rho * p)) == 0 and sp.expand(dv - mu * (u - rho * q)) == 0
    s_out, e_in = u + v - rho * (p + q), u - v - rho * (q - p)
    assert sp.expand(du + dv - mu * s_out) == 0 and sp.expand(du - dv + mu * e_in) == 0
    assert sp.expand(s_out.diff(u) * du * e_in + dv * e_in + s_out * (du - dv)) == 0
    swap, turn = {u: v, v: u}, {u: -u, v: -v}
    assert sp.expand(field(q, p)[0].subs(swap, simultaneous=True) - dv) == 0
    assert sp.expand(field(-p, -q)[0].subs(turn, simultaneous=True) + du) == 0

# %% [markdown]
# So let v >= |u|. The axis u = 0: u' is mu (v - rho) just right and mu (v + rho) just left of it,
# 2 mu rho apart, so it never repels; v' = -mu rho is the same on both sides, so that every mixture
# (Filippov's or Utkin's) slides alike. v > rho crosses to the right; v <= rho slides to the origin,
# in v/(mu rho), and there v' = -mu rho sign(v), u' = -mu rho sign(u) hold it.
# %%
right, left = field(1, 1), field(-1, 1)
assert sp.expand(left[0] - right[0] - 2 * mu * rho) == 0
assert [f[1].subs(u, 0) for f in (right, left)] == [-mu * rho] * 2

# %% [markdown]
# u >= 0, e = v - u >= 0. s = 2 rho - K e^x with K = 2 rho - s(0). K < 0: s -> inf, e -> 0, escape.
# K = 0: e -> 0, the saddle (rho, rho), with rates mu and -mu. K > 0: u = (s - e)/2 = 0 at y = e^x,
# the larger root of K y^2 - 2 rho y + e = 0; its discriminant is u (2 rho - u) + (rho - v)^2 >= 0
# as u <= s/2 < rho, its value at y = 1 is -2u <= 0, and there v = rho - D <= rho: it slides.
# %%
jacobian = sp.Matrix(right).jacobian([u, v])
assert set(jacobian.eigenvals()) == {mu, -mu}
K, e = 2 * rho - u - v, v - u
square = u * (2 * rho - u) + (rho - v) ** 2
assert sp.expand(rho**2 - K * e - square) == 0 and sp.expand(K - 2 * rho + e + 2 * u) == 0
D = sp.Symbol("D", positive=True)
y = (rho + D) / K
assert sp.factor((K * y**2 - 2 * rho * y + e).subs(D, sp.sqrt(square))) == 0
assert sp.simplify((e / y - (rho - D)).subs(D, sp.sqrt(square))) == 0

# %% [markdown]
# u < 0, C = v - u + 2 rho. u = 0 at y = C/(rho + R), R = sqrt(rho^2 + s C), with v = R - rho. From
# there on it escapes iff v > 2 rho, that is s C > 8 rho^2: the claim, since |u| + |v| = v - u.
# Where u, v >= 0 the claim's inequality factors into u + v > 2 rho. s = 0: both meet 0 at once.
# %%
s, C, R = sp.symbols("s C R", positive=True)
hit = C / (rho + R)
assert sp.cancel((s * hit**2 + 2 * rho * hit - C).subs(R, sp.sqrt(rho**2 + s * C))) == 0
assert sp.simplify((s * hit - (R - rho)).subs(R, sp.sqrt(rho**2 + s * C))) == 0
assert sp.expand((2 * rho + rho) ** 2 - (rho**2 + 8 * rho**2)) == 0  # R = 3 rho at s C = 8 rho^2
assert sp.expand(s * (2 * rho + s) - 8 * rho**2 - (s - 2 * rho) * (s + 4 * rho)) == 0

# %% [markdown]
# The package: the hit and the slide from (1/4, 1/2), and the verdict on both sides of the conic.
# %%
from flowsam.exact.linf_two_layer import read

at = {u: sp.Rational(1, 4), v: sp.Rational(1, 2), rho: 1}
hit_at = y.subs(D, sp.sqrt(square)).subs(at)
took = sp.log(hit_at) + rho.subs(at) - sp.sqrt(square.subs(at))  # mu = 1: hit, then v/(mu rho)
assert abs(read([[0.25], [0.5]], [1], 1).zero_time[0] - float(took)) < 1e-14
edge = float(sp.solve(x * (2 + x + 2) - 8, x)[0])  # u = -1, v = 1 + x
assert [int(read([[-1.0], [1 + edge * k]], [1], 1).fate[0]) for k in (0.999, 1.001)] == [0, 1]
