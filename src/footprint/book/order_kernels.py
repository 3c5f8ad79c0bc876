"""Kernels of the order-by-order book (L3): price levels sorted by price, each a queue in order of arrival (FIFO).

Orders live in a pool of slots and are found through an open-addressing hash table from 64-bit ids. A level is one row
of the side's sorted array (best price last, as in `price_levels.py`) and holds the ends of an intrusive linked list
through the slots. A modification keeps its place in the queue only when the size falls at the same price.

Events that name an unknown order, or add one that is already there, are counted and change nothing: a capture often
starts while orders rest in the book.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit

from footprint.book.price_levels import lower_bound
from footprint.book.view import NO_PRICE, SIZE_UNKNOWN
from footprint.market.events import EventKind
from footprint.units import BPS

_ADD, _CANCEL, _MODIFY = int(EventKind.ADD), int(EventKind.CANCEL), int(EventKind.MODIFY)
_FILL, _CLEAR, _DELETE = int(EventKind.FILL), int(EventKind.CLEAR), int(EventKind.DELETE)

# columns of `orders`, rows of `levels`, entries of `state`
SIDE, KEY, SIZE, PREVIOUS, NEXT = range(5)
LEVEL_KEY, LEVEL_SIZE, LEVEL_ORDERS, HEAD, TAIL = range(5)
FREE, USED, LIVE, UNKNOWN_IDS, DUPLICATE_IDS = range(5)

NONE = -1
_HASH = np.uint64(0x9E3779B97F4A7C15)  # 2^64 / golden ratio: multiplicative hashing (Knuth, TAOCP 3, 6.4)


class OrderBookArrays(NamedTuple):
    """Everything the kernels touch; they take the arrays one by one, which saves counting references in the loop.

    Attributes:
        table: hash table of slots, int64 of shape (2^k,), at least twice the slots; NONE where empty.
        ids: order id of each slot, uint64 of shape (slots,).
        orders: int64 of shape (slots, 5): side, side * price, size, previous and next slot in the queue.
        levels: int64 of shape (2, 5, capacity): side * price ascending, total size, orders, first and last slot.
        counts: levels held, int64 of shape (2,); row 0 bids, row 1 asks.
        state: int64 of shape (5,): head of the free list, slots ever used, live orders, unknown ids, duplicate ids.
    """

    table: np.ndarray
    ids: np.ndarray
    orders: np.ndarray
    levels: np.ndarray
    counts: np.ndarray
    state: np.ndarray


@njit(cache=True)
def _home(order_id, mask: int) -> int:  # type: ignore[no-untyped-def]  # np.uint64
    return int((np.uint64(order_id) * _HASH) >> np.uint64(32)) & mask


@njit(cache=True)
def find_order(table: np.ndarray, ids: np.ndarray, order_id) -> int:  # type: ignore[no-untyped-def]
    """Slot of an order, NONE when it is not in the book."""
    mask = len(table) - 1
    at = _home(order_id, mask)
    while table[at] != NONE:
        if ids[table[at]] == np.uint64(order_id):
            return table[at]
        at = (at + 1) & mask
    return NONE


@njit(cache=True)
def _table_insert(table: np.ndarray, order_id, slot: int) -> None:  # type: ignore[no-untyped-def]
    mask = len(table) - 1
    at = _home(order_id, mask)
    while table[at] != NONE:
        at = (at + 1) & mask
    table[at] = slot


@njit(cache=True)
def _table_remove(table: np.ndarray, ids: np.ndarray, slot: int) -> None:
    """Remove by shifting later entries of the run back, so that no tombstones pile up."""
    mask = len(table) - 1
    hole = _home(ids[slot], mask)
    while table[hole] != slot:
        hole = (hole + 1) & mask
    at = (hole + 1) & mask
    while table[at] != NONE:
        home = _home(ids[table[at]], mask)
        if ((at - home) & mask) >= ((at - hole) & mask):
            table[hole] = table[at]
            hole = at
        at = (at + 1) & mask
    table[hole] = NONE


@njit(cache=True)
def _open_level(levels: np.ndarray, counts: np.ndarray, row: int, at: int, key: int) -> None:
    for field in range(5):
        for j in range(counts[row], at, -1):
            levels[row, field, j] = levels[row, field, j - 1]
    levels[row, LEVEL_KEY, at] = key
    levels[row, LEVEL_SIZE, at] = 0
    levels[row, LEVEL_ORDERS, at] = 0
    levels[row, HEAD, at] = NONE
    levels[row, TAIL, at] = NONE
    counts[row] += 1


@njit(cache=True)
def _close_level(levels: np.ndarray, counts: np.ndarray, row: int, at: int) -> None:
    for field in range(5):
        for j in range(at, counts[row] - 1):
            levels[row, field, j] = levels[row, field, j + 1]
    counts[row] -= 1


@njit(cache=True)
def _append(
    orders: np.ndarray, levels: np.ndarray, counts: np.ndarray, slot: int, side: int, price: int, size: int
) -> None:
    """Put a slot at the back of the queue at a price."""
    row = 0 if side > 0 else 1
    key = side * price
    at = lower_bound(levels[row, LEVEL_KEY], counts[row], key)
    if at == counts[row] or levels[row, LEVEL_KEY, at] != key:
        _open_level(levels, counts, row, at, key)
    tail = levels[row, TAIL, at]
    orders[slot, SIDE], orders[slot, KEY], orders[slot, SIZE] = side, key, size
    orders[slot, PREVIOUS], orders[slot, NEXT] = tail, NONE
    if tail == NONE:
        levels[row, HEAD, at] = slot
    else:
        orders[tail, NEXT] = slot
    levels[row, TAIL, at] = slot
    levels[row, LEVEL_SIZE, at] += size
    levels[row, LEVEL_ORDERS, at] += 1


@njit(cache=True)
def _unlink(orders: np.ndarray, levels: np.ndarray, counts: np.ndarray, slot: int) -> None:
    """Take a slot out of its queue and close the level if it was the last one there."""
    row = 0 if orders[slot, SIDE] > 0 else 1
    at = lower_bound(levels[row, LEVEL_KEY], counts[row], orders[slot, KEY])
    before, after = orders[slot, PREVIOUS], orders[slot, NEXT]
    if before == NONE:
        levels[row, HEAD, at] = after
    else:
        orders[before, NEXT] = after
    if after == NONE:
        levels[row, TAIL, at] = before
    else:
        orders[after, PREVIOUS] = before
    levels[row, LEVEL_SIZE, at] -= orders[slot, SIZE]
    levels[row, LEVEL_ORDERS, at] -= 1
    if levels[row, LEVEL_ORDERS, at] == 0:
        _close_level(levels, counts, row, at)


@njit(cache=True)
def _take_slot(table: np.ndarray, ids: np.ndarray, orders: np.ndarray, state: np.ndarray, order_id) -> int:  # type: ignore[no-untyped-def]
    slot = state[FREE]
    if slot == NONE:
        slot = state[USED]
        state[USED] += 1
    else:
        state[FREE] = orders[slot, NEXT]
    ids[slot] = order_id
    _table_insert(table, order_id, slot)
    state[LIVE] += 1
    return slot


@njit(cache=True)
def _free_slot(table: np.ndarray, ids: np.ndarray, orders: np.ndarray, state: np.ndarray, slot: int) -> None:
    _table_remove(table, ids, slot)
    orders[slot, NEXT] = state[FREE]
    state[FREE] = slot
    state[LIVE] -= 1


@njit(cache=True)
def _clear(table: np.ndarray, counts: np.ndarray, state: np.ndarray) -> None:
    table[:] = NONE
    counts[:] = 0
    state[FREE], state[USED], state[LIVE] = NONE, 0, 0


@njit(cache=True)
def _change(table, ids, orders, levels, counts, state, kind, slot, price, size) -> None:  # type: ignore[no-untyped-def]
    """A message about a resting order: FILL and CANCEL take `size` off, MODIFY sets price and size, DELETE
    takes it out.
    """
    side, held = orders[slot, SIDE], orders[slot, SIZE]
    same_price = kind != _MODIFY or side * price == orders[slot, KEY]
    left = size if kind == _MODIFY else 0 if kind == _DELETE else held - size
    if left <= 0:
        _unlink(orders, levels, counts, slot)
        _free_slot(table, ids, orders, state, slot)
    elif same_price and left <= held:
        row = 0 if side > 0 else 1
        at = lower_bound(levels[row, LEVEL_KEY], counts[row], orders[slot, KEY])
        levels[row, LEVEL_SIZE, at] -= held - left
        orders[slot, SIZE] = left
    else:
        _unlink(orders, levels, counts, slot)
        _append(orders, levels, counts, slot, side, price, left)


@njit(cache=True)
def apply_order_event(  # type: ignore[no-untyped-def]
    table, ids, orders, levels, counts, state, kind, order_id, side, price, size
) -> bool:
    """Apply one event; False, with the book untouched, when the arrays are full. Other kinds change nothing."""
    if kind == _CLEAR:
        _clear(table, counts, state)
        return True
    if kind not in (_ADD, _CANCEL, _MODIFY, _FILL, _DELETE):
        return True
    no_slot = state[FREE] == NONE and state[USED] == len(ids)
    if no_slot or max(counts[0], counts[1]) == levels.shape[2]:
        return False
    slot = find_order(table, ids, order_id)
    if kind != _ADD:
        if slot == NONE:
            state[UNKNOWN_IDS] += 1
        else:
            _change(table, ids, orders, levels, counts, state, kind, slot, price, size)
    elif slot != NONE:
        state[DUPLICATE_IDS] += 1
    elif size > 0:
        slot = _take_slot(table, ids, orders, state, order_id)
        _append(orders, levels, counts, slot, side, price, size)
    return True


@njit(cache=True)
def apply_orders(events: np.ndarray, start: int, book: OrderBookArrays) -> int:
    """Apply events from `start`; the index of the first one that did not fit, or len(events)."""
    table, ids, orders, levels, counts, state = book
    for i in range(start, len(events)):
        event = events[i]
        if not apply_order_event(
            table,
            ids,
            orders,
            levels,
            counts,
            state,
            event.kind,
            event.order_id,
            event.side,
            event.price_ticks,
            event.size_lots,
        ):
            return i
    return len(events)


@njit(cache=True)
def best_level(levels: np.ndarray, counts: np.ndarray, side: int) -> tuple[int, int]:
    """Best price in ticks and the lots there; (NO_PRICE, 0) when the side is empty."""
    row = 0 if side > 0 else 1
    count = counts[row]
    if count == 0:
        return NO_PRICE, 0
    return side * levels[row, LEVEL_KEY, count - 1], levels[row, LEVEL_SIZE, count - 1]


@njit(cache=True)
def depth_of_levels(levels: np.ndarray, counts: np.ndarray, side: int, best: int) -> int:
    """Size in the `best` best levels, lots; SIZE_UNKNOWN when the side holds fewer."""
    row = 0 if side > 0 else 1
    count = counts[row]
    if count < best:
        return SIZE_UNKNOWN
    total = 0
    for j in range(count - best, count):
        total += levels[row, LEVEL_SIZE, j]
    return total


@njit(cache=True)
def depth_within(levels: np.ndarray, counts: np.ndarray, side: int, mid_ticks: float, distance_bps: float) -> int:
    """Size no further than `distance_bps` from the mid, lots; an order-by-order book is whole, so the sum is known."""
    row = 0 if side > 0 else 1
    limit = side * mid_ticks - mid_ticks * distance_bps / BPS
    total = 0
    for j in range(counts[row] - 1, -1, -1):
        if levels[row, LEVEL_KEY, j] < limit:
            break
        total += levels[row, LEVEL_SIZE, j]
    return total


@njit(cache=True)
def queue_ahead(orders: np.ndarray, slot: int) -> tuple[int, int]:
    """Lots and orders that would trade before this slot at its price."""
    lots, count = 0, 0
    ahead = orders[slot, PREVIOUS]
    while ahead != NONE:
        lots += orders[ahead, SIZE]
        count += 1
        ahead = orders[ahead, PREVIOUS]
    return lots, count


@njit(cache=True)
def fill_table(book: OrderBookArrays) -> None:
    """Enter every resting order into an empty hash table."""
    table, ids, orders, levels, counts, _ = book
    for row in range(2):
        for at in range(counts[row]):
            slot = levels[row, HEAD, at]
            while slot != NONE:
                _table_insert(table, ids[slot], slot)
                slot = orders[slot, NEXT]
