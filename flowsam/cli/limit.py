"""flowsam limit: where one start ends, and which theorem or certificate says so."""

from argparse import Namespace

from flowsam.cli.problem import FLOW, START, setup, start_parameters
from flowsam.cli.proofs import PROOF, keep_proof
from flowsam.cli.sentences import ends_at
from flowsam.cli.writing import TOLD, out, tell, to_json

OPTIONS = (
    *FLOW,
    *START,
    *PROOF,
    out("the answer, a .json file"),
    *TOLD,
)


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
    end = limit(case.flow, case.theta0, prove=prove)
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
        from flowsam import archive

        archive.write_text(given.out, to_json(facts) + "\n")
    words = ends_at(end, case.flow.data.z[0])
    tell(given, f"{words}\n{end!r}", facts)
