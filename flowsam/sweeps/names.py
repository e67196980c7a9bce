"""The names a sweep knows, and what to say about others."""

import difflib
from collections.abc import Iterable

from flowsam.errors import InputError
from flowsam.parameters import SOURCES, STARTS, TABLE

START = (*STARTS, "seed", "scale", "aligned", "split_signs")
RUN = ("tau_end", "log_t_end", "method", "rtol", "atol")
_RULE = ("norm", "p", "rho", "loss", "depth")
# Names an axis may vary; alpha_J and mu_J are entries of the lists alpha and mu.
VARIABLE = (*_RULE, "data", "alpha", "scale", "seed", "aligned", *RUN)
CASE = (
    *(*SOURCES, *TABLE, *_RULE, *START, *RUN),
    *("measure", "switches", "plane", "folder"),
)


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
