"""The book of one symbol as a feed knows it: enough to notice deletes of nothing, crossing, depth and checksums.

Two kinds with the same methods: by price (L2) and by order (L3). This is bookkeeping beside the events, not the book
that analyses replay (`footprint.book`).
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterator
from typing import NamedTuple, Protocol

from footprint.data.feeds.messages import Level


class Order(NamedTuple):
    """A resting order."""

    side: int
    price: int
    size: int
    check: str


class SortedPrices:
    """The prices of one side, best first when read with `best`."""

    def __init__(self, side: int) -> None:
        self._sign = -side  # bids are kept negated, so that the best is always the smallest
        self._keys: list[int] = []

    def __len__(self) -> int:
        return len(self._keys)

    def add(self, price: int) -> None:
        """A price that is not there yet."""
        insort(self._keys, self._sign * price)

    def remove(self, price: int) -> None:
        """A price that is there."""
        del self._keys[bisect_left(self._keys, self._sign * price)]

    def best(self) -> int | None:
        """The best price, None when the side is empty."""
        return self._sign * self._keys[0] if self._keys else None

    def iterate(self) -> Iterator[int]:
        """Prices, best first."""
        return (self._sign * key for key in self._keys)

    def beyond(self, depth: int) -> list[int]:
        """Prices deeper than `depth` levels."""
        return [self._sign * key for key in self._keys[depth:]]


class Book(Protocol):
    """What both kinds can say."""

    def best(self, side: int) -> int | None:
        """Best price of a side, None when it is empty."""
        ...

    def checks(self, side: int, count: int) -> list[str]:
        """`Level.check` of the best `count` entries, best first."""
        ...

    def clear(self) -> None:
        """Empty the book."""
        ...


class LevelBook:
    """Sizes by price."""

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        """Empty the book."""
        self.sizes: dict[int, dict[int, int]] = {1: {}, -1: {}}
        self._checks: dict[int, dict[int, str]] = {1: {}, -1: {}}
        self._prices = {1: SortedPrices(1), -1: SortedPrices(-1)}

    def __len__(self) -> int:
        return len(self.sizes[1]) + len(self.sizes[-1])

    def set(self, level: Level) -> bool:
        """Set or remove a price; False for a removal of what is not there."""
        sizes, checks = self.sizes[level.side], self._checks[level.side]
        if level.size:
            if level.price not in sizes:
                self._prices[level.side].add(level.price)
            sizes[level.price] = level.size
            if level.check:
                checks[level.price] = level.check
            return True
        if sizes.pop(level.price, None) is None:
            return False
        checks.pop(level.price, None)
        self._prices[level.side].remove(level.price)
        return True

    def best(self, side: int) -> int | None:
        """Best price of a side, None when it is empty."""
        return self._prices[side].best()

    def checks(self, side: int, count: int) -> list[str]:
        """`Level.check` of the best levels, best first."""
        checks = self._checks[side]
        return [checks.get(price, "") for price, _ in zip(self._prices[side].iterate(), range(count), strict=False)]

    def drop_beyond(self, depth: int) -> list[Level]:
        """Remove what lies deeper than `depth` levels; the removals."""
        dropped = [Level(side, price, 0) for side in (1, -1) for price in self._prices[side].beyond(depth)]
        for level in dropped:
            self.set(level)
        return dropped


class OrderBook:
    """Resting orders by id; within a price the order of the ids, as venues list them."""

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        """Empty the book."""
        self.orders: dict[int, Order] = {}
        self._ids: dict[int, dict[int, list[int]]] = {1: {}, -1: {}}
        self._prices = {1: SortedPrices(1), -1: SortedPrices(-1)}

    def __len__(self) -> int:
        return len(self.orders)

    def put(self, order_id: int, order: Order) -> None:
        """Add an order, or give a resting one another price and size."""
        self.remove(order_id)
        ids = self._ids[order.side]
        if order.price not in ids:
            self._prices[order.side].add(order.price)
            ids[order.price] = []
        insort(ids[order.price], order_id)
        self.orders[order_id] = order

    def remove(self, order_id: int) -> Order | None:
        """Take an order out; None when it does not rest here."""
        order = self.orders.pop(order_id, None)
        if order is None:
            return None
        ids = self._ids[order.side][order.price]
        del ids[bisect_left(ids, order_id)]
        if not ids:
            del self._ids[order.side][order.price]
            self._prices[order.side].remove(order.price)
        return order

    def best(self, side: int) -> int | None:
        """Best price of a side, None when it is empty."""
        return self._prices[side].best()

    def checks(self, side: int, count: int) -> list[str]:
        """`Level.check` of the first orders, best price first, within a price the oldest id first."""
        found: list[str] = []
        for price in self._prices[side].iterate():
            found += [self.orders[order_id].check for order_id in self._ids[side][price]]
            if len(found) >= count:
                break
        return found[:count]
