"""Events out of a LOBSTER file: the messages order by order, and the changes of the visible window of the book."""

from __future__ import annotations

import numpy as np
from numba import njit

from footprint.book.view import NO_PRICE
from footprint.data.readers.lobster_file import LobsterDay, MessageType
from footprint.market.events import EVENT_DTYPE, UNKNOWN_TIME, EventFlag, EventKind
from footprint.market.instruments import US_EQUITY_HOURS
from footprint.units import NS_PER_SECOND

_RESUMES = 1  # price of a type 7 message: -1 trading halts, 0 quoting resumes (trading does not), 1 trading resumes
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
_HIDDEN_TYPE, _CROSS_TYPE, _HALT_TYPE = (
    int(t) for t in (MessageType.HIDDEN_EXECUTION, MessageType.CROSS, MessageType.HALT)
)
_FILL, _TRADE, _LEVEL, _RESUME = (int(k) for k in (EventKind.FILL, EventKind.TRADE, EventKind.LEVEL, EventKind.RESUME))
_LAST, _SNAPSHOT, _SIDE_GIVEN, _HIDDEN, _AUCTION = (
    int(f) for f in (EventFlag.LAST, EventFlag.SNAPSHOT, EventFlag.SIDE_GIVEN, EventFlag.HIDDEN, EventFlag.AUCTION)
)


def order_events(day: LobsterDay) -> np.ndarray:
    """One event a message: ADD, CANCEL, FILL, HALT, RESUME; hidden executions and crosses are TRADE."""
    events = np.zeros(len(day.message), EVENT_DTYPE)
    _write_orders(day.message, _midnight_ns(day), events)
    return events


def session_events(day: LobsterDay) -> np.ndarray:
    """For each message: the order event, the TRADE, the changes of the window; the last of them is flagged LAST.

    A fill of a visible order is FILL (resting side) and TRADE (aggressor, named by the source). The sign of a hidden
    execution is given but not reliable, so its TRADE lacks SIDE_GIVEN. The first message brings the whole first row of
    the book, flagged SNAPSHOT. Order ids stay on the order events.
    """
    index, side, price, size = level_changes(day.book)
    filled = int((day.message[:, 1] == MessageType.EXECUTION).sum())
    events = np.zeros(len(day.message) + filled + len(index), EVENT_DTYPE)
    _write_session(day.message, _midnight_ns(day), index, side, price, size, events)
    return events


def _midnight_ns(day: LobsterDay) -> int:
    return US_EQUITY_HOURS.on(day.day)[0] - US_EQUITY_HOURS.open_s * NS_PER_SECOND


@njit(cache=True)
def _write_orders(message, midnight_ns, events):  # type: ignore[no-untyped-def]
    for k in range(len(message)):
        _set_order(message[k], midnight_ns, k + 1, events[k])
        events[k].flags |= _LAST


@njit(cache=True)
def _write_session(message, midnight_ns, index, side, price, size, events):  # type: ignore[no-untyped-def]
    at = change = 0
    for k in range(len(message)):
        order = events[at]
        _set_order(message[k], midnight_ns, k + 1, order)
        at += 1
        if order.kind == _FILL:
            _copy_message(order, events[at])
            events[at].kind, events[at].flags, events[at].side = _TRADE, _SIDE_GIVEN, -order.side
            events[at].price_ticks, events[at].size_lots = order.price_ticks, order.size_lots
            at += 1
        while change < len(index) and index[change] == k:
            level = events[at]
            _copy_message(order, level)
            level.kind, level.flags, level.side = _LEVEL, _SNAPSHOT if k == 0 else 0, side[change]
            level.price_ticks, level.size_lots = price[change], size[change]
            change += 1
            at += 1
        events[at - 1].flags |= _LAST


@njit(cache=True)
def _set_order(message, midnight_ns, row, event):  # type: ignore[no-untyped-def]
    """The order event of one message; the flag LAST is the caller's."""
    time_ns, kind, order_id, size, price, direction = message
    event.exchange_time_ns, event.receive_time_ns = midnight_ns + time_ns, UNKNOWN_TIME
    event.kind, event.side, event.flags = _KIND_OF_TYPE[kind], direction, 0
    event.price_ticks, event.size_lots, event.order_id = price, size, order_id
    event.sequence = event.row = row
    if kind == _HIDDEN_TYPE:
        event.side, event.flags = -direction, _HIDDEN  # a trade names the aggressor
    elif kind == _CROSS_TYPE:
        event.side, event.flags = 0, _AUCTION
    elif kind == _HALT_TYPE:
        event.side, event.price_ticks, event.size_lots = 0, 0, 0
        if price == _RESUMES:
            event.kind = _RESUME


@njit(cache=True)
def _copy_message(source, target):  # type: ignore[no-untyped-def]
    """What every event of one message shares."""
    target.exchange_time_ns, target.receive_time_ns = source.exchange_time_ns, source.receive_time_ns
    target.sequence, target.row = source.sequence, source.row


def level_changes(book: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """What sets one book row apart from the row before it; the first row is compared with an empty book.

    Args:
        book: int64 of shape (n, 4 * levels) as in `LobsterDay`.

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
