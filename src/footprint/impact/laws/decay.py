"""The relaxation after the end of a metaorder: I(T + u) = I(T) (1 + u / offset)^(-beta), u in durations of the order.

Ratios to the peak of single orders explode when the peak is near zero. Here every mean is taken first: the peak and
each later increment of the path are regressed on the expected impact of the order, which gives one amplitude each, and
the kernel is fitted to those few amplitudes by generalised least squares with their clustered covariance.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import least_squares

from footprint.impact.laws.law import cluster_sums

_DECAY_RANGE = (-1.0, 5.0)
_OFFSET_RANGE = (1e-3, 1e3)


@dataclass(frozen=True, slots=True)
class DecayFit:
    """A fitted kernel.

    Attributes:
        exponent: beta; exponent_se is one standard error.
        offset: in durations of the order; offset_se is 0 where it was given, not fitted.
        retention: mean path over mean peak at each lag, shape (lags,).
    """

    exponent: float
    exponent_se: float
    offset: float
    offset_se: float
    retention: np.ndarray


def fit_decay(
    expected: np.ndarray,
    peak: np.ndarray,
    path: np.ndarray,
    lags: tuple[float, ...],
    duration: np.ndarray,
    clusters: np.ndarray,
    offset: float | None = 1.0,
) -> DecayFit:
    """Fit the kernel exponent, with the offset known (a number) or free (None).

    Args:
        expected: expected peak of each order up to a constant, from a fitted law, shape (n,).
        peak: signed impact just after the end, shape (n,).
        path: signed impact at each lag, same origin and unit, nan where the day was over, shape (n, lags).
        lags: durations after the end, increasing.
        duration: proportional to the noise variance per lag, shape (n,).
        clusters: group within which orders share noise, shape (n,).
    """
    steps = np.diff(np.column_stack([np.zeros_like(peak), peak, path]), axis=1)
    amplitude, covariance = _amplitudes(expected, steps, 1.0 / duration, clusters)
    whiten = np.linalg.inv(np.linalg.cholesky(covariance))
    at = np.array(lags)

    def misfit(parameters: np.ndarray) -> np.ndarray:
        scale, beta = parameters[:2]
        retained = (1.0 + at / (offset if offset is not None else np.exp(parameters[2]))) ** -beta
        return whiten @ (amplitude - scale * np.diff(np.concatenate(([0.0, 1.0], retained))))

    low, high = [-np.inf, _DECAY_RANGE[0]], [np.inf, _DECAY_RANGE[1]]
    start = [amplitude[0], 0.3]
    if offset is None:
        low, high, start = [*low, np.log(_OFFSET_RANGE[0])], [*high, np.log(_OFFSET_RANGE[1])], [*start, 0.0]
    fit = least_squares(misfit, start, bounds=(low, high), x_scale=[abs(amplitude[0]), 0.1, 0.3][: len(start)])
    errors = np.sqrt(np.diag(np.linalg.pinv(fit.jac.T @ fit.jac)))
    fitted_offset = offset if offset is not None else float(np.exp(fit.x[2]))
    offset_se = 0.0 if offset is not None else float(errors[2] * fitted_offset)
    retention = np.cumsum(amplitude)[1:] / amplitude[0]
    return DecayFit(float(fit.x[1]), float(errors[1]), fitted_offset, offset_se, retention)


def _amplitudes(
    expected: np.ndarray, steps: np.ndarray, weight: np.ndarray, clusters: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Weighted slope of each column of `steps` on `expected`, each over its own finite rows, and their covariance."""
    known = np.isfinite(steps)
    gain = np.where(known, (weight * expected)[:, None], 0.0)
    information = np.sum(gain * expected[:, None], axis=0)
    filled = np.where(known, steps, 0.0)
    amplitude = np.sum(gain * filled, axis=0) / information
    scores = cluster_sums(gain * (filled - expected[:, None] * amplitude), clusters) / information
    return amplitude, scores.T @ scores
