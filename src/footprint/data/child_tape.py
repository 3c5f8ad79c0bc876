"""The child tape of a session: its signed prints merged to market orders, with the mid before each.

Prints of one side at one exchange timestamp are one market order that swept several resting ones; prints of both sides
at one timestamp are two, in the order of their first prints. Left out: prints without a sign, off-exchange and auction
prints, and in the US the first five minutes and the last minute of the day.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from footprint.data.children import ChildTape
from footprint.data.mid import MidRule, default_mid_rule, reference_views
from footprint.data.session import Session
from footprint.data.signing import sign_trades
from footprint.market.events import UNKNOWN_TIME, EventFlag, EventKind, event_time_ns
from footprint.units import NS_PER_MINUTE

# A silence of all events longer than this is a gap. Liquid tapes never fall silent so long within a session; on B3 it
# separates continuous trading from the closing call (about 13 minutes) and the after-market.
MAX_SILENCE_NS = 10 * NS_PER_MINUTE
# Time dropped after the open and before the close, by market.
TRIM_NS = {"us": (5 * NS_PER_MINUTE, NS_PER_MINUTE)}

_NEVER_CHILDREN = EventFlag.OFF_EXCHANGE | EventFlag.AUCTION


def build_child_tape(session: Session, views: np.ndarray, mid_rule: MidRule | None = None) -> ChildTape:
    """Signed market orders of a session.

    Args:
        views: VIEW_DTYPE of shape (n,), the book after each event, by `book.replay.views`.
        mid_rule: the market's own rule when None.

    Returns:
        The tape; `parent_id` is -1 throughout. An order's `mid_before` is the last mid known strictly before its
        timestamp (minus the lag of the rule), nan when there was none in its segment; rules `at_print` derive it from
        the order's first print instead.
    """
    rule = mid_rule or default_mid_rule(session)
    signs = child_signs(session, views)
    return merge_children(session, signs, reference_views(session, views, signs, rule), rule)


def child_signs(session: Session, views: np.ndarray) -> np.ndarray:
    """Aggressor of every print that can be a child, int8 of shape (n,); 0 elsewhere, off exchange and in auctions."""
    signs, _ = sign_trades(session, views)
    signs[session.events["flags"] & _NEVER_CHILDREN != 0] = 0
    return signs


def merge_children(session: Session, signs: np.ndarray, views: np.ndarray, rule: MidRule) -> ChildTape:
    """The same from what is already known: `child_signs` and the views under the rule, shape (n,)."""
    events = session.events
    mid_ticks = views["mid_ticks"]
    time_ns = event_time_ns(events)
    prints = np.flatnonzero((signs != 0) & _inside_hours(session, time_ns))
    stamp = np.where(events["exchange_time_ns"] == UNKNOWN_TIME, time_ns, events["exchange_time_ns"])[prints]
    child, stamp_first = _merge(stamp, signs[prints])
    first = prints[np.unique(child, return_index=True)[1]]  # first print of each child
    lots = _sum_by(child, events["size_lots"][prints])
    notional = _sum_by(child, events["size_lots"][prints] * events["price_ticks"][prints].astype(np.float64))

    event_index = np.searchsorted(time_ns, time_ns[prints[stamp_first]] - rule.lag_ns, side="left")
    segment = _segments(events["kind"], time_ns)
    known_mid = _last_known(mid_ticks, segment, event_index - 1, first)
    mid_before = mid_ticks[first] if rule.at_print else known_mid
    instrument = session.instrument
    mid_time_ns, mid = _mid_series(time_ns, mid_ticks)
    return ChildTape(
        time_ns=time_ns[first],
        sign=signs[first],
        quantity=lots * instrument.lot_size,
        price=notional / lots * instrument.tick_size,
        mid_before=mid_before * instrument.tick_size,
        known_mid=known_mid * instrument.tick_size,
        event_index=event_index,
        segment=segment[first],
        parent_id=np.full(len(first), -1, np.int64),
        mid_time_ns=mid_time_ns,
        mid=mid * instrument.tick_size,
    )


def _inside_hours(session: Session, time_ns: np.ndarray) -> np.ndarray:
    head_ns, tail_ns = TRIM_NS.get(session.instrument.market, (0, 0))
    inside = np.ones(len(time_ns), bool)
    if head_ns:
        inside &= time_ns >= session.open_ns + head_ns
    if tail_ns:
        inside &= time_ns < session.close_ns - tail_ns
    return inside


@njit(cache=True)
def _merge(stamp: np.ndarray, sign: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Number of the child of each print, and for each child the first print (either side) of its timestamp."""
    child = np.empty(len(stamp), np.int64)
    stamp_first = np.empty(len(stamp), np.int64)
    count = 0
    first = 0
    buy, sell = -1, -1
    for i in range(len(stamp)):
        if i == 0 or stamp[i] != stamp[i - 1]:
            first, buy, sell = i, -1, -1
        current = buy if sign[i] > 0 else sell
        if current < 0:
            current = count
            stamp_first[count] = first
            count += 1
            if sign[i] > 0:
                buy = current
            else:
                sell = current
        child[i] = current
    return child, stamp_first[:count]


def _sum_by(group: np.ndarray, values: np.ndarray) -> np.ndarray:
    return np.bincount(group, weights=values) if len(group) else np.zeros(0)


def _segments(kind: np.ndarray, time_ns: np.ndarray) -> np.ndarray:
    """Number of the stretch that each event lies in; halts, resumptions and long silences begin a new one."""
    breaks = (kind == EventKind.HALT) | (kind == EventKind.RESUME)
    breaks |= np.diff(time_ns, prepend=time_ns[:1]) > MAX_SILENCE_NS
    return np.cumsum(breaks)


def _last_known(mid: np.ndarray, segment: np.ndarray, index: np.ndarray, first: np.ndarray) -> np.ndarray:
    """Last mid that is not nan at or before each `index`, nan when it lies in another segment than the child."""
    known = np.maximum.accumulate(np.where(np.isfinite(mid), np.arange(len(mid)), -1))
    place = np.where(index >= 0, known[index], -1)
    usable = (place >= 0) & (segment[place] == segment[first])
    return np.where(usable, mid[place], np.nan)


def _mid_series(time_ns: np.ndarray, mid: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The known mids where they change, one a timestamp: the last of it."""
    known = np.flatnonzero(np.isfinite(mid))
    last_of_time = known[np.append(np.diff(time_ns[known]) != 0, True)[: len(known)]]
    changed = np.append(True, np.diff(mid[last_of_time]) != 0)[: len(last_of_time)]
    return time_ns[last_of_time[changed]], mid[last_of_time[changed]]
