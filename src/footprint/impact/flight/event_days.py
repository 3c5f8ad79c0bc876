"""Which days and nights of an order a scheduled event falls into, as far as it was known at the decision."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from footprint.market.context import ContextEvent, ContextKind

SCHEDULED = (ContextKind.MACRO, ContextKind.NEWS)  # a rate decision, results: they speak of a time to come


@dataclass(frozen=True, slots=True)
class EventDays:
    """Scheduled events by day and by the night after each day, shape (days,) each."""

    days: np.ndarray
    nights: np.ndarray


def event_days(
    events: Sequence[ContextEvent], symbol: str, as_of_ns: int, opens_ns: np.ndarray, closes_ns: np.ndarray
) -> EventDays:
    """Count them; an event that was not known at the decision, or concerns other symbols, does not exist.

    Args:
        opens_ns, closes_ns: of every day of the order, increasing, ns UTC, shape (days,).
    """
    known = [
        e.effective_ns
        for e in events
        if e.kind in SCHEDULED and e.known_at_ns <= as_of_ns and (not e.symbols or symbol in e.symbols)
    ]
    # edges are open 1, close 1, open 2, ...: an even interval is a day, an odd one the night after it
    interval = np.searchsorted(np.column_stack([opens_ns, closes_ns]).ravel(), known, side="right") - 1
    count = np.bincount(interval[interval >= 0], minlength=2 * len(opens_ns))
    return EventDays(count[0::2], np.append(count[1:-1:2], 0))
