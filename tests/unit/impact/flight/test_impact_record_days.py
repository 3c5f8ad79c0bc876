from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from footprint.app.history import History
from footprint.errors import ModelError
from footprint.impact.distribution import mean
from footprint.impact.flight.event_days import EventDays, event_days
from footprint.impact.flight.multi_day import forecast_days
from footprint.impact.flight.record_days import EVENT_WIDENING, NIGHT_TO_DAY, DaySetting, record_days
from footprint.impact.forecast import forecast
from footprint.impact.forecaster import Forecaster
from footprint.impact.record import ForecastRecord
from footprint.impact.request import ImpactRequest
from footprint.impact.styles import style_plan
from footprint.market.context import ContextEvent, ContextKind
from footprint.market.orders import ParentOrder, Style

OPENS = np.array([100, 300, 500])
CLOSES = np.array([200, 400, 600])


def event(effective_ns: int, known_at_ns: int = 0, symbols: tuple[str, ...] = (), kind: str = "macro") -> ContextEvent:
    return ContextEvent(ContextKind(kind), known_at_ns, effective_ns, symbols)


def counted(*events: ContextEvent) -> tuple[list[int], list[int]]:
    found = event_days(events, "AAA", 150, OPENS, CLOSES)
    return found.days.tolist(), found.nights.tolist()


def test_events_fall_into_days_and_nights() -> None:
    assert counted(event(160), event(250), event(300), event(399)) == ([1, 2, 0], [1, 0, 0])
    assert counted(event(50), event(700)) == ([0, 0, 0], [0, 0, 0])


def test_what_is_not_known_or_not_concerned_does_not_exist() -> None:
    assert counted(event(160, known_at_ns=151))[0] == [0, 0, 0]
    assert counted(event(160, symbols=("BBB",)))[0] == [0, 0, 0]
    assert counted(event(160, symbols=("AAA", "BBB")))[0] == [1, 0, 0]
    assert counted(event(160, kind="sentiment"))[0] == [0, 0, 0]


@pytest.fixture(scope="module")
def record(baseline: Forecaster, planted_history: History) -> ForecastRecord:
    market = planted_history.market
    order = ParentOrder("day", planted_history.instrument.symbol, 1, 5_000.0, market.as_of_ns)
    plan = style_plan(Style.AGGRESSIVE, 5_000.0, 600.0, market.feature("volume_per_s_30m"), 1_000.0)
    return forecast(baseline, ImpactRequest(order, replace(plan, horizon_s=120.0), market))


def setting(days: int = 3, **more: object) -> DaySetting:
    nothing = EventDays(np.zeros(days, int), np.zeros(days, int))
    plain = {"gaps_bps": np.zeros(0), "trend_bps": 0.0, "events": nothing}
    return DaySetting((10_000.0, *[20_000.0] * (days - 1)), 20_000.0, 150.0, **{**plain, **more})


def test_days_carry_the_record_forward(record: ForecastRecord) -> None:
    days, nights = record_days(record, [1 / 3] * 3, setting())
    found = forecast_days(days, nights, np.random.default_rng(0))
    lasting = 2.0 * record.permanent_cost_bps
    assert found.permanent_carried_bps == pytest.approx((0.0, lasting, 2.0 * lasting))
    assert found.total_cost_bps == pytest.approx(record.slippage_bps + lasting, abs=1.5)
    assert days[1].cost_quantiles_bps == pytest.approx(np.array(record.slippage_quantiles_bps))
    # half a day is left of the first: its own move is smaller by the root of two
    assert days[1].move_quantiles_bps.std() / days[0].move_quantiles_bps.std() == pytest.approx(np.sqrt(2.0), rel=1e-6)


def test_gaps_are_shrunk_to_the_convention(record: ForecastRecord) -> None:
    def gap_sd(gaps: np.ndarray | None) -> float:
        _, nights = record_days(record, [0.5, 0.5], setting(2, gaps_bps=gaps))
        return float(nights[0].gap_quantiles_bps[94])

    usual, wild = gap_sd(np.zeros(0)), gap_sd(np.full(400, 300.0))
    assert usual == pytest.approx(NIGHT_TO_DAY * 150.0 * 2.132 / np.sqrt(2.0), rel=1e-3)  # t with 4 degrees
    assert wild / usual == pytest.approx(300.0 / 75.0, rel=0.01)
    assert gap_sd(None) == 0.0  # a venue that never closes


def test_trend_and_events_change_days(record: ForecastRecord) -> None:
    events = EventDays(np.array([0, 2]), np.array([1, 0]))
    plain, nights = record_days(record, [0.5, 0.5], setting(2))
    eventful, wide = record_days(record, [0.5, 0.5], setting(2, events=events))
    assert eventful[1].cost_quantiles_bps.std() == pytest.approx(EVENT_WIDENING * plain[1].cost_quantiles_bps.std())
    assert mean(eventful[1].cost_quantiles_bps) == pytest.approx(mean(plain[1].cost_quantiles_bps))
    assert wide[0].gap_quantiles_bps == pytest.approx(EVENT_WIDENING * nights[0].gap_quantiles_bps)
    drifting, _ = record_days(record, [0.5, 0.5], setting(2, trend_bps=20.0))
    assert mean(drifting[1].move_quantiles_bps) - mean(plain[1].move_quantiles_bps) == pytest.approx(20.0)
    assert mean(drifting[0].move_quantiles_bps) - mean(plain[0].move_quantiles_bps) == pytest.approx(10.0)


def test_a_record_without_numbers_is_refused(record: ForecastRecord) -> None:
    silent = replace(record, slippage_quantiles_bps=None, reasons=("the market is closed at the decision",))
    with pytest.raises(ModelError, match="closed"):
        record_days(silent, [0.5, 0.5], setting(2))
