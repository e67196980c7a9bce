"""Discrete l_inf-SAM of many signed starts at once, from the definition, and who wins the race.

In rescaled time the coordinates of one example do not see each other: each is iterated with steps
of its own, in units of rho and of |mu| tau, until every layer is beyond 4 rho with sign(mu) beta
positive. What is left to infinity is smooth, a quadrature; the least time over |mu| wins. One whose
other layers run away beyond 40 rho while two rest at 0 is not watched further: beta stays at 0.

    python -m tests.signed_races  # 20,000 starts, two steps, each disagreement refined
"""

from dataclasses import dataclass

import numpy as np

from flowsam import Flow, limits, linf, single_example
from flowsam.exact import linf_deep

FAR = 4.0
RUN = 40.0
LOOK = 5.0  # |mu| tau to which a coordinate is watched that does not escape by the two layers
NODES, WEIGHTS = np.polynomial.legendre.leggauss(40)
FINEST = 7  # times that the step of a disagreement is divided by 4


def others(w):
    """prod_{k != l} w_k, layers first."""
    before, after = np.ones_like(w), np.ones_like(w)
    for k in range(1, len(w)):
        before[k] = before[k - 1] * w[k - 1]
        after[-k - 1] = after[-k] * w[-k]
    return before * after


def rest(z):
    """int_{z_1}^inf du / prod_{k > 1} sqrt(u^2 + z_k^2 - z_1^2), u = z_1 / x, layers first."""
    z = np.sort(z, axis=0)
    x = (1 + NODES[:, None, None]) / 2
    root = np.sqrt(z[0] ** 2 + x**2 * (z[1:] ** 2 - z[0] ** 2))
    inside = z[0] * x[:, 0] ** (len(z) - 3) / root.prod(axis=1)
    return (WEIGHTS[:, None] / 2 * inside).sum(axis=0)


def escape_times(w, sign, *, step, until):
    """|mu| tau at which coordinates (L, K) run to infinity; inf if not on their way at `until`."""
    w, left, tau = w.copy(), np.arange(w.shape[1]), np.zeros(w.shape[1])
    found = np.full(w.shape[1], np.inf)
    while left.size:
        speed = sign * others(w - np.sign(sign * others(w)))
        size = np.maximum(np.abs(w).max(axis=0), 1.0)
        h = step * np.minimum(1.0, size / np.abs(speed).max(axis=0))
        w += h * speed
        tau += h
        out = (np.abs(w).min(axis=0) > FAR) & (np.sign(w).prod(axis=0) == sign)
        found[left[out]] = tau[out] + rest(np.abs(w[:, out]) - 1)
        size = np.sort(np.abs(w), axis=0)
        on = ~out & (tau < until) & ((size[1] > 0.5) | (size[-1] < RUN))
        if not on.all():
            w, left, tau, sign, until = w[:, on], left[on], tau[on], sign[on], until[on]
    return found


def run_away(w, sign, *, step, until, far=25.0):
    """Whether coordinates (L, K) have a layer beyond `far` and two below 1 before |mu| tau = until.

    Steps that do not depend on the side of a surface: by the sizes of the layers alone.
    """
    w, left, tau = w.copy(), np.arange(w.shape[1]), np.zeros(w.shape[1])
    found = np.zeros(w.shape[1], dtype=bool)
    while left.size:
        speed = sign * others(w - np.sign(sign * others(w)))
        size = np.sort(np.abs(w), axis=0)
        h = step * np.minimum(1.0, size[-1] / others(np.abs(w) + 1).max(axis=0))
        w += h * speed
        tau += h
        out = (size[-1] > far) & (size[1] < 1)
        found[left[out]] = True
        on = ~out & (tau < until)
        if not on.all():
            w, left, tau, sign, until = w[:, on], left[on], tau[on], sign[on], until[on]
    return found


@dataclass(frozen=True)
class Starts:
    """Starts theta (N, L, d) of rho = 1 with examples mu (N, d), and their labels (N,)."""

    theta: np.ndarray
    mu: np.ndarray
    labels: np.ndarray

    @property
    def own(self):
        """Blow-up times |mu| tau by the package (N, d)."""
        unit = [linf_deep.read(self.theta, s, 1.0).blow_up_time for s in self._signs]
        return np.choose(self._pattern[:, None], unit) if len(unit) > 1 else unit[0]

    @property
    def _signs(self):
        return np.unique(np.sign(self.mu), axis=0)

    @property
    def _pattern(self):
        return (np.sign(self.mu)[:, None] == self._signs).all(axis=-1).argmax(axis=1)

    def some(self, rows):
        return Starts(self.theta[rows], self.mu[rows], self.labels[rows])

    def raced(self, step):
        """The winner of each start under discrete SAM, 0 where no coordinate escapes."""
        own = self.own
        first = (own / np.abs(self.mu)).min(axis=1, keepdims=True) * np.abs(self.mu)
        until = np.where(np.isfinite(first), 1.5 * first + 1, LOOK)
        w = np.moveaxis(self.theta, 1, 0).reshape(self.theta.shape[1], -1)
        how = {"step": step, "until": until.ravel()}
        times = escape_times(w, np.sign(self.mu).ravel(), **how).reshape(self.mu.shape)
        times = times / np.abs(self.mu)
        return np.where(np.isinf(times.min(axis=1)), 0, times.argmin(axis=1) + 1)


def drawn(rng, count, depth, d):
    """Gaussian weights of scale 2 rho; eight examples mu of either sign."""
    theta = 2 * rng.normal(size=(count, depth, d))
    mu, labels = np.empty((count, d)), np.empty(count, dtype=int)
    for rows in np.array_split(np.arange(count), 8):
        mu[rows] = rng.choice([-1, 1], d) * rng.uniform(0.5, 2.0, d)
        labels[rows] = limits(Flow(single_example(mu[rows[0]]), linf(1.0)), theta[rows])
    return Starts(theta, mu, labels)


def refined(starts, step):
    """How often the step has to be divided by 4 until discrete SAM has each label; -1: never."""
    found = np.full(len(starts.labels), -1)
    for times in range(1, FINEST + 1):
        left = np.flatnonzero(found < 0)
        if not left.size:
            break
        some = starts.some(left)
        found[left[some.raced(step / 4**times) == some.labels]] = times
    return found


@dataclass(frozen=True)
class Comparison:
    """Counts of one depth at one step: starts, those that escape, undecided, and disagreements."""

    starts: int
    escaping: int
    undecided: int
    differ: int
    false_escapes: int
    refinements: np.ndarray


def compared(starts, step):
    """Compare labels with discrete SAM at a step; disagreements are followed with finer steps."""
    found = starts.raced(step)
    told = starts.labels >= 0
    bad = np.flatnonzero((found != starts.labels) & told)
    return Comparison(
        len(found),
        int(np.isfinite(starts.own).any(axis=1).sum()),
        int((~told).sum()),
        bad.size,
        int((starts.labels[bad] == 0).sum()),
        refined(starts.some(bad), step),
    )


def main(count=2000, steps=(4e-3, 1e-3)):
    """Print what every depth, number of features and step gives."""
    rng = np.random.default_rng(2026)
    for depth in (3, 4):
        for d in range(1, 6):
            starts = drawn(rng, count, depth, d)
            for step in steps:
                print(depth, d, step, compared(starts, step), flush=True)


if __name__ == "__main__":
    main()
