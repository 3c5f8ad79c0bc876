"""A stationary price-level book of random order flow, in which actions can be planted.

Limit orders arrive at geometric distances from the opposite best, rest for exponential times and meet market orders, as
in Smith, Farmer, Gillemot, Krishnamurthy, "Statistical theory of the continuous double auction", Quantitative Finance 3
(2003). Added to it: fleeting orders that go within seconds (Hasbrouck, Saar 2009), market orders whose signs persist,
and self-excitation of the whole flow (a Hawkes process with an exponential kernel), so that activity comes in bursts.
Every change is a LEVEL event and every market order one TRADE a level before them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from footprint.book.view import empty_views
from footprint.data.stationary_kernel import (
    ACTION,
    ASK,
    ASK_LOTS,
    BID,
    BID_LOTS,
    BOOK,
    FLAGS,
    FLOW,
    KIND,
    LOTS,
    PRICE,
    SIDE,
    TIME,
    WINDOW_TICKS,
    simulate,
)
from footprint.errors import UsageError
from footprint.market.events import empty_events
from footprint.units import NS_PER_SECOND

NO_ACTIONS = np.empty(0, ACTION)


@dataclass(frozen=True, slots=True)
class BookShape:
    """The flow.

    Attributes:
        orders_per_s, takes_per_s: limit and market orders, before excitation.
        cancel_per_s: rate at which a resting order of mean size goes.
        fleeting_share, fleeting_s: share of the limit orders that go after a short life, and its mean.
        order_lots, take_lots: mean sizes of limit and market orders.
        tail: Pareto index of the sizes, above 1; inf for exponential sizes.
        persistence: chance that a market order repeats the side of the one before instead of a fair draw.
        branching: events that one event sets off, on average, in 0 to 1; 0 for a Poisson flow.
        memory_s: mean time after which it does so.
        open_ticks: price at the start.
    """

    orders_per_s: float = 1.0
    takes_per_s: float = 0.2
    cancel_per_s: float = 0.03
    fleeting_share: float = 0.2
    fleeting_s: float = 1.5
    order_lots: float = 100.0
    take_lots: float = 20.0
    tail: float = np.inf
    persistence: float = 0.5
    branching: float = 0.0
    memory_s: float = 5.0
    open_ticks: int = 10_000


def stationary_book(
    shape: BookShape, duration_s: float, rng: np.random.Generator, actions: np.ndarray = NO_ACTIONS, start_ns: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """Draw a stream.

    Args:
        actions: ACTION of shape (a,), in order of time.
        start_ns: time of the first event, ns UTC.

    Returns:
        EVENT_DTYPE and VIEW_DTYPE of one length. The views have the two touches, mid and spread; depths stay unknown.

    Raises:
        UsageError: the price left the window of ticks that the book has.
    """
    flow = np.zeros(1, FLOW)
    for name in FLOW.names or ():
        flow[name] = getattr(shape, name)
    book = np.zeros(1, BOOK)
    book["low"] = shape.open_ticks - WINDOW_TICKS // 2
    rows = simulate(rng, flow, book, actions, int(duration_s * NS_PER_SECOND))
    if book["edge"][0]:
        raise UsageError(f"the price moved more than {WINDOW_TICKS // 2} ticks away from {shape.open_ticks}")
    return _events(rows, start_ns), _views(rows)


def _events(rows: np.ndarray, start_ns: int) -> np.ndarray:
    events = empty_events(len(rows))
    for field, column in (("kind", KIND), ("side", SIDE), ("price_ticks", PRICE), ("size_lots", LOTS)):
        events[field] = rows[:, column]
    events["flags"] = rows[:, FLAGS]
    events["exchange_time_ns"] = events["receive_time_ns"] = rows[:, TIME] + start_ns
    events["sequence"] = events["row"] = np.arange(1, len(rows) + 1)
    return events


def _views(rows: np.ndarray) -> np.ndarray:
    views = empty_views(len(rows))
    for field, column in (("bid_ticks", BID), ("ask_ticks", ASK), ("bid_lots", BID_LOTS), ("ask_lots", ASK_LOTS)):
        views[field] = rows[:, column]
    known = (rows[:, BID] > 0) & (rows[:, ASK] > 0)
    views["mid_ticks"] = np.where(known, 0.5 * (rows[:, BID] + rows[:, ASK]), np.nan)
    views["spread_ticks"] = np.where(known, rows[:, ASK] - rows[:, BID], np.nan)
    return views
