"""The four patterns on tapes written by hand: usual touch 100 lots, usual market order 10 lots."""

import numpy as np
import pytest

from footprint.features.manipulation.candidate import Kind
from footprint.features.manipulation.scores import Manipulation
from footprint.market.events import EventFlag, EventKind
from footprint.testing import check_feature

START_S = 120.0


def order(tape, at_s, kind, side, price, lots, number):
    tape._event(at_s, kind=kind, side=side, price_ticks=price, size_lots=lots, order_id=number)


def level(tape, at_s, side, price, lots):
    tape._event(at_s, kind=EventKind.LEVEL, side=side, price_ticks=price, size_lots=lots)


def quiet(tape, bid=10_000):
    """Two minutes of a quote and of small orders of either side."""
    tape.quote(0, bid, bid + 1)
    for k in range(24):
        side = 1 if k % 2 else -1
        tape.trade(2.0 + 4.0 * k, side, 10, bid + (side > 0))
    return tape


def bought(tape, orders, at_s=START_S + 1.0, price=10_001):
    """Orders of 10 lots at the ask."""
    for k in range(orders):
        tape.trade(at_s + 0.01 * k, 1, 10, price)


def found(tape, kind):
    tape.quote(START_S + 90.0, 10_000, 10_001)
    candidates = tape.begin(Manipulation()).candidates(*tape.arrays())
    return candidates[candidates["kind"] == kind]


def test_contract():
    check_feature(Manipulation)


def test_a_large_bid_that_goes_while_others_buy_is_spoofing(tape):
    quiet(tape)
    order(tape, START_S, EventKind.ADD, 1, 9_999, 1_000, 7)
    bought(tape, 6)
    order(tape, START_S + 3.0, EventKind.DELETE, 1, 9_999, 0, 7)
    (one,) = found(tape, Kind.SPOOFING)
    assert (one["side"], one["size"], one["count"]) == (1, 1_000, 1)
    assert one["multiple"] == pytest.approx(10.0, rel=1e-6)
    assert one["score"] == pytest.approx(np.log(6.0), rel=1e-6)  # the lesser of 10 touches and 6 orders
    assert one["start_ns"] == tape.time_ns(START_S)
    assert one["known_ns"] == tape.time_ns(START_S + 4.0)


def test_the_same_is_found_in_price_levels_and_mirrored(tape):
    quiet(tape)
    level(tape, START_S - 1.0, -1, 10_002, 300)
    level(tape, START_S, -1, 10_002, 1_300)
    for k in range(6):
        tape.trade(START_S + 1.0 + 0.01 * k, -1, 10, 10_000)
    level(tape, START_S + 3.0, -1, 10_002, 250)
    (one,) = found(tape, Kind.SPOOFING)
    assert (one["side"], one["size"]) == (-1, 1_000)
    assert one["score"] == pytest.approx(np.log(6.0), rel=1e-6)


@pytest.mark.parametrize("reason", ["nobody bought", "it was traded with", "it stayed", "it is far away", "snapshot"])
def test_no_spoofing_when(tape, reason):
    quiet(tape)
    price = 9_900 if reason == "it is far away" else 9_999
    order(tape, START_S, EventKind.ADD, 1, price, 1_000, 7)
    if reason == "snapshot":
        tape._rows[-1][0]["flags"] = EventFlag.SNAPSHOT
    if reason != "nobody bought":
        bought(tape, 6)
    if reason == "it was traded with":
        tape.trade(START_S + 2.0, -1, 300, 9_999)
        bought(tape, 60, START_S + 2.1)
    gone_s = 20.0 if reason == "it stayed" else 3.0
    order(tape, START_S + gone_s, EventKind.DELETE, 1, price, 0, 7)
    assert len(found(tape, Kind.SPOOFING)) == 0


def test_a_partial_withdrawal_is_none(tape):
    quiet(tape)
    order(tape, START_S, EventKind.ADD, 1, 9_999, 1_000, 7)
    bought(tape, 6)
    order(tape, START_S + 2.0, EventKind.CANCEL, 1, 9_999, 500, 7)
    order(tape, START_S + 3.0, EventKind.CANCEL, 1, 9_999, 100, 7)
    assert len(found(tape, Kind.SPOOFING)) == 0


def layers(tape, prices):
    quiet(tape)
    for number, price in enumerate(prices, start=1):
        order(tape, START_S + 0.1 * number, EventKind.ADD, 1, price, 400, number)
    bought(tape, 5)
    for number, price in enumerate(prices, start=1):
        order(tape, START_S + 3.0 + 0.1 * number, EventKind.DELETE, 1, price, 0, number)
    return found(tape, Kind.LAYERING)


def test_layers_that_go_together_are_layering(tape):
    candidates = layers(tape, (9_999, 9_998, 9_997, 9_996))
    best = candidates[np.argmax(candidates["count"])]
    assert (best["side"], best["count"], best["size"]) == (1, 4, 1_600)
    assert best["multiple"] == pytest.approx(12.0, rel=1e-6)  # without the largest
    assert best["score"] == pytest.approx(np.log(5.0), rel=1e-6)


@pytest.mark.parametrize("prices", [(9_999, 9_998), (9_999, 9_999, 9_999)])
def test_two_prices_are_no_layers(tape, prices):
    assert len(layers(tape, prices)) == 0


def flicker(tape, count, trades=0):
    quiet(tape)
    for k in range(count):
        order(tape, START_S + 0.9 * k / count, EventKind.ADD, 1, 9_998, 1, 100 + k)
        order(tape, START_S + 0.9 * k / count, EventKind.DELETE, 1, 9_998, 0, 100 + k)
    for k in range(trades):
        tape.trade(START_S + 0.05 * k, 1, 10, 10_001)
    tape._rows.sort(key=lambda row: row[0]["exchange_time_ns"])
    return found(tape, Kind.QUOTE_STUFFING)


def test_masses_of_orders_without_trades_are_stuffing(tape):
    (one,) = flicker(tape, 200)
    assert (one["side"], one["count"], one["trading"]) == (0, 400, 0)
    assert one["score"] == pytest.approx(np.log(400.0 / 10.0), rel=1e-6)


def test_trades_take_it_back(tape):
    (one,) = flicker(tape, 200, trades=7)
    assert one["score"] == pytest.approx(np.log(400.0 / 8.0 / 10.0), rel=1e-6)


def test_orders_that_stay_are_no_stuffing(tape):
    quiet(tape)
    for k in range(400):
        order(tape, START_S + 0.002 * k, EventKind.ADD, 1, 9_998, 1, 100 + k)
    assert len(found(tape, Kind.QUOTE_STUFFING)) == 0


def spike(tape, side, back):
    """Five ticks away with 300 lots in five seconds, a pause, then back, with as much of the other side or none."""
    quiet(tape)
    for k in range(5):
        bid = 10_000 + side * (k + 1)
        tape.trade(START_S + k, side, 60, bid)
        tape.quote(START_S + k + 0.1, bid, bid + 1)
    for k in range(5):
        bid = 10_000 + side * (4 - k)
        if back:
            tape.trade(START_S + 10.0 + k, -side, 60, bid)
        tape.quote(START_S + 10.1 + k, bid, bid + 1)
    return found(tape, Kind.MOMENTUM_IGNITION)


def test_a_spike_with_trades_both_ways_is_ignition(tape):
    candidates = spike(tape, 1, back=True)
    best = candidates[np.argmax(candidates["size"])]
    assert (best["side"], best["size"]) == (1, 5.0)
    assert best["score"] > np.log(3.0)
    assert best["known_ns"] <= tape.time_ns(START_S + 15.0)


def test_ignition_is_the_same_in_the_mirror(tape):
    up, down = (spike(type(tape)(), side, back=True) for side in (1, -1))
    assert up["score"].tolist() == down["score"].tolist()
    assert (up["side"] == -down["side"]).all()


def test_a_spike_that_nobody_sells_is_none(tape):
    assert len(spike(tape, 1, back=False)) == 0


def test_values_fade_and_need_their_source(tape):
    quiet(tape)
    feature = tape.begin(Manipulation())
    before = tape.read(feature, START_S)
    assert np.isnan(before["layering_score"])
    assert np.isnan(before["spoofing_score"])
    assert before["momentum_ignition_score"] == 0.0
    order(tape, START_S, EventKind.ADD, 1, 9_999, 1_000, 7)
    bought(tape, 6)
    order(tape, START_S + 3.0, EventKind.DELETE, 1, 9_999, 0, 7)
    assert tape.read(feature, START_S + 3.0)["spoofing_score"] == 0.0  # not yet settled
    now = tape.read(feature, START_S + 4.0)["spoofing_score"]
    assert now == pytest.approx(np.log(6.0), rel=1e-6)
    assert tape.read(feature, START_S + 64.0)["spoofing_score"] == pytest.approx(now / 2.0, rel=1e-6)
