"""What results of any size show of themselves: a few lines."""

import numpy as np
import pytest

from flowsam import Flow, l2, phase_portrait, single_example
from flowsam.amplification import critical_scale, leaders
from flowsam.ensemble import solve_many
from flowsam.portrait import refine

FLOW = Flow(single_example([1, 2]), l2(1))


def test_an_ensemble_counts_its_ends():
    starts = np.random.default_rng(0).normal(size=(50, 2, 2))
    run = solve_many(FLOW, starts, tau_end=4.0)
    lines = repr(run).splitlines()
    assert lines[0] == "Ensemble" and len(lines) == 6
    assert lines[2] == "  starts: 50, depth L = 2, d = 2"
    collapsed = int((run.theta == 0).all(axis=(1, 2)).sum())
    assert lines[4] == f"  ends: {50 - collapsed} FINISHED, {collapsed} COLLAPSED"
    assert "starts</th><td>50" in run._repr_html_()
    assert "ends: none" in repr(solve_many(FLOW, starts[:0], tau_end=4.0))


def test_a_refinement_names_its_regions():
    x = np.linspace(0.01, 2, 8)
    found = refine(phase_portrait(FLOW, x, x), levels=3).refinement
    words = repr(found)
    assert "curves: 1: zero | e_2" in words and "0.125 of a cell" in words
    assert (
        f"zero {found.fractions[0]:.6f} +- " in words and f"e_2 {found.fractions[2]:.6f}" in words
    )
    assert len(words) < 300


def test_a_proof_shows_what_it_proves_and_no_balls():
    pytest.importorskip("flint")
    found = critical_scale([1, 2], 1, prove=True)
    assert f"c* above: {found.low!r}" in repr(found) and f"c* below: {found.high!r}" in repr(found)
    assert found.low < 0.521321282599666543 < found.high and len(repr(found)) < 300
    assert f"in {len(found.below.tube.steps)} and {len(found.above.tube.steps)} steps" in repr(
        found
    )
    run = leaders(np.ones((2, 2)), [1.0, 2.0], rho=1, prove=True)
    assert max(len(repr(found.below)), len(repr(run))) < 500
