# %% [markdown]
# Claim. Two layers, $\ell_2$-SAM, one example: every ray of starts $c\,\theta$ crosses the
# separatrix once, at its critical scale $c^\star$: escape above, collapse below. The separatrix is
# the stable manifold of the saddle $w = (\rho/\sqrt{2})\,e_1$, where $N = \rho\mu_1$. For one
# coordinate (or equal $\mu$) $c^\star$ is Carlson's integral $R_F$, with $s = |u+v|$ and $e =
# |u-v|$.
#
# Formula $c^\star = \sqrt{2}\,\rho\,R_F(s^2,\,s^2+ise,\,s^2-ise)$
#
# Assumes $\ell' < 0$, $n = 1$, $L = 2$, $\rho > 0$; any real start with some $s_j \neq 0$ ($\mu >
# 0$; for $\mu < 0$ $s$ and $e$ exchanged).
#
# Used by flowsam.amplification.critical, flowsam.exact.l2_critical, flowsam.exact.l2_outcome,
# flowsam.exact.l2_separatrix, flowsam.portrait.decided_rows.
#
# Source: flowsam.

# %%
import mpmath
import sympy as sp

from flowsam.exact.l2_outcome import lone_scale

rho, c, t = sp.symbols("rho c t", positive=True)

# %% [markdown]
# Order: N(tau, A) grows with every |s_j(0)|, |e_j(0)| and falls with A. Of two starts ordered so,
# the larger has A' = rho/N smaller wherever the A are equal, so A smaller at all times and N
# larger: what escapes still escapes after growing. Hence one crossing on each ray. c* scales with
# rho, and not with mu: (w, rho) -> (c w, c rho) and (mu, tau) -> (c mu, tau/c) leave the equations
# as they are.
# %%
nu, tau, A, a0, N = sp.symbols("nu tau A a_0 N", positive=True)
atom = nu**2 * a0**2 * sp.exp(2 * nu * tau - 2 * nu**2 * A) / 2
assert atom.diff(a0).is_positive and sp.simplify(-atom.diff(A)).is_positive
assert sp.simplify(atom.subs(a0, c * a0) / atom) == c**2  # N -> c N, rho/N as before
scaled = atom.subs({nu: c * nu, tau: tau / c, A: A / c**2}, simultaneous=True)
assert sp.simplify(scaled / atom) == c**2  # N -> c N: d(A/c^2)/d(tau/c) = rho/(c N)

# %% [markdown]
# The saddle: all of N in one rate mu_1 and N = rho mu_1. There s_1' = 0. Linearised: the own size
# of coordinate 1 grows like e^{mu_1 tau}; e_1, s_j and e_j decay, s_j for mu_j > mu_1 only.
# %%
mu_1, mu_j, s1, sj, e1, ej = sp.symbols("mu_1 mu_j s_1 s_j e_1 e_j", positive=True)
parts = ((s1, mu_1), (sj, mu_j), (e1, -mu_1), (ej, -mu_j))
norm = sp.sqrt(sum(m**2 * x**2 for x, m in parts) / 2)
field = [m * x * (1 - m * rho / norm) for x, m in parts]
saddle = {s1: sp.sqrt(2) * rho, sj: 0, e1: 0, ej: 0}
assert sp.simplify(norm.subs(saddle) - rho * mu_1) == 0
jacobian = sp.Matrix(field).jacobian([x for x, _ in parts]).subs(saddle)
rates = [mu_1, -mu_j * (mu_j - mu_1) / mu_1, -2 * mu_1, -mu_j * (mu_j + mu_1) / mu_1]
assert sp.simplify(jacobian - sp.diag(*rates)) == sp.zeros(4, 4)

# %% [markdown]
# One coordinate. Along a path k = e/s falls, k' = -2 mu k, and as a function of k the size is
# linear: (sqrt(k) s)' = rho / (sqrt2 sqrt(k) sqrt(1 + k^2)). So sqrt(k) s - (rho/sqrt2) I(k) is
# constant, I(k) = int_0^k x^{-1/2} (1 + x^2)^{-1/2} dx; on the separatrix s -> sqrt2 rho as k ->
# 0: constant 0.
# %%
k, mu, s = sp.symbols("k mu s", positive=True)
norm = mu * s * sp.sqrt(1 + k**2) / sp.sqrt(2)
s_rate, e_rate = mu * (1 - mu * rho / norm), -mu * (1 + mu * rho / norm)
assert sp.simplify(e_rate - s_rate + 2 * mu) == 0  # k'/k
of_k = sp.Function("s")(k)
slope = (s * s_rate / (-2 * mu * k)).subs(s, of_k)
conserved = (sp.sqrt(k) * of_k).diff(k).subs(of_k.diff(k), slope)
assert sp.simplify(conserved - rho / (sp.sqrt(2) * sp.sqrt(k) * sp.sqrt(1 + k**2))) == 0
assert sp.limit(rho / sp.sqrt(2) * 2 * sp.sqrt(k) / sp.sqrt(k), k, 0) == sp.sqrt(2) * rho

# %% [markdown]
# I(k) = 2 sqrt(k) R_F(1, 1 + i k, 1 - i k): put t + 1 = k/x in Carlson's integral R_F = (1/2)
# int_0^inf dt / sqrt((t + 1) ((t + 1)^2 + k^2)). So s = sqrt2 rho R_F(1, 1 + ik, 1 - ik), and
# since R_F has degree -1/2 in its arguments, c* = sqrt2 rho R_F(s^2, s^2 + i s e, s^2 - i s e).
# %%
x = sp.Symbol("x", positive=True)
carlson = 1 / sp.sqrt((t + 1) * ((t + 1) ** 2 + k**2)) / 2
assert sp.expand((t + 1 + sp.I * k) * (t + 1 - sp.I * k) - (t + 1) ** 2 - k**2) == 0
moved = carlson.subs(t, k / x - 1) * sp.Abs((k / x).diff(x))
target = 1 / (2 * sp.sqrt(k)) / (sp.sqrt(x) * sp.sqrt(1 + x**2))
assert sp.simplify(moved**2 - target**2) == 0  # both positive
with mpmath.workdps(20):  # k = 2, x = y^2
    own = mpmath.quad(lambda y: 1 / mpmath.sqrt(1 + y**4), [0, mpmath.sqrt(2)])
assert abs(lone_scale([1.0], [2.0], rho=1)[0] - float(own)) < 1e-14  # the package's c*
assert (k / x - 1).subs(x, k) == 0 and sp.limit(k / x - 1, x, 0, "+") == sp.oo

# %% [markdown]
# Far out: I(inf) = Gamma(1/4)^2 / (2 sqrt(pi)), so |u^2 - v^2| = s e = k s^2 -> rho^2
# Gamma(1/4)^4/(8 pi).
# %%
whole = sp.gamma(sp.Rational(1, 4)) ** 2 / (2 * sp.sqrt(sp.pi))
z = x / (1 - x)  # B(1/4, 1/4)/2, by x^2 = z/(1 - z) in I; fourth powers of both integrands:
assert sp.simplify(z.diff(x) ** 4 / (16 * z**3 * (1 + z) ** 2) - (x * (1 - x)) ** -3 / 16) == 0
far = (rho / sp.sqrt(2) * whole) ** 2
assert sp.simplify(far - rho**2 * sp.gamma(sp.Rational(1, 4)) ** 4 / (8 * sp.pi)) == 0

# %% [markdown]
# Followed back from the saddle the separatrix is found whatever was wrong there: of two paths A' =
# rho/N, the distance grows forwards at the rate -rho N_A/N^2 > 0, at the saddle mu_1.
# %%
lone = nu * a0 * sp.exp(nu * tau - nu**2 * A) / sp.sqrt(2)
assert sp.simplify((rho / lone).diff(A) - nu**2 * rho / lone) == 0  # nu where N = rho nu

# %% [markdown]
# A bracket. c N_0 <= rho mu_1 collapses (l2_patterns); more coordinates only help to escape
# (order), so c* is at most that of each coordinate alone. Two balanced coordinates: on the
# separatrix rho mu_1 <= N <= rho mu_2, so log(w_2/w_1) falls all along it: a graph.
# %%
mu_2 = sp.Symbol("mu_2", positive=True)
low, high = (m * (1 - m * rho / N) for m in (mu_1, mu_2))
assert sp.simplify(high - low - (mu_2 - mu_1) * (1 - (mu_1 + mu_2) * rho / N)) == 0
