"""Golden child tapes: what merges, in which order, and what was known before."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest

from footprint.book.replay import views
from footprint.data.child_tape import MAX_SILENCE_NS, build_child_tape
from footprint.data.children import ChildTape
from footprint.data.mid import LAGGED_QUOTE, QUOTE, TRADE_DERIVED, MidRule
from footprint.data.session import Session
from footprint.market.events import EventFlag, EventKind, empty_events
from footprint.market.instruments import ALWAYS_OPEN, AssetClass, Instrument
from footprint.units import NS_PER_MILLISECOND, NS_PER_MINUTE

TRADE, QUOTE_KIND = EventKind.TRADE, EventKind.QUOTE
HOURS_NS = 390 * NS_PER_MINUTE


def instrument(market: str = "crypto", lot_size: float = 1.0) -> Instrument:
    return Instrument("X", "TEST", market, AssetClass.EQUITY, "USD", 0.01, lot_size, ALWAYS_OPEN)


def tape(*rows: tuple, received: bool = False) -> np.ndarray:
    """Rows of (ms, kind, side, price, size[, flags[, receive ms]])."""
    events = empty_events(len(rows))
    for event, (ms, kind, side, price, size, *more) in zip(events, rows, strict=True):
        event["exchange_time_ns"] = ms * NS_PER_MILLISECOND
        if received:
            event["receive_time_ns"] = more[1] * NS_PER_MILLISECOND
        event["kind"], event["side"], event["price_ticks"], event["size_lots"] = kind, side, price, size
        event["flags"] = EventFlag.LAST | (EventFlag.SIDE_GIVEN if kind == TRADE else 0) | (more[0] if more else 0)
    return events


def build(events: np.ndarray, rule: MidRule = QUOTE, market: str = "crypto", lot_size: float = 1.0) -> ChildTape:
    session = Session(instrument(market, lot_size), date(2020, 1, 2), events, 0, HOURS_NS, "test")
    return build_child_tape(session, views(events), rule)


BOOK = ((0, QUOTE_KIND, 1, 99, 5), (0, QUOTE_KIND, -1, 101, 5))


def test_prints_of_one_side_at_one_timestamp_are_one_child() -> None:
    children = build(tape(*BOOK, (5, TRADE, 1, 101, 1), (5, TRADE, 1, 102, 3), (6, TRADE, 1, 102, 2)))
    assert children.time_ns.tolist() == [5 * NS_PER_MILLISECOND, 6 * NS_PER_MILLISECOND]
    assert children.quantity.tolist() == [4.0, 2.0]
    assert children.price.tolist() == pytest.approx([(101 * 1 + 102 * 3) / 4 * 0.01, 1.02])
    assert children.sign.tolist() == [1, 1]
    assert children.parent_id.tolist() == [-1, -1]


def test_both_sides_at_one_timestamp_are_two_children_by_first_print() -> None:
    children = build(
        tape(*BOOK, (5, TRADE, -1, 99, 1), (5, TRADE, 1, 101, 2), (5, TRADE, -1, 98, 4), (5, TRADE, 1, 102, 8))
    )
    assert children.sign.tolist() == [-1, 1]
    assert children.quantity.tolist() == [5.0, 10.0]
    assert children.event_index.tolist() == [2, 2]
    assert children.mid_before.tolist() == [1.0, 1.0]


def test_arrival_mid_is_strictly_before_the_timestamp() -> None:
    # the quotes of millisecond 5 stand before the print in the file and still must not count
    moved = ((5, QUOTE_KIND, -1, 105, 5), (5, QUOTE_KIND, 1, 103, 5))
    children = build(tape(*BOOK, *moved, (5, TRADE, 1, 101, 1), (6, TRADE, 1, 105, 1)))
    assert children.mid_before.tolist() == [1.0, 1.04]
    assert children.event_index.tolist() == [2, 5]


def test_lagged_quote_is_the_last_one_received_five_ms_before_the_first_print() -> None:
    rows = (
        (0, QUOTE_KIND, 1, 99, 5, 0, 10),
        (0, QUOTE_KIND, -1, 101, 5, 0, 10),
        (0, QUOTE_KIND, -1, 103, 5, 0, 14),  # mid 101, known from ms 14
        (0, QUOTE_KIND, -1, 105, 5, 0, 15),  # mid 102, exactly five ms before the first print: too young
        (7, TRADE, 1, 103, 1, 0, 20),
        (7, TRADE, 1, 103, 1, 0, 24),  # same exchange millisecond, received later: same child
    )
    children = build(tape(*rows, received=True), LAGGED_QUOTE)
    assert children.time_ns.tolist() == [20 * NS_PER_MILLISECOND]
    assert children.quantity.tolist() == [2.0]
    assert children.mid_before.tolist() == [1.01]
    assert children.event_index.tolist() == [3]


def test_trade_derived_mid_is_that_of_the_first_print() -> None:
    children = build(tape((5, TRADE, 1, 101, 1), (5, TRADE, 1, 104, 1), (9, TRADE, -1, 103, 1)), TRADE_DERIVED)
    # half a tick below the first print of the buy; half a tick above the sell; between them the mid is 103.5
    assert children.mid_before.tolist() == pytest.approx([1.005, 1.035])
    assert children.mid_at(np.array([7 * NS_PER_MILLISECOND])).tolist() == pytest.approx([1.035])


def test_mid_series_is_as_of_and_skips_what_is_unknown() -> None:
    crossed = ((3, QUOTE_KIND, 1, 102, 5),)  # bid 102 over ask 101: no mid, the last one stands
    events = tape(*BOOK, *crossed, (4, QUOTE_KIND, -1, 104, 5), (5, TRADE, 1, 104, 1))
    children = build(events)
    at = np.array([-1, 0, 3, 4, 99]) * NS_PER_MILLISECOND
    np.testing.assert_array_equal(children.mid_at(at), [np.nan, 1.0, 1.0, 1.03, 1.03])
    assert children.mid_before.tolist() == [1.03]


def test_auction_off_exchange_and_unsigned_prints_are_no_children() -> None:
    children = build(
        tape(
            *BOOK,
            (1, TRADE, 1, 101, 1, int(EventFlag.AUCTION)),
            (2, TRADE, 1, 101, 1, int(EventFlag.OFF_EXCHANGE)),
            (3, TRADE, -1, 99, 1),
        )
    )
    assert children.sign.tolist() == [-1]


def test_halts_and_long_silences_begin_segments_without_a_mid_of_before() -> None:
    silent_ms = MAX_SILENCE_NS // NS_PER_MILLISECOND
    events = tape(
        *BOOK,
        (1, TRADE, 1, 101, 1),
        (2, EventKind.HALT, 0, 0, 0),
        (3, EventKind.RESUME, 0, 0, 0),
        (4, TRADE, 1, 101, 1),
        (4 + silent_ms, TRADE, 1, 101, 1),  # exactly the longest silence allowed
        (5 + 2 * silent_ms, TRADE, 1, 101, 1),
    )
    children = build(events)
    assert np.diff(children.segment).tolist() == [2, 0, 1]
    assert np.isnan(children.mid_before[3])


def test_us_open_and_close_are_left_out() -> None:
    minutes = (0, 4.999, 5, 388.999, 389, 390)
    rows = [(int(m * 60_000), TRADE, 1, 101, 1) for m in minutes]
    keep = build(tape(*BOOK, *rows), market="us").time_ns / NS_PER_MINUTE
    assert keep.tolist() == pytest.approx([5, 388.999])
    assert len(build(tape(*BOOK, *rows), market="crypto")) == len(minutes)


def test_quantity_is_in_the_unit_of_the_instrument() -> None:
    assert build(tape(*BOOK, (1, TRADE, 1, 101, 250)), lot_size=0.001).quantity.tolist() == [0.25]


def test_a_tape_without_trades_is_empty() -> None:
    children = build(tape(*BOOK))
    assert len(children) == 0
    assert children.mid.tolist() == [1.0]
