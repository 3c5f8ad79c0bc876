"""Does a model find itself again? Outcomes are drawn from a fitted model, and the model is fitted to them anew."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from math import sqrt
from typing import Any

import numpy as np

from footprint.impact.distribution import mean
from footprint.impact.interface import FittedImpact, ImpactModel
from footprint.impact.rows import TARGETS, Rows
from footprint.testing.random_rows import random_rows

Parameters = Callable[[Any], np.ndarray]

BAND = (4, 94)  # positions of the levels 5 and 95 %
COVERAGE = (0.88, 0.92)
NORMAL_SHARE = 0.9545  # of a normal law within two standard deviations
MOST_BIAS = 0.5  # standard errors
_TRUTH_ROWS = 4  # times as many as a draw has, so that the truth is not an odd one


@dataclass(frozen=True, slots=True)
class Recovery:
    """What the refits found.

    Attributes:
        truth: parameters that the outcomes were drawn with, shape (p,); p = 0 for a model without parameters.
        estimates: those of each refit, shape (draws, p).
        coverage: share of fresh outcomes of the truth inside the refits' 90 % bands, shape (draws,).
    """

    truth: np.ndarray
    estimates: np.ndarray
    coverage: np.ndarray

    @property
    def standard_errors(self) -> np.ndarray:
        """Deviation of a single estimate over the draws, shape (p,)."""
        return np.asarray(self.estimates.std(axis=0, ddof=1))

    @property
    def bias(self) -> np.ndarray:
        """Mean error in standard errors of a single estimate, shape (p,); 0 where estimate and truth never move."""
        error, spread = self.estimates.mean(axis=0) - self.truth, self.standard_errors
        return np.divide(error, spread, out=np.where(error == 0.0, 0.0, np.inf), where=spread > 0.0)

    @property
    def within(self) -> np.ndarray:
        """Share of the estimates that lie within two standard errors of the truth, shape (p,)."""
        return np.asarray((np.abs(self.estimates - self.truth) <= 2.0 * self.standard_errors).mean(axis=0))

    @property
    def mean_coverage(self) -> float:
        """Over all draws."""
        return float(self.coverage.mean())


def check_recovery(
    model: ImpactModel,
    parameters: Parameters | None = None,
    truth: FittedImpact | None = None,
    target: str = "shortfall",
    draws: int = 200,
    rows: int = 1_000,
    seed: int = 0,
) -> Recovery:
    """Check that a model recovers data drawn from itself.

    Three things must hold. The 90 % bands cover 88 to 92 % of fresh outcomes, on average over the draws. The mean
    error of each parameter is below half a standard error. Of the estimates of each parameter, the share within two
    standard errors of the truth is that of a normal law, 95.4 %, give or take three times the chance error of a share
    of so many draws (91.0 to 99.9 % for 200). A standard error is the deviation of the estimates over the draws.

    Args:
        parameters, truth, target, draws, rows, seed: as for `recover`.

    Returns:
        The figures.

    Raises:
        AssertionError: one of the three does not hold; the text says which, and the figures.
    """
    found = recover(model, parameters, truth, target, draws, rows, seed)
    low, high = COVERAGE
    if not low <= found.mean_coverage <= high:
        raise AssertionError(f"{model.name}: 90 % bands cover {found.mean_coverage:.1%}, not {low:.0%} to {high:.0%}")
    for i, bias in enumerate(found.bias):
        if not abs(bias) < MOST_BIAS:
            raise AssertionError(f"{model.name}: parameter {i} is off by {bias:+.2f} standard errors on average")
    margin = share_margin(draws)
    for i, share in enumerate(found.within):
        if not abs(share - NORMAL_SHARE) <= margin:
            raise AssertionError(
                f"{model.name}: parameter {i} is within two standard errors in {share:.1%} of the draws, "
                f"not in {NORMAL_SHARE - margin:.1%} to {min(NORMAL_SHARE + margin, 1.0):.1%}"
            )
    return found


def share_margin(draws: int) -> float:
    """Three times the chance error of the share of so many draws that lie within two standard errors."""
    return 3.0 * sqrt(NORMAL_SHARE * (1.0 - NORMAL_SHARE) / draws)


def recover(
    model: ImpactModel,
    parameters: Parameters | None = None,
    truth: FittedImpact | None = None,
    target: str = "shortfall",
    draws: int = 200,
    rows: int = 1_000,
    seed: int = 0,
) -> Recovery:
    """Fit `model` to outcomes of `truth`, again and again.

    Args:
        parameters: gives the parameters of a fitted model as one vector; None for a model without, of which only the
            coverage is measured.
        truth: the law to be recovered. None takes the model fitted to generated rows; if it has `residual_quantiles`,
            these are moved to mean 0, because a residual with a mean is a part of the mean that the parameters do not
            tell. The truth should lie inside the parameters' bounds: an estimate cannot scatter around a bound.
        draws: refits.
        rows: of each refit; as many others are drawn afresh to measure the coverage.
    """
    rng = np.random.default_rng(seed)
    training, fresh = random_rows(rng, rows), random_rows(rng, rows)
    if truth is None:
        truth = centred(model.fit(random_rows(rng, _TRUTH_ROWS * rows), target))
    expected, expected_fresh = truth.quantiles(training), truth.quantiles(fresh)
    estimates, coverage = [], []
    for _ in range(draws):
        fitted = model.fit(with_outcome(training, target, draw(expected, rng)), target)
        band = fitted.quantiles(fresh)[:, BAND]
        outcome = draw(expected_fresh, rng)
        coverage.append(np.mean((band[:, 0] <= outcome) & (outcome <= band[:, 1])))
        estimates.append(parameters(fitted) if parameters else np.empty(0))
    return Recovery(
        truth=parameters(truth) if parameters else np.empty(0),
        estimates=np.array(estimates),
        coverage=np.array(coverage),
    )


def centred(fitted: Any) -> Any:
    """The same fitted model with residuals of mean 0; unchanged if it has no `residual_quantiles`."""
    quantiles = getattr(fitted, "residual_quantiles", None)
    return fitted if quantiles is None else replace(fitted, residual_quantiles=quantiles - mean(quantiles))


def draw(quantiles: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """One outcome of each row by the inverse distribution function: linear between levels, exponential 1 % tails.

    Args:
        quantiles: shape (n, 99).

    Returns:
        bps, shape (n,).
    """
    level = rng.random(len(quantiles))
    row = np.arange(len(quantiles))
    left = np.clip((100.0 * level).astype(np.int64) - 1, 0, 97)
    share = np.clip(100.0 * level - 1.0 - left, 0.0, 1.0)
    inner = quantiles[row, left] * (1.0 - share) + quantiles[row, left + 1] * share
    below = (quantiles[:, 4] - quantiles[:, 0]) / np.log(5.0) * np.log(np.minimum(level / 0.01, 1.0))
    above = (quantiles[:, -1] - quantiles[:, -5]) / np.log(5.0) * -np.log(np.minimum((1.0 - level) / 0.01, 1.0))
    return inner + below + above


def with_outcome(rows: Rows, target: str, outcome_bps: np.ndarray) -> Rows:
    """The rows with another outcome of that target, known for all of them."""
    outcomes = rows.outcomes.copy()
    outcomes[:, TARGETS.index(target)] = outcome_bps
    return replace(rows, outcomes=outcomes)
