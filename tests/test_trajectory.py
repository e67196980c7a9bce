"""Trajectory: what it derives, how it is saved and loaded, how it shows itself."""

import json
import pickle
import sys
from dataclasses import replace

import numpy as np
import pytest

from flowsam import (
    Data,
    Flow,
    balanced,
    exponential,
    l2,
    linf,
    single_example,
    solve,
    unnormalised,
)
from flowsam.endings import Ending
from flowsam.labels import Label
from flowsam.outcomes.directions import run_direction
from flowsam.regimes import case_of
from flowsam.trajectory import Trajectory, load

FLOW = Flow(single_example([1, 2]), linf(1))
ROUND = ("tau", "log_t", "theta", "beta", "margins", "log_loss")


def run(flow=FLOW, theta0=None, **options):
    start = balanced([1.5, 0.6], 2) if theta0 is None else theta0
    return solve(flow, start, **({"tau_end": 2, "save_at": 20} | options))


@pytest.mark.parametrize("flow", [FLOW, Flow(FLOW.data, l2(0.5)), Flow(FLOW.data, unnormalised(1))])
def test_a_saved_run_is_read_back_bit_for_bit(tmp_path, flow):
    first = run(flow)
    second = load(first.save(tmp_path / "run.npz"))
    for name in ROUND:
        np.testing.assert_array_equal(getattr(second, name), getattr(first, name))
    assert second.ending is first.ending
    assert second.events == first.events and second.provenance() == first.provenance()
    assert second.perturbation == first.perturbation and second.loss.name == first.loss.name
    third = load(second.save(tmp_path / "again"))  # the ending is added
    np.testing.assert_array_equal(third.log_t, first.log_t)


def test_the_file_needs_no_pickle_and_its_header_is_json(tmp_path):
    path = run().save(tmp_path / "run")
    with np.load(path, allow_pickle=False) as file:
        header = json.loads(str(file["header"]))
    assert header["provenance"]["rule"] == "l_inf-SAM" and header["provenance"]["rho"] == 1.0
    assert header["provenance"]["method"] == "exact: linf_balanced"


def test_a_run_at_rest_keeps_its_ending_and_old_files_have_their_status(tmp_path):
    flow = Flow(Data([[1.0], [-1.0], [2.0]]), l2(0.1))
    first = solve(flow, [[1.0], [1.0]], log_t_end=1e3)
    path = first.save(tmp_path / "run")
    assert load(path).ending is first.ending is Ending.FLATTEST and first.status == "finished"
    case = case_of(flow, 2)
    assert run_direction(case, load(path)).label == Label.STALLED
    assert run_direction(case, first).label == Label.STALLED
    renamed = replace(first, message="resting at a finite loss", ending=Ending.FINISHED)
    assert run_direction(case, renamed).label != Label.STALLED  # words decide nothing
    with np.load(path) as file:
        parts = {name: file[name] for name in file}
    header = json.loads(str(parts["header"]))
    del header["ending"]
    np.savez(path, **(parts | {"header": json.dumps(header)}))
    assert load(path).ending is Ending.FINISHED


def test_saving_replaces_in_one_move_and_leaves_no_partial_file(tmp_path):
    run().save(tmp_path / "run")
    run(save_at=5).save(tmp_path / "run")
    assert [path.name for path in tmp_path.iterdir()] == ["run.npz"]
    assert load(tmp_path / "run.npz").tau.size == 5


def test_an_interrupted_save_keeps_the_old_file(tmp_path, monkeypatch):
    path = run().save(tmp_path / "run")
    before = path.read_bytes()

    def stop(*args, **arrays):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np, "savez", stop)
    with pytest.raises(ValueError, match="No space left"):
        run(save_at=5).save(path)
    assert path.read_bytes() == before and len(list(tmp_path.iterdir())) == 1


def test_derived_arrays_follow_the_definitions():
    found = run()
    np.testing.assert_array_equal(found.beta, found.theta[:, 0] * found.theta[:, 1])
    np.testing.assert_allclose(found.margins[:, 0], found.beta @ [1, 2], rtol=1e-15)
    small = found.margins[:, 0] < 500
    expected = np.log(np.log1p(np.exp(-found.margins[small, 0])))
    np.testing.assert_allclose(found.log_loss[small], expected, rtol=1e-12)


def test_infinite_weights_have_infinite_margins_whatever_the_idle_ones():
    flow = Flow(single_example([1.0, 0.0, -1.0]), linf(0.5))
    found = run(flow, balanced([1.0, 2.0, 0.3], 3), tau_end=9, save_at=4)
    assert found.margins[-1, 0] == np.inf and found.log_t[-1] == np.inf


def test_texts_say_what_was_run():
    found = run()
    text, html = repr(found), found._repr_html_()
    for word in (
        "l_inf-SAM, rho=1",
        "mu=(1, 2)",
        "L = 2",
        "finished",
        "linf_balanced",
        "zero at",
    ):
        assert word in text and word in html
    assert "<table>" in html and "\n\n" not in text


def copied(what):
    return pickle.loads(pickle.dumps(what))  # noqa: S301 - our own bytes


def test_flows_and_runs_are_pickled_for_other_processes():
    for flow in (FLOW, Flow(Data([[1.0, 2.0], [2.0, 1.0]]), l2(0.5), exponential)):
        assert (again := copied(flow)) == flow and hash(again) == hash(flow)
        assert not again.data.z.flags.writeable and again.data.name == flow.data.name
        first = run(flow, tau_end=0.5)
        second = copied(first)
        for name in ROUND:
            np.testing.assert_array_equal(getattr(second, name), getattr(first, name))
        assert second.events == first.events and second.provenance() == first.provenance()


def test_the_text_names_the_first_row():
    assert "tau = 0.5 to 2 in 2 rows" in repr(run(save_at=[0.5, 2.0]))


def test_to_xarray_names_the_dimensions():
    pytest.importorskip("xarray")
    found = run()
    data = found.to_xarray()
    assert dict(data.sizes) == {"time": 20, "layer": 2, "feature": 2, "example": 1}
    np.testing.assert_array_equal(data["theta"].values, found.theta)
    np.testing.assert_array_equal(data["log_t"].values, found.log_t)
    assert data.attrs["rule"] == "l_inf-SAM"


def test_a_run_keeps_the_names_of_features(tmp_path):
    pytest.importorskip("xarray")
    data = single_example([1, 2], features=["age", "size"])
    run = solve(Flow(data, linf(1)), [[1.5, 0.6]] * 2, tau_end=1)
    back = Trajectory.load(run.save(tmp_path / "run.npz"))
    assert back.data.features == ("age", "size") and repr(back) == repr(run)
    assert float(back.to_xarray().beta.sel(feature="age")[-1]) == run.beta[-1, 0]


def test_what_xarray_is_for_is_said_without_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "xarray", None)
    run = solve(Flow(single_example([1, 2]), linf(1)), [[1.5, 0.6]] * 2, tau_end=1)
    with pytest.raises(ImportError, match=r"pip install 'flowsam\[sweep\]'"):
        run.to_xarray()
