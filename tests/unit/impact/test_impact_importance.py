"""Importance: the column that tells is named by the gain of the trees and by what is lost without it."""

from dataclasses import replace

import lightgbm
import numpy as np
import pytest

from footprint.impact.boosting import BoostedQuantiles
from footprint.impact.catalogue import DIFFUSIVE
from footprint.impact.importance import gain_importance, permutation_importance
from footprint.impact.rows import Rows
from footprint.impact.trees import flatten
from footprint.testing.random_rows import random_rows


@pytest.fixture(scope="module")
def past() -> Rows:
    return random_rows(np.random.default_rng(0), 1_500)


@pytest.fixture(scope="module")
def fresh() -> Rows:
    return random_rows(np.random.default_rng(1), 1_500)


def test_gain_is_lightgbms_also_of_fewer_rounds() -> None:
    rng = np.random.default_rng(0)
    x = rng.standard_normal((600, 4))
    y = x[:, 0] - 2.0 * np.abs(x[:, 2]) + rng.standard_normal(600)
    model = lightgbm.train({"verbosity": -1, "num_threads": 1}, lightgbm.Dataset(x, y), 12)
    forest = flatten([model.dump_model()])
    for rounds in (3, 12):
        expected = model.feature_importance("gain", iteration=rounds)
        assert gain_importance(forest.first(rounds), 4) == pytest.approx(expected / expected.sum(), rel=1e-5)
    assert np.array_equal(gain_importance(forest.first(0), 4), np.zeros(4))


def test_what_is_lost_without_a_column(past: Rows, fresh: Rows) -> None:
    model = BoostedQuantiles(start=DIFFUSIVE, stages=(30,), min_rows_per_leaf=40, learning_rate=0.2)
    fitted, drift = model.fit(past, "peak"), past.x_names.index("drift")
    lost = permutation_importance(fitted, fresh, "peak", np.random.default_rng(0), repeats=1)
    assert lost.shape == (len(past.x_names),)
    assert lost.argmax() == drift
    assert lost[drift] > 0.05
    assert np.abs(np.delete(lost, drift)).max() < 0.1 * lost[drift]
    assert lost[past.x_names.index("never")] == 0.0
    assert fitted.importance().argmax() == drift
    assert fitted.importance().sum() == pytest.approx(1.0)


def test_a_model_that_reads_no_column_loses_nothing(past: Rows, fresh: Rows) -> None:
    fitted = DIFFUSIVE.fit(past, "shift_600")
    lost = permutation_importance(fitted, fresh, "shift_600", np.random.default_rng(0), repeats=1)
    assert np.abs(lost).max() < 1e-12


def test_shuffling_repeats_and_leaves_the_rows_alone(past: Rows) -> None:
    fitted = BoostedQuantiles(start=DIFFUSIVE, stages=(5,), min_rows_per_leaf=40).fit(past, "peak")
    rows = replace(past, x=past.x.copy())
    rows.x.setflags(write=False)
    first, again = (permutation_importance(fitted, rows, "peak", np.random.default_rng(3), 1) for _ in range(2))
    assert np.array_equal(first, again)
