"""The names a sweep knows, and what to say about others."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from flowsam.errors import InputError
from flowsam.parameters import SOURCES, STARTS, TABLE

__all__ = ["CASE", "VARIABLE", "check_names"]

# Names an axis may vary; alpha_J and mu_J are entries of the lists alpha and mu.
VARIABLE = (
    *("rho", "norm", "p", "depth", "loss", "data", "alpha", "scale", "seed", "aligned"),
    *("tau_end", "log_t_end", "method", "rtol", "atol"),
)
CASE = (
    *SOURCES, *TABLE, "split_signs", "norm", "p", "rho", "loss", "depth", *STARTS, "seed",
    "scale", "aligned", "tau_end", "log_t_end", "method", "rtol", "atol", "measure", "switches",
    "plane", "folder",
)  # fmt: skip


def check_names(names: Iterable[object], known: Iterable[str], what: str) -> None:
    """Refuse names that are not known, each with the one it may stand for."""
    known = tuple(known)
    for name in names:
        if name not in known:
            near = difflib.get_close_matches(str(name), known, 1, 0.5)
            hint = (
                f"did you mean {near[0]!r}?"
                if near
                else f"known are {', '.join(known)}"
            )
            raise InputError(f"{what} has no {name!r}; {hint}")
