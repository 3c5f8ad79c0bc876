"""The changes between pictures of the best levels of a book: what a level-by-level stream would have said."""

from __future__ import annotations

import numpy as np
from numba import njit

from footprint.book.view import NO_PRICE


def level_changes(book: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """What sets one book row apart from the row before it; the first row is compared with an empty book.

    Args:
        book: int64 of shape (n, 4 * levels): ask price, ask size, bid price, bid size of each level, best first;
            NO_PRICE where there is none.

    Returns:
        Row index (never decreasing), side, price in ticks and new size in lots (0 for a price that left the window) of
        each change, arrays of shape (m,).
    """
    done = count = 0
    changes = np.empty((4, 2 * len(book) + book.shape[1]), np.int64)
    while True:
        done, count = _append_changes(book, done, changes, count)
        if done == len(book):
            index, side, price, size = changes[:, :count]
            return index, side.astype(np.int8), price, size
        larger = np.empty((4, 2 * changes.shape[1]), np.int64)
        larger[:, :count] = changes[:, :count]
        changes = larger


@njit(cache=True)
def _append_changes(book: np.ndarray, start: int, changes: np.ndarray, count: int) -> tuple[int, int]:
    """Go on from row `start` while the changes of a whole row fit; rows done and changes held."""
    room = changes.shape[1] - book.shape[1]  # a row has at most one change a number: every price left and came
    empty = np.zeros(book.shape[1], np.int64)
    for k in range(start, len(book)):
        if count > room:
            return k, count
        old = book[k - 1] if k else empty
        for side in (1, -1):
            stop = _side_changes(old, book[k], side, changes, count)
            for i in range(count, stop):
                changes[0, i], changes[1, i] = k, side
            count = stop
    return len(book), count


@njit(cache=True)
def _side_changes(old: np.ndarray, new: np.ndarray, side: int, changes: np.ndarray, count: int) -> int:
    """Merge two rows of one side, (price, size) pairs best first; appends price and size; how many there are."""
    levels = len(new) // 4
    first = 2 if side > 0 else 0
    i = 0
    while i < levels and old[first + 4 * i] == new[first + 4 * i] and old[first + 4 * i + 1] == new[first + 4 * i + 1]:
        i += 1
    j = i
    while i < levels or j < levels:
        was = old[first + 4 * i] if i < levels else NO_PRICE
        now = new[first + 4 * j] if j < levels else NO_PRICE
        if was == NO_PRICE and now == NO_PRICE:
            break
        if was == now:
            if old[first + 4 * i + 1] != new[first + 4 * j + 1]:
                changes[2, count], changes[3, count] = now, new[first + 4 * j + 1]
                count += 1
            i += 1
            j += 1
        elif now == NO_PRICE or (was != NO_PRICE and side * was > side * now):
            changes[2, count], changes[3, count] = was, 0
            count += 1
            i += 1
        else:
            changes[2, count], changes[3, count] = now, new[first + 4 * j + 1]
            count += 1
            j += 1
    return count
