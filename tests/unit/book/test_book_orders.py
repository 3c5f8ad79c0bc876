import numpy as np
import pytest

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
