"""B3 (Brazil) orders of 2015, order by order with broker numbers: the public OFER_CPA and OFER_VDA files as Parquet.

One row an order event: SessionDate, InstrumentSymbol, OrderSide, SequentialOrderNumber (the order's id),
SecondaryOrderID (number of the event, one count for the whole venue), ExecutionType, PriorityTime (local time of the
event, microseconds), OrderPrice, TotalQuantity and TradedQuantity (of the whole order so far), OrderStatus,
AgressorIndicator (1 aggressor, 2 passive, 0 neither) and Member (broker). Layout: OFER_CPA_LAYOUT of the exchange's
market data.

- Rows are shuffled within a second; the number of the event is their order.
- A trade is two rows with following numbers, one a side. It happened at the passive order's price; its size is what
  TradedQuantity rose by.
- An event and the trades that follow it without a hole in the numbers are one message: an order that trades on arrival
  is in the book only with what is left of it.
- A market order (price 0) rests, with what is left of it, at the price of its last fill.
- An order that was born before the file enters the book when it is first named with a quantity left.
- A stop order (New Stop Price) is not in the book before Stop Price Triggered.
- After the continuous session (16:55 local) the closing call crosses the book on purpose; its events are dropped.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
import polars as pl
from numba import njit

from footprint.book.replay import views
from footprint.data.book_findings import book_findings
from footprint.data.clock_findings import NO_RECEIVE_TIME
from footprint.data.files.local_time import utc_ns
from footprint.data.files.parquet import column_names, read_parquet
from footprint.data.files.refusals import refuse_where, verdict_or_refusal, whole_multiples
from footprint.data.files.table import Column
from footprint.data.session import Session
from footprint.data.verdict import Analysis, FileVerdict, Finding
from footprint.errors import DataRefused
from footprint.market.events import EventFlag, EventKind, empty_events
from footprint.market.instruments import B3_2015_HOURS, AssetClass, Instrument
from footprint.units import NS_PER_HOUR, NS_PER_MILLISECOND, NS_PER_MINUTE

TICK_SIZE = 0.01  # BRL
MAX_UNKNOWN_FILL_SHARE = 0.05  # beyond this the touch is often an order that the file never showed
LATE_OPEN_NS = NS_PER_HOUR // 2
MAX_CLOCK_DIFFERENCE_NS = NS_PER_MILLISECOND  # the second clock of the file went through a double

_ENTERS, _LEAVES, _TRADE, _STOP = 1, 2, 3, 4
_TYPES = {
    "New": _ENTERS,
    "Update": _ENTERS,
    "Reentry": _ENTERS,
    "Stop Price Triggered": _ENTERS,
    "Cancel": _LEAVES,
    "Removed": _LEAVES,
    "Expired": _LEAVES,
    "Eliminated": _LEAVES,
    "Rejected": _LEAVES,
    "Trade": _TRADE,
    "New Stop Price": _STOP,
}
_VOID_WITHOUT_TRADES = (Analysis.SIGNED_TRADES, Analysis.FORECAST, Analysis.LAW)
_VOID_WHEN_CROSSED = (Analysis.BOOK, Analysis.DEPTH, Analysis.QUEUE, Analysis.FORECAST)
_SIDES = {"Buy": 1, "Sell": -1}
_AGGRESSOR, _PASSIVE = 1, 2

_COLUMNS = (
    Column("InstrumentSymbol", str),
    Column("OrderSide", str),
    Column("SequentialOrderNumber", float, 1, maximum=1 << 53),
    Column("SecondaryOrderID", int, 0),
    Column("ExecutionType", str),
    Column("PriorityTime", str),
    Column("OrderPrice", float, 0),
    Column("TotalQuantity", float, 0),
    Column("TradedQuantity", float, 0),
    Column("AgressorIndicator", int, 0, maximum=2),
    Column("Member", int, 0),
)
_TIMES = ("SessionDate", "PriorityDateTime")
_DISTINCTIVE = ("SecondaryOrderID", "ExecutionType", "AgressorIndicator", "PriorityTime")


class B3OrdersReader:
    """Orders and trades of B3 with broker numbers; one session a symbol and day."""

    name = "b3_orders"

    def recognise(self, path: Path) -> bool:
        """True for a Parquet file with columns that only this format has, and for a broken one with its name."""
        names = column_names(path)
        if names:
            return sum(name in names for name in _DISTINCTIVE) >= 2
        return path.suffix == ".parquet" and path.name.startswith("orders_")

    def audit(self, paths: Sequence[Path]) -> list[FileVerdict]:
        """One verdict per file."""
        return [verdict_or_refusal(path, self.name, self._verdict) for path in paths]

    def sessions(self, paths: Sequence[Path]) -> Iterator[Session]:
        """One session a symbol and day, in order of (symbol, day).

        Raises:
            DataRefused: a file is refused.
        """
        for path in sorted(paths, key=_key) if len(paths) > 1 else paths:
            yield from (day.session for day in _read_file(path))

    def _verdict(self, path: Path) -> FileVerdict:
        days = list(_read_file(path))
        counts: dict[str, int] = {}
        for day in days:
            for name, count in day.session.counts.items():
                counts[name] = counts.get(name, 0) + count
        symbols = ",".join(sorted({day.session.instrument.symbol for day in days}))
        return FileVerdict(path, self.name, symbols, tuple(f for day in days for f in day.findings), counts)


@dataclass(frozen=True, slots=True)
class _Day:
    session: Session
    findings: list[Finding]


def _key(path: Path) -> tuple[str, str]:
    """Symbol and day of the first row: the order of the sessions of several files."""
    frame = _frame(path)
    return frame["InstrumentSymbol"][0], str(frame["SessionDate"][0])


def _frame(path: Path) -> pl.DataFrame:
    """Checked rows in the venue's order, with the number of each in the file as `row`."""
    frame = read_parquet(path, _COLUMNS, _TIMES).with_row_index("row", 1)
    for name, known in (("OrderSide", tuple(_SIDES)), ("ExecutionType", tuple(_TYPES))):
        values = frame[name]
        refuse_where(~values.is_in(known), values, path, name, f"unknown {name}", ", ".join(known))
    for name, unit in (("SequentialOrderNumber", 1.0), ("TotalQuantity", 1.0), ("TradedQuantity", 1.0)):
        whole_multiples(frame[name].to_numpy(), unit, path, name, "a whole number")
    whole_multiples(frame["OrderPrice"].to_numpy(), TICK_SIZE, path, "OrderPrice", f"a multiple of {TICK_SIZE}")
    over = frame["TradedQuantity"] > frame["TotalQuantity"]
    refuse_where(over, frame["TradedQuantity"], path, "TradedQuantity", "traded too much", "at most TotalQuantity")
    frame = frame.with_columns(pl.Series("time_ns", _times(frame, path)))
    return frame.sort("InstrumentSymbol", "SessionDate", "SecondaryOrderID", maintain_order=True)


def _times(frame: pl.DataFrame, path: Path) -> np.ndarray:
    """Session date and local time of day as UTC; the file's own UTC clock must agree."""
    text = frame["PriorityTime"]
    of_day = text.str.to_time("%H:%M:%S%.f", strict=False)
    refuse_where(of_day.is_null(), text, path, "PriorityTime", "not a time", "such as 11:00:17.055000")
    local = frame["SessionDate"].dt.truncate("1d") + of_day.cast(pl.Int64).cast(pl.Duration("ns"))
    time_ns = utc_ns(local, B3_2015_HOURS.time_zone, path, "PriorityTime")
    other = frame["PriorityDateTime"]
    apart = np.abs(other.to_physical().to_numpy() - time_ns) > MAX_CLOCK_DIFFERENCE_NS
    refuse_where(apart, other, path, other.name, "clocks disagree", "SessionDate and PriorityTime local, as UTC")
    return time_ns


def _read_file(path: Path) -> Iterator[_Day]:
    for _, rows in _frame(path).group_by("InstrumentSymbol", "SessionDate", maintain_order=True):
        yield _read_day(rows, path)


def _read_day(rows: pl.DataFrame, path: Path) -> _Day:
    _refuse_disorder(rows, path)
    day: date = rows["SessionDate"][0].date()
    opened, closed = B3_2015_HOURS.on(day)
    started = int(rows["time_ns"][0])
    late = started > opened + LATE_OPEN_NS
    continuous = rows.filter(pl.col("time_ns") < closed)
    orders = _orders(continuous)
    trades = _trades(orders)
    emitted, counts = _emitted(orders, trades, path)
    counts = {
        "rows": len(rows),
        "shuffled_rows": int((np.diff(rows["row"].to_numpy().astype(np.int64)) < 0).sum()),
        "closing_call_dropped": len(rows) - len(continuous),
        **counts,
    }
    events = _events(orders, emitted)
    extra = _members(orders, trades, emitted)
    symbol = rows["InstrumentSymbol"][0]
    instrument = Instrument(symbol, "B3", "b3", AssetClass.EQUITY, "BRL", TICK_SIZE, 1.0, B3_2015_HOURS)
    opened = started if late else opened
    session = Session(instrument, day, events, opened, closed, B3OrdersReader.name, counts, (path,), extra)
    return _Day(session, _findings(session, started if late else None))


def _refuse_disorder(rows: pl.DataFrame, path: Path) -> None:
    """The venue's count names each event once and never runs against its clock."""
    for name, wrong, reason, allowed in (
        ("SecondaryOrderID", rows["SecondaryOrderID"].diff() == 0, "number twice", "each number once"),
        ("PriorityTime", rows["time_ns"].diff() < 0, "clock goes back", "times in the order of SecondaryOrderID"),
    ):
        if wrong.any():
            at = int(wrong.arg_max() or 0)
            row, found = int(rows["row"][at]), rows[name][at]
            raise DataRefused(reason, path=path, row=row, field=name, found=found, allowed=allowed)


@dataclass(frozen=True, slots=True)
class _Orders:
    """Columns of one session in the venue's order, shape (n,); prices in ticks, sizes in shares.

    Attributes:
        order: dense number of the order, 0 to the number of orders - 1.
        before: the row of the same order before this one, -1 for its first.
        left: what the order has left after this row.
        message: number of the message that the row belongs to.
        again: the same order has a later row in the same message.
    """

    row: np.ndarray
    time_ns: np.ndarray
    number: np.ndarray
    order_id: np.ndarray
    order: np.ndarray
    before: np.ndarray
    what: np.ndarray
    side: np.ndarray
    price: np.ndarray
    left: np.ndarray
    traded: np.ndarray
    aggressor: np.ndarray
    member: np.ndarray
    message: np.ndarray
    again: np.ndarray


def _orders(rows: pl.DataFrame) -> _Orders:
    what = rows["ExecutionType"].replace_strict(_TYPES, return_dtype=pl.Int64).to_numpy()
    number, time_ns = rows["SecondaryOrderID"].to_numpy(), rows["time_ns"].to_numpy()
    order_id = rows["SequentialOrderNumber"].to_numpy().astype(np.uint64)
    order = np.unique(order_id, return_inverse=True)[1]
    starts = (what != _TRADE) | (np.diff(number, prepend=-2) != 1) | (np.diff(time_ns, prepend=-1) != 0)
    message = np.cumsum(starts)
    by_order = np.argsort(order, kind="stable")
    before = np.full(len(rows), -1)
    before[by_order[1:]] = np.where(np.diff(order[by_order]) == 0, by_order[:-1], -1)
    again = np.zeros(len(rows), bool)
    again[before[(before >= 0) & (message[before] == message)]] = True
    total, traded = (np.rint(rows[name].to_numpy()).astype(np.int64) for name in ("TotalQuantity", "TradedQuantity"))
    return _Orders(
        row=rows["row"].to_numpy().astype(np.int64),
        time_ns=time_ns,
        number=number,
        order_id=order_id,
        order=order,
        before=before,
        what=what,
        side=rows["OrderSide"].replace_strict(_SIDES, return_dtype=pl.Int64).to_numpy(),
        price=np.rint(rows["OrderPrice"].to_numpy() / TICK_SIZE).astype(np.int64),
        left=total - traded,
        traded=traded,
        aggressor=rows["AgressorIndicator"].to_numpy(),
        member=rows["Member"].to_numpy(),
        message=message,
        again=again,
    )


@dataclass(frozen=True, slots=True)
class _Trades:
    """The trade that a row is half of, shape (n,); zeros where it is none.

    Attributes:
        other: the row of the other side, -1 without one.
        size: what the order traded in this row; 0 when that is not known.
        price: the passive order's, the aggressor's where the passive one has none.
        printed: the aggressor's row of a trade of which price and size are known.
        auction: the other side is there, but not just one of them was the aggressor.
    """

    other: np.ndarray
    size: np.ndarray
    price: np.ndarray
    printed: np.ndarray
    auction: np.ndarray


def _trades(o: _Orders) -> _Trades:
    trade = o.what == _TRADE
    place = np.arange(len(trade))
    joined = np.append(False, trade[1:] & trade[:-1] & (np.diff(o.message) == 0))[: len(trade)]
    start = np.maximum.accumulate(np.where(trade & ~joined, place, 0))
    partner = np.where((place - start) % 2 == 0, place + 1, place - 1)
    inside = trade & (partner < len(trade))
    partner = np.where(inside, partner, 0)
    whole = inside & trade[partner] & (o.message[partner] == o.message) & (o.side[partner] == -o.side)
    other = np.where(whole, partner, -1)

    risen = np.where(trade & (o.before >= 0), o.traded - o.traded[o.before], 0)
    # an order that was born before the file: the other side knows how much it was
    size = np.where(whole & (risen == 0), risen[partner], risen)
    price = np.where(o.aggressor == _PASSIVE, o.price, o.price[partner])
    price = np.where(whole, np.where(price > 0, price, np.maximum(o.price, o.price[partner])), o.price)
    two_roles = (o.aggressor == _AGGRESSOR) & (o.aggressor[partner] == _PASSIVE)
    two_roles |= (o.aggressor == _PASSIVE) & (o.aggressor[partner] == _AGGRESSOR)
    known = whole & two_roles & (o.aggressor == _AGGRESSOR) & (size > 0) & (price > 0)
    return _Trades(other, size, price, known, whole & ~two_roles)


@dataclass(frozen=True, slots=True)
class _Emitted:
    """Events as columns, shape (m,), in order; `source` is the row that each comes from."""

    source: np.ndarray
    kind: np.ndarray
    price: np.ndarray
    size: np.ndarray


def _emitted(o: _Orders, trades: _Trades, path: Path) -> tuple[_Emitted, dict[str, int]]:
    trade = o.what == _TRADE
    shrunk = trade & (trades.size < 0)
    if shrunk.any():
        at = int(np.argmax(shrunk))
        raise DataRefused(
            "traded quantity falls",
            path=path,
            row=int(o.row[at]),
            field="TradedQuantity",
            found=int(o.traded[at]),
            allowed=f"at least {o.traded[o.before[at]]} of the order's row before",
        )
    source, kind, price, size, count = _walk(
        o.what, o.order, o.price, o.left, o.again, trades.price, trades.size, trades.printed
    )
    born_before = o.before < 0
    halves = trade & (trades.other >= 0)
    counts = {
        "trades": int(trades.printed.sum()),
        "unpaired_trade_rows": int((trade & ~halves).sum()),
        "auction_trade_rows": int(trades.auction.sum()),
        "unknown_fills": int((halves & born_before & (o.aggressor == _PASSIVE)).sum()),
        "unknown_updates": int((born_before & (o.what == _ENTERS) & (o.traded > 0)).sum()),
        "unknown_cancels": int((born_before & (o.what == _LEAVES)).sum()),
        "market_orders": int(((o.what == _ENTERS) & (o.price == 0)).sum()),
        "stop_orders": int((o.what == _STOP).sum()),
        "orders": int(o.order.max()) + 1 if len(o.order) else 0,
    }
    return _Emitted(source[:count], kind[:count], price[:count], size[:count]), counts


_ADD, _MODIFY, _DELETE, _FILL = (
    int(EventKind.ADD),
    int(EventKind.MODIFY),
    int(EventKind.DELETE),
    int(EventKind.FILL),
)
_PRINT = int(EventKind.TRADE)


@njit(cache=True)
def _walk(what, order, price, left, again, trade_price, trade_size, printed):  # type: ignore[no-untyped-def]
    """Which orders rest, row by row; at most two events a row."""
    n = len(what)
    source, kind = np.empty(2 * n, np.int64), np.empty(2 * n, np.int64)
    out_price, out_size = np.empty(2 * n, np.int64), np.empty(2 * n, np.int64)
    resting = np.zeros(order.max() + 1 if n else 0, np.bool_)
    at = 0
    for i in range(n):
        mine = order[i]
        if printed[i]:
            source[at], kind[at], out_price[at], out_size[at] = i, _PRINT, trade_price[i], trade_size[i]
            at += 1
        new = 0
        if what[i] == _STOP:
            continue
        rest_price = price[i] if price[i] > 0 else trade_price[i]
        if not resting[mine]:
            if what[i] != _LEAVES and left[i] > 0 and rest_price > 0 and not again[i]:
                new = _ADD
        elif what[i] == _LEAVES or (what[i] == _ENTERS and left[i] == 0):
            new = _DELETE
        elif what[i] == _TRADE:
            new = _FILL
        else:
            new = _MODIFY
        if new == 0:
            continue
        source[at], kind[at], out_price[at] = i, new, rest_price
        out_size[at] = trade_size[i] if new == _FILL else left[i]
        resting[mine] = new != _DELETE and left[i] > 0
        at += 1
    return source, kind, out_price, out_size, at


def _events(o: _Orders, emitted: _Emitted) -> np.ndarray:
    events = empty_events(len(emitted.source))
    source = emitted.source
    prints = emitted.kind == EventKind.TRADE
    events["exchange_time_ns"] = o.time_ns[source]
    events["kind"], events["price_ticks"], events["size_lots"] = emitted.kind, emitted.price, emitted.size
    events["side"], events["order_id"] = o.side[source], o.order_id[source]
    events["sequence"], events["row"] = o.number[source], o.row[source]
    events["flags"][prints] = EventFlag.SIDE_GIVEN
    ends = np.append(np.diff(o.message[source]) != 0, True)[: len(events)]
    events["flags"][ends] |= np.uint16(EventFlag.LAST)
    return events


def _members(o: _Orders, trades: _Trades, emitted: _Emitted) -> dict[str, np.ndarray]:
    """Brokers of both sides of a print, of an order event its own side's."""
    source = emitted.source
    prints = emitted.kind == EventKind.TRADE
    mine, side = o.member[source], o.side[source]
    theirs = np.where(prints, o.member[trades.other[source]], 0)
    return {
        "buyer_member": np.where(side > 0, mine, theirs),
        "seller_member": np.where(side < 0, mine, theirs),
    }


def _findings(session: Session, late_ns: int | None) -> list[Finding]:
    counts, findings = session.counts, []
    if counts["shuffled_rows"]:
        text = f"{counts['shuffled_rows']} rows stand before one that happened earlier; sorted by SecondaryOrderID"
        findings.append(Finding("shuffled_rows", text, counts["shuffled_rows"]))
    if late_ns is not None:
        minutes = (late_ns - B3_2015_HOURS.on(session.day)[0]) // NS_PER_MINUTE
        findings.append(Finding("late_start", f"the first row is {minutes} minutes after the open"))
    unknown = counts["unknown_fills"] + counts["unknown_updates"] + counts["unknown_cancels"]
    if unknown:
        share = counts["unknown_fills"] / max(counts["trades"], 1)
        text = (
            f"orders born before the file: {counts['unknown_fills']} fills ({share:.0%} of the trades), "
            f"{counts['unknown_updates']} updates and {counts['unknown_cancels']} cancels name one"
        )
        void = (Analysis.DEPTH, Analysis.QUEUE) if share > MAX_UNKNOWN_FILL_SHARE else ()
        findings.append(Finding("unknown_order_ids", text, unknown, voids=void))
    for name, text in (
        ("closing_call_dropped", "rows of the closing call, which crosses the book on purpose, are dropped"),
        ("auction_trade_rows", "trade rows of an auction name no price and make no print"),
        ("unpaired_trade_rows", "trade rows without their other side make no print"),
    ):
        if counts[name]:
            findings.append(Finding(name, f"{counts[name]} {text}", counts[name]))
    if not counts["trades"]:
        findings.append(Finding("no_trades", "no print with an aggressor", voids=_VOID_WITHOUT_TRADES))
    findings.append(NO_RECEIVE_TIME)
    ends = session.events["flags"] & EventFlag.LAST != 0
    if ends.any():
        book = views(session.events)[ends]
        findings += book_findings(book, session.events["row"][ends], "order book", _VOID_WHEN_CROSSED)
    return findings
