"""SGX FTSE China A50 future: snapshots of the three best levels, `order_book_3_<date>.csv`, also gz.

A header line, then blocks with empty lines between: `TimeStamp,<yyyy-mm-dd>D<HH:MM:SS.nnnnnnnnn>` and up to three
rows bid, bid size, ask, ask size, best first; NaN or a missing row where a side has no further level. Prices are index
points x 100 in steps of 500, times local (Singapore, UTC+8). There are no trades and no order ids, and which expiry it
is the file does not say.

A snapshot becomes the LEVEL events that turn the one before into it. Outside continuous trading (09:00 to 15:55 local)
the book is that of a call, may be locked or crossed and begin with orders at the market (price 0), and is dropped.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import polars as pl

from footprint.book.invariants import misordered
from footprint.book.replay import views
from footprint.data.book_findings import book_findings
from footprint.data.clock_findings import NO_RECEIVE_TIME
from footprint.data.files.compressed import head
from footprint.data.files.lines import read_lines
from footprint.data.files.local_time import utc_ns
from footprint.data.files.refusals import refuse_where, verdict_or_refusal
from footprint.data.files.table import MAX_NUMBER
from footprint.data.session import Session
from footprint.data.verdict import Analysis, FileVerdict, Finding
from footprint.errors import DataRefused
from footprint.market.events import EventFlag, EventKind, empty_events
from footprint.market.instruments import AssetClass, Instrument, TradingHours
from footprint.units import NS_PER_MINUTE, NS_PER_SECOND

LEVELS = 3
PRICE_UNITS_PER_POINT = 100
TICK_UNITS = 500
HOURS = TradingHours("Asia/Singapore", 32_400, 57_300)
INSTRUMENT = Instrument(
    symbol="CN",
    venue="SGX",
    market="sgx",
    asset_class=AssetClass.FUTURE,
    currency="USD",
    tick_size=TICK_UNITS / PRICE_UNITS_PER_POINT,
    lot_size=1.0,
    hours=HOURS,
)
MAX_SILENCE_NS = 10 * NS_PER_MINUTE

_HEADER = b"Bid,Bid_Quantity,Ask,Ask_Quantity"
_STAMP = b"TimeStamp,"
_VOID = (Analysis.QUEUE, Analysis.SIGNED_TRADES, Analysis.FORECAST, Analysis.LAW)
_VOID_WHEN_CROSSED = (Analysis.BOOK, Analysis.DEPTH)
_BID, _ASK = 0, 1


class SgxReader:
    """Three-level snapshots of the A50 future; one session a file."""

    name = "sgx"

    def recognise(self, path: Path) -> bool:
        """True when the first line is the header, or nothing can be read and the name is that of such a file."""
        first = head(path).content.split(b"\n", 1)[0].rstrip(b"\r")
        return first == _HEADER or (not first and path.name.startswith("order_book_3_"))

    def audit(self, paths: Sequence[Path]) -> list[FileVerdict]:
        """One verdict per file."""
        return [verdict_or_refusal(path, self.name, self._verdict) for path in paths]

    def sessions(self, paths: Sequence[Path]) -> Iterator[Session]:
        """One session a file, in order of time.

        Raises:
            DataRefused: a file is refused.
        """
        for _, path in sorted((_first_stamp(path), path) for path in paths):
            yield _session(path)

    def _verdict(self, path: Path) -> FileVerdict:
        session = _session(path)
        return FileVerdict(path, self.name, INSTRUMENT.symbol, tuple(_findings(session)), session.counts)


def _first_stamp(path: Path) -> str:
    start = head(path).content.decode("utf-8", "replace")
    return next((line for line in start.splitlines() if line.startswith("TimeStamp,")), "")


@dataclass(frozen=True, slots=True)
class _Snapshots:
    """Checked snapshots in order of time.

    Attributes:
        line: 1-based line of each time stamp, shape (n,).
        time_ns: UTC, shape (n,).
        price: in ticks, 0 where there is no level, shape (n, side, level), bids first.
        size: in contracts, shape (n, side, level).
        missing: levels that were NaN or not there.
    """

    line: np.ndarray
    time_ns: np.ndarray
    price: np.ndarray
    size: np.ndarray
    missing: int

    def cut(self, span: slice) -> _Snapshots:
        """Those of a span."""
        return _Snapshots(self.line[span], self.time_ns[span], self.price[span], self.size[span], self.missing)


def _session(path: Path) -> Session:
    every = _read(path)
    local = datetime.fromtimestamp(int(every.time_ns[-1]) // NS_PER_SECOND, ZoneInfo(HOURS.time_zone))
    opened, closed = HOURS.on(local.date())
    span = slice(*np.searchsorted(every.time_ns, (opened, closed)))
    snapshots = every.cut(span)
    if not len(snapshots.line):
        allowed = "snapshots from 09:00 to 15:55 local"
        raise DataRefused("no snapshot of continuous trading", path=path, found=str(local.date()), allowed=allowed)
    _refuse_disorder(snapshots, path)
    events = _events(snapshots)
    counts = {
        "snapshots": len(every.line),
        "before_open_dropped": int(span.start),
        "after_close_dropped": len(every.line) - int(span.stop),
        "unchanged_snapshots": len(snapshots.line) - len(np.unique(events["row"])),
        "missing_levels": every.missing,
        "levels": len(events),
    }
    return Session(INSTRUMENT, local.date(), events, opened, closed, SgxReader.name, counts, (path,))


def _read(path: Path) -> _Snapshots:
    stamps, stamp_lines, rows, row_lines, blocks = _split(path)
    values = _numbers(rows, row_lines, path)
    block = np.array(blocks, np.int64)
    bare = np.isin(np.arange(len(stamps)), block, invert=True)
    refuse_where(bare, np.array(stamps), path, "TimeStamp", "snapshot without a level", "1 to 3", lines=stamp_lines)
    level = np.arange(len(block)) - np.searchsorted(block, block)
    deep = level >= LEVELS
    refuse_where(deep, level + 1, path, "level", "too many levels", f"at most {LEVELS}", lines=row_lines)
    price = np.zeros((len(stamps), 2, LEVELS), np.int64)
    size = np.zeros((len(stamps), 2, LEVELS), np.int64)
    for side, first in ((_BID, 0), (_ASK, 2)):
        units, lots = values[:, first], values[:, first + 1]
        held = ~np.isnan(units)
        refuse_where(
            held != ~np.isnan(lots), units, path, "size", "half a level", "a price and a size", lines=row_lines
        )
        units, lots = np.where(held, units, TICK_UNITS), np.where(held, lots, 1)
        wrong = (units < 0) | (units % TICK_UNITS != 0) | (units > MAX_NUMBER)
        refuse_where(wrong, units, path, "price", "not a price", f"a multiple of {TICK_UNITS}", lines=row_lines)
        wrong = (lots < 1) | (lots % 1 != 0) | (lots > MAX_NUMBER)
        refuse_where(wrong, lots, path, "size", "not a size", "a whole number from 1", lines=row_lines)
        at = (block[held], side, level[held])
        price[at], size[at] = units[held] // TICK_UNITS, lots[held]
    time_ns = _times(stamps, stamp_lines, path)
    return _Snapshots(stamp_lines, time_ns, price, size, int((price == 0).sum()))


def _split(path: Path) -> tuple[list[str], np.ndarray, list[bytes], np.ndarray, list[int]]:
    """Time stamps and their lines, rows of levels and their lines, and the block that each row belongs to."""
    stamps: list[str] = []
    stamp_lines, rows, row_lines, blocks = [], [], [], []
    for number, line in enumerate(read_lines(path), 1):
        line = line.strip()
        if number == 1:
            if line != _HEADER:
                raise DataRefused("wrong columns", path=path, row=1, found=line[:80], allowed=_HEADER.decode())
        elif line.startswith(_STAMP):
            stamps.append(line.removeprefix(_STAMP).decode("utf-8", "replace"))
            stamp_lines.append(number)
        elif line:
            if not stamps:
                raise DataRefused("level before a time stamp", path=path, row=number, allowed="TimeStamp,...")
            rows.append(line)
            row_lines.append(number)
            blocks.append(len(stamps) - 1)
    if not rows:
        raise DataRefused("no rows", path=path, allowed="at least one snapshot")
    return stamps, np.array(stamp_lines), rows, np.array(row_lines), blocks


def _numbers(rows: list[bytes], lines: np.ndarray, path: Path) -> np.ndarray:
    """Float64 of shape (rows, 4), NaN where a level is missing."""
    names = ("bid", "bid_size", "ask", "ask_size")
    widths = np.array([row.count(b",") for row in rows])
    refuse_where(widths != 3, widths + 1, path, "columns", "wrong columns", "4 columns", lines=lines)
    cells = pl.Series([row.decode("utf-8", "replace") for row in rows]).str.split(",")
    values = np.empty((len(rows), 4))
    for at, name in enumerate(names):
        text = cells.list.get(at)
        number = text.cast(pl.Float64, strict=False)
        wrong = number.is_null() | number.is_infinite()
        refuse_where(wrong, text, path, name, "not a number", "a number or NaN", lines=lines)
        values[:, at] = number.to_numpy()
    return values


def _refuse_disorder(s: _Snapshots, path: Path) -> None:
    """Bids fall, asks rise, every order has a price and nothing lies behind a missing level."""
    for name, side, sign in (("bid", _BID, 1), ("ask", _ASK, -1)):
        price, at_market = s.price[:, side], (s.price[:, side] == 0) & (s.size[:, side] > 0)
        refuse_where(at_market.any(axis=1), price[:, 0], path, name, "not a price", "above 0", lines=s.line)
        wrong = misordered(price, sign)
        refuse_where(wrong, price[:, 0], path, name, "levels out of order", "best first", lines=s.line)


def _times(stamps: list[str], lines: np.ndarray, path: Path) -> np.ndarray:
    text = pl.Series("TimeStamp", stamps)
    local = text.str.to_datetime("%Y-%m-%dD%H:%M:%S%.f", time_unit="ns", strict=False)
    allowed = "such as 2014-01-09D09:00:00.123456700"
    refuse_where(local.is_null(), text, path, text.name, "not a time", allowed, lines=lines)
    time_ns = utc_ns(local, HOURS.time_zone, path, text.name)
    back = np.diff(time_ns, prepend=time_ns[:1]) < 0
    refuse_where(back, text, path, text.name, "clock goes back", "not before the block above", lines=lines)
    return time_ns


def _events(s: _Snapshots) -> np.ndarray:
    """Levels that are gone, then those that are new or changed, snapshot by snapshot."""
    before, before_size = (np.concatenate([np.zeros_like(x[:1]), x[:-1]]) for x in (s.price, s.size))
    same = before[..., :, None] == s.price[..., None, :]
    gone = (before > 0) & ~same.any(axis=-1)
    unchanged = (same & (before_size[..., :, None] == s.size[..., None, :])).any(axis=-2)
    new = (s.price > 0) & ~unchanged
    # snapshot, gone before new, side, level: the order of the events
    snapshot, kind, side, level = np.nonzero(np.stack([gone, new], axis=1))
    events = empty_events(len(snapshot))
    events["exchange_time_ns"] = s.time_ns[snapshot]
    events["kind"], events["side"] = EventKind.LEVEL, np.where(side == _BID, 1, -1)
    was, now = before[snapshot, side, level], s.price[snapshot, side, level]
    events["price_ticks"] = np.where(kind == 0, was, now)
    events["size_lots"] = np.where(kind == 0, 0, s.size[snapshot, side, level])
    events["flags"][snapshot == 0] = EventFlag.SNAPSHOT
    events["flags"][np.append(np.diff(snapshot) != 0, True)[: len(events)]] |= np.uint16(EventFlag.LAST)
    events["sequence"] = events["row"] = s.line[snapshot]
    return events


def _findings(session: Session) -> list[Finding]:
    counts, events = session.counts, session.events
    findings = [
        Finding("no_trades", "no trades, no order ids", voids=_VOID),
        NO_RECEIVE_TIME,
        Finding("three_levels", f"{LEVELS} levels a side: depth features need five", voids=(Analysis.DEPTH,)),
    ]
    outside = counts["before_open_dropped"] + counts["after_close_dropped"]
    if outside:
        text = (
            f"{counts['before_open_dropped']} snapshots before 09:00 and {counts['after_close_dropped']} after 15:55 "
            "local are of a call, which may lock the book; dropped"
        )
        findings.append(Finding("call_dropped", text, outside))
    if counts["missing_levels"]:
        text = f"{counts['missing_levels']} levels are missing"
        findings.append(Finding("missing_levels", text, counts["missing_levels"]))
    time_ns = events["exchange_time_ns"]
    silences = np.diff(time_ns)
    if (silences > MAX_SILENCE_NS).any():
        longest, count = silences.max() / NS_PER_MINUTE, int((silences > MAX_SILENCE_NS).sum())
        findings.append(Finding("gap", f"{count} silences over 10 minutes, the longest {longest:.0f}", count))
    short = (session.close_ns - int(time_ns[-1])) // NS_PER_MINUTE
    if short * NS_PER_MINUTE > MAX_SILENCE_NS:
        findings.append(Finding("early_end", f"the last change is {short} minutes before the close"))
    ends = events["flags"] & EventFlag.LAST != 0
    return findings + book_findings(views(events)[ends], events["row"][ends], "book", _VOID_WHEN_CROSSED)
