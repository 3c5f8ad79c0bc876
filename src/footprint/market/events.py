"""Market events in the order-by-order vocabulary of the field, held as columns.

An event array is a numpy structured array of `EVENT_DTYPE`, one row an event, in the order of arrival. One event is a
slice of length one: what is computed event by event and what is computed for a whole day run the same compiled loop.
"""

from __future__ import annotations

from enum import IntEnum, IntFlag

import numpy as np

UNKNOWN_TIME = -1  # a clock that the source does not carry


class EventKind(IntEnum):
    """What happened.

    Order by order (L3): ADD, CANCEL (size removed), DELETE (the order leaves, whatever is left of it), MODIFY (new
    total size and price), FILL (a resting order traded: its size falls). FILL_NOTICE says that a resting order traded
    and changes nothing: the CANCEL, DELETE or MODIFY that does follows as an event of its own (CME MDP 3, Databento).
    By price level (L2): LEVEL sets the total size at a price, 0 removes it.
    Top of book: QUOTE sets the best price and size of one side, size 0 or price 0 empties that side.
    TRADE is a print; it never changes the book by itself. CLEAR empties the book. HALT and RESUME bracket a halt.
    """

    ADD = 1
    CANCEL = 2
    MODIFY = 3
    FILL = 4
    LEVEL = 5
    QUOTE = 6
    TRADE = 7
    CLEAR = 8
    HALT = 9
    RESUME = 10
    DELETE = 11
    FILL_NOTICE = 12


class EventFlag(IntFlag):
    """Properties of one event."""

    NONE = 0
    SNAPSHOT = 1  # part of a snapshot, not a change
    LAST = 2  # last event of a message; the book is consistent after it
    OFF_EXCHANGE = 4  # print reported away from the lit venues
    AUCTION = 8  # print of an auction, cross or other side-less matching
    HIDDEN = 16  # execution against a hidden order
    SIDE_GIVEN = 32  # the source itself names the aggressor of this trade
    SIZE_UNKNOWN = 64  # the quote gives a price without a size


EVENT_DTYPE = np.dtype(
    [
        ("exchange_time_ns", np.int64),  # ns UTC, UNKNOWN_TIME when the source has none
        ("receive_time_ns", np.int64),  # ns UTC, UNKNOWN_TIME when the source has none
        ("kind", np.uint8),  # EventKind
        ("side", np.int8),  # resting side (+1 bid, -1 ask) of a book event; aggressor of a TRADE; 0 unknown
        ("flags", np.uint16),  # EventFlag
        ("price_ticks", np.int64),  # units of Instrument.tick_size
        ("size_lots", np.int64),  # units of Instrument.lot_size
        ("order_id", np.uint64),  # 0 when the source has none
        ("sequence", np.int64),  # update id, message number or row number of the source
        ("row", np.int64),  # 1-based row, line or frame in the source file
    ],
    align=True,
)


def empty_events(count: int) -> np.ndarray:
    """`count` zeroed events with both clocks unknown."""
    events = np.zeros(count, EVENT_DTYPE)
    events["exchange_time_ns"] = UNKNOWN_TIME
    events["receive_time_ns"] = UNKNOWN_TIME
    return events


def event_time_ns(events: np.ndarray) -> np.ndarray:
    """Receive time where it is known, else exchange time: the order in which an observer learns of events.

    Returns:
        int64 array of shape (n,), ns UTC.
    """
    received = events["receive_time_ns"]
    return np.where(received == UNKNOWN_TIME, events["exchange_time_ns"], received)
