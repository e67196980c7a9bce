"""Parameters by name, as the command line and sweeps take them: a flow and a start.

At L >= 2 balanced starts keep the signs of beta: columns of a table become [z, -z] unless
`split_signs = false`, those of `mu` and `z` if it is true; at L = 1 nothing is split.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

from flowsam.errors import InputError, InputTypeError

if TYPE_CHECKING:
    import numpy as np

    from flowsam.data import Data
    from flowsam.flow import Flow
    from flowsam.perturbations import Perturbation
    from flowsam.real_data.tables import Table


SOURCES = ("mu", "z", "data", "csv")
STARTS = ("alpha", "theta", "random")
TABLE = ("label_column", "classes", "drop", "bias")  # of data from files


class Setup(NamedTuple):
    """What parameters by name make."""

    data: Data  # columns as given
    flow: Flow  # on [z, -z] where signs are split
    theta0: Any  # (L, columns of the flow), or None
    split: bool

    def predictor(self, beta: np.ndarray) -> np.ndarray:
        """Return the flow's predictors (..., columns of the flow) on the columns as given."""
        from flowsam.data import merge_signs

        return merge_signs(self.flow.data, beta) if self.split else beta


class Parameters(dict[str, Any]):
    """Values by name, and how messages write them: `rho = 1` in a file, `--rho 1` as an option."""

    sources: tuple[str, ...] = SOURCES
    starts: tuple[str, ...] = STARTS
    names: Mapping[str, str] = MappingProxyType({})  # those written otherwise
    form = "{} = {}"  # of a name with its value

    def name(self, parameter: str) -> str:
        """Return a parameter as it is written."""
        return self.names.get(parameter, parameter)

    def example(self, parameter: str, value: object) -> str:
        """Return a parameter with a value as it is written."""
        shown = f"{value:g}" if isinstance(value, float) else value
        return self.form.format(self.name(parameter), shown)

    def one_of(self, names: tuple[str, ...], example: str) -> str | None:
        """Return the one of several that is given; without an example it may be none."""
        found = [name for name in names if name in self]
        if len(found) > 1 or (example and not found):
            given = map(self.name, found)
            few = "both" if found else "neither"
            shown = few if len(names) == 2 else " and ".join(given) or "none"
            known = ", ".join(map(self.name, names))
            move = f"e.g. {example}" if example else "leave one out"
            raise InputError(f"give one of {known}, got {shown}; {move}")
        return (*found, None)[0]

    def check(self, *, start: bool = False) -> None:
        """Refuse what needs no number to be refused: names that exclude or need each other."""
        self.check_source()
        self.one_of(self.starts, self.example("alpha", 0.5) if start else "")
        self.check_rule()
        for name in ("aligned", "split_signs", "bias"):
            if not isinstance(self.get(name, True), bool):
                shown = repr(self[name])
                raise InputTypeError(
                    f"{self.name(name)} needs true or false, got {shown}"
                )
        for name, whose in (("aligned", "alpha"), ("seed", "random")):
            if self.get(name, False) is not False and whose not in self:
                given = [self.name(k) for k in self.starts if k in self]
                raise InputError(
                    f"{self.name(name)} is for {self.name(whose)}, got "
                    f"{' '.join(given) or 'none'}; leave it out"
                )

    def check_rule(self) -> None:
        """Refuse a norm that is none, and a radius where it has no use, or none where it has."""
        rho = self.get("rho")
        norm = self.name("norm")
        if self.exponent is not None and rho is None:
            shown = self.get("norm", "inf")
            needs = self.example("rho", 0.5)
            raise InputError(f"{norm} {shown} needs a radius, got none; e.g. {needs}")
        if self.exponent is None and rho:
            shown = self.example("rho", rho)
            raise InputError(f"{norm} none takes no radius, got {shown}; leave it out")

    def check_source(self) -> None:
        """Refuse data from none or several sources, and options of tables where there is none."""
        first = self.sources[0]
        value = {"mu": "1,2", "data": "digits:3,5"}[first]
        source = str(self.one_of(self.sources, self.example(first, value)))
        if source == "csv" and "label_column" not in self:
            needs = self.example("label_column", "y")
            raise InputError(
                f"{self.name('csv')} needs its column of labels, got none; e.g. {needs}"
            )
        single = self.get("data") == "digits_means"
        given = self.example(source, self[source]) if single else self.name(source)
        fits = {"csv": TABLE, "data": () if single else ("bias",)}.get(source, ())
        for name in TABLE:
            if name in self and name not in fits:
                tables = ("csv", "data") if name == "bias" else ("csv",)
                whose = " or ".join(map(self.name, tables))
                raise InputError(
                    f"{self.name(name)} is for tables of {whose}, got {given}; leave it out"
                )
        if self.get("split_signs") is False and (source == "mu" or single):
            raise InputError(
                f"{self.name('split_signs')} is for several examples, got one; leave it out"
            )

    @property
    def exponent(self) -> float | None:
        """The p of `norm`, or of ASAM's own `p`: None for "none", 2 for those with a word."""
        norm = self.get("norm", "inf")
        if "p" in self and norm != "asam":
            shown = self.example("norm", norm)
            raise InputError(
                f"{self.name('p')} is for {self.example('norm', 'asam')}, got {shown}; "
                f"other norms are their p, e.g. {self.example('norm', 3)}"
            )
        if "p" in self:
            needs = f"{self.name('p')} needs inf or a number >= 1"
            return _power(self["p"], needs)
        if norm in ("unnormalised", "asam"):
            return 2.0
        words = "inf, none, unnormalised, asam or a number p >= 1"
        needs = f"{self.name('norm')} needs {words}"
        return None if norm == "none" else _power(norm, needs)

    @property
    def rule(self) -> Perturbation:
        """The rule of `norm` and `rho`, and of ASAM's `p`."""
        from flowsam.perturbations import Perturbation

        p = self.exponent
        if p is None:
            return Perturbation(math.inf, 0.0)
        norm = self.get("norm")
        return Perturbation(p, self["rho"], norm != "unnormalised", norm == "asam")

    @property
    def data(self) -> Data:
        """The examples of the one source that is given."""
        from flowsam.data import Data, single_example

        bias = bool(self.get("bias", True))
        if "mu" in self:
            return single_example(self["mu"])
        if "data" in self:
            return _named(str(self["data"]), bias)
        if "csv" in self:
            return self.table.standardised(bias=bias)[0]
        return self["z"] if isinstance(self["z"], Data) else Data(self["z"])

    @property
    def table(self) -> Table:
        """The table of a CSV file, or of data by name."""
        from flowsam.real_data.named_sets import named_table
        from flowsam.real_data.tables import read_csv

        if "data" in self:
            return named_table(str(self["data"]))
        chosen = {k: self[k] for k in ("classes", "drop") if k in self}
        return read_csv(str(self["csv"]), str(self["label_column"]), **chosen)

    @property
    def depth(self) -> int:
        """The number of layers: those of theta, else as given, else 2."""
        import numpy as np

        from flowsam.inputs import whole_number

        if "theta" not in self:
            what = f"{self.name('depth')} needs a whole number >= 1"
            depth = whole_number(self.get("depth", 2), what)
            if depth < 1:
                raise InputError(f"{what}, got {depth}; it counts layers")
            return depth
        shape = np.shape(self["theta"])
        layers = shape[-2] if len(shape) > 1 else 1
        if self.get("depth", layers) != layers:
            raise InputError(
                f"{self.example('depth', self['depth'])} contradicts "
                f"{self.name('theta')} of shape {shape}; leave it out"
            )
        return layers

    @property
    def setup(self) -> Setup:
        """The flow and the start of parameters that `check` let pass."""
        from flowsam.data import split_signs
        from flowsam.flow import Flow
        from flowsam.losses import LOSSES

        data = self.data
        rule = self.rule
        table = "csv" in self or "data" in self
        split = bool(self.get("split_signs", table and len(data.z) > 1))
        split = self.depth > 1 and split
        moved = split_signs(data) if split else data
        flow = Flow(moved, rule, LOSSES[self.get("loss", "logistic")])
        return Setup(data, flow, self._start(flow, split), split)

    def _start(self, flow: Flow, split: bool) -> np.ndarray | None:
        """The start: balanced, given in full, or drawn by a seed; all of it times `scale`."""
        import numpy as np

        from flowsam.inputs import real_array, real_number, whole_number

        if "theta" in self:
            start = flow.checked(self["theta"])
        elif "random" in self:
            ends = real_array(self["random"], "random")
            if ends.shape != (2,) or not ends[0] < ends[1]:
                raise InputError(
                    f"random needs [low, high] with low < high, got {ends.tolist()}"
                )
            what = "random needs a whole number as seed"
            seed = whole_number(self.get("seed", 0), what)
            if seed < 0:
                raise InputError(f"random needs seed >= 0, got {seed}")
            shape = (self.depth, flow.data.z.shape[1])
            start = np.random.default_rng(seed).uniform(ends[0], ends[1], shape)
        elif "alpha" in self:
            start = self.balanced(flow, self.depth, split)
        else:
            return None
        return start * real_number(self.get("scale", 1.0), "scale")

    def balanced(self, flow: Flow, depth: int, split: bool = False) -> np.ndarray:
        """Return the start of `alpha`: one number, one a column, or one for both halves."""
        import numpy as np

        from flowsam.inputs import real_array
        from flowsam.network import balanced

        columns = flow.data.z.shape[1]
        alpha = np.atleast_1d(real_array(self["alpha"], self.name("alpha")))
        if split and 2 * alpha.size == columns:
            alpha = np.tile(alpha, 2)
        if alpha.shape not in ((1,), (columns,)):
            fits = f"{columns // 2} or {columns}" if split else f"{columns}"
            raise InputError(
                f"{self.name('alpha')} needs 1 or {fits} numbers to fit the data, got {alpha.size}"
            )
        signs = np.where(flow.mu < 0, -1.0, 1.0) if self.get("aligned") else None
        return balanced(np.broadcast_to(alpha, columns), depth, signs)


def _power(value: object, needs: str) -> float:
    """A number of at least 1, or a refusal."""
    try:
        p = float(str(value))
    except ValueError:
        p = math.nan
    if not p >= 1:
        raise InputError(f"{needs}, got {value!r}; e.g. 2")
    return p


@lru_cache(maxsize=4)  # the cells of a sweep share their data
def _named(name: str, bias: bool) -> Data:
    """Data by name, read once."""
    from flowsam.real_data.named_sets import named_data

    return named_data(name, bias=bias)
