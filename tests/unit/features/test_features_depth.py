import numpy as np
import pytest

from footprint.features.depth import Depth


def test_depths_are_means_of_the_sides_in_quantity(tape):
    feature = tape.begin(Depth())
    depths = {"bid_depth_5_lots": 900, "ask_depth_5_lots": 700, "bid_depth_10bps_lots": 50, "ask_depth_10bps_lots": 70}
    tape.quote(0, 100, 101, 300, 100, **depths)
    values = tape.read(feature, 0)
    assert (values["depth_touch"], values["depth_5"], values["depth_10bps"]) == (2000.0, 8000.0, 600.0)


def test_touch_depth_over_five_minutes(tape):
    feature = tape.begin(Depth())
    tape.quote(0, 100, 101, 300, 100).quote(300, 100, 101, 30, 10)
    assert tape.read(feature, 600)["depth_touch_5m"] == pytest.approx((0.25 * 2000 + 0.5 * 200) / 0.75)


def test_typical_trade_joins_the_prints_of_one_market_order(tape):
    feature = tape.begin(Depth())
    tape.quote(0, 100, 101).trade(0, 1, 30).trade(0, 1, 20).trade(1800, -1, 100)
    # 50 lots half an hour ago weigh 0.5, 100 lots now weigh 1
    assert tape.read(feature, 1800)["typical_trade"] == pytest.approx((0.5 * 50 + 100) / 1.5 * 10)


def test_prints_of_opposite_sides_at_one_time_are_two_orders(tape):
    feature = tape.begin(Depth())
    tape.quote(0, 100, 101).trade(5, 1, 30).trade(5, -1, 10)
    assert tape.read(feature, 5)["typical_trade"] == pytest.approx(200.0)


def test_unknown_sizes_are_nan(tape):
    feature = tape.begin(Depth())
    tape.quote(0, 100, 101, -1, 50)
    values = tape.read(feature, 10)
    assert all(np.isnan(v) for v in values.values())
