"""Bayesian ridge: planted coefficients, honest errors, and what it says of its columns."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from tests.unit.impact.planted_outcomes import planted, planted_rows

from footprint.errors import ModelError
from footprint.impact.bayesian_ridge import BayesianRidge, FittedBayesianRidge
from footprint.impact.distribution import NORMAL_SCORES, mean
from footprint.impact.evaluation.scoring import covered, crps_bps
from footprint.impact.rows import Rows, concatenate
from footprint.impact.square_root import SquareRoot
from footprint.testing import check_impact_model
from footprint.testing.check_recovery import NORMAL_SHARE, recover, share_margin
from footprint.testing.random_rows import X_NAMES, random_rows

PREFACTOR, HALF_SPREADS, DRIFT = 0.8, 0.5, 0.4
DRIFT_COLUMN, NEVER_COLUMN = X_NAMES.index("drift"), X_NAMES.index("never")


def mean_bps(rows: Rows) -> np.ndarray:
    law = PREFACTOR * rows.volatility_day_bps * np.sqrt(rows.participation)
    return law + HALF_SPREADS * 0.5 * rows.spread_bps + DRIFT * rows.scale_bps("peak") * rows.x[:, DRIFT_COLUMN]


def raw(fitted: FittedBayesianRidge) -> np.ndarray:
    """Coefficients of law, half-spread and drift in the planted units."""
    return (fitted.coefficients[1:] * fitted.design.gain)[[0, 1, 2 + DRIFT_COLUMN]]


def raw_sd(fitted: FittedBayesianRidge) -> np.ndarray:
    deviation = np.sqrt(np.diag(fitted.covariance))[1:]
    return (deviation * fitted.design.gain)[[0, 1, 2 + DRIFT_COLUMN]]


@pytest.fixture(scope="module")
def fitted() -> FittedBayesianRidge:
    return BayesianRidge().fit(planted_rows(0, 3_000, mean_bps), "peak")


def test_contract() -> None:
    check_impact_model(BayesianRidge(), scale_free=True)


def test_posterior_is_as_wide_as_the_estimates_scatter() -> None:
    found = [BayesianRidge().fit(planted_rows(seed, 1_500, mean_bps), "peak") for seed in range(30)]
    z = np.array([(raw(f) - (PREFACTOR, HALF_SPREADS, DRIFT)) / raw_sd(f) for f in found])
    assert np.all((np.abs(z) < 2.0).mean(axis=0) >= 0.85)  # 95 % expected
    assert np.all(np.abs(z.mean(axis=0)) < 0.5)
    assert np.all((z.std(axis=0) > 0.6) & (z.std(axis=0) < 1.3))


def check_ridge_recovery(target: str, draws: int, tolerance: float) -> None:
    """As `check_recovery`, but a ridge draws weak coefficients towards 0, by some half a standard error."""
    found = recover(BayesianRidge(), raw, target=target, draws=draws)
    assert 0.88 <= found.mean_coverage <= 0.92
    assert np.all(np.abs(found.bias) < 0.5 + tolerance)
    assert np.all(found.within > NORMAL_SHARE - 0.02 - share_margin(draws))


def test_recovers_data_drawn_from_itself() -> None:
    check_ridge_recovery("shortfall", draws=25, tolerance=0.4)


@pytest.mark.nightly
@pytest.mark.parametrize("target", ["peak", "shortfall", "shift_600"])
def test_recovers_data_drawn_from_itself_in_full(target: str) -> None:
    check_ridge_recovery(target, draws=200, tolerance=0.1)


def test_residual_is_the_planted_noise(fitted: FittedBayesianRidge) -> None:
    assert fitted.residual_quantiles[4:-4] == pytest.approx(NORMAL_SCORES[4:-4], abs=0.12)
    assert fitted.residual_sd == pytest.approx(1.0, abs=0.05)


def test_forecast_is_wider_than_the_residual_by_the_model_variance(fitted: FittedBayesianRidge) -> None:
    rows = random_rows(np.random.default_rng(1), 200)
    blunt = replace(fitted, covariance=100.0 * fitted.covariance)
    sure = replace(fitted, covariance=0.0 * fitted.covariance)
    width = [f.quantiles(rows)[:, 94] - f.quantiles(rows)[:, 4] for f in (sure, blunt)]
    size = rows.scale_bps("peak") * np.exp(
        np.clip(fitted.design.columns(rows, "peak") @ fitted.log_size, *fitted.log_size_range)
    )
    expected = np.sqrt(1.0 + (blunt.model_sd_bps(rows) / (size * fitted.residual_sd)) ** 2)
    assert width[1] / width[0] == pytest.approx(expected)
    assert blunt.model_sd_bps(rows) == pytest.approx(10.0 * fitted.model_sd_bps(rows))
    assert np.all(sure.model_sd_bps(rows) == 0.0)


def test_model_sd_falls_with_rows_and_grows_away_from_them(fitted: FittedBayesianRidge) -> None:
    few = BayesianRidge().fit(planted_rows(0, 300, mean_bps), "peak")
    rows = random_rows(np.random.default_rng(1), 200)
    assert np.median(few.model_sd_bps(rows) / fitted.model_sd_bps(rows)) > 2.0
    bigger = replace(rows, participation=100.0 * rows.participation)
    assert np.all(
        fitted.model_sd_bps(bigger)[rows.participation > 1e-3] > fitted.model_sd_bps(rows)[rows.participation > 1e-3]
    )


def test_noise_that_depends_on_a_column_is_followed() -> None:
    """Rows with drift have e times the noise per unit: bands must follow, and a model of one width loses."""

    def rows_of(seed: int) -> Rows:
        rng = np.random.default_rng(seed)
        rows = random_rows(rng, 4_000)
        noise = np.exp(0.5 * rows.x[:, DRIFT_COLUMN]) * rng.standard_normal(len(rows))
        outcome = mean_bps(rows) + rows.scale_bps("peak") * noise
        return replace(rows, outcomes=np.tile(outcome[:, None], 5))

    fitted, fresh = BayesianRidge().fit(rows_of(0), "peak"), rows_of(1)
    assert (fitted.log_size[1:] * fitted.design.gain)[2 + DRIFT_COLUMN] == pytest.approx(0.5, abs=0.05)
    quantiles, drift = fitted.quantiles(fresh), fresh.x[:, DRIFT_COLUMN]
    for part in (drift < -1.0, np.abs(drift) < 0.5, drift > 1.0):
        assert covered(quantiles, fresh.outcome("peak"), 0.90)[part].mean() == pytest.approx(0.90, abs=0.04)
    one_width = replace(fitted, log_size_range=(0.0, 0.0)).quantiles(fresh)
    assert crps_bps(quantiles, fresh.outcome("peak")).mean() < 0.97 * crps_bps(one_width, fresh.outcome("peak")).mean()


def test_columns_without_a_word_are_shrunk_away() -> None:
    """Thirty columns of noise must cost little: the evidence makes their precision large."""
    rng = np.random.default_rng(5)

    def noisy(seed: int) -> Rows:
        rows = planted_rows(seed, 800, lambda r: SquareRoot().basis(r)[:, 0])
        x = np.column_stack([rows.x, rng.standard_normal((len(rows), 30))])
        return replace(rows, x=x, x_names=(*rows.x_names, *(f"noise_{i}" for i in range(30))))

    train, fresh = noisy(0), noisy(1)
    ridge, law = (m.fit(train, "peak").quantiles(fresh) for m in (BayesianRidge(), SquareRoot(half_spread=True)))
    outcome = fresh.outcome("peak")
    assert crps_bps(ridge, outcome).mean() < 1.01 * crps_bps(law, outcome).mean()


def test_contributions_are_the_terms_of_the_mean(fitted: FittedBayesianRidge) -> None:
    rows = random_rows(np.random.default_rng(2), 50)
    x = rows.x.copy()
    x[:, DRIFT_COLUMN] += 0.25
    moved = replace(rows, x=x)
    added = fitted.contributions(moved) - fitted.contributions(rows)
    expected = 0.25 * DRIFT * rows.scale_bps("peak")
    assert added[:, DRIFT_COLUMN] == pytest.approx(expected, rel=0.2)
    assert np.all(np.delete(added, DRIFT_COLUMN, axis=1) == 0.0)
    sure = replace(fitted, covariance=0.0 * fitted.covariance, log_size=0.0 * fitted.log_size)
    change = mean(sure.quantiles(moved)) - mean(sure.quantiles(rows))
    assert added.sum(axis=1) == pytest.approx(change)


def test_importance_names_the_column_that_moves_the_mean(fitted: FittedBayesianRidge) -> None:
    importance = fitted.importance()
    assert importance.shape == (len(X_NAMES),)
    assert importance.sum() == pytest.approx(1.0)
    assert importance[DRIFT_COLUMN] > 0.7
    assert importance[NEVER_COLUMN] == 0.0


def test_missing_values_count_as_the_median(fitted: FittedBayesianRidge) -> None:
    rows = random_rows(np.random.default_rng(3), 40)
    x = rows.x.copy()
    x[:, DRIFT_COLUMN] = np.nan
    filled = x.copy()
    filled[:, DRIFT_COLUMN] = fitted.design.medians[DRIFT_COLUMN]
    # never missing in training: the flag has no coefficient
    assert np.array_equal(fitted.quantiles(replace(rows, x=x)), fitted.quantiles(replace(rows, x=filled)))


def test_missing_flag_carries_what_missing_means() -> None:
    rng = np.random.default_rng(4)
    rows = random_rows(rng, 4_000)
    missing = np.isnan(rows.x[:, X_NAMES.index("sometimes")])
    rows = planted(rows, missing * rows.scale_bps("peak"), rng)
    fitted = BayesianRidge().fit(rows, "peak")
    centre = fitted.quantiles(rows)[:, 49] / rows.scale_bps("peak")
    assert centre[missing].mean() - centre[~missing].mean() == pytest.approx(1.0, abs=0.1)


def test_outlier_of_a_column_counts_as_five_deviations(fitted: FittedBayesianRidge) -> None:
    rows = random_rows(np.random.default_rng(6), 1)
    forecasts = []
    for far in (1e3, 1e9):
        x = rows.x.copy()
        x[:, DRIFT_COLUMN] = far
        forecasts.append(fitted.quantiles(replace(rows, x=x)))
    assert np.array_equal(*forecasts)


def test_copied_rows_do_not_make_it_surer() -> None:
    rows = planted_rows(7, 400, mean_bps)
    once, eight = (BayesianRidge().fit(r, "peak") for r in (rows, concatenate([rows] * 8)))
    assert raw_sd(eight) == pytest.approx(raw_sd(once), rel=0.25)


def test_other_columns_are_refused(fitted: FittedBayesianRidge) -> None:
    rows = random_rows(np.random.default_rng(0), 5)
    with pytest.raises(ModelError, match="columns differ"):
        fitted.quantiles(replace(rows, x_names=(*X_NAMES[:-1], "other")))


def test_drawn_quantiles_scatter_like_the_mean(fitted: FittedBayesianRidge) -> None:
    rng, rows = np.random.default_rng(8), random_rows(np.random.default_rng(9), 30)
    medians = np.array([fitted.drawn_quantiles(rows, rng)[:, 49] for _ in range(400)])
    assert medians.std(axis=0) == pytest.approx(fitted.model_sd_bps(rows), rel=0.2)
