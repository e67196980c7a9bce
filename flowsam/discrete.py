"""Discrete gradient descent and SAM: the iteration whose limit of small steps the flow is."""

from __future__ import annotations

from collections.abc import Iterator
from copy import copy
from dataclasses import asdict, dataclass, replace

import numpy as np
from numpy.typing import ArrayLike

from flowsam.data import Data
from flowsam.endings import Ending
from flowsam.errors import InputError
from flowsam.flow import Flow
from flowsam.inputs import checked_grid, keep, whole_number
from flowsam.shapes import Theta
from flowsam.signatures import public
from flowsam.trajectory import Trajectory

Shards = list[tuple[float, Flow]]


@dataclass(frozen=True)
class Batches:
    """How the examples of an epoch are dealt out.

    Each epoch is a new permutation of the examples from one generator, cut into batches; each
    batch is cut, in order, into shards. Every shard perturbs the weights by its own gradient, and
    the step is the mean of the perturbed gradients, weighted by shard size.

    Parameters
    ----------
    batch : int
        Examples a step; the last batch of an epoch may be smaller.
    shard : int, optional
        Examples a perturbation; by default the whole batch. 1 is 1-SAM, and n is full-batch SAM.
    seed : int
        Of `numpy.random.default_rng`.

    Raises
    ------
    ValueError
        For a batch below 1, or a shard that is not between 1 and the batch.

    Examples
    --------
    >>> [rows.tolist() for rows in next(Batches(3, 2, seed=1).deal(5))]
    [[4, 0], [1]]
    """

    batch: int
    shard: int | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        """Check the sizes."""
        for name, size in asdict(self).items():
            if size is not None or name != "shard":
                whole_number(size, f"Batches needs a whole {name}")
        if self.seed < 0:
            raise InputError(
                f"Batches needs seed >= 0, got {self.seed}; it starts a generator"
            )
        if self.batch < 1:
            raise InputError(
                f"Batches needs batch >= 1, got {self.batch}; it counts examples"
            )
        if self.shard is not None and not 1 <= self.shard <= self.batch:
            raise InputError(
                f"Batches needs 1 <= shard <= batch, got {self.shard}; 1 is 1-SAM"
            )

    @property
    def dealing(self) -> dict[str, int]:
        """What a trajectory keeps of them, the size of a shard filled in."""
        return asdict(self) | {"shard": self.shard or self.batch}

    def deal(self, n: int) -> Iterator[list[np.ndarray]]:
        """Yield for every step its shards, as arrays of example numbers, for ever.

        Parameters
        ----------
        n : int
            Number of examples.

        Yields
        ------
        list of ndarray
            The shards of one batch.
        """
        rng = np.random.default_rng(self.seed)
        shard = self.shard or self.batch
        while True:
            order = rng.permutation(n)
            for start in range(0, n, self.batch):
                rows = order[start : start + self.batch]
                yield [rows[cut : cut + shard] for cut in range(0, len(rows), shard)]


@public
def iterate(  # noqa: PLR0913 - the public contract
    flow: Flow,
    theta0: ArrayLike,
    *,
    learning_rate: float,
    steps: int | np.integer,
    batches: Batches | None = None,
    save_every: int | np.integer = 1,
) -> Trajectory:
    """Run discrete SAM (gradient descent where rho = 0) and return it as a trajectory.

    theta_{k+1} = theta_k - eta grad Lo(theta_k + eps(theta_k))

    As eta -> 0 at fixed eta k the iterates tend to the flow at first order; where l_inf's
    gradient signs chatter along one surface they tend to Filippov's sliding solution. Of components
    that tie l_1 takes the first.

    Parameters
    ----------
    flow : Flow
        Data, rule and loss.
    theta0 : array_like, shape (L, d)
        Start.
    learning_rate : float
        eta > 0, in units of time.
    steps : int
        Number of steps, >= 0.
    batches : Batches, optional
        By default every step sees all examples.
    save_every : int
        Keep every so many steps; the start and the last step are always kept.

    Returns
    -------
    Trajectory
        `log_t = log(1 + eta k)`; `tau` sums eta times the clock rate of each step. Status
        "failed" where weights overflow, with the step in the message.

    Raises
    ------
    TypeError, ValueError
        For a bad start, learning rate, number of steps or interval.

    Notes
    -----
    The sign of the gradient comes from `sum_i q_i z_i` and the other layers' products, never
    from a gradient that underflows. Derivation: derivations/discrete_to_flow.py.

    Examples
    --------
    >>> from flowsam import Flow, linf, single_example
    >>> flow = Flow(single_example([1.0]), linf(0.5))
    >>> iterate(flow, [[0.0], [1.0]], learning_rate=0.1, steps=1).theta[-1].ravel().round(6)
    array([0.062246, 0.968877])
    """
    theta = flow.one_start(theta0, "iterate", "loop over them")
    _check_numbers(learning_rate, steps, save_every)
    shards = _dealt(_iterated(flow), batches)
    log_rate = np.log(learning_rate)
    step = 0
    clock = 0.0
    saved = [(theta, clock, step)]
    message = f"{steps} steps of size {learning_rate:g}"
    ending = Ending.FINISHED
    evaluations = 0
    for step in range(1, steps + 1):
        dealt = next(shards)
        with np.errstate(over="ignore", invalid="ignore"):  # said below
            move, advance = _step(theta, dealt, log_rate)
            theta = theta + move
            clock = clock + advance
        evaluations += len(dealt) * (2 if flow.perturbation.perturbs else 1)
        if not np.isfinite(theta).all():
            ending = Ending.OVERFLOWED
            message = f"weights overflowed at step {step}; lower learning_rate"
            break
        if step % save_every == 0 or step == steps:
            saved.append((theta, clock, step))
    states, tau, kept = map(np.array, zip(*saved, strict=True))
    return Trajectory(
        flow.data,
        flow.perturbation,
        flow.loss,
        tau,
        states,
        (),
        ending.status,
        message,
        "iterate",
        step,
        evaluations,
        {"learning_rate": learning_rate} | (batches.dealing if batches else {}),
        lambda: np.log1p(learning_rate * kept),
        ending,
    )


def _check_numbers(
    learning_rate: float, steps: int | np.integer, save_every: int | np.integer
) -> None:
    """Refuse what cannot be iterated, with the value."""
    if not 0 < learning_rate < np.inf:
        raise InputError(
            f"iterate needs a finite learning_rate > 0, got {learning_rate}"
        )
    if steps < 0:
        raise InputError(f"iterate needs a whole number of steps >= 0, got {steps}")
    if save_every < 1:
        raise InputError(
            f"iterate needs a whole save_every >= 1, got {save_every}; 1 keeps all"
        )
    checked_grid(1, int(steps // save_every), "raise save_every")


def _iterated(flow: Flow) -> Flow:
    """Return a flow, a subclass with all it has, whose rule is what iterations take."""
    rule = flow.perturbation.iterated
    if rule is flow.perturbation:
        return flow
    taken = copy(flow)
    keep(taken, perturbation=rule)
    return taken


def _dealt(flow: Flow, batches: Batches | None) -> Iterator[Shards]:
    """Yield for every step its shards, with their weights."""
    while batches is None:
        yield [(1.0, flow)]
    z = flow.data.z
    for rows in batches.deal(len(z)):
        size = sum(map(len, rows))
        yield [
            (len(shard) / size, replace(flow, data=Data(z[shard]))) for shard in rows
        ]


def _step(theta: Theta, shards: Shards, log_rate: float) -> tuple[Theta, float]:
    """Return the step and the rescaled time it takes."""
    move = np.zeros_like(theta)
    advance = 0.0
    for weight, flow in shards:
        direction, log_scale = flow.rates(theta)
        pace = weight * float(np.exp(log_rate + log_scale))
        move = move + pace * direction
        advance = advance + pace
    return move, advance
