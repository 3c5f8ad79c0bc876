from itertools import permutations

import numpy as np
import pytest
from session_tape import packed, quote, session, trade

from footprint.data.merge import StreamKey, merge_sessions, merge_streams
from footprint.data.readers.binance import BinanceReader
from footprint.errors import DataRefused, UsageError
from footprint.market.events import UNKNOWN_TIME, EventKind, empty_events, event_time_ns

KEYS = [StreamKey("a", "X"), StreamKey("a", "Y"), StreamKey("b", "X")]


def stream(times, receive=True):
    """Trades at these times; `row` counts them."""
    events = empty_events(len(times))
    events["kind"], events["row"] = EventKind.TRADE, np.arange(len(times))
    events["exchange_time_ns"] = np.asarray(times)
    if receive:
        events["receive_time_ns"], events["exchange_time_ns"] = np.asarray(times), UNKNOWN_TIME
    return events


def random_streams(seed):
    """Three streams full of ties, within one and between them."""
    dice = np.random.default_rng(seed)
    return {key: stream(np.sort(dice.integers(0, 40, dice.integers(0, 60))), key.venue == "a") for key in KEYS}


def cut(events, dice):
    """The events in pieces of any length, empty ones too."""
    ends = np.sort(dice.integers(0, len(events) + 1, 6))
    return np.split(events, ends)


def whole(pieces):
    pieces = list(pieces)
    return np.concatenate([p.events for p in pieces]), np.concatenate([p.source for p in pieces])


def reference(streams):
    """Sorted by (time, key, place) without any cleverness."""
    rows = []
    for source, key in enumerate(sorted(streams)):
        times = event_time_ns(streams[key])
        rows += [(int(times[k]), source, k) for k in range(len(times))]
    return sorted(rows)


@pytest.mark.parametrize("seed", range(30))
def test_whatever_the_order_and_the_cuts_the_merge_is_the_sorted_union(seed):
    streams, dice = random_streams(seed), np.random.default_rng(seed)
    wanted = reference(streams)
    for order in permutations(KEYS):
        pieces = list(merge_streams([(key, cut(streams[key], dice)) for key in order], int(dice.integers(1, 50))))
        if not wanted:
            assert not pieces
            continue
        events, source = whole(pieces)
        assert [*zip(event_time_ns(events).tolist(), source.tolist(), events["row"].tolist(), strict=True)] == wanted


def test_pieces_have_one_length_but_for_the_last():
    streams = [(key, [stream(range(25))]) for key in KEYS]
    assert [len(p.events) for p in merge_streams(streams, chunk_events=20)] == [20, 20, 20, 15]


def test_no_more_is_read_than_is_needed():
    """A piece is asked for only when the merge has come to the end of the one before."""
    asked = {key: 0 for key in KEYS}

    def pieces(key):
        for k in range(100):
            asked[key] += 1
            yield stream(range(100 * k, 100 * k + 100))

    merged = merge_streams([(key, pieces(key)) for key in KEYS], chunk_events=150)
    for k in range(20):
        next(merged)
        assert max(asked.values()) <= k // 2 + 3


def test_a_stream_that_goes_back_is_refused_also_between_its_pieces():
    for pieces in ([stream([1, 3, 2])], [stream([1, 3]), stream([2])]):
        with pytest.raises(DataRefused, match=r"event time goes back in X at a.*found '2', allowed: not before 3"):
            list(merge_streams([(KEYS[0], pieces), (KEYS[1], [stream([5])])]))


def test_two_streams_of_one_key_are_misuse():
    with pytest.raises(UsageError, match="two streams of X at a"):
        merge_streams([(KEYS[0], []), (KEYS[0], [])])


def test_nothing_merges_to_nothing():
    assert list(merge_streams([])) == []
    keys, merged = merge_sessions([])
    assert (keys, len(merged.events), len(merged.source)) == ((), 0, 0)


def test_days_of_one_instrument_follow_each_other_and_must_not_overlap():
    first = session(packed(quote(0, 10, 11), trade(1, 11), trade(1, 11)))
    later = session(packed(quote(1, 9, 11), trade(3, 11)))
    keys, merged = merge_sessions([later, first])
    assert keys == (StreamKey("V", "X"),)
    assert np.array_equal(merged.events, np.concatenate((first.events, later.events)))
    with pytest.raises(DataRefused, match="event time goes back in X at V"):
        merge_sessions([first, session(packed(trade(0.5, 11)))])


def test_three_real_venues_merge_to_one_stream_that_holds_each_of_them(shared_data):
    names = ("spot/btcusdt_20240808.gz", "usdm/btcusdt_20240808.gz", "cm/btcusd_perp_20240808.gz")
    sessions = list(BinanceReader().sessions([shared_data / "binance_raw" / name for name in names]))
    keys, merged = merge_sessions(sessions)
    again_keys, again = merge_sessions(sessions[::-1])
    assert keys == again_keys == tuple(sorted(keys))
    assert np.array_equal(merged.events, again.events)
    assert np.array_equal(merged.source, again.source)
    assert (np.diff(event_time_ns(merged.events)) >= 0).all()
    for one in sessions:
        source = keys.index(StreamKey(one.instrument.venue, one.instrument.symbol))
        assert np.array_equal(merged.events[merged.source == source], one.events)
