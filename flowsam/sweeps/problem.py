"""What a sweep is asked for, checked before any work: its file, its names, every value once."""

import json
import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from flowsam import archive
from flowsam.data import Data
from flowsam.errors import InputError
from flowsam.inputs import CELLS
from flowsam.parameters import Parameters
from flowsam.sweeps.cells import Grid, Values, axis_values, cell, check_names, loaded
from flowsam.sweeps.measures import TAKEN, Found, measure, measures_of, source_digest
from flowsam.version import __version__

SOME = 1000  # values of an axis that are tried before any work


@dataclass(frozen=True, eq=False)
class Problem:
    """A case and its axes, checked.

    Parameters
    ----------
    parameters : dict
        The case, its data read.
    grid : Grid
        Axes, not yet cut.
    configuration : dict
        What makes this sweep this one, ready for JSON.
    """

    parameters: Parameters
    grid: Grid
    configuration: dict[str, Any]

    @property
    def fingerprint(self) -> str:
        """Digest of configuration and version."""
        return archive.digest(self.configuration)

    @property
    def features(self) -> tuple[str, ...]:
        """Names of the columns as given; none where an axis changes the data."""
        varied = "data" in self.grid.names
        return () if varied else self.parameters.data.features

    def measured(self, place: tuple[int, ...]) -> Found:
        """Return every quantity of one cell."""
        return measure(cell(self.parameters, self.grid.at(place)))


def read_sweep(path: str | os.PathLike[str]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the case and the axes of a TOML file with the tables [case] and [axes].

    Parameters
    ----------
    path : path
        The file; a CSV file it names, and modules of functions, lie beside it.

    Returns
    -------
    case, axes : dict

    Raises
    ------
    ValueError
        For an unreadable file, or names other than these, with the near one.
    """
    path = Path(path)
    try:
        tables = tomllib.loads(path.read_text("utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(
            f"a sweep needs a TOML file, got {path} ({error}); check it"
        ) from None
    check_names(tables, ("case", "axes"), "a sweep's file")
    for name in ("case", "axes"):
        if not isinstance(tables.get(name), dict) or not tables[name]:
            raise InputError(
                f"a sweep's file needs a table [{name}], got none in {path}; add it"
            )
    case = tables["case"]
    case.setdefault("folder", str(path.parent.resolve()))
    if "csv" in case:
        case["csv"] = str(path.parent / str(case["csv"]))
    return case, tables["axes"]


def checked(case: Mapping[str, Any], axes: Mapping[str, Any]) -> Problem:
    """Check every name, and every value of every axis once, beside the others' first."""
    if not axes:
        raise InputError(
            "a sweep needs an axis, got none; e.g. axes = {'rho': [0.5, 1.0]}"
        )
    parameters = loaded(case)
    names = measures_of(parameters)
    _check_own(names, axes)
    values = tuple(axis_values(str(name), given) for name, given in axes.items())
    grid = Grid(tuple(map(str, axes)), values)
    _check_radius(parameters, grid)
    first = grid.at((0,) * len(values))
    if grid.cells > CELLS:
        raise InputError(
            f"a sweep may have {CELLS} cells, got {grid.cells} of {len(values)} axes; "
            "pass fewer points, or one sweep after the other"
        )
    for name, several in grid.axes.items():
        for value in _some(several):
            cell(parameters, first | {name: value.item()})
    folder = parameters.get("folder")
    configuration = {
        "case": {k: _plain(v) for k, v in sorted(parameters.items()) if k != "folder"},
        "axes": {k: _plain(v) for k, v in grid.axes.items()},
        "functions": {n: source_digest(n, folder) for n in names if ":" in n},
        "flowsam": __version__,
    }
    return Problem(parameters, grid, configuration)


def _check_radius(parameters: Mapping[str, Any], grid: Grid) -> None:
    """Refuse a radius where no cell has a norm."""
    norms = grid.axes.get("norm", [parameters.get("norm", "inf")])
    only_gd = all(norm == "none" for norm in norms)
    if only_gd and ("rho" in grid.names or parameters.get("rho")):
        raise InputError(
            "norm none takes no radius, got rho; leave it out, or give other norms"
        )


def _some(values: Values) -> Values:
    """All values of an axis, or a thousand: the ends, the extremes, and some between."""
    if values.size <= SOME:
        return values
    spread = np.linspace(0, values.size - 1, SOME).astype(int)
    return values[np.unique([*spread, values.argmin(), values.argmax()])]


def _check_own(names: tuple[str, ...], axes: Mapping[str, Any]) -> None:
    """Refuse functions whose array would have the name of another one."""
    taken = {*TAKEN, *map(str, axes)}
    for name in names:
        own = name.partition(":")[2]
        if own in taken:
            raise InputError(
                f"measure needs functions with names of their own, got {name!r}: {own} is an axis "
                "or another quantity of the store; rename it"
            )
        taken |= {own} - {""}


def _plain(value: Any) -> Any:
    """Lists, numbers and text; what is long becomes its digest."""
    if isinstance(value, Data):
        value = [value.name, value.z]
    text = json.dumps(value, default=lambda entry: np.asarray(entry).tolist())
    if len(text) > 10_000:
        return f"sha256 {archive.digest(text)}"
    return json.loads(text)
