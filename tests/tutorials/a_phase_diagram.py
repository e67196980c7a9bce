"""
A phase diagram of your own
===========================

Two numbers are varied, an answer is measured in every cell. Here: the scale of the start against
the radius, for l_2-SAM with two layers, and who leads at a time of your choice.
"""

# %%
# One cell is one run; a closed form makes it cheap. `solve_many` does a row of starts at once.
import matplotlib.pyplot as plt
import numpy as np

from flowsam import Flow, balanced, l2, single_example, solve_many
from flowsam.amplification import critical_scale

mu = [1.0, 2.0]
scales = np.linspace(0.1, 2.0, 40)
radii = np.linspace(0.2, 2.0, 30)
starts = np.stack([balanced([scale, scale], 2) for scale in scales])
leader = np.zeros((radii.size, scales.size), dtype=int)
for row, rho in enumerate(radii):
    flow = Flow(single_example(mu), l2(rho))
    beta = solve_many(flow, starts, tau_end=1.0).theta.prod(axis=-2)
    alive = beta.max(axis=-1) > 1e-6
    leader[row] = np.where(alive, beta.argmax(axis=-1) + 1, 0)

# %%
# Three phases: collapsed (0), the minor feature leads (1), the major feature leads (2).
figure, axes = plt.subplots(figsize=(4.5, 3.5))
axes.pcolormesh(scales, radii, leader, cmap="viridis", vmin=0, vmax=2)
axes.set(xlabel="scale of the start", ylabel="radius")

# %%
# Theory draws one border: below the critical scale, which is proportional to rho, every run
# collapses.
border = np.array([critical_scale(mu, rho) for rho in radii])
axes.plot(border, radii, color="white")
assert np.allclose(border / radii, border[0] / radii[0])

# %%
# The picture has all three phases, and right of the border nothing has collapsed.
assert set(np.unique(leader)) == {0, 1, 2}
right = scales[None, :] > border[:, None]
assert (leader[right] > 0).all()

# %%
# Larger diagrams, over rules, depths or data, are a sweep: a file of a few lines, computed by
# several processes, interrupted and resumed at will (`flowsam sweep`, in the README).
