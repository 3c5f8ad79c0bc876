import time

import numpy as np
import pytest
from reference_books import random_orders

from footprint.book.orders import OrderBook, QueuePosition
from footprint.errors import UsageError
from footprint.market.events import EventKind, empty_events

ADD, CANCEL, MODIFY, FILL, CLEAR = (
    EventKind.ADD,
    EventKind.CANCEL,
    EventKind.MODIFY,
    EventKind.FILL,
    EventKind.CLEAR,
)
DELETE, FILL_NOTICE = EventKind.DELETE, EventKind.FILL_NOTICE


def orders(*rows):
    """Events out of (kind, id, side, price, size)."""
    events = empty_events(len(rows))
    for name, column in zip(
        ("kind", "order_id", "side", "price_ticks", "size_lots"), zip(*rows, strict=True), strict=True
    ):
        events[name] = column
    return events


@pytest.fixture
def book():
    """Orders 1, 2, 3 of 10, 20, 30 lots in one queue at 99."""
    book = OrderBook()
    book.apply(orders((ADD, 1, 1, 99, 10), (ADD, 2, 1, 99, 20), (ADD, 3, 1, 99, 30)))
    return book


@pytest.mark.parametrize(
    ("event", "ahead_of_3"),
    [
        ((CANCEL, 1, 1, 99, 10), (20, 1)),
        ((CANCEL, 1, 1, 99, 4), (26, 2)),
        ((CANCEL, 3, 1, 99, 5), (30, 2)),
        ((FILL, 1, 1, 99, 7), (23, 2)),
        ((FILL, 1, 1, 99, 10), (20, 1)),
        ((DELETE, 1, 1, 99, 0), (20, 1)),
        ((FILL_NOTICE, 1, 1, 99, 7), (30, 2)),
        ((MODIFY, 2, 1, 99, 5), (15, 2)),
        ((MODIFY, 2, 1, 99, 21), (10, 1)),
        ((MODIFY, 2, 1, 98, 20), (10, 1)),
        ((MODIFY, 3, 1, 99, 30), (30, 2)),
        ((ADD, 4, 1, 99, 50), (30, 2)),
    ],
)
def test_queue_position_after_one_event(book, event, ahead_of_3):
    book.apply(orders(event))
    assert book.queue_position(3) == QueuePosition(*ahead_of_3)


def test_modify_loses_its_place_when_the_size_grows(book):
    book.apply(orders((MODIFY, 1, 1, 99, 11)))
    assert book.queue(1, 99) == [(2, 20), (3, 30), (1, 11)]
    assert book.levels(1, 5).tolist() == [[99, 61]]


def test_modify_to_zero_and_cancel_of_more_than_is_left_remove_the_order(book):
    book.apply(orders((MODIFY, 1, 1, 99, 0), (CANCEL, 2, 1, 99, 25)))
    assert book.queue(1, 99) == [(3, 30)]
    assert book.queue_position(2) is None


def test_unknown_and_duplicate_ids_are_counted_and_change_nothing(book):
    book.apply(orders((CANCEL, 9, 1, 99, 1), (FILL, 9, 1, 99, 1), (ADD, 1, -1, 101, 5)))
    assert (book.unknown_ids, book.duplicate_ids) == (2, 1)
    assert book.levels(-1, 5).tolist() == []
    assert book.levels(1, 5).tolist() == [[99, 60]]


def test_clear_empties_the_book_and_ids_can_be_used_again(book):
    book.apply(orders((CLEAR, 0, 0, 0, 0), (ADD, 1, -1, 101, 5)))
    assert (book.best(1), book.best(-1), book.live_orders) == (0, 101, 1)


def test_ids_use_all_64_bits():
    book = OrderBook()
    ids = [2**64 - 1, 2**63, 1, 2**32]
    book.apply(orders(*((ADD, i, 1, 99, 1) for i in ids)))
    assert [i for i, _ in book.queue(1, 99)] == ids
    assert book.queue_position(2**64 - 1) == QueuePosition(0, 0)


def test_a_book_beyond_its_limit_says_so():
    book = OrderBook(capacity=4, max_orders=8)
    events = orders(*((ADD, i, 1, 99, 1) for i in range(1, 10)))
    with pytest.raises(UsageError, match="at most 8"):
        book.apply(events)
    assert np.array_equal(book.levels(1, 1), [[99, 8]])


def test_columns_of_any_width_and_field_views_of_events_give_the_same_book():
    events = random_orders(np.random.default_rng(4), 5_000)
    whole, columns = OrderBook(), OrderBook()
    whole.apply(events)
    columns.apply_columns(
        events["kind"].astype(np.int8), events["side"].astype(np.int32), events["price_ticks"].copy(),
        events["size_lots"].astype(np.int16), events["order_id"].view(np.int64).copy(),
    )  # fmt: skip
    assert whole.live_orders == columns.live_orders > 100
    for side in (1, -1):
        assert whole.levels(side, 10_000).tolist() == columns.levels(side, 10_000).tolist()


def test_a_large_book_looks_ahead_and_stays_the_same():
    """Beyond the size at which memory is asked for ahead; ids come back after their orders have left."""
    rng, count = np.random.default_rng(7), 120_000
    added = empty_events(count)
    added["kind"], added["side"], added["size_lots"] = ADD, 1, 1 + np.arange(count) % 7
    added["price_ticks"], added["order_id"] = rng.integers(1, 500, count), np.arange(1, count + 1)
    gone = rng.permutation(count)[: count // 2]
    removed = added[gone]
    removed["kind"] = DELETE
    book = OrderBook()
    book.apply(np.concatenate((added, removed, added[gone[:1_000]])))
    back = added[np.sort(np.concatenate((np.setdiff1d(np.arange(count), gone), gone[:1_000])))]
    assert book.live_orders == len(back)
    sizes = np.bincount(back["price_ticks"], back["size_lots"])
    levels = book.levels(1, 1_000)
    assert np.array_equal(sizes[levels[:, 0]], levels[:, 1])
    assert len(levels) == np.count_nonzero(sizes)


def test_the_cost_of_a_message_does_not_grow_with_the_queue():
    """A cancel in the middle of a queue of 60,000 takes about as long as in one of 60."""

    def cpu_ns(orders_a_level):
        count = 60_000
        events = empty_events(2 * count)
        events["kind"][:count], events["kind"][count:] = ADD, DELETE
        events["side"], events["size_lots"] = 1, 1
        events["order_id"] = np.concatenate((np.arange(count), np.random.default_rng(8).permutation(count))) + 1
        events["price_ticks"] = 1 + (events["order_id"].astype(np.int64) - 1) // orders_a_level
        spent = []
        for _ in range(5):
            book, start_ns = OrderBook(), time.process_time_ns()
            book.apply(events)
            spent.append(time.process_time_ns() - start_ns)
        return min(spent)

    cpu_ns(60)
    assert cpu_ns(60_000) < 5 * cpu_ns(60)
