# %% [markdown]
# Claim. Where $w_1 = 0$ and $A = \prod_{k > 1}(a_k-\rho) < 0 < B = \prod_{k > 1}(a_k+\rho)$,
# $\ell_\infty$-SAM slides with Filippov's share $B/(B-A)$, and $a_k^3/3-\rho^2a_k$ moves by the
# same number $y$ in every layer: one quadrature in closed form. No layer passes $\rho$, those below
# fall, and a second one reaches 0. There Filippov's solution is not unique, and a coordinate that
# has come there escapes on none of them. At $L = 3$ and 4 it cannot even run away in single layers.
#
# Formula $2\mu\rho^2\,\tau=\int(1/|A|+1/B)\,dy,\quad a_k^3/3-\rho^2a_k=\mathrm{const}_k+y$
#
# Assumes $\ell' < 0$, $n = 1$, $\mu > 0$ (else one layer's sign is turned), $\rho > 0$, $L \geq 3$.
#
# Used by flowsam.exact.linf_slides, flowsam.exact.linf_course, flowsam.exact.first_escape.
#
# Source: flowsam.

# %%
import mpmath
import numpy as np
import sympy as sp

from flowsam.exact.linf_slides import Slide

mu, rho, p = sp.symbols("mu rho p", positive=True)
a = sp.symbols("a2:5", positive=True)  # the other layers of L = 4
A, B = sp.prod(x - rho for x in a), sp.prod(x + rho for x in a)

# %% [markdown]
# Towards s = + the weight at 0 moves by mu A on the side s = + and by mu B on the side s = -; the
# mixture that stays has share B/(B - A). The others move by -mu rho A_k and -mu rho B_k on the two
# sides, mixed by -2 mu rho^2 A_k B_k / (B - A): (a_k^2 - rho^2) a_k' is the same for all layers.
# %%
share = B / (B - A)
assert sp.cancel(share * A + (1 - share) * B) == 0
for x in a:
    own, out = sp.cancel(A / (x - rho)), sp.cancel(B / (x + rho))
    speed = share * (-mu * rho * own) + (1 - share) * (-mu * rho * out)
    assert sp.cancel(speed + 2 * mu * rho**2 * own * out / (B - A)) == 0
    assert sp.cancel((x**2 - rho**2) * own * out - A * B) == 0
# %% [markdown]
# So y' = -2 mu rho^2 A B/(B - A) > 0, y = a^3/3 - rho^2 a up to a constant, and |a - rho| grows in
# h = y + 2 rho^3/3: none passes rho, those below (an odd number, A < 0) fall, the least to 0.
# %%
x = sp.Symbol("x", positive=True)
cubic = x**3 / 3 - rho**2 * x
assert sp.expand(cubic + 2 * rho**3 / 3 - (x - rho) ** 2 * (x + 2 * rho) / 3) == 0
assert sp.cancel(-A * B / (B - A) - 1 / (-1 / A + 1 / B)) == 0

# %% [markdown]
# The root of x^2 (x + 3) = c with x = a/rho - 1: x = 2 sin t (sqrt 3 cos t - sin t) has
# c = 4 sin^2 3t, and x = 2 cosh t - 1 has c = 4 cosh^2 (3t/2), here in cosh(t/2).
# %%
half, sine, cosine = sp.symbols("H S C", positive=True)
for side in (1, -1):
    root = 2 * sine * (side * sp.sqrt(3) * cosine - sine)
    error = root**2 * (root + 3) - 4 * (3 * sine - 4 * sine**3) ** 2  # sin 3t
    assert sp.rem(sp.expand(error), cosine**2 + sine**2 - 1, cosine).expand() == 0
double = 2 * (2 * half**2 - 1) - 1  # 2 cosh t - 1
assert sp.expand(double**2 * (double + 3) - 4 * (4 * half**3 - 3 * half) ** 2) == 0

# %% [markdown]
# Two weights at 0, R the other layers, A_R and B_R the products over R. Sizes of the two move by
# mu z_2 A_R = -mu rho A_R where s = + and by -mu rho B_R where s = -: at the end of a slide
# A = -rho A_R < 0, so A_R > 0 and all four quadrants point at (0, 0). It stays, beta = 0, and
# a_k' = mu rho^2 (p A_k - (1 - p) B_k): every p in [0, 1] is a mixture, the solution is free.
# %%
inner, outer = sp.symbols("A_R B_R", positive=True)
fields = [(1, 1, inner), (-1, -1, inner), (1, -1, outer), (-1, 1, outer)]  # quadrants of (w_1, w_2)
speeds = [sp.Matrix([-u * mu * rho * f, -v * mu * rho * f]) for u, v, f in fields]
mean = (p * (speeds[0] + speeds[1]) + (1 - p) * (speeds[2] + speeds[3])) / 2
assert mean.expand().is_zero_matrix

# %% [markdown]
# No escape, whatever p does. From then on two layers are always equal in size and below rho (both
# 0, or not). (1) s = - is never entered: at a zero its side points at the surface. (2) From two or
# more zeros the weights that leave together for s = + are equal, z = -rho, and stay so, since
# z_1^2 - z_2^2 is conserved; equal z cannot pass 0: |z|' is at most |z| times a bounded number.
# They come back to 0 together. (3) None leaves alone while one other rests: on a slide a layer
# below rho falls, and A > 0 is no slide. (4) If another layer reaches 0 while the pair is away, it
# slides there and the pair, below rho, falls to 0. (5) Those that leave while two others rest leave
# a pair at rest. Escape needs every z > 0: it never comes.
# Several coordinates. Of a pair the perturbed weights are at most rho in size, so a layer of R has
# |a_k'| <= mu rho^2 prod_{R, l != k} (a_l + rho): bounded speed at L = 3 (R is one layer), growth
# like an exponential at L = 4. The clock of an escaping coordinate is not disturbed: the smallest
# tau* wins. At L = 5 three layers above rho can blow up, by comparison with p = 1 (where all z of R
# are >= 0, p A_k - (1 - p) B_k <= A_k, and A_k grows in every other z; while one z is < 0 the
# others fall) not before R_F(z_a^2, z_b^2, z_c^2)/(mu rho^2) after the second zero. From one layer
# above rho and two below it never gets to three: sizes keep their order, where A_R > 0 those below
# fall (z_k A_k > 0), where A_R < 0 only the smallest |z|, the largest size, can turn. L = 6: alike.
# beta -> 0 is no theorem: L = 3, mu = rho = 1, (0, 0, 3/2): p = 0 brings a_3 to 1/2 at speed -1,
# then the pair leaves, z_3 turns, and all are back after 2 int_0^(1/2) du/(u^2 + 3/4).
# %%
zb, zc, u, y = sp.symbols("z_b z_c u y", positive=True)
outer = (zb + 2 * rho) * (zc + 2 * rho)
assert sp.expand(p * zb * zc - (1 - p) * outer - zb * zc + (1 - p) * (zb * zc + outer)) == 0
back = 2 * sp.integrate(1 / (u**2 + sp.Rational(3, 4)), (u, 0, sp.Rational(1, 2)))
assert sp.simplify(back - 2 * sp.pi / (3 * sp.sqrt(3))) == 0 and abs(float(back) - 1.209) < 1e-3

# %% [markdown]
# The package's slide of two other layers is that quadrature.
# %%
angles = [sp.acos(3 * (cubic.subs({x: at, rho: 1}) + y) / 2) for at in (0.4, 1.3)]
lower, upper = 2 * sp.cos((angles[0] + 4 * sp.pi) / 3), 2 * sp.cos(angles[1] / 3)
clock = (1 / ((upper - 1) * (1 - lower)) + 1 / ((upper + 1) * (lower + 1))) / 2
own = mpmath.quad(sp.lambdify(y, clock, "mpmath"), [0, 0.4 - 0.4**3 / 3])
assert abs(Slide(np.array([[0.4, 1.3]]), 1.0).duration[0] / own - 1) < 1e-12
