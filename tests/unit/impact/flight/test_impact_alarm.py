from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from footprint.data.children import ChildTape
from footprint.impact.flight.alarm import ADVERSE_SHARE, LEVEL, path_evidence
from footprint.impact.flight.null_paths import Innovations, resampled_moves, simulated_moves, tape_moves
from footprint.units import NS_PER_SECOND

RUNS = 2_000


def false_alarms(steps: np.ndarray) -> float:
    return float(np.mean(path_evidence(steps).first_alarm() >= 0))


@given(st.lists(st.floats(0.0, 3.0), min_size=1, max_size=6))
def test_wealth_is_expected_to_stay_one_whatever_the_sizes(sizes: list[float]) -> None:
    """Over all signs of given sizes, which symmetry makes equally likely, the mean e-value is exactly 1."""
    steps = np.array([np.multiply(sizes, signs) for signs in product((-1.0, 1.0), repeat=len(sizes))])
    assert path_evidence(steps).e_values.mean(axis=0) == pytest.approx(np.ones(len(sizes)))


@given(st.lists(st.floats(-50.0, 50.0), min_size=1, max_size=40))
def test_a_turned_path_turns_the_directions(steps: list[float]) -> None:
    evidence, turned = path_evidence(np.array(steps)), path_evidence(-np.array(steps))
    assert np.array_equal(evidence.adverse, turned.favourable)
    assert np.all(evidence.e_values >= 0.0)


def test_what_comes_later_does_not_change_the_evidence() -> None:
    steps = np.random.default_rng(0).standard_normal(50)
    assert np.array_equal(path_evidence(steps).e_values[:20], path_evidence(steps[:20]).e_values)


@pytest.mark.parametrize("kind", ["gaussian", "student", "clustered"])
@pytest.mark.parametrize("readings", [30, 120])
@pytest.mark.parametrize("misjudged", [0.5, 1.0, 3.0])
def test_false_alarms_stay_below_the_level(kind: Innovations, readings: int, misjudged: float) -> None:
    """At every frequency of reading, with fat tails and a volatility that is wrong either way."""
    moves = simulated_moves(kind, RUNS, readings, np.random.default_rng(1)) / np.sqrt(readings)
    assert false_alarms(misjudged * moves) <= LEVEL


def test_a_strong_drift_is_seen_in_time_and_told_apart() -> None:
    moves = simulated_moves("student", RUNS, 100, np.random.default_rng(2)) / 10.0
    drift = np.full(100, 4.0 / 100.0)
    up = path_evidence(moves + drift)
    first = up.first_alarm()
    assert np.mean(first >= 0) > 0.85
    assert np.median(first[first >= 0]) < 60
    assert np.median(up.adverse[:, -1]) > 1.0 > np.median(up.favourable[:, -1])
    # the cheaper direction starts with less: its alarms come later
    down = np.mean(path_evidence(moves - drift).first_alarm() >= 0)
    assert ADVERSE_SHARE > 0.5
    assert 0.5 < down < np.mean(first >= 0)


def test_orders_one_after_the_other_add_their_evidence() -> None:
    """An impact twice more than forecast, 0.6 deviations of an order: unseen in one, seen over forty."""
    readings, orders = 20, 40
    moves = simulated_moves("student", 300, readings * orders, np.random.default_rng(3)) / np.sqrt(readings)
    seen = path_evidence(moves + 0.6 / readings).first_alarm()
    assert np.mean((seen >= 0) & (seen < readings)) < 0.2
    assert np.mean(seen >= 0) > 0.75


def tape(mids: np.ndarray) -> ChildTape:
    times = np.arange(len(mids)) * 10 * NS_PER_SECOND
    ones = np.ones(len(mids))
    return ChildTape(times, ones, ones, mids, mids, mids, times, times * 0, times, times, mids)


def test_resampled_blocks_are_pieces_of_the_tape_with_a_fair_sign() -> None:
    rng = np.random.default_rng(4)
    session = tape_moves(tape(100.0 * np.exp(np.cumsum(rng.standard_normal(500)) * 1e-4)), 10.0)
    moves = resampled_moves([session], 400, 50, 10.0, rng)
    assert moves.shape == (400, 50)
    assert np.isin(np.round(np.abs(moves), 9), np.round(np.abs(session), 9)).all()
    following = {(round(a, 9), round(b, 9)) for a, b in zip(session, np.roll(session, -1), strict=True)}
    pairs = [(round(a, 9), round(b, 9)) for a, b in zip(moves[0] * 1.0, moves[0][1:], strict=False)]
    flipped = [(-a, -b) for a, b in pairs]
    kept = max(np.mean([p in following for p in pairs]), np.mean([p in following for p in flipped]))
    assert kept > 0.7  # nine of ten neighbours stay together
    assert 0.4 < np.mean(moves[:, 0] > 0) < 0.6


@pytest.mark.parametrize("name", ["aig", "bac"])
@pytest.mark.nightly
def test_real_tapes_raise_no_more_false_alarms_than_stated(shared_data, name: str) -> None:
    from footprint.data import formats
    from footprint.data.prepare import prepare

    folder = shared_data / "lean" / "equity" / "usa" / "tick" / name
    sessions = [tape_moves(prepare(session).tape, 15.0) for session in formats.sessions([folder])]
    moves = resampled_moves(sessions, 5_000, 480, 40.0, np.random.default_rng(5))
    sd = np.sqrt(np.sum(moves[:, :240] ** 2, axis=1, keepdims=True))
    rate = false_alarms(moves[:, 240:] / sd)
    assert rate <= LEVEL + 2.0 * np.sqrt(LEVEL * (1.0 - LEVEL) / 5_000)
