"""What a sweep measures in a cell: limits, times, margins, losses, planes, your functions."""

import importlib
import inspect
import re
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from flowsam import archive
from flowsam.amplification import leaders
from flowsam.endings import Ending
from flowsam.errors import InputError, InputTypeError
from flowsam.inputs import whole_number
from flowsam.outcomes import limit
from flowsam.portrait import layer_plane, phase_portrait
from flowsam.portrait.plane_rows import settling
from flowsam.regimes import case_of
from flowsam.shapes import Shaped
from flowsam.sweeps.cells import RUN, START, Cell, axis_values, check_names

Raw = dict[str, Any]
Arrays = dict[str, Shaped[np.ndarray, "..."]]
Found = dict[str, tuple[tuple[str, ...], Shaped[np.ndarray, "..."]]]
_FUNCTION = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*:[^\W\d]\w*")
UNFINISHED = -(2**15)  # of labels: no limit has it
STATUSES = tuple(dict.fromkeys(ending.status for ending in Ending))


def _switch_times(cell: Cell) -> Raw:
    """Times at which the lead changes and who leads between them, l_2 at L = 2."""
    rule = cell.flow.perturbation
    most = whole_number(
        cell.parameters.get("switches", 16), "switches needs a whole number"
    )
    if not case_of(cell.flow, len(cell.start)).regime.amplifies:
        raise InputError(
            f"switch_times needs l_2-SAM at depth 2, got {rule.name} at depth {len(cell.start)}"
        )
    found = leaders(cell.start, cell.flow.mu, rho=rule.rho)
    if found.times.size > most:
        raise InputError(
            f"{found.times.size} switches exceed switches = {most}; raise it"
        )
    times = np.full(most, np.nan)
    times[: found.times.size] = found.times
    order = np.zeros(most + 1, np.int16)
    order[: len(found.order)] = found.order
    return {"switch_times": times, "leaders": order}


def _end(cell: Cell) -> Raw:
    """How and when the run ended, in both clocks."""
    run = cell.run
    status = np.int16(STATUSES.index(run.status))
    return {"status": status, "tau": run.tau[-1], "log_t": run.log_t[-1]}


def _portrait(cell: Cell) -> Raw:
    """The limits of a plane of starts, `plane = {x = ..., y = ..., kind = "balanced"}`."""
    plane = cell.parameters.get("plane")
    if not isinstance(plane, dict) or "x" not in plane:
        raise InputError(
            f"portrait needs plane = {{x = ..., y = ...}} in the case, got {plane}"
        )
    check_names(plane, ("x", "y", "kind"), "a plane")
    kind = plane.get("kind", "balanced")
    check_names([kind], ("balanced", "layers"), "the list of planes")
    x = axis_values("x", plane["x"])
    y = axis_values("y", plane.get("y", plane["x"]))
    start = layer_plane if kind == "layers" else None
    depth = cell.parameters.get("depth", 2)
    as_given = replace(cell.flow, data=cell.setup.data)
    found = phase_portrait(as_given, x, y, depth=depth, start=start)
    if found.unfinished:  # an interrupt: the chunk is not done
        raise KeyboardInterrupt
    return {"portrait": found.labels}


MEASURES: dict[str, Callable[[Cell], Raw]] = {
    # the limit as t -> inf: j >= 1 or a member of `labels.Label`
    "label": lambda cell: {"label": np.int16(limit(cell.flow, cell.start).label)},
    # rescaled time of collapse or blow-up; inf where the limit is asymptotic
    "settled_at": lambda cell: {
        "settled_at": settling(cell.flow, cell.start[None, None])[0, 0]
    },
    "switch_times": _switch_times,
    # at the end of the run; the predictor is that of the columns as given
    "margins": lambda cell: {"margins": cell.run.margins[-1]},
    "beta": lambda cell: {"beta": cell.setup.predictor(cell.run.beta[-1])},
    "log_loss": lambda cell: {"log_loss": cell.run.log_loss[-1]},
    "end": _end,
    "portrait": _portrait,
}
_OWN = {  # dimensions that arrays have beside the axes
    "switch_times": ("switch",),
    "leaders": ("stage",),
    "margins": ("example",),
    "beta": ("feature",),
    "portrait": ("plane_y", "plane_x"),
}

# parameters that not every measure reads; functions of yours get the flow and the start
USES = dict.fromkeys(MEASURES, START) | {
    "switch_times": (*START, "switches"),
    "portrait": ("plane",),
    **dict.fromkeys(("margins", "beta", "log_loss", "end"), (*START, *RUN)),
}


def check_used(case: Mapping[str, Any], axes: Iterable[str]) -> None:
    """Refuse parameters that nothing of what is measured reads, or an axis replaces."""
    for name in axes:
        if name in case:
            raise InputError(
                f"{name} is in the case and an axis, which replaces it; leave one out"
            )
    known, own = split_names(case)
    measured = [*known, *own]
    used = {name for one in measured for name in USES.get(one, START)}
    for name in (*case, *axes, *(str(axis).partition("_")[0] for axis in axes)):
        readers = [one for one, names in USES.items() if name in names]
        if readers and name not in used:
            raise InputError(
                f"{name} is for measures of {', '.join(readers)}, got "
                f"{', '.join(measured)}; leave it out"
            )


# names of arrays in a store
TAKEN = (*MEASURES, "leaders", "status", "tau", "log_t", "state", "error")


def measures_of(parameters: dict[str, Any]) -> tuple[str, ...]:
    """Return the names a case measures, known or of the form module:function."""
    known, own = split_names(parameters)
    for name in own:
        _function(name, parameters.get("folder"))
    return (*known, *own)


def split_names(parameters: Mapping[str, Any]) -> tuple[list[str], list[str]]:
    """Return the known names a case measures, and those of your functions; run nothing."""
    names = parameters.get("measure", ["label"])
    if not isinstance(names, (list, tuple)) or not names:
        raise InputTypeError(
            f"measure needs a list of names, got {names!r}; e.g. ['label']"
        )
    own = [name for name in names if isinstance(name, str) and ":" in name]
    known = [name for name in names if name not in own]
    check_names(known, MEASURES, "the list of measurements")
    for name in own:
        if not _FUNCTION.fullmatch(name):
            raise InputError(
                f"measure needs names like module:function, got {name!r}; check it"
            )
    return known, own


def measure(cell: Cell) -> Found:
    """Return every quantity of a cell by name, each with the names of its own dimensions."""
    found: Found = {}
    for name in cell.parameters.get("measure", ["label"]):
        if ":" not in name:
            known = MEASURES[name](cell)
            found |= {k: (_OWN.get(k, ()), np.asarray(v)) for k, v in known.items()}
            continue
        function = _function(name, cell.parameters.get("folder"))
        value = np.asarray(function(cell.flow, cell.start))
        if value.dtype.kind not in "biuf":
            raise InputTypeError(f"{name} needs to return numbers, got {value.dtype}")
        own = name.partition(":")[2]
        dims = tuple(f"{own}_{k}" for k in range(value.ndim))
        found[own] = (dims, value.astype(float))
    return found


def _function(name: str, folder: str | None) -> Callable[..., Any]:
    """Import a function by its dotted name; modules beside the file of the sweep are found."""
    module, _, function = name.partition(":")
    if folder and folder not in sys.path:
        sys.path.insert(0, folder)
    try:
        found = getattr(importlib.import_module(module), function)
    except (Exception, SystemExit) as error:  # that module's, whatever it is
        raise InputError(
            f"measure needs module:function that can be imported, got {name!r} ({error})"
        ) from None
    if not callable(found):
        raise InputTypeError(
            f"measure needs functions, got {name!r}, {type(found).__name__}"
        )
    return found


def source_digest(name: str, folder: str | None) -> str:
    """Return a digest of the source of a function of yours: another body is another sweep."""
    try:
        text = inspect.getsource(_function(name, folder))
    except (TypeError, OSError):  # built in
        text = name
    return archive.digest(text)[:16]
