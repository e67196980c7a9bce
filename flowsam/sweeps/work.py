"""The work of a sweep: blocks of cells by one process, several, or a cluster, kept at once."""

import logging
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import CancelledError
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import Any

import numpy as np

from flowsam.errors import InputError, MissingLibraryError
from flowsam.shapes import Int8
from flowsam.sweeps.cells import Block
from flowsam.sweeps.measures import Arrays
from flowsam.sweeps.problem import Problem
from flowsam.sweeps.store import FAILED, FINISHED, Store
from flowsam.workers import end_with_parent

State = Int8[np.ndarray, "..."]
Pool = Callable[[Iterable[Any]], Iterable[Any]]  # delayed calls to what they give
_QUEUED = 256  # chunks that a scheduler holds at once
WAIT = 10  # seconds for a scheduler to answer, and for a worker of it
POOLS = 5  # pools of processes that may break, one after the other, before the sweep gives up


@dataclass(frozen=True)
class Progress:
    """How far a sweep is.

    Parameters
    ----------
    finished, failed, cells : int
        Cells with a result, with an error, and in all.
    seconds_left : float
        Estimate from the cells of this run; nan before the first.
    """

    finished: int
    failed: int
    cells: int
    seconds_left: float


def through(
    problem: Problem,
    held: Store,
    pool: Pool,
    which: int,
    told: Callable[[Progress], object],
) -> None:
    """Work through the blocks with cells of one state, and report each as it finishes."""
    from joblib import delayed
    from joblib.externals.loky.process_executor import TerminatedWorkerError

    whole = held.state
    begin = time.perf_counter()
    done = 0
    pools = 0
    left = int((whole == which).sum())
    wait = False
    blocks = held.waiting(which)
    while blocks:
        busy = []
        try:
            calls = (delayed(_block)(problem, held, b, which, wait) for b in blocks)
            for block, state in pool(calls):
                if state is None:
                    busy.append(block)
                    continue
                region = held.grid.region(block)
                done += int((whole[region] == which).sum())
                whole[region] = state
                finished = int((whole == FINISHED).sum())
                failed = int((whole == FAILED).sum())
                pace = (time.perf_counter() - begin) / max(done, 1)
                told(Progress(finished, failed, whole.size, pace * (left - done)))
            # others hold these: wait until they finish, or die
            blocks = busy
            wait = True
        except TerminatedWorkerError:  # a worker was killed: the others start again
            pools += 1
            if pools == POOLS:
                raise InputError(
                    f"workers of this sweep were killed {POOLS} times, maybe for want of memory; "
                    "what is finished is kept, go on with it by resume (--resume)"
                ) from None
            blocks = held.waiting(which)


@contextmanager
def place(jobs: int, scheduler: str | None) -> Iterator[Pool]:
    """Yield where blocks are worked on: processes of this machine, or a Dask cluster."""
    from joblib import Parallel

    if scheduler is None:
        yield lambda calls: Parallel(jobs, return_as="generator_unordered")(calls)
        return
    try:
        from distributed import Client, KilledWorker
        from distributed.comm import CommClosedError
        from distributed.utils import silence_logging_cmgr
    except ImportError:
        raise MissingLibraryError(
            "a scheduler needs distributed; pip install 'flowsam[sweep]'"
        ) from None
    try:
        client = Client(scheduler, timeout=WAIT)
    except (OSError, ValueError) as error:
        raise InputError(
            f"scheduler needs the address of a Dask scheduler, got {scheduler!r} ({error}); "
            "e.g. tcp://host:8786"
        ) from None
    # a client would log, trace and all, the loss that is told in one line
    quiet = silence_logging_cmgr(logging.CRITICAL, "distributed.client")
    with quiet, client:
        try:
            client.wait_for_workers(1, timeout=WAIT)
        except TimeoutError:
            raise InputError(
                f"scheduler needs workers, got {scheduler!r} with none; start some with "
                f"`dask worker {scheduler}`"
            ) from None
        try:
            yield partial(_over_cluster, client)
        except (CancelledError, CommClosedError, KilledWorker) as error:
            why = error if isinstance(error, KilledWorker) else "it was lost"
            raise InputError(
                f"the scheduler {scheduler!r} did not finish ({why}); what is finished is "
                "kept, go on with it by resume (--resume)"
            ) from None


def _over_cluster(
    client: Any,
    calls: Iterable[tuple[Callable[..., Any], Any, Any]],
) -> Iterator[Any]:
    """Yield what calls give as they finish; joblib would work here where one thread is there."""
    from distributed import as_completed

    waiting = (client.submit(f, *a, **names, pure=False) for f, a, names in calls)
    going = as_completed([*islice(waiting, _QUEUED)])
    for done in going:
        yield done.result()
        going.update([*islice(waiting, 1)])


def _block(
    problem: Problem,
    held: Store,
    block: Block,
    which: int,
    wait: bool,
) -> tuple[Block, State | None]:
    """Work on a block if no other process does; return the states of its cells, or None."""
    from threadpoolctl import threadpool_limits

    end_with_parent()
    try:
        # sums in one order everywhere
        with held.claim(block, wait=wait), threadpool_limits(1):
            return block, _worked(problem, held, block, which)
    except BlockingIOError:
        return block, None


def _worked(problem: Problem, held: Store, block: Block, which: int) -> State:
    """Measure the cells of a block that are in the state asked for, and write it."""
    arrays = held.read(block)
    origin = [part.start for part in held.grid.region(block)]
    todo = np.argwhere(arrays["state"] == which)
    for at, place in zip(todo.tolist(), (todo + origin).tolist(), strict=True):
        _fill(arrays, tuple(at), problem, tuple(place))
    if todo.size:
        held.write(block, arrays)
    return arrays["state"]


def _fill(arrays: Arrays, at: Block, problem: Problem, place: Block) -> None:
    """Put one cell's quantities, or its error, into the arrays of its block."""
    try:
        found = problem.measured(place)
        for name, (_, value) in found.items():
            if arrays[name][at].shape != np.shape(value):
                raise InputError(
                    f"{name} has shape {np.shape(value)} here and {arrays[name][at].shape} in "
                    "the first cell; an array of the store has one shape"
                )
        for name, (_, value) in found.items():
            arrays[name][at] = value
        arrays["error"][at] = ""
        arrays["state"][at] = FINISHED
    except (Exception, SystemExit) as error:  # of any kind, and kept
        arrays["error"][at] = f"{type(error).__name__}: {error}"
        arrays["state"][at] = FAILED
