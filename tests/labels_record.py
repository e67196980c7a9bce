"""Labels, verdicts, runs and planes over every regime, recorded and compared bit for bit.

    python -m tests.labels_record FILE [--labels N] [--runs N] [--at REVISION]

writes FILE where it is missing, else compares with it: exit code 1 where anything differs. A change
of structure has to keep every bit; a repair of a fault shows here what else it moved. With --at an
earlier revision does it; rules that it does not have are skipped, and told (`tests/old_names.py`).
"""

import argparse
import os
import signal
import subprocess
import sys
import tempfile
from collections import Counter
from contextlib import contextmanager
from pathlib import Path

import numpy as np

import flowsam
from flowsam import (
    Data,
    Flow,
    limit,
    limits,
    phase_portrait,
    single_example,
    solve,
)
from flowsam.portrait import BalancedPlane, ImbalancePlane, RadiusPlane, WeightPlane
from tests.rules import rules

RULES = rules(1.0)
DEPTHS = (1, 2, 3, 4)
FORMULA = {(rule, depth) for rule in ("GD", "l_inf") for depth in DEPTHS} | {("l_2", 2)}
FORMULA |= {(rule, 1) for rule in RULES}
SECONDS = 4.0  # of processor time a call
SKIPPED = -99  # no answer in time: not compared


class TooLong(Exception):
    """A call that takes longer than `SECONDS`."""


@contextmanager
def at_most(seconds=SECONDS):
    """Raise TooLong in a block that takes longer."""

    def stop(number, frame):
        raise TooLong

    before = signal.signal(signal.SIGVTALRM, stop)
    signal.setitimer(signal.ITIMER_VIRTUAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)


def some_mu(rng):
    """One example: 1 to 4 features, some of them equal, negative, idle, or alone."""
    mu = rng.uniform(0.5, 2.0, rng.integers(1, 5))
    kind = rng.integers(6)
    if kind == 1:
        mu[:] = rng.choice([1.0, 2.0], mu.size)
    if kind in (2, 3):
        mu *= rng.choice([-1.0, 1.0], mu.size)
    if kind in (3, 4) and mu.size > 1:
        mu[rng.integers(mu.size)] = 0.0
    if kind == 5:
        mu[1:] = 0.0
    return mu


def some_starts(rng, mu, depth, count, rho):
    """Starts (count, L, d) of every kind: free, balanced, aligned, with zeros, at the gate."""
    free = rng.normal(0, 1.2 * (rho or 1.0), (count, depth, mu.size))
    even = np.abs(free[:, :1]) * np.ones((1, depth, 1))
    kind = rng.integers(8, size=count)
    starts = np.where((kind < 3)[:, None, None], free, even)
    signed = np.copysign(even, free)
    starts = np.where((kind == 3)[:, None, None], signed, starts)
    positive = np.abs(free)
    positive[:, 0] *= np.where(mu == 0, 1.0, np.sign(mu))
    starts = np.where((kind == 4)[:, None, None], positive, starts)
    gate = rho or 1.0
    starts = np.where((kind == 5)[:, None, None] & (free[:, :1] > 0), gate, starts)
    starts = np.where((kind == 6)[:, None, None] & (free > 0.5), 0.0, starts)
    starts[kind == 7] = np.round(2 * starts[kind == 7]) / 2
    return starts


def labels(count, slow):
    """Labels of `count` starts that formulas decide, and of `slow` that are followed."""
    found, regimes = {}, [(name, depth) for name in RULES for depth in DEPTHS]
    followed = [regime for regime in regimes if regime not in FORMULA]
    for number, (name, depth) in enumerate(regimes):
        quick = (name, depth) in FORMULA
        share = count / (len(regimes) - len(followed)) if quick else slow / len(followed)
        block = 200 if quick else 10
        rng = np.random.default_rng([7, number])
        parts = []
        for _ in range(max(1, round(share / block))):
            mu = some_mu(rng)
            starts = some_starts(rng, mu, depth, block, RULES[name].rho)
            flow = Flow(single_example(mu), RULES[name])
            try:
                with at_most():
                    parts.append(limits(flow, starts))
            except TooLong:
                parts.append(np.full(block, SKIPPED))
        found[f"labels {name} {depth}"] = np.concatenate(parts)
    return found


def problems(seed, count):
    """Some flows with one start each: (name, flow, start), one example or several."""
    rng = np.random.default_rng(seed)
    names = list(RULES)
    for k in range(count):
        name, depth = names[k % len(names)], DEPTHS[(k // len(names)) % len(DEPTHS)]
        rule = RULES[name]
        if (k // (len(names) * len(DEPTHS))) % 4 == 3:
            z = rng.uniform(0.2, 2.0, (rng.integers(2, 4), rng.integers(1, 4)))
            z *= np.where(rng.random(z.shape) < 0.15, -1.0, 1.0)
            if rng.random() < 0.2:
                z[1] = -z[0]
            data, mu = Data(z), z.sum(axis=0)
        else:
            mu = some_mu(rng)
            data = single_example(mu)
        yield name, Flow(data, rule), some_starts(rng, mu, depth, 1, rule.rho)[0]


def tried(call, *arguments, **options):
    """What a call gives, the words of its refusal, or None if it takes too long."""
    try:
        with at_most(), np.errstate(all="ignore"):
            return call(*arguments, **options)
    except TooLong:
        return None
    except (ValueError, IndexError) as error:
        return f"{type(error).__name__}: {error}"


def runs(count):
    """Rows, status, events and words of `count` trajectories."""
    found = {}
    for k, (name, flow, theta0) in enumerate(problems(11, count)):
        several = len(flow.data.z) > 1
        end = {"log_t_end": 4.0} if several or k % 3 == 0 else {"tau_end": 1.5}
        run = tried(solve, flow, theta0, save_at=9, **end)
        key = f"run {k} {name} L={len(theta0)} n={len(flow.data.z)}"
        if run is None or isinstance(run, str):
            found[key] = np.array(str(run))
            continue
        events = [(e.tau, e.layer or 0, e.coordinate or 0) for e in run.events]
        found[key] = np.concatenate([run.tau, run.log_t, run.theta.ravel(), np.ravel(events)])
        words = "|".join([run.status, run.method, run.message, *(e.kind for e in run.events)])
        found[f"{key} words"] = np.array(words)
    return found


def verdicts(count):
    """Label, certificate, direction and reason of `count` limits, one start each."""
    found = {}
    for k, (name, flow, theta0) in enumerate(problems(13, count)):
        if len(flow.data.z) > 1 and name in ("l_1", "2<p<inf") and len(theta0) > 1:
            continue  # iterated, or at rest for long: seconds each
        answer = tried(limit, flow, theta0)
        key = f"limit {k} {name} L={len(theta0)} n={len(flow.data.z)}"
        if answer is None or isinstance(answer, str):
            found[key] = np.array(str(answer))
            continue
        found[key] = np.array([answer.label, *np.ravel(answer.direction)], dtype=float)
        found[f"{key} certificate"] = np.array(answer.certificate)
        found[f"{key} reason"] = np.array(answer.reason)
    return found


def planes(count):
    """Labels, curves, shares and times of `count` small portraits."""
    found, rng = {}, np.random.default_rng(17)
    names = list(RULES)
    for k in range(count):
        name, depth = names[k % len(names)], (2, 3, 4, 1)[(k // len(names)) % 4]
        flow = Flow(single_example(some_mu(rng)), RULES[name])
        d = flow.mu.size
        kinds = [RadiusPlane(rng.uniform(0.3, 1, (depth, d)))] if flow.perturbation.rho else []
        if d == 2:
            kinds += [BalancedPlane(depth)] * 2
        if depth > 1:
            kinds += [ImbalancePlane(rng.uniform(0.3, 1, d), depth)]
            kinds += [WeightPlane(rng.uniform(0.3, 1, (depth, d)), (0, 0), (1, 0))]
        if not kinds:
            continue
        start = kinds[rng.integers(len(kinds))]
        x, y = np.linspace(0.3, 1.7, 5), np.linspace(0.4, 1.9, 4)
        plane = tried(phase_portrait, flow, x, y, start=start)
        key = f"plane {k} {name} L={depth} {type(start).__name__}"
        if plane is None or isinstance(plane, str):
            found[key] = np.array(str(plane))
            continue
        found[key] = plane.labels
        found[f"{key} curves"] = np.concatenate(
            [np.zeros(0), *(curve.ravel() for _, curve in plane.boundaries)]
        )
        found[f"{key} shares"] = np.array(sorted(plane.fractions.items()))
        times = tried(getattr, plane, "settled_at")
        found[f"{key} times"] = times if isinstance(times, np.ndarray) else np.array(str(times))
    return found


def recorded(sizes):
    """All records."""
    found = labels(sizes["labels"], sizes["slow"]) | runs(sizes["runs"])
    return found | verdicts(sizes["verdicts"]) | planes(sizes["planes"])


def moved(a, b):
    """What two arrays have that is not kept: labels by pairs, else the largest difference."""
    if a.dtype.kind == "i":
        pairs = Counter(zip(a.tolist(), b.tolist(), strict=True))
        return ", ".join(f"{x} -> {y}: {n}" for (x, y), n in pairs.most_common())
    with np.errstate(all="ignore"):
        away = np.abs(a - b) / np.maximum(1.0, np.minimum(np.abs(a), np.abs(b)))
    most = np.argmax(np.where(np.isnan(away), np.inf, away))
    return f"{a[most]} -> {b[most]} at most"


def differences(old, new):
    """Names of the records that differ, with what they were and are; skipped ones are equal."""
    heads = {key for found in (old, new) for key, v in found.items() if str(v) == "None"}
    for key in sorted(set(old) | set(new)):
        if key in heads or key.rpartition(" ")[0] in heads:
            continue
        if key not in old or key not in new:
            yield key, "only in one"
            continue
        a, b = old[key], new[key]
        if a.shape != b.shape or a.dtype.kind != b.dtype.kind:
            yield key, f"{a} -> {b}"
        elif a.dtype.kind == "U":
            if str(a) != str(b):
                yield key, f"{a} -> {b}"
        else:
            kept = (a == b) | ((a != a) & (b != b)) | (a == SKIPPED) | (b == SKIPPED)
            if not kept.all():
                yield key, f"{(~kept).sum()} of {kept.size}: {moved(a[~kept], b[~kept])}"


def at(revision, path, sizes):
    """Record or compare with the source of a revision: the exit code."""
    from tests.benchmarks.compare import HERE, unpacked

    words = [sys.executable, "-m", "tests.old_names", path.absolute()]
    words += [f"--{name}={size}" for name, size in sizes.items()]
    with tempfile.TemporaryDirectory() as folder:
        unpacked(revision, folder, "flowsam")
        environment = os.environ | {"PYTHONPATH": str(HERE)}  # tests of today
        return subprocess.run(words, cwd=folder, env=environment).returncode


def main(argv=None):
    """Record or compare."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("file", type=Path)
    for name, default in {
        "labels": 30000,
        "slow": 1500,
        "runs": 420,
        "verdicts": 280,
        "planes": 112,
    }.items():
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--at", metavar="REVISION", help="whose source is asked, not this one")
    given = vars(parser.parse_args(argv))
    path, revision = given.pop("file"), given.pop("at")
    if revision:
        return at(revision, path, given)
    print(f"flowsam of {Path(flowsam.__file__).parent}")
    found = recorded(given)
    total = sum(v.size for k, v in found.items() if k.startswith("labels"))
    late = sum((v == SKIPPED).sum() for k, v in found.items() if k.startswith("labels"))
    none = sum(str(v) == "None" for v in found.values())
    print(f"{total} labels, {late} of them skipped; {len(found)} records, {none} of them skipped")
    if not path.exists():
        np.savez_compressed(path, **found)
        return 0
    with np.load(path) as old:
        changed = list(differences(dict(old), found))
    for key, words in changed:
        print(f"{key}: {words}")
    print(f"{len(changed)} records differ")
    return 1 if changed else 0


if __name__ == "__main__":
    sys.exit(main())
