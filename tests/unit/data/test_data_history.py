"""The pure parts of the history store: hashes, cuts, what belongs together."""

from __future__ import annotations

from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest

from footprint.data.history import StoredSession, between, columns, content_hash, findings_of
from footprint.data.planted import PlantedLaw
from footprint.data.session import Session
from footprint.data.synthetic import planted_sessions
from footprint.data.verdict import FileVerdict, Finding
from footprint.market.events import EVENT_DTYPE, event_time_ns
from footprint.market.instruments import AssetClass, Instrument, TradingHours


@pytest.fixture(scope="module")
def session() -> Session:
    (day,) = planted_sessions(PlantedLaw(), 1, np.random.default_rng(0))
    extra = {"buyer_member": np.arange(len(day.events))}
    return replace(day, extra=extra)


def hashed(session):
    return content_hash(session, columns(session))


def other_value(value):
    if isinstance(value, AssetClass):
        return AssetClass.FUTURE
    if isinstance(value, TradingHours):
        return TradingHours("UTC", 0, 1)
    return not value if isinstance(value, bool) else value + "x" if isinstance(value, str) else value + 1


@pytest.mark.parametrize("name", [field.name for field in fields(Instrument)])
def test_hash_knows_every_field_of_the_instrument(session, name):
    changed = replace(session.instrument, **{name: other_value(getattr(session.instrument, name))})
    assert hashed(replace(session, instrument=changed)) != hashed(session)


@pytest.mark.parametrize("name", EVENT_DTYPE.names)
def test_hash_knows_every_field_of_every_event(session, name):
    for at in (0, len(session.events) - 1):
        events = session.events.copy()
        events[name][at] += 1
        assert hashed(replace(session, events=events)) != hashed(session)


def test_hash_knows_the_rest_and_not_where_it_came_from(session):
    changes = {
        "open_ns": session.open_ns + 1,
        "close_ns": session.close_ns + 1,
        "source": "x",
        "extra": {"seller_member": session.extra["buyer_member"]},
    }
    seen = {hashed(session)} | {hashed(replace(session, **{name: value})) for name, value in changes.items()}
    assert len(seen) == len(changes) + 1
    assert hashed(replace(session, counts={}, paths=(Path("x"),))) == hashed(session)
    assert hashed(replace(session, events=np.array(session.events))) == hashed(session)


def test_hash_does_not_see_the_padding_between_fields(session):
    raw = bytearray(session.events.tobytes())
    offset = EVENT_DTYPE.fields["flags"][1] + 2
    assert offset < EVENT_DTYPE.fields["price_ticks"][1]  # there is padding there
    raw[offset] ^= 255
    padded = np.frombuffer(bytes(raw), EVENT_DTYPE)
    assert hashed(replace(session, events=padded)) == hashed(session)


def test_cut_is_half_open_by_event_time(session):
    times = event_time_ns(session.events)
    middle = int(times[len(times) // 2])
    early, late = between(session, None, middle), between(session, middle, None)
    assert len(early.events) + len(late.events) == len(times)
    assert event_time_ns(early.events).max() < middle <= event_time_ns(late.events).min()
    assert late.extra["buyer_member"][0] == len(early.events)
    assert len(between(session, middle + 1, middle).events) == 0
    assert between(session, None, None) is session


@pytest.mark.parametrize(
    ("open_shift", "close_shift", "same"), [(0, 0, True), (1, 0, True), (10**15, 10**15, False), (None, None, False)]
)
def test_overlap_of_hours_makes_the_same_time(session, open_shift, close_shift, same):
    stored = StoredSession.of(session, "id", ())
    if open_shift is None:  # begins when the other ends
        other = replace(session, open_ns=session.close_ns, close_ns=session.close_ns)
    else:
        other = replace(session, open_ns=session.open_ns + open_shift, close_ns=session.close_ns + close_shift)
    assert stored.same_time(other) is same
    assert not stored.same_time(replace(other, instrument=replace(other.instrument, venue="Z")))


def test_session_of_one_instant_overlaps_itself(session):
    instant = replace(session, close_ns=session.open_ns)
    assert StoredSession.of(instant, "id", ()).same_time(instant)


def test_findings_of_the_files_of_a_session_once_each():
    a, b, c = (Finding(code, code) for code in "abc")
    verdicts = [
        FileVerdict(Path("1"), "s", "X", (a, b)),
        FileVerdict(Path("2"), "s", "X", (b, a)),
        FileVerdict(Path("3"), "s", "X", (c,)),
    ]
    assert findings_of([Path("1"), Path("2")], verdicts) == (a, b)
