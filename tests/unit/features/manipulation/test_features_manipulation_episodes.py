"""Episodes planted in a simulated session of two and a half hours, with a simulated day before it."""

from dataclasses import replace
from datetime import date

import numpy as np
import pytest

from footprint.data.planted_manipulation import PATTERNS, plant, usual_sizes
from footprint.data.prepare import prepare
from footprint.data.session import Session
from footprint.data.stationary_book import BookShape, stationary_book
from footprint.data.synthetic import SYNTHETIC
from footprint.features.manipulation.candidate import Kind
from footprint.features.manipulation.episodes import DOES_NOT_PROVE, watch_session
from footprint.units import NS_PER_HOUR, NS_PER_SECOND

OPEN_NS = 1_704_706_200 * NS_PER_SECOND
SHAPE = BookShape()
DURATION_S = 9_000.0
INTENSITY = {"layering": 20.0, "spoofing": 20.0, "quote_stuffing": 3.0, "momentum_ignition": 12.0}


@pytest.fixture(scope="module")
def planted():
    rng = np.random.default_rng(5)
    usual = usual_sizes(*stationary_book(SHAPE, 3_600.0, rng))
    return [
        plant(kind, INTENSITY[kind], (6_000 + 600 * k) * NS_PER_SECOND, usual, rng) for k, kind in enumerate(PATTERNS)
    ]


@pytest.fixture(scope="module")
def prepared(planted):
    actions = np.concatenate([episode.actions for episode in planted])
    events, _ = stationary_book(SHAPE, DURATION_S, np.random.default_rng(6), actions, OPEN_NS)
    close_ns = OPEN_NS + int(DURATION_S * NS_PER_SECOND)
    return prepare(Session(SYNTHETIC, date(2024, 1, 8), events, OPEN_NS, close_ns, "synthetic"))


@pytest.fixture(scope="module")
def past():
    """Scores of a day without episodes."""
    hours_s = 7 * 3_600.0
    events, _ = stationary_book(SHAPE, hours_s, np.random.default_rng(7), start_ns=OPEN_NS)
    close_ns = OPEN_NS + int(hours_s * NS_PER_SECOND)
    return watch_session(prepare(Session(SYNTHETIC, date(2024, 1, 5), events, OPEN_NS, close_ns, "synthetic"))).windows


def test_planted_episodes_are_listed_with_time_side_and_words(prepared, past, planted):
    found = watch_session(prepared, past).episodes
    assert [e.kind.name.lower() for e in found] == [e.kind for e in planted]
    for one, truth in zip(found, planted, strict=True):
        start_ns, end_ns = OPEN_NS + truth.start_ns, OPEN_NS + truth.end_ns
        assert start_ns - 20 * NS_PER_SECOND <= one.start_ns <= end_ns
        assert start_ns <= one.known_ns <= end_ns + 10 * NS_PER_SECOND
        assert one.side == (0 if one.kind is Kind.QUOTE_STUFFING else truth.side)
        assert one.score >= one.threshold
        assert "times the usual" in one.evidence


def test_the_future_changes_nothing(prepared, past):
    whole = watch_session(prepared, past)
    cut_ns = OPEN_NS + 2 * NS_PER_HOUR
    stop = int(np.searchsorted(prepared.events["exchange_time_ns"], cut_ns))
    session = replace(prepared.session, events=prepared.events[:stop])
    early = watch_session(replace(prepared, session=session, views=prepared.views[:stop]), past)
    known = [e for e in whole.episodes if e.end_ns < cut_ns - 60 * NS_PER_SECOND]
    assert known
    assert list(early.episodes)[: len(known)] == known


def test_without_a_past_nothing_is_judged_and_a_past_is_used(prepared, past):
    found = watch_session(prepared)
    assert (found.watched_s, found.episodes) == (0.0, ())
    assert "fewer than 2160 windows" in found.reason
    assert found.windows.shape == (840, 4)  # two hours and twenty minutes after the warm-up
    judged = watch_session(prepared, past)
    assert (judged.watched_s, judged.reason) == (8_400.0, "")


def test_what_is_not_proved_is_said():
    assert "does not prove intent" in DOES_NOT_PROVE
