"""What holds of every stream of messages."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from footprint.book.orders import OrderBook
from footprint.book.price_levels import PriceLevelBook
from footprint.book.replay import BookKind, BookReplay, views
from footprint.market.events import EVENT_DTYPE, EventFlag, EventKind, empty_events

NAMES = ("kind", "side", "price_ticks", "size_lots", "order_id", "flags")
LEVEL_KINDS = (EventKind.LEVEL, EventKind.QUOTE, EventKind.TRADE, EventKind.CLEAR, EventKind.HALT, EventKind.RESUME)
ORDER_KINDS = (
    EventKind.ADD,
    EventKind.CANCEL,
    EventKind.DELETE,
    EventKind.FILL,
    EventKind.FILL_NOTICE,
    EventKind.MODIFY,
    EventKind.CLEAR,
)


def streams(kinds):
    """Up to 120 events of some kinds, near one price, the last one ending its message."""
    row = st.tuples(
        st.sampled_from([int(k) for k in kinds]),
        st.sampled_from([1, -1]),
        st.integers(1, 30),
        st.integers(0, 9),
        st.integers(1, 12),
        st.sampled_from([0, int(EventFlag.LAST)]),
    )
    return st.lists(row, min_size=1, max_size=120).map(_events)


def _events(rows):
    events = empty_events(len(rows))
    for name, column in zip(NAMES, zip(*rows, strict=True), strict=True):
        events[name] = column
    events["flags"][-1] = EventFlag.LAST
    return events


@settings(max_examples=60, deadline=None)
@given(streams(LEVEL_KINDS + ORDER_KINDS), st.sampled_from(list(BookKind)), st.data())
def test_chunks_and_single_events_give_the_views_of_the_whole(events, kind, data):
    whole = views(events, kind)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(events)), max_size=4)))
    chunked, single = BookReplay(kind), BookReplay(kind)
    parts = [chunked.update(part) for part in np.split(events, cuts)]
    ones = [single.update(events[i : i + 1]) for i in range(len(events))]
    assert np.concatenate(parts).tobytes() == np.concatenate(ones).tobytes() == whole.tobytes()


@settings(max_examples=60, deadline=None)
@given(streams(ORDER_KINDS))
def test_level_sums_and_queues_of_an_order_book_agree(events):
    book = OrderBook(capacity=4)
    book.apply(events)
    resting = 0
    for side in (1, -1):
        levels = book.levels(side, 100)
        assert (np.diff(side * levels[:, 0]) < 0).all()
        for price, size in levels.tolist():
            queue = book.queue(side, price)
            assert sum(lots for _, lots in queue) == size > 0
            ahead = 0
            for place, (order_id, lots) in enumerate(queue):
                assert book.queue_position(order_id) == (ahead, place)
                ahead += lots
            resting += len(queue)
    assert book.live_orders == resting


@settings(max_examples=60, deadline=None)
@given(streams((EventKind.LEVEL,)))
def test_a_price_level_book_keeps_the_last_size_of_each_price(events):
    book = PriceLevelBook(capacity=2)
    book.apply(events)
    last = {(int(e["side"]), int(e["price_ticks"])): int(e["size_lots"]) for e in events}
    for side in (1, -1):
        expected = {price: size for (s, price), size in last.items() if s == side and size > 0}
        levels = book.levels(side, 100)
        assert dict(levels.tolist()) == expected
        assert levels[:, 0].tolist() == sorted(expected, reverse=side > 0)


@settings(max_examples=40, deadline=None)
@given(streams(LEVEL_KINDS))
def test_a_mid_exists_only_inside_an_uncrossed_two_sided_book(events):
    view = views(events)
    known = view[~np.isnan(view["mid_ticks"])]
    assert (known["bid_ticks"] > 0).all()
    assert (known["bid_ticks"] <= known["ask_ticks"]).all()
    np.testing.assert_array_equal(known["mid_ticks"], (known["bid_ticks"] + known["ask_ticks"]) / 2)
    assert events.dtype == EVENT_DTYPE
