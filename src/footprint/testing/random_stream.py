"""A seeded stream of events and views with everything that real tapes get wrong, for contract checks."""

from __future__ import annotations

import numpy as np

from footprint.book.view import NO_PRICE, SIZE_UNKNOWN, empty_views
from footprint.market.events import UNKNOWN_TIME, EventFlag, EventKind, empty_events
from footprint.units import NS_PER_HOUR, NS_PER_SECOND

OPEN_NS = 1_700_002_800 * NS_PER_SECOND  # 2023-11-14 23:00 UTC: the session runs over midnight
CLOSE_NS = OPEN_NS + 3 * NS_PER_HOUR
TICK_SIZE = 0.01
LOT_SIZE = 100.0

_KINDS = np.array([k for k in EventKind])
_KIND_WEIGHTS = {EventKind.TRADE: 8.0, EventKind.CLEAR: 0.1, EventKind.HALT: 0.1, EventKind.RESUME: 0.1}
_TRADE_FLAGS = np.array([EventFlag.NONE, EventFlag.SIDE_GIVEN, EventFlag.OFF_EXCHANGE, EventFlag.AUCTION])


def random_stream(rng: np.random.Generator, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Events and the view after each, between `OPEN_NS` and `CLOSE_NS`.

    Held in it: shared timestamps, silences, a missing clock on some events, prints without side or of auctions, empty
    sides, unknown sizes, depths and mids, snapshots, cleared books, halts.

    Returns:
        EVENT_DTYPE and VIEW_DTYPE arrays of shape (count,).
    """
    events = _random_events(rng, count)
    views = empty_views(count)
    bid = 10_000 + np.cumsum(rng.choice([-1, 0, 1], count, p=[0.05, 0.9, 0.05]))
    ask = bid + rng.choice([1, 2, 7], count, p=[0.8, 0.15, 0.05])
    views["bid_ticks"] = np.where(rng.random(count) < 0.01, NO_PRICE, bid)
    views["ask_ticks"] = np.where(rng.random(count) < 0.01, NO_PRICE, ask)
    for name, deepest in (("lots", 100), ("depth_5_lots", 900), ("depth_10bps_lots", 1_500)):
        for side in ("bid", "ask"):
            size = rng.integers(0, deepest, count)
            views[f"{side}_{name}"] = np.where(rng.random(count) < 0.05, SIZE_UNKNOWN, size)
    known = (views["bid_ticks"] != NO_PRICE) & (views["ask_ticks"] != NO_PRICE) & (rng.random(count) > 0.01)
    views["mid_ticks"] = np.where(known, (bid + ask) / 2, np.nan)
    views["spread_ticks"] = np.where(known, ask - bid, np.nan)
    events["price_ticks"] = np.where(events["side"] > 0, ask, bid) + rng.choice([-1, 0, 1], count, p=[0.05, 0.9, 0.05])
    return events, views


def _random_events(rng: np.random.Generator, count: int) -> np.ndarray:
    events = empty_events(count)
    waits = rng.exponential(1.0, count) * rng.choice([0.0, 1.0, 200.0], count, p=[0.3, 0.695, 0.005])
    elapsed = np.cumsum(waits) / max(waits.sum(), 1.0)
    time_ns = OPEN_NS + (elapsed * 0.98 * (CLOSE_NS - OPEN_NS)).astype(np.int64)
    clocks = rng.choice(3, count, p=[0.6, 0.2, 0.2])  # both, exchange only, receive only
    events["exchange_time_ns"] = np.where(clocks == 2, UNKNOWN_TIME, time_ns - rng.integers(0, 10**6, count))
    events["receive_time_ns"] = np.where(clocks == 1, UNKNOWN_TIME, time_ns)
    weights = np.array([_KIND_WEIGHTS.get(k, 1.0) for k in EventKind])
    events["kind"] = rng.choice(_KINDS, count, p=weights / weights.sum())
    is_trade = events["kind"] == EventKind.TRADE
    events["side"] = np.where(rng.random(count) < 0.02, 0, rng.choice([-1, 1], count))
    trade_flags = rng.choice(_TRADE_FLAGS, count, p=[0.45, 0.45, 0.05, 0.05])
    book_flags = np.where(rng.random(count) < 0.02, EventFlag.SNAPSHOT, EventFlag.NONE)
    events["flags"] = np.where(is_trade, trade_flags, book_flags)
    events["size_lots"] = np.ceil(rng.pareto(1.5, count) * 5.0)
    events["sequence"] = events["row"] = np.arange(1, count + 1)
    return events
