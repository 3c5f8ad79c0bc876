"""Closed forms of the papers on transient impact."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from footprint.impact.distribution import NORMAL_SCORES
from footprint.impact.obizhaeva_wang import ObizhaevaWang
from footprint.impact.propagator import LEAST_CONCAVE_DECAY, Propagator
from footprint.impact.shaped_mean import FittedShapedMean
from footprint.impact.transient import path_bps, schedule_cost_bps
from footprint.testing.random_rows import random_rows

DAY_S = 1.0  # seconds and days are one, sigma_D is 1 bps: the papers' own units


def fit_of(model, shape: list[float], coefficients: list[float]) -> FittedShapedMean:
    return FittedShapedMean(model, "shortfall", np.array(shape), np.array(coefficients), NORMAL_SCORES)


@pytest.mark.parametrize(("gamma", "delta"), [(0.5, 0.5), (0.4151, 0.6), (0.6, 0.8)])
def test_gatheral_2010_even_trading_under_power_law_decay(gamma: float, delta: float) -> None:
    """Cost of trading at pace v for T: v^(1 + delta) T^(2 - gamma) / ((1 - gamma)(2 - gamma)), section 5."""
    fitted = fit_of(Propagator(), [gamma, 1.0 - (1.0 - delta) / gamma], [1.0])
    pace, time = 0.3, 0.2
    cost = schedule_cost_bps(fitted, np.array([0.0, time]), np.array([pace * time]), 1.0, DAY_S) * pace * time
    assert cost == pytest.approx(pace ** (1.0 + delta) * time ** (2.0 - gamma) / ((1.0 - gamma) * (2.0 - gamma)))


def test_gatheral_2010_square_root_law_and_its_decay() -> None:
    """With gamma = delta = 1/2 the peak is a square root of size at any pace, and fades as sqrt(t) - sqrt(t - 1)."""
    fitted = fit_of(Propagator(), [0.5, 0.0], [1.0])
    for time in (0.01, 0.1, 1.0):
        peak = path_bps(fitted, np.array(time), np.array([0.0, time]), np.array([0.04]), 1.0, DAY_S)
        assert float(peak) == pytest.approx(2.0 * np.sqrt(0.04))
        after = path_bps(fitted, time * np.array([1.5, 2.0, 10.0]), np.array([0.0, time]), np.array([0.04]), 1.0, DAY_S)
        ratio = np.sqrt([1.5, 2.0, 10.0]) - np.sqrt([0.5, 1.0, 9.0])
        assert after / peak == pytest.approx(ratio)
    rows = random_rows(np.random.default_rng(0), 50)
    peak, shortfall = (replace(fitted, target=t).mean_bps(rows) for t in ("peak", "shortfall"))
    assert peak == pytest.approx(2.0 * rows.volatility_day_bps * np.sqrt(rows.participation))
    assert shortfall / peak == pytest.approx(np.full(50, 2.0 / 3.0))


def test_gatheral_2010_least_exponent_of_decay() -> None:
    """gamma* = 2 - log 3 / log 2 = 0.415."""
    assert round(LEAST_CONCAVE_DECAY, 3) == 0.415


@pytest.mark.parametrize("rho", [0.5, 2.0, 10.0, 100.0])
def test_obizhaeva_wang_2013_optimal_schedule(rho: float) -> None:
    """X / (rho T + 2) at once at both ends, the rest evenly (Prop. 3); cost lambda X^2/2 + kappa X^2/(rho T + 2)."""
    kappa, lasting, quantity, instant = 3.0, 0.5, 0.1, 1e-6
    fitted = fit_of(ObizhaevaWang(), [np.log(np.log(2.0) / rho)], [kappa, lasting])

    def cost(block: float) -> float:
        times = np.array([0.0, instant, 1.0 - instant, 1.0])
        shares = np.array([block, quantity - 2.0 * block, block])
        return np.abs(shares).sum() * schedule_cost_bps(fitted, times, shares, 1.0, DAY_S)

    best = quantity / (rho + 2.0)
    assert cost(best) == pytest.approx(lasting * quantity**2 / 2.0 + kappa * quantity**2 / (rho + 2.0), rel=5e-4)
    assert cost(best) < min(cost(0.5 * best), cost(1.5 * best), cost(0.0))
