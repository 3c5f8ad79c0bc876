"""B3 orders: every execution type on a small file, refusals, then the oddities of the real one."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from equity_files import B3_ORDER_ROWS, b3_orders

from footprint.book.replay import views
from footprint.data.readers.b3_orders import B3OrdersReader
from footprint.data.session import Session
from footprint.data.verdict import Analysis, Verdict
from footprint.errors import DataRefused
from footprint.market.events import EventFlag, EventKind
from footprint.testing.check_reader import check_reader

ADD, MODIFY, DELETE, FILL, TRADE = map(
    int, (EventKind.ADD, EventKind.MODIFY, EventKind.DELETE, EventKind.FILL, EventKind.TRADE)
)


@pytest.fixture
def session(tmp_path: Path) -> Session:
    (session,) = check_reader(B3OrdersReader(), [b3_orders(tmp_path / "orders_ABCD3F.parquet")])
    assert isinstance(session, Session)
    return session


def told(session: Session) -> list[tuple[int, int, int, int, int]]:
    """(sequence, kind, side, price, size) of each event."""
    names = ("sequence", "kind", "side", "price_ticks", "size_lots")
    return list(zip(*(session.events[name].tolist() for name in names), strict=True))


def test_every_execution_type(session: Session) -> None:
    assert told(session) == [
        (1, ADD, 1, 950, 100),  # named for the first time
        (2, ADD, -1, 1002, 300),
        (3, ADD, 1, 999, 200),
        (4, MODIFY, 1, 1000, 150),
        (7, FILL, 1, 1000, 150),  # the aggressor of 6 is not in the book before its trades
        (8, TRADE, -1, 1000, 150),
        (8, ADD, -1, 997, 100),  # what is left of it
        (11, TRADE, 1, 997, 100),
        (11, ADD, 1, 997, 30),  # a market order rests at the price of its last fill
        (12, FILL, -1, 997, 100),
        (14, DELETE, 1, 997, 30),
        (16, ADD, 1, 1001, 40),  # the stop order only once it is triggered
        (17, MODIFY, 1, 1001, 60),
        (18, DELETE, 1, 1001, 60),
        (19, ADD, -1, 1009, 10),
        (20, DELETE, -1, 1009, 10),
        (21, ADD, -1, 1008, 10),
        (22, DELETE, -1, 1008, 10),
        (24, DELETE, 1, 950, 100),
    ]


def test_times_rows_ids_flags_and_brokers(session: Session) -> None:
    events = session.events
    first = int(datetime(2015, 11, 3, 12, 0, 1, tzinfo=UTC).timestamp()) * 10**9  # 10:00:01 in summer, UTC-2
    assert events["exchange_time_ns"][0] == first
    assert events["row"][:3].tolist() == [1, 2, 3]
    assert events["order_id"][5] == 503  # the aggressor of the first print
    ends = (events["flags"] & EventFlag.LAST) > 0
    assert ends[4:10].tolist() == [False, False, True, False, False, True]  # 6 to 8 and 10 to 12 are one message each
    prints = events["kind"] == TRADE
    assert (events["flags"][prints] & EventFlag.SIDE_GIVEN > 0).all()
    assert session.extra["buyer_member"][prints].tolist() == [21, 90]
    assert session.extra["seller_member"][prints].tolist() == [72, 72]
    assert (session.extra["buyer_member"][0], session.extra["seller_member"][0]) == (3, 0)


def test_counts_and_findings(tmp_path: Path) -> None:
    (verdict,) = B3OrdersReader().audit([b3_orders(tmp_path / "orders_ABCD3F.parquet")])
    wanted = {
        "rows": 23,
        "shuffled_rows": 0,
        "closing_call_dropped": 1,
        "trades": 2,
        "unknown_fills": 0,
        "unknown_updates": 0,
        "unknown_cancels": 2,
        "market_orders": 1,
        "stop_orders": 1,
        "unpaired_trade_rows": 0,
        "auction_trade_rows": 0,
    }
    assert {name: verdict.counts[name] for name in wanted} == wanted
    found = {f.code for f in verdict.findings}
    assert {"unknown_order_ids", "closing_call_dropped", "no_receive_time"} <= found
    assert "crossed_book" not in found
    assert verdict.voids == (Analysis.LATENCY,)


def test_rows_shuffled_within_a_second_are_put_in_order(tmp_path: Path) -> None:
    clean, shuffled = tmp_path / "orders_a.parquet", tmp_path / "orders_b.parquet"
    b3_orders(clean)
    rows = list(B3_ORDER_ROWS)
    rows[4], rows[6] = rows[6], rows[4]
    b3_orders(shuffled, rows)
    (first,), (second,) = (list(B3OrdersReader().sessions([path])) for path in (clean, shuffled))
    assert told(first) == told(second)
    assert second.counts["shuffled_rows"] == 2


def test_fills_of_orders_born_before_the_file_take_their_size_from_the_other_side(tmp_path: Path) -> None:
    rows = [
        ("Sell", 2, 10, "New", "10:00:01.000000", 9.90, 30, 0, 0, 8),
        ("Buy", 1, 11, "Trade", "10:00:01.000000", 9.95, 500, 130, 2, 3),  # 30 now, 100 before the file
        ("Sell", 2, 12, "Trade", "10:00:01.000000", 9.90, 30, 30, 1, 8),
    ]
    path = b3_orders(tmp_path / "orders_a.parquet", rows)
    (session,) = B3OrdersReader().sessions([path])
    assert told(session) == [(11, ADD, 1, 995, 370), (12, TRADE, -1, 995, 30)]
    (verdict,) = B3OrdersReader().audit([path])
    assert verdict.counts["unknown_fills"] == 1
    assert set(verdict.voids) >= {Analysis.DEPTH, Analysis.QUEUE}


def test_trades_without_aggressor_or_other_side_make_no_print(tmp_path: Path) -> None:
    rows = [
        ("Buy", 1, 10, "New", "10:00:01.000000", 9.95, 100, 0, 0, 3),
        ("Sell", 2, 20, "New", "10:00:02.000000", 9.90, 100, 0, 0, 8),
        ("Buy", 1, 30, "Trade", "10:00:03.000000", 9.95, 100, 40, 0, 3),
        ("Sell", 2, 31, "Trade", "10:00:03.000000", 9.90, 100, 40, 0, 8),
        ("Buy", 1, 40, "Trade", "10:00:04.000000", 9.95, 100, 90, 2, 3),
    ]
    (session,) = B3OrdersReader().sessions([b3_orders(tmp_path / "orders_a.parquet", rows)])
    assert not (session.events["kind"] == TRADE).any()
    assert session.events["size_lots"][session.events["kind"] == FILL].tolist() == [40, 40, 50]
    assert (session.counts["auction_trade_rows"], session.counts["unpaired_trade_rows"]) == (2, 1)


@pytest.mark.parametrize(
    ("at", "column", "value", "reason"),
    [
        (1, 3, "Born", "row 2, field ExecutionType: unknown ExecutionType, found 'Born'"),
        (1, 0, "Long", "row 2, field OrderSide: unknown OrderSide, found 'Long'"),
        (1, 5, 10.005, "row 2, field OrderPrice: not a whole multiple, found '10.005', allowed: a multiple of 0.01"),
        (1, 5, -1.0, "row 2, field OrderPrice: value too small"),
        (1, 6, 1.5, "row 2, field TotalQuantity: not a whole multiple"),
        (1, 7, 400.0, "row 2, field TradedQuantity: traded too much, found '400.0', allowed: at most TotalQuantity"),
        (1, 2, 1, "row 2, field SecondaryOrderID: number twice, found '1', allowed: each number once"),
        (3, 2, 13, "row 4, field PriorityTime: clock goes back"),
        (1, 8, 3, "row 2, field AgressorIndicator: value too large"),
    ],
)
def test_refusals(tmp_path: Path, at: int, column: int, value: object, reason: str) -> None:
    rows = [list(row) for row in B3_ORDER_ROWS]
    rows[at][column] = value
    path = b3_orders(tmp_path / "orders_a.parquet", [tuple(row) for row in rows])
    with pytest.raises(DataRefused) as caught:
        list(B3OrdersReader().sessions([path]))
    assert reason in str(caught.value)
    (verdict,) = B3OrdersReader().audit([path])
    assert verdict.verdict is Verdict.REFUSED


def test_a_traded_quantity_that_falls_is_refused(tmp_path: Path) -> None:
    rows = [
        ("Buy", 1, 10, "New", "10:00:01.000000", 9.95, 100, 50, 0, 3),
        ("Buy", 1, 40, "Trade", "10:00:04.000000", 9.95, 100, 20, 2, 3),
    ]
    with pytest.raises(DataRefused, match="traded quantity falls, found '20', allowed: at least 50"):
        list(B3OrdersReader().sessions([b3_orders(tmp_path / "orders_a.parquet", rows)]))


def test_clocks_that_disagree_are_refused(tmp_path: Path) -> None:
    other = pl.Series([datetime(2015, 11, 3, 10, 0, 1)] * len(B3_ORDER_ROWS)).cast(pl.Datetime("ns"))
    path = b3_orders(tmp_path / "orders_a.parquet", PriorityDateTime=other)
    with pytest.raises(DataRefused, match="row 1, field PriorityDateTime: clocks disagree"):
        list(B3OrdersReader().sessions([path]))


# ---- the real file --------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def real(shared_data: Path) -> Path:
    return shared_data / "b3_orders_2015" / "orders_PETR4F_2015-11-03.parquet"


def test_real_book_never_crosses_and_knows_every_id_it_names(real: Path) -> None:
    (session,) = check_reader(B3OrdersReader(), [real])
    assert isinstance(session, Session)
    ends = session.events["flags"] & EventFlag.LAST != 0
    book = views(session.events)[ends]
    two_sided = (book["bid_ticks"] > 0) & (book["ask_ticks"] > 0)
    assert (two_sided.sum(), len(book)) == (8408, 8410)
    assert (book["bid_ticks"] < book["ask_ticks"])[two_sided].all()
    held: set[int] = set()
    for kind, order in zip(session.events["kind"].tolist(), session.events["order_id"].tolist(), strict=True):
        if kind == ADD:
            assert order not in held
            held.add(order)
        elif kind != TRADE:
            assert order in held
            if kind == DELETE:
                held.discard(order)


def test_real_counts_brokers_and_findings(real: Path) -> None:
    (session,) = B3OrdersReader().sessions([real])
    counts = session.counts
    assert (counts["rows"], counts["trades"], counts["shuffled_rows"]) == (9708, 627, 2131)
    assert (counts["unknown_fills"], counts["unknown_updates"], counts["unknown_cancels"]) == (86, 1, 16)
    assert (counts["closing_call_dropped"], counts["unpaired_trade_rows"], counts["auction_trade_rows"]) == (26, 0, 0)
    prints = session.events["kind"] == TRADE
    sides = session.events["side"][prints]
    assert (int((sides > 0).sum()), int((sides < 0).sum())) == (453, 174)
    members = np.concatenate([session.extra["buyer_member"], session.extra["seller_member"]])
    assert len(np.unique(members[members > 0])) <= 39
    assert int((session.extra["buyer_member"] == session.extra["seller_member"])[prints].sum()) == 31
    (verdict,) = B3OrdersReader().audit([real])
    assert {f.code for f in verdict.findings} == {
        *("shuffled_rows", "late_start", "unknown_order_ids", "closing_call_dropped", "no_receive_time", "empty_side"),
    }


def test_real_prints_are_at_the_touch_that_stood_before_them(real: Path) -> None:
    (session,) = B3OrdersReader().sessions([real])
    events = session.events
    book = views(events)
    message = np.cumsum(np.append(True, (events["flags"][:-1] & EventFlag.LAST) != 0))
    prints = np.flatnonzero(events["kind"] == TRADE)
    first = np.searchsorted(message, message[prints])  # first event of the print's message
    touch = np.where(events["side"][prints] > 0, book["ask_ticks"][first - 1], book["bid_ticks"][first - 1])
    alone = np.append(True, np.diff(message[prints]) != 0)  # the first print of its message
    at_touch = (touch == events["price_ticks"][prints])[alone]
    assert at_touch.mean() > 0.85  # the others met orders that were born before the file
