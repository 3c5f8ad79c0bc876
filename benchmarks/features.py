"""CPU cost of the feature vector on one synthetic day as busy as Bank of America's of October 2013.

Prints one line a family (CPU ns per event, after compilation), the whole vector for the day, and the cost of reading
the vector at one more instant. Run: python benchmarks/features.py
"""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np

from footprint.book.view import VIEW_DTYPE, empty_views
from footprint.features.vector import VERSION, FeatureVector
from footprint.market.events import EventKind, empty_events
from footprint.units import NS_PER_SECOND

EVENTS = 700_000
TRADE_SHARE = 0.15
SESSION_NS = 23_400 * NS_PER_SECOND
OPEN_NS = 1_381_239_000 * NS_PER_SECOND
READINGS = 5_000


def busy_day(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Events (EVENT_DTYPE) and views (VIEW_DTYPE), shape (EVENTS,): a 14-dollar share with a one-cent spread."""
    events, views = empty_events(EVENTS), empty_views(EVENTS)
    events["exchange_time_ns"] = OPEN_NS + np.sort(rng.integers(0, SESSION_NS, EVENTS))
    is_trade = rng.random(EVENTS) < TRADE_SHARE
    events["kind"] = np.where(is_trade, EventKind.TRADE, EventKind.QUOTE)
    events["side"] = rng.choice([-1, 1], EVENTS)
    events["size_lots"] = rng.geometric(0.005, EVENTS)
    bid = 1_400 + np.cumsum(np.where(is_trade, 0, rng.choice([-1, 0, 1], EVENTS, p=[0.001, 0.998, 0.001])))
    events["price_ticks"] = bid + (events["side"] > 0)
    views["bid_ticks"], views["ask_ticks"] = bid, bid + 1
    views["mid_ticks"], views["spread_ticks"] = bid + 0.5, 1.0
    for name in VIEW_DTYPE.names or ():
        if name.endswith("_lots"):
            views[name] = rng.integers(1, 50_000, EVENTS)
    return events, views


def cpu_s(action: Callable[[], object]) -> float:
    """CPU seconds of one call."""
    start = time.process_time()
    action()
    return time.process_time() - start


def main() -> None:
    """Measure and print."""
    rng = np.random.default_rng(1)
    events, views = busy_day(rng)
    vector = FeatureVector()

    def begin() -> None:
        vector.begin_session(OPEN_NS, OPEN_NS + SESSION_NS, 0.01, 1.0)

    begin()
    vector.sample(events[:100], views[:100], np.array([50]), np.array([OPEN_NS]))  # compiles
    for family in vector.families:
        family.begin_session(OPEN_NS, OPEN_NS + SESSION_NS, 0.01, 1.0)
        spent = cpu_s(lambda family=family: family.update(events, views))
        print(f"{type(family).__name__:<18}{spent / EVENTS * 1e9:8.1f} ns/event")
    begin()
    day = cpu_s(lambda: vector.update(events, views))
    stops = np.sort(rng.integers(0, EVENTS, READINGS))
    begin()
    sampled = cpu_s(lambda: vector.sample(events, views, stops, events["exchange_time_ns"][stops]))
    print(f"{VERSION}, {len(vector.names)} values: {day:.3f} CPU-s for {EVENTS:,} events")
    print(f"one reading: {(sampled - day) / READINGS * 1e6:.1f} us")


if __name__ == "__main__":
    main()
