"""A hand-made tape: what fills, what it costs, what is crossed."""

from __future__ import annotations

import numpy as np
import pytest

from footprint.book.view import empty_views
from footprint.impact.passive_fill import MIN_ORDERS, _follow, passive_fill
from footprint.market.events import EventFlag, EventKind, empty_events

S = 1_000_000_000
MINUTE_S = 60.0


def tape(rows: list[tuple[float, int, int, int, int, int]]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Rows of (second, aggressor or 0 for a quote, price, size, best bid, best ask); 100 lots on both sides."""
    events, views = empty_events(len(rows)), empty_views(len(rows))
    for i, (second, side, price, size, bid, ask) in enumerate(rows):
        events[i]["exchange_time_ns"] = int(second * S)
        events[i]["kind"] = EventKind.TRADE if side else EventKind.QUOTE
        events[i]["side"], events[i]["price_ticks"], events[i]["size_lots"] = side, price, size
        events[i]["flags"] = EventFlag.LAST
        views[i]["bid_ticks"], views[i]["ask_ticks"] = bid, ask
        views[i]["bid_lots"] = views[i]["ask_lots"] = 100
        views[i]["mid_ticks"], views[i]["spread_ticks"] = (bid + ask) / 2, ask - bid
    return events, views, events["exchange_time_ns"].copy()


def follow(rows: list[tuple[float, int, int, int, int, int]], side: int) -> tuple[bool, float, float]:
    events, views, times = tape(rows)
    filled, adverse, crossing = _follow(events, views, times, np.array([0]), np.array([side]), MINUTE_S, 10.0)
    return bool(filled[0]), float(adverse[0]), float(crossing[0])


def test_fills_only_when_more_than_the_queue_ahead_has_traded() -> None:
    start = (0.0, 0, 0, 0, 998, 1002)
    exactly = [start, (1.0, -1, 998, 100, 998, 1002), (70.0, 0, 0, 0, 998, 1002)]
    more = [start, (1.0, -1, 998, 101, 998, 1002), (70.0, 0, 0, 0, 998, 1002)]
    assert not follow(exactly, 1)[0]
    assert follow(more, 1)[0]


def test_trades_of_the_other_direction_do_not_fill() -> None:
    rows = [(0.0, 0, 0, 0, 998, 1002), (1.0, 1, 1002, 500, 998, 1002), (70.0, 0, 0, 0, 998, 1002)]
    assert not follow(rows, 1)[0]
    assert follow(rows, -1)[0]  # the same print lifts an order resting at the ask


def test_a_print_or_quote_through_the_price_fills() -> None:
    assert follow([(0.0, 0, 0, 0, 998, 1002), (1.0, -1, 997, 1, 998, 1002), (70.0, 0, 0, 0, 998, 1002)], 1)[0]
    assert follow([(0.0, 0, 0, 0, 998, 1002), (1.0, 0, 0, 0, 994, 998), (70.0, 0, 0, 0, 994, 998)], 1)[0]


def test_adverse_selection_is_positive_when_the_price_falls_after_a_buy() -> None:
    rows = [
        (0.0, 0, 0, 0, 998, 1002),
        (1.0, -1, 998, 200, 998, 1002),
        (5.0, 0, 0, 0, 996, 1000),  # mid 998: two ticks, one half-spread, against the buyer
        (30.0, 0, 0, 0, 900, 904),  # after the markout: not counted
    ]
    filled, adverse, _ = follow(rows, 1)
    assert filled
    assert adverse == pytest.approx(1.0)
    mirrored = [
        (t, -side, 2000 - price if price else 0, q, 2000 - ask, 2000 - bid) for t, side, price, q, bid, ask in rows
    ]
    assert follow(mirrored, -1) == pytest.approx(follow(rows, 1), nan_ok=True)


def test_what_does_not_fill_crosses_the_spread_of_the_end() -> None:
    rows = [(0.0, 0, 0, 0, 998, 1002), (30.0, 0, 0, 0, 997, 1005), (61.0, 0, 0, 0, 998, 1002)]
    filled, _, crossing = follow(rows, 1)
    assert not filled
    assert crossing == pytest.approx(2.0)  # half of 8 ticks against half of 4


def test_without_sizes_there_is_no_estimate() -> None:
    rows = [(float(i), 0, 0, 0, 998, 1002) for i in range(5_000)]
    events, views, _ = tape(rows)
    assert passive_fill(events, views, np.random.default_rng(0)) is not None
    views["bid_lots"] = -1
    assert passive_fill(events, views, np.random.default_rng(0)) is None
    assert passive_fill(events[: MIN_ORDERS - 1], views[: MIN_ORDERS - 1], np.random.default_rng(0)) is None
    assert passive_fill(events[:0], views[:0], np.random.default_rng(0)) is None
