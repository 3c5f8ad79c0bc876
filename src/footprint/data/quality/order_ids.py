"""Do order events name orders that are there?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import njit

from footprint.market.events import EventKind

_ADD, _CANCEL, _MODIFY, _FILL, _DELETE, _CLEAR, _NOTICE = (
    int(EventKind[name]) for name in ("ADD", "CANCEL", "MODIFY", "FILL", "DELETE", "CLEAR", "FILL_NOTICE")
)


@dataclass(frozen=True, slots=True)
class OrderIds:
    """Order events that name an order.

    Attributes:
        adds: orders that join.
        changes: cancels, deletes, modifications, fills and notices of fills.
        unknown: changes whose order is not there; `first_unknown_row` is the row of the first, 0 when none.
        duplicate: adds whose order is there already; `first_duplicate_row` likewise.
        oversized: cancels and fills of more than is left of the order.
        left: orders that are there after the last event.
    """

    adds: int
    changes: int
    unknown: int
    first_unknown_row: int
    duplicate: int
    first_duplicate_row: int
    oversized: int
    left: int


def check_order_ids(events: np.ndarray) -> OrderIds | None:
    """Follow every order of a stream (EVENT_DTYPE, shape (n,)) from its ADD on; None when no event names one."""
    named = (events["order_id"] != 0) & np.isin(events["kind"], (_ADD, _CANCEL, _MODIFY, _FILL, _DELETE, _NOTICE))
    if not named.any():
        return None
    chosen = events[named | (events["kind"] == _CLEAR)]
    ids, order = np.unique(chosen["order_id"], return_inverse=True)
    return OrderIds(*map(int, _follow(chosen, order, np.zeros(len(ids), np.int64))))


@njit(cache=True)
def _follow(events, order, left):  # type: ignore[no-untyped-def]
    """The counts of `OrderIds`; `left` is the size left of each order, 0 while it is not there."""
    adds = changes = unknown = unknown_row = duplicate = duplicate_row = oversized = 0
    for k in range(len(events)):
        kind, at, size, row = events[k].kind, order[k], events[k].size_lots, events[k].row
        if kind == _CLEAR:
            left[:] = 0
        elif kind == _ADD:
            adds += 1
            if left[at] > 0:
                duplicate += 1
                duplicate_row = duplicate_row or row
            left[at] = size
        else:
            changes += 1
            if left[at] == 0:
                unknown += 1
                unknown_row = unknown_row or row
                if kind == _MODIFY:
                    left[at] = size
            elif kind == _MODIFY:
                left[at] = size
            elif kind == _DELETE:
                left[at] = 0
            elif kind != _NOTICE:
                oversized += size > left[at]
                left[at] = max(left[at] - size, 0)
    return adds, changes, unknown, unknown_row, duplicate, duplicate_row, oversized, (left > 0).sum()
