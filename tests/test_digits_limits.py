"""Which pixel wins on real data: the digits' class means against the theorem's rule in one line."""

import json

import numpy as np
import pytest

pytest.importorskip("sklearn")

from figures import fig_digits_limits
from figures.cases import digits_case
from flowsam import Flow, linf, solve


@pytest.fixture(scope="module")
def arrays():
    return fig_digits_limits.compute()


def test_the_winner_is_the_largest_mu_among_those_above_rho(arrays):
    mu, alpha = arrays["mu"], arrays["alpha"]
    for k, rho in enumerate(arrays["radii"]):
        for row, pull in enumerate((np.abs(mu), mu)):  # all positive: a negative pixel cannot win
            winner = int(np.argmax(np.where(alpha > rho, pull, -np.inf)))
            assert arrays["labels"][row][k] == winner + 1
            expected = np.zeros(64)
            expected[winner] = np.sign(mu[winner])
            np.testing.assert_array_equal(arrays["ends"][row, k], expected)


def test_idle_pixels_and_the_tie_are_named(arrays):
    mu = arrays["mu"]
    assert (mu == 0).sum() == 10 and (mu < 0).any() and mu[55] == mu[63]
    said = json.loads(arrays["card"])["winners"]
    assert "win: 4,3 4,3 3,3 3,6" in said and "control: 3,5 3,5 3,6" in said
    said = json.loads(arrays["card"])["pixels"]
    assert said.startswith("10 idle pixels, hatched: 1,1 3,8 ") and said.endswith(
        "equal |mu|: 7,8 8,8"
    )


@pytest.mark.parametrize("rho", [0.3, 1.0])
def test_a_late_run_points_at_the_winner(arrays, rho):
    data, aligned, _, _ = digits_case()
    # beta_k / beta_j ~ (log t)^(mu_k/mu_j - 1): at log t = 1e5 pixel 18 still leads for rho = 0.3
    last = solve(Flow(data, linf(rho)), aligned, log_t_end=1e250).beta[-1]
    winner = arrays["labels"][0][list(arrays["radii"]).index(rho)] - 1
    assert np.argmax(np.abs(last)) == winner
    assert np.sign(last[winner]) == np.sign(data.z[0, winner])
    idle = data.z[0] == 0
    np.testing.assert_array_equal(last[idle], np.prod(aligned, axis=0)[idle])
