# %% [markdown]
# Claim. What saliency of a trained network measures: on a linear predictor the share of
# $|\frac{1}{n}\sum_i x_{ij}\,\partial m_i/\partial x_{ij}|$ on strong pixels is the share that
# flowsam calls major, while Grad-CAM on a balanced diagonal network sees $|w_j|$ alone, whatever
# the depth. A step of SAM in two passes is the step of `iterate`. Whether a small convolutional
# network leans on weak pixels first is measured, with choices of our own, in `fig_trained_network`.
#
# Formula $\overline{x_j\,\partial m/\partial x_j} = \beta_j \bar z_j$
#
# Assumes two classes $y = \pm 1$ and margins $m_i = y_i\,\langle\beta, x_i\rangle$; maps $A_j = w_j
# x_j$ for Grad-CAM.
#
# Used by figures.networks.look.
#
# Source: setting of arXiv:2603.08290, appendix, re-created with own choices; Grad-CAM: Selvaraju et
# al. 2017; the two identities: flowsam.
#
# Choices: architecture, radius, learning rate, digits and layer of the paper's network are in no
# public text; ours stand in the run card of `fig_trained_network`.

# %% A linear predictor: the measure is the share of the mean prediction
import numpy as np
import sympy as sp

from flowsam import Data
from flowsam.real_data.leaning import share_by_rank

n, d = 3, 4
x = sp.Matrix(n, d, lambda i, j: sp.Symbol(f"x{i}{j}", real=True))
y = sp.Matrix(n, 1, lambda i, _: sp.Symbol(f"y{i}", real=True))
beta = sp.Matrix(1, d, lambda _, j: sp.Symbol(f"b{j}", real=True))
margin = [y[i] * sum(beta[k] * x[i, k] for k in range(d)) for i in range(n)]
for j in range(d):
    measured = sum(x[i, j] * sp.diff(margin[i], x[i, j]) for i in range(n)) / n
    mean_z = sum(y[i] * x[i, j] for i in range(n)) / n
    assert sp.expand(measured - beta[j] * mean_z) == 0

# %% Grad-CAM of a balanced diagonal network: one weight a map, so |w_j x_j| and not |beta_j x_j|
w = sp.symbols("w0:4", positive=True)
maps = sp.symbols("A0:4", real=True)
for depth in (2, 3, 5):
    score = sum(a * weight ** (depth - 1) for a, weight in zip(maps, w, strict=True))
    weight = sum(sp.diff(score, a) for a in maps) / d  # the mean over the map
    seen = [(weight * w[j] * x[0, j]) / (weight * w[0] * x[0, 0]) for j in range(d)]
    for j in range(d):
        assert sp.simplify(seen[j] - w[j] * x[0, j] / (w[0] * x[0, 0])) == 0

# %% The package gives the same share
rng = np.random.default_rng(7)
z, b = rng.standard_normal((5, 8)), rng.standard_normal(8)
strength = np.abs(z.mean(axis=0))
parts = np.abs(b * z.mean(axis=0))
strong = np.argsort(-strength)[:2]
assert abs(parts[strong].sum() / parts.sum() - share_by_rank(Data(z), b)[0]) < 1e-12
