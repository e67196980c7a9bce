"""Command lines that mean nothing: exit code 2 and one line, and nothing is left behind."""

import importlib
import random
import subprocess
import sys
import warnings

import numpy as np
import pytest

from flowsam.cli import main
from flowsam.cli.options import FLAG

LIMIT = "limit --mu 1,2 --rho 1 --init 1,1"
PORTRAIT = "portrait --mu 1,2 --rho 1 --grid 4"
TABLE = "limit --csv table.csv --label y --rho 1 --init 1"
AMPLIFICATION = "amplification --mu 1,2 --rho 1"
FEATURES = "features --csv table.csv --label y --rho 0.1"
SIMULATE = "simulate --mu 1,2 --rho 1 --init 1,1 --tau-end 1"
SWEEP = "sweep case.toml"
PROOF = "verify --proof foreign.json"
ENDINGS = {  # what stands after a line that is right, so that it is wrong
    LIMIT: (
        "--data breast_cancer", "--csv table.csv --label y", "--label y", "--classes a,b",
        "--drop a", "--no-bias", "--no-split", "--norm none", "--theta t.npy", "--rho 2",
        "--mu 2,1", "--proof p.txt", "--out a.npz", "--norm l2", "--norm 0.9", "--norm=-inf",
        "--depth 0", "extra", "--p 2", "--quiet --quiet",
    ),
    TABLE: (
        "--drop nope", "--drop y", "--classes 0,0", "--classes 0", "--classes 5,6", "--mu 1,2",
        "--aligned",
    ),
    SIMULATE: (
        "--log-t-end 1", "--init 1", "--method euler", "--rtol 2", "--rtol 1e-20", "--out x.npy",
        "--out .npz", "--loss hinge", "--rows 10000000000", "--rows 1", "--tau-end 2",
        "--norm 3 --method exact",
    ),
    PORTRAIT: (
        "--weights 1.1,2.1", "--init 1,1", "--theta t.npy",
        "--x 0,2,7", "--field", "--path 1,1", "--field --out p.npz", "--quiet --json",
        "--plane weights --init 1,1 --theta t.npy", "--times", "--times --out p.npz",
        "--times --out p.npy", "--refine 2 --out p.npy", "--field --out p.npy",
        "--prove --out p.npy", "--resume p.npz --out p.npy", "--resume none.npz", "--mu 1,2,3",
        "--plane layers", "--plane torus", "--plane segment --init 1,1", "--plane weights --theta "
        "t.npy", "--plane weights --init 1,1 --weights 1.1,1.1", "--grid 5", "--refine 99",
        "--plane weights --depth 2 --theta t.npy --weights 1.1,2.1", "--x 1,2,3 --y 1,2,3",
        "--out p.gif", "--path 1", "--path a,b",
    ),
    AMPLIFICATION: (
        "", "--alpha 0.1,1,3", "--tau 0.1,1,3", "--init 1,1 --alpha 1,2,3 --tau 1,2,3",
         "--init 1,1 --by colour", "--init 1,1 --no-split",
        "--init 1,1 --norm 2",
    ),
    FEATURES: (
        "--norm none", "--norm 1", "--test 1", "--splits 0", "--factors 0", "--label y",
        "--log-t-end 0",
    ),
    "portrait --mu 1,2 --rho 1": ("--grid 4,5 --x 1,2,3", "--grid 4,5 --y 1,2,3"),
    SWEEP: (
        "--dry-run --store s.zarr", "--dry-run --jobs 2", "--dry-run --resume",
        "--dry-run --retry-failed", "--dry-run --scheduler tcp://localhost:1",
        "--resume --retry-failed", "--jobs 0", "--jobs=-2", "--chunk 0", "--store table.csv",
        "--jobs 2 --scheduler tcp://localhost:1", "case.toml", "--retry-failed",
    ),
    PROOF: ("", "--seed 1", "--repeat 2", "--markdown", "--out a.txt", "dual_norm", "--source ."),
    "derive": ("--depth 9", "--norm none --rho 1", "--out a.pdf", "--norm 0.5", "--loss mse"),
    "explore --out e.html": (
        "--out f.html", "--mu 1,2,3,4,5,6,7,8,9", "--norm 3", "--norm none --rho 1", "--depth 0",
        "--mu 1,2,3 --init 1,2",
    ),
    "verify": ("no_such_claim", "--repeat 0", "--json --markdown", "--source nowhere"),
    "reproduce --source nowhere": ("", "--out a.txt", "--seed=-1"),
}  # fmt: skip
WORDS = ("abc", "1..2", "1e", "0x1p3", "1,2,", "½", "1 000", "∞", "nan", "-inf", "1e999", " ",
         "a=b", "1;2", "\x1b[2J", "\u202e1", "[1]", "1,,2", "None", "True", "-")  # fmt: skip
NUMBERS = {  # options that need numbers, by a line they fit
    LIMIT: ("--mu", "--rho", "--init", "--depth"),
    SIMULATE: ("--tau-end", "--rtol", "--rows"),
    PORTRAIT: ("--x", "--y", "--grid", "--refine", "--path", "--depth"),
    AMPLIFICATION + " --init 1,1": ("--alpha", "--tau"),
    FEATURES: ("--factors", "--splits", "--test", "--log-t-end"),
    "derive": ("--depth",),
    SWEEP: ("--chunk", "--jobs"),
    "verify dual_norm": ("--seed", "--repeat"),
}


@pytest.fixture(autouse=True)
def _folder(tmp_path, monkeypatch):
    """Files that the lines name."""
    rows = "\n".join(f"{k},{(k * 7) % 5},{k % 2}" for k in range(12))
    (tmp_path / "table.csv").write_text(f"a,b,y\n{rows}\n")
    case = "[case]\nmu = [1, 2]\nalpha = [1.5, 0.6]\n[axes]\nrho = [0.5, 1.0]\n"
    (tmp_path / "case.toml").write_text(case)
    (tmp_path / "foreign.json").write_text('{"a": 1}')
    (tmp_path / "deep.json").write_text("[" * 100_000)
    (tmp_path / "deep.toml").write_text("a = " + "[" * 5000)
    np.save(tmp_path / "t.npy", np.ones((2, 2)))
    monkeypatch.chdir(tmp_path)


def without(line, option):
    """A line without one of its options."""
    words = line.split()
    if option in words:
        place = words.index(option)
        del words[place : place + 2]
    return words


def refused(words, capsys, folder):
    """Demand that a line is refused in one line, with nothing left behind."""
    before = sorted(folder.rglob("*"))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        code = main(words)
    out, err = capsys.readouterr()
    claims = words[0] == "verify" and code == 1  # a proof that does not hold
    assert (code == 2 and not out and err.count("\n") == 1) or claims, (words, code, out, err)
    assert "\x1b" not in err and "\u202e" not in err and len(err) < 330, (words, err)
    assert sorted(folder.rglob("*")) == before, words


@pytest.mark.parametrize("line", ENDINGS)
def test_options_that_contradict_or_mean_nothing_are_refused(line, tmp_path, capsys):
    for ending in ENDINGS[line]:
        refused(f"{line} {ending}".split(), capsys, tmp_path)


@pytest.mark.parametrize("words", ["verify --proof deep.json", "sweep deep.toml"])
def test_files_nested_beyond_the_parser_are_bad_input(words, tmp_path, capsys):
    refused(words.split(), capsys, tmp_path)


def drawn(choose):
    """A line with a number that is none, a misspelt option, or one without its value."""
    line = choose(sorted(NUMBERS))
    kind = choose(("number", "number", "misspelt", "without"))
    option = choose(NUMBERS[line])
    words = without(line, option)
    if kind == "without" and option != "--refine":  # which has a default
        return [*words, option]
    if kind != "misspelt":
        return [*words, f"{option}={choose(WORDS)}"]
    place = choose(range(2, len(option)))
    return [*words, f"{option[:place]}{choose('qxz')}{option[place:]}=1"]


@pytest.mark.parametrize("number", [60, pytest.param(1000, marks=pytest.mark.long)])
def test_numbers_that_are_none_and_options_that_are_not(number, tmp_path, capsys):
    choose = random.Random(number).choice
    for _ in range(number):
        refused(drawn(choose), capsys, tmp_path)


@pytest.mark.long
def test_a_process_of_its_own_says_the_same(tmp_path):
    choose = random.Random(50).choice
    for _ in range(50):
        command = [sys.executable, "-m", "flowsam", *drawn(choose)]
        run = subprocess.run(command, capture_output=True, text=True, check=False)
        assert (run.returncode, run.stdout, run.stderr.count("\n")) == (2, "", 1), command


VALUES = {  # of options, none of them the default; a flag has none
    "--loss": "exponential", "--depth": "3", "--init": "1.1", "--theta": "t.npy", "--tau-end": "2",
    "--log-t-end": "2", "--method": "RK45", "--rows": "7", "--plane": "imbalance",
    "--weights": "1.1,2.1", "--x": "0.2,1.9", "--y": "0.2,1.9", "--grid": "5", "--path": "0.5,0.7",
    "--by": "growth", "--alpha": "0.1,2,5", "--tau": "0,2,5", "--factors": "1.1", "--splits": "2",
    "--test": "0.4", "--p": "3", "--chunk": "1", "--classes": "0,1", "--drop": "b", "--norm": "3",
    "--rho": "0.7", "--data": "digits:3,5", "--csv": "table.csv", "--label": "y", "--mu": "1,3",
}  # fmt: skip
NO_USE = {  # what changes nothing here, and says so or is a fact of the flow all the same
    "--loss": "limits as t -> inf are the same for both losses",
    "--refine": "boundaries are in files; regions that are known have exact fractions",
    "--rtol": "closed forms have none: said in --help",
    **dict.fromkeys("--json --out --proof --prove --resume --store --jobs --scheduler".split(), ""),
    **dict.fromkeys("--retry-failed --dry-run --quiet".split(), ""),
}  # fmt: skip
USED = (
    "limit --mu 1,-2 --rho 1 --init 1.5,1.2",
    "limit --mu 1,-2 --norm 2 --rho 1 --depth 3 --init 1.5,1.2",
    SIMULATE.replace("1,2", "1,-2"),
    "simulate --csv table.csv --label y --norm none --init 1 --log-t-end 1",
    PORTRAIT,
    PORTRAIT.replace("--grid 4", "--plane segment --init 1,1 --init 2,1"),
    "portrait --mu 1,2 --plane radius --init 1,1 --grid 4",
    AMPLIFICATION.replace("1,2", "1,-2") + " --init 0.7,0.8",
    "derive --norm 3",
)


def told(words, capsys):
    """Exit code and output of a line."""
    code = main(words)
    out, _ = capsys.readouterr()
    return code, out


@pytest.mark.parametrize("line", USED)
def test_an_option_is_used_or_refused(line, capsys):
    words = line.split()
    before = told(words, capsys)
    assert before[0] == 0
    for option in importlib.import_module(f"flowsam.cli.{words[0]}").OPTIONS:
        if option.name in NO_USE or option.name in words:
            continue
        value = [] if option.kind is FLAG else [VALUES[option.name]]
        code, out = told([*words, option.name, *value], capsys)
        assert code == 2 or out != before[1], (line, option.name, value)
