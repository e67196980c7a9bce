"""l_p-SAM with 2 < p < inf at two layers: weights that die, against three other ways to run it."""

import numpy as np
import pytest
import scipy.integrate

from flowsam import Flow, balanced, iterate, linf, lp, single_example, solve


def lp_flow(mu, p, rho=1.0):
    return Flow(single_example(mu), lp(rho, p=p))


def stepped(flow, theta0, tau_end, **options):
    how = {"method": "DOP853", "rtol": 1e-7, "atol": 1e-10} | options
    return solve(flow, theta0, tau_end=tau_end, **how)


@pytest.mark.parametrize("p", [2.5, 3.0, 8.0])
def test_one_balanced_coordinate_in_closed_form(p):
    gate = 2 ** (-1 / p)  # w' = mu (w - rho 2^(-1/p))
    for alpha in (gate + 0.1, gate - 0.1, 0.3):
        run = stepped(lp_flow([1.3], p), balanced([alpha], 2), 2.0, save_at=30)
        w = np.maximum(gate + (alpha - gate) * np.exp(1.3 * run.tau), 0.0)
        np.testing.assert_allclose(run.theta[:, 0, 0], w, rtol=1e-5, atol=1e-6)
        if alpha == 0.3:
            assert run.status == "collapsed"
            assert run.events[-1].tau == pytest.approx(np.log(gate / (gate - 0.3)) / 1.3, abs=1e-6)


@pytest.mark.parametrize("p", [3.0, 6.0])
def test_before_anything_dies_it_is_the_equation_itself(p):
    flow, theta0 = lp_flow([1.0, 2.0], p), np.array([[1.5, 0.7], [1.2, 0.9]])
    run = stepped(flow, theta0, 0.3, rtol=1e-11, save_at=2)
    found = scipy.integrate.solve_ivp(
        lambda tau, y: flow.field(y.reshape(2, 2)).ravel(), (0, 0.3), theta0.ravel(),
        method="Radau", rtol=1e-10, atol=1e-13,
    )  # fmt: skip
    np.testing.assert_allclose(run.theta[-1].ravel(), found.y[:, -1], rtol=1e-8)


@pytest.mark.parametrize("p", [3.0, 6.0])
@pytest.mark.parametrize("start", [(0.4, 1.6), (0.3, 0.9)])
def test_a_slave_follows_its_partner_as_an_implicit_method_does(p, start):
    """Radau crawls after the brake; it knows neither slaves nor roles."""
    flow, theta0 = lp_flow([1.0], p), np.array(start)[:, None]
    run = stepped(flow, theta0, 0.6, save_at=[0.0, 0.2, 0.4, 0.6])
    found = scipy.integrate.solve_ivp(
        lambda tau, y: flow.field(y[:, None]).ravel(), (0, 0.6), theta0.ravel(),
        method="Radau", rtol=1e-7, atol=1e-10, t_eval=run.tau,
    )  # fmt: skip
    np.testing.assert_allclose(run.theta[:, :, 0], found.y.T, rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("p", [3.0, 6.0])
@pytest.mark.parametrize("theta0", [[[1.5, 0.6], [1.5, 0.6]], [[1.5, -0.6], [1.1, 0.3]]], ids=str)
def test_small_discrete_steps_lead_to_the_same_place(p, theta0):
    flow = lp_flow([1.0, 2.0], p)
    row = stepped(flow, theta0, 0.9, rtol=1e-6, save_at=2)
    last, errors = np.expm1(row.log_t[-1]), []
    for steps in (150, 600):
        how = {"learning_rate": last / steps, "steps": steps, "save_every": steps}
        errors.append(np.abs(iterate(flow, theta0, **how).theta[-1] - row.theta[-1]).max())
    assert errors[1] < 10 * last / 600 and errors[1] < 0.5 * errors[0], errors


def test_a_coordinate_that_died_stays_at_zero():
    run = stepped(lp_flow([1.0, 2.0], 6.0), balanced([1.5, 0.3], 2), 1.5)
    assert [(event.kind, event.coordinate) for event in run.events] == [("zero", 1)]
    after = run.tau > run.events[0].tau  # there itself it is atol
    assert not run.theta[after, :, 1].any() and run.theta[~after, :, 1].all() and after.any()
    assert run.status == "finished"


def test_a_steep_brake_lets_a_feature_die():
    """At p = 40 the brake nearly jumps: the feature dies, as under l_inf, and the run goes on."""
    data = single_example([0.5086, -0.5586])
    start = [[0.7124, 0.0041], [0.5723, 0.5919]]
    run = solve(Flow(data, lp(0.4923, p=40)), start, tau_end=4.0)
    assert run.status == "finished"
    (death,) = run.events
    assert (death.kind, death.coordinate) == ("zero", 1)
    *_, limit = solve(Flow(data, linf(0.4923)), start, tau_end=4.0).events
    assert limit.kind == "zero" and 1.0 < death.tau / limit.tau < 1.08


def test_events_come_nearer_to_those_of_linf_as_p_grows():
    start = balanced([1.5, 0.6], 2)
    limit = solve(Flow(single_example([1.0, 2.0]), linf(1.0)), start, tau_end=1.0).events[0].tau
    gaps = [
        abs(stepped(lp_flow([1.0, 2.0], p), start, 1.0).events[0].tau - limit) for p in (10, 40)
    ]
    assert gaps[1] < gaps[0] / 3 < 0.1, gaps


def test_starts_at_rest_on_an_axis_and_beside_idle_weights():
    run = stepped(lp_flow([1.0], 4.0), np.zeros((2, 1)), 1.0)
    assert run.status == "collapsed" and run.events[-1].tau == 0 and not run.theta.any()
    run = stepped(lp_flow([1.0, 0.0], 4.0), [[0.2, 5.0], [0.2, -3.0]], 2.0)
    assert run.status == "collapsed" and (run.theta[:, :, 1] == [5.0, -3.0]).all()
    flow = lp_flow([1.0], 4.0)
    for v in (0.5, 2.0):  # below the gate the zero weight stays small, above it takes off
        run = stepped(flow, [[0.0], [v]], 0.4, rtol=1e-6)
        steps = 500
        step = np.expm1(run.log_t[-1]) / steps
        how = {"learning_rate": step, "steps": steps, "save_every": steps}
        small = iterate(flow, [[0.0], [v]], **how)
        assert np.abs(small.theta[-1] - run.theta[-1]).max() < 20 * step


def test_a_death_is_known_to_what_the_docstring_of_solve_says():
    # |u|^k falls at a constant rate, k = (p - 2)/(p - 1), and u is known to atol
    flow, start = Flow(single_example([1.0, 2.0]), lp(1.0, p=3)), [[0.3, 0.4], [0.2, 0.5]]
    runs = {atol: solve(flow, start, tau_end=3.0, rtol=1e-11, atol=atol) for atol in (1e-12, 1e-18)}
    deaths = {
        atol: {e.coordinate: e.tau for e in run.events if e.kind == "zero"}
        for atol, run in runs.items()
    }
    exact = deaths[1e-18]
    assert 1e-9 < abs(deaths[1e-12][1] - exact[1]) < 50 * 1e-12**0.5
    assert deaths[1e-12][0] == pytest.approx(exact[0], abs=1e-8)  # it does not feel that
