"""One rule of every kind, by its kind: what tests that go over all of them share."""

import numpy as np

from flowsam import asam, gradient_flow, l2, linf, lp, unnormalised

__all__ = ["rules"]


def rules(rho, step=0.4):
    """Return a rule of every kind with radius rho; `step` is that of unnormalised SAM and ASAM."""
    found = [gradient_flow(), lp(rho, p=1), lp(rho, p=1.5), l2(rho), lp(rho, p=3), linf(rho)]
    found += [unnormalised(step), asam(step), asam(step, p=1), asam(step, p=np.inf)]
    return {rule.kind: rule for rule in found}
