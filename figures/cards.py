"""Run cards: where the numbers of a figure come from, and the caption made from them."""

import json

from flowsam.version import __version__

FACTS = ("rule", "rho", "L", "data", "start", "clock", "loss", "method", "tolerances")
ORIGINAL = "original time, log(1 + t)"  # the clock of a figure whose axis it is
CAPTION = {"rho": "rho = {}", "L": "L = {}", "loss": "{} loss"}


def card(run=None, **more):
    """Return a figure's run card as JSON: the FACTS, then what else the caption should say.

    `run`, a Trajectory or a Portrait, knows all of them but the start; keywords add to what it
    says or replace it, and say everything where there is no one run.
    """
    found = {}
    if run is not None:
        known = run.provenance() | {"L": run.provenance()["depth"]}
        found = {name: known[name] for name in FACTS if name in known}
        found.setdefault("method", "theorem or exact case of each start")
        steps = [f"{name} {known[name]:g}" for name in ("rtol", "atol") if name in known]
        found["tolerances"] = ", ".join(steps) or "none, no integration"
    found |= more
    missing = [name for name in FACTS if name not in found]
    if missing:
        raise ValueError(f"a run card needs {', '.join(missing)}; pass them as words")
    return json.dumps({name: found[name] for name in [*FACTS, *sorted(set(found) - set(FACTS))]})


def words(card):
    """Return the caption of a run card: its facts but the tolerances, and the version."""
    facts = json.loads(card)
    shown = [(name, f"{v:g}" if isinstance(v, float) else v) for name, v in facts.items()]
    parts = [CAPTION.get(name, "{}").format(v) for name, v in shown if name != "tolerances"]
    return "; ".join([*parts, f"flowsam {__version__}"])
