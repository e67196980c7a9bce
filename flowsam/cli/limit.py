"""flowsam limit: where one start ends, and which theorem or certificate says so."""

from argparse import Namespace
from typing import Any

from flowsam.cli.options import NUMBER, Option
from flowsam.cli.problem import FLOW, START, setup, start_parameters
from flowsam.cli.writing import (
    PROOF,
    TOLD,
    feature,
    keep_proof,
    out,
    patience,
    tell,
    to_json,
)

OPTIONS = (
    *FLOW,
    *START,
    Option(
        "--log-t-end",
        "Several examples: end, in log(1 + t), of a run where no theorem decides; default: 1e4.",
        NUMBER,
    ),
    *PROOF,
    out("the answer, a .json file"),
    *TOLD,
)
_LESS = (
    "a run of several examples goes to log t = {:g} where no theorem decides; an earlier "
    "--log-t-end takes less time"
)
_FOLLOWED = "paths are followed until they decide, and --prove takes longer"
_UNNAMED = {
    0: "0: every feature is lost",
    -1: "a limit that is not known; the reason is below",
    -2: "an unstable equilibrium, on whose separatrix the start lies",
    -3: "a tie of several features",
    -4: "a finite predictor that is not 0, where it stalls",
    -5: "the direction below, which is not one feature alone",
    -6: "a limit that is not known: the integration failed",
}


def command(given: Namespace) -> None:
    """Name the limit of one start as t -> inf.

    Labels: j >= 1 is the basis vector of feature j, counted from 1; 0 is zero; negative ones are
    named in the answer. Tables are standardised, with a constant column, and at depth 2 or more
    their columns are [z, -z], so that starts reach both signs; a direction is told of the columns
    as given.

      flowsam limit --mu 1,2 --rho 1 --init 1.5,0.6
      flowsam limit --data digits_means --norm none --init 0.5 --aligned
      flowsam limit --csv FILE --label COLUMN --norm 2 --rho 0.1 --init 0.5
    """
    case = setup(start_parameters(given))
    from dataclasses import asdict, replace

    from flowsam.outcomes import limit

    prove = bool(given.prove or given.proof)
    several = len(case.flow.data.z) > 1
    less = _LESS.format(given.log_t_end or 1e4) if several else _FOLLOWED
    with patience(less, given.quiet):
        end = limit(case.flow, case.theta0, log_t_end=given.log_t_end, prove=prove)
    keep_proof(end.proof, given.proof)
    facts = {
        "flow": case.flow.describe(),
        "label": int(end.label),
        "kind": end.kind,
        "direction": end.direction,
        "certificate": end.certificate,
        "reason": end.reason,
    }
    if case.data.features:
        facts["features"] = case.data.features
    if end.evidence:
        facts["evidence"] = asdict(end.evidence)
    if end.direction is not None:
        predictor = case.predictor(end.direction)
        facts["predictor"] = predictor
        end = replace(end, direction=predictor, features=case.data.features)
    if given.out:
        from flowsam.archive import write_text

        write_text(given.out, to_json(facts) + "\n")
    words = _sentence(end, case.flow.data.z[0])
    tell(given, f"{words}\n{end!r}", facts)


def _sentence(end: Any, mu: Any) -> str:
    """Which feature of the one example a limit is, with its sign and strength."""
    label = int(end.label)
    if label < 1:
        return f"The predictor tends to {_UNNAMED[label]}."
    entry = mu[label - 1]
    sign = "positive" if entry > 0 else "negative"
    return (
        f"The predictor's direction tends to {feature(label, end.features)} alone, with a "
        f"{sign} weight (mu_{label} = {entry:+.4g})."
    )
