"""Data that do not separate: slides along minima, beside a reference from the definition."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.integrate import solve_ivp
from scipy.special import expit

from flowsam.data import Data, split_signs
from flowsam.discrete import iterate
from flowsam.endings import Ending
from flowsam.flow import Flow
from flowsam.losses import exponential
from flowsam.many_examples.minima import one_dimensional
from flowsam.network import balanced
from flowsam.outcomes import limit
from flowsam.perturbations import gradient_flow, l2, linf, lp, unnormalised
from flowsam.regimes import regime_of
from flowsam.solver import solve

CONTRARY = Data([[1.0], [1.0], [-1.0]])
START = np.array([[2.0], [0.35]])
SPREAD = Data([[1.0, 0.0], [-1.0, 0.5], [0.0, -1.0], [0.5, 1.0], [1.0, 0.3], [0.2, -0.7]])
UNEVEN = np.array([[1.0, 0.8], [0.3, -0.5]])


def others(theta):
    """The product of the other layers."""
    return np.array([np.prod(np.delete(theta, k, axis=0), axis=0) for k in range(len(theta))])


def reference(z, rho, p, theta, times):
    """Filippov's solution in original time, by DOP853 at 1e-12: arrival, then the slide."""
    a, depth = z[0], len(theta)
    c = z @ a / (a @ a)
    q = 1.0 if np.isinf(p) else p / (p - 1)

    def pull(m):  # -dLo/dm
        return np.mean(c * expit(-c * m))

    def side(w, sign):
        n = a * others(w)
        size = np.linalg.norm(n.ravel(), q)
        hat = w + sign * rho * np.sign(n) * (np.abs(n) / size) ** (q - 1)
        return pull(a @ np.prod(hat, axis=0)) * a * others(hat), n

    def slide(_, flat):
        w = flat.reshape(depth, -1)
        (above, n), (below, _) = side(w, 1), side(w, -1)
        high, low = (n * above).sum(), (n * below).sum()
        share = low / (low - high)
        return (share * above + (1 - share) * below).ravel()

    def arrival(_, flat):
        return pull(a @ np.prod(flat.reshape(depth, -1), axis=0))

    def before(_, flat):
        return side(flat.reshape(depth, -1), first)[0].ravel()

    arrival.terminal = True
    first = -np.sign(arrival(0.0, theta))
    how = {"method": "DOP853", "rtol": 1e-12, "atol": 1e-13}
    met = solve_ivp(before, (0, 1e3), np.ravel(theta), events=arrival, **how)
    late = solve_ivp(slide, (met.t[-1], times[-1]), met.y[:, -1], t_eval=times, **how)
    return late.y.T.reshape(len(times), depth, -1)


def test_the_slide_of_one_feature() -> None:
    """l_2, u^2 - v^2 in original time to 1e-6; from a start on the minima too."""
    log_t = np.log1p([0.0, 5.0, 20.0, 100.0])
    ends = {0.35: [3.19033, 1.77136, 0.0808], np.log(2) / 2: [3.19219, 1.77240, 0.0809]}
    for v, wanted in ends.items():
        run = solve(Flow(CONTRARY, l2(0.3)), [[2.0], [v]], log_t_end=log_t[-1], save_at=log_t)
        imbalance = run.theta[1:, 0, 0] ** 2 - run.theta[1:, 1, 0] ** 2
        np.testing.assert_allclose(imbalance, wanted, atol=6e-5)
        assert [event.kind for event in run.events] == ["slide"]
    exact = reference(CONTRARY.z, 0.3, 2.0, START, [5.0, 20.0])
    run = solve(Flow(CONTRARY, l2(0.3)), START, log_t_end=log_t[2], save_at=log_t[:3])
    np.testing.assert_allclose(run.theta[1:], exact, atol=1e-8)


@pytest.mark.parametrize("p", [1.2, 1.5, 2.0, 3.0, 10.0, np.inf])
def test_slides_are_filippovs(p) -> None:
    """Any p, two features of both signs, a negative coefficient: to 1e-6 of the reference."""
    z = np.outer([1.0, 0.5, -1.2], [0.8, -1.1])
    theta = np.array([[1.4, 0.9], [0.5, -0.8]])
    exact = reference(z, 0.1, p, theta, [9.0, 14.0])
    flow = Flow(Data(z), lp(0.1, p=p))
    run = solve(flow, theta, log_t_end=np.log(15.0), save_at=np.log([10.0, 15.0]))
    np.testing.assert_allclose(run.theta, exact, atol=1e-6)
    assert run.status == "finished" and "slide" in [event.kind for event in run.events]


@pytest.mark.parametrize("p", [1.5, 2.0, 3.0])
def test_three_layers_slide(p) -> None:
    """L = 3, where the slide is not steepest descent."""
    z, theta = np.array([[1.0], [1.0], [-1.0]]), np.array([[1.6], [0.9], [0.6]])
    exact = reference(z, 0.2, p, theta, [2.0, 6.0])
    flow = Flow(Data(z), lp(0.2, p=p))
    run = solve(flow, theta, log_t_end=np.log(7.0), save_at=np.log([3.0, 7.0]))
    np.testing.assert_allclose(run.theta, exact, atol=1e-7)


@pytest.mark.parametrize("p", [1.2, 2.0, 4.0, np.inf])
def test_limits_are_the_flattest_minima(p) -> None:
    """u = v = sqrt(log 2), whatever the p; the run says that it slides, and rests only there."""
    flow = Flow(CONTRARY, lp(0.3, p=p))
    run = solve(flow, START, log_t_end=1e3)
    np.testing.assert_allclose(run.theta[-1], np.sqrt(np.log(2)), atol=1e-6)
    assert run.ending is Ending.FLATTEST and "slides along minima" in run.message
    end = limit(flow, START)
    assert (end.label, end.certificate) == (-4, "numerical") and end.direction.tolist() == [1.0]
    assert "beta = 0.693147" in end.reason


def test_the_minor_feature_is_the_flattest() -> None:
    """a = (1, 2): sum_j a_j^2 (u_j^2 + v_j^2) on <a, beta> = s is least at the minor feature."""
    data = Data([[1.0, 2.0], [1.0, 2.0], [-1.0, -2.0]])
    for rule in (l2(0.3), linf(0.3), lp(0.3, p=3)):
        end = limit(Flow(data, rule), balanced([1.0, 1.0], 2))
        np.testing.assert_allclose(end.direction, [1.0, 0.0], atol=1e-6)


@pytest.mark.parametrize("log_t", [6.0, 30.0, 1e4])
def test_linf_slides_beyond_the_death_of_a_feature(log_t) -> None:
    """Its slide comes to its end at log t = 6: later ends take no more work, and no iteration."""
    data = Data([[1.0, 2.0], [1.0, 2.0], [-1.0, -2.0]])
    for theta in ([[2.0, 1.0], [0.35, 1.0]], [[1.0, 0.5], [1.0, 0.5]], [[0.4, 0.3], [0.4, 0.3]]):
        run = solve(Flow(data, linf(0.3)), theta, log_t_end=log_t)
        assert run.status == "finished" and "iteration" not in run.method
        np.testing.assert_allclose(run.beta[-1], [np.log(2), 0.0], atol=1e-6)


def test_minima_at_zero_fold_at_the_origin() -> None:
    """z = 1, -1: the minima uv = 0 are flattest at the origin; the limit is 0."""
    data = Data([[1.0], [-1.0]])
    for rule in (l2(0.5), lp(0.5, p=3)):
        run = solve(Flow(data, rule), [[1.0], [0.4]], log_t_end=50.0)
        assert np.abs(run.theta[-1]).max() < 1e-3, rule
        assert limit(Flow(data, rule), [[1.0], [0.4]]).label == 0
    run = solve(Flow(data, linf(0.5)), [[1.0], [0.4]], log_t_end=2.0)
    assert run.theta[-1, 0, 0] < 0.6  # u' < 0 at v = 0: a gradient of 0 is no rest


@pytest.mark.parametrize("v", [-0.4, 0.1, 0.2, 0.3, 0.35, 0.4, 0.5, 0.7])
def test_surfaces_that_coincide_are_slid_on_together(v):
    """v = 0 and G = 0 are one set; by rounding u rested there, from [1, .7] on every processor."""
    flow = Flow(Data([[1.0], [-1.0]]), linf(0.5))
    run = solve(flow, [[1.0], [v]], log_t_end=2.0, save_at=21)
    assert "slides on several surfaces" in run.message
    late = run.theta[run.log_t > 1.6, 0, 0]
    assert (np.diff(late) < 0).all() and late[0] - late[-1] > 0.02  # u' < 0 there


def test_a_large_radius_leaves_the_minima() -> None:
    """rho = 2 steps across the basin: the flow crosses, to where theta_hat is at a minimum."""
    flow = Flow(CONTRARY, l2(2.0))
    run = solve(flow, [[1.0], [0.9]], log_t_end=np.log1p(20.0))
    steps = iterate(flow, [[1.0], [0.9]], learning_rate=0.01, steps=2000, save_every=2000)
    assert [event.kind for event in run.events] == ["cross"]
    np.testing.assert_allclose(run.theta[-1], steps.theta[-1], atol=1e-3)
    assert limit(flow, [[1.0], [0.9]], log_t_end=10.0).label == -1


@pytest.mark.parametrize("rule", [l2(0.2), lp(0.2, p=1.5)], ids=repr)
def test_several_pulls_vanish(rule) -> None:
    """Examples in a plane: iterated along the minima from where the flow meets them."""
    flow = Flow(SPREAD, rule)
    run = solve(flow, UNEVEN, log_t_end=4.2)
    assert "goes on along minima" in run.message and "rests" not in run.message
    assert "and weights by" in run.message
    steps = iterate(flow, UNEVEN, learning_rate=1e-2, steps=6569, save_every=6569)
    np.testing.assert_allclose(run.theta[-1], steps.theta[-1], atol=0.02)
    arrived = solve(flow, UNEVEN, log_t_end=3.0).theta[-1]
    assert np.abs(run.theta[-1] - arrived).max() > 0.02  # it did not stay where it arrived


def test_where_a_slide_ends_is_said_or_said_not_to_be_known() -> None:
    """Within the steps allowed, or with a limit nearer by."""
    flow = Flow(SPREAD, l2(0.2))
    early = limit(flow, UNEVEN, log_t_end=5.0)
    assert (early.label, early.certificate) == (-1, "none")
    assert "came to no rest" in early.reason and "goes on along minima" in early.reason


def test_equal_layers_rest_at_a_lone_minimiser() -> None:
    """Equal layers stay equal, and the plane of equal layers has one minimiser."""
    flow = Flow(SPREAD, l2(0.2))
    run = solve(flow, balanced([1.0, 0.2], 2), log_t_end=50.0)
    assert run.ending is Ending.AT_REST
    assert limit(flow, balanced([1.0, 0.2], 2)).label == -4
    split = solve(Flow(split_signs(SPREAD), l2(0.2)), np.full((2, 4), 0.5), log_t_end=3.0)
    assert split.ending is not Ending.AT_REST  # of a pair z, -z only the difference is told


@pytest.mark.parametrize(
    "rule", [gradient_flow(), l2(0.5), linf(0.5), lp(0.5, p=1), lp(0.5, p=3), unnormalised(0.5)]
)
def test_one_layer_rests_by_theorem(rule) -> None:
    """Convex, and every step climbs the line: at 0 and elsewhere."""
    for z, best in (([[1.0], [-1.0]], 0.0), ([[1.0], [1.0], [-1.0]], np.log(2))):
        end = limit(Flow(Data(z), rule), [[1.0]])
        assert (end.label, end.certificate) == (-4, "theorem")
        run = solve(Flow(Data(z), rule), [[1.0]], log_t_end=3.5)
        assert run.beta[-1, 0] == pytest.approx(best, abs=2e-2)


def test_how_far_a_run_goes() -> None:
    """log_t_end takes the place of 1e4, and the sentence that names it is true."""
    flow = Flow(Data([[1.0, 2.0], [2.0, 1.5]]), gradient_flow())
    first = limit(flow, np.full((2, 2), 0.3), log_t_end=10.0)
    assert first.evidence.log_t == 10.0
    assert limit(flow, np.full((2, 2), 0.3), log_t_end=100.0).evidence.log_t == 100.0
    with pytest.raises(ValueError, match="finite number > 0"):
        limit(flow, np.full((2, 2), 0.3), log_t_end=0)
    with pytest.raises(TypeError, match="one real number"):
        limit(flow, np.full((2, 2), 0.3), log_t_end="far")
    with pytest.raises(ValueError, match="several examples"):
        limit(Flow(Data([[1.0]]), l2(0.3)), [[1.0], [1.0]], log_t_end=5.0)


def test_what_is_one_dimensional() -> None:
    """Both signs on one line; what never moves does not count."""
    flow = Flow(CONTRARY, l2(0.3))
    assert one_dimensional(flow, START) == flow
    assert one_dimensional(Flow(SPREAD, l2(0.3)), UNEVEN) is None
    assert one_dimensional(Flow(Data([[1.0], [2.0]]), l2(0.3)), START) is None
    still = np.array([[1.0, 0.0], [1.0, 0.0]])
    data = Data([[1.0, 1.0], [-1.0, 2.0]])
    assert one_dimensional(Flow(data, l2(0.3)), still).data.z.tolist() == [[1.0, 0.0], [-1.0, 0.0]]


def test_which_rules_slide_along_minima() -> None:
    """l_p with 1 < p < inf, two layers and more; l_inf by its own surfaces, others not."""
    kinds = {"1<p<2": True, "l_2": True, "2<p<inf": True, "GD": False, "unnormalised": False}
    for kind, glides in (kinds | {"l_1": False, "l_inf": False}).items():
        assert [regime_of(kind, k, several=True).glides for k in (1, 2, 3)] == [
            False,
            *[glides] * 2,
        ]


def test_exponential_loss_and_late_ends() -> None:
    """Another loss has its own minima; tau_end goes on at rest."""
    data = Data([[1.0], [-2.0]])  # e^-m = 2 e^2m: m = -log(2)/3
    run = solve(Flow(data, l2(0.2), exponential), [[1.2], [-0.4]], log_t_end=50.0)
    np.testing.assert_allclose(run.beta[-1], -np.log(2) / 3, atol=1e-6)
    late = solve(Flow(CONTRARY, l2(0.3)), START, tau_end=1e6, save_at=[50.0, 1e3, 1e6])
    paces = np.diff(np.expm1(late.log_t)) / np.diff(late.tau)  # before and after it rests
    assert late.tau[-1] == 1e6 and paces[1] == pytest.approx(paces[0], rel=1e-2)


def test_a_fall_below_the_absolute_error_is_one():
    """Steps went on for ever where weights kept within their errors, above 1e-12 of the start."""
    z = [[-0.4101291203022192], [2.28225011772494], [0.4797465022876579]]
    start = [[-0.0005633269451661682], [-7.976757263103497e-05]]
    run = solve(Flow(Data(z), lp(0.3, p=1.5)), start, tau_end=1.0)
    assert run.status == "collapsed" and run.theta[-1].tolist() == [[0.0], [0.0]]
    near = solve(Flow(Data(z), lp(0.3, p=1.5)), start, tau_end=0.0025, method="Radau")
    assert run.events[-1].tau > 0.0025 and np.abs(near.theta[-1]).max() < 1e-4
