import math

import numpy as np
import pytest

from footprint.features.flow import LONGEST_RUN, Flow
from footprint.market.events import EventFlag, EventKind


def test_signed_volume_decays_and_buying_is_positive(tape):
    feature = tape.begin(Flow())
    tape.quote(0, 100, 102).trade(0, 1, 100).trade(60, -1, 20)
    values = tape.read(feature, 60)
    assert values["signed_volume_1m"] == pytest.approx((100 * 0.5 - 20) * 10)
    assert values["signed_volume_5m"] == pytest.approx((100 * 2**-0.2 - 20) * 10)


@pytest.mark.parametrize(
    ("after", "flow"),
    [
        ((100, 102, 40, 20), 30.0),  # bid grew by 30
        ((101, 102, 5, 20), 5.0),  # a better bid of 5
        ((99, 102, 70, 20), -10.0),  # the bid of 10 left
        ((100, 102, 10, 35), -15.0),  # offer grew by 15
        ((100, 101, 10, 5), -5.0),  # a better offer of 5
        ((100, 103, 10, 70), 20.0),  # the offer of 20 left
        ((101, 103, 5, 70), 25.0),  # both
    ],
)
def test_order_flow_imbalance_of_one_change(tape, after, flow):
    bid, ask, bid_lots, ask_lots = after
    feature = tape.begin(Flow())
    tape.quote(0, 100, 102, 10, 20).quote(60, bid, ask, bid_lots, ask_lots)
    # depth before the change: (10 + 20) / 2 = 15, the only one that time has been spent at
    assert tape.read(feature, 60)["order_flow_imbalance_1m"] == pytest.approx(flow / 15)


def test_order_flow_needs_sizes_and_ignores_a_book_being_loaded(tape):
    feature = tape.begin(Flow())
    tape.quote(0, 100, 102, -1, -1).quote(1, 101, 102, -1, -1)
    assert np.isnan(tape.read(feature, 2)["order_flow_imbalance_5m"])
    tape.begin(feature)
    tape.quote(0, 100, 102, 10, 10).quote(1, 100, 102, 500, 10, flags=EventFlag.SNAPSHOT)
    tape.quote(2, 0, 0, 0, 0, kind=EventKind.CLEAR).quote(3, 100, 102, 10, 10)
    assert tape.read(feature, 3)["order_flow_imbalance_5m"] == 0.0


def test_sign_autocorrelation(tape):
    feature = tape.begin(Flow())
    tape.quote(0, 100, 102)
    for k, sign in enumerate((1, 1, -1, -1, -1, 1, 1, 1, 1, 1, 1, -1)):
        tape.trade(1 + k * 1e-6, sign, 1)
    values = tape.read(feature, 2)
    assert values["sign_autocorrelation_1"] == pytest.approx((8 - 3) / 11, rel=1e-6)
    assert values["sign_autocorrelation_10"] == pytest.approx(0, abs=1e-9)  # signs 11 and 1, 12 and 2


def test_prints_of_one_order_are_one_sign_and_one_trade(tape):
    feature = tape.begin(Flow())
    tape.quote(0, 100, 102).trade(30, 1, 5).trade(30, 1, 7).trade(30, 1, 9).trade(60, 1, 1)
    values = tape.read(feature, 60)
    assert values["last_sign_run"] == 2
    assert values["sign_autocorrelation_1"] == 1.0
    orders = 2**-0.5 + 1
    assert values["trades_per_s_1m"] == pytest.approx(orders / 0.5 * math.log(2) / 60)
    lots = 21 * 2**-0.5 + 1
    assert values["volume_per_s_1m"] == pytest.approx(lots * 10 / 0.5 * math.log(2) / 60)


def test_rates_are_unbiased_after_ten_seconds(tape):
    feature = tape.begin(Flow())
    for k in range(100):
        tape.trade(k / 10, 1 if k % 2 else -1, 3)
    values = tape.read(feature, 10)
    for window in ("1m", "5m", "30m"):
        assert values[f"trades_per_s_{window}"] == pytest.approx(10.0, rel=0.01)
        assert values[f"volume_per_s_{window}"] == pytest.approx(300.0, rel=0.01)


def test_run_of_signs_turns_and_is_capped(tape):
    feature = tape.begin(Flow())
    assert tape.read(feature, 0)["last_sign_run"] == 0
    for k, sign in enumerate((1, 1, 1, -1, -1)):
        tape.trade(k, sign, 1)
    assert tape.read(feature, 5)["last_sign_run"] == -2
    for k in range(LONGEST_RUN + 5):
        tape.trade(10 + k, -1, 1)
    assert tape.read(feature, 500)["last_sign_run"] == -LONGEST_RUN
