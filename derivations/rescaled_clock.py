# %% [markdown]
# Claim. Dividing the velocity by $\Lambda(\hat\theta) = \frac{1}{n}\sum_i|\ell'(m_i(\hat\theta))|$
# changes the clock and not the path. What remains has the shares $q_i = |\ell'_i|/\sum_k|\ell'_k|$;
# for one example it is $\mu_j\prod_{k \neq l}\hat w_j^{(k)}$, free of the loss. A blow-up at a
# finite $\tau^\star$ is reached only as $t \to \infty$, where $\log t \sim m - \log(dm/d\tau)$.
#
# Formula $d\tau = \Lambda(\hat\theta)\,dt, \quad dw_j^{(l)}/d\tau = \sum_i q_i z_{ij}\prod_{k\neq
# l}\hat w_j^{(k)}$
#
# Assumes $\ell' < 0$. For the blow-up: gradient flow with any number of examples, or one example
# under $\ell_\infty$ with $\hat w$ all positive in the escaping coordinate.
#
# Used by flowsam.flow, flowsam.engines.clock.
#
# Source: arXiv:2603.08290, equation (2), for one example; n examples and the blow-up: flowsam.

# %%
import sympy as sp

t, m = sp.symbols("t m", real=True)
logistic, exponential = sp.log(1 + sp.exp(-m)), sp.exp(-m)

# %% [markdown]
# Same path: Theta(tau(t)) with Theta' = F and tau' = Lambda > 0 moves with velocity Lambda F.
# %%
tau, Theta = sp.Function("tau"), sp.Function("Theta")
velocity, x = Theta(tau(t)).diff(t), sp.Symbol("x", real=True)
assert (velocity / tau(t).diff(t)).doit() == Theta(x).diff(x).subs(x, tau(t))
for loss in (logistic, exponential):
    assert (-loss.diff(m)).subs(m, x).is_positive  # so tau is a clock: it never stops

# %% [markdown]
# The factor: mean_i |ell'_i| z_i = Lambda sum_i q_i z_i for three examples; q sums to 1, does not
# change when every log|ell'_i| is shifted (so it may be computed at any margin), and is 1 at n = 1.
# %%
slope = sp.symbols("s_1:4", positive=True)
z = sp.symbols("z_1:4", real=True)
q = [x / sum(slope) for x in slope]
mean = sum(slope) / 3
pull = sum(x * y for x, y in zip(q, z, strict=True))
assert sp.simplify(sum(x * y for x, y in zip(slope, z, strict=True)) / 3 - mean * pull) == 0
assert sp.simplify(sum(q)) == 1
shift = sp.Symbol("c", real=True)
shifted = [sp.exp(sp.log(x) - shift) for x in slope]
assert all(sp.simplify(a - b / sum(shifted)) == 0 for a, b in zip(q, shifted, strict=True))

# %% [markdown]
# One example: dt/d tau = 1/|ell'| at m(theta_hat), 1 + e^m (logistic) or e^m (exponential).
# %%
assert sp.simplify(-1 / logistic.diff(m) - (1 + sp.exp(m))) == 0
assert sp.simplify(-1 / exponential.diff(m) - sp.exp(m)) == 0

# %% [markdown]
# Gradient flow, any n: by Euler's identity d||theta||^2/dt = 2 L mean_i |ell'_i| m_i. |ell'| m is
# continuous, negative for m < 0 and tends to 0 at infinity, so it is bounded above: ||theta||^2
# grows at most linearly in t, and a blow-up at tau* cannot happen at finite t.
# %%
for depth in range(1, 6):
    w = sp.symbols(f"w_1:{depth + 1}")
    beta = sp.prod(w)
    assert sp.expand(sum(x * beta.diff(x) for x in w) - depth * beta) == 0
for loss in (logistic, exponential):
    assert sp.limit(-loss.diff(m) * m, m, sp.oo) == 0

# %% [markdown]
# One example, l_inf, the escaping coordinate: y' = x with x = mu prod_k z_k, z_k = w_hat_k, solves
# z_k' = x / z_k by z_k^2 = z_k(0)^2 + 2y. The margin at theta_hat is r + x with r from the others,
# so dt = (1 + e^(r+x))/x dy: the integrand grows without bound as y -> inf, hence so does t.
# %%
x, y, z0 = sp.symbols("x y z0", positive=True)
r = sp.Symbol("r", real=True)
z_k = sp.sqrt(z0**2 + 2 * y)
assert sp.simplify(z_k.diff(y) * x - x / z_k) == 0
assert sp.limit((1 + sp.exp(r + x)) / x, x, sp.oo) == sp.oo

# %% [markdown]
# Late times: the integral of e^m is e^m/m' to leading order; integrating by parts, the next term is
# smaller by m''/m'^2, for z' = mu z^(L-1) and m = mu z^L a multiple of 1/m, which goes to 0.
# %%
mu, z = sp.symbols("mu z", positive=True)
for depth in (2, 3, 4, 5):
    speed, margin = mu * z ** (depth - 1), mu * z**depth
    first = margin.diff(z) * speed
    second = first.diff(z) * speed
    assert sp.simplify(second / first**2 - sp.Rational(2 * depth - 2, depth) / margin) == 0

# %% [markdown]
# The package: Flow.field is sum q z times the other layers, log_lambda the log of the mean slope.
# %%
import numpy as np

from flowsam import Data, Flow, gradient_flow

flow, theta = Flow(Data([[1.0, 2.0], [0.5, -0.25]]), gradient_flow()), np.array([[2.0, 3], [1, -1]])
slopes = 1 / (1 + np.exp(flow.data.z @ theta.prod(axis=0)))
own = slopes @ flow.data.z / slopes.sum() * theta[::-1]
assert np.allclose(flow.field(theta), own, rtol=1e-14)
assert np.isclose(flow.log_lambda(theta), np.log(slopes.mean()), rtol=1e-14)
