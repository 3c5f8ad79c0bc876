"""From sessions to rows: nothing of the future in the columns, repeatable, embargoed, thinned."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from footprint.data.planted import PlantedLaw
from footprint.data.session import Session
from footprint.data.synthetic import planted_sessions
from footprint.impact.evaluation.protocol import Protocol
from footprint.impact.rows import Rows
from footprint.impact.training import TapeRows, tape_rows
from footprint.market.events import EventKind
from footprint.units import NS_PER_DAY, NS_PER_SECOND

PROTOCOL = Protocol(traders_busy=(20,), traders_quiet=(5, 20), seeds=1, seeds_thin=1, rows_per_cell=100, parts=2)
KNOWN_BEFORE = ("x", "side", "participation", "volatility", "day_s", "spread_bps")


@pytest.fixture(scope="module")
def days() -> list[Session]:
    return list(planted_sessions(PlantedLaw(), 2, np.random.default_rng(0)))


@pytest.fixture(scope="module")
def tape(days: list[Session]) -> TapeRows:
    (tape,) = tape_rows(days, PROTOCOL)
    return tape


def changed_after(day: Session, time_ns: int) -> Session:
    """The same day up to a time, then other prices and sizes."""
    events = day.events.copy()
    later = events["exchange_time_ns"] > time_ns
    events["price_ticks"][later] += 700
    events["size_lots"][later] *= 3
    return replace(day, events=events)


def same(left: Rows, right: Rows, names: tuple[str, ...]) -> bool:
    return all(np.array_equal(getattr(left, n), getattr(right, n), equal_nan=True) for n in names)


def test_columns_know_nothing_of_what_comes_after_the_arrival(days: list[Session], tape: TapeRows) -> None:
    time_ns = (days[1].open_ns + days[1].close_ns) // 2
    (other,) = tape_rows([days[0], changed_after(days[1], time_ns)], PROTOCOL)
    for here, there in ((tape.arrival, other.arrival), (tape.in_flight, other.in_flight)):
        before, after = (r.take(r.start_ns <= time_ns) for r in (here, there))
        assert np.array_equal(before.start_ns, after.start_ns)
        # an order's own size is part of its plan: those with children on either side of the change are other orders
        whole = before.end_ns <= time_ns
        assert whole.sum() > 100
        for name in KNOWN_BEFORE:  # to rounding: realised costs are differences of running sums
            left, right = (getattr(r.take(whole), name) for r in (before, after))
            np.testing.assert_allclose(left, right, rtol=0.0, atol=1e-7, err_msg=name)
    outcomes = (r.outcomes[r.start_ns > time_ns - 600 * NS_PER_SECOND] for r in (tape.arrival, other.arrival))
    assert not np.array_equal(*outcomes, equal_nan=True)  # the change was seen where it may be


def test_same_sessions_same_rows(days: list[Session], tape: TapeRows) -> None:
    (again,) = tape_rows(iter(days), PROTOCOL)
    everything = tuple(name for name in Rows.__dataclass_fields__ if name not in ("x_names", "tape", "market"))
    assert same(tape.arrival, again.arrival, everything)
    assert same(tape.in_flight, again.in_flight, everything)


def test_rows_are_orders_that_are_forecast(tape: TapeRows, days: list[Session]) -> None:
    rows = tape.arrival
    assert (tape.name, tape.market) == ("SYNTH 2024-01", "synthetic")
    assert np.all(rows.children >= PROTOCOL.min_children)
    assert np.all(rows.horizon_s >= PROTOCOL.min_duration_s)
    assert rows.horizon_s == pytest.approx((rows.end_ns - rows.start_ns) / NS_PER_SECOND)
    assert np.all((rows.participation > 0) & (rows.volatility > 0) & (rows.spread_bps > 0))
    assert not np.isinf(rows.x).any()
    assert rows.x.shape == (len(rows), len(rows.x_names))
    for part, day in zip((1, 2), days, strict=True):
        mine = rows.take(rows.part == part)
        assert np.all(mine.start_ns >= day.open_ns)
        assert np.all(mine.end_ns + 600 * NS_PER_SECOND <= day.close_ns)
    assert np.all(np.isfinite(rows.outcomes[:, :2]))


def test_cells_are_thinned_to_the_cap(tape: TapeRows) -> None:
    full = PROTOCOL.rows_per_cell * len(tape.traders)
    for rows, stages, cap in ((tape.arrival, {0.0}, full), (tape.in_flight, {0.25, 0.5, 0.75}, full // 2)):
        assert set(rows.stage) == stages
        for part in (1, 2):
            for stage in stages:
                assert 0 < np.sum((rows.part == part) & (rows.stage == stage)) <= cap


def test_arrival_rows_know_no_progress_and_rows_in_flight_do(tape: TapeRows) -> None:
    column = tape.arrival.x_names.index("filled_fraction")
    assert np.all(tape.arrival.x[:, column] == 0.0)
    filled = tape.in_flight.x[:, column]
    assert np.all((filled > 0.0) & (filled < 1.0))
    means = [filled[tape.in_flight.stage == s].mean() for s in (0.25, 0.5, 0.75)]
    assert means == sorted(means)


def test_a_day_without_a_trade_gives_no_order(days: list[Session], tape: TapeRows) -> None:
    silent = replace(days[1], events=days[1].events[days[1].events["kind"] != EventKind.TRADE])
    (found,) = tape_rows([days[0], silent], PROTOCOL)
    assert found.children_per_session == (tape.children_per_session[0], 0)
    assert np.all(found.arrival.start_ns < days[0].close_ns)


def moved(day: Session, by_days: int) -> Session:
    events = day.events.copy()
    for clock in ("exchange_time_ns", "receive_time_ns"):
        events[clock] += by_days * NS_PER_DAY
    shift_ns = by_days * NS_PER_DAY
    return replace(
        day,
        day=day.day + timedelta(days=by_days),
        events=events,
        open_ns=day.open_ns + shift_ns,
        close_ns=day.close_ns + shift_ns,
    )


@pytest.mark.parametrize(("gap", "tapes"), [(7, 1), (8, 2)])
def test_a_long_break_or_another_symbol_starts_a_new_tape(days: list[Session], gap: int, tapes: int) -> None:
    first = days[0]
    assert len(list(tape_rows([first, moved(first, gap)], replace(PROTOCOL, parts=1)))) == tapes
    other = replace(first, instrument=replace(first.instrument, symbol="OTHER"))
    names = [t.name for t in tape_rows([first, other], replace(PROTOCOL, parts=1))]
    assert names == ["SYNTH 2024-01", "OTHER 2024-01"]


def test_tapes_long_enough_to_be_scored(tape: TapeRows) -> None:
    assert not tape.eligible(Protocol())  # two days of 6.5 hours
    assert tape.eligible(replace(PROTOCOL, min_sessions=2))
    assert tape.eligible(replace(PROTOCOL, min_continuous_s=46_800.0))
    assert not tape.eligible(replace(PROTOCOL, min_continuous_s=46_801.0))
