"""Liquidity depth: what rests at the touch, in five levels and within 10 bps, and what usually trades."""

from __future__ import annotations

import numpy as np
from numba import njit

from footprint.book.view import NO_PRICE
from footprint.features.tape import CHILD, event_ns, follow, is_print
from footprint.features.windows import FIVE_MINUTES, TIME_MEAN, Record, hold, mark_mean, time_mean

STATE = np.dtype(
    [
        ("last_ns", np.int64),
        ("lot_size", np.float64),
        ("touch", TIME_MEAN),
        ("depth_5", np.float64),
        ("depth_10bps", np.float64),
        ("child", CHILD),
    ],
    align=True,
)


@njit(cache=True)
def mean_of_sides(bid_lots: int, ask_lots: int) -> float:
    """Half the sum, lots; nan when either is unknown."""
    return 0.5 * (bid_lots + ask_lots) if bid_lots >= 0 and ask_lots >= 0 else np.nan


@njit(cache=True)
def touch_depth(view: Record) -> float:
    """Mean size at the two best prices, lots; nan when a side is empty or its size unknown."""
    if view.bid_ticks == NO_PRICE or view.ask_ticks == NO_PRICE:
        return np.nan
    return mean_of_sides(view.bid_lots, view.ask_lots)


@njit(cache=True)
def _update(events: np.ndarray, views: np.ndarray, state: np.ndarray) -> None:
    s = state[0]
    for i in range(len(events)):
        s.last_ns = event_ns(events[i], s.last_ns)
        if is_print(events[i]):
            follow(s.child, s.last_ns, events[i])
        touch = touch_depth(views[i])
        if touch != s.touch.value:
            hold(s.touch, s.last_ns, touch, FIVE_MINUTES)
        s.depth_5 = mean_of_sides(views[i].bid_depth_5_lots, views[i].ask_depth_5_lots)
        s.depth_10bps = mean_of_sides(views[i].bid_depth_10bps_lots, views[i].ask_depth_10bps_lots)


@njit(cache=True)
def _values(state: np.ndarray, now_ns: int, out: np.ndarray) -> None:
    s = state[0]
    out[0] = s.touch.value * s.lot_size
    out[1] = s.depth_5 * s.lot_size
    out[2] = s.depth_10bps * s.lot_size
    out[3] = time_mean(s.touch, now_ns, FIVE_MINUTES) * s.lot_size
    out[4] = mark_mean(s.child.mean_lots) * s.lot_size


class Depth:
    """Depth in the instrument's quantity, mean of the two sides; nan where the book or its sizes are unknown.

    `depth_touch`, `depth_5` (five best levels), `depth_10bps` (within 10 bps of the mid): now. `depth_touch_5m`: time
    mean with a half-life of 5 minutes. `typical_trade`: mean size of market orders, half-life 30 minutes.
    """

    names: tuple[str, ...] = ("depth_touch", "depth_5", "depth_10bps", "depth_touch_5m", "typical_trade")

    def __init__(self) -> None:
        self._state = _fresh(np.nan)

    def begin_session(self, open_ns: int, close_ns: int, tick_size: float, lot_size: float) -> None:
        """Forget everything."""
        self._state = _fresh(lot_size)

    def update(self, events: np.ndarray, views: np.ndarray) -> None:
        """Feed events and the view after each."""
        _update(events, views, self._state)

    def values(self, now_ns: int) -> np.ndarray:
        """float64 of shape (5,), quantity."""
        out = np.empty(len(self.names))
        _values(self._state, now_ns, out)
        return out


def _fresh(lot_size: float) -> np.ndarray:
    state = np.zeros(1, STATE)
    state["lot_size"] = lot_size
    state["touch"]["value"] = state["depth_5"] = state["depth_10bps"] = np.nan
    return state
