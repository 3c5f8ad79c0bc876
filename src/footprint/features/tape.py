"""How kernels read one event: its time, whether it is a lit print, and which market order it belongs to.

A market order that sweeps several resting orders prints several times. Prints of one side at one timestamp are one
child order, as in `data/children.py`, so that counts, signs and sizes are those of market orders, not of prints.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from footprint.features.windows import MARK_MEAN, THIRTY_MINUTES, Record, mark, mark_mean
from footprint.market.events import UNKNOWN_TIME, EventFlag, EventKind

LARGE_MULTIPLE = 4.0  # a child this many times the mean child is a large trade

# A market order being read, and the mean size of those before it.
CHILD = np.dtype(
    [
        ("time_ns", np.int64),
        ("side", np.int8),
        ("is_new", np.bool_),  # the last print read started this child
        ("turned_large", np.bool_),  # the last print read made this child a large trade
        ("size_lots", np.float64),
        ("large_lots", np.float64),  # size above which it is large, nan while there is no earlier child
        ("mean_lots", MARK_MEAN),
    ],
    align=True,
)

_TRADE = int(EventKind.TRADE)
_SIDELESS = int(EventFlag.AUCTION | EventFlag.OFF_EXCHANGE)


@njit(cache=True)
def event_ns(event: Record, last_ns: int) -> int:
    """Receive time, else exchange time, never before `last_ns`."""
    known = event.receive_time_ns if event.receive_time_ns != UNKNOWN_TIME else event.exchange_time_ns
    return max(known, last_ns)


@njit(cache=True)
def is_print(event: Record) -> bool:
    """True for a trade in the continuous lit book with a known aggressor."""
    return event.kind == _TRADE and (event.flags & _SIDELESS) == 0 and event.side != 0 and event.size_lots > 0


@njit(cache=True)
def follow(child: Record, time_ns: int, event: Record) -> None:
    """Read one print: it starts a child or continues the one of the same side and timestamp."""
    was_large = child.size_lots > child.large_lots
    child.is_new = time_ns != child.time_ns or event.side != child.side
    if child.is_new:
        was_large = False
        child.time_ns, child.side, child.size_lots = time_ns, event.side, 0.0
        child.large_lots = LARGE_MULTIPLE * mark_mean(child.mean_lots)
    child.size_lots += event.size_lots
    mark(child.mean_lots, time_ns, float(event.size_lots), 1.0 if child.is_new else 0.0, THIRTY_MINUTES)
    child.turned_large = not was_large and child.size_lots > child.large_lots
