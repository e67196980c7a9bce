"""The symbolic core against SymPy on the full objective, and against complex steps."""

import itertools
import math

import numpy as np
import pytest
import sympy as sp

from flowsam.data import Data
from flowsam.flow import Flow
from flowsam.losses import exponential, logistic
from flowsam.perturbations import gradient_flow, l2, linf, lp
from flowsam.symbolic import coordinate, equations, latex, products

VALUES = {"logistic": lambda m: sp.log(1 + sp.exp(-m)), "exponential": lambda m: sp.exp(-m)}


def full_objective(d, n, depth, loss):
    """The loss as one expression in every weight and every entry of z."""
    theta = sp.Matrix(depth, d, lambda a, b: sp.Symbol(f"t{a}_{b}"))
    z = sp.Matrix(n, d, lambda a, b: sp.Symbol(f"z{a}_{b}"))
    beta = [sp.prod(theta[:, j]) for j in range(d)]
    margins = [sum(beta[j] * z[i, j] for j in range(d)) for i in range(n)]
    return theta, z, sum(VALUES[loss](m) for m in margins) / n


@pytest.mark.parametrize("loss", [logistic, exponential], ids=lambda loss: loss.name)
@pytest.mark.parametrize(("d", "n", "depth"), list(itertools.product((1, 2, 3), (1, 2), (1, 2, 3))))
def test_velocity_is_minus_the_derivative_of_the_full_objective(d, n, depth, loss):
    theta, z, objective = full_objective(d, n, depth, loss.name)
    gradient = sp.lambdify((*theta, *z), [objective.diff(x) for x in theta], cse=True)
    rng = np.random.default_rng((d, n, depth))
    at, data = rng.normal(size=(depth, d)), rng.normal(size=(n, d))
    for rule in (gradient_flow(), linf(0.3), l2(0.3), lp(0.3, p=3.0)):
        flow = Flow(Data(data), rule, loss)
        expected = -np.reshape(gradient(*flow.perturbed(at).ravel(), *data.ravel()), at.shape)
        np.testing.assert_allclose(flow.velocity(at), expected, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("depth", [1, 2, 3, 4, 5])
def test_products_and_velocity_against_complex_steps(depth):
    rng = np.random.default_rng(depth)
    theta, z, step = rng.normal(size=(depth, 3)), rng.normal(size=(4, 3)), 1e-30
    flow = Flow(Data(z), gradient_flow())
    gradient, first = -flow.velocity(theta), products(depth)(theta)
    for layer, j in np.ndindex(theta.shape):
        moved = theta.astype(complex)
        moved[layer, j] += 1j * step
        beta = np.prod(moved, axis=0)
        slope = np.mean(np.log1p(np.exp(-(z @ beta)))).imag / step
        assert slope == pytest.approx(gradient[layer, j], rel=1e-12, abs=1e-14)
        assert beta[j].imag / step == pytest.approx(first[layer, j], rel=1e-12)


@pytest.mark.parametrize("depth", range(1, 9))
def test_lambdified_functions_broadcast_and_keep_zeros(depth):
    rng = np.random.default_rng(depth)
    theta = rng.normal(size=(2, 5, depth, 3))
    theta[0, 0, 0, 0] = 0.0
    whole = products(depth)(theta)
    assert whole.shape == theta.shape
    for layer in range(depth):
        others = np.prod(np.delete(theta, layer, axis=-2), axis=-2)
        np.testing.assert_allclose(whole[..., layer, :], others, rtol=1e-14)
    assert not whole[0, 0, 1:, 0].any()
    assert products(depth) is products(depth)  # lambdified once per depth


RULES = {None: 1, 1: 1, 1.5: 3, 2: 2, 3: sp.Rational(3, 2), math.inf: 1}  # p -> dual exponent q


def in_numbers(one, q, values):
    """Every symbol of `one` in numbers, each by its own definition; values for w, mu, r, rho."""
    values = {symbol: sp.Float(value, 40) for symbol, value in values.items()}
    values[sp.Symbol("m", real=True)] = one.margin.subs(values)
    g = [x.subs(values) for x in one.gradient]
    largest = max(map(abs, g))
    values[sp.Symbol("N", positive=True)] = sum(abs(x) ** q for x in g) ** (1 / sp.sympify(q))
    for k, x in enumerate(g):
        values[one.g[k]] = x
        values[sp.Symbol(f"sigma_{k + 1}", real=True)] = sp.sign(x)
        values[sp.Symbol(f"chi_{k + 1}", real=True)] = int(abs(x) == largest)
        for b in range(k, len(g)):
            values[sp.Symbol(f"h_{k + 1}{b + 1}")] = one.curvature[k, b].subs(values)
    hats = [x.subs(values) for x in one.perturbed]
    values |= zip(one.w_hat, hats, strict=True)
    values[sp.Symbol("mhat", real=True)] = one.margin.subs(
        {**values, **dict(zip(one.w, hats, strict=True))}
    )
    return values | dict(zip(one.g_hat, [x.subs(values) for x in one.sam_gradient], strict=True))


@pytest.mark.parametrize("p", RULES, ids=str)
@pytest.mark.parametrize("depth", [1, 2, 3])
def test_sam_gradient_and_extra_are_the_full_derivative(depth, p):
    """d/dw ell(m(w + eps(w))) of one coordinate by 40-digit differences."""
    one, q = coordinate(depth, p), RULES[p]
    weights = np.random.default_rng((depth, 7)).normal(size=depth)
    start = dict(zip(one.w, weights, strict=True))
    start |= {sp.Symbol("mu", real=True): 1.3, sp.Symbol("r", real=True): 0}
    start[sp.Symbol("rho", positive=True)] = 0.3
    values, m, step = in_numbers(one, q, start), sp.Symbol("m", real=True), sp.Float("1e-12", 40)

    def objective(layer, move):
        there = in_numbers(one, q, {**start, one.w[layer]: values[one.w[layer]] + move})
        return one.loss.subs(m, there[sp.Symbol("mhat", real=True)])

    for layer in range(depth):
        slope = (objective(layer, step) - objective(layer, -step)) / (2 * step)
        claimed = values[one.g_hat[layer]] + sp.sympify(one.extra[layer]).subs(values)
        assert abs(claimed - slope) < 1e-18 + 1e-15 * abs(slope), (depth, p, layer)


@pytest.mark.parametrize("p", RULES, ids=str)
def test_latex_names_every_expression(p):
    found = equations(3, p)
    written = latex(found)
    assert written.keys() == found.keys()
    assert {"margin", "loss", "gradient_3", "perturbed_3", "sam_gradient_3"} <= written.keys()
    assert written["sam_gradient_1"].startswith(r"\hat{g}_{1} = ")
    assert ("curvature_12" in written) == (p in (1.5, 2, 3))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (dict(depth=0), "depth needs a number from 1 to 8, got 0"),
        (dict(depth=9), "depth needs a number from 1 to 8, got 9"),
        (dict(depth=2, p=0.5), "got 0.5"),
        (dict(depth=2, p=math.nan), "got nan"),
        (dict(depth=2, loss="hinge"), "logistic or exponential, got 'hinge'"),
    ],
)
def test_bad_input_gets_one_line(arguments, message):
    with pytest.raises(ValueError, match=message) as caught:
        coordinate(**arguments)
    assert "\n" not in str(caught.value)
