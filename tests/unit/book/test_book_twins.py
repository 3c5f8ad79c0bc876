"""One million random messages give the same books as the plain-Python twins."""

import numpy as np
from reference_books import ReferenceLevels, ReferenceOrders, random_levels, random_orders

from footprint.book.orders import OrderBook
from footprint.book.price_levels import PriceLevelBook

MESSAGES = 1_000_000
CHECKPOINTS = 10


def test_price_levels_equal_the_twin():
    events = random_levels(np.random.default_rng(20240808), MESSAGES)
    book, twin = PriceLevelBook(capacity=16), ReferenceLevels()
    for part in np.array_split(events, CHECKPOINTS):
        book.apply(part)
        twin.apply(part)
        for side in (1, -1):
            assert book.levels(side, MESSAGES).tolist() == twin.levels(side)
    assert len(twin.levels(1)) > 300


def test_orders_equal_the_twin_level_by_level_and_queue_by_queue():
    events = random_orders(np.random.default_rng(20240809), MESSAGES)
    book, twin = OrderBook(capacity=16), ReferenceOrders()
    for part in np.array_split(events, CHECKPOINTS):
        book.apply(part)
        twin.apply(part)
        assert book.live_orders == len(twin.orders) > 100
        for side in (1, -1):
            assert book.levels(side, MESSAGES).tolist() == twin.levels(side)
            for price, queue in twin.queues[side].items():
                assert book.queue(side, price) == list(queue.items())
    assert (book.unknown_ids, book.duplicate_ids) == (twin.unknown, twin.duplicate)
    assert min(twin.unknown, twin.duplicate) > 0
