"""Portrait: a plane of initialisations, the limit of each, and the curves between them."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from flowsam import archive
from flowsam.cards import Card
from flowsam.errors import InputError
from flowsam.flow import Flow
from flowsam.labels import Label, kind_of
from flowsam.portrait import area_shares, plane_rows
from flowsam.portrait.planes import Plane
from flowsam.portrait.refinement import Refinement, by_label
from flowsam.regimes import case_of
from flowsam.shapes import Axis, Curves, Float, LabelGrid
from flowsam.signatures import public
from flowsam.version import __version__

if TYPE_CHECKING:
    from flowsam.certify import PlaneProof


_FORMAT = "flowsam portrait 1"
_ARRAYS = {"x": "nx", "y": "ny", "labels": "ny nx", "z": "n d"}


@dataclass(frozen=True, eq=False, repr=False)
class Portrait(Card):
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
        Curves between regions in the plane's parameters: theory's, then those `refine` located.
    axes : tuple of str
        What x and y are.
    depth : int
        Number of layers.
    start : Plane or None
        The plane; None for a portrait read from a file.
    unfinished : int
        Rows, the last ones, that an interrupt left undecided.
    refinement : Refinement or None
        What `refine` found out.
    plane : str
        The plane with its parameters, as `Plane.name` says it.
    proof : PlaneProof or None
        What `prove=True` proved, for `flowsam.certify.save_proof`.
    radius_axis : bool
        Whether y is rho, so that each row has its own flow; rho of `flow` is then a unit only.

    Examples
    --------
    >>> from flowsam import Flow, linf, phase_portrait, single_example
    >>> plane = phase_portrait(Flow(single_example([1, 2]), linf(1)), [0.5, 1.5], [0.5, 1.5])
    >>> plane.labels.tolist(), plane.fractions[2]
    ([[0, 1], [2, 2]], 0.5)
    """

    flow: Flow
    x: Float[np.ndarray, " nx"]
    y: Float[np.ndarray, " ny"]
    labels: LabelGrid
    boundaries: Curves
    axes: tuple[str, str]
    depth: int
    start: Plane | None = field(default=None, repr=False)
    unfinished: int = 0
    refinement: Refinement | None = field(default=None, repr=False)
    plane: str = ""
    radius_axis: bool = False
    proof: PlaneProof | None = field(default=None, repr=False)

    @cached_property
    def fractions(self) -> dict[int, float]:
        """Share of the plane's area for each label.

        Exact for balanced l_inf and GD, from located boundaries after `refine`, else by cells.
        """
        return self._shares[0]

    @cached_property
    def fraction_errors(self) -> dict[int, float]:
        """Error of each fraction: rounding, the strip of the tolerance, or half the mixed cells."""
        return self._shares[1]

    @cached_property
    @public
    def _shares(self) -> tuple[dict[int, float], dict[int, float]]:
        """Fractions and errors by the best way there is."""
        kind = self.start.kind if self.start else ""
        by_regions = case_of(self.flow, self.depth).on("shares", kind)
        exact = by_regions and by_regions(self.flow, self.start, self.x, self.y)
        if exact and not self.unfinished:
            return exact
        if self.refinement:
            return self.refinement.fractions, self.refinement.errors
        return area_shares.by_cells(self.labels, self.x, self.y)

    @cached_property
    @public
    def settled_at(self) -> Float[np.ndarray, "ny nx"]:
        """Rescaled time of collapse or blow-up, shape (ny, nx); inf where the limit is asymptotic.

        nan where it is not known. Raises ValueError for a portrait read from a file, whose plane
        is not a function any more, and for rules that neither formula nor integration covers.
        """
        return plane_rows.settled_rows(self._grid("settled_at"))

    def _grid(self, verb: str) -> plane_rows.Grid:
        """Return the plane with its function, or say that a verb needs it."""
        if self.start is None:
            raise InputError(
                f"{verb} needs the plane's function; run phase_portrait again"
            )
        return plane_rows.Grid(self.flow, self.start, self.x, self.y)

    def provenance(self) -> dict[str, Any]:
        """Return where the numbers come from, ready for JSON."""
        facts = self.flow.facts() | ({"rho": "y"} if self.radius_axis else {})
        if self.proof:
            facts["proof"] = self.proof.describe()
        return facts | {
            "depth": self.depth,
            "axes": list(self.axes),
            "plane": self.plane,
            "grid": list(self.labels.shape),
            "unfinished_rows": self.unfinished,
            "clock": "limits as t -> inf",
            "flowsam": __version__,
        }

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write one .npz file with a JSON header, in one move, and return its path.

        A folder that cannot be written is a ValueError.
        """
        arrays = {name: getattr(self, name) for name in ("x", "y", "labels")}
        arrays["z"] = self.flow.data.z
        for k, (_, curve) in enumerate(self.boundaries):
            arrays[f"boundary_{k}"] = curve
        header: dict[str, Any] = {
            "format": _FORMAT,
            "provenance": self.provenance(),
            "boundaries": [name for name, _ in self.boundaries],
            "shares": self._shares,
            "features": self.flow.data.features,
        }
        if self.radius_axis:
            header["unit_of_rho"] = self.flow.rho
        if self.refinement:
            header["refinement"] = self.refinement.facts()
            tiling = vars(self.refinement.tiling)
            arrays |= {f"tiling_{name}": part for name, part in tiling.items()}
        return archive.write(path, header, arrays)

    @staticmethod
    def load(path: str | os.PathLike[str]) -> Portrait:
        """Read what `save` wrote; an unreadable, damaged or foreign file is a ValueError."""
        return archive.read(path, _FORMAT, shapes=_ARRAYS, build=_built)

    def to_xarray(self) -> Any:
        """Return an `xarray.Dataset` (needs xarray): labels over y and x, provenance as attributes.

        The meanings of labels are in `flag_values` and `flag_meanings`, fractions in `fractions`.
        """
        flags = {
            k: kind_of(k).replace(" ", "_") for k in np.unique(self.labels).tolist()
        }
        meanings = {"flag_values": [*flags], "flag_meanings": " ".join(flags.values())}
        coords = {
            name: (name, axis, {"long_name": words})
            for name, axis, words in zip("xy", (self.x, self.y), self.axes, strict=True)
        }
        facts = self.provenance() | {"fractions": self.fractions}
        labels = {"labels": (("y", "x"), self.labels, meanings)}
        return archive.dataset(labels, coords, facts=facts)

    def describe(self) -> str:
        """Return one line for titles: rule, rho where it is one number, loss, data, depth."""
        flow = self.flow.describe("y" if self.radius_axis else "")
        return f"{flow}, L = {self.depth}"

    @property
    def signs(self) -> tuple[str, ...]:
        """The sign of each coordinate's limit: "-" where mu_j < 0, as label j is sign(mu_j) e_j."""
        return tuple("-" if total < 0 else "" for total in self.flow.data.z.sum(axis=0))

    def limit_name(self, label: int) -> str:
        """Return a limit in words: basis vectors with their signs, and the names of features."""
        if label < 1:
            return kind_of(label)
        features = self.flow.data.features
        name = f" ({features[label - 1]})" if features else ""
        return f"{self.signs[label - 1]}e_{label}{name}"

    def _rows(self) -> list[tuple[str, str]]:
        """Return the facts both representations show."""
        shares = (
            f"{self.limit_name(k)} {share:.4g} +- {self.fraction_errors[k]:.1g}"
            for k, share in sorted(self.fractions.items(), reverse=True)
        )
        open_ = f", interrupted: {self.unfinished} rows left" if self.unfinished else ""
        rows = [
            ("flow", self.describe()),
            ("x", _range(self.axes[0], self.x)),
            ("y", _range(self.axes[1], self.y)),
            ("grid", f"{self.x.size} x {self.y.size}{open_}"),
            ("fractions", ", ".join(shares)),
            ("clock", "limits as t -> inf"),
        ]
        return rows + ([("proof", self.proof.describe())] if self.proof else [])


load = Portrait.load


def _range(words: str, axis: Axis) -> str:
    """An axis with its ends."""
    return f"{words}, {axis.min():.6g} to {axis.max():.6g}"


def _built(header: dict[str, Any], arrays: dict[str, np.ndarray]) -> Portrait:
    """Return the portrait of a file's parts."""
    facts = header["provenance"]
    unit = header.get("unit_of_rho")
    radius = {} if unit is None else {"rho": unit}
    flow = Flow.of(facts | radius, arrays["z"], header.get("features", ()))
    curves = tuple(
        (name, arrays[f"boundary_{k}"]) for k, name in enumerate(header["boundaries"])
    )
    left = facts.get("unfinished_rows", 0)
    if left and (facts["flowsam"] != __version__ or "digest" not in header):
        raise InputError(
            f"rows of flowsam {facts['flowsam']}, and this is {__version__}"
        )
    labels = arrays["labels"]
    known = min(Label) <= labels.min() <= labels.max() <= flow.data.z.shape[1]
    if labels.dtype.kind != "i" or not known:
        raise InputError("labels that are no limits of this flow")
    refined = header.get("refinement")
    found = Portrait(
        *(flow, arrays["x"], arrays["y"], labels, curves),
        *(tuple(facts["axes"]), facts["depth"]),
        unfinished=left,
        refinement=refined and Refinement.of(refined, curves, arrays),
        plane=facts.get("plane", ""),
        radius_axis=unit is not None,
    )
    if "shares" in header:  # kept as computed, for a file has no plane to ask
        vars(found)["_shares"] = tuple(map(by_label, header["shares"]))
    return found
