"""One coordinate of l_inf-SAM that slides: one weight at 0, three or more layers.

With a_k the other sizes, A = prod (a_k - rho) < 0 and B = prod (a_k + rho), Filippov's solution is
`a_k' = -2 |mu| rho^2 A B / ((B - A)(a_k^2 - rho^2))`, so that one number y moves:

    h_k = (a_k - rho)^2 (a_k + 2 rho) / 3 = h_k(0) + y,   2 |mu| rho^2 dtau = (1/|A| + 1/B) dy.

No weight passes rho, and the slide ends where the smallest is 0: no more unique.
(derivations/linf_slides.py)
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from flowsam.shapes import Column, Float

NODES, WEIGHTS = np.polynomial.legendre.leggauss(16)
PANEL = 1.0  # in s = log(1 + y/d): 16 nodes leave 1e-16, since y/d is analytic for |Im s| < pi
LEAST = 1e-34  # of rho^3: the least d; what is left out is its root, 1e-17
ROUNDS = 60  # of Newton's method inside a bracket; about six are used

Places = Float[np.ndarray, "N K"]
Others = Float[np.ndarray, "N M"]


@dataclass(frozen=True, eq=False)
class Slide:
    """Slides of a flat batch."""

    # sizes of the weights not at 0 where it begins, an odd number below rho
    others: Others
    rho: float

    @property
    def above(self) -> Others:
        """The sizes less rho, in units of rho: every y and h below is in units of rho^3 / 3."""
        return self.others / self.rho - 1

    @property
    def first(self) -> Others:
        """Three h_k at the start."""
        return self.above**2 * (self.above + 3)

    @property
    def unit(self) -> Column:
        """d, the least h: the nearest singularity of the clock is at y = -d."""
        return np.maximum(self.first.min(axis=-1), LEAST)

    @property
    def span(self) -> Column:
        """Three y at the end, where the smallest size is 0 and its h is 2."""
        least = self.others.min(axis=-1) / self.rho
        return least * (3 - least * least)

    @property
    def last(self) -> Column:
        """S at the end."""
        return np.log1p(self.span / self.unit)

    @property
    def duration(self) -> Column:
        """|mu| tau from the start to the second zero."""
        return self.passed[:, -1]

    @property
    def landed(self) -> Others:
        """The sizes at the end, the smallest exactly 0."""
        end = self.rho * (1 + self.moved(self.span[:, None])[:, 0])
        return np.where(
            self.others == self.others.min(axis=-1, keepdims=True), 0.0, end
        )

    @cached_property
    def passed(self) -> Places:
        """|mu| tau at s = 0, 1, 2, ..., each slide's last at its end."""
        last = self.last
        total = np.zeros(last.shape)
        edges = [total]
        for left in np.arange(0.0, last.max(initial=0.0), PANEL):
            live = last > left
            right = np.minimum(left + PANEL, last[live])[:, None]
            part = Slide(self.others[live], self.rho)
            total = total.copy()
            total[live] += part.between(np.full_like(right, left), right)[:, 0]
            edges.append(total)
        return np.stack(edges, axis=-1)

    def between(self, left: Places, right: Places) -> Places:
        """|mu| tau from one s to another, at most a panel on, by Gauss-Legendre."""
        half = (right - left) / 2
        nodes = left[..., None] + half[..., None] * (1 + NODES)
        rates = self.rate(nodes.reshape(len(nodes), -1))
        return (rates.reshape(nodes.shape) * WEIGHTS).sum(axis=-1) * half

    def rate(self, s: Places) -> Places:
        """|mu| dtau/ds = (1/|A| + 1/B) / (2 rho^2) dy/ds."""
        unit = self.unit[:, None]
        above = self.moved(unit * np.expm1(s))
        size = np.abs(np.prod(above, axis=-1))
        pair = 1 / size + 1 / np.prod(above + 2, axis=-1)
        scale = self.rho ** (1.0 - self.others.shape[-1])
        return pair * unit * np.exp(s) * (scale / 6)

    def moved(self, y: Places) -> Float[np.ndarray, "N K M"]:
        """Return the roots x of `x^2 (x + 3) = 3 h`, on the start's side of 0.

        x = 2 sin(t) (sqrt(3) cos(t) -+ sin(t)), sin(3 t) = sqrt(3 h) / 2; for x > 1 x = 2 cosh(t) -
        1 with cosh(3 t) = the same.
        """
        side = np.where(self.above < 0, -1.0, 1.0)[:, None]
        sine = np.sqrt(self.first[:, None] + y[..., None]) / 2
        angle = np.arcsin(np.minimum(sine, 1.0)) / 3
        near = 2 * np.sin(angle) * (side * np.sqrt(3) * np.cos(angle) - np.sin(angle))
        far = 2 * np.cosh(np.arccosh(np.maximum(sine, 1.0)) * 2 / 3) - 1
        return np.where(sine < 1, near, far)

    def sizes(self, clock: Places) -> Float[np.ndarray, "N K M"]:
        """Return the sizes at times |mu| tau since the start, at most `duration`."""
        y = self.unit[:, None] * np.expm1(self.place(clock))
        return self.rho * np.maximum(1 + self.moved(y), 0.0)

    def place(self, clock: Places) -> Places:
        """Return s at times: Newton's method in a bracket that only shrinks, from the panel's."""
        last = self.last[:, None]
        ahead = clock[..., None] >= self.passed[:, None, 1:]
        most = np.ceil(last / PANEL).astype(int) - 1
        panel = np.minimum(ahead.sum(axis=-1), most)
        before = np.take_along_axis(self.passed, panel, axis=-1)
        left = panel * PANEL
        low = left
        high = np.minimum(left + PANEL, last)
        open_ = clock > before
        s = (low + high) / 2
        for _ in range(ROUNDS):
            over = before + self.between(left, s) - clock
            high = np.where(over >= 0, s, high)
            low = np.where(over <= 0, s, low)
            new = s - over / self.rate(s)
            inside = (new >= low) & (new <= high)
            new = np.where(inside, new, (low + high) / 2)
            new = np.where(open_, new, s)  # whatever the others still need
            open_ = np.abs(new - s) > 1e-13 * (1 + s)
            s = new
            if not open_.any():
                break
        return np.where(clock > before, s, left)
