"""phase_portrait: which limit each initialisation of a plane has."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float, Int
from numpy.typing import ArrayLike

from flowsam import archive
from flowsam.data import Data
from flowsam.flow import Flow
from flowsam.labels import kind_of
from flowsam.losses import LOSSES
from flowsam.perturbations import Perturbation
from flowsam.portrait import plane_rows, planes, theory_curves
from flowsam.version import __version__

__all__ = ["Portrait", "layer_plane", "load", "phase_portrait"]

layer_plane = planes.layer_plane
Start = Callable[..., Float[np.ndarray, "ny nx L d"]]
_FORMAT = "flowsam portrait 1"
_CELLS = 2**28  # more cells than this do not fit in memory with their labels and copies


@dataclass(frozen=True, eq=False)
class Portrait:
    """A plane of initialisations and the limit of each.

    Parameters
    ----------
    flow : Flow
        Data, rule and loss.
    x : ndarray, shape (nx,)
    y : ndarray, shape (ny,)
        Parameters of the plane, named in `axes`.
    labels : ndarray of int16, shape (ny, nx)
        `labels[iy, ix]` belongs to `(x[ix], y[iy])`; values as in `limits`.
    boundaries : tuple of (str, ndarray of shape (m, 2))
        Curves between regions that theory gives, in the plane's parameters.
    axes : tuple of str
        What x and y are.
    depth : int
        Number of layers.
    start : callable or None
        The plane; None for a portrait read from a file.
    unfinished : int
        Rows, the last ones, that an interrupt left undecided.

    Examples
    --------
    >>> from flowsam import Flow, linf, single_example
    >>> plane = phase_portrait(Flow(single_example([1, 2]), linf(1)), [0.5, 1.5], [0.5, 1.5])
    >>> plane.labels.tolist(), plane.fractions[2]
    ([[0, 1], [2, 2]], 0.5)
    """

    flow: Flow
    x: Float[np.ndarray, " nx"]
    y: Float[np.ndarray, " ny"]
    labels: Int[np.ndarray, "ny nx"]
    boundaries: tuple[tuple[str, Float[np.ndarray, "_ 2"]], ...]
    axes: tuple[str, str]
    depth: int
    start: Start | None = field(default=None, repr=False)
    unfinished: int = 0

    @cached_property
    def fractions(self) -> dict[int, float]:
        """Share of the cells for each label that occurs."""
        values, counts = np.unique(self.labels, return_counts=True)
        return dict(zip(values.tolist(), (counts / self.labels.size).tolist(), strict=True))

    @cached_property
    def fraction_errors(self) -> dict[int, float]:
        """Error of each fraction as a share of the plane's area: half its cells on a boundary."""
        edge = plane_rows.at_boundary(self.labels)
        return {k: float((edge & (self.labels == k)).mean() / 2) for k in self.fractions}

    @cached_property
    def settled_at(self) -> Float[np.ndarray, "ny nx"]:
        """Rescaled time of collapse or blow-up, shape (ny, nx); inf where the limit is asymptotic.

        nan where it is not known. Raises ValueError for a portrait read from a file, whose plane
        is not a function any more, and for rules that neither formula nor integration covers.
        """
        if self.start is None:
            raise ValueError("settled_at needs the plane's function; run phase_portrait again")
        return plane_rows.settled_rows(self.flow, self.start, (self.x, self.y))

    def provenance(self) -> dict[str, Any]:
        """Return where the numbers come from, ready for JSON."""
        rule = self.flow.perturbation
        return {
            "rule": rule.name,
            "p": str(rule.p),
            "rho": rule.rho,
            "normalised": rule.normalised,
            "loss": self.flow.loss.name,
            "data": self.flow.data.name,
            "depth": self.depth,
            "axes": list(self.axes),
            "grid": list(self.labels.shape),
            "unfinished_rows": self.unfinished,
            "clock": "limits as t -> inf",
            "flowsam": __version__,
        }

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write one .npz file with a JSON header, in one move, and return its path.

        A folder that cannot be written is a ValueError.
        """
        curves = {f"boundary_{k}": curve for k, (_, curve) in enumerate(self.boundaries)}
        names = [name for name, _ in self.boundaries]
        header = {"format": _FORMAT, "provenance": self.provenance(), "boundaries": names}
        arrays = {"x": self.x, "y": self.y, "labels": self.labels, "z": self.flow.data.z}
        return archive.write(path, header, arrays | curves)

    def _rows(self) -> list[tuple[str, str]]:
        """Return the facts both representations show."""
        shares = (
            f"{kind_of(k) if k < 1 else f'e_{k}'} {share:.4g}"
            for k, share in sorted(self.fractions.items(), reverse=True)
        )
        open_ = f", interrupted: {self.unfinished} rows left" if self.unfinished else ""
        return [
            ("flow", f"{self.flow.describe()}, depth L = {self.depth}"),
            ("plane", f"x = {self.axes[0]}, y = {self.axes[1]}"),
            ("grid", f"{self.x.size} x {self.y.size}{open_}"),
            ("fractions", ", ".join(shares)),
            ("clock", "limits as t -> inf"),
        ]

    def __repr__(self) -> str:
        """Return the facts, one a line."""
        return archive.text_card("Portrait", self._rows())

    def _repr_html_(self) -> str:
        """Return the same facts as a table for notebooks."""
        return archive.html_card("Portrait", self._rows())


def phase_portrait(  # noqa: PLR0913 - the contract's verb
    flow: Flow,
    x: ArrayLike,
    y: ArrayLike,
    *,
    depth: int = 2,
    start: Start | None = None,
    progress: Callable[[int], object] = int,
) -> Portrait:
    """Map a plane of initialisations to their limits as t -> inf.

    Parameters
    ----------
    flow : Flow
        Data, rule and loss.
    x, y : array_like, shapes (nx,) and (ny,)
        Parameters of the plane, in the units of w.
    depth : int
        Number of layers of the default plane.
    start : callable, optional
        `start(x (1, nx), y (block, 1)) -> theta (block, nx, L, d)`, such as those of
        `flowsam.portrait.planes`; default for d = 2: balanced, x = alpha_1, y = alpha_2.
    progress : callable, optional
        Told how many cells each finished block has.

    Returns
    -------
    Portrait
        Labels are exact where a theorem decides; grid points on a boundary carry its label. An
        interrupt keeps the finished rows, and `unfinished` counts the others.

    Raises
    ------
    TypeError, ValueError
        For bad input, a plane that does not fit the data, or a grid too large for memory.

    Notes
    -----
    Derivations: derivations/linf_limit.py, derivations/linf_two_layer.py.
    Source: arXiv:2603.08290, Corollary 3.5; any signs, other rules: flowsam.

    Examples
    --------
    >>> from flowsam import Flow, linf, single_example
    >>> flow = Flow(single_example([1.0]), linf(1))
    >>> phase_portrait(flow, [-1, 1.5], [3, 0.4], start=layer_plane).labels.tolist()
    [[1, 1], [0, 0]]
    """
    x, y = plane_rows.checked_axis(x, "x"), plane_rows.checked_axis(y, "y")
    if x.size * y.size > _CELLS:
        raise ValueError(
            f"a grid may have {_CELLS} cells, got {y.size} x {x.size}, which need about "
            f"{x.size * y.size * 16 / 2**30:.0f} GiB; take slices of y and save each"
        )
    start = plane_rows.default_plane(flow.data.z.shape[1], depth) if start is None else start
    shape = plane_rows.checked_start(flow, start, x, y)
    labels, finished = plane_rows.labels_by_rows(flow, start, (x, y), progress)
    axes = getattr(start, "axes", ("x", "y"))
    curves = theory_curves.boundaries(flow, start, x, y)
    return Portrait(flow, x, y, labels, curves, axes, shape[-2], start, y.size - finished)


def load(path: str | os.PathLike[str]) -> Portrait:
    """Read a portrait that `Portrait.save` wrote.

    An unreadable or foreign file is a ValueError.
    """
    header, arrays = archive.read(path, _FORMAT)
    facts = header["provenance"]
    rule = Perturbation(float(facts["p"]), facts["rho"], facts["normalised"])
    flow = Flow(Data(arrays["z"], facts["data"]), rule, LOSSES[facts["loss"]])
    curves = tuple((name, arrays[f"boundary_{k}"]) for k, name in enumerate(header["boundaries"]))
    axes, left = tuple(facts["axes"]), facts.get("unfinished_rows", 0)
    return Portrait(
        flow, arrays["x"], arrays["y"], arrays["labels"], curves, axes, facts["depth"], None, left
    )
