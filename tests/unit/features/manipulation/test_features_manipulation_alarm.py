import numpy as np
import pytest

from footprint.errors import UsageError
from footprint.features.manipulation.alarm import LEAST_SCORE, LEAST_WINDOWS, calibrate, window_scores
from footprint.features.manipulation.candidate import CANDIDATE, KINDS, Kind
from footprint.units import NS_PER_SECOND

WATCHED_S = 1_800.0


def tail(rng, windows):
    """Scores as on a tape: in a tenth of the windows, exponential with mean 0.5, that is Pareto multiples."""
    present = rng.random((windows, len(KINDS))) < 0.1
    return np.where(present, rng.exponential(0.5, (windows, len(KINDS))), 0.0)


def test_windows_keep_the_highest_score():
    candidates = np.zeros(4, CANDIDATE)
    candidates["kind"] = [Kind.SPOOFING, Kind.SPOOFING, Kind.LAYERING, Kind.SPOOFING]
    candidates["known_ns"] = np.array([1, 9, 12, 35]) * NS_PER_SECOND  # the last is beyond the last whole window
    candidates["score"] = [1.0, 2.0, 3.0, 4.0]
    assert window_scores(candidates, 0, 35 * NS_PER_SECOND)[:, :2].tolist() == [[0.0, 2.0], [3.0, 0.0], [0.0, 0.0]]


def test_false_alarms_stay_near_the_level_on_pareto_multiples():
    rng = np.random.default_rng(1)
    runs = 200
    alarmed = 0
    for _ in range(runs):
        thresholds = calibrate(tail(rng, LEAST_WINDOWS), WATCHED_S)
        alarmed += bool(np.any(tail(rng, 180) >= np.array(thresholds.scores)))
    assert alarmed / runs <= 0.05 + 2.0 * np.sqrt(0.05 * 0.95 / runs)


def test_thresholds_rise_with_the_time_watched_and_fall_with_the_level():
    past = tail(np.random.default_rng(2), LEAST_WINDOWS)
    usual = calibrate(past, WATCHED_S).scores
    assert all(a < b for a, b in zip(usual, calibrate(past, 10.0 * WATCHED_S).scores, strict=True))
    assert all(a > b for a, b in zip(usual, calibrate(past, WATCHED_S, level=0.5).scores, strict=True))


def test_a_short_past_asks_for_more():
    rng = np.random.default_rng(3)
    short, long = (np.mean([calibrate(tail(rng, n), WATCHED_S).scores for _ in range(20)]) for n in (2_160, 20_000))
    assert short > long


def test_a_past_without_scores_is_judged_by_the_prior():
    (score,) = set(calibrate(np.zeros((LEAST_WINDOWS, len(KINDS))), WATCHED_S).scores)
    assert LEAST_SCORE <= score < np.log(20.0)


def test_alarms_are_judged_by_their_own_pattern():
    thresholds = calibrate(np.zeros((LEAST_WINDOWS, len(KINDS))), WATCHED_S)
    candidates = np.zeros(2, CANDIDATE)
    candidates["score"] = [thresholds.scores[0] - 1e-9, thresholds.scores[0]]
    assert len(thresholds.alarms(candidates)) == 1


@pytest.mark.parametrize(("windows", "watched_s", "level"), [(2_159, 1.0, 0.05), (2_160, 0.0, 0.05), (2_160, 1.0, 1.0)])
def test_bad_input_is_refused(windows, watched_s, level):
    with pytest.raises(UsageError):
        calibrate(np.zeros((windows, len(KINDS))), watched_s, level)
