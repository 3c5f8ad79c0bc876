"""What is read from 99 quantiles, against distributions whose answers are known in closed form."""

import numpy as np
import pytest
from scipy import stats

from footprint.impact.distribution import (
    LEVELS,
    NORMAL_SCORES,
    cvar95,
    from_levels,
    interpolation_weights,
    mean,
    prob_exceed,
    probability_integral_transform,
    quantile,
)

NORMAL = NORMAL_SCORES
EXPONENTIAL = -np.log1p(-LEVELS)


def test_levels_are_the_99_percentiles() -> None:
    assert len(LEVELS) == 99
    assert LEVELS[[0, 49, 98]].tolist() == [0.01, 0.5, 0.99]
    assert stats.norm.cdf(NORMAL_SCORES) == pytest.approx(LEVELS, abs=1e-12)


def test_mean_of_a_normal_is_its_centre() -> None:
    assert mean(NORMAL) == pytest.approx(0.0, abs=1e-12)
    assert mean(7.0 + 3.0 * NORMAL) == pytest.approx(7.0, abs=1e-12)


def test_mean_of_a_skewed_distribution() -> None:
    assert mean(EXPONENTIAL) == pytest.approx(1.0, abs=0.001)
    assert mean(stats.lognorm(1.0).ppf(LEVELS)) == pytest.approx(np.exp(0.5), rel=0.01)


def test_value_at_risk_is_the_95_percent_quantile() -> None:
    assert quantile(3.0 * NORMAL, 0.95) == pytest.approx(3.0 * 1.6448536, abs=1e-6)


@pytest.mark.parametrize("level", [0.0, 0.005, 0.955, 1.0, -0.95])
def test_other_levels_are_an_error(level: float) -> None:
    with pytest.raises(ValueError, match=r"0\.01 \.\.\. 0\.99"):
        quantile(NORMAL, level)


def test_expected_shortfall() -> None:
    analytic = stats.norm.pdf(stats.norm.ppf(0.95)) / 0.05  # 2.0627
    # the exponential last 1 % is a little heavier than a normal's
    assert cvar95(NORMAL) == pytest.approx(analytic, rel=0.012)
    assert cvar95(NORMAL) > analytic
    assert cvar95(10.0 + 2.0 * NORMAL) == pytest.approx(10.0 + 2.0 * cvar95(NORMAL))
    assert cvar95(EXPONENTIAL) == pytest.approx(np.log(20.0) + 1.0, rel=0.005)
    # of a distribution that cannot exceed 1 the worst 5 % cannot either, but for the assumed tail
    assert cvar95(LEVELS) == pytest.approx(0.975, abs=0.01)


def test_prob_exceed_inverts_the_quantiles() -> None:
    for location, scale in ((0.0, 1.0), (-4.0, 0.3), (25.0, 40.0)):
        quantiles = location + scale * NORMAL
        found = [prob_exceed(quantiles, float(q)) for q in quantiles]
        assert found == pytest.approx(1.0 - LEVELS, abs=1e-12)


def test_prob_exceed_between_levels_is_linear() -> None:
    assert prob_exceed(np.arange(1.0, 100.0), 30.25) == pytest.approx(0.6975)


def test_prob_exceed_beyond_the_grid_has_an_exponential_tail() -> None:
    beyond = np.array([4.7, 6.0, 9.0])
    assert [float(prob_exceed(EXPONENTIAL, b)) for b in beyond] == pytest.approx(np.exp(-beyond), rel=1e-9)
    assert [float(prob_exceed(-EXPONENTIAL[::-1], -b)) for b in beyond] == pytest.approx(
        1.0 - np.exp(-beyond), rel=1e-12
    )


def test_prob_exceed_never_rises_with_the_threshold_and_keeps_the_shape() -> None:
    quantiles = np.array([NORMAL, 5.0 * NORMAL + 1.0, np.repeat([0.0, 1.0, 2.0], 33)])
    table = np.array([prob_exceed(quantiles, t) for t in np.linspace(-20, 20, 801)])
    assert table.shape == (801, 3)
    assert np.all(np.diff(table, axis=0) <= 1e-12)
    assert np.all((table >= 0) & (table <= 1))
    assert prob_exceed(NORMAL, 0.0).shape == ()


def test_prob_exceed_of_a_certain_outcome() -> None:
    certain = np.full(99, 5.0)
    assert prob_exceed(certain, 4.99) == pytest.approx(1.0)
    assert prob_exceed(certain, 5.01) == pytest.approx(0.0)


def test_pit_of_right_forecasts_is_uniform() -> None:
    rng = np.random.default_rng(0)
    location, scale = rng.normal(0, 10, 20_000), rng.lognormal(0, 1, 20_000)
    outcome = location + scale * rng.standard_normal(20_000)
    pit = probability_integral_transform(location[:, None] + scale[:, None] * NORMAL, outcome)
    assert stats.kstest(pit, "uniform").statistic < 0.015
    wrong = probability_integral_transform(location[:, None] + 0.5 * scale[:, None] * NORMAL, outcome)
    assert stats.kstest(wrong, "uniform").statistic > 0.1


def test_pit_golden() -> None:
    quantiles = np.tile(np.arange(1.0, 100.0), (6, 1))
    outcome = np.array([1.0, 30.25, 99.0, 0.9, 99.1, -500.0])
    expected = [0.01, 0.3025, 0.995, 0.005, 0.995, 0.005]
    assert probability_integral_transform(quantiles, outcome) == pytest.approx(expected)


def test_coarse_levels_of_a_normal_give_the_normal() -> None:
    levels = np.array([0.02, 0.1, 0.4, 0.5, 0.8, 0.97])
    coarse = np.array([3.0 + 2.0 * stats.norm.ppf(levels), -stats.norm.ppf(1 - levels)])
    fine = from_levels(levels, coarse)
    assert fine[0] == pytest.approx(3.0 + 2.0 * NORMAL, abs=1e-9)
    assert fine[1] == pytest.approx(NORMAL, abs=1e-9)


def test_coarse_levels_are_met_exactly_and_crossing_ones_sorted() -> None:
    levels = np.array([0.1, 0.5, 0.9])
    fine = from_levels(levels, np.array([[4.0, -1.0, 2.0]]))
    assert fine[0, [9, 49, 89]] == pytest.approx([-1.0, 2.0, 4.0])
    assert np.all(np.diff(fine) >= 0)
    assert interpolation_weights(levels).sum(axis=0) == pytest.approx(np.ones(99))
