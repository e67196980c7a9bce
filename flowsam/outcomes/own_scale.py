"""Starts and examples of any size in numbers whose powers are doubles.

A normalised rule's labels stay where mu, or weights and rho, are multiplied by a power of two.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from flowsam.data import Data
from flowsam.flow import Flow
from flowsam.regimes import Case
from flowsam.shapes import Codes, Int, Starts

FAR = 400  # exponent of two that mu, weights^L, and their squares' squares, may have
_LEAST = 2.0**-1074


@dataclass(frozen=True, eq=False)
class Scaled:
    """A group of starts, by their places, and an equivalent case for them, in named units."""

    places: Codes
    case: Case
    starts: Starts
    units: str


def in_range(case: Case, starts: Starts) -> Iterator[Scaled]:
    """Yield starts with equivalent cases, one scale a group; ordinary ones as they are."""
    flow = case.flow
    rule = case.rule
    if not case.regime.scale_free:
        yield Scaled(np.arange(len(starts)), case, starts, "")
        return
    mu = flow.mu
    room = FAR // starts.shape[1]
    mu_power = int(_power(np.abs(mu).max(), FAR))
    data = Data(_shifted(flow.data.z, mu_power), flow.data.name)
    top = np.abs(starts[..., mu != 0]).max(axis=(1, 2), initial=0.0)
    own = _power(rule.rho if rule.perturbs else top, room)
    over = np.frexp(np.where(top > 0, top, 1.0))[1] - own - room
    shift = np.where(over > 0, own + over, own)
    least = shift.min(initial=0)
    # np.unique would load numpy.ma
    for power in least + np.flatnonzero(np.bincount(shift - least)):
        places = np.flatnonzero(shift == power)
        rho = _shifted(np.array(rule.rho), power).item()
        scaled = replace(case, flow=Flow(data, replace(rule, rho=rho), flow.loss))
        named = {"weights": power, "mu": mu_power}
        units = [f"; {name} in units of 2^{k}" for name, k in named.items() if k]
        yield Scaled(places, scaled, _shifted(starts[places], power), "".join(units))


def _power(size: np.ndarray | float, room: int) -> Int[np.ndarray, "*N"]:
    """Return the power of two of sizes beyond 2^room or below 2^-room, else 0."""
    power = np.frexp(np.where(np.asarray(size) > 0, size, 1.0))[1]
    return np.where(np.abs(power) > room, power, 0)


def _shifted(values: np.ndarray, power: int | np.integer) -> np.ndarray:
    """Return values / 2^power; what is not 0 stays so, with its sign."""
    if not power:
        return values
    with np.errstate(under="ignore"):
        scaled = np.ldexp(values, -power)
    lost = (scaled == 0) & (values != 0)
    return np.where(lost, np.copysign(_LEAST, values), scaled)
