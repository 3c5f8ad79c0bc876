"""Realised volatility of the mid on a 5-second grid, and the volatility of the book.

Returns are taken between grid points so that bid-ask bounce and quote flicker inside a step do not count
(sparse sampling: Andersen, Bollerslev, Diebold, Labys 2001; Zhang, Mykland, Ait-Sahalia 2005). A squared return that
covers several steps (a silence) is spread over all of them.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from footprint.features.grid import GRID, close_steps, fresh_grid, see
from footprint.features.imbalance import touch_balance
from footprint.features.tape import event_ns
from footprint.features.windows import HALF_LIVES_NS, ONE_MINUTE, Record, lost_weight
from footprint.units import BPS, NS_PER_SECOND

GRID_NS = 5 * NS_PER_SECOND

VARIANCE = np.dtype([("weight", np.float64), ("sum", np.float64)], align=True)
STATE = np.dtype(
    [
        ("last_ns", np.int64),
        ("mid", GRID),
        ("book", GRID),
        ("mid_variance", VARIANCE, (3,)),  # per second, one a half-life
        ("book_variance", VARIANCE),
        ("session_variance", np.float64),  # sum of squared returns
        ("session_s", np.float64),  # time they cover
    ],
    align=True,
)


@njit(cache=True)
def _spread_over(variance: Record, change: float, steps: int, half_life_ns: float) -> None:
    lost = lost_weight(steps * GRID_NS, half_life_ns)
    seconds = steps * GRID_NS / NS_PER_SECOND
    variance.weight = variance.weight * (1.0 - lost) + lost
    variance.sum = variance.sum * (1.0 - lost) + lost * change * change / seconds


@njit(cache=True)
def _close(s: Record, time_ns: int) -> None:
    steps = close_steps(s.mid, time_ns)
    if steps > 0:
        for j in range(3):
            _spread_over(s.mid_variance[j], s.mid.change, steps, HALF_LIVES_NS[j])
        s.session_variance += s.mid.change * s.mid.change
        s.session_s += steps * GRID_NS / NS_PER_SECOND
    steps = close_steps(s.book, time_ns)
    if steps > 0:
        _spread_over(s.book_variance, s.book.change, steps, ONE_MINUTE)


@njit(cache=True)
def _update(events: np.ndarray, views: np.ndarray, state: np.ndarray) -> None:
    s = state[0]
    for i in range(len(events)):
        s.last_ns = event_ns(events[i], s.last_ns)
        _close(s, s.last_ns)
        see(s.mid, s.last_ns, math.log(views[i].mid_ticks))
        see(s.book, s.last_ns, touch_balance(views[i]))


@njit(cache=True)
def _values(state: np.ndarray, scratch: np.ndarray, now_ns: int, out: np.ndarray) -> None:
    scratch[0] = state[0]  # time passes in a copy, so that reading changes nothing
    s = scratch[0]
    _close(s, now_ns)
    for j in range(3):
        out[j] = _root(s.mid_variance[j].sum, s.mid_variance[j].weight) * BPS
    out[3] = _root(s.session_variance, s.session_s) * BPS
    out[4] = _root(s.book_variance.sum, s.book_variance.weight)


@njit(cache=True)
def _root(total: float, weight: float) -> float:
    return math.sqrt(total / weight) if weight > 0.0 else np.nan


class Volatility:
    """Realised volatility, bps per sqrt(second).

    `volatility_1m`, `_5m`, `_30m` weight squared grid returns with these half-lives; `volatility_session` weights all
    since the open alike; `volatility_previous` is the latter at the end of the previous session (nan in the first);
    `volatility_book_1m` is the same measure for the touch imbalance, per sqrt(second). nan before two grid points.
    """

    names: tuple[str, ...] = (
        "volatility_1m",
        "volatility_5m",
        "volatility_30m",
        "volatility_session",
        "volatility_book_1m",
        "volatility_previous",
    )

    def __init__(self) -> None:
        self._previous = np.nan
        self._state = _fresh(0)

    def begin_session(self, open_ns: int, close_ns: int, tick_size: float, lot_size: float) -> None:
        """Keep the finished session's volatility as the previous one, and lay the grid from the open."""
        finished = self.values(int(self._state["last_ns"][0]))[3]
        self._previous = self._previous if np.isnan(finished) else float(finished)
        self._state = _fresh(open_ns)

    def update(self, events: np.ndarray, views: np.ndarray) -> None:
        """Feed events and the view after each."""
        _update(events, views, self._state)

    def values(self, now_ns: int) -> np.ndarray:
        """float64 of shape (6,)."""
        out = np.empty(len(self.names))
        _values(self._state, np.empty(1, STATE), now_ns, out)
        out[5] = self._previous
        return out


def _fresh(open_ns: int) -> np.ndarray:
    state = np.zeros(1, STATE)
    state["mid"] = fresh_grid(open_ns, GRID_NS)
    state["book"] = fresh_grid(open_ns, GRID_NS)
    return state
