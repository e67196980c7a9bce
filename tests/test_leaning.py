"""Shares by strength of feature over time, and the scan: minor first, major last, or not."""

from __future__ import annotations

import json

import numpy as np
import pytest

from flowsam.amplification import critical_scale
from flowsam.cli import main
from flowsam.cli.features import _picture
from flowsam.data import Data
from flowsam.perturbations import asam, gradient_flow, l2, linf, unnormalised
from flowsam.real_data.leaning import Uniform, leaning
from flowsam.real_data.scale_scan import Scan, Splits, scale_unit, scan
from flowsam.real_data.tables import Table, digit_table
from tests.command_lines import amended

TIMES = np.array([0.1, 1.0, 3.0])


def table(seed: int = 0) -> Table:
    """Two Gaussian classes in eight features of falling strength."""
    rng, y = np.random.default_rng(seed), np.repeat([-1.0, 1.0], 12)
    X = y[:, None] * np.linspace(1.5, 0.2, 8) + rng.standard_normal((24, 8))
    return Table(X, y, "made up")


def test_unit_is_where_the_mean_example_collapses() -> None:
    """Of the columns [z, -z], from a start with all weights equal and positive."""
    data = Data([[1.0, -2.0], [3.0, -1.0]])
    mean = np.array([2.0, -1.5, -2.0, 1.5])
    expected = critical_scale(mean, 0.5, profile=np.ones((2, 4)))
    assert scale_unit(data, l2(0.5), 2) == pytest.approx(expected)
    assert scale_unit(data, linf(0.5), 2) == 0.5
    with pytest.raises(ValueError, match="normalised"):  # its p is 2 by convention alone
        scale_unit(data, unnormalised(0.5), 2)
    with pytest.raises(ValueError, match="scaled to its collapse, and ASAM has none"):
        scale_unit(data, asam(0.5), 2)
    assert scale_unit(data, l2(0.5), 4) == pytest.approx(0.25)


@pytest.mark.parametrize("depth", [1, 2])
def test_a_run_has_a_row_a_time(depth) -> None:
    """Shares sum to 1; depth 1 is not split; the accuracy is that of the predictor."""
    train, test = table().standardised(test=0.25)
    run = leaning(train, test, gradient_flow(), start=Uniform(0.3, depth), log_t=TIMES)
    assert run.predictor.shape == (3, 9)
    np.testing.assert_allclose(run.ranks.sum(axis=1), 1.0)
    np.testing.assert_allclose(run.major, run.ranks[:, :2].sum(axis=1))
    np.testing.assert_allclose(run.accuracy, (run.predictor @ test.z.T > 0).mean(axis=1))


def test_rows_after_a_collapse_are_not_known() -> None:
    """nan, for shares and for accuracy."""
    train, _ = table().standardised()
    run = leaning(train, None, l2(1.0), start=Uniform(0.05, 2), log_t=np.array([0.1, 30.0]))
    assert run.status == "collapsed"
    assert np.isfinite(run.accuracy[0])
    assert np.isnan([run.accuracy[1], run.major[1], run.predictor[1, 0]]).all()


def test_scan_counts_what_falls_and_comes_back() -> None:
    """Far below the unit it collapses, just above it falls and returns, far above nothing falls."""
    found = scan(
        table(), l2(0.3), factors=(0.5, 1.03, 20.0), splits=Splits(1, 0.25, bias=False),
        log_t=np.geomspace(0.1, 9.0, 12),
    )  # fmt: skip
    assert isinstance(found, Scan)
    assert [run.status for run in found.sam[0]] == ["collapsed", "finished", "finished"]
    assert np.isnan(found.last[0, 0])
    assert found.least[0, 1] < 0.5
    assert found.least[0, 2] > 0.7
    assert not found.shown[:, [0, 2]].any()
    assert len(found.rows()) == 3
    assert "collapse on 1 of 1 splits; minor first, major last on 0 of 1 splits" in repr(found)


def test_features_command(capsys, tmp_path) -> None:
    """A table from a file: rows as JSON, arrays and picture on disk; bad input in one line."""
    path = tmp_path / "table.csv"
    rows = np.column_stack([table().X, table().y])
    header = ",".join([f"x{j}" for j in range(8)] + ["kind"])
    np.savetxt(path, rows, delimiter=",", header=header, comments="")
    base = ["features", "--csv", str(path), "--label", "kind", "--rho", "0.3", "--splits", "1"]
    base += ["--factors", "1.2", "--log-t-end", "2"]
    for name in ("shares.npz", "shares.svg"):
        assert main([*base, "--json", "--out", str(tmp_path / name)]) == 0
        assert json.loads(capsys.readouterr().out)["rows"][0]["factor"] == 1.2
    with np.load(tmp_path / "shares.npz") as file:
        assert file["sam_ranks"].shape == (1, 1, 60, 8)
    for extra, word in (
        (["--norm", "none"], "SAM rule"),
        (["--norm", "1"], "P > 1, got --norm 1"),
        (["--factors", "0"], "--factors > 0"),
        (["--data", "digits"], "both"),
        (["--test", "1"], "--test needs a share in [0, 1)"),
        (["--test", "0.999"], "leaves examples, got 0.999"),
        (["--factors", "nan"], "--factors > 0"),
        (["--log-t-end", "inf"], "--log-t-end > 0.1"),
    ):
        assert main(amended(base, extra)) == 2
        assert word in capsys.readouterr().err


@pytest.mark.parametrize("stop_after", [0, 1, 2, 3])
def test_an_interrupt_keeps_the_finished_splits(stop_after) -> None:
    """Two runs a split here: what is finished is as in a scan that was not stopped."""
    asked = {"factors": (1.2,), "log_t": TIMES}
    told = []

    def progress(more: int) -> None:
        told.append(more)
        if len(told) > stop_after:
            raise KeyboardInterrupt

    if stop_after < 2:
        with pytest.raises(KeyboardInterrupt):
            scan(table(), l2(0.3), splits=Splits(3, 0.25, bias=False), progress=progress, **asked)
        return
    found = scan(table(), l2(0.3), splits=Splits(3, 0.25, bias=False), progress=progress, **asked)
    whole = scan(table(), l2(0.3), splits=Splits(1, 0.25, bias=False), **asked)
    assert found.unfinished == 2 and whole.unfinished == 0
    assert told == [1] * (stop_after + 1)
    np.testing.assert_array_equal(found.least, whole.least)
    np.testing.assert_array_equal(found.alpha, whole.alpha)


def test_where_nothing_shows_no_scale_is_selected() -> None:
    """A collapse and a start far above: the table says so, JSON has no number."""
    found = scan(
        table(), l2(0.3), factors=(0.1, 20.0), splits=Splits(1, 0.0, bias=True), log_t=TIMES
    )
    assert found.chosen is None
    assert "none shows it" in repr(found)


def test_the_command_counts_runs_on_a_terminal_and_survives_an_interrupt(
    capsys, tmp_path, monkeypatch
) -> None:
    """The bar is on stderr and counts runs; Ctrl-C after a split still writes and prints it."""
    told = []

    class Bar:
        def __init__(self, total: int, unit: str, quiet: bool) -> None:
            told.append((total, unit, quiet))

        def __enter__(self):
            return self

        def __exit__(self, *_):
            return None

        def update(self, more: int) -> None:
            told.append(more)
            if len(told) == 4:
                raise KeyboardInterrupt

    monkeypatch.setattr("flowsam.cli.features.progress_bar", Bar)
    path = tmp_path / "table.csv"
    rows = np.column_stack([table().X, table().y])
    np.savetxt(path, rows, delimiter=",", header="a,b,c,d,e,f,g,h,kind", comments="")
    base = ["features", "--csv", str(path), "--label", "kind", "--rho", "0.3", "--splits", "4"]
    base += ["--factors", "1.2", "--log-t-end", "2", "--json", "--out", str(tmp_path / "found.npz")]
    assert main(base) == 130
    shown = capsys.readouterr()
    assert told[0] == (8, "runs", False)
    assert "1 of 4 splits are finished" in shown.err and shown.err.count("\n") == 1
    facts = json.loads(shown.out)
    assert facts["unfinished"] == 3 and len(facts["rows"]) == 1
    with np.load(tmp_path / "found.npz") as file:
        assert file["sam_ranks"].shape == (1, 1, 60, 8)


def test_a_collapse_before_the_first_row_is_a_row_too(tmp_path) -> None:
    """Nothing is known of it, and nothing breaks: table, rows, picture."""
    found = scan(table(), l2(0.3), factors=(1e-7,), splits=Splits(2, 0.25, bias=True), log_t=TIMES)
    assert [runs[0].status for runs in found.sam] == ["collapsed"] * 2
    assert np.isnan(found.least).all() and found.chosen is None
    assert "share is not known; collapse on 2 of 2 splits; minor first, major" in repr(found)
    assert np.isnan(found.rows()[0]["accuracy there"])
    _picture(found, tmp_path / "gone.png", (2, 4))
    assert (tmp_path / "gone.png").stat().st_size > 1000


def test_pictures_of_the_weights_where_features_are_pixels(monkeypatch, tmp_path) -> None:
    """One a run, of the predictor where its major share is least, without the bias column."""
    drawn = []
    monkeypatch.setattr("flowsam.draw.pixels", lambda axes, beta, title: drawn.append(beta))
    made_up = table()
    pictured = Table(made_up.X, made_up.y, "made up", (2, 4))
    monkeypatch.setattr("flowsam.parameters.Parameters.table", pictured)
    base = ["features", "--data", "any", "--rho", "0.3", "--splits", "1", "--factors", "1.2"]
    assert main([*base, "--log-t-end", "2", "--quiet", "--out", str(tmp_path / "w.svg")]) == 0
    log_t = np.geomspace(0.05, 2.0, 60)
    found = scan(pictured, l2(0.3), factors=(1.2,), splits=Splits(1, 0.25, bias=True), log_t=log_t)
    for beta, run in zip(drawn, (found.gd[0][0], found.sam[0][0]), strict=True):
        expected = run.predictor[run.weakest, :8]
        np.testing.assert_array_equal(beta, expected.reshape(2, 4))


@pytest.mark.long
def test_digits_show_it_on_every_split() -> None:
    """Five seeds, at the scale the scan selects: below half of GD's, and back."""
    found = scan(digit_table(), l2(0.1), factors=(1.05, 1.2, 1.5))
    assert found.shown[:, found.selected].sum() >= 4
    assert (found.least[:, found.selected] < 0.5).all()


def test_a_run_at_rest_keeps_its_shares() -> None:
    """Data that do not separate: after the finite minimiser the rows repeat it, none is empty."""
    z = np.random.default_rng(0).standard_normal((20, 3))
    run = leaning(Data(z), None, l2(0.1), start=Uniform(0.3, 2), log_t=np.array([1.0, 50.0, 90.0]))
    assert run.status == "sliding_ambiguous"  # it goes on along minima, whose predictor is one
    assert np.isfinite(run.predictor).all()
    np.testing.assert_array_equal(run.predictor[1], run.predictor[2])
