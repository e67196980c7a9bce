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

    def __pow__(self, power: float) -> Series:
        """A square, for half a product; or `b = a^p` from `a b' = p a' b`."""
        if power == 2:
            return Series(self._square)
        inverse = Series(lambda _: self[0] ** -1.0)  # its first entry alone is used

        def rule(k: int) -> Coefficient:
            if k == 0:
                return self[0] ** power
            terms = ((power + 1) * i / k - 1 for i in range(1, k + 1))
            return inverse[0] * _sum(
                self[i] * found[k - i] * term for i, term in enumerate(terms, 1)
            )

        found = Series(rule)
        return found

    def _square(self, k: int) -> Coefficient:
        """`2 (a_0 a_k + a_1 a_(k-1) + ...)`, and the middle once."""
        twice = [2.0 * _sum(self[i] * self[k - i] for i in range((k + 1) // 2))] if k else []
        middle = [self[k // 2] * self[k // 2]] if k % 2 == 0 else []
        return _sum(twice + middle)


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
    """Return a sum, product or power of SymPy with series and constants for its symbols."""
    if one in given:
        return given[one]
    if one.is_Number:
        return float(one)
    parts = [from_sympy(part, given) for part in one.args]
    return reduce(mul if one.is_Mul else add if one.is_Add else pow, parts)
