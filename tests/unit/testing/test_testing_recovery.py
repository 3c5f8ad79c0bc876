"""The recovery check passes a sound model and says what is wrong with others."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest

from footprint.impact.catalogue import DIFFUSIVE, SPREAD
from footprint.impact.distribution import LEVELS, NORMAL_SCORES, mean, prob_exceed, probability_integral_transform
from footprint.impact.linear_mean import FittedLinearMean
from footprint.impact.rows import Rows
from footprint.testing.check_recovery import centred, check_recovery, draw, recover, share_margin
from footprint.testing.random_rows import random_rows


def coefficients(fitted: FittedLinearMean) -> np.ndarray:
    return fitted.coefficients


@dataclass(frozen=True)
class Spoilt:
    """A sound model whose fits are changed."""

    name: str = "spoilt"

    def fit(self, rows: Rows, target: str) -> FittedLinearMean:
        return self.spoil(SPREAD.fit(rows, target), rows)

    def spoil(self, fitted: FittedLinearMean, rows: Rows) -> FittedLinearMean:
        return fitted


class TooSure(Spoilt):
    def spoil(self, fitted, rows):
        return replace(fitted, residual_quantiles=0.8 * fitted.residual_quantiles)


class TooWide(Spoilt):
    def spoil(self, fitted, rows):
        return replace(fitted, residual_quantiles=1.2 * fitted.residual_quantiles)


class Shrunk(Spoilt):
    """A mean that is too small by little, with the bands in the right place all the same."""

    def spoil(self, fitted, rows):
        return replace(fitted, coefficients=0.95 * fitted.coefficients)


TRUTH = centred(SPREAD.fit(random_rows(np.random.default_rng(8), 4_000), "shortfall"))


def test_sound_model_passes_and_gives_its_figures() -> None:
    found = check_recovery(Spoilt(), coefficients, draws=100, rows=500)
    assert found.truth.shape == found.bias.shape == found.within.shape == (2,)
    assert found.estimates.shape == (100, 2)
    assert found.mean_coverage == pytest.approx(0.9, abs=0.015)
    assert found.standard_errors == pytest.approx(found.estimates.std(axis=0, ddof=1))


@pytest.mark.parametrize(
    ("model", "complaint"),
    [
        (TooSure(), "cover 8[0-7]"),
        (TooWide(), "cover 9[3-6]"),
        (Shrunk(), "parameter 0 is off by -"),
    ],
    ids=lambda v: type(v).__name__,
)
def test_unsound_models_are_caught(model, complaint) -> None:
    with pytest.raises(AssertionError, match=complaint):
        check_recovery(model, coefficients, truth=TRUTH, draws=100, rows=500)


def test_estimates_that_do_not_scatter_like_a_normal_law_are_caught() -> None:
    standard_error = recover(SPREAD, coefficients, truth=TRUTH, draws=100, rows=500).standard_errors[0]

    def either_right_or_far_off(fitted: FittedLinearMean) -> np.ndarray:
        error = (fitted.coefficients[:1] - TRUTH.coefficients[:1]) / standard_error
        return np.sign(error) * (np.abs(error) > 1.5)

    with pytest.raises(AssertionError, match="parameter 0 is within two standard errors in 8"):
        check_recovery(SPREAD, either_right_or_far_off, truth=TRUTH, draws=100, rows=500)


def test_model_without_parameters_is_held_to_its_coverage_alone() -> None:
    assert check_recovery(Spoilt(), draws=20, rows=500).within.shape == (0,)
    with pytest.raises(AssertionError, match="cover"):
        check_recovery(TooSure(), draws=20, rows=500)


def test_same_seed_gives_the_same_figures() -> None:
    one, other, another = (recover(DIFFUSIVE, coefficients, draws=5, rows=300, seed=s) for s in (1, 1, 2))
    assert np.array_equal(one.estimates, other.estimates)
    assert not np.array_equal(one.estimates, another.estimates)


def test_given_truth_is_the_one_that_is_recovered() -> None:
    found = recover(SPREAD, coefficients, truth=replace(TRUTH, coefficients=np.array([2.0, 3.0])), draws=20, rows=500)
    assert found.truth == pytest.approx([2.0, 3.0])
    assert np.abs(found.bias).max() < 1.0


def test_draws_follow_the_quantiles_and_their_tails() -> None:
    row = np.concatenate([NORMAL_SCORES[:60], 3.0 * NORMAL_SCORES[60:]])
    outcome = draw(np.tile(row, (100_000, 1)), np.random.default_rng(0))
    share = probability_integral_transform(np.tile(row, (len(outcome), 1)), outcome)
    assert np.quantile(share, LEVELS[4:-4]) == pytest.approx(LEVELS[4:-4], abs=0.005)
    assert outcome.mean() == pytest.approx(float(mean(row)), abs=0.02)
    for threshold in (row[0] - 0.5, row[-1] + 2.0):
        assert np.mean(outcome > threshold) == pytest.approx(float(prob_exceed(row, threshold)), abs=0.001)


def test_centred_residuals_have_no_mean() -> None:
    fitted = DIFFUSIVE.fit(random_rows(np.random.default_rng(0), 400), "shortfall")
    assert abs(float(mean(fitted.residual_quantiles))) > 1e-3
    assert float(mean(centred(fitted).residual_quantiles)) == pytest.approx(0.0, abs=1e-12)
    assert centred(object) is object


def test_margin_of_a_share_narrows_with_the_draws() -> None:
    assert share_margin(200) == pytest.approx(0.0442, abs=1e-4)
    assert share_margin(50) == pytest.approx(2.0 * share_margin(200))
