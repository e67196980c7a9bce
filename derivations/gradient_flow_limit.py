# %% [markdown]
# Claim. Gradient flow on one example ends in the direction $\mathrm{sign}(\mu_j)\,e_j$ of one
# coordinate. At $L = 2$ it is the largest $|\mu_j|$ among those with $u_j +
# \mathrm{sign}(\mu_j)\,v_j \neq 0$, whatever the start. At $L \geq 3$, from balanced and aligned
# starts, it is the largest $|\mu_j|\,\alpha_j^{L-2}$, so the dominant coordinate if all $\alpha_j$
# agree.
#
# Formula $j^\star = \mathrm{arg\,max}_j\;|\mu_j|\,\alpha_j^{L-2}$
#
# Assumes $\ell' < 0$, $n = 1$, $L \geq 2$, and no tie for the largest.
#
# Used by flowsam.outcomes, flowsam.exact.linf_balanced, flowsam.exact.linf_two_layer (rho = 0).
#
# Source: arXiv:2603.08290 for the comparison with SAM; Gunasekar et al., NeurIPS 2018; L = 2 with
# any signs: flowsam.

# %%
import sympy as sp

from flowsam.symbolic import coordinate

tau = sp.Symbol("tau", nonnegative=True)
mu, gap, alpha = sp.symbols("mu gap alpha", positive=True)

# %% [markdown]
# In rescaled time (derivations/rescaled_clock.py) a weight moves by mu times the other layers.
# %%
for depth in range(2, 6):
    one, m = coordinate(depth, None), sp.Symbol("m", real=True)
    slope = one.loss.diff(m)
    for layer, gradient in enumerate(one.gradient):
        others = sp.prod(one.w[:layer] + one.w[layer + 1 :])
        assert sp.simplify(gradient / slope - sp.Symbol("mu", real=True) * others) == 0

# %% [markdown]
# L = 2. For mu > 0, s = u + v and e = u - v decouple; for mu < 0 change the sign of u. So
# beta = (s^2 - e^2)/4 has the sign of mu in the end wherever s(0) != 0, and decays where s(0) = 0.
# %%
u, v, s0, e0 = sp.symbols("u v s0 e0", real=True)
velocity = mu * sp.Matrix([v, u])
assert sp.expand(velocity[0] + velocity[1] - mu * (u + v)) == 0
assert sp.expand(velocity[0] - velocity[1] + mu * (u - v)) == 0
assert sp.expand(((u + v) ** 2 - (u - v) ** 2) / 4 - u * v) == 0


def product(rate, s, e):
    return (s**2 * sp.exp(2 * rate * tau) - e**2 * sp.exp(-2 * rate * tau)) / 4


assert sp.limit(product(mu, 1, e0), tau, sp.oo) == sp.oo
assert sp.limit(product(mu, 0, e0), tau, sp.oo) == 0

# %% [markdown]
# A larger rate wins: with mu_j = mu_k + gap the ratio beta_k / beta_j tends to 0.
# %%
s_j = sp.Symbol("s_j", positive=True)
e_j = sp.Symbol("e_j", real=True)
ratio = product(mu, s0, e0) / product(mu + gap, s_j, e_j)
y = sp.Symbol("y", positive=True)  # e^-tau; numerator and denominator over e^(2 (mu + gap) tau)
top = s0**2 * y ** (2 * gap) - e0**2 * y ** (4 * mu + 2 * gap)
bottom = s_j**2 - e_j**2 * y ** (4 * (mu + gap))
assert sp.simplify((ratio - top / bottom).subs(y, sp.exp(-tau))) == 0
assert sp.limit(top, y, 0, "+") == 0 and sp.limit(bottom, y, 0, "+") == s_j**2

# %% [markdown]
# L >= 3, n = L - 2: the size a of a balanced, aligned coordinate has a^-n falling at the constant
# rate n mu, so it is infinite at tau* = 1/(n mu alpha^n): first where mu alpha^n is largest.
# %%
n = sp.Symbol("n", integer=True, positive=True)
a = sp.Function("a", positive=True)(tau)
rate = (a ** (-n)).diff(tau).subs(a.diff(tau), mu * a ** (n + 1))
assert sp.simplify(rate + n * mu) == 0
blow_up = sp.solve(alpha ** (-n) - n * mu * tau, tau)[0]
assert sp.simplify(blow_up * n * mu * alpha**n) == 1

# %% [markdown]
# The others are finite there: with scores S = mu alpha^n, a_k^-n is (S_j - S_k)/(alpha_k^n S_j) > 0
# at the winner's tau*, while beta_j is infinite. In original time that is t -> inf.
# %%
mu_k, alpha_k, lead = sp.symbols("mu_k alpha_k lead", positive=True)
score_j, score_k = mu_k * alpha_k**n + lead, mu_k * alpha_k**n
left = alpha_k ** (-n) - n * mu_k / (n * score_j)
assert sp.simplify(left - lead / (alpha_k**n * score_j)) == 0 and (lead / score_j).is_positive

# %% [markdown]
# The package's blow-up time and winner are these.
# %%
from flowsam import Flow, balanced, gradient_flow, limit, single_example
from flowsam.exact.linf_balanced import read

start, rates = balanced([0.5, 0.8, 0.6], 4), [3, 1, 2]
times = [float(blow_up.subs({n: 2, mu: m, alpha: x})) for m, x in zip(rates, start[0], strict=True)]
found = read(start, rates, 0).blow_up_time
assert all(abs(a / b - 1) < 1e-14 for a, b in zip(times, found, strict=True))
winner = limit(Flow(single_example(rates), gradient_flow()), start).label
assert times[winner - 1] == min(times)
