"""Boosted quantiles: learn from the columns, fall back to their start, sort what crosses."""

from dataclasses import replace

import numpy as np
import pytest

from footprint.errors import ModelError
from footprint.impact.boosting import QUANTILE_LEVELS, BoostedQuantiles
from footprint.impact.catalogue import DIFFUSIVE
from footprint.impact.distribution import LEVELS, mean
from footprint.impact.evaluation.scoring import covered, crps_bps
from footprint.impact.rows import Rows
from footprint.testing import check_impact_model
from footprint.testing.random_rows import random_rows

FEW_TREES = BoostedQuantiles(start=DIFFUSIVE, stages=(10, 40), min_rows_per_leaf=40, learning_rate=0.2)


@pytest.fixture(scope="module")
def past() -> Rows:
    return random_rows(np.random.default_rng(0), 2_500)


@pytest.fixture(scope="module")
def fresh() -> Rows:
    return random_rows(np.random.default_rng(1), 2_500)


def test_levels_lie_on_the_grid_and_are_symmetric() -> None:
    on_grid = LEVELS[np.searchsorted(LEVELS, np.array(QUANTILE_LEVELS) - 1e-9)]
    assert on_grid == pytest.approx(QUANTILE_LEVELS)
    assert np.array(QUANTILE_LEVELS)[::-1] == pytest.approx(1.0 - np.array(QUANTILE_LEVELS))


def test_a_column_that_tells_is_used(past: Rows, fresh: Rows) -> None:
    # outcomes hold half a scale of the column "drift", which no parametric model looks at
    start, fitted = DIFFUSIVE.fit(past, "peak"), FEW_TREES.fit(past, "peak")
    outcome = fresh.outcome("peak")
    loss, reference = (crps_bps(m.quantiles(fresh), outcome).mean() for m in (fitted, start))
    assert loss < 0.95 * reference
    median, drift = fitted.quantiles(fresh)[:, 49], fresh.x[:, fresh.x_names.index("drift")]
    moved = (median - start.quantiles(fresh)[:, 49]) / fresh.scale_bps("peak")
    assert np.corrcoef(moved, drift)[0, 1] > 0.8
    assert covered(fitted.quantiles(fresh), outcome, 0.9).mean() == pytest.approx(0.9, abs=0.05)


def test_trees_that_may_not_split_leave_the_start_as_it_is(past: Rows, fresh: Rows) -> None:
    silent = replace(FEW_TREES, min_rows_per_leaf=2_000).fit(past, "peak")
    assert np.array_equal(silent.quantiles(fresh), DIFFUSIVE.fit(past, "peak").quantiles(fresh))


def test_columns_that_say_nothing_change_little(past: Rows, fresh: Rows) -> None:
    noise = np.random.default_rng(2).standard_normal(past.x.shape)
    fitted = BoostedQuantiles(start=DIFFUSIVE).fit(replace(past, x=noise), "peak")
    outcome = fresh.outcome("peak")
    start = DIFFUSIVE.fit(past, "peak")
    loss, reference = (crps_bps(m.quantiles(fresh), outcome).mean() for m in (fitted, start))
    assert loss == pytest.approx(reference, rel=0.02)


def test_quantiles_do_not_cross_even_when_the_trees_do(past: Rows, fresh: Rows) -> None:
    wild = replace(FEW_TREES, learning_rate=1.0, min_rows_per_leaf=5, leaves=16, l2=0.0).fit(past, "peak")
    raw = DIFFUSIVE.fit(past, "peak").quantiles(fresh) / fresh.scale_bps("peak")[:, None]
    assert np.any(np.diff(raw + wild.forest.predict(fresh.x) @ wild.spread_levels, axis=1) < 0)
    assert np.all(np.diff(wild.quantiles(fresh), axis=1) >= 0)


def test_same_seed_same_bits_other_seed_other_trees(past: Rows, fresh: Rows) -> None:
    few = replace(FEW_TREES, stages=(3,))
    first, again, other = (m.fit(past, "peak").quantiles(fresh) for m in (few, few, replace(few, seed=8)))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_an_earlier_stage_is_the_fit_with_fewer_rounds(past: Rows, fresh: Rows) -> None:
    fitted = FEW_TREES.fit(past, "peak")
    stopped = replace(FEW_TREES, stages=(10,)).fit(past, "peak")
    assert np.array_equal(fitted.at(10).quantiles(fresh), stopped.quantiles(fresh))
    assert np.array_equal(fitted.at(0).quantiles(fresh), DIFFUSIVE.fit(past, "peak").quantiles(fresh))
    assert not np.array_equal(fitted.at(10).quantiles(fresh), fitted.quantiles(fresh))


@pytest.mark.filterwarnings("error")
def test_fitting_warns_of_nothing(past: Rows) -> None:
    replace(FEW_TREES, stages=(1,)).fit(past, "shift_600")


def test_rows_with_other_columns_are_an_error(past: Rows) -> None:
    fitted = replace(FEW_TREES, stages=(1,)).fit(past, "peak")
    with pytest.raises(ModelError, match="fit it again"):
        fitted.quantiles(replace(past, x_names=past.x_names[::-1]))


def test_contributions_add_up_to_what_the_trees_add_to_the_mean(past: Rows, fresh: Rows) -> None:
    fitted, start = FEW_TREES.fit(past, "peak"), DIFFUSIVE.fit(past, "peak")
    correction = fitted.forest.predict(fresh.x) @ fitted.spread_levels
    scale = fresh.scale_bps("peak")
    unsorted = start.quantiles(fresh) + scale[:, None] * correction
    added = (mean(unsorted) - mean(start.quantiles(fresh))) / scale
    values = fitted.contributions(fresh) / scale[:, None]
    constant = added - values.sum(axis=1)
    assert constant == pytest.approx(np.full(len(fresh), constant[0]), abs=1e-9)
    drift = fresh.x_names.index("drift")
    assert np.corrcoef(values[:, drift], fresh.x[:, drift])[0, 1] > 0.9
    assert fitted.importance().argmax() == drift
    assert fitted.importance().sum() == pytest.approx(1.0)


def test_boosting_from_nothing_starts_from_each_levels_constant(past: Rows, fresh: Rows) -> None:
    plain = replace(FEW_TREES, start=None)
    assert (plain.name, FEW_TREES.name) == ("boosted_quantiles_plain", "boosted_quantiles")
    silent = replace(plain, min_rows_per_leaf=2_000).fit(past, "peak")
    z = past.outcome("peak") / past.scale_bps("peak")
    found = silent.quantiles(fresh) / fresh.scale_bps("peak")[:, None]
    assert found == pytest.approx(np.broadcast_to(found[0], found.shape), rel=1e-12)
    below = np.average(z[:, None] <= found[0], axis=0, weights=past.tape_weights())
    assert below == pytest.approx(LEVELS, abs=0.02)
    fitted, outcome = plain.fit(past, "peak"), fresh.outcome("peak")
    loss, reference = (crps_bps(m.quantiles(fresh), outcome).mean() for m in (fitted, silent))
    assert loss < 0.95 * reference


def test_boosting_from_nothing_keeps_the_contract() -> None:
    check_impact_model(BoostedQuantiles(stages=(3, 10), min_rows_per_leaf=30, levels=(0.1, 0.5, 0.9)))
