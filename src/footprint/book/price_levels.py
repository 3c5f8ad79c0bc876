"""Price-level book (L2): the total size at each price, on the ladder of `ladder.py`."""

from __future__ import annotations

import numpy as np

from footprint.book import ladder
from footprint.book.compiled import inlined, kernel
from footprint.book.ladder import ASK_ROW, BID_ROW
from footprint.book.view import NO_PRICE, SIZE_UNKNOWN
from footprint.errors import UsageError
from footprint.market.events import EventKind
from footprint.units import BPS

_LEVEL = int(EventKind.LEVEL)
_CLEAR = int(EventKind.CLEAR)


@inlined
def set_level(sides: np.ndarray, cells: np.ndarray, side: int, price: int, size: int) -> bool:
    """Set the total size at a price, 0 or less removes it; False, with the book untouched, when it has to grow."""
    return ladder.put(sides, cells, BID_ROW if side > 0 else ASK_ROW, price if side > 0 else -price, max(size, 0))


@inlined
def best_price(sides: np.ndarray, side: int) -> int:
    """Best price of a side in ticks, NO_PRICE when it is empty."""
    row = BID_ROW if side > 0 else ASK_ROW
    return side * ladder.best_key(sides, row) if sides[row].best >= 0 else NO_PRICE


@inlined
def best_size(sides: np.ndarray, cells: np.ndarray, side: int) -> int:
    """Size at the best price, lots; 0 when the side is empty."""
    return ladder.best_value(sides, cells, BID_ROW if side > 0 else ASK_ROW)


@inlined
def depth_of_levels(sides: np.ndarray, cells: np.ndarray, side: int, levels: int) -> int:
    """Size in the best `levels` levels, lots; SIZE_UNKNOWN when the side holds fewer."""
    row = BID_ROW if side > 0 else ASK_ROW
    if ladder.level_count(sides, row) < levels:
        return SIZE_UNKNOWN
    total, place = 0, sides[row].best
    for _ in range(levels):
        total += ladder.value_at(sides, cells, row, place)
        place = ladder.place_after(sides, cells, row, place)
    return total


@inlined
def depth_within(sides: np.ndarray, cells: np.ndarray, side: int, mid_ticks: float, distance_bps: float) -> int:
    """Size no further than `distance_bps` from the mid, lots.

    A price-level source shows a window of the book; when even its deepest level lies inside the distance, what rests
    beyond is not known and neither is the sum: SIZE_UNKNOWN.
    """
    row = BID_ROW if side > 0 else ASK_ROW
    limit = side * mid_ticks - mid_ticks * distance_bps / BPS
    total, deeper = ladder.sum_from(sides, cells, row, limit)
    return total if deeper else SIZE_UNKNOWN


@kernel
def _apply_levels(kinds, sides_of, prices, sizes, start, sides, cells) -> int:  # type: ignore[no-untyped-def]
    """Apply rows from `start`; the index of the first one that did not fit, or their number."""
    for i in range(start, len(kinds)):
        if kinds[i] == _LEVEL:
            if not set_level(sides, cells, np.int64(sides_of[i]), np.int64(prices[i]), np.int64(sizes[i])):
                return i
        elif kinds[i] == _CLEAR:
            ladder.clear(sides, cells)
    return len(kinds)


class PriceLevelBook:
    """A price-level book that grows by doubling up to `max_levels` a side.

    Attributes:
        ladder: the levels of both sides, with the size in lots as value.

    >>> book = PriceLevelBook()
    >>> book.set(+1, 99, 5); book.set(+1, 98, 7); book.set(-1, 101, 2)
    >>> book.best(+1), book.best(-1), book.levels(+1, 2).tolist()
    (99, 101, [[99, 5], [98, 7]])
    """

    def __init__(self, capacity: int = 1 << 10, max_levels: int = 1 << 20, window_ticks: int = 1 << 13) -> None:
        self.max_levels = max_levels
        self.ladder = ladder.make_ladder(window_ticks, capacity)

    def set(self, side: int, price_ticks: int, size_lots: int) -> None:
        """Set the total size at a price; 0 removes the level.

        Raises:
            UsageError: the side would hold more than `max_levels`.
        """
        while not set_level(*self.ladder, side, price_ticks, size_lots):
            self.grow()

    def apply(self, events: np.ndarray) -> None:
        """Apply LEVEL and CLEAR events (EVENT_DTYPE) in order; other kinds do not change this book.

        Raises:
            UsageError: a side would hold more than `max_levels`.
        """
        self.apply_columns(events["kind"], events["side"], events["price_ticks"], events["size_lots"])

    def apply_columns(self, kind: np.ndarray, side: np.ndarray, price_ticks: np.ndarray, size_lots: np.ndarray) -> None:
        """`apply` for events that lie in columns: integer arrays of one length, of any width.

        Raises:
            UsageError: a side would hold more than `max_levels`.
        """
        done = _apply_levels(kind, side, price_ticks, size_lots, 0, *self.ladder)
        while done < len(kind):
            self.grow()
            done = _apply_levels(kind, side, price_ticks, size_lots, done, *self.ladder)

    def best(self, side: int) -> int:
        """Best price in ticks, NO_PRICE when the side is empty."""
        return int(best_price(self.ladder.sides, side))

    def levels(self, side: int, count: int) -> np.ndarray:
        """The best `count` levels (fewer when there are fewer), best first: int64 of shape (n, 2), ticks and lots."""
        keys, sizes = ladder.levels_of(*self.ladder, BID_ROW if side > 0 else ASK_ROW, count)
        return np.column_stack((side * keys, sizes))

    def grow(self) -> None:
        """Make room: a wider window where changes fall below it too often, else twice as many levels.

        Raises:
            UsageError: that would pass `max_levels`.
        """
        held = int(self.ladder.sides["capacity"][0])
        if held >= self.max_levels and not ladder.wants_wider(self.ladder):
            raise UsageError(f"a price-level book holds at most {self.max_levels} levels a side")
        self.ladder = ladder.grown(self.ladder, min(2 * held, self.max_levels))
