"""Events out of a LOBSTER file: the messages order by order, and the changes of the visible window of the book."""

from __future__ import annotations

import numpy as np
from numba import njit

from footprint.book.view import NO_PRICE
from footprint.data.readers.lobster_file import LobsterDay, MessageType
from footprint.market.events import EventFlag, EventKind, empty_events
from footprint.market.instruments import US_EQUITY_HOURS
from footprint.units import NS_PER_SECOND

_RESUME = 1  # price of a type 7 message: -1 trading halts, 0 quoting resumes (trading does not), 1 trading resumes
_KIND_OF_TYPE = np.array(
    [
        0,
        EventKind.ADD,
        EventKind.CANCEL,
        EventKind.CANCEL,
        EventKind.FILL,
        EventKind.TRADE,
        EventKind.TRADE,
        EventKind.HALT,
    ],
    np.uint8,
)


def order_events(day: LobsterDay) -> np.ndarray:
    """One event a message: ADD, CANCEL, FILL, HALT, RESUME; hidden executions and crosses are TRADE."""
    time_ns, kind, order_id, size, price, direction = day.message.T
    midnight_ns = US_EQUITY_HOURS.on(day.day)[0] - US_EQUITY_HOURS.open_s * NS_PER_SECOND
    events = empty_events(len(day.message))
    events["exchange_time_ns"] = midnight_ns + time_ns
    events["kind"] = _KIND_OF_TYPE[kind]
    events["side"] = direction
    events["flags"] = EventFlag.LAST
    events["price_ticks"], events["size_lots"], events["order_id"] = price, size, order_id
    events["sequence"] = events["row"] = np.arange(1, len(events) + 1)
    hidden, cross, halt = (kind == t for t in (MessageType.HIDDEN_EXECUTION, MessageType.CROSS, MessageType.HALT))
    events["side"][hidden] *= -1  # a trade names the aggressor
    events["flags"][hidden] |= int(EventFlag.HIDDEN)
    events["side"][cross] = 0
    events["flags"][cross] |= int(EventFlag.AUCTION)
    events["kind"][halt & (price == _RESUME)] = EventKind.RESUME
    for name in ("side", "price_ticks", "size_lots"):
        events[name][halt] = 0
    return events


def session_events(day: LobsterDay) -> np.ndarray:
    """For each message: the order event, the TRADE, the changes of the window; the last of them is flagged LAST.

    A fill of a visible order is FILL (resting side) and TRADE (aggressor, named by the source). The sign of a hidden
    execution is given but not reliable, so its TRADE lacks SIDE_GIVEN. The first message brings the whole first row of
    the book, flagged SNAPSHOT. Order ids stay on the order events.
    """
    orders = order_events(day)
    filled = orders["kind"] == EventKind.FILL
    message, side, price, size = level_changes(day.book)
    per_message = 1 + filled + np.bincount(message, minlength=len(orders))
    start = np.cumsum(per_message) - per_message
    events = np.repeat(orders, per_message)
    events["flags"] &= ~np.uint16(EventFlag.LAST)

    trade = start[filled] + 1
    events["kind"][trade] = EventKind.TRADE
    events["side"][trade] *= -1
    events["flags"][trade] |= int(EventFlag.SIDE_GIVEN)
    events["order_id"][trade] = 0

    rank = np.arange(len(message)) - np.searchsorted(message, message)  # place among the changes of its message
    level = start[message] + 1 + filled[message] + rank
    events["kind"][level] = EventKind.LEVEL
    events["flags"][level] = np.where(message == 0, EventFlag.SNAPSHOT, EventFlag.NONE)
    events["side"][level], events["price_ticks"][level], events["size_lots"][level] = side, price, size
    events["order_id"][level] = 0

    events["flags"][start + per_message - 1] |= int(EventFlag.LAST)
    return events


def level_changes(book: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """What sets one book row apart from the row before it; the first row is compared with an empty book.

    Args:
        book: int64 of shape (n, 4 * levels) as in `LobsterDay`.

    Returns:
        Row index (never decreasing), side, price in ticks and new size in lots (0 for a price that left the window) of
        each change, arrays of shape (m,).
    """
    count = _count_changes(book)
    index, side = np.empty(count, np.int64), np.empty(count, np.int8)
    price, size = np.empty(count, np.int64), np.empty(count, np.int64)
    _fill_changes(book, index, side, price, size)
    return index, side, price, size


@njit(cache=True)
def _side_changes(old: np.ndarray, new: np.ndarray, side: int, price: np.ndarray, size: np.ndarray) -> int:
    """Merge two rows of one side, (price, size) pairs best first; writes the changes and returns how many."""
    levels = len(new) // 4
    first = 2 if side > 0 else 0
    i = j = count = 0
    while i < levels or j < levels:
        was = old[first + 4 * i] if i < levels else NO_PRICE
        now = new[first + 4 * j] if j < levels else NO_PRICE
        if was == NO_PRICE and now == NO_PRICE:
            break
        if now == NO_PRICE or (was != NO_PRICE and side * was > side * now):
            price[count], size[count] = was, 0
            count += 1
            i += 1
        elif was == NO_PRICE or side * now > side * was:
            price[count], size[count] = now, new[first + 4 * j + 1]
            count += 1
            j += 1
        else:
            if old[first + 4 * i + 1] != new[first + 4 * j + 1]:
                price[count], size[count] = now, new[first + 4 * j + 1]
                count += 1
            i += 1
            j += 1
    return count


@njit(cache=True)
def _count_changes(book: np.ndarray) -> int:
    price, size = np.empty(book.shape[1], np.int64), np.empty(book.shape[1], np.int64)
    old = np.zeros(book.shape[1], np.int64)
    total = 0
    for k in range(len(book)):
        total += _side_changes(old, book[k], 1, price, size) + _side_changes(old, book[k], -1, price, size)
        old = book[k]
    return total


@njit(cache=True)
def _fill_changes(book: np.ndarray, index: np.ndarray, side: np.ndarray, price: np.ndarray, size: np.ndarray) -> None:
    old = np.zeros(book.shape[1], np.int64)
    at = 0
    for k in range(len(book)):
        for sign in (1, -1):
            count = _side_changes(old, book[k], sign, price[at:], size[at:])
            index[at : at + count] = k
            side[at : at + count] = sign
            at += count
        old = book[k]
