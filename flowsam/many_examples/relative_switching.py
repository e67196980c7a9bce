"""Where ASAM with p = inf jumps, several examples: at pulls `G_j = sum_i q_i z_ij` that are 0.

w_hat = w (1 - rho sign(G_j beta_j)): at a weight of 0 the step is 0 and the weight passes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from flowsam.many_examples.switching import JointSwitching, Region, Theta

__all__ = ["RelativeSwitching"]


@dataclass(frozen=True, eq=False)
class RelativeSwitching(JointSwitching):
    """The surfaces G_j = 0 of ASAM with p = inf, as `JointSwitching` has them for l_inf."""

    constant = False

    @property
    def weights(self) -> int:
        """0: the step is continuous where a weight is 0."""
        return 0

    def _perturbed(self, theta: Theta, region: Region) -> Theta:
        """Return theta_hat with the signs of the pulls held."""
        up = np.sign(np.prod(np.sign(theta), axis=-2)) * self.pulls(region)
        return theta * (1 - self.flow.perturbation.rho * up[..., None, :])
