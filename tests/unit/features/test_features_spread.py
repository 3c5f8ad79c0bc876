import numpy as np
import pytest

from footprint.features.spread import Spread


def test_spread_in_bps_now_and_over_five_minutes(tape):
    feature = tape.begin(Spread())
    tape.quote(0, 100, 102).quote(300, 99, 101)
    values = tape.read(feature, 600)
    assert values["spread_bps"] == pytest.approx(200.0)
    older = 2 / 101 * 1e4
    assert values["spread_5m_bps"] == pytest.approx((0.25 * older + 0.5 * 200.0) / 0.75)


def test_unknown_spread_is_nan_now_and_left_out_of_the_mean(tape):
    feature = tape.begin(Spread())
    tape.quote(0, 99, 101).quote(60, 99, 101, mid_ticks=np.nan, spread_ticks=np.nan)
    values = tape.read(feature, 120)
    assert np.isnan(values["spread_bps"])
    assert values["spread_5m_bps"] == pytest.approx(200.0)
