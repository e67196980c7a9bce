"""Power series in the time since a step began: the arithmetic that heyoka's compiler is given.

A coefficient is an expression of heyoka's, made when it is first asked for, so that a series may
hold itself: a weight is the integral of a velocity that is computed from weights. The module has
those of heyoka's names that fields of one example are written with: they are written once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import reduce
from operator import add, mul
from typing import Any

__all__ = ["Series", "from_sympy", "integral", "sum"]

Coefficient = Any  # a number or an expression of heyoka's


class Series:
    """`sum_k c_k h^k`.

    Parameters
    ----------
    rule : callable
        `k -> c_k`, asked once for each k, in their order.

    Examples
    --------
    >>> one = Series(lambda k: 1.0)  # 1 / (1 - h)
    >>> [(one + 0.5)[k] for k in range(2)], [(2 * one)[k] for k in range(2)]
    ([1.5, 1.0], [2.0, 2.0])
    """

    def __init__(self, rule: Callable[[int], Coefficient]) -> None:
        self.rule = rule
        self.known: list[Coefficient] = []

    def __getitem__(self, k: int) -> Coefficient:
        """Return c_k."""
        while len(self.known) <= k:
            self.known.append(self.rule(len(self.known)))
        return self.known[k]

    def value(self, order: int, h: Coefficient) -> Coefficient:
        """Return the sum to an order."""
        total = self[order]
        for k in reversed(range(order)):
            total = total * h + self[k]
        return total

    def __add__(self, other: Any) -> Series:
        """A sum with a series or a constant."""
        if isinstance(other, Series):
            return Series(lambda k: self[k] + other[k])
        return Series(lambda k: self[k] + other if k == 0 else self[k])

    def __mul__(self, other: Any) -> Series:
        """A product, by convolution, or a multiple."""
        if isinstance(other, Series):
            return Series(lambda k: _sum(self[i] * other[k - i] for i in range(k + 1)))
        return Series(lambda k: self[k] * other)

    __radd__, __rmul__ = __add__, __mul__

    def __truediv__(self, other: Series) -> Series:
        """A quotient c of series, from `c b = a`."""
        inverse = _inverse(lambda: other[0])

        def rule(k: int) -> Coefficient:
            known = [other[i] * found[k - i] for i in range(1, k + 1)]
            return (self[k] - _sum(known) if known else self[k]) * inverse[0]

        found = Series(rule)
        return found

    def __pow__(self, power: float) -> Series:
        """A square; otherwise the square root b, from `b b = a`: half a product each."""
        if power == 2:
            return Series(lambda k: _sum(_halves(self, k, first=0)))
        inverse = _inverse(lambda: 2.0 * found[0])

        def rule(k: int) -> Coefficient:
            if k == 0:
                return self[0] ** 0.5
            known = _halves(found, k, first=1)
            return (self[k] - _sum(known) if known else self[k]) * inverse[0]

        found = Series(rule)
        return found


def _inverse(of: Callable[[], Coefficient]) -> Series:
    """The inverse of a number that comes later, as the first entry, computed once.

    heyoka takes a factor 1/x for a division, one in every product: a choice hides it.
    """
    import heyoka as hy

    return Series(lambda _: hy.select(hy.eq(of(), 0.0), of() ** -2.0, of() ** -1.0))


def _halves(a: Series, k: int, *, first: int) -> list[Coefficient]:
    """The terms `a_i a_(k-i)` with both places from the first on: equal ones at once."""
    pairs = [a[i] * a[k - i] for i in range(first, (k + 1) // 2)]
    twice = [2.0 * _sum(pairs)] if pairs else []
    return twice + ([a[k // 2] * a[k // 2]] if k % 2 == 0 and k // 2 >= first else [])


def _sum(terms: Any) -> Coefficient:
    """A sum as one expression, which the compiler balances."""
    import heyoka as hy

    return hy.sum(list(terms))


def integral(first: Coefficient, velocity: Callable[[], Series]) -> Series:
    """Return the series that starts at a value and has a velocity, which may come later.

    Examples
    --------
    >>> grows = integral(1.0, lambda: grows)  # e^h
    >>> [grows[k] for k in range(4)]
    [1.0, 1.0, 0.5, 0.16666666666666666]
    """
    return Series(lambda k: velocity()[k - 1] * (1.0 / k) if k else first)


def sum(terms: Sequence[Series]) -> Series:
    """Return the sum of several series."""
    return Series(lambda k: _sum(term[k] for term in terms))


def from_sympy(one: Any, given: dict[Any, Any]) -> Any:
    """Return a sum or product of SymPy with series and constants for its symbols."""
    if one in given:
        return given[one]
    if one.is_Number:
        return float(one)
    parts = [from_sympy(part, given) for part in one.args]
    return reduce(mul if one.is_Mul else add if one.is_Add else pow, parts)
