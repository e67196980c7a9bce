"""Taylor's method on a batch, by heyoka: smooth rules, few coordinates and examples.

One example: a whole step is one compiled function, called for all members at once. Several, and
unnormalised SAM: heyoka's integrator, for a written-out step compiles too long. A member that does
not arrive (a collapse, a blow-up) is left to DOP853.

It stays for batches of one example, 9 to 13 times as fast as NumPy's DOP853 at a smaller error
(1,000 starts, d = 2). No limit and no portrait asks for it: it has no certificate to stop by. By
"auto" it takes whole steps only: the integrator takes 1.9 times as long with 20 examples in 10
features, and is no faster under unnormalised SAM.
"""

from typing import Any

import numpy as np

from flowsam.engines import taylor
from flowsam.flow import Flow
from flowsam.regimes import Case
from flowsam.shapes import Chosen, Codes, Weights

BLOCK = 16_384  # members stepped at once
MOST_STEPS = 200  # a member that needs more is near its end: one for DOP853
LARGEST = 64  # L d; beyond it NumPy's rows are as fast
WORTH = 400_000  # weights from which the gain pays for compiling; ten times that, where it is slow
FINER = 0.1  # of rtol: nearer than DOP853 at the same rtol, where that uses its rtol


def worth(case: Case, w: Weights) -> bool:
    """Return whether heyoka is there, covers the flow, and is faster, compiling included."""
    depth, d, _ = w.shape
    enough = w.size >= (WORTH if depth * d <= taylor.UNROLLED else 10 * WORTH)
    if not (enough and case.regime.analytic and depth * d <= LARGEST):
        return False
    return taylor.installed() and taylor.writes_out(taylor.kind_of(case.flow, depth))


def march(
    flow: Flow, w: Weights, *, tau_end: float, rtol: float
) -> tuple[Weights, Codes, Chosen]:
    """Return last weights, steps, and which members arrived at tau_end."""
    kind = taylor.kind_of(flow, len(w))
    tolerance = max(FINER * rtol, 1e-17)
    if taylor.writes_out(kind):
        return _all_at_once(taylor.step(kind, tolerance), flow, w, tau_end=tau_end)
    return _in_batches(
        taylor.integrator(kind, tolerance, batch=True), flow, w, tau_end=tau_end
    )


def _all_at_once(
    step: Any, flow: Flow, w: Weights, *, tau_end: float
) -> tuple[Any, ...]:
    """Step all members of a block, each with its own size, and lay the arrived aside."""
    number = w.shape[-1]
    size = w[..., 0].size
    out = np.concatenate([w.reshape(size, number), np.full((1, number), tau_end)])
    steps = np.zeros(number, dtype=np.int64)
    for first in range(0, number, BLOCK):
        block = slice(first, first + BLOCK)
        _step_block(step, taylor.numbers(flow)[:, None], out[:, block], steps[block])
    return (
        out[:-1].reshape(w.shape),
        steps,
        (out[-1] == 0) & np.isfinite(out).all(axis=0),
    )


def _step_block(
    step: Any, numbers: np.ndarray, out: np.ndarray, steps: np.ndarray
) -> None:
    """Step to the end; a row of `out` is a weight, the last one the time left."""
    place = _filled(np.arange(out.shape[1]), step.batch_size)
    here = out.take(place, axis=1)
    count = steps[place]
    going = np.ones(place.size, dtype=bool)
    after = np.empty_like(here)
    pars = np.repeat(numbers, place.size, axis=1)
    for _ in range(MOST_STEPS):
        step(inputs=here, pars=pars, outputs=after)
        here, after = after, here
        count += going
        going = here[-1] > 0  # not where it is nan
        if np.count_nonzero(going) <= 0.9 * going.size:  # till then: steps of no length
            over = np.flatnonzero(~going)
            left = _filled(np.flatnonzero(going), step.batch_size)
            out[:, place[over]] = here.take(over, axis=1)
            steps[place[over]] = count[over]
            here = here.take(left, axis=1)
            place = place[left]
            count = count[left]
            after = np.empty_like(here)
            pars = pars[:, : left.size].copy()
            going = going[left]
            if not left.size:
                return
    out[:, place] = here
    steps[place] = count


def _filled(places: np.ndarray, lanes: int) -> np.ndarray:
    """Repeat the last one to fill a vector: starts outside of one round in another way."""
    return places[
        np.minimum(np.arange(-(-places.size // lanes) * lanes), places.size - 1)
    ]


def _in_batches(run: Any, flow: Flow, w: Weights, *, tau_end: float) -> tuple[Any, ...]:
    """Step one batch after the other by heyoka's integrator."""
    number = w.shape[-1]
    lanes = run.batch_size
    run.pars[:] = taylor.numbers(flow)[:, None]
    # one batch after the other in memory, the last one filled with one member; small starts are
    # the ones to collapse, and one of them keeps its batch waiting: they wait together
    order = np.argsort(np.einsum("ldn,ldn->n", w, w), kind="stable")
    chosen = _filled(order, lanes)
    size = w[..., 0].size  # the state may hold more than the weights
    batches = w.reshape(size, number)[:, chosen].reshape(
        size, chosen.size // lanes, lanes
    )
    batches = np.ascontiguousarray(batches.swapaxes(0, 1))
    reached = np.empty(batches[:, 0].shape)
    steps = np.empty(batches[:, 0].shape, dtype=np.int64)
    state = run.state
    time = run.time
    for k, batch in enumerate(batches):
        run.set_time(0.0)
        state[:size] = batch
        state[size:] = 0.0
        run.propagate_until(tau_end, max_steps=MOST_STEPS)
        batch[:] = state[:size]
        reached[k] = time
        steps[k] = [end[3] for end in run.propagate_res]
    place = np.argsort(order)
    out = np.ascontiguousarray(batches.swapaxes(0, 1)).reshape(*w.shape[:2], -1)[
        ..., place
    ]
    arrived = (reached.ravel()[place] == tau_end) & np.isfinite(out).all(axis=(0, 1))
    return np.ascontiguousarray(out), steps.ravel()[place], arrived
