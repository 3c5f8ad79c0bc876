"""NASDAQ TotalView-ITCH 5.0 reader: files of messages, each preceded by its length in two bytes (BinaryFILE).

A file holds a day of a whole market, some 300 million messages of 8,000 stocks, and says neither the date (its name
does) nor anything twice: an execution names an order by reference only. So a file is read several times, piece by
piece: a survey checks every message and counts the events of each stock, then the stocks are written in groups of at
most MAX_HELD_EVENTS, one pass a group. What is held is one group of events and the orders that rest at the same time.

A and F are ADD; E and C are FILL, then TRADE at the price of the execution (no TRADE when the tape does not show it);
X is CANCEL, D is DELETE, U is DELETE and ADD: the new order loses its place. P is a hidden TRADE without a side (the
feed says "buy" for all), Q an auction TRADE. H and h are HALT and RESUME. Messages on orders that do not rest make no
event and are counted. Times are exchange times; the file does not say when anything was received.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import NamedTuple

import numpy as np

from footprint.book.replay import BookKind, views
from footprint.data.book_findings import ManyBooks
from footprint.data.files.compressed import head
from footprint.data.files.unpacked import Unpacked
from footprint.data.readers.held import SLACK_EVENTS, held_together
from footprint.data.readers.itch_kernels import (
    LOCATES,
    Count,
    Fault,
    Progress,
    new_orders,
    new_progress,
    rehash,
    survey_messages,
    write_messages,
)
from footprint.data.readers.itch_messages import LAYOUTS, LENGTH_BYTES, NAMES
from footprint.data.readers.us_equities import us_equity
from footprint.data.session import Session
from footprint.data.verdict import Analysis, FileVerdict, Finding
from footprint.errors import DataRefused
from footprint.market.events import EVENT_DTYPE, EventFlag
from footprint.market.instruments import US_EQUITY_HOURS
from footprint.units import NS_PER_SECOND

MAX_UNKNOWN_SHARE = 0.05  # beyond this the file does not begin with the day and its books are wrong

# 01302019.NASDAQ_ITCH50.gz, 20190730.BX_ITCH_50.gz, S013019-v50.txt.gz, and any name with 2019-01-30 in it
NAME_PATTERNS = (
    r"(?P<year>\d{4})-(?P<month>\d\d)-(?P<day>\d\d)",
    r"(?<!\d)(?P<year>20\d\d)(?P<month>\d\d)(?P<day>\d\d)(?!\d)",
    r"(?<!\d)(?P<month>\d\d)(?P<day>\d\d)(?P<year>20\d\d)(?!\d)",
    r"S(?P<month>\d\d)(?P<day>\d\d)(?P<year>\d\d)-v50",
)
_ITCH_NAME = re.compile(r".*(ITCH_?50|-v50\.txt).*", re.IGNORECASE)
_MARKETS = {"NASDAQ": "Q", "BX": "B", "PSX": "X"}  # letters in operational halts
_LONGEST = max(layout.itemsize for layout in LAYOUTS.values()) + LENGTH_BYTES
_RECOGNISED_MESSAGES = 3
_SMALLEST_TABLE = 1 << 12
_OPEN, _CLOSE, _END = ord("Q"), ord("M"), ord("C")  # system events: regular hours begin and end, end of messages
_REFUSALS = {
    Fault.TYPE: ("unknown message type", "type", "".join(LAYOUTS)),
    Fault.LENGTH: ("wrong message length", "length", "the length of the type"),
    Fault.CLOCK: ("clock goes back", "timestamp", "not before the message above"),
    Fault.SIDE: ("unknown side", "side", "B or S"),
    Fault.SHARES: ("size not positive", "shares", "more than 0"),
    Fault.PRICE: ("price out of range", "price", "0.0001 to 200000.0000"),
    Fault.PRINTABLE: ("unknown printable flag", "printable", "Y or N"),
    Fault.AFTER_END: ("data after the end of the session", "length", "nothing"),
}


class _Listing(NamedTuple):
    """One stock of one file."""

    symbol: str
    path: Path
    locate: int
    events: int


@dataclass(frozen=True, slots=True)
class _File:
    """A whole file, checked and counted."""

    path: Path
    day: date
    venue: str
    progress: Progress

    @property
    def market(self) -> int:
        return ord(_MARKETS[self.venue])


@dataclass(frozen=True, slots=True)
class ItchReader:
    """One session per stock and file.

    Attributes:
        name_patterns: regular expressions with groups year, month and day, tried in turn on the name of a file.
    """

    name_patterns: tuple[str, ...] = NAME_PATTERNS

    @property
    def name(self) -> str:
        """The format."""
        return "itch"

    def recognise(self, path: Path) -> bool:
        """True when the content begins with messages or the name is NASDAQ's: a damaged beginning is for the audit."""
        return _ITCH_NAME.fullmatch(path.name) is not None or _begins_with_messages(head(path).content)

    def audit(self, paths: Sequence[Path]) -> list[FileVerdict]:
        """One verdict per file."""
        content = Unpacked()
        return [self._audit(path, content) for path in paths]

    def sessions(self, paths: Sequence[Path]) -> Iterator[Session]:
        """Sessions in order of symbol and day.

        Raises:
            DataRefused: a file is refused.
        """
        content = Unpacked()
        files = {path: self._survey(path, content) for path in paths}
        return _sessions(files, content)

    def _audit(self, path: Path, content: Unpacked) -> FileVerdict:
        try:
            file = self._survey(path, content)
        except DataRefused as error:
            return FileVerdict(path, self.name, "", (Finding.of_refusal(error),))
        books = ManyBooks((Analysis.BOOK, Analysis.DEPTH, Analysis.FORECAST))
        for session in _sessions({path: file}, content):
            last = session.events["flags"] & EventFlag.LAST != 0
            seen = views(session.events, BookKind.ORDERS)[last]
            books.add(seen, session.events["row"][last], session.instrument.symbol)
        symbols = ",".join(sorted(listing.symbol for listing in _listings(file)))
        findings = _findings(file) + books.findings()
        return FileVerdict(path, self.name, symbols, tuple(findings), _file_counts(file))

    def _survey(self, path: Path, content: Unpacked) -> _File:
        """Check and count a whole file.

        Raises:
            DataRefused: no date in the name, or a message that cannot be; the text names it.
        """
        file = _File(path, self._day(path), _venue(path.name), new_progress())
        for piece in _pieces(content.chunks(path), path, file.progress):
            used, fault = survey_messages(piece.flat, file.progress, file.market)
            if fault:
                raise _refusal(Fault(fault), piece.flat[used:], file)
            piece.used = used
        _check_symbols(file)
        return file

    def _day(self, path: Path) -> date:
        for pattern in self.name_patterns:
            match = re.search(pattern, path.name)
            if match:
                year = int(match["year"])
                try:
                    return date(year if year > 99 else 2000 + year, int(match["month"]), int(match["day"]))
                except ValueError:
                    continue
        raise DataRefused(
            "no date in the file name", path=path, field="name", found=path.name,
            allowed="such as 01302019.NASDAQ_ITCH50, S013019-v50.txt or 2019-01-30.itch",
        )  # fmt: skip


@dataclass(slots=True)
class _Piece:
    """Bytes that begin with the length of a message; whoever reads them says how many were used."""

    flat: np.ndarray
    used: int = 0


def _pieces(chunks: Iterator[bytes], path: Path, progress: Progress | None = None) -> Iterator[_Piece]:
    """Pieces of a file that begin where the last one was used up.

    Raises:
        DataRefused: the file ends within a message.
    """
    rest = b""
    for chunk in chunks:
        body = memoryview(chunk)
        if rest:
            # the message across the end of the last chunk goes alone, so that the chunk is not copied for its sake
            piece = _Piece(np.frombuffer(rest + bytes(body[:_LONGEST]), np.uint8))
            yield piece
            if piece.used < len(rest):
                rest = piece.flat[piece.used :].tobytes() + bytes(body[_LONGEST:])
                continue
            body = body[piece.used - len(rest) :]
            rest = b""
        if len(body):
            piece = _Piece(np.frombuffer(body, np.uint8))
            yield piece
            rest = bytes(body[piece.used :])
    if rest:
        row = int(progress.state[0]) + 1 if progress else None
        raise DataRefused(
            "truncated message", path=path, row=row, found=f"{len(rest)} bytes", allowed="a whole message"
        )


def _sessions(files: Mapping[Path, _File], content: Unpacked) -> Iterator[Session]:
    listings = [listing for file in files.values() for listing in _listings(file)]
    listings.sort(key=lambda listing: (listing.symbol, files[listing.path].day, str(listing.path)))
    for group in held_together(listings):
        for listing, events, trades in _written(group, files, content):
            if len(events):
                yield _session(listing, events, trades, files[listing.path])


def _listings(file: _File) -> list[_Listing]:
    """The stocks of a file that have orders or prints."""
    counts = file.progress.counts
    return [
        _Listing(_symbol(file, locate), file.path, locate, int(counts[locate, Count.EVENTS]))
        for locate in np.flatnonzero(counts[:, Count.ORDERS]).tolist()
    ]


def _written(
    group: Sequence[_Listing], files: Mapping[Path, _File], content: Unpacked
) -> Iterator[tuple[_Listing, np.ndarray, int]]:
    """The events of each stock of a group and how many of them are trades; views of one array."""
    events = np.empty(sum(listing.events for listing in group) + SLACK_EVENTS, EVENT_DTYPE)
    ends: dict[tuple[Path, int], int] = {}
    starts: dict[tuple[Path, int], int] = {}
    first = 0
    for path in {listing.path for listing in group}:
        cursors = np.full(LOCATES, -1)
        mine = [listing for listing in group if listing.path == path]
        for listing in mine:
            cursors[listing.locate] = starts[path, listing.locate] = first
            first += listing.events
        _write_file(files[path], cursors, events, content)
        ends |= {(path, listing.locate): int(cursors[listing.locate]) for listing in mine}
    for listing in group:
        place = listing.path, listing.locate
        trades = int(files[listing.path].progress.counts[listing.locate, Count.TRADES])
        yield listing, events[starts[place] : ends[place]], trades


def _write_file(file: _File, cursors: np.ndarray, events: np.ndarray, content: Unpacked) -> None:
    midnight_ns = US_EQUITY_HOURS.on(file.day)[0] - US_EQUITY_HOURS.open_s * NS_PER_SECOND
    orders, live, row = new_orders(_SMALLEST_TABLE), 0, 0
    counts = file.progress.counts
    for stat in (Count.UNKNOWN, Count.OVERSIZED, Count.NOT_PRINTED, Count.TRADES, Count.REUSED):
        counts[cursors >= 0, stat] = 0
    for piece in _pieces(content.chunks(file.path), file.path):
        full = 1
        while full:
            used, live, row, full = write_messages(
                piece.flat[piece.used :], midnight_ns, file.market, cursors, orders, live, row, counts, events
            )
            piece.used += used
            if full:
                larger = new_orders(2 * len(orders))
                rehash(orders, larger)
                orders = larger
        if not _more(piece.flat[piece.used :]):
            return


def _more(rest: np.ndarray) -> bool:
    """False at the mark of the end of the session."""
    return len(rest) < LENGTH_BYTES or bool(rest[:LENGTH_BYTES].any())


def _session(listing: _Listing, events: np.ndarray, trades: int, file: _File) -> Session:
    counts = file.progress.counts[listing.locate]
    named = {
        "events": len(events),
        "trades": trades,
        "unknown_orders_dropped": int(counts[Count.UNKNOWN]),
        "oversized": int(counts[Count.OVERSIZED]),
        "not_printed": int(counts[Count.NOT_PRINTED]),
        "reused_references_dropped": int(counts[Count.REUSED]),
        "broken_trades": int(counts[Count.BROKEN]),
        "round_lot_size": int(counts[Count.ROUND_LOT]),
    }
    opened, closed = _hours(file)
    instrument = us_equity(listing.symbol, file.venue)
    kept = {name: count for name, count in named.items() if count or name in ("events", "trades")}
    return Session(instrument, file.day, events, opened, closed, "itch", kept, (file.path,))


def _hours(file: _File) -> tuple[int, int]:
    """Regular hours as the system events say, else the usual ones, ns UTC."""
    opened, closed = US_EQUITY_HOURS.on(file.day)
    midnight_ns = opened - US_EQUITY_HOURS.open_s * NS_PER_SECOND
    said = file.progress.system_ns[[_OPEN, _CLOSE]]
    if 0 <= said[0] < said[1]:
        return midnight_ns + int(said[0]), midnight_ns + int(said[1])
    return opened, closed


def _symbol(file: _File, locate: int) -> str:
    packed = int(file.progress.counts[locate, Count.SYMBOL]) & ((1 << 64) - 1)
    return packed.to_bytes(8, "big").decode("latin-1").rstrip(" \0").upper() or f"LOCATE-{locate}"


def _check_symbols(file: _File) -> None:
    for listing in _listings(file):
        if not re.fullmatch(r"[!-+\--~]+", listing.symbol):
            raise DataRefused(
                "unreadable symbol", path=file.path, field="stock", found=listing.symbol, allowed="letters and signs"
            )


def _venue(name: str) -> str:
    return next((venue for venue in ("PSX", "BX") if f"{venue}_ITCH" in name.upper()), "NASDAQ")


def _begins_with_messages(content: bytes) -> bool:
    at = found = 0
    while at + LENGTH_BYTES < len(content) and found < _RECOGNISED_MESSAGES:
        length = int.from_bytes(content[at : at + LENGTH_BYTES], "big")
        layout = LAYOUTS.get(chr(content[at + LENGTH_BYTES]))
        if layout is None or layout.itemsize != length:
            return False
        at += LENGTH_BYTES + length
        found += 1
    return found > 0


def _refusal(fault: Fault, flat: np.ndarray, file: _File) -> DataRefused:
    reason, field, allowed = _REFUSALS[fault]
    row = int(file.progress.state[0]) + 1
    found: object = bytes(flat[LENGTH_BYTES : LENGTH_BYTES + 1])
    if fault in (Fault.LENGTH, Fault.AFTER_END):
        found = int.from_bytes(bytes(flat[:LENGTH_BYTES]), "big")
    elif fault is not Fault.TYPE:
        found = f"message {chr(flat[LENGTH_BYTES])}"
    return DataRefused(reason, path=file.path, row=row, field=field, found=found, allowed=allowed)


def _file_counts(file: _File) -> dict[str, int]:
    types, counts = file.progress.types, file.progress.counts
    found = {"messages": int(file.progress.state[0]), "stocks": len(_listings(file))}
    found |= {f"{NAMES[letter]}_messages": int(types[ord(letter)]) for letter in LAYOUTS if types[ord(letter)]}
    found["trades"] = int(counts[:, Count.TRADES].sum())
    return found


def _findings(file: _File) -> list[Finding]:
    counts, types = file.progress.counts, file.progress.types
    findings = [
        Finding("no_receive_time", "exchange time only: latency cannot be measured", voids=(Analysis.LATENCY,)),
    ]
    if not _listings(file):
        findings.append(Finding("no_events", "no stock has an order or a print", voids=tuple(Analysis)))
    if file.progress.system_ns[_END] < 0:
        findings.append(Finding("no_end_of_messages", "the file ends before the system event that ends the day"))
    named = int(types[[ord(letter) for letter in "ECXDU"]].sum())
    findings += _counted(
        counts[:, Count.UNKNOWN], "unknown_orders", f"of {named} messages name orders that do not rest (dropped)",
        MAX_UNKNOWN_SHARE * named,
    )  # fmt: skip
    findings += _counted(counts[:, Count.OVERSIZED], "oversized", "executions or cancels of more than is left", 0)
    findings += _counted(counts[:, Count.REUSED], "reused_references", "orders added while they rest (dropped)", 0)
    other = counts[:, Count.OTHER_SYMBOL]
    findings += _counted(other, "second_symbol", "messages give a stock locate another symbol", 0)
    for stat, code, text in (
        (Count.NOT_PRINTED, "not_printed", "executions are not printed: no trade"),
        (Count.BROKEN, "broken_trades", "trades were broken later (kept)"),
        (Count.HALTS, "halt", "trading halts"),
    ):
        total = int(counts[:, stat].sum())
        if total:
            findings.append(Finding(code, f"{total} {text}", total))
    hidden = int(types[ord("P")])
    if hidden:
        findings.append(Finding("hidden_trades", f"{hidden} hidden prints: their side is not known", hidden))
    return findings


def _counted(column: np.ndarray, code: str, text: str, allowed: float) -> list[Finding]:
    """A finding on orders that do not add up; books are void beyond the allowed count, queues from the first."""
    total = int(column.sum())
    if not total:
        return []
    voids = (Analysis.QUEUE, *((Analysis.BOOK, Analysis.DEPTH) if total > allowed else ()))
    return [Finding(code, f"{total} {text}", total, voids=voids)]
