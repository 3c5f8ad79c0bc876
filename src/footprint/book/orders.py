"""Order-by-order book (L3) with first-in-first-out queues; the arrays and rules are in `order_kernels.py`."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from footprint.book import order_kernels as kernels
from footprint.book.order_kernels import OrderBookArrays
from footprint.errors import UsageError


class QueuePosition(NamedTuple):
    """What would trade before an order at its price."""

    lots_ahead: int
    orders_ahead: int


class OrderBook:
    """An order-by-order book that grows by doubling up to `max_orders` resting orders.

    >>> from footprint.market.events import EventKind, empty_events
    >>> events = empty_events(2)
    >>> events["kind"], events["side"], events["price_ticks"] = EventKind.ADD, 1, 99
    >>> events["order_id"], events["size_lots"] = [7, 8], [5, 2]
    >>> book = OrderBook(); book.apply(events)
    >>> book.queue_position(8)
    QueuePosition(lots_ahead=5, orders_ahead=1)
    """

    def __init__(self, capacity: int = 1 << 14, max_orders: int = 1 << 24) -> None:
        self.max_orders = max_orders
        self.arrays = _allocate(capacity)

    def apply(self, events: np.ndarray) -> None:
        """Apply ADD, CANCEL, DELETE, MODIFY, FILL and CLEAR events (EVENT_DTYPE) in order; others change nothing.

        Raises:
            UsageError: more than `max_orders` orders or levels would rest in the book.
        """
        done = kernels.apply_orders(events, 0, self.arrays)
        while done < len(events):
            self.grow()
            done = kernels.apply_orders(events, done, self.arrays)

    @property
    def live_orders(self) -> int:
        """Orders resting in the book."""
        return int(self.arrays.state[kernels.LIVE])

    @property
    def unknown_ids(self) -> int:
        """Events that named an order not in the book; they changed nothing."""
        return int(self.arrays.state[kernels.UNKNOWN_IDS])

    @property
    def duplicate_ids(self) -> int:
        """Additions of an order already in the book; they changed nothing."""
        return int(self.arrays.state[kernels.DUPLICATE_IDS])

    def best(self, side: int) -> int:
        """Best price in ticks, NO_PRICE when the side is empty."""
        return int(kernels.best_level(self.arrays.levels, self.arrays.counts, side)[0])

    def levels(self, side: int, count: int) -> np.ndarray:
        """The best `count` levels (fewer when there are fewer), best first: int64 of shape (n, 2), ticks and lots."""
        row = 0 if side > 0 else 1
        held = int(self.arrays.counts[row])
        window = self.arrays.levels[row, :, max(held - count, 0) : held]
        return np.column_stack((side * window[kernels.LEVEL_KEY], window[kernels.LEVEL_SIZE]))[::-1]

    def queue(self, side: int, price_ticks: int) -> list[tuple[int, int]]:
        """(order id, lots) of every order at a price, first to trade first."""
        arrays, row = self.arrays, 0 if side > 0 else 1
        levels = arrays.levels[row, :, : arrays.counts[row]]
        found = np.flatnonzero(levels[kernels.LEVEL_KEY] == side * price_ticks)
        slot = int(levels[kernels.HEAD, found[0]]) if len(found) else kernels.NONE
        orders = []
        while slot != kernels.NONE:
            orders.append((int(arrays.ids[slot]), int(arrays.orders[slot, kernels.SIZE])))
            slot = int(arrays.orders[slot, kernels.NEXT])
        return orders

    def queue_position(self, order_id: int) -> QueuePosition | None:
        """Lots and orders ahead of an order at its price, None when it is not in the book."""
        slot = kernels.find_order(self.arrays.table, self.arrays.ids, np.uint64(order_id))
        if slot == kernels.NONE:
            return None
        return QueuePosition(*map(int, kernels.queue_ahead(self.arrays.orders, slot)))

    def grow(self) -> None:
        """Double the room for orders and levels.

        Raises:
            UsageError: that would pass `max_orders`.
        """
        old = self.arrays
        capacity = 2 * len(old.ids)
        if capacity > self.max_orders:
            raise UsageError(f"an order book holds at most {self.max_orders} resting orders")
        new = _allocate(capacity)
        new.ids[: len(old.ids)] = old.ids
        new.orders[: len(old.orders)] = old.orders
        new.levels[:, :, : old.levels.shape[2]] = old.levels
        new.counts[:], new.state[:] = old.counts, old.state
        kernels.fill_table(new)
        self.arrays = new


def _allocate(capacity: int) -> OrderBookArrays:
    slots = 1 << (capacity - 1).bit_length()
    return OrderBookArrays(
        table=np.full(2 * slots, kernels.NONE, np.int64),
        ids=np.zeros(slots, np.uint64),
        orders=np.zeros((slots, 5), np.int64),
        levels=np.zeros((2, 5, max(slots // 4, 64)), np.int64),
        counts=np.zeros(2, np.int64),
        state=np.array([kernels.NONE, 0, 0, 0, 0], np.int64),
    )
