"""Volume of a day in lots: so far, and what a day is expected to trade. Shared by the families that need it."""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from footprint.features.windows import Record
from footprint.units import NS_PER_DAY

DAY = np.dtype(
    [
        ("start_ns", np.int64),  # the session has been watched since
        ("last_ns", np.int64),
        ("length_ns", np.int64),  # of a whole day
        ("lots", np.float64),  # volume so far
        ("learned_lots", np.float64),  # a day's volume as the last session knew it, nan in the first
    ],
    align=True,
)


@njit(cache=True)
def count_volume(day: Record, time_ns: int, lots: float) -> None:
    """Add a print, or just the time of an event (0 lots)."""
    day.start_ns = min(day.start_ns, time_ns)
    day.last_ns = time_ns
    day.lots += lots


@njit(cache=True)
def day_rate_lots(day: Record, now_ns: int) -> float:
    """Volume so far / time so far x length of the day; nan before any time has passed."""
    gone_ns = now_ns - day.start_ns
    return day.lots / gone_ns * day.length_ns if gone_ns > 0 else np.nan


@njit(cache=True)
def expected_day_lots(day: Record, now_ns: int) -> float:
    """Day volume of the last session, in the first one its own rate so far; nan when unknown."""
    return day_rate_lots(day, now_ns) if math.isnan(day.learned_lots) else day.learned_lots


class DayVolume:
    """What survives a session: the day volume it was heading for, in quantity.

    Args:
        continuous: True for a venue that never closes; its day has 24 hours whatever the span of the session.
    """

    def __init__(self, continuous: bool = False) -> None:
        self._continuous = continuous
        self._quantity = np.nan
        self._lot_size = np.nan

    def begin(self, finished: np.ndarray | None, open_ns: int, close_ns: int, lot_size: float) -> np.ndarray:
        """Learn from the `finished` DAY (shape (1,), None before the first) and return a fresh one."""
        if finished is not None and finished["lots"][0] > 0:
            rate_lots = day_rate_lots(finished[0], int(finished["last_ns"][0]))
            self._quantity = self._quantity if math.isnan(rate_lots) else rate_lots * self._lot_size
        self._lot_size = lot_size
        day = np.zeros(1, DAY)
        day["start_ns"] = day["last_ns"] = open_ns
        day["length_ns"] = NS_PER_DAY if self._continuous else close_ns - open_ns
        day["learned_lots"] = self._quantity / lot_size
        return day
