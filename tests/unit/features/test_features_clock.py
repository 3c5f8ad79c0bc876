import numpy as np
import pytest

from footprint.features.clock import Clock
from footprint.units import NS_PER_DAY


def test_place_in_the_session(tape):
    feature = tape.begin(Clock(), length_s=1000)
    values = tape.read(feature, 250)
    assert values["day_fraction"] == pytest.approx(0.25)
    assert values["to_close_s"] == pytest.approx(750)
    assert values["since_open_s"] == pytest.approx(250)
    assert np.isnan(values["since_large_trade_s"])


def test_a_venue_that_never_closes_has_the_utc_day(tape):
    feature = tape.begin(Clock(continuous=True))
    values = tape.read(feature, 250)
    assert values["day_fraction"] == pytest.approx(tape.time_ns(250) % NS_PER_DAY / NS_PER_DAY)
    assert np.isnan(values["to_close_s"])
    assert np.isnan(values["since_open_s"])


def test_since_the_last_large_trade(tape):
    feature = tape.begin(Clock())
    tape.trade(1, 1, 10).trade(2, 1, 41).trade(3, 1, 12)
    assert tape.read(feature, 10)["since_large_trade_s"] == pytest.approx(8.0)


def test_several_prints_make_one_large_trade(tape):
    feature = tape.begin(Clock())
    tape.trade(1, 1, 10).trade(2, -1, 30).trade(2, -1, 30).trade(3, 1, 12)
    assert tape.read(feature, 10)["since_large_trade_s"] == pytest.approx(8.0)
