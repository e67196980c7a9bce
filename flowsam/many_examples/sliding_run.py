"""Runs of normalised SAM that slides: from event to event, then iterated if it must be."""

from dataclasses import replace
from typing import Any

import numpy as np

from flowsam.endings import Ending
from flowsam.engines.path import Path, Piece, Turn
from flowsam.engines.run import Request
from flowsam.errors import InputError
from flowsam.flow import Flow
from flowsam.many_examples.chatter import chatter_run
from flowsam.many_examples.late_path import LateRun
from flowsam.many_examples.log_march import marched
from flowsam.many_examples.sliding import Sliding
from flowsam.shapes import Theta

_NUDGE = 1e-9
_HANDED_OVER = {
    "several": "slides on several surfaces",
    "too_many_events": "meets surfaces without end",
    "failed": "changes faster than steps can follow",
}


def sliding_run(flow: Flow, theta0: Theta, asked: Request) -> LateRun:
    """Integrate Filippov's solution while it is unique, and iterate from there."""
    system = Sliding(flow, theta0, asked.rtol, asked.atol)
    entry = system.start()
    if entry.status == "several":
        raise InputError(
            f"the start lies on switching surfaces of {flow.perturbation.name} from which its flow "
            "is not unique; move it off them a little"
            + (", or use method='discrete'" if system.surfaces.constant else "")
        )
    numbers = system.gates.numbers(theta0, entry.mode.chart)
    found = marched(system, Turn(np.append(numbers, 0.0), *entry), asked)
    if found.status in _HANDED_OVER:
        found = replace(found, method=f"Filippov ({found.method})")
    run = LateRun(found, system.weights, timed=system.timed)
    fell = found.status == Ending.COLLAPSED and system.surfaces.constant
    if fell or found.status == Ending.FLATTEST:
        last = float(run.edges[-1])
        state = found.path(run.edges[-1:])[0]
        rates = system.rates(last, state, found.path.mode)
        return replace(run, log_pace=last - float(np.log(rates[-1]) + state[-1]))
    why = _HANDED_OVER.get(run.march.status)
    return iterated_on(flow, run, asked, why) if why else _told_free(run)


def _told_free(run: LateRun) -> LateRun:
    """Say where a coordinate slid along an axis into the origin and the others went on.

    Rest fixes how often each sign occurs, not how often those of the layers agree: the mean of
    beta_hat_j is free in [-rho^L, rho^L] and moves the others. The run takes rho^L, that of equal
    layers; discrete SAM's value depends on its step.
    """
    last: dict[int | None, str] = {}
    free: list[Any] = []
    for event in run.march.events:
        slid = event.kind == "zero" and last.get(event.coordinate) == "slide"
        free += [event] if slid else []
        if event.layer is not None or event.kind == "zero":  # not the slide of a pull
            last[event.coordinate] = event.kind
    if not free or run.march.status != "finished":
        return run
    since = float(run.log_t(np.array([free[0].tau]))[0])
    names = ", ".join(str(event.coordinate + 1) for event in free)
    note = (
        f": from log t = {since:.6g} on, where the layers of coordinate {names} slid to 0 "
        "one after another, it depends on how often their signs agree, which no rule fixes"
    )
    return replace(run, march=replace(run.march, status="sliding_ambiguous"), note=note)


def iterated_on(flow: Flow, run: LateRun, asked: Request, why: str) -> LateRun:
    """Return a run that event-driven steps could not end, continued by iteration."""
    last = run.edges[-1:]
    origin = float(last[0]), float(run.tau(last)[0])
    theta = run.states(last)[0]
    if not flow.descent(theta)[0].any():  # which says nothing of where the step goes
        theta = theta + _NUDGE * np.abs(theta).max()
    later = chatter_run(flow, theta, asked, origin=origin)
    first = run.march
    then = later.march
    path = Path(
        np.append(first.path.edges, then.path.edges[1:]),
        (Piece(run.flat, None),) * len(first.path.pieces) + then.path.pieces,
        np.append(first.path.breaks, origin[0]),
        then.path.tail,
    )
    whole = replace(
        then,
        path=path,
        events=first.events,
        steps=first.steps + then.steps,
        nfev=first.nfev + then.nfev,
        method=f"{first.method}, then {then.method}",
    )
    note = f"; it {why} from log t = {origin[0]:.6g} on{later.note}"
    return replace(later, march=whole, note=note)
