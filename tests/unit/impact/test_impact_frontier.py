"""Points of the frontier are what the forecast says, efficient ones are undominated, choices are efficient."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from footprint.app.history import History
from footprint.errors import UsageError
from footprint.impact.forecast import forecast
from footprint.impact.forecaster import Forecaster
from footprint.impact.frontier import (
    RISKS,
    _choice,
    frontier,
    horizons_to_close,
    pace,
    pareto,
    plan_at,
    plan_grid,
)
from footprint.impact.request import ImpactRequest
from footprint.impact.uncertainty import variance
from footprint.market.orders import ParentOrder

HORIZONS_S = (60.0, 300.0, 1_800.0)
few = st.floats(-4.0, 4.0).map(lambda v: round(v))  # ties on purpose
unknown = st.one_of(few, st.just(math.nan))


def order_in(history: History, quantity: float = 2_000.0) -> ParentOrder:
    return ParentOrder("p", history.instrument.symbol, 1, quantity, history.market.as_of_ns)


@given(arrays(np.float64, st.tuples(st.integers(1, 12), st.just(2)), elements=unknown))
def test_the_efficient_points_are_the_undominated_ones(points: np.ndarray) -> None:
    found = pareto(*points.T)
    for i, (cost, risk) in enumerate(points):
        beaten = any(
            c <= cost and r <= risk and (c < cost or r < risk) for c, r in points if not np.isnan(cost + risk + c + r)
        )
        assert found[i] == (not math.isnan(cost + risk) and not beaten)


@given(
    arrays(np.float64, st.tuples(st.integers(1, 12), st.just(2)), elements=unknown),
    st.sampled_from([0.0, 0.1, 1.0, 7.0]),
)
def test_a_choice_is_efficient_and_the_least_sum(points: np.ndarray, aversion: float) -> None:
    cost, risk = points.T
    efficient = pareto(cost, risk)
    if not efficient.any():
        return
    chosen = _choice(cost, risk, aversion)
    assert efficient[chosen.point]
    assert chosen.objective_bps == pytest.approx(np.nanmin(cost + aversion * risk))


@given(arrays(np.float64, st.tuples(st.integers(2, 12), st.just(2)), elements=few))
def test_more_aversion_never_chooses_more_risk(points: np.ndarray) -> None:
    chosen = [points[_choice(*points.T, a).point, 1] for a in (0.0, 0.3, 1.0, 3.0)]
    assert (np.diff(chosen) <= 0.0).all()


@pytest.mark.parametrize("risk", RISKS)
def test_points_are_the_records_of_their_plans(planted_history: History, baseline: Forecaster, risk: str) -> None:
    order, market = order_in(planted_history), planted_history.market
    plans = plan_grid(market, order.quantity, HORIZONS_S, (1.0, 0.25))
    front = frontier(baseline, order, market, plans, risk, (0.0, 1.0), (5.0,))
    assert [p.record.plan["horizon_s"] for p in front.points] == [*HORIZONS_S, *HORIZONS_S]
    for plan, point in zip(plans, front.points, strict=True):
        record = forecast(baseline, ImpactRequest(order, plan, market, None, (5.0,)))
        assert point.record == record
        assert point.sd_bps == pytest.approx(math.sqrt(variance(np.array(record.slippage_quantiles_bps))))
    told = {"sd": "sd_bps", "var95": "var95_bps", "cvar95": "cvar95_bps"}[risk]
    first = front.points[0]
    assert first.risk_bps(risk) == getattr(first if risk == "sd" else first.record, told)
    assert all(front.points[c.point].efficient for c in front.choices)


def test_points_beyond_the_training_range_are_marked(planted_history: History, baseline: Forecaster) -> None:
    market = planted_history.market
    for quantity, outside in ((1_500.0, False), (500_000.0, True)):
        order = order_in(planted_history, quantity)
        (point,) = frontier(baseline, order, market, [plan_at(market, quantity, 300.0, 1.0)]).points
        assert point.outside is outside
        assert point.outside is any("outside the training range" in reason for reason in point.record.reasons)


def test_a_closed_market_has_points_without_numbers(planted_history: History, baseline: Forecaster) -> None:
    closed = replace(planted_history.market, is_open=False)
    order = order_in(planted_history)
    front = frontier(baseline, order, closed, plan_grid(closed, order.quantity, HORIZONS_S))
    assert front.choices == ()
    assert not any(p.efficient for p in front.points)
    assert all(p.mean_bps is None and p.record.reasons for p in front.points)


def test_participation_follows_from_the_horizon(planted_history: History) -> None:
    market = planted_history.market
    volume_per_s, child = pace(market)
    plan = plan_at(market, 10.0 * child, 600.0, 0.5, "venue")
    assert plan.participation == pytest.approx(10.0 * child / (10.0 * child + 600.0 * volume_per_s))
    assert plan.children == 10.0
    assert plan.venues == ("venue",)
    assert [plan_at(market, child, 60.0, a).style.value for a in (1.0, 0.5, 0.0)] == [
        "aggressive", "balanced", "passive",
    ]  # fmt: skip


def test_horizons_reach_the_close(planted_history: History) -> None:
    market = planted_history.market
    found = horizons_to_close(market, 5)
    assert found[0] == pytest.approx(60.0)
    assert found[-1] == pytest.approx(market.seconds_to_close)
    assert np.diff(np.log(found)) == pytest.approx(np.log(found[1] / found[0]))
    assert horizons_to_close(replace(market, seconds_to_close=40.0)) == (40.0,)
    assert horizons_to_close(replace(market, seconds_to_close=math.inf))[-1] == pytest.approx(market.day_s)


def test_nonsense_is_refused(planted_history: History, baseline: Forecaster) -> None:
    market, order = planted_history.market, order_in(planted_history)
    plans = plan_grid(market, order.quantity, (60.0,))
    with pytest.raises(UsageError, match="allowed: sd, var95, cvar95"):
        frontier(baseline, order, market, plans, "beta")
    with pytest.raises(UsageError, match="0 or more"):
        frontier(baseline, order, market, plans, "sd", (-1.0,))
    for horizon_s, aggression in ((1.0, 0.5), (math.inf, 0.5), (math.nan, 0.5), (60.0, 1.5), (60.0, math.nan)):
        with pytest.raises(UsageError, match="allowed: from 5 s"):
            plan_at(market, 100.0, horizon_s, aggression)
