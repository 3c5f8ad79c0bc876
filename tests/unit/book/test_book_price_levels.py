import numpy as np
import pytest
from reference_books import random_levels

from footprint.book.ladder import MAX_WINDOW, MIN_WINDOW
from footprint.book.price_levels import PriceLevelBook, depth_of_levels, depth_within
from footprint.book.view import NO_PRICE, SIZE_UNKNOWN
from footprint.errors import UsageError
from footprint.market.events import EventKind, empty_events


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
    assert depth_of_levels(*book.ladder, 1, 2) == 6
    assert depth_of_levels(*book.ladder, -1, 3) == SIZE_UNKNOWN


def test_depth_within_includes_the_edge_and_is_unknown_beyond_the_window(book):
    mid = 10_001.0
    assert depth_within(*book.ladder, 1, mid, 6.0) == 6  # down to 9994.9994
    assert depth_within(*book.ladder, -1, 10_000.0, 2.0) == 16  # up to 10002 exactly
    assert depth_within(*book.ladder, 1, mid, 20.0) == SIZE_UNKNOWN


def test_a_full_book_says_so():
    book = PriceLevelBook(capacity=2, max_levels=3)
    for price in (1, 2, 3):
        book.set(1, price, 1)
    with pytest.raises(UsageError, match="at most 3"):
        book.set(1, 4, 1)
    assert np.array_equal(book.levels(1, 9)[:, 0], [3, 2, 1])


def test_columns_of_any_width_and_field_views_of_events_give_the_same_book():
    rng = np.random.default_rng(4)
    events = random_levels(rng, 5_000)
    whole, columns = PriceLevelBook(), PriceLevelBook()
    whole.apply(events)
    columns.apply_columns(
        events["kind"].astype(np.int8), events["side"].astype(np.int32), events["price_ticks"].copy(),
        events["size_lots"].astype(np.int16),
    )  # fmt: skip
    for side in (1, -1):
        assert whole.levels(side, 10_000).tolist() == columns.levels(side, 10_000).tolist() != []


def test_prices_far_apart_take_no_more_memory_than_their_levels():
    """A bid of 0.01 under a touch of 60,000.00, and a tick of 1e-8 under prices that are half a unit apart."""
    book = PriceLevelBook()
    before = book.ladder.cells.nbytes
    for price in (6_000_000, 1, 5_999_999, 2):
        book.set(1, price, price)
    for step in range(500):
        book.set(-1, 6_000_000_000_000 + step * 50_000_000, 1 + step)
    assert book.levels(1, 9)[:, 0].tolist() == [6_000_000, 5_999_999, 2, 1]
    assert book.levels(-1, 500)[:, 1].tolist() == list(range(1, 501))
    assert book.ladder.cells.nbytes == before


def test_the_window_widens_when_changes_fall_below_it_and_no_further_than_its_limit():
    book = PriceLevelBook(window_ticks=MIN_WINDOW)
    rng = np.random.default_rng(5)
    events = empty_events(400_000)
    events["kind"], events["side"] = EventKind.LEVEL, 1
    events["price_ticks"] = 10_000_000 - rng.integers(0, 1_000, len(events)) * 1_000
    events["price_ticks"][0] = 10_000_000
    events["size_lots"] = 1 + rng.integers(0, 3, len(events))
    book.apply(events)
    assert book.ladder.sides["window"].tolist() == [MAX_WINDOW, MAX_WINDOW]
    expected = dict(zip(events["price_ticks"].tolist(), events["size_lots"].tolist(), strict=True))
    assert dict(book.levels(1, 2_000).tolist()) == expected


def test_depths_are_the_sums_of_the_levels_wherever_they_lie():
    rng = np.random.default_rng(6)
    for window in (MIN_WINDOW, MAX_WINDOW):
        book = PriceLevelBook(window_ticks=window)
        book.apply(random_levels(rng, 3_000))
        book.set(-1, 1_100_000, 3)
        for side in (1, -1):
            prices, sizes = book.levels(side, 10_000).T
            assert depth_of_levels(*book.ladder, side, 7) == sizes[:7].sum()
            for bps in (0.01, 1.0, 10.0, 100.0, 3_000.0):
                inside = side * prices >= side * 1_000_000.5 - 1_000_000.5 * bps / 1e4
                expected = SIZE_UNKNOWN if inside.all() else sizes[inside].sum()
                assert depth_within(*book.ladder, side, 1_000_000.5, bps) == expected


def test_prices_at_both_ends_of_an_integer():
    book = PriceLevelBook()
    ends = [2**63 - 1, 2**63 - 2, 5, 1 - 2**63, -(2**63)]
    for size, price in enumerate(ends, start=1):
        book.set(1, price, size)
    assert book.levels(1, 9).tolist() == [[price, size] for size, price in enumerate(ends, start=1)]
    for price in ends[:3]:
        book.set(1, price, 0)
    assert book.levels(1, 9)[:, 0].tolist() == ends[3:]
