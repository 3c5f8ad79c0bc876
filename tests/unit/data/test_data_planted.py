"""The planted tape: what the law says is what the tape shows, and nothing else."""

from dataclasses import replace

import numpy as np
import pytest

from footprint.data.planted import PlantedLaw, draw_law
from footprint.data.planted_rows import LAGS, ROWS_SHAPE, child_tapes, planted_rows
from footprint.data.planted_tape import planted_tape
from footprint.data.tape_shape import volume_clock

LAW = PlantedLaw(exponent=0.42, prefactor=1.3, decay=0.35)
SILENT = replace(ROWS_SHAPE, noise_ratio=0.0)
ALONE = replace(SILENT, parents_per_day=1)


def test_law_golden_numbers() -> None:
    law = PlantedLaw(exponent=0.5, prefactor=0.8, decay=0.5, volatility=0.02, day_volume=1e6)
    assert law.impact(10_000) == pytest.approx(0.8 * 0.02 * 0.1)
    assert law.retained(3.0) == pytest.approx(0.5)
    assert law.retained(0.0) == 1.0


def test_drawn_laws_cover_their_ranges() -> None:
    laws = [draw_law(np.random.default_rng(seed)) for seed in range(200)]
    for name, low, high in (("exponent", 0.35, 0.65), ("prefactor", 0.5, 1.5), ("decay", 0.2, 0.6)):
        values = np.array([getattr(law, name) for law in laws])
        assert low <= values.min() < low + 0.05 * (high - low)
        assert high - 0.05 * (high - low) < values.max() <= high


@pytest.mark.parametrize("u_shape", [0.0, 1.0])
def test_law_holds_without_noise(u_shape: float) -> None:
    rows = planted_rows(LAW, 300, np.random.default_rng(1), replace(ALONE, u_shape=u_shape))
    peak = LAW.impact(rows.participation * LAW.day_volume) / LAW.volatility
    np.testing.assert_allclose(rows.peak, peak, atol=1e-9)
    expected = peak[:, None] * LAW.retained(np.array(LAGS))
    inside = np.isfinite(rows.path)
    assert inside.mean() > 0.5
    np.testing.assert_allclose(rows.path[inside], expected[inside], atol=1e-9)


def test_law_holds_at_every_child() -> None:
    tape = planted_tape(LAW, ALONE, 100, np.random.default_rng(2))
    children = tape.parent >= 0
    for parent in range(100):
        mine = children & (tape.parent == parent)
        done = np.cumsum(tape.quantity[mine])
        sign = tape.parents.sign[parent]
        np.testing.assert_allclose(tape.after[mine], sign * LAW.impact(done), atol=1e-12)
        assert done[-1] == tape.parents.quantity[parent]
        assert np.all(tape.sign[mine] == sign)


def test_overlapping_metaorders_add_up() -> None:
    shape = replace(SILENT, parents_per_day=2, smallest=0.05, background_trades=0)
    tape = planted_tape(LAW, shape, 50, np.random.default_rng(3), refreshes=20)
    parents = tape.parents
    overlaps = 0
    for i in np.flatnonzero(tape.reading >= 0):
        total = 0.0
        both = np.flatnonzero(parents.day == tape.day[i])
        for p in both:
            children = np.flatnonzero((tape.parent == p) & (tape.time_ns <= tape.time_ns[i]))
            if len(children) == parents.children[p]:
                late = (tape.time_ns[i] - parents.end_ns[p]) / parents.duration_ns[p]
                total += parents.sign[p] * LAW.impact(parents.quantity[p]) * LAW.retained(late)
            elif len(children):
                total += parents.sign[p] * LAW.impact(tape.quantity[children].sum())
        overlaps += np.all(parents.start_ns[both] < tape.time_ns[i])
        assert tape.before[i] == pytest.approx(total, abs=1e-12)
    assert overlaps > 100


def test_noise_is_at_least_three_times_the_mean_impact() -> None:
    for seed in range(3):
        law = draw_law(np.random.default_rng(seed))
        rows = planted_rows(law, 20_000, np.random.default_rng(seed))
        mean = law.impact(rows.participation * law.day_volume) / law.volatility
        assert np.std(rows.peak - mean) > 3.0 * mean.mean()
        middle = np.abs(np.log10(rows.participation) + 3.0) < 0.2  # the median size
        assert np.std(rows.peak[middle] - mean[middle]) > 2.9 * mean[middle].mean()


def test_metaorders_overlap_and_cover_four_decades() -> None:
    rows = planted_rows(LAW, 20_000, np.random.default_rng(4))
    assert rows.participation.min() < 2e-5
    assert rows.participation.max() > 0.09
    np.testing.assert_allclose(rows.duration, 5.0 * rows.participation, rtol=1e-6)
    assert rows.duration.sum() / (rows.day.max() + 1) > 1.5  # at work at the same time, on average


@pytest.mark.parametrize("seed", [0, 1])
def test_rows_follow_the_seed(seed: int) -> None:
    first, again = (planted_rows(LAW, 500, np.random.default_rng(seed)) for _ in range(2))
    np.testing.assert_array_equal(first.peak, again.peak)
    np.testing.assert_array_equal(first.path, again.path)
    assert not np.array_equal(first.peak, planted_rows(LAW, 500, np.random.default_rng(seed + 7)).peak)


def test_child_tapes_hold_every_trade_once() -> None:
    tape = planted_tape(LAW, ROWS_SHAPE, 5, np.random.default_rng(5), lags=(1.0,))
    days = child_tapes(tape)
    assert len(days) == 5
    assert sum(len(day) for day in days) == np.count_nonzero(tape.sign)
    for day in days:
        assert np.all(np.diff(day.time_ns) >= 0)
        np.testing.assert_array_equal(day.mid_before, 100.0 * np.exp(tape.before[day.event_index]))
    assert {int(p) for day in days for p in day.parent_id} == set(range(-1, len(tape.parents)))


def test_volume_clock_runs_from_open_to_close_and_is_fast_at_both_ends() -> None:
    clock = volume_clock(np.linspace(0.0, 1.0, 11), 1.0)
    assert clock[0] == pytest.approx(0.0)
    assert clock[-1] == pytest.approx(1.0)
    steps = np.diff(clock)
    assert np.all(steps > 0)
    assert steps[0] > 2 * steps[5]
    np.testing.assert_allclose(steps, steps[::-1])


def test_background_trades_carry_their_share_of_the_noise_and_no_more() -> None:
    shape = replace(ROWS_SHAPE, background_trades=2_000, background_share=0.4)
    tape = planted_tape(PlantedLaw(prefactor=1e-9), replace(shape, noise_ratio=3e9), 400, np.random.default_rng(6))
    background = (tape.parent < 0) & (tape.sign != 0)
    step = tape.after - tape.before
    assert np.all(step[background] * tape.sign[background] > 0)
    np.testing.assert_allclose(step[~background], 0.0, atol=1e-9)
    daily_sd = 3.0 * 10**-1.5 * 0.015 / np.sqrt(5e-3)  # ratio x impact of 0.1 % of the day over the root of its life
    by_trades = np.bincount(tape.day[background], step[background])
    closes = tape.after[np.append(np.diff(tape.day) > 0, True)]
    assert np.std(closes) == pytest.approx(daily_sd, rel=0.12)
    assert np.var(by_trades) == pytest.approx(0.4 * daily_sd**2, rel=0.25)


def test_noise_cannot_come_from_trades_that_do_not_exist() -> None:
    with pytest.raises(ValueError, match="needs background_trades"):
        replace(ROWS_SHAPE, background_trades=0, background_share=0.1)
    with pytest.raises(ValueError, match="must lie in"):
        replace(ROWS_SHAPE, background_share=1.5)
