"""Predictive checks: uniform p-values for a right model, extreme ones for a wrong one, honest about overlap."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest
from tests.unit.impact.planted_outcomes import planted

from footprint.errors import ModelError
from footprint.impact.catalogue import DIFFUSIVE
from footprint.impact.distribution import LEVELS, NORMAL_SCORES
from footprint.impact.hierarchical import HierarchyPrior, prior_hierarchical
from footprint.impact.predictive_checks import (
    STATISTICS,
    PredictiveCheck,
    predictive_checks,
    quantile_at,
    shared_variance,
)
from footprint.impact.rows import Rows
from footprint.testing.random_rows import random_rows


@dataclass(frozen=True)
class Known:
    """The planted law itself, or one that is off by a shift and a factor in noise scales."""

    shift: float = 0.0
    width: float = 1.0

    def quantiles(self, rows: Rows) -> np.ndarray:
        scale = rows.scale_bps("peak")[:, None]
        return DIFFUSIVE.basis(rows) + scale * (self.shift + self.width * NORMAL_SCORES)


@pytest.fixture(scope="module")
def rows() -> Rows:
    rng = np.random.default_rng(0)
    base = random_rows(rng, 800)
    return planted(base, DIFFUSIVE.basis(base)[:, 0], rng)


def by_name(checks: tuple[PredictiveCheck, ...]) -> dict[str, PredictiveCheck]:
    return {check.statistic: check for check in checks}


def test_right_model_is_not_rejected() -> None:
    rng, p = np.random.default_rng(1), []
    for _ in range(40):
        base = random_rows(rng, 300)
        fresh = planted(base, DIFFUSIVE.basis(base)[:, 0], rng)
        p.append([check.p for check in predictive_checks(Known(), fresh, "peak", rng, 60)])
    shares = np.array(p)
    assert shares.mean(axis=0) == pytest.approx(np.full(len(STATISTICS), 0.5), abs=0.16)
    assert np.all((shares < 0.05).mean(axis=0) < 0.2)
    assert np.all((shares > 0.95).mean(axis=0) < 0.2)


def test_wrong_models_are_named_by_their_statistic(rows: Rows) -> None:
    rng = np.random.default_rng(2)
    high = by_name(predictive_checks(Known(shift=0.5), rows, "peak", rng))
    assert high["mean, bps"].p > 0.99  # every replicate lies above the outcomes
    assert high["mean, bps"].low > high["mean, bps"].observed
    wide = by_name(predictive_checks(Known(width=1.7), rows, "peak", rng))
    assert wide["sd, bps"].p > 0.99
    assert wide["5 % quantile, bps"].p < 0.01
    assert wide["95 % quantile, bps"].p > 0.99
    assert 0.01 < wide["mean, bps"].p < 0.99


def test_interval_holds_the_replicates(rows: Rows) -> None:
    for check in predictive_checks(Known(), rows, "peak", np.random.default_rng(3)):
        assert check.low <= check.median <= check.high


def test_statistics_of_known_outcomes(rows: Rows) -> None:
    outcome = rows.outcome("peak")
    observed = by_name(
        predictive_checks(Known(), replace(rows, tape=np.full(800, "A")), "peak", np.random.default_rng(4), 2)
    )
    assert observed["mean, bps"].observed == pytest.approx(outcome.mean())
    assert observed["sd, bps"].observed == pytest.approx(outcome.std())
    assert observed["95 % quantile, bps"].observed == pytest.approx(np.quantile(outcome, 0.95), rel=0.02)
    assert observed["share above 10 bps"].observed == pytest.approx(np.mean(outcome > 10.0))
    assert observed["skew, (mean - median) / sd"].observed == pytest.approx(
        (outcome.mean() - np.median(outcome)) / outcome.std()
    )


def test_shared_moves_widen_the_replicates(rows: Rows) -> None:
    """The same marginal law; once all rows of a half hour share most of their noise, whatever their side."""
    rng = np.random.default_rng(5)
    block = np.repeat(np.arange(40), 20)
    crowded = replace(rows, start_ns=rows.start_ns[0] + block * 1_800 * 10**9, market=np.full(800, "us"))
    noise = np.sqrt(0.8) * rng.standard_normal(40)[block] + np.sqrt(0.2) * rng.standard_normal(800)
    outcome = DIFFUSIVE.basis(crowded)[:, 0] + crowded.scale_bps("peak") * noise
    crowded = replace(crowded, outcomes=np.tile(outcome[:, None], 5))
    apart, together = (by_name(predictive_checks(Known(), r, "peak", rng))["mean, bps"] for r in (rows, crowded))
    assert together.high - together.low > 2.5 * (apart.high - apart.low)


@pytest.mark.parametrize(("common", "signed"), [(0.0, 0.0), (0.4, 0.0), (0.0, 0.4), (0.2, 0.5)])
def test_shared_variance_is_found(common: float, signed: float) -> None:
    rng = np.random.default_rng(6)
    block = np.repeat(np.arange(1_500), 8)
    side = rng.choice([-1.0, 1.0], len(block))
    factors, own = rng.standard_normal((2, 1_500))[:, block], rng.standard_normal(len(block))
    scores = np.sqrt(common) * factors[0] + np.sqrt(signed) * side * factors[1] + np.sqrt(1 - common - signed) * own
    assert shared_variance(scores, side, block) == pytest.approx((common, signed), abs=0.03)


def test_rows_alone_share_nothing() -> None:
    assert shared_variance(np.ones(5), np.ones(5), np.arange(5)) == (0.0, 0.0)


def test_sampler_inverts_the_distribution() -> None:
    rng = np.random.default_rng(7)
    levels = rng.random(200_000)
    values = quantile_at(np.tile(NORMAL_SCORES, (200_000, 1)), levels)
    assert np.quantile(values, LEVELS) == pytest.approx(NORMAL_SCORES, abs=0.03)
    assert values.min() < -2.6
    assert values.max() > 2.6
    assert np.all(np.diff(values[np.argsort(levels)]) >= 0.0)
    assert quantile_at(np.tile(NORMAL_SCORES, (99, 1)), LEVELS) == pytest.approx(NORMAL_SCORES)


def test_prior_predictive_check_draws_whole_laws(rows: Rows) -> None:
    """The mean of 800 rows must scatter as widely as the prior's laws do, not as 800 independent rows."""
    prior = HierarchyPrior(sd=(0.3, 0.3, 0.2), market_sd=(0.1, 0.1, 0.1), symbol_sd=(0.1, 0.1, 0.1))
    fitted = prior_hierarchical(prior, "peak", 500, NORMAL_SCORES, np.random.default_rng(8))
    checks = by_name(predictive_checks(fitted, rows, "peak", np.random.default_rng(9)))
    assert 0.02 < checks["mean, bps"].p < 0.98
    basis = np.average(DIFFUSIVE.basis(rows)[:, 0], weights=rows.tape_weights())
    assert checks["mean, bps"].high - checks["mean, bps"].low > 2.0 * 1.645 * 0.3 * basis


def test_too_few_rows_are_refused(rows: Rows) -> None:
    with pytest.raises(ModelError, match="at least 50 known outcomes, found 20"):
        predictive_checks(Known(), rows.take(np.arange(20)), "peak", np.random.default_rng(0))
