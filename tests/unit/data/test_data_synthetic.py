"""The embedded demonstration tape."""

import subprocess
import sys
from collections.abc import Sequence

import numpy as np
import pytest

from footprint.data.planted import PlantedLaw
from footprint.data.session import Session
from footprint.data.synthetic import DEMO_SHAPE, planted_sessions
from footprint.market.events import EventFlag, EventKind, event_time_ns

DAYS = 3


@pytest.fixture(scope="module")
def sessions() -> list[Session]:
    return list(planted_sessions(PlantedLaw(), DAYS, np.random.default_rng(0)))


def carried(events: np.ndarray, side: int) -> np.ndarray:
    """Last quoted price of a side after each event, 0 before the first."""
    here = np.where((events["kind"] == EventKind.QUOTE) & (events["side"] == side), np.arange(len(events)), -1)
    last = np.maximum.accumulate(here)
    return np.where(last >= 0, events["price_ticks"][last], 0)


def test_size_and_calendar(sessions: Sequence[Session]) -> None:
    assert [str(s.day) for s in sessions] == ["2024-01-08", "2024-01-09", "2024-01-10"]
    assert all(24_000 < len(s.events) < 42_000 for s in sessions)
    volume = [s.events["size_lots"][s.events["kind"] == EventKind.TRADE].sum() for s in sessions]
    assert 3.5e6 < np.mean(volume) < 6.5e6


def test_weekends_have_no_session() -> None:
    days = [s.day for s in planted_sessions(PlantedLaw(), 6, np.random.default_rng(0))]
    assert [d.weekday() for d in days] == [0, 1, 2, 3, 4, 0]


@pytest.mark.parametrize("seed", [0, 3])
def test_same_seed_same_events(seed: int) -> None:
    first, again, other = (
        next(planted_sessions(PlantedLaw(), 1, np.random.default_rng(s))).events for s in (seed, seed, seed + 1)
    )
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_events_are_ordered_inside_the_day_and_never_crossed(sessions: Sequence[Session]) -> None:
    for session in sessions:
        time_ns = event_time_ns(session.events)
        assert np.all(np.diff(time_ns) >= 0)
        assert session.open_ns <= time_ns[0]
        assert time_ns[-1] < session.close_ns
        bid, ask = carried(session.events, 1), carried(session.events, -1)
        known = (bid > 0) & (ask > 0)
        assert np.count_nonzero(~known) < 2
        assert np.all(ask[known] > bid[known])
        assert np.all(session.events["size_lots"] > 0)


def test_trades_print_at_the_touch_on_display(sessions: Sequence[Session]) -> None:
    for session in sessions:
        events = session.events
        trades = np.flatnonzero(events["kind"] == EventKind.TRADE)
        touch = np.where(events["side"][trades] > 0, carried(events, -1)[trades], carried(events, 1)[trades])
        np.testing.assert_array_equal(events["price_ticks"][trades], touch)
        assert np.all(events["flags"][trades] & EventFlag.SIDE_GIVEN)
        assert session.counts["trades"] == len(trades)


def test_parents_are_named_by_order_id(sessions: Sequence[Session]) -> None:
    parents = np.concatenate([s.events["order_id"][s.events["kind"] == EventKind.TRADE] for s in sessions])
    named = set(parents.tolist()) - {0}
    assert named == set(range(1, DAYS * DEMO_SHAPE.parents_per_day + 1))


def test_a_metaorder_has_one_side_and_lies_in_one_day(sessions: Sequence[Session]) -> None:
    seen: set[int] = set()
    for session in sessions:
        trades = session.events[session.events["kind"] == EventKind.TRADE]
        today = set(trades["order_id"].tolist()) - {0}
        assert not today & seen
        seen |= today
        for parent in today:
            assert len(np.unique(trades["side"][trades["order_id"] == parent])) == 1


def test_generator_does_not_know_the_models() -> None:
    code = (
        "import sys, footprint.data.synthetic, footprint.data.planted_rows;"
        "print([m for m in sys.modules if m.startswith('footprint.impact')])"
    )
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert printed.strip() == "[]"
