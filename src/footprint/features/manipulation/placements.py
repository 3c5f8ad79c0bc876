"""Large orders placed near the touch and withdrawn untouched within seconds: the raw material of two patterns.

An order counts as large at half the usual size at a touch, as near within 10 bps of the mid or five spreads. It is
untouched when prints at or beyond its price took less than a fifth of its size until a second after it went. Short
lives of limit orders are common and mostly innocent (Hasbrouck, Saar, "Technology and liquidity provision", J.
Financial Markets 12, 2009: fleeting orders); what the patterns ask beyond it stands in their files.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from footprint.book.view import NO_PRICE
from footprint.features.manipulation.changes import ADDED, CHANGE, NOTHING
from footprint.features.windows import THIRTY_MINUTES, TIME_MEAN, Record, time_mean
from footprint.units import BPS, NS_PER_SECOND

LONGEST_LIFE_NS = 10 * NS_PER_SECOND
GRACE_NS = NS_PER_SECOND  # prints and book updates of one source may be this far apart
_ROOM = 64
_LEAST_MULTIPLE = 0.5  # of the usual touch size
_NEAR_BPS, _NEAR_SPREADS = 10.0, 5.0
_GONE = 0.3  # an order is withdrawn when at most this share of it is left
_TOUCHED = 0.2

PLACEMENT = np.dtype(
    [
        ("key", np.uint64),
        ("side", np.int64),
        ("price_ticks", np.int64),
        ("lots", np.float64),
        ("base_lots", np.float64),  # at the price before it came
        ("left_lots", np.float64),  # at the price, or of the order
        ("traded_lots", np.float64),  # printed at or beyond its price
        ("placed_ns", np.int64),
        ("gone_ns", np.int64),  # 0 while it rests
        ("bought", np.float64),  # lots bought and sold in the session before it came
        ("sold", np.float64),
    ],
    align=True,
)
BOARD = np.dtype(
    [
        ("change", CHANGE),
        ("count", np.int64),
        ("rows", PLACEMENT, (_ROOM,)),
        ("touch", TIME_MEAN),  # usual size at a touch, lots
        ("bought", np.float64),
        ("sold", np.float64),
    ],
    align=True,
)


@njit(cache=True)
def _copy(to: Record, source: Record) -> None:
    to.key, to.side, to.price_ticks = source.key, source.side, source.price_ticks
    to.lots, to.base_lots, to.left_lots = source.lots, source.base_lots, source.left_lots
    to.traded_lots, to.placed_ns, to.gone_ns = source.traded_lots, source.placed_ns, source.gone_ns
    to.bought, to.sold = source.bought, source.sold


@njit(cache=True)
def drop(board: Record, i: int) -> None:
    """Forget a placement; the last one takes its row."""
    board.count -= 1
    if i < board.count:
        _copy(board.rows[i], board.rows[board.count])


@njit(cache=True)
def _is_near(side: int, price_ticks: int, view: Record) -> bool:
    best = view.bid_ticks if side > 0 else view.ask_ticks
    if best == NO_PRICE or math.isnan(view.mid_ticks):
        return False
    reach = max(view.mid_ticks * _NEAR_BPS / BPS, _NEAR_SPREADS * view.spread_ticks)
    return side * (best - price_ticks) <= reach


@njit(cache=True)
def _place(board: Record, time_ns: int, view: Record) -> None:
    c = board.change
    usual_lots = time_mean(board.touch, time_ns, THIRTY_MINUTES)
    if not (c.lots >= _LEAST_MULTIPLE * usual_lots and usual_lots > 0.0) or not _is_near(c.side, c.price_ticks, view):
        return
    if board.count == _ROOM:
        oldest = 0
        for i in range(1, _ROOM):
            if board.rows[i].placed_ns < board.rows[oldest].placed_ns:
                oldest = i
        drop(board, oldest)
    row = board.rows[board.count]
    board.count += 1
    row.key, row.side, row.price_ticks = c.key, c.side, c.price_ticks
    row.lots, row.left_lots, row.base_lots = c.lots, c.left_lots, c.left_lots - c.lots
    row.traded_lots, row.placed_ns, row.gone_ns = 0.0, time_ns, 0
    row.bought, row.sold = board.bought, board.sold


@njit(cache=True)
def follow_change(board: Record, time_ns: int, view: Record) -> None:
    """Take the change just read into `board.change`: a placement, a withdrawal, or neither."""
    c = board.change
    if c.what == ADDED:
        _place(board, time_ns, view)
    elif c.what != NOTHING:
        for i in range(board.count):
            row = board.rows[i]
            if row.key == c.key and row.side == c.side and row.gone_ns == 0:
                row.left_lots = c.left_lots if c.left_lots >= 0 else row.left_lots - c.lots
                if c.price_ticks != row.price_ticks or row.left_lots - row.base_lots <= _GONE * row.lots:
                    row.gone_ns = time_ns


@njit(cache=True)
def follow_print(board: Record, time_ns: int, event: Record) -> None:
    """Count a print into the session's volume and against every placement that it may have reached."""
    if event.side > 0:
        board.bought += event.size_lots
    else:
        board.sold += event.size_lots
    for i in range(board.count):
        row = board.rows[i]
        if row.side == -event.side and row.side * (event.price_ticks - row.price_ticks) <= 0:
            row.traded_lots += event.size_lots


@njit(cache=True)
def is_settled(row: Record, now_ns: int) -> bool:
    """True when it can be judged: withdrawn more than the grace ago."""
    return row.gone_ns != 0 and now_ns >= row.gone_ns + GRACE_NS


@njit(cache=True)
def is_fleeting(row: Record) -> bool:
    """True for a settled one that went untouched."""
    return row.traded_lots < _TOUCHED * row.lots


@njit(cache=True)
def other_side_lots(board: Record, row: Record) -> float:
    """Net lots printed against the other side of the book since it came, at least 0.

    Prints at the ask less prints at the bid while a false bid shows, the reverse for a false ask.
    """
    return max(row.side * ((board.bought - row.bought) - (board.sold - row.sold)), 0.0)
