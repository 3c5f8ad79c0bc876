import numpy as np
import pytest

from footprint.features.imbalance import Imbalance
from footprint.market.events import EventFlag


def test_more_on_the_bid_is_positive(tape):
    feature = tape.begin(Imbalance())
    tape.quote(0, 100, 101, 300, 100, bid_depth_5_lots=100, ask_depth_5_lots=400)
    values = tape.read(feature, 0)
    assert values["imbalance_touch"] == pytest.approx(0.5)
    assert values["imbalance_depth_5"] == pytest.approx(-0.6)


def test_touch_imbalance_over_a_minute(tape):
    feature = tape.begin(Imbalance())
    tape.quote(0, 100, 101, 300, 100).quote(60, 100, 101, 100, 300)
    assert tape.read(feature, 120)["imbalance_touch_1m"] == pytest.approx((0.25 * 0.5 - 0.5 * 0.5) / 0.75)


def test_more_buying_is_positive_and_older_trades_weigh_less(tape):
    feature = tape.begin(Imbalance())
    tape.quote(0, 100, 101).trade(0, 1, 100).trade(60, -1, 50)
    values = tape.read(feature, 90)
    assert values["trade_imbalance_1m"] == pytest.approx(0.0, abs=1e-12)
    kept = 2 ** (-1 / 5)
    assert values["trade_imbalance_5m"] == pytest.approx((100 * kept - 50) / (100 * kept + 50))
    assert values["trade_imbalance_30m"] > values["trade_imbalance_5m"] > 0


@pytest.mark.parametrize("flag", [EventFlag.AUCTION, EventFlag.OFF_EXCHANGE])
def test_side_less_and_off_exchange_prints_do_not_count(tape, flag):
    feature = tape.begin(Imbalance())
    tape.quote(0, 100, 101).trade(1, -1, 900, flags=flag).trade(2, 0, 900).trade(3, 1, 5)
    assert tape.read(feature, 3)["trade_imbalance_5m"] == 1.0


@pytest.mark.parametrize(("bid", "ask", "bid_lots", "ask_lots"), [(0, 101, 0, 5), (100, 101, -1, 5), (100, 101, 0, 0)])
def test_an_empty_side_or_unknown_size_is_nan(tape, bid, ask, bid_lots, ask_lots):
    feature = tape.begin(Imbalance())
    tape.quote(0, bid, ask, bid_lots, ask_lots)
    values = tape.read(feature, 0)
    assert np.isnan(values["imbalance_touch"])
    assert np.isnan(values["imbalance_depth_5"])
    assert np.isnan(values["trade_imbalance_30m"])
