"""VPIN: mean absolute imbalance over buckets of equal volume.

Easley, Lopez de Prado, O'Hara, "Flow toxicity and liquidity in a high-frequency world", RFS 25 (2012), with true or
quote-rule signs in place of bulk classification. A bucket is 1/50 of a day's volume; the mean over the last 50
buckets is replaced by an exponential one of the same mean age.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from footprint.features.day_volume import DAY, DayVolume, count_volume, expected_day_lots
from footprint.features.tape import event_ns, is_print
from footprint.features.windows import Record

BUCKETS_PER_DAY = 50
_KEPT = 1.0 - 2.0 / (BUCKETS_PER_DAY + 1)

STATE = np.dtype(
    [("day", DAY), ("bought", np.float64), ("sold", np.float64), ("weight", np.float64), ("sum", np.float64)],
    align=True,
)


@njit(cache=True)
def _fill(s: Record, side: int, lots: float, bucket_lots: float) -> None:
    """Pour one print into the open bucket and into as many more as it fills."""
    while lots > 0.0:
        room = max(bucket_lots - (s.bought + s.sold), 0.0)
        poured = min(lots, room)
        if side > 0:
            s.bought += poured
        else:
            s.sold += poured
        if lots < room:
            return
        lots -= poured
        s.weight = s.weight * _KEPT + 1.0
        s.sum = s.sum * _KEPT + abs(s.bought - s.sold) / (s.bought + s.sold)
        s.bought = s.sold = 0.0


@njit(cache=True)
def _update(events: np.ndarray, views: np.ndarray, state: np.ndarray) -> None:
    s = state[0]
    for i in range(len(events)):
        time_ns = event_ns(events[i], s.day.last_ns)
        lots = float(events[i].size_lots) if is_print(events[i]) else 0.0
        count_volume(s.day, time_ns, lots)
        if lots > 0.0:
            bucket_lots = expected_day_lots(s.day, time_ns) / BUCKETS_PER_DAY
            if bucket_lots > 0.0:
                _fill(s, events[i].side, lots, max(bucket_lots, 1.0))


class Vpin:
    """`vpin` in [0, 1]: 0 when every bucket is balanced, 1 when each is one-sided; nan before the first full bucket.

    The bucket is read off the previous session's day volume, in the first session off the rate so far.
    """

    names: tuple[str, ...] = ("vpin",)

    def __init__(self, continuous: bool = False) -> None:
        self._volume = DayVolume(continuous)
        self._state = np.zeros(1, STATE)
        self._state["day"] = self._volume.begin(None, 0, 0, np.nan)

    def begin_session(self, open_ns: int, close_ns: int, tick_size: float, lot_size: float) -> None:
        """Learn the finished day's volume and forget the rest."""
        day = self._volume.begin(self._state["day"], open_ns, close_ns, lot_size)
        self._state = np.zeros(1, STATE)
        self._state["day"] = day

    def update(self, events: np.ndarray, views: np.ndarray) -> None:
        """Feed events and the view after each."""
        _update(events, views, self._state)

    def values(self, now_ns: int) -> np.ndarray:
        """float64 of shape (1,); time alone does not move it."""
        weight = self._state["weight"]
        return self._state["sum"] / weight if weight[0] > 0 else np.array([np.nan])
