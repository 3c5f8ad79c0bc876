from __future__ import annotations

from dataclasses import replace

from footprint.app.history import History
from footprint.impact.forecast import forecast
from footprint.impact.forecaster import Forecaster
from footprint.impact.record_table import from_arrow, to_arrow
from footprint.impact.request import ImpactRequest
from footprint.impact.styles import style_plan
from footprint.market.orders import ParentOrder, Style


def test_records_come_back_equal(baseline: Forecaster, planted_history: History) -> None:
    market = planted_history.market
    order = ParentOrder("table", planted_history.instrument.symbol, -1, 5_000.0, market.as_of_ns)
    plan = style_plan(Style.AGGRESSIVE, 5_000.0, 300.0, 100.0, 500.0)
    answered = forecast(baseline, ImpactRequest(order, plan, market))
    silent = forecast(baseline, ImpactRequest(order, replace(plan, style=Style.PASSIVE), replace(market, passive=None)))
    assert silent.slippage_bps is None
    busy = replace(market, regime="busy", regime_probabilities=(("busy", 1.0),))
    regime = forecast(baseline, ImpactRequest(order, plan, busy))
    assert from_arrow(to_arrow([answered, silent, regime])) == [answered, silent, regime]
    assert from_arrow(to_arrow([silent])) == [silent]
