"""Scans over scales of the start and over splits: where minor features come first, where not."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np

from flowsam.cards import text_card
from flowsam.data import Data, split_signs
from flowsam.errors import InputError
from flowsam.exact.l2_critical import critical_scale_of
from flowsam.perturbations import Perturbation, gradient_flow
from flowsam.real_data.leaning import Leaning, Uniform, leaning
from flowsam.real_data.tables import Table
from flowsam.regimes import regime_of
from flowsam.shapes import Bool, Float, Times

# of gradient flow's major share, at the same log t and at the end
FELL = 0.5
BACK = 0.8
_UNIT = 1e-9  # error of the log of a unit, far below that of taking the mean's
Cells = Float[np.ndarray, "seeds factors"]
_Split = tuple[list[float], tuple[Leaning, ...], tuple[Leaning, ...]]


def scale_unit(train: Data, rule: Perturbation, depth: int) -> float:
    """Return the critical scale of the mean example (l_2, L = 2), else the gate, rho L^(-1/p)."""
    regime = regime_of(rule.kind, depth)
    if not regime.known:
        raise InputError(f"a start is scaled to its collapse, and {rule.name} has none")
    if not regime.amplifies:
        return rule.gate(depth)
    # margins are small at a collapse: it is that of the mean, within 2 % on real data
    mean = split_signs(train).z.mean(axis=0)
    even = np.ones((2, mean.size))
    return critical_scale_of(even, mean, rho=rule.rho, xtol=_UNIT).value


@dataclass(frozen=True)
class Splits:
    """Random splits of a table, as `Table.standardised` makes them."""

    count: int = 5
    held: float = 0.25  # share of the test part
    bias: bool = True


@dataclass(frozen=True, eq=False)
class Scan:
    """Runs of SAM and gradient flow from the same starts, [split][factor]."""

    title: str
    factors: tuple[float, ...]  # alpha in units of `scale_unit`
    alpha: Cells
    sam: tuple[tuple[Leaning, ...], ...]
    gd: tuple[tuple[Leaning, ...], ...]
    unfinished: int = 0  # splits that an interrupt left out

    def _major(self) -> Float[np.ndarray, "seeds factors T"]:
        """SAM's major share over gradient flow's, at the same times."""
        pairs = zip(self.sam, self.gd, strict=True)
        rows = (zip(*pair, strict=True) for pair in pairs)
        return np.array([[s.major / g.major for s, g in row] for row in rows])

    @property
    def least(self) -> Cells:
        """SAM's major share over gradient flow's at the same time: the least over the run."""
        return np.fmin.reduce(self._major(), axis=-1)

    @property
    def last(self) -> Cells:
        """The same at the end of the run; nan after a collapse."""
        return self._major()[..., -1]

    @property
    def shown(self) -> Bool[np.ndarray, "seeds factors"]:
        """Minor first, major last: below half of gradient flow's share, and back to 80 % of it."""
        return (self.least < FELL) & (self.last >= BACK)

    @property
    def selected(self) -> int:
        """The factor, by place, that shows it on most splits; of those the deepest fall."""
        counts = self.shown.sum(axis=0)
        return int(np.lexsort((self.least.mean(axis=0), -counts))[0])

    @property
    def chosen(self) -> float | None:
        """The selected scale in units, None where no split shows it at any."""
        return self.factors[self.selected] if self.shown.any() else None

    def rows(self) -> list[dict[str, object]]:
        """Return one row a split and scale, collapses included."""
        return [
            {
                "split": seed,
                "factor": factor,
                "alpha": float(self.alpha[seed, k]),
                "least share over GD's": float(self.least[seed, k]),
                "last share over GD's": float(self.last[seed, k]),
                "accuracy there": float(run.accuracy[run.weakest]),
                "accuracy at the end": float(run.accuracy[-1]),
                "shown": bool(self.shown[seed, k]),
                "status": run.status,
            }
            for seed, runs in enumerate(self.sam)
            for k, (factor, run) in enumerate(zip(self.factors, runs, strict=True))
        ]

    def __repr__(self) -> str:
        """Return a sentence a scale, over all splits, and which scale shows it best."""
        words = "none shows it" if self.chosen is None else f"{self.chosen:g} units"
        first = ("share", "of the strongest quarter of the features, SAM's over GD's")
        return text_card(self.title, [first, *self.lines(), ("selected", words)])

    def words(self) -> str:
        """Return the sentences in one line, for captions."""
        return "; ".join(f"at {name}: {text}" for name, text in self.lines())

    def lines(self) -> list[tuple[str, str]]:
        """Return each scale, with a sentence on what all splits give there."""
        return [
            (f"alpha = {self.alpha[:, k].mean():.4g}, {f:g} units", self._told(k))
            for k, f in enumerate(self.factors)
        ]

    def _told(self, k: int) -> str:
        """What all splits give at one scale, in words."""
        splits = len(self.sam)
        ends = [runs[k].status for runs in self.sam]
        gone = ends.count("collapsed")
        failed = ends.count("failed")
        words = "share is not known"
        if np.isfinite(self.least[:, k]).any():
            words = f"share falls to {_range(self.least[:, k])}"
        if gone + failed < splits:
            words += f", ends at {_range(self.last[:, k])}"
        words += f"; collapse on {gone} of {splits} splits" if gone else ""
        words += f"; no end on {failed} of {splits} splits" if failed else ""
        shown = self.shown[:, k].sum()
        return f"{words}; minor first, major last on {shown} of {splits} splits"


def _range(values: Float[np.ndarray, " splits"]) -> str:
    """The ends of what all splits give, or the one value where they agree to three digits."""
    ends = f"{np.fmin.reduce(values):.3f}", f"{np.fmax.reduce(values):.3f}"
    return " to ".join(dict.fromkeys(ends))


def scan(  # noqa: PLR0913 - as `solve`: what to run, and how
    table: Table,
    rule: Perturbation,
    *,
    depth: int = 2,
    factors: Sequence[float] = (0.98, 1.05, 1.2, 1.5, 3.0),
    splits: Splits = Splits(),
    log_t: Times | None = None,
    progress: Callable[[int], object] | None = None,
) -> Scan:
    """Run SAM and gradient flow from uniform starts of several scales on several random splits."""
    log_t = np.geomspace(0.05, 100.0, 60) if log_t is None else log_t
    done: list[_Split] = []
    try:
        for seed in range(splits.count):
            train, test = table.standardised(
                bias=splits.bias, test=splits.held, seed=seed
            )
            unit = scale_unit(train, rule, depth)
            alpha = [factor * unit for factor in factors]
            runs = []
            for a, law in product(alpha, (rule, gradient_flow())):
                start = Uniform(a, depth)
                runs.append(leaning(train, test, law, start=start, log_t=log_t))
                if progress:
                    progress(1)
            done.append((alpha, tuple(runs[::2]), tuple(runs[1::2])))
    except KeyboardInterrupt:
        if not done:
            raise
    title = f"{table.name}: {rule.name}, rho = {rule.rho:g}, L = {depth}, beside GD"
    scales, sam, gd = zip(*done, strict=True)
    return Scan(
        title,
        factors=tuple(factors),
        alpha=np.array(scales),
        sam=sam,
        gd=gd,
        unfinished=splits.count - len(done),
    )
