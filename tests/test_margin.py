"""Max-margin solutions: optimality conditions, known answers, other solvers, bad data."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from flowsam.data import Data, split_signs
from flowsam.margin import (
    MarginCertificate,
    least_distance,
    margin_certificate,
    max_margin,
    separability,
)
from flowsam.margin.farkas import Separability
from flowsam.margin.least_distance import shortest_separator
from flowsam.margin.maximum import _cause, _kkt_residual, _margins
from flowsam.margin.vertices import lightest_separator


def separable(n: int, d: int, seed: int) -> Data:
    """Gaussian examples, flipped to the side of a hidden vector."""
    rng = np.random.default_rng(seed)
    z = rng.standard_normal((n, d))
    return Data(z * np.sign(z @ rng.standard_normal(d))[:, None], f"random {seed}")


def stretched(seed: int) -> Data:
    """Features spread over eight decades."""
    data = separable(60, 8, seed)
    return Data(data.z * np.logspace(-4, 4, 8))


def duplicated(seed: int) -> Data:
    """Every example three times, every feature twice."""
    data = separable(15, 4, seed)
    return Data(np.hstack([np.repeat(data.z, 3, axis=0)] * 2))


SETS = [
    *(separable(n, d, s) for s, (n, d) in enumerate([(20, 5), (5, 20), (200, 10), (40, 40)])),
    split_signs(separable(30, 6, 9)),
    stretched(3),
    duplicated(4),
    Data([[1.0, 2.0]]),
    Data([[1.0, 1.0], [1.0, 1.0]]),
]


@pytest.mark.parametrize("norm", [1, 2])
@pytest.mark.parametrize("data", SETS, ids=repr)
def test_optimality_conditions(data: Data, norm: int) -> None:
    """The KKT residual and the duality gap are rounding, and the least margin is one."""
    beta = max_margin(data, norm)
    certificate = margin_certificate(data, norm, beta)
    assert certificate.kkt_residual < 1e-10
    assert abs(certificate.gap) < 1e-9
    assert (certificate.dual >= 0).all()
    assert (data.z @ beta).min() == pytest.approx(1.0, abs=1e-11)


@pytest.mark.parametrize("seed", range(5))
def test_against_another_formulation(seed: int) -> None:
    """The l_1 value is that of the LP in margins, the l_2 value that of the dual program."""
    data = separable(25, 6, seed)
    n, d = data.z.shape
    cost = np.append(np.zeros(2 * d), -1.0)
    above = np.hstack([-data.z, data.z, np.ones((n, 1))])
    ball = np.append(np.ones(2 * d), 0.0)[None]
    best = linprog(cost, A_ub=above, b_ub=np.zeros(n), A_eq=ball, b_eq=[1.0])
    assert 1 / np.abs(max_margin(data, 1)).sum() == pytest.approx(-best.fun, rel=1e-9)
    certificate = margin_certificate(data, 2, max_margin(data, 2))
    dual = certificate.dual
    value = dual.sum() - 0.5 * np.sum((dual @ data.z) ** 2)
    assert value == pytest.approx(0.5 * np.sum(max_margin(data, 2) ** 2), rel=1e-12)


def test_exact_fractions() -> None:
    """A vertex solved in rational arithmetic: z = (3, 1), (1, 2) give beta = (1/5, 2/5)."""
    third = [float(Fraction(1, 5)), float(Fraction(2, 5))]
    np.testing.assert_allclose(max_margin(Data([[3, 1], [1, 2]]), 1), third, atol=1e-15)
    np.testing.assert_allclose(max_margin(Data([[3, 1], [1, 2]]), 2), third, atol=1e-15)


def test_uniqueness() -> None:
    """Equal columns share the weight in many ways; a certificate off the optimum shows its gap."""
    twins = Data([[1.0, 1.0]])
    assert not margin_certificate(twins, 1, max_margin(twins, 1)).unique
    assert margin_certificate(twins, 2, max_margin(twins, 2)).unique
    single = Data([[1.0, 2.0]])
    certificate = margin_certificate(single, 1, [1.0, 1.0])
    assert isinstance(certificate, MarginCertificate)
    assert certificate.unique
    assert certificate.gap == pytest.approx(0.25)
    assert certificate.margin == pytest.approx(1.5)


def test_uniqueness_against_enumeration() -> None:
    """On small integer data, unique means that no other vertex of the face exists."""
    rng = np.random.default_rng(0)
    seen = set()
    for _ in range(60):
        z = rng.integers(-2, 3, size=(4, 3)).astype(float)
        if not z.any(axis=1).all() or not separability(Data(z)).separable:
            continue
        beta, _ = lightest_separator(z)
        least, spread = np.abs(beta).sum(), 0.0
        bounds, ball = [(0, None)] * 6, np.ones((1, 6))
        for cost in rng.standard_normal((8, 6)):
            face = linprog(
                cost,
                A_ub=np.vstack([np.hstack([-z, z]), ball]),
                b_ub=np.append(-np.ones(len(z)), least * (1 + 1e-9)),
                bounds=bounds,
            )
            spread = max(spread, np.abs(face.x[:3] - face.x[3:] - beta).max())
        unique = margin_certificate(Data(z), 1, beta).unique
        assert unique == (spread < 1e-6), z
        seen.add(unique)
    assert seen == {True, False}


def test_signs_can_be_prescribed() -> None:
    """With beta >= 0 the optimum is that of the program with bounds."""
    data = Data([[2.0, -3.0], [3.0, 1.0]])
    beta, dual = lightest_separator(data.z, np.ones(2))
    np.testing.assert_allclose(beta, [0.5, 0.0])
    assert (dual @ data.z <= 1 + 1e-12).all()
    shortest, weights = shortest_separator(data.z, np.ones(2))
    np.testing.assert_allclose(shortest, [0.5, 0.0], atol=1e-14)
    np.testing.assert_allclose(np.maximum(weights @ data.z, 0.0), shortest, atol=1e-14)
    with pytest.raises(ValueError, match="separable"):
        lightest_separator(data.z, -np.ones(2))


@pytest.mark.parametrize("seed", range(20))
def test_signs_of_many_features_leave_out_those_at_0(seed, monkeypatch) -> None:
    """What few examples say of many signed features, with and without constraints of their own."""
    rng = np.random.default_rng(seed)
    n = rng.integers(1, 6)
    z = rng.standard_normal((n, 15 * n)) * 10 ** rng.uniform(-1, 1, 15 * n)
    signs = rng.choice([-1.0, 0.0, 1.0], 15 * n)
    beta, dual = shortest_separator(z, signs)
    assert (signs * beta >= 0).all() and (z @ beta >= 1 - 1e-12).all() and (dual >= 0).all()
    monkeypatch.setattr(least_distance, "_WIDE", np.inf)
    np.testing.assert_allclose(beta, shortest_separator(z, signs)[0], atol=1e-10 * abs(beta).max())


@pytest.mark.parametrize("against", [slice(0, 30), slice(0, 15)])
def test_examples_that_no_feature_of_its_sign_serves_are_refused(against) -> None:
    """All features against the examples, or all of one example's."""
    z = np.eye(2).repeat(15, axis=1)
    signs = np.ones(30)
    signs[against] = -1.0
    with pytest.raises(ValueError, match="separable"):
        shortest_separator(z, signs)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.floats(1e-3, 1e3), st.sampled_from([1, 2]))
def test_scaling_and_permutation(seed: int, scale: float, norm: int) -> None:
    """max_margin(c z) = max_margin(z) / c, and permuting features permutes the answer."""
    data = separable(12, 4, seed)
    order = np.random.default_rng(seed).permutation(4)
    beta = max_margin(data, norm)
    size = np.abs(beta).max()
    scaled = max_margin(Data(scale * data.z), norm) * scale
    np.testing.assert_allclose(scaled, beta, atol=1e-10 * size)
    np.testing.assert_allclose(
        max_margin(Data(data.z[:, order]), norm), beta[order], atol=1e-10 * size
    )


def test_separability_proves_both_answers() -> None:
    """A separating vector has positive margins; Farkas weights cancel the examples."""
    verdict = separability(separable(50, 5, 1))
    assert isinstance(verdict, Separability)
    assert verdict.separable
    assert verdict.residual > 1
    assert (separable(50, 5, 1).z @ verdict.vector > 0).all()
    noise = Data(np.random.default_rng(0).standard_normal((60, 4)))
    verdict = separability(noise)
    assert not verdict.separable
    assert np.abs(verdict.vector @ noise.z).max() < 1e-12
    assert verdict.vector.sum() == pytest.approx(1.0)
    assert "not linearly separable" in verdict.message


@pytest.mark.parametrize("angle", [1e-3, 1e-6, 1e-9, 0.0, -1e-9])
def test_separability_near_its_edge(angle: float) -> None:
    """Two examples nearly opposite separate exactly when they lean to the same side."""
    assert separability(Data([[1.0, angle], [-1.0, abs(angle)]])).separable == (angle > 0)


@pytest.mark.parametrize("norm", [1, 2])
def test_bad_data_say_what_is_wrong(norm: int) -> None:
    """Data that do not separate, other norms, bad vectors: one line each."""
    noise = Data(np.random.default_rng(0).standard_normal((60, 4)))
    with pytest.raises(ValueError, match="not linearly separable"):
        max_margin(noise, norm)
    with pytest.raises(ValueError, match="norm 1 or 2, got 3"):
        max_margin(SETS[0], 3)
    with pytest.raises(ValueError, match="positive margins"):
        margin_certificate(SETS[0], norm, -max_margin(SETS[0], norm))
    with pytest.raises(ValueError, match="shape"):
        margin_certificate(SETS[0], norm, [1.0])


def _real(name: str) -> Data:
    """Two classes of a bundled set, in its own units or standardised with a bias."""
    datasets = pytest.importorskip("sklearn.datasets")
    which, units = name.split(", ")
    X, y = getattr(datasets, f"load_{which}")(return_X_y=True)
    kept = np.isin(y, (3, 5) if which == "digits" else (0, 1))
    X, y = X[kept], y[kept]
    if units == "standardised":
        spread = X.std(axis=0)
        X = (X - X.mean(axis=0)) / np.where(spread > 0, spread, 1.0)
        X = np.hstack([X, np.ones((len(X), 1))])
    return Data(X * np.where(y == y.max(), 1.0, -1.0)[:, None])


@pytest.mark.parametrize("norm", [1, 2])
@pytest.mark.parametrize("units", ["raw", "standardised"])
@pytest.mark.parametrize("which", ["breast_cancer", "digits", "iris", "wine"])
def test_real_sets(which: str, units: str, norm: int) -> None:
    """Features over four decades, as scikit-learn ships them, and standardised: KKT below 1e-10."""
    data = _real(f"{which}, {units}")
    beta = max_margin(data, norm)
    certificate = margin_certificate(data, norm, beta)
    assert certificate.kkt_residual < 1e-11
    assert abs(certificate.gap) < 1e-8
    assert (data.z @ beta).min() == pytest.approx(1.0, abs=1e-10)


def test_what_the_verb_accepts_its_certificate_proves() -> None:
    """Examples of lengths from 1e-6 to 1e6: either both are below 1e-10 or the verb refuses."""
    accepted = refused = 0
    for seed in range(60):
        rng, data = np.random.default_rng(seed), separable(*[(19, 4), (22, 10)][seed % 2], seed)
        data = Data(data.z * 10.0 ** rng.uniform(-4, 4, len(data.z))[:, None])
        for norm in (1, 2):
            try:
                beta = max_margin(data, norm)
            except ValueError as error:
                assert "examples differ in length by a factor" in str(error)
                refused += 1
                continue
            accepted += 1
            certificate = margin_certificate(data, norm, beta)
            assert certificate.kkt_residual <= 1e-10
            exact = [sum(map(lambda x, b: Fraction(x) * Fraction(b), row, beta)) for row in data.z]
            assert abs(float(min(exact)) - 1.0) < 1.1e-10
            longer = margin_certificate(data, norm, 3.0 * beta)
            assert longer.margin == pytest.approx(certificate.margin, rel=1e-9)
    assert accepted > 20 and refused > 5


def _spread(seed: int, decades: float) -> Data:
    """Columns of sizes up to so many decades above and below one."""
    rng = np.random.default_rng(seed)
    data = separable(21, 5, seed)
    return Data(data.z * 10.0 ** rng.uniform(-decades, decades, 5))


@pytest.mark.parametrize("seed", range(6))
def test_the_dual_of_badly_scaled_columns_in_exact_arithmetic(seed: int) -> None:
    """|sum_i y_i z_ij| <= 1 in fractions, to what rounding of the weights alone makes of it."""
    data = _spread(seed, 4.0)
    beta, dual = lightest_separator(data.z)
    pull = [sum(map(lambda y, z: Fraction(y) * Fraction(z), dual, row)) for row in data.z.T]
    terms = 1.0 + dual @ np.abs(data.z)
    over = np.array([float(abs(p) - 1) for p in pull])
    assert (over < 4 * np.finfo(float).eps * terms).all()
    assert (np.abs(over)[beta != 0] < 4 * np.finfo(float).eps * terms[beta != 0]).all()
    assert margin_certificate(data, 1, beta).kkt_residual < 1e-10


def test_an_infeasible_dual_is_not_hidden() -> None:
    """A dual 1e-7 off, on columns whose terms are 1e6, counts with its own size."""
    data = _spread(0, 4.0)
    beta, dual = lightest_separator(data.z)
    asked = data, _margins(data, beta), 1, beta
    assert _kkt_residual(*asked, dual * (1 + 1e-7)) == pytest.approx(1e-7, rel=0.02)


def test_separable_data_are_never_called_inseparable() -> None:
    """Both lengths and features over twelve decades: refused for that, with its size."""
    refused = 0
    for seed in range(30):
        rng, data = np.random.default_rng(seed), separable(25, 6, seed)
        rows, columns = 10.0 ** rng.uniform(-6, 6, (25, 1)), 10.0 ** rng.uniform(-6, 6, 6)
        try:
            max_margin(Data(data.z * rows * columns), 1)
        except ValueError as error:
            assert "needs separable data" not in str(error) and "by a factor" in str(error)
            refused += 1
    assert refused > 10


@pytest.mark.parametrize("norm", [1, 2])
@pytest.mark.parametrize("unit", [1e12, 1e-12, 1e150, 1e-150, 3e200])
def test_the_unit_of_the_data_does_not_matter(norm: int, unit: float) -> None:
    """1e12 times the data were called nearly dependent."""
    z = SETS[0].z
    one, many = max_margin(Data(z), norm), max_margin(Data(z * unit), norm)
    assert np.allclose(many * unit, one, rtol=1e-12, atol=0)
    found, known = (margin_certificate(Data(z * u), norm, one) for u in (unit, 1.0))
    assert found.margin == pytest.approx(unit * known.margin, rel=1e-12)
    assert found.bound == pytest.approx(unit * known.bound, rel=1e-12)
    if unit < 1e100:
        assert found.dual * unit**norm == pytest.approx(known.dual, rel=1e-9)


def test_what_doubles_cannot_prove_is_said() -> None:
    """Weights that would have to cancel to 1e-13; and rows of unequal length are named."""
    with pytest.raises(ValueError, match=r"prove .* only: .* features differ in size"):
        max_margin(_spread(7, 9.0), 1)
    assert "examples differ in length by a factor 1e+06" in _cause(Data([[2e6, 2e6], [2.0, 1.0]]))
    assert "nearly dependent" in _cause(SETS[0])
