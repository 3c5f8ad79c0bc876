"""An order that leaks is found; one that does not gives intervals that hold 0 and 0.5, at the stated rate."""

from dataclasses import replace

import numpy as np
import pytest

from footprint.errors import DataRefused
from footprint.impact.leakage.blocks import BLOCK_S
from footprint.impact.leakage.market import market_of
from footprint.impact.leakage.matched import BAND_NS, LEAD_S, match, mean_excess, overlaps
from footprint.impact.leakage.order_leakage import NULLS, order_leakage
from footprint.impact.leakage.orders import synthetic_orders
from footprint.impact.leakage.placebo import false_positive_rates
from footprint.impact.leakage.planted_check import PlantedMarket, detections, found, planted_market
from footprint.units import NS_PER_DAY, NS_PER_SECOND

LEAK = 0.5  # half as many market orders again on the order's side


@pytest.fixture(scope="module")
def leaking() -> PlantedMarket:
    return planted_market(LEAK, np.random.default_rng(1))


def test_an_order_that_leaks_is_found_by_every_figure():
    drift, growth, opposite, auc = found(LEAK, seed=1)
    assert drift.estimate.low > 0.0
    assert growth.estimate.value == pytest.approx(LEAK, abs=0.15)
    assert growth.estimate.low > 0.0
    assert opposite.estimate.high < growth.estimate.low
    assert auc.estimate.low > 0.5


def test_an_order_that_does_not_leak_is_not():
    share = detections(0.0, range(100, 120))
    assert all(rate <= 0.2 for rate in share.values()), share  # four of twenty: one in 370 at 5 %


@pytest.mark.nightly
def test_false_positives_over_400_markets_are_near_five_percent():
    share = detections(0.0, range(1000, 1400))
    assert all(rate <= 0.05 + 2 * np.sqrt(0.05 * 0.95 / 400) for rate in share.values()), share


def test_own_market_orders_are_taken_off_the_flow_of_others(leaking):
    orders = leaking.orders
    growth = order_leakage(leaking.tapes, orders, BLOCK_S, np.random.default_rng(2))[1].estimate.value
    seconds = (orders.end_ns - orders.start_ns) / NS_PER_SECOND
    market = market_of(leaking.tapes)
    unit = market.run_unit[market.run_of(orders.start_ns, orders.end_ns)]
    ours = replace(orders, quantity=4.0 * growth * unit * seconds, aggression=np.full(len(orders), 0.25))
    less = order_leakage(leaking.tapes, ours, BLOCK_S, np.random.default_rng(2))[1].estimate.value
    assert less == pytest.approx(0.0, abs=1e-9)  # all that came is said to be our own


def test_windows_are_like_the_order_and_free_of_orders(leaking):
    market = market_of(leaking.tapes)
    matched = match(market, leaking.orders, leaking.orders, np.random.default_rng(3))
    assert len(matched.orders) > 0.8 * len(leaking.orders)
    own = matched.orders.take(matched.order)
    np.testing.assert_array_equal(matched.end_ns - matched.start_ns, own.end_ns - own.start_ns)
    apart = np.abs(matched.start_ns % NS_PER_DAY - own.start_ns % NS_PER_DAY)
    assert apart.max() <= BAND_NS
    lead_ns = int(LEAD_S * NS_PER_SECOND)
    assert not overlaps(leaking.orders, matched.start_ns - lead_ns, matched.end_ns).any()
    for start, end in zip(leaking.orders.start_ns, leaking.orders.end_ns, strict=True):
        assert not ((matched.start_ns <= end) & (matched.end_ns >= start)).any()


def test_windows_shared_by_all_orders_are_no_independent_evidence():
    rng, n, k = np.random.default_rng(4), 40, 10
    day = np.arange(n) * 7200 * NS_PER_SECOND
    shared_ns = np.arange(k) * 7200 * NS_PER_SECOND + 3600 * NS_PER_SECOND
    value = rng.standard_normal(k)
    replicates, _ = mean_excess(
        np.zeros(n), day, np.tile(value, n), np.tile(shared_ns, n), np.repeat(np.arange(n), k), BLOCK_S, rng
    )
    assert replicates[0] == pytest.approx(-value.mean())
    assert replicates[1:].std() == pytest.approx(value.std() / np.sqrt(k), rel=0.15)


def test_few_orders_are_said_and_not_measured(leaking):
    figures = order_leakage(leaking.tapes, leaking.orders.take(np.arange(4)), BLOCK_S, np.random.default_rng(5))
    assert all(m.reason.endswith("orders with a matched window, needs 10") for m in figures)


def test_placebo_orders_give_the_rate_of_false_alarms(leaking):
    rates = false_positive_rates(leaking.tapes, leaking.orders, BLOCK_S, np.random.default_rng(6), repeats=15)
    assert [m.name for m in rates] == [f"false_positives_{kind.name}" for kind, _ in NULLS]
    assert all(m.estimate.value <= 4 / 15 and m.estimate.low < 0.1 < m.estimate.high for m in rates)


def test_synthetic_orders_leave_quiet_time_around_each(leaking):
    orders = synthetic_orders(leaking.tapes, np.random.default_rng(7))
    assert len(orders) > 10
    same_day = np.diff(orders.start_ns // NS_PER_DAY) == 0
    assert ((orders.start_ns[1:] - orders.end_ns[:-1])[same_day] >= 299 * NS_PER_SECOND).all()


def test_a_tape_without_a_mid_is_refused(leaking):
    empty = leaking.tapes[0].__class__(
        **{name: getattr(leaking.tapes[0], name)[:0] for name in leaking.tapes[0].__dataclass_fields__}
    )
    with pytest.raises(DataRefused, match="no trading with a known mid"):
        market_of([empty])
