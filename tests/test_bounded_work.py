"""What once took minutes without a word takes bounded work, and what is quick stays without loops.

Counted in processes of their own, where no annotation is checked (`tests/bounded_work.py`).
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


def work(name):
    """What `tests/bounded_work.py` counts under a name."""
    ask = [sys.executable, "-m", "tests.bounded_work", name]
    run = subprocess.run(ask, capture_output=True, text=True, cwd=Path(__file__).parents[1])
    assert run.returncode == 0, run.stderr
    return json.loads(run.stdout)


def test_limits_of_one_example_end_or_say_why_not():
    for name, found in work("one example").items():
        assert found["frames"] < MOST, (name, found)
        assert found.get("label") != -1 or "after 3000 steps" in found["reason"], (name, found)


def test_many_features_cost_in_proportion():
    """As many lines at ten times the features, and memory for some copies of the start."""
    for depth, found in work("wide").items():
        few, many = found.values()
        assert many["lines"] <= 1.5 * few["lines"] < 6000, (depth, few, many)
        assert many["label"] >= 1 and many["copies"] < 30, (depth, many)


def test_a_million_features_take_no_loop_over_them():
    few, many = work("escape").values()
    assert many["lines"] <= 1.5 * few["lines"] < 1200, (few, many)
    assert few["label"] == many["label"] == 3457


def test_a_closed_form_takes_no_loop_over_its_points():
    few, many = work("points").values()
    assert many["lines"] <= 1.5 * few["lines"] < 2000, (few, many)


def test_four_million_limits_take_no_loop_and_four_copies_of_their_labels():
    few, many = work("portraits").values()
    assert many["lines"] <= 1.5 * few["lines"] < 1500, (few, many)
    assert many["copies"] < 4, many


def test_a_critical_scale_and_a_large_map_take_few_steps():
    found = work("amplification")
    assert found["critical scale"]["lines"] < 250_000 and found["map"]["lines"] < 80_000, found


def test_what_is_too_large_is_told_before_any_list_of_it():
    cells, chunks, planned = work("sweeps").values()
    assert "may have 268435456 cells, got 1000000000000 of 6 axes" in cells["said"]
    assert "may have 1048576 chunks, got 100000000; raise chunk" in chunks["said"]
    assert planned["said"] <= 2**20
    for found in (cells, chunks, planned):
        assert found["lines"] < 400_000 and found["bytes"] < 2**22, found


def test_a_limit_of_three_examples():
    found = work("three examples")
    assert found["label"] == -5 and found["frames"] < 20_000  # 27,066 once


def test_ensembles_to_the_end_of_doubles():
    found = work("ends")
    assert all(each["frames"] < MOST for each in found.values()), found


def test_late_times_take_fewer_than_600_steps():
    found = work("late")
    assert len(found) == 36
    for name, (status, steps) in found.items():
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
