"""Every impact model keeps the public contract, and the contract catches models that break it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import ClassVar

import numpy as np
import pytest

from footprint.impact.averaged import Averaged
from footprint.impact.boosting import BoostedQuantiles
from footprint.impact.calibration.conformal import CrossConformal
from footprint.impact.catalogue import DIFFUSIVE, POOLED, SPREAD, parametric
from footprint.impact.distribution import NORMAL_SCORES
from footprint.impact.istar import IStar
from footprint.impact.linear import Linear
from footprint.impact.pooled_law import PooledLaw
from footprint.impact.rows import Rows
from footprint.impact.stacking import Stack
from footprint.testing import check_impact_model
from footprint.testing.random_rows import random_rows

PARAMETRIC = tuple(dict.fromkeys((*parametric("peak"), *parametric("shortfall"), replace(POOLED, state_names=()))))
FEW_TREES = BoostedQuantiles(start=SPREAD, stages=(2, 4), min_rows_per_leaf=20)
COMPOSED = {
    "averaged": Averaged((SPREAD, IStar())),
    "boosted": FEW_TREES,
    "boosted_shift": replace(FEW_TREES, start=Averaged((DIFFUSIVE, PooledLaw())), stages=(1, 3)),
    "conformal_by_part": CrossConformal(SPREAD),
    "conformal_by_tape": CrossConformal(FEW_TREES, "tape"),
    "stack_by_part": Stack((SPREAD, IStar(), FEW_TREES)),
    "stack_by_symbol": Stack((DIFFUSIVE, SPREAD, FEW_TREES), "symbol"),
}


@pytest.mark.parametrize("model", PARAMETRIC, ids=lambda m: m.name)
def test_parametric_models_keep_the_contract(model) -> None:
    # I-star is searched for from a start in bps, so its last digits know the unit
    check_impact_model(model, scale_free=not isinstance(model, IStar))


@pytest.mark.parametrize("name", COMPOSED)
def test_composed_models_keep_the_contract(name) -> None:
    check_impact_model(COMPOSED[name], scale_free=name in ("boosted", "boosted_shift", "conformal_by_part"))


def test_contract_holds_on_other_rows() -> None:
    check_impact_model(FEW_TREES, random_rows(np.random.default_rng(2), 900), scale_free=True)


@dataclass
class Broken:
    """A correct model with one thing overridden."""

    name: ClassVar = "broken"

    def fit(self, rows: Rows, target: str) -> BrokenFit:
        return BrokenFit(self, DIFFUSIVE.fit(rows, target), target)

    @staticmethod
    def spoil(quantiles: np.ndarray, rows: Rows, target: str) -> np.ndarray:
        return quantiles


@dataclass
class BrokenFit:
    model: Broken
    fitted: object
    target: str

    def quantiles(self, rows: Rows) -> np.ndarray:
        return self.model.spoil(self.fitted.quantiles(rows), rows, self.target)


class Nameless(Broken):
    name = None


class Crossing(Broken):
    spoil = staticmethod(lambda q, rows, target: q[:, ::-1])


class Infinite(Broken):
    spoil = staticmethod(lambda q, rows, target: np.where(rows.spread_bps[:, None] > 5, np.inf, q))


class NineLevels(Broken):
    spoil = staticmethod(lambda q, rows, target: q[:, 9::10])


class SinglePrecision(Broken):
    spoil = staticmethod(lambda q, rows, target: q.astype(np.float32))


class KnowsTheBatch(Broken):
    spoil = staticmethod(lambda q, rows, target: q - q[:, 49].sum())


class Peeks(Broken):
    spoil = staticmethod(lambda q, rows, target: q + 0.01 * np.nan_to_num(rows.outcome(target))[:, None])


class OneBasisPointMore(Broken):
    spoil = staticmethod(lambda q, rows, target: q + 1.0)


class Lucky(Broken):
    """Another random draw at every fit."""

    draws = np.random.default_rng(0)

    def fit(self, rows, target):
        chosen = np.sort(self.draws.permutation(len(rows))[: len(rows) // 2 + 30])
        return super().fit(rows.take(chosen) if len(rows) > 50 else rows, target)


class Restless(Broken):
    """Another random draw at every reading."""

    draws = np.random.default_rng(0)
    spoil = staticmethod(lambda q, rows, target: q + Restless.draws.normal())


class Remembers(Broken):
    fits: int = 0

    def fit(self, rows, target):
        self.fits += 1
        return super().fit(rows, target)


class FillsIn(Broken):
    """Writes into the rows that it was given."""

    def fit(self, rows, target):
        rows.x[np.isnan(rows.x)] = 0.0
        return super().fit(rows, target)


class CountsUnknownAsZero(Broken):
    def fit(self, rows, target):
        return super().fit(replace(rows, outcomes=np.nan_to_num(rows.outcomes)), target)


class ContentWithLittle(Broken):
    def fit(self, rows, target):
        return super().fit(rows.take(np.arange(100) % len(rows)) if 0 < len(rows) < 50 else rows, target)


class CrashesWhenEmpty(Broken):
    def fit(self, rows, target):
        if not len(rows):
            raise IndexError("no rows")
        return super().fit(rows, target)


class OneRowOneVote(Broken):
    """Every row, not every tape, has the same weight."""

    def fit(self, rows, target):
        return super().fit(replace(rows, tape=np.full(len(rows), "all")), target)


class StagesOutOfOrder(Broken):
    stages = (4, 2)

    def fit(self, rows, target):
        fitted = super().fit(rows, target)
        fitted.at = partial(same_at_every_stage, fitted)
        return fitted


class EndsAtAnotherStage(StagesOutOfOrder):
    stages = (2, 4)

    def fit(self, rows, target):
        fitted = super().fit(rows, target)
        fitted.at = partial(same_at_every_stage, Linear().fit(rows, target))
        return fitted


def same_at_every_stage(fitted, stage):
    return fitted


class NotPicklable(Broken):
    def fit(self, rows, target):
        fitted = super().fit(rows, target)
        fitted.note = lambda: None
        return fitted


@pytest.mark.parametrize(
    ("broken", "complaint"),
    [
        (Nameless, "name"),
        (Crossing, "cross"),
        (Infinite, "finite"),
        (NineLevels, "shape"),
        (SinglePrecision, "float64"),
        (KnowsTheBatch, "other rows"),
        (Peeks, "looks at the outcomes"),
        (OneBasisPointMore, "in proportion"),
        (Lucky, "fits of the same rows differ"),
        (Restless, "fits of the same rows differ"),
        (Remembers, "model changed"),
        (FillsIn, "rows changed"),
        (CountsUnknownAsZero, "without an outcome"),
        (ContentWithLittle, "ModelError"),
        (OneRowOneVote, "weigh the same"),
        (NotPicklable, "cannot be pickled"),
        (StagesOutOfOrder, "stages must increase"),
        (EndsAtAnotherStage, "end with the last stage"),
    ],
)
def test_broken_models_are_caught(broken, complaint) -> None:
    with pytest.raises(AssertionError, match=complaint):
        check_impact_model(broken(), scale_free=True)


def test_unbroken_one_passes() -> None:
    """So that the complaints above are about what each broken model overrides."""
    check_impact_model(Broken(), scale_free=True)


def test_other_errors_than_model_error_are_not_hidden() -> None:
    with pytest.raises(IndexError):
        check_impact_model(CrashesWhenEmpty())


def test_random_rows_hold_what_the_check_needs() -> None:
    rows = random_rows(np.random.default_rng(0), 600)
    assert len(np.unique(rows.tape)) == 4
    assert len(np.unique(rows.market)) == 2
    assert set(np.unique(rows.part)) == set(range(1, 7))
    assert len(np.unique(rows.stage)) == 4
    assert np.isnan(rows.x).any(axis=0).tolist() == [False, False, False, False, True, True]
    assert 0 < np.isnan(rows.outcome("shift_600")).sum() < 200
    noise = (rows.outcome("peak") - DIFFUSIVE.fit(rows, "peak").mean_bps(rows)) / rows.scale_bps("peak")
    assert np.quantile(np.abs(noise), 0.999) > 1.3 * NORMAL_SCORES[-1] * noise.std()
