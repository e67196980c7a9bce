"""prove=True of the public verbs, and the command line, against what they say without."""

import importlib.util
import json
import sys

import numpy as np
import pytest

from flowsam import (
    Data,
    Flow,
    balanced,
    gradient_flow,
    l2,
    limit,
    linf,
    lp,
    phase_portrait,
    single_example,
    unnormalised,
)
from flowsam.amplification import critical_scale, critical_scale_bounds, leaders
from flowsam.cli import main
from flowsam.errors import InputError, MissingLibraryError
from flowsam.portrait.planes import RadiusPlane

present = pytest.mark.skipif(
    importlib.util.find_spec("flint") is None, reason="needs the extra flowsam[certify]"
)
TWO = single_example([1.0, 2.0])
X = np.linspace(0.05, 1.5, 30)


@present
@pytest.mark.parametrize(("rule", "depth"), [
    (l2(1.0), 2), (l2(1.0), 3), (linf(1.0), 2), (linf(1.0), 5), (gradient_flow(), 3),
    (lp(1.0, p=1.5), 2), (lp(1.0, p=3), 3),
])  # fmt: skip
@pytest.mark.parametrize("scale", [0.5, 1.1])
def test_a_proved_limit_is_the_limit(rule, depth, scale):
    flow, start = Flow(TWO, rule), balanced([scale, 0.8 * scale], depth)
    plain, found = limit(flow, start), limit(flow, start, prove=True)
    assert found.label == plain.label and plain.proof is None
    if found.certificate == "proved":
        assert found.proof.label == found.label and found.reason
        assert plain.direction is None or np.allclose(found.direction, plain.direction)
    else:
        assert found.certificate == plain.certificate and "not proved: " in found.reason


@present
@pytest.mark.parametrize("flow", [
    Flow(TWO, unnormalised(1.0)), Flow(TWO, lp(1.0, p=1)),
    Flow(Data([[1.0, 2.0], [2.0, 0.5]]), l2(0.5)),
])  # fmt: skip
def test_what_no_proof_covers_says_so(flow):
    start = balanced([1.0, 0.5], 2)
    plain, found = limit(flow, start), limit(flow, start, prove=True)
    assert found.proof is None and found.certificate == plain.certificate
    assert found.reason.endswith("not proved: " + found.reason.split("not proved: ")[1])
    assert "one example" in found.reason


@present
def test_a_proof_decides_what_doubles_call_the_separatrix_or_a_tie():
    near = np.nextafter(0.521321282599666543, 1)
    flow, start = Flow(TWO, l2(1.0)), balanced([near, near], 2)
    assert limit(flow, start).label == -2
    found = limit(flow, start, prove=True)
    assert (found.label, found.certificate) == (2, "proved")
    assert found.direction.tolist() == [0, 1]
    close = balanced([1.5, np.nextafter(1.25, 2)], 3)
    assert limit(Flow(TWO, linf(1.0)), close).label == -3
    assert limit(Flow(TWO, linf(1.0)), close, prove=True).label == 2


@present
@pytest.mark.parametrize("seed", range(3))
def test_planes_with_random_mu_contradict_no_limit(seed):
    rng = np.random.default_rng(seed)
    mu = rng.uniform(0.2, 3, 2) * rng.choice([-1, 1], 2)
    flow = Flow(single_example(mu), l2(float(rng.uniform(0.5, 2))))
    x = np.geomspace(0.01, 3, 25)
    plain, found = phase_portrait(flow, x, x), phase_portrait(flow, x, x, prove=True)
    assert (plain.labels == found.labels).all() and found.proof.proved.all()
    assert plain.proof is None and "625 of 625 labels proved" in found.provenance()["proof"]


@pytest.mark.long
@present
def test_fifty_random_planes_contradict_no_limit():
    for seed in range(50):
        test_planes_with_random_mu_contradict_no_limit(seed)


@present
def test_hits_of_rho_are_proved():
    x = np.linspace(0.1, 2, 20)
    found = phase_portrait(Flow(TWO, linf(x[9])), x, x, prove=True)
    assert found.proof.proved.all() and (found.labels == -2).any()


@present
def test_planes_that_are_not_covered():
    plain = phase_portrait(Flow(TWO, unnormalised(1.0)), X[:3], X[:3], prove=True)
    assert not plain.proof.proved.any() and "one example" in plain.proof.describe()
    with pytest.raises(InputError, match="over rho"):
        plane = RadiusPlane(balanced([1.0, 1.0], 2))
        phase_portrait(Flow(TWO, l2(1.0)), X[:3], X[:3], start=plane, prove=True)


@present
def test_critical_scales_and_leaders_are_proved():
    found = critical_scale([1.0, -2.0], 2.0, prove=True)
    assert found.low < critical_scale([1.0, -2.0], 2.0) < found.high < found.low + 1e-13
    other = critical_scale([1.0, 2.0], 1.0, profile=[[0.3, 1.0], [0.1, -0.7]], prove=True)
    assert other.low < other.high < other.low * (1 + 1e-12)
    small = [[0.7, 1.3], [-0.7 * (1 + 1e-5), -1.3 * (1 + 3e-6)]]  # sums that cancel
    scale = critical_scale_bounds([1.0, 2.0], 1.0, profile=small)
    near = critical_scale([1.0, 2.0], 1.0, profile=small, prove=True)
    assert near.low - scale.error < scale.value < near.high + scale.error
    assert near.high - near.low < 1e-12 * scale.value
    with pytest.raises(InputError, match="none to enclose"):
        critical_scale([1.0], 1.0, profile=[[1.0], [-1.0]], prove=True)
    start = [[0.467] * 3] * 2
    run = leaders(start, [1.0, 1.5, 6.0], rho=1.0, prove=True)
    plain = leaders(start, [1.0, 1.5, 6.0], rho=1.0)
    assert run.order == plain.order == run.proof.order and not run.unproved
    assert np.allclose(run.times, plain.times, rtol=1e-11)
    open_ = leaders([[1.0], [-1.0]], [1.0], rho=1.0, prove=True)
    assert open_.proof is None and open_.unproved


@present
def test_commands_keep_proofs_that_verify_checks(tmp_path, capsys):
    file = tmp_path / "one.json"
    flow = ["--mu", "1,2", "--rho", "1", "--norm", "2"]
    assert main(["limit", *flow, "--init", "0.52,0.53", "--proof", str(file)]) == 0
    assert "proved" in capsys.readouterr().out
    assert main(["verify", "--proof", str(file)]) == 0
    assert capsys.readouterr().out.startswith("proved: label 2 of mu = (1, 2)")
    facts = json.loads(file.read_text())
    facts["label"] = 1
    file.write_text(json.dumps(facts))
    assert main(["verify", "--proof", str(file)]) == 1
    assert capsys.readouterr().out.startswith("does not hold: ")
    plane = tmp_path / "plane.json"
    drawn = tmp_path / "plane.png"
    keep = ["--proof", str(plane), "--out", str(drawn)]
    assert main(["portrait", *flow, "--grid", "20", *keep]) == 0
    assert "400 of 400 labels proved" in capsys.readouterr().out
    assert main(["verify", "--proof", str(plane)]) == 0
    assert drawn.stat().st_size > 1000
    out = tmp_path / "labels.json"
    assert main(["portrait", *flow, "--grid", "5", "--prove", "--out", str(out), "--quiet"]) == 0
    assert np.array(json.loads(out.read_text())["proved"]).all()


@present
@pytest.mark.parametrize(("arguments", "word"), [
    (["verify", "--proof", "none.json"], "none.json"),
    (["limit", "--mu", "1", "--rho", "1", "--init", "1", "--proof", "a.txt"], "--proof"),
    (["portrait", "--mu", "1,2", "--rho", "1", "--prove", "--out", "a.npy"], "--prove"),
    (["portrait", "--mu", "1,2", "--rho", "1", "--prove", "--resume", "a.npz"], "--resume"),
])  # fmt: skip
def test_bad_input_is_one_line(arguments, word, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(arguments) == 2
    out, err = capsys.readouterr()
    assert not out and err.count("\n") == 1 and word in err


def test_without_the_extra_one_line_says_what_to_install(monkeypatch, capsys):
    for name in [n for n in sys.modules if n.startswith(("flint", "flowsam.certify"))]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "flint", None)
    with pytest.raises(MissingLibraryError, match=r"flowsam\[certify\]"):
        limit(Flow(TWO, l2(1.0)), balanced([1.0, 1.0], 2), prove=True)
    assert main(["limit", "--mu", "1", "--rho", "1", "--init", "1", "--prove"]) == 2
    assert capsys.readouterr().err.count("\n") == 1
