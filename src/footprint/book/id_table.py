"""Hash table from 64-bit order ids to slots of the pool of orders: open addressing, at most a third full.

An entry is one uint64: the upper half of the id's hash, and the slot below it; 0 where the table is empty (slots count
from 1). The upper half holds the entry's home, so neither a removal nor a larger table has to look at an order, and it
tells nearly all other ids apart, so passing an entry over does not either.
"""

from __future__ import annotations

import numpy as np

from footprint.book.bits import highest_bit
from footprint.book.compiled import inlined, kernel

_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)  # 2^64 / golden ratio: multiplicative hashing (Knuth, TAOCP 3, 6.4)
_UPPER, _SLOT = np.uint64(0xFFFFFFFF00000000), np.uint64(0xFFFFFFFF)
_EMPTY = np.uint64(0)


def make_table(ids: int) -> np.ndarray:
    """An empty table with room for as many ids, and up to twice as many."""
    return np.zeros(1 << (3 * ids).bit_length(), np.uint64)


def enlarged(table: np.ndarray) -> np.ndarray:
    """A table four times as long with the same entries."""
    longer = np.zeros(4 * len(table), np.uint64)
    _copy_entries(table, longer)
    return longer


@inlined
def has_room(table: np.ndarray, ids: int) -> bool:
    """Another id can be entered beside so many."""
    return 3 * ids < len(table)


@inlined
def _home(table: np.ndarray, hashed) -> int:  # type: ignore[no-untyped-def]  # np.uint64
    """Where the search for a hash begins: its upper bits. A table has at most 2^32 entries."""
    shift = np.uint64(64 - highest_bit(np.uint64(len(table))))
    return np.int64(hashed >> shift)  # type: ignore[return-value]


@inlined
def home_of(table: np.ndarray, order_id) -> int:  # type: ignore[no-untyped-def]  # np.uint64
    """Where the search for an id begins."""
    return _home(table, order_id * _MULTIPLIER)


@inlined
def slot_at(table: np.ndarray, at: int) -> int:
    """Slot of the entry at a position, 0 where there is none."""
    return np.int64(table[at] & _SLOT)  # type: ignore[return-value]


@inlined
def seek(table: np.ndarray, orders: np.ndarray, order_id) -> int:  # type: ignore[no-untyped-def]  # np.uint64
    """Position of an id's entry, or the empty position that it would take. `orders` says each slot's own `id`."""
    hashed = order_id * _MULTIPLIER
    at, mask = _home(table, hashed), len(table) - 1
    while table[at] != _EMPTY:
        if table[at] & _UPPER == hashed & _UPPER and orders[slot_at(table, at)].id == order_id:
            break
        at = (at + 1) & mask
    return at


@inlined
def enter(table: np.ndarray, at: int, order_id, slot: int) -> None:  # type: ignore[no-untyped-def]  # np.uint64
    """Enter an id at the empty position that `seek` gave."""
    table[at] = (order_id * _MULTIPLIER & _UPPER) | np.uint64(slot)


@inlined
def _insert_entry(table: np.ndarray, entry) -> None:  # type: ignore[no-untyped-def]  # np.uint64
    at, mask = _home(table, entry), len(table) - 1
    while table[at] != _EMPTY:
        at = (at + 1) & mask
    table[at] = entry


@inlined
def remove(table: np.ndarray, hole: int) -> None:
    """Take out the entry at a position; later ones of its run move back, so that no tombstones pile up."""
    mask = len(table) - 1
    at = (hole + 1) & mask
    while table[at] != _EMPTY:
        if ((at - _home(table, table[at])) & mask) >= ((at - hole) & mask):
            table[hole] = table[at]
            hole = at
        at = (at + 1) & mask
    table[hole] = _EMPTY


@kernel
def _copy_entries(source: np.ndarray, target: np.ndarray) -> None:
    """Enter everything into an empty table."""
    for at in range(len(source)):
        if source[at] != _EMPTY:
            _insert_entry(target, source[at])
