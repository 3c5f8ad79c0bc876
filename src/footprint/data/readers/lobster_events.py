"""Events out of a LOBSTER file: the messages order by order, and the changes of the visible window of the book."""

from __future__ import annotations

import numpy as np
from numba import njit

from footprint.data.readers.lobster_file import LobsterDay, MessageType
from footprint.data.readers.window_changes import level_changes
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
        event.side, event.flags, event.order_id = 0, _AUCTION, 0
    elif kind == _HALT_TYPE:
        event.side, event.price_ticks, event.size_lots = 0, 0, 0
        if price == _RESUMES:
            event.kind = _RESUME


@njit(cache=True)
def _copy_message(source, target):  # type: ignore[no-untyped-def]
    """What every event of one message shares."""
    target.exchange_time_ns, target.receive_time_ns = source.exchange_time_ns, source.receive_time_ns
    target.sequence, target.row = source.sequence, source.row
