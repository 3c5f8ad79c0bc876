"""Bitstamp order logs: every message, the rules that keep the book from crossing, the real day."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from bitstamp_log import MS0, book, line, order, trade, write, write_life_cycle

from footprint.book.orders import OrderBook
from footprint.book.replay import BookKind, views
from footprint.data.readers.bitstamp import BitstampReader
from footprint.data.session import Session
from footprint.data.verdict import Analysis, FileVerdict, Verdict
from footprint.errors import DataRefused
from footprint.market.events import UNKNOWN_TIME, EventFlag, EventKind
from footprint.testing.check_reader import check_reader

ADD, MODIFY, DELETE, TRADE = EventKind.ADD, EventKind.MODIFY, EventKind.DELETE, EventKind.TRADE
LAST, GIVEN = int(EventFlag.LAST), int(EventFlag.SIDE_GIVEN)


def only(*paths: Path) -> Session:
    (session,) = BitstampReader().sessions(paths)
    return session


def codes(verdict: FileVerdict) -> dict[str, int]:
    return {finding.code: finding.count for finding in verdict.findings}


def fields(session: Session, *names: str) -> list[tuple]:
    return [tuple(int(event[name]) for name in names) for event in session.events]


# ---- messages -------------------------------------------------------------------------------------------------------


def test_every_message(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        order(500, "created", 1, "236.47", "2.00000000"),
        order(600, "created", 2, "236.50", "1.5", ask=True, born_s=0),
        book(700, "236.47", "236.50"),
        order(800, "changed", 1, "236.47", "1.78855669"),
        trade(801, 77, 236.47, 0.21144331),
        order(900, "deleted", 2, "236.50", "1.5", ask=True),
    )
    session = only(path)
    assert fields(session, "kind", "side", "flags", "price_ticks", "size_lots", "order_id", "sequence", "row") == [
        (ADD, 1, LAST, 23647, 200_000_000, 1, 1, 1),
        (ADD, -1, LAST, 23650, 150_000_000, 2, 2, 2),
        (MODIFY, 1, LAST, 23647, 178_855_669, 1, 4, 4),
        (TRADE, -1, LAST | GIVEN, 23647, 21_144_331, 0, 77, 5),
        (DELETE, -1, LAST, 23650, 0, 2, 6, 6),
    ]
    assert session.events["receive_time_ns"].tolist() == [(MS0 + ms) * 10**6 for ms in (500, 600, 800, 801, 900)]
    born = MS0 // 1000 * 10**9
    assert session.events["exchange_time_ns"].tolist() == [born, born, *[UNKNOWN_TIME] * 3]
    assert (session.instrument.symbol, session.instrument.venue) == ("BTCUSD", "bitstamp")
    assert (session.instrument.tick_size, session.instrument.lot_size) == (0.01, 1e-8)
    assert Analysis.LATENCY in BitstampReader().audit([path])[0].voids
    check_reader(BitstampReader(), [path])


def test_life_cycle_rows_give_the_same_orders(tmp_path: Path) -> None:
    log = write(
        tmp_path,
        order(500, "created", 1, "236.47", "2.0"),
        order(600, "changed", 1, "236.47", "1.5"),
        order(700, "deleted", 1, "236.47", "1.5"),
    )
    born = MS0 // 1000 * 1000
    rows = write_life_cycle(
        tmp_path,
        f"1,{MS0 + 500},{born},236.47,200000000,created,bid",
        f"1,{MS0 + 600},{born},236.47,150000000,changed,bid",
        f"1,{MS0 + 700},{born},236.47,150000000,deleted,bid",
    )
    names = ("kind", "side", "flags", "order_id", "receive_time_ns", "exchange_time_ns")
    assert fields(only(log), *names) == fields(only(rows), *names)
    verdicts = BitstampReader().audit([log, rows])
    assert "superseded" in codes(verdicts[1])
    assert only(log, rows).paths == (log,)


def test_floats_of_the_venue_are_rounded_to_its_smallest_unit(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        line(1, "trade", price=236.61000000000001, amount=9.9999999999999995e-07, id=1),
        line(2, "trade", price=236.61, amount=8.8351857299999992, id=2),
    )
    assert fields(only(path), "price_ticks", "size_lots") == [(23661, 100), (23661, 883518573)]


# ---- a book that does not cross -------------------------------------------------------------------------------------


def test_an_aggressor_waits_outside_until_what_is_left_of_it_rests(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        order(0, "created", 1, "100.00", "1.0", ask=True),
        order(10, "created", 2, "100.50", "3.0"),  # reaches the ask
        order(20, "deleted", 1, "100.00", "0.0", ask=True),
        order(21, "changed", 2, "100.50", "2.0"),
        trade(22, 5, 100.00, 1.0),
    )
    session = only(path)
    assert fields(session, "kind", "side", "order_id", "size_lots") == [
        (ADD, -1, 1, 1),
        (DELETE, -1, 1, 0),
        (ADD, 1, 2, 3),
        (MODIFY, 1, 2, 2),
        (TRADE, 1, 0, 1),
    ]
    assert session.counts["aggressors"] == 1
    book_after = views(session.events, BookKind.ORDERS)
    assert not ((book_after["bid_ticks"] >= book_after["ask_ticks"]) & (book_after["ask_ticks"] > 0)).any()


def test_an_aggressor_that_is_filled_at_once_never_enters(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        order(0, "created", 1, "100.00", "3.0", ask=True),
        order(10, "created", 2, "101.00", "1.0"),
        order(20, "deleted", 2, "101.00", "0.0"),
        order(21, "changed", 1, "100.00", "2.0", ask=True),
        trade(22, 5, 100.00, 1.0),
    )
    assert fields(only(path), "kind", "side", "order_id") == [(ADD, -1, 1), (MODIFY, -1, 1), (TRADE, 1, 0)]


def test_an_order_that_is_repriced_into_the_other_side_leaves_the_book(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        order(0, "created", 1, "100.00", "1.0"),
        order(10, "created", 2, "101.00", "1.0", ask=True),
        order(20, "changed", 2, "100.00", "1.0", ask=True),
        order(30, "deleted", 2, "100.00", "0.0", ask=True),
        order(31, "deleted", 1, "100.00", "0.0"),
        trade(32, 5, 100.00, 1.0),
    )
    assert fields(only(path), "kind", "side", "order_id")[2:] == [(DELETE, -1, 2), (DELETE, 1, 1), (TRADE, -1, 0)]


def test_stale_orders_are_purged_by_the_order_book(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        order(0, "created", 1, "102.00", "1.0"),  # its deletion never comes
        order(10, "created", 2, "100.00", "1.0"),
        book(5_000, "100.00", "101.00"),
        order(5_100, "created", 3, "101.00", "1.0", ask=True),
    )
    session = only(path)
    assert fields(session, "kind", "order_id") == [(ADD, 1), (ADD, 2), (DELETE, 1), (ADD, 3)]
    assert (session.counts["purged_orders"], session.counts["purged_by_order_book"]) == (1, 1)
    assert codes(BitstampReader().audit([path])[0])["purged_orders"] == 1


def test_a_new_order_is_spared_by_a_snapshot_that_may_be_older(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        order(0, "created", 1, "100.00", "1.0"),
        order(900, "created", 2, "100.50", "1.0"),
        book(1_000, "100.00", ""),
    )
    session = only(path)
    assert session.counts["purged_orders"] == 0
    assert session.counts["unlike_order_book"] == 1


def test_stale_orders_are_purged_by_price_priority(tmp_path: Path) -> None:
    """A fill at 100 cannot happen while an older bid rests at 102."""
    path = write(
        tmp_path,
        order(0, "created", 1, "102.00", "1.0"),
        order(10, "created", 2, "100.00", "2.0"),
        order(5_000, "changed", 2, "100.00", "1.5"),
    )
    session = only(path)
    assert fields(session, "kind", "order_id")[2:] == [(MODIFY, 2), (DELETE, 1)]
    assert session.counts["purged_by_fill"] == 1
    assert (session.events["flags"][2:] & LAST > 0).tolist() == [False, True]


def test_what_an_aggressor_waits_for_too_long_is_purged(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        order(0, "created", 1, "100.00", "1.0"),
        order(2_000, "created", 2, "99.00", "1.0", ask=True),
        order(8_000, "created", 3, "90.00", "1.0"),
    )
    session = only(path)
    assert fields(session, "kind", "order_id") == [(ADD, 1), (ADD, 3), (DELETE, 1), (ADD, 2)]
    assert session.counts["purged_by_patience"] == 1


def test_orders_in_an_odd_order(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        order(0, "deleted", 1, "100.00", "1.0"),
        order(1, "created", 1, "100.00", "1.0"),  # after its deletion
        order(2, "deleted", 1, "100.00", "1.0"),
        order(3, "changed", 1, "100.00", "0.5"),
        order(4, "created", 2, "99.00", "1.0"),
        order(5, "created", 2, "99.00", "1.0"),
        order(6, "created", 3, "99.00", "0.0"),
        order(7, "changed", 4, "98.00", "0.7"),  # made before the capture
    )
    session = only(path)
    assert fields(session, "kind", "order_id", "size_lots") == [(ADD, 2, 10), (ADD, 4, 7)]
    found = codes(BitstampReader().audit([path])[0])
    names = ("deleted_before_created", "deleted_twice", "changed_after_delete", "created_twice", "created_empty")
    assert [found[name] for name in names] == [1] * 5
    assert found["unborn_orders"] == 1
    book_arrays = OrderBook()
    book_arrays.apply(session.events)
    assert (book_arrays.unknown_ids, book_arrays.duplicate_ids) == (0, 0)


def test_a_trade_that_matches_nothing_has_no_side(tmp_path: Path) -> None:
    path = write(tmp_path, order(0, "created", 1, "100.00", "1.0"), trade(10, 5, 100.00, 0.5))
    session = only(path)
    assert fields(session, "kind", "side", "flags")[1] == (TRADE, 0, LAST)
    assert codes(BitstampReader().audit([path])[0])["unsigned"] == 1


@pytest.mark.parametrize(
    ("lines", "reason"),
    [
        (
            [order(5, "created", 1, "100", "1"), order(4, "deleted", 1, "100", "1")],
            "row 2, field local time: clock goes back",
        ),
        ([order(0, "created", 1, "-1", "1")], "row 1, field price: negative value"),
        ([order(0, "created", 1, "0", "1")], "row 1, field price: price not positive"),
        ([order(0, "created", 1, "x", "1")], "row 1, field price: not a number"),
        ([order(0, "created", 0, "1", "1")], "row 1, field id: not an id"),
        (
            [line(0, "order_created", price="1", amount="1", datetime="1430438404", id=1, order_type=2)],
            "field order_type: unknown side",
        ),
        ([line(0, "order_created", price="1", amount="1", id=1, order_type=0)], "row 1: wrong columns"),
        ([line(0, "trade", price=1.0, amount=0.0, id=1)], "field amount: size not positive"),
        ([order(0, "created", 1, "1", "1"), f"{MS0} order_created {{"], "row 2: wrong columns"),
        ([order(0, "created", 1, "1", "1"), "noise"], "row 2: not a line of the log"),
    ],
)
def test_refusals(tmp_path: Path, lines: list[str], reason: str) -> None:
    path = write(tmp_path, *lines, name="a.log")
    (verdict,) = BitstampReader().audit([path])
    assert verdict.verdict is Verdict.REFUSED
    assert reason in verdict.findings[0].text
    with pytest.raises(DataRefused):
        list(BitstampReader().sessions([path]))


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (f"1,{MS0},{MS0},236.47,1,made,bid", "row 2, field action: unknown action, found 'made'"),
        (f"1,{MS0},{MS0},236.47,1,created,buy", "row 2, field direction: unknown direction, found 'buy'"),
        (f"1,{MS0},{MS0},236.47,1.5,created,bid", "field volume: too many decimals"),
        (f"1,{MS0},{MS0},0,1,created,bid", "row 2, field price: price out of range"),
        (f"1,1430438,{MS0},1,1,created,bid", "row 2, field timestamp: value too small"),
    ],
)
def test_life_cycle_refusals(tmp_path: Path, row: str, reason: str) -> None:
    (verdict,) = BitstampReader().audit([write_life_cycle(tmp_path, row)])
    assert reason in verdict.findings[0].text


def test_a_cut_off_archive_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path, *(order(n, "created", n + 1, "100", "1") for n in range(500)))
    path.write_bytes(path.read_bytes()[:-5])
    assert "truncated or damaged archive" in BitstampReader().audit([path])[0].findings[0].text


# ---- the real day ---------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def log(shared_data: Path) -> Path:
    return shared_data / "bitstamp_l3" / "2015-05-01.first3h.log.xz"


@pytest.fixture(scope="module")
def day(log: Path) -> Session:
    return only(log)


def test_the_log_holds_what_its_data_sheet_says(day: Session) -> None:
    wanted = {"order_created": 16_076, "order_deleted": 16_083, "order_changed": 433, "trade": 406, "order_book": 3_249}
    assert {name: day.counts[name] for name in wanted} == wanted
    hours = (day.close_ns - day.open_ns) / 3600e9
    assert hours == pytest.approx(3, abs=0.01)


def test_the_replayed_book_never_crosses(day: Session) -> None:
    """A naive replay is crossed in 5 of 72 samples: four orders are deleted before they are announced."""
    book_after = views(day.events, BookKind.ORDERS)
    sided = (book_after["bid_ticks"] > 0) & (book_after["ask_ticks"] > 0)
    crossed = sided & (book_after["bid_ticks"] >= book_after["ask_ticks"])
    assert crossed[np.linspace(0, len(crossed) - 1, 72).astype(int)].sum() == 0
    assert crossed.sum() == 0
    assert (day.counts["deleted_before_created"], day.counts["purged_orders"]) == (4, 0)


def test_the_replay_knows_every_order_it_names(day: Session) -> None:
    replayed = OrderBook()
    replayed.apply(day.events)
    assert (replayed.unknown_ids, replayed.duplicate_ids) == (0, 0)


def test_the_best_prices_agree_with_the_order_book_messages(day: Session) -> None:
    """The rest are levels that were there before the capture began."""
    assert day.counts["unlike_order_book"] == 55
    assert day.counts["unborn_orders"] == 164


def test_every_trade_is_signed_and_agrees_with_the_quote_before(day: Session) -> None:
    prints = np.flatnonzero(day.events["kind"] == TRADE)
    assert len(prints) == day.counts["signed_trades"] == 406
    time_ns = day.events["receive_time_ns"]
    before = np.searchsorted(time_ns, time_ns[prints] - 3 * 10**9) - 1
    mid = views(day.events, BookKind.ORDERS)["mid_ticks"][before]
    known = (before >= 0) & ~np.isnan(mid)
    agrees = np.sign(day.events["price_ticks"][prints] - mid) == day.events["side"][prints]
    assert agrees[known].mean() > 0.95


def test_the_life_cycle_of_the_same_hours_has_the_same_orders(log: Path, day: Session) -> None:
    rows = log.with_name("orders.first3h.csv.xz")
    session = only(rows)
    assert session.counts["order_created"] + session.counts["order_changed"] + session.counts["order_deleted"] == 32_592
    orders = day.events[day.events["kind"] != TRADE]
    for name in ("kind", "side", "price_ticks", "order_id", "receive_time_ns"):
        np.testing.assert_array_equal(session.events[name], orders[name])
    less = orders["size_lots"] - session.events["size_lots"]
    assert set(less) == {0, 1}  # whoever made the rows cut floats off at 1e-8 instead of rounding them
    assert (less == 1).mean() == pytest.approx(0.04, abs=0.005)
    verdicts = BitstampReader().audit([rows, log])
    assert "superseded" in codes(verdicts[0])
    check_reader(BitstampReader(), [log])
