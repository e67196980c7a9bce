"""Independent pieces of work on every processor, with a bar that counts what is finished."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import TypeVar

__all__ = ["each"]

Item, Result = TypeVar("Item"), TypeVar("Result")


def each(
    work: Callable[[Item], Result], items: Sequence[Item], *, unit: str, quiet: bool = False
) -> tuple[Result, ...]:
    """Return `work(item)` of every item, in order, computed by one process a processor.

    Parameters
    ----------
    work : callable
        Found by its name in a module, like the items something that processes can exchange.
    items : sequence
        The longest first, for the shortest total.
    unit : str
        What the progress bar counts.
    quiet : bool
        No progress bar, even on a terminal.

    Returns
    -------
    tuple
        Whatever `work` raises is raised; what it wrote before an interrupt stays.
    """
    from concurrent.futures import ProcessPoolExecutor, as_completed
    from multiprocessing import get_context

    from tqdm import tqdm

    processes = min(len(os.sched_getaffinity(0)), len(items))
    if processes < 2:
        return tuple(work(item) for item in tqdm(items, unit=unit, disable=quiet or None))
    pool = ProcessPoolExecutor(processes, get_context("spawn"), initializer=_one_thread)
    try:
        waiting = [pool.submit(work, item) for item in items]
        done = as_completed(waiting)
        for _ in tqdm(done, total=len(items), unit=unit, disable=quiet or None):
            pass
        return tuple(future.result() for future in waiting)
    finally:
        pool.shutdown(cancel_futures=True)


def _one_thread() -> None:
    """Keep libraries from starting threads: the processors are taken."""
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ.setdefault(name, "1")
