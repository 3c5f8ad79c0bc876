"""One minute of the market, by hand."""

from __future__ import annotations

import numpy as np
import pytest

from footprint.features.regime import MinuteState
from footprint.testing import check_feature


@pytest.fixture
def minute(tape) -> MinuteState:
    return tape.begin(MinuteState())


def test_contract() -> None:
    check_feature(MinuteState)
    check_feature(MinuteState, seed=2)


def test_spread_and_depth_are_means_over_the_minute(tape, minute) -> None:
    tape.quote(0, 9_999, 10_001, 100, 200)
    tape.quote(45, 9_998, 10_002, 40, 60)
    found = tape.read(minute, 60)
    assert found["minute_spread_bps"] == pytest.approx((45 * 2.0 + 15 * 4.0) / 60)
    assert found["minute_depth"] == pytest.approx((45 * 150.0 + 15 * 50.0) / 60 * tape.lot_size)


def test_what_a_minute_inherits_counts_from_its_start(tape, minute) -> None:
    tape.quote(0, 9_999, 10_001)
    tape.quote(90, 9_998, 10_002)
    assert tape.read(minute, 120)["minute_spread_bps"] == pytest.approx(3.0)


def test_volatility_is_that_of_the_grid(tape, minute) -> None:
    for at_s, mid in ((1, 10_000), (6, 10_010), (11, 10_000), (56, 10_000)):
        tape.quote(at_s, mid - 1, mid + 1)
    squares = np.log(10_010 / 10_000) ** 2 * 2
    assert tape.read(minute, 60)["minute_volatility"] == pytest.approx(np.sqrt(squares / 55) * 1e4)


def test_market_orders_are_counted_not_prints(tape, minute) -> None:
    tape.quote(0, 9_999, 10_001)
    tape.trade(10, 1, 5).trade(10, 1, 5).trade(20, -1, 5)
    assert tape.read(minute, 60)["minute_trades_per_s"] == pytest.approx(2 / 60)


def test_repair_ends_half_way_back(tape, minute) -> None:
    tape.quote(0, 9_999, 10_001)
    tape.trade(10, 1, 5).quote(10.1, 9_999, 10_005)
    tape.quote(13, 9_999, 10_004)  # 5 ticks: 3 of 4 still missing
    tape.quote(17, 9_999, 10_003)
    assert tape.read(minute, 60)["minute_repair_s"] == pytest.approx(7.0)


def test_trade_that_widens_nothing_is_no_repair(tape, minute) -> None:
    tape.quote(0, 9_999, 10_001).trade(10, 1, 5).quote(20, 9_999, 10_003).quote(30, 9_999, 10_001)
    assert np.isnan(tape.read(minute, 60)["minute_repair_s"])


def test_only_whole_minutes_are_told(tape, minute) -> None:
    tape.quote(0, 9_999, 10_001).trade(10, 1, 5)
    assert np.isnan(tape.read(minute, 59.9)["minute_trades_per_s"])
    assert tape.read(minute, 60)["minute_trades_per_s"] == pytest.approx(1 / 60)
    assert tape.read(minute, 119)["minute_trades_per_s"] == pytest.approx(1 / 60)


def test_a_minute_without_events_is_unknown(tape, minute) -> None:
    tape.quote(0, 9_999, 10_001)
    assert all(np.isnan(value) for value in tape.read(minute, 130).values())
    tape.quote(130, 9_999, 10_001)
    assert tape.read(minute, 180)["minute_spread_bps"] == pytest.approx(2.0)
