"""What this source costs beside another revision, and beside what a user would pick instead.

The same work in turn, one thread.

python -m tests.benchmarks.compare REVISION [--only WORDS ...] [--rounds 3] [--out FILE.json]

prints a table, and writes it as JSON and, beside it, as a picture.

Processor seconds, the least of several fresh processes each; ratios are the other's over ours:
that of the revision, or of a bare `solve_ivp`, PyTorch or diffrax on single runs ("rivals").
Errors of the large runs are relative, against our steps at a tolerance 1e-3 times as large. A first
answer is told in starts of a Python that does nothing.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import venv
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from figures.timing import relative_error

HERE = Path(__file__).resolve().parents[2]
GROUPS = {"LIMITS": 2.0, "WIDE": 1.0, "BALANCED": 5.0, "FREE": 10.0, "KEPT": 0.95}  # ratios asked
SECONDS = 2.0  # asked of a wide start; an earlier revision may take hours
PARTS = ("start", "rivals")
SHORT = 3  # calls in a process, of what takes no seconds
LIMIT = ["-m", "flowsam", "limit", "--mu", "1,2", "--rho", "1", "--init", "1.5,.6"]
FIRST = {
    "bare Python": (["-c", "pass"], None),
    "import numpy": (["-c", "import numpy"], None),
    "import argparse": (["-c", "import argparse"], None),
    "flowsam limit": (LIMIT, 12.0),
    "a bad option": ([*LIMIT, "--sharp", "3"], 4.0),
}


@dataclass
class Row:
    """One case: what both take, and how wrong both are."""

    case: str
    base: float
    ours: float
    asked: float | None = None
    errors: tuple[float, float] | None = None

    @property
    def ratio(self):
        """How many times faster than the revision."""
        return self.base / self.ours


def environment(source):
    """One thread, and flowsam of a source, which is compiled once and not at every start."""
    single = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    return os.environ | single | {"PYTHONPATH": str(source), "PYTHONDONTWRITEBYTECODE": ""}


class Sources:
    """The folders of both sources and one for numbers."""

    def __init__(self, base, numbers):
        self.folders, self.numbers = {"base": base, "ours": HERE}, Path(numbers)

    def seconds(self, which, case, repeats):
        """Seconds of a case in a fresh process, and its numbers; no repeats: the reference."""
        path = self.numbers / f"{which if repeats else 'tight'}.npy"
        words = [HERE / "tests/benchmarks/compared.py", case, str(repeats), path]
        how = {"cwd": self.numbers, "env": environment(self.folders[which])}
        run = subprocess.run(
            [sys.executable, *words], **how, check=True, text=True, stdout=subprocess.PIPE
        )
        return float(run.stdout or "nan"), np.load(path)

    def row(self, case, group, rounds):
        """Compare one case."""
        if group == "WIDE":
            ours = self.seconds("ours", case, 1)[0]
            return Row(f"{case}, beside {SECONDS:g} s", SECONDS, ours, GROUPS[group])
        slow = group in ("BALANCED", "FREE")
        least, found = {"base": np.inf, "ours": np.inf}, {}
        for _ in range(1 if slow else rounds):
            for which in least:
                took, found[which] = self.seconds(which, case, 1 if slow else SHORT)
                least[which] = min(least[which], took)
        row = Row(case, **least, asked=GROUPS[group])
        if slow:
            tight = self.seconds("ours", case, 0)[1]
            row.errors = tuple(relative_error(found[which], tight) for which in least)
        elif group == "LIMITS" and (found["base"] != found["ours"]).any():
            row.case += f" (labels {found['base']} -> {found['ours']})"
        return row

    def first(self, rounds):
        """Processor seconds of whole processes, from their start to their end."""
        python = plain_python(self.numbers / "plain")
        for name, (words, asked) in FIRST.items():
            least = {"base": np.inf, "ours": np.inf}
            for _ in range(4 * rounds):
                for which in least:
                    how = {"cwd": self.numbers, "env": environment(self.folders[which])}
                    took = spent([python, *words], **how)
                    least[which] = min(least[which], took)
            yield Row(name, **least, asked=asked)

    def rivals(self, rounds):
        """Single runs of `solve` beside others, in one process."""
        path = self.numbers / "rivals.json"
        words = [sys.executable, "-m", "tests.benchmarks.bench_run", str(10 * rounds), path]
        how = {"cwd": HERE, "env": environment(HERE)}
        subprocess.run(words, **how, check=True, stdout=subprocess.DEVNULL)
        for found in json.loads(path.read_text()):
            (bare, ours, _), (error, own) = found["ms"], found["errors"]
            asked = 1 / 1.5 if found["calls"] else 1 / 3  # a closed form calls nothing
            where = f"than {{}}, {found['case']}"
            calls = f"solve_ivp, {found['calls']:.2f} calls"
            yield Row(where.format(calls), bare / 1e3, ours / 1e3, asked, (error, own))
            loops = [ms / 1e3 for ms in found["loop ms"]]
            yield Row(where.format("a loop of solve_ivp"), *loops, asked)
            for name, (other, error) in found["others"].items():
                yield Row(where.format(name), other / 1e3, ours / 1e3, 1.0, (error, own))


def plain_python(folder):
    """A Python whose start runs no package's own start, with the packages of this one."""
    venv.create(folder, with_pip=False)
    packages = next(folder.glob("lib/python*/site-packages"))
    (packages / "here.pth").write_text("\n".join(path for path in sys.path if "-packages" in path))
    return folder / "bin" / "python"


def spent(words, **how):
    """Processor seconds of a child."""
    from resource import RUSAGE_CHILDREN, getrusage  # not on Windows

    before = getrusage(RUSAGE_CHILDREN)
    subprocess.run(words, capture_output=True, check=False, **how)
    after = getrusage(RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def show(row):
    """Print a line."""
    errors = "" if row.errors is None else "  errors {:.1e} -> {:.1e}".format(*row.errors)
    print(
        f"{row.case:42} {row.base:9.4g} -> {row.ours:9.4g} s  {row.ratio:6.2f} times, "
        f"asked {row.asked:g}{errors}",
        flush=True,
    )


def show_first(rows):
    """Print the starts in units of a bare one."""
    bare = rows[0]
    for row in rows:
        asked = "" if row.asked is None else f", asked {row.asked:g}"
        print(
            f"{row.case:20} {row.base / bare.base:6.1f} -> {row.ours / bare.ours:6.1f} "
            f"bare starts ({row.ours:.3f} s){asked}"
        )


def draw(rows, path):
    """Write ratios as bars, with the ratio asked of each as a mark."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6.75, 0.5 + 0.22 * len(rows)), layout="constrained")
    axes = figure.subplots()
    names = [row.case.partition(" (labels")[0] for row in rows]
    times = np.array([row.ratio for row in rows])
    colors = ["#E69F00" if name.startswith("than ") else "#0072B2" for name in names]
    axes.barh(names, times - 1.0, left=1.0, color=colors)
    axes.plot([row.asked for row in rows], names, "k|", markersize=9)
    axes.axvline(1.0, color="black", linewidth=0.8)
    axes.invert_yaxis()
    axes.set_xscale("log")
    what = "times as fast as a revision (blue), than others (orange); marks: as fast as asked"
    figure.suptitle(what, fontsize="medium")
    figure.savefig(path, dpi=200)


def unpacked(revision, folder, *paths):
    """Write the files of a revision to a folder, or some of them."""
    words = ["git", "archive", revision, *paths]
    tar = subprocess.run(words, cwd=HERE, check=True, stdout=subprocess.PIPE)
    subprocess.run(["tar", "x", "-C", folder], input=tar.stdout, check=True)


def main():
    """Compare, print and write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("revision")
    parser.add_argument(
        "--only", nargs="*", default=["", *PARTS], help="words of cases; start; rivals"
    )
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--out", type=Path, default=Path("compare.json"))
    asked = parser.parse_args()
    from tests.benchmarks import compared

    rows, first = [], []
    with tempfile.TemporaryDirectory() as base, tempfile.TemporaryDirectory() as numbers:
        unpacked(asked.revision, base)
        sources = Sources(base, numbers)
        for group in GROUPS:
            for case in getattr(compared, group):
                if any(word in case for word in asked.only if word not in PARTS):
                    show(row := sources.row(case, group, asked.rounds))
                    rows.append(row)
        for row in sources.rivals(asked.rounds) if "rivals" in asked.only else ():
            show(row)
            rows.append(row)
        if "start" in asked.only:
            show_first(first := list(sources.first(asked.rounds)))
    facts = {"revision": asked.revision, "python": platform.python_version()}
    facts |= {"numpy": np.__version__, "machine": platform.machine(), "threads": 1}
    facts |= {"rows": [asdict(row) for row in rows], "first": [asdict(row) for row in first]}
    asked.out.write_text(json.dumps(facts, indent=1))
    print(f"written: {asked.out}")
    if rows:
        draw(rows, picture := asked.out.with_suffix(".png"))
        print(f"drawn: {picture}")


if __name__ == "__main__":
    main()
