"""Where in the day we are, and how long ago the last large trade was."""

from __future__ import annotations

import numpy as np
from numba import njit

from footprint.features.tape import CHILD, event_ns, follow, is_print
from footprint.units import NS_PER_DAY, NS_PER_SECOND

STATE = np.dtype(
    [("last_ns", np.int64), ("child", CHILD), ("large_seen", np.bool_), ("large_ns", np.int64)], align=True
)


@njit(cache=True)
def _update(events: np.ndarray, views: np.ndarray, state: np.ndarray) -> None:
    s = state[0]
    for i in range(len(events)):
        s.last_ns = event_ns(events[i], s.last_ns)
        if is_print(events[i]):
            follow(s.child, s.last_ns, events[i])
            if s.child.turned_large:
                s.large_seen, s.large_ns = True, s.last_ns


class Clock:
    """`day_fraction` of the session gone, `to_close_s`, `since_open_s`, `since_large_trade_s`.

    A venue that never closes (`continuous`) has no open or close: its day is the UTC day, and the times to close and
    since the open are nan. A trade is large above 4 times the mean of earlier ones; nan before the first.
    """

    names: tuple[str, ...] = ("day_fraction", "to_close_s", "since_open_s", "since_large_trade_s")

    def __init__(self, continuous: bool = False) -> None:
        self._continuous = continuous
        self.begin_session(0, 0, np.nan, np.nan)

    def begin_session(self, open_ns: int, close_ns: int, tick_size: float, lot_size: float) -> None:
        """Forget everything."""
        self._open_ns, self._close_ns = open_ns, close_ns
        self._state = np.zeros(1, STATE)

    def update(self, events: np.ndarray, views: np.ndarray) -> None:
        """Feed events and the view after each."""
        _update(events, views, self._state)

    def values(self, now_ns: int) -> np.ndarray:
        """float64 of shape (4,): a fraction, then seconds."""
        state = self._state[0]
        since_large_s = (now_ns - int(state["large_ns"])) / NS_PER_SECOND if state["large_seen"] else np.nan
        if self._continuous:
            return np.array([now_ns % NS_PER_DAY / NS_PER_DAY, np.nan, np.nan, since_large_s])
        length_ns = self._close_ns - self._open_ns
        gone_ns = now_ns - self._open_ns
        day_fraction = gone_ns / length_ns if length_ns > 0 else np.nan
        return np.array(
            [day_fraction, (self._close_ns - now_ns) / NS_PER_SECOND, gone_ns / NS_PER_SECOND, since_large_s]
        )
