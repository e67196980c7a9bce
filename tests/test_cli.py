"""The command line: answers, JSON, files, and one clear line with exit code 2 for bad input."""

import inspect
import json
import math
import os
import py_compile
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import flowsam
from flowsam import Flow, cli, limit, linf, single_example, solve
from flowsam.cli import main, writing
from flowsam.real_data.named_sets import named_data
from flowsam.real_data.tables import read_csv
from flowsam.trajectory import load

MINOR = ["--mu", "1,2", "--rho", "1", "--init", "1.5,0.6"]
MAP = ["amplification", "--mu", "1,2", "--rho", 1, "--init", 0.5]


def answer(capsys, *arguments):
    """Exit code, standard output, standard error."""
    code = main(list(map(str, arguments)))
    return code, *capsys.readouterr()


def test_simulate_prints_what_the_api_returns(capsys):
    code, out, err = answer(capsys, "simulate", *MINOR, "--tau-end", 3)
    run = solve(Flow(single_example([1, 2]), linf(1)), [[1.5, 0.6]] * 2, tau_end=3)
    assert (code, err) == (0, "")
    first, _, rest = out.partition("\n")
    assert rest == f"{run!r}\n"
    assert re.fullmatch(r"At tau = 3, .*1 \+ t\) = 97.5604, feature 1 is ahead with .*", first)


def test_simulate_saves_a_run_and_speaks_json(capsys, tmp_path):
    path = tmp_path / "run.npz"
    code, out, _ = answer(
        capsys, "simulate", *MINOR, "--tau-end", 3, "--rows", 5, "--out", path, "--json"
    )
    facts, run = json.loads(out), load(path)
    assert code == 0 and run.tau.tolist() == [0, 0.75, 1.5, 2.25, 3]
    assert facts["beta_last"] == run.beta[-1].tolist()
    assert facts["events"][0]["kind"] == "zero"
    assert facts["events"][0]["tau"] == pytest.approx(math.log(1 / 0.4) / 2, rel=1e-12)
    assert [entry.name for entry in tmp_path.iterdir()] == ["run.npz"]


def test_simulate_writes_a_table(capsys, tmp_path):
    path = tmp_path / "run.csv"
    assert answer(capsys, "simulate", *MINOR, "--tau-end", 3, "--out", path, "-q") == (0, "", "")
    rows = np.genfromtxt(path, delimiter=",", names=True)
    run = solve(Flow(single_example([1, 2]), linf(1)), [[1.5, 0.6]] * 2, tau_end=3)
    assert rows.dtype.names == ("tau", "log_t", "beta_1", "beta_2", "margin_1", "log_loss")
    assert np.array_equal(rows["beta_1"], run.beta[:, 0])  # 17 digits are all of a double
    assert np.array_equal(rows["log_t"], run.log_t)


def test_without_arguments_there_is_a_first_command_to_try(capsys):
    code, out, _ = answer(capsys)
    assert code == 2
    tried = [line.split()[1:] for line in out.splitlines() if line.startswith("  flowsam ")]
    assert len(tried) == 3 and main(tried[0]) == 0


def test_simulate_in_original_time_by_a_chosen_method(capsys):
    code, out, _ = answer(
        capsys, "simulate", *MINOR, "--log-t-end", 5, "--method", "DOP853", "--json"
    )
    assert code == 0 and json.loads(out)["log_t_end"] == 5


def test_a_blow_up_is_valid_json(capsys):
    start = ["--mu", "1", "--norm", "none", "--init", "1", "--depth", "3"]
    code, out, _ = answer(capsys, "simulate", *start, "--tau-end", 2, "--json")
    facts = json.loads(out)
    assert code == 0 and facts["status"] == "escaped" and facts["beta_last"] == ["inf"]


def test_limit_names_label_and_reason(capsys, tmp_path):
    path = tmp_path / "limit.json"
    code, out, _ = answer(capsys, "limit", *MINOR, "--out", path)
    end = limit(Flow(single_example([1, 2]), linf(1)), [[1.5, 0.6]] * 2)
    first, _, rest = out.partition("\n")
    assert code == 0 and rest == f"{end!r}\n"
    assert "tends to feature 1 alone, with a positive weight (mu_1 = +1)" in first
    assert json.loads(path.read_text())["label"] == 1


def test_whoever_waits_is_told_what_takes_less_time(capsys, monkeypatch):
    """After 5 s a sentence on stderr; the answer stays alone on stdout."""
    monkeypatch.setattr(writing, "_LONG", 0.05)
    table = ["--data", "digits:3,5", "--norm", "2", "--rho", 0.1, "--init", 0.014]
    waits = [*table, "--log-t-end", 30]
    _, out, err = answer(capsys, "limit", *waits, "--json")
    assert err.startswith("still running after 0.05 s: ") and "--log-t-end" in err
    assert json.loads(out)["evidence"]["log_t"] == 30.0
    assert answer(capsys, "limit", *waits, "-q") == (0, "", "")
    _, _, err = answer(capsys, "simulate", *waits)
    assert err == "still running after 0.05 s: an earlier end takes less time\n"
    monkeypatch.setattr(writing, "_LONG", 60.0)
    assert answer(capsys, "limit", *MINOR)[2] == ""


def test_limit_reads_theta(capsys, tmp_path):
    np.save(tmp_path / "theta.npy", np.array([[1.5, 0.6], [1.5, 0.6]]))
    code, out, _ = answer(capsys, "limit", *MINOR[:4], "--theta", tmp_path / "theta.npy", "--json")
    assert code == 0 and json.loads(out)["label"] == 1


def test_limit_of_the_digits_mean_by_both_starts(capsys):
    pytest.importorskip("sklearn")
    labels = []
    for aligned in ([], ["--aligned"]):
        digits = ["--data", "digits_means", "--norm", "none", "--init", 0.5]
        code, out, _ = answer(capsys, "limit", *digits, *aligned, "--json")
        assert code == 0
        labels.append(json.loads(out)["label"])
    assert labels == [21, 27]  # pixel 26 has the largest |mu|, but mu < 0 there


def test_derive_prints_text_latex_and_json(capsys, tmp_path):
    code, out, _ = answer(capsys, "derive", "--depth", 2, "--norm", "inf", "--latex")
    assert code == 0 and r"sam_gradient_1: \hat{g}_{1} = - \frac{\mu \hat{w}_{2}}" in out
    code, out, _ = answer(capsys, "derive", "--depth", 3, "--norm", 2, "--json")
    assert code == 0 and json.loads(out)["gradient_1"] == "g_1 = -mu*w_2*w_3/(exp(m) + 1)"
    code, out, _ = answer(capsys, "derive", "--quiet", "--out", tmp_path / "d.txt")
    assert (code, out) == (0, "") and "margin: m = " in (tmp_path / "d.txt").read_text()


def test_quiet_prints_nothing(capsys):
    assert answer(capsys, "limit", *MINOR, "--quiet") == (0, "", "")


BAD = {
    "no number": (["limit", "--mu", "1,x", "--rho", 1, "--init", 1], "'x'"),
    "nan": (["limit", "--mu", "1,nan", "--rho", 1, "--init", 1], "nan"),
    "complex": (["limit", "--mu", "1+2j", "--rho", 1, "--init", 1], "'1+2j'"),
    "code": (["limit", "--mu", "__import__('os')", "--rho", 1, "--init", 1], "__import__"),
    "all zero": (["limit", "--mu", "0,0", "--rho", 1, "--init", 1], "all zeros"),
    "rho < 0": (["limit", "--mu", 1, "--rho", -1, "--init", 1], "-1"),
    "rho nan": (["limit", "--mu", 1, "--rho", "nan", "--init", 1], "nan"),
    "rho missing": (["limit", "--mu", 1, "--init", 1], "--rho"),
    "rho of none": (["limit", "--mu", 1, "--norm", "none", "--rho", 1, "--init", 1], "--norm none"),
    "p < 1": (["limit", "--mu", 1, "--norm", 0.5, "--rho", 1, "--init", 1], "0.5"),
    "norm word": (["limit", "--mu", 1, "--norm", "max", "--rho", 1, "--init", 1], "'max'"),
    "depth": (["limit", "--mu", 1, "--rho", 1, "--init", 1, "--depth", 0], "depth"),
    "alpha <= 0": (["limit", "--mu", "1,2", "--rho", 1, "--init", "1,-0.3"], "coordinate 2"),
    "too few": (["limit", "--mu", "1,2,3", "--rho", 1, "--init", "1,2"], "1 or 3"),
    "two starts": (["limit", *MINOR, "--theta", "x.npy"], "both"),
    "no start": (["limit", "--mu", 1, "--rho", 1], "neither"),
    "no data": (["limit", "--rho", 1, "--init", 1], "--mu"),
    "two data": (["limit", "--mu", 1, "--data", "digits", "--rho", 1, "--init", 1], "and"),
    "data name": (["limit", "--data", "mnist", "--rho", 1, "--init", 1], "'mnist'"),
    "data classes": (["limit", "--data", "digits:3", "--rho", 1, "--init", 1], "got '3'"),
    "data digit": (["limit", "--data", "digits:3,12", "--rho", 1, "--init", 1], "12"),
    "no csv": (["limit", "--csv", "none.csv", "--label", "y", "--rho", 1, "--init", 1], "none.csv"),
    "csv folder": (["limit", "--csv", ".", "--label", "y", "--rho", 1, "--init", 1], "check the"),
    "csv label": (["limit", "--csv", "none.csv", "--rho", 1, "--init", 1], "--label"),
    "no theta": (["limit", "--mu", 1, "--rho", 1, "--theta", "none.npy"], "none.npy"),
    "both ends": (["simulate", *MINOR, "--tau-end", 1, "--log-t-end", 1], "both"),
    "neither end": (["simulate", *MINOR], "neither"),
    "rtol": (["simulate", *MINOR, "--tau-end", 1, "--rtol", 1e-14], "1e-13"),
    "method": (["simulate", *MINOR, "--tau-end", 1, "--method", "Euler"], "'Euler'"),
    "out folder": (["simulate", *MINOR, "--tau-end", 1, "--out", "no/where.npz"], "no/where.npz"),
    "out ending": (["simulate", *MINOR, "--tau-end", 1, "--out", "run.txt"], ".npz"),
    "map axis": ([*MAP, "--alpha", "x", "--out", "map.npz"], "'x'"),
    "map axis, no map": ([*MAP, "--tau", "x"], "'x'"),
    "axis of no map": ([*MAP, "--tau", "0,1,5"], "--out"),
    "map from 0": ([*MAP, "--alpha", "0,1,10", "--out", "map.npz"], "dominance needs alpha > 0"),
    "map of a point": ([*MAP, "--alpha", ".1,1,1", "--out", "map.png"], "2 POINTS"),
    "map too large": (
        [*MAP, "--alpha", ".1,1,100000", "--tau", "0,1,100000", "--out", "map.npz"],
        "100000 x 100000, which need about 149 GiB",
    ),
    "endless axis": ([*MAP, "--tau", "0,1,inf", "--out", "map.npz"], "START,STOP,POINTS"),
    "derive depth": (["derive", "--depth", 9], "1 to 8"),
    "claim": (["verify", "riemann"], "riemann"),
    "no checkout": (["verify", "--source", "/"], "derivations"),
    "no figures": (["reproduce", "--source", "/"], "figures"),
    "no split of one": (["limit", *MINOR, "--no-split"], "--no-split is for several examples"),
    "label of none": (["limit", *MINOR, "--label", "y"], "--label is for tables of --csv"),
    "classes of none": (["limit", *MINOR, "--classes", "a,b"], "--classes is for tables of --csv"),
    "drop of data": (
        ["limit", "--data", "digits", "--drop", "a", "--rho", 1, "--init", 1],
        "--drop is for tables of --csv, got --data",
    ),
    "bias of one": (["limit", *MINOR, "--no-bias"], "--no-bias is for tables"),
    "bias of means": (
        ["limit", "--data", "digits_means", "--no-bias", "--rho", 1, "--init", 1],
        "got --data digits_means",
    ),
    "end as typed": (["simulate", *MINOR, "--tau-end", 0], "--tau-end needs a finite number"),
    "rows as typed": (["simulate", *MINOR, "--tau-end", 1, "--rows", 1], "--rows"),
    "no end as typed": (["simulate", *MINOR], "--tau-end, --log-t-end, got neither"),
    "command": (["integrate"], "integrate"),
    "option": (["limit", "--sharpness", 1], "--sharpness"),
}


@pytest.mark.parametrize("case", BAD, ids=str)
def test_bad_input_gets_one_line_and_code_two(capsys, tmp_path, monkeypatch, case):
    arguments, named = BAD[case]
    monkeypatch.chdir(tmp_path)
    if case == "claim":
        arguments = [*arguments, "--source", os.fspath(checkout(tmp_path))]
    before = sorted(tmp_path.rglob("*"))
    code, out, err = answer(capsys, *arguments)
    assert (code, out) == (2, "")
    assert err.startswith("flowsam: ") and err.count("\n") == 1 and named in err
    assert "Traceback" not in err and sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("", "header"),
        ("a,y\n1,0\nx,1\n", "row 2 (line 3), column 'a' needs a number, got 'x'"),
        ("a,y\n1,0\n2,1,5\n", "in row 2"),
        ("a,y\n1,0\n2\n", "2 entries in each row, got 1 in row 2"),
        ("a,y\n1,0\n\xe9,1\n", "byte 8 is not UTF-8); save it as UTF-8"),
        ("a,y\n1,0\n2," + "1" * 200_000 + "\n", "field larger"),
        ("a,b\n1,0\n", "'y'"),
        ("a,y\n1,0\n2,0\n", "two classes"),
        ("a,y\n1,0\n2,1\n3,2\n", "got 3"),
        ("a,y\nnan,0\n2,1\n", "nan"),
    ],
)
def test_bad_csv_gets_one_line(capsys, tmp_path, text, named):
    path = tmp_path / "table.csv"
    path.write_text(text, encoding="latin-1")
    code, out, err = answer(capsys, "limit", "--csv", path, "--label", "y", "--rho", 1, "--init", 1)
    assert (code, out) == (2, "") and err.count("\n") == 1 and named in err


def test_csv_columns_become_signed_examples(tmp_path):
    path = tmp_path / "iris.csv"
    path.write_text("a,species,b\n1,virginica,2\n3,setosa,4e-1\n")
    data = read_csv(path, "species").standardised()[0]
    assert data.name == "iris, standardised"
    np.testing.assert_allclose(data.z, [[-1, 1, 1], [-1, 1, -1]])
    plain = read_csv(path, "species").standardised(bias=False)[0]
    np.testing.assert_allclose(plain.z, [[-1, 1], [-1, 1]])


def test_tables_split_signs_so_that_starts_reach_both(capsys, tmp_path):
    path = tmp_path / "iris.csv"
    path.write_text("a,y,b\n1,0,2\n3,1,4\n2,1,9\n1,0,1\n")
    table = ["--csv", path, "--label", "y", "--norm", 2, "--rho", 0.1, "--log-t-end", 1, "--json"]
    for extra, columns in (
        ([], 6), (["--no-bias"], 4), (["--no-split"], 3), (["--depth", 1], 3),
    ):  # fmt: skip
        code, out, _ = answer(capsys, "simulate", *table, "--init", 0.5, *extra)
        facts = json.loads(out)
        assert code == 0 and len(facts["beta_last"]) == columns
        assert len(facts["predictor_last"]) == (columns if columns == 3 else columns // 2)
    code, out, _ = answer(capsys, "simulate", *table, "--init", "0.5,1,2")
    assert code == 0 and len(json.loads(out)["beta_last"]) == 6
    np.save(tmp_path / "one.npy", np.ones((1, 3)))
    assert answer(capsys, "simulate", *table, "--theta", tmp_path / "one.npy")[0] == 0


def test_limit_of_a_table_says_what_decided(capsys, tmp_path):
    path = tmp_path / "iris.csv"
    path.write_text("a,y,b\n1,0,2\n3,1,4\n2,1,9\n1,0,1\n")
    table = ["--csv", path, "--label", "y", "--norm", 2, "--rho", 0.1, "--depth", 1, "--init", 1]
    code, out, _ = answer(capsys, "limit", *table, "--json")
    facts = json.loads(out)
    assert code == 0 and facts["label"] == -5 and len(facts["predictor"]) == 3
    path.write_text("a,y\n1,0\n1,1\n2,0\n2,1\n")
    code, out, _ = answer(capsys, "limit", *table, "--json")
    assert code == 0 and "not linearly separable" in json.loads(out)["reason"]


@pytest.mark.parametrize(
    ("name", "n", "d"), [("digits", 365, 65), ("digits:1,7", 361, 65), ("breast_cancer", 569, 31)]
)
def test_named_data(name, n, d):
    pytest.importorskip("sklearn")
    assert named_data(name).z.shape == (n, d)
    assert named_data(name, bias=False).z.shape == (n, d - 1)


def test_idx_folders_are_data(tmp_path):
    images = np.arange(12, dtype=np.uint8).reshape(3, 2, 2)
    head = b"\0\0\x08\x03" + np.array([3, 2, 2], ">i4").tobytes()
    (tmp_path / "train-images-idx3-ubyte").write_bytes(head + images.tobytes())
    head = b"\0\0\x08\x01" + np.array([3], ">i4").tobytes()
    (tmp_path / "train-labels-idx1-ubyte").write_bytes(head + bytes([7, 1, 0]))
    assert named_data(f"{tmp_path}:7,1").z.shape == (2, 5)


def test_foreign_theta_is_not_unpickled(capsys, tmp_path):
    path = tmp_path / "theta.npy"
    np.save(path, np.array([{"a": 1}], dtype=object), allow_pickle=True)
    code, _, err = answer(capsys, "limit", "--mu", 1, "--rho", 1, "--theta", path)
    assert code == 2 and "npy" in err


@pytest.mark.parametrize(
    ("theta", "named"),
    [
        (np.ones((2, 3)), "(2, 3)"),
        (np.ones(2), "(2,)"),
        (np.ones(()), "()"),
        (np.array([[1.0, np.nan]] * 2), "nan"),
        (np.ones((2, 2)) * 1j, "complex128"),
        (np.array([["a", "b"]] * 2), "real numbers"),
    ],
)
def test_a_start_that_does_not_fit_gets_one_line(capsys, tmp_path, theta, named):
    path = tmp_path / "theta.npy"
    np.save(path, theta)
    code, out, err = answer(capsys, "simulate", *MINOR[:4], "--theta", path, "--tau-end", 1)
    assert (code, out) == (2, "") and err.count("\n") == 1 and named in err


@pytest.mark.parametrize("extra", [["--depth", 3], ["--aligned"]])
def test_options_that_contradict_theta_are_refused(capsys, tmp_path, extra):
    path = tmp_path / "theta.npy"
    np.save(path, np.ones((2, 2)))
    given = ["simulate", *MINOR[:4], "--theta", path, "--tau-end", 1]
    code, out, err = answer(capsys, *given, *extra)
    assert (code, out) == (2, "") and err.count("\n") == 1 and extra[0] in err
    assert answer(capsys, *given, "--depth", 2)[0] == 0


def test_a_bug_is_not_called_bad_input(monkeypatch):
    def broken(*_, **__):
        return 1 + "1"

    monkeypatch.setattr("flowsam.outcomes.limit", broken)
    with pytest.raises(TypeError, match="unsupported operand"):
        main(["limit", *MINOR])


def test_no_command_shows_the_help(capsys):
    code, out, _ = answer(capsys)
    assert code == 2 and "Commands:" in out
    code, out, _ = answer(capsys, "--version")
    assert code == 0 and out.startswith("flowsam")


CLAIM = """
CLAIM, SOURCE = "{name}", "a test"
from tests.theorems.ledger import numeric
def check(rng):
    x = rng.normal()
    assert x * x >= {bound}, f"x={{x}}"
def control(rng):
    raise AssertionError if {honest} else SystemError
"""


def checkout(folder, bound=0, honest=True, step="assert 1 + 1 == 2"):
    """A source checkout with one claim."""
    (folder / "derivations").mkdir(exist_ok=True)
    (folder / "tests" / "theorems").mkdir(parents=True, exist_ok=True)
    head = "# %%\n# Claim. Squares.\n#\n# Source: a test.\n"
    (folder / "derivations" / "square.py").write_text(f"{head}{step}\n")
    text = CLAIM.format(name="square", bound=bound, honest=honest)
    (folder / "tests" / "theorems" / "test_square.py").write_text(text)
    return folder


def test_verify_passes_and_repeats_its_seed(capsys, tmp_path):
    source = checkout(tmp_path)
    code, out, err = answer(capsys, "verify", "--source", source, "--seed", 5)
    assert (code, err) == (0, "") and "1 of 1 claims pass; seed 5" in out
    code, out, _ = answer(capsys, "verify", "square", "--source", source, "--json")
    facts = json.loads(out)
    assert code == 0 and facts["passed"] and facts["claims"][0]["symbolic"] == "pass"
    code, out, _ = answer(capsys, "verify", "--source", source, "--markdown")
    assert out.startswith("| claim | source | symbolic |")
    for name in ("table.md", "table.json", "table.txt"):  # the ending decides
        answer(capsys, "verify", "--source", source, "--out", tmp_path / name, "--quiet")
    assert (tmp_path / "table.md").read_text().startswith("| claim |")
    assert json.loads((tmp_path / "table.json").read_text())["passed"]
    assert (tmp_path / "table.txt").read_text().startswith("claim ")


def test_verify_takes_seeds_in_a_row_and_ends_at_the_first_that_fails(capsys, tmp_path):
    args = ("verify", "--source", checkout(tmp_path), "--seed", 5, "--repeat", 3)
    code, out, err = answer(capsys, *args)
    assert code == 0 and out.rstrip().endswith("1 of 1 claims pass; seed 7")
    assert [line[:6] for line in err.splitlines()] == ["1 of 3", "2 of 3", "3 of 3"]
    checkout(tmp_path, bound=0.5)
    code, out, err = answer(capsys, *args)
    assert (code, err) == (1, "") and out.rstrip().endswith("0 of 1 claims pass; seed 5")


@pytest.mark.parametrize(
    ("broken", "part", "named"),
    [
        (dict(step="assert 1 + 1 == 3"), "symbolic", "square.py:5: assert 1 + 1 == 3"),
        (dict(step="import warnings; warnings.warn('old')"), "symbolic", "old"),
        (dict(bound=0.5), "numeric", ": AssertionError: x="),
        (dict(honest=False), "control", "SystemError"),
    ],
)
def test_verify_fails_with_the_parameters(capsys, tmp_path, broken, part, named):
    code, out, _ = answer(capsys, "verify", "--source", checkout(tmp_path, **broken), "--seed", 3)
    assert code == 1 and f"square fails its {part} part" in out and named in out
    assert "0 of 1 claims pass; seed 3" in out


FIGURE = '''"""A figure.

Claim: square_root, square. Takes: 0 s.
"""
FAST = {{"n": 2}}
def compute(n=3):
    return {{"x": np.arange(n) {fault}, "card": style.card(**dict.fromkeys(cards.FACTS, "none"))}}
def draw(x):
    figure, axes = style.panels()
    axes.plot(x{more})
    return figure
import numpy as np
from figures import cards, style
'''


@pytest.fixture
def project(tmp_path):
    """A checkout with one claim and three figures in the style of this one."""
    from pathlib import Path

    source = checkout(tmp_path)
    (source / "figures").mkdir()
    for name in ("style.py", "cards.py"):
        own = Path(__file__).parents[1] / "figures" / name
        (source / "figures" / name).write_text(own.read_text())
    (source / "figures" / "__init__.py").touch()
    for name in ("fig_one", "fig_three", "fig_two"):
        (source / "figures" / f"{name}.py").write_text(FIGURE.format(more="", fault=""))
    return source


def reproduce(source, *arguments):
    """A run in a process of its own: figures are imported by name."""
    return subprocess.run(
        [sys.executable, "-m", "flowsam", "reproduce", "--source", source, *arguments],
        capture_output=True,
        text=True,
    )


def test_reproduce_writes_one_page_and_keeps_what_did_not_change(project):
    first = reproduce(project, "--fast")
    lines = first.stderr.splitlines()[1:]  # a slow machine is told how far it is
    assert first.returncode == 0
    assert all(re.fullmatch(r"\d of 4 tasks done", line) for line in lines), lines
    assert first.stderr.startswith("1 claims to check and 3 figures to draw, 0 kept from before")
    assert "3 of 3 figures: 3 computed, 0 redrawn, 0 kept" in first.stdout
    page = (project / "report.html").read_text()
    assert page.count("data:image/png;base64,") == 3 and page.count("<script") == 2
    assert 'src="http' not in page and "Squares." in page and "<b>clock</b> none" in page
    style = project / "figures" / "style.py"
    style.write_text("# no change\n" + style.read_text())
    (project / "figures" / "fig_two.py").write_text(FIGURE.format(more=" + 1", fault=""))
    (project / "figures" / "fig_three.py").write_text(FIGURE.format(more="", fault="+ 1"))
    (project / "figures" / "output" / "fig_one.png").unlink()
    second = json.loads(reproduce(project, "--fast", "--json").stdout)
    states = {"fig_one": "redrawn", "fig_three": "computed", "fig_two": "redrawn"}
    assert second["figures"] == states and not second["claims"][0]["fresh"]
    third = json.loads(reproduce(project, "--redraw", "--json", "--seed", "5").stdout)
    assert set(third["figures"].values()) == {"redrawn"}
    assert third["claims"][0]["fresh"] and third["claims"][0]["seed"] == 5


def test_reproduce_reports_a_broken_figure_and_draws_the_rest(project):
    broken = FIGURE.format(more="", fault="+ nonsense")
    (project / "figures" / "fig_one.py").write_text(broken)
    whole = FIGURE.format(more="", fault="")
    (project / "figures" / "fig_two.py").write_text(whole.replace("A fig", "For l_2-SAM a fig"))
    run = reproduce(project)
    assert run.returncode == 1 and "fig_one failed: NameError" in run.stdout
    assert "fig_two failed: InputError: its title or caption names l_2, its runs none" in run.stdout
    assert (
        "1 of 3 figures:" in run.stdout
        and "fig_one failed" in (project / "report.html").read_text()
    )


@pytest.mark.parametrize(
    ("alpha", "words"),
    [("0.5", "N falls: collapse"), ("0.5213212825996665", "saddle"), ("0.6", "rises: escape")],
)
def test_the_pattern_is_said_of_the_limit(capsys, alpha, words):
    code, out, _ = answer(capsys, *MAP[:-1], alpha, "--json")
    assert code == 0 and words in json.loads(out)["pattern"]


def test_values_may_begin_with_a_minus_sign(capsys):
    joined = ["limit", "--mu=-1,2", "--rho=1", "--init=1.5,0.6", "--json"]
    apart = [word for text in joined for word in text.split("=")]
    assert answer(capsys, *joined) == answer(capsys, *apart)
    assert "mu=(-1, 2)" in json.loads(answer(capsys, *apart)[1])["flow"]
    code, _, err = answer(capsys, "limit", "--mu", "--rho", 1, "--init", 1)
    assert code == 2 and "--mu needs a value" in err


MEANT = {
    "--innit": "did you mean --init?",
    "--ini": "did you mean --init?",  # no abbreviations
    "init": "did you mean --init?",
    "more": "see flowsam limit --help",
    "-x": "see flowsam limit --help",
}


@pytest.mark.parametrize("word", MEANT)
def test_what_means_nothing_is_refused_with_what_is_near(capsys, word):
    code, out, err = answer(capsys, "limit", *MINOR, word)
    assert (code, out) == (2, "") and err == (
        f"flowsam: {word!r} means nothing to flowsam limit; {MEANT[word]}\n"
    )


@pytest.mark.parametrize("name", ["limits", "limit.x", "no.such", "..", "options"])
def test_unknown_commands_are_refused_with_the_known_ones(capsys, name):
    code, _, err = answer(capsys, name, "--mu", 1)
    assert code == 2 and f"no command {name!r}, there are simulate, limit, portrait" in err


def test_a_flag_takes_no_value(capsys):
    code, _, err = answer(capsys, "limit", *MINOR, "--json=1")
    assert (code, err) == (2, "flowsam: --json takes no value, got '1'\n")


@pytest.mark.parametrize("name", cli.COMMANDS)
def test_help_has_the_sentence_the_examples_and_the_options_in_order(capsys, monkeypatch, name):
    module = cli._command(name)
    shown = []
    for columns, asked in ((100, "--help"), (50, "-h")):
        monkeypatch.setenv("COLUMNS", str(columns))
        code, out, err = answer(capsys, name, asked)
        assert (code, err) == (0, "") and out.startswith(f"usage: flowsam {name} [OPTIONS]")
        shown.append(out)
    wide, narrow = shown
    saying = inspect.getdoc(module.command)
    for line in saying.splitlines():
        if line.startswith((" ", "flowsam ")):  # an example, which is kept as it is
            assert f"\n  {line.strip()}\n" in wide and f"\n  {line.strip()}\n" in narrow
    assert saying.splitlines()[0].split()[:4] == wide.splitlines()[2].split()[:4]
    prose = [line for line in narrow.splitlines() if not line.startswith(("  ", "usage"))]
    assert max(map(len, prose)) < 50 < max(map(len, wide.splitlines()))
    options = [option.name for option in module.OPTIONS if option.name.startswith("-")]
    told = re.findall(r"^  (?:-\w, )?(--[\w-]+)", wide, re.MULTILINE)
    assert told == [*options, "--help"]
    for option in module.OPTIONS:
        assert not option.default or f"[default: {option.default}]" in " ".join(wide.split())


def test_a_reader_that_has_had_enough_is_no_fault():
    line = f"{sys.executable} -m flowsam limit {' '.join(map(str, MINOR))} --json"
    pipe = f"({line}; echo $? >&2) | true"
    run = subprocess.run(pipe, shell=True, capture_output=True, text=True, check=False)
    assert run.stderr in ("0\n", "1\n")  # 0 if it was faster than the reader's end


def test_an_interrupt_is_said_in_one_line(capsys, monkeypatch):
    def interrupted(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("flowsam.outcomes.limit", interrupted)
    code, out, err = answer(capsys, "limit", *MINOR)
    assert (code, out) == (130, "") and err.startswith(
        "\nflowsam: stopped; finished parts are kept"
    )


def test_a_shell_completes_commands_options_and_choices(capsys, monkeypatch):
    monkeypatch.setenv("_FLOWSAM_COMPLETE", "words")
    for words, found in {
        ("",): [*cli.COMMANDS],
        ("po",): ["portrait"],
        ("limit", "--no"): ["--no-bias", "--norm", "--no-split"],
        ("portrait", "--plane", "s"): ["segment"],
        ("portrait", "--out", ""): [],  # names of files are the shell's
    }.items():
        code, out, err = answer(capsys, *words)
        assert (code, out.split(), err) == (0, found, ""), words
    for shell in ("bash", "zsh", "fish"):
        monkeypatch.setenv("_FLOWSAM_COMPLETE", f"{shell}_source")
        code, out, _ = answer(capsys)
        assert code == 0 and "_FLOWSAM_COMPLETE=words flowsam" in out


@pytest.mark.skipif(shutil.which("bash") is None, reason="needs bash")
def test_bash_takes_the_script(monkeypatch, capsys):
    monkeypatch.setenv("_FLOWSAM_COMPLETE", "bash_source")
    script = answer(capsys)[1]
    monkeypatch.delenv("_FLOWSAM_COMPLETE")
    asked = (
        f'flowsam() {{ "{sys.executable}" -m flowsam "$@"; }}\n{script}'
        "COMP_WORDS=(flowsam limit --loss e); COMP_CWORD=3; _flowsam; echo ${COMPREPLY[@]}"
    )
    run = subprocess.run(["bash", "-c", asked], capture_output=True, text=True, check=True)
    assert run.stdout == "exponential\n"


def test_bad_input_is_one_line_without_sources(tmp_path):
    """Compiled files alone: nothing reads a line of the source."""
    package = Path(flowsam.__file__).parent
    for path in package.rglob("*.py"):
        compiled = tmp_path / "flowsam" / path.relative_to(package).with_suffix(".pyc")
        compiled.parent.mkdir(parents=True, exist_ok=True)
        py_compile.compile(os.fspath(path), compiled)
    ask = ["limit", "--mu", "0,0", "--rho", "1", "--init", "1"]
    code = f"import sys; from flowsam import cli; print(cli.__file__); sys.exit(cli.main({ask}))"
    line = [sys.executable, "-c", code]
    run = subprocess.run(line, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert run.stdout.startswith(os.fspath(tmp_path)) and run.returncode == 2
    assert run.stderr.count("\n") == 1 and "all zeros" in run.stderr


def test_what_does_not_fit_in_memory_is_one_line(capsys, monkeypatch):
    def large(*_, **__):
        raise MemoryError("Unable to allocate 8 TiB")

    monkeypatch.setattr("flowsam.outcomes.limit", large)
    code, _, err = answer(capsys, "limit", *MINOR)
    assert code == 2 and "8 TiB" in err and err.count("\n") == 1


TABLE = "id,age,kind\n1,1.5,rose\n2,2.5,daisy\n3,3.5,tulip\n4,1.0,rose\n5,2.25,daisy\n"


def test_classes_and_columns_are_chosen_by_options(capsys, tmp_path):
    path = tmp_path / "flowers.csv"
    path.write_text(TABLE)
    table = ["limit", "--csv", path, "--label", "kind", "--norm", 2, "--rho", 0.1, "--depth", 1]
    code, out, _ = answer(
        capsys, *table, "--init", 1, "--classes", "rose,daisy", "--drop", "id", "--json"
    )
    facts = json.loads(out)
    assert code == 0 and facts["features"] == ["age", "bias"] and facts["predictor"][0] < 0
    code, out, _ = answer(capsys, *table, "--init", 1, "--classes", "daisy,rose", "--drop", "id")
    assert code == 0 and "age, " in out.partition("direction: +")[2]
    code, _, err = answer(capsys, *table, "--init", 1)
    assert code == 2 and "column 'kind'" in err and "--classes A,B" in err
    code, _, err = answer(capsys, *table, "--init", 1, "--classes", "rose,lily")
    assert code == 2 and "it has daisy, rose, tulip" in err


@pytest.mark.parametrize("name", ["signs split.csv", "$\\foo$.csv", "plain.csv"])
def test_nothing_is_decided_by_the_name_of_a_file(capsys, tmp_path, name):
    """Two numbers do not become four, and a name is no formula."""
    path = tmp_path / name
    path.write_text("a,b,c,d,y\n1,0,2,5,0\n3,1,4,1,1\n2,1,9,2,1\n")
    table = ["simulate", "--csv", path, "--label", "y", "--no-bias", "--norm", 2, "--rho", 0.1]
    table += ["--tau-end", 1, "--out", tmp_path / "run.png"]
    code, _, err = answer(capsys, *table, "--no-split", "--init", "0.5,0.7")
    assert code == 2 and "--init needs 1 or 4 numbers to fit the data, got 2" in err
    code, _, _ = answer(capsys, *table, "--init", "0.5,0.7,0.5,0.7", "--quiet")
    assert code == 0 and (tmp_path / "run.png").stat().st_size > 5000


def test_pictures_need_neither_a_screen_nor_latex(tmp_path):
    (tmp_path / "matplotlibrc").write_text("text.usetex: True\n")
    environment = os.environ | {"MPLBACKEND": "foo"}
    line = [sys.executable, "-m", "flowsam", "portrait", *MINOR[:4], "--grid", "5", "--quiet"]
    run = subprocess.run(
        [*line, "--out", "a.svg"], cwd=tmp_path, env=environment, capture_output=True, check=False
    )
    assert (run.returncode, run.stderr) == (0, b"") and (tmp_path / "a.svg").exists()


def test_control_characters_do_not_reach_the_terminal(capsys, tmp_path):
    path = tmp_path / "\x1b[31mred.csv"
    path.write_text("a,y\n1,0\n2,1\n")
    table = ["--csv", path, "--norm", 2, "--rho", 0.1, "--init", 1, "--depth", 1]
    code, _, err = answer(capsys, "limit", *table, "--label", "z")
    assert code == 2 and "\x1b" not in err and "\\x1b[31mred.csv" in err
    code, out, _ = answer(capsys, "simulate", *table, "--label", "y", "--tau-end", 1)
    assert code == 0 and "\x1b" not in out


SPOKEN = {
    "zero": (["limit", "--mu", "1,2", "--rho", 1, "--init", "0.5,0.6"], "tends to 0: every feat"),
    "not known": (["limit", "--mu", "1,1", "--rho", 1, "--init", "2,2"], "a tie of several"),
    "pixel": (
        ["limit", "--data", "digits_means", "--rho", 0.5, "--init", 0.6, "--aligned"],
        "feature 27, pixel 4,3, alone, with a negative weight (mu_27 = -0.8037)",
    ),
    "blow-up": (
        ["simulate", *MINOR, "--depth", 3, "--tau-end", 9],
        "At tau = 2, which is log(1 + t) = inf, feature 1 is ahead with all",
    ),
    "collapse": (
        ["simulate", "--mu", "1,2", "--rho", 1, "--init", "0.5,0.6", "--tau-end", 9],
        "the predictor is 0",
    ),
    "plane": (
        ["portrait", "--mu", "1,-2", "--rho", 1, "--grid", 9],
        "at e_1 from 56.2% of them, zero from 43.8% of them.",
    ),
    "leaders": (
        ["amplification", "--mu", "1,2,6", "--rho", 1, "--init", 0.467],
        "Feature 2 leads first, feature 1 from tau = 0.203029, feature 2 from tau = 8.28493",
    ),
    "one leader": ([*MAP[:5], "--init", 0.3], "Feature 1 leads from the start to the end."),
}


@pytest.mark.parametrize("name", SPOKEN)
def test_answers_come_in_a_sentence(capsys, name):
    """The first line is the answer; --json and --quiet have none."""
    arguments, words = SPOKEN[name]
    code, out, _ = answer(capsys, *arguments)
    first = out.splitlines()[0]
    assert code == 0 and words in first and first.endswith(".")
    assert answer(capsys, *arguments, "--quiet")[1] == ""
    json.loads(answer(capsys, *arguments, "--json")[1])


def test_a_picture_of_a_closed_form_is_a_curve(capsys, tmp_path, monkeypatch):
    """Its two rows would be drawn as a straight line; titles are typeset."""
    drawn = []
    monkeypatch.setattr("flowsam.draw.run", lambda axes, run, **_: drawn.append(run.tau.size))
    line = ["simulate", *MINOR, "--tau-end", 3, "--quiet"]
    assert answer(capsys, *line, "--out", tmp_path / "run.svg")[0] == 0
    assert answer(capsys, *line, "--out", tmp_path / "few.svg", "--rows", 7)[0] == 0
    assert drawn == [300] * 3 + [7] * 3
    assert "l_inf" not in re.sub(r"<!--.*?-->", "", (tmp_path / "few.svg").read_text())


ONE = ["limit", "--mu", "1,2", "--rho", 1]
TYPED = {
    "init": ([*ONE, "--init", -1], "--init needs numbers > 0, got -1 in coordinate 1; pass a full"),
    "rho": (["limit", "--mu", "1,2", "--rho", -1, "--init", 1], "--rho needs a finite number >= 0"),
    "l2": (["amplification", "--mu", "1,2", "--rho", 0, "--init", 1], "--rho needs to be finite"),
    "method": (["simulate", *MINOR, "--tau-end", 1, "--method", "foo"], "--method needs one of"),
    "rows": (["simulate", *MINOR, "--tau-end", 1, "--rows", 1], ">= 2, got 1; two are the start"),
    "rtol": (
        ["simulate", *MINOR, "--tau-end", 1, "--rtol", 1e-20],
        "--rtol needs a number",
    ),
    "test": (
        ["features", "--data", "digits:3,5", "--rho", 1, "--test", 2],
        "--test needs a share in [0, 1)",
    ),
    "depth": (["derive", "--depth", 0], "--depth needs a number from 1 to 8, got 0"),
    "plane": (["portrait", "--mu", "1,2", "--rho", -1], "--rho needs a finite number >= 0"),
}


@pytest.mark.parametrize("name", TYPED)
def test_refusals_name_options_as_typed(capsys, name):
    arguments, words = TYPED[name]
    code, out, err = answer(capsys, *arguments)
    assert (code, out) == (2, "") and words in err, err


@pytest.mark.parametrize("words", [["--help"], ["limit", "--help"]])
def test_help_is_there_without_docstrings(words):
    run = subprocess.run(
        [sys.executable, "-OO", "-m", "flowsam", *words], capture_output=True, text=True
    )
    assert (run.returncode, run.stderr) == (0, "") and "--help" in run.stdout
