"""Matching by price, then time, on the arrays of the order-by-order book: what an exchange does with each order.

An order that is entered trades against the other side while its limit allows, best price first and the oldest order of
a price first, at the price of the order that rests. What is left of a limit order then rests at the back of its queue,
what is left of a market order lapses. A modification keeps its place in the queue only when the size falls at the same
price; otherwise it leaves and is entered anew under its own id, so that it may trade.

Fills go to a buffer that is given. When it is full, or the book has to grow, the kernel stops where it is, inside a
message if need be, and says where to go on.
"""

from __future__ import annotations

from enum import IntEnum

import numpy as np

from footprint.book import id_table, ladder
from footprint.book import order_kernels as kernels
from footprint.book.compiled import inlined, kernel
from footprint.book.ladder import ASK_ROW, BID_ROW
from footprint.book.order_kernels import NONE
from footprint.book.orders import OrderBook


class EntryKind(IntEnum):
    """What is asked of an exchange.

    LIMIT and MARKET enter an order, CANCEL takes a resting one out, MODIFY gives it a new price and total size.
    """

    LIMIT = 1
    MARKET = 2
    CANCEL = 3
    MODIFY = 4


FILL_DTYPE = np.dtype(
    [
        ("row", np.int64),  # of the message that traded, whose side is the aggressor's
        ("maker_id", np.uint64),  # of the order that rested
        ("price_ticks", np.int64),
        ("size_lots", np.int64),
    ],
    align=True,
)

_LIMIT, _MARKET = int(EntryKind.LIMIT), int(EntryKind.MARKET)
_CANCEL, _MODIFY = int(EntryKind.CANCEL), int(EntryKind.MODIFY)
_ANY_KEY = np.iinfo(np.int64).min

# entries of `progress`, int64: the row to go on with, lots left of an order that is being matched (0: none is), its
# side's row, fills in the buffer
_ROW, _LEFT, _SIDE_ROW, _FILLS = range(4)


class MatchingEngine:
    """Enters orders into a book; the trades come back as fills.

    Attributes:
        book: where orders rest; it can be read between calls, and counts unknown and duplicate ids.

    >>> import numpy as np
    >>> engine = MatchingEngine()
    >>> columns = np.array([[1, -1, 100, 5, 1], [2, 1, 0, 3, 2]]).T  # a limit order to sell, a market order to buy
    >>> engine.submit(*columns).tolist()
    [(1, 1, 100, 3)]
    >>> engine.book.queue(-1, 100)
    [(1, 2)]
    """

    def __init__(self, book: OrderBook | None = None, fill_capacity: int = 1 << 14) -> None:
        self.book = OrderBook() if book is None else book
        self._fills = np.zeros(max(fill_capacity, 1), FILL_DTYPE)

    def submit(
        self,
        kind: np.ndarray,
        side: np.ndarray,
        price_ticks: np.ndarray,
        size_lots: np.ndarray,
        order_id: np.ndarray,
    ) -> np.ndarray:
        """Process messages in order.

        Args:
            kind: EntryKind; other values change nothing.
            side: +1 buy, -1 sell; the resting order's own counts for CANCEL and MODIFY.
            price_ticks: limit; not read for MARKET and CANCEL.
            size_lots: of the order, or its new size; not read for CANCEL. An order of 0 lots or less is not entered.
            order_id: of the order; one that rests already is not entered a second time.

        Returns:
            FILL_DTYPE of shape (fills,), in the order of trading; `row` counts from the first message given.

        Raises:
            UsageError: an order is entered while the book holds as many as it may.
        """
        columns = kind, side, price_ticks, size_lots, order_id
        progress, taken = np.zeros(4, np.int64), []
        while not match_orders(*columns, progress, self._fills, *self.book.arrays):
            if progress[_FILLS] == len(self._fills):
                taken.append(self._fills.copy())
                progress[_FILLS] = 0
            else:
                self.book.grow()
        taken.append(self._fills[: progress[_FILLS]].copy())
        return np.concatenate(taken)


@kernel
def match_orders(  # type: ignore[no-untyped-def]
    kind, side, price, size, order_id, progress, fills, sides, cells, levels, orders, table, state
) -> bool:
    """Process rows from `progress`; False when the buffer is full or the book has to grow before it can go on."""
    book_is_large = kernels.out_of_cache(table)
    for i in range(progress[_ROW], len(kind)):
        progress[_ROW] = i
        if book_is_large:
            kernels.prefetch_ahead(table, orders, order_id, i)
        entry, number = kind[i], np.uint64(order_id[i])
        if entry == _CANCEL:
            at = id_table.seek(table, orders, number)
            if id_table.slot_at(table, at) == NONE:
                state[0].unknown_ids += 1
            else:
                kernels.take_out(sides, cells, levels, orders, table, state, at)
            continue
        if entry != _LIMIT and entry != _MARKET and entry != _MODIFY:
            continue
        if progress[_LEFT] == 0:
            row = BID_ROW if side[i] > 0 else ASK_ROW
            ticks, lots = np.int64(price[i]), np.int64(size[i])
            left, row = _admit(entry, row, ticks, lots, number, sides, cells, levels, orders, table, state)
            if left < 0:
                return False
            progress[_LEFT], progress[_SIDE_ROW] = left, row
        if progress[_LEFT] > 0:
            row = progress[_SIDE_ROW]
            key = np.int64(price[i]) if row == BID_ROW else -np.int64(price[i])
            lowest = _ANY_KEY if entry == _MARKET else -key
            _trade(i, row, lowest, progress, fills, sides, cells, levels, orders, table, state)
            if progress[_FILLS] == len(fills) and progress[_LEFT] > 0:
                return False
            if entry != _MARKET and progress[_LEFT] > 0:
                at = id_table.seek(table, orders, number)
                kernels.add(sides, cells, levels, orders, table, state, at, number, row, key, progress[_LEFT])
            progress[_LEFT] = 0
    progress[_ROW] = len(kind)
    return True


@inlined
def _admit(entry, row, price, size, number, sides, cells, levels, orders, table, state):  # type: ignore[no-untyped-def]
    """Lots to be matched and the side's row; (-1, row) when the book has to grow before.

    What needs no matching is done here: 0 lots.
    """
    if entry == _MARKET:
        return max(size, 0), row
    at = id_table.seek(table, orders, number)
    slot = id_table.slot_at(table, at)
    if entry == _LIMIT:
        if slot != NONE:
            state[0].duplicate_ids += 1
            return 0, row
        has_room = kernels.has_room(orders, table, state) and ladder.fits(sides, row)
        return max(size, 0) if has_room else -1, row
    if slot == NONE:
        state[0].unknown_ids += 1
        return 0, row
    order = orders[slot]
    level = levels[order.level]
    row = level.row
    key = price if row == BID_ROW else -price
    if size > 0 and key == level.key and size <= order.size:
        level.size -= order.size - size
        order.size = size
        return 0, row
    if size > 0 and not ladder.fits(sides, row):
        return -1, row
    kernels.take_out(sides, cells, levels, orders, table, state, at)
    return max(size, 0), row


@inlined
def _trade(i, row, lowest, progress, fills, sides, cells, levels, orders, table, state) -> None:  # type: ignore[no-untyped-def]
    """Match against the other side down to a key, as long as the buffer has room."""
    other, left, done = 1 - row, progress[_LEFT], progress[_FILLS]
    while left > 0 and done < len(fills):
        at = ladder.best_value(sides, cells, other)
        if at == NONE or levels[at].key < lowest:
            break
        level = levels[at]
        order = orders[level.first]
        size = min(left, order.size)
        fill = fills[done]
        fill.row, fill.maker_id, fill.size_lots = i, order.id, size
        fill.price_ticks = level.key if other == BID_ROW else -level.key
        done += 1
        left -= size
        if size == order.size:
            kernels.take_out(sides, cells, levels, orders, table, state, id_table.seek(table, orders, order.id))
        else:
            level.size -= size
            order.size -= size
    progress[_LEFT], progress[_FILLS] = left, done
