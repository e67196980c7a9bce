"""Sweeps: cells against single calls, files and names, errors kept with their cells."""

import itertools
import json
import re
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

pytest.importorskip("zarr")
pytest.importorskip("xarray")

from flowsam import Data, Flow, balanced, l2, limit, linf, single_example, solve, sweep
from flowsam.amplification import leaders
from flowsam.cli import main
from flowsam.perturbations import gradient_flow, unnormalised
from flowsam.portrait import phase_portrait
from flowsam.sweeps import plan, read_sweep
from flowsam.sweeps.cells import Grid, axis_values, cell, loaded
from flowsam.sweeps.measures import MEASURES, STATUSES, USES
from tests import sweep_cases

CASE = {"mu": [1, 2], "alpha": [1.5, 0.6]}
TOML = """
[case]
mu = [1, 2]
alpha = [1.5, 0.6]
measure = ["label"]
[axes]
norm = ["none", "2", "inf"]
rho = {start = 0.5, stop = 2, points = 4}
"""


def test_every_quantity_is_that_of_a_single_call(tmp_path):
    names = ["label", "settled_at", "beta", "margins", "log_loss", "end", "portrait"]
    plane = {"x": [0.4, 0.9], "y": {"start": 0.5, "stop": 2, "points": 3}}
    case = CASE | {"tau_end": 2.0, "measure": names, "plane": plane, "norm": "inf"}
    found = sweep(case, {"rho": [0.5, 1.0], "scale": [0.3, 1.0]}, store=tmp_path / "s", chunk=1)
    for rho in (0.5, 1.0):
        for scale in (0.3, 1.0):
            here = found.sel(rho=rho, scale=scale)
            flow = Flow(single_example([1, 2]), linf(rho))
            start = balanced([1.5, 0.6], 2) * scale
            run = solve(flow, start, tau_end=2.0, save_at=2)
            assert here.label == limit(flow, start).label
            assert np.array_equal(here.beta, run.beta[-1])
            assert np.array_equal(here.margins, run.margins[-1])
            assert here.log_loss == run.log_loss[-1] and here.log_t == run.log_t[-1]
            assert STATUSES[int(here.status)] == run.status
            far = solve(flow, start, tau_end=20.0)
            rest = [e.tau for e in far.events if e.kind == "collapse"]
            assert here.settled_at.item() == pytest.approx(rest[0] if rest else np.inf, rel=1e-13)
            labels = phase_portrait(flow, [0.4, 0.9], [0.5, 1.25, 2]).labels
            assert np.array_equal(here.portrait, labels)
    assert (found.state == 1).all() and found.label.dtype == np.int16
    assert found.label.dims == ("rho", "scale")
    flags = dict(zip(found.label.flag_values, found.label.flag_meanings.split(), strict=True))
    assert flags[-2] == "separatrix" and flags[0] == "zero"


def test_switch_times_have_places_for_all():
    case = {"mu": [1, 1.5, 6], "alpha": 0.467, "norm": 2, "measure": ["switch_times"]}
    found = sweep(case | {"switches": 4}, {"rho": [1.0]})
    known = leaders([[0.467] * 3] * 2, [1, 1.5, 6], rho=1.0)
    assert np.array_equal(found.switch_times[0], [*known.times, np.nan], equal_nan=True)
    assert found.leaders[0].values.tolist() == [*known.order, 0]
    with pytest.raises(ValueError, match="3 switches exceed switches = 2; raise it"):
        sweep(case | {"switches": 2}, {"rho": [1.0]})


def test_cells_are_made_of_names():
    assert cell(
        {"mu": [1], "rho": 1, "random": [-1, 1], "depth": 3}, {"seed": 4}
    ).setup.theta0.shape == (
        3,
        1,
    )
    signed = cell({"mu": [1, -2], "alpha": 0.5, "aligned": True}, {"norm": "none", "scale": 2})
    assert signed.start.tolist() == [[1, -1], [1, 1]]
    assert signed.flow.perturbation == gradient_flow()
    rule = cell({"mu": [1], "alpha": 1, "norm": "unnormalised"}, {"rho": 0.5}).flow.perturbation
    assert rule == unnormalised(0.5)
    split = cell({"z": [[1, 2], [3, 4]], "split_signs": True}, {"rho": 1, "norm": "2"})
    assert split.flow.data.z.shape == (2, 4) and split.setup.theta0 is None
    assert split.flow.perturbation == l2(1)
    assert cell(CASE, {"rho": 1, "mu_2": 5.0}).flow.mu.tolist() == [1, 5]


TABLE = "age,size,kind\n1,2,a\n3,1,b\n2,5,a\n4,4,b\n"


def test_signs_of_tables_are_split_as_on_the_command_line(tmp_path, capsys):
    """One meaning: tables at L >= 2 unless told not to, and results of the columns as given."""
    path = tmp_path / "table.csv"
    path.write_text(TABLE)
    case = {"csv": str(path), "label_column": "kind", "norm": "2", "rho": 0.1, "alpha": 0.5}
    case |= {"log_t_end": 2.0, "measure": ["beta"]}
    found = sweep(case, {"depth": [1, 2]})
    options = ["--csv", path, "--label", "kind", "--norm", 2, "--rho", 0.1, "--init", 0.5]
    for depth in (1, 2):
        ask = [*options, "--depth", depth, "--log-t-end", 2, "--json"]
        assert main(["simulate", *map(str, ask)]) == 0
        told = json.loads(capsys.readouterr().out)
        assert found.beta.sel(depth=depth).values.tolist() == told["predictor_last"]
        assert told["features"] == ["age", "size", "bias"]
    whole = cell(loaded(case | {"split_signs": False}), {})
    assert whole.flow.data.z.shape == (4, 3) and not whole.setup.split
    assert cell(loaded(case), {"alpha": 1.0}).flow.data.z.shape == (4, 6)
    assert cell({"z": [[1, 2], [3, 4]], "rho": 1, "alpha": 1}, {}).flow.data.z.shape == (2, 2)
    assert cell(loaded(case | {"bias": False}), {}).flow.data.z.shape == (4, 4)
    assert cell(loaded(case | {"drop": ["age"]}), {}).setup.data.features == ("size", "bias")


def test_a_radius_that_nothing_needs_is_refused():
    with pytest.raises(ValueError, match="norm none takes no radius, got rho = 0.5; leave it out"):
        cell(CASE | {"norm": "none", "rho": 0.5}, {})
    with pytest.raises(ValueError, match="norm none takes no radius"):
        sweep(CASE | {"rho": 0.5}, {"norm": ["none"]})
    mixed = sweep(CASE | {"rho": 0.5}, {"norm": ["none", "2"]})  # GD beside a rule that has one
    assert (mixed.state == 1).all()


@pytest.mark.parametrize(("case", "axes", "words"), [
    ({"mesure": ["label"]}, {}, "a case has no 'mesure'; did you mean 'measure'"),
    ({"measure": ["labels"]}, {}, "the list of measurements has no 'labels'; did you mean 'label'"),
    ({}, {"dept": [2]}, "has no 'dept'; did you mean 'depth'"),
    ({}, {"scale": {"start": 1, "stop": 2, "point": 3}}, "did you mean 'points'"),
    ({"loss": "logistics"}, {}, "did you mean 'logistic'"),
    ({"measure": ["label", "portrait"], "plane": {"x": [1], "kid": 2}}, {}, "did you mean 'kind'"),
    ({}, {"rho": [0.5, -1.0]}, "rho needs a finite number >= 0, got -1.0"),
    ({}, {"rho": [0.5, 0.5]}, "one of them twice"),
    ({}, {"rho": []}, "needs a list or a range"),
    ({}, {"rho": [1, float("nan")]}, "finite numbers, got nan"),
    ({}, {"scale": {"start": 0, "stop": 2, "points": 3, "spacing": "log"}}, "positive ends"),
    ({}, {"alpha_3": [1.0]}, "needs a list alpha of at least 3"),
    ({}, {"norm": ["two"]}, "inf, none, unnormalised, asam or a number p >= 1, got 'two'"),
    ({"aligned": "yes"}, {}, "aligned needs true or false, got 'yes'"),
    ({"split_signs": 1}, {}, "split_signs needs true or false, got 1"),
    ({"bias": False}, {}, "bias is for tables of csv or data, got mu; leave it out"),
    ({"theta": [[1, 1]]}, {}, "one of alpha, theta, random, got alpha and theta"),
    ({"data": "digits"}, {}, "one of mu, z, data, csv, got mu and data"),
    ({"measure": "label"}, {}, "measure needs a list of names"),
    ({"measure": [":"]}, {}, "names like module:function, got ':'"),
    ({"measure": [1]}, {}, "the list of measurements has no 1"),
    ({"measure": ["math:pi"]}, {}, "measure needs functions, got 'math:pi', float"),
    ({}, {"norm": 3.5}, "axis norm needs a list or a range, got 3.5"),
    ({"scale": "a"}, {}, "scale needs one real number, got 'a'"),
    ({"alpha": [1], "random": [2, 1]}, {}, "one of alpha, theta, random"),
    ({}, {"rho": {"start": 0, "stop": 2, "points": 1e9}}, "whole points, got 1000000000.0"),
    ({}, {"rho": {"start": 0, "stop": 2, "points": 10**9}}, "1 to 1048576 points"),
    ({}, {"rho": {"start": [1], "stop": 2, "points": 3}}, "rectangular|two numbers"),
    ({}, {"rho": [[1], [2, 3]]}, "rows of one length"),
    ({"measure": ["nowhere:f"]}, {}, "module:function that can be imported, got 'nowhere:f'"),
    ({"measure": ["os.path:join", "posixpath:join"]}, {}, "names of their own.*join is an axis or"),
    ({"measure": ["tests.sweep_cases:state"]}, {}, "state is an axis or another quantity"),
    ({"measure": ["tests.sweep_cases:leaves"]}, {}, "every cell tried fails, the first with: 3"),
    ({"measure": ["beta"]}, {}, "every cell tried fails.*exactly one of tau_end and log_t_end"),
])  # fmt: skip
def test_bad_input_is_one_line_and_leaves_nothing(tmp_path, case, axes, words):
    axes = axes or {"rho": [0.5, 1.0]}
    case = CASE | ({} if "rho" in axes else {"rho": 1.0}) | case
    with pytest.raises((ValueError, TypeError), match=words) as caught:
        sweep(case, axes, store=tmp_path / "s")
    assert "\n" not in str(caught.value) and not list(tmp_path.iterdir())


@pytest.mark.parametrize("measured", MEASURES)
def test_what_nothing_measured_reads_is_refused(measured):
    """Of every entry of a case, and as an axis: it is read by the measure, or refused."""
    plane = {"x": [0.5, 1.5]}
    good = {"portrait": {"plane": plane}, "switch_times": {"norm": "2", "depth": 2}}
    case = {"mu": [1, 2], "rho": 1.0, "measure": [measured]} | good.get(measured, {})
    start = {"alpha": [1.5, 0.6]} if "alpha" in USES[measured] else {}
    end = {"tau_end": 1.0} if "tau_end" in USES[measured] else {}
    sweep(case | start | end, {"loss": ["logistic"]})
    every = {"tau_end": 2.0, "log_t_end": 1.0, "method": "auto", "rtol": 1e-6, "atol": 1e-9}
    every |= {"switches": 9, "plane": plane, "scale": 2.0, "aligned": True, "split_signs": True}
    every |= {"alpha": [1, 2], "theta": [[1, 2]] * 2, "random": [1, 2]}
    for name, value in every.items():
        if name not in USES[measured]:
            words = f"{name} is for measures of .*, got {measured}; leave it out"
            for asked in (sweep, plan):
                with pytest.raises(ValueError, match=words):
                    asked(case | start | end | {name: value}, {"loss": ["logistic"]})


@pytest.mark.parametrize(("case", "axes", "words"), [
    (CASE | {"seed": 3}, {"rho": [1.0]}, "seed is for random, got alpha; leave it out"),
    (CASE, {"seed": [1, 2]}, "seed is for random, got alpha"),
    (CASE | {"tau_end": "x"}, {"rho": [1.0]}, "tau_end is for measures of margins"),
    (CASE | {"rho": 1.0}, {"rho": [1.0]}, "rho is in the case and an axis"),
    ({"mu": [1], "random": [0, 1], "aligned": True}, {"rho": [1.0]}, "aligned is for alpha"),
    (CASE | {"measure": ["tests.sweep_cases:ragged"], "rtol": 0.1}, {"rho": [1.0]}, "rtol is for"),
    ({"mu": [1], "rho": 1, "measure": ["portrait"], "plane": {"x": [1]}}, {"alpha_1": [1]},
     "alpha is for measures of label"),
])  # fmt: skip
def test_entries_that_would_be_ignored_are_refused(case, axes, words):
    with pytest.raises(ValueError, match=words):
        sweep({"rho": 1.0} | case if "rho" not in axes else case, axes)


def test_arguments_that_would_be_ignored_are_refused(tmp_path):
    axes = {"rho": [0.5, 1.0]}
    with pytest.raises(ValueError, match="jobs are of this machine, got 2 and a scheduler"):
        sweep(CASE, axes, jobs=2, scheduler="tcp://x:1")
    with pytest.raises(ValueError, match="resume = 'unfinished' needs a store, got none"):
        sweep(CASE, axes, resume="unfinished")
    sweep(CASE, axes, store=tmp_path / "s", chunk=1)
    sweep(CASE, axes, store=tmp_path / "s", chunk=1, resume="unfinished")
    with pytest.raises(ValueError, match="has chunks of other cells than 2; leave chunk out"):
        sweep(CASE, axes, store=tmp_path / "s", chunk=2, resume="unfinished")


@pytest.mark.parametrize(("start", "words"), [
    ({"random": [2, 1]}, r"random needs \[low, high\] with low < high"),
    ({"random": [1]}, r"random needs \[low, high\]"),
    ({"random": [1, 2], "seed": -1}, "seed >= 0"),
    ({"random": [1, 2], "seed": 0.5}, "whole number as seed, got 0.5"),
    ({"random": [1, 2], "depth": "2"}, "depth needs a whole number >= 1, got .2."),
])  # fmt: skip
def test_random_starts_need_a_range_and_a_seed(start, words):
    with pytest.raises(ValueError, match=words):
        sweep({"mu": [1, 2]} | start, {"rho": [0.5, 1.0]})


def test_a_scheduler_that_does_not_answer_is_one_line(tmp_path):
    distributed = pytest.importorskip("distributed")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(distributed, "Client", lambda *_, **__: (_ for _ in ()).throw(OSError("no")))
        with pytest.raises(ValueError, match="the address of a Dask scheduler, got 'tcp://x:1'"):
            sweep(CASE, {"rho": [1.0]}, store=tmp_path / "s", scheduler="tcp://x:1")
    assert not list(tmp_path.iterdir())


def test_a_scheduler_without_workers_is_one_line_and_leaves_no_store(tmp_path, monkeypatch):
    distributed = pytest.importorskip("distributed")
    monkeypatch.setattr("flowsam.sweeps.work.WAIT", 0.5)
    nobody = {"n_workers": 0, "processes": False, "dashboard_address": ":0"}
    with distributed.LocalCluster(**nobody) as cluster:
        address = cluster.scheduler_address
        with pytest.raises(ValueError, match=f"scheduler needs workers, got '{address}' with none"):
            sweep(CASE, {"rho": [1.0]}, store=tmp_path / "s", scheduler=address)
    assert not list(tmp_path.iterdir())


def test_a_plan_runs_no_function_of_yours(tmp_path, capsys):
    (tmp_path / "loud.py").write_text("raise SystemExit('it ran')\n")
    text = TOML.replace('["label"]', '["label", "loud:anything"]')
    (tmp_path / "case.toml").write_text(text)
    assert main(["sweep", str(tmp_path / "case.toml"), "--dry-run"]) == 0
    said = capsys.readouterr()
    assert "label, anything" in said.out and "a plan runs no function of yours" in said.out
    assert main(["sweep", str(tmp_path / "case.toml")]) == 2
    assert "that can be imported, got 'loud:anything' (it ran)" in capsys.readouterr().err
    assert not list(tmp_path.glob("*.zarr"))


def test_blocks_cover_every_cell_once():
    values = tuple(np.arange(n) for n in (3, 5, 7))
    for size in (1, 4, 7, 16, 35, 200):
        grid = Grid(("a", "b", "c"), values).cut(size)
        seen = np.zeros(grid.shape, int)
        for block in grid.blocks:
            seen[grid.region(block)] += 1
            assert seen[grid.region(block)].size <= size
        assert (seen == 1).all()
    assert axis_values("norm", [2, "inf"]).tolist() == ["2", "inf"]
    assert axis_values("depth", [2, 3]).dtype == np.int64


def test_a_failed_cell_keeps_its_error_and_is_repeated_alone(tmp_path, monkeypatch):
    log, broken = tmp_path / "log", tmp_path / "broken"
    monkeypatch.setenv(sweep_cases.LOG, str(log))
    monkeypatch.setenv(sweep_cases.BROKEN, str(broken))
    case, axes = CASE | {"measure": ["tests.sweep_cases:fragile"]}, {"rho": [1, 2, 3, 4]}
    broken.touch()
    found = sweep(case, axes, store=tmp_path / "s", chunk=2)
    assert found.state.values.tolist() == [1, 2, 1, 1]
    assert found.error.values.tolist() == ["", "RuntimeError: no luck at rho = 2", "", ""]
    assert np.isnan(found.fragile[1]) and found.fragile[0] == 1.5
    found = sweep(case, axes, store=tmp_path / "s", resume="unfinished")
    assert found.state[1] == 2, "resuming leaves failures alone"
    broken.unlink()
    calls = len(log.read_text().splitlines())
    found = sweep(case, axes, store=tmp_path / "s", resume="failed")
    assert len(log.read_text().splitlines()) == calls + 1
    assert (found.state == 1).all() and (found.error == "").all() and found.fragile[1] == 1.5


def test_an_array_has_one_shape():
    case = CASE | {"measure": ["tests.sweep_cases:ragged"]}
    found = sweep(case, {"rho": [1.0, 2.0]})
    assert found.state.values.tolist() == [1, 2]
    assert "shape (2,) here and (1,) in the first cell" in found.error.values[1]


def test_progress_counts_finished_cells():
    told = []
    sweep(CASE, {"rho": [0.5, 1.0, 2.0]}, chunk=1, progress=told.append)
    assert [now.finished for now in told] == [1, 2, 3] and told[-1].cells == 3
    assert told[0].seconds_left > 0 and told[-1].seconds_left == 0


def test_a_plan_counts_and_times(monkeypatch):
    """By a clock that goes on by a second at every look: one a cell."""
    clock = SimpleNamespace(perf_counter=itertools.count().__next__)
    monkeypatch.setattr("flowsam.sweeps.planning.time", clock)
    found = plan(CASE | {"measure": ["label", "settled_at"]}, {"rho": [0.5] + [1.0, 2.0]}, chunk=2)
    assert (found.cells, found.chunks, found.block) == (3, 2, (2,))
    assert found.disk_bytes == 3 * (2 + 8 + 1) and found.seconds == 3.0
    with pytest.raises(ValueError, match="whole number of cells >= 1, got 0"):
        plan(CASE, {"rho": [1.0]}, chunk=0)


def test_the_command_line(tmp_path, capsys):
    file = tmp_path / "case.toml"
    file.write_text(TOML)
    assert main(["sweep", str(file), "--dry-run", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["cells"] == 12 and len(list(tmp_path.iterdir())) == 1
    assert main(["sweep", str(file), "--json", "--chunk", "6"]) == 0
    out, err = capsys.readouterr()
    assert json.loads(out)["failed"] == 0
    assert [json.loads(line)["finished"] for line in err.splitlines()] == [4, 8, 12]
    assert main(["sweep", str(file)]) == 2 and "--resume" in capsys.readouterr().err
    assert main(["sweep", str(file), "--resume", "--quiet"]) == 0
    case, axes = read_sweep(file)
    found = sweep(case, axes)
    import xarray

    stored = xarray.open_zarr(tmp_path / "case.zarr", consolidated=False)
    assert np.array_equal(stored.label, found.label) and stored.norm.values[2] == "inf"


@pytest.mark.parametrize(("text", "words"), [
    ("[case", "needs a TOML file"),
    ("[case]\nmu = [1]\n[axis]\nrho = [1]", "did you mean 'axes'"),
    ("[case]\nmu = [1]", "needs a table [axes]"),
    ("[case]\nmu = [1]\nrho = 1\n[axes]\nalpha = [1, 0]", "alpha needs numbers > 0"),
])  # fmt: skip
def test_a_bad_file_is_one_line_and_exit_code_2(tmp_path, capsys, text, words):
    (tmp_path / "case.toml").write_text(text)
    code = main(["sweep", str(tmp_path / "case.toml")])
    out, err = capsys.readouterr()
    assert code == 2 and words in err and err.count("\n") == 1 and not out
    assert len(list(tmp_path.iterdir())) == 1


def test_another_configuration_or_version_is_refused(tmp_path, monkeypatch):
    axes = {"rho": [0.5, 1.0]}
    sweep(CASE, axes, store=tmp_path / "s")
    for case, other, words in (
        (CASE | {"alpha": [1, 0.6]}, axes, "case.alpha is [1.5, 0.6] there and [1, 0.6] here"),
        (CASE | {"depth": 3}, axes, "case.depth is None there and 3 here"),
        (CASE, {"rho": [0.5, 1.5]}, "axes.rho is [0.5, 1.0] there"),
    ):
        with pytest.raises(ValueError, match="holds another sweep") as caught:
            sweep(case, other, store=tmp_path / "s", resume="unfinished")
        assert words in str(caught.value)
    with monkeypatch.context() as later:
        for module in ("problem", "store"):
            later.setattr(f"flowsam.sweeps.{module}.__version__", "9.9.9")
        with pytest.raises(ValueError, match="a store of flowsam .*; this is 9.9.9"):
            sweep(CASE | {"depth": 3}, axes, store=tmp_path / "s", resume="unfinished")
    (axis,) = (file for file in (tmp_path / "s" / "rho" / "c").rglob("*") if file.is_file())
    for harm in (b"", axis.read_bytes()[:-4], b"{}"):
        axis.write_bytes(harm)
        with pytest.raises(ValueError, match="a store of its own"):
            sweep(CASE, axes, store=tmp_path / "s", resume="unfinished")
    (tmp_path / "foreign").mkdir()
    with pytest.raises(ValueError, match="a store of its own"):
        sweep(CASE, axes, store=tmp_path / "foreign", resume="unfinished")


def test_the_readme_shows_a_file_that_runs(tmp_path, capsys):
    text = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")
    (tmp_path / "phases.toml").write_text(re.search(r"```toml\n(.*?)```", text, re.DOTALL)[1])
    assert main(["sweep", str(tmp_path / "phases.toml"), "--dry-run", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["cells"] == 3 * 40 * 40


def test_a_store_names_the_features(tmp_path):
    data = Data([[1.0, 2.0], [2.0, -1.0]], features=("height", "width"))
    case = {"data": data, "norm": "2", "alpha": 0.5, "tau_end": 0.1, "measure": ["beta"]}
    sweep(case, {"rho": [0.1, 0.2]}, store=tmp_path / "s.zarr")
    found = sweep(case, {"rho": [0.1, 0.2]}, store=tmp_path / "s.zarr", resume="unfinished")
    assert found.feature.values.tolist() == ["height", "width"]
    assert np.isfinite(found.beta.sel(feature="width")).all()
    unnamed = sweep(case | {"data": Data(data.z)}, {"rho": [0.1]})
    assert "feature" not in unnamed.coords


def test_an_axis_may_be_a_flag():
    """Aligned starts of mu = (1, -2) reach its negative feature, the others do not."""
    case = {"mu": [1, -2], "alpha": 2, "norm": "none"}
    found = sweep(case, {"aligned": [True, False]})
    assert found.aligned.dtype == bool and found.label.sel(aligned=True) == 2
    assert found.label.sel(aligned=False) != 2


def test_entries_of_arrays_vary_as_those_of_lists():
    over = {"alpha_1": [0.5, 1.5], "mu_2": [0.5, 2.0]}
    case = {"mu": [1, 2], "alpha": [1.5, 1.2], "rho": 1}
    arrays = case | {"mu": np.array([1, 2]), "alpha": np.array([1.5, 1.2])}
    assert (sweep(arrays, over).label == sweep(case, over).label).all()
