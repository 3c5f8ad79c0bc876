"""Do the messages of a LOBSTER file explain its book?

Message k applied to book row k - 1 must give row k. A level-n file shows n levels a side, so a level that empties lets
a deeper one come into view: its price and size are known from row k only and are counted, not compared.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numba import njit

from footprint.book.view import NO_PRICE
from footprint.data.readers.lobster_file import MessageType, read_day

_NEW, _EXECUTION = int(MessageType.NEW), int(MessageType.EXECUTION)


def check_lobster_replay(path: Path) -> dict[str, int]:
    """Apply every message to the book row before it.

    Returns:
        counts: "steps" (messages but the first), "mismatches" (steps whose result is not row k), "first_mismatch"
        (1-based row, 0 when there is none), "revealed_levels" (deepest levels taken from row k).

    Raises:
        DataRefused: the file is refused.
    """
    day = read_day(path)
    mismatches, first, revealed = _replay(day.message, day.book)
    return {
        "steps": len(day.message) - 1,
        "mismatches": int(mismatches),
        "first_mismatch": int(first),
        "revealed_levels": int(revealed),
    }


@njit(cache=True)
def _replay(message: np.ndarray, book: np.ndarray) -> tuple[int, int, int]:
    levels = book.shape[1] // 4
    price, size = np.empty(levels + 1, np.int64), np.empty(levels + 1, np.int64)
    mismatches = first = revealed = 0
    for k in range(1, len(message)):
        equal = True
        for side in (1, -1):
            column = 2 if side > 0 else 0
            held = _known_levels(book[k - 1], column, levels, price, size)
            whole = held < levels  # fewer than the window holds: nothing can hide behind it
            if message[k, 5] == side and message[k, 1] <= _EXECUTION:
                held = _apply(message[k], side, price, size, held)
            shown = _compare(book[k], column, levels, price, size, held)
            equal &= shown >= 0 and (not whole or shown <= held)
            revealed += max(shown - held, 0)
        if not equal:
            mismatches += 1
            first = first or k + 1
    return mismatches, first, revealed


@njit(cache=True)
def _known_levels(row: np.ndarray, column: int, levels: int, price: np.ndarray, size: np.ndarray) -> int:
    for j in range(levels):
        if row[column + 4 * j] == NO_PRICE:
            return j
        price[j], size[j] = row[column + 4 * j], row[column + 4 * j + 1]
    return levels


@njit(cache=True)
def _apply(message: np.ndarray, side: int, price: np.ndarray, size: np.ndarray, held: int) -> int:
    """One order message on one side, levels best first; -1 when it takes from a price or size that is not there."""
    kind, change, at_price = message[1], message[3], message[4]
    at = 0
    while at < held and side * price[at] > side * at_price:
        at += 1
    known = at < held and price[at] == at_price
    if kind == _NEW:
        if not known:
            for j in range(held, at, -1):
                price[j], size[j] = price[j - 1], size[j - 1]
            price[at], size[at] = at_price, 0
            held += 1
        size[at] += change
        return held
    if not known or size[at] < change:
        return -1
    size[at] -= change
    if size[at] == 0:
        held -= 1
        for j in range(at, held):
            price[j], size[j] = price[j + 1], size[j + 1]
    return held


@njit(cache=True)
def _compare(row: np.ndarray, column: int, levels: int, price: np.ndarray, size: np.ndarray, held: int) -> int:
    """Levels that the row shows, or -1 when one that was known differs."""
    shown = 0
    while shown < levels and row[column + 4 * shown] != NO_PRICE:
        j = shown
        if j < held and (row[column + 4 * j] != price[j] or row[column + 4 * j + 1] != size[j]):
            return -1
        shown += 1
    return shown if held >= 0 and shown >= min(held, levels) else -1
