r"""Two weights at 0: two phases tell discrete SAM's side, and rarely let the others run away.

Claim: linf_phases. Takes: 3 s.

One feature under discrete $\ell_\infty$-SAM, $L = 5$, $\rho = \mu = 1$, two weights within a few
steps of 0, the others at 3, 3.2 and 3.4. Left: the share of time with $\beta > 0$ of 4,000 starts,
over their phases in units of $h A$ and $h B$: it is 1 below the line, 0 above. Right: how many of
them run away in their other layers although $\beta$ stays at 0, over the step; dashed with steps
that follow the speed of the side the state is on, where nearly all do.
"""

import numpy as np

from figures import style
from flowsam.network import other_products

REST = np.array([3.0, 3.2, 3.4])
INNER, OUTER = np.prod(REST - 1), np.prod(REST + 1)
FAST = {"count": 200, "finest": 1}


def speeds(w):
    """The descent of discrete SAM, rho = mu = 1."""
    return other_products(w - np.sign(other_products(w)))


def least(value, unit):
    """Distance to the multiples of 2 unit."""
    return np.abs((value + unit) % (2 * unit) - unit)


def shares(w, h, steps):
    """Share of steps with beta > 0 in the second half."""
    up = np.zeros(w.shape[1])
    for step in range(2 * steps):
        up += (step >= steps) * (w[0] * w[1] > 0)
        w = w + h * speeds(w)
    return up / steps


def started(rng, h, count):
    """Starts within six steps of 0."""
    small = h * OUTER * rng.uniform(-6, 6, (2, count))
    return np.vstack([small, np.repeat(REST[:, None], count, axis=1)])


def runaways(w, step, *, until=1.5, far=15.0, held=1.02):
    """The share of starts whose largest layer passes `far` before tau = 1.5.

    None does that once one of its other layers has come to rest, at rho: it is let go there.
    """
    count, tau, gone = w.shape[1], np.zeros(w.shape[1]), 0
    while w.shape[1]:
        speed = speeds(w)
        h = step(w, speed)
        w, tau = w + h * speed, tau + h
        out = w[2:].max(axis=0) > far
        left = ~out & (w[2:].min(axis=0) > held) & (tau <= until)
        if not left.all():
            gone += int(out.sum())
            w, tau = w.compress(left, axis=1), tau[left]
    return gone / count


def compute(count=4000, finest=4):
    """Return phases with the share of s = +, and shares of runaways over the step."""
    rng, h = np.random.default_rng(3), 1e-13
    w = started(rng, h, count)
    phases = least(w[0] + w[1], h * INNER), least(w[0] - w[1], h * OUTER)
    share = shares(w, h, int(30 * OUTER / INNER))
    steps = 1e-3 / 4.0 ** np.arange(finest)
    plain = [runaways(started(rng, h, count // 2), lambda w, f, h=h: h) for h in steps]

    def own(w, speed, h):
        return h * OUTER / np.abs(speed).max(axis=0)

    sided = [
        runaways(started(rng, h, count // 8), lambda w, f, h=h: own(w, f, h)) for h in steps[:2]
    ]
    card = {"rule": "l_inf-SAM", "rho": "1", "L": "5", "loss": "any", "clock": "rescaled"}
    card |= {"data": "mu = 1", "start": "two weights within 6 steps of 0, others 3, 3.2, 3.4"}
    card |= {"method": "discrete SAM", "tolerances": "steps 1e-3 to 1.6e-5"}
    place = np.column_stack(phases) / (h * np.array([INNER, OUTER]))
    return {
        "place": place,
        "share": share,
        "steps": steps,
        "plain": plain,
        "sided": sided,
        "card": style.card(**card),
    }


def draw(place, share, steps, plain, sided):
    """Return the figure: the square of phases, and runaways over the step."""
    figure, axes = style.panels(2, width=style.PAGE, height=2.4)
    up = share > 0.5
    for some, colour, name in ((up, "#D55E00", "$p = 1$"), (~up, "#0072B2", "$p = 0$")):
        axes[0].plot(*place[some].T, ".", color=colour, markersize=1.5, label=name)
    axes[0].plot([0, 1], [0, INNER / OUTER], color="black", linewidth=0.9)
    axes[0].set(xlabel="phase of the sum, $m_u/A$", ylabel="phase of the difference, $m_v/B$")
    axes[0].set(xlim=(0, 1), ylim=(0, 0.4))
    axes[0].legend(fontsize=6.5, loc="upper left", markerscale=4, frameon=True, framealpha=1)
    axes[0].set_title(f"{100 * up.mean():.1f} % have $p = 1$: $A/(2B)$")
    axes[1].plot(steps, plain, "o-", color="#0072B2", label="steps of one size")
    axes[1].plot(
        steps[: len(sided)], sided, "s--", color="#D55E00", label="by the side's own speed"
    )
    axes[1].set(xscale="log", xlabel="step $h$", ylabel="share that runs away")
    axes[1].set(ylim=(-1e-4, 1.5))
    axes[1].set_yscale("symlog", linthresh=1e-3)
    axes[1].legend(fontsize=6.5)
    axes[1].set_title("runaways vanish with the step")
    return figure


if __name__ == "__main__":
    style.save("fig_linf_phases", compute, draw)
