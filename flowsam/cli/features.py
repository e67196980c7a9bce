"""flowsam features: which features a predictor leans on while it trains, on a table of examples."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from flowsam.captions import typeset
from flowsam.cli.problem import COMMAND, data_options
from flowsam.cli.reading import numbers
from flowsam.cli.sentences import selected
from flowsam.cli.writing import Output, output_options, picture, progress_bar
from flowsam.parameters import check, exponent, rule_of

if TYPE_CHECKING:
    from pathlib import Path

    from flowsam.perturbations import Perturbation
    from flowsam.real_data.leaning import Leaning
    from flowsam.real_data.scale_scan import Scan
    from flowsam.real_data.tables import Table


FEATURES = replace(COMMAND, sources=("data", "csv"))


@click.command("features")
@data_options
@click.option("--norm", default="2", show_default=True, help="2, inf, or any P > 1.")
@click.option("--rho", type=float, required=True, help="Perturbation radius.")
@click.option("--depth", type=int, default=2, show_default=True, help="Layers.")
@click.option("--factors", default="0.98,1.05,1.2,1.5,3", show_default=True,
              help="Scales of the start, in units of the one at collapse.")  # fmt: skip
@click.option(
    "--splits",
    type=click.IntRange(1, 10_000),
    default=5,
    show_default=True,
    help="Seeds.",
)
@click.option(
    "--test", type=float, default=0.25, show_default=True, help="Share held out."
)
@click.option("--log-t-end", type=float, default=100.0, show_default=True)
@output_options(
    "the shares (.npz) or the picture of the first split (.png, .pdf, .svg)",
    (".npz", ".png", ".pdf", ".svg"),
)
def command(parameters: Any, output: Output, **how: Any) -> int:
    """Scan starts and splits for minor features that come first and major ones that come last.

    SAM and GD run from the same uniform starts on columns [z, -z] of the standardised table. The
    major share is that of the strongest quarter of the features in the mean prediction. A split
    shows the effect if SAM's falls below half of GD's and comes back to 80 % of it. An interrupt
    writes and prints what the finished splits gave.

    \b
    flowsam features --data digits:3,5 --rho 0.1 --out digits.svg
    flowsam features --csv FILE --label COLUMN --rho 0.1 --json
    """
    path = output.path
    if parameters["norm"] in ("none", "unnormalised") or not parameters["rho"]:
        shown = f"--norm {parameters['norm']} and --rho {parameters['rho']:g}"
        raise click.UsageError(
            f"features needs a SAM rule to set beside GD, got {shown}"
        )
    if parameters["norm"] == "asam":
        raise click.UsageError(
            "features scales starts to their collapse, got --norm asam, which has none; take "
            "--norm 2, or simulate --norm asam"
        )
    check(parameters, FEATURES)
    how["factors"] = _factors(**how)
    if parameters.get("data") == "digits_means":
        raise click.UsageError(
            "features needs a table of examples, got --data digits_means"
        )
    from flowsam.parameters import table_of

    how["rule"] = _rule(parameters)
    how["bias"] = parameters.get("bias", True)
    table = table_of(parameters)
    found = _scan(table, output.quiet, **how)
    if path and path.suffix == ".npz":
        _save(found, path)
    elif path:
        _picture(found, path, table.picture)
    facts: dict[str, Any] = {
        "scan": found.title,
        "selected": found.chosen,
        "unfinished": found.unfinished,
        "rows": found.rows(),
    }
    output.show(found, facts, selected(found))
    if found.unfinished:
        done = f"{len(found.sam)} of {how['splits']} splits are finished and kept"
        click.echo(f"flowsam: stopped; {done}", err=True)
        return 130
    return 0


def _rule(parameters: dict[str, Any]) -> Perturbation:
    """The SAM rule; GD runs beside it in any case."""
    if exponent(parameters["norm"], FEATURES) == 1:
        raise click.UsageError(
            "features follows l_p-SAM for P > 1, got --norm 1; its field jumps"
        )
    return rule_of(parameters, FEATURES)


def _factors(*, factors: str, depth: int, log_t_end: float, **_: Any) -> list[float]:
    """The scales as typed, with the other numbers that would only fail after the work."""
    scales = numbers(factors, "--factors")
    good = all(0 < scale < float("inf") for scale in scales) and depth >= 1
    if not good or not 0.1 < log_t_end < float("inf"):
        raise click.UsageError(
            "features needs --factors > 0, --depth >= 1 and --log-t-end > 0.1"
        )
    return scales


def _scan(
    table: Table,
    quiet: bool,
    *,
    rule: Perturbation,
    depth: int,
    factors: list[float],
    **rest: Any,
) -> Scan:
    """The runs, and a word on stderr where no line separates the examples."""
    import numpy as np

    from flowsam.margin import separability
    from flowsam.real_data.scale_scan import Splits, scan

    bias = rest["bias"]
    verdict = separability(table.standardised(bias=bias, test=rest["test"])[0])
    if not verdict.separable:
        click.echo(f"flowsam: note: the examples are {verdict.message}", err=True)
    splits = Splits(rest["splits"], rest["test"], bias)
    log_t = np.geomspace(0.05, rest["log_t_end"], 60)
    with progress_bar(2 * len(factors) * rest["splits"], "runs", quiet) as bar:
        how: dict[str, Any] = {"depth": depth, "factors": factors, "splits": splits}
        how["log_t"] = log_t
        return scan(table, rule, **how, progress=bar.update)


def _save(found: Scan, path: Path) -> None:
    """Write the shares of every run; [split, factor, time, group]."""
    import numpy as np

    from flowsam import archive

    arrays = {
        "alpha": found.alpha,
        "factors": np.array(found.factors),
        "shown": found.shown,
    }
    arrays["log_t"] = found.sam[0][0].log_t
    for name, runs in (("sam", found.sam), ("gd", found.gd)):
        for part in ("ranks", "accuracy", "predictor"):
            arrays[f"{name}_{part}"] = np.array(
                [[getattr(r, part) for r in row] for row in runs]
            )
    archive.write(path, {"format": "flowsam features 1", "scan": found.title}, arrays)


def _picture(found: Scan, path: Path, size: tuple[int, int] | None) -> None:
    """Draw GD beside SAM at every scale, first split; below, the weights where they are pixels."""
    runs = {"GD": found.gd[0][0]}
    runs |= {
        rf"$\alpha$ = {f:g} units": r
        for f, r in zip(found.factors, found.sam[0], strict=True)
    }
    rows = 3 if size else 2
    with picture(path, figsize=(1.3 * len(runs) + 0.8, 1.5 * rows)) as figure:
        from flowsam.draw import leanings

        axes = figure.subplots(rows, len(runs), squeeze=False)
        measured = {title: (run.ranks, run.accuracy) for title, run in runs.items()}
        leanings(axes[:2], found.sam[0][0].log_t, measured)
        shares = axes[0, 0].collections[0]
        figure.colorbar(
            shares, ax=axes[0], label="share of the\nmean prediction", extend="max"
        )
        if size:
            _weights(axes[2], list(runs.values()), size)
        figure.suptitle(typeset(found.title), fontsize=8)


def _weights(axes: Any, runs: list[Leaning], size: tuple[int, int]) -> None:
    """Draw the weights of each run where its major share is least, without the bias."""
    from flowsam.draw import pixels

    for panel, run in zip(axes, runs, strict=True):
        beta = run.predictor[run.weakest, : size[0] * size[1]].reshape(size)
        when = f"$\\log(1+t)$ = {run.log_t[run.weakest]:.3g}"
        pixels(panel, beta, f"weights, share least,\n{when}")
