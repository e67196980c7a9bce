"""Fifteen deliberate faults of the package, each of which the tests must notice.

    python -m tests.mutations

copies the checkout into a temporary folder once a fault, makes it there, and runs the named tests,
which have to pass without it and to fail with it. Exit code 1 unless all are caught. A fault whose
text is not in the source exactly once is an error, not a success: change it with the source.
"""

import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from flowsam.workers import each

ROOT = Path(__file__).parents[1]
COPIED = ("flowsam", "tests", "derivations", "setup.cfg")


@dataclass(frozen=True)
class Mutation:
    """A fault: in `file` the text `old` becomes `new`; `tests` notice it."""

    name: str
    file: str
    old: str
    new: str
    tests: tuple[str, ...]


MUTATIONS = (
    Mutation(
        "a sign flipped",
        "flowsam/flow.py",
        "return theta + rule.ascent(theta, -rule.sized(descent, log_scale))",
        "return theta - rule.ascent(theta, -rule.sized(descent, log_scale))",
        ("tests/test_flow.py",),
    ),
    Mutation(
        "rho dropped",
        "flowsam/exact/linf_balanced.py",
        "return self.a - self.alignment * self.rho",
        "return self.a",
        ("tests/test_linf_balanced.py",),
    ),
    Mutation(
        "half the perturbation",
        "flowsam/perturbations.py",
        "return np.copysign(self.rho, g) * (g != 0)",
        "return np.copysign(self.rho / 2, g) * (g != 0)",
        ("tests/test_perturbations.py",),
    ),
    Mutation(
        "1 % faster clock",
        "flowsam/engines/clock.py",
        "np.logaddexp(0.0, log_t[np.searchsorted(rows, finite)])",
        "np.logaddexp(0.0, np.log(1.01) + log_t[np.searchsorted(rows, finite)])",
        ("tests/test_clock.py",),
    ),
    Mutation(
        "norms swapped",
        "flowsam/margin/maximum.py",
        "lightest_separator if norm == 1 else",
        "lightest_separator if norm == 2 else",
        ("tests/test_margin.py",),
    ),
    Mutation(
        "layers mixed",
        "flowsam/symbolic.py",
        "            out[..., layer, :] = value",
        "            out[..., layer - 1, :] = value",
        ("tests/test_symbolic.py",),
    ),
    Mutation(
        "> for >= at alpha = rho",
        "flowsam/exact/linf_balanced.py",
        "(aligned & (self.z > 0), Fate.ESCAPE)",
        "(aligned & (self.z >= 0), Fate.ESCAPE)",
        ("tests/theorems/test_linf_trichotomy.py",),
    ),
    Mutation(
        "the winner's score without its power",
        "flowsam/exact/linf_balanced.py",
        "return np.where(escapes, self._scale(self.z), np.inf)",
        "return np.where(escapes, self._scale(np.sign(self.z)), np.inf)",
        ("tests/theorems/test_linf_limit.py",),
    ),
    Mutation(
        "the sliding removed",
        "flowsam/one_example/filippov.py",
        "if a <= 0 <= b:",
        "if a < b < a:",
        ("tests/test_filippov.py",),
    ),
    Mutation(
        "the log-softmax unshifted",
        "flowsam/losses.py",
        "raised = np.exp(logs - logs.max(axis=axis, keepdims=True))",
        "raised = np.exp(logs)",
        ("tests/test_losses.py", "tests/test_flow.py"),
    ),
    Mutation(
        "two rows swapped",
        "flowsam/regimes.py",
        '"l_2": (_LINE, _L2, _L2_DEEP),',
        '"l_2": (_LINE, _L2_DEEP, _L2),',
        ("tests/test_regimes.py",),
    ),
    Mutation(
        "a row's verdict for another's",
        "flowsam/regimes.py",
        '"outcomes.theorems:by_theorem"',
        '"outcomes.theorems:by_curve"',
        ("tests/test_regimes.py",),
    ),
    Mutation(
        "forms chosen per block",
        "flowsam/regimes.py",
        "mine = left & form.applies(starts, self.mu)",
        "mine = left & form.applies(starts, self.mu).all()",
        ("tests/test_regimes.py",),
    ),
    Mutation(
        "rho for the gate of a coordinate alone",
        "flowsam/exact/__init__.py",
        "return rule.gate(depth) if self.alone else rule.rho",
        "return rule.rho",
        ("tests/test_regimes.py",),
    ),
    Mutation(
        "a subclass taken for its parent",
        "flowsam/flow.py",
        'return "own" if self.own_field else self.perturbation.kind',
        "return self.perturbation.kind",
        ("tests/test_regimes.py",),
    ),
)


def mutated(mutation, root=ROOT):
    """Return the text of a file with the fault in it."""
    text = (root / mutation.file).read_text(encoding="utf-8")
    if text.count(mutation.old) != 1:
        raise LookupError(
            f"{mutation.name}: {mutation.file} has {text.count(mutation.old)} places with "
            f"{mutation.old!r}, not one; change tests/mutations.py with the source"
        )
    return text.replace(mutation.old, mutation.new)


def fails(mutation, tests, seconds=300):
    """Whether the tests fail on a copy of the checkout with a fault in it, or with none."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder).resolve()
        for name in COPIED:
            place = ROOT / name
            (shutil.copytree if place.is_dir() else shutil.copy)(place, copy / name)
        if mutation:
            (copy / mutation.file).write_text(mutated(mutation), encoding="utf-8")
        run = partial(subprocess.run, cwd=copy, capture_output=True, text=True, timeout=seconds)
        where = run([sys.executable, "-c", "import flowsam; print(flowsam.__file__)"]).stdout
        assert where.startswith(str(copy)), f"the tests would import {where.strip()}"
        flags = ("-x", "-q", "-n0", "-p", "no:cacheprovider")
        done = run([sys.executable, "-m", "pytest", *flags, *tests])
        assert done.returncode in (0, 1), f"the tests did not run: {done.stdout}{done.stderr}"
        return done.returncode == 1


def caught(mutation):
    """Whether the tests of a fault notice it."""
    return fails(mutation, mutation.tests)


def main():
    """Report each fault and how many of all are caught."""
    for mutation in MUTATIONS:
        mutated(mutation)
    everything = sorted({name for mutation in MUTATIONS for name in mutation.tests})
    assert not fails(None, everything), f"without a fault these fail: {' '.join(everything)}"
    found = each(caught, MUTATIONS, unit="fault")
    for mutation, noticed in zip(MUTATIONS, found, strict=True):
        print(f"{'caught' if noticed else 'MISSED':8}{mutation.name} ({mutation.file})")
    print(f"{sum(found)} of {len(found)}")
    return 0 if all(found) else 1


if __name__ == "__main__":
    sys.exit(main())
