"""Kyle's lambda: slope of one-minute mid returns on signed volume (Kyle, Econometrica 53, 1985)."""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from footprint.features.day_volume import DAY, DayVolume, count_volume, expected_day_lots
from footprint.features.grid import GRID, close_steps, fresh_grid, see
from footprint.features.tape import event_ns, is_print
from footprint.features.windows import THIRTY_MINUTES, Record, lost_weight
from footprint.units import BPS, NS_PER_MINUTE

LEAST_RETURNS = 3  # a slope and an intercept fit two points exactly

STATE = np.dtype(
    [
        ("day", DAY),
        ("mid", GRID),
        ("signed_lots", np.float64),  # since the last closed grid point
        ("returns", np.int64),
        ("weight", np.float64),
        ("x", np.float64),  # decayed sums; x = signed lots, y = log return
        ("y", np.float64),
        ("xx", np.float64),
        ("xy", np.float64),
    ],
    align=True,
)


@njit(cache=True)
def _close(s: Record, time_ns: int) -> None:
    closed_before = s.mid.closed_step
    steps = close_steps(s.mid, time_ns)
    if s.mid.closed_step == closed_before:
        return
    x, y = s.signed_lots, s.mid.change
    s.signed_lots = 0.0
    if steps == 0:  # the first grid point has no return
        return
    kept = 1.0 - lost_weight(steps * NS_PER_MINUTE, THIRTY_MINUTES)
    s.returns += 1
    s.weight = s.weight * kept + 1.0
    s.x, s.y = s.x * kept + x, s.y * kept + y
    s.xx, s.xy = s.xx * kept + x * x, s.xy * kept + x * y


@njit(cache=True)
def _update(events: np.ndarray, views: np.ndarray, state: np.ndarray) -> None:
    s = state[0]
    for i in range(len(events)):
        time_ns = event_ns(events[i], s.day.last_ns)
        _close(s, time_ns)
        lots = float(events[i].size_lots) if is_print(events[i]) else 0.0
        count_volume(s.day, time_ns, lots)
        s.signed_lots += events[i].side * lots
        see(s.mid, time_ns, math.log(views[i].mid_ticks))


@njit(cache=True)
def _lambda(state: np.ndarray, scratch: np.ndarray, now_ns: int) -> float:
    scratch[0] = state[0]  # time passes in a copy, so that reading changes nothing
    s = scratch[0]
    _close(s, now_ns)
    if s.returns < LEAST_RETURNS:
        return np.nan
    variance = s.xx - s.x * s.x / s.weight
    if variance <= 0.0:
        return np.nan
    per_lot = (s.xy - s.x * s.y / s.weight) / variance
    return per_lot * BPS * 0.01 * expected_day_lots(s.day, max(now_ns, s.day.last_ns))


class Kyle:
    """`kyle_lambda`: bps of mid per 1 % of a day's volume, exponential regression with a half-life of 30 minutes.

    Positive when buying goes with a rising mid. The day's volume is the previous session's, in the first session the
    rate so far. nan before three one-minute returns, or without trades.
    """

    names: tuple[str, ...] = ("kyle_lambda",)

    def __init__(self, continuous: bool = False) -> None:
        self._volume = DayVolume(continuous)
        self._state = _fresh(self._volume.begin(None, 0, 0, np.nan), 0)

    def begin_session(self, open_ns: int, close_ns: int, tick_size: float, lot_size: float) -> None:
        """Learn the finished day's volume, lay the grid from the open and forget the rest."""
        self._state = _fresh(self._volume.begin(self._state["day"], open_ns, close_ns, lot_size), open_ns)

    def update(self, events: np.ndarray, views: np.ndarray) -> None:
        """Feed events and the view after each."""
        _update(events, views, self._state)

    def values(self, now_ns: int) -> np.ndarray:
        """float64 of shape (1,)."""
        return np.array([_lambda(self._state, np.empty(1, STATE), now_ns)])


def _fresh(day: np.ndarray, open_ns: int) -> np.ndarray:
    state = np.zeros(1, STATE)
    state["day"] = day
    state["mid"] = fresh_grid(open_ns, NS_PER_MINUTE)
    return state
