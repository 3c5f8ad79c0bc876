import hashlib

import numpy as np
import pytest

from footprint.features.vector import VERSION, FeatureVector
from footprint.market.events import event_time_ns
from footprint.testing.random_stream import CLOSE_NS, LOT_SIZE, OPEN_NS, TICK_SIZE, random_stream

# names and order of each version: a change of either needs a new version
NAMES_SHA256 = {"features-1": "2f12aecbbf467638b9be4c5038f5a890314d47720ac5ff0da3d091f7442dda7c"}


@pytest.fixture
def stream():
    return random_stream(np.random.default_rng(5), 2_000)


def begun():
    vector = FeatureVector()
    vector.begin_session(OPEN_NS, CLOSE_NS, TICK_SIZE, LOT_SIZE)
    return vector


def test_names_are_pinned_to_the_version():
    names = FeatureVector().names
    assert FeatureVector(continuous=True).names == names
    assert hashlib.sha256("\n".join(names).encode()).hexdigest() == NAMES_SHA256[VERSION]


def test_sample_reads_what_update_and_values_give(stream):
    events, views = stream
    stops = np.array([0, 700, 700, 1_500])
    times = np.maximum(event_time_ns(events)[np.maximum(stops - 1, 0)], OPEN_NS) + np.array([0, 5, 10**9, 7])
    sampled = begun()
    rows = sampled.sample(events, views, stops, times)
    for stop, now_ns, row in zip(stops, times, rows, strict=True):
        vector = begun()
        vector.update(events[:stop], views[:stop])
        np.testing.assert_array_equal(row, vector.values(int(now_ns)))
    whole = begun()
    whole.update(events, views)
    np.testing.assert_array_equal(sampled.values(CLOSE_NS), whole.values(CLOSE_NS))


def test_sample_without_readings_feeds_the_session(stream):
    events, views = stream
    vector, whole = begun(), begun()
    assert vector.sample(events, views, np.array([], np.int64), np.array([], np.int64)).shape == (0, len(vector.names))
    whole.update(events, views)
    np.testing.assert_array_equal(vector.values(CLOSE_NS), whole.values(CLOSE_NS))


@pytest.mark.parametrize("stops", [[700, 699], [-1], [2_001]])
def test_stops_must_lie_in_order_within_the_session(stream, stops):
    with pytest.raises(ValueError, match="stops"):
        begun().sample(*stream, np.array(stops), np.full(len(stops), CLOSE_NS))


def test_lengths_must_agree(stream):
    events, views = stream
    with pytest.raises(ValueError, match="same lengths"):
        begun().sample(events, views[:-1], np.array([1]), np.array([CLOSE_NS]))
    with pytest.raises(ValueError, match="same lengths"):
        begun().sample(events, views, np.array([1, 2]), np.array([CLOSE_NS]))
