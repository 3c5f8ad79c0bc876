"""Price-level book (L2): two sorted arrays, best price at the end.

A side is stored by `key = side * price`, ascending, so that the best price of either side is the last entry and one
kernel serves both. Most changes happen near the touch, so an insertion moves few entries.

Layout: `keys` and `sizes` are int64 of shape (2, capacity), `counts` int64 of shape (2,); row 0 bids, row 1 asks.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from footprint.book.view import NO_PRICE, SIZE_UNKNOWN
from footprint.errors import UsageError
from footprint.market.events import EventKind
from footprint.units import BPS

BID_ROW = 0
ASK_ROW = 1

_LEVEL = int(EventKind.LEVEL)
_CLEAR = int(EventKind.CLEAR)


@njit(cache=True)
def lower_bound(keys: np.ndarray, count: int, key: int) -> int:
    """First position in ascending `keys[:count]` whose key is not below `key`."""
    low, high = 0, count
    while low < high:
        middle = (low + high) >> 1
        if keys[middle] < key:
            low = middle + 1
        else:
            high = middle
    return low


@njit(cache=True)
def set_level(keys: np.ndarray, sizes: np.ndarray, counts: np.ndarray, side: int, price: int, size: int) -> bool:
    """Set the total size at a price, 0 or less removes it; False, with the book untouched, when the side is full."""
    row = BID_ROW if side > 0 else ASK_ROW
    key = side * price
    count = counts[row]
    at = lower_bound(keys[row], count, key)
    known = at < count and keys[row, at] == key
    if size > 0:
        if not known:
            if count == keys.shape[1]:
                return False
            for j in range(count, at, -1):
                keys[row, j] = keys[row, j - 1]
                sizes[row, j] = sizes[row, j - 1]
            keys[row, at] = key
            counts[row] = count + 1
        sizes[row, at] = size
    elif known:
        for j in range(at, count - 1):
            keys[row, j] = keys[row, j + 1]
            sizes[row, j] = sizes[row, j + 1]
        counts[row] = count - 1
    return True


@njit(cache=True)
def best_price(keys: np.ndarray, counts: np.ndarray, side: int) -> int:
    """Best price of a side in ticks, NO_PRICE when it is empty."""
    row = BID_ROW if side > 0 else ASK_ROW
    count = counts[row]
    return side * keys[row, count - 1] if count > 0 else NO_PRICE


@njit(cache=True)
def depth_of_levels(sizes: np.ndarray, counts: np.ndarray, side: int, levels: int) -> int:
    """Size in the best `levels` levels, lots; SIZE_UNKNOWN when the side holds fewer."""
    row = BID_ROW if side > 0 else ASK_ROW
    count = counts[row]
    if count < levels:
        return SIZE_UNKNOWN
    total = 0
    for j in range(count - levels, count):
        total += sizes[row, j]
    return total


@njit(cache=True)
def depth_within(
    keys: np.ndarray, sizes: np.ndarray, counts: np.ndarray, side: int, mid_ticks: float, distance_bps: float
) -> int:
    """Size no further than `distance_bps` from the mid, lots.

    A price-level source shows a window of the book; when even its deepest level lies inside the distance, what rests
    beyond is not known and neither is the sum: SIZE_UNKNOWN.
    """
    row = BID_ROW if side > 0 else ASK_ROW
    limit = side * mid_ticks - mid_ticks * distance_bps / BPS
    total = 0
    for j in range(counts[row] - 1, -1, -1):
        if keys[row, j] < limit:
            return total
        total += sizes[row, j]
    return SIZE_UNKNOWN


@njit(cache=True)
def _apply_levels(events: np.ndarray, start: int, keys: np.ndarray, sizes: np.ndarray, counts: np.ndarray) -> int:
    """Apply events from `start`; the index of the first one that did not fit, or len(events)."""
    for i in range(start, len(events)):
        kind = events[i].kind
        if kind == _LEVEL:
            event = events[i]
            if not set_level(keys, sizes, counts, event.side, event.price_ticks, event.size_lots):
                return i
        elif kind == _CLEAR:
            counts[:] = 0
    return len(events)


class PriceLevelBook:
    """A price-level book that grows by doubling up to `max_levels` a side.

    Attributes:
        keys, sizes: int64 of shape (2, capacity); see the module's text.
        counts: int64 of shape (2,), levels held a side.

    >>> book = PriceLevelBook()
    >>> book.set(+1, 99, 5); book.set(+1, 98, 7); book.set(-1, 101, 2)
    >>> book.best(+1), book.best(-1), book.levels(+1, 2).tolist()
    (99, 101, [[99, 5], [98, 7]])
    """

    def __init__(self, capacity: int = 4096, max_levels: int = 1 << 20) -> None:
        self.keys = np.zeros((2, capacity), np.int64)
        self.sizes = np.zeros((2, capacity), np.int64)
        self.counts = np.zeros(2, np.int64)
        self.max_levels = max_levels

    def set(self, side: int, price_ticks: int, size_lots: int) -> None:
        """Set the total size at a price; 0 removes the level.

        Raises:
            UsageError: the side would hold more than `max_levels`.
        """
        while not set_level(self.keys, self.sizes, self.counts, side, price_ticks, size_lots):
            self.grow()

    def apply(self, events: np.ndarray) -> None:
        """Apply LEVEL and CLEAR events (EVENT_DTYPE) in order; other kinds do not change this book.

        Raises:
            UsageError: a side would hold more than `max_levels`.
        """
        done = _apply_levels(events, 0, self.keys, self.sizes, self.counts)
        while done < len(events):
            self.grow()
            done = _apply_levels(events, done, self.keys, self.sizes, self.counts)

    def best(self, side: int) -> int:
        """Best price in ticks, NO_PRICE when the side is empty."""
        return int(best_price(self.keys, self.counts, side))

    def levels(self, side: int, count: int) -> np.ndarray:
        """The best `count` levels (fewer when there are fewer), best first: int64 of shape (n, 2), ticks and lots."""
        row = BID_ROW if side > 0 else ASK_ROW
        held = int(self.counts[row])
        window = slice(max(held - count, 0), held)
        return np.column_stack((side * self.keys[row, window], self.sizes[row, window]))[::-1]

    def grow(self) -> None:
        """Double the capacity.

        Raises:
            UsageError: that would pass `max_levels`.
        """
        capacity = self.keys.shape[1]
        if capacity >= self.max_levels:
            raise UsageError(f"a price-level book holds at most {self.max_levels} levels a side")
        wider = min(2 * capacity, self.max_levels) - capacity
        self.keys = np.pad(self.keys, ((0, 0), (0, wider)))
        self.sizes = np.pad(self.sizes, ((0, 0), (0, wider)))
