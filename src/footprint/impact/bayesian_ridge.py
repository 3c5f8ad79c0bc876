"""Bayesian ridge: a linear forecast from the law and the market's state that knows how unsure its coefficients are.

Outcome / noise scale is regressed on the square-root law, the half-spread, every column of the rows and whether it is
missing. Three prior precisions, of the law, of the state and of the missing flags, are set by maximising the evidence
(MacKay 1992, Neural Computation 4, 415-447). scikit-learn's BayesianRidge has one precision for all columns and takes
weights for counts of independent rows; here the likelihood is tempered by the design effect of overlapping orders, so
the closed form is written out. A second regression of the same form forecasts the log of the residual's size (Harvey
1976, Econometrica 44, 461-465), and the mean is fitted again with those sizes as noise.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from footprint.errors import ModelError
from footprint.impact.distribution import LEVELS
from footprint.impact.linear_mean import known_rows
from footprint.impact.overlap import blocks, design_effect
from footprint.impact.residuals import weighted_quantiles
from footprint.impact.rows import Rows

_LAW_COLUMNS, _GROUPS = 2, 3
_FARTHEST = 5.0  # standard deviations: an x farther out counts as this far
_TEMPERINGS = 3  # the design effect is read off a fit that it changes; the fourth reading moves it by a few percent
_STEPS, _TOLERANCE = 200, 1e-8
_VAGUE = 1e-6  # shape and rate of the Gamma prior of the precisions, which keeps them finite
_SMALLEST_RESIDUAL = 0.05  # standard deviations: the log of a smaller residual says nothing of its size
_MAX_LEVERAGE = 0.9


@dataclass(frozen=True, slots=True)
class Design:
    """How rows become standardised columns: 1, law, half-spread, each x, each x's missing flag.

    Attributes:
        x_names: the columns that rows must have.
        medians: of each x, put where it is missing, shape (p,).
        centre: means, shape (2 + 2p,).
        gain: 1 / standard deviation, 0 where a column is constant, shape (2 + 2p,).
    """

    x_names: tuple[str, ...]
    medians: np.ndarray
    centre: np.ndarray
    gain: np.ndarray

    def columns(self, rows: Rows, target: str) -> np.ndarray:
        """Shape (n, 3 + 2p).

        Raises:
            ModelError: the rows have other columns than the model was fitted on.
        """
        if rows.x_names != self.x_names:
            raise ModelError("the rows' columns differ from those the Bayesian ridge was fitted on; fit it again")
        standard = (_raw_columns(rows, target, self.medians) - self.centre) * self.gain
        standard[:, _LAW_COLUMNS:] = np.clip(standard[:, _LAW_COLUMNS:], -_FARTHEST, _FARTHEST)
        return np.column_stack([np.ones(len(rows)), standard])


def _raw_columns(rows: Rows, target: str, medians: np.ndarray) -> np.ndarray:
    scale = rows.scale_bps(target)
    law = rows.volatility_day_bps * np.sqrt(rows.participation) / scale
    missing = np.isnan(rows.x)
    return np.column_stack([law, 0.5 * rows.spread_bps / scale, np.where(missing, medians, rows.x), missing])


def _design(rows: Rows, target: str) -> Design:
    weights = rows.tape_weights()
    medians = np.zeros(rows.x.shape[1])
    for j, values in enumerate(rows.x.T):
        known = np.isfinite(values)
        if known.any():
            medians[j] = weighted_quantiles(values[known], weights[known], np.array([0.5]))[0]
    raw = _raw_columns(rows, target, medians)
    centre = np.average(raw, axis=0, weights=weights)
    deviation = np.sqrt(np.average((raw - centre) ** 2, axis=0, weights=weights))
    gain = np.divide(1.0, deviation, out=np.zeros_like(deviation), where=deviation > 1e-9)
    return Design(rows.x_names, medians, centre, gain)


@dataclass(frozen=True, slots=True)
class FittedBayesianRidge:
    """Posterior of the mean, forecast of the residual's size, and the residual's quantiles.

    Attributes:
        coefficients: posterior mean, in noise scales per standard deviation of a column, shape (3 + 2p,).
        covariance: of the coefficients, shape (3 + 2p, 3 + 2p).
        log_size: coefficients of log |residual|, shape (3 + 2p,).
        log_size_range: smallest and largest forecast of the training rows; others are cut to them.
        residual_quantiles: of (outcome / scale - mean) / size on the 99 levels.
        residual_sd: its standard deviation.
        shares: how much each x moves the mean forecast over the training rows, shape (p,).
    """

    target: str
    design: Design
    coefficients: np.ndarray
    covariance: np.ndarray
    log_size: np.ndarray
    log_size_range: tuple[float, float]
    residual_quantiles: np.ndarray
    residual_sd: float
    shares: np.ndarray

    def quantiles(self, rows: Rows) -> np.ndarray:
        """Shape (n, 99), bps: the residual stretched about its median so that the mean's own variance is added."""
        columns = self.design.columns(rows, self.target)
        size = np.exp(np.clip(columns @ self.log_size, *self.log_size_range))
        stretch = np.sqrt(1.0 + _quadratic(columns, self.covariance) / (size * self.residual_sd) ** 2)
        median = self.residual_quantiles[49]
        residual = median + stretch[:, None] * (self.residual_quantiles - median)
        relative = (columns @ self.coefficients)[:, None] + size[:, None] * residual
        return rows.scale_bps(self.target)[:, None] * relative

    def model_sd_bps(self, rows: Rows) -> np.ndarray:
        """Standard deviation of the mean forecast because the coefficients are uncertain, bps, shape (n,)."""
        variance = _quadratic(self.design.columns(rows, self.target), self.covariance)
        return rows.scale_bps(self.target) * np.sqrt(variance)

    def drawn_quantiles(self, rows: Rows, rng: np.random.Generator) -> np.ndarray:
        """Quantiles if the coefficients of the mean were one draw from their posterior, bps, shape (n, 99)."""
        columns = self.design.columns(rows, self.target)
        size = np.exp(np.clip(columns @ self.log_size, *self.log_size_range))
        drawn = rng.multivariate_normal(self.coefficients, self.covariance, method="eigh")
        relative = (columns @ drawn)[:, None] + size[:, None] * self.residual_quantiles
        return rows.scale_bps(self.target)[:, None] * relative

    def contributions(self, rows: Rows) -> np.ndarray:
        """What each x adds to the mean forecast of an average row, bps, shape (n, p); the law is not among them."""
        relative = _x_terms(self.design.columns(rows, self.target), self.coefficients, len(self.design.x_names))
        return rows.scale_bps(self.target)[:, None] * relative

    def importance(self) -> np.ndarray:
        """Deviation of each x's contribution in noise scales over the sum of all, shape (p,); 0 without any."""
        return self.shares


@dataclass(frozen=True, slots=True)
class BayesianRidge:
    """Ridge with evidence-maximised precisions and a forecast of its residual's size."""

    @property
    def name(self) -> str:
        """bayesian_ridge."""
        return "bayesian_ridge"

    @property
    def is_local(self) -> bool:
        """What it learns holds near its rows."""
        return True

    def fit(self, rows: Rows, target: str) -> FittedBayesianRidge:
        """Mean, size of the residual, mean again with that size as noise.

        Raises:
            ModelError: fewer than 50 rows with a known outcome.
        """
        rows = known_rows(rows, target, self.name)
        design = _design(rows, target)
        columns, outcome = design.columns(rows, target), rows.outcome(target) / rows.scale_bps(target)
        weights, block = rows.tape_weights(), blocks(rows)
        first = _posterior(columns, outcome, weights, block)
        log_size, log_range = _log_size(columns, outcome - columns @ first.mean, weights, block)
        size = np.exp(np.clip(columns @ log_size, *log_range))
        precision = weights / size**2
        final = _posterior(columns, outcome, precision / precision.mean(), block)
        leverage = np.minimum(final.leverage, _MAX_LEVERAGE)
        residual = (outcome - columns @ final.mean) / (size * np.sqrt(1.0 - leverage))
        spread = float(np.sqrt(np.average((residual - np.average(residual, weights=weights)) ** 2, weights=weights)))
        return FittedBayesianRidge(
            target,
            design,
            final.mean,
            final.covariance,
            log_size,
            log_range,
            weighted_quantiles(residual, weights, LEVELS),
            spread,
            _shares(columns, final.mean, len(rows.x_names), weights),
        )


@dataclass(frozen=True, slots=True)
class _Posterior:
    """Normal posterior of coefficients; `leverage` is the share of each outcome in its own fitted value."""

    mean: np.ndarray
    covariance: np.ndarray
    leverage: np.ndarray


def _posterior(columns: np.ndarray, outcome: np.ndarray, weights: np.ndarray, block: np.ndarray) -> _Posterior:
    """Posterior with the likelihood tempered by the design effect that its own residuals show."""
    mean, covariance, noise = _evidence(columns, outcome, weights)
    effect = 1.0
    for _ in range(_TEMPERINGS):
        inverse = covariance * (noise / effect)
        effect = design_effect(columns, outcome - columns @ mean, weights, block, inverse)
        mean, covariance, noise = _evidence(columns, outcome, weights / effect)
    return _Posterior(mean, covariance, _quadratic(columns, covariance) * noise * weights / effect)


def _evidence(columns: np.ndarray, outcome: np.ndarray, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray, float]:
    """Posterior mean, covariance and noise precision at the maximum of the evidence.

    Fixed point of MacKay (1992, section 4): a precision is the number of well-determined coefficients of its group over
    their sum of squares. The first column is free.
    """
    group = _groups(columns.shape[1])
    count = float(weights.sum())
    gram, moment = columns.T @ (columns * weights[:, None]), columns.T @ (weights * outcome)
    square = float(weights @ outcome**2)
    precision, noise = np.ones(_GROUPS), 1.0 / float(np.average(outcome**2, weights=weights))
    for _ in range(_STEPS):
        penalty = np.append(0.0, precision[group])
        covariance = np.linalg.inv(noise * gram + np.diag(penalty))
        mean = noise * covariance @ moment
        determined = 1.0 - penalty * np.diag(covariance)
        well = np.bincount(group, weights=determined[1:], minlength=_GROUPS)
        size = np.bincount(group, weights=mean[1:] ** 2, minlength=_GROUPS)
        before = np.append(precision, noise)
        precision = (well + 2.0 * _VAGUE) / (size + 2.0 * _VAGUE)
        rest = max(square - 2.0 * mean @ moment + mean @ gram @ mean, _VAGUE * square)
        noise = max(count - well.sum() - 1.0, 1.0) / rest
        if np.abs(np.log(np.append(precision, noise) / before)).max() < _TOLERANCE:
            break
    return mean, covariance, noise


def _groups(width: int) -> np.ndarray:
    """Group of each column but the first: 0 the law, 1 the x, 2 their missing flags."""
    count = (width - 1 - _LAW_COLUMNS) // 2
    return np.repeat(np.arange(_GROUPS), (_LAW_COLUMNS, count, count))


def _log_size(
    columns: np.ndarray, residual: np.ndarray, weights: np.ndarray, block: np.ndarray
) -> tuple[np.ndarray, tuple[float, float]]:
    """Coefficients of log |residual| and the range of their forecasts; a constant is absorbed by the quantiles."""
    spread = np.sqrt(np.average(residual**2, weights=weights))
    log_size = _posterior(
        columns, np.log(np.maximum(np.abs(residual) / spread, _SMALLEST_RESIDUAL)), weights, block
    ).mean
    log_size[0] = 0.0
    forecast = columns @ log_size
    return log_size, (float(forecast.min()), float(forecast.max()))


def _quadratic(columns: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    return np.einsum("ij,ij->i", columns @ matrix, columns)


def _x_terms(columns: np.ndarray, coefficients: np.ndarray, count: int) -> np.ndarray:
    """Each x's value and missing flag times their coefficients, shape (n, count)."""
    terms = (columns * coefficients)[:, 1 + _LAW_COLUMNS :]
    return terms[:, :count] + terms[:, count:]


def _shares(columns: np.ndarray, coefficients: np.ndarray, count: int, weights: np.ndarray) -> np.ndarray:
    terms = _x_terms(columns, coefficients, count)
    size = np.sqrt(np.average((terms - np.average(terms, axis=0, weights=weights)) ** 2, axis=0, weights=weights))
    return size / size.sum() if size.any() else size
