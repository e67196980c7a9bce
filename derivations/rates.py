# %% [markdown]
# Claim. In original time, one example, winner with $M = |\mu_j|$ and gate $\rho_p =
# \rho\,L^{-1/p}$: for $L \geq 2$ the perturbed loss is as in the formula, the loss itself smaller
# by $\exp(-M\,[(z+\rho_p)^L - z^L])$, $z = (\hat m/M)^{1/L}$; at $L = 1$ $t\,\mathcal{L} \to
# \exp(-\rho\,\|\mu\|_q)/\|\mu\|_2^2$. At $L = 2$ $\beta_k/\beta_j \sim (\log t)^{\mu_k/\mu_j-1}$;
# at $L \geq 3$ the others freeze and the angle is $\sim 1/\log t$.
#
# Formula $\mathcal{L}(\hat\theta) \sim \frac{1}{L\,M^{2/L}\,t\,(\log t)^{2-2/L}}$
#
# Assumes gradient flow, $\ell_\infty$ or $\ell_2$ (whose gates are as given); a balanced winner
# that escapes.
#
# Used by flowsam.rates.
#
# Source: flowsam.

# %%
import sympy as sp

tau = sp.Symbol("tau", positive=True)
M, m, rho = sp.symbols("M m rho", positive=True)
z = sp.Symbol("z", positive=True)

# %% [markdown]
# The winner's perturbed weight z = w - rho_p moves by z' = M z^(L-1) (l_inf, GD; l_2 in the limit,
# where the winner has all of the gradient). Its margin m = M z^L then grows by a power of itself:
# m' = L M^(2/L) m^(2-2/L).
# %%
for depth in range(2, 7):
    margin = M * z**depth
    speed = margin.diff(z) * M * z ** (depth - 1)
    power = depth * M ** sp.Rational(2, depth) * margin ** (2 - sp.Rational(2, depth))
    assert sp.simplify(speed - sp.powsimp(sp.powdenest(power, force=True), force=True)) == 0

# %% [markdown]
# dt = (1 + e^m) d tau, so t ~ e^m/m': the derivative of e^m/m' over e^m is 1 - m''/m'^2 -> 1
# (l'Hopital). Hence e^-m ~ 1/(t m') with m ~ log t, the perturbed loss.
# %%
for depth in range(2, 7):
    speed = depth * M ** sp.Rational(2, depth) * m ** (2 - sp.Rational(2, depth))
    acceleration = speed.diff(m) * speed
    ratio = sp.simplify(1 - acceleration / speed**2)
    assert sp.limit(ratio, m, sp.oo) == 1
    log_t = m - sp.log(speed)
    assert sp.limit(log_t / m, m, sp.oo) == 1
    left = sp.log(speed) - sp.log(depth * M ** sp.Rational(2, depth))
    right = (2 - sp.Rational(2, depth)) * sp.log(m)
    assert sp.simplify(sp.expand_log(left - right, force=True)) == 0

# %% [markdown]
# The unperturbed margin is M (z + rho_p)^L: ahead by L rho_p M z^(L-1) = L rho_p M^(1/L) m^(1-1/L)
# to leading order. What that leaves is M rho^2 at L = 2, without bound at L >= 3: all terms count.
# %%
for depth in range(2, 7):
    ahead = sp.expand(M * (z + rho) ** depth - M * z**depth)
    leading = depth * rho * M * z ** (depth - 1)
    assert sp.limit(ahead / leading, z, sp.oo) == 1
    assert sp.limit(ahead - leading, z, sp.oo) == (M * rho**2 if depth == 2 else sp.oo)
    named = depth * rho * M ** sp.Rational(1, depth) * (M * z**depth) ** (1 - sp.Rational(1, depth))
    assert sp.simplify(sp.powdenest(named, force=True) - leading) == 0

# %% [markdown]
# L = 1: m_hat' = |mu|^2, t ~ e^m_hat/|mu|^2, and m = m_hat + rho |mu|_q (Hoelder, dual_norm.py), so
# t e^-m -> e^(-rho |mu|_q)/|mu|^2. w = w(0) + tau mu, so the part of w(0) across mu stays while
# |mu| |w| ~ log t: the direction is off by |w(0)_perp| |mu| / log t.
# %%
square, dual = sp.symbols("square dual", positive=True)
loss = sp.exp(-(m + rho * dual))
assert sp.simplify(sp.exp(m) / square * loss - sp.exp(-rho * dual) / square) == 0
across, length = sp.symbols("across length", positive=True)
assert sp.limit(m * across / sp.sqrt((m / length) ** 2 + across**2), m, sp.oo) == across * length

# %% [markdown]
# L = 2: z_k ~ c_k e^(mu_k tau), so with x = e^(2 mu_j tau) ~ log t up to a constant,
# beta_k / beta_j ~ x^(mu_k/mu_j - 1).
# %%
mu_k, mu_j = sp.symbols("mu_k mu_j", positive=True)
ratio = sp.exp(2 * (mu_k - mu_j) * tau)
assert sp.simplify(sp.log(ratio) - (mu_k / mu_j - 1) * 2 * mu_j * tau) == 0

# %% [markdown]
# L >= 3: the blow-up is at a finite tau*, where the others have frozen at beta_k(tau*), and the
# winner has |beta_j| ~ log t / M: the angle is ~ M |beta_k(tau*)| / log t.
# %%
frozen, log_t = sp.symbols("frozen log_t", positive=True)
assert sp.limit(log_t * sp.atan(frozen * M / log_t), log_t, sp.oo) == frozen * M

# %% [markdown]
# The gate: L equal gradients have eps = rho |g|^(q-1) / (L |g|^q)^((q-1)/q) = rho L^(-1/p). The
# package's gate and late loss are these.
# %%
from flowsam import l2
from flowsam.rates import late_log_loss

p, L = sp.symbols("p L", positive=True)
q = p / (p - 1)
gate = sp.log(rho) - (q - 1) / q * sp.log(L)
assert sp.simplify(gate - sp.log(rho) + sp.log(L) / p) == 0
assert abs(l2(0.3).gate(3) - 0.3 * 3**-0.5) < 1e-16
own = -sp.log(3 * 2 ** sp.Rational(2, 3)) - 1000 - 4 * sp.log(1000) / 3
plain = -2 * ((-own / 2) ** sp.Rational(1, 3) + 0.3 / sp.sqrt(3)) ** 3
assert max(abs(late_log_loss(1e3, 2.0, 3, l2(0.3))[i] - (own, plain)[i]) for i in (0, 1)) < 1e-9
