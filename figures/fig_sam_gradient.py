r"""SAM's gradient against the derivative of SAM's objective: equal for l_inf, not for l_2.

Claim: sam_gradient. Takes: 1 s.

One feature, two layers, as the first one varies and the second is 0.8. SAM's gradient, blue, takes
the step as fixed; the derivative of the loss at the perturbed point, orange, moves it too. Dots:
central differences. Under $\ell_\infty$-SAM the step is constant but for jumps and the two
coincide; under $\ell_2$-SAM they differ.
"""

import numpy as np

from figures import style
from flowsam import Flow, l2, linf, single_example
from flowsam.many_examples.hessian import ascent_slope

FAST, OTHER = {"rows": 9}, 0.8
TITLES = {"l_inf-SAM": r"$\ell_\infty$-SAM: the two coincide"}
TITLES["l_2-SAM"] = r"$\ell_2$-SAM: they differ"
WORDS = {"rule": "l_inf-SAM and l_2-SAM", "data": "mu=(1)", "L": 2, "clock": "none, no flow"}
WORDS |= {"start": f"v = {OTHER}", "method": "closed form; dots: central differences"}


def compute(rows=200):
    """Return u and, a rule, SAM's gradient in u, the whole derivative, and differences."""
    u = np.concatenate([np.linspace(-1.5, -0.02, rows), np.linspace(0.02, 1.5, rows)])
    arrays, step = {"u": u}, np.array([[1e-5], [0.0]])
    for rule in (linf(0.5), l2(0.5)):
        flow, found = Flow(single_example([1.0]), rule), []
        for theta in np.stack([u, np.full_like(u, OTHER)], axis=-1)[..., None]:
            sam = -flow.velocity(theta)
            whole = sam + (ascent_slope(flow, theta).T @ sam.ravel()).reshape(sam.shape)
            ends = [np.exp(flow.log_loss(flow.perturbed(x))) for x in (theta - step, theta + step)]
            found.append([sam[0, 0], whole[0, 0], float(np.diff(ends)[0]) / 2e-5])
        arrays[rule.name] = np.array(found)
    facts = {"rho": rule.rho, "loss": flow.loss.name, "tolerances": "none"}
    return arrays | {"card": style.card(**WORDS, **facts)}


def draw(u, **arrays):
    """Return the figure: one panel a rule, lines by formula, dots by differences."""
    figure, axes = style.panels(2, width=style.PAGE, height=2.5)
    for (name, rows), ax in zip(arrays.items(), axes, strict=True):
        half = u.size // 2
        for side in (slice(None, half), slice(half, None)):
            ax.plot(u[side], rows[side, 0], color="#0072B2", label="SAM's gradient")
            ax.plot(u[side], rows[side, 1], "--", color="#D55E00", label="derivative, in full")
            some = slice(side.start or 0, side.stop, max(half // 12, 1))
            ax.plot(u[some], rows[some, 2], ".", color="black", label="derivative, by differences")
        ax.set(
            xlabel="first layer $u$",
            title=TITLES[name],
        )
    axes[0].set_ylabel(r"$\partial/\partial u$")
    handles, words = axes[1].get_legend_handles_labels()
    axes[1].legend(handles[:3], words[:3])
    return figure


if __name__ == "__main__":
    style.save("fig_sam_gradient", compute, draw)
