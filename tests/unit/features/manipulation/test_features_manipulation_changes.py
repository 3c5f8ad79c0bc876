import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from footprint.features.manipulation.changes import ADDED, CHANGE, NOTHING, REMOVED, fresh_levels, read_change
from footprint.market.events import EventKind, empty_events


def event(kind, side, price, lots):
    one = empty_events(1)
    one["kind"], one["side"], one["price_ticks"], one["size_lots"] = kind, side, price, lots
    return one[0]


def reader():
    change, levels = np.zeros(1, CHANGE), fresh_levels()

    def read(*row):
        read_change(change[0], levels, event(*row))
        return int(change["what"][0]), int(change["price_ticks"][0]), int(change["lots"][0])

    return read


@settings(max_examples=30)
@given(st.lists(st.tuples(st.sampled_from([-1, 1]), st.integers(50_000, 50_600), st.integers(0, 50)), max_size=60))
def test_level_changes_are_those_of_a_dictionary(rows):
    read, held = reader(), {}
    for side, price, lots in rows:
        change = lots - held.get((side, price), 0)
        held[side, price] = lots
        what, _, size = read(EventKind.LEVEL, side, price, lots)
        assert (what, size) == ((ADDED if change > 0 else REMOVED) if change else NOTHING, abs(change))


def test_a_worse_quote_removes_the_better_one_and_reveals_the_next():
    read = reader()
    assert read(EventKind.QUOTE, 1, 100, 50) == (ADDED, 100, 50)
    assert read(EventKind.QUOTE, 1, 101, 80) == (ADDED, 101, 80)
    assert read(EventKind.QUOTE, 1, 101, 30) == (REMOVED, 101, 50)
    assert read(EventKind.QUOTE, 1, 100, 50) == (REMOVED, 101, 30)


def test_the_most_detailed_source_wins():
    read = reader()
    assert read(EventKind.LEVEL, 1, 100, 50)[0] == ADDED
    assert read(EventKind.QUOTE, 1, 101, 50)[0] == NOTHING
    assert read(EventKind.ADD, 1, 100, 50)[0] == ADDED
    assert read(EventKind.LEVEL, 1, 100, 90)[0] == NOTHING
    assert read(EventKind.TRADE, 1, 100, 90)[0] == NOTHING


def test_a_cleared_book_is_forgotten():
    read = reader()
    read(EventKind.LEVEL, 1, 100, 50)
    read(EventKind.CLEAR, 0, 0, 0)
    assert read(EventKind.LEVEL, 1, 100, 50) == (ADDED, 100, 50)
