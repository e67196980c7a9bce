"""The benchmarks compare like with like: rivals solve the same flow, and rows say what was done."""

from types import SimpleNamespace

import numpy as np
import pytest

from figures.naive import discrete_sam, solve_ivp_loop
from figures.timing import exponent, relative_error, timed
from tests.benchmarks import compare, rivals, tasks
from tests.benchmarks.targets import targets


@pytest.fixture
def race():
    """Twelve starts, three examples."""
    z = 0.1 + np.abs(np.random.default_rng(0).normal(size=(3, 2)))
    starts = np.random.default_rng(1).uniform(0.7, 1.3, (12, 2, 2))
    return tasks.Race("small", z, 0.3, starts, 0.5)


def test_rivals_solve_the_same_flow(race):
    z, rho, starts, fine = race.z, race.rho, race.starts, race.fine
    loop = solve_ivp_loop(z, rho, starts, tau_end=0.5, rtol=1e-9)
    assert relative_error(loop, fine) < 1e-8
    coarse, fine_steps = (
        relative_error(discrete_sam(z, rho, starts, tau_end=0.5, steps=k), fine) for k in (50, 100)
    )
    assert 1.8 < coarse / fine_steps < 2.2 and coarse < 0.02


@pytest.mark.long
def test_pytorch_takes_the_same_steps(race):
    pytest.importorskip("torch")
    how = {"tau_end": 0.5, "steps": 20}
    plain = discrete_sam(race.z, race.rho, race.starts, **how)
    torch = rivals.torch_sam(race.z, (2, race.rho), race.starts, **how)
    loop = rivals.torch_loop(race.z, (2, race.rho), race.starts, **how)
    assert relative_error(torch, plain) < 1e-12 and relative_error(loop, plain) < 1e-12


def test_rows_scale_a_share_of_the_work_up(race):
    (row,) = race.row("loop", lambda s: race.many("DOP853", 1e-6, s), only=3)
    assert row.share == 0.25 and row.seconds > 0 and 0 < row.error < 1e-4
    assert list(race.row("absent", lambda _: None)) == []


def test_timing_and_fits(monkeypatch):
    clock = SimpleNamespace(process_time=iter([0.0, 5.0, 5.0, 6.0]).__next__)
    monkeypatch.setattr("figures.timing.time", clock)
    assert timed(lambda: "found", repeat=2) == (1.0, "found")
    assert exponent([1.0, 10.0, 100.0], [2.0, 20.0, 200.0]) == pytest.approx(1)


def test_targets_compare_times_a_start_where_both_rows_are_there():
    one = tasks.Row("portrait", "flowsam phase_portrait, l_inf-SAM", 2.0, 0.0, starts=4000)
    other = tasks.Row("200 x 200 grid, l_inf, tau = 20", tasks.EVENTS, 8.0, 1e-9, starts=4)
    (entry,) = targets([one, other])
    assert entry["ratio"] == pytest.approx(4000) and entry["errors"] == [0.0, 1e-9]
    assert targets([one]) == []


def test_two_sources_do_the_same_work_in_fresh_processes(tmp_path):
    case = "exact l_inf, 20,000 starts"
    sources = compare.Sources(compare.HERE, tmp_path)
    row = sources.row(case, "KEPT", 1)
    assert row.case == case and row.base > 0 and row.ours > 0 and row.asked == 0.95
    base, ours = (np.load(tmp_path / f"{which}.npy") for which in ("base", "ours"))
    assert base.shape == (20_000, 1, 2, 2) and (base == ours).all()


def test_a_first_answer_is_told_in_starts_of_a_plain_python(tmp_path):
    pytest.importorskip("resource")
    rows = list(compare.Sources(compare.HERE, tmp_path).first(1))
    least = {row.case: row.ours for row in rows}
    assert least["bare Python"] < least["import numpy"] < least["flowsam limit"]
