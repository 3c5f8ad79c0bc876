"""Frames of one venue -> events per symbol, one frame at a time; the file reader and the live recorder both use it.

A frame is used whole or not at all. What its protocol does not allow is quarantined with its bytes, counted, and the
feed goes on.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from footprint.data.feeds.book_sync import MAX_GAPS, BookRules, BookSync, EventRow, Gap, Moment
from footprint.data.feeds.messages import (
    BookMessage,
    ControlMessage,
    Message,
    PositionMessage,
    QuoteMessage,
    TradeMessage,
)
from footprint.data.feeds.sequence import NO_IDS, Missing
from footprint.data.feeds.wire import BadFrame, FrameKind, RawFrame, Sequencing, WireProtocol
from footprint.market.events import EVENT_DTYPE, UNKNOWN_TIME
from footprint.units import NS_PER_SECOND

MAX_QUARANTINED = 1_000  # kept with their bytes; all are counted
MAX_SYMBOLS = 10_000
CLOCK_ALLOWANCE_NS = NS_PER_SECOND  # a print older than the connection by more than this is history, not news

_WRONG_FIELDS = (KeyError, IndexError, TypeError, ValueError, AttributeError, OverflowError, RecursionError)

# after a frame that cannot be used the next one shows whether a book has missed anything; elsewhere nothing would
_SHOWS_HOLES = (Sequencing.RANGE, Sequencing.PREVIOUS, Sequencing.NEXT, Sequencing.CHECKSUM)

SymbolEvents = tuple[str, np.ndarray]


class Quarantined(NamedTuple):
    """A frame that could not be used, with the reason."""

    frame: RawFrame
    reason: str


class FeedReport(NamedTuple):
    """What a feed was like so far.

    Attributes:
        counts: of all symbols and frames, by reason.
        symbols: the same by symbol.
        gaps: holes in the order they were seen.
        quarantined: the first MAX_QUARANTINED frames that could not be used; `counts["quarantined"]` has all.
    """

    counts: dict[str, int]
    symbols: dict[str, dict[str, int]]
    gaps: tuple[Gap, ...]
    quarantined: tuple[Quarantined, ...]


@dataclass
class _Connection:
    channels: dict[str, str] = field(default_factory=dict)
    connected_ns: int = 0
    position: int = -1
    symbols: set[str] = field(default_factory=set)


class Normaliser:
    """One venue's frames, whatever the number of connections; feed CONNECTED and DISCONNECTED frames too."""

    def __init__(self, protocol: WireProtocol, symbols: Iterable[str] | None = None) -> None:
        """`symbols`: what of the feed is wanted, all of it when None."""
        self.protocol = protocol
        self._wanted = None if symbols is None else frozenset(symbol.upper() for symbol in symbols)
        self._rules = BookRules(protocol.sequencing, protocol.by_order, protocol.checksum)
        self._syncs: dict[str, BookSync] = {}
        self._connections: dict[str, _Connection] = {}
        self._counts: Counter[str] = Counter()
        self._quarantined: list[Quarantined] = []
        self._holes: list[Gap] = []

    def take(self, frame: RawFrame) -> list[SymbolEvents]:
        """The events that a frame causes, by symbol, in the order of the venue; EVENT_DTYPE in units of `units`."""
        self._counts["frames"] += 1
        match frame.kind:
            case FrameKind.CONNECTED:
                return self._connected(frame)
            case FrameKind.DISCONNECTED:
                return self._lost(frame)
            case FrameKind.SENT:
                self._counts["sent"] += 1
                return []
        return self._received(frame)

    def units(self, symbol: str) -> tuple[int, int]:
        """Units of price and of size per one: the ticks and lots of this symbol's events.

        Raises:
            KeyError: nothing of this symbol has come.
        """
        sync = self._syncs[symbol]
        return sync.price_units_per_one, sync.size_units_per_one

    def symbols(self) -> list[str]:
        """Instruments of which something has come, sorted."""
        return sorted(self._syncs)

    def needs_snapshot(self) -> list[str]:
        """Instruments whose book waits for a snapshot, sorted."""
        return sorted(symbol for symbol, sync in self._syncs.items() if sync.needs_snapshot)

    def follows(self, symbol: str) -> bool:
        """True while the book of that instrument is good."""
        return symbol in self._syncs and self._syncs[symbol].follows

    def report(self) -> FeedReport:
        """What the feed was like so far."""
        symbols = {symbol: dict(self._syncs[symbol].counts) for symbol in self.symbols()}
        counts = self._counts.copy()
        for mine in symbols.values():
            counts.update(mine)
        found = [*self._holes, *(gap for sync in self._syncs.values() for gap in sync.gaps)]
        gaps = sorted(found, key=lambda gap: (gap.time_ns, gap.row))
        return FeedReport(dict(counts), symbols, tuple(gaps), tuple(self._quarantined))

    def _connected(self, frame: RawFrame) -> list[SymbolEvents]:
        events = self._lost(frame)
        self._connections[frame.origin] = _Connection(connected_ns=frame.time_ns)
        self._counts["connections"] += 1
        return events

    def _lost(self, frame: RawFrame) -> list[SymbolEvents]:
        """Whatever came over this connection may have changed unseen."""
        connection = self._connections.pop(frame.origin, None)
        if connection is None:
            return []
        self._counts["connections_lost"] += 1
        return self._void(connection, "connection lost", frame, restart=True)

    def _void(
        self, connection: _Connection, reason: str, frame: RawFrame, restart: bool, hole: Missing = NO_IDS
    ) -> list[SymbolEvents]:
        when = Moment(frame.time_ns, frame.row)
        lost = ((s, self._syncs[s].lose(reason, when, restart, hole)) for s in sorted(connection.symbols))
        return [(symbol, _pack(rows)) for symbol, rows in lost if rows]

    def _received(self, frame: RawFrame) -> list[SymbolEvents]:
        requested = frame.kind is FrameKind.RESPONSE
        connection = self._connections.setdefault(frame.origin, _Connection()) if not requested else _Connection()
        try:
            messages = [m for m in self.protocol.decode(frame, connection.channels) if self._is_wanted(m)]
            for message in messages:
                if isinstance(message, (BookMessage, TradeMessage, QuoteMessage)):
                    self._sync(message).check(message)
        except BadFrame as error:
            return self._quarantine(frame, _reason(error))
        except _WRONG_FIELDS as error:
            return self._quarantine(frame, f"fields are missing or of another type ({type(error).__name__}: {error})")
        self._counts["responses" if requested else "received"] += 1
        rows: dict[str, list[EventRow]] = {}
        events: list[SymbolEvents] = []
        for message in messages:
            if isinstance(message, PositionMessage):
                if message.sequence <= connection.position:
                    # what it says has been overtaken by later frames
                    self._counts["positions_repeated"] += 1
                    return []
                events += self._position(message, connection, frame)
            else:
                self._dispatch(message, connection, frame, rows)
        return events + [(symbol, _pack(mine)) for symbol, mine in rows.items() if mine]

    def _is_wanted(self, message: Message) -> bool:
        if self._wanted is None or not isinstance(message, (BookMessage, TradeMessage, QuoteMessage)):
            return True
        return message.symbol in self._wanted

    def _dispatch(
        self, message: Message, connection: _Connection, frame: RawFrame, rows: dict[str, list[EventRow]]
    ) -> None:
        when = Moment(frame.time_ns, frame.row)
        match message:
            case ControlMessage(what="restart"):
                if message.text in self._syncs:
                    lost = self._syncs[message.text].lose("restart", when, restart=True)
                    rows.setdefault(message.text, []).extend(lost)
                self._counts["restart"] += 1
                return
            case ControlMessage():
                self._counts[message.what] += 1
                return
            case BookMessage():
                sync = self._sync(message)
                self._belongs(message.symbol, connection, frame.kind is FrameKind.RESPONSE)
                found = sync.book(message, when, frame.kind is FrameKind.RESPONSE)
            case TradeMessage():
                if self._is_history(message, connection):
                    self._counts["past_trade"] += 1
                    return
                found = self._sync(message).trade(message, when)
            case QuoteMessage():
                found = self._sync(message).quote(message, when)
            case _:
                raise AssertionError(message)
        self._count_latency(message.exchange_time_ns, frame)
        rows.setdefault(message.symbol, []).extend(found)

    def _belongs(self, symbol: str, connection: _Connection, requested: bool) -> None:
        """A book is void when its connection is lost; one that was only asked for belongs to every open one."""
        open_ones = list(self._connections.values())
        if not requested:
            connection.symbols.add(symbol)
        elif not any(symbol in owner.symbols for owner in open_ones):
            for owner in open_ones:
                owner.symbols.add(symbol)

    def _is_history(self, message: TradeMessage, connection: _Connection) -> bool:
        """Venues greet a subscriber with prints of before."""
        known = message.exchange_time_ns != UNKNOWN_TIME
        return known and message.exchange_time_ns < connection.connected_ns - CLOCK_ALLOWANCE_NS

    def _count_latency(self, exchange_time_ns: int, frame: RawFrame) -> None:
        if exchange_time_ns != UNKNOWN_TIME and exchange_time_ns > frame.time_ns:
            self._counts["received_before_exchange"] += 1

    def _position(self, message: PositionMessage, connection: _Connection, frame: RawFrame) -> list[SymbolEvents]:
        """A frame that is missing from a connection may have been for any book of it."""
        before = connection.position
        connection.position = max(before, message.sequence)
        if before < 0 or message.sequence == before + 1:
            return []
        hole = Missing(before, message.sequence, max(message.sequence - before - 1, 0))
        if message.sequence <= before:  # late or twice: what it says may be older than the books
            self._counts["frames_out_of_order"] += 1
            return self._void(connection, "frames out of order", frame, restart=False, hole=hole)
        self._counts["frames_missing"] += hole.ids
        if len(self._holes) < MAX_GAPS:
            self._holes.append(Gap("", "missing frames", *hole, frame.row, frame.time_ns))
        return self._void(connection, "missing frames", frame, restart=False, hole=hole)

    def _sync(self, message: BookMessage | TradeMessage | QuoteMessage) -> BookSync:
        sync = self._syncs.get(message.symbol)
        if sync is None:
            if len(self._syncs) >= MAX_SYMBOLS:
                raise BadFrame("too many symbols", message.symbol, f"{MAX_SYMBOLS} in one feed")
            sync = self._syncs[message.symbol] = BookSync(message.symbol, self._rules)
        return sync

    def _quarantine(self, frame: RawFrame, reason: str) -> list[SymbolEvents]:
        self._counts["quarantined"] += 1
        if len(self._quarantined) < MAX_QUARANTINED:
            self._quarantined.append(Quarantined(frame, reason))
        connection = self._connections.get(frame.origin)
        if connection is None or self._rules.sequencing in _SHOWS_HOLES:
            return []
        return self._void(connection, "frame quarantined", frame, restart=False)


def _pack(rows: list[EventRow]) -> np.ndarray:
    return np.array(rows, EVENT_DTYPE)


def _reason(error: BadFrame) -> str:
    text = f"{error.field}: {error.reason}" if error.field else error.reason
    if error.found is not None:
        text += f", found {str(error.found)[:80]!r}"
    return f"{text}, allowed: {error.allowed}" if error.allowed else text
