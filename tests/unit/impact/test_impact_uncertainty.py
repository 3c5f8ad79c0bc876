"""The split of the variance: sums exactly, and finds three planted sources."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from footprint.errors import UsageError
from footprint.impact.distribution import LEVELS, NORMAL_SCORES
from footprint.impact.rows import RELAXATION_S, TARGETS
from footprint.impact.uncertainty import market_variance, split_variance, variance
from footprint.testing.random_rows import random_rows

STEPS, PATHS = 400, 8_000


@given(
    seed=st.integers(0, 10**6),
    model=st.floats(0.0, 1e3),
    market=st.floats(0.0, 1e6),
    width=st.floats(0.0, 1e3),
)
def test_parts_are_not_negative_and_sum_to_the_total(seed: int, model: float, market: float, width: float) -> None:
    rng = np.random.default_rng(seed)
    quantiles = np.sort(width * rng.standard_normal((4, 99)), axis=1)
    parts = split_variance(quantiles, np.full(4, model), np.full(4, market))
    for part in (parts.model, parts.market, parts.execution):
        assert np.all(part >= 0.0)
    whole = parts.model + parts.market + parts.execution
    np.testing.assert_allclose(whole, parts.total, rtol=1e-12, atol=1e-9)


def test_claims_beyond_the_whole_are_scaled_in_proportion() -> None:
    quantiles = NORMAL_SCORES[None, :]
    whole = float(variance(quantiles)[0])
    parts = split_variance(quantiles, np.array([np.sqrt(3.0)]), np.array([1.0]))
    assert parts.model[0] == pytest.approx(0.75 * whole)
    assert parts.market[0] == pytest.approx(0.25 * whole)
    assert parts.execution[0] == pytest.approx(0.0, abs=1e-12)


def test_certain_forecast_has_no_parts() -> None:
    parts = split_variance(np.full((2, 99), 7.0), np.zeros(2), np.zeros(2))
    assert np.all([parts.model, parts.market, parts.execution, parts.total] == np.zeros(2))


def test_variance_of_known_laws() -> None:
    assert float(variance(3.0 + 2.0 * NORMAL_SCORES)) == pytest.approx(4.0, rel=0.02)
    exponential = -np.log1p(-LEVELS)  # its upper tail is exactly the one assumed
    assert float(variance(exponential)) == pytest.approx(1.0, rel=0.01)
    assert variance(np.stack([NORMAL_SCORES, 5.0 * NORMAL_SCORES])) == pytest.approx([1.0, 25.0], rel=0.02)


@pytest.mark.parametrize("target", TARGETS)
def test_market_part_is_the_variance_of_a_brownian_mid(target: str) -> None:
    """By simulation, with fills at every step."""
    rng = np.random.default_rng(0)
    row = random_rows(rng, 1)
    horizon_s, after_s, sigma = float(row.horizon_s[0]), RELAXATION_S[target], float(row.volatility[0])
    step_s = horizon_s / STEPS
    paths = np.cumsum(sigma * np.sqrt(step_s) * rng.standard_normal((PATHS, STEPS)), axis=1)
    later = paths[:, -1] + sigma * np.sqrt(after_s) * rng.standard_normal(PATHS)
    shortfall = paths.mean(axis=1)
    outcome = {"peak": paths[:, -1], "shortfall": shortfall, "temporary": shortfall - 0.5 * later}.get(target, later)
    assert market_variance(row, target)[0] == pytest.approx(outcome.var(), rel=0.06)


def test_three_planted_sources_are_found() -> None:
    """Shortfall = (prefactor not known exactly) + average of the mid's path + cost of every child.

    The forecast is the truth's own predictive distribution, by simulation; each source's variance is set beforehand.
    """
    rng = np.random.default_rng(1)
    rows = random_rows(rng, 6)
    draws, children, child_sd = 40_000, 20, 4.0
    model_sd = 0.3 * rows.volatility_day_bps * np.sqrt(rows.participation)
    market_sd = rows.volatility * np.sqrt(rows.horizon_s / 3.0)
    execution_sd = np.full(len(rows), child_sd / np.sqrt(children))
    child_cost = child_sd * rng.standard_normal((draws, children)).mean(axis=1)
    samples = (
        model_sd[:, None] * rng.standard_normal((len(rows), draws))
        + market_sd[:, None] * rng.standard_normal((len(rows), draws))
        + child_cost
    )
    quantiles = np.quantile(samples, LEVELS, axis=1).T
    parts = split_variance(quantiles, model_sd, market_variance(rows, "shortfall"))
    assert parts.model == pytest.approx(model_sd**2)
    assert parts.market == pytest.approx(market_sd**2)
    assert np.abs(parts.execution - execution_sd**2) == pytest.approx(np.zeros(len(rows)), abs=0.04 * parts.total.max())
    calm = market_sd < 2.0 * execution_sd
    assert calm.any()
    assert parts.execution[calm] == pytest.approx(execution_sd[calm] ** 2, rel=0.25)


def test_bad_input_is_refused() -> None:
    quantiles = np.tile(NORMAL_SCORES, (2, 1))
    with pytest.raises(UsageError, match="one model and one market part a forecast"):
        split_variance(quantiles, np.ones(3), np.ones(2))
    with pytest.raises(UsageError, match="0 or more"):
        split_variance(quantiles, np.array([1.0, -1.0]), np.ones(2))
    with pytest.raises(UsageError, match="0 or more"):
        split_variance(quantiles, np.ones(2), np.array([1.0, np.nan]))
