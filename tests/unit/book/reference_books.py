"""Plain-Python twins of the compiled books and of the matching engine, random messages, and what differs on them."""

from __future__ import annotations

import numpy as np

from footprint.book.matching import EntryKind, MatchingEngine
from footprint.book.orders import OrderBook
from footprint.book.price_levels import PriceLevelBook
from footprint.market.events import EventFlag, EventKind, empty_events

CHUNK = 5_000  # messages between two comparisons of the whole state
SPREAD_IDS = np.uint64(0xD1342543DE82EF95)  # odd: numbers stay distinct and fill all 64 bits


class ReferenceLevels:
    """Price-level book: one dict a side."""

    def __init__(self):
        self.sides = {1: {}, -1: {}}

    def apply(self, events):
        columns = (events[name].tolist() for name in ("kind", "side", "price_ticks", "size_lots"))
        for kind, side, price, size in zip(*columns, strict=True):
            if kind == EventKind.CLEAR:
                self.sides = {1: {}, -1: {}}
            elif kind == EventKind.LEVEL:
                if size > 0:
                    self.sides[side][price] = size
                else:
                    self.sides[side].pop(price, None)

    def levels(self, side):
        """[price, size] best first."""
        return [[price, self.sides[side][price]] for price in sorted(self.sides[side], reverse=side > 0)]


class ReferenceOrders:
    """Order-by-order book: a dict of orders, and per price a dict whose insertion order is the queue."""

    def __init__(self):
        self.clear()
        self.unknown = self.duplicate = 0

    def clear(self):
        self.orders = {}  # id -> (side, price)
        self.queues = {1: {}, -1: {}}  # side -> price -> {id: size}

    def apply(self, events):
        columns = (events[name].tolist() for name in ("kind", "order_id", "side", "price_ticks", "size_lots"))
        for message in zip(*columns, strict=True):
            self.apply_one(*message)

    def apply_one(self, kind, order_id, side, price, size):
        if kind == EventKind.CLEAR:
            self.clear()
        elif kind == EventKind.ADD:
            if order_id in self.orders:
                self.duplicate += 1
            elif size > 0:
                self.add(order_id, side, price, size)
        elif kind in (EventKind.CANCEL, EventKind.FILL, EventKind.MODIFY, EventKind.DELETE):
            if order_id not in self.orders:
                self.unknown += 1
            elif kind == EventKind.DELETE:
                self.remove(order_id)
            elif kind == EventKind.MODIFY:
                self._modify(order_id, price, size)
            else:
                self._reduce(order_id, size)

    def add(self, order_id, side, price, size):
        self.orders[order_id] = (side, price)
        self.queues[side].setdefault(price, {})[order_id] = size

    def remove(self, order_id):
        side, price = self.orders.pop(order_id)
        queue = self.queues[side][price]
        del queue[order_id]
        if not queue:
            del self.queues[side][price]

    def _reduce(self, order_id, size):
        side, price = self.orders[order_id]
        queue = self.queues[side][price]
        if size >= queue[order_id]:
            self.remove(order_id)
        else:
            queue[order_id] -= size

    def keeps_its_place(self, order_id, price, size):
        """A modification that does not cost the order its place: not larger, at the same price."""
        side, old_price = self.orders[order_id]
        return price == old_price and 0 < size <= self.queues[side][price][order_id]

    def _modify(self, order_id, price, size):
        side, old_price = self.orders[order_id]
        if self.keeps_its_place(order_id, price, size):
            self.queues[side][old_price][order_id] = size
            return
        self.remove(order_id)
        if size > 0:
            self.add(order_id, side, price, size)

    def levels(self, side):
        """[price, size] best first."""
        queues = self.queues[side]
        return [[price, sum(queues[price].values())] for price in sorted(queues, reverse=side > 0)]


class ReferenceMatching:
    """An exchange in words: the best price first, the oldest order of a price first, at the price that rests."""

    def __init__(self):
        self.book = ReferenceOrders()

    def submit(self, kind, side, price_ticks, size_lots, order_id):
        """Fills as (row, maker, price, size)."""
        fills = []
        columns = (column.tolist() for column in (kind, side, price_ticks, size_lots, order_id))
        for row, message in enumerate(zip(*columns, strict=True)):
            fills += [(row, *fill) for fill in self.submit_one(*message)]
        return fills

    def submit_one(self, kind, side, price, size, order_id):
        book = self.book
        if kind == EntryKind.MARKET:
            return self._match(side, None, size)[1]
        if kind not in (EntryKind.LIMIT, EntryKind.CANCEL, EntryKind.MODIFY):
            return []
        if kind == EntryKind.LIMIT:
            if order_id in book.orders:
                book.duplicate += 1
                return []
            return self._enter(order_id, side, price, size)
        if order_id not in book.orders:
            book.unknown += 1
            return []
        if kind == EntryKind.MODIFY and book.keeps_its_place(order_id, price, size):
            side, price = book.orders[order_id]
            book.queues[side][price][order_id] = size
            return []
        side, _ = book.orders[order_id]
        book.remove(order_id)
        return self._enter(order_id, side, price, size) if kind == EntryKind.MODIFY else []

    def _enter(self, order_id, side, price, size):
        left, fills = self._match(side, price, size)
        if left > 0:
            self.book.add(order_id, side, price, left)
        return fills

    def _match(self, side, limit, left):
        against, fills = self.book.queues[-side], []
        while left > 0 and against:
            best = min(against) if side > 0 else max(against)
            if limit is not None and side * best > side * limit:
                break
            maker = next(iter(against[best]))
            size = min(left, against[best][maker])
            fills.append((maker, best, size))
            left -= size
            if size == against[best][maker]:
                self.book.remove(maker)
            else:
                against[best][maker] -= size
        return left, fills


def random_prices(rng, sides):
    """Prices behind a mid that wanders and sometimes jumps; a few lie anywhere in 44 bits."""
    count = len(sides)
    jumps = rng.choice([0, 1, -1, 4_000, -4_000, 60_000, -60_000], count, p=[0.9, 0.0499, 0.0499, *4 * [5e-5]])
    mid = 1_000_000 + np.cumsum(jumps)
    near = mid - sides * (1 + rng.geometric(0.05, count))
    far = rng.integers(1, 1 << rng.integers(1, 45, count))
    return np.where(rng.random(count) < 0.002, far, np.maximum(near, 1))


def random_levels(rng, count):
    """LEVEL events, one in three a removal; prints and rare CLEAR events between them."""
    events = empty_events(count)
    kinds = np.array([EventKind.LEVEL, EventKind.TRADE, EventKind.CLEAR], np.uint8)
    events["kind"] = rng.choice(kinds, count, p=[0.97, 0.0299, 0.0001])
    events["flags"] = EventFlag.LAST
    events["side"] = rng.choice([-1, 1], count)
    events["price_ticks"] = random_prices(rng, events["side"])
    again = rng.random(count) < 0.5  # at a price that a recent event named
    earlier = np.maximum(np.arange(count) - rng.integers(1, 500, count), 0)
    for name in ("side", "price_ticks"):
        events[name][again] = events[name][earlier[again]]
    events["size_lots"] = rng.integers(1, 1000, count) * (rng.random(count) < 2 / 3)
    return events


def recent_numbers(rng, count, first):
    """Numbers of messages up to 3,000 before each of `count` messages, the first of which has number `first`."""
    return np.maximum(np.arange(first, first + count) - rng.integers(0, 3000, count), 1)


def random_orders(rng, count, first=1):
    """Every kind of order event, with 64-bit ids that name orders of the last few thousand messages, alive or not.

    Hidden executions and notices of fills change nothing. A rare CLEAR is followed by a snapshot of added orders.
    """
    events = empty_events(count)
    shares = {
        EventKind.ADD: 0.42,
        EventKind.CANCEL: 0.12,
        EventKind.DELETE: 0.14,
        EventKind.FILL: 0.12,
        EventKind.MODIFY: 0.14,
        EventKind.FILL_NOTICE: 0.02,
        EventKind.TRADE: 0.0398,
        EventKind.CLEAR: 0.0002,
    }
    events["kind"] = rng.choice(np.array(list(shares), np.uint8), count, p=list(shares.values()))
    events["flags"] = EventFlag.LAST
    for clear in np.flatnonzero(events["kind"] == EventKind.CLEAR):
        snapshot = events[clear + 1 : clear + 1 + int(rng.integers(0, 200))]
        snapshot["kind"] = EventKind.ADD
        snapshot["flags"] = EventFlag.LAST | EventFlag.SNAPSHOT
    numbers = recent_numbers(rng, count, first)
    added = (events["kind"] == EventKind.ADD) & (rng.random(count) < 0.99)
    numbers[added] = np.arange(first, first + count)[added]
    with np.errstate(over="ignore"):
        events["order_id"] = numbers.astype(np.uint64) * SPREAD_IDS
    events["side"] = rng.choice([-1, 1], count)
    events["price_ticks"] = random_prices(rng, events["side"])
    named = (events["kind"] == EventKind.MODIFY) & (rng.random(count) < 0.6) & (numbers >= first)
    for name in ("side", "price_ticks"):  # of the message that added the order
        events[name][named] = events[name][numbers[named] - first]
    events["size_lots"] = rng.integers(1, 100, count) * (rng.random(count) < 0.98)
    hidden = events["kind"] == EventKind.TRADE
    events["flags"][hidden] = EventFlag.LAST | EventFlag.HIDDEN
    return events


def random_entry(rng, count, first=1):
    """Columns of order entry: limit orders around a wandering mid, some of which cross, market orders, cancels,
    modifications; ids as in `random_orders`.
    """
    kinds = [EntryKind.LIMIT, EntryKind.MARKET, EntryKind.CANCEL, EntryKind.MODIFY, 0]
    kind = rng.choice(np.array(kinds, np.uint8), count, p=[0.5, 0.05, 0.25, 0.199, 0.001])
    side = rng.choice(np.array([-1, 1], np.int8), count)
    mid = 1_000_000 + np.cumsum(rng.choice([0, 1, -1, 300, -300], count, p=[0.9, 0.0497, 0.0497, 0.0003, 0.0003]))
    price = np.maximum(mid - side * (rng.geometric(0.1, count) - 3), 1)
    size = rng.integers(1, 100, count) * np.where(kind == EntryKind.MARKET, 5, 1) * (rng.random(count) < 0.98)
    numbers = recent_numbers(rng, count, first)
    fresh = (kind <= EntryKind.MARKET) & (rng.random(count) < 0.99)
    numbers[fresh] = np.arange(first, first + count)[fresh]
    with np.errstate(over="ignore"):
        return kind, side, price, size, numbers.astype(np.uint64) * SPREAD_IDS


def queues(book, twin):
    """Every queue of a book at the prices of its twin, and the twin's."""
    places = [(side, price) for side in (1, -1) for price in twin.queues[side]]
    ours = [book.queue(side, price) for side, price in places]
    return ours, [list(twin.queues[side][price].items()) for side, price in places]


def order_differences(book, twin):
    """How many parts of the state of two order books differ."""
    ours, theirs = queues(book, twin)
    counts = (book.live_orders, book.unknown_ids, book.duplicate_ids)
    return (
        sum(a != b for a, b in zip(ours, theirs, strict=True))
        + sum(book.levels(side, 1 << 30).tolist() != twin.levels(side) for side in (1, -1))
        + (counts != (len(twin.orders), twin.unknown, twin.duplicate))
    )


def compare_orders(seed, messages):
    """Differences between order book and twin over so many random messages, and the mean number of resting orders."""
    rng, book, twin = np.random.default_rng(seed), OrderBook(capacity=16, window_ticks=1 << 12), ReferenceOrders()
    differences, resting = 0, []
    for done in range(0, messages, CHUNK):
        events = random_orders(rng, CHUNK, done + 1)
        book.apply(events)
        twin.apply(events)
        differences += order_differences(book, twin)
        resting.append(book.live_orders)
    return differences, float(np.mean(resting))


def compare_levels(seed, messages):
    """The same of the price-level book; the mean number of levels."""
    rng, book, twin = np.random.default_rng(seed), PriceLevelBook(16, window_ticks=1 << 12), ReferenceLevels()
    differences, held = 0, []
    for _ in range(messages // CHUNK):
        events = random_levels(rng, CHUNK)
        book.apply(events)
        twin.apply(events)
        differences += sum(book.levels(side, 1 << 30).tolist() != twin.levels(side) for side in (1, -1))
        held.append(len(twin.sides[1]) + len(twin.sides[-1]))
    return differences, float(np.mean(held))


def compare_matching(seed, messages):
    """The same of the matching engine, fill by fill; the number of fills."""
    rng, engine, twin = np.random.default_rng(seed), MatchingEngine(OrderBook(capacity=16), 64), ReferenceMatching()
    differences, count = 0, 0
    for done in range(0, messages, CHUNK):
        columns = random_entry(rng, CHUNK, done + 1)
        fills, expected = engine.submit(*columns).tolist(), twin.submit(*columns)
        differences += (fills != expected) + order_differences(engine.book, twin.book)
        count += len(fills)
    return differences, float(count)
