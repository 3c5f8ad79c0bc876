import numpy as np
import pytest

from footprint.features.vpin import Vpin

KEPT = 1 - 2 / 51


@pytest.fixture
def second_day(tape):
    """A feature that knows a day volume of 5,000 lots: buckets of 100 lots."""
    feature = tape.begin(Vpin())
    tape.trade(100, 1, 5_000).quote(3600, 99, 101)
    tape.feed(feature)
    tape.next_day()
    return tape.begin(feature)


def test_one_sided_and_balanced_buckets(tape, second_day):
    tape.trade(1, 1, 60).trade(2, 1, 39)
    assert np.isnan(tape.read(second_day, 2)["vpin"])
    tape.trade(3, 1, 1)
    assert tape.read(second_day, 3)["vpin"] == pytest.approx(1.0)
    tape.trade(4, 1, 50).trade(5, -1, 50)
    assert tape.read(second_day, 5)["vpin"] == pytest.approx(KEPT / (KEPT + 1))


def test_a_large_print_fills_several_buckets_and_the_rest_is_kept(tape, second_day):
    tape.trade(1, -1, 250).trade(2, 1, 50)  # -100, -100, then 50 against 50
    assert tape.read(second_day, 2)["vpin"] == pytest.approx((KEPT**2 + KEPT) / (KEPT**2 + KEPT + 1))


def test_first_session_uses_the_rate_so_far(tape):
    feature = tape.begin(Vpin())
    tape.trade(0, 1, 7)  # no time has passed: no rate yet
    tape.trade(36, 1, 1)  # 8 lots in 1/100 of the day: 800 a day, buckets of 16
    tape.trade(72, 1, 12)  # 20 lots in 1/50: 1,000 a day, buckets of 20; 13 poured
    tape.trade(144, -1, 20)  # 40 lots in 1/25: still 20; 7 close the first bucket, 13 stay
    assert tape.read(feature, 144)["vpin"] == pytest.approx((13 - 7) / 20)
