"""Balls of python-flint: numbers with an error bound, their precision, their text."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from fractions import Fraction
from typing import Any

import numpy as np

from flowsam.errors import MissingLibraryError
from flowsam.shapes import Shaped

try:
    from flint import acb, arb, arb_series, ctx
except ImportError:
    raise MissingLibraryError(
        "a proof needs python-flint; pip install 'flowsam[certify]'"
    ) from None

Place = arb | arb_series  # a number, a ball, or a series in one
Row = Shaped[np.ndarray, " _"]  # of such, or of fractions

__all__ = [
    "Place",
    "Row",
    "acb",
    "arb",
    "arb_series",
    "around",
    "each",
    "jet",
    "number",
    "objects",
    "precision",
    "rational",
    "text",
]


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


def text(x: arb) -> str:
    """Return an exact number, m 2^e, as `<m in hex>p<e>`."""
    mantissa, exponent = x.man_exp()
    return f"{int(mantissa):x}p{int(exponent)}"


def number(word: str) -> arb:
    """Return the exact number of a text."""
    mantissa, exponent = word.split("p")
    return arb((int(mantissa, 16), int(exponent)))


def rational(x: Fraction) -> arb:
    """Return a fraction, rounded."""
    return arb(x.numerator) / x.denominator


def around(centre: arb, radius: arb) -> arb:
    """Return the ball, or what encloses it, of a radius that may be a ball too."""
    return centre + arb(0, 1) * radius


def jet(start: arb, order: int) -> arb_series:
    """Return `start + t + O(t^order)`."""
    return arb_series([start, 1], order)


def objects(numbers: Sequence[Any]) -> Row:
    """Return numbers or series as an array, which does not look into them."""
    return np.fromiter(numbers, object, len(numbers))


def each(function: Callable[[Any], Any], values: np.ndarray) -> np.ndarray:
    """Return a function of each entry of an array of numbers or series."""
    return np.frompyfunc(function, 1, 1)(values)
