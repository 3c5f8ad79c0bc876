"""An even schedule is the constant-rate plan, trading early risks less, a round trip does not pay in linear impact."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from footprint.app.history import History
from footprint.errors import UsageError
from footprint.impact.distribution import NORMAL_SCORES
from footprint.impact.forecaster import Forecaster
from footprint.impact.frontier import plan_at
from footprint.impact.obizhaeva_wang import ObizhaevaWang
from footprint.impact.propagator import Propagator
from footprint.impact.request import ImpactRequest
from footprint.impact.rows import concatenate
from footprint.impact.shaped_mean import FittedShapedMean
from footprint.impact.transient import schedule_cost_bps
from footprint.impact.what_if import Schedule, ScheduleCost, cost_schedule, fit_kernels
from footprint.market.orders import ParentOrder, Progress

DAY_S = 23_400.0
LINEAR = FittedShapedMean(Propagator(linear=True), "shortfall", np.array([0.5]), np.array([1.5]), NORMAL_SCORES)
OBIZHAEVA_WANG = FittedShapedMean(
    ObizhaevaWang(), "shortfall", np.array([np.log(200.0)]), np.array([30.0, 2.0]), NORMAL_SCORES
)
CONCAVE = FittedShapedMean(Propagator(), "shortfall", np.array([0.6, 0.25]), np.array([0.4]), NORMAL_SCORES)

gaps_s = st.lists(st.floats(1.0, 900.0), min_size=1, max_size=8)
signed = st.floats(-1.0, 1.0).map(lambda v: 0.01 * round(v, 3))


@pytest.fixture(scope="session")
def kernels(planted_history: History) -> tuple[FittedShapedMean, ...]:
    return fit_kernels(concatenate([t.arrival for t in planted_history.tapes]))


def asked(
    history: History, baseline: Forecaster, kernels: tuple[FittedShapedMean, ...], schedule: Schedule
) -> ScheduleCost:
    market = history.market
    order = ParentOrder("p", history.instrument.symbol, 1, schedule.quantity, market.as_of_ns)
    plan = plan_at(market, schedule.quantity, schedule.horizon_s, 1.0)
    return cost_schedule(baseline, ImpactRequest(order, plan, market), schedule, kernels)


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(gaps_s)
def test_an_even_schedule_is_the_constant_rate_plan(
    planted_history: History, baseline: Forecaster, kernels: tuple[FittedShapedMean, ...], gaps: list[float]
) -> None:
    """However it is cut: mean, parts and all 99 quantiles to 1e-9 bps."""
    times = np.concatenate(([0.0], np.cumsum([max(g, 5.0) for g in gaps])))
    even = Schedule(tuple(times.tolist()), tuple((2_000.0 * np.diff(times) / times[-1]).tolist()))
    found = asked(planted_history, baseline, kernels, even)
    record = found.even
    assert found.slippage_bps == pytest.approx(record.slippage_bps, abs=1e-9)
    assert found.permanent_cost_bps == pytest.approx(record.permanent_cost_bps, abs=1e-9)
    assert found.quantiles_bps == pytest.approx(record.slippage_quantiles_bps, abs=1e-9)
    assert found.cvar95_bps == pytest.approx(record.cvar95_bps, abs=1e-9)
    assert found.prob_exceed == pytest.approx(record.prob_exceed, abs=1e-9)
    assert found.market_sd_bps == pytest.approx(record.uncertainty_market_bps, rel=1e-9)
    assert found.reasons == record.reasons


def test_trading_early_leaves_less_to_the_market(
    planted_history: History, baseline: Forecaster, kernels: tuple[FittedShapedMean, ...]
) -> None:
    early, even, late = (
        asked(planted_history, baseline, kernels, Schedule((0.0, 300.0, 900.0), quantities))
        for quantities in ((1_600.0, 400.0), (1_000.0 * 2 / 3, 2_000.0 * 2 / 3), (100.0, 1_900.0))
    )
    assert early.sd_bps < even.sd_bps < late.sd_bps
    assert early.cvar95_bps - early.slippage_bps < late.cvar95_bps - late.slippage_bps
    for found in (early, even, late):
        assert found.temporary_cost_bps + found.permanent_cost_bps == pytest.approx(found.slippage_bps, abs=1e-9)
        assert found.slippage_bps == pytest.approx(found.even.slippage_bps + found.kernels[0].shape_bps)


def test_risk_time_is_the_integral_of_what_remains() -> None:
    schedule = Schedule((0.0, 100.0, 150.0, 400.0), (30.0, 0.0, 70.0))
    t = np.linspace(0.0, 400.0, 400_001)
    left = np.interp(t, (0.0, 100.0, 150.0, 400.0), (1.0, 0.7, 0.7, 0.0))
    assert schedule.risk_time_s() == pytest.approx(np.trapezoid(left**2, t), rel=1e-6)
    assert Schedule((0.0, 90.0), (5.0,)).risk_time_s() == pytest.approx(30.0)


@given(gaps_s, st.data())
@pytest.mark.parametrize("fitted", [LINEAR, OBIZHAEVA_WANG], ids=lambda f: f.model.name)
def test_a_round_trip_never_profits_where_impact_is_linear(
    fitted: FittedShapedMean, gaps: list[float], data: st.DataObject
) -> None:
    times = np.concatenate(([0.0], np.cumsum([*gaps, 60.0])))
    shares = np.array([data.draw(signed) for _ in gaps])
    closed = np.append(shares, -shares.sum())
    if np.abs(closed).sum() > 0.0:
        assert schedule_cost_bps(fitted, times, closed, 150.0, DAY_S) >= -1e-9


@given(st.floats(30.0, 5_000.0), st.floats(1.01, 4.0), st.floats(1e-4, 0.1))
@pytest.mark.parametrize("fitted", [LINEAR, OBIZHAEVA_WANG, CONCAVE], ids=lambda f: f.model.name)
def test_impact_never_grows_with_the_horizon(
    fitted: FittedShapedMean, horizon_s: float, longer: float, share: float
) -> None:
    cost, slower = (
        schedule_cost_bps(fitted, np.array([0.0, end]), np.array([share]), 150.0, DAY_S)
        for end in (horizon_s, longer * horizon_s)
    )
    assert slower <= cost + 1e-9


def test_models_that_do_not_agree_are_told(planted_history: History, baseline: Forecaster) -> None:
    """Two bursts cost more than an even pace by every proper model, less by one whose impact has the wrong sign."""
    bursts = Schedule((0.0, 10.0, 890.0, 900.0), (1_000.0, 0.0, 1_000.0))
    agreed = asked(planted_history, baseline, (CONCAVE, OBIZHAEVA_WANG), bursts)
    assert all(k.shape_bps > 0.0 for k in agreed.kernels)
    assert agreed.reasons == agreed.even.reasons
    opposed = replace(OBIZHAEVA_WANG, coefficients=np.array([-30.0, 0.0]))
    found = asked(planted_history, baseline, (OBIZHAEVA_WANG, opposed), bursts)
    assert "do not agree" in found.reasons[-1]


def test_no_record_no_cost(
    planted_history: History, baseline: Forecaster, kernels: tuple[FittedShapedMean, ...]
) -> None:
    closed = replace(planted_history, market=replace(planted_history.market, is_open=False))
    found = asked(closed, baseline, kernels, Schedule((0.0, 60.0), (100.0,)))
    assert found.slippage_bps is None
    assert found.quantiles_bps is None
    assert found.prob_exceed == (None,)
    assert "the market is closed at the decision" in found.reasons


@pytest.mark.parametrize(
    ("times_s", "quantities", "words"),
    [
        ((0.0, 60.0), (), "one time more"),
        ((1.0, 60.0), (5.0,), "starts at 1 s"),
        ((0.0, 60.0, 60.0), (5.0, 5.0), "slice 2 from 60 to 60 s"),
        ((0.0, float("nan")), (5.0,), "slice 1"),
        ((0.0, 60.0, 90.0), (5.0, -5.0), "slice 2 of -5"),
        ((0.0, 60.0), (float("inf"),), "slice 1 of inf"),
        ((0.0, 60.0), (0.0,), "trades nothing"),
    ],
)
def test_a_bad_schedule_names_its_slice(times_s: tuple, quantities: tuple, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        Schedule(times_s, quantities)


def test_a_request_that_is_not_of_the_schedule_is_refused(
    planted_history: History, baseline: Forecaster, kernels: tuple[FittedShapedMean, ...]
) -> None:
    schedule, market = Schedule((0.0, 60.0), (100.0,)), planted_history.market
    order = ParentOrder("p", planted_history.instrument.symbol, 1, 100.0, market.as_of_ns)
    right = ImpactRequest(order, plan_at(market, 100.0, 60.0, 1.0), market)
    flying = Progress(50.0, market.mid, market.mid, market.mid, 30.0)
    other = replace(order, quantity=120.0)
    for wrong in (
        replace(right, order=other),
        replace(right, plan=plan_at(market, 100.0, 90.0, 1.0)),
        replace(right, progress=flying),
    ):
        with pytest.raises(UsageError, match="the whole order at arrival"):
            cost_schedule(baseline, wrong, schedule, kernels)
