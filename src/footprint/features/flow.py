"""Order flow: signed volume, order-flow imbalance at the touch, memory of trade signs, rates.

Order-flow imbalance: Cont, Kukanov, Stoikov, "The price impact of order book events", J. Financial Econometrics 12
(2014), equation for e_n. Sign autocorrelation E[s_t s_(t-k)]: Lillo, Farmer, Studies in Nonlinear Dynamics 8 (2004).
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from footprint.book.view import NO_PRICE
from footprint.features.tape import CHILD, event_ns, follow, is_print
from footprint.features.windows import (
    FLOW,
    HALF_LIVES_NS,
    MARK_MEAN,
    THIRTY_MINUTES,
    TIME_MEAN,
    Record,
    flow_rate,
    flow_sum,
    hold,
    mark,
    mark_mean,
    pour,
    time_mean,
)
from footprint.market.events import EventFlag, EventKind

LONGEST_RUN = 100
_LAGS = (1, 10)
_RESET = int(EventKind.CLEAR)
_SNAPSHOT = int(EventFlag.SNAPSHOT)

TOUCH = np.dtype([("ticks", np.int64), ("lots", np.int64)], align=True)
STATE = np.dtype(
    [
        ("start_ns", np.int64),  # the stream has been watched since
        ("last_ns", np.int64),
        ("lot_size", np.float64),
        ("child", CHILD),
        ("signed", FLOW, (2,)),
        ("count", FLOW, (3,)),
        ("volume", FLOW, (3,)),
        ("bid", TOUCH),
        ("ask", TOUCH),
        ("order_flow", FLOW, (2,)),  # sum of e_n, lots
        ("touch_depth", TIME_MEAN, (2,)),  # mean of the two sides, lots
        ("signs", np.uint64),  # bit k is 1 when the child k before the last one bought
        ("sign_count", np.int64),
        ("sign_product", MARK_MEAN, (2,)),
        ("run", np.int64),
    ],
    align=True,
)


@njit(cache=True)
def _side_flow(before: Record, ticks: int, lots: int, direction: int) -> float:
    """e_n of one side: size that came to, less size that left, the best price (direction +1 bid, -1 ask)."""
    if ticks == NO_PRICE or before.ticks == NO_PRICE or lots < 0 or before.lots < 0:
        return np.nan
    gain = direction * (ticks - before.ticks)
    came = lots if gain >= 0 else 0
    left = before.lots if gain <= 0 else 0
    return float(came - left)


@njit(cache=True)
def _read_quote(s: Record, event: Record, view: Record) -> None:
    if view.bid_ticks == s.bid.ticks and view.bid_lots == s.bid.lots:
        bid_flow = 0.0
    else:
        bid_flow = _side_flow(s.bid, view.bid_ticks, view.bid_lots, 1)
    if view.ask_ticks == s.ask.ticks and view.ask_lots == s.ask.lots:
        ask_flow = 0.0
    else:
        ask_flow = _side_flow(s.ask, view.ask_ticks, view.ask_lots, -1)
    s.bid.ticks, s.bid.lots = view.bid_ticks, view.bid_lots
    s.ask.ticks, s.ask.lots = view.ask_ticks, view.ask_lots

    known = view.bid_ticks != NO_PRICE and view.ask_ticks != NO_PRICE and view.bid_lots >= 0 and view.ask_lots >= 0
    depth = 0.5 * (view.bid_lots + view.ask_lots) if known else np.nan
    for j in range(2):
        if depth != s.touch_depth[j].value:
            hold(s.touch_depth[j], s.last_ns, depth, HALF_LIVES_NS[j])

    if event.kind == _RESET or (event.flags & _SNAPSHOT) != 0:
        return  # a book that is being loaded is not order flow
    flow = (0.0 if math.isnan(bid_flow) else bid_flow) - (0.0 if math.isnan(ask_flow) else ask_flow)
    if flow != 0.0:
        for j in range(2):
            pour(s.order_flow[j], s.last_ns, flow, HALF_LIVES_NS[j])


@njit(cache=True)
def _read_trade(s: Record, event: Record) -> None:
    lots = float(event.size_lots)
    for j in range(2):
        pour(s.signed[j], s.last_ns, event.side * lots, HALF_LIVES_NS[j])
    for j in range(3):
        pour(s.volume[j], s.last_ns, lots, HALF_LIVES_NS[j])
    follow(s.child, s.last_ns, event)
    if not s.child.is_new:
        return
    for j in range(3):
        pour(s.count[j], s.last_ns, 1.0, HALF_LIVES_NS[j])
    for j in range(2):
        lag = _LAGS[j]
        if s.sign_count >= lag:
            bought = (s.signs >> np.uint64(lag - 1)) & np.uint64(1)
            earlier = 1.0 if bought == np.uint64(1) else -1.0
            mark(s.sign_product[j], s.last_ns, earlier * event.side, 1.0, THIRTY_MINUTES)
    s.signs = (s.signs << np.uint64(1)) | np.uint64(1 if event.side > 0 else 0)
    s.sign_count += 1
    same = s.run * event.side > 0
    s.run = max(-LONGEST_RUN, min(LONGEST_RUN, s.run + event.side)) if same else event.side


@njit(cache=True)
def _update(events: np.ndarray, views: np.ndarray, state: np.ndarray) -> None:
    s = state[0]
    for i in range(len(events)):
        s.last_ns = event_ns(events[i], s.last_ns)
        s.start_ns = min(s.start_ns, s.last_ns)
        if is_print(events[i]):
            _read_trade(s, events[i])
        _read_quote(s, events[i], views[i])


@njit(cache=True)
def _values(state: np.ndarray, now_ns: int, out: np.ndarray) -> None:
    s = state[0]
    now_ns = max(now_ns, s.last_ns)
    for j in range(2):
        out[j] = flow_sum(s.signed[j], now_ns, HALF_LIVES_NS[j]) * s.lot_size
        depth = time_mean(s.touch_depth[j], now_ns, HALF_LIVES_NS[j])
        out[2 + j] = flow_sum(s.order_flow[j], now_ns, HALF_LIVES_NS[j]) / depth if depth > 0.0 else np.nan
        out[4 + j] = mark_mean(s.sign_product[j])
    for j in range(3):
        out[6 + j] = flow_rate(s.count[j], s.start_ns, now_ns, HALF_LIVES_NS[j])
        out[9 + j] = flow_rate(s.volume[j], s.start_ns, now_ns, HALF_LIVES_NS[j]) * s.lot_size
    out[12] = s.run


class Flow:
    """Order flow; buying is positive.

    `signed_volume_*`: decayed sum of bought less sold quantity. `order_flow_imbalance_*`: decayed sum of e_n over the
    time-mean touch depth of the same half-life, nan without sizes. `sign_autocorrelation_1`, `_10`: mean product of
    the signs of market orders 1 and 10 apart, half-life 30 minutes. `trades_per_s_*`: market orders (prints of one
    side at one timestamp) per second; `volume_per_s_*`: quantity per second. `last_sign_run`: signed length of the
    run of same-side market orders that the last one belongs to, at most 100; 0 before the first.
    """

    names: tuple[str, ...] = (
        "signed_volume_1m",
        "signed_volume_5m",
        "order_flow_imbalance_1m",
        "order_flow_imbalance_5m",
        "sign_autocorrelation_1",
        "sign_autocorrelation_10",
        "trades_per_s_1m",
        "trades_per_s_5m",
        "trades_per_s_30m",
        "volume_per_s_1m",
        "volume_per_s_5m",
        "volume_per_s_30m",
        "last_sign_run",
    )

    def __init__(self) -> None:
        self._state = _fresh(0, np.nan)

    def begin_session(self, open_ns: int, close_ns: int, tick_size: float, lot_size: float) -> None:
        """Forget everything; rates count time from the open."""
        self._state = _fresh(open_ns, lot_size)

    def update(self, events: np.ndarray, views: np.ndarray) -> None:
        """Feed events and the view after each."""
        _update(events, views, self._state)

    def values(self, now_ns: int) -> np.ndarray:
        """float64 of shape (13,)."""
        out = np.empty(len(self.names))
        _values(self._state, now_ns, out)
        return out


def _fresh(open_ns: int, lot_size: float) -> np.ndarray:
    state = np.zeros(1, STATE)
    state["start_ns"], state["lot_size"] = open_ns, lot_size
    state["touch_depth"]["value"] = np.nan
    return state
