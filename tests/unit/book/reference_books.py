"""Plain-Python twins of the compiled books, and random messages to compare them on."""

from __future__ import annotations

import numpy as np

from footprint.market.events import EventFlag, EventKind, empty_events


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
        for kind, order_id, side, price, size in zip(*columns, strict=True):
            if kind == EventKind.CLEAR:
                self.clear()
            elif kind == EventKind.ADD:
                if order_id in self.orders:
                    self.duplicate += 1
                else:
                    self._add(order_id, side, price, size)
            elif order_id not in self.orders:
                self.unknown += 1
            elif kind == EventKind.MODIFY:
                self._modify(order_id, price, size)
            else:
                self._reduce(order_id, size)

    def _add(self, order_id, side, price, size):
        self.orders[order_id] = (side, price)
        self.queues[side].setdefault(price, {})[order_id] = size

    def _remove(self, order_id):
        side, price = self.orders.pop(order_id)
        queue = self.queues[side][price]
        del queue[order_id]
        if not queue:
            del self.queues[side][price]

    def _reduce(self, order_id, size):
        side, price = self.orders[order_id]
        queue = self.queues[side][price]
        if size >= queue[order_id]:
            self._remove(order_id)
        else:
            queue[order_id] -= size

    def _modify(self, order_id, price, size):
        side, old_price = self.orders[order_id]
        if size > 0 and price == old_price and size <= self.queues[side][price][order_id]:
            self.queues[side][price][order_id] = size
            return
        self._remove(order_id)
        if size > 0:
            self._add(order_id, side, price, size)

    def levels(self, side):
        """[price, size] best first."""
        queues = self.queues[side]
        return [[price, sum(queues[price].values())] for price in sorted(queues, reverse=side > 0)]


def random_levels(rng, count):
    """LEVEL events around a mid of 10,000 ticks, one in three a removal."""
    events = empty_events(count)
    events["kind"] = EventKind.LEVEL
    events["flags"] = EventFlag.LAST
    events["side"] = rng.choice([-1, 1], count)
    events["price_ticks"] = 10_000 - events["side"] * (1 + rng.geometric(0.01, count))
    events["size_lots"] = rng.integers(1, 1000, count) * (rng.random(count) < 2 / 3)
    return events


def random_orders(rng, count):
    """Order events with 64-bit ids; the others name orders added in the last few thousand messages, alive or not.

    Rare CLEAR events keep the book at up to some 20,000 orders.
    """
    events = empty_events(count)
    kinds = np.array([EventKind.ADD, EventKind.CANCEL, EventKind.FILL, EventKind.MODIFY, EventKind.CLEAR], np.uint8)
    events["kind"] = rng.choice(kinds, count, p=[0.4, 0.3, 0.14998, 0.15, 0.00002])
    events["flags"] = EventFlag.LAST
    numbers = np.maximum(np.arange(1, count + 1) - rng.integers(0, 3000, count), 1)
    added = (events["kind"] == EventKind.ADD) & (rng.random(count) < 0.99)
    numbers[added] = np.arange(1, count + 1)[added]
    with np.errstate(over="ignore"):
        events["order_id"] = numbers.astype(np.uint64) * np.uint64(0xD1342543DE82EF95)  # odd: ids stay distinct
    events["side"] = rng.choice([-1, 1], count)
    events["price_ticks"] = 10_000 - events["side"] * (1 + rng.geometric(0.05, count))
    events["size_lots"] = rng.integers(1, 100, count)
    return events
