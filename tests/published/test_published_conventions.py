"""The conventions of docs/conventions.md, each on numbers that can be checked by hand.

Side is +1 buy, -1 sell; a cost is positive when it hurts; the arrival price is the mid strictly before the first child.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import numpy as np
import pytest

from footprint.book.replay import views
from footprint.data.child_tape import build_child_tape
from footprint.data.children import ChildTape
from footprint.data.metaorders import collect_runs
from footprint.data.planted import PlantedLaw
from footprint.data.prepare import prepare
from footprint.data.session import Session
from footprint.data.signing import LEE_READY_1991_LAG_NS, lee_ready
from footprint.data.synthetic import planted_sessions
from footprint.impact.evaluation.protocol import Protocol
from footprint.impact.rows import TARGETS, Rows
from footprint.impact.training import tape_rows
from footprint.market.events import EventFlag, EventKind, empty_events
from footprint.market.instruments import AssetClass, Instrument, TradingHours
from footprint.units import BPS, BUY, NS_PER_SECOND, SELL, side_name, side_sign

INSTRUMENT = Instrument(
    "X", "TEST", "test", AssetClass.EQUITY, "USD", tick_size=0.01, lot_size=10.0, hours=TradingHours("UTC", 0, 3_600)
)
MIDNIGHT = 1_704_067_200  # 2024-01-01, s


def session(*rows: tuple) -> Session:
    """A day of (second, kind, side, price in ticks, size in lots)."""
    events = empty_events(len(rows))
    for event, (second, kind, side, price, size) in zip(events, rows, strict=True):
        event["exchange_time_ns"] = MIDNIGHT * NS_PER_SECOND + round(second * NS_PER_SECOND)
        event["kind"], event["side"], event["price_ticks"], event["size_lots"] = kind, side, price, size
        event["flags"] = EventFlag.LAST | (EventFlag.SIDE_GIVEN if kind == EventKind.TRADE else 0)
    open_ns = MIDNIGHT * NS_PER_SECOND
    return Session(INSTRUMENT, date(2024, 1, 1), events, open_ns, open_ns + 3_600 * NS_PER_SECOND, "test")


def quotes(second: float, bid: int, ask: int) -> tuple[tuple, tuple]:
    return (second, EventKind.QUOTE, 1, bid, 50), (second, EventKind.QUOTE, -1, ask, 50)


def trade(second: float, side: int, price: int, size: int) -> tuple:
    return (second, EventKind.TRADE, side, price, size)


def children(day: Session) -> ChildTape:
    return build_child_tape(day, views(day.events))


# two buys of one order, the first of them in two prints; the market moves up meanwhile and stays there
BOUGHT = session(
    *quotes(1, 9_990, 10_010),
    trade(2, BUY, 10_010, 1),  # at 100.10
    trade(2, BUY, 10_020, 2),  # the same market order, deeper in the book
    *quotes(2, 10_000, 10_040),  # the book's answer bears the same timestamp
    trade(5, BUY, 10_040, 3),
    *quotes(6, 10_020, 10_060),
    trade(9, SELL, 10_020, 1),  # somebody else
    *quotes(10, 10_010, 10_050),
)


def mirrored(day: Session) -> Session:
    """The same day with buy for sell, at prices reflected at 100.00."""
    events = day.events.copy()
    events["price_ticks"] = 20_000 - events["price_ticks"]
    events["side"] *= -1
    return replace(day, events=events)


def test_side_is_plus_one_for_a_buy() -> None:
    assert (BUY, SELL) == (1, -1)
    assert (side_sign("buy"), side_sign("SELL")) == (1, -1)
    assert (side_name(1), side_name(-1)) == ("buy", "sell")
    with pytest.raises(ValueError, match="buy or sell"):
        side_sign("short")
    assert children(BOUGHT).sign.tolist() == [1, 1, -1]


def test_prints_of_one_side_at_one_timestamp_are_one_child_at_their_vwap() -> None:
    tape = children(BOUGHT)
    assert tape.quantity.tolist() == [30.0, 30.0, 10.0]
    assert tape.price == pytest.approx([(100.10 + 2 * 100.20) / 3, 100.40, 100.20])


def test_arrival_mid_is_strictly_before_the_first_child() -> None:
    tape = children(BOUGHT)
    # 100.00 and not 100.20, the mid of the quotes that bear the timestamp of the first print
    assert tape.mid_before.tolist() == pytest.approx([100.00, 100.20, 100.40])
    orders = collect_runs(tape, np.array([0, 0, 1]))
    assert orders.arrival_mid.tolist() == pytest.approx([100.00])


def test_execution_vwap_is_weighted_by_size_over_the_order_alone() -> None:
    orders = collect_runs(children(BOUGHT), np.array([0, 0, 1]))
    vwap = (10 * 100.10 + 20 * 100.20 + 30 * 100.40) / 60  # of 60 shares; the sell of somebody else is not in it
    assert orders.shortfall_bps[0] == pytest.approx((vwap - 100.00) / 100.00 * 1e4)
    assert orders.shortfall_bps[0] == pytest.approx(28.3333333, abs=1e-6)


def test_a_cost_is_positive_when_it_hurts_whichever_side() -> None:
    bought = collect_runs(children(BOUGHT), np.array([0, 0, 1]))
    sold = collect_runs(children(mirrored(BOUGHT)), np.array([0, 0, 1]))
    assert (bought.sign[0], sold.sign[0]) == (1, -1)
    for name in ("shortfall_bps", "peak_bps"):
        assert getattr(bought, name)[0] > 0
        assert getattr(sold, name) == pytest.approx(getattr(bought, name))
    # an order that was filled better than the arrival mid earned something: its cost is negative
    lucky = replace(children(BOUGHT), price=np.array([99.90, 99.90, 99.90]))
    assert collect_runs(lucky, np.array([0, 0, 1])).shortfall_bps[0] == pytest.approx(-10.0)


def test_peak_is_read_before_the_next_order_of_anyone() -> None:
    orders = collect_runs(children(BOUGHT), np.array([0, 0, 1]))
    # the last child's own effect (mid 100.40 from second 6) is in it, what follows the sell at second 9 is not
    assert orders.end_mid[0] == pytest.approx(100.40)
    assert orders.peak_bps[0] == pytest.approx(40.0)


def test_lee_ready_takes_the_quote_of_five_seconds_before() -> None:
    """Lee and Ready (1991): the quote must be older than five seconds; at the mid the tick rule decides."""
    day = session(
        *quotes(0, 9_990, 10_010),  # mid 100.00
        trade(1, 0, 10_010, 1),  # no quote is five seconds old yet, and no earlier price: unknown
        *quotes(7, 10_030, 10_050),  # mid 100.40
        trade(8, 0, 10_020, 1),  # under today's mid, over that of five seconds ago
        trade(12, 0, 10_020, 1),  # the quote of second 7 is five seconds old, not older
        trade(12.001, 0, 10_020, 1),  # now it is
        trade(13, 0, 10_040, 1),  # at the mid, on an uptick
    )
    events, book = day.events, views(day.events)
    prints = events["kind"] == EventKind.TRADE
    assert LEE_READY_1991_LAG_NS == 5 * NS_PER_SECOND
    assert lee_ready(events, book, LEE_READY_1991_LAG_NS)[prints].tolist() == [0, 1, 1, -1, 1]
    assert lee_ready(events, book)[prints].tolist() == [1, -1, -1, -1, 1]


SMALL = Protocol(
    traders_busy=(20,), traders_quiet=(20,), seeds=1, seeds_thin=1, rows_per_cell=100, parts=2, min_duration_s=1.0
)


@pytest.fixture(scope="module")
def days() -> list[Session]:
    return list(planted_sessions(PlantedLaw(), 2, np.random.default_rng(0)))


@pytest.fixture(scope="module")
def rows(days: list[Session]) -> Rows:
    (tape,) = tape_rows(days, SMALL)
    return tape.arrival


def test_temporary_and_permanent_cost_make_the_whole_slippage(rows: Rows) -> None:
    """Almgren et al. (2005): permanent cost = I / 2, temporary cost = J - I / 2, I the shift ten minutes after."""
    assert TARGETS == ("peak", "shortfall", "shift_300", "shift_600", "temporary")
    known = rows.known("temporary")
    assert len(known) > 100
    permanent = 0.5 * known.outcome("shift_600")
    assert known.outcome("temporary") + permanent == pytest.approx(known.outcome("shortfall"), abs=1e-9)
    assert np.array_equal(np.isfinite(rows.outcome("temporary")), np.isfinite(rows.outcome("shift_600")))


@pytest.mark.parametrize(("target", "after_s"), [("shift_300", 300), ("shift_600", 600)])
def test_lasting_shift_is_the_signed_move_from_arrival_to_that_long_after_the_end(
    rows: Rows, days: list[Session], target: str, after_s: int
) -> None:
    """Read again from the quotes of the day, without any of the code that made the rows' outcomes."""
    checked = 0
    for day in days:
        prepared = prepare(day)
        time_ns, mid = prepared.events["exchange_time_ns"], prepared.views["mid_ticks"]
        mine = rows.take((rows.start_ns >= day.open_ns) & (rows.start_ns < day.close_ns)).known(target)
        arrival = mid[np.searchsorted(time_ns, mine.start_ns, side="left") - 1]
        later = mid[np.searchsorted(time_ns, mine.end_ns + after_s * NS_PER_SECOND, side="right") - 1]
        assert mine.outcome(target) == pytest.approx(mine.side * (later - arrival) / arrival * BPS, abs=1e-6)
        checked += len(mine)
    assert checked > 100
