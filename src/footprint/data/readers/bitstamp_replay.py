"""Messages of Bitstamp's order stream to order events of a book that does not cross.

The stream is not a book: an order that will trade at once is announced like any other, some deletions never arrive,
and a few arrive before the order they delete. So:

- an order whose price reaches the best of the other side waits outside the book until it no longer does (what is left
  of it rests then) or until it is gone: it is the aggressor;
- orders that cannot be there any more are purged (DELETE): resting orders better than the best price of an order_book
  message; resting orders better than the price at which an order of their side has just been filled, which price
  priority rules out; and those that an aggressor has waited `PATIENCE_NS` for. Orders younger than `SETTLE_NS` are
  spared, for the two channels are not in step;
- a deletion of an unknown order is remembered: if the order is announced later, it is ignored.

A trade has no side. It is matched by amount to the orders that have just shrunk: the aggressor is the one that waited
outside, else the younger of the two; with one match at the price of the trade, the other side of it.
"""

from __future__ import annotations

import heapq
from collections import Counter, deque
from collections.abc import Iterator
from typing import NamedTuple

from footprint.data.readers.bitstamp_file import Event, Message
from footprint.market.events import UNKNOWN_TIME, EventFlag, EventKind
from footprint.units import NS_PER_SECOND

SETTLE_NS = NS_PER_SECOND
PATIENCE_NS = 5 * NS_PER_SECOND
MATCH_NS = 2 * NS_PER_SECOND  # a trade is announced within this after the changes of its orders
MATCH_UNITS = 2  # amounts of trades are floats

EventRow = tuple[int, int, int, int, int, int, int, int, int, int]  # one event in the order of EVENT_DTYPE

_REMEMBERED_FILLS = 16
_SIDE_GIVEN, _LAST = int(EventFlag.SIDE_GIVEN), int(EventFlag.LAST)


class _Order(NamedTuple):
    side: int
    price: int
    amount: int
    since_ns: int  # when its price was set


class _Fill(NamedTuple):
    time_ns: int
    order_id: int
    side: int
    price: int
    amount: int  # -1 when the order was not known before
    waited: bool


class BitstampReplay:
    """The book as the messages leave it.

    Attributes:
        counts: what happened, by name.
        unborn: orders that were changed or deleted and never announced: they were made before the capture began.
    """

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.unborn: set[int] = set()
        self._resting: dict[int, _Order] = {}
        self._waiting: dict[int, _Order] = {}
        self._deleted: set[int] = set()
        self._heaps: dict[int, list[tuple[int, int]]] = {1: [], -1: []}
        self._fills: deque[_Fill] = deque(maxlen=_REMEMBERED_FILLS)

    def take(self, message: Message) -> list[EventRow]:
        """The events of one message, the last one flagged LAST; none when the book does not change."""
        self.counts[message.event.value] += 1
        match message.event:
            case Event.CREATED:
                events = list(self._created(message))
            case Event.CHANGED:
                events = list(self._changed(message))
            case Event.DELETED:
                events = list(self._removed(message))
            case Event.TRADE:
                events = [self._trade(message)]
            case Event.BOOK:
                events = list(self._book(message))
        events += self._settle(message)
        if events:
            events[-1] = (*events[-1][:4], events[-1][4] | _LAST, *events[-1][5:])
        return events

    def best(self, side: int) -> int:
        """Best resting price of a side in 1e-8, 0 when it is empty."""
        heap = self._heaps[side]
        while heap and not self._is_resting(side, *heap[0]):
            heapq.heappop(heap)
        return -side * heap[0][0] if heap else 0

    def _is_resting(self, side: int, key: int, order_id: int) -> bool:
        order = self._resting.get(order_id)
        return order is not None and order.side == side and order.price == -side * key

    def _created(self, message: Message) -> Iterator[EventRow]:
        if message.id in self._deleted:
            self.counts["deleted_before_created"] += 1
            self.unborn.discard(message.id)
        elif message.id in self._resting or message.id in self._waiting:
            self.counts["created_twice"] += 1
        elif message.amount == 0:
            self.counts["created_empty"] += 1
        else:
            yield from self._place(message)

    def _changed(self, message: Message) -> Iterator[EventRow]:
        if message.id in self._deleted:
            self.counts["changed_after_delete"] += 1
            return
        old = self._resting.get(message.id) or self._waiting.get(message.id)
        if old is None:
            self.unborn.add(message.id)
            self._remember_fill(message, -1, waited=False)
        elif message.amount < old.amount:
            self._remember_fill(message, old.amount - message.amount, waited=message.id in self._waiting)
        if old is not None and message.id in self._resting and (old.side, old.price) == (message.side, message.price):
            self._resting[message.id] = old._replace(amount=message.amount)
            yield self._event(message, EventKind.MODIFY)
            if message.amount < old.amount:
                yield from self._purge(message, message.side, message.price, "fill")
            if message.amount == 0:
                del self._resting[message.id]
            return
        yield from self._forget(message)
        if message.amount:
            self.counts["price_changed"] += old is not None
            yield from self._place(message)

    def _removed(self, message: Message) -> Iterator[EventRow]:
        old = self._resting.get(message.id) or self._waiting.get(message.id)
        if message.id in self._deleted:
            self.counts["deleted_twice"] += 1
            return
        if old is None:
            self.unborn.add(message.id)
        if message.amount == 0:
            self._remember_fill(message, old.amount if old else -1, waited=message.id in self._waiting)
        was_resting = message.id in self._resting
        yield from self._forget(message)
        if message.amount == 0 and was_resting:
            yield from self._purge(message, message.side, message.price, "fill")
        self._deleted.add(message.id)

    def _trade(self, message: Message) -> EventRow:
        side = self._aggressor(message)
        self.counts["signed_trades"] += side != 0
        flags = _SIDE_GIVEN if side else 0
        return (
            UNKNOWN_TIME,
            message.time_ns,
            int(EventKind.TRADE),
            side,
            flags,
            message.price,
            message.amount,
            0,
            message.id,
            message.row,
        )

    def _aggressor(self, message: Message) -> int:
        found: dict[int, _Fill] = {}
        for fill in self._fills:  # the latest of each side stands
            near = message.time_ns - fill.time_ns <= MATCH_NS
            if near and (fill.amount < 0 or abs(fill.amount - message.amount) <= MATCH_UNITS):
                found[fill.side] = fill
        for fill in found.values():
            self._fills.remove(fill)
        if len(found) == 2:
            bid, ask = found[1], found[-1]
            if bid.waited != ask.waited:
                return 1 if bid.waited else -1
            return 1 if bid.order_id > ask.order_id else -1
        for fill in found.values():
            if fill.waited:
                return fill.side
            if fill.price == message.price:
                return -fill.side
        return 0

    def _book(self, message: Message) -> Iterator[EventRow]:
        for side, price in ((1, message.price), (-1, message.amount)):
            if price:
                yield from self._purge(message, side, price, "order_book")
        if (self.best(1), self.best(-1)) != (message.price, message.amount):
            self.counts["unlike_order_book"] += 1

    def _settle(self, message: Message) -> Iterator[EventRow]:
        """Waiting orders that reach nobody any more come to rest; what one waited too long for is purged."""
        for order_id, order in list(self._waiting.items()):
            if self._reaches(order) and message.time_ns - order.since_ns >= PATIENCE_NS:
                yield from self._purge(message, -order.side, order.price + order.side, "patience")
            if not self._reaches(order):
                del self._waiting[order_id]
                yield self._rest(message, order_id, order)

    def _place(self, message: Message) -> Iterator[EventRow]:
        order = _Order(message.side, message.price, message.amount, message.time_ns)
        if self._reaches(order):
            self._waiting[message.id] = order
            self.counts["aggressors"] += 1
        else:
            yield self._rest(message, message.id, order)

    def _reaches(self, order: _Order) -> bool:
        other = self.best(-order.side)
        return other != 0 and order.side * order.price >= order.side * other

    def _rest(self, message: Message, order_id: int, order: _Order) -> EventRow:
        self._resting[order_id] = order
        heapq.heappush(self._heaps[order.side], (-order.side * order.price, order_id))
        born = message.born_ns if message.event is Event.CREATED and message.id == order_id else UNKNOWN_TIME
        return self._row(message, EventKind.ADD, order_id, order, born)

    def _forget(self, message: Message) -> Iterator[EventRow]:
        self._waiting.pop(message.id, None)
        order = self._resting.pop(message.id, None)
        if order is not None:
            yield self._row(message, EventKind.DELETE, message.id, order._replace(amount=0))

    def _purge(self, message: Message, side: int, price: int, why: str) -> Iterator[EventRow]:
        """Delete settled resting orders of a side that are strictly better than a price."""
        spared = []
        heap = self._heaps[side]
        while heap and -heap[0][0] > side * price:
            key, order_id = heapq.heappop(heap)
            if not self._is_resting(side, key, order_id):
                continue
            order = self._resting[order_id]
            if message.time_ns - order.since_ns < SETTLE_NS:
                spared.append((key, order_id))
                continue
            del self._resting[order_id]
            self._deleted.add(order_id)
            self.counts["purged_orders"] += 1
            self.counts[f"purged_by_{why}"] += 1
            yield self._row(message, EventKind.DELETE, order_id, order._replace(amount=0))
        for entry in spared:
            heapq.heappush(heap, entry)

    def _remember_fill(self, message: Message, amount: int, *, waited: bool) -> None:
        self._fills.append(_Fill(message.time_ns, message.id, message.side, message.price, amount, waited))

    def _event(self, message: Message, kind: EventKind) -> EventRow:
        order = _Order(message.side, message.price, message.amount, message.time_ns)
        return self._row(message, kind, message.id, order)

    @staticmethod
    def _row(
        message: Message, kind: EventKind, order_id: int, order: _Order, exchange_ns: int = UNKNOWN_TIME
    ) -> EventRow:
        return (
            exchange_ns,
            message.time_ns,
            int(kind),
            order.side,
            0,
            order.price,
            order.amount,
            order_id,
            message.row,
            message.row,
        )
