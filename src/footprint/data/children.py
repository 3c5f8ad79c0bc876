"""Market orders as the tape shows them: prints of one side at one timestamp merged to one child.

Every metaorder, target and markout is computed from this table and its mid series, so that the mid rule of a market is
applied in one place (`data/mid.py`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True)
class ChildTape:
    """Signed market orders of one session, in time order; all arrays have shape (n,) unless said.

    Attributes:
        time_ns: event time of the first print, ns UTC, never decreasing.
        sign: aggressor, +1 buy, -1 sell (int8).
        quantity: total quantity in the instrument's unit.
        price: volume-weighted price, currency.
        mid_before: reference mid strictly before the child's timestamp, currency; nan when unknown.
        known_mid: the same as an observer knew it: equal to `mid_before` but for mid rules that read the print itself.
        event_index: index into the session's events of the first event at that timestamp: everything before it is
            known at arrival, nothing from it on.
        segment: number of the stretch without halt or gap it lies in; metaorders never cross segments.
        parent_id: planted parent (-1 on real tapes).
        mid_time_ns, mid: the mid series, shape (m,): the mid from that time on, for as-of look-ups.
    """

    time_ns: np.ndarray
    sign: np.ndarray
    quantity: np.ndarray
    price: np.ndarray
    mid_before: np.ndarray
    known_mid: np.ndarray
    event_index: np.ndarray
    segment: np.ndarray
    parent_id: np.ndarray
    mid_time_ns: np.ndarray
    mid: np.ndarray

    def __len__(self) -> int:
        return len(self.time_ns)

    def mid_at(self, time_ns: np.ndarray) -> np.ndarray:
        """Last mid known at each time (set at or before it); nan before the first.

        Args:
            time_ns: int64 array, ns UTC.
        """
        index = np.searchsorted(self.mid_time_ns, time_ns, side="right") - 1
        return np.where(index >= 0, self.mid[np.maximum(index, 0)], np.nan)
