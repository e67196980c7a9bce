"""Run cards: where the numbers of a figure come from."""

import json

from flowsam.columns import loaded
from flowsam.outcomes import settling
from flowsam.regimes import case_of

FACTS = ("rule", "rho", "L", "data", "start", "clock", "loss", "method", "tolerances")
ORIGINAL = "original time, log(1 + t)"  # the clock of a figure whose axis it is


def card(*runs, **more):
    """Return a figure's run card as JSON: the FACTS, then what else it should say.

    A run, a Trajectory or a Portrait, knows all of them but the start, each its own; keywords add
    to what runs say or replace it, and say everything where there is none.
    """
    each = [_facts(run) for run in runs]
    found = {name: _joined(each, name) for name in (each[0] if each else ())} | more
    missing = [name for name in FACTS if name not in found]
    if missing:
        raise ValueError(f"a run card needs {', '.join(missing)}; pass them as words")
    return json.dumps({name: found[name] for name in [*FACTS, *sorted(set(found) - set(FACTS))]})


def _facts(run):
    """What one run says."""
    known = run.provenance() | {"L": run.provenance()["depth"]}
    found = {name: known[name] for name in FACTS if name in known}
    steps = [f"{name} {known[name]:g}" for name in ("rtol", "atol") if name in known]
    found["tolerances"] = ", ".join(steps) or "none, no integration"
    if "method" not in known:  # a Portrait
        how = loaded(case_of(run.flow, run.depth).regime.labels)
        followed = how is settling.labels
        found["method"] = "certificates on paths" if followed else "theorem or exact case"
        found["method"] += " of each start"
        found["tolerances"] = f"rtol {settling.RTOL:g}" if followed else found["tolerances"]
    return found


def _joined(each, name):
    """One fact of all runs: once where they agree, else beside what tells them apart."""
    values = list(dict.fromkeys(facts[name] for facts in each))
    if len(values) == 1:
        return values[0]
    apart = [key for key in ("rule", "L", "data") if len({facts[key] for facts in each}) > 1]
    if name in apart:
        return ", ".join(map(str, values))
    enough = [[key] for key in apart] + [apart[:2]]
    keys = next((few for few in enough if _tell(each, few, name)), apart)
    return "; ".join(_entry(each, keys, name, value) for value in values)


def _entry(each, keys, name, value):
    """A value beside the runs that have it."""
    word = f"{value:g}" if isinstance(value, float) else value
    runs = [facts for facts in each if facts[name] == value]
    return f"{_named(runs, keys)}: {word}" if keys else word


def _tell(each, keys, name):
    """Whether these facts decide another."""
    told = {(*(facts[key] for key in keys), facts[name]) for facts in each}
    return len(told) == len({entry[:-1] for entry in told})


def _named(runs, keys):
    """Runs by what tells them apart: "GD, L = 2, L = 3 and l_2-SAM, L = 2"."""
    found = {}
    for facts in runs:
        first, *more = (f"L = {facts[key]}" if key == "L" else facts[key] for key in keys)
        found.setdefault(first, []).append(", ".join(more))
    names = (
        ", ".join(filter(None, dict.fromkeys([first, *more]))) for first, more in found.items()
    )
    return " and ".join(names)
