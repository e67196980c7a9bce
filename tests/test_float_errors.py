"""Every public verb where each floating-point error and each warning is an error, on odd numbers.

A verb answers or refuses in one line; what NumPy is told to raise is the caller's own choice.
"""

import jaxtyping
import numpy as np
import pytest
from matplotlib.figure import Figure
from scipy.stats import norm

import flowsam
from flowsam import amplification, draw, margin, portrait, rates, regions, trajectory
from flowsam.portrait.planes import BalancedPlane
from tests import fuzz

MODULES = (flowsam, amplification, rates, regions, portrait, margin, trajectory)
NAMES = {name: getattr(module, name) for module in MODULES for name in module.__all__}
NAMES |= fuzz.NAMES | {"norm": norm, "draw": draw, "axes": lambda: Figure().subplots()}
NAMES |= {"BalancedPlane": BalancedPlane}
NAMES |= {"shown": lambda found: [str(found), repr(found)]}
NOUNS = {"Limit", "Trajectory", "Portrait", "Label", "Leaders", "Regimes", "Regions", "Chances"}
NOUNS |= {"Equilibrium", "Refinement", "Skeleton", "MarginCertificate", "Separability", "Event"}
FILES = {"load", "resume", "stream_portrait", "Stream", "Tiling", "Batches", "__version__"}
RULES = (
    "linf({rho})",
    "l2({rho})",
    "lp({rho}, p=3)",
    "lp({rho}, p=1.5)",
    "lp({rho}, p=1)",
    "unnormalised({rho})",
    "gradient_flow()",
    "asam({rho})",
)
# mu, two or three layers of weights, rho
ORDINARY = (
    ("[1, -2]", "[[1.5, 0.6], [0.3, -1]]", "0.5"),
    ("[1, 2]", "[[0.2, 0.3]] * 2", "1"),
    ("[0, 3]", "[[1.5, 0.6], [1, 1], [0.3, 1]]", "0.5"),
)
EXTREME = (
    ("[1e-200, 1e200]", "[[1.5, 0.6], [0.3, -1]]", "0.5"),
    ("[1, 2]", "[[1e-160, 1e160]] * 2", "1"),
    ("[1, 2]", "[[1e308, -1e308]] * 2", "1e-320"),
    ("[5e-324, 1]", "[[5e-324, 1]] * 2", "1e300"),
    ("[1, 2]", "[[0, 0]] * 3", "1"),
    ("[1e308, 1e308]", "[[-0.0, 1e-320]] * 2", "1e-300"),
    ("[1, 2]", "[[1.5, 0.6], [1, 1], [0.3, 1]]", "1e-320"),
    ("[-1, 1e200]", "[[1e100, 1e-200], [1, 1e200], [-1e-200, 1e-100]]", "1e100"),
)
ONE = "Flow(single_example({mu}), {rule})"
MANY = "Flow(Data([{mu}, [1, 0.5]]), {rule})"
BY_RULE = {
    "solve": "solve({one}, {theta}, tau_end=1, rtol=1e-4)",
    "solve many": "solve({many}, {theta}, log_t_end=3, rtol=1e-4)",
    "run": "[shown(r) for r in [solve({one}, {theta}, log_t_end=3, rtol=1e-4)] "
    "if [r.tau, r.log_t, r.beta, r.margins, r.log_loss, r.events]]",
    "solve_many": "solve_many({one}, [{theta}] * 2, tau_end=1, rtol=1e-4)",
    "iterate": "iterate({many}, {theta}, learning_rate=0.1, steps=3).log_loss",
    "limit": "shown(limit({one}, {theta}))",
    "limit many": "shown(limit({many}, {theta}, log_t_end=3))",
    "limits": "limits({one}, [{theta}] * 2)",
    "field": "[{many}.field({theta}), {many}.velocity({theta}), {many}.describe()]",
    "phase_portrait": "shown(phase_portrait({one}, {x}, {x}))",
}
ALONE = {
    "Data": "[Data([{mu}]), from_labels([{mu}, [1, 2]], [0, 1]), split_signs(Data([{mu}]))]",
    "merge_signs": "merge_signs(split_signs(Data([{mu}])), {mu} * 2)",
    "beta": "beta({theta})",
    "balanced": "balanced(np.abs({mu}) + 1e-9, 2)",
    "rules": "[Perturbation(2, 1), *(f({rho}).epsilon([{mu}]) for f in (linf, l2, asam))]",
    "Perturbation": "[lp({rho}, p=p).epsilon([{mu}]) for p in (1, 1.1, 3, 1e17)]",
    "losses": "[[f(m) for f in (loss.log_value, loss.log_slope, loss.log_slope_derivative)] "
    "for loss in (logistic, exponential) for m in np.array({mu})]",
    "max_margin": "[max_margin(Data([{mu}, [1, 2]]), norm) for norm in (1, 2)]",
    "margin_certificate": "margin_certificate(Data([{mu}, [1, 2]]), 1, [1, 1])",
    "separability": "shown(separability(Data([{mu}, [-1, 2]])))",
    "critical_scale": "critical_scale({mu}, {rho})",
    "critical_scale_bounds": "critical_scale_bounds({mu}, {rho}, profile={theta})",
    "regimes": "shown(regimes({mu}, {rho}))",
    "leaders": "[shown(f({theta}, {mu}, rho={rho})) for f in (leaders,)]",
    "fastest": "shown(fastest([np.abs({mu}), {mu}], {mu}, rho={rho}))",
    "dominance": "dominance({mu}, {rho}, np.abs({mu}), [0, 1, 1e3])",
    "pattern": "pattern({theta}, {mu}, rho={rho})",
    "collapse_exponents": "collapse_exponents({theta}, {mu}, rho={rho})",
    "uniform_leaders": "shown(uniform_leaders({mu}, {rho}, 0.5))",
    "regions": "shown(regions({mu}, {rho}, 3))",
    "chances": "[escape_chance(norm(), depth=3, rho={rho}), "
    "winning_chances(norm(), {mu}, depth=3, rho={rho}, points=64)]",
    "late_log_loss": "late_log_loss([10, 1e5], 2, depth=3, rule=l2({rho}))",
    "depth_one": "[depth_one_loss(Data([{mu}]), l2({rho})), "
    "depth_one_asymptote(Data([{mu}]), l2({rho}), [1, 1])]",
    "estimated_exponent": "estimated_exponent([10, 20], np.abs({mu}))",
    "refine": "refine(phase_portrait(Flow(single_example({mu}), l2({rho})), {x}, {x}), levels=1)",
    "settled_at": "phase_portrait(Flow(single_example({mu}), linf({rho})), {x}, {x}).settled_at",
    "fractions": "phase_portrait(Flow(single_example({mu}), linf({rho})), {x}, {x}).fractions",
    "planes": "[phase_portrait(Flow(single_example({mu}), l2({rho})), {x}, {x}, start=start) "
    "for start in (WeightPlane([{mu}] * 2, (0, 0), (1, 0)), ImbalancePlane([1, 2], 2), "
    "SegmentPlane([{mu}] * 2, [[1, 2]] * 2))]",
    "radius": "phase_portrait(Flow(single_example({mu}), l2(1)), {x}, {x}, "
    "start=RadiusPlane([[1, 2]] * 2))",
    "layer_plane": "phase_portrait(Flow(single_example({mu}[1:]), linf({rho})), {x}, {x}, "
    "start=layer_plane)",
    "skeleton": "skeleton(PlaneField(Flow(single_example({mu}[1:]), linf({rho})), layer_plane, "
    "{x}, {x}), columns=4, starts=[[0.7, 0.6]])",
    "equilibria": "[f(PlaneField(Flow(single_example({mu}), l2({rho})), "
    "BalancedPlane(2), {x}, {x})) for f in (equilibria, lambda field: paths(field, [[0.7, 0.6]]))]",
    "draw": "draw.portrait(axes(), phase_portrait(Flow(single_example({mu}), linf({rho})), "
    "{x}, {x}))",
    "draw a run": "draw.run(axes(), solve(Flow(single_example({mu}), linf({rho})), {theta}, "
    "tau_end=1))",
    "explore": "explore({mu})",
    "sweep": "sweep({{'mu': {mu}, 'alpha': 1.5, 'measure': ['label']}}, {{'rho': [{rho}]}}, "
    "store='{rho}.zarr')",
}


def calls(name):
    """Yield the texts of a verb."""
    for place, (mu, theta, rho) in enumerate(ORDINARY + EXTREME):
        size = "[0.5, 1e200]" if place >= len(ORDINARY) else "[0.5, 1.5]"
        given = {"mu": mu, "theta": theta, "rho": rho, "x": size}
        if name in ALONE:
            yield ALONE[name].format(**given)
            continue
        for rule in RULES:
            given["rule"] = rule.format(rho=rho)
            flows = {"one": ONE.format(**given), "many": MANY.format(**given)}
            yield BY_RULE[name].format(**given, **flows)


def found(text):
    """What a call does."""
    with np.errstate(all="raise"):
        return fuzz.judged(lambda: eval(text, dict(NAMES)), must=False)  # noqa: S307 - our own


@pytest.mark.parametrize("name", [*ALONE, *BY_RULE])
def test_a_verb_answers_or_refuses_whatever_numpy_raises(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    jaxtyping.config.jaxtyping_disable = True
    told = {text: found(text) for text in calls(name)}
    assert {text: what for text, what in told.items() if what not in fuzz.GOOD} == {}
    assert "answered" in told.values()


def test_no_public_verb_is_left_out():
    texts = " ".join([*ALONE.values(), *BY_RULE.values(), *RULES])
    names = {name for module in MODULES for name in module.__all__} - NOUNS - FILES
    assert {name for name in names if name not in texts} == set()
