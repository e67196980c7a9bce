# %% [markdown]
# Claim. Examples that span one dimension and do not separate, $z_i = c_i a$, have their minima on
# the surface $m = s$, $m = \langle a, \beta\rangle$. Normalised $\ell_p$-SAM does not rest there:
# its step jumps across. At $L = 2$ Filippov's solution slides along the surface down the sharpness
# $\|\nabla m\|_q$.
#
# Formula $\theta' = -\frac{2\rho\,|g_+g_-|\,\|n\|^2}{b-a}
# \Big(I-\frac{nn^T}{\|n\|^2}\Big)\nabla\|n\|_q, \quad n=\nabla m$
#
# Assumes $1 < p < \infty$, $1/p+1/q = 1$, $L = 2$, $m(\theta-\epsilon) < s < m(\theta+\epsilon)$
# with $\epsilon$ the ascent step of $n$, and $a = \langle n, f_+\rangle < 0 < b = \langle n,
# f_-\rangle$: both fields point at the surface.
#
# Used by flowsam.many_examples.minima, flowsam.many_examples.sliding.
#
# Source: flowsam; that SAM moves along minima: Bartlett, Long, Bousquet 2023; Wen, Ma, Li 2023.

# %%
import sympy as sp

# %% [markdown]
# The loss is a function of m, so its gradient is a number times n = grad m, and the ascent step,
# which forgets the length of the gradient, is +eps(n) for m > s and -eps(n) for m < s.
# %%
u, v = sp.symbols("u1 u2", real=True), sp.symbols("v1 v2", real=True)
a1, a2 = sp.symbols("a1 a2", nonzero=True)
weights = sp.Matrix([*u, *v])
m = a1 * u[0] * v[0] + a2 * u[1] * v[1]
n = sp.Matrix([m.diff(w) for w in weights])
H = sp.hessian(m, list(weights))
single = sp.Symbol("m", real=True)
loss = 2 * sp.log(1 + sp.exp(-single)) + sp.log(1 + sp.exp(single))  # z = a, a, -a
for w, entry in zip(weights, n, strict=True):
    chained = loss.diff(single).subs(single, m) * entry
    assert sp.expand(loss.subs(single, m).diff(w) - chained) == 0
assert sp.simplify(loss.diff(single).subs(single, sp.log(2))) == 0  # s = log 2

# %% [markdown]
# At L = 2 n is linear in theta, so the fields f+- = g+- grad m(theta +- eps) are g+- (n +- H eps).
# %%
eps = sp.Matrix(sp.symbols("e1:5", real=True))
for side in (1, -1):
    moved = n.subs(dict(zip(weights, weights + side * eps, strict=True)), simultaneous=True)
    assert sp.expand(moved - n - side * H * eps).is_zero_matrix

# %% [markdown]
# With Filippov's share lambda = b/(b - a) the mean velocity lambda f+ + (1 - lambda) f- keeps m,
# and is 2 g+ g- |n|^2 / (b - a) times the part of H eps along the surface. Write k = n . H eps.
# %%
gp, gm, N2, k = sp.symbols("g_+ g_- N2 k", real=True)
A, B = gp * (N2 + k), gm * (N2 - k)
share = B / (B - A)
along_n, along_h = share * gp + (1 - share) * gm, share * gp - (1 - share) * gm
assert sp.simplify(along_h - 2 * gp * gm * N2 / (B - A)) == 0
assert sp.simplify(along_n + along_h * k / N2) == 0  # velocity = along_h (H eps - (k/|n|^2) n)

# %% [markdown]
# The ascent step is rho times the gradient of ||n||_q by n, so H eps = rho grad ||n||_q: the slide
# is steepest descent of the sharpness, at its own pace. g+ < 0 < g-, so its factor is negative.
# %%
rho = sp.Symbol("rho", positive=True)
q = sp.Rational(3, 2)  # one p and one point stand for all
point = {u[0]: 2, u[1]: 1, v[0]: sp.Rational(1, 3), v[1]: 3, a1: 1, a2: sp.Rational(1, 2)}
norm = sum(sp.Abs(x) ** q for x in sp.symbols("n1:5", positive=True)) ** (1 / q)
letters = sp.symbols("n1:5", positive=True)
values = dict(zip(letters, n.subs(point), strict=True))
step = sp.Matrix([rho * norm.diff(x) for x in letters]).subs(values)
assert abs(sp.N(sum(abs(x / rho) ** (q / (q - 1)) for x in step) - 1)) < 1e-12  # ||eps||_p = rho
sharpness = sum(sp.Abs(x) ** q for x in n) ** (1 / q)
for row, w in zip(H.subs(point) * step, weights, strict=True):
    along = sp.Symbol("h", real=True)
    moving = {**point, w: point[w] + along}
    assert abs(sp.N(row / rho - sharpness.subs(moving).diff(along).subs(along, 0))) < 1e-10

# %% [markdown]
# One feature, p = 2: D = u^2 - v^2 falls at the rate 4 rho |g+ g-| |n| / (b - a), to u = v.
# %%
x, y, gap = sp.symbols("u v gap", positive=True)
normal, size = sp.Matrix([y, x]), sp.sqrt(x**2 + y**2)
turned = rho * sp.Matrix([x, y]) / size  # H eps
velocity = 2 * gp * gm * size**2 / gap * (turned - (normal.dot(turned) / size**2) * normal)
rate = sp.simplify(2 * x * velocity[0] - 2 * y * velocity[1])
assert sp.simplify(rate - 4 * rho * gp * gm * size / gap * (x**2 - y**2)) == 0

# %% [markdown]
# The package: its rescaled velocity on the surface is that of the formula.
# %%
import numpy as np

from flowsam import Data, Flow, l2
from flowsam.many_examples.sliding import Sliding

theta = np.array([[1.5], [np.log(2.0) / 1.5]])  # sum_i c_i |ell'(c_i m)| = 0 at m = log 2
system = Sliding(Flow(Data([[1.0], [1.0], [-1.0]]), l2(0.3)), theta)
region = system.start()[0]
found = system.rates(0.0, np.append(theta.ravel(), 0.0), region)
sides = [system.surfaces.side(theta, region, sign) for sign in (1, -1)]
slopes = [float(system.flow.pull(side.hat)[0][0]) for side in sides]
low, high = (float((theta[::-1] * side.velocity).sum()) for side in sides)  # n . f
D = theta[0, 0] ** 2 - theta[1, 0] ** 2
own = 4 * 0.3 * slopes[0] * slopes[1] * np.linalg.norm(theta) * D / abs(high - low)
assert np.isclose((2 * theta[:, 0] * [1, -1]) @ found[:2] / found[2], own, rtol=1e-12)
