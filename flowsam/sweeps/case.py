"""The case of a sweep: parameters by name, and the flow and start each cell makes of them."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any

import numpy as np
from jaxtyping import Float

from flowsam.data import Data, single_example, split_signs
from flowsam.errors import InputError
from flowsam.flow import Flow
from flowsam.inputs import real_array, real_number, whole_number
from flowsam.losses import LOSSES
from flowsam.network import balanced
from flowsam.perturbations import Perturbation, gradient_flow
from flowsam.real_data.named import csv_data, named_data
from flowsam.solver import solve
from flowsam.sweeps.names import CASE, SOURCES, STARTS, VARIABLE, check_names
from flowsam.trajectory import Trajectory

__all__ = ["Cell", "cell", "loaded"]

_PLACE = re.compile(r"(alpha|mu)_([1-9]\d*)")


@dataclass(frozen=True, eq=False)
class Cell:
    """One cell of a sweep.

    Parameters
    ----------
    flow : Flow
        Data, rule and loss.
    theta0 : ndarray, shape (L, d), or None
        The start; None for a case that only asks for a plane of them.
    parameters : dict
        All parameters by name.
    """

    flow: Flow
    theta0: Float[np.ndarray, "L d"] | None
    parameters: dict[str, Any]

    @property
    def start(self) -> Float[np.ndarray, "L d"]:
        """The start, or a ValueError that says how to give one."""
        if self.theta0 is None:
            raise InputError(f"a case needs a start, got none of {', '.join(STARTS)}; e.g. alpha=1")
        return self.theta0

    @cached_property
    def run(self) -> Trajectory:
        """The run to the end that the case names: its first and its last row."""
        names = ("tau_end", "log_t_end", "method", "rtol", "atol")
        given = {name: self.parameters[name] for name in names if name in self.parameters}
        return solve(self.flow, self.start, save_at=2, **given)


def loaded(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Return the parameters of a case with its data read, once and not in every cell.

    Parameters
    ----------
    parameters : mapping
        Names of `CASE`.

    Returns
    -------
    dict
        A file of data is replaced by its examples `z`.

    Raises
    ------
    TypeError, ValueError
        For unknown names, or a file that cannot be read.
    """
    check_names(parameters, CASE, "a case")
    found = dict(parameters)
    if "csv" in found:
        if "label_column" not in found:
            raise InputError("csv needs its column of labels, got none; give label_column")
        found["z"] = csv_data(str(found.pop("csv")), str(found.pop("label_column")))
    for name in ("z", "data"):
        if isinstance(found.get(name), Data):
            data = found.pop(name)
            found["z"] = [data.name, data.z]
    return found


def cell(parameters: Mapping[str, Any], changes: Mapping[str, Any]) -> Cell:
    """Return the cell in which some parameters of a case are changed.

    Parameters
    ----------
    parameters : mapping
        The case, as `loaded` returns it.
    changes : mapping
        Values by the names of axes: those of `VARIABLE`, alpha_J or mu_J.

    Returns
    -------
    Cell

    Raises
    ------
    TypeError, ValueError
        For values that make no flow or no start.

    Examples
    --------
    >>> case = {"mu": [1, 2], "norm": "inf", "rho": 1, "alpha": [1.5, 0.6]}
    >>> cell(case, {"alpha_2": 0.25}).theta0.tolist()
    [[1.5, 0.25], [1.5, 0.25]]
    """
    found = dict(parameters)
    for name, value in changes.items():
        _change(found, name, value)
    loss = found.get("loss", "logistic")
    check_names([loss], LOSSES, "the list of losses")
    flow = Flow(_data(found), _rule(found.get("norm", "inf"), found.get("rho")), LOSSES[loss])
    return Cell(flow, _start(flow, found), found)


def _change(parameters: dict[str, Any], name: str, value: object) -> None:
    """Set one parameter, or one entry of a list."""
    place = _PLACE.fullmatch(name)
    if not place:
        check_names([name], VARIABLE, "an axis (one of a case's numbers and words, alpha_J, mu_J)")
        parameters[name] = value
        return
    whole, j = place[1], int(place[2])
    entries = parameters.get(whole)
    if not isinstance(entries, (list, tuple)) or j > len(entries):
        raise InputError(f"axis {name} needs a list {whole} of at least {j}, got {entries}")
    parameters[whole] = [*entries[: j - 1], value, *entries[j:]]


def _one_of(parameters: Mapping[str, Any], names: tuple[str, ...]) -> str | None:
    """The one name that is given, None for none of them."""
    given = [name for name in names if name in parameters]
    if len(given) > 1:
        raise InputError(f"a case needs one of {', '.join(names)}, got {' and '.join(given)}")
    return given[0] if given else None


_named = cache(named_data)


def _data(parameters: Mapping[str, Any]) -> Data:
    """The data, from exactly one source."""
    source = _one_of(parameters, SOURCES)
    if source is None:
        raise InputError(f"a case needs data, got none of {', '.join(SOURCES)}; e.g. mu = [1, 2]")
    given = parameters[source]
    if source == "mu":
        data = single_example(given)
    elif source == "data":
        data = _named(str(given))
    else:
        named = len(given) == 2 and isinstance(given[0], str)
        data = Data(given[1], given[0]) if named else Data(given)
    return split_signs(data) if parameters.get("split_signs") else data


def _rule(norm: object, rho: Any) -> Perturbation:
    """The rule for a norm in words or numbers."""
    if norm == "none":
        return gradient_flow()
    if rho is None:
        raise InputError(f"norm {norm} needs a radius rho, got none; e.g. rho = 0.5")
    if norm == "unnormalised":
        return Perturbation(2.0, rho, normalised=False)
    try:
        p = math.inf if norm == "inf" else float(norm)
    except (TypeError, ValueError):
        words = "inf, none, unnormalised or a number p >= 1"
        raise InputError(f"norm needs {words}, got {norm!r}; e.g. 2") from None
    return Perturbation(p, rho)


def _start(flow: Flow, parameters: Mapping[str, Any]) -> Float[np.ndarray, "L d"] | None:
    """The start: balanced, given in full, or drawn by a seed; all of it times `scale`."""
    kind, depth = _one_of(parameters, STARTS), parameters.get("depth", 2)
    if kind is None:
        return None
    d = flow.data.z.shape[1]
    if kind == "theta":
        start = flow.checked(parameters["theta"])
    elif kind == "random":
        ends = real_array(parameters["random"], "random")
        if ends.shape != (2,) or not ends[0] < ends[1]:
            raise InputError(f"random needs [low, high] with low < high, got {ends.tolist()}")
        seed = whole_number(parameters.get("seed", 0), "random needs a whole number as seed")
        layers = whole_number(depth, "random needs a whole depth")
        if seed < 0 or layers < 1:
            raise InputError(f"random needs seed >= 0 and depth >= 1, got {seed} and {layers}")
        start = np.random.default_rng(seed).uniform(*ends, (layers, d))
    else:
        alpha = real_array(parameters["alpha"], "alpha")
        if alpha.size not in (1, d):
            raise InputError(f"alpha needs 1 or {d} numbers to fit the data, got {alpha.size}")
        signs = np.where(flow.mu < 0, -1.0, 1.0) if parameters.get("aligned") else None
        start = balanced(np.broadcast_to(alpha, d), depth, signs)
    return start * real_number(parameters.get("scale", 1.0), "scale")
