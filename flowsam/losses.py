"""Losses of a margin: values and `log|ell'|`, never `|ell'|`, which underflows at margin 745."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from flowsam.errors import InputError
from flowsam.shapes import Float, Numbers

Values = Float[np.ndarray, "..."] | np.floating
Logs = Float[np.ndarray, "*batch n"]


@dataclass(frozen=True)
class Loss:
    """A decreasing loss of the margin, by its logarithms; elementwise functions of margins.

    Its name is "logistic", "exponential", or your own; a flow compares the three with each other.
    """

    name: str
    log_value: Callable[[Any], Any]  # m -> log ell(m)
    log_slope: Callable[[Any], Any]  # m -> log|ell'(m)|
    log_slope_derivative: Callable[[Any], Any]

    @property
    def known(self) -> bool:
        """Whether theorems are about it: the logistic and the exponential loss."""
        return self in LOSSES.values()

    def __repr__(self) -> str:
        """Return the name alone."""
        return self.name


@cache
def _log_expit() -> Callable[[Any], Any]:
    """`log(1 / (1 + e^-m))` by SciPy, imported at the first loss that is asked for."""
    from scipy.special import log_expit

    return log_expit


def _log_softplus_negative(m: Values) -> Values:
    """`log log(1 + e^-m)`: equal to `-m - e^-m/2 + ...` at late times, where e^-m underflows."""
    m = np.asarray(m, dtype=np.float64)
    late = m > 36.0  # e^-m/2 is below half an ulp of 1 there
    with np.errstate(divide="ignore"):
        early = np.log(-_log_expit()(np.where(late, 0.0, m)))
    return np.where(late, -m, early)


def _log_logistic_slope(m: Values) -> Values:
    """`-log(1 + e^m)`."""
    return _log_expit()(-np.asarray(m, dtype=np.float64))


def _logistic_slope_derivative(m: Values) -> Values:
    """`-1 / (1 + e^-m)`."""
    return -np.exp(_log_expit()(np.asarray(m, dtype=np.float64)))


def _minus_one(m: Values) -> Values:
    """-1 at every margin."""
    return -np.ones_like(np.asarray(m, dtype=np.float64))


# functions with names, so that a flow can be pickled and sent to other processes
logistic = Loss(
    "logistic", _log_softplus_negative, _log_logistic_slope, _logistic_slope_derivative
)
exponential = Loss("exponential", np.negative, np.negative, _minus_one)
LOSSES = {loss.name: loss for loss in (logistic, exponential)}


@cache
def check_slopes(loss: Loss) -> None:
    """Refuse a loss that rises somewhere, or whose slope is another's: flows go down |ell'|."""
    far = np.geomspace(1e-2, 300.0, 60)
    m = np.concatenate([-far[::-1], [0.0], far])
    with np.errstate(all="ignore"):
        logs = np.asarray(loss.log_value(m))
        slopes = np.asarray(loss.log_slope(m))
        falls = (np.diff(logs) < 0) & np.isfinite(slopes[1:])
    if not falls.all():
        place = m[1:][~falls][0]
        raise InputError(
            f"a Loss needs to decrease at every margin, with a finite log_slope; {loss.name} does "
            f"not at m = {place:.3g}; flows go down |ell'|"
        )
    step = 1e-5 * np.maximum(1.0, np.abs(m))
    drop = loss.log_value(m - step) - loss.log_value(m + step)
    ratio = drop / (2 * step) / np.exp(slopes - logs)
    if not (np.abs(ratio - 1) < 1e-4).all():
        place = m[np.argmax(np.abs(ratio - 1))]
        raise InputError(
            f"log_slope of the loss {loss.name} needs to be log|ell'|, but at m = {place:.3g} "
            f"log_value falls {ratio[np.argmax(np.abs(ratio - 1))]:.4g} times as fast"
        )
    bend = (loss.log_slope(m + step) - loss.log_slope(m - step)) / (2 * step)
    off = np.abs(loss.log_slope_derivative(m) - bend) / np.maximum(1.0, np.abs(bend))
    if not (off < 1e-4).all():
        raise InputError(
            f"log_slope_derivative of the loss {loss.name} needs to be the slope of log_slope, "
            f"{bend[off.argmax()]:.4g} at m = {m[off.argmax()]:.3g}, and is not"
        )


def log_mean_exp(logs: Logs) -> Numbers:
    """Return `log mean_i e^{logs_i}` over the last axis, shifted by its largest entry."""
    # on small arrays fifteen times faster than scipy.special.logsumexp
    top = logs.max(axis=-1)
    shift = np.where(np.isfinite(top), top, 0.0)
    with np.errstate(divide="ignore"):
        return np.asarray(shift + np.log(np.exp(logs - shift[..., None]).mean(axis=-1)))


def softmax(logs: Float[np.ndarray, "..."], axis: int = -1) -> Float[np.ndarray, "..."]:
    """Return `e^{logs_i} / sum_k e^{logs_k}` over an axis, shifted by its largest entry."""
    # e^{logs - log_mean_exp(logs)} / n loses a share's 8th digit at margins of 1e8, all at 1e16
    raised = np.exp(logs - logs.max(axis=axis, keepdims=True))
    raised /= raised.sum(axis=axis, keepdims=True)
    return raised


def shares_and_mean(
    logs: Logs,
) -> tuple[Logs, Numbers]:
    """Return `softmax` and `log_mean_exp` of finite logarithms by one exponential."""
    # two thirds of what methods of small arrays take
    top = np.maximum.reduce(logs, axis=-1, keepdims=True)
    raised = np.exp(logs - top)
    total = np.add.reduce(raised, axis=-1, keepdims=True)
    means = top + np.log(total / logs.shape[-1])
    return raised / total, means[..., 0]
