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

from flowsam.version import __version__

_HOMES = {
    "data": ("Data", "from_labels", "single_example", "split_signs"),
    "discrete": ("Batches", "iterate"),
    "ensemble": ("solve_many",),
    "flow": ("Flow",),
    "labels": ("Label",),
    "losses": ("exponential", "logistic"),
    "margin": ("margin_certificate", "max_margin"),
    "network": ("balanced", "beta"),
    "outcomes": ("Limit", "limit", "limits"),
    "perturbations": ("Perturbation", "gradient_flow", "l2", "linf", "lp", "unnormalised"),
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
        raise AttributeError(f"module 'flowsam' has no attribute {name!r}; see dir(flowsam)")
    value = getattr(import_module(f"flowsam.{_MODULE[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """List the public names without importing them."""
    return list(__all__)
