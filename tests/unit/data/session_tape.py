"""Small sessions, written event by event."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np

from footprint.data.session import Session
from footprint.market.events import EventFlag, EventKind, empty_events
from footprint.market.instruments import ALWAYS_OPEN, US_EQUITY_HOURS, AssetClass, Instrument
from footprint.units import NS_PER_SECOND

DAY = date(2024, 3, 5)
OPEN_NS, CLOSE_NS = US_EQUITY_HOURS.on(DAY)


def instrument(symbol="X", venue="V", hours=US_EQUITY_HOURS):
    return Instrument(symbol, venue, "us", AssetClass.EQUITY, "USD", 0.01, 1.0, hours)


def event(at_s, kind, side=0, price=0, size=0, order_id=0, sequence=0, flags=EventFlag.LAST, exchange_s=None):
    """One event received `at_s` seconds after the open; it happened `exchange_s` after it, when that is given."""
    return (at_s, exchange_s, kind, side, price, size, order_id, sequence, flags)


def quote(at_s, bid, ask, size=10, **more):
    """Both sides of a best quote, as one message."""
    return [
        event(at_s, EventKind.QUOTE, 1, bid, size, flags=EventFlag.NONE, **more),
        event(at_s, EventKind.QUOTE, -1, ask, size, **more),
    ]


def trade(at_s, price, side=1, size=1, **more):
    return [event(at_s, EventKind.TRADE, side, price, size, **more)]


def packed(*messages):
    """EVENT_DTYPE of all events of the messages, which are lists of events; rows count them."""
    rows = [row for message in messages for row in message]
    events = empty_events(len(rows))
    for k, (at_s, exchange_s, kind, side, price, size, order_id, sequence, flags) in enumerate(rows):
        events["receive_time_ns"][k] = OPEN_NS + round(at_s * NS_PER_SECOND)
        if exchange_s is not None:
            events["exchange_time_ns"][k] = OPEN_NS + round(exchange_s * NS_PER_SECOND)
        events["kind"][k], events["side"][k], events["flags"][k] = kind, side, flags
        events["price_ticks"][k], events["size_lots"][k] = price, size
        events["order_id"][k], events["sequence"][k] = order_id, sequence
    events["row"] = np.arange(1, len(rows) + 1)
    return events


def session(events, *, continuous=False, symbol="X", venue="V", path="x.csv"):
    """A session of that day; a venue that never closes is open for the span of its events."""
    hours = ALWAYS_OPEN if continuous else US_EQUITY_HOURS
    opened, closed = (OPEN_NS, CLOSE_NS) if len(events) == 0 or not continuous else (
        int(events["receive_time_ns"][0]), int(events["receive_time_ns"][-1])
    )  # fmt: skip
    made = instrument(symbol, venue, hours)
    return Session(made, DAY, events, opened, closed, "test", {"events": len(events)}, (Path(path),))
