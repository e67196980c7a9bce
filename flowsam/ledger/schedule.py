"""Claims and figures in one pool of processes, the longest first."""

from collections.abc import Callable, Iterable, Sequence
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
    kept: Any = None  # what it gave an earlier time, if that is still valid


def waiting(tasks: Iterable[Task]) -> list[Task]:
    """Return the tasks that are to be done, the longest first."""
    left = [task for task in tasks if task.kept is None]
    return sorted(left, key=lambda task: -task.seconds)


def perform(tasks: Sequence[Task], *, quiet: bool = False) -> dict[str, Any]:
    """Return what each task gave, by its name; tqdm or lines tell how far it is."""
    found = {task.name: task.kept for task in tasks}
    left = waiting(tasks)
    made = each(methodcaller("work"), left, unit="task", quiet=quiet)
    return found | {task.name: one for task, one in zip(left, made, strict=True)}


def expected(tasks: Sequence[Task]) -> float:
    """Return the seconds that tasks will take on the processors there are."""
    seconds = [0.0, *(task.seconds for task in tasks)]
    return max(*seconds, sum(seconds) / processors())
