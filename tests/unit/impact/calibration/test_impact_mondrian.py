"""Mondrian widths: found where cells differ, left alone where only noise does."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from tests.unit.impact.planted_outcomes import planted

from footprint.impact.calibration.conformal import CrossConformal, cross_fit
from footprint.impact.calibration.mondrian import Cells, FittedMondrian, Mondrian, calibrate_by_cell
from footprint.impact.catalogue import DIFFUSIVE
from footprint.impact.evaluation.scoring import covered
from footprint.impact.rows import Rows
from footprint.testing import check_impact_model
from footprint.testing.check_recovery import recover
from footprint.testing.random_rows import random_rows

SIZES = {"AAA": 1.0, "BBB": 1.6, "CCC": 0.6, "DDD": 1.0}
BIG = 1.5  # times the noise for the largest third of each symbol


def rows_of(seed: int, count: int, differ: bool) -> Rows:
    rng = np.random.default_rng(seed)
    rows = planted(random_rows(rng, count), np.zeros(count), rng)
    if not differ:
        return rows
    factor = np.array([SIZES[name] for name in rows.symbol])
    factor[rows.participation > np.quantile(rows.participation, 2 / 3)] *= BIG
    return replace(rows, outcomes=factor[:, None] * rows.outcomes)


def cell_coverage(fitted, rows: Rows, cells: Cells) -> np.ndarray:
    inside = covered(fitted.quantiles(rows), rows.outcome("peak"), 0.90)
    _, cell = cells.numbers(rows)
    return np.array([inside[cell == c].mean() for c in range(9 * len(cells.symbols))])


def test_contract() -> None:
    check_impact_model(Mondrian(DIFFUSIVE), scale_free=True)


def test_cells_that_differ_get_their_own_width() -> None:
    past, fresh = rows_of(0, 12_000, True), rows_of(1, 24_000, True)
    fitted = Mondrian(DIFFUSIVE).fit(past, "peak")
    pooled = CrossConformal(DIFFUSIVE).fit(past, "peak")
    before, after = (cell_coverage(f, fresh, fitted.cells) for f in (pooled, fitted))
    assert np.mean((before >= 0.84) & (before <= 0.96)) < 0.6
    assert np.mean((after >= 0.84) & (after <= 0.96)) > 0.9
    assert np.isfinite(fitted.prior_rows).all()
    ratio = np.exp(fitted.symbol_log_width[1] - fitted.symbol_log_width[2])
    assert ratio == pytest.approx(SIZES["BBB"] / SIZES["CCC"], rel=0.15)


def test_cells_that_do_not_differ_stay_near_the_pool() -> None:
    """Twenty-odd rows a cell: read singly, factors scatter by some 20 %; drawn together, by a few percent."""
    found = [Mondrian(DIFFUSIVE).fit(rows_of(seed, 900, False), "peak") for seed in range(6)]
    assert np.mean([np.abs(f.symbol_log_width).mean() + np.abs(f.cell_log_width).mean() for f in found]) < 0.06
    assert any(np.isinf(f.prior_rows).any() for f in found)


def test_parts_that_disagree_count_as_noise() -> None:
    """Symbols that are wide in some parts and narrow in others are not wider or narrower symbols."""
    rng = np.random.default_rng(2)
    rows = planted(random_rows(rng, 6_000), np.zeros(6_000), rng)
    mood = np.exp(0.6 * rng.standard_normal((4, 6)))[np.unique(rows.symbol, return_inverse=True)[1], rows.part - 1]
    rows = replace(rows, outcomes=mood[:, None] * rows.outcomes)
    steady = replace(rows, part=1 + np.arange(len(rows)) % 6)  # the same rows, dealt to parts that agree
    by_time, dealt = (Mondrian(DIFFUSIVE).fit(r, "peak") for r in (rows, steady))
    assert np.ptp(dealt.symbol_log_width) > 0.2
    assert np.ptp(by_time.symbol_log_width) < 0.5 * np.ptp(dealt.symbol_log_width)
    assert by_time.prior_rows[0] > 5.0 * dealt.prior_rows[0]


def test_cells_are_thirds_of_each_symbol() -> None:
    rows = random_rows(np.random.default_rng(0), 3_000)
    cells = Cells.of(rows)
    symbol, cell = cells.numbers(rows)
    assert cells.symbols == ("AAA", "BBB", "CCC", "DDD")
    assert np.array_equal(cell // 9, symbol)
    for s in range(4):
        size = np.bincount((cell[symbol == s] % 9) // 3, minlength=3)
        volatility = np.bincount(cell[symbol == s] % 3, minlength=3)
        assert np.ptp(size) <= 2
        assert np.ptp(volatility) <= 2
    big = rows.participation > np.quantile(rows.participation[symbol == 0], 2 / 3)
    assert np.all((cell[(symbol == 0) & big] % 9) // 3 == 2)


def test_other_symbols_get_the_pooled_calibration() -> None:
    past = rows_of(0, 6_000, True)
    fitted = Mondrian(DIFFUSIVE).fit(past, "peak")
    pooled = CrossConformal(DIFFUSIVE).fit(past, "peak")
    fresh = random_rows(np.random.default_rng(3), 50)
    other = replace(fresh, tape=np.full(50, "EEE 2024-01"))
    assert fitted.quantiles(other) == pytest.approx(pooled.quantiles(other))
    assert not np.allclose(fitted.quantiles(fresh), pooled.quantiles(fresh))


def test_median_stays() -> None:
    past = rows_of(0, 3_000, True)
    fitted = Mondrian(DIFFUSIVE).fit(past, "peak")
    assert np.array_equal(fitted.quantiles(past)[:, 49], fitted.base.quantiles(past)[:, 49])


def test_single_part_tells_nothing_of_the_cells() -> None:
    rows = rows_of(0, 3_000, True)
    fitted = Mondrian(DIFFUSIVE).fit(rows.take(rows.part == 1), "peak")
    assert fitted.prior_rows == (np.inf, np.inf)
    assert not fitted.symbol_log_width.any()


def test_from_a_cross_fit_as_from_the_model() -> None:
    rows = rows_of(0, 2_000, True)
    fitted = calibrate_by_cell(cross_fit(DIFFUSIVE, rows, "peak"), rows, "peak")
    assert isinstance(fitted, FittedMondrian)
    assert np.array_equal(fitted.quantiles(rows), Mondrian(DIFFUSIVE).fit(rows, "peak").quantiles(rows))


def test_coverage_over_draws_from_itself() -> None:
    assert recover(Mondrian(DIFFUSIVE), draws=20).mean_coverage == pytest.approx(0.90, abs=0.02)


def test_name() -> None:
    assert Mondrian(DIFFUSIVE).name == "square_root_diffusive_mondrian"
