"""The impact law I / sigma_D = Y (Q / V_D)^delta fitted to single metaorders by weighted least squares.

The fit is on *signed* impact, never on log I of the rows where I > 0: that keeps the rows whose noise was lucky and
bends the slope at random. Rows are weighted by the inverse of their noise variance, which for a diffusing price is
proportional to the duration. Errors are clustered (sandwich): metaorders that overlap share the path of the price.

sigma_D and V_D may be the range and volume of the *same* day: good for the law, banned from forecasts.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize_scalar

from footprint.errors import DataRefused

_EXPONENT_RANGE = (0.0, 2.0)
_STANDARD_ERRORS = 3.0


@dataclass(frozen=True, slots=True)
class LawFit:
    """A fitted law, nan where the rows allow none.

    Attributes:
        exponent, prefactor: delta and Y; the prefactor is the impact in units of sigma_D extrapolated to Q = V_D.
        exponent_se, prefactor_se: one standard error.
        signal: size of the impact over its standard error (the prefactor with the exponent held, or the mean of all
            bins); negative where impact is.
        rows, clusters: what was used.
    """

    exponent: float
    prefactor: float
    exponent_se: float
    prefactor_se: float
    signal: float
    rows: int
    clusters: int

    @property
    def exists(self) -> bool:
        """True when impact is three standard errors above 0 and three of the exponent's are below 1."""
        return bool(self.signal > _STANDARD_ERRORS and _STANDARD_ERRORS * self.exponent_se < 1.0)

    def impact(self, participation: np.ndarray) -> np.ndarray:
        """Mean impact in units of sigma_D, same shape."""
        return self.prefactor * participation**self.exponent


def fit_law(participation: np.ndarray, impact: np.ndarray, duration: np.ndarray, clusters: np.ndarray) -> LawFit:
    """Fit the law to rows; all arrays have shape (n,).

    Args:
        participation: Q / V_D, positive.
        impact: signed to the order, in units of sigma_D; may be negative.
        duration: proportional to the noise variance of the row, positive.
        clusters: label of the group (day, half-hour) within which rows share noise.

    Raises:
        DataRefused: fewer than ten rows, fewer than two clusters, or a value that is not finite or not positive.
    """
    _check(participation, impact, duration, clusters)
    log_share = np.log(participation)
    weight = 1.0 / duration

    def best_prefactor(exponent: float) -> float:
        shape = np.exp(exponent * log_share)
        return float(np.sum(weight * shape * impact) / np.sum(weight * shape**2))

    def loss(exponent: float) -> float:
        return float(np.sum(weight * (impact - best_prefactor(exponent) * np.exp(exponent * log_share)) ** 2))

    exponent = float(minimize_scalar(loss, bounds=_EXPONENT_RANGE, method="bounded", options={"xatol": 1e-10}).x)
    prefactor = best_prefactor(exponent)
    shape = np.exp(exponent * log_share)
    jacobian = np.stack([prefactor * shape * log_share, shape], axis=1)
    covariance = sandwich(jacobian, impact - prefactor * shape, weight, clusters)
    exponent_se, prefactor_se = np.sqrt(np.diag(covariance))
    held = sandwich(shape[:, None], impact - prefactor * shape, weight, clusters)
    return LawFit(
        exponent=exponent,
        prefactor=prefactor,
        exponent_se=float(exponent_se),
        prefactor_se=float(prefactor_se),
        signal=float(prefactor / np.sqrt(held[0, 0])),
        rows=len(impact),
        clusters=len(np.unique(clusters)),
    )


def sandwich(jacobian: np.ndarray, residual: np.ndarray, weight: np.ndarray, clusters: np.ndarray) -> np.ndarray:
    """Clustered covariance of a weighted least-squares estimate (Liang and Zeger 1986).

    Args:
        jacobian: derivative of the fitted values by the parameters, shape (n, k).
        residual, weight, clusters: shape (n,).

    Returns:
        Shape (k, k).
    """
    bread = np.linalg.pinv((jacobian * weight[:, None]).T @ jacobian)
    scores = cluster_sums(jacobian * (weight * residual)[:, None], clusters)
    groups = len(scores)
    return bread @ (scores.T @ scores) @ bread * groups / (groups - 1)


def cluster_sums(values: np.ndarray, clusters: np.ndarray) -> np.ndarray:
    """Sum of the rows of each cluster: (n, k) to (number of clusters, k), in order of the label."""
    order = np.argsort(clusters, kind="stable")
    starts = np.flatnonzero(np.diff(clusters[order], prepend=clusters[order[0]] - 1))
    return np.add.reduceat(values[order], starts, axis=0)


def _check(participation: np.ndarray, impact: np.ndarray, duration: np.ndarray, clusters: np.ndarray) -> None:
    if len(impact) < 10 or len(np.unique(clusters)) < 2:
        raise DataRefused("too few metaorders for a law", found=len(impact), allowed="10 rows in 2 clusters or more")
    for name, values in (("participation", participation), ("duration", duration)):
        bad = np.flatnonzero(~(np.isfinite(values) & (values > 0)))
        if len(bad):
            raise DataRefused("not positive", row=int(bad[0]) + 1, field=name, found=values[bad[0]], allowed="> 0")
    bad = np.flatnonzero(~np.isfinite(impact))
    if len(bad):
        raise DataRefused("not finite", row=int(bad[0]) + 1, field="impact", found=impact[bad[0]], allowed="a number")
