"""A solved case as pure functions of arrays: its start is read anew by each."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from numpy.typing import ArrayLike

Read = Callable[[ArrayLike, ArrayLike, float], Any]
Answer = Callable[..., Any]
LINF = ("weights", "blow_up_time", "zero_time", "events", "fate")


def functions_of(read: Read, *names: str) -> list[Answer]:
    """Return `name(theta0, mu, *, rho)` of each name, and `weights(theta0, mu, *, rho, tau)`."""

    def function(name: str) -> Answer:
        def answer(theta0: ArrayLike, mu: ArrayLike, *, rho: float, **at: Any) -> Any:
            found = getattr(read(theta0, mu, rho), name)
            return found(**at) if at else found

        return answer

    return [function(name) for name in names]
