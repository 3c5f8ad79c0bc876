"""The quantile forest is scikit-learn's forest with Meinshausen's weights, and keeps the model contract."""

from dataclasses import replace

import numpy as np
import pytest

from footprint.errors import ModelError
from footprint.impact.calibration.conformal import CrossConformal
from footprint.impact.contributions import forest_average
from footprint.impact.distribution import LEVELS
from footprint.impact.evaluation.scoring import covered, crps_bps
from footprint.impact.interface import FittedImpact
from footprint.impact.random_forest import RandomForest
from footprint.impact.residuals import weighted_quantiles
from footprint.impact.rows import TARGETS, Rows
from footprint.testing import check_impact_model
from footprint.testing.random_rows import random_rows

FEW = RandomForest(trees=15)


@pytest.fixture(scope="module")
def past() -> Rows:
    return random_rows(np.random.default_rng(0), 800)


@pytest.fixture(scope="module")
def fresh() -> Rows:
    return random_rows(np.random.default_rng(1), 800)


@pytest.mark.parametrize("thresholds", ["best", "random"])
def test_forecasts_are_meinshausens(past: Rows, fresh: Rows, thresholds: str) -> None:
    model = replace(FEW, thresholds=thresholds)
    fitted = model.fit(past, "peak")
    z, tape_weights = past.outcome("peak") / past.scale_bps("peak"), past.tape_weights()
    trees = model._grow(past.x.astype(np.float32).astype(np.float64), z, tape_weights)
    trained, asked = (np.column_stack([t.apply(r.x.astype(np.float32)) for t in trees]) for r in (past, fresh))
    quantiles = fitted.quantiles(fresh) / fresh.scale_bps("peak")[:, None]
    mean = fitted.forest.predict(fresh.x.astype(np.float32))[:, 0]
    for i in range(0, len(fresh), 40):
        together = (trained == asked[i]) * tape_weights[:, None]
        weights = (together / together.sum(axis=0)).mean(axis=1)
        near = weights > 0
        assert quantiles[i] == pytest.approx(weighted_quantiles(z[near], weights[near], LEVELS), abs=1e-5)
        assert mean[i] == pytest.approx(weights @ z, abs=1e-10)


def test_many_rows_are_binned_and_little_changes() -> None:
    # 2,000 rows are more than there are bins; a tree that never splits has all of them in its leaf
    rows = random_rows(np.random.default_rng(2), 2_000)
    stump = RandomForest(trees=1, min_rows_per_leaf=1_001, rows_per_tree=2_000).fit(rows, "peak")
    assert len(stump.outcomes) <= 1_000
    found = stump.quantiles(rows.take(np.arange(1)))[0] / rows.scale_bps("peak")[0]
    z, weights = rows.outcome("peak") / rows.scale_bps("peak"), rows.tape_weights()
    below = np.average(z[:, None] <= found, axis=0, weights=weights)
    assert below == pytest.approx(LEVELS, abs=0.002)


@pytest.mark.parametrize("thresholds", ["best", "random"])
def test_it_learns_mean_and_width(thresholds: str) -> None:
    past, fresh = (random_rows(np.random.default_rng(seed), 4_000) for seed in (0, 1))
    fitted = RandomForest(thresholds, trees=40).fit(past, "peak")
    constant = RandomForest(trees=1, min_rows_per_leaf=2_000).fit(past, "peak")
    outcome = fresh.outcome("peak")
    loss, reference = (crps_bps(m.quantiles(fresh), outcome).mean() for m in (fitted, constant))
    assert loss < 0.9 * reference
    share = fitted.importance()
    assert share.sum() == pytest.approx(1.0)
    assert set(np.argsort(share)[-3:]) == {past.x_names.index(n) for n in ("log_participation", "log_horizon", "drift")}
    large = fresh.participation / np.sqrt(fresh.horizon_s) > np.median(fresh.participation / np.sqrt(fresh.horizon_s))
    median = fitted.quantiles(fresh)[:, 49] / fresh.scale_bps("peak")
    assert median[large].mean() > median[~large].mean() + 0.3


def redrawn(fitted: FittedImpact, rows: Rows, rng: np.random.Generator) -> Rows:
    """The same rows with outcomes drawn from their forecasts."""
    level, quantiles = rng.uniform(size=len(rows)), fitted.quantiles(rows)
    drawn = np.array([np.interp(u, LEVELS, q) for u, q in zip(level, quantiles, strict=True)])
    return replace(rows, outcomes=np.repeat(drawn[:, None], len(TARGETS), axis=1))


def mean_coverage(truth: FittedImpact, draws: int) -> float:
    """Share of outcomes inside the calibrated 90 % band of forests refitted to what `truth` draws."""
    model, found = CrossConformal(replace(FEW, thresholds="random")), []
    for seed in range(draws):
        rng = np.random.default_rng([5, seed])
        past, fresh = (redrawn(truth, random_rows(rng, 1_500), rng) for _ in range(2))
        found.append(covered(model.fit(past, "peak").quantiles(fresh), fresh.outcome("peak"), 0.9).mean())
    return float(np.mean(found))


def test_bands_cover_draws_from_the_model_itself(past: Rows) -> None:
    assert 0.88 <= mean_coverage(FEW.fit(past, "peak"), 4) <= 0.92


@pytest.mark.nightly
def test_bands_cover_two_hundred_draws_from_the_model_itself(past: Rows) -> None:
    assert 0.88 <= mean_coverage(FEW.fit(past, "peak"), 200) <= 0.92


def test_contributions_add_up_to_the_mean(past: Rows, fresh: Rows) -> None:
    fitted = FEW.fit(past, "peak")
    scale = fresh.scale_bps("peak")
    total = fitted.contributions(fresh).sum(axis=1) / scale + forest_average(fitted.forest, np.ones(1))
    assert total == pytest.approx(fitted.forest.predict(fresh.x.astype(np.float32))[:, 0], abs=1e-9)
    z = past.outcome("peak") / past.scale_bps("peak")
    assert forest_average(fitted.forest, np.ones(1)) == pytest.approx(np.average(z, weights=past.tape_weights()))


def test_rows_with_other_columns_are_an_error(past: Rows) -> None:
    with pytest.raises(ModelError, match="fit it again"):
        FEW.fit(past, "peak").quantiles(replace(past, x_names=past.x_names[::-1]))


@pytest.mark.parametrize("thresholds", ["best", "random"])
def test_the_contract_holds(thresholds: str) -> None:
    check_impact_model(RandomForest(thresholds, trees=60, rows_per_tree=1_000))
