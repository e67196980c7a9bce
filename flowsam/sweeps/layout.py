"""A new store: coordinates, empty arrays cut into blocks, and what their numbers mean."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

import numpy as np

from flowsam.errors import InputError
from flowsam.labels import Label
from flowsam.sweeps.measures import STATUSES, UNFINISHED, Found
from flowsam.sweeps.problem import Problem
from flowsam.sweeps.store import (
    FAILED,
    FINISHED,
    PENDING,
    Store,
    metadata_digest,
    open_store,
)

_FORMAT = "flowsam sweep 1"
_TABLES = {
    "label": {UNFINISHED: "unfinished", **{int(k): k.name.lower() for k in Label}},
    "status": {UNFINISHED: "unfinished", **dict(enumerate(STATUSES))},
    "state": {PENDING: "pending", FINISHED: "finished", FAILED: "failed"},
}
_TABLES["portrait"] = _TABLES["label"]


def create(path: Path, problem: Problem, sample: Found, facts: dict[str, Any]) -> Store:
    """Make an empty store in one move; of two processes that try, one makes it and both open it."""
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        shutil.rmtree(partial, ignore_errors=True)
        _fill(partial, problem, sample, facts)
        try:
            partial.rename(path)
        except OSError:  # another process was faster
            if not path.is_dir():
                raise
            shutil.rmtree(partial)
    except OSError as error:
        shutil.rmtree(partial, ignore_errors=True)
        raise InputError(
            f"a store needs a folder that can be written, got {path} ({error.strerror}); "
            "make its parent, or choose another"
        ) from None
    return open_store(path)


def _fill(folder: Path, problem: Problem, sample: Found, facts: dict[str, Any]) -> None:
    """Write coordinates, empty arrays and attributes."""
    import zarr
    from zarr.codecs import Crc32cCodec, ZstdCodec

    group = zarr.create_group(folder)
    checked = (ZstdCodec(level=0), Crc32cCodec())  # of every byte
    grid = problem.grid
    coordinates = dict(zip(grid.names, grid.values, strict=True))
    if "beta" in sample and problem.features:
        coordinates["feature"] = np.array(problem.features)
    for name, values in coordinates.items():
        kind = str if values.dtype.kind == "U" else values.dtype
        made = group.create_array(
            name,
            shape=values.shape,
            dtype=kind,
            dimension_names=(name,),
            compressors=checked,
        )
        made[:] = values.astype(object) if kind is str else values
    arrays: dict[str, tuple[tuple[str, ...], tuple[int, ...], Any]]
    arrays = {
        name: (dims, value.shape, value.dtype) for name, (dims, value) in sample.items()
    }
    arrays |= {"error": ((), (), str), "state": ((), (), np.dtype(np.int8))}
    for name, (dims, shape, kind) in arrays.items():
        table = _TABLES.get(name, {})
        flags: dict[str, Any] = {
            "flag_values": [*table],
            "flag_meanings": " ".join(table.values()),
        }
        group.create_array(
            name,
            shape=(*grid.shape, *shape),
            chunks=(*grid.block, *(max(1, n) for n in shape)),
            dtype=kind,
            fill_value=_empty(name, kind),
            compressors=checked,
            dimension_names=(*grid.names, *dims),
            attributes=flags if table else {},
        )
    lists = {"axes": grid.names, "block": grid.block, "measured": tuple(sample)}
    texts = {key: json.dumps(value) for key, value in lists.items()}
    attributes = {"format": _FORMAT, **texts, **facts}
    group.attrs.update(attributes | {"metadata": metadata_digest(folder, attributes)})


def _empty(name: str, kind: Any) -> Any:
    """What unfinished cells hold."""
    if kind is str:
        return ""
    return (
        np.nan
        if kind.kind == "f"
        else UNFINISHED
        if name in _TABLES and name != "state"
        else 0
    )
