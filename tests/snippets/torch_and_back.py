"""A flow's start into a PyTorch loop of SAM, and the end of the loop back beside the flow."""

import numpy as np
import torch

from flowsam import Flow, balanced, l2, single_example, solve

flow = Flow(single_example([1, 2]), l2(0.3))
start = balanced([0.6, 0.6], depth=2)
weights = torch.tensor(start, requires_grad=True)
z = torch.tensor(flow.data.z)
for _ in range(2000):  # t = 2 by steps of 1e-3
    loss = torch.nn.functional.softplus(-(weights.prod(0) @ z.T)).mean()
    (ascent,) = torch.autograd.grad(loss, weights)
    hat = (weights + 0.3 * ascent / ascent.norm()).detach().requires_grad_()
    loss = torch.nn.functional.softplus(-(hat.prod(0) @ z.T)).mean()
    (descent,) = torch.autograd.grad(loss, hat)
    weights = (weights - 1e-3 * descent).detach().requires_grad_()
end = solve(flow, start, log_t_end=np.log1p(2.0)).theta[-1]
assert np.abs(weights.detach().numpy() - end).max() < 1e-3
