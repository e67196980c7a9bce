"""sweep: every cell of a grid, by one process or many, kept as it is finished."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from flowsam import archive
from flowsam.errors import InputError, MissingLibraryError
from flowsam.signatures import public
from flowsam.sweeps import work
from flowsam.sweeps.measures import check_used
from flowsam.sweeps.planning import cut, sampled
from flowsam.sweeps.problem import Problem, checked
from flowsam.sweeps.store import FAILED, PENDING, Store, create, open_store
from flowsam.sweeps.work import Progress


@public
def sweep(  # noqa: PLR0913 - the contract's verb
    case: Mapping[str, Any],
    axes: Mapping[str, Any],
    *,
    store: str | os.PathLike[str] | None = None,
    jobs: int = 1,
    scheduler: str | None = None,
    resume: str | None = None,
    chunk: int | None = None,
    progress: Callable[[Progress], object] | None = None,
) -> Any:
    """Measure a case at all combinations of the values of its axes.

    Cells are worked on in chunks; a chunk is written when it is finished, whole or not at all,
    so that a process may be killed at any moment and another may go on. Results do not depend on
    how the work was shared: serial, parallel, distributed and resumed runs are equal bit for bit
    on one kind of machine.

    Parameters
    ----------
    case : mapping
        Data (`mu`, `z`, `data`, or `csv` with `label_column`, `classes`, `drop`; `bias`), with
        columns [z, -z] at depth 2 or more if it is a table of several examples or `split_signs`
        says so; rule (`norm`, `p`, `rho`, `loss`); start (`alpha` balanced, `theta`, or `random` =
        [low, high] with `seed`; `depth`, `scale`, `aligned`); end (`tau_end` or `log_t_end`;
        `method`, `rtol`, `atol`); `plane`, a plane of the columns as given; and
        `measure`: a list of "label", "settled_at", "switch_times", "margins", "beta", "log_loss",
        "end", "portrait", or "module:function", called with (flow, theta0).
    axes : mapping
        Values by name, the slowest axis first: a list, or {start, stop, points, spacing}; alpha_J
        and mu_J vary one entry of a list.
    store : path, optional
        Folder of the Zarr group; by default the result is kept in memory.
    jobs : int
        Processes of this machine; -1 for one a core.
    scheduler : str, optional
        Address of a Dask cluster that runs the chunks instead; its workers see `store`.
    resume : str, optional
        "unfinished" goes on with a store that exists, and repeats what is torn or gone in it;
        "failed" repeats its failed cells alone; by default a store that exists is refused.
    chunk : int, optional
        Cells of a chunk; by default about a second of work.
    progress : callable, optional
        Told a `Progress` after every chunk.

    Returns
    -------
    xarray.Dataset
        The quantities over the axes, with `state` (finished, failed) and `error` of every cell;
        attributes say where the numbers come from.

    Raises
    ------
    TypeError, ValueError
        For unknown names, with the near one, values that make no flow, or a store of another
        configuration or version.
    ImportError
        Without the extra: `pip install flowsam[sweep]`.

    Examples
    --------
    >>> case = {"mu": [1, 2], "norm": "inf", "alpha": [1.5, 0.6]}
    >>> found = sweep(case, {"rho": [0.5, 1.0, 2.0]})
    >>> found.label.values
    array([2, 1, 0], dtype=int16)
    """
    xarray = _installed()
    _check_arguments(store, jobs, scheduler, resume)
    check_used(case, axes)
    problem = checked(case, axes)
    told = progress or (lambda _: None)
    which = FAILED if resume == "failed" else PENDING
    with work.place(jobs, scheduler) as pool, tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "sweep" if store is None else Path(store)
        try:
            held = _opened(problem, path, resume, chunk)
            work.through(problem, held, pool, which, told)
        except OSError as error:  # a cell's own are kept with the cell
            raise InputError(
                f"a sweep needs a store that can be written, got {path} "
                f"({error.strerror or error}); what is finished is kept, make room for the rest "
                "and go on with it by resume (--resume)"
            ) from None
        found = xarray.open_zarr(held.path, chunks=None, consolidated=False)
        return found.load() if store is None else found


def _check_arguments(
    store: object,
    jobs: int,
    scheduler: object,
    resume: str | None,
) -> None:
    """Refuse arguments that are none, or that another one leaves without a meaning."""
    if resume not in (None, "unfinished", "failed"):
        raise InputError(f"resume needs 'unfinished' or 'failed', got {resume!r}")
    if jobs < 1 and jobs != -1:
        raise InputError(
            f"jobs needs a whole number >= 1, or -1 for all cores, got {jobs}"
        )
    if scheduler is not None and jobs != 1:
        raise InputError(
            f"jobs are of this machine, got {jobs} and a scheduler; leave one out"
        )
    if resume and store is None:
        raise InputError(f"resume = {resume!r} needs a store, got none; name it")


def _installed() -> Any:
    """Return xarray, or say what to install where a library of the extra is missing."""
    try:
        import joblib  # noqa: F401
        import threadpoolctl  # noqa: F401
        import xarray
        import zarr  # noqa: F401
    except ImportError as error:
        raise MissingLibraryError(
            f"a sweep needs {error.name}; pip install 'flowsam[sweep]'"
        ) from None
    return xarray


def _opened(
    problem: Problem,
    path: Path,
    resume: str | None,
    chunk: int | None,
) -> Store:
    """The store to write to: a new one, or one of the same configuration."""
    if not path.exists():
        if resume == "failed":
            raise InputError(
                f"there is no store {path} whose failed cells could be repeated"
            )
        sample, seconds = sampled(problem)
        grid = cut(problem.grid, seconds, chunk)
        return create(path, replace(problem, grid=grid), sample)
    if resume is None:
        raise InputError(
            f"{path} exists; go on with it by resume (--resume), or choose another"
        )
    held = open_store(path)
    _check_same(problem, held, path)
    if chunk is not None and cut(problem.grid, 0.0, chunk).block != held.grid.block:
        raise InputError(
            f"{path} has chunks of other cells than {chunk}; leave chunk out"
        )
    held.tidy()
    return held


def _check_same(problem: Problem, held: Store, path: Path) -> None:
    """Refuse a store of another configuration, or whose axes are not those it was made for."""
    there = held.grid
    here = problem.grid
    other = archive.difference(held.configuration, problem.configuration)
    # dictionaries are equal in any order
    other = other or archive.difference([*there.names], [*here.names], "axes")
    if other:
        name, was, now = other
        raise InputError(
            f"{path} holds another sweep: {name} is {was} there and {now} here; "
            "choose another store"
        )
    for name, *values in zip(there.names, there.values, here.values, strict=True):
        if values[0].tolist() != values[1].tolist():
            raise InputError(
                f"{path} is damaged: its axis {name} has other values; restore it"
            )
