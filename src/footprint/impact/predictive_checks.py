"""Predictive checks: does data drawn from the model look like the data? (Rubin 1984; Gelman, Meng & Stern 1996)

Of every replicate and of the outcomes the same statistics are taken; the predictive p-value is the share of replicates
whose statistic is at least as large. From a fitted model that is a posterior predictive check, from a prior
(`hierarchical.prior_hierarchical`) a prior predictive one: there the outcomes should lie well inside, and the
replicates should not be absurd. Orders of one half hour share the market's move, with the sign of their side, and more;
replicates share as much, by a normal copula with two factors a block. Clusters of volatility are not replicated, so
that p-values of the sd and of the tails are a little too small.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
from scipy.special import ndtr, ndtri

from footprint.errors import ModelError
from footprint.impact.distribution import probability_integral_transform
from footprint.impact.interface import FittedImpact
from footprint.impact.overlap import blocks
from footprint.impact.residuals import weighted_quantiles
from footprint.impact.rows import Rows

THRESHOLD_BPS = 10.0
FEWEST_ROWS = 50


@runtime_checkable
class ParameterDraws(Protocol):
    """A fitted model that keeps the distribution of its parameters."""

    def drawn_quantiles(self, rows: Rows, rng: np.random.Generator) -> np.ndarray:
        """Quantiles of the rows if the parameters were one draw from their distribution, bps, shape (n, 99)."""
        ...


@dataclass(frozen=True, slots=True)
class PredictiveCheck:
    """One statistic of the outcomes beside that of the replicates.

    Attributes:
        statistic: its name, with its unit.
        observed: of the outcomes.
        low, median, high: 5, 50 and 95 % quantiles over the replicates.
        p: share of the replicates at or above the observed; near 0 or 1 the model misses it.
    """

    statistic: str
    observed: float
    low: float
    median: float
    high: float
    p: float


def predictive_checks(
    fitted: FittedImpact, rows: Rows, target: str, rng: np.random.Generator, replicates: int = 200
) -> tuple[PredictiveCheck, ...]:
    """Checks of mean, sd, 5 and 95 % quantiles, skew and share above 10 bps, every tape with the same weight.

    A model that keeps its parameters' distribution draws them anew for every replicate, for all rows at once; of any
    other the rows' own quantiles are used.

    Raises:
        ModelError: fewer than 50 rows with a known outcome.
    """
    rows = rows.known(target)
    if len(rows) < FEWEST_ROWS:
        raise ModelError(f"predictive checks of {target} need at least {FEWEST_ROWS} known outcomes, found {len(rows)}")
    weights, block, side = rows.tape_weights(), blocks(rows), rows.side.astype(np.float64)
    quantiles, outcome = fitted.quantiles(rows), rows.outcome(target)
    scores = ndtri(probability_integral_transform(quantiles, outcome))
    common, signed = shared_variance(scores, side, block)
    drawn = np.empty((replicates, len(STATISTICS)))
    for r in range(replicates):
        law = fitted.drawn_quantiles(rows, rng) if isinstance(fitted, ParameterDraws) else quantiles
        levels = ndtr(_block_normals(side, block, common, signed, rng))
        drawn[r] = _statistics(quantile_at(law, levels), weights)
    observed = _statistics(outcome, weights)
    low, median, high = np.quantile(drawn, [0.05, 0.5, 0.95], axis=0).tolist()
    above = (drawn >= observed).mean(axis=0).tolist()
    return tuple(map(PredictiveCheck, STATISTICS, observed.tolist(), low, median, high, above))


def shared_variance(scores: np.ndarray, side: np.ndarray, block: np.ndarray) -> tuple[float, float]:
    """Shares of the variance of normal scores that rows of a block have in common: whatever the side, and by side.

    Moments over all pairs within blocks: mean z_i z_j = a + b s, mean e_i e_j z_i z_j = a s + b, s = mean e_i e_j.

    Returns:
        (a, b), not negative, together at most 1.
    """
    size = np.bincount(block).astype(np.float64)
    pairs = float(np.sum(size * (size - 1.0)))
    if pairs == 0.0:
        return 0.0, 0.0

    def pair_mean(values: np.ndarray) -> float:
        return float(np.sum(np.bincount(block, weights=values) ** 2) - np.sum(values**2)) / pairs

    variance = float(np.mean(scores**2))
    same = pair_mean(side)
    moments = np.array([pair_mean(scores), pair_mean(side * scores)]) / variance
    found = np.maximum(np.linalg.lstsq(np.array([[1.0, same], [same, 1.0]]), moments, rcond=None)[0], 0.0)
    common, signed = (found / max(1.0, float(found.sum()))).tolist()
    return common, signed


def _block_normals(
    side: np.ndarray, block: np.ndarray, common: float, signed: float, rng: np.random.Generator
) -> np.ndarray:
    factors = rng.standard_normal((2, int(block.max()) + 1))[:, block]
    own = rng.standard_normal(len(block))
    return np.sqrt(common) * factors[0] + np.sqrt(signed) * side * factors[1] + np.sqrt(1.0 - common - signed) * own


def quantile_at(quantiles: np.ndarray, levels: np.ndarray) -> np.ndarray:
    """Value of each row's distribution at its level: linear between the 99 levels, exponential 1 % tails.

    Args:
        quantiles: shape (n, 99), bps.
        levels: shape (n,), in (0, 1).

    Returns:
        bps, shape (n,).
    """
    row = np.arange(len(levels))
    left = np.clip((100.0 * levels).astype(np.int64) - 1, 0, 97)
    share = np.clip(100.0 * levels - 1.0 - left, 0.0, 1.0)
    inner = (1.0 - share) * quantiles[row, left] + share * quantiles[row, left + 1]
    low, high = quantiles[:, 4] - quantiles[:, 0], quantiles[:, -1] - quantiles[:, -5]
    below = low * np.log(np.minimum(100.0 * levels, 1.0))
    above = high * np.log(np.minimum(100.0 * (1.0 - levels), 1.0))
    return inner + (below - above) / np.log(5.0)


def _mean(values: np.ndarray, weights: np.ndarray) -> float:
    return float(np.average(values, weights=weights))


def _sd(values: np.ndarray, weights: np.ndarray) -> float:
    return float(np.sqrt(np.average((values - _mean(values, weights)) ** 2, weights=weights)))


def _skew(values: np.ndarray, weights: np.ndarray) -> float:
    """Mean less median over the sd (Pearson): a third moment of fat tails would only tell of the largest outcome."""
    return (_mean(values, weights) - _quantile(values, weights, 0.5)) / _sd(values, weights)


def _quantile(values: np.ndarray, weights: np.ndarray, level: float) -> float:
    return float(weighted_quantiles(values, weights, np.array([level]))[0])


STATISTICS: dict[str, Callable[[np.ndarray, np.ndarray], float]] = {
    "mean, bps": _mean,
    "sd, bps": _sd,
    "5 % quantile, bps": lambda values, weights: _quantile(values, weights, 0.05),
    "95 % quantile, bps": lambda values, weights: _quantile(values, weights, 0.95),
    "skew, (mean - median) / sd": _skew,
    f"share above {THRESHOLD_BPS:g} bps": lambda values, weights: _mean(values > THRESHOLD_BPS, weights),
}


def _statistics(values: np.ndarray, weights: np.ndarray) -> np.ndarray:
    return np.array([statistic(values, weights) for statistic in STATISTICS.values()])
