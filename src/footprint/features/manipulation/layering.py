"""Layering: several large orders of one side at different prices, withdrawn together, trades on the other side.

Delegated Regulation (EU) 2016/522, Annex II, Section 1, 5(e): multiple or large orders on one side of the book, often
away from the touch, in order to trade on the other, removed once that trade has taken place.

size = lots withdrawn together less the largest of them
score = log(the lesser of size / usual touch size and net trading on the other side / typical market order)

Leaving the largest out keeps a single large order, which is spoofing's, from passing as a layer.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from footprint.features.manipulation.candidate import Kind, write
from footprint.features.manipulation.placements import other_side_lots
from footprint.features.windows import Record
from footprint.units import NS_PER_SECOND

LEAST_ORDERS = 3
TOGETHER_NS = 3 * NS_PER_SECOND
_KEPT = 32
_KIND = int(Kind.LAYERING)

WITHDRAWN = np.dtype(
    [
        ("side", np.int64),
        ("price_ticks", np.int64),
        ("lots", np.float64),
        ("placed_ns", np.int64),
        ("gone_ns", np.int64),
    ],
    align=True,
)
STACK = np.dtype([("next", np.int64), ("rows", WITHDRAWN, (_KEPT,))], align=True)


@njit(cache=True)
def _remember(stack: Record, row: Record) -> None:
    """Keep a withdrawn order; one that flickers at one price is kept once, as it last was."""
    place = stack.next
    for i in range(_KEPT):
        if stack.rows[i].side == row.side and stack.rows[i].price_ticks == row.price_ticks:
            place = i
    if place == stack.next:
        stack.next = (stack.next + 1) % _KEPT
    kept = stack.rows[place]
    kept.side, kept.price_ticks, kept.lots = row.side, row.price_ticks, row.lots
    kept.placed_ns, kept.gone_ns = row.placed_ns, row.gone_ns


@njit(cache=True)
def score_layering(
    log: Record, stack: Record, board: Record, row: Record, now_ns: int, usual: float, typical_lots: float
) -> float:
    """Judge the fleeting placements that went with this one, this one last; the score, 0 when there is none."""
    _remember(stack, row)
    orders, total, largest = 0, 0.0, 0.0
    start_ns = row.placed_ns
    for i in range(_KEPT):
        other = stack.rows[i]
        together = other.side == row.side and other.gone_ns >= row.gone_ns - TOGETHER_NS
        overlaps = other.placed_ns < row.gone_ns and other.gone_ns > row.placed_ns
        if together and overlaps:
            orders += 1
            total += other.lots
            largest = max(largest, other.lots)
            start_ns = min(start_ns, other.placed_ns)
    multiple = (total - largest) / usual
    trading = other_side_lots(board, row) / typical_lots
    if orders < LEAST_ORDERS or min(multiple, trading) <= 1.0:
        return 0.0
    score = math.log(min(multiple, trading))
    write(log, _KIND, row.side, start_ns, row.gone_ns, now_ns, score, total, multiple, trading, orders)
    return score
