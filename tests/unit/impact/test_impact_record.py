from __future__ import annotations

import json
from dataclasses import replace

import pytest

from footprint.app.history import History
from footprint.errors import ModelError
from footprint.impact.forecast import forecast
from footprint.impact.forecaster import Forecaster
from footprint.impact.record import VERSION, ForecastRecord
from footprint.impact.request import ImpactRequest
from footprint.impact.styles import style_plan
from footprint.market.orders import ParentOrder, Style


@pytest.fixture(scope="module")
def record(baseline: Forecaster, planted_history: History) -> ForecastRecord:
    market = planted_history.market
    order = ParentOrder("record", planted_history.instrument.symbol, 1, 5_000.0, market.as_of_ns)
    return forecast(baseline, ImpactRequest(order, style_plan(Style.BALANCED, 5_000.0, 300.0, 100.0, 500.0), market))


def test_a_record_comes_back_equal(record: ForecastRecord) -> None:
    assert ForecastRecord.from_json(record.to_json()) == record
    assert record.version == VERSION


def test_a_record_of_the_first_version_is_refused(record: ForecastRecord) -> None:
    old = {**record.as_dict(), "version": "forecast-record-1"}
    with pytest.raises(ModelError, match="'forecast-record-1' cannot be read, allowed: forecast-record-2"):
        ForecastRecord.from_json(json.dumps(old))


@pytest.mark.parametrize("text", ["", "[1]", "{}", "null", "{broken"])
def test_what_is_no_record_is_refused(text: str) -> None:
    with pytest.raises(ModelError, match="forecast record"):
        ForecastRecord.from_json(text)


def test_missing_and_unknown_fields_are_named(record: ForecastRecord) -> None:
    raw = record.as_dict()
    del raw["path_end_bps"]
    with pytest.raises(ModelError, match="path_end_bps, surprise"):
        ForecastRecord.from_json(json.dumps({**raw, "surprise": 1}))


def test_numbers_are_never_nan(record: ForecastRecord) -> None:
    with pytest.raises(ValueError, match="JSON"):
        replace(record, slippage_bps=float("nan")).to_json()
