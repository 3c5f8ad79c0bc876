"""What anybody saw of an instrument at any time: mids and volumes of several sessions, by look-up.

Volumes are in seconds of usual volume: one unit is what one side of the market takes on average in one second of that
session, so that sessions and instruments can be pooled.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from footprint.data.children import ChildTape
from footprint.errors import DataRefused
from footprint.units import BPS, NS_PER_DAY, NS_PER_MINUTE, NS_PER_SECOND

VOLATILITY_MINUTES = 30
LEAST_MINUTES = 5


@dataclass(frozen=True, slots=True)
class Market:
    """Sessions of one instrument in order of time.

    Attributes:
        time_ns: market orders, shape (n,).
        bought, sold, orders: volume of each side and number of market orders before each of them, shape (n + 1,).
        mid_time_ns, mid_bps: 1e4 x log mid from that time on.
        run_start_ns, run_end_ns: stretches of trading without a session's end, halt or gap.
        run_unit: quantity of one unit of volume in each stretch.
    """

    time_ns: np.ndarray
    bought: np.ndarray
    sold: np.ndarray
    orders: np.ndarray
    mid_time_ns: np.ndarray
    mid_bps: np.ndarray
    run_start_ns: np.ndarray
    run_end_ns: np.ndarray
    run_unit: np.ndarray

    def run_of(self, start_ns: np.ndarray, end_ns: np.ndarray) -> np.ndarray:
        """Stretch that holds each window, -1 where none does."""
        run = np.searchsorted(self.run_start_ns, start_ns, side="right") - 1
        return np.where((run >= 0) & (end_ns <= self.run_end_ns[np.maximum(run, 0)]), run, -1)

    def mid_before(self, time_ns: np.ndarray) -> np.ndarray:
        """Last log mid strictly before each time, bps; nan before the first."""
        index = np.searchsorted(self.mid_time_ns, time_ns, side="left") - 1
        return np.where(index >= 0, self.mid_bps[np.maximum(index, 0)], np.nan)

    def volume(self, sign: np.ndarray, start_ns: np.ndarray, end_ns: np.ndarray) -> np.ndarray:
        """Volume of one side in [start, end)."""
        start, end = (np.searchsorted(self.time_ns, t, side="left") for t in (start_ns, end_ns))
        return np.where(sign > 0, self.bought[end] - self.bought[start], self.sold[end] - self.sold[start])

    def count(self, start_ns: np.ndarray, end_ns: np.ndarray) -> np.ndarray:
        """Market orders in [start, end)."""
        start, end = (np.searchsorted(self.time_ns, t, side="left") for t in (start_ns, end_ns))
        return self.orders[end] - self.orders[start]

    def volatility_bps(self, time_ns: np.ndarray) -> np.ndarray:
        """Root mean square of the one-minute returns of the half hour before each time, or of as much of it as the run
        has, at least five minutes; else nan.
        """
        edges = time_ns[:, None] - np.arange(VOLATILITY_MINUTES, -1, -1) * NS_PER_MINUTE
        run = np.maximum(np.searchsorted(self.run_start_ns, time_ns, side="right") - 1, 0)
        inside = edges[:, :-1] >= self.run_start_ns[run][:, None]
        squares = np.where(inside, np.diff(self.mid_before(edges), axis=1) ** 2, np.nan)
        known = np.isfinite(squares)
        count = known.sum(axis=1)
        mean = np.where(known, squares, 0.0).sum(axis=1) / np.maximum(count, 1)
        return np.where(count >= LEAST_MINUTES, np.sqrt(mean), np.nan)


def market_of(tapes: Sequence[ChildTape]) -> Market:
    """Look-up tables of sessions in order of time.

    Raises:
        DataRefused: no session has two market orders at different times and a known mid.
    """
    tapes = [t for t in tapes if len(t) > 1 and t.time_ns[-1] > t.time_ns[0] and len(t.mid)]
    if not tapes:
        raise DataRefused("no trading with a known mid", allowed="a session with market orders and quotes")
    starts, ends, units, buys, sells = [], [], [], [], []
    for tape in tapes:
        first = np.flatnonzero(np.diff(tape.segment, prepend=tape.segment[0] - 1))
        last = np.append(first[1:], len(tape)) - 1
        starts.append(tape.time_ns[first])
        ends.append(tape.time_ns[last])
        seconds = max(float((ends[-1] - starts[-1]).sum()) / NS_PER_SECOND, 1.0)
        unit = tape.quantity.sum() / 2.0 / seconds
        units.append(np.full(len(first), unit))
        buys.append(np.where(tape.sign > 0, tape.quantity, 0.0) / unit)
        sells.append(np.where(tape.sign < 0, tape.quantity, 0.0) / unit)
    time_ns = np.concatenate([tape.time_ns for tape in tapes])
    return Market(
        time_ns=time_ns,
        bought=np.append(0.0, np.cumsum(np.concatenate(buys))),
        sold=np.append(0.0, np.cumsum(np.concatenate(sells))),
        orders=np.arange(len(time_ns) + 1),
        mid_time_ns=np.concatenate([tape.mid_time_ns for tape in tapes]),
        mid_bps=BPS * np.log(np.concatenate([tape.mid for tape in tapes])),
        run_start_ns=np.concatenate(starts),
        run_end_ns=np.concatenate(ends),
        run_unit=np.concatenate(units),
    )


def time_of_day_ns(time_ns: np.ndarray) -> np.ndarray:
    """Time since midnight UTC: sessions of one venue a few days apart share their clock."""
    return time_ns % NS_PER_DAY
