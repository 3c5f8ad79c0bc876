"""Order-by-order book (L3) with first-in-first-out queues; the arrays and rules are in `order_kernels.py`."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from footprint.book import id_table, ladder
from footprint.book import order_kernels as kernels
from footprint.book.ladder import ASK_ROW, BID_ROW
from footprint.book.order_kernels import OrderBookArrays
from footprint.errors import UsageError

_LEVELS, _IDS = 1 << 10, 1 << 12  # what a book starts with, unless it holds fewer orders


class QueuePosition(NamedTuple):
    """What would trade before an order at its price."""

    lots_ahead: int
    orders_ahead: int


class OrderBook:
    """An order-by-order book that grows up to `max_orders` resting orders.

    Room for `capacity` orders is taken at once, in memory that the system gives only where it is used.

    >>> from footprint.market.events import EventKind, empty_events
    >>> events = empty_events(2)
    >>> events["kind"], events["side"], events["price_ticks"] = EventKind.ADD, 1, 99
    >>> events["order_id"], events["size_lots"] = [7, 8], [5, 2]
    >>> book = OrderBook(); book.apply(events)
    >>> book.queue_position(8)
    QueuePosition(lots_ahead=5, orders_ahead=1)
    """

    def __init__(self, capacity: int = 1 << 13, max_orders: int = 1 << 24, window_ticks: int = 1 << 13) -> None:
        self.max_orders = max_orders
        self.arrays = _allocate(min(capacity, max_orders), window_ticks)

    def apply(self, events: np.ndarray) -> None:
        """Apply ADD, CANCEL, DELETE, MODIFY, FILL and CLEAR events (EVENT_DTYPE) in order; others change nothing.

        Raises:
            UsageError: more than `max_orders` orders would rest in the book.
        """
        self.apply_columns(*(events[name] for name in ("kind", "side", "price_ticks", "size_lots", "order_id")))

    def apply_columns(
        self,
        kind: np.ndarray,
        side: np.ndarray,
        price_ticks: np.ndarray,
        size_lots: np.ndarray,
        order_id: np.ndarray,
    ) -> None:
        """`apply` for events that lie in columns: integer arrays of one length, of any width.

        Raises:
            UsageError: more than `max_orders` orders would rest in the book.
        """
        columns = kind, side, price_ticks, size_lots, order_id
        done = kernels.apply_orders(*columns, 0, *self.arrays)
        while done < len(kind):
            self.grow()
            done = kernels.apply_orders(*columns, done, *self.arrays)

    @property
    def live_orders(self) -> int:
        """Orders resting in the book."""
        return int(self.arrays.state["live_orders"][0])

    @property
    def unknown_ids(self) -> int:
        """Events that named an order not in the book; they changed nothing."""
        return int(self.arrays.state["unknown_ids"][0])

    @property
    def duplicate_ids(self) -> int:
        """Additions of an order already in the book; they changed nothing."""
        return int(self.arrays.state["duplicate_ids"][0])

    def best(self, side: int) -> int:
        """Best price in ticks, NO_PRICE when the side is empty."""
        return int(kernels.best_level(*self.arrays[:3], side)[0])

    def levels(self, side: int, count: int) -> np.ndarray:
        """The best `count` levels (fewer when there are fewer), best first: int64 of shape (n, 2), ticks and lots."""
        keys, numbers = ladder.levels_of(self.arrays.sides, self.arrays.cells, _row(side), count)
        return np.column_stack((side * keys, self.arrays.levels["size"][numbers]))

    def queue(self, side: int, price_ticks: int) -> list[tuple[int, int]]:
        """(order id, lots) of every order at a price, first to trade first."""
        arrays = self.arrays
        level = ladder.get(arrays.sides, arrays.cells, _row(side), side * price_ticks)
        slot = int(arrays.levels["first"][level]) if level else kernels.NONE
        queue = []
        while slot != kernels.NONE:
            order = arrays.orders[slot]
            queue.append((int(order["id"]), int(order["size"])))
            slot = int(order["next"])
        return queue

    def queue_position(self, order_id: int) -> QueuePosition | None:
        """Lots and orders ahead of an order at its price, None when it is not in the book."""
        slot = kernels.slot_of(self.arrays.table, self.arrays.orders, np.uint64(order_id))
        if slot == kernels.NONE:
            return None
        return QueuePosition(*map(int, kernels.queue_ahead(self.arrays.orders, slot)))

    def grow(self) -> None:
        """Make room for what did not fit: more orders, ids or levels, or a wider window of prices.

        Raises:
            UsageError: more than `max_orders` orders would rest in the book.
        """
        held = self.arrays
        steps = ladder.Ladder(held.sides, held.cells)
        if ladder.is_full(steps) or ladder.wants_wider(steps):
            self.arrays = _with_wider_ladder(held)
        elif not id_table.has_room(held.table, self.live_orders):
            self.arrays = held._replace(table=id_table.enlarged(held.table))
        else:
            self.arrays = _with_more_orders(held, self.max_orders)


def _row(side: int) -> int:
    return BID_ROW if side > 0 else ASK_ROW


def _allocate(slots: int, window_ticks: int) -> OrderBookArrays:
    levels = min(max(slots, 64), _LEVELS)
    return OrderBookArrays(
        *ladder.make_ladder(window_ticks, levels),
        levels=np.zeros(2 * levels + 1, kernels.LEVEL_DTYPE),
        orders=np.zeros(slots + 1, kernels.ORDER_DTYPE),
        table=id_table.make_table(min(slots, _IDS)),
        state=np.zeros(1, kernels.STATE_DTYPE),
    )


def _with_wider_ladder(old: OrderBookArrays) -> OrderBookArrays:
    wider = ladder.grown(ladder.Ladder(old.sides, old.cells), 2 * int(old.sides["capacity"][0]))
    levels = np.zeros(2 * int(wider.sides["capacity"][0]) + 1, kernels.LEVEL_DTYPE)
    levels[: len(old.levels)] = old.levels
    return old._replace(sides=wider.sides, cells=wider.cells, levels=levels)


def _with_more_orders(old: OrderBookArrays, max_orders: int) -> OrderBookArrays:
    slots = len(old.orders) - 1
    if slots >= max_orders:
        raise UsageError(f"an order book holds at most {max_orders} resting orders")
    orders = np.zeros(min(4 * slots, max_orders) + 1, kernels.ORDER_DTYPE)
    orders[: len(old.orders)] = old.orders
    return old._replace(orders=orders)
