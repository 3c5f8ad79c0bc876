import numpy as np
import pytest

from footprint.book.matching import EntryKind, MatchingEngine
from footprint.book.orders import OrderBook
from footprint.errors import UsageError

LIMIT, MARKET, CANCEL, MODIFY = EntryKind


def submit(engine, *messages):
    """Messages as (kind, side, price, size, id); fills as (row, maker, price, size)."""
    return engine.submit(*np.array(messages, np.int64).T).tolist()


@pytest.fixture
def engine():
    """Asks: 1 and 2 of 10 and 20 lots at 101, 3 of 30 at 102. Bid: 4 of 5 lots at 99."""
    engine = MatchingEngine()
    fills = submit(
        engine, (LIMIT, -1, 101, 10, 1), (LIMIT, -1, 101, 20, 2), (LIMIT, -1, 102, 30, 3), (LIMIT, 1, 99, 5, 4)
    )
    assert fills == []
    return engine


def test_a_market_order_takes_the_oldest_of_the_best_price_first(engine):
    assert submit(engine, (MARKET, 1, 0, 12, 9)) == [(0, 1, 101, 10), (0, 2, 101, 2)]
    assert engine.book.queue(-1, 101) == [(2, 18)]


def test_what_is_left_of_a_market_order_lapses(engine):
    assert [fill[3] for fill in submit(engine, (MARKET, 1, 0, 100, 9))] == [10, 20, 30]
    assert (engine.book.best(-1), engine.book.best(1), engine.book.live_orders) == (0, 99, 1)
    assert submit(engine, (MARKET, 1, 0, 5, 10)) == []


def test_a_limit_order_trades_as_far_as_it_crosses_at_the_resting_prices_and_rests_with_the_rest(engine):
    assert submit(engine, (LIMIT, 1, 101, 35, 9)) == [(0, 1, 101, 10), (0, 2, 101, 20)]
    assert engine.book.queue(1, 101) == [(9, 5)]
    assert engine.book.best(-1) == 102
    assert submit(engine, (LIMIT, -1, 98, 7, 10)) == [(0, 9, 101, 5), (0, 4, 99, 2)]
    assert engine.book.queue(1, 99) == [(4, 3)]
    assert engine.book.queue(-1, 98) == []


def test_a_modification_keeps_its_place_only_when_it_shrinks_at_its_price(engine):
    assert submit(engine, (MODIFY, -1, 101, 4, 1)) == []
    assert engine.book.queue(-1, 101) == [(1, 4), (2, 20)]
    assert submit(engine, (MODIFY, -1, 101, 6, 1)) == []
    assert engine.book.queue(-1, 101) == [(2, 20), (1, 6)]


def test_a_modification_that_crosses_trades(engine):
    assert submit(engine, (MODIFY, 1, 101, 15, 4)) == [(0, 1, 101, 10), (0, 2, 101, 5)]
    assert (engine.book.best(1), engine.book.live_orders) == (0, 2)
    assert submit(engine, (MODIFY, 1, 99, 5, 4)) == []
    assert engine.book.unknown_ids == 1


def test_cancels_and_orders_that_cannot_be_entered(engine):
    assert submit(engine, (CANCEL, 0, 0, 0, 1), (CANCEL, 0, 0, 0, 1), (LIMIT, 1, 150, 5, 2), (LIMIT, 1, 98, 0, 7)) == []
    assert (engine.book.unknown_ids, engine.book.duplicate_ids, engine.book.live_orders) == (1, 1, 3)


def test_fills_beyond_the_buffer_are_all_given():
    small, large = (MatchingEngine(OrderBook(), fill_capacity=n) for n in (1, 1_000))
    messages = [(LIMIT, -1, 100 + k % 3, 1 + k % 5, k + 1) for k in range(50)]
    messages += [(LIMIT, 1, 101, 120, 60), (MARKET, 1, 0, 30, 61), (MARKET, -1, 0, 9, 62)]
    fills = submit(small, *messages)
    assert fills == submit(large, *messages)
    assert len({fill[0] for fill in fills}) == 3
    assert len(fills) > 40


def test_a_full_book_says_so():
    engine = MatchingEngine(OrderBook(capacity=2, max_orders=2))
    submit(engine, (LIMIT, 1, 99, 1, 1), (LIMIT, 1, 98, 1, 2))
    with pytest.raises(UsageError, match="at most 2"):
        submit(engine, (LIMIT, 1, 97, 1, 3))
    assert engine.book.queue(1, 98) == [(2, 1)]
