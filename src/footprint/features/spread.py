"""Relative bid-ask spread, now and over the last minutes."""

from __future__ import annotations

import numpy as np
from numba import njit

from footprint.features.tape import event_ns
from footprint.features.windows import FIVE_MINUTES, TIME_MEAN, hold, time_mean
from footprint.units import BPS

STATE = np.dtype([("last_ns", np.int64), ("mean", TIME_MEAN)], align=True)


@njit(cache=True)
def _update(events: np.ndarray, views: np.ndarray, state: np.ndarray) -> None:
    s = state[0]
    for i in range(len(events)):
        s.last_ns = event_ns(events[i], s.last_ns)
        spread_bps = views[i].spread_ticks / views[i].mid_ticks * BPS
        if spread_bps != s.mean.value:
            hold(s.mean, s.last_ns, spread_bps, FIVE_MINUTES)


@njit(cache=True)
def _values(state: np.ndarray, now_ns: int, out: np.ndarray) -> None:
    s = state[0]
    out[0] = s.mean.value
    out[1] = time_mean(s.mean, now_ns, FIVE_MINUTES)


class Spread:
    """Spread over mid in bps: now, and its time-weighted mean with a half-life of 5 minutes.

    Both use the tape's reference mid and the spread that belongs to it; nan while that is unknown.
    """

    names: tuple[str, ...] = ("spread_bps", "spread_5m_bps")

    def __init__(self) -> None:
        self._state = _fresh()

    def begin_session(self, open_ns: int, close_ns: int, tick_size: float, lot_size: float) -> None:
        """Forget everything; a ratio needs no units."""
        self._state = _fresh()

    def update(self, events: np.ndarray, views: np.ndarray) -> None:
        """Feed events and the view after each."""
        _update(events, views, self._state)

    def values(self, now_ns: int) -> np.ndarray:
        """float64 of shape (2,), bps."""
        out = np.empty(len(self.names))
        _values(self._state, now_ns, out)
        return out


def _fresh() -> np.ndarray:
    state = np.zeros(1, STATE)
    state["mean"]["value"] = np.nan
    return state
