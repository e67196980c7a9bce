"""
Reproduce a theorem, then break it
==================================

Two layers, two features, one example. The paper's Theorem 3.2 with Corollary 3.5: from balanced
starts l_inf-SAM ends at the strongest of the features that start above the radius rho, and at 0
if none does.
"""

# %%
# The rule in three lines, and flowsam's answer from 500 random starts. They have to agree.
import matplotlib.pyplot as plt
import numpy as np

from flowsam import Flow, balanced, draw, limits, linf, phase_portrait, single_example

mu = np.array([1.0, 2.0])
rho = 1.0
flow = Flow(single_example(mu), linf(rho))


def theorem(alpha):
    """Label of the strongest feature above rho, or 0."""
    above = np.where(alpha > rho, mu, 0)
    return np.where(above.any(axis=-1), above.argmax(axis=-1) + 1, 0)


rng = np.random.default_rng(7)
alpha = rng.uniform(0, 2, (500, 2))
starts = np.stack([balanced(row, 2) for row in alpha])
assert np.array_equal(limits(flow, starts), theorem(alpha))

# %%
# The same as a picture: each point of the square is a start, its colour the limit.
axis = np.linspace(0.01, 2, 200)
square = phase_portrait(flow, axis, axis)
figure, axes = plt.subplots(figsize=(4, 4))
draw.portrait(axes, square)

# %%
# Now break a hypothesis: the layers are no longer equal. One weight goes down by 1.6, the other up
# by as much, so the mean is what it was; the theorem's rule, asked about the mean, is wrong for
# some.
shift = 1.6
uneven = starts + shift * np.array([-1.0, 1.0])[:, None]
found = limits(flow, uneven)
wrong = np.mean(found != theorem(alpha))
print(f"wrong for {wrong:.1%} of the starts")
assert wrong > 0.02

# %%
# What holds instead, for weights of any sign, is a conic (the claim linf_two_layer). A coordinate
# whose weights u, v differ in sign escapes if ``|u + v| (2 rho + |u| + |v|) > 8 rho^2``, one with
# weights of one sign if ``|u + v| > 2 rho``.
u = uneven[:, 0]
v = uneven[:, 1]
size = np.abs(u) + np.abs(v)
mixed = np.abs(u + v) * (2 * rho + size) > 8 * rho**2
escapes = np.where(u * v < 0, mixed, np.abs(u + v) > 2 * rho)
strongest = np.where(escapes, mu, 0)
right = np.where(escapes.any(axis=-1), strongest.argmax(axis=-1) + 1, 0)
assert np.array_equal(found, right)
