"""Proxies of adverse selection: how trades run ahead of the book, and how the book reacts.

A markout over h is s * (mid(t + h) - mid(t-)) / mid(t-) for a market order of sign s, with the mid strictly before the
order's timestamp. One order per horizon is followed at a time, so that the state stays O(1).
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from footprint.book.view import NO_PRICE
from footprint.features.tape import CHILD, event_ns, follow, is_print
from footprint.features.windows import (
    FIVE_MINUTES,
    FLOW,
    MARK_MEAN,
    THIRTY_MINUTES,
    Record,
    flow_rate,
    mark,
    mark_mean,
    pour,
)
from footprint.units import BPS, NS_PER_SECOND

HORIZONS_NS = (NS_PER_SECOND, 10 * NS_PER_SECOND, 60 * NS_PER_SECOND)

SLOT = np.dtype(
    [
        ("busy", np.bool_),
        ("due_ns", np.int64),
        ("sign", np.int64),
        ("mid", np.float64),
        ("mean_bps", MARK_MEAN),
    ],
    align=True,
)
STATE = np.dtype(
    [
        ("start_ns", np.int64),
        ("last_ns", np.int64),
        ("child", CHILD),
        ("bid_ticks", np.int64),
        ("ask_ticks", np.int64),
        ("mid", np.float64),
        ("mid_before", np.float64),  # at the end of the previous timestamp
        ("through", MARK_MEAN),
        ("revisions", FLOW),
        ("slots", SLOT, (3,)),
    ],
    align=True,
)


@njit(cache=True)
def _settle(s: Record, time_ns: int) -> None:
    """Close the markouts due before `time_ns` at the last mid known."""
    for j in range(3):
        slot = s.slots[j]
        if slot.busy and slot.due_ns < time_ns:
            slot.busy = False
            if not math.isnan(s.mid):
                markout_bps = slot.sign * (s.mid - slot.mid) / slot.mid * BPS
                mark(slot.mean_bps, slot.due_ns, markout_bps, 1.0, THIRTY_MINUTES)


@njit(cache=True)
def _read_trade(s: Record, event: Record) -> None:
    opposite = s.ask_ticks if event.side > 0 else s.bid_ticks
    if opposite != NO_PRICE:
        worse = event.side * (event.price_ticks - opposite) > 0
        mark(s.through, s.last_ns, 1.0 if worse else 0.0, 1.0, THIRTY_MINUTES)
    follow(s.child, s.last_ns, event)
    if not s.child.is_new or math.isnan(s.mid_before):
        return
    for j in range(3):
        slot = s.slots[j]
        if not slot.busy:
            slot.busy, slot.sign, slot.mid = True, event.side, s.mid_before
            slot.due_ns = s.last_ns + HORIZONS_NS[j]


@njit(cache=True)
def _update(events: np.ndarray, views: np.ndarray, state: np.ndarray) -> None:
    s = state[0]
    for i in range(len(events)):
        time_ns = event_ns(events[i], s.last_ns)
        s.start_ns = min(s.start_ns, time_ns)
        if time_ns > s.last_ns:
            s.last_ns, s.mid_before = time_ns, s.mid
        _settle(s, time_ns)
        if is_print(events[i]):
            _read_trade(s, events[i])
        bid_moved = views[i].bid_ticks != s.bid_ticks and s.bid_ticks != NO_PRICE
        ask_moved = views[i].ask_ticks != s.ask_ticks and s.ask_ticks != NO_PRICE
        if bid_moved or ask_moved:
            pour(s.revisions, time_ns, 1.0, FIVE_MINUTES)
        s.bid_ticks, s.ask_ticks, s.mid = views[i].bid_ticks, views[i].ask_ticks, views[i].mid_ticks


@njit(cache=True)
def _values(state: np.ndarray, scratch: np.ndarray, now_ns: int, out: np.ndarray) -> None:
    scratch[0] = state[0]  # time passes in a copy, so that reading changes nothing
    s = scratch[0]
    now_ns = max(now_ns, s.last_ns)
    _settle(s, now_ns + 1)
    out[0] = mark_mean(s.through)
    out[1] = flow_rate(s.revisions, s.start_ns, now_ns, FIVE_MINUTES)
    for j in range(3):
        out[2 + j] = mark_mean(s.slots[j].mean_bps)


class AdverseSelection:
    """Trade-throughs, quote revisions and markouts; a markout is positive when the price follows the trade.

    `trade_through_rate`: share of prints strictly worse than the opposite best before them, half-life 30 minutes.
    `quote_revisions_per_s`: events that move a best price, per second, half-life 5 minutes. `markout_*_bps`: mean
    markout of market orders after 1, 10 and 60 s, half-life 30 minutes; nan before the first is due.
    """

    names: tuple[str, ...] = (
        "trade_through_rate",
        "quote_revisions_per_s",
        "markout_1s_bps",
        "markout_10s_bps",
        "markout_60s_bps",
    )

    def __init__(self) -> None:
        self._state = _fresh(0)

    def begin_session(self, open_ns: int, close_ns: int, tick_size: float, lot_size: float) -> None:
        """Forget everything; rates count time from the open."""
        self._state = _fresh(open_ns)

    def update(self, events: np.ndarray, views: np.ndarray) -> None:
        """Feed events and the view after each."""
        _update(events, views, self._state)

    def values(self, now_ns: int) -> np.ndarray:
        """float64 of shape (5,)."""
        out = np.empty(len(self.names))
        _values(self._state, np.empty(1, STATE), now_ns, out)
        return out


def _fresh(open_ns: int) -> np.ndarray:
    state = np.zeros(1, STATE)
    state["start_ns"] = open_ns
    state["mid"] = state["mid_before"] = np.nan
    return state
