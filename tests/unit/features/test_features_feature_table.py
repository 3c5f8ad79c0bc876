"""The feature table: its contract, as-of joins against a slow reader, and look-ahead that is caught."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from footprint.errors import DataRefused
from footprint.features.feature_table import (
    AS_OF_NS,
    ENTITY,
    EVENT_NS,
    KNOWN_NS,
    FeatureSet,
    MemoryFeatureTable,
    checked,
    join_as_of,
    known_at,
)
from footprint.features.point_in_time import LookAhead, check_point_in_time, rewritten_past
from footprint.features.vector import VERSION, FeatureVector
from footprint.market.events import event_time_ns
from footprint.testing.check_feature_table import check_feature_table
from footprint.testing.random_stream import CLOSE_NS, LOT_SIZE, OPEN_NS, TICK_SIZE, random_stream
from footprint.units import NS_PER_SECOND

ONE = FeatureSet("one-1", ("a",))


def frame(*rows, features=ONE):
    return pl.DataFrame(list(rows), schema=features.schema, orient="row")


def test_the_table_in_memory_keeps_the_contract():
    tables = {}
    check_feature_table(lambda features: tables.setdefault(0, MemoryFeatureTable(features)))


class ForgetsKnown(MemoryFeatureTable):
    """Reads what is stored now, whatever the as-of: the classic leak."""

    def read(self, entities, as_of_ns, version=None):
        return known_at(self.rows(entities, version), 10**18)


class KeepsLast(MemoryFeatureTable):
    """An instant's older statement wins when it is written last."""

    def read(self, entities, as_of_ns, version=None):
        rows = self.rows(entities, version).filter(pl.col(KNOWN_NS) <= as_of_ns)
        return rows.unique((ENTITY, EVENT_NS), keep="first", maintain_order=True)


class WritesHalf(MemoryFeatureTable):
    """Keeps the good rows of a write that it refuses."""

    def write(self, rows):
        try:
            return super().write(rows)
        except DataRefused:
            if rows.schema == self.features.schema:
                super().write(rows.head(1))
            raise


@pytest.mark.parametrize("broken", [ForgetsKnown, KeepsLast, WritesHalf])
def test_the_contract_catches_a_broken_table(broken):
    tables = {}
    with pytest.raises(AssertionError):
        check_feature_table(lambda features: tables.setdefault(0, broken(features)))


row = st.tuples(st.sampled_from("PQ"), st.integers(0, 12), st.integers(0, 8), st.floats(-1, 1) | st.none())


@settings(max_examples=60)
@given(st.lists(row, max_size=25), st.integers(0, 22))
def test_an_as_of_join_gives_the_latest_instant_known_then(drawn, as_of_ns):
    rows = {(e, at, at + delay): value for e, at, delay, value in drawn}
    table = MemoryFeatureTable(ONE)
    table.write(frame(*((*key, value) for key, value in rows.items())))
    asked = pl.DataFrame({ENTITY: ["Q", "P"], AS_OF_NS: [as_of_ns] * 2, "order": [7, 8]})
    joined = join_as_of(asked, table.rows())
    assert joined["order"].to_list() == [7, 8]
    for entity, *latest in joined.select(ENTITY, EVENT_NS, KNOWN_NS, "a").rows():
        known = [(at, told, value) for (e, at, told), value in rows.items() if e == entity and told <= as_of_ns]
        expected = max(known, key=lambda r: r[:2], default=(None, None, None))
        assert tuple(latest) == expected


def test_types_that_do_not_fit_are_refused():
    with pytest.raises(DataRefused, match="other types"):
        checked(pl.DataFrame({"entity": ["X"], "event_ns": [1], "known_ns": [1], "a": ["much"]}), ONE)


# a real vector, sampled on the way through a stream, and recomputed from the stream cut at the row


@pytest.fixture(scope="module")
def stream():
    return random_stream(np.random.default_rng(5), 3_000)


def clock_ns(events):
    """Time at which each event is known: clocks of messages step back, the tape's own does not."""
    return np.maximum(np.maximum.accumulate(event_time_ns(events)), OPEN_NS)


def begun():
    vector = FeatureVector()
    vector.begin_session(OPEN_NS, CLOSE_NS, TICK_SIZE, LOT_SIZE)
    return vector


@pytest.fixture(scope="module")
def stored(stream):
    """(features, rows): the vector every 250 events."""
    events, views = stream
    times = np.unique(clock_ns(events)[249::250])
    stops = np.searchsorted(clock_ns(events), times, side="right")
    values = begun().sample(events, views, stops, times)
    features = FeatureSet(VERSION, FeatureVector().names)
    columns = {ENTITY: ["S"] * len(times), EVENT_NS: times, KNOWN_NS: times}
    table = MemoryFeatureTable(features)
    table.write(pl.DataFrame(columns | dict(zip(features.names, values.T, strict=True))))
    return features, table.rows()


@pytest.fixture(scope="module")
def recompute(stream):
    events, views = stream

    def again(entity, event_ns, known_ns):
        seen = int(np.searchsorted(clock_ns(events), known_ns, side="right"))
        vector = begun()
        vector.update(events[:seen], views[:seen])
        return vector.values(event_ns)

    return again


def test_the_product_s_own_features_are_point_in_time(stored, recompute):
    features, rows = stored
    assert len(rows) > 5
    check_point_in_time(rows, features, recompute)


@pytest.mark.parametrize("name", ["spread_bps", "trade_imbalance_1m", "volatility_5m"])
def test_a_planted_look_ahead_is_caught_and_named(stored, recompute, name):
    """One feature of one row holds the value of the next row."""
    features, rows = stored
    ahead = rows.with_columns(pl.col(name).shift(-1).fill_null(pl.col(name)))
    with pytest.raises(LookAhead, match=f"field {name}"):
        check_point_in_time(ahead, features, recompute)


def test_values_claimed_known_before_their_delay_are_caught(stored, recompute):
    """The values of the end of a minute, stored as if known at its beginning."""
    features, rows = stored
    early = rows.with_columns(pl.col(EVENT_NS) - 60 * NS_PER_SECOND, pl.col(KNOWN_NS) - 60 * NS_PER_SECOND)
    with pytest.raises(LookAhead):
        check_point_in_time(early, features, recompute)


def test_rows_slipped_in_behind_an_answer_are_found():
    table = MemoryFeatureTable(ONE)
    before = table.write(frame(("X", 1, 1, 1.0), ("X", 9, 9, 2.0)))
    honest = table.write(frame(("X", 1, 12, 1.5), ("X", 12, 12, 3.0), ("NEW", 2, 2, 0.0)))
    assert rewritten_past(table, before, honest).is_empty()  # a late restatement says when it became known
    slipped = table.write(frame(("X", 5, 6, 9.0)))
    assert rewritten_past(table, honest, slipped).rows() == [("X", 5, 6, 9.0)]
    assert rewritten_past(table, honest, slipped, ["NEW"]).is_empty()
