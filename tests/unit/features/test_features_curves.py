import numpy as np
import pytest

from footprint.features.curves import Curves, score_curves

NAMES = ("volume_curve", "volatility_curve", "spread_curve")


def feed_day(tape, feature, first_lots, second_lots, first_spread=2, second_spread=2):
    """One session of two half hours."""
    tape.begin(feature)
    tape.quote(0, 1000, 1000 + first_spread).trade(1, 1, first_lots)
    tape.quote(1800, 1000, 1000 + second_spread).trade(1801, -1, second_lots).quote(3599, 1000, 1000 + second_spread)
    tape.feed(feature)
    tape.next_day()


def test_nothing_is_known_on_the_first_day(tape):
    feature = tape.begin(Curves())
    tape.quote(0, 1000, 1002).trade(1, 1, 100)
    values = tape.read(feature, 900)
    assert np.isnan(values["day_volume_previous"])
    assert [values[n] for n in NAMES] == [1.0, 1.0, 1.0]
    assert values["day_volume_rate"] == pytest.approx(100 * 10 * 3600 / 900)


def test_volume_and_spread_curves_come_from_previous_days(tape):
    feature = Curves()
    feed_day(tape, feature, 300, 100, first_spread=6, second_spread=2)
    tape.begin(feature)
    early, late = tape.read(feature, 60), tape.read(feature, 1860)
    assert early["day_volume_previous"] == 4000.0
    assert (early["volume_curve"], late["volume_curve"]) == (pytest.approx(1.5), pytest.approx(0.5))
    wide, narrow = 6 / 1003, 2 / 1001
    mean = (wide * 1800 + narrow * 1799) / 3599
    assert early["spread_curve"] == pytest.approx(wide / mean)
    assert late["spread_curve"] == pytest.approx(narrow / mean)


def test_volatility_curve(tape):
    feature = tape.begin(Curves())
    for at_s, level in ((1, 0), (6, 1), (1801, 1), (1806, 2), (3599, 2)):
        tape.quote(at_s, 999, 1001, mid_ticks=1000 * np.exp(level * 1e-3)).trade(at_s, 1, 1)
    tape.feed(feature)
    tape.next_day()
    tape.begin(feature)
    # equal squared returns: one over 5 s in the first half hour, one over 1,800 s (a silence and a step) in the second
    assert tape.read(feature, 0)["volatility_curve"] == pytest.approx(np.sqrt((1 / 5) / (2 / 1805)))
    assert tape.read(feature, 1800)["volatility_curve"] == pytest.approx(np.sqrt((1 / 1800) / (2 / 1805)))


def test_the_volume_curve_can_be_integrated(tape):
    feature = Curves()
    feed_day(tape, feature, 300, 100)
    tape.begin(feature)
    assert feature.volume_between(tape.time_ns(900), tape.time_ns(2700)) == pytest.approx(2000.0)
    assert feature.volume_between(tape.time_ns(0), tape.time_ns(3600)) == pytest.approx(4000.0)


def test_a_day_cut_short_is_not_learned(tape):
    feature = tape.begin(Curves())
    tape.quote(0, 1000, 1002).trade(1, 1, 300).quote(1700, 1000, 1002)
    tape.feed(feature)
    tape.next_day()
    tape.begin(feature)
    assert np.isnan(tape.read(feature, 0)["day_volume_previous"])
    assert len(feature.history) == 0


def test_interval_over_days(tape):
    feature = Curves()
    feed_day(tape, feature, 300, 100)
    feed_day(tape, feature, 100, 100)
    tape.begin(feature)
    estimate = feature.estimate("volume")
    # 1.5 and 1.0: mean 1.25, standard error 0.25, Student's t with one degree of freedom 6.3138
    assert estimate.days == 2
    assert estimate.mean[0] == pytest.approx(1.25)
    assert estimate.high[0] - 1.25 == pytest.approx(0.25 * 6.313752)
    assert estimate.low[0] == pytest.approx(2.5 - estimate.high[0])
    with pytest.raises(ValueError, match="not in"):
        feature.estimate("depth")


def test_a_venue_that_never_closes_learns_whole_utc_days(tape):
    feature = Curves(continuous=True)
    seconds_to_midnight = 86_400 - tape.open_ns // 10**9 % 86_400
    tape.begin(feature, length_s=3 * 86_400)
    tape.quote(0, 1000, 1002).trade(1, 1, 999)  # a broken day
    for half_hour in range(48):
        tape.quote(seconds_to_midnight + half_hour * 1800, 1000, 1002)
        tape.trade(seconds_to_midnight + half_hour * 1800 + 1, 1, 30 if half_hour == 0 else 10)
    tape.quote(seconds_to_midnight + 86_400, 1000, 1002)
    values = tape.read(feature, seconds_to_midnight + 86_401)
    assert values["day_volume_previous"] == 500 * 10
    assert values["volume_curve"] == pytest.approx(30 / 500 * 48)
    gone = seconds_to_midnight + 86_401
    assert values["day_volume_rate"] == pytest.approx(1499 * 10 / gone * 86_400)


def test_score_against_the_previous_day():
    days = np.array([[1.0, 1.0], [1.5, 0.5], [1.2, 0.8]])
    score = score_curves(days)
    # forecast (1.25, 0.75) misses by 0.05; the previous day misses by 0.3
    assert (score.mae, score.mae_previous_day) == (pytest.approx(0.05), pytest.approx(0.3))
    assert score.skill == pytest.approx(1 - 0.05 / 0.3)
    assert score.n == 2


def test_two_days_cannot_be_scored():
    score = score_curves(np.ones((2, 48)))
    assert score.n == 0
    assert np.isnan(score.skill)
