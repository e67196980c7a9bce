"""The case of a sweep: parameters by name, and the flow and start each cell makes of them."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from flowsam.data import Data
from flowsam.errors import InputError
from flowsam.flow import Flow
from flowsam.losses import LOSSES
from flowsam.parameters import STARTS, TABLE, Parameters, Setup
from flowsam.shapes import Theta
from flowsam.solver import solve
from flowsam.sweeps.axes import CASE, RUN, VARIABLE, check_names
from flowsam.trajectory import Trajectory

_PLACE = re.compile(r"(alpha|mu)_([1-9]\d*)")


@dataclass(frozen=True, eq=False)
class Cell:
    """One cell of a sweep: what its parameters make."""

    # flow and start; no start for a case that only asks for a plane of them
    setup: Setup
    parameters: Parameters  # all of them by name

    @property
    def flow(self) -> Flow:
        """Data, rule and loss."""
        return self.setup.flow

    @property
    def start(self) -> Theta:
        """The start, or a ValueError that says how to give one."""
        if self.setup.theta0 is None:
            raise InputError(
                f"a case needs a start, got none of {', '.join(STARTS)}; e.g. alpha=1"
            )
        return self.setup.theta0

    @cached_property
    def run(self) -> Trajectory:
        """The run to the end that the case names: its first and its last row."""
        given = {k: self.parameters[k] for k in RUN if k in self.parameters}
        return solve(self.flow, self.start, save_at=2, **given)


def loaded(parameters: Mapping[str, Any]) -> Parameters:
    """Return the parameters of a case with its data read, once and not in every cell."""
    check_names(parameters, CASE, "a case")
    found = Parameters(parameters)
    if isinstance(found.get("data"), Data):
        found["z"] = found.pop("data")
    if "csv" not in found:
        return found
    found.check_source()
    data = found.data
    kept = {k: v for k, v in found.items() if k not in ("csv", *TABLE)}
    return Parameters({"split_signs": len(data.z) > 1} | kept, z=data)


def cell(parameters: Mapping[str, Any], changes: Mapping[str, Any]) -> Cell:
    """Return the cell in which some parameters of a case are changed."""
    found = Parameters(parameters)
    for name, value in changes.items():
        _change(found, name, value)
    if changes.get("norm") == "none":  # the other norms of the axis have a radius
        found.pop("rho", None)
    if changes.get("norm", "asam") != "asam":  # and a p is ASAM's alone
        found.pop("p", None)
    check_names([found.get("loss", "logistic")], LOSSES, "the list of losses")
    found.check()
    return Cell(found.setup, found)


def _change(parameters: dict[str, Any], name: str, value: object) -> None:
    """Set one parameter, or one entry of a list."""
    place = _PLACE.fullmatch(name)
    if not place:
        check_names(
            [name],
            VARIABLE,
            "an axis (one of a case's numbers and words, alpha_J, mu_J)",
        )
        parameters[name] = value
        return
    whole = place[1]
    j = int(place[2])
    entries = parameters.get(whole)
    if isinstance(entries, np.ndarray):
        entries = entries.tolist()
    if not isinstance(entries, (list, tuple)) or j > len(entries):
        raise InputError(
            f"axis {name} needs a list {whole} of at least {j}, got {entries}"
        )
    parameters[whole] = [*entries[: j - 1], value, *entries[j:]]
