import numpy as np
import pytest

from footprint.book.replay import views as replayed
from footprint.data.stationary_book import BookShape, stationary_book
from footprint.data.stationary_kernel import ACTION, PLACE, TAKE
from footprint.errors import UsageError
from footprint.market.events import EventFlag, EventKind
from footprint.units import NS_PER_SECOND

SHAPES = [BookShape(), BookShape(orders_per_s=0.5, takes_per_s=0.1, branching=0.6, tail=2.2)]


@pytest.mark.parametrize("shape", SHAPES)
def test_views_are_those_of_the_replayed_events(shape):
    events, views = stationary_book(shape, 1_800.0, np.random.default_rng(1))
    opened = int(np.count_nonzero(events["flags"] & EventFlag.SNAPSHOT))
    from_events = replayed(events)
    for name in ("bid_ticks", "ask_ticks", "bid_lots", "ask_lots", "mid_ticks", "spread_ticks"):
        assert np.array_equal(views[name][opened:], from_events[name][opened:]), name
    assert views["spread_ticks"].min() >= 1
    assert np.all(np.diff(events["exchange_time_ns"]) >= 0)


def test_the_same_seed_gives_the_same_stream():
    first, second = (stationary_book(SHAPES[1], 600.0, np.random.default_rng(2))[0] for _ in range(2))
    assert np.array_equal(first, second)


def test_the_flow_is_stationary_and_excitement_clusters_it():
    counts = []
    for shape in SHAPES:
        events, _ = stationary_book(shape, 20_000.0, np.random.default_rng(3))
        per_minute = np.bincount(events["exchange_time_ns"] // (60 * NS_PER_SECOND))[5:-1]
        halves = np.array_split(per_minute, 2)
        assert halves[0].mean() == pytest.approx(halves[1].mean(), rel=0.2)
        counts.append(per_minute.var() / per_minute.mean())
    assert counts[1] > 2.0 * counts[0]


def test_actions_are_done_at_their_time():
    at_ns = 300 * NS_PER_SECOND
    rows = [(at_ns, PLACE, 1, 2, 5_000, 3 * NS_PER_SECOND), (at_ns + NS_PER_SECOND, TAKE, 1, 0, 40, 0)]
    events, views = stationary_book(SHAPES[0], 400.0, np.random.default_rng(4), np.array(rows, ACTION))
    placed = np.flatnonzero(events["exchange_time_ns"] == at_ns)[-1]
    price = views["bid_ticks"][placed - 1] - 2
    assert (events["price_ticks"][placed], events["side"][placed]) == (price, 1)
    assert events["size_lots"][placed] >= 5_000
    taken = (events["exchange_time_ns"] == at_ns + NS_PER_SECOND) & (events["kind"] == EventKind.TRADE)
    assert events["size_lots"][taken].sum() == 40
    gone = np.flatnonzero(events["exchange_time_ns"] == at_ns + 3 * NS_PER_SECOND)[-1]
    assert events["price_ticks"][gone] == price
    assert events["size_lots"][gone] < 5_000


def test_a_price_that_leaves_the_window_is_refused():
    rows = [(k * NS_PER_SECOND, TAKE, 1, 0, 1_000_000, 0) for k in range(10_000)]
    with pytest.raises(UsageError, match="ticks away"):
        stationary_book(SHAPES[0], 10_000.0, np.random.default_rng(5), np.array(rows, ACTION))
