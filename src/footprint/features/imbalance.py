"""Order imbalance: of the resting book and of the trades. Positive means more on the bid, or more buying.

Book imbalance (bid - ask) / (bid + ask) at the touch: Cao, Hansch, Wang (2009); Lipton, Pesavento, Sotiropoulos (2013).
"""

from __future__ import annotations

import numpy as np
from numba import njit

from footprint.book.view import NO_PRICE
from footprint.features.tape import event_ns, is_print
from footprint.features.windows import FLOW, HALF_LIVES_NS, ONE_MINUTE, TIME_MEAN, Record, hold, pour, time_mean

STATE = np.dtype(
    [
        ("last_ns", np.int64),
        ("touch", TIME_MEAN),
        ("depth_5", np.float64),
        ("signed", FLOW, (3,)),  # lots bought less lots sold, one a half-life
        ("volume", FLOW, (3,)),
    ],
    align=True,
)


@njit(cache=True)
def balance(bid_lots: int, ask_lots: int) -> float:
    """(bid - ask) / (bid + ask), nan when a size is unknown or both are zero."""
    total = bid_lots + ask_lots
    return (bid_lots - ask_lots) / total if bid_lots >= 0 and ask_lots >= 0 and total > 0 else np.nan


@njit(cache=True)
def touch_balance(view: Record) -> float:
    """Imbalance at the best prices, nan when a side is empty or its size unknown."""
    if view.bid_ticks == NO_PRICE or view.ask_ticks == NO_PRICE:
        return np.nan
    return balance(view.bid_lots, view.ask_lots)


@njit(cache=True)
def _update(events: np.ndarray, views: np.ndarray, state: np.ndarray) -> None:
    s = state[0]
    for i in range(len(events)):
        s.last_ns = event_ns(events[i], s.last_ns)
        if is_print(events[i]):
            for j in range(3):
                lots = float(events[i].size_lots)
                pour(s.signed[j], s.last_ns, events[i].side * lots, HALF_LIVES_NS[j])
                pour(s.volume[j], s.last_ns, lots, HALF_LIVES_NS[j])
        touch = touch_balance(views[i])
        if touch != s.touch.value:
            hold(s.touch, s.last_ns, touch, ONE_MINUTE)
        s.depth_5 = balance(views[i].bid_depth_5_lots, views[i].ask_depth_5_lots)


@njit(cache=True)
def _values(state: np.ndarray, now_ns: int, out: np.ndarray) -> None:
    s = state[0]
    out[0] = s.touch.value
    out[1] = time_mean(s.touch, now_ns, ONE_MINUTE)
    out[2] = s.depth_5
    for j in range(3):  # both sums decay alike, so that their ratio holds still between trades
        out[3 + j] = s.signed[j].sum / s.volume[j].sum if s.volume[j].sum > 0.0 else np.nan


class Imbalance:
    """Imbalance in [-1, 1] of the touch (now; 1-minute time mean), of five levels, and of traded volume.

    Trade imbalance is signed volume over volume of lit prints with half-lives 1, 5 and 30 minutes.
    """

    names: tuple[str, ...] = (
        "imbalance_touch",
        "imbalance_touch_1m",
        "imbalance_depth_5",
        "trade_imbalance_1m",
        "trade_imbalance_5m",
        "trade_imbalance_30m",
    )

    def __init__(self) -> None:
        self._state = _fresh()

    def begin_session(self, open_ns: int, close_ns: int, tick_size: float, lot_size: float) -> None:
        """Forget everything; a ratio needs no units."""
        self._state = _fresh()

    def update(self, events: np.ndarray, views: np.ndarray) -> None:
        """Feed events and the view after each."""
        _update(events, views, self._state)

    def values(self, now_ns: int) -> np.ndarray:
        """float64 of shape (6,)."""
        out = np.empty(len(self.names))
        _values(self._state, now_ns, out)
        return out


def _fresh() -> np.ndarray:
    state = np.zeros(1, STATE)
    state["touch"]["value"] = np.nan
    state["depth_5"] = np.nan
    return state
