"""Trajectory: what a run returns, with everything needed to say where it came from."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, fields
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

import numpy as np

from flowsam.cards import Card
from flowsam.data import Data
from flowsam.endings import Ending
from flowsam.errors import InputError
from flowsam.events import Event
from flowsam.flow import Flow
from flowsam.inputs import keep, listed
from flowsam.losses import Loss, log_mean_exp
from flowsam.perturbations import Perturbation
from flowsam.shapes import Float, Times
from flowsam.signatures import QUIET
from flowsam.version import __version__

if TYPE_CHECKING:
    from pathlib import Path


__all__ = ["Trajectory", "load"]

_FORMAT = "flowsam trajectory 1"
_ARRAYS = {"z": "n d", "tau": "T", "log_t": "T", "theta": "T L d"}
_RUN = ("status", "message", "method", "steps", "nfev")


@dataclass(frozen=True, eq=False, repr=False)
class Trajectory(Card):
    """A run: states at rescaled times, what happened on the way, and its provenance.

    beta = prod_l w^(l), margins = beta z^T, log_loss = log Lo(theta) and log_t = log(1 + t) are
    computed from the states on first access.

    Parameters
    ----------
    data, perturbation, loss
        The flow that was run.
    tau : ndarray, shape (T,)
        Rescaled times; for `iterate`, see `method`.
    theta : ndarray, shape (T, L, d)
        Weights; inf in the winner at a blow-up.
    events : tuple of Event
        In order of time.
    status : str
        "finished", "collapsed", "escaped", "sliding_ambiguous", "too_many_events" or "failed".
    message : str
        One sentence, with the next move.
    method : str
        The engine that answered.
    steps, nfev : int
        Accepted steps and evaluations of the right-hand side (0 for closed forms).
    settings : dict
        Tolerances and ends as given.
    ending : Ending
        How the run ended, in more words than the status has; by default what the status says.

    Examples
    --------
    >>> from flowsam import Flow, linf, single_example, solve
    >>> run = solve(Flow(single_example([1, 2]), linf(1)), [[1.5, 0.6]] * 2, tau_end=1)
    >>> run.status, run.beta.shape == (run.tau.size, 2)
    ('finished', True)
    """

    data: Data
    perturbation: Perturbation
    loss: Loss
    tau: Times
    theta: Float[np.ndarray, "T L d"]
    events: tuple[Event, ...]
    status: str
    message: str
    method: str
    steps: int
    nfev: int
    settings: dict[str, Any] = field(default_factory=dict)
    clock: Callable[[], Times] | None = field(default=None, repr=False)
    ending: Ending | None = None

    def __post_init__(self) -> None:
        """Take the ending that the status says where none is given."""
        keep(self, ending=Ending(self.ending or self.status))

    def __getstate__(self) -> dict[str, Any]:
        """Pickle log_t itself, not the function that computes it."""
        clock = partial(np.asarray, self.log_t) if self.clock else None
        return {f.name: getattr(self, f.name) for f in fields(self)} | {"clock": clock}

    @cached_property
    @np.errstate(**QUIET)
    def log_t(self) -> Times:
        """T = log(1 + t), shape (T,): 0 at the start, inf at a blow-up."""
        if self.clock is None:
            raise InputError(
                "this trajectory carries no original time; run solve again"
            )
        return self.clock()

    @cached_property
    @np.errstate(**QUIET)
    def beta(self) -> Float[np.ndarray, "T d"]:
        """The predictor at each time, shape (T, d)."""
        return np.prod(self.theta, axis=1)

    @cached_property
    @np.errstate(**QUIET)
    def margins(self) -> Float[np.ndarray, "T n"]:
        """Margins <beta, z_i>, shape (T, n); at a blow-up those of the winner."""
        finite = np.isfinite(self.beta)
        jumps = (
            np.where(finite, 0.0, 1.0) * np.copysign(1.0, self.beta)
        ) @ self.data.z.T
        margins = np.where(finite, self.beta, 0.0) @ self.data.z.T
        return np.where(jumps == 0, margins, np.copysign(np.inf, jumps))

    @cached_property
    @np.errstate(**QUIET)
    def log_loss(self) -> Times:
        """Log of the loss at the weights themselves, shape (T,)."""
        return log_mean_exp(self.loss.log_value(self.margins))

    def provenance(self) -> dict[str, Any]:
        """Return where the numbers come from, ready for JSON."""
        facts = Flow(self.data, self.perturbation, self.loss).facts()
        facts |= {"n": self.data.z.shape[0], "d": self.data.z.shape[1]}
        facts |= {"depth": self.theta.shape[1], "clock": "tau (rescaled)"}
        facts |= {name: getattr(self, name) for name in _RUN}
        return facts | self.settings | {"flowsam": __version__}

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write one .npz file with a JSON header, in one move, and return its path.

        Raises
        ------
        ValueError
            When the folder does not exist or cannot be written.
        """
        header = {
            "format": _FORMAT,
            "provenance": self.provenance(),
            "events": [asdict(event) for event in self.events],
            "settings": self.settings,
            "ending": str(self.ending),
            "features": self.data.features,
        }
        arrays = {
            "z": self.data.z,
            "tau": self.tau,
            "log_t": self.log_t,
            "theta": self.theta,
        }
        from flowsam import archive

        return archive.write(path, header, arrays)

    @staticmethod
    def load(path: str | os.PathLike[str]) -> Trajectory:
        """Read a run that `save` wrote; an unreadable, damaged or foreign file is a ValueError."""
        from flowsam import archive

        return archive.read(path, _FORMAT, shapes=_ARRAYS, build=_built)

    def to_xarray(self) -> Any:
        """Return an `xarray.Dataset` (needs xarray) with provenance as attributes.

        Dimensions are time, layer, feature and example; coordinates tau, log_t, and the names of
        features where the data have them.
        """
        named = {"feature": list(self.data.features)} if self.data.features else {}
        from flowsam import archive

        return archive.dataset(
            {
                "theta": (("time", "layer", "feature"), self.theta),
                "beta": (("time", "feature"), self.beta),
                "margins": (("time", "example"), self.margins),
                "log_loss": ("time", self.log_loss),
            },
            {"tau": ("time", self.tau), "log_t": ("time", self.log_t)} | named,
            facts=self.provenance(),
        )

    def _rows(self) -> list[tuple[str, str]]:
        """Return the facts both representations show."""
        last = listed(self.beta[-1], 6, "{:.6g}".format)
        kinds = ", ".join(f"{e.kind} at {e.tau:.6g}" for e in self.events[:4]) or "none"
        kinds += f", ... ({len(self.events)} in all)" if len(self.events) > 4 else ""
        return [
            ("rule", f"{self.perturbation.describe()}, {self.loss.name} loss"),
            ("data", f"{self.data.name or 'unnamed'}, depth L = {self.theta.shape[1]}"),
            (
                "time",
                f"tau = {self.tau[0]:.6g} to {self.tau[-1]:.6g} in {self.tau.size} rows",
            ),
            ("beta at the end", last),
            ("events", kinds),
            ("status", f"{self.status}: {self.message}"),
            ("method", f"{self.method}, {self.steps} steps, {self.nfev} evaluations"),
        ]


load = Trajectory.load


def _built(header: dict[str, Any], arrays: dict[str, np.ndarray]) -> Trajectory:
    """Return the trajectory of a file's parts."""
    if "field" in header["settings"]:
        raise InputError(
            f"the field of {header['settings']['field']} is the user's own, which no file holds; "
            "run the flow again"
        )
    facts = header["provenance"]
    flow = Flow.of(facts, arrays["z"], header.get("features", ()))
    # older files: the status alone
    return Trajectory(
        **vars(flow),
        tau=arrays["tau"],
        theta=arrays["theta"],
        events=tuple(Event(**event) for event in header["events"]),
        **{name: facts[name] for name in _RUN},
        settings=dict(header["settings"]),
        clock=partial(np.asarray, arrays["log_t"]),
        ending=Ending(header.get("ending", facts["status"])),
    )
