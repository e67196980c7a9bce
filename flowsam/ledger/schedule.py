"""Claims and figures in one pool of processes, the longest first."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from operator import methodcaller
from typing import Any

from flowsam.workers import each, processors


@dataclass(frozen=True)
class Task:
    """A piece of work that stands alone."""

    name: str  # of the claim or figure
    seconds: float  # how long it took last, or is said to take
    work: Callable[[], Any]  # takes nothing; processes can exchange it


def perform(tasks: Sequence[Task], *, quiet: bool = False) -> dict[str, Any]:
    """Return what each task gave, by its name; tqdm or lines tell how far it is."""
    ordered = sorted(tasks, key=lambda task: -task.seconds)
    found = each(methodcaller("work"), ordered, unit="task", quiet=quiet)
    return {task.name: result for task, result in zip(ordered, found, strict=True)}


def expected(tasks: Sequence[Task]) -> float:
    """Return the seconds that tasks will take on the processors there are."""
    longest = max((task.seconds for task in tasks), default=0.0)
    return max(longest, sum(task.seconds for task in tasks) / processors())
