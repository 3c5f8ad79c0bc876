import numpy as np
import pytest

from footprint.features.momentum import Momentum


def test_mid_against_its_mean_is_positive_after_a_rise(tape):
    feature = tape.begin(Momentum())
    tape.quote(0, 999, 1001).quote(60, 1099, 1101)
    assert tape.read(feature, 60)["return_1m_bps"] == pytest.approx(1000.0)
    mean = (0.25 * 1000 + 0.5 * 1100) / 0.75
    values = tape.read(feature, 120)
    assert values["return_1m_bps"] == pytest.approx((1100 / mean - 1) * 1e4)
    assert values["return_30m_bps"] > values["return_5m_bps"] > values["return_1m_bps"] > 0


def test_unknown_mid_is_nan(tape):
    feature = tape.begin(Momentum())
    tape.quote(0, 999, 1001).quote(60, 999, 1001, mid_ticks=np.nan)
    assert np.isnan(tape.read(feature, 60)["return_5m_bps"])
