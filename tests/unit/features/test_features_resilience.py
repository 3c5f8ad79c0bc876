import numpy as np
import pytest

from footprint.features.resilience import Resilience


def large_buy(tape):
    """Quotes 100/101 with 500 lots, an order of 10 lots, then one of 100 that empties the offer at 10 s."""
    tape.quote(0, 100, 101, 500, 500).trade(1, 1, 10, 101)
    return tape.trade(10, 1, 100, 101).quote(10, 100, 105, 500, 80)


def test_half_lives_of_spread_and_depth(tape):
    feature = tape.begin(Resilience())
    large_buy(tape)  # excess spread 4 ticks, all 500 lots missing at 101
    tape.quote(12, 100, 103, 500, 900)  # excess 2 ticks: half; still nothing at 101
    tape.quote(14, 100, 101, 500, 200)  # 300 of 500 missing
    tape.quote(17, 100, 101, 500, 250)  # 250 missing: half
    values = tape.read(feature, 20)
    assert values["spread_half_life_s"] == pytest.approx(2.0)
    assert values["depth_half_life_s"] == pytest.approx(7.0)


def test_the_bid_is_watched_after_a_sale(tape):
    feature = tape.begin(Resilience())
    tape.quote(0, 100, 101, 500, 500).trade(1, -1, 10, 100).trade(10, -1, 100, 100).quote(10, 99, 101, 80, 500)
    tape.quote(13, 100, 101, 400, 500)
    assert tape.read(feature, 20)["depth_half_life_s"] == pytest.approx(3.0)


def test_a_better_price_repairs_everything(tape):
    feature = tape.begin(Resilience())
    large_buy(tape).quote(11, 99, 100, 500, 1)
    assert tape.read(feature, 20) == {"spread_half_life_s": 1.0, "depth_half_life_s": 1.0}


def test_censored_at_a_minute_also_when_only_time_passes(tape):
    feature = tape.begin(Resilience())
    large_buy(tape)
    assert np.isnan(tape.read(feature, 69)["spread_half_life_s"])
    assert tape.read(feature, 71) == {"spread_half_life_s": 60.0, "depth_half_life_s": 60.0}
    assert np.isnan(tape.read(feature, 69)["spread_half_life_s"])
    tape.quote(100, 100, 101, 500, 500)
    assert tape.read(feature, 100) == {"spread_half_life_s": 60.0, "depth_half_life_s": 60.0}


def test_a_trade_that_moves_nothing_opens_no_episode(tape):
    feature = tape.begin(Resilience())
    tape.quote(0, 100, 101, 500, 500).trade(1, 1, 10, 101).trade(10, 1, 100, 101)
    tape.quote(30, 100, 105, 500, 80).quote(31, 100, 101, 500, 500)  # not this trade's doing
    assert all(np.isnan(v) for v in tape.read(feature, 200).values())


def test_a_small_trade_opens_no_episode(tape):
    feature = tape.begin(Resilience())
    tape.quote(0, 100, 101, 500, 500).trade(1, 1, 10, 101).trade(10, 1, 40, 101)  # not above 4 x 10
    tape.quote(10, 100, 105, 500, 80).quote(12, 100, 101, 500, 500)
    assert all(np.isnan(v) for v in tape.read(feature, 200).values())
