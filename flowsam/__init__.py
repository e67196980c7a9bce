"""Gradient flows of sharpness-aware minimisation on linear diagonal networks.

Exact solutions where they exist, event-driven integration elsewhere, and maps from initialisation
to limit. A first solve needs four names:

>>> from flowsam import Flow, linf, single_example, solve
>>> flow = Flow(single_example([1.0, 2.0]), linf(1.0))
>>> solve(flow, [[1.5, 0.6], [1.5, 0.6]], tau_end=1.0).beta[-1].round(3)
array([5.566, 0.   ])

Names are loaded on first use: importing flowsam imports neither NumPy nor SciPy nor SymPy.
"""

from importlib import import_module
from typing import TYPE_CHECKING

from flowsam.version import __version__

if TYPE_CHECKING:  # what type checkers and completion see
    from flowsam.data import (
        Data as Data,
        from_labels as from_labels,
        merge_signs as merge_signs,
        single_example as single_example,
        split_signs as split_signs,
    )
    from flowsam.discrete import Batches as Batches, iterate as iterate
    from flowsam.ensemble import solve_many as solve_many
    from flowsam.explorer import explore as explore
    from flowsam.flow import Flow as Flow
    from flowsam.labels import Label as Label
    from flowsam.losses import exponential as exponential, logistic as logistic
    from flowsam.margin import (
        margin_certificate as margin_certificate,
        max_margin as max_margin,
    )
    from flowsam.network import balanced as balanced, beta as beta
    from flowsam.outcomes import Limit as Limit, limit as limit, limits as limits
    from flowsam.perturbations import (
        Perturbation as Perturbation,
        asam as asam,
        gradient_flow as gradient_flow,
        l2 as l2,
        linf as linf,
        lp as lp,
        unnormalised as unnormalised,
    )
    from flowsam.portrait import (
        Portrait as Portrait,
        layer_plane as layer_plane,
        phase_portrait as phase_portrait,
        refine as refine,
    )
    from flowsam.solver import solve as solve
    from flowsam.sweeps import sweep as sweep
    from flowsam.trajectory import Trajectory as Trajectory

_HOMES = {
    "data": ("Data", "from_labels", "merge_signs", "single_example", "split_signs"),
    "discrete": ("Batches", "iterate"),
    "ensemble": ("solve_many",),
    "explorer": ("explore",),
    "flow": ("Flow",),
    "labels": ("Label",),
    "losses": ("exponential", "logistic"),
    "margin": ("margin_certificate", "max_margin"),
    "network": ("balanced", "beta"),
    "outcomes": ("Limit", "limit", "limits"),
    "perturbations": (
        "Perturbation",
        "asam",
        "gradient_flow",
        "l2",
        "linf",
        "lp",
        "unnormalised",
    ),
    "portrait": ("Portrait", "layer_plane", "phase_portrait", "refine"),
    "solver": ("solve",),
    "sweeps": ("sweep",),
    "trajectory": ("Trajectory",),
}
_MODULE = {name: module for module, names in _HOMES.items() for name in names}

__all__ = ["__version__", *sorted(_MODULE)]


def __getattr__(name: str) -> object:
    """Import a public name on first use and keep it."""
    if name not in _MODULE:
        raise AttributeError(
            f"module 'flowsam' has no attribute {name!r}; see dir(flowsam)"
        )
    value = getattr(import_module(f"flowsam.{_MODULE[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """List the public names without importing them."""
    return list(__all__)
