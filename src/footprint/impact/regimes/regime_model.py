"""Any impact model with a prefactor and a residual scale of each regime, partially pooled.

    quantile_l  =  a m  +  b (q_l - m + s d_l)          a = sum_k p_k a_k,   log b = sum_k p_k log b_k

q_l are the quantiles of a model that knows no regimes, m is their mean, p_k the regime probabilities of the row.
a_k is the least-squares multiple of m in regime k, b_k the ratio of the absolute errors to those that the blind model
expects; both over the same ratio of all rows, so that the blind model's own level is never touched. Each is drawn
towards 1 by as much as its own error exceeds the spread between regimes (empirical Bayes; the moment estimate of
DerSimonian & Laird 1986 around a known mean). Errors are of half-hour blocks, as in the scores. Errors of one scale
have other tails than errors of several scales together: d_l moves each level, in noise scales s, by as much as the
regimes have changed the share of training outcomes below it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from footprint.impact.distribution import LEVELS, mean
from footprint.impact.evaluation.scoring import clusters
from footprint.impact.interface import FittedImpact, ImpactModel
from footprint.impact.linear_mean import known_rows
from footprint.impact.residuals import weighted_quantiles
from footprint.impact.rows import Rows


class FittedRegimes(Protocol):
    """Gives regime probabilities."""

    @property
    def names(self) -> tuple[str, ...]:
        """Of the K regimes, by rising stress."""
        ...

    def probabilities(self, rows: Rows) -> np.ndarray:
        """Shape (len(rows), K); each row sums to 1 and depends on that row alone."""
        ...


class Regimes(Protocol):
    """How regimes are found; frozen."""

    def fit(self, rows: Rows) -> FittedRegimes:
        """From training rows, whose outcomes are not looked at."""
        ...


@dataclass(frozen=True, slots=True)
class RegimeEffects:
    """What each regime changes, shape (K,): multiples of the blind model's mean and deviations, 1 = nothing.

    Attributes:
        prefactor, prefactor_se: of the mean, after pooling.
        scale: of the deviations from the mean, after pooling.
        log_scale_se: of log scale.
        shifts: d_l, in noise scales times `scale`, shape (99,).
    """

    prefactor: np.ndarray
    prefactor_se: np.ndarray
    scale: np.ndarray
    log_scale_se: np.ndarray
    shifts: np.ndarray

    def multiples(self, probabilities: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Of the blind mean and of the blind deviations, each of shape (n, 1), for probabilities of shape (n, K)."""
        return (probabilities @ self.prefactor)[:, None], np.exp(probabilities @ np.log(self.scale))[:, None]


@dataclass(frozen=True, slots=True)
class FittedRegimeAware:
    """The blind model, the regimes and what they change."""

    target: str
    blind: FittedImpact
    regimes: FittedRegimes
    effects: RegimeEffects

    def quantiles(self, rows: Rows) -> np.ndarray:
        """Shape (n, 99), bps."""
        blind = self.blind.quantiles(rows)
        prefactor, scale = self.effects.multiples(self.regimes.probabilities(rows))
        centre = mean(blind)[:, None]
        deviation = blind - centre + rows.scale_bps(self.target)[:, None] * self.effects.shifts
        return np.sort(prefactor * centre + scale * deviation, axis=1)

    def labels(self, rows: Rows) -> np.ndarray:
        """Name of each row's most likely regime, shape (n,)."""
        return np.array(self.regimes.names)[self.regimes.probabilities(rows).argmax(axis=1)]


@dataclass(frozen=True, slots=True)
class RegimeAware:
    """Wraps a model that knows no regimes.

    Args:
        model: the blind model.
        regimes: where a row's regime probabilities come from.
        cluster_s: rows of one market and one clock block of this length count as one observation in the errors.
    """

    model: ImpactModel
    regimes: Regimes
    cluster_s: float = 1_800.0

    @property
    def name(self) -> str:
        """Name of the blind model with the ending _by_regime."""
        return f"{self.model.name}_by_regime"

    def fit(self, rows: Rows, target: str) -> FittedRegimeAware:
        """Fit the blind model, find the regimes, then what they change.

        Raises:
            ModelError: too few rows for either.
        """
        rows = known_rows(rows, target, self.name)
        blind = self.model.fit(rows, target)
        regimes = self.regimes.fit(rows)
        cluster = clusters(rows.market, rows.start_ns, self.cluster_s)
        effects = regime_effects(blind.quantiles(rows), regimes.probabilities(rows), rows, target, cluster)
        return FittedRegimeAware(target, blind, regimes, effects)


def regime_effects(
    blind: np.ndarray, probabilities: np.ndarray, rows: Rows, target: str, cluster: np.ndarray
) -> RegimeEffects:
    """Pooled multiples of the blind mean and deviations.

    Args:
        blind: quantiles of the blind model, shape (n, 99).
        probabilities: shape (n, K).
        cluster: number of each row's independent block, shape (n,).
    """
    noise, outcome = rows.scale_bps(target), rows.outcome(target)
    centre = mean(blind)
    weights = rows.tape_weights()[:, None] * probabilities
    prefactor, prefactor_se = _relative(weights, centre * outcome / noise**2, (centre / noise) ** 2, cluster)
    prefactor, prefactor_se = shrink(prefactor, prefactor_se, 1.0)
    error = np.abs(outcome - (probabilities @ prefactor) * centre) / noise
    expected = np.abs(blind - centre[:, None]).mean(axis=1) / noise
    scale, scale_se = _relative(weights, error, expected, cluster)
    log_scale, log_scale_se = shrink(np.log(scale), scale_se / scale, 0.0)
    effects = RegimeEffects(prefactor, prefactor_se, np.exp(log_scale), log_scale_se, np.zeros(len(LEVELS)))
    a, b = effects.multiples(probabilities)
    aware = a * centre[:, None] + b * (blind - centre[:, None])
    unit, weight = noise[:, None], rows.tape_weights()
    shifts = _missed((outcome[:, None] - aware) / (b * unit), weight)
    return replace(effects, shifts=shifts - _missed((outcome[:, None] - blind) / unit, weight))


def _missed(error: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Shift of each level that puts its share of the outcomes below it, shape (99,), for outcome less quantile."""
    return np.array([weighted_quantiles(error[:, i], weights, LEVELS[[i]])[0] for i in range(len(LEVELS))])


def _relative(
    weights: np.ndarray, numerator: np.ndarray, denominator: np.ndarray, cluster: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Ratio of weighted sums in each regime over the ratio of all rows, and its error under no difference, (K,).

    Under no difference, because around its own ratio a regime of a single block has no error at all.
    """
    everyone = weights.sum(axis=1)
    pooled = (everyone @ numerator) / (everyone @ denominator)
    total = pooled * (denominator @ weights)
    blocks = np.zeros((cluster.max() + 1, weights.shape[1]))
    np.add.at(blocks, cluster, weights * (numerator - pooled * denominator)[:, None])
    seen = np.abs(total) > 0.0
    ratio = np.divide(numerator @ weights, total, out=np.ones(len(total)), where=seen)
    error = np.divide(np.sqrt((blocks**2).sum(axis=0)), np.abs(total), out=np.full(len(total), np.inf), where=seen)
    return ratio, error


def shrink(estimate: np.ndarray, error: np.ndarray, towards: float) -> tuple[np.ndarray, np.ndarray]:
    """Posterior means and sds of effects that scatter around `towards` with a variance estimated from themselves.

    Args:
        estimate, error: shape (K,); an infinite error tells nothing.

    >>> shrink(np.array([0.9, 1.1]), np.array([0.2, 0.2]), 1.0)[0]
    array([1., 1.])
    """
    precision = np.maximum(error, 1e-9) ** -2.0
    excess = precision @ (estimate - towards) ** 2 - np.isfinite(error).sum()
    between = max(0.0, float(excess / precision.sum()))
    kept = between / (between + np.maximum(error, 1e-9) ** 2)
    return towards + kept * (estimate - towards), np.sqrt(between * (1.0 - kept))
