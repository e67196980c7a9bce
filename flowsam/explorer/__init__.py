"""The explorer: a page on which a start is dragged and its limit is said.

Not named `explore`: importing a package `flowsam.explore` would hide the function.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from flowsam.errors import InputError
from flowsam.explorer.page import Page
from flowsam.inputs import real_array, real_example
from flowsam.perturbations import Perturbation, asam, l2, linf

__all__ = ["Page", "explore"]

_NAMES = {"GD": "GD", "l_inf": "linf", "l_2": "l2", "adaptive": "asam"}  # by kind
_DRAWN: dict[str, dict[str, Sequence[int]]] = {  # depths by view and rule
    "layers": {"GD": range(2, 7), "linf": range(2, 7), "l2": (2,)},
    "plane": {"GD": range(1, 7), "linf": range(1, 7), "l2": (2,), "asam": (2,)},
    "strip": {"l2": (2,)},
}
_WORDS = {"GD": "GD", "linf": "l_inf", "l2": "l_2", "asam": "ASAM with p = 2"}
# radius, and what to do beyond
_LARGEST = {
    "asam": (1.4, "from sqrt(2) on ASAM shrinks weights"),
    "linf": (1e3, "rescale weights"),
    "l2": (1e3, "rescale weights"),
}
# of the page's weights
_LEAST = 1e-6
_MOST = 1e4


def explore(
    mu: ArrayLike = (1.0, 2.0),
    rule: Perturbation | None = None,
    *,
    depth: int = 2,
    init: ArrayLike | None = None,
) -> Page:
    """Return the explorer, a page on which a start is dragged and its limit is said at once.

    One feature opens the plane of its two layers (u, v), two the plane of balanced starts
    (alpha_1, alpha_2), more the strip of who leads under l_2-SAM. The page holds formulas from
    SymPy and needs neither a network nor Python.

    Parameters
    ----------
    mu : array_like, shape (d,)
        One example, d from 1 to 8, entries from 0.01 to 100; of negative entries take the size.
    rule : Perturbation, optional
        GD, l_inf, l_2 (depth 2), or of two features `asam(rho)` (depth 2, rho <= 1.4); default
        `linf(1.0)`, and `l2(1.0)` from three features on.
    depth : int
        Layers, 1 to 6, of one feature 2 to 6; 2 for l_2, ASAM, and more than two features.
    init : array_like, shape (d,), or float, optional
        Where the start is at first: alpha, or (u, v) for one feature, the smallest layers.

    Returns
    -------
    Page
        In a notebook it shows itself; `.save("page.html")` writes one file below 80 kB, and
        `.widget()` is a widget whose `.state` is read and set from Python.

    Raises
    ------
    TypeError, ValueError
        For what the page does not draw, in one line.

    Notes
    -----
    Labels equal those of `flowsam.limits`, or say "too close to tell" where a start is nearer to
    the separatrix than 1e-9 of its scale. (derivations/l2_critical_scale.py)

    Examples
    --------
    >>> explore([1, 2], l2(1.0), init=[0.5, 0.6]).state["start"]
    [0.5, 0.6]
    """
    mu = real_example(mu)
    rule = rule or (linf(1.0) if mu.size < 3 else l2(1.0))
    if mu.size > 8 or mu.min() < 0.01 or mu.max() > 100:
        raise InputError(
            f"explore needs 1 to 8 mu from 0.01 to 100, got {mu.tolist()}; take |mu|"
        )
    view = "layers" if mu.size == 1 else "plane" if mu.size == 2 else "strip"
    state = {"view": view, "mu": mu.tolist()} | _rule(rule, depth, view)
    return Page(state if init is None else state | _start(init, view))


def _rule(rule: Perturbation, depth: int, view: str) -> dict[str, object]:
    """The rule and depth as the page names them, refused where it has no picture."""
    name = _NAMES.get(rule.kind, "")
    rho = rule.rho
    if name == "asam" and rule != asam(rho):  # another p
        name = ""
    drawn = _DRAWN[view]
    if name not in drawn:
        known = ", ".join(_WORDS[one] for one in drawn)
        raise InputError(f"explore draws {known}, got {rule.name}; see phase_portrait")
    depths = drawn[name]
    if depth not in depths:
        reach = " to ".join(map(str, dict.fromkeys((depths[0], depths[-1]))))
        raise InputError(
            f"explore needs depth {reach} here, got {depth}; see phase_portrait"
        )
    found: dict[str, object] = {"rule": name, "depth": depth}
    if name not in _LARGEST:
        return found
    most, move = _LARGEST[name]
    if not 1e-3 <= rho <= most:
        raise InputError(f"explore needs rho from 0.001 to {most:g}, got {rho}; {move}")
    return found | {"rho": rho}


def _start(init: ArrayLike, view: str) -> dict[str, object]:
    """The start as the page names it."""
    start = np.atleast_1d(real_array(init, "init"))
    layers = view == "layers"
    size = np.abs(start) if layers else start
    least = 0.0 if layers else _LEAST
    fits = start.ndim == 1 and bool(((size >= least) & (size <= _MOST)).all())
    if view == "strip":
        if not fits or np.unique(start).size > 1:
            raise InputError(
                f"explore needs one alpha for all features here, got {start.tolist()}"
            )
        return {"alpha": float(start[0])}
    if start.size == 1:
        start = np.repeat(start, 2)
    if not fits or start.size != 2:
        raise InputError(
            f"explore needs two start weights up to {_MOST:g}, got {start.tolist()}; e.g. 1.5, 0.6"
        )
    return {"layers" if layers else "start": start.tolist()}
