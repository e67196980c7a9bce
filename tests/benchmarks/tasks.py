"""The tasks: each yields rows of what an engine cost and how wrong it was, on the same work."""

import tempfile
from dataclasses import dataclass

import numpy as np

from figures.naive import solve_ivp_loop
from figures.timing import relative_error, timed
from flowsam import Data, Flow, balanced, exponential, l2, linf, phase_portrait, portrait, solve
from flowsam.engines import taylor
from flowsam.ensemble import solve_many
from flowsam.exact import l2_two_layer, linf_balanced
from tests.benchmarks import rivals

RTOL, CHECKED = 1e-9, 1000  # starts whose error is measured
LOOSE = 3e-8  # where the largest error of heyoka comes near that of the others at RTOL
HEYOKA, NUMPY = "flowsam solve_many, heyoka", "flowsam solve_many, DOP853"
EVENTS = "flowsam solve, DOP853 and events"
LOOP, TORCH = "solve_ivp loop, textbook field", "PyTorch SAM, vectorised"


@dataclass(frozen=True)
class Row:
    """One engine on a task of some starts; `share` of it was done and its cost scaled up."""

    task: str
    engine: str
    seconds: float
    error: float
    share: float = 1.0
    note: str = ""
    starts: int = 1


def example(d, n):
    """Return data (n, d) and a generator; positive, so that positive starts separate them."""
    rng = np.random.default_rng(100 * d + n)
    z = np.linspace(1.0, 2.0, d)[None] if n == 1 else 0.1 + np.abs(rng.normal(size=(n, d)))
    return z, rng


class Race:
    """Engines on one batch of starts to one tau, with their errors against a fine solution."""

    def __init__(self, task, z, rho, starts, tau_end, *, fine=None):  # noqa: PLR0913
        self.task, self.z, self.rho, self.starts, self.tau_end = task, z, rho, starts, tau_end
        self.flow = Flow(Data(z), l2(rho), exponential)
        if fine is None:  # the exact form's error is 1e-15, a test compares it with mpmath's
            some = starts[:CHECKED]
            fine = self.exact(some) if len(z) == 1 else self.many("DOP853", 1e-13, some)
        self.fine = fine

    def exact(self, starts):
        """Last states of the closed form: one example."""
        return l2_two_layer.read(starts, self.z[0], self.rho).weights([self.tau_end])[:, 0]

    def many(self, method, rtol, starts):
        """Last states of `solve_many`."""
        how = {"tau_end": self.tau_end, "rtol": rtol, "method": method}
        return solve_many(self.flow, starts, **how).theta

    def row(self, engine, call, *, only=None, repeat=1, note=""):
        """Time a call on the starts, or on the first few and scaled up; None: not installed."""
        starts = self.starts[:only]
        seconds, found = timed(lambda: call(starts), repeat=repeat)
        if isinstance(found, tuple):  # it timed itself, without compiling
            seconds, found = found
        if found is None:
            return
        checked = min(len(found), len(self.fine))
        found, fine = found[:checked], self.fine[:checked]
        ends = np.isfinite(found).all(axis=(1, 2))
        if not ends.all():
            note += (
                f"; {(~ends).sum()} of {checked} starts end in nan or never: error of the others"
            )
        error = relative_error(found[ends], fine[ends], floor=self.rho)
        share = len(starts) / len(self.starts)
        yield Row(self.task, engine, seconds / share, error, share, note, len(self.starts))

    def ours(self, *, repeat=1):
        """Rows of flowsam's engines for batches."""
        if len(self.z) == 1:
            note = "the reference"
            yield from self.row("flowsam exact form", self.exact, repeat=repeat, note=note)
        for rtol in (RTOL, LOOSE) if taylor.installed() else ():
            self.many("heyoka", rtol, self.starts[:8])  # compile
            yield from self.row(
                HEYOKA, lambda s: self.many("heyoka", rtol, s),  # noqa: B023
                repeat=repeat, note=f"rtol {rtol:g}, compiled before",
            )  # fmt: skip
        for rtol in (RTOL, 1e-13):
            yield from self.row(
                NUMPY,
                lambda s: self.many("DOP853", rtol, s),  # noqa: B023
                repeat=repeat, note=f"rtol {rtol:g}",
            )  # fmt: skip

    def others(self, *, steps, looped=100, torch_looped=2, vmapped=None):
        """Rows of what people use today."""
        z, rho, end = self.z, self.rho, self.tau_end
        to = {"tau_end": end}
        yield from self.row(
            LOOP,
            lambda s: solve_ivp_loop(z, rho, s, rtol=RTOL, **to), only=looped,
        )  # fmt: skip
        yield from self.row(
            "diffrax vmap, Dopri8",
            lambda s: rivals.diffrax_vmap(z, rho, s, rtol=RTOL, **to), only=vmapped,
        )  # fmt: skip
        note = f"{steps} steps of {end / steps:g}"
        yield from self.row(
            TORCH,
            lambda s: rivals.torch_sam(z, (2, rho), s, steps=steps, **to), note=note,
        )  # fmt: skip
        if torch_looped:
            yield from self.row(
                "PyTorch SAM, loop",
                lambda s: rivals.torch_loop(z, (2, rho), s, steps=steps, **to),
                only=torch_looped, note=note,
            )  # fmt: skip


def single_runs(scale=1.0):
    """One start, one run to tau = 2, by `solve` and by others."""
    for d, n in ((2, 1), (10, 20), (100, 20), (1000, 100)):
        z, rng = example(d, n)
        start = rng.uniform(0.7, 1.3, (1, 2, d)) / np.sqrt(d / 2)  # margins of order 1
        race = Race(f"single run, d={d} n={n}", z, 0.1, start, 2.0)
        run = lambda s: solve(race.flow, s[0], tau_end=2.0, save_at=2).theta[-1:]  # noqa: B023, E731
        yield from race.row("flowsam solve", run, repeat=5)
        yield from race.ours(repeat=5) if d < 20 else ()
        yield from race.others(steps=int(2000 * scale), torch_looped=0)


def ensembles(scale=1.0):
    """10,000 starts to tau = 4 (n = 1) or 1."""
    for d, n in ((2, 1), (10, 20)):
        z, rng = example(d, n)
        number, end = int(10_000 * scale), 4.0 if n == 1 else 1.0
        starts = rng.uniform(0.7, 2.0, (number, 2, d))
        race = Race(f"{number} starts, d={d} n={n}", z, 1.0, starts, end)
        yield from race.ours(repeat=3 if n == 1 else 1)
        yield from race.others(steps=1000)


def plane_of(side):
    """Axis and balanced starts of a square grid, in random order: the first few stand for all."""
    x = np.linspace(2 / side, 2, side)
    plane = balanced(np.stack(np.meshgrid(x, x), axis=-1), 2).reshape(-1, 2, 2)
    return x, np.random.default_rng(0).permutation(plane)


def grid(scale=1.0):
    """A 200 x 200 grid of balanced starts to tau = 20, mu = (1, 2), rho = 1, under l_2."""
    side, steps = int(200 * scale), int(2000 * scale)
    task = f"{side} x {side} grid, l_2, tau = 20"
    race = Race(task, np.array([[1.0, 2.0]]), 1.0, plane_of(side)[1], 20.0)
    yield from race.ours()
    yield from race.others(steps=steps, looped=40, torch_looped=0, vmapped=400)


def grid_with_signs(scale=1.0):
    """The same under l_inf; the exact form is the reference (tests check it to 50 digits)."""
    side, steps, mu, end = int(200 * scale), int(2000 * scale), np.array([1.0, 2.0]), 20.0
    x, plane = plane_of(side)
    exact = lambda s: linf_balanced.read(s, mu, 1.0).weights([end])[:, 0]  # noqa: E731
    task = f"{side} x {side} grid, l_inf, tau = 20"
    race = Race(task, mu[None], 1.0, plane, end, fine=exact(plane))
    yield from race.row("flowsam exact form", exact, repeat=3, note="the reference")
    flow = Flow(Data(mu[None]), linf(1.0))
    seconds, _ = timed(lambda: phase_portrait(flow, x, x), repeat=3)
    note = "labels of the limit"
    yield Row(task, "flowsam phase_portrait", seconds, 0.0, note=note, starts=x.size**2)
    one = lambda s: solve(flow, s, tau_end=end, method="DOP853", save_at=2).theta[-1]  # noqa: E731
    yield from race.row(EVENTS, lambda s: np.array([one(w) for w in s]), only=20)
    yield from race.row(
        TORCH,
        lambda s: rivals.torch_sam(mu[None], (np.inf, 1.0), s, tau_end=end, steps=steps),
        note=f"{steps} steps of {end / steps:g}",
    )


def portraits(scale=1.0):
    """Labels of a 2000 x 2000 plane, and of 10^8 cells on disk, l_inf and l_2, a start."""
    for name, side in (("phase_portrait", 2000), ("stream_portrait", 10_000)):
        x, verb = np.linspace(2 / side, 2, int(side * scale)), getattr(portrait, name)
        for rule in (linf(1.0), l2(1.0)):
            flow, cells = Flow(Data([[1.0, 2.0]]), rule), x.size**2
            with tempfile.TemporaryDirectory() as folder:
                path = {"path": f"{folder}/labels.npy"} if name == "stream_portrait" else {}
                seconds, _ = timed(lambda: verb(flow, x, x, **path), repeat=3)  # noqa: B023
            note = f"{cells:.3g} cells, {seconds / cells * 1e9:.2g} ns a start"
            task, engine = (
                "portrait on disk" if path else "portrait",
                f"flowsam {name}, {rule.name}",
            )
            yield Row(task, engine, seconds, 0.0, note=note, starts=cells)


def late(scale=1.0):
    """Four features, 20 examples, to late original time: the field times e^T against `solve`."""
    z, rng = example(4, 20)
    start = rng.uniform(0.3, 0.6, (2, 4))
    flow = Flow(Data(z), l2(0.1), exponential)
    for end in (500.0, 1e4):
        task = f"to log t = {end:g}"
        fine = solve(flow, start, log_t_end=end, rtol=1e-11, save_at=2)
        seconds, run = timed(lambda: solve(flow, start, log_t_end=end, rtol=1e-8, save_at=2))  # noqa: B023
        error = relative_error(run.theta[-1], fine.theta[-1])
        yield Row(task, f"flowsam solve, {run.method}", seconds, error, note=run.status)
        seconds, (reached, theta) = timed(lambda: rivals.textbook_late(z, start, end))  # noqa: B023
        error = relative_error(theta, fine.theta[-1]) if reached >= end else float("nan")
        note = f"reached log t = {reached:.4g}"
        yield Row(task, "solve_ivp Radau, textbook field", seconds, error, note=note)
