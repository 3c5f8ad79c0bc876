"""Quote stuffing: orders entered and withdrawn in masses, without trades, far above the tape's own rate.

Delegated Regulation (EU) 2016/522, Annex II, Section 1 lists it (large numbers of orders, cancellations or updates
that create uncertainty and slow others down); Egginton, Van Ness, Van Ness, "Quote stuffing", Financial Management 45
(2016) measure it as bursts of messages against the stock's own mean. Counted second by second:

    rate = 2 min(entered, withdrawn) / (1 + market orders)
    score = log(rate / (10 + mean rate of the seconds before, half-life 30 minutes))

A book that is rebuilt after a move enters without withdrawing; one that is traded through withdraws by trading. The
ten a second keep a market that stands still from finding every message unusual.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from footprint.features.manipulation.candidate import Kind, write
from footprint.features.manipulation.changes import ADDED, MODIFIED, REMOVED
from footprint.features.windows import MARK_MEAN, THIRTY_MINUTES, Record, mark, mark_mean
from footprint.units import NS_PER_SECOND

_KIND = int(Kind.QUOTE_STUFFING)
_LEAST_USUAL = 10.0  # a second
MESSAGES = np.dtype(
    [
        ("entered", np.int64),  # in the second that runs
        ("withdrawn", np.int64),
        ("trades", np.int64),
        ("rate", MARK_MEAN),  # of the seconds before
    ],
    align=True,
)


@njit(cache=True)
def count_change(m: Record, what: int) -> None:
    """Count one change of the book; a modified order is withdrawn and entered anew."""
    if what in (ADDED, MODIFIED):
        m.entered += 1
    if what in (REMOVED, MODIFIED):
        m.withdrawn += 1


@njit(cache=True)
def close_messages(log: Record, m: Record, end_ns: int) -> float:
    """Judge the second that ends; its score, 0 when there is none."""
    rate = 2.0 * min(m.entered, m.withdrawn) / (1.0 + m.trades)
    before = mark_mean(m.rate)
    usual = _LEAST_USUAL + (before if before > 0.0 else 0.0)
    messages, trades = m.entered + m.withdrawn, m.trades
    m.entered, m.withdrawn, m.trades = 0, 0, 0
    mark(m.rate, end_ns, rate, 1.0, THIRTY_MINUTES)
    if math.isnan(before) or rate <= usual:
        return 0.0
    score = math.log(rate / usual)
    start_ns = end_ns - NS_PER_SECOND
    write(log, _KIND, 0, start_ns, end_ns, end_ns, score, float(messages), rate / usual, float(trades), messages)
    return score
