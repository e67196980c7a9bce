"""The store of a sweep: a Zarr group whose chunks appear whole, each marked once it is there.

Every array is cut into the blocks of the grid, so that a block is one file in each. A file is
moved into place complete; `state` of a block is written last, after its data are on the disk.
Whatever is killed, a cell whose state is FINISHED reads right, and the others say so.
"""

import json
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from flowsam import archive
from flowsam.errors import InputError
from flowsam.labels import Label
from flowsam.shapes import Int8, Shaped
from flowsam.sweeps.cells import Block, Grid
from flowsam.sweeps.measures import STATUSES, UNFINISHED, Arrays, Found
from flowsam.sweeps.problem import Problem
from flowsam.version import __version__

PENDING = 0
FINISHED = 1
FAILED = 2
_FACTS = {
    "flowsam": __version__,
    "clock": "label: t to infinity; settled_at, switch_times, tau: rescaled time",
}
_TEXTS = ("axes", "block", "measured", "configuration")  # attributes in JSON
_TABLES = {
    "label": {UNFINISHED: "unfinished", **{int(k): k.name.lower() for k in Label}},
    "status": {UNFINISHED: "unfinished", **dict(enumerate(STATUSES))},
    "state": {PENDING: "pending", FINISHED: "finished", FAILED: "failed"},
}
_FLAGS = ("flag_values", "flag_meanings")
_TABLES["portrait"] = _TABLES["label"]


@dataclass(frozen=True, eq=False)
class Store:
    """An open store; it travels to workers as it is, and they read no metadata."""

    path: Path  # the folder of the Zarr group
    grid: Grid
    arrays: dict[str, Any]  # the Zarr arrays that are cut into blocks, `state` last
    configuration: dict[str, Any]  # case, axes and version it was made for

    @property
    def state(self) -> Int8[np.ndarray, "..."]:
        """PENDING, FINISHED or FAILED, one a cell."""
        return self.arrays["state"][...]

    def waiting(self, state: int) -> list[Block]:
        """Blocks with a cell of that state."""
        whole = self.state == state
        grid = self.grid
        return [block for block in grid.blocks if whole[grid.region(block)].any()]

    def read(self, block: Block) -> Arrays:
        """Return all arrays of a block."""
        region = self.grid.region(block)
        state = self.arrays["state"][region]
        if (state != PENDING).any():
            return {name: array[region] for name, array in self.arrays.items()}
        own = len(self.grid.shape)  # nothing is there yet
        return {
            name: np.full(state.shape + a.shape[own:], a.fill_value, a.dtype)
            for name, a in self.arrays.items()
        }

    def write(self, block: Block, found: Arrays) -> None:
        """Write a block: its state last, once everything else is on the disk.

        A state that a power cut loses is no harm: the block is done again.
        """
        *data, state = self.arrays
        for name in data:
            self._put(name, block, found[name])
        for name in data:  # one of an array without entries does not exist
            path = self._file(name, block)
            with suppress(FileNotFoundError), open(path, "rb+") as file:
                os.fsync(file.fileno())
        self._put(state, block, found[state])

    @contextmanager
    def claim(self, block: Block, *, wait: bool) -> Iterator[None]:
        """Hold a block for this process alone; the system lets go when the process dies.

        Raises BlockingIOError where another one holds it and `wait` is false. Without locks
        (Windows, some network disks) two processes may do the same work; they write the same
        files, whole.
        """
        folder = self.path / "state" / "claims"
        folder.mkdir(exist_ok=True)
        with open(folder / "-".join(map(str, block)), "a") as file:
            archive.lock(file.fileno(), wait=wait)
            yield

    def tidy(self) -> None:
        """Remove what killed writers and power cuts left: partial files, blocks that are torn."""
        for block in self.grid.blocks:
            mark = self._file("state", block)
            if mark.exists() and not self._whole(block):
                with suppress(BlockingIOError), self.claim(block, wait=False):
                    if not self._whole(block):  # pending again
                        mark.unlink(missing_ok=True)
        for name in self.arrays:
            for partial in (self.path / name).glob("**/*.partial"):
                inside = partial.relative_to(self.path / name / "c")
                place = (*inside.parts[:-1], inside.with_suffix("").stem)
                block = tuple(int(k) for k in place[: len(self.grid.shape)])
                with suppress(BlockingIOError), self.claim(block, wait=False):
                    partial.unlink(missing_ok=True)

    def _whole(self, block: Block) -> bool:
        """Whether all files of a block are there, and read."""
        for name, array in self.arrays.items():
            try:
                found = array[self.grid.region(block)]
            except (RuntimeError, ValueError, OSError):
                return False
            if found.size and not self._file(name, block).exists():
                return False
        return True

    def _file(self, name: str, block: Block) -> Path:
        """The file of a block in one array; its own dimensions are never cut."""
        own = self.arrays[name].ndim - len(block)
        return self.path.joinpath(name, "c", *map(str, (*block, *(0,) * own)))

    def _put(self, name: str, block: Block, values: Shaped[np.ndarray, "..."]) -> None:
        """Write one file, moved into place when it is complete, whatever values it holds."""
        self.arrays[name][self.grid.region(block)] = values


def open_store(path: Path) -> Store:
    """Open the store of a sweep."""
    import zarr

    try:
        group = zarr.open_group(path, mode="r+")
        facts = dict(group.attrs)
        if facts["flowsam"] != __version__:
            made = f"a store of flowsam {facts['flowsam']}; this is {__version__}"
        elif facts.pop("metadata") != metadata_digest(path, facts):
            made = "it is damaged: its metadata are not those that were written"
        else:
            return _store(path, group, facts)
    except Exception as error:  # of JSON, Zarr, codecs: it is damaged, or not ours
        made = f"{type(error).__name__}: {error}"
    raise InputError(
        f"a sweep needs a new folder or a store of its own, got {path} ({made}); "
        "choose another name"
    ) from None


def metadata_digest(path: Path, attributes: Mapping[str, Any]) -> str:
    """Hash of what describes the arrays of a store, and of its other attributes."""
    files = sorted(path.glob("*/zarr.json"))
    content = (file.parent.name.encode() + file.read_bytes() for file in files)
    return archive.digest(attributes, *content)


def _store(path: Path, group: Any, facts: dict[str, Any]) -> Store:
    """The store in a group that this version made; it writes files of fill values too."""
    import zarr

    names, block, measured, configuration = (json.loads(facts[k]) for k in _TEXTS)
    grid = Grid(tuple(names), tuple(group[name][:] for name in names), tuple(block))
    with zarr.config.set({"array.write_empty_chunks": True}):
        arrays = {name: group[name] for name in (*measured, "error", "state")}
    return Store(path.resolve(), grid, arrays, configuration)


def create(path: Path, problem: Problem, sample: Found) -> Store:
    """Make an empty store in one move; of two processes that try, one makes it and both open it."""
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        shutil.rmtree(partial, ignore_errors=True)
        _lay_out(partial, problem, sample)
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


def _lay_out(folder: Path, problem: Problem, sample: Found) -> None:
    """Write coordinates, empty arrays and attributes."""
    import zarr
    from zarr.codecs import Crc32cCodec, ZstdCodec

    group = zarr.create_group(folder)
    checked = (ZstdCodec(level=0), Crc32cCodec())  # of every byte
    grid = problem.grid
    coordinates = grid.axes
    if "beta" in sample and problem.features:
        coordinates["feature"] = np.array(problem.features)
    for name, values in coordinates.items():
        group.create_array(
            name,
            data=values.astype("T") if values.dtype.kind == "U" else values,
            dimension_names=(name,),
            compressors=checked,
        )
    marks: Found = {"error": ((), np.array("")), "state": ((), np.array(PENDING, "i1"))}
    for name, (dims, value) in (sample | marks).items():
        table = _TABLES.get(name, {})
        flags = ([*table], " ".join(table.values()))
        empty = {"U": "", "f": np.nan}  # what unfinished cells hold
        group.create_array(
            name,
            shape=(*grid.shape, *value.shape),
            chunks=(*grid.block, *(max(1, n) for n in value.shape)),
            dtype=str if name == "error" else value.dtype,
            fill_value=empty.get(value.dtype.kind, min(table, default=0)),
            compressors=checked,
            dimension_names=(*grid.names, *dims),
            attributes=dict(zip(_FLAGS, flags, strict=True)) if table else {},
        )
    given = (grid.names, grid.block, tuple(sample), problem.configuration)
    texts = dict(zip(_TEXTS, map(json.dumps, given), strict=True))
    texts["fingerprint"] = problem.fingerprint
    attributes = {"format": "flowsam sweep 1", **texts, **_FACTS}
    group.attrs.update(attributes | {"metadata": metadata_digest(folder, attributes)})
