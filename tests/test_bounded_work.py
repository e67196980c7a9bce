"""What once took minutes without a word now takes bounded work, or says why it stops.

Counted in a process of its own, where no annotation is checked (`tests/bounded_work.py`).
"""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from flowsam import solve
from flowsam.engines.path import Path as Run
from flowsam.engines.path import Piece
from tests.benchmarks.bench_run import lean, problem

MOST = 600_000  # frames: 3,000 steps of a start that is given up, a second or two


@pytest.fixture(scope="module")
def work():
    ask = [sys.executable, "-m", "tests.bounded_work"]
    run = subprocess.run(ask, capture_output=True, text=True, cwd=Path(__file__).parents[1])
    assert run.returncode == 0, run.stderr
    return json.loads(run.stdout)


def test_limits_of_one_example_end_or_say_why_not(work):
    for name, found in work["one"].items():
        assert found["frames"] < MOST, (name, found)
        assert found.get("label") != -1 or "after 3000 steps" in found["reason"], (name, found)


def test_many_features_cost_in_proportion(work):
    """As many frames at ten times the features, and memory for some copies of the start."""
    for depth in ("2", "3"):
        few, many = work["wide"][depth].values()
        assert many["frames"] <= 1.5 * few["frames"] < 1000, (depth, few, many)
        assert many["label"] >= 1 and many["copies"] < 30, (depth, many)


def test_a_limit_of_three_examples(work):
    assert work["three"]["label"] == -5 and work["three"]["frames"] < 20_000  # 27,066 once


def test_ensembles_to_the_end_of_doubles(work):
    assert all(found["frames"] < MOST for found in work["ends"].values()), work["ends"]


def test_late_times_take_fewer_than_600_steps(work):
    assert len(work["steps"]) == 72
    for name, (status, steps) in work["steps"].items():
        assert status == "finished" and 0 < steps < 600, (name, status, steps)


@pytest.mark.parametrize("size", [(10, 20, 2), (10, 20, 3), (100, 100, 2)])
def test_a_run_evaluates_as_often_as_a_bare_loop(size):
    flow, (theta0,) = problem("l_2", size)
    run = solve(flow, theta0, tau_end=2.0, rtol=1e-9)
    how = {"method": "DOP853", "rtol": 1e-9, "atol": 1e-12}
    bare = solve_ivp(lean(flow, theta0.shape), (0, 2.0), theta0.ravel(), **how)
    assert run.nfev <= 1.1 * bare.nfev, (run.nfev, bare.nfev)
    assert np.abs(run.theta[-1].ravel() - bare.y[:, -1]).max() < 1e-8


def test_steps_that_share_an_output_ask_it_once():
    """A run that goes on in another engine: its first part was asked step by step, each in all."""
    asked = []
    dense = lambda x: (asked.append(x.size), np.array([x, -x]))[1]  # noqa: E731
    edges = np.arange(5.0)
    steps = (Piece(dense, None),) * 3 + (Piece(np.array, None),)
    run = Run(edges, steps, edges[:0], lambda x: np.zeros((x.size, 2)))
    x = np.array([0.5, 1.5, 2.5, 0.2])
    assert np.array_equal(run(x), np.array([x, -x]).T) and asked == [4]
    assert len(run.regions(x)) == 1
