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


Given = Mapping[str, Any]  # by name
SOURCES = ("mu", "z", "data", "csv")
STARTS = ("alpha", "theta", "random")
TABLE = ("label_column", "classes", "drop", "bias")  # of data from files


class Dialect(NamedTuple):
    """How parameters are written in messages: `rho = 1` in a file, `--rho 1` as an option."""

    sources: tuple[str, ...] = SOURCES
    starts: tuple[str, ...] = STARTS
    names: Mapping[str, str] = MappingProxyType({})  # those written otherwise
    given: str = "{} = {}"  # of a name with its value

    def name(self, parameter: str) -> str:
        """Return a parameter as it is written."""
        return self.names.get(parameter, parameter)

    def example(self, parameter: str, value: object) -> str:
        """Return a parameter with a value as it is written."""
        number = isinstance(value, float)
        return self.given.format(
            self.name(parameter), f"{value:g}" if number else value
        )


FILE = Dialect()


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


def one_of(
    parameters: Given,
    names: tuple[str, ...],
    dialect: Dialect,
    example: str,
) -> str | None:
    """Return the one of several parameters that is given; without an example it may be none."""
    given = [dialect.name(name) for name in names if name in parameters]
    if len(given) > 1 or (example and not given):
        few = "both" if given else "neither"
        shown = few if len(names) == 2 else " and ".join(given) or "none"
        known = ", ".join(map(dialect.name, names))
        move = f"e.g. {example}" if example else "leave one out"
        raise InputError(f"give one of {known}, got {shown}; {move}")
    return next((name for name in names if name in parameters), None)


def check(
    parameters: Given,
    dialect: Dialect = FILE,
    *,
    start: bool = False,
) -> None:
    """Refuse what needs no number to be refused: names that exclude or need each other."""
    check_source(parameters, dialect)
    one_of(
        parameters,
        dialect.starts,
        dialect,
        dialect.example("alpha", 0.5) if start else "",
    )
    check_rule(parameters, dialect)
    for name in ("aligned", "split_signs", "bias"):
        if not isinstance(parameters.get(name, True), bool):
            shown = repr(parameters[name])
            raise InputTypeError(
                f"{dialect.name(name)} needs true or false, got {shown}"
            )
    for name, whose in (("aligned", "alpha"), ("seed", "random")):
        typed = parameters.get(name, False) is not False
        if typed and whose not in parameters:
            given = [dialect.name(k) for k in dialect.starts if k in parameters]
            raise InputError(
                f"{dialect.name(name)} is for {dialect.name(whose)}, got "
                f"{' '.join(given) or 'none'}; leave it out"
            )


def check_rule(parameters: Given, dialect: Dialect = FILE) -> None:
    """Refuse a norm that is none, and a radius where it has no use, or none where it has."""
    norm = parameters.get("norm", "inf")
    p = exponent_of(parameters, dialect)
    rho = parameters.get("rho")
    if p is None and rho:
        shown = dialect.example("rho", rho)
        raise InputError(
            f"{dialect.name('norm')} none takes no radius, got {shown}; leave it out"
        )
    if p is not None and rho is None:
        needs = dialect.example("rho", 0.5)
        raise InputError(
            f"{dialect.name('norm')} {norm} needs a radius, got none; e.g. {needs}"
        )


def check_source(parameters: Given, dialect: Dialect = FILE) -> None:
    """Refuse data from none or several sources, and options of tables where there is none."""
    first = dialect.sources[0]
    value = {"mu": "1,2", "data": "digits:3,5"}[first]
    source = str(
        one_of(parameters, dialect.sources, dialect, dialect.example(first, value))
    )
    if source == "csv" and "label_column" not in parameters:
        needs = dialect.example("label_column", "y")
        raise InputError(
            f"{dialect.name('csv')} needs its column of labels, got none; e.g. {needs}"
        )
    fits = {"csv": TABLE, "data": ("bias",)}.get(source, ())
    single = parameters.get("data") == "digits_means"
    fits = () if single else fits
    for name in TABLE:
        if name in parameters and name not in fits:
            whose = " or ".join(
                dialect.name(k) for k in ("csv", "data")[: 1 + (name == "bias")]
            )
            given = (
                dialect.example(source, parameters[source])
                if single
                else dialect.name(source)
            )
            raise InputError(
                f"{dialect.name(name)} is for tables of {whose}, got {given}; leave it out"
            )
    if parameters.get("split_signs") is False and (source == "mu" or single):
        raise InputError(
            f"{dialect.name('split_signs')} is for several examples, got one; leave it out"
        )


def exponent(norm: object, dialect: Dialect = FILE) -> float | None:
    """Return p of a norm in words or numbers: None for "none", 2 for those with a word."""
    if norm == "none":
        return None
    if norm in ("unnormalised", "asam"):
        return 2.0
    words = "inf, none, unnormalised, asam or a number p >= 1"
    return _power(norm, f"{dialect.name('norm')} needs {words}")


def _power(value: object, needs: str) -> float:
    """A number of at least 1, or a refusal."""
    try:
        p = float(str(value))
    except ValueError:
        p = math.nan
    if not p >= 1:
        raise InputError(f"{needs}, got {value!r}; e.g. 2")
    return p


def exponent_of(parameters: Given, dialect: Dialect) -> float | None:
    """Return p of `norm`, or of ASAM's own `p`."""
    norm = parameters.get("norm", "inf")
    if "p" not in parameters:
        return exponent(norm, dialect)
    if norm != "asam":
        shown = dialect.example("norm", norm)
        raise InputError(
            f"{dialect.name('p')} is for {dialect.example('norm', 'asam')}, got {shown}; "
            f"other norms are their p, e.g. {dialect.example('norm', 3)}"
        )
    needs = f"{dialect.name('p')} needs inf or a number >= 1"
    return _power(parameters["p"], needs)


def setup_of(parameters: Given, dialect: Dialect = FILE) -> Setup:
    """Return the flow and the start of parameters that `check` let pass."""
    from flowsam.data import split_signs
    from flowsam.flow import Flow
    from flowsam.losses import LOSSES

    data = data_of(parameters)
    rule = rule_of(parameters, dialect)
    depth = _depth(parameters, dialect)
    table = "csv" in parameters or "data" in parameters
    split = bool(parameters.get("split_signs", table and len(data.z) > 1)) and depth > 1
    moved = split_signs(data) if split else data
    flow = Flow(moved, rule, LOSSES[parameters.get("loss", "logistic")])
    return Setup(data, flow, _start(flow, parameters, depth, split, dialect), split)


def rule_of(parameters: Given, dialect: Dialect = FILE) -> Perturbation:
    """Return the rule of `norm` and `rho`, and of ASAM's `p`."""
    from flowsam.perturbations import Perturbation, gradient_flow

    p = exponent_of(parameters, dialect)
    if p is None:
        return gradient_flow()
    kind = {"unnormalised": {"normalised": False}, "asam": {"adaptive": True}}
    flags = kind.get(str(parameters.get("norm")), {})
    return Perturbation(p, parameters["rho"], **flags)


def data_of(parameters: Given) -> Data:
    """Return the examples of the one source that is given."""
    from flowsam.data import Data, single_example

    bias = bool(parameters.get("bias", True))
    if "mu" in parameters:
        return single_example(parameters["mu"])
    if "data" in parameters:
        return _named(str(parameters["data"]), bias)
    if "csv" in parameters:
        return table_of(parameters).standardised(bias=bias)[0]
    z = parameters["z"]
    return z if isinstance(z, Data) else Data(z)


@lru_cache(maxsize=4)  # the cells of a sweep share their data
def _named(name: str, bias: bool) -> Data:
    """Data by name, read once."""
    from flowsam.real_data.named_sets import named_data

    return named_data(name, bias=bias)


def table_of(parameters: Given) -> Table:
    """Return the table of a CSV file, or of data by name."""
    from flowsam.real_data.named_sets import named_table
    from flowsam.real_data.tables import read_csv

    if "data" in parameters:
        return named_table(str(parameters["data"]))
    chosen = {k: parameters[k] for k in ("classes", "drop") if k in parameters}
    return read_csv(str(parameters["csv"]), str(parameters["label_column"]), **chosen)


def _depth(parameters: Given, dialect: Dialect) -> int:
    """The number of layers: those of theta, else as given, else 2."""
    import numpy as np

    from flowsam.inputs import whole_number

    if "theta" not in parameters:
        what = f"{dialect.name('depth')} needs a whole number >= 1"
        depth = whole_number(parameters.get("depth", 2), what)
        if depth < 1:
            raise InputError(f"{what}, got {depth}; it counts layers")
        return depth
    shape = np.shape(parameters["theta"])
    layers = shape[-2] if len(shape) > 1 else 1
    if parameters.get("depth", layers) != layers:
        raise InputError(
            f"{dialect.example('depth', parameters['depth'])} contradicts "
            f"{dialect.name('theta')} of shape {shape}; leave it out"
        )
    return layers


def _start(
    flow: Flow,
    parameters: Given,
    depth: int,
    split: bool,
    dialect: Dialect,
) -> np.ndarray | None:
    """The start: balanced, given in full, or drawn by a seed; all of it times `scale`."""
    import numpy as np

    from flowsam.inputs import real_array, real_number, whole_number

    if "theta" in parameters:
        start = flow.checked(parameters["theta"])
    elif "random" in parameters:
        ends = real_array(parameters["random"], "random")
        if ends.shape != (2,) or not ends[0] < ends[1]:
            raise InputError(
                f"random needs [low, high] with low < high, got {ends.tolist()}"
            )
        seed = whole_number(
            parameters.get("seed", 0), "random needs a whole number as seed"
        )
        if seed < 0:
            raise InputError(f"random needs seed >= 0, got {seed}")
        shape = (depth, flow.data.z.shape[1])
        start = np.random.default_rng(seed).uniform(ends[0], ends[1], shape)
    elif "alpha" in parameters:
        start = balanced_start(
            flow,
            parameters,
            depth=depth,
            split=split,
            dialect=dialect,
        )
    else:
        return None
    return start * real_number(parameters.get("scale", 1.0), "scale")


def balanced_start(
    flow: Flow,
    parameters: Given,
    *,
    depth: int,
    split: bool = False,
    dialect: Dialect = FILE,
) -> np.ndarray:
    """Return the balanced start of `alpha`: one number, one a column, or one for both halves."""
    import numpy as np

    from flowsam.inputs import real_array
    from flowsam.network import balanced

    columns = flow.data.z.shape[1]
    alpha = np.atleast_1d(real_array(parameters["alpha"], dialect.name("alpha")))
    if split and 2 * alpha.size == columns:
        alpha = np.tile(alpha, 2)
    if alpha.shape not in ((1,), (columns,)):
        fits = f"{columns // 2} or {columns}" if split else f"{columns}"
        raise InputError(
            f"{dialect.name('alpha')} needs 1 or {fits} numbers to fit the data, got {alpha.size}"
        )
    signs = np.where(flow.mu < 0, -1.0, 1.0) if parameters.get("aligned") else None
    return balanced(np.broadcast_to(alpha, columns), depth, signs)
