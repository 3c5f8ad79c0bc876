"""B3 (Brazil) ticks: one csv a symbol and day with trades and the best quote, prices in BRL.

Columns: symbol, rpt_seq, network_received_time (UTC, ns), event_type (book or trade), md_entry_px, md_entry_size,
aggressor (4 buyer, 3 seller, else a cross or an auction), en_s_px_1 (best ask), en_b_px_1 (best bid).

The source is thinned (rpt_seq jumps), gives no sizes at the best, and its quotes are stale against the prints. Every
row carries the best quote, so a row makes up to three events: the sides that changed, then the print. A print carried
with a bid at or above the ask belongs to an auction, whatever its aggressor says: a continuous book cannot lock.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import polars as pl

from footprint.book.view import SIZE_UNKNOWN
from footprint.data.files.compressed import head, read_all
from footprint.data.files.table import Column, read_table, refuse_clock_going_back
from footprint.data.session import Session
from footprint.data.verdict import Analysis, FileVerdict, Finding, counted
from footprint.errors import DataRefused
from footprint.market.events import EventFlag, EventKind, empty_events
from footprint.market.instruments import B3_EQUITY_HOURS, AssetClass, Instrument
from footprint.units import NS_PER_HOUR, NS_PER_SECOND

TICK_SIZE = 0.01  # BRL
BUYER, SELLER = 4.0, 3.0
MIN_SHARE_AT_TOUCH = 0.5  # below this the quote says little about where the next print will be
MAX_PRICE_RATIO = 2.0
LATE_OPEN_NS = NS_PER_HOUR  # a first row later than this after the regular open marks a half day

_TIME = "network_received_time"
_DISTINCTIVE = (_TIME, "md_entry_px", "en_s_px_1", "en_b_px_1")
_NAME = re.compile(r"[A-Z0-9]+_\d{4}-\d{2}-\d{2}\.csv(\.gz)?")  # tells only when nothing inside can be read
_COLUMNS = (
    Column("symbol", str),
    Column("rpt_seq", int, 0),
    Column(_TIME, str),
    Column("event_type", str),
    Column("md_entry_px", float, 0, optional=True),
    Column("md_entry_size", float, 0, optional=True),
    Column("aggressor", float, optional=True),
    Column("en_s_px_1", float, 0),
    Column("en_b_px_1", float, 0),
)


class B3Reader:
    """Signed trades and best quotes of B3 equities; one session a file."""

    name = "b3"

    def recognise(self, path: Path) -> bool:
        """True when the first line names columns that only this format has; a missing column is for the audit."""
        start = head(path)
        names = start.content.split(b"\n", 1)[0].decode("utf-8", "replace").strip().split(",")
        if len(names) == 1:
            return _NAME.fullmatch(path.name) is not None
        return sum(name in names for name in _DISTINCTIVE) >= 2

    def audit(self, paths: Sequence[Path]) -> list[FileVerdict]:
        """One verdict per file."""
        verdicts = []
        for path in paths:
            try:
                session, findings = _read_file(path)
                verdicts.append(
                    FileVerdict(path, self.name, session.instrument.symbol, tuple(findings), session.counts)
                )
            except DataRefused as error:
                verdicts.append(FileVerdict(path, self.name, "", (Finding.of_refusal(error),)))
        return verdicts

    def sessions(self, paths: Sequence[Path]) -> Iterator[Session]:
        """One session a file, in order of symbol and time.

        Raises:
            DataRefused: a file is refused.
        """
        for path in sorted(paths, key=_first_row):
            yield _read_file(path)[0]


def _first_row(path: Path) -> tuple[str, str]:
    """Symbol and time of the first row, as far as they can be read: the order of the sessions."""
    lines = head(path).content.decode("utf-8", "replace").splitlines()
    cells = dict(zip(lines[0].split(","), lines[1].split(","), strict=False)) if len(lines) > 1 else {}
    return cells.get("symbol", ""), cells.get(_TIME, "")


def _read_file(path: Path) -> tuple[Session, list[Finding]]:
    table = read_table(read_all(path), _COLUMNS, path, header=True)
    symbol = str(table["symbol"][0])
    _refuse_where(table["symbol"] != symbol, table["symbol"], path, "second symbol", f"only {symbol} in this file")
    time_ns = _times(table, path)
    refuse_clock_going_back(time_ns, path, _TIME, first_row=2)
    day, last_day = (_local_day(int(time)) for time in time_ns[[0, -1]])
    if last_day != day:
        raise DataRefused("second day", path=path, field=_TIME, found=f"{day} to {last_day}", allowed="one day a file")
    is_trade = _trade_rows(table, path)
    bid, ask = (_ticks(table[name], path) for name in ("en_b_px_1", "en_s_px_1"))
    price = np.zeros(len(table), np.int64)
    price[is_trade] = _ticks(table["md_entry_px"], path)[is_trade]
    _refuse_far_prices(price, is_trade, table["md_entry_px"], path)

    aggressor = table["aggressor"].fill_null(0.0).to_numpy()
    side = np.where(aggressor == BUYER, 1, np.where(aggressor == SELLER, -1, 0)).astype(np.int8)
    crossed = (bid >= ask) & (ask > 0)
    auction = is_trade & ((side == 0) | crossed)
    sizes = _whole(table["md_entry_size"].fill_null(0.0), 1.0, path, "a whole number of shares")
    kept = is_trade & ~auction & (sizes > 0)
    rows = _Rows(time_ns, bid, ask, kept, side, price, sizes, table["rpt_seq"].to_numpy())
    events = _events(rows)
    counts = {
        "rows": len(table),
        "trade_rows": int(is_trade.sum()),
        "auction_dropped": int(auction.sum()),
        "zero_size_dropped": int((is_trade & ~auction & (sizes == 0)).sum()),
        "trades": int(kept.sum()),
        "quotes": len(events) - int(kept.sum()),
    }
    opened, closed = B3_EQUITY_HOURS.on(day)
    if time_ns[0] > opened + LATE_OPEN_NS:
        opened = int(time_ns[0])
    session = Session(_instrument(symbol), day, events, opened, closed, B3Reader.name, counts, (path,))
    return session, _findings(rows)


@dataclass(frozen=True, slots=True)
class _Rows:
    """Checked columns, one entry a row of the file; prices in ticks, sizes in shares."""

    time_ns: np.ndarray
    bid: np.ndarray
    ask: np.ndarray
    kept: np.ndarray  # rows whose print is kept
    side: np.ndarray
    price: np.ndarray
    size: np.ndarray
    rpt_seq: np.ndarray


def _instrument(symbol: str) -> Instrument:
    return Instrument(
        symbol=symbol,
        venue="B3",
        market="b3",
        asset_class=AssetClass.EQUITY,
        currency="BRL",
        tick_size=TICK_SIZE,
        lot_size=1.0,
        hours=B3_EQUITY_HOURS,
    )


def _local_day(time_ns: int) -> date:
    return datetime.fromtimestamp(time_ns // NS_PER_SECOND, ZoneInfo(B3_EQUITY_HOURS.time_zone)).date()


def _times(table: pl.DataFrame, path: Path) -> np.ndarray:
    time = table[_TIME].str.to_datetime("%Y-%m-%d %H:%M:%S%.f%:z", time_unit="ns", time_zone="UTC", strict=False)
    # beyond 2262 nanoseconds leave 64 bits and come back as another year
    wrong = time.is_null() | ~table[_TIME].str.contains(r"^20\d\d-")
    _refuse_where(wrong, table[_TIME], path, "not a time", "such as 2025-04-07 13:00:00.123456789+00:00")
    return time.to_physical().to_numpy()


def _trade_rows(table: pl.DataFrame, path: Path) -> np.ndarray:
    kind = table["event_type"]
    _refuse_where(~kind.is_in(["book", "trade"]), kind, path, "unknown event", "book or trade")
    is_trade = kind == "trade"
    for name in ("md_entry_px", "md_entry_size"):
        _refuse_where(is_trade & table[name].is_null(), table[name], path, "trade without a value", "a number")
    price = table["md_entry_px"]
    _refuse_where(is_trade & (price <= 0), price, path, "price not positive", "a positive price")
    return is_trade.to_numpy()


def _whole(values: pl.Series, unit: float, path: Path, allowed: str) -> np.ndarray:
    """Values as integer multiples of `unit`."""
    multiple = values.to_numpy() / unit
    rounded = np.rint(multiple)
    _refuse_where(pl.Series(np.abs(multiple - rounded) > 1e-6), values, path, "not a whole multiple", allowed)
    return rounded.astype(np.int64)


def _ticks(values: pl.Series, path: Path) -> np.ndarray:
    return _whole(values.fill_null(0.0), TICK_SIZE, path, f"a multiple of the tick {TICK_SIZE}")


def _refuse_far_prices(price: np.ndarray, is_trade: np.ndarray, values: pl.Series, path: Path) -> None:
    """One absurd print would own every average of the day: no share halves or doubles within one."""
    if not is_trade.any():
        return
    middle = float(np.median(price[is_trade]))
    far = is_trade & ((price > MAX_PRICE_RATIO * middle) | (price < middle / MAX_PRICE_RATIO))
    low, high = middle * TICK_SIZE / MAX_PRICE_RATIO, middle * TICK_SIZE * MAX_PRICE_RATIO
    _refuse_where(pl.Series(far), values, path, "price far from the day's median", f"{low:g} to {high:g}")


def _refuse_where(wrong: pl.Series, values: pl.Series, path: Path, reason: str, allowed: str) -> None:
    if wrong.fill_null(False).any():
        at = int(wrong.fill_null(False).arg_max() or 0)
        raise DataRefused(reason, path=path, row=at + 2, field=values.name, found=values[at], allowed=allowed)


def _events(rows: _Rows) -> np.ndarray:
    """A QUOTE for each side that changed, then the print; the last event of a row carries LAST."""
    new_ask, new_bid = (np.diff(price, prepend=-1) != 0 for price in (rows.ask, rows.bid))
    ends = np.cumsum(new_ask.astype(np.int64) + new_bid + rows.kept)
    events = empty_events(int(ends[-1]))
    bid_at, ask_at = ends - rows.kept - 1, ends - rows.kept - new_bid - 1
    for at, changed, side, price in ((ask_at, new_ask, -1, rows.ask), (bid_at, new_bid, 1, rows.bid)):
        index = _place(events, at, changed, rows, EventKind.QUOTE, EventFlag.SIZE_UNKNOWN)
        events["side"][index] = side
        events["price_ticks"][index] = price[changed]
        events["size_lots"][index] = SIZE_UNKNOWN
    index = _place(events, ends - 1, rows.kept, rows, EventKind.TRADE, EventFlag.SIDE_GIVEN)
    events["side"][index] = rows.side[rows.kept]
    events["price_ticks"][index] = rows.price[rows.kept]
    events["size_lots"][index] = rows.size[rows.kept]
    events["flags"][np.unique(ends[ends > 0]) - 1] |= np.uint16(EventFlag.LAST)
    return events


def _place(
    events: np.ndarray, at: np.ndarray, where: np.ndarray, rows: _Rows, kind: EventKind, flag: EventFlag
) -> np.ndarray:
    """Write what all events share for the rows `where`; their places in `events`."""
    index = at[where]
    events["receive_time_ns"][index] = rows.time_ns[where]
    events["sequence"][index] = rows.rpt_seq[where]
    events["row"][index] = np.flatnonzero(where) + 2  # the header is row 1
    events["kind"][index] = kind
    events["flags"][index] = flag
    return index


def _findings(rows: _Rows) -> list[Finding]:
    findings = [Finding("no_quote_sizes", "no sizes at the best quote", voids=(Analysis.DEPTH, Analysis.QUEUE))]
    steps = np.diff(rows.rpt_seq)
    jumps = int((steps > 1).sum())
    if jumps:
        text = f"the source was thinned: rpt_seq jumps {jumps} times, median step {np.median(steps):.0f}"
        findings.append(Finding("thinned", text, jumps))
    crossed = int(((rows.bid > rows.ask) & (rows.ask > 0)).sum())
    if crossed:
        findings.append(
            Finding("crossed_book", f"best bid above best ask in {counted(crossed, 'rows')} (auctions)", crossed)
        )
    stale, prints = _off_touch(rows), int(rows.kept.sum())
    if stale > (1 - MIN_SHARE_AT_TOUCH) * prints:
        text = f"stale quotes: {stale / prints:.0%} of the prints are not at the touch quoted before them"
        findings.append(Finding("stale_quotes", text, stale, voids=(Analysis.DEPTH, Analysis.QUEUE)))
    if not prints:
        void = (Analysis.SIGNED_TRADES, Analysis.FORECAST, Analysis.LAW)
        findings.append(Finding("no_trades", "no print with an aggressor", voids=void))
    return findings


def _off_touch(rows: _Rows) -> int:
    """Prints that are not at their own side's best quote of the row before."""
    before = np.where(rows.side > 0, np.append(0, rows.ask[:-1]), np.append(0, rows.bid[:-1]))
    return int((rows.kept & (rows.price != before)).sum())
