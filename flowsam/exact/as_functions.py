"""A solved case as pure functions of arrays: its start is read anew by each."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from numpy.typing import ArrayLike

Read = Callable[[ArrayLike, ArrayLike, float], Any]


def weights_by(read: Read) -> Callable[..., Any]:
    """Return `weights(theta0, mu, *, rho, tau)`, shape (..., T, L, d), of a case."""

    def weights(theta0: ArrayLike, mu: ArrayLike, *, rho: float, tau: ArrayLike) -> Any:
        return read(theta0, mu, rho).weights(tau)

    return weights


def asked_by(read: Read, name: str) -> Callable[..., Any]:
    """Return `name(theta0, mu, *, rho)` of a case, what its starts are asked for."""

    def answer(theta0: ArrayLike, mu: ArrayLike, *, rho: float) -> Any:
        return getattr(read(theta0, mu, rho), name)

    return answer
