import math

import numpy as np
import pytest

from footprint.features.volatility import Volatility

ROSE = math.log(1001 / 1000)  # one return, as a fraction
ALL = ("volatility_1m", "volatility_5m", "volatility_30m", "volatility_session")


def at_mid(tape, at_s, mid):
    return tape.quote(at_s, mid - 1, mid + 1)


def test_one_grid_return_per_square_root_of_a_second(tape):
    feature = tape.begin(Volatility())
    at_mid(tape, 1, 1000)
    at_mid(tape, 6, 1001)
    before = tape.read(feature, 9.9)
    values = tape.read(feature, 10)
    for name in ALL:
        assert np.isnan(before[name])
        assert values[name] == pytest.approx(ROSE / math.sqrt(5) * 1e4)


def test_bounce_inside_a_step_does_not_count(tape):
    feature = tape.begin(Volatility())
    for at_s in range(0, 60, 5):
        at_mid(tape, at_s + 1, 1300)
        at_mid(tape, at_s + 2, 1000)
    assert tape.read(feature, 60)["volatility_5m"] == 0.0


def test_older_returns_weigh_less_except_over_the_session(tape):
    feature = tape.begin(Volatility())
    for at_s, mid in ((1, 1000), (6, 1001), (11, 1001)):
        at_mid(tape, at_s, mid)
    values = tape.read(feature, 15)
    kept = 2 ** (-5 / 60)
    assert values["volatility_1m"] == pytest.approx(math.sqrt(ROSE**2 / 5 * kept / (1 + kept)) * 1e4)
    assert values["volatility_session"] == pytest.approx(math.sqrt(ROSE**2 / 10) * 1e4)


def test_a_silence_shares_its_return_among_its_steps(tape):
    feature = tape.begin(Volatility())
    at_mid(tape, 1, 1000)
    at_mid(tape, 47, 1001)  # nine steps later
    values = tape.read(feature, 50)
    for name in ALL:
        assert values[name] == pytest.approx(ROSE / math.sqrt(45) * 1e4)


def test_volatility_of_the_book(tape):
    feature = tape.begin(Volatility())
    tape.quote(1, 99, 101, 300, 100).quote(6, 99, 101, 100, 300)  # imbalance 0.5, then -0.5
    assert tape.read(feature, 10)["volatility_book_1m"] == pytest.approx(1 / math.sqrt(5))


def test_previous_session(tape):
    feature = tape.begin(Volatility())
    for at_s, mid in ((1, 1000), (6, 1001), (11, 1001), (16, 1001)):
        at_mid(tape, at_s, mid)
    last = tape.read(feature, 16)
    assert np.isnan(last["volatility_previous"])
    tape.next_day()
    tape.begin(feature)
    values = tape.read(feature, 0)
    assert values["volatility_previous"] == last["volatility_session"] > 0
    assert np.isnan(values["volatility_session"])
