import numpy as np
import pytest

from footprint.book.price_levels import PriceLevelBook, depth_of_levels, depth_within
from footprint.book.view import NO_PRICE, SIZE_UNKNOWN
from footprint.errors import UsageError


@pytest.fixture
def book():
    book = PriceLevelBook(capacity=2)
    for price, size in ((9_990, 1), (10_000, 2), (9_995, 4)):
        book.set(1, price, size)
    for price, size in ((10_012, 8), (10_002, 16)):
        book.set(-1, price, size)
    return book


def test_levels_are_sorted_best_first(book):
    assert book.levels(1, 9).tolist() == [[10_000, 2], [9_995, 4], [9_990, 1]]
    assert book.levels(-1, 1).tolist() == [[10_002, 16]]


def test_size_zero_removes_and_an_empty_side_has_no_price(book):
    book.set(-1, 10_002, 0)
    assert book.best(-1) == 10_012
    book.set(-1, 10_012, 0)
    assert book.best(-1) == NO_PRICE
    book.set(-1, 10_012, 0)  # removing what is not there changes nothing
    assert len(book.levels(-1, 9)) == 0


def test_depth_of_levels_needs_that_many(book):
    assert depth_of_levels(book.sizes, book.counts, 1, 2) == 6
    assert depth_of_levels(book.sizes, book.counts, -1, 3) == SIZE_UNKNOWN


def test_depth_within_includes_the_edge_and_is_unknown_beyond_the_window(book):
    mid = 10_001.0
    assert depth_within(book.keys, book.sizes, book.counts, 1, mid, 6.0) == 6  # down to 9994.9994
    assert depth_within(book.keys, book.sizes, book.counts, -1, 10_000.0, 2.0) == 16  # up to 10002 exactly
    assert depth_within(book.keys, book.sizes, book.counts, 1, mid, 20.0) == SIZE_UNKNOWN


def test_a_full_book_says_so():
    book = PriceLevelBook(capacity=2, max_levels=3)
    for price in (1, 2, 3):
        book.set(1, price, 1)
    with pytest.raises(UsageError, match="at most 3"):
        book.set(1, 4, 1)
    assert np.array_equal(book.levels(1, 9)[:, 0], [3, 2, 1])
