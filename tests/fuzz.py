"""Wrong objects and odd numbers for every public function, command and file; counts what they do.

`python -m tests.fuzz [CALLS [COMMANDS [FILES]]] [--seed N]` draws so many of each, prints every
fault with the text that repeats it, and the counts. A fault is a foreign exception, a warning, a
message of several lines, a wrong object taken in silence, or ten seconds without an answer. The
suite keeps the text of every fault found so far in tests/fuzz_seeds.py.
"""

import argparse
import contextlib
import io
import os
import random
import shlex
import signal
import tempfile
import warnings
from collections import Counter
from pathlib import Path

import numpy as np

import flowsam
from flowsam import amplification, draw, portrait, rates, regions  # noqa: F401 - named by texts
from flowsam.cli import main
from flowsam.errors import InputError
from flowsam.portrait import load as load_portrait
from flowsam.trajectory import load as load_trajectory

SECONDS = 10
NAMES = {
    name: getattr(module, name)
    for module in (flowsam, amplification, rates, regions)
    for name in module.__all__
} | {"np": np, "flowsam": flowsam}
FLOWS = (
    "Flow(single_example([1, 2]), linf(1))",
    "Flow(single_example([1, 2]), l2(0.5))",
    "Flow(single_example([1, -2]), lp(0.5, p=3))",
    "Flow(single_example([1, 2]), lp(0.5, p=1))",
    "Flow(single_example([1, 2]), unnormalised(0.5))",
    "Flow(single_example([1, 2]), gradient_flow(), exponential)",
    "Flow(Data([[1, 2], [2, 1]]), l2(0.5))",
    "Flow(Data([[1, 2], [-1, 1]]), linf(0.5))",
    "Flow(Data([[1, 2], [-1, -2]]), gradient_flow())",
)
THETAS = ("[[1.5, 0.6]] * 2", "[[1.5, 0.6]] * 3", "[[1.5, 0.6]]", "[[1.5, -0.6], [0.3, 2]]")
PORTRAIT = "phase_portrait(Flow(single_example([1, 2]), linf(1)), [0.5, 2], [0.5, 2])"
# A call by name: each parameter with the kind of object it takes, and a good value or several.
CALLS = {
    "Data": {"z": ("array", "[[1, 2]]")},
    "Perturbation": {"p": ("number", "2"), "rho": ("number", "1")},
    "Flow": {"data": ("noun", "single_example([1])"), "perturbation": ("rule", "l2(1)")},
    "Batches": {"batch": ("whole", "1"), "shard": ("whole?", "None"), "seed": ("whole", "0")},
    "single_example": {"mu": ("array", "[1, 2]")},
    "from_labels": {"X": ("array", "[[1.0], [2.0]]"), "y": ("labels", "[0, 1]")},
    "split_signs": {"data": ("noun", "Data([[1, 2]])")},
    "beta": {"theta": ("array", *THETAS)},
    "balanced": {"alpha": ("array", "[1.5, 0.6]"), "depth": ("whole", "2", "3")},
    "linf": {"rho": ("number", "1")},
    "l2": {"rho": ("number", "1")},
    "lp": {"rho": ("number", "1"), "p": ("number", "3")},
    "unnormalised": {"rho": ("number", "1")},
    "solve": {
        "flow": ("noun", *FLOWS),
        "theta0": ("array", *THETAS),
        "tau_end": ("number?", "1.0"),
        "method": ("word", "'auto'", "'DOP853'"),
        "rtol": ("number", "1e-6"),
        "atol": ("number", "1e-9"),
        "save_at": ("rows?", "None", "3"),
    },
    "solve_many": {
        "flow": ("noun", *FLOWS),
        "theta0s": ("array", "[[[1.5, 0.6]] * 2] * 2"),
        "tau_end": ("number", "1.0"),
        "rtol": ("number", "1e-6"),
        "method": ("word", "'auto'", "'DOP853'"),
    },
    "iterate": {
        "flow": ("noun", *FLOWS),
        "theta0": ("array", *THETAS),
        "learning_rate": ("number", "0.01"),
        "steps": ("whole", "5"),
        "save_every": ("whole", "1"),
        "batches": ("noun?", "None"),
    },
    "limit": {"flow": ("noun", *FLOWS), "theta0": ("array", *THETAS)},
    "limits": {"flow": ("noun", *FLOWS), "theta0s": ("array", "[[[1.5, 0.6]] * 2] * 2")},
    "phase_portrait": {
        "flow": ("noun", *FLOWS[:6]),
        "x": ("array", "[0.5, 1.5]"),
        "y": ("array", "[0.5, 1.5]"),
        "depth": ("whole", "2", "3"),
        "start": ("function?", "None"),
    },
    "refine": {
        "portrait": ("noun", PORTRAIT),
        "levels": ("whole", "2"),
    },
    "max_margin": {"data": ("noun", "Data([[1, 2], [2, 1]])"), "norm": ("whole", "1", "2")},
    "margin_certificate": {
        "data": ("noun", "Data([[1, 2], [2, 1]])"),
        "norm": ("whole", "1", "2"),
        "beta": ("array", "[1, 1]"),
    },
    "critical_scale": {"mu": ("array", "[1, 2]"), "rho": ("number", "1")},
    "regimes": {"mu": ("array", "[1, 2]"), "rho": ("number", "1")},
    "leaders": {
        "theta0": ("array", "[[1.5, 0.6]] * 2"),
        "mu": ("array", "[1, 2]"),
        "rho": ("number", "1"),
        "by": ("word", "'size'"),
    },
    "dominance": {
        "mu": ("array", "[1, 2]"),
        "rho": ("number", "1"),
        "alpha": ("array", "[0.5, 1]"),
        "tau": ("array", "[0, 1]"),
    },
    "pattern": {"theta0": ("array", "[[1.5, 0.6]] * 2"), "mu": ("array", "[1, 2]"),
        "rho": ("number", "1")},
    "fastest": {"theta0": ("array", "[[1.5, 0.6]] * 2"), "mu": ("array", "[1, 2]"),
        "rho": ("number", "1")},
    "collapse_exponents": {
        "theta0": ("array", "[[0.1, 0.1]] * 2"), "mu": ("array", "[1, 2]"), "rho": ("number", "1"),
    },
    "uniform_leaders": {"mu": ("array", "[1, 2]"), "rho": ("number", "1"), "alpha": ("number",
        "0.5")},
    "regions": {"mu": ("array", "[1, 2]"), "rho": ("number", "1"), "depth": ("whole", "2")},
    "late_log_loss": {
        "log_t": ("array", "[10, 100]"), "mu": ("number", "1"), "depth": ("whole", "2"),
        "rule": ("noun", "linf(1)"),
    },
    "depth_one_loss": {"data": ("noun", "Data([[1, 2], [2, 1]])"), "rule": ("noun", "l2(1)")},
    "estimated_exponent": {"log_t": ("array", "[1, 2]"), "values": ("array", "[1, 2]")},
}  # fmt: skip
NO_NUMBER = (
    "'x'", "''", "b'1'", "1j", "object()", "{}", "{1}", "(lambda: 0)", "[None]", "[[1], [2, 3]]",
    "np.datetime64('2020')", "np.ma.masked", "single_example([1])", "l2(1)", "float", "['a']",
    "np.array([1], dtype=object)[:0]", "np.zeros(2, dtype='i4,f8')", "[1j, 2]", "...",
)  # fmt: skip
ODD = (
    "float('nan')", "float('inf')", "-float('inf')", "-1", "0", "-0.0", "1e308", "1.7e308",
    "5e-324",
    "1e-320", "1e160", "10**400", "2**63", "-2**63", "0.5", "1e17", "1e-17", "np.float16(1)",
    "np.int8(2)", "np.float64('nan')", "3", "2**31", "1e3",
)  # fmt: skip
ODD_ARRAYS = (
    "[]", "[[]]", "[[[]]]", "3", "[float('nan')] * 2", "[[float('inf'), 1]] * 2", "[0, 0]",
    "[[0, 0]] * 2", "[1]", "[1, 2, 3]", "[[1, 2, 3]] * 2", "[1e308, 1e308]", "[[1e308, 1]] * 2",
    "[[1e160, 1e160]] * 4", "[5e-324, 1]", "[[5e-324, 1]] * 2", "[[1e-200, 1e-200]] * 3",
    "[-1, -2]",
    "[[-1, -2]] * 2", "range(2)", "np.ones((2, 2, 2))", "np.ones((2, 2), dtype='f2')",
    "np.ones((2, 0))", "np.ones((0, 2, 2))", "[[True, False]] * 2", "[1, 1]", "[[1, 1]] * 2",
    "[[1e17, 1]] * 2", "[[1e-17, 1]] * 2", "np.ma.masked_array([1, 2], [0, 1])", "[1e200, 1e-200]",
    "[2, 1]", "[[1, 2], [1, 2]]", "[[1e154, 1e-154]] * 2", "np.full((2, 2), 1e77)",
)  # fmt: skip
WORDS = (
    "'exact'",
    "'discrete'",
    "'smoothed'",
    "'Radau'",
    "'heyoka'",
    "'RK23'",
    "'nothing'",
    "'LSODA'",
)
WRONG = {  # what no parameter of a kind may take, with "?": None may be left out
    "array": ("None", *NO_NUMBER),
    "labels": ("None", "1j", "object()", "single_example([1])", "[[0, 1]]", "[0, None]"),
    "number": ("None", "True", "[1, 2]", "[]", *NO_NUMBER),
    "whole": ("None", "True", "2.5", "float('nan')", "[1, 2]", *NO_NUMBER),
    "noun": (
        "None",
        "1",
        "[1, 2]",
        *(w for w in NO_NUMBER if "example" not in w and "l2" not in w),
    ),
    "rule": ("None", "1", "[1, 2]", "'x'", "{}", "object()", "...", "single_example([1])"),
    "word": ("None", "1", "['a']", "object()", "b'auto'", "float", "...", "{}"),
    "function": ("1", "'x'", "[1]", "{}", "object()", "..."),
    "rows": ("'x'", "1j", "object()", "{}", "float", "['a']", "...", "True"),
}
FIT = {  # odd, and either answered or refused
    "array": ODD_ARRAYS,
    "labels": ("[]", "[1, 1]", "[0, 1, 2]", "[float('nan'), 1]", "['a', 'b']", "[True, False]"),
    "number": ODD,
    "whole": (*ODD[3:5], "2**63", "-2**63", "2**31", "3", "np.int8(2)", "10", "1"),
    "noun": (),
    "rule": (),
    "word": WORDS,
    "function": ("layer_plane",),
    "rows": ("0", "1", "-1", "2**40", "[]", "[0, 1]", "[1, 0]", "[float('nan')]", "[-1, 2]", "0.5"),
}


class Slow(BaseException):
    """No answer in time."""


def api_call(choose):
    """A call as text, and whether it must be refused."""
    name = choose(sorted(CALLS))
    parameters = CALLS[name]
    given = {key: choose(kinds[1:]) for key, kinds in parameters.items()}
    changed = {choose(sorted(parameters)) for _ in range(choose((1, 1, 2)))}
    must = False
    for key in sorted(changed):
        kind = parameters[key][0]
        wrong = WRONG[kind.rstrip("?")]
        if kind.endswith("?"):
            wrong = tuple(w for w in wrong if w != "None")
        wrong_one = choose((True, False)) or not FIT[kind.rstrip("?")]
        must |= wrong_one
        given[key] = choose(wrong if wrong_one else FIT[kind.rstrip("?")])
    return f"{name}({', '.join(f'{key}={value}' for key, value in given.items())})", must


def judged(work, must):
    """What a piece of work did: answered, refused, or the fault in words."""

    def stop(*_):
        raise Slow

    before = signal.signal(signal.SIGVTALRM, stop)
    signal.setitimer(signal.ITIMER_VIRTUAL, SECONDS)
    try:
        with warnings.catch_warnings(record=True) as heard:
            warnings.simplefilter("always")
            try:
                work()
                found = "taken in silence" if must else "answered"
            except InputError as error:
                found = "a message of several lines" if "\n" in str(error) else "refused"
            except Slow:
                found = f"no answer in {SECONDS} s"
            except Exception as error:
                found = f"{type(error).__name__}: {str(error).splitlines()[:1]}"
        if heard:
            found = f"warning: {heard[0].message}"
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)
    return found


def judged_call(text, must):
    """What a call does, under NumPy's default state and where everything is an error."""

    def work():
        return eval(text, dict(NAMES))  # noqa: S307 - our own text

    found = judged(work, must)
    if found == "answered":
        with np.errstate(all="raise"):
            again = judged(work, must)
        found = again if again != "answered" else found
    return found


GOOD = ("answered", "refused")
COMMON = {"--mu": ("1,2",), "--rho": ("1",), "--norm": ("inf", "2", "3", "1")}
START = {"--init": ("1.5,0.6",), "--depth": ("2", "3", "1")}
COMMANDS = {
    "simulate": COMMON | START | {"--tau-end": ("1",), "--rows": ("3",), "--rtol": ("1e-6",)},
    "limit": COMMON | START,
    "portrait": COMMON | {"--grid": ("3",), "--x": ("0.5,2",), "--plane": ("balanced",)},
    "amplification": {"--mu": ("1,2",), "--rho": ("1",), "--init": ("0.5",), "--by": ("size",)},
    "derive": {"--depth": ("2",), "--norm": ("inf",), "--loss": ("logistic",)},
    "features": {"--csv": ("table.csv",), "--label": ("y",), "--rho": ("0.1",),
                 "--splits": ("1",), "--test": ("0.25",),
                 "--factors": ("1.5",), "--log-t-end": ("1",), "--norm": ("2",)},
    "sweep": {"FILE": ("case.toml",), "--chunk": ("1",), "--dry-run": (None,), "--jobs": ("1",)},
    "verify": {"NAME": ("dual_norm",), "--seed": ("1",), "--source": ("nowhere",)},
}  # fmt: skip
TEXTS = (
    "", " ", "x", "nan", "inf", "-inf", "1e400", "-1", "0", "1,", ",", "1,x", "1,nan", "1,inf",
    "0,0",
    "1e308,1e308", "1e9", "5e-324", "1e-320", "1;2", "1 2", "None", "True", "[1,2]", "1j", "0x10",
    "1,2,3", "10**9", "\N{ARABIC-INDIC DIGIT THREE}", "1_000", "../x", "/", "a\x1b[31mb", "$\\foo$",
    "99999999999999999999", "1e17,1", "2.5", "1e-17", "-0.0", "1e160,1e160", "two", "none", ".5",
    "5",
)  # fmt: skip
NUMERIC = {"--rho", "--mu", "--init", "--tau-end", "--rows", "--rtol", "--grid", "--x", "--depth",
           "--splits", "--factors", "--log-t-end", "--test", "--chunk", "--jobs",
           "--seed"}  # fmt: skip
NEVER = {"x", "nan", "1,x", "1,nan", "None", "True", "[1,2]", "1j", "../x", "/", "two", "none", ""}
FILES = {
    "table.csv": "a,b,y\n" + "\n".join(f"{k},{(k * 7) % 5},{k % 2}" for k in range(12)) + "\n",
    "case.toml": "[case]\nmu = [1, 2]\nalpha = [1.5, 0.6]\n[axes]\nrho = [0.5, 1.0]\n",
}
TOML_LINES = (
    "measure = [':']", "measure = [1]", "measure = 3", "scale = 'a'", "scale = nan", "seed = 1.5",
    "random = [2, 1]", "depth = 2.5", "depth = 0", "depth = 10000000", "rho = inf", "mu = []",
    "mu = [[1]]", "alpha = [nan, 1]", "norm = 3.5", "norm = []", "loss = 3", "folder = 3", "x = ",
    "tau_end = 'x'", "method = 1", "plane = 3", "aligned = 3", "z = [[1], [2, 3]]", "z = 'ab'",
    "csv = 'none.csv'", "data = 'nothing'", "theta = [[1]]", "[axes.rho]", "mu = 1979-05-27",
    "measure = ['portrait']", "measure = ['switch_times']", "switches = 'a'", "split_signs = 3",
)  # fmt: skip
CSV_LINES = (
    "1,2",
    "1,2,3,4",
    ",,",
    "nan,1,0",
    "inf,1,0",
    "x,1,0",
    "1,1,",
    '"',
    "1,1,2",
    "\x00,1,0",
    "1e400,1,0",
    "1;2;0",
    "\ufeff1,2,0",
    "-,-,-",
    "1,1,?",
    "\x1b[2J,1,1",
)


def cli_call(choose):
    """A command line as text with the files it finds, and whether it must be refused."""
    name = choose(sorted(COMMANDS))
    given = {key: choose(values) for key, values in COMMANDS[name].items()}
    if name != "sweep" and choose((True, False)) and name not in ("features", "verify"):
        given["--out"] = choose(("a.npz", "a.json", "a.png", "a.npy", "none/a.npz", "a.x", "", "."))
    files, must = dict(FILES), False
    lines = {"sweep": TOML_LINES, "features": CSV_LINES}.get(name)
    if lines and choose((True, False)):
        file = "case.toml" if name == "sweep" else "table.csv"
        parts = files[file].split("\n")
        parts.insert(choose(range(len(parts))), choose(lines))
        files[file] = "\n".join(parts)
    else:
        key = choose(sorted(given))
        given[key] = choose(TEXTS)
        must = key in NUMERIC and given[key] in NEVER
    words = [name]
    for key, value in given.items():
        words += [key] if key.startswith("--") and value is None else []
        words += [f"{key}={value}"] if key.startswith("--") and value is not None else []
        words += [value or ""] if not key.startswith("--") else []
    return words, files, must


def judged_command(words, files, must):
    """What a command does in a folder of its own: exit code, output, what it leaves."""
    out, err = io.StringIO(), io.StringIO()
    codes = []
    here = os.getcwd()
    with tempfile.TemporaryDirectory() as folder:
        for name, text in files.items():
            Path(folder, name).write_text(text, encoding="utf-8")

        def work():
            with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
                codes.append(main(words))

        os.chdir(folder)
        try:
            found = judged(work, False)
            left = {path.name for path in Path(folder).iterdir()} - set(files)
        finally:
            os.chdir(here)
    if found != "answered":
        return found
    code = codes[0]
    if code == 2:
        lines = [line for line in err.getvalue().splitlines() if "note:" not in line]
        if len(lines) != 1 or left - {"x"}:
            return f"exit code 2 with {len(lines)} lines, leaving {sorted(left)}"
        return (
            "refused" if "\x1b" not in err.getvalue() else "an escape sequence reaches the screen"
        )
    if code not in (0, 1):
        return f"exit code {code}"
    if "\x1b" in out.getvalue() + err.getvalue():
        return "an escape sequence reaches the screen"
    return "taken in silence" if must else "answered"


def damaged_file(choose):
    """A damage to a file: kind of file, kind of damage, place as a share."""
    kind = choose(("trajectory", "portrait", "store"))
    return kind, choose(("flip", "cut", "zero", "double")), choose(range(10_000)) / 10_000


def damaged(content, harm, share):
    """The bytes of a file after a damage."""
    place = int(share * len(content))
    if harm == "cut":
        return content[:place]
    if harm == "double":
        return content + content[place:]
    wrong = bytearray(content)
    if harm == "zero":
        wrong[place : place + 16] = bytes(len(wrong[place : place + 16]))
    else:
        wrong[place] ^= 1 << int(share * 10_000) % 8
    return bytes(wrong)


def judged_file(kind, harm, share):
    """What reading a damaged file does: refused, or the numbers that were written."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "file.npz")
        flow = NAMES["Flow"](NAMES["single_example"]([1, 2]), NAMES["linf"](1))
        if kind == "store":
            return judged(lambda: _store(Path(folder), harm, share), False)
        if kind == "trajectory":
            run = NAMES["solve"](flow, [[1.5, 0.6]] * 2, tau_end=1)
            run.save(path)
        else:
            run = NAMES["phase_portrait"](flow, [0.5, 1.5], [0.5, 1.5])
            run.save(path)
        path.write_bytes(damaged(path.read_bytes(), harm, share))

        def work():
            if kind == "trajectory":
                same = np.array_equal(load_trajectory(path).theta, run.theta)
            else:
                same = np.array_equal(load_portrait(path).labels, run.labels)
            assert same, "other numbers are taken"

        return judged(work, False)


def _store(folder, harm, share):
    """Damage one file of a sweep's store, resume, and compare."""
    case = {"mu": [1, 2], "alpha": [1.5, 0.6], "measure": ["label"]}
    axes = {"rho": [0.5, 1.0], "norm": ["2", "inf"]}
    right = NAMES["sweep"](case, axes, store=folder / "s", chunk=2).load()
    files = sorted(path for path in (folder / "s").rglob("*") if path.is_file())
    files = [path for path in files if path.stat().st_size]
    path = files[int(share * len(files))]
    path.write_bytes(damaged(path.read_bytes(), harm, share * len(files) % 1))
    again = NAMES["sweep"](case, axes, store=folder / "s", resume="unfinished").load()
    assert np.array_equal(again.label, right.label) and (again.state == 1).all()
    assert again.rho.values.tolist() == axes["rho"] and again.norm.values.tolist() == axes["norm"]


def campaign(calls, commands, files, seed):
    """Draw and judge; return the counts and the faults with what repeats them."""
    choose = random.Random(seed).choice
    counts, faults = Counter(), []
    work = [("call", api_call, judged_call)] * calls
    work += [("command", cli_call, judged_command)] * commands
    work += [("file", damaged_file, judged_file)] * files
    for kind, drawn, judge in work:
        case = drawn(choose)
        found = judge(*case)
        counts[kind, found if found in GOOD else "fault"] += 1
        if found not in GOOD:
            faults.append((kind, case, found))
    return counts, faults


def shown(kind, case):
    """A case as a line."""
    return shlex.join(case[0]) if kind == "command" else str(case if kind == "file" else case[0])


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("numbers", nargs="*", type=int, default=[2000, 1000, 300])
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    found, wrong = campaign(*[*asked.numbers, 0, 0][:3], asked.seed)
    for kind, case, what in wrong:
        print(f"{kind}: {shown(kind, case)}\n    {what}")
    for (kind, what), number in sorted(found.items()):
        print(f"{number:6d} {kind}s {what}")
