"""The planted regimes are in the tape: rates, spreads, depths and volatilities as stated."""

from __future__ import annotations

import numpy as np
import pytest

from footprint.book.replay import views
from footprint.data.planted_regimes import REGIMES, RegimeDay, RegimeShape, planted_regime_days
from footprint.market.events import EventKind
from footprint.units import NS_PER_SECOND

SHAPE = RegimeShape()


@pytest.fixture(scope="module")
def days() -> list[RegimeDay]:
    return list(planted_regime_days(6, np.random.default_rng(0)))


def seconds_in(days: list[RegimeDay]) -> np.ndarray:
    total = np.zeros(len(REGIMES))
    for day in days:
        length = np.diff(day.since_ns, append=day.session.close_ns) / NS_PER_SECOND
        np.add.at(total, day.regime, length)
    return total


def test_same_seed_same_tape(days) -> None:
    again = list(planted_regime_days(2, np.random.default_rng(0)))
    for here, there in zip(days, again, strict=False):
        assert np.array_equal(here.session.events, there.session.events)
        assert np.array_equal(here.since_ns, there.since_ns)


def test_days_are_weekdays_and_events_lie_in_their_hours_in_order(days) -> None:
    assert [day.session.day.weekday() for day in days] == [0, 1, 2, 3, 4, 0]
    for day in days:
        time_ns = day.session.events["exchange_time_ns"]
        assert np.all(np.diff(time_ns) >= 0)
        assert day.session.open_ns <= time_ns[0]
        assert time_ns[-1] < day.session.close_ns


def test_trades_print_at_the_touch_on_display(days) -> None:
    events = days[0].session.events
    book = views(events)
    trade = np.flatnonzero(events["kind"] == EventKind.TRADE)[1:]
    shown = book[trade - 1]
    touch = np.where(events["side"][trade] > 0, shown["ask_ticks"], shown["bid_ticks"])
    assert np.array_equal(events["price_ticks"][trade], touch)


def test_truth_changes_where_it_says(days) -> None:
    day = days[0]
    assert np.array_equal(day.at(day.since_ns), day.regime)
    assert np.array_equal(day.at(day.since_ns[1:] - 1), day.regime[:-1])
    assert np.all(np.diff(day.regime) != 0)


def test_each_regime_trades_at_its_rate(days) -> None:
    count = np.zeros(len(REGIMES))
    for day in days:
        events = day.session.events
        np.add.at(count, day.at(events["exchange_time_ns"][events["kind"] == EventKind.TRADE]), 1)
    expected = np.array(SHAPE.trades_per_s) * seconds_in(days)
    assert count == pytest.approx(expected, abs=4 * np.sqrt(expected.max()))


def test_each_regime_has_its_spread_depth_and_volatility(days) -> None:
    """Over 20 s signs have mostly forgotten themselves, so that the variance is the planted one or a little less."""
    spread, depth, square, seconds = (np.zeros(len(REGIMES)) for _ in range(4))
    count = np.zeros(len(REGIMES))
    for day in days:
        book, time_ns = views(day.session.events), day.session.events["exchange_time_ns"]
        grid = np.arange(day.session.open_ns + 20 * NS_PER_SECOND, day.session.close_ns, 20 * NS_PER_SECOND)
        seen = book[np.searchsorted(time_ns, grid) - 1]
        regime = day.at(grid)
        np.add.at(count, regime, 1)
        np.add.at(spread, regime, seen["spread_ticks"])
        np.add.at(depth, regime, np.log(seen["bid_lots"]))
        same = regime[1:] == regime[:-1]
        move = 1e4 * np.diff(np.log(seen["mid_ticks"]))
        np.add.at(square, regime[1:][same], move[same] ** 2)
        np.add.at(seconds, regime[1:][same], 20.0)
    usual = np.array(SHAPE.spread_ticks)
    assert np.all((spread / count > usual) & (spread / count < 2.0 * usual))
    assert np.exp(depth / count) == pytest.approx(SHAPE.depth_lots, rel=0.1)
    ratio = np.sqrt(square / seconds) / np.array(SHAPE.volatility)
    assert np.all((ratio > 0.8) & (ratio < 1.1))
