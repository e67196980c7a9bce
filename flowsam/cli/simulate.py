"""flowsam simulate: one start, one run."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import click

from flowsam.cli.problem import flow_options, start_options
from flowsam.cli.writing import checked_output, json_option, out_option, quiet_option, show


@click.command("simulate")
@flow_options
@start_options
@click.option("--tau-end", type=float, help="End in rescaled time.")
@click.option("--log-t-end", type=float, help="End in log(1 + t).")
@click.option("--method", default="auto", show_default=True, help="auto, exact, DOP853, Radau, ...")
@click.option("--rtol", type=float, default=1e-9, show_default=True)
@click.option("--rows", type=int, help="Rows to keep, equally spaced; default: the solver's steps.")
@out_option("the run, a .npz file")
@json_option
@quiet_option
def command(
    flow: Any, theta0: Any, out: str | None, as_json: bool, quiet: bool, **how: Any
) -> None:
    """Solve the flow from one start.

    \b
    flowsam simulate --mu 1,2 --rho 1 --init 1.5,0.6 --tau-end 3 --out run.npz
    flowsam simulate --data digits:3,5 --norm 2 --rho 0.1 --init 0.014 --log-t-end 20
    """
    from flowsam.data import merge_signs, unsplit
    from flowsam.solver import solve

    path = checked_output(out, (".npz",))
    rows = how.pop("rows")
    run = solve(flow, theta0, save_at=rows, **how)
    if path:
        run.save(path)
    split = unsplit(flow.data) is not flow.data
    facts = run.provenance() | {
        "events": [asdict(event) for event in run.events],
        "tau_last": run.tau[-1],
        "theta_last": run.theta[-1],
        "beta_last": run.beta[-1],
        "predictor_last": merge_signs(flow.data, run.beta[-1]) if split else run.beta[-1],
    }
    show(run, facts, as_json=as_json, quiet=quiet)
