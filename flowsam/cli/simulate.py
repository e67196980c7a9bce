"""flowsam simulate: one start, one run."""

from argparse import Namespace
from typing import Any

from flowsam.cli.options import NUMBER, WHOLE, Option
from flowsam.cli.problem import END, FLOW, START, parameters_of, setup, start_parameters
from flowsam.cli.writing import TOLD, feature, out, patience, picture, tell

SMOOTH = 300  # rows of a picture: a closed form alone has two
OPTIONS = (
    *FLOW,
    *START,
    *END,
    Option("--method", "auto, exact, DOP853, Radau, ...", default="auto"),
    Option(
        "--rtol",
        "Of steps; closed forms and iteration have none.",
        NUMBER,
        default="1e-9",
    ),
    Option(
        "--rows",
        "Rows to keep, equally spaced; default: the solver's steps, 300 in a picture.",
        WHOLE,
        parameter="save_at",
    ),
    out("the run (.npz), a table of it (.csv) or a picture (.png, .pdf, .svg)"),
    *TOLD,
)


def command(given: Namespace) -> None:
    """Solve the flow from one start.

    One of --tau-end and --log-t-end says how far, in rescaled time or in that of training.

      flowsam simulate --mu 1,2 --rho 1 --init 1.5,0.6 --tau-end 3 --out run.npz
      flowsam simulate --data digits:3,5 --norm 2 --rho 0.1 --init 0.014 --log-t-end 20
    """
    parameters = start_parameters(given)
    ends = parameters_of(given, END)
    ends.one_of(("tau_end", "log_t_end"), ends.example("tau_end", 3))
    case = setup(parameters)
    from dataclasses import asdict

    from flowsam.archive import write_text
    from flowsam.solver import solve

    path = given.out
    how = {"method": given.method, "rtol": given.rtol, "save_at": given.save_at}
    if given.save_at is None and path and path.suffix not in (".npz", ".csv"):
        how["save_at"] = SMOOTH
    with patience("an earlier end takes less time", given.quiet):
        run = solve(case.flow, case.theta0, **ends, **how)
    if path and path.suffix == ".npz":
        run.save(path)
    elif path and path.suffix == ".csv":
        write_text(path, _table(run, case.data.features))
    elif path:
        _picture(run, path, *ends)
    facts = run.provenance() | {
        "events": [asdict(event) for event in run.events],
        "tau_last": run.tau[-1],
        "theta_last": run.theta[-1],
        "beta_last": run.beta[-1],
        "predictor_last": case.predictor(run.beta[-1]),
        "features": case.data.features,
    }
    # the time that a sentence tells loads SciPy's special functions
    text = "" if given.quiet else f"{_sentence(run, facts)}\n{run!r}"
    tell(given, text, facts)


def _sentence(run: Any, facts: dict[str, Any]) -> str:
    """When a run ends, in both clocks, and which feature is ahead there."""
    end = f"tau = {run.tau[-1]:.6g}, which is log(1 + t) = {run.log_t[-1]:.6g}"
    sizes = abs(facts["predictor_last"])
    first = int(sizes.argmax())
    most = sizes[first]
    if not most:
        return f"By {end}, the predictor is 0."
    named = feature(first + 1, facts["features"])
    share = f"{most / sizes.sum():.1%}" if most < float("inf") else "all"
    return f"At {end}, {named} is ahead with {share} of the predictor."


def _table(run: Any, features: Any) -> str:
    """Times in both clocks, the predictor, the margins and the loss, a row a time."""
    import csv
    import io

    names = features or [f"beta_{k}" for k, _ in enumerate(run.beta.T, 1)]
    margins = [f"margin_{k}" for k, _ in enumerate(run.margins.T, 1)]
    columns = [run.tau, run.log_t, *run.beta.T, *run.margins.T, run.log_loss]
    written = io.StringIO()
    lines = csv.writer(written, lineterminator="\n")
    lines.writerow(["tau", "log_t", *names, *margins, "log_loss"])
    lines.writerows(
        [f"{number:.17g}" for number in row] for row in zip(*columns, strict=True)
    )
    return written.getvalue()


def _picture(run: Any, path: Any, end: str) -> None:
    """The predictor, its shares and the margins over the clock of the end."""
    clock = end.removesuffix("_end")
    with picture(path, figsize=(6.75, 2.6)) as figure:
        from flowsam import draw
        from flowsam.captions import typeset

        panels = figure.subplots(1, 3)
        for axes, quantity in zip(panels, ("beta", "share", "margins"), strict=True):
            draw.run(axes, run, quantity=quantity, clock=clock)
        rule = run.perturbation
        title = f"{rule.name}, rho = {rule.rho:g}, {run.data.name}"
        title += f", L = {run.theta.shape[1]}"
        figure.suptitle(typeset(title), fontsize=8)
