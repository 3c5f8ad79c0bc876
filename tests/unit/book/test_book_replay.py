import numpy as np
import pytest
from reference_books import random_levels, random_orders

from footprint.book import invariants
from footprint.book.replay import BookKind, BookReplay, book_kind, views
from footprint.book.view import SIZE_UNKNOWN
from footprint.errors import UsageError
from footprint.market.events import EventFlag, EventKind, empty_events

LAST, NONE = int(EventFlag.LAST), 0
QUOTE, LEVEL, TRADE = EventKind.QUOTE, EventKind.LEVEL, EventKind.TRADE


def book_events(*rows):
    """Events out of (kind, side, price, size, flags)."""
    events = empty_events(len(rows))
    for name, column in zip(
        ("kind", "side", "price_ticks", "size_lots", "flags"), zip(*rows, strict=True), strict=True
    ):
        events[name] = column
    return events


def test_quotes_set_one_side_each_and_the_mid_follows_the_last_of_a_message():
    view = views(
        book_events(
            (QUOTE, 1, 100, 5, NONE),
            (QUOTE, -1, 102, 7, LAST),
            (TRADE, 1, 102, 1, LAST),
            (QUOTE, 1, 103, 5, NONE),
            (QUOTE, -1, 105, 7, LAST),
        )
    )
    np.testing.assert_array_equal(view["mid_ticks"], [np.nan, 101, 101, 101, 104])
    np.testing.assert_array_equal(view["spread_ticks"], [np.nan, 2, 2, 2, 2])
    assert view["bid_ticks"].tolist() == [0, 100, 100, 100, 103]
    assert (view["ask_lots"][1:] == 7).all()
    assert (view["bid_depth_5_lots"] == SIZE_UNKNOWN).all()


@pytest.mark.parametrize(
    ("bid", "size", "flags", "mid", "shown"),
    [
        (101, 5, LAST, 101.5, 5),
        (102, 5, LAST, 102.0, 5),  # locked
        (103, 5, LAST, np.nan, 5),  # crossed
        (0, 5, LAST, np.nan, 0),
        (101, 0, LAST, np.nan, 0),
        (101, 0, LAST | int(EventFlag.SIZE_UNKNOWN), 101.5, SIZE_UNKNOWN),
    ],
)
def test_when_a_quote_makes_a_mid(bid, size, flags, mid, shown):
    view = views(book_events((QUOTE, -1, 102, 7, LAST), (QUOTE, 1, bid, size, flags)))
    np.testing.assert_array_equal(view["mid_ticks"][1], mid)
    assert view["bid_lots"][1] == shown


def test_best_comes_from_quotes_and_depth_from_levels_when_the_stream_has_both():
    levels = [(LEVEL, side, 10_000 - side * k, 10, NONE) for side in (1, -1) for k in range(1, 21)]
    levels[-1] = (*levels[-1][:4], LAST)
    view = views(book_events(*levels, (QUOTE, 1, 9_998, 3, NONE), (QUOTE, -1, 10_001, 4, LAST)))
    before, after = view[-3], view[-1]
    assert (before["bid_ticks"], before["bid_lots"]) == (9_999, 10)
    assert (after["bid_ticks"], after["bid_lots"], after["ask_lots"]) == (9_998, 3, 4)
    assert (after["bid_depth_5_lots"], after["ask_depth_5_lots"]) == (50, 50)
    # 10 bps of 9,999.5 are 9.9995 ticks: bids from 9,989.5005 on, asks up to 10,009.4995
    assert (after["bid_depth_10bps_lots"], after["ask_depth_10bps_lots"]) == (100, 90)


def test_clear_and_halt_leave_no_mid():
    view = views(
        book_events(
            (QUOTE, 1, 100, 5, LAST),
            (QUOTE, -1, 102, 7, LAST),
            (EventKind.HALT, 0, 0, 0, LAST),
            (QUOTE, 1, 101, 5, LAST),
            (EventKind.RESUME, 0, 0, 0, LAST),
            (EventKind.CLEAR, 0, 0, 0, LAST),
        )
    )
    np.testing.assert_array_equal(view["mid_ticks"], [np.nan, 101, np.nan, np.nan, 101.5, np.nan])
    assert (view["bid_ticks"][3], view["bid_ticks"][5]) == (101, 0)


def test_the_kind_of_book_is_what_the_events_carry():
    rng = np.random.default_rng(1)
    assert book_kind(random_levels(rng, 50)) is BookKind.LEVELS
    assert book_kind(random_orders(rng, 50)) is BookKind.ORDERS
    mixed = np.concatenate([random_levels(rng, 50), random_orders(rng, 50)])
    assert book_kind(mixed) is BookKind.LEVELS


@pytest.mark.parametrize(("kind", "event"), [(BookKind.LEVELS, LEVEL), (BookKind.ORDERS, EventKind.ADD)])
def test_a_book_grows_in_the_middle_of_a_replay_without_losing_an_event(kind, event):
    count = 40_000
    events = empty_events(count)
    events["kind"], events["side"], events["flags"] = event, 1, LAST
    events["price_ticks"] = events["order_id"] = np.arange(1, count + 1)
    events["size_lots"] = 1
    replay = BookReplay(kind)
    view = replay.update(events)
    assert view["bid_ticks"].tolist() == list(range(1, count + 1))
    assert len(replay.book.levels(1, count)) == count


def test_a_stream_that_never_ends_a_message_is_an_error():
    with pytest.raises(UsageError, match="LAST"):
        views(book_events((QUOTE, 1, 100, 5, NONE)))
    assert len(views(empty_events(0))) == 0


def test_invariants_name_the_rows_that_break_them():
    view = views(
        book_events(
            (QUOTE, 1, 100, 5, LAST),
            (QUOTE, -1, 102, 7, LAST),
            (QUOTE, 1, 102, 7, LAST),
            (QUOTE, 1, 103, 7, LAST),
        )
    )
    assert invariants.one_sided(view).tolist() == [True, False, False, False]
    assert invariants.locked(view).tolist() == [False, False, True, False]
    assert invariants.crossed(view).tolist() == [False, False, False, True]
    assert not invariants.negative(view).any()
    view["bid_lots"][0] = -2
    assert invariants.negative(view).tolist() == [True, False, False, False]
    asks = np.array([[10, 11, 12], [10, 10, 12], [10, 0, 12], [10, 11, 0]])
    assert invariants.misordered(asks, -1).tolist() == [False, True, True, False]
    assert invariants.misordered(asks, 1).tolist() == [True, True, True, True]
