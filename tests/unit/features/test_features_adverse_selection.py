import math

import numpy as np
import pytest

from footprint.features.adverse_selection import AdverseSelection


def test_trade_through_is_strictly_worse_than_the_opposite_best(tape):
    feature = tape.begin(AdverseSelection())
    tape.quote(0, 100, 101)
    for k, (side, price) in enumerate(((1, 102), (1, 101), (-1, 100), (-1, 99), (1, 99))):
        tape.trade(1 + k * 1e-6, side, 5, price)
    assert tape.read(feature, 2)["trade_through_rate"] == pytest.approx(2 / 5)


def test_quote_revisions_count_price_changes_only(tape):
    feature = tape.begin(AdverseSelection())
    tape.quote(0, 100, 101, 5, 5).quote(300, 101, 102).quote(300, 101, 102, 7, 7).quote(300, 101, 103)
    assert tape.read(feature, 300)["quote_revisions_per_s"] == pytest.approx(2 / 0.5 * math.log(2) / 300)


@pytest.mark.parametrize("side", [1, -1])
def test_markout_starts_strictly_before_the_trade(tape, side):
    feature = tape.begin(AdverseSelection())
    tape.quote(0, 99, 101)  # mid 100
    tape.quote(10, 102, 104).trade(10, side, 5, 104)  # the mid of 103 carries the trade's own timestamp
    assert np.isnan(tape.read(feature, 10.5)["markout_1s_bps"])
    tape.quote(11, 104, 106)  # 105 at the horizon of 1 s
    tape.quote(11.5, 119, 121)  # 120 afterwards
    values = tape.read(feature, 15)
    assert values["markout_1s_bps"] == pytest.approx(side * 500.0)
    assert np.isnan(values["markout_10s_bps"])
    values = tape.read(feature, 20)
    assert values["markout_10s_bps"] == pytest.approx(side * 2000.0)
    assert np.isnan(values["markout_60s_bps"])


def test_one_order_is_followed_at_a_time(tape):
    feature = tape.begin(AdverseSelection())
    tape.quote(0, 99, 101).trade(10, 1, 5, 101).trade(10.5, -1, 5, 99).quote(10.7, 100, 102)
    tape.quote(12, 100, 102)
    assert tape.read(feature, 12)["markout_1s_bps"] == pytest.approx(100.0)
