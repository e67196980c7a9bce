"""Who leads in a tube of l_2-SAM at L = 2, and for how long (derivations/proved_labels.py).

4 |beta_j| = |s_j^2 e^{2 mu_j tau} - e_j^2 e^{-2 mu_j tau}| e^{-2 mu_j^2 A}
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from flowsam.certify.balls import arb, rational
from flowsam.certify.l2_equation import TwoLayers, two_layers
from flowsam.labels import Label

__all__ = ["Contender", "Race", "race"]


@dataclass(frozen=True, eq=False)
class Contender:
    """One coordinate."""

    place: int
    speed: arb  # |mu_j|
    # s_j(0)^2 and e_j(0)^2, exchanged where mu_j < 0; times |mu_j| for contributions
    grows: arb
    shrinks: arb
    product: Fraction  # sign(mu_j) u_j v_j, times |mu_j| there: the start, exactly

    def parts(self, tau: arb, a: arb) -> tuple[arb, arb]:
        """Return s_j^2 and e_j^2 at a point or in a box."""
        m = self.speed
        return (
            self.grows * (2 * m * (tau - m * a)).exp(),
            self.shrinks * (-2 * m * (tau + m * a)).exp(),
        )

    def size(self, tau: arb, a: arb) -> arb:
        """Return 4 |beta_j|."""
        grows, shrinks = self.parts(tau, a)
        return abs(grows - shrinks)

    def gain(self, tau: arb, a: arb, pull: arb) -> arb:
        """Return twice |beta_j|', given rho/N; nan where its sign is not sure."""
        grows, shrinks = self.parts(tau, a)
        gain = self.speed * (grows + shrinks) - self.speed**2 * pull * (grows - shrinks)
        if self.product == 0 and gain > 0:
            return gain
        if self.product > 0 and grows > shrinks:
            return gain
        return -gain if self.product < 0 and grows < shrinks else arb("nan")

    def rate(self, tau: arb, a: arb, pull: arb) -> arb:
        """Return half of d log|beta_j|/dtau, given rho/N."""
        grows, shrinks = self.parts(tau, a)
        share = (grows + shrinks) / (grows - shrinks)
        return self.speed * share - self.speed**2 * pull


@dataclass(frozen=True)
class Race(TwoLayers):
    """A start's equation, followed until its last leader leads for good."""

    contenders: tuple[Contender, ...]

    def decided(self, x: arb, y: Sequence[arb]) -> int | None:
        """Return the place of the coordinate that leads for good, or None."""
        label = super().decided(x, y)
        if label is None:
            return None
        # ahead of max(s_k^2, e_k^2) of every other, the leader grows fastest or falls slowest
        a = y[0]
        first = max(self.contenders, key=lambda c: float(c.size(x, a)))
        others = [c for c in self.contenders if c is not first]
        grows, shrinks = first.parts(x, a)
        if not grows > shrinks:
            return None
        falls = label == Label.ZERO
        norm = 1 / self.pull(x, a)
        ahead = all(grows - shrinks > part for c in others for part in c.parts(x, a))
        lasts = all(_lasts(first, c, norm, falls=falls) for c in others)
        return first.place if ahead and lasts else None

    def pull(self, tau: arb, a: arb) -> arb:
        """Return rho/N."""
        return self.slope(tau, [a])[0]


def _lasts(first: Contender, other: Contender, norm: arb, *, falls: bool) -> bool:
    """Whether another never falls more slowly, or, as N rises for good, grows faster."""
    if falls:
        return bool(first.speed <= other.speed)
    slower = other.speed <= first.speed or other.grows == 0
    return bool(slower and norm >= first.speed + other.speed)


def race(
    theta: Sequence[Sequence[float]], mu: Sequence[float], rho: float, *, weighted: bool
) -> Race:
    """Return the race of a start: coordinates that are equal for ever count as the first."""
    seen = set()
    contenders = []
    for j, (u, v, m) in enumerate(zip(*theta, mu, strict=True)):
        s = abs(Fraction(u) + Fraction(v))
        e = abs(Fraction(u) - Fraction(v))
        if m < 0:
            s, e = e, s
        kind = (abs(m), s, e)
        if m == 0 or kind in seen or not (s or e):
            continue
        seen.add(kind)
        weight = Fraction(abs(m)) if weighted else Fraction(1)
        grows = rational(weight * s * s)
        shrinks = rational(weight * e * e)
        product = weight * Fraction(u) * Fraction(v) * (1 if m > 0 else -1)
        size = abs(arb(m))
        contenders.append(Contender(j + 1, size, grows, shrinks, product))
    return Race(**vars(two_layers(theta, mu, rho)), contenders=tuple(contenders))
