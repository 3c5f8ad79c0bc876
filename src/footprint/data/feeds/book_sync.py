"""One symbol of a feed: book messages and prints in, events out, every hole noticed.

While no snapshot is there updates are held. After a hole the book is void: HALT, CLEAR, RESUME, and nothing more of it
until the next snapshot, which is CLEAR and the levels, all flagged SNAPSHOT. Updates that were held for a snapshot
become events when it arrives, with its receive time: nobody could have used them earlier.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import NamedTuple

from footprint.data.feeds.levels import LevelBook, Order, OrderBook
from footprint.data.feeds.messages import (
    PRICE_UNITS_PER_ONE,
    SIZE_UNITS_PER_ONE,
    BookMessage,
    Level,
    QuoteMessage,
    TradeMessage,
)
from footprint.data.feeds.sequence import NO_IDS, UNKNOWN, Missing, Sequencer, Step
from footprint.data.feeds.wire import CHECKED_LEVELS, BadFrame, Sequencing
from footprint.market.events import EventFlag, EventKind

MAX_GAPS = 10_000  # listed one by one; all are counted

_LAST, _SNAPSHOT, _SIDE_GIVEN = int(EventFlag.LAST), int(EventFlag.SNAPSHOT), int(EventFlag.SIDE_GIVEN)
_ADD, _MODIFY, _DELETE, _FILL = (
    int(EventKind.ADD),
    int(EventKind.MODIFY),
    int(EventKind.DELETE),
    int(EventKind.FILL),
)
_LEVEL, _QUOTE, _TRADE = int(EventKind.LEVEL), int(EventKind.QUOTE), int(EventKind.TRADE)
_CLEAR, _HALT, _RESUME = int(EventKind.CLEAR), int(EventKind.HALT), int(EventKind.RESUME)
_MAX_INT64 = (1 << 63) - 1
COARSE_PRICE_UNITS = 100_000_000
_FINE_BELOW = PRICE_UNITS_PER_ONE // 100  # prices under 0.01 are quoted with more than 8 decimals
_HUGE_SIZES_BELOW = PRICE_UNITS_PER_ONE // 1_000_000  # what costs less is traded in thousands of millions
_COARSE_SIZES = 10_000

EventRow = tuple[int, int, int, int, int, int, int, int, int, int]  # one event in the order of EVENT_DTYPE


class Gap(NamedTuple):
    """A hole in one feed.

    Attributes:
        reason: "missing ids", "out of order", "checksum", "connection lost", "missing frames", "frames out of order",
            "frame quarantined", "restart".
        from_id, to_id: the last id before and the first after, UNKNOWN where there is none.
        missing: how many ids are missing, UNKNOWN where the venue's ids are not consecutive.
        row, time_ns: frame that showed it and its receive time.
    """

    symbol: str
    reason: str
    from_id: int
    to_id: int
    missing: int
    row: int
    time_ns: int


class BookRules(NamedTuple):
    """What of a protocol the books need; see `wire.WireProtocol`."""

    sequencing: Sequencing
    by_order: bool
    checksum: Callable[[Sequence[str], Sequence[str]], int]


class Moment(NamedTuple):
    """Where and when a frame came."""

    receive_ns: int
    row: int


class BookSync:
    """The state of one symbol.

    Attributes:
        counts: what was seen, by reason.
        gaps: the first MAX_GAPS holes; `counts["gaps"]` has all.
    """

    def __init__(self, symbol: str, rules: BookRules) -> None:
        self.symbol = symbol
        self.counts: Counter[str] = Counter()
        self.gaps: list[Gap] = []
        self._rules = rules
        self._divisor = 0  # units of the messages (1e-12) in one unit of the events; 0 before the first price
        self._size_divisor = 1  # the same for sizes (1e-8)
        self._sequencer = Sequencer(rules.sequencing)
        self._levels = LevelBook()
        self._orders = OrderBook()
        self._named: dict[int, tuple[int, int]] = {}  # BitMEX: id of a level -> side, price
        self._level_ids: dict[tuple[int, int], int] = {}  # newest id of each price, where entries are numbered
        self._oldest_entry = UNKNOWN  # entries up to this id are in the snapshot
        self._crossed = False
        self._wanted = False
        self._last_snapshot: BookMessage | None = None

    @property
    def needs_snapshot(self) -> bool:
        """True when updates have come, or a book was lost, and no snapshot that joins is there."""
        return self._wanted and not self._sequencer.joined

    @property
    def follows(self) -> bool:
        """True while the book is good."""
        return self._sequencer.joined

    @property
    def price_units_per_one(self) -> int:
        """Price units of the events: 1e-8, or 1e-12 when the first price is under 0.01 (int64 holds 9.2e6 of those)."""
        return PRICE_UNITS_PER_ONE // self._divisor if self._divisor else COARSE_PRICE_UNITS

    @property
    def size_units_per_one(self) -> int:
        """Size units of the events: 1e-8, or 1e-4 when the first price is under 1e-6 (int64 holds 9.2e14 of those)."""
        return SIZE_UNITS_PER_ONE // self._size_divisor

    def check(self, message: BookMessage | TradeMessage | QuoteMessage) -> None:
        """Refuse a message before anything of it is used.

        Raises:
            BadFrame: a price is finer than the unit of this symbol's events, or a value does not fit 64 bits.
        """
        match message:
            case BookMessage(levels=levels):
                values = [(level.price, level.size) for level in levels]
            case TradeMessage(price=price, size=size):
                values = [(price, size)]
            case QuoteMessage():
                values = [(message.bid, message.bid_size), (message.ask, message.ask_size)]
        if not self._divisor:
            first = next((price for price, _ in values if price), 0)
            self._divisor = _divisor(first)
            self._size_divisor = _COARSE_SIZES if 0 < first < _HUGE_SIZES_BELOW else 1
        for price, size in values:
            if price and price % self._divisor:
                raise BadFrame("price finer than before", price, f"steps of {self._divisor}e-12", "price")
            if price > _MAX_INT64 * self._divisor or abs(size) > _MAX_INT64 * self._size_divisor:
                raise BadFrame("value too large", max(price, size), "what fits 64 bits")

    def book(self, message: BookMessage, when: Moment, requested: bool) -> list[EventRow]:
        """Events of a snapshot or an update; `requested` when it is the answer to a request."""
        self._wanted = True
        if message.snapshot:
            return self._snapshot(message, when, requested)
        self.counts["updates"] += 1
        followed = self.follows
        match self._sequencer.update(message):
            case Step.APPLY:
                return self._apply(message, when, 0)
            case Step.HELD:
                self.counts["updates_held"] += 1
            case Step.OLD:
                self.counts["updates_older_than_snapshot"] += 1
            case Step.DUPLICATE:
                self.counts["duplicates"] += 1
            case Step.LATE:
                self.counts["out_of_order"] += 1
                if followed and not self.follows:
                    return self._gap("out of order", message.exchange_time_ns, when)
            case Step.GAP:
                return self._gap("missing ids", message.exchange_time_ns, when)
        return []

    def trade(self, message: TradeMessage, when: Moment) -> list[EventRow]:
        """The print alone; what it takes from the book comes as a book message."""
        self.counts["trades"] += 1
        flags = _LAST | (_SIDE_GIVEN if message.side else 0)
        price = message.price // self._divisor
        time_ns, receive_ns = message.exchange_time_ns, when.receive_ns
        sequence, order_id = message.trade_id, message.order_id
        size = self._lots(message.size)
        return [(time_ns, receive_ns, _TRADE, message.side, flags, price, size, order_id, sequence, when.row)]

    def quote(self, message: QuoteMessage, when: Moment) -> list[EventRow]:
        """Two events, one a side."""
        self.counts["quotes"] += 1
        time_ns, receive_ns, sequence = message.exchange_time_ns, when.receive_ns, message.sequence
        bid, ask = message.bid // self._divisor, message.ask // self._divisor
        return [
            (time_ns, receive_ns, _QUOTE, 1, 0, bid, self._lots(message.bid_size), 0, sequence, when.row),
            (time_ns, receive_ns, _QUOTE, -1, _LAST, ask, self._lots(message.ask_size), 0, sequence, when.row),
        ]

    def lose(self, reason: str, when: Moment, restart: bool, hole: Missing = NO_IDS) -> list[EventRow]:
        """The connection broke or frames of it are missing (`hole`); `restart` when update ids start anew."""
        followed = self.follows
        if restart:
            self._sequencer.reset()
        else:
            self._sequencer.void()
        self._sequencer.missing = hole
        return self._gap(reason, UNKNOWN, when) if followed else []

    def _gap(self, reason: str, time_ns: int, when: Moment) -> list[EventRow]:
        missing = self._sequencer.missing
        self._list_gap(reason, missing, when)
        had = len(self._levels) or len(self._orders)
        self._empty()
        if not had:
            return []
        return [
            (time_ns, when.receive_ns, kind, 0, _LAST, 0, 0, 0, missing.to_id, when.row)
            for kind in (_HALT, _CLEAR, _RESUME)
        ]

    def _list_gap(self, reason: str, missing: Missing, when: Moment) -> None:
        self.counts["gaps"] += 1
        if len(self.gaps) < MAX_GAPS:
            self.gaps.append(Gap(self.symbol, reason, *missing, when.row, when.receive_ns))

    def _snapshot(self, message: BookMessage, when: Moment, requested: bool) -> list[EventRow]:
        self.counts["snapshots"] += 1
        if self.follows and message == self._last_snapshot:
            self.counts["duplicates"] += 1
            return []
        followed = self.follows
        skipped = None if requested else self._sequencer.skipped(message)
        if skipped is not None:
            self._list_gap("missing ids", skipped, when)
        newer = self._sequencer.snapshot(message, requested)
        if newer is None:
            self.counts["snapshots_not_needed" if followed else "snapshots_not_joined"] += 1
            return []
        self._last_snapshot = message
        self._empty()
        self._oldest_entry = message.last_id
        clear = (message.exchange_time_ns, when.receive_ns, _CLEAR, 0, _SNAPSHOT, 0, 0, 0, message.last_id, when.row)
        rows = [clear, *self._apply(message, when, _SNAPSHOT)]
        if len(rows) == 1:
            rows = [(*clear[:4], _SNAPSHOT | _LAST, *clear[5:])]
        for update in newer:
            rows += self._apply(update, when, 0)
        self.counts["updates_newer_than_snapshot"] += len(newer)
        return rows

    def _lots(self, size: int) -> int:
        """A size in the unit of the events, to the nearest; what is not 0 stays above 0."""
        if self._size_divisor == 1 or not size:
            return size
        whole, rest = divmod(size, self._size_divisor)
        if not rest:
            return whole
        self.counts["sizes_rounded"] += 1
        return max(whole + (2 * rest >= self._size_divisor), 1)

    def _empty(self) -> None:
        self._levels.clear()
        self._orders.clear()
        self._named.clear()
        self._level_ids.clear()
        self._crossed = False

    def _apply(self, message: BookMessage, when: Moment, flags: int) -> list[EventRow]:
        """Change the book; LAST is on the last event. A wrong checksum voids it again."""
        times = (message.exchange_time_ns, when.receive_ns)
        tail = (message.last_id, when.row)
        change = self._order_event if self._rules.by_order else self._level_event
        rows: list[EventRow] = []
        for level in message.levels:
            event = change(level, message.snapshot)
            if event is not None:
                kind, side, price, size, order_id = event
                rows.append((*times, kind, side, flags, price // self._divisor, self._lots(size), order_id, *tail))
        if message.depth and not self._rules.by_order:
            for dropped in self._levels.drop_beyond(message.depth):
                price = dropped.price // self._divisor
                rows.append((*times, _LEVEL, dropped.side, flags, price, 0, 0, *tail))
                self.counts["levels_beyond_depth"] += 1
        if rows:
            last = rows[-1]
            rows[-1] = (*last[:4], last[4] | _LAST, *last[5:])
        self.counts["book_messages_applied"] += 1
        self._watch_crossing()
        return rows + self._compare_checksum(message, when)

    def _compare_checksum(self, message: BookMessage, when: Moment) -> list[EventRow]:
        if message.checksum is None:
            return []
        self.counts["checksums"] += 1
        book = self._orders if self._rules.by_order else self._levels
        found = self._rules.checksum(book.checks(1, CHECKED_LEVELS), book.checks(-1, CHECKED_LEVELS))
        if found == message.checksum:
            return []
        self.counts["checksum_mismatches"] += 1
        missing = self._sequencer.missing._replace(from_id=UNKNOWN, to_id=message.last_id, ids=UNKNOWN)
        self._sequencer.void()
        self._sequencer.missing = missing
        return self._gap("checksum", message.exchange_time_ns, when)

    def _level_event(self, level: Level, in_snapshot: bool) -> tuple[int, int, int, int, int] | None:
        """Kind, side, price, size and order id of what an entry by price does; None when it does nothing."""
        if level.order_id:
            named = self._by_name(level)
            if named is None:
                return None
            level = named
        elif not level.price:
            return None  # KuCoin: an entry at price 0 only moves the sequence
        if level.sequence != UNKNOWN:
            key = (level.side, level.price)
            if level.sequence <= self._level_ids.get(key, self._oldest_entry):
                self.counts["entries_overtaken"] += 1
                return None
            self._level_ids[key] = level.sequence
        if not self._levels.set(level):
            if in_snapshot:
                return None  # dYdX lists prices that are empty
            self.counts["unknown_deletes"] += 1
        return _LEVEL, level.side, level.price, level.size, 0

    def _by_name(self, level: Level) -> Level | None:
        """The entry with side and price, when it speaks of a level by its id alone."""
        if level.price and level.size:
            self._named[level.order_id] = (level.side, level.price)
            return level
        known = self._named.get(level.order_id)
        if known is None:
            self.counts["unknown_changes" if level.size else "unknown_deletes"] += 1
            return None
        if not level.size:
            del self._named[level.order_id]
        return level._replace(side=known[0], price=known[1])

    def _order_event(self, level: Level, in_snapshot: bool) -> tuple[int, int, int, int, int] | None:
        """The same for an entry by order."""
        known = self._orders.orders.get(level.order_id)
        if level.size < 0:
            return self._fill(level, known)
        if not level.size:
            if known is None:
                self.counts["unknown_deletes"] += 1
                return None
            self._orders.remove(level.order_id)
            return _DELETE, known.side, known.price, known.size, level.order_id
        if known is None and not (level.price and level.side):
            self.counts["orders_without_price" if level.side else "unknown_changes"] += 1
            return None
        side = level.side or (known.side if known else 0)
        price = level.price or (known.price if known else 0)
        order = Order(side, price, level.size, level.check)
        if known == order:
            self.counts["unchanged_orders"] += 1
            return None
        if known is not None and known.side != side:
            self.counts["side_changes"] += 1
        self._orders.put(level.order_id, order)
        return (_ADD if known is None else _MODIFY), side, price, level.size, level.order_id

    def _fill(self, level: Level, known: Order | None) -> tuple[int, int, int, int, int] | None:
        """A resting order traded; it leaves when nothing of it is left."""
        if known is None:
            self.counts["unknown_fills"] += 1
            return None
        filled = min(-level.size, known.size)
        if filled == known.size:
            self._orders.remove(level.order_id)
        else:
            self._orders.put(level.order_id, known._replace(size=known.size - filled))
        return _FILL, known.side, known.price, filled, level.order_id

    def _watch_crossing(self) -> None:
        book = self._orders if self._rules.by_order else self._levels
        bid, ask = book.best(1), book.best(-1)
        crossed = bid is not None and ask is not None and bid > ask
        self.counts["crossed_messages"] += crossed
        self.counts["crossed_spells"] += crossed and not self._crossed
        self._crossed = crossed


def _divisor(first_price: int) -> int:
    """0 while no price has come."""
    if not first_price:
        return 0
    return 1 if first_price < _FINE_BELOW else PRICE_UNITS_PER_ONE // COARSE_PRICE_UNITS
