"""Run cards: where the numbers of a figure come from."""

import json

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
    found.setdefault("method", "theorem or exact case of each start")
    steps = [f"{name} {known[name]:g}" for name in ("rtol", "atol") if name in known]
    found["tolerances"] = ", ".join(steps) or "none, no integration"
    return found


def _joined(each, name):
    """One fact of all runs: once where they agree, else beside what tells them apart."""
    values = list(dict.fromkeys(facts[name] for facts in each))
    if len(values) == 1:
        return values[0]
    apart = [key for key in ("rule", "L", "data") if len({facts[key] for facts in each}) > 1]
    if name in apart:
        return ", ".join(map(str, values))
    whose = {value: [facts for facts in each if facts[name] == value] for value in values}
    return "; ".join(f"{_named(runs, apart[:2])}: {value}" for value, runs in whose.items())


def _named(runs, keys):
    """Runs by what tells them apart."""
    words = {"L": "L = {}"}
    names = (", ".join(words.get(k, "{}").format(facts[k]) for k in keys) for facts in runs)
    return " and ".join(dict.fromkeys(names))
