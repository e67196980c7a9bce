"""Losses in logs against 50-digit mpmath, from margins of -1e300 to 1e300."""

import numpy as np
import pytest
from mpmath import mp

from flowsam.losses import (
    LOSSES,
    Loss,
    check_slopes,
    exponential,
    log_mean_exp,
    logistic,
    softmax,
)

MARGINS = [-1e300, -800.0, -36.5, -1.0, -1e-9, 0.0, 1e-300, 0.3, 5.0, 35.9, 36.1, 700.0, 746.0, 1e5]
MARGINS += [1e300]


def _softplus(x):
    """log(1 + e^x) in mpmath, without forming e^1e300."""
    return x + _softplus(-x) if x > 0 else mp.log1p(mp.exp(x)) if x > -(10**6) else mp.mpf(0)


def _log_logistic(m):
    """Reference of log log(1 + e^-m)."""
    value = _softplus(-mp.mpf(m))
    return mp.log(value) if value else -mp.mpf(m)


REFERENCES = {
    ("logistic", "log_value"): _log_logistic,
    ("logistic", "log_slope"): lambda m: -_softplus(mp.mpf(m)),
    ("logistic", "log_slope_derivative"): lambda m: (
        -1 / (1 + mp.exp(-mp.mpf(m))) if m > -(10**6) else mp.mpf(0)
    ),
    ("exponential", "log_value"): lambda m: -mp.mpf(m),
    ("exponential", "log_slope"): lambda m: -mp.mpf(m),
    ("exponential", "log_slope_derivative"): lambda m: mp.mpf(-1),
}


@pytest.mark.parametrize(("name", "what"), REFERENCES)
def test_against_mpmath(name, what):
    with mp.workdps(50), np.errstate(all="raise", under="ignore"):
        expected = np.array([float(REFERENCES[name, what](m)) for m in MARGINS])
        found = getattr(LOSSES[name], what)(np.array(MARGINS))
    np.testing.assert_allclose(found, expected, rtol=4e-15, atol=0)


@pytest.mark.parametrize("loss", [logistic, exponential], ids=repr)
def test_the_slope_derivative_is_the_derivative_of_the_log_slope(loss):
    m, h = np.linspace(-30, 30, 61), 1e-5
    difference = (loss.log_slope(m + h) - loss.log_slope(m - h)) / (2 * h)
    np.testing.assert_allclose(loss.log_slope_derivative(m), difference, atol=2e-9)


def test_an_infinite_margin_is_no_error():
    # a blow-up has margin inf: its loss is 0
    with np.errstate(all="raise"):
        for loss in (logistic, exponential):
            assert loss.log_value(np.array([np.inf])) == -np.inf
            assert loss.log_slope(np.array([np.inf])) == -np.inf


def test_log_mean_exp_against_mpmath():
    rng = np.random.default_rng(2)
    for scale in (1e-3, 1.0, 1e3, 1e300):
        logs = rng.normal(size=(6, 7)) * scale
        expected = [
            float(mp.log(sum(mp.exp(mp.mpf(x) - mp.mpf(max(row))) for x in row) / 7) + max(row))
            for row in logs
        ]
        np.testing.assert_allclose(log_mean_exp(logs), expected, rtol=1e-14, atol=1e-15)


def test_log_mean_exp_of_nothing_at_all():
    logs = np.array([[-np.inf, -np.inf], [0.0, -np.inf]])
    assert log_mean_exp(logs).tolist() == [-np.inf, pytest.approx(-np.log(2.0), rel=1e-15)]


def test_softmax_against_mpmath():
    rng = np.random.default_rng(3)
    for scale in (1e-3, 1.0, 1e3, 1e300):
        logs = -scale * (1 + 1e-3 * rng.random((6, 7)))  # slopes at late times
        logs[0] = logs[0, 0]
        expected = []
        for row in logs:
            raised = [mp.exp(mp.mpf(x) - mp.mpf(max(row))) for x in row]
            expected.append([float(x / sum(raised)) for x in raised])
        np.testing.assert_allclose(softmax(logs), expected, rtol=1e-14, atol=1e-300)
        np.testing.assert_array_equal(softmax(logs.T, axis=0), softmax(logs).T)


def test_losses_print_their_names():
    assert repr(logistic) == "logistic"
    assert set(LOSSES) == {"logistic", "exponential"}


@pytest.mark.parametrize("name", ["value", "slope", "derivative"])
def test_the_three_functions_of_a_loss_are_those_of_one(name):
    """exp(-2 m) is a loss; with a function that is another's it is refused, whichever it is."""
    right = {
        "value": lambda m: -2.0 * m,
        "slope": lambda m: np.log(2.0) - 2.0 * m,
        "derivative": lambda m: -2.0 + 0.0 * m,
    }
    check_slopes(Loss("steep", *right.values()))
    wrong = {"value": lambda m: -m, "slope": lambda m: -m, "derivative": lambda m: -1.0 + 0.0 * m}
    words = {"derivative": "log_slope_derivative of the loss steep needs to be the slope"}
    with pytest.raises(ValueError, match=words.get(name, "log_slope of the loss steep needs")):
        check_slopes(Loss("steep", *(right | {name: wrong[name]}).values()))
