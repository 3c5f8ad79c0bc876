"""State machines: any sequence of messages leaves the compiled books and the matching engine where their twins are."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "unit" / "book"))
from reference_books import ReferenceLevels, ReferenceMatching, ReferenceOrders, order_differences

from footprint.book.ladder import MAX_WINDOW, MIN_WINDOW
from footprint.book.matching import EntryKind, MatchingEngine
from footprint.book.orders import OrderBook
from footprint.book.price_levels import PriceLevelBook
from footprint.market.events import EventKind, empty_events

SIDES = st.sampled_from([1, -1])
# near one another, at the edges of a window, beyond any window, and as far as integers go
PRICES = st.one_of(
    st.integers(1, 12),
    st.sampled_from([MIN_WINDOW >> 2, MIN_WINDOW - 1, MIN_WINDOW, MIN_WINDOW + 1, 3 * MIN_WINDOW, MAX_WINDOW + 7]),
    st.integers(1, 1 << 62),
)
SIZES = st.integers(0, 9)
IDS = st.integers(1, 12)


def one_event(kind, side=0, price=0, size=0, order_id=0):
    events = empty_events(1)
    for name, value in (("kind", kind), ("side", side), ("price_ticks", price), ("size_lots", size)):
        events[name] = value
    events["order_id"] = order_id
    return events


class Levels(RuleBasedStateMachine):
    """The price-level book."""

    def __init__(self):
        super().__init__()
        self.book, self.twin = PriceLevelBook(capacity=2, window_ticks=MIN_WINDOW), ReferenceLevels()

    def apply(self, events):
        self.book.apply(events)
        self.twin.apply(events)

    @rule(side=SIDES, price=PRICES, size=SIZES)
    def set(self, side, price, size):
        self.apply(one_event(EventKind.LEVEL, side, price, size))

    @rule(side=SIDES, best=st.booleans())
    def remove_an_end(self, side, best):
        levels = self.twin.levels(side)
        if levels:
            self.apply(one_event(EventKind.LEVEL, side, levels[0 if best else -1][0], 0))

    @rule(side=SIDES, start=PRICES, step=st.integers(1, 3_000))
    def set_a_row(self, side, start, step):
        for number in range(12):
            self.apply(one_event(EventKind.LEVEL, side, start + number * step, 1 + number))

    @rule()
    def clear(self):
        self.apply(one_event(EventKind.CLEAR))

    @invariant()
    def same_levels(self):
        for side in (1, -1):
            expected = self.twin.levels(side)
            assert self.book.levels(side, 1 << 30).tolist() == expected
            assert self.book.levels(side, 2).tolist() == expected[:2]
            assert self.book.best(side) == (expected[0][0] if expected else 0)


class Orders(RuleBasedStateMachine):
    """The order-by-order book."""

    def __init__(self):
        super().__init__()
        self.book, self.twin = OrderBook(capacity=2, window_ticks=MIN_WINDOW), ReferenceOrders()

    def apply(self, events):
        self.book.apply(events)
        self.twin.apply(events)

    @rule(order_id=IDS, side=SIDES, price=PRICES, size=SIZES)
    def add(self, order_id, side, price, size):
        self.apply(one_event(EventKind.ADD, side, price, size, order_id))

    @rule(kind=st.sampled_from([EventKind.CANCEL, EventKind.FILL]), order_id=IDS, size=SIZES)
    def reduce(self, kind, order_id, size):
        self.apply(one_event(kind, 1, 1, size, order_id))

    @rule(order_id=IDS, price=PRICES, size=SIZES)
    def modify(self, order_id, price, size):
        self.apply(one_event(EventKind.MODIFY, 1, price, size, order_id))

    @rule(order_id=IDS, size=SIZES)
    def modify_in_place(self, order_id, size):
        if order_id in self.twin.orders:
            self.apply(one_event(EventKind.MODIFY, 1, self.twin.orders[order_id][1], size, order_id))

    @rule(order_id=IDS)
    def delete(self, order_id):
        self.apply(one_event(EventKind.DELETE, 1, 1, 0, order_id))

    @rule(kind=st.sampled_from([EventKind.FILL_NOTICE, EventKind.TRADE, EventKind.LEVEL, EventKind.HALT]), order_id=IDS)
    def change_nothing(self, kind, order_id):
        self.apply(one_event(kind, 1, 5, 5, order_id))

    @rule()
    def clear(self):
        self.apply(one_event(EventKind.CLEAR))

    @invariant()
    def same_state(self):
        assert order_differences(self.book, self.twin) == 0
        for order_id, (side, price) in self.twin.orders.items():
            queue = list(self.twin.queues[side][price])
            lots = [self.twin.queues[side][price][i] for i in queue[: queue.index(order_id)]]
            assert self.book.queue_position(order_id) == (sum(lots), len(lots))


class Matching(RuleBasedStateMachine):
    """The matching engine, with a buffer of two fills, so that it stops inside messages."""

    def __init__(self):
        super().__init__()
        book = OrderBook(capacity=2, window_ticks=MIN_WINDOW)
        self.engine, self.twin = MatchingEngine(book, fill_capacity=2), ReferenceMatching()

    @rule(kind=st.sampled_from([*EntryKind, 0]), side=SIDES, price=PRICES, size=st.integers(0, 40), order_id=IDS)
    def submit(self, kind, side, price, size, order_id):
        columns = tuple(np.array([value]) for value in (int(kind), side, price, size, order_id))
        assert self.engine.submit(*columns).tolist() == self.twin.submit(*columns)

    @rule(order_id=IDS, size=SIZES)
    def modify_in_place(self, order_id, size):
        if order_id in self.twin.book.orders:
            self.submit(EntryKind.MODIFY, 1, self.twin.book.orders[order_id][1], size, order_id)

    @invariant()
    def same_state(self):
        assert order_differences(self.engine.book, self.twin.book) == 0

    @invariant()
    def not_crossed(self):
        bid, ask = self.engine.book.best(1), self.engine.book.best(-1)
        assert bid == 0 or ask == 0 or bid < ask


class TestLevels(Levels.TestCase):
    settings = settings(max_examples=40, stateful_step_count=60, deadline=None)


class TestOrders(Orders.TestCase):
    settings = TestLevels.settings


class TestMatching(Matching.TestCase):
    settings = TestLevels.settings
