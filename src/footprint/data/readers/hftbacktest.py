"""hftbacktest npz files: one session a file, in order of local time; symbol and day are those of the name.

Rows that exist for the exchange only repeat what the local side sees at another place: they are left out. A file of
the day before that ends in `_eod` is the book at its end: it opens the session of the next day. A clear with a price
removes the levels from the best one to that price, as hftbacktest does; one without empties the book.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np

from footprint.book.price_levels import PriceLevelBook
from footprint.book.replay import BookKind, book_kind, views
from footprint.data.book_findings import book_findings
from footprint.data.clock_findings import clock_findings
from footprint.data.clock_repair import raised_clock
from footprint.data.files.decimals import ScaledEvents, on_one_scale, quote_increment, whole_floats
from footprint.data.readers.crypto_pairs import crypto_instrument
from footprint.data.readers.hftbacktest_file import USER_DEFINED, HftEvent, HftRows, is_hftbacktest, name_of, read_rows
from footprint.data.session import Session
from footprint.data.verdict import Analysis, FileVerdict, Finding
from footprint.errors import DataRefused, FootprintError
from footprint.market.events import EVENT_DTYPE, UNKNOWN_TIME, EventFlag, EventKind, empty_events
from footprint.units import NS_PER_SECOND

SOURCE = "hftbacktest"
VENUE = "unknown"  # the files do not name one

_LAST, _SNAPSHOT, _SIDE_GIVEN = int(EventFlag.LAST), int(EventFlag.SNAPSHOT), int(EventFlag.SIDE_GIVEN)
_KINDS = {
    HftEvent.DEPTH: EventKind.LEVEL,
    HftEvent.TRADE: EventKind.TRADE,
    HftEvent.DEPTH_CLEAR: EventKind.CLEAR,
    HftEvent.DEPTH_SNAPSHOT: EventKind.LEVEL,
    HftEvent.DEPTH_BBO: EventKind.QUOTE,
    HftEvent.ADD_ORDER: EventKind.ADD,
    HftEvent.CANCEL_ORDER: EventKind.DELETE,
    HftEvent.MODIFY_ORDER: EventKind.MODIFY,
    HftEvent.FILL: EventKind.FILL_NOTICE,  # the cancel or modification that does change the book follows
}
_ORDER_KINDS = (HftEvent.ADD_ORDER, HftEvent.CANCEL_ORDER, HftEvent.MODIFY_ORDER, HftEvent.FILL)


@dataclass(frozen=True, slots=True)
class _Day:
    """One file, read."""

    path: Path
    scaled: ScaledEvents
    counts: Counter[str]
    findings: tuple[Finding, ...]


class HftbacktestReader:
    """One session per file of a day; `_eod` files open the session of the next day."""

    name = SOURCE

    def recognise(self, path: Path) -> bool:
        """True for an npz whose first array has one of the two layouts."""
        return is_hftbacktest(path)

    def audit(self, paths: Sequence[Path]) -> list[FileVerdict]:
        """One verdict per file."""
        return [_verdict(path, _opening(path, paths), _following(path, paths)) for path in paths]

    def sessions(self, paths: Sequence[Path]) -> Iterator[Session]:
        """One session per file that is no end-of-day snapshot, in order of (symbol, day).

        Raises:
            DataRefused: a file is refused.
        """
        days = [path for path in paths if not name_of(path).end_of_day]
        for path in sorted(days, key=lambda p: (name_of(p).symbol, name_of(p).day or date.min, p)):
            yield _session(_read(path), _opening(path, paths))
        for path in paths:
            if name_of(path).end_of_day and _following(path, paths) is None:
                _read(path)


def _opening(path: Path, paths: Sequence[Path]) -> Path | None:
    """The end-of-day snapshot of the day before, when it is among the paths."""
    name = name_of(path)
    if name.day is None or name.end_of_day:
        return None
    wanted = (name.symbol, name.day - timedelta(days=1), True)
    return next((p for p in paths if (n := name_of(p)) and (n.symbol, n.day, n.end_of_day) == wanted), None)


def _following(path: Path, paths: Sequence[Path]) -> Path | None:
    return next((p for p in paths if _opening(p, paths) == path), None)


def _read(path: Path) -> _Day:
    rows = read_rows(path)
    kept = _kept(rows)
    counts = Counter(
        rows=len(rows.kind),
        exchange_only_rows=int((rows.local_ns == 0).sum()) if (rows.local_ns > 0).any() else 0,
        local_only_rows=int((rows.exchange_ns == 0).sum()),
        user_defined_rows=int((rows.kind >= USER_DEFINED).sum()),
    )
    findings = [Finding("time_unit", f"times are read as {rows.unit}, by their magnitude")]
    events, repairs = _events(rows, kept, path)
    findings += repairs
    counts["clock_repaired"] = sum(finding.count for finding in repairs)
    findings += clock_findings(events) if len(events) else []
    price = whole_floats(rows.price[kept], path, "price")
    size = whole_floats(rows.quantity[kept], path, "quantity")
    events["price_ticks"], events["size_lots"] = price.values, size.values
    zero = (events["kind"] == EventKind.TRADE) & (events["size_lots"] == 0)
    counts["zero_size_dropped"] = int(zero.sum())
    events = _with_clears_of_levels(events[~zero], path)
    counts["trades"] = int((events["kind"] == EventKind.TRADE).sum())
    return _Day(path, ScaledEvents(events, price.places, size.places), +counts, tuple(findings))


def _kept(rows: HftRows) -> np.ndarray:
    """Rows of the local side, or all when no row has a local time; int64 of shape (m,)."""
    local = rows.local_ns > 0
    return np.flatnonzero((local if local.any() else ~local) & (rows.kind < USER_DEFINED))


def _events(rows: HftRows, kept: np.ndarray, path: Path) -> tuple[np.ndarray, list[Finding]]:
    """Events without prices and sizes, and what was repaired of their clock."""
    kind = rows.kind[kept]
    events = empty_events(len(kept))
    exchange, local = rows.exchange_ns[kept], rows.local_ns[kept]
    no_local = not (local > 0).any()
    known_ns = np.where(exchange > 0, exchange, UNKNOWN_TIME) if no_local else local
    order_ns, repairs = raised_clock(known_ns, "exchange" if no_local else "local", path, kept + 1)
    events["exchange_time_ns"] = order_ns if no_local else np.where(exchange > 0, exchange, UNKNOWN_TIME)
    events["receive_time_ns"] = UNKNOWN_TIME if no_local else order_ns
    for source, target in _KINDS.items():
        events["kind"][kind == source] = target
    events["side"], events["order_id"] = rows.side[kept], rows.order_id[kept]
    events["sequence"] = events["row"] = kept + 1
    trade = kind == HftEvent.TRADE
    message = np.column_stack((exchange, local, trade))
    ends = np.append((np.diff(message, axis=0) != 0).any(axis=1), True)[: len(kept)]
    events["flags"] = (
        np.where(ends | trade, _LAST, 0)
        | np.where(kind == HftEvent.DEPTH_SNAPSHOT, _SNAPSHOT, 0)
        | np.where(trade & (events["side"] != 0), _SIDE_GIVEN, 0)
    )
    return events, repairs


def _with_clears_of_levels(events: np.ndarray, path: Path) -> np.ndarray:
    """Clears of a part of the book as the removals of the levels that are there.

    Raises:
        DataRefused: a clear of one side among order-by-order events, or more levels than a book may hold.
    """
    clears = np.flatnonzero((events["kind"] == EventKind.CLEAR) & (events["side"] != 0))
    if not len(clears):
        return events
    if book_kind(events) is BookKind.ORDERS:
        row = int(events["row"][clears[0]])
        raise DataRefused("clear of one side", path=path, row=row, field="side", allowed="a clear of the whole book")
    book, parts, done = PriceLevelBook(), [], 0
    try:
        for at in map(int, clears):
            before = events[done:at]
            book.apply(before)
            removed = _removals(events[at], book)
            book.apply(removed)
            parts += [before, removed]
            done = at + 1
    except FootprintError as error:
        raise DataRefused(str(error), path=path) from error
    parts.append(events[done:])
    return _with_moved_last(np.concatenate(parts), events[clears])


def _removals(clear: np.void, book: PriceLevelBook) -> np.ndarray:
    side, limit = int(clear["side"]), int(clear["price_ticks"])
    levels = book.levels(side, 1 << 20)[:, 0]
    reached = levels[side * levels >= side * limit] if limit > 0 else levels
    removed = np.repeat(np.asarray(clear), len(reached)).astype(EVENT_DTYPE)
    removed["kind"], removed["size_lots"], removed["price_ticks"] = EventKind.LEVEL, 0, reached
    removed["flags"] = _SNAPSHOT
    return removed


def _with_moved_last(events: np.ndarray, clears: np.ndarray) -> np.ndarray:
    """The end of a message stays marked when the clear that ended it is gone."""
    for clear in clears[clears["flags"] & _LAST != 0]:
        upto = np.searchsorted(events["row"], clear["row"], side="right")
        if upto:
            events["flags"][upto - 1] |= np.uint16(_LAST)
    return events


def _session(day: _Day, opening: Path | None) -> Session:
    name, parts = name_of(day.path), [day.scaled]
    counts = Counter(day.counts)
    if opening is not None:
        parts.insert(0, _opening_book(_read(opening).scaled, day.scaled.events))
        counts["opening_levels"] = len(parts[0].events) - 1
    arrays, tick_size, lot_size = on_one_scale(parts, day.path)
    events = np.concatenate(arrays)
    time_ns = events["receive_time_ns"]
    if (time_ns == UNKNOWN_TIME).all():
        time_ns = events["exchange_time_ns"]
    first_ns, last_ns = int(time_ns[0]), int(time_ns[-1])
    counts["events"] = len(events)
    increment = quote_increment(events["price_ticks"])
    return Session(
        instrument=crypto_instrument(name.symbol, VENUE, tick_size, lot_size, increment),
        day=name.day or datetime.fromtimestamp(first_ns // NS_PER_SECOND, UTC).date(),
        events=events,
        open_ns=first_ns,
        close_ns=last_ns,
        source=SOURCE,
        counts=dict(counts),
        paths=(day.path,) if opening is None else (opening, day.path),
    )


def _opening_book(scaled: ScaledEvents, day: np.ndarray) -> ScaledEvents:
    """The levels of an end-of-day snapshot as the first message of the next day, at the time of its first event."""
    levels = scaled.events[scaled.events["kind"] == EventKind.LEVEL]
    events = np.concatenate((np.zeros(1, EVENT_DTYPE), levels))
    events["kind"][0] = EventKind.CLEAR
    events["exchange_time_ns"] = (
        day["exchange_time_ns"][0] if day["receive_time_ns"][0] == UNKNOWN_TIME else UNKNOWN_TIME
    )
    events["receive_time_ns"] = day["receive_time_ns"][0]
    events["flags"] = _SNAPSHOT
    events["flags"][-1] |= np.uint16(_LAST)
    return ScaledEvents(events, scaled.price_places, scaled.size_places)


def _verdict(path: Path, opening: Path | None, following: Path | None) -> FileVerdict:
    symbol = name_of(path).symbol
    try:
        day = _read(path)
        if name_of(path).end_of_day:
            return FileVerdict(path, SOURCE, symbol, (_end_of_day(following),), dict(day.counts))
        if not len(day.scaled.events):
            raise DataRefused("no rows", path=path, found="rows of the user only", allowed="rows of a feed")
        session = _session(day, opening)
    except DataRefused as error:
        return FileVerdict(path, SOURCE, symbol, (Finding.of_refusal(error),))
    findings = (*day.findings, *_session_findings(session, opening))
    return FileVerdict(path, SOURCE, symbol, findings, session.counts)


def _end_of_day(following: Path | None) -> Finding:
    if following is not None:
        return Finding("end_of_day_snapshot", f"opens the book of {following.name}")
    text = "end-of-day snapshot: of use only with the file of the next day, which is not here"
    return Finding("end_of_day_snapshot", text, voids=tuple(Analysis))


def _session_findings(session: Session, opening: Path | None) -> list[Finding]:
    events, counts = session.events, session.counts
    by_order = book_kind(events) is BookKind.ORDERS
    findings = [Finding("no_venue", "the file names neither venue nor symbol: the symbol is that of the file's name")]
    for code, text in (
        ("exchange_only_rows", "rows exist for the exchange side only: left out"),
        ("user_defined_rows", "rows of events that the user defined: left out"),
        ("zero_size_dropped", "prints of size 0 were dropped"),
    ):
        if counts.get(code):
            findings.append(Finding(code, f"{counts[code]} {text}", counts[code]))
    if not by_order:
        findings.append(Finding("price_levels", "no order ids: queue positions are unknown", voids=(Analysis.QUEUE,)))
    trades = events["kind"] == EventKind.TRADE
    if not trades.any():
        voids = (Analysis.SIGNED_TRADES, Analysis.FORECAST, Analysis.LAW)
        findings.append(Finding("no_trades", "no trades", voids=voids))
    elif (events["side"][trades] == 0).any():
        unsigned = int((events["side"][trades] == 0).sum())
        text = f"{unsigned} prints without a known aggressor"
        findings.append(Finding("unsigned", text, unsigned, voids=(Analysis.SIGNED_TRADES,)))
    if not by_order and not (events["flags"] & _SNAPSHOT).any():
        text = "no snapshot: levels that do not change are unknown"
        findings.append(Finding("no_snapshot", text, voids=(Analysis.BOOK, Analysis.DEPTH)))
    return findings + _book_findings(events[~trades])


def _book_findings(events: np.ndarray) -> list[Finding]:
    last = events["flags"] & _LAST != 0
    if not last.any():
        return [
            Finding("no_mid", "no book: mids are unknown", voids=(Analysis.BOOK, Analysis.DEPTH, Analysis.FORECAST))
        ]
    voids = (Analysis.BOOK, Analysis.DEPTH, Analysis.FORECAST)
    return book_findings(views(events)[last], events["row"][last], "book", voids)
