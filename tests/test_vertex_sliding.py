"""l_1-SAM: all of the step on the largest |g|, ties by hand, and discrete SAM beside them."""

import numpy as np
import pytest

from flowsam import Flow, balanced, iterate, lp, single_example, solve


def l1_flow(mu, rho=1.0):
    return Flow(single_example(mu), lp(rho, p=1))


def stepped(mu, theta0, tau_end, rho=1.0):
    return solve(l1_flow(mu, rho), theta0, tau_end=tau_end, method="DOP853", rtol=1e-8, save_at=30)


def test_one_balanced_coordinate_of_two_layers_has_its_gate_at_half_rho():
    for alpha in (0.6, 0.4, 0.3):  # w' = mu (w - rho/2)
        run = stepped([1.3], balanced([alpha], 2), 1.0)
        w = np.maximum(0.5 + (alpha - 0.5) * np.exp(1.3 * run.tau), 0.0)
        np.testing.assert_allclose(run.theta[:, 0, 0], w, rtol=1e-7, atol=1e-8)
        exact = solve(l1_flow([1.3]), balanced([alpha], 2), tau_end=1.0, save_at=30)
        assert exact.method == "exact: linf_balanced" and exact.status == run.status
        np.testing.assert_allclose(exact.theta, run.theta, rtol=1e-7, atol=1e-8)


@pytest.mark.parametrize("alpha", [0.9, 0.5])
def test_one_balanced_coordinate_of_three_layers_has_its_gate_at_two_thirds_of_rho(alpha):
    run, gate = stepped([1.0], balanced([alpha], 3), 1.0), 2 / 3  # w' = mu w (w - gate)
    w = gate / (1 - (1 - gate / alpha) * np.exp(gate * run.tau))
    np.testing.assert_allclose(run.theta, w[:, None, None] * np.ones((1, 3, 1)), rtol=1e-7)


def test_three_tied_layers_blow_up_when_the_formula_does():
    run = stepped([1.0], balanced([1.5], 3), 9.0)
    assert run.status == "escaped"
    assert run.events[-1].tau == pytest.approx(1.5 * np.log(1.5 / (1.5 - 2 / 3)), rel=1e-7)


@pytest.mark.parametrize("layer", [0, 1])
@pytest.mark.parametrize("mu", [1.0, -0.7])
def test_the_largest_component_is_caught_up_at_a_time_known_by_hand(layer, mu):
    """e = u - v has e' = |mu| (rho - e), e(0) < 0; from e = 0 on it is the balanced coordinate."""
    pair, rho = np.array([0.4, 1.3]), 0.8
    gap, speed = pair[1] - pair[0], abs(mu)
    caught = np.log1p(gap / rho) / speed
    sum_then = rho + (pair.sum() - rho) * (1 + gap / rho)
    theta0 = (pair if layer == 0 else pair[::-1])[:, None] * [[1.0], [np.sign(mu)]]
    run = stepped([mu], theta0, 2.0, rho)
    assert [(event.kind, event.layer, event.coordinate) for event in run.events] == [
        ("slide", 1 - layer, 0)
    ]
    assert run.events[0].tau == pytest.approx(caught, rel=1e-7)
    w = rho / 2 + (sum_then / 2 - rho / 2) * np.exp(speed * (2.0 - caught))
    np.testing.assert_allclose(np.abs(run.theta[-1, :, 0]), w, rtol=1e-7)
    before = run.tau < caught
    s = rho + (pair.sum() - rho) * np.exp(speed * run.tau[before])
    np.testing.assert_allclose(np.abs(run.theta[before, :, 0]).sum(axis=1), s, rtol=1e-7)


def test_twins_share_the_step():
    run = stepped([1.0, 1.0], np.full((2, 2), 0.6), 1.0)  # a quarter of rho each
    w = 0.25 + 0.35 * np.exp(run.tau)
    np.testing.assert_allclose(run.theta, w[:, None, None] * np.ones((1, 2, 2)), rtol=1e-7)
    assert {event.kind for event in run.events} == {"slide"} and len(run.events) == 4


@pytest.mark.parametrize("depth", [2, 3])
@pytest.mark.parametrize("seed", [1, 2, 4])
def test_small_discrete_steps_lead_to_the_same_place(depth, seed):
    rng = np.random.default_rng(seed)
    mu, theta0 = rng.uniform(0.5, 2, 2) * [1, rng.choice([-1, 1])], rng.uniform(0.3, 1, (depth, 2))
    flow = l1_flow(mu, 0.5)
    row = solve(flow, theta0, log_t_end=np.log1p(1.0), method="DOP853", rtol=1e-6, save_at=2)
    errors = []
    for steps in (200, 800):
        small = iterate(flow, theta0, learning_rate=1 / steps, steps=steps, save_every=steps)
        errors.append(steps * np.abs(small.theta[-1] - row.theta[-1]).max())
    assert max(errors) < 2, errors  # in steps: discrete SAM chatters about a tie by one


def test_a_tie_lasts_where_the_step_is_a_rounding_error_of_the_weights():
    flow, start = l1_flow([1.0, 2.0]), balanced([0.5, 1.5], 2)
    run = solve(flow, start, tau_end=50.0, method="DOP853", rtol=1e-4)
    assert run.status == "finished" and run.theta[-1].max() > 1e40
    assert [event.kind for event in run.events] == ["slide", "slide"]
    assert run.theta[-1, 0] == pytest.approx(run.theta[-1, 1], rel=1e-6)


def test_starts_at_rest_and_beside_idle_weights():
    run = stepped([1.0], np.zeros((2, 1)), 1.0)
    assert run.status == "collapsed" and not run.theta.any()
    run = stepped([1.0, 0.0], [[0.2, 5.0], [0.2, -3.0]], 2.0)
    assert run.status == "collapsed" and run.events[-1].tau == pytest.approx(np.log(0.5 / 0.3))
    assert (run.theta[:, :, 1] == [5.0, -3.0]).all() and not run.theta[-1, :, 0].any()


def test_a_weight_that_starts_at_zero_moves_off():
    for theta0 in ([[0.0], [2.0]], [[0.0, 0.7], [2.0, 0.7]]):
        run = stepped(np.ones(len(theta0[0])), theta0, 0.5)
        assert run.status == "finished" and np.isfinite(run.theta).all()
        # the largest |g| is the zero weight's own: u' = v, v' = u - rho
        early = stepped(np.ones(len(theta0[0])), theta0, 1e-3)
        np.testing.assert_allclose(early.theta[-1, :, 0], [2e-3, 2 - 1e-3], atol=5e-6)


def test_trial_steps_that_overflow_are_shortened(capfd):
    run = solve(l1_flow([1.0, 2.0]), balanced([1e20, 1e10], 4), tau_end=1.0)
    assert run.status == "escaped" and not capfd.readouterr().out  # LAPACK complains there
    assert run.events[-1].tau == pytest.approx(0.5e-40, rel=1e-8)


def test_starts_far_from_one_another_end_with_a_word():
    tie = np.repeat([[1.659223800469814e-21, 2.9108516812804415e-17, 9.665658865538612e-80]], 2, 0)
    flow = l1_flow([4.4e47, 1.98e65, -1.01e82], 1.7697817156845511e-102)
    assert solve(flow, tie, tau_end=0.6).status == "too_many_events"
    with pytest.raises(ValueError, match="steps need rates"):
        solve(l1_flow([1.7579e133], 1.5e32), np.full((3, 1), 3.7e102), tau_end=1.0)
