import numpy as np
import pytest

from footprint.features.kyle import Kyle

FLOWS = (100, -100, 300, -200, 100, 50)


def feed(tape, feature, bps_per_lot):
    """Minute k trades FLOWS[k] lots and the mid answers within the minute."""
    mid = 1_000_000.0
    tape.quote(1, 999_999, 1_000_001)
    for k, lots in enumerate(FLOWS, start=1):
        mid *= np.exp(lots * bps_per_lot * 1e-4)
        tape.trade(60 * k + 1, int(np.sign(lots)), abs(lots)).quote(60 * k + 30, 999_999, 1_000_001, mid_ticks=mid)
    return tape.feed(feature)


def test_slope_per_percent_of_the_day_volume(tape):
    feature = tape.begin(Kyle())
    tape.trade(100, 1, 10_000).quote(3600, 999_999, 1_000_001)
    tape.feed(feature)
    tape.next_day()
    tape.begin(feature)
    feed(tape, feature, bps_per_lot=0.02)
    # 1 % of 10,000 lots is 100 lots
    assert tape.read(feature, 60 * 7)["kyle_lambda"] == pytest.approx(2.0, rel=1e-6)


def test_sign_and_first_session(tape):
    feature = tape.begin(Kyle())
    feed(tape, feature, bps_per_lot=-0.01)
    now_s = 60 * 7
    day_lots = sum(abs(f) for f in FLOWS) / now_s * 3600
    assert tape.read(feature, now_s)["kyle_lambda"] == pytest.approx(-0.01 * 0.01 * day_lots, rel=1e-6)


def test_too_few_returns_or_no_trades_are_nan(tape):
    feature = tape.begin(Kyle())
    tape.quote(1, 99, 101).trade(61, 1, 5).quote(62, 100, 102).quote(121, 100, 102).quote(181, 99, 101)
    assert np.isnan(tape.read(feature, 182)["kyle_lambda"])
    assert np.isfinite(tape.read(feature, 240)["kyle_lambda"])
    tape.begin(feature)
    for minute in range(10):
        tape.quote(60 * minute + 1, 99 + minute % 2, 101)
    assert np.isnan(tape.read(feature, 600)["kyle_lambda"])
