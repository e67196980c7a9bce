"""flowsam features: which features a predictor leans on while it trains, on a table of examples."""

from __future__ import annotations

import math
from argparse import Namespace
from typing import TYPE_CHECKING

from flowsam.cli.options import NUMBER, NUMBERS, WHOLE, Option, whole
from flowsam.cli.problem import DATA, Typed, parameters_of
from flowsam.cli.writing import TOLD, out, picture, progress_bar, say, tell
from flowsam.errors import InputError

if TYPE_CHECKING:
    from pathlib import Path

    from flowsam.perturbations import Perturbation
    from flowsam.real_data.scale_scan import Scan
    from flowsam.real_data.tables import Table


OPTIONS = (
    *DATA,
    Option("--norm", "2, inf, or any P > 1.", default="2"),
    Option("--rho", "Perturbation radius.", NUMBER),
    Option("--depth", "Layers.", WHOLE, default="2"),
    Option(
        "--factors",
        "Scales of the start, in units of the one at collapse.",
        NUMBERS,
        default="0.98,1.05,1.2,1.5,3",
    ),
    Option("--splits", "Seeds.", whole(1, 10_000), default="5"),
    Option("--test", "Share held out.", NUMBER, default="0.25"),
    Option("--log-t-end", "", NUMBER, default="100"),
    out("the shares (.npz) or the picture of the first split (.png, .pdf, .svg)"),
    *TOLD,
)


def command(given: Namespace) -> int:
    """Scan starts and splits for minor features that come first and major ones that come last.

    SAM and GD run from the same uniform starts on columns [z, -z] of the standardised table. The
    major share is that of the strongest quarter of the features in the mean prediction. A split
    shows the effect if SAM's falls below half of GD's and comes back to 80 % of it. An interrupt
    writes and prints what the finished splits gave.

      flowsam features --data digits:3,5 --rho 0.1 --out digits.svg
      flowsam features --csv FILE --label COLUMN --rho 0.1 --json
    """
    parameters = parameters_of(given, OPTIONS)
    parameters.sources = ("data", "csv")
    path = given.out
    _check_meant(given)
    parameters.check()
    rule = parameters.rule
    table = parameters.table
    found = _scan(table, rule, given)
    if path and path.suffix == ".npz":
        _save(found, path)
    elif path:
        _picture(found, path, table.picture)
    facts = {
        "scan": found.title,
        "selected": found.chosen,
        "unfinished": found.unfinished,
        "rows": found.rows(),
    }
    tell(given, f"{_sentence(found)}\n{found!r}", facts)
    if found.unfinished:
        done = f"{len(found.sam)} of {given.splits} splits are finished and kept"
        say(f"flowsam: stopped; {done}")
        return 130
    return 0


def _check_meant(given: Namespace) -> None:
    """Refuse rules that cannot be set beside GD, and what would only fail after the work."""
    if given.norm in ("none", "unnormalised") or given.rho == 0:
        shown = f"--norm {given.norm} and --rho {given.rho or 0:g}"
        raise InputError(f"features needs a SAM rule to set beside GD, got {shown}")
    if given.norm == "asam":
        raise InputError(
            "features scales starts to their collapse, got --norm asam, which has none; take "
            "--norm 2, or simulate --norm asam"
        )
    if Typed(norm=given.norm).exponent == 1:
        raise InputError(
            "features follows l_p-SAM for P > 1, got --norm 1; its field jumps"
        )
    scaled = all(0 < scale < float("inf") for scale in given.factors)
    late = 0.1 < given.log_t_end < float("inf")
    if not (scaled and late and given.depth >= 1):
        raise InputError(
            "features needs --factors > 0, --depth >= 1 and --log-t-end > 0.1"
        )
    if given.data == "digits_means":
        raise InputError("features needs a table of examples, got --data digits_means")


def _scan(table: Table, rule: Perturbation, given: Namespace) -> Scan:
    """The runs, and a word on stderr where no line separates the examples."""
    import numpy as np

    from flowsam.margin import separability
    from flowsam.real_data.scale_scan import Splits, scan

    verdict = separability(table.standardised(bias=given.bias, test=given.test)[0])
    if not verdict.separable:
        say(f"flowsam: note: the examples are {verdict.message}")
    runs = 2 * len(given.factors) * given.splits
    with progress_bar(runs, "runs", given.quiet) as bar:
        return scan(
            *(table, rule),
            depth=given.depth,
            factors=given.factors,
            splits=Splits(given.splits, given.test, given.bias),
            log_t=np.geomspace(0.05, given.log_t_end, 60),
            progress=bar.update,
        )


def _sentence(found: Scan) -> str:
    """At which scale of the start a scan shows minor first, major last, if at any."""
    if found.chosen is None:
        return (
            "At no scale of the start do minor features come first and major ones last."
        )
    k = found.selected
    splits = f"{found.shown[:, k].sum()} of {len(found.sam)} splits"
    return (
        f"Minor features come first and major ones last on {splits} from starts of "
        f"{found.chosen:g} units, alpha = {found.alpha[:, k].mean():.4g}."
    )


def _save(found: Scan, path: Path) -> None:
    """Write the shares of every run; [split, factor, time, group]."""
    import numpy as np

    from flowsam import archive

    arrays = {
        "alpha": found.alpha,
        "factors": np.array(found.factors),
        "shown": found.shown,
        "log_t": found.sam[0][0].log_t,
    }
    for name, runs in (("sam", found.sam), ("gd", found.gd)):
        for part in ("ranks", "accuracy", "predictor"):
            rows = [[getattr(run, part) for run in row] for row in runs]
            arrays[f"{name}_{part}"] = np.array(rows)
    archive.write(path, {"format": "flowsam features 1", "scan": found.title}, arrays)


def _picture(found: Scan, path: Path, size: tuple[int, int] | None) -> None:
    """Draw GD beside SAM at every scale, first split; below, the weights where they are pixels."""
    runs = {"GD": found.gd[0][0]}
    for factor, run in zip(found.factors, found.sam[0], strict=True):
        runs[rf"$\alpha$ = {factor:g} units"] = run
    rows = 3 if size else 2
    with picture(path, figsize=(1.3 * len(runs) + 0.8, 1.5 * rows)) as figure:
        from flowsam.captions import typeset
        from flowsam.draw import leanings, pixels

        axes = figure.subplots(rows, len(runs), squeeze=False)
        measured = {title: (run.ranks, run.accuracy) for title, run in runs.items()}
        leanings(axes[:2], found.sam[0][0].log_t, measured)
        shares = axes[0, 0].collections[0]
        label = "share of the\nmean prediction"
        figure.colorbar(shares, ax=axes[0], label=label, extend="max")
        if size:
            for panel, run in zip(axes[2], runs.values(), strict=True):
                # where the major share is least, without the bias
                beta = run.predictor[run.weakest, : math.prod(size)].reshape(size)
                when = f"$\\log(1+t)$ = {run.log_t[run.weakest]:.3g}"
                pixels(panel, beta, f"weights, share least,\n{when}")
        figure.suptitle(typeset(found.title), fontsize=8)
