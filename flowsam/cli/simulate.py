"""flowsam simulate: one start, one run."""

from __future__ import annotations

import csv
import io
from dataclasses import asdict
from typing import Any

import click

from flowsam.captions import typeset
from flowsam.cli.problem import COMMAND, flow_options, setup, start_options
from flowsam.cli.sentences import went
from flowsam.cli.writing import Output, output_options, picture
from flowsam.parameters import one_of

PICTURES = (".png", ".pdf", ".svg")
SMOOTH = 300  # rows of a picture: a closed form alone has two


@click.command("simulate")
@flow_options
@start_options
@click.option("--tau-end", type=float, help="End in rescaled time.")
@click.option("--log-t-end", type=float, help="End in log(1 + t).")
@click.option(
    "--method",
    default="auto",
    show_default=True,
    help="auto, exact, DOP853, Radau, ...",
)
@click.option(
    "--rtol",
    type=float,
    default=1e-9,
    show_default=True,
    help="Of steps; closed forms and iteration have none.",
)
@click.option(
    "--rows",
    type=int,
    help="Rows to keep, equally spaced; default: the solver's steps, 300 in a picture.",
)
@output_options(
    "the run (.npz), a table of it (.csv) or a picture (.png, .pdf, .svg)",
    (".npz", ".csv", *PICTURES),
)
def command(parameters: Any, output: Output, rows: int | None, **how: Any) -> None:
    """Solve the flow from one start.

    \b
    flowsam simulate --mu 1,2 --rho 1 --init 1.5,0.6 --tau-end 3 --out run.npz
    flowsam simulate --data digits:3,5 --norm 2 --rho 0.1 --init 0.014 --log-t-end 20
    """
    ends = {
        name: how[name] for name in ("tau_end", "log_t_end") if how[name] is not None
    }
    one_of(ends, ("tau_end", "log_t_end"), COMMAND, COMMAND.example("tau_end", 3))
    path = output.path
    case = setup(parameters)
    from flowsam.archive import write_text
    from flowsam.solver import solve

    drawn = path is not None and path.suffix in PICTURES
    if rows is None and drawn:
        rows = SMOOTH
    run = solve(case.flow, case.theta0, save_at=rows, **how)
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
    words = ""
    if (
        not output.quiet
    ):  # the time that a sentence tells loads SciPy's special functions
        words = went(run, facts["predictor_last"], case.data.features)
    output.show(run, facts, words)


def _table(run: Any, features: Any) -> str:
    """Times in both clocks, the predictor, the margins and the loss, a row a time."""
    names = features or [f"beta_{k}" for k in range(1, run.beta.shape[1] + 1)]
    head = ["tau", "log_t", *names]
    head += [f"margin_{k}" for k in range(1, run.margins.shape[1] + 1)] + ["log_loss"]
    columns = [run.tau, run.log_t, *run.beta.T, *run.margins.T, run.log_loss]
    written = io.StringIO()
    lines = csv.writer(written, lineterminator="\n")
    lines.writerow(head)
    lines.writerows(
        [f"{number:.17g}" for number in row] for row in zip(*columns, strict=True)
    )
    return written.getvalue()


def _picture(run: Any, path: Any, end: str) -> None:
    """The predictor, its shares and the margins over the clock of the end."""
    clock = end.removesuffix("_end")
    with picture(path, figsize=(6.75, 2.6)) as figure:
        from flowsam import draw

        panels = figure.subplots(1, 3)
        for axes, quantity in zip(panels, ("beta", "share", "margins"), strict=True):
            draw.run(axes, run, quantity=quantity, clock=clock)
        flow = (
            f"{run.perturbation.name}, rho = {run.perturbation.rho:g}, {run.data.name}"
        )
        title = f"{flow}, L = {run.theta.shape[1]}"
        figure.suptitle(typeset(title), fontsize=8)
