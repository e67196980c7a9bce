"""Answers of the commands in one sentence each, with units and ranges."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

    from flowsam.outcomes import Limit
    from flowsam.portrait import Portrait
    from flowsam.real_data.scale_scan import Scan
    from flowsam.trajectory import Trajectory


_UNNAMED = {
    0: "0: every feature is lost",
    -1: "a limit that is not known; the reason is below",
    -2: "an unstable equilibrium, on whose separatrix the start lies",
    -3: "a tie of several features",
    -4: "a finite predictor that is not 0, where it stalls",
    -5: "the direction below, which is not one feature alone",
    -6: "a limit that is not known: the integration failed",
}
_FEW = 6


def ends_at(end: Limit, mu: np.ndarray) -> str:
    """Return which feature of the one example a limit is, with its sign and strength."""
    label = int(end.label)
    if label < 1:
        return f"The predictor tends to {_UNNAMED[label]}."
    words = _feature(label, end.features)
    entry = float(mu[label - 1])
    sign = "positive" if entry > 0 else "negative"
    return (
        f"The predictor's direction tends to {words} alone, with a {sign} weight "
        f"(mu_{label} = {entry:+.4g})."
    )


def went(run: Trajectory, predictor: np.ndarray, names: Sequence[str]) -> str:
    """Return when a run ends, in both clocks, and which feature is ahead there."""
    end = f"tau = {run.tau[-1]:.6g}, which is log(1 + t) = {run.log_t[-1]:.6g}"
    sizes = abs(predictor)
    first = int(sizes.argmax())
    if not sizes[first]:
        return f"By {end}, the predictor is 0."
    named = _feature(first + 1, names)
    share = (
        f"{sizes[first] / sizes.sum():.1%}" if sizes[first] < float("inf") else "all"
    )
    return f"At {end}, {named} is ahead with {share} of the predictor."


def _feature(place: int, names: Sequence[str]) -> str:
    """A feature by its place and its name."""
    return f"feature {place}" + (f", {names[place - 1]}," if names else "")


def mapped(plane: Portrait) -> str:
    """Return the shares of a plane of starts, the largest first."""
    shares = sorted(plane.fractions.items(), key=lambda item: -item[1])
    words = [f"{plane.limit_name(k)} from {share:.1%} of them" for k, share in shares]
    shown = ", ".join(words[:_FEW]) + ", ..." * (len(words) > _FEW)
    return f"These starts end at {shown}."


def leads(order: Sequence[int], times: Sequence[float], verb: str) -> str:
    """Return who leads from when, in rescaled time."""
    if len(order) == 1:
        return f"Feature {order[0]} {verb} from the start to the end."
    later = [
        f"feature {j} from tau = {tau:.6g}"
        for j, tau in zip(order[1:], times, strict=True)
    ]
    return (
        f"Feature {order[0]} {verb} first"
        + "".join(f", {word}" for word in later)
        + "."
    )


def selected(found: Scan) -> str:
    """Return at which scale of the start a scan shows minor first, major last, if at any."""
    if found.chosen is None:
        return (
            "At no scale of the start do minor features come first and major ones last."
        )
    k = found.selected
    splits = f"{found.shown[:, k].sum()} of {len(found.sam)} splits"
    return (
        f"Minor features come first and major ones last on {splits} from starts of "
        f"{found.chosen:g} units, alpha = {found.alpha[:, k].mean():.4g}."
    )
