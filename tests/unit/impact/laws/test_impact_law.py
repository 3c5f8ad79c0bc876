"""Fits of the impact law to single metaorders and to bins."""

import numpy as np
import pytest

from footprint.errors import DataRefused
from footprint.impact.laws.binned_law import fit_binned_law
from footprint.impact.laws.law import cluster_sums, fit_law, sandwich

N = 20_000


def sample(exponent: float, prefactor: float, noise: float, seed: int, rows: int = N) -> tuple[np.ndarray, ...]:
    """Participation over four decades, impact with noise ~ sqrt(duration), duration, cluster of 20 rows."""
    rng = np.random.default_rng(seed)
    participation = 10.0 ** rng.uniform(-5, -1, rows)
    duration = 5.0 * participation
    impact = prefactor * participation**exponent + noise * np.sqrt(duration) * rng.standard_normal(rows)
    return participation, impact, duration, np.arange(rows) // 20


@pytest.mark.parametrize(("exponent", "prefactor"), [(0.35, 0.5), (0.5, 1.0), (0.65, 1.5)])
def test_exact_data_give_the_exact_law(exponent: float, prefactor: float) -> None:
    participation, impact, duration, cluster = sample(exponent, prefactor, 0.0, 0)
    fit = fit_law(participation, impact, duration, cluster)
    assert fit.exponent == pytest.approx(exponent, abs=1e-6)
    assert fit.prefactor == pytest.approx(prefactor, rel=1e-5)
    binned = fit_binned_law(participation, impact, cluster, np.random.default_rng(0)).law
    assert binned.exponent == pytest.approx(exponent, abs=0.005)  # the mean of a bin is not its value at the center
    assert binned.prefactor == pytest.approx(prefactor, rel=0.03)


def test_errors_are_honest() -> None:
    """Over 40 samples the distance to the truth is one standard error, root mean square."""
    scores = []
    for seed in range(40):
        fit = fit_law(*sample(0.5, 1.0, 1.34, seed))
        scores.append([(fit.exponent - 0.5) / fit.exponent_se, (fit.prefactor - 1.0) / fit.prefactor_se])
    assert np.sqrt(np.mean(np.square(scores), axis=0)) == pytest.approx([1.0, 1.0], abs=0.3)


def test_both_estimators_see_a_noisy_law() -> None:
    participation, impact, duration, cluster = sample(0.5, 1.0, 1.34, 1, rows=100_000)
    for fit in (
        fit_law(participation, impact, duration, cluster),
        fit_binned_law(participation, impact, cluster, np.random.default_rng(0)).law,
    ):
        assert fit.exists
        assert abs(fit.exponent - 0.5) < 3 * fit.exponent_se < 0.06


def test_log_of_lucky_rows_is_not_the_law() -> None:
    """Pitfall 1: keeping I > 0 and regressing log I selects on the noise; the signed fit does not."""
    participation, impact, duration, cluster = sample(0.65, 1.0, 1.0, 2, rows=100_000)
    lucky = impact > 0
    naive = np.polyfit(np.log(participation[lucky]), np.log(impact[lucky]), 1)[0]
    assert abs(naive - 0.65) > 0.08
    assert abs(fit_law(participation, impact, duration, cluster).exponent - 0.65) < 0.02


@pytest.mark.parametrize("seed", range(5))
def test_random_signs_have_no_law(seed: int) -> None:
    participation, impact, duration, cluster = sample(0.5, 1.0, 1.34, seed)
    signs = np.random.default_rng(seed + 100).choice([-1.0, 1.0], N)
    assert not fit_law(participation, signs * impact, duration, cluster).exists
    assert not fit_binned_law(participation, signs * impact, cluster, np.random.default_rng(seed)).law.exists


def test_too_few_bins_give_no_law() -> None:
    participation, impact, _, cluster = sample(0.5, 1.0, 1.0, 3, rows=150)
    law = fit_binned_law(participation, impact, cluster, np.random.default_rng(0)).law
    assert np.isnan(law.exponent)
    assert not law.exists


@pytest.mark.parametrize("scale", [1.0, 1000.0])
def test_prefactor_scales_and_exponent_does_not(scale: float) -> None:
    participation, impact, duration, cluster = sample(0.5, 1.0, 1.0, 4)
    one, scaled = (
        fit_law(participation, impact, duration, cluster),
        fit_law(participation, scale * impact, scale**2 * duration, cluster),
    )
    assert scaled.exponent == pytest.approx(one.exponent, abs=1e-6)
    assert scaled.prefactor == pytest.approx(scale * one.prefactor, rel=1e-5)


def test_repeating_every_row_in_its_cluster_does_not_shrink_the_error() -> None:
    columns = sample(0.5, 1.0, 1.34, 5)
    once, twice = fit_law(*columns), fit_law(*(np.tile(c, 2) for c in columns))
    assert twice.exponent_se == pytest.approx(once.exponent_se, rel=1e-3)


@pytest.mark.parametrize(("column", "value"), [(0, 0.0), (0, np.nan), (1, np.inf), (2, -1.0)])
def test_bad_values_are_named(column: int, value: float) -> None:
    columns = [c.copy() for c in sample(0.5, 1.0, 1.0, 6, rows=100)]
    columns[column][17] = value
    with pytest.raises(DataRefused, match=r"row 18, field (participation|impact|duration)"):
        fit_law(*columns)


def test_too_few_rows_are_refused() -> None:
    with pytest.raises(DataRefused, match="too few metaorders"):
        fit_law(*sample(0.5, 1.0, 1.0, 7, rows=9))


def test_cluster_sums() -> None:
    sums = cluster_sums(np.array([[1.0], [2.0], [4.0], [8.0]]), np.array([7, -3, 7, 0]))
    np.testing.assert_array_equal(sums, [[2.0], [8.0], [5.0]])


def test_sandwich_of_a_mean_is_the_variance_of_the_mean() -> None:
    values = np.random.default_rng(0).standard_normal(500)
    covariance = sandwich(np.ones((500, 1)), values - values.mean(), np.ones(500), np.arange(500))
    assert covariance[0, 0] == pytest.approx(values.var(ddof=1) / 500)
