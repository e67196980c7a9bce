"""Independent pieces of work on every processor, counting what is finished."""

import gc
import multiprocessing
import os
import signal
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache
from threading import Thread, current_thread, main_thread
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")
_PAUSE = 10.0  # seconds between lines of progress where there is no terminal


def processors() -> int:
    """Return how many processors this process may use, or how many there are."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # macOS, Windows
        return os.cpu_count() or 1


@cache
def end_with_parent() -> None:
    """End this process, if it is a worker, with the one that started it, which a Ctrl-C is for."""
    parent = multiprocessing.parent_process()
    if parent is None:
        return
    Thread(target=_end_after, args=(parent.pid,), daemon=True).start()
    if current_thread() is main_thread():  # not in a thread of a cluster's worker
        signal.signal(signal.SIGINT, signal.SIG_IGN)


def _end_after(parent: int) -> None:
    """End this process once another one has taken the parent's place."""
    while (
        os.getppid() == parent
    ):  # Windows keeps the number: there a worker ends with its work
        time.sleep(0.2)
    os._exit(1)


def each(
    work: Callable[[Item], Result],
    items: Sequence[Item],
    *,
    unit: str,
    quiet: bool = False,
) -> tuple[Result, ...]:
    """Return `work(item)` of every item, in order, computed by one process a processor."""
    from concurrent.futures import ProcessPoolExecutor, as_completed

    processes = min(processors(), len(items))
    if processes < 2:
        return tuple(
            work(item) for item in _counted(items, len(items), unit, quiet=quiet)
        )
    others = multiprocessing.active_children()
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(processes, spawn, initializer=_begin) as pool:
        try:
            waiting = [pool.submit(work, item) for item in items]
            for _ in _counted(as_completed(waiting), len(items), unit, quiet=quiet):
                pass
            return tuple(future.result() for future in waiting)
        except BaseException:
            for worker in set(multiprocessing.active_children()) - set(others):
                worker.terminate()
            raise


def _counted(
    items: Iterable[Item], total: int, unit: str, *, quiet: bool
) -> Iterator[Item]:
    """Yield items, telling on stderr how many of them are finished."""
    from tqdm import tqdm

    if quiet or sys.stderr.isatty():
        yield from tqdm(items, total=total, unit=unit, disable=quiet)
        return
    told = time.monotonic()
    for count, item in enumerate(items, 1):
        yield item
        if time.monotonic() - told >= _PAUSE:
            told = time.monotonic()
            sys.stderr.write(f"{count} of {total} {unit}s done\n")
            sys.stderr.flush()


def _begin() -> None:
    """Keep libraries of a worker from starting threads, and its life within that of its parent.

    What SymPy and matplotlib make lives long: looking for garbage as often as by default is a tenth
    of their time.
    """
    gc.set_threshold(100_000, 50, 50)
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ.setdefault(name, "1")
    end_with_parent()
