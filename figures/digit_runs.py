"""Runs on the bundled digits for the figure of the paper's message on real data."""

import numpy as np

from figures import style
from flowsam import Flow, gradient_flow, l2, solve, split_signs
from flowsam.real_data.shares import major_share, share_by_rank
from flowsam.real_data.tables import digit_table

RHO = 0.1


def shares(seed, ratio, log_t):
    """Run one split to the last log t; ratio is alpha/rho, None gradient flow at 0.12 rho."""
    train, test = digit_table(3, 5).standardised(test=0.25, seed=seed)
    d = train.z.shape[1]
    rule = gradient_flow() if ratio is None else l2(RHO)
    theta = np.full((2, 2 * d), RHO * (0.12 if ratio is None else ratio))
    flow = Flow(split_signs(train), rule)
    run = solve(flow, theta, log_t_end=log_t[-1], save_at=log_t, rtol=1e-6, atol=1e-9)
    beta = run.beta[:, :d] - run.beta[:, d:]
    beta = np.vstack([beta, np.full((len(log_t) - len(beta), d), np.nan)])  # collapsed: no rows
    return {
        "ranks": share_by_rank(train, np.nan_to_num(beta), groups=8),
        "major": major_share(train, np.nan_to_num(beta)),
        "accuracy": np.where(np.isnan(beta[:, 0]), np.nan, (test.z @ beta.T > 0).mean(axis=0)),
        "card": style.card(run, start="u = v = alpha, signs split, pixels standardised"),
    }


def summary(major, ratios):
    """Say for every alpha/rho on how many seeds the major share falls below half of GD's."""
    least, last = np.nanmin(major, axis=2), major[:, :, -1]
    fell = least[:, 1:] < 0.5 * least[:, :1]
    back = last[:, 1:] > 0.5 * last[:, :1]
    counts = (fell & back).sum(axis=0)
    words = ", ".join(f"{c} at {r:g}" for c, r in zip(counts, ratios, strict=True))
    return f"seeds of {len(major)} that lean on minor pixels and come back: {words} alpha/rho"
