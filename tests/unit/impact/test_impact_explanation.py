"""Explanations: the columns' part of a mean, exact through calibration, averages and the stack."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest
from tests.unit.impact.planted_outcomes import planted_rows

from footprint.errors import ModelError
from footprint.impact.averaged import FittedAverage
from footprint.impact.bayesian_ridge import BayesianRidge
from footprint.impact.calibration.conformal import FittedConformal
from footprint.impact.catalogue import DIFFUSIVE
from footprint.impact.distribution import NORMAL_SCORES, mean
from footprint.impact.explanation import contributions_bps, explain, importance
from footprint.impact.interface import FittedImpact
from footprint.impact.random_forest import RandomForest
from footprint.impact.rows import Rows
from footprint.impact.stacking import FittedStack
from footprint.impact.training_range import TrainingRange

DRIFT = 2  # of random_rows' columns


@dataclass(frozen=True)
class Sum:
    """Mean = slope x drift, bps: what its only column adds is known."""

    slope: float

    def quantiles(self, rows: Rows) -> np.ndarray:
        return self.slope * rows.x[:, DRIFT, None] + rows.scale_bps("peak")[:, None] * NORMAL_SCORES

    def contributions(self, rows: Rows) -> np.ndarray:
        out = np.zeros_like(rows.x)
        out[:, DRIFT] = self.slope * rows.x[:, DRIFT]
        return out

    def importance(self) -> np.ndarray:
        return np.eye(6)[DRIFT] if self.slope else np.zeros(6)


@pytest.fixture(scope="module")
def rows() -> Rows:
    return planted_rows(0, 600, lambda rows: rows.scale_bps("peak") * rows.x[:, DRIFT])


def stack_of(rows: Rows, members: tuple[FittedImpact, ...], weights: list[float], local: tuple[bool, ...]):
    names = tuple(str(i) for i in range(len(members)))
    fallback = local.index(False)
    return FittedStack("peak", names, members, np.array(weights), local, fallback, TrainingRange.of(rows), np.zeros(99))


def test_a_law_has_no_columns_to_explain(rows: Rows) -> None:
    law = DIFFUSIVE.fit(rows, "peak")
    found = explain(FittedConformal(law, "peak", np.linspace(-0.1, 0.1, 99)), rows)
    assert found.names == rows.x_names
    assert not found.contributions_bps.any()
    assert not found.explained_weight.any()
    assert found.mean_bps == pytest.approx(mean(law.quantiles(rows)))
    assert importance(law)[1] == 0.0
    assert len(importance(law)[0]) == 0


def test_calibration_keeps_what_the_columns_add(rows: Rows) -> None:
    forest = RandomForest(trees=5).fit(rows, "peak")
    names, found = contributions_bps(FittedConformal(forest, "peak", np.linspace(-0.1, 0.1, 99)), rows)
    assert names == rows.x_names
    assert np.array_equal(found, forest.contributions(rows))
    # a forest starts at the training mean, a constant number of noise scales: the columns add all the rest
    scale = rows.scale_bps("peak")
    rest = (mean(forest.quantiles(rows)) - found.sum(axis=1)) / scale
    assert np.median(found[:, DRIFT] * np.sign(rows.x[:, DRIFT])) > 0
    assert np.std(rest) < 0.2 * np.std(found.sum(axis=1) / scale)  # the 99 levels cut the tails: nearly constant


def test_a_stack_is_explained_by_weight_and_says_how_far(rows: Rows) -> None:
    law = DIFFUSIVE.fit(rows, "peak")
    inside = rows.take(TrainingRange.of(rows).trust(rows) == 1.0)
    found = explain(stack_of(rows, (law, Sum(2.0), Sum(4.0)), [0.5, 0.3, 0.2], (False, True, True)), inside)
    drift = inside.x[:, DRIFT]
    assert found.explained_weight == pytest.approx(0.5)
    assert found.contributions_bps[:, DRIFT] == pytest.approx((0.3 * 2.0 + 0.2 * 4.0) * drift)
    assert not np.delete(found.contributions_bps, DRIFT, axis=1).any()
    assert found.mean_bps == pytest.approx(0.5 * mean(law.quantiles(inside)) + 1.4 * drift)


def test_an_average_inside_a_stack_shares_its_weight(rows: Rows) -> None:
    law = DIFFUSIVE.fit(rows, "peak")
    stacked = stack_of(rows, (FittedAverage((law, Sum(2.0))), law), [0.6, 0.4], (False, False))
    found = explain(stacked, rows)
    assert found.explained_weight == pytest.approx(0.3)
    assert found.contributions_bps[:, DRIFT] == pytest.approx(0.6 * rows.x[:, DRIFT])
    assert importance(stacked) == (pytest.approx(np.eye(6)[DRIFT]), pytest.approx(0.3))


def test_far_from_the_training_data_little_is_left_to_explain(rows: Rows) -> None:
    far = replace(rows, participation=rows.participation * 1e9)
    stacked = stack_of(rows, (DIFFUSIVE.fit(rows, "peak"), Sum(2.0)), [0.1, 0.9], (False, True))
    found = explain(stacked, far)
    assert found.explained_weight.max() < 0.1
    assert found.contributions_bps[:, DRIFT] == pytest.approx(found.explained_weight * 2.0 * rows.x[:, DRIFT])
    assert importance(stacked)[1] == pytest.approx(0.9)


def test_a_sum_of_real_members(rows: Rows) -> None:
    forest, ridge = RandomForest(trees=5).fit(rows, "peak"), BayesianRidge().fit(rows, "peak")
    stacked = stack_of(rows, (DIFFUSIVE.fit(rows, "peak"), forest, ridge), [0.0, 0.25, 0.75], (False, False, False))
    _, found = contributions_bps(stacked, rows)
    assert found == pytest.approx(0.25 * forest.contributions(rows) + 0.75 * ridge.contributions(rows))
    shares, explained = importance(stacked)
    assert explained == pytest.approx(1.0)
    assert shares == pytest.approx(0.25 * forest.importance() + 0.75 * ridge.importance())
    assert shares.argmax() == DRIFT


def test_importance_of_members_that_use_no_column(rows: Rows) -> None:
    assert importance(Sum(0.0)) == (pytest.approx(np.zeros(6)), 1.0)
    shares, _ = importance(FittedAverage((Sum(0.0), Sum(1.0))))
    assert shares == pytest.approx(np.eye(6)[DRIFT])


def test_other_columns_are_refused(rows: Rows) -> None:
    forest = RandomForest(trees=2).fit(rows, "peak")
    with pytest.raises(ModelError, match="columns differ"):
        explain(forest, replace(rows, x_names=rows.x_names[::-1]))
