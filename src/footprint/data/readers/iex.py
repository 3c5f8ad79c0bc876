"""IEX reader: pcap captures of DEEP 1.0 (price levels) and TOPS 1.6 (best quotes), one feed a file.

A session is one symbol on one day of New York. DEEP: 8 and 5 are LEVEL; the book is consistent after one whose event
flag says so, and a trade within a transaction does not end it. TOPS: Q is QUOTE of both sides. T is TRADE without a
side (the feed names none), an AUCTION when it is a cross. H and O are HALT and RESUME: a symbol trades when neither
holds it. The receive time is that of the capture, the exchange time that of the message.

The sequence numbers of a session must follow each other: a jump ahead is a gap. A session that begins at 1 again was
restarted by the sender: the books are empty then, so each symbol's next message comes after a CLEAR. Captures of one
stream that follow each other are one session.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from itertools import groupby
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
from numba import njit

from footprint.book.replay import BookKind, views
from footprint.data.book_findings import ManyBooks
from footprint.data.files.compressed import head
from footprint.data.files.unpacked import Unpacked, changed
from footprint.data.readers.held import SLACK_EVENTS, held_together
from footprint.data.readers.iex_messages import (
    DEEP_1_0,
    LAYOUTS,
    NAMES,
    PROTOCOL_AT,
    PROTOCOLS,
    ROW_DTYPE,
    Fault,
    Stream,
    read_segments,
)
from footprint.data.readers.pcap import Packet, is_pcap, read_payloads
from footprint.data.readers.us_equities import us_equity
from footprint.data.session import Session
from footprint.data.verdict import Analysis, FileVerdict, Finding
from footprint.errors import DataRefused
from footprint.market.events import EVENT_DTYPE, EventFlag, EventKind
from footprint.market.instruments import US_EQUITY_HOURS
from footprint.units import NS_PER_DAY, NS_PER_SECOND

CROSS_FLAG = 0x08  # sale condition of a trade report: single-price cross
EVENT_COMPLETE = 0x01  # event flag of a price level update

_MIN_MESSAGE_BYTES = 12  # with its length
_NEW_YORK = ZoneInfo(US_EQUITY_HOURS.time_zone)
_BUY, _SELL, _QUOTES, _TRADES, _STATUS, _OPERATIONAL = (ord(letter) for letter in "85QTHO")
_OF_A_SYMBOL = (_BUY, _SELL, _QUOTES, _TRADES, _STATUS, _OPERATIONAL)
_SYSTEM = ord("S")
_TRADING, _NOT_HALTED = ord("T"), ord("N")
_REGULAR_OPEN, _REGULAR_CLOSE = ord("R"), ord("M")
_ADD_LEVEL, _QUOTE, _TRADE, _CLEAR = (
    int(kind) for kind in (EventKind.LEVEL, EventKind.QUOTE, EventKind.TRADE, EventKind.CLEAR)
)
_HALT, _RESUME = int(EventKind.HALT), int(EventKind.RESUME)
_LAST, _AUCTION = int(EventFlag.LAST), int(EventFlag.AUCTION)
_REFUSALS = {
    Fault.SEGMENT: ("no IEX-TP segment", "segment", "an IEX-TP 1 segment of whole messages"),
    Fault.PROTOCOL: ("unknown or second feed", "message protocol", ", ".join(PROTOCOLS.values()) + ", one a file"),
    Fault.MESSAGE: ("message too short", "length", "at least the length of its type"),
    Fault.PRICE: ("price or size out of range", "price", "a positive price and size"),
    Fault.CLOCK: ("clock goes back", "capture time", "not before the packet above"),
}
_NO_EVENTS = np.empty(0, EVENT_DTYPE)


@dataclass(slots=True)
class _SlotState:
    """What the loop over messages remembers of each (symbol, day), int64 of shape (slots,)."""

    cursor: np.ndarray
    epoch: np.ndarray
    pending: np.ndarray  # within a transaction of the book
    halted: np.ndarray  # bit 0 by its status, bit 1 for operational reasons

    @classmethod
    def of(cls, slots: int, cursor: int = 0) -> _SlotState:
        return cls(np.full(slots, cursor), np.full(slots, -1), np.zeros(slots, np.int64), np.zeros(slots, np.int64))

    def grow(self, slots: int) -> None:
        if slots > len(self.cursor):
            more = _SlotState.of(slots)
            for name in ("cursor", "epoch", "pending", "halted"):
                old = getattr(self, name)
                getattr(more, name)[: len(old)] = old
                setattr(self, name, getattr(more, name))


@dataclass(slots=True)
class _File:
    """A whole capture, checked and counted.

    Attributes:
        slots: slot of each (symbol, day).
        market: levels, quotes and trades of each slot.
        system_ns: times of each system event, by day and letter.
    """

    path: Path
    stream: np.ndarray = field(default_factory=lambda: np.zeros(len(Stream), np.int64))
    types: np.ndarray = field(default_factory=lambda: np.zeros(256, np.int64))
    passed_over: np.ndarray = field(default_factory=lambda: np.zeros(len(Packet), np.int64))
    slots: dict[tuple[int, int], int] = field(default_factory=dict)
    events: np.ndarray = field(default_factory=lambda: np.zeros(0, np.int64))
    market: np.ndarray = field(default_factory=lambda: np.zeros(0, np.int64))
    system_ns: dict[tuple[int, int], list[int]] = field(default_factory=dict)

    @property
    def feed(self) -> str:
        return PROTOCOLS.get(int(self.stream[Stream.PROTOCOL]), "")


@dataclass(frozen=True, slots=True)
class _Plan:
    """One session to be."""

    symbol: str
    day: date
    path: Path
    slot: int
    events: int


_Part = tuple[_Plan, np.ndarray]


class IexReader:
    """One session per symbol and day."""

    name = "iex"

    def recognise(self, path: Path) -> bool:
        """True for a pcap or pcapng file."""
        return is_pcap(head(path).content)

    def audit(self, paths: Sequence[Path]) -> list[FileVerdict]:
        """One verdict per file."""
        content = Unpacked()
        return [_audit(path, content) for path in paths]

    def sessions(self, paths: Sequence[Path]) -> Iterator[Session]:
        """Sessions in order of symbol and day.

        Raises:
            DataRefused: a file is refused.
        """
        content = Unpacked()
        files = {path: _survey(path, content) for path in paths}
        return _sessions(files, content)


def _audit(path: Path, content: Unpacked) -> FileVerdict:
    try:
        file = _survey(path, content)
    except DataRefused as error:
        return FileVerdict(path, IexReader.name, "", (Finding.of_refusal(error),))
    symbols = ",".join(sorted({plan.symbol for plan in _plans(file)}))
    found = {"messages": int(file.types.sum()), "segments": int(file.stream[Stream.SEGMENTS])}
    found |= {
        f"{NAMES[letter]}_messages": int(file.types[ord(letter)]) for letter in LAYOUTS if file.types[ord(letter)]
    }
    found["trades"] = int(file.types[_TRADES])
    findings = _findings(file) + _book_findings(file, content)
    return FileVerdict(path, IexReader.name, symbols, tuple(findings), found)


def _rows(file: _File, content: Unpacked, stream: np.ndarray, types: np.ndarray) -> Iterator[np.ndarray]:
    """The messages of a capture, ROW_DTYPE, piece by piece.

    Raises:
        DataRefused: a packet or segment that cannot be.
    """
    for payloads in read_payloads(file.path, content):
        rows = np.empty(len(payloads.flat) // _MIN_MESSAGE_BYTES + 1, ROW_DTYPE)
        count, at, fault = read_segments(
            payloads.flat, payloads.start, payloads.length, payloads.time_ns, payloads.row, stream, types, rows
        )
        if fault:
            reason, name, allowed = _REFUSALS[Fault(fault)]
            first = int(payloads.start[at]) + PROTOCOL_AT
            named = int.from_bytes(payloads.flat[first : first + 2].tobytes(), "little")
            found = f"{named:#06x}" if fault == Fault.PROTOCOL else None
            row = int(payloads.row[at])
            raise DataRefused(reason, path=file.path, row=row, field=name, found=found, allowed=allowed)
        if types is file.types:
            file.passed_over += payloads.passed_over
        yield rows[:count]


def _survey(path: Path, content: Unpacked) -> _File:
    """Check and count a whole capture.

    Raises:
        DataRefused: as `_rows`; or no message at all.
    """
    file = _File(path)
    state = _SlotState.of(0)
    deep = None
    for rows in _rows(file, content, file.stream, file.types):
        deep = file.stream[Stream.PROTOCOL] == DEEP_1_0
        slots = _slots(rows, file)
        state.grow(len(file.slots))
        market = np.isin(rows["type"], (_BUY, _SELL, _QUOTES, _TRADES))
        file.market = _added(file.market, slots[market], len(file.slots))
        _write(rows, slots, deep, state.cursor, state.epoch, state.pending, state.halted, _NO_EVENTS)
        _see_hours(rows, file)
    if deep is None or not file.stream[Stream.SEGMENTS]:
        raise DataRefused("no IEX-TP segment", path=path, allowed="a capture of DEEP 1.0 or TOPS 1.6")
    file.events = state.cursor
    return file


def _added(counts: np.ndarray, slots: np.ndarray, length: int) -> np.ndarray:
    more = np.bincount(slots, minlength=length)
    more[: len(counts)] += counts
    return more


def _slots(rows: np.ndarray, file: _File) -> np.ndarray:
    """Slot of each message, int64 of shape (n,), -1 for one without a symbol; new slots are entered into the file.

    Raises:
        DataRefused: a symbol that is no text.
    """
    slots = np.full(len(rows), -1)
    days = _days(rows["exchange_time_ns"])
    for day in np.unique(days).tolist():
        mine = np.flatnonzero((days == day) & ((rows["symbol"] != 0) | np.isin(rows["type"], _OF_A_SYMBOL)))
        found, inverse = np.unique(rows["symbol"][mine], return_inverse=True)
        known = []
        for symbol in found.tolist():
            if not _text(symbol).isprintable() or "," in _text(symbol) or not _text(symbol):
                row = int(rows["row"][mine[np.argmax(rows["symbol"][mine] == symbol)]])
                raise DataRefused(
                    "unreadable symbol", path=file.path, row=row, field="symbol", found=_text(symbol),
                    allowed="letters and signs",
                )  # fmt: skip
            known.append(file.slots.setdefault((symbol, day), len(file.slots)))
        slots[mine] = np.array(known, np.int64)[inverse]
    return slots


def _days(time_ns: np.ndarray) -> np.ndarray:
    """Ordinal of the day in New York of each time; a day's offset from UTC is that at its noon."""
    if not len(time_ns):
        return np.zeros(0, np.int64)
    guess = time_ns // NS_PER_DAY
    days = np.empty(len(time_ns), np.int64)
    for value in np.unique(guess).tolist():
        noon = datetime.fromtimestamp(int(value) * NS_PER_DAY // NS_PER_SECOND + 43_200, UTC)
        offset = noon.astimezone(_NEW_YORK).utcoffset()
        assert offset is not None
        mine = guess == value
        days[mine] = (time_ns[mine] + int(offset.total_seconds()) * NS_PER_SECOND) // NS_PER_DAY
    return days


def _see_hours(rows: np.ndarray, file: _File) -> None:
    system = rows[rows["type"] == _SYSTEM]
    for day, row in zip(_days(system["exchange_time_ns"]).tolist(), system, strict=True):
        file.system_ns.setdefault((day, int(row["flags"])), []).append(int(row["exchange_time_ns"]))


def _text(symbol: int) -> str:
    return symbol.to_bytes(8, "little").decode("latin-1").rstrip(" \0").upper()


def _plans(file: _File) -> list[_Plan]:
    """Sessions of symbols that have a level, a quote or a trade."""
    return [
        _Plan(_text(symbol), date.fromordinal(day + date(1970, 1, 1).toordinal()), file.path, slot, int(events))
        for (symbol, day), slot in file.slots.items()
        if file.market[slot] and (events := file.events[slot])
    ]


def _sessions(files: Mapping[Path, _File], content: Unpacked) -> Iterator[Session]:
    plans = [plan for file in files.values() for plan in _plans(file)]
    plans.sort(key=lambda plan: (plan.symbol, plan.day, str(plan.path)))
    parts = (
        (plan, events)
        for group in held_together(plans)
        for plan, events in zip(group, _written(group, files, content), strict=True)
    )
    for (symbol, day), same in groupby(parts, key=lambda part: (part[0].symbol, part[0].day)):
        for joined in _joined(list(same), files):
            held = [files[plan.path] for plan, _ in joined]
            arrays = [events for _, events in joined]
            yield _session(symbol, day, np.concatenate(arrays) if len(arrays) > 1 else arrays[0], held)


def _joined(parts: list[_Part], files: Mapping[Path, _File]) -> list[list[_Part]]:
    """Parts of one symbol and day by what follows what: later captures of the same stream that do not overlap.

    The sequence numbers say what is missing between two captures, as they do within one.
    """
    chains: list[list[_Part]] = []
    for plan, events in sorted(parts, key=lambda part: int(part[1]["receive_time_ns"][0])):
        if chains:
            before, earlier = chains[-1][-1]
            streams = [files[p].stream[[Stream.PROTOCOL, Stream.SESSION]].tolist() for p in (before.path, plan.path)]
            later = (events[name][0] > earlier[name][-1] for name in ("sequence", "receive_time_ns"))
            if streams[0] == streams[1] and all(later):
                chains[-1].append((plan, events))
                continue
        chains.append([(plan, events)])
    return chains


def _written(group: Sequence[_Plan], files: Mapping[Path, _File], content: Unpacked) -> list[np.ndarray]:
    """The events of each session of a group, views of one array."""
    events = np.empty(sum(plan.events for plan in group) + SLACK_EVENTS, EVENT_DTYPE)
    ends = np.cumsum([plan.events for plan in group]).tolist()
    for path in dict.fromkeys(plan.path for plan in group):
        file = files[path]
        state = _SlotState.of(len(file.slots), -1)
        for plan, end in zip(group, ends, strict=True):
            if plan.path == path:
                state.cursor[plan.slot] = end - plan.events
        _write_file(file, state, events, content)
    arrays = [events[end - plan.events : end] for plan, end in zip(group, ends, strict=True)]
    for array in arrays:
        array["flags"][-1] |= EventFlag.LAST  # a capture may end within a transaction
    return arrays


def _write_file(file: _File, state: _SlotState, events: np.ndarray, content: Unpacked) -> None:
    deep = file.stream[Stream.PROTOCOL] == DEEP_1_0
    stream, types = np.zeros(len(Stream), np.int64), np.zeros(256, np.int64)
    for rows in _rows(file, content, stream, types):
        slots = _slots(rows, file)
        if len(file.slots) > len(state.cursor):
            raise changed(file.path)
        _write(rows, slots, deep, state.cursor, state.epoch, state.pending, state.halted, events)


@njit(cache=True)
def _write(  # type: ignore[no-untyped-def]
    rows, slots, deep, cursors, epochs, pending, halted, events
) -> None:
    """Write the events of messages, or only move the cursors on when `events` is of length 0."""
    writes = len(events) > 0
    for i in range(len(rows)):
        slot, row = slots[i], rows[i]
        if slot < 0 or cursors[slot] < 0 or (writes and cursors[slot] + SLACK_EVENTS > len(events)):
            continue
        at, letter = cursors[slot], row.type
        known = epochs[slot]
        epochs[slot] = row.epoch
        if known >= 0 and known != row.epoch:
            if writes:
                _put(events[at], row, _CLEAR, 0, 0, 0, _LAST)
            at += 1
            pending[slot] = halted[slot] = 0
        if letter in (_BUY, _SELL):
            ends = row.flags & EVENT_COMPLETE
            pending[slot] = 0 if ends else 1
            if writes:
                side = 1 if letter == _BUY else -1
                _put(events[at], row, _ADD_LEVEL, side, row.price, row.size, _LAST if ends else 0)
            at += 1
        elif letter == _QUOTES:
            if writes:
                _put(events[at], row, _QUOTE, 1, row.price, row.size, 0)
                _put(events[at + 1], row, _QUOTE, -1, row.ask_price, row.ask_size, _LAST)
            at += 2
        elif letter == _TRADES:
            if writes:
                flags = (0 if deep and pending[slot] else _LAST) | (_AUCTION if row.flags & CROSS_FLAG else 0)
                _put(events[at], row, _TRADE, 0, row.price, row.size, flags)
            at += 1
        elif letter in (_STATUS, _OPERATIONAL):
            bit = 1 if letter == _STATUS else 2
            free = row.flags == (_TRADING if letter == _STATUS else _NOT_HALTED)
            halted[slot] = halted[slot] & ~bit if free else halted[slot] | bit
            if writes:
                _put(events[at], row, _HALT if halted[slot] else _RESUME, 0, 0, 0, _LAST)
            at += 1
        cursors[slot] = at


@njit(cache=True)
def _put(e, row, kind, side, price, size, flags) -> None:  # type: ignore[no-untyped-def]  # numba records
    e.exchange_time_ns, e.receive_time_ns = row.exchange_time_ns, row.receive_time_ns
    e.kind, e.side, e.flags = kind, side, flags
    e.price_ticks, e.size_lots, e.order_id = price, size, np.uint64(0)
    e.sequence, e.row = row.sequence, row.row


def _session(symbol: str, day: date, events: np.ndarray, files: Sequence[_File]) -> Session:
    opened, closed = _hours(day, files)
    kinds = np.bincount(events["kind"], minlength=len(EventKind) + 1)
    counts = {"events": len(events)} | {
        name: int(kinds[kind])
        for name, kind in {
            "trades": EventKind.TRADE,
            "levels": EventKind.LEVEL,
            "quotes": EventKind.QUOTE,
            "clears": EventKind.CLEAR,
            "halts": EventKind.HALT,
        }.items()
    }
    instrument = us_equity(symbol, "IEX")
    paths = tuple(file.path for file in files)
    return Session(instrument, day, events, opened, closed, IexReader.name, counts, paths)


def _hours(day: date, files: Sequence[_File]) -> tuple[int, int]:
    """Regular hours as the system events say when they come once, else the usual ones, ns UTC."""
    number = day.toordinal() - date(1970, 1, 1).toordinal()
    opened, closed = (
        [time_ns for file in files for time_ns in file.system_ns.get((number, letter), [])]
        for letter in (_REGULAR_OPEN, _REGULAR_CLOSE)
    )
    if len(opened) == len(closed) == 1 and opened[0] < closed[0]:
        return opened[0], closed[0]
    return US_EQUITY_HOURS.on(day)


def _findings(file: _File) -> list[Finding]:
    stream, deep = file.stream, file.stream[Stream.PROTOCOL] == DEEP_1_0
    findings = [
        Finding(
            "no_orders" if deep else "top_of_book",
            f"{file.feed}: " + ("price levels, no orders" if deep else "best quotes only"),
            voids=(Analysis.QUEUE,) if deep else (Analysis.QUEUE, Analysis.DEPTH),
        ),
        Finding("no_aggressor", "trade reports name no aggressor", voids=(Analysis.SIGNED_TRADES,)),
    ]
    book = (Analysis.BOOK, Analysis.DEPTH) if deep else ()
    for stat, code, text, voids in (
        (
            Stream.GAPS,
            "gap",
            f"jumps ahead in the sequence numbers: {stream[Stream.MISSING]} messages are missing",
            book,
        ),
        (Stream.RESTARTS, "restart", "times the sender began again at 1: the books are empty from there", ()),
        (Stream.DUPLICATES, "duplicates", "messages came again (dropped)", ()),
        (Stream.UNKNOWN, "unknown_messages", "messages of unknown type (dropped)", ()),
    ):
        count = int(stream[stat])
        if count:
            findings.append(Finding(code, f"{count} {text}", count, voids=voids))
    for packet, text in (
        (Packet.CUT, "packets captured in part (dropped)"),
        (Packet.FRAGMENT, "fragments of packets (dropped)"),
        (Packet.OTHER, "packets that are not IPv4 UDP (dropped)"),
    ):
        count = int(file.passed_over[packet])
        if count:
            voids = book if packet is not Packet.OTHER else ()
            findings.append(Finding(f"{packet.name.lower()}_packets", f"{count} {text}", count, voids=voids))
    breaks = int(file.types[ord("B")])
    if breaks:
        findings.append(Finding("broken_trades", f"{breaks} trades were broken later (kept)", breaks))
    if not _plans(file):
        findings.append(Finding("no_events", "no symbol has a level, a quote or a trade", voids=tuple(Analysis)))
    return findings


def _book_findings(file: _File, content: Unpacked) -> list[Finding]:
    """What the replayed books show, all symbols together."""
    books = ManyBooks((Analysis.BOOK, Analysis.DEPTH, Analysis.FORECAST))
    for session in _sessions({file.path: file}, content):
        events = session.events
        if np.isin(events["kind"], (_ADD_LEVEL, _QUOTE)).any():
            last = events["flags"] & _LAST != 0
            books.add(views(events, BookKind.LEVELS)[last], events["row"][last], session.instrument.symbol)
    return books.findings()
