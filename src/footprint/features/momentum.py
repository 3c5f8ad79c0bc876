"""Where the mid stands against its own recent mean."""

from __future__ import annotations

import numpy as np
from numba import njit

from footprint.features.tape import event_ns
from footprint.features.windows import HALF_LIVES_NS, TIME_MEAN, hold, time_mean
from footprint.units import BPS

STATE = np.dtype([("last_ns", np.int64), ("mid", TIME_MEAN, (3,))], align=True)


@njit(cache=True)
def _update(events: np.ndarray, views: np.ndarray, state: np.ndarray) -> None:
    s = state[0]
    for i in range(len(events)):
        s.last_ns = event_ns(events[i], s.last_ns)
        if views[i].mid_ticks != s.mid[0].value:
            for j in range(3):
                hold(s.mid[j], s.last_ns, views[i].mid_ticks, HALF_LIVES_NS[j])


@njit(cache=True)
def _values(state: np.ndarray, now_ns: int, out: np.ndarray) -> None:
    s = state[0]
    for j in range(3):
        out[j] = (s.mid[j].value / time_mean(s.mid[j], now_ns, HALF_LIVES_NS[j]) - 1.0) * BPS


class Momentum:
    """Mid over its time-weighted mean (half-lives 1, 5, 30 minutes) less one, bps; positive when the price rose."""

    names: tuple[str, ...] = ("return_1m_bps", "return_5m_bps", "return_30m_bps")

    def __init__(self) -> None:
        self._state = _fresh()

    def begin_session(self, open_ns: int, close_ns: int, tick_size: float, lot_size: float) -> None:
        """Forget everything; a ratio needs no units."""
        self._state = _fresh()

    def update(self, events: np.ndarray, views: np.ndarray) -> None:
        """Feed events and the view after each."""
        _update(events, views, self._state)

    def values(self, now_ns: int) -> np.ndarray:
        """float64 of shape (3,), bps; nan while the mid is unknown."""
        out = np.empty(len(self.names))
        _values(self._state, now_ns, out)
        return out


def _fresh() -> np.ndarray:
    state = np.zeros(1, STATE)
    state["mid"]["value"] = np.nan
    return state
