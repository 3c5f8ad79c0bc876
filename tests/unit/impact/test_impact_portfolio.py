"""Costs add up, shared risk follows the formula, cross-impact is symmetric and lets no round trip pay."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from footprint.errors import ModelError, UsageError
from footprint.impact.portfolio import (
    PortfolioOrder,
    check_no_arbitrage,
    correlation_of,
    cross_impact_matrix,
    portfolio,
)

ONE = PortfolioOrder("A", 1, 1e6, 600.0, 8.0, 20.0, 6.0, 18.0, 5e5)
TWO = PortfolioOrder("B", 1, 3e6, 600.0, 4.0, 10.0, 3.0, 9.0, 2e6)
seeds = st.integers(0, 2**32 - 1)


def correlation(rho: float) -> np.ndarray:
    return np.array([[1.0, rho], [rho, 1.0]])


def random_correlation(rng: np.random.Generator, n: int) -> np.ndarray:
    returns = rng.standard_normal((n, n + 3)) + rng.standard_normal(n + 3)
    return np.corrcoef(returns)


def test_one_order_is_itself() -> None:
    found = portfolio([ONE], np.ones((1, 1)))
    assert (found.mean_bps, found.sd_bps, found.notional) == pytest.approx((8.0, 20.0, 1e6))
    assert found.cross_impact_bps is None
    assert found.risk_share == pytest.approx([1.0])
    assert portfolio([ONE], np.ones((1, 1)), cross_impact=True).mean_bps == pytest.approx(8.0)


def test_means_add_up_in_currency_and_risk_by_correlation() -> None:
    """By hand: (1e6 x 8 + 3e6 x 4) / 4e6 = 5 bps; the market parts 18 and 27 (in 1e6 bps) share rho 0.5."""
    found = portfolio([ONE, TWO], correlation(0.5))
    assert found.mean_bps == pytest.approx(5.0)
    variance = 20.0**2 + 30.0**2 + 2 * 0.5 * 18.0 * 27.0
    assert found.sd_bps == pytest.approx(np.sqrt(variance) / 4.0)
    assert found.independent_sd_bps == pytest.approx(np.sqrt(20.0**2 + 30.0**2) / 4.0)
    hedged = portfolio([ONE, replace(TWO, side=-1)], correlation(0.5))
    assert hedged.sd_bps < found.independent_sd_bps < found.sd_bps
    assert found.risk_share.sum() == pytest.approx(1.0)


def test_market_moves_of_different_horizons_as_simulated() -> None:
    """Covariance of the averages of one Brownian path over 600 and 200 s."""
    rng = np.random.default_rng(1)
    path = np.cumsum(rng.standard_normal((20_000, 600)), axis=1)
    long, short = path.mean(axis=1), path[:, :200].mean(axis=1)
    orders = [
        replace(ONE, sd_bps=long.std(), market_sd_bps=long.std(), notional=1.0),
        replace(ONE, horizon_s=200.0, sd_bps=short.std(), market_sd_bps=short.std(), notional=1.0),
    ]
    found = portfolio(orders, np.ones((2, 2)))
    assert found.sd_bps == pytest.approx((long + short).std() / 2.0, rel=0.03)


@given(seeds, st.integers(1, 6))
def test_cross_impact_is_symmetric_keeps_own_costs_and_never_pays(seed: int, n: int) -> None:
    rng = np.random.default_rng(seed)
    own = rng.uniform(0.0, 1e-5, n)
    matrix = cross_impact_matrix(
        own, rng.uniform(1e4, 1e7, n), random_correlation(rng, n) if n > 1 else np.ones((1, 1))
    )
    assert np.diag(matrix) == pytest.approx(own)
    check_no_arbitrage(matrix)
    trade = rng.standard_normal((50, n)) * 1e6
    assert (np.einsum("ki,ij,kj->k", trade, matrix, trade) >= -1e-6 * (trade**2).sum(axis=1) * own.max()).all()


@given(seeds, st.floats(60.0, 3_600.0), st.floats(60.0, 3_600.0))
def test_the_cost_of_all_does_not_depend_on_who_ends_first(seed: int, first_s: float, second_s: float) -> None:
    rho = np.random.default_rng(seed).uniform(-0.95, 0.95)
    totals = [
        portfolio([replace(ONE, horizon_s=a), replace(TWO, horizon_s=b)], correlation(rho), True).cross_impact_bps
        for a, b in ((first_s, second_s), (600.0, 600.0))
    ]
    assert totals[0] == pytest.approx(totals[1], abs=1e-9)


def test_cross_impact_hurts_one_sided_orders_and_helps_hedges() -> None:
    together = portfolio([ONE, TWO], correlation(0.6), True)
    hedge = portfolio([ONE, replace(TWO, side=-1)], correlation(0.6), True)
    apart = portfolio([ONE, TWO], correlation(0.0), True)
    assert hedge.cross_impact_bps < 0.0 < together.cross_impact_bps
    assert hedge.cross_impact_bps == pytest.approx(-together.cross_impact_bps)
    assert apart.cross_impact_bps == pytest.approx(0.0)
    assert together.mean_bps == pytest.approx(5.0 + together.cross_impact_bps)
    # the orders' impact as a whole stays a cost: w'Kw >= 0
    own = (1e6 * 6.0 + 3e6 * 3.0) / 4e6
    assert own + hedge.cross_impact_bps >= 0.0


def test_a_matrix_that_lets_a_round_trip_pay_is_refused() -> None:
    with pytest.raises(ModelError, match="not symmetric"):
        check_no_arbitrage(np.array([[1.0, 0.5], [0.2, 1.0]]))
    with pytest.raises(ModelError, match="negative eigenvalue"):
        check_no_arbitrage(np.array([[1.0, 2.0], [2.0, 1.0]]))
    with pytest.raises(ModelError):
        check_no_arbitrage(np.array([[1.0, np.nan], [np.nan, 1.0]]))


def test_correlation_of_common_returns() -> None:
    rng = np.random.default_rng(0)
    steps = rng.standard_normal((2, 400)) * 1e-4
    steps[1] = 0.6 * steps[0] + 0.8 * steps[1]
    mids = 100.0 * np.exp(np.cumsum(steps, axis=1))
    mids[1, 100:120] = np.nan
    found = correlation_of(mids)
    assert found[0, 1] == found[1, 0] == pytest.approx(0.6, abs=0.08)
    assert np.diag(found).tolist() == [1.0, 1.0]
    with pytest.raises(UsageError, match="29 returns"):
        correlation_of(mids[:, :30])
    with pytest.raises(UsageError, match="does not move"):
        correlation_of(np.ones((2, 50)))


def test_nonsense_is_refused() -> None:
    with pytest.raises(UsageError, match="without an order"):
        portfolio([], np.ones((0, 0)))
    for wrong in (np.ones((1, 1)), correlation(1.2), np.array([[1.0, 0.5], [0.1, 1.0]]), 2.0 * np.eye(2)):
        with pytest.raises(UsageError, match="not a correlation matrix of 2"):
            portfolio([ONE, TWO], wrong)
    with pytest.raises(UsageError, match="one order a symbol"):
        portfolio([ONE, ONE], np.ones((2, 2)), cross_impact=True)
