"""What one event did to the displayed size at one price, whatever the source: order by order, price levels or quotes.

Events by order carry their own size. A LEVEL or QUOTE event carries a total, so the totals seen before are remembered
in a table by hashed price; where two prices meet in one slot the one nearer the touch stays. A stream with several
kinds is read by the most detailed kind that has come so far.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from footprint.features.windows import Record
from footprint.market.events import EventFlag, EventKind

NOTHING, ADDED, REMOVED, MODIFIED = range(4)
QUOTES, LEVELS, ORDERS = 1, 2, 3  # sources, the more detailed the higher
CHANGE = np.dtype(
    [
        ("source", np.int64),  # most detailed source so far, 0 before the first
        ("quote_ticks", np.int64, (2,)),  # last quoted price of the bid and the ask
        ("what", np.int64),  # NOTHING, ADDED, REMOVED, MODIFIED: of the last event
        ("side", np.int64),
        ("price_ticks", np.int64),
        ("key", np.uint64),  # number of the order, or the price where orders have no number
        ("lots", np.int64),  # added or removed
        ("left_lots", np.int64),  # after the event: of the order, or the total at the price
    ],
    align=True,
)
LEVEL_SIZE = np.dtype([("price_ticks", np.int64), ("lots", np.int64)], align=True)
SLOT_BITS = 12

_ADD, _CANCEL, _DELETE, _MODIFY = (int(EventKind[k]) for k in ("ADD", "CANCEL", "DELETE", "MODIFY"))
_LEVEL, _QUOTE, _CLEAR = int(EventKind.LEVEL), int(EventKind.QUOTE), int(EventKind.CLEAR)
_SNAPSHOT, _NO_SIZE = int(EventFlag.SNAPSHOT), int(EventFlag.SIZE_UNKNOWN)
_GOLDEN = np.uint64(0x9E3779B97F4A7C15)  # Fibonacci hashing: neighbouring prices do not meet
_SHIFT = np.uint64(64 - SLOT_BITS)


def fresh_levels() -> np.ndarray:
    """Nothing known of any price: LEVEL_SIZE of shape (2, slots), bids first."""
    return np.zeros((2, 1 << SLOT_BITS), LEVEL_SIZE)


@njit(cache=True)
def _exchange(levels: np.ndarray, side: int, price_ticks: int, lots: int) -> int:
    """Remember the new total at a price; the old one, 0 when none is known."""
    slot = np.int64((np.uint64(price_ticks) * _GOLDEN) >> _SHIFT)
    row = levels[0 if side > 0 else 1, slot]
    held = row.price_ticks == price_ticks
    before = row.lots if held else 0
    if held or row.lots == 0 or side * (price_ticks - row.price_ticks) > 0:
        row.price_ticks, row.lots = price_ticks, lots
    return before


@njit(cache=True)
def _read_total(c: Record, levels: np.ndarray, event: Record) -> None:
    left = max(event.size_lots, 0)
    change = left - _exchange(levels, c.side, event.price_ticks, left)
    c.key, c.left_lots, c.lots = np.uint64(event.price_ticks), left, abs(change)
    if change != 0:
        c.what = ADDED if change > 0 else REMOVED


@njit(cache=True)
def _read_order(c: Record, event: Record) -> None:
    c.key, c.lots, c.left_lots = event.order_id, event.size_lots, event.size_lots
    if event.kind == _ADD:
        c.what = ADDED
    elif event.kind == _MODIFY:
        c.what = MODIFIED
    else:
        c.what = REMOVED
        c.left_lots = 0 if event.kind == _DELETE else -1  # a CANCEL says what goes, not what stays


@njit(cache=True)
def read_change(c: Record, levels: np.ndarray, event: Record) -> None:
    """Read one event; `c.what` stays NOTHING for trades, fills, snapshots and less detailed sources."""
    c.what = NOTHING
    kind = event.kind
    if kind == _CLEAR:
        for side in range(2):
            c.quote_ticks[side] = 0
            for slot in range(levels.shape[1]):
                levels[side, slot].lots = 0
    if event.side == 0:
        return
    c.side, c.price_ticks = event.side, event.price_ticks
    if kind in (_ADD, _CANCEL, _DELETE, _MODIFY):
        c.source = ORDERS
        _read_order(c, event)
    elif kind == _LEVEL and c.source <= LEVELS:
        c.source = LEVELS
        _read_total(c, levels, event)
    elif kind == _QUOTE and c.source <= QUOTES and (event.flags & _NO_SIZE) == 0:
        c.source = QUOTES
        _read_quote(c, levels, event)
    if event.flags & _SNAPSHOT:
        c.what = NOTHING


@njit(cache=True)
def _read_quote(c: Record, levels: np.ndarray, event: Record) -> None:
    """A better price is a new level; a worse one removes what was quoted before and only reveals the next level."""
    row = 0 if c.side > 0 else 1
    last = c.quote_ticks[row]
    c.quote_ticks[row] = event.price_ticks
    _read_total(c, levels, event)
    if last != 0 and c.side * (event.price_ticks - last) < 0:
        c.what, c.key, c.price_ticks, c.left_lots = REMOVED, np.uint64(last), last, 0
        c.lots = _exchange(levels, c.side, last, 0)
