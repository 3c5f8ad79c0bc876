"""Conformal calibration: right coverage from a wrong model, and folds that never see themselves."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
import pytest

from footprint.impact.calibration.conformal import CrossConformal, cross_fit, level_shifts, shifted
from footprint.impact.catalogue import DIFFUSIVE
from footprint.impact.distribution import LEVELS, NORMAL_SCORES
from footprint.impact.evaluation.scoring import covered
from footprint.impact.rows import Rows
from footprint.testing.random_rows import random_rows


@dataclass(frozen=True)
class Overconfident:
    """Half the width it should have, and a third of a scale too high."""

    name: str = "overconfident"

    def fit(self, rows: Rows, target: str) -> Overconfident:
        return self

    def quantiles(self, rows: Rows) -> np.ndarray:
        scale = rows.scale_bps("peak")[:, None]
        return DIFFUSIVE.basis(rows) + scale * (0.33 + 0.5 * NORMAL_SCORES)


@dataclass(frozen=True)
class Spy:
    """Notes the (training, predicted) values of one column at every prediction."""

    column: str
    seen: list[tuple[frozenset, frozenset]] = field(default_factory=list)
    name: str = "spy"

    def fit(self, rows: Rows, target: str) -> SpyFit:
        return SpyFit(self, frozenset(getattr(rows, self.column)))


@dataclass(frozen=True)
class SpyFit:
    spy: Spy
    trained: frozenset

    def quantiles(self, rows: Rows) -> np.ndarray:
        self.spy.seen.append((self.trained, frozenset(getattr(rows, self.spy.column))))
        return np.tile(NORMAL_SCORES + len(self.trained), (len(rows), 1))


def coverage(fitted, rows: Rows, band: float) -> float:
    return float(np.average(covered(fitted.quantiles(rows), rows.outcome("peak"), band), weights=rows.tape_weights()))


@pytest.mark.parametrize("fold_by", ["part", "symbol"])
def test_wrong_model_gets_the_right_coverage_on_fresh_rows(fold_by) -> None:
    past, fresh = (random_rows(np.random.default_rng(seed), 6_000) for seed in (0, 1))
    assert coverage(Overconfident(), fresh, 0.90) < 0.75
    fitted = CrossConformal(Overconfident(), fold_by).fit(past, "peak")
    assert coverage(fitted, fresh, 0.90) == pytest.approx(0.90, abs=0.015)
    assert coverage(fitted, fresh, 0.80) == pytest.approx(0.80, abs=0.02)
    quantiles, outcome, weights = fitted.quantiles(fresh), fresh.outcome("peak"), fresh.tape_weights()
    below = np.average(outcome[:, None] <= quantiles, axis=0, weights=weights)
    assert below == pytest.approx(LEVELS, abs=0.03)


def test_folds_by_part_never_see_their_own_part() -> None:
    spy = Spy("part")
    rows = random_rows(np.random.default_rng(0), 300)
    cross = cross_fit(spy, rows, "peak", "part")
    assert len(spy.seen) == 6
    assert all(not trained & predicted for trained, predicted in spy.seen)
    assert frozenset.union(*(predicted for _, predicted in spy.seen)) == frozenset(rows.part)
    assert all(len(trained) == 5 for trained, _ in spy.seen)
    assert np.all(cross.held_out[:, 49] == 5.0)  # every row was answered by a model of five parts
    assert cross.fitted.trained == frozenset(rows.part)


def test_folds_by_tape_never_see_their_own_tape() -> None:
    spy = Spy("tape")
    rows = random_rows(np.random.default_rng(0), 300)
    cross_fit(spy, rows, "peak", "tape")
    assert len(spy.seen) == 4
    assert all(not trained & predicted for trained, predicted in spy.seen)
    assert frozenset.union(*(predicted for _, predicted in spy.seen)) == frozenset(rows.tape)


@dataclass(frozen=True)
class Staged:
    """The further it is fitted the higher its forecast: stage 0 is right."""

    stages: tuple[int, ...] = (-2, -1, 0, 3)
    stage: int = 3
    name: str = "staged"

    def fit(self, rows: Rows, target: str) -> Staged:
        return self

    def at(self, stage: int) -> Staged:
        return replace(self, stage=stage)

    def quantiles(self, rows: Rows) -> np.ndarray:
        centre = DIFFUSIVE.basis(rows) + self.stage * rows.scale_bps("peak")[:, None]
        return centre + rows.scale_bps("peak")[:, None] * NORMAL_SCORES


@pytest.mark.parametrize("fold_by", ["part", "symbol"])
def test_staged_model_stops_where_the_held_out_folds_tell_it_to(fold_by) -> None:
    rows = random_rows(np.random.default_rng(0), 600)
    cross = cross_fit(Staged(), rows, "peak", fold_by)
    assert cross.fitted == Staged(stage=0)
    assert np.array_equal(cross.held_out, Staged(stage=0).quantiles(rows))


def test_stage_is_chosen_on_rows_that_the_fit_has_not_seen() -> None:
    """A model that learns its rows by heart looks best at its last stage in sample, and is not."""
    rows = random_rows(np.random.default_rng(0), 600)
    cross = cross_fit(ByHeart(), rows, "peak", "part")
    assert cross.fitted.stage == 1


@dataclass(frozen=True)
class ByHeart:
    """Stage 1: an honest forecast. Stage 2: a row it has seen exactly, any other three scales off."""

    stages: tuple[int, ...] = (1, 2)
    stage: int = 2
    seen: frozenset = frozenset()
    name: str = "by_heart"

    def fit(self, rows: Rows, target: str) -> ByHeart:
        return replace(self, seen=frozenset(rows.start_ns.tolist()))

    def at(self, stage: int) -> ByHeart:
        return replace(self, stage=stage)

    def quantiles(self, rows: Rows) -> np.ndarray:
        scale = rows.scale_bps("peak")[:, None]
        honest = DIFFUSIVE.basis(rows) + scale * NORMAL_SCORES
        if self.stage == 1:
            return honest
        known = np.isin(rows.start_ns, list(self.seen))[:, None]
        return np.where(known, rows.outcome("peak")[:, None], honest + 3.0 * scale)


def test_held_out_rows_stay_in_their_places() -> None:
    rows = random_rows(np.random.default_rng(0), 300)
    cross = cross_fit(Overconfident(), rows, "peak", "part")
    assert np.array_equal(cross.held_out, Overconfident().quantiles(rows))


def test_single_fold_is_calibrated_in_sample() -> None:
    rows = random_rows(np.random.default_rng(0), 600)
    rows = rows.take(rows.part == 1)
    cross = cross_fit(DIFFUSIVE, rows, "peak", "part")
    assert np.array_equal(cross.held_out, DIFFUSIVE.fit(rows, "peak").quantiles(rows))


def test_shift_is_the_weighted_quantile_of_the_errors() -> None:
    rows = random_rows(np.random.default_rng(0), 200)
    scale = rows.scale_bps("peak")
    quantiles = np.zeros((200, 99))
    off = replace(rows, outcomes=np.tile((3.0 * scale)[:, None], 5))  # always three scales above every level
    shifts = level_shifts(quantiles, off, "peak")
    assert shifts == pytest.approx(np.full(99, 3.0))
    assert shifted(quantiles, shifts, rows, "peak") == pytest.approx(np.tile(3.0 * scale[:, None], 99))


def test_shifts_weigh_tapes_equally() -> None:
    rows = random_rows(np.random.default_rng(0), 400)
    big = rows.tape == "AAA 2024-01"
    assert big.mean() > 0.4
    outcome = np.where(big, 0.0, 5.0) * rows.scale_bps("peak")
    split = replace(rows, outcomes=np.tile(outcome[:, None], 5))
    shifts = level_shifts(np.zeros((400, 99)), split, "peak")
    assert shifts[:24] == pytest.approx(np.zeros(24))  # one tape of four, a quarter of the weight
    assert shifts[25:] == pytest.approx(np.full(74, 5.0), abs=0.5)


def test_shifted_quantiles_never_cross() -> None:
    rows = random_rows(np.random.default_rng(0), 50)
    moved = shifted(np.tile(NORMAL_SCORES, (50, 1)), -2.0 * NORMAL_SCORES, rows, "peak")
    assert np.all(np.diff(moved, axis=1) >= 0)


def test_wrapper_carries_the_name_of_the_model() -> None:
    assert CrossConformal(DIFFUSIVE).name == DIFFUSIVE.name
