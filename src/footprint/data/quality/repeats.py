"""Messages that came twice."""

from __future__ import annotations

import numpy as np
from numba import njit

from footprint.market.events import EventFlag

_LAST, _SNAPSHOT = int(EventFlag.LAST), int(EventFlag.SNAPSHOT)
_MEMORY = 1 << 12  # messages remembered: a venue or a recorder repeats what it sent shortly before
_PRIME, _SEED = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xCBF29CE484222325)


def repeated_messages(events: np.ndarray) -> tuple[int, int]:
    """Messages equal to one shortly before them in everything but the time of receipt and the row.

    Only for a source that numbers its messages: without numbers two equal prints are two prints.

    Args:
        events: EVENT_DTYPE of shape (n,).

    Returns:
        How many, and the row of the first (0 when none).
    """
    count, row = _repeats(events, np.zeros(_MEMORY, np.uint64))
    return int(count), int(row)


@njit(cache=True)
def _mixed(value, field):  # type: ignore[no-untyped-def]
    value = (value ^ np.uint64(field)) * _PRIME
    return value ^ (value >> np.uint64(29))


@njit(cache=True)
def _repeats(events, memory):  # type: ignore[no-untyped-def]
    count = first_row = 0
    value = _SEED
    for k in range(len(events)):
        event = events[k]
        value = _mixed(value, event.sequence)
        value = _mixed(value, event.exchange_time_ns)
        value = _mixed(value, event.price_ticks)
        value = _mixed(value, event.size_lots)
        value = _mixed(value, event.order_id)
        value = _mixed(value, event.kind * 4 + (event.side + 1))
        if not event.flags & _LAST:
            continue
        place = value & np.uint64(_MEMORY - 1)
        if memory[place] == value and not event.flags & _SNAPSHOT:
            count += 1
            first_row = first_row or event.row
        memory[place] = value
        value = _SEED
    return count, first_row
