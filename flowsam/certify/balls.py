"""Balls of python-flint, numbers with an error bound: precision, arrays, nouns of them as text.

In a text every number is exact, doubles in hexadecimal.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields
from fractions import Fraction
from typing import Any, ClassVar, get_args, get_origin, get_type_hints

import numpy as np

from flowsam.errors import InputError, MissingLibraryError
from flowsam.shapes import Shaped

try:
    from flint import acb as acb
    from flint import arb as arb
    from flint import arb_poly as arb_poly
    from flint import arb_series as arb_series
    from flint import ctx
except ImportError:
    raise MissingLibraryError(
        "a proof needs python-flint; pip install 'flowsam[certify]'"
    ) from None

Place = arb | arb_series  # a number, a ball, or a series in one
Row = Shaped[np.ndarray, " _"]  # of such, or of fractions


@contextmanager
def precision(bits: int) -> Iterator[None]:
    """Work at a number of bits; series as long as they are made."""
    before = (ctx.prec, ctx.cap)
    ctx.prec = bits
    ctx.cap = 2**20
    try:
        yield
    finally:
        ctx.prec, ctx.cap = before


def _text(x: arb) -> str:
    """Return an exact number, m 2^e, as `<m in hex>p<e>`."""
    mantissa, exponent = x.man_exp()
    return f"{int(mantissa):x}p{int(exponent)}"


def _number(word: str) -> arb:
    """Return the exact number of a text."""
    mantissa, exponent = word.split("p")
    return arb((int(mantissa, 16), int(exponent)))


def rational(x: Fraction) -> arb:
    """Return a fraction, rounded."""
    return arb(x.numerator) / x.denominator


def around(centre: arb, radius: arb) -> arb:
    """Return the ball, or what encloses it, of a radius that may be a ball too."""
    return centre + arb(0, 1) * radius


def jet(start: arb, order: int, pace: Any = 1) -> arb_series:
    """Return `start + pace t + O(t^order)`."""
    return arb_series([start, pace], order)


def objects(numbers: Sequence[Any]) -> Row:
    """Return numbers or series as an array, which does not look into them."""
    return np.fromiter(numbers, object, len(numbers))


def each(function: Callable[[Any], Any], values: np.ndarray) -> np.ndarray:
    """Return a function of each entry of an array of numbers or series."""
    return np.frompyfunc(function, 1, 1)(values)


_READ: dict[Any, Callable[[Any], Any]] = {
    arb: _number,
    float: float.fromhex,
    int: int,
    bool: bool,
}


@dataclass(frozen=True)
class Written:
    """A noun whose fields are kept as text; those of a `problem` beside its own."""

    FORMAT: ClassVar[str] = ""  # of a noun that a file may hold

    def facts(self) -> dict[str, Any]:
        """Return the fields as text."""
        found = {"format": self.FORMAT} if self.FORMAT else {}
        for name, value in vars(self).items():
            found |= _plain(value) if name == "problem" else {name: _plain(value)}
        return found

    @classmethod
    def of(cls, facts: dict[str, Any]) -> Any:
        """Return the noun of a text."""
        kinds = get_type_hints(cls)
        words = facts | {"problem": facts}
        parts = {k.name: _read(kinds[k.name], words[k.name]) for k in fields(cls)}
        return cls(**parts)


def _plain(value: Any) -> Any:
    """A value as JSON has it."""
    if isinstance(value, Written):
        return value.facts()
    if isinstance(value, tuple):
        return list(map(_plain, value))
    if isinstance(value, float):
        return value.hex()
    return _text(value) if isinstance(value, arb) else value


def _read(kind: Any, word: Any) -> Any:
    """What a value of JSON means for a field of a kind."""
    if kind in _READ:
        return _READ[kind](word)
    if isinstance(kind, type) and issubclass(kind, Written):
        return kind.of(word)
    first, *rest = get_args(kind)
    if get_origin(kind) is not tuple:  # `first | None`
        return None if word is None else _read(first, word)
    if rest != [...] and len(word) != 1 + len(rest):
        raise InputError(f"{len(word)} numbers where {1 + len(rest)} belong")
    return tuple(_read(first, part) for part in word)
