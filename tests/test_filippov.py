"""Hybrid systems: a relay and dry friction by hand, and l_inf-SAM's surfaces."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest

from flowsam import Flow, balanced, iterate, linf, single_example, solve
from flowsam.engines.path import Turn
from flowsam.engines.stepping import MAX_EVENTS, Tolerances, march
from flowsam.events import Event

HOW = Tolerances("DOP853", 1e-10, 1e-12)


@dataclass(frozen=True)
class Relay:
    """x' = -s, s the side of x = 0: reaches 0 at constant speed and slides, or crosses under push.

    With push g: x' = g - s; on x = 0 it slides for |g| <= 1 and crosses for |g| > 1.
    """

    push: float

    def rhs(self, mode):
        return lambda t, x: np.array([self.push - mode if mode else 0.0])

    def calm(self, t, x, mode):
        return False

    def falls(self, before, after, mode):
        return False

    def signals(self, t, x, mode):
        return np.array([mode * x[0] if mode else np.inf])

    def transition(self, t, x, mode):
        new = 0 if abs(self.push) <= 1 else int(np.sign(self.push))
        return np.zeros(1), new, (Event(t, "slide" if new == 0 else "cross"),), ""


def test_a_relay_slides():
    result = march(Relay(0.5), Turn(np.array([1.0]), 1), end=5.0, tolerances=HOW)
    assert [e.kind for e in result.events] == ["slide"]
    assert abs(result.events[0].tau - 2.0) < 1e-12
    points = result.path(np.array([0.0, 1.0, 2.0, 4.0]))[:, 0]
    np.testing.assert_allclose(points, [1.0, 0.5, 0.0, 0.0], atol=1e-12)


def test_a_relay_crosses():
    result = march(Relay(-3.0), Turn(np.array([1.0]), 1), end=1.0, tolerances=HOW)
    assert [e.kind for e in result.events] == ["cross"]
    assert abs(result.events[0].tau - 0.25) < 1e-12
    assert abs(result.path(np.array([1.0]))[0, 0] + 0.75 * 2) < 1e-12


@dataclass(frozen=True)
class Friction:
    """A mass on a spring with dry friction: x'' = -x - f s, s the sign of the velocity.

    Half turns about +-f, each losing 2 f of amplitude, until |x| <= f: it sticks.
    """

    friction: float

    def rhs(self, mode):
        return lambda t, y: np.array([y[1], -y[0] - self.friction * mode]) * (mode != 0)

    def calm(self, t, y, mode):
        return False

    def falls(self, before, after, mode):
        return False

    def signals(self, t, y, mode):
        return np.array([mode * y[1] if mode else np.inf])

    def transition(self, t, y, mode):
        stuck = abs(y[0]) <= self.friction
        return np.array([y[0], 0.0]), 0 if stuck else -mode, (Event(t, "turn"),), ""


def test_dry_friction_turns_at_multiples_of_pi_and_sticks():
    start = np.array([-3.3, 0.0])  # velocity 0 at the start: the signal begins at 0
    result = march(Friction(0.5), Turn(start, 1), end=20.0, tolerances=HOW)
    np.testing.assert_allclose([e.tau for e in result.events], np.pi * np.arange(1, 4), atol=1e-9)
    places = result.path(np.array([e.tau for e in result.events] + [20.0]))[:, 0]
    np.testing.assert_allclose(places, [2.3, -1.3, 0.3, 0.3], atol=1e-8)


@dataclass(frozen=True)
class Chatter:
    """A region that is left at once, for ever: events pile up without progress."""

    def rhs(self, mode):
        return lambda t, x: np.array([-1.0])

    def calm(self, t, x, mode):
        return False

    def falls(self, before, after, mode):
        return False

    def signals(self, t, x, mode):
        return np.array([x[0]])

    def transition(self, t, x, mode):
        return np.zeros(1), mode, (Event(t, "cross"),), ""


def test_events_without_end_are_capped_with_a_status():
    result = march(Chatter(), Turn(np.array([1.0]), 0), end=9.0, tolerances=HOW)
    assert result.status == "too_many_events" and len(result.events) == MAX_EVENTS


@dataclass(frozen=True)
class Field(Chatter):
    """One region, without events."""

    velocity: Callable

    def rhs(self, mode):
        return self.velocity

    def calm(self, t, x, mode):
        return True

    def falls(self, before, after, mode):
        return False


def test_a_fast_turn_is_gone_through_and_a_stiff_rest_is_given_up():
    """Both take steps that would not do for the rest of the run; only one gets somewhere."""

    def turning(t, x):
        turn = (0.1 + 1e3 * np.exp(-((t - 5.0) ** 2))) * np.array([1.0, 1.3, 1.7])
        return np.concatenate([turn * x[3:], -turn * x[:3]])

    start = Turn(np.repeat([1.0, 0.0], 3), None)
    through = march(Field(turning), start, end=100.0, tolerances=HOW)
    assert through.status == "finished" and through.steps > 1500
    resting = Field(lambda t, x: -1e7 * (x - 1.0))
    stiff = march(resting, Turn(np.zeros(3), None), end=100.0, tolerances=HOW)
    assert stiff.status == "failed" and stiff.steps < 5000


def stepped(mu, theta0, tau_end, rho=1.0, **options):
    flow = Flow(single_example(mu), linf(rho))
    return solve(flow, theta0, tau_end=tau_end, method="DOP853", **options)


@pytest.mark.parametrize(
    ("start", "kinds"),
    [
        ((0.3, 0.9), ["slide", "zero", "collapse"]),
        ((0.9, 0.3), ["slide", "zero", "collapse"]),
        ((-0.6, 3.2), ["cross"]),
        ((-1.6, 2.4), ["cross", "slide", "zero", "collapse"]),
        ((0.0, 0.9), ["slide", "zero", "collapse"]),
        ((0.0, 2.6), ["cross"]),
        ((0.0, 1.0), ["slide", "zero", "collapse"]),
        ((0.0, 0.0), ["zero", "collapse"]),
        ((-0.5, 0.5), ["zero", "collapse"]),
        ((2.0, 1.0), []),
    ],
)
def test_events_of_one_coordinate(start, kinds):
    run = stepped([1.0], np.array(start)[:, None], 4.0)
    exact = solve(Flow(single_example([1.0]), linf(1)), np.array(start)[:, None], tau_end=4.0)
    named = [event.kind for event in run.events]
    assert [k for k in named if k != "cross" or start[0] != 0] == [
        k for k in kinds if k != "cross" or start[0] != 0
    ]
    assert exact.status == run.status
    np.testing.assert_allclose(run.beta[-1], exact.beta[-1], rtol=1e-7, atol=1e-9)


def test_simultaneous_events_are_neither_missed_nor_doubled():
    run = stepped([1.0, 1.0, -1.0], [[0.3, 0.3, -0.3], [0.9, 0.9, 0.9]], 3.0)
    slides = [event for event in run.events if event.kind == "slide"]
    assert sorted(event.coordinate for event in slides) == [0, 1, 2]
    assert np.ptp([event.tau for event in slides]) < 1e-12 and run.status == "collapsed"


@pytest.mark.parametrize(
    ("method", "count"), [("DOP853", 40), ("RK45", 10), ("LSODA", 10), ("Radau", 3)]
)
def test_random_starts_have_the_events_of_the_exact_map(method, count):
    flow = Flow(single_example([1.0]), linf(1.0))
    for u, v in np.random.default_rng(11).uniform(-3, 3, (count, 2)):
        deciding = abs(u + v) * (2 + abs(u) + abs(v)) - 8
        if abs(deciding) < 0.1:
            continue
        run = solve(flow, [[u], [v]], tau_end=9.0, rtol=1e-7, method=method)
        exact = solve(flow, [[u], [v]], tau_end=9.0, method="exact")
        assert run.status == exact.status == ("finished" if deciding > 0 else "collapsed"), (u, v)
        assert [e.kind for e in run.events] == [e.kind for e in exact.events], (u, v)
        times = [e.tau for e in exact.events]
        np.testing.assert_allclose([e.tau for e in run.events], times, rtol=1e-4, atol=1e-5)
        if deciding > 0:
            np.testing.assert_allclose(run.beta[-1], exact.beta[-1], rtol=1e-3)


def test_sixty_four_coordinates_slide_on_their_own():
    rng = np.random.default_rng(5)
    theta, mu = rng.uniform(0.1, 1.3, (2, 64)), rng.uniform(0.5, 2.0, 64)
    run = stepped(mu, theta, 1.5)
    exact = solve(Flow(single_example(mu), linf(1)), theta, tau_end=1.5)
    np.testing.assert_allclose(run.theta[-1], exact.theta[-1], rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("start", [(0.7, 0.2, 0.9), (1.4, -0.2, 0.6), (-0.5, 0.9, 1.6)])
def test_three_layers_follow_small_discrete_steps_past_a_zero(start):
    """To Filippov's solution at a sign change, as near as a step."""
    flow, theta0 = Flow(single_example([1.0]), linf(0.5)), np.array(start)[:, None]
    run = solve(flow, theta0, tau_end=1.0, method="DOP853")
    last = min(run.tau[-1], 1.0) * 0.99
    row = solve(flow, theta0, tau_end=last, method="DOP853", save_at=2)
    step = 1e-3
    steps = round(np.expm1(row.log_t[-1]) / step)
    small = iterate(flow, theta0, learning_rate=step, steps=steps, save_every=steps)
    # chatter about a pinned weight is of the order of a step
    assert np.abs(small.theta[-1] - row.theta[-1]).max() < 2 * step


def test_two_zero_weights_of_one_coordinate_are_not_guessed():
    flow = Flow(single_example([1.0]), linf(0.5))
    run = solve(flow, [[0.0], [0.0], [1.0]], tau_end=1.0, method="DOP853")
    assert run.status == "sliding_ambiguous" and "not unique" in run.message


def test_balanced_odd_depth_passes_through_the_origin():
    start = balanced([0.5], 3, signs=[-1])
    run = stepped([1.0], start, 4.0)
    exact = solve(Flow(single_example([1.0]), linf(1)), start, tau_end=4.0)
    assert [event.kind for event in run.events] == ["cross"]
    np.testing.assert_allclose(run.theta[-1], exact.theta[-1], rtol=1e-7)
