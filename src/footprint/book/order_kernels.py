"""Kernels of the order-by-order book (L3): price levels on the ladder of `ladder.py`, each a queue in order of arrival.

An order is a record of 32 bytes in a pool of slots and is found through the hash table of `id_table.py`. A level is a
record too; it holds the ends of a linked list through its orders, so that no message costs more in a longer queue.
Slots and levels count from 1; 0 is none. A modification keeps its place in the queue only when the size falls at the
same price.

Events that name an unknown order, or add one that is already there, are counted and change nothing: a capture often
starts while orders rest in the book.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from footprint.book import id_table, ladder
from footprint.book.bits import prefetch
from footprint.book.compiled import inlined, kernel
from footprint.book.ladder import ASK_ROW, BID_ROW, NO_PLACE
from footprint.book.view import NO_PRICE, SIZE_UNKNOWN
from footprint.market.events import EventKind
from footprint.units import BPS

_ADD, _CANCEL, _MODIFY = int(EventKind.ADD), int(EventKind.CANCEL), int(EventKind.MODIFY)
_FILL, _CLEAR, _DELETE = int(EventKind.FILL), int(EventKind.CLEAR), int(EventKind.DELETE)

NONE = 0

# a table of this many entries (512 KiB) fills an inner cache; then entries are asked for so many messages before their
# orders, and orders so many before they change
_OUT_OF_CACHE = 1 << 16
_AHEAD = 6

ORDER_DTYPE = np.dtype(
    {
        "names": ["size", "id", "level", "previous", "next"],
        "formats": [np.int64, np.uint64, np.uint32, np.uint32, np.uint32],
        "itemsize": 32,
    }
)
LEVEL_DTYPE = np.dtype(
    [
        ("size", np.int64),  # of all its orders
        ("key", np.int64),  # side * price
        ("first", np.uint32),  # to trade
        ("last", np.uint32),
        ("row", np.uint32),  # of the ladder
    ],
    align=True,
)
STATE_DTYPE = np.dtype(
    [
        ("free_slot", np.int64),  # head of the list of slots that were given back, through `next`
        ("used_slots", np.int64),  # slots ever used
        ("free_level", np.int64),  # the same of levels, through `first`
        ("used_levels", np.int64),
        ("live_orders", np.int64),
        ("unknown_ids", np.int64),
        ("duplicate_ids", np.int64),
    ],
    align=True,
)


class OrderBookArrays(NamedTuple):
    """Everything the kernels touch.

    Attributes:
        sides, cells: the ladder; the value at a price is the number of its level.
        levels: LEVEL_DTYPE of shape (levels + 1,).
        orders: ORDER_DTYPE of shape (slots + 1,).
        table: where each id's order is.
        state: STATE_DTYPE of shape (1,).
    """

    sides: np.ndarray
    cells: np.ndarray
    levels: np.ndarray
    orders: np.ndarray
    table: np.ndarray
    state: np.ndarray


@inlined
def append(sides, cells, levels, orders, state, slot, row, key, size) -> bool:  # type: ignore[no-untyped-def]
    """Put a slot at the back of the queue at a price; False, with nothing changed, when the ladder has to grow."""
    at = ladder.get(sides, cells, row, key)
    if at == NONE:
        at = state[0].free_level
        fresh = at == NONE
        if fresh:
            at = state[0].used_levels + 1
        if not ladder.put(sides, cells, row, key, at):
            return False
        if fresh:
            state[0].used_levels = at
        else:
            state[0].free_level = levels[at].first
        _open_level(levels, at, row, key)
    level, order = levels[at], orders[slot]
    last = level.last
    order.size, order.level, order.previous, order.next = size, at, last, NONE
    if last == NONE:
        level.first = slot
    else:
        orders[last].next = slot
    level.last = slot
    level.size += size
    return True


@inlined
def _open_level(levels: np.ndarray, at: int, row: int, key: int) -> None:
    level = levels[at]
    level.size, level.key, level.row = 0, key, row
    level.first, level.last = NONE, NONE


@inlined
def unlink(sides, cells, levels, orders, state, slot) -> None:  # type: ignore[no-untyped-def]
    """Take a slot out of its queue and close the level if it was the last one there."""
    order = orders[slot]
    at, before, after = order.level, order.previous, order.next
    level = levels[at]
    if before == NONE:
        level.first = after
    else:
        orders[before].next = after
    if after == NONE:
        level.last = before
    else:
        orders[after].previous = before
    level.size -= order.size
    if level.first == NONE:
        ladder.put(sides, cells, level.row, level.key, 0)
        level.first = state[0].free_level
        state[0].free_level = at


@inlined
def has_room(orders: np.ndarray, table: np.ndarray, state: np.ndarray) -> bool:
    """Another order can be taken in."""
    free = state[0].free_slot != NONE or state[0].used_slots < len(orders) - 1
    return free and id_table.has_room(table, state[0].live_orders)


@inlined
def _take_slot(orders: np.ndarray, state: np.ndarray) -> int:
    slot = state[0].free_slot
    if slot != NONE:
        state[0].free_slot = orders[slot].next
        return slot
    state[0].used_slots += 1
    return state[0].used_slots


@inlined
def free_slot(orders: np.ndarray, state: np.ndarray, slot: int) -> None:
    """Give back the slot of an order that is in no queue."""
    orders[slot].next = state[0].free_slot
    state[0].free_slot = slot
    state[0].live_orders -= 1


@kernel
def _clear(sides, cells, table, state) -> None:  # type: ignore[no-untyped-def]
    ladder.clear(sides, cells)
    table[:] = 0
    book = state[0]
    book.free_slot, book.used_slots, book.live_orders = NONE, 0, 0
    book.free_level, book.used_levels = NONE, 0


@inlined
def add(sides, cells, levels, orders, table, state, at, order_id, row, key, size) -> bool:  # type: ignore[no-untyped-def]
    """A new order whose id goes to a position of the table."""
    if not has_room(orders, table, state):
        return False
    slot = _take_slot(orders, state)
    state[0].live_orders += 1
    if not append(sides, cells, levels, orders, state, slot, row, key, size):
        free_slot(orders, state, slot)
        return False
    orders[slot].id = order_id
    id_table.enter(table, at, order_id, slot)
    return True


@inlined
def take_out(sides, cells, levels, orders, table, state, at) -> None:  # type: ignore[no-untyped-def]
    """The order of an entry leaves the book."""
    slot = id_table.slot_at(table, at)
    unlink(sides, cells, levels, orders, state, slot)
    free_slot(orders, state, slot)
    id_table.remove(table, at)


@inlined
def _reduce(sides, cells, levels, orders, table, state, at, size) -> None:  # type: ignore[no-untyped-def]
    """Take lots off an order, which keeps its place, or leaves when none are left."""
    order = orders[id_table.slot_at(table, at)]
    if size >= order.size:
        take_out(sides, cells, levels, orders, table, state, at)
    else:
        levels[order.level].size -= size
        order.size -= size


@inlined
def _modify(sides, cells, levels, orders, table, state, at, price, size) -> bool:  # type: ignore[no-untyped-def]
    """Set price and size; False, with the book untouched, when it has to grow."""
    slot = id_table.slot_at(table, at)
    order = orders[slot]
    level = levels[order.level]
    row = level.row
    key = price if row == BID_ROW else -price
    if size <= 0:
        take_out(sides, cells, levels, orders, table, state, at)
    elif key == level.key and size <= order.size:
        level.size -= order.size - size
        order.size = size
    elif ladder.get(sides, cells, row, key) != NONE or ladder.fits(sides, row):
        unlink(sides, cells, levels, orders, state, slot)
        append(sides, cells, levels, orders, state, slot, row, key, size)
    else:
        return False
    return True


@inlined
def apply_order_event(  # type: ignore[no-untyped-def]
    sides, cells, levels, orders, table, state, kind, order_id, side, price, size
) -> bool:
    """Apply one event; False, with the book untouched, when it has to grow. Other kinds change nothing."""
    if kind == _ADD:
        at = id_table.seek(table, orders, order_id)
        if id_table.slot_at(table, at) != NONE:
            state[0].duplicate_ids += 1
        elif size > 0:
            row, key = (BID_ROW, price) if side > 0 else (ASK_ROW, -price)
            return add(sides, cells, levels, orders, table, state, at, order_id, row, key, size)
    elif kind in (_DELETE, _MODIFY, _CANCEL, _FILL):
        at = id_table.seek(table, orders, order_id)
        if id_table.slot_at(table, at) == NONE:
            state[0].unknown_ids += 1
        elif kind == _DELETE:
            take_out(sides, cells, levels, orders, table, state, at)
        elif kind == _MODIFY:
            return _modify(sides, cells, levels, orders, table, state, at, price, size)
        else:
            _reduce(sides, cells, levels, orders, table, state, at, size)
    elif kind == _CLEAR:
        _clear(sides, cells, table, state)
    return True


@inlined
def out_of_cache(table: np.ndarray) -> bool:
    """The table and the orders outgrow the inner caches, so that it pays to ask for their parts ahead."""
    return len(table) >= _OUT_OF_CACHE


@inlined
def prefetch_ahead(table: np.ndarray, orders: np.ndarray, order_id: np.ndarray, i: int) -> None:
    """Ask for what the messages after row `i` will touch: first the entry of an id, some rows later its order."""
    if i + 2 * _AHEAD < len(order_id):
        prefetch(table, id_table.home_of(table, np.uint64(order_id[i + 2 * _AHEAD])))
        prefetch(orders, id_table.slot_at(table, id_table.home_of(table, np.uint64(order_id[i + _AHEAD]))))


@kernel
def apply_orders(  # type: ignore[no-untyped-def]
    kind, side, price, size, order_id, start, sides, cells, levels, orders, table, state
) -> int:
    """Apply rows from `start`; the index of the first one that did not fit, or their number."""
    book_is_large = out_of_cache(table)
    for i in range(start, len(kind)):
        if book_is_large:
            prefetch_ahead(table, orders, order_id, i)
        price_ticks, size_lots, number = np.int64(price[i]), np.int64(size[i]), np.uint64(order_id[i])
        if not apply_order_event(
            sides, cells, levels, orders, table, state, kind[i], number, side[i], price_ticks, size_lots
        ):
            return i
    return len(kind)


@kernel
def slot_of(table: np.ndarray, orders: np.ndarray, order_id) -> int:  # type: ignore[no-untyped-def]  # np.uint64
    """Slot of an order, NONE when it is not in the book."""
    return id_table.slot_at(table, id_table.seek(table, orders, order_id))


@inlined
def best_level(sides: np.ndarray, cells: np.ndarray, levels: np.ndarray, side: int) -> tuple[int, int]:
    """Best price in ticks and the lots there; (NO_PRICE, 0) when the side is empty."""
    row = BID_ROW if side > 0 else ASK_ROW
    at = ladder.best_value(sides, cells, row)
    return (side * levels[at].key, levels[at].size) if at != NONE else (NO_PRICE, 0)


@inlined
def depth_of_levels(sides: np.ndarray, cells: np.ndarray, levels: np.ndarray, side: int, best: int) -> int:
    """Size in the `best` best levels, lots; SIZE_UNKNOWN when the side holds fewer."""
    row = BID_ROW if side > 0 else ASK_ROW
    if ladder.level_count(sides, row) < best:
        return SIZE_UNKNOWN
    total, place = 0, sides[row].best
    for _ in range(best):
        total += levels[ladder.value_at(sides, cells, row, place)].size
        place = ladder.place_after(sides, cells, row, place)
    return total


@inlined
def depth_within(sides, cells, levels, side: int, mid_ticks: float, distance_bps: float) -> int:  # type: ignore[no-untyped-def]
    """Size no further than `distance_bps` from the mid, lots; an order-by-order book is whole, so the sum is known."""
    row = BID_ROW if side > 0 else ASK_ROW
    limit = side * mid_ticks - mid_ticks * distance_bps / BPS
    total, place = 0, sides[row].best
    while place != NO_PLACE and ladder.key_at(sides, cells, row, place) >= limit:
        total += levels[ladder.value_at(sides, cells, row, place)].size
        place = ladder.place_after(sides, cells, row, place)
    return total


@kernel
def queue_ahead(orders: np.ndarray, slot: int) -> tuple[int, int]:
    """Lots and orders that would trade before this slot at its price."""
    lots, count = 0, 0
    ahead = orders[slot].previous
    while ahead != NONE:
        lots += orders[ahead].size
        count += 1
        ahead = orders[ahead].previous
    return lots, count
