"""What one minute of the market looked like: the five numbers from which regimes are found.

The windows of the other families remember for minutes, so that one observation holds much of the one before; a filter
that takes them for fresh evidence is too sure of itself and late. Here every minute is measured by itself.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from footprint.features.depth import touch_depth
from footprint.features.grid import GRID, close_steps, fresh_grid, see
from footprint.features.resilience import EPISODE, begin, lapse, observe
from footprint.features.tape import CHILD, event_ns, follow, is_print
from footprint.features.windows import Record, mark_mean
from footprint.units import BPS, NS_PER_MINUTE, NS_PER_SECOND

_GRID_NS = 5 * NS_PER_SECOND
_NONE = -(2**62)

# Time mean of a step function within the minute; unknown values weigh nothing.
MINUTE_MEAN = np.dtype([("value", np.float64), ("seconds", np.float64), ("sum", np.float64)], align=True)
STATE = np.dtype(
    [
        ("open_ns", np.int64),
        ("lot_size", np.float64),
        ("last_ns", np.int64),
        ("minute", np.int64),  # since the open, of the last event
        ("since_ns", np.int64),  # spread and depth are counted up to here
        ("spread", MINUTE_MEAN),
        ("depth", MINUTE_MEAN),
        ("mid", GRID),
        ("square", np.float64),  # of log returns on the grid
        ("seconds", np.float64),  # that they cover
        ("children", np.int64),
        ("child", CHILD),
        ("spread_ticks", np.float64),
        ("spread_ticks_before", np.float64),  # before the present timestamp
        ("episode", EPISODE),
        ("closed_minute", np.int64),
        ("closed", np.float64, (5,)),
    ],
    align=True,
)


@njit(cache=True)
def _count(mean: Record, seconds: float) -> None:
    if not math.isnan(mean.value):
        mean.seconds += seconds
        mean.sum += seconds * mean.value


@njit(cache=True)
def _count_until(s: Record, time_ns: int) -> None:
    seconds = max(time_ns - s.since_ns, 0) / NS_PER_SECOND
    _count(s.spread, seconds)
    _count(s.depth, seconds)
    s.since_ns = max(time_ns, s.since_ns)


@njit(cache=True)
def _mean(mean: Record) -> float:
    return mean.sum / mean.seconds if mean.seconds > 0.0 else mean.value


@njit(cache=True)
def _turn_minute(s: Record, time_ns: int) -> None:
    """Close the minute of the last event when `time_ns` lies after it, and begin the one of `time_ns`."""
    steps = close_steps(s.mid, time_ns)
    if steps > 0:
        s.square += s.mid.change * s.mid.change
        s.seconds += steps * _GRID_NS / NS_PER_SECOND
    minute = (time_ns - s.open_ns) // NS_PER_MINUTE
    if minute <= s.minute:
        return
    if s.minute != _NONE:
        _count_until(s, s.open_ns + (s.minute + 1) * NS_PER_MINUTE)
        s.closed_minute = s.minute
        s.closed[0] = _mean(s.spread)
        s.closed[1] = _mean(s.depth) * s.lot_size
        s.closed[2] = math.sqrt(s.square / s.seconds) * BPS if s.seconds > 0.0 else np.nan
        s.closed[3] = s.children / 60.0
        s.closed[4] = mark_mean(s.episode.mean_s)
    s.minute, s.since_ns = minute, s.open_ns + minute * NS_PER_MINUTE
    s.spread.seconds = s.spread.sum = s.depth.seconds = s.depth.sum = 0.0
    s.square = s.seconds = 0.0
    s.children = 0
    s.episode.mean_s.weight = s.episode.mean_s.sum = 0.0


@njit(cache=True)
def _update(events: np.ndarray, views: np.ndarray, state: np.ndarray) -> None:
    s = state[0]
    for i in range(len(events)):
        event, view = events[i], views[i]
        time_ns = event_ns(event, s.last_ns)
        _turn_minute(s, time_ns)
        _count_until(s, time_ns)
        if time_ns > s.last_ns:
            s.spread_ticks_before, s.last_ns = s.spread_ticks, time_ns
        lapse(s.episode, time_ns)
        if is_print(event):
            follow(s.child, time_ns, event)
            if s.child.is_new:
                s.children += 1
                begin(s.episode, time_ns, s.spread_ticks_before)
        s.spread_ticks = view.spread_ticks
        s.spread.value = s.spread_ticks / view.mid_ticks * BPS
        s.depth.value = touch_depth(view)
        see(s.mid, time_ns, math.log(view.mid_ticks))
        observe(s.episode, time_ns, s.spread_ticks - s.episode.baseline)


@njit(cache=True)
def _values(state: np.ndarray, scratch: np.ndarray, now_ns: int, out: np.ndarray) -> None:
    scratch[0] = state[0]  # time passes in a copy, so that reading changes nothing
    s = scratch[0]
    _turn_minute(s, now_ns)
    is_last = s.closed_minute == (now_ns - s.open_ns) // NS_PER_MINUTE - 1
    for j in range(len(out)):
        out[j] = s.closed[j] if is_last else np.nan


class MinuteState:
    """The last whole minute since the open; nan when it had no event: a silence is unknown, not calm.

    `minute_spread_bps`, `minute_depth` (touch, quantity, mean of the sides): time means. `minute_volatility`: of the
    mid on a 5-second grid, bps per sqrt(second). `minute_trades_per_s`: market orders. `minute_repair_s`: mean time
    until the spread has gone half way back after a market order widened it, over the repairs that ended in the minute,
    censored at 60 s; nan without any (the episodes of `Resilience`, for trades of every size).
    """

    names: tuple[str, ...] = (
        "minute_spread_bps",
        "minute_depth",
        "minute_volatility",
        "minute_trades_per_s",
        "minute_repair_s",
    )

    def __init__(self) -> None:
        self._state = _fresh(0, np.nan)

    def begin_session(self, open_ns: int, close_ns: int, tick_size: float, lot_size: float) -> None:
        """Forget everything and count minutes from the open."""
        self._state = _fresh(open_ns, lot_size)

    def update(self, events: np.ndarray, views: np.ndarray) -> None:
        """Feed events and the view after each."""
        _update(events, views, self._state)

    def values(self, now_ns: int) -> np.ndarray:
        """float64 of shape (5,)."""
        out = np.empty(len(self.names))
        _values(self._state, np.empty(1, STATE), now_ns, out)
        return out


def _fresh(open_ns: int, lot_size: float) -> np.ndarray:
    state = np.zeros(1, STATE)
    state["open_ns"], state["lot_size"] = open_ns, lot_size
    state["minute"] = state["closed_minute"] = _NONE
    state["mid"] = fresh_grid(open_ns, _GRID_NS)
    state["spread"]["value"] = state["depth"]["value"] = np.nan
    state["spread_ticks"] = state["spread_ticks_before"] = np.nan
    return state
