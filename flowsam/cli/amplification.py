"""flowsam amplification: which feature leads when under l_2-SAM at depth 2, exactly."""

from __future__ import annotations

from argparse import Namespace
from typing import TYPE_CHECKING, Any

from flowsam.cli.options import Option, choice
from flowsam.cli.problem import L2, START, setup, spread, start_parameters
from flowsam.cli.writing import TOLD, out, picture, tell
from flowsam.errors import InputError

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np

    from flowsam.flow import Flow

Rows = list[tuple[str, str]]
OPTIONS = (
    *L2,
    *START,
    Option("--by", kind=choice("size", "contribution", "growth"), default="size"),
    Option(
        "--alpha",
        "Of the map: START,STOP,POINTS of uniform starts.",
        parameter="scale",
    ),
    Option("--tau", "Of the map: START,STOP,POINTS of rescaled time."),
    out("the map of leaders (.npz) or its picture (.png, .pdf, .svg), GD's beside it"),
    *TOLD,
)


def command(given: Namespace) -> None:
    """Say which feature leads when: switch times, critical scale, thresholds, and the map.

    The switches are those of the start given; thresholds and map are of uniform starts alpha 1.

      flowsam amplification --mu 1,2,6 --rho 1 --init 0.467
      flowsam amplification --mu 1,2,3,4,5 --rho 1 --init 0.5 --out map.png
    """
    parameters = start_parameters(given, L2, norm="2")
    alpha = _axis(given.scale, "--alpha", given.out)
    tau = _axis(given.tau, "--tau", given.out)
    case = setup(parameters)
    rows, facts = _found(case.flow, case.theta0, given.by)
    if given.out:
        _write_map(case.flow, given.out, given.by, alpha, tau)
    from flowsam.cards import text_card

    card = text_card("Amplification", rows)
    tell(given, f"{_sentence(facts)}\n{card}", facts)


def _axis(text: str | None, option: str, path: Path | None) -> np.ndarray | None:
    """An axis of the map; one point is none."""
    if text is None:
        return None
    values = spread(text, option)
    if values.size < 2 or not values[0] < values[-1]:
        raise InputError(
            f"{option} needs START < STOP and 2 POINTS or more, got {text!r}"
        )
    if path is None:
        raise InputError(
            f"{option} is an axis of the map, got no --out; e.g. --out map.png"
        )
    return values


def _sentence(facts: dict[str, Any]) -> str:
    """Who leads from when, in rescaled time."""
    first, *later = facts["leaders"]
    verb = "grows fastest" if facts["by"] == "growth" else "leads"
    if not later:
        return f"Feature {first} {verb} from the start to the end."
    turns = zip(later, facts["switch times"], strict=True)
    words = [f", feature {j} from tau = {tau:.6g}" for j, tau in turns]
    return f"Feature {first} {verb} first{''.join(words)}."


def _found(flow: Flow, theta0: Any, by: str) -> tuple[Rows, dict[str, Any]]:
    """What the start does, and where that of uniform starts changes: in words, and as numbers."""
    from flowsam import amplification as found
    from flowsam.labels import Label
    from flowsam.outcomes import limits

    of: Any = {"mu": flow.mu, "rho": flow.rho}
    if by == "growth":
        run = found.fastest(theta0, **of)
    else:
        run = found.leaders(theta0, **of, by=by)
    own = found.critical_scale_bounds(**of, profile=theta0)
    uniform = found.regimes(**of)
    rests = limits(flow, theta0) == Label.SEPARATRIX
    falls = "towards the saddle, to within 1e-12" if rests else "collapse"
    words = {
        -1: f"N falls: {falls}",
        0: "N falls, then rises: escape",
        1: "N rises: escape",
    }
    name = f"{flow.describe()}, depth L = 2"
    pattern = words[int(found.pattern(theta0, **of))]
    switches = [f"{tau:.12g}" for tau in run.times]
    below = [f"rank {k} below {a:.12g}" for k, a in enumerate(uniform.thresholds, 1)]
    rows = [
        ("flow", name),
        ("leader by", by),
        ("switch times, tau", ", ".join(switches) or "none"),
        ("gradient's norm", pattern),
        ("critical scale", f"{own.value:.12g} +- {own.error:.1g} times this start"),
        ("uniform starts alpha", f"collapse below {uniform.critical:.12g}"),
        ("  all features fall throughout", f"up to {uniform.falling:.12g}"),
        ("  weak features lead for a while", ", ".join(below) or "none"),
    ]
    facts = {
        "flow": name,
        "by": by,
        "leaders": [int(j) for j in run.order],
        "switch times": run.times,
        "pattern": pattern,
        "critical scale of this start": own.value,
        "its error": own.error,
        "uniform starts: all fall up to": uniform.falling,
        "uniform starts: critical alpha": uniform.critical,
        "uniform starts: thresholds a_k": uniform.thresholds,
        "clock": "tau (rescaled)",
    }
    return rows, facts


def _write_map(flow: Flow, path: Path, by: str, alpha: Any, tau: Any) -> None:
    """Write the leaders over (tau, alpha), l_2's and GD's, as arrays or as a picture."""
    import numpy as np

    from flowsam import archive
    from flowsam.amplification import dominance, regimes

    mu = flow.mu
    rho = flow.rho
    found = regimes(mu, rho)
    top = found.major or rho
    alpha = np.linspace(top / 50, 1.3 * top, 300) if alpha is None else alpha
    tau = np.linspace(0, 12 / np.abs(mu).max(), 300) if tau is None else tau
    l2, gd = (dominance(mu, radius, alpha, tau, by=by) for radius in (rho, 0))
    if path.suffix == ".npz":
        header = {"format": "flowsam leaders 1", "flow": flow.describe(), "by": by}
        arrays = {"alpha": alpha, "tau": tau, "l2": l2, "gd": gd, "mu": mu}
        archive.write(path, header, arrays)
        return
    marks = [(found.critical, r"$\alpha^*$ ", "-", "right")]
    for k, place in enumerate(found.thresholds if by == "size" else (), 1):
        marks.append((place, f" $a_{{{k}}}$", ":", "left"))
    with picture(path, figsize=(6.9, 3.2)) as figure:
        from flowsam.captions import typeset
        from flowsam.draw import leaders

        panels = figure.subplots(1, 2, sharey=True)
        ranks = np.argsort(np.argsort(np.abs(mu), kind="stable"))
        titles = {"l_2-SAM": l2, "GD": gd}
        for panel, (title, grid) in zip(panels, titles.items(), strict=True):
            leaders(panel, alpha, tau, grid, ranks=ranks)
            panel.set_title(typeset(title), loc="left", pad=14)
            panel.set(xlabel=r"initial scale $\alpha$", xlim=(alpha[0], alpha[-1]))
        panels[1].set_ylabel("")
        for place, word, dash, side in marks:
            if alpha[0] <= place <= alpha[-1]:
                panels[0].axvline(place, color="black", linewidth=0.8, linestyle=dash)
                how = {"ha": side, "va": "bottom", "fontsize": 7}
                panels[0].text(place, 1.01 * tau[-1], word, **how)
        title = f"leading feature by {by}; {flow.describe()}, L = 2"
        figure.suptitle(typeset(title), fontsize=8)
