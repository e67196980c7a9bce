"""One coordinate of l_inf-SAM that slides: one weight at 0, three or more layers.

With a_k the other sizes, A = prod (a_k - rho) < 0 and B = prod (a_k + rho), Filippov's solution is
`a_k' = -2 |mu| rho^2 A B / ((B - A)(a_k^2 - rho^2))`, so that one number y moves:

    h_k = (a_k - rho)^2 (a_k + 2 rho) / 3 = h_k(0) + y,   2 |mu| rho^2 dtau = (1/|A| + 1/B) dy.

No weight passes rho, and the slide ends where the smallest is 0: no more unique.
(derivations/linf_slides.py)
"""

from dataclasses import dataclass

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
    def last(self) -> Column:
        """S at the end, where the smallest size is 0 and its h is 2."""
        least = self.others.min(axis=-1) / self.rho
        return np.log1p(least * (3 - least * least) / self.unit)

    @property
    def duration(self) -> Column:
        """|mu| tau from the start to the second zero."""
        return self.clock(self.last)

    @property
    def landed(self) -> Others:
        """The sizes at the end, the smallest exactly 0."""
        least = self.others.min(axis=-1) / self.rho
        end = self.rho * (1 + self.moved((least * (3 - least * least))[:, None])[:, 0])
        return np.where(
            self.others == self.others.min(axis=-1, keepdims=True), 0.0, end
        )

    def clock(self, s: Column) -> Column:
        """|mu| tau at y = d (e^s - 1), by Gauss-Legendre on equal panels of s, each its own."""
        count = np.maximum(np.ceil(s / PANEL), 1.0)
        width = s / count
        total = np.zeros(s.shape)
        for panel in range(int(count.max(initial=0.0))):
            live = count > panel
            here = width[live, None] * (panel + (1 + NODES) / 2)
            part = Slide(self.others[live], self.rho)
            total[live] += np.einsum("nk,k->n", part.rate(here), WEIGHTS)
        return total * width / 2

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

    def sizes(self, clock: Float[np.ndarray, "N T"]) -> Float[np.ndarray, "N T M"]:
        """Return the sizes at times |mu| tau since the start, at most `duration`."""
        columns = [self.place(column) for column in clock.T]
        s = np.stack(columns, axis=-1) if columns else np.zeros(clock.shape)
        return self.rho * np.maximum(
            1 + self.moved(self.unit[:, None] * np.expm1(s)), 0.0
        )

    def place(self, clock: Column) -> Column:
        """Return s at one time each: Newton's method in a bracket that only shrinks."""
        low = np.zeros(clock.shape)
        high = self.last
        s = high / 2
        for _ in range(ROUNDS):
            over = self.clock(s) - clock
            high = np.where(over >= 0, s, high)
            low = np.where(over <= 0, s, low)
            new = s - over / self.rate(s[:, None])[:, 0]
            new = np.where((new >= low) & (new <= high), new, (low + high) / 2)
            moved = np.abs(new - s)
            s = new
            if not (moved > 1e-13 * (1 + s)).any():
                break
        return s
