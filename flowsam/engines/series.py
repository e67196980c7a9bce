"""Power series in the time since a step began: the arithmetic that heyoka's compiler is given.

A coefficient is an expression of heyoka's, made when first asked for, so that a series may hold
itself. What is written decides how fast the compiled code is: products are added one to the other,
those that wait for the newest coefficient last, and constant factors stay out of convolutions.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import cached_property, reduce
from operator import add, mul
from typing import Any

Coefficient = Any  # a number or an expression of heyoka's


class Series:
    """`sum_k c_k h^k` of a rule `k -> c_k`, asked once for each k, in their order."""

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
        return reduce(
            lambda total, k: total * h + self[k], reversed(range(order)), self[order]
        )

    def __add__(self, other: Any) -> Series:
        """A sum with a series or a constant."""
        if isinstance(other, Series):
            return Series(lambda k: self[k] + other[k])
        return Series(lambda k: self[k] + other if k == 0 else self[k])

    def __mul__(self, other: Any) -> Series:
        """A product, by convolution, or a multiple."""
        if isinstance(other, Series):
            return Series(
                lambda k: _chain(
                    self[i] * other[k - i] for i in _by_age(range(k + 1), k)
                )
            )
        return _Multiple(self, other)

    __radd__ = __add__
    __rmul__ = __mul__

    def __truediv__(self, other: _Multiple) -> Series:
        """A quotient c by a multiple of a root b, which begins with 1, from `c b = a`."""
        b = other.base

        def rule(k: int) -> Coefficient:
            known = [b[i] * found[k - i] for i in _by_age(range(1, k), k)]
            older = self[k] - _chain(known) if known else self[k]
            return older - b[k] * found[0] if k else older

        found = Series(rule)
        return found * other.inverse

    def __pow__(self, power: float) -> Series:
        """A square; otherwise the square root b, from `b b = a`: half a product each."""
        if power == 2:
            return Series(lambda k: _chain(_halves(self, k, first=0)))
        half = 0.5 * self.inverse

        def rule(k: int) -> Coefficient:
            if k == 0:
                return 1.0
            known = _halves(found, k, first=1)
            return self[k] * half - 0.5 * _chain(known) if known else self[k] * half

        found = Series(rule)
        return found * self[0] ** 0.5

    @cached_property
    def inverse(self) -> Coefficient:
        """1 / c_0, nan for 0: a choice that hides it, for heyoka would divide once a product."""
        import heyoka as hy

        return hy.select(hy.eq(self[0], 0.0), math.nan, self[0] ** -1.0)


class _Multiple(Series):
    """A series times a number, which stays apart from products, quotients and powers of it."""

    def __init__(self, base: Series, factor: Coefficient) -> None:
        super().__init__(lambda k: base[k] * factor)
        self.base = base
        self.factor = factor

    def __mul__(self, other: Any) -> Series:
        """A product or a multiple."""
        if isinstance(other, Series):
            return self.base * other * self.factor
        return _Multiple(self.base, self.factor * other)

    __rmul__ = __mul__

    def __truediv__(self, other: _Multiple) -> Series:
        """A quotient."""
        return self.base / other * self.factor

    def __pow__(self, power: float) -> Series:
        """A square or a square root."""
        return self.base**power * self.factor**power


def _by_age(places: range, k: int) -> list[int]:
    """Places i of products `a_i b_(k-i)`, in the order in which both factors are known."""
    return sorted(places, key=lambda i: max(i, k - i))


def _halves(a: Series, k: int, *, first: int) -> list[Coefficient]:
    """The terms `a_i a_(k-i)` with both places from the first on: equal ones at once."""
    return [
        a[i] * a[i] if 2 * i == k else (2.0 * a[i]) * a[k - i]
        for i in _by_age(range(first, k // 2 + 1), k)
    ]


def _chain(terms: Any) -> Coefficient:
    """A sum, one term added to the others: the compiler fuses it with the term's product."""
    return reduce(add, terms)


def integral(first: Coefficient, velocity: Callable[[], Series]) -> Series:
    """Return the series that starts at a value and has a velocity, which may come later."""
    return Series(lambda k: (velocity() * (1.0 / k))[k - 1] if k else first)


def sum(terms: Sequence[Series]) -> Series:
    """Return the sum of several series."""
    return Series(lambda k: _chain(term[k] for term in terms))


def prod(factors: Sequence[Any]) -> Any:
    """Return the product of numbers and series, from the first to the last."""
    return reduce(mul, factors)
