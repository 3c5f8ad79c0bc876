"""`metaorders-1` on a tape of ten market orders, every figure by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from ten_children import CHILDREN, TRADERS, child_tape, empty_tape

from footprint.data.metaorders import Metaorders, collect_runs, deal_traders, in_flight, lasting_shift_bps, metaorders
from footprint.units import NS_PER_SECOND


def members(orders: Metaorders) -> list[list[int]]:
    return [orders.members[s : s + n].tolist() for s, n in zip(orders.member_start, orders.children, strict=True)]


def test_runs_end_with_the_sign_and_with_the_segment() -> None:
    orders = collect_runs(child_tape(), TRADERS)
    assert members(orders) == [[0, 2, 4], [5, 7]]
    assert orders.sign.tolist() == [1, -1]
    assert orders.first.tolist() == [0, 5]
    assert orders.last.tolist() == [4, 7]
    assert orders.children.tolist() == [3, 2]
    assert orders.quantity.tolist() == [60.0, 30.0]
    assert (orders.start_ns / NS_PER_SECOND).tolist() == [1.0, 6.0]
    assert (orders.end_ns / NS_PER_SECOND).tolist() == [5.0, 8.0]


def test_segment_breaks_a_run_that_would_go_on() -> None:
    unbroken = replace(child_tape(), segment=np.zeros(10, np.int64))
    later = replace(child_tape(), segment=np.repeat([0, 1], [7, 3]))  # between the sells at 6 and at 8 seconds
    alone = collect_runs(unbroken, np.zeros(10, np.int64))
    assert members(alone) == [[0, 1, 2]]  # the last sells have no next order, the others stand alone
    assert members(collect_runs(later, TRADERS)) == [[0, 2, 4]]


def test_mids_before_the_first_child_and_before_the_next_order_of_anyone() -> None:
    orders = collect_runs(child_tape(), TRADERS)
    assert orders.arrival_mid.tolist() == [100.0, 100.3]
    assert orders.end_mid.tolist() == [100.3, 100.0]  # before 5 (its own next) and before 8 (of trader 1)


def test_next_order_must_be_strictly_later() -> None:
    trader = TRADERS.copy()
    trader[7] = 2  # the sell at 6 seconds now ends a run; the buy of the same instant is not after it
    orders = collect_runs(child_tape(), trader, min_children=1)
    assert orders.end_mid[orders.last == 5] == 100.1


def test_peak_is_positive_when_the_price_went_with_the_order() -> None:
    orders = collect_runs(child_tape(), TRADERS)
    assert orders.peak_bps == pytest.approx([30.0, 0.3 / 100.3 * 1e4])


def test_shortfall_is_positive_when_it_costs() -> None:
    orders = collect_runs(child_tape(), TRADERS)
    bought = (10 * 100.1 + 20 * 100.3 + 30 * 100.4) / 60
    sold = (10 * 100.2 + 20 * 100.0) / 30
    assert bought > 100.0 > 0
    assert orders.shortfall_bps == pytest.approx([(bought - 100.0) * 100.0, (100.3 - sold) / 100.3 * 1e4])
    assert np.all(orders.shortfall_bps > 0)


def test_mirrored_market_gives_the_same_orders_with_other_signs() -> None:
    """Prices mirrored at 100 and sides swapped: what was bought dear is now sold cheap."""
    tape = child_tape()
    mirrored = replace(
        tape, sign=-tape.sign, price=200 - tape.price, mid_before=200 - tape.mid_before, mid=200 - tape.mid
    )
    here, there = (collect_runs(t, TRADERS) for t in (tape, mirrored))
    assert there.sign.tolist() == [-1, 1]
    for name in ("peak_bps", "shortfall_bps"):
        ours, theirs = getattr(here, name) * here.arrival_mid, getattr(there, name) * there.arrival_mid
        assert theirs == pytest.approx(ours)


def test_run_without_a_next_order_in_its_segment_is_dropped() -> None:
    orders = collect_runs(child_tape(), TRADERS, min_children=1)
    assert [8] not in members(orders)  # the next order comes after the halt
    assert [9] not in members(orders)  # no next order at all
    assert members(orders) == [[0, 2, 4], [5, 7], [1], [3], [6]]


def test_unknown_mids_drop_the_run() -> None:
    for index, survivors in ((0, [[5, 7]]), (8, [[0, 2, 4]]), (5, [])):
        mid = child_tape().mid_before.copy()
        mid[index] = np.nan
        assert members(collect_runs(replace(child_tape(), mid_before=mid), TRADERS)) == survivors


@pytest.mark.parametrize(("children", "count"), [(1, 5), (2, 2), (3, 1), (4, 0)])
def test_min_children(children: int, count: int) -> None:
    assert len(collect_runs(child_tape(), TRADERS, min_children=children)) == count


@pytest.mark.parametrize(("seconds", "count"), [(0.0, 2), (2.0, 2), (2.001, 1), (4.0, 1), (4.001, 0)])
def test_min_duration(seconds: float, count: int) -> None:
    assert len(collect_runs(child_tape(), TRADERS, min_duration_s=seconds)) == count


def test_children_of_nobody_neither_count_nor_break_runs() -> None:
    trader = np.where(TRADERS == 1, -1, 0)
    assert members(collect_runs(child_tape(), trader, min_children=1)) == [[0, 2, 4], [5, 7]]
    trader[2] = -1
    assert members(collect_runs(child_tape(), trader)) == [[0, 4], [5, 7]]


def test_no_market_order_no_metaorder() -> None:
    assert len(metaorders(empty_tape(), 5, np.random.default_rng(0))) == 0
    assert len(collect_runs(child_tape(), np.full(10, -1))) == 0


def test_taking_orders_keeps_their_members() -> None:
    orders = collect_runs(child_tape(), TRADERS)
    assert members(orders.take(np.array([1]))) == [[5, 7]]
    assert members(orders.take(orders.sign > 0)) == [[0, 2, 4]]


def test_lasting_shift_reads_the_mid_that_long_after_the_last_child() -> None:
    tape = child_tape()
    orders = collect_runs(tape, TRADERS)
    # the buy ended at 5 s: mid 100.0 until 6.5 s, then 100.4; the sell at 8 s, when the mid became 100.2
    assert lasting_shift_bps(tape, orders, 0.0) == pytest.approx([0.0, 0.1 / 100.3 * 1e4])
    assert lasting_shift_bps(tape, orders, 1.0)[0] == pytest.approx(0.0)
    assert lasting_shift_bps(tape, orders, 2.0)[0] == pytest.approx(40.0)
    assert lasting_shift_bps(tape, orders, 3.0)[0] == pytest.approx(20.0)


def test_lasting_shift_is_unknown_once_trading_has_stopped() -> None:
    tape = child_tape()
    orders = collect_runs(tape, TRADERS)
    # the last order of the first segment came at 9 s: what comes later is not the same trading
    assert np.isfinite(lasting_shift_bps(tape, orders, 3.999)[0])
    assert np.isnan(lasting_shift_bps(tape, orders, 4.0)[0])
    assert np.isnan(lasting_shift_bps(tape, orders, 10.0)).all()
    assert np.isnan(lasting_shift_bps(tape, orders, 600.0)).all()


def test_in_flight_half_way() -> None:
    tape = child_tape()
    part = in_flight(tape, collect_runs(tape, TRADERS), 0.5, min_rest_s=0.0)
    # the buy: two of three children (10 at 100.1, 20 at 100.3) done when the third comes, mid 100.3
    assert part.filled_fraction == pytest.approx([0.5, 1 / 3])
    assert part.elapsed_s.tolist() == [4.0, 2.0]
    assert part.realised_move_bps == pytest.approx([30.0, 0.2 / 100.3 * 1e4])
    assert part.realised_cost_bps == pytest.approx([(3007 / 30 - 100.0) * 100.0, 0.1 / 100.3 * 1e4])
    rest = part.rest
    assert members(rest) == [[4], [7]]
    assert rest.first.tolist() == rest.last.tolist() == [4, 7]
    assert rest.quantity.tolist() == [30.0, 20.0]
    assert rest.children.tolist() == [1, 1]
    assert (rest.start_ns / NS_PER_SECOND).tolist() == [5.0, 8.0]
    assert rest.arrival_mid.tolist() == [100.3, 100.1]
    assert rest.end_mid.tolist() == [100.3, 100.0]
    assert rest.peak_bps == pytest.approx([0.0, 0.1 / 100.1 * 1e4])
    assert rest.shortfall_bps == pytest.approx([0.1 / 100.3 * 1e4, 0.1 / 100.1 * 1e4])


def test_in_flight_leaves_at_least_one_child_on_either_side() -> None:
    tape = child_tape()
    orders = collect_runs(tape, TRADERS)
    early, late = (in_flight(tape, orders, f, min_rest_s=0.0).rest for f in (0.01, 0.99))
    assert members(early) == [[2, 4], [7]]
    assert members(late) == [[4], [7]]


def test_in_flight_drops_orders_that_are_all_but_done() -> None:
    tape = child_tape()
    part = in_flight(tape, collect_runs(tape, TRADERS), 0.25, min_rest_s=2.0)
    assert members(part.rest) == [[2, 4]]
    assert len(part.filled_fraction) == len(part.elapsed_s) == len(part.realised_cost_bps) == 1
    assert len(in_flight(tape, collect_runs(tape, TRADERS), 0.25, min_rest_s=2.001).rest) == 0


@pytest.mark.parametrize("fraction", [0.25, 0.5, 0.75])
def test_filled_and_rest_make_the_whole(fraction: float) -> None:
    """Notional and quantity of both halves add up, on many orders of a longer tape."""
    rng = np.random.default_rng(0)
    count = 3_000
    price = 100.0 * np.exp(np.cumsum(1e-4 * rng.standard_normal(count)))
    rows = zip(
        np.sort(rng.uniform(0, 1e4, count)),
        rng.choice([-1, 1], count),
        rng.lognormal(0, 1, count),
        price * (1 + 1e-4),
        price,
        np.zeros(count, int),
        strict=True,
    )
    tape = child_tape(tuple(rows))
    orders = metaorders(tape, 20, rng, min_children=2)
    part = in_flight(tape, orders, fraction, min_rest_s=0.0)
    assert len(part.rest) == len(orders) > 300
    filled = orders.quantity * part.filled_fraction
    assert filled + part.rest.quantity == pytest.approx(orders.quantity, abs=1e-9)
    whole, done, rest = (
        mid * (1.0 + orders.sign * bps / 1e4)
        for mid, bps in (
            (orders.arrival_mid, orders.shortfall_bps),
            (orders.arrival_mid, part.realised_cost_bps),
            (part.rest.arrival_mid, part.rest.shortfall_bps),
        )
    )
    total = part.filled_fraction * done + (1.0 - part.filled_fraction) * rest
    assert total == pytest.approx(whole, abs=1e-9)
    # and the peak of the whole is the move so far plus the peak of the rest
    peak = part.realised_move_bps * orders.arrival_mid + part.rest.peak_bps * part.rest.arrival_mid
    assert peak == pytest.approx(orders.peak_bps * orders.arrival_mid, abs=1e-6)


def test_equal_traders_are_equally_active() -> None:
    trader = deal_traders(50_000, 20, np.random.default_rng(0))
    shares = np.bincount(trader, minlength=20) / 50_000
    assert shares == pytest.approx(np.full(20, 0.05), abs=0.005)


def test_pareto_traders_are_not() -> None:
    trader = deal_traders(50_000, 20, np.random.default_rng(0), "pareto")
    assert trader.min() >= 0
    assert trader.max() < 20
    shares = np.bincount(trader, minlength=20) / 50_000
    assert shares.max() > 3 * np.median(shares)


@pytest.mark.parametrize("activity", ["equal", "pareto"])
def test_same_generator_same_orders(activity: str) -> None:
    first, again, other = (
        metaorders(child_tape(CHILDREN), 2, np.random.default_rng(seed), activity, min_children=1) for seed in (0, 0, 1)
    )
    assert members(first) == members(again)
    assert members(first) != members(other)
