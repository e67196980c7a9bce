"""What people use today, on the same work: l_2-SAM or l_inf-SAM at L = 2, in the rescaled clock.

The gradient of log mean exp(-m_i) is the rescaled field, so that frameworks get it by their own
differentiation. Each rival returns last states (B, 2, d), or None where it is not installed.
"""

import importlib.util

import numpy as np
from scipy.integrate import solve_ivp

from figures.naive import textbook_field
from figures.timing import timed
from flowsam.network import beta


def torch_sam(z, rule, starts, *, tau_end, steps):
    """PyTorch SAM by a rule (p, rho), all starts in one tensor, gradients by autograd."""
    if importlib.util.find_spec("torch") is None:
        return None
    import torch

    p, rho = rule
    torch.set_num_threads(1)
    examples = torch.tensor(z)
    w = torch.tensor(starts)

    def gradient(point):
        point.requires_grad_(True)
        loss = torch.logsumexp(-(point.prod(dim=-2) @ examples.T), dim=-1).sum()
        return torch.autograd.grad(loss, point)[0]

    for _ in range(steps):
        g = gradient(w.detach())
        if p == 2:
            ascent = rho * g / g.flatten(1).norm(dim=1)[:, None, None]
        else:
            ascent = rho * g.sign()
        w = w.detach() - tau_end / steps * gradient((w + ascent).detach())
    return w.numpy()


def torch_loop(z, rule, starts, *, tau_end, steps):
    """PyTorch SAM, one start after the other."""
    runs = [torch_sam(z, rule, s[None], tau_end=tau_end, steps=steps) for s in starts]
    return None if runs[0] is None else np.concatenate(runs)


def diffrax_vmap(z, rho, starts, *, tau_end, rtol):
    """diffrax's Dopri8 under vmap and jit; returns seconds of a compiled call, and the states."""
    if importlib.util.find_spec("diffrax") is None:
        return None
    import diffrax
    import jax
    import jax.numpy as jnp

    jax.config.update("jax_enable_x64", True)
    examples = jnp.asarray(z)

    def descent(w):
        return (jax.nn.softmax(-examples @ (w[0] * w[1])) @ examples) * w[::-1]

    def velocity(_, w, __):
        g = descent(w)
        return descent(w - rho * g / jnp.sqrt((g**2).sum()))

    def one(w):
        control = diffrax.PIDController(rtol=rtol, atol=1e-3 * rtol)
        found = diffrax.diffeqsolve(
            diffrax.ODETerm(velocity), diffrax.Dopri8(), 0.0, tau_end, None, w,
            stepsize_controller=control, max_steps=2_000, throw=False,
        )  # fmt: skip
        arrived = found.result == diffrax.RESULTS.successful
        return jnp.where(arrived, found.ys[0], jnp.nan)

    many = jax.jit(jax.vmap(one))
    many(jnp.asarray(starts)).block_until_ready()  # compile
    return timed(lambda: np.asarray(many(jnp.asarray(starts)).block_until_ready()))


def textbook_late(z, start, end):
    """Time reached and last state of the unscaled field in T = log(1 + t)."""
    rescaled = textbook_field(z, 0.1)

    def velocity(T, state):
        w = state.reshape(2, -1)
        share = np.exp(-z @ beta(w))
        g = share @ z * w[::-1]
        hat = w - 0.1 * g / np.sqrt((g**2).sum())
        speed = np.exp(T) * np.exp(-z @ beta(hat)).mean()
        return speed * rescaled(T, state)

    with np.errstate(all="ignore"):
        try:
            run = solve_ivp(velocity, (0, end), start.ravel(), "Radau", rtol=1e-8, atol=1e-11)
        except ValueError:  # infinities in its linear algebra
            return 0.0, start
    return run.t[-1], run.y[:, -1].reshape(2, -1)
