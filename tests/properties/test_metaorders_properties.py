"""Metaorders on any tape: every child in one run, nothing lost, names of traders do not matter."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from footprint.data.children import ChildTape
from footprint.data.metaorders import Metaorders, collect_runs
from footprint.units import NS_PER_SECOND

TRADERS = 4


@st.composite
def tapes(draw) -> tuple[ChildTape, np.ndarray]:
    """A tape of up to 60 children with shared timestamps and some breaks, and a trader for each; -1 is nobody."""
    count = draw(st.integers(0, 60))

    def column(values: st.SearchStrategy) -> np.ndarray:
        return np.array(draw(st.lists(values, min_size=count, max_size=count)), dtype=np.float64)

    mid = 100.0 + np.cumsum(column(st.sampled_from([-0.1, 0.0, 0.1])))
    time_ns = (np.cumsum(column(st.sampled_from([0.0, 0.5, 3.0]))) * NS_PER_SECOND).astype(np.int64)
    known = column(st.sampled_from([0.0, 0.0, 0.0, 0.0, np.nan]))
    tape = ChildTape(
        time_ns=time_ns,
        sign=column(st.sampled_from([-1.0, 1.0])).astype(np.int8),
        quantity=column(st.integers(1, 100)),
        price=mid + column(st.sampled_from([-0.05, 0.05])),
        mid_before=mid + known,
        known_mid=mid + known,
        event_index=np.arange(count),
        segment=np.cumsum(column(st.sampled_from([0.0] * 9 + [1.0]))).astype(np.int64),
        parent_id=np.full(count, -1),
        mid_time_ns=time_ns,
        mid=mid,
    )
    return tape, column(st.integers(-1, TRADERS - 1)).astype(np.int64)


def runs(orders: Metaorders) -> list[tuple[int, ...]]:
    return [
        tuple(orders.members[s : s + n].tolist()) for s, n in zip(orders.member_start, orders.children, strict=True)
    ]


def runs_by_hand(tape: ChildTape, trader: np.ndarray) -> set[tuple[int, ...]]:
    """All maximal runs, child by child; then those that can be measured."""
    found, current = [], {}
    for i, who in enumerate(trader.tolist()):
        if who < 0:
            continue
        run = current.get(who)
        if run and (tape.sign[run[-1]], tape.segment[run[-1]]) == (tape.sign[i], tape.segment[i]):
            run.append(i)
        else:
            current[who] = [i]
            found.append(current[who])

    def measurable(run: list[int]) -> bool:
        later = [j for j in range(len(tape)) if tape.time_ns[j] > tape.time_ns[run[-1]]]
        if not later or tape.segment[later[0]] != tape.segment[run[-1]]:
            return False
        return bool(np.isfinite(tape.mid_before[run[0]]) and np.isfinite(tape.mid_before[later[0]]))

    return {tuple(run) for run in found if measurable(run)}


@given(tapes())
def test_runs_are_those_of_a_plain_loop(case: tuple[ChildTape, np.ndarray]) -> None:
    tape, trader = case
    found = runs(collect_runs(tape, trader, min_children=1))
    assert len(found) == len(set(found))
    assert set(found) == runs_by_hand(tape, trader)


@given(tapes())
def test_every_child_of_somebody_is_member_of_exactly_one_run(case: tuple[ChildTape, np.ndarray]) -> None:
    tape, trader = case
    orders = collect_runs(tape, trader, min_children=1)
    assert sorted(orders.members.tolist()) == np.flatnonzero(trader >= 0).tolist()
    inside = [i for run in runs(orders) for i in run]
    assert len(inside) == len(set(inside))


@given(tapes())
def test_runs_hold_one_trader_one_sign_one_segment(case: tuple[ChildTape, np.ndarray]) -> None:
    tape, trader = case
    orders = collect_runs(tape, trader, min_children=1)
    for k, run in enumerate(runs(orders)):
        index = list(run)
        assert len(set(trader[index])) == len(set(tape.sign[index])) == len(set(tape.segment[index])) == 1
        assert all(a < b for a, b in pairwise(run))
        assert (orders.first[k], orders.last[k]) == (run[0], run[-1])
        assert orders.quantity[k] == tape.quantity[index].sum()
        assert orders.quantity[k] > 0
        vwap = tape.quantity[index] @ tape.price[index] / tape.quantity[index].sum()
        cost = tape.sign[run[0]] * (vwap - orders.arrival_mid[k]) / orders.arrival_mid[k] * 1e4
        assert abs(orders.shortfall_bps[k] - cost) < 1e-6


@given(tapes(), st.permutations(range(TRADERS)))
def test_names_of_traders_do_not_matter(case: tuple[ChildTape, np.ndarray], names: list[int]) -> None:
    tape, trader = case
    renamed = np.where(trader >= 0, np.array(names)[np.maximum(trader, 0)], -1)
    here, there = (collect_runs(tape, t, min_children=1) for t in (trader, renamed))
    assert set(runs(here)) == set(runs(there))
    assert sorted(here.peak_bps.tolist()) == sorted(there.peak_bps.tolist())


@given(tapes(), st.integers(1, 5), st.sampled_from([0.0, 0.5, 3.0, 6.0]))
def test_thresholds_only_leave_out(
    case: tuple[ChildTape, np.ndarray], min_children: int, min_duration_s: float
) -> None:
    tape, trader = case
    every = runs(collect_runs(tape, trader, min_children=1))
    kept = runs(collect_runs(tape, trader, min_children, min_duration_s))
    expected = [
        run
        for run in every
        if len(run) >= min_children and tape.time_ns[run[-1]] - tape.time_ns[run[0]] >= min_duration_s * NS_PER_SECOND
    ]
    assert kept == expected
