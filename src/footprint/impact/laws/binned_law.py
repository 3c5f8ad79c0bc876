"""The impact law from binned conditional means: bin by size, average *signed* impact, then a weighted line in logs.

The usual procedure for real tapes, where the noise variance of a row is unknown. Weights are (mean / s.e.)^2 of each
bin, the delta-method inverse variance of its log; a bin whose mean is not positive has no log and no weight. All errors
come from one bootstrap over clusters, in which the weights stay fixed.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from footprint.impact.laws.law import LawFit

_MIN_BINS = 3
_MIN_CLUSTERS = 5  # in fewer a bin has no error of its own
_REPLICATES = 500


@dataclass(frozen=True, slots=True)
class BinnedLaw:
    """A law and the bins it was fitted to, arrays of shape (bins,).

    Attributes:
        law: the fit; nan and not existing when fewer than three bins have a positive mean.
        participation: geometric mean of Q / V_D in the bin.
        impact, impact_se: mean signed impact in units of sigma_D and its bootstrap error.
        rows: number of metaorders in the bin.
    """

    law: LawFit
    participation: np.ndarray
    impact: np.ndarray
    impact_se: np.ndarray
    rows: np.ndarray


def fit_binned_law(
    participation: np.ndarray,
    impact: np.ndarray,
    clusters: np.ndarray,
    rng: np.random.Generator,
    bins_per_decade: float = 5.0,
    min_rows: int = 100,
) -> BinnedLaw:
    """Fit the law to metaorders, all arrays of shape (n,).

    Args:
        participation: Q / V_D, positive.
        impact: signed to the order, in units of sigma_D.
        clusters: label of the stretch of time (half-hour) within which rows share noise.
        rng: for the bootstrap.
        bins_per_decade: width of the bins.
        min_rows: smaller bins are left out.
    """
    bins = np.floor(np.log10(participation) * bins_per_decade).astype(np.int64)
    rows, log_shares, sums = (
        _per_cluster(values, clusters, bins) for values in (np.ones(len(bins)), np.log(participation), impact)
    )
    used = (rows.sum(axis=0) >= min_rows) & (np.count_nonzero(rows, axis=0) >= _MIN_CLUSTERS)
    rows, log_shares, sums = rows[:, used], log_shares[:, used], sums[:, used]
    count = rows.sum(axis=0)
    center, mean = log_shares.sum(axis=0) / count, sums.sum(axis=0) / count

    draws = rng.multinomial(len(rows), np.full(len(rows), 1.0 / len(rows)), size=_REPLICATES).astype(np.float64)
    replicates = np.divide(draws @ sums, draws @ rows, out=np.zeros((_REPLICATES, len(mean))), where=draws @ rows > 0)
    moved = replicates.std(axis=0, ddof=1) > 0.0  # a bin where no mid ever moved (large ticks) has no error either
    center, mean, count, replicates = center[moved], mean[moved], count[moved], replicates[:, moved]
    error = replicates.std(axis=0, ddof=1)
    law = _line(center, mean, error, count, replicates, len(rows))
    return BinnedLaw(law, np.exp(center), mean, error, count.astype(np.int64))


def _per_cluster(values: np.ndarray, clusters: np.ndarray, bins: np.ndarray) -> np.ndarray:
    """Sums of `values` by cluster (rows) and bin (columns)."""
    cluster_names, cluster = np.unique(clusters, return_inverse=True)
    bin_names, bin_number = np.unique(bins, return_inverse=True)
    shape = len(cluster_names), len(bin_names)
    return np.bincount(cluster * shape[1] + bin_number, values, shape[0] * shape[1]).reshape(shape)


def _no_law(rows: int, clusters: int) -> LawFit:
    return LawFit(*(np.nan,) * 4, signal=np.nan, rows=rows, clusters=clusters)


def _line(
    center: np.ndarray, mean: np.ndarray, error: np.ndarray, count: np.ndarray, replicates: np.ndarray, clusters: int
) -> LawFit:
    """Weighted line through the logs of the positive means, its errors from the replicates."""
    rows = int(count.sum())
    if np.count_nonzero(mean > 0) < _MIN_BINS:
        return _no_law(rows, clusters)
    weight = np.where(mean > 0, (mean / error) ** 2, 0.0)
    exponent, log_prefactor = _weighted_lines(center, mean[None], weight)[0]
    fits = _weighted_lines(center, replicates, weight)
    exponent_se, log_prefactor_se = fits[np.isfinite(fits).all(axis=1)].std(axis=0, ddof=1)
    prefactor = float(np.exp(log_prefactor))
    return LawFit(
        exponent=float(exponent),
        prefactor=prefactor,
        exponent_se=float(exponent_se),
        prefactor_se=float(prefactor * log_prefactor_se),
        signal=float(count @ mean / (replicates @ count).std(ddof=1)),
        rows=rows,
        clusters=clusters,
    )


def _weighted_lines(x: np.ndarray, means: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Slope and intercept of log means on x for each row of `means`; a mean that is not positive has no weight."""
    weights = np.where(means > 0, weight, 0.0)
    logs = np.log(np.where(means > 0, means, 1.0))
    total = weights.sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):  # a row of means without a single positive one gives nan
        x_mean, y_mean = weights @ x / total, (weights * logs).sum(axis=1) / total
        spread = (weights * (x - x_mean[:, None]) ** 2).sum(axis=1)
        slope = (weights * (x - x_mean[:, None]) * logs).sum(axis=1) / spread
    lines = np.column_stack([slope, y_mean - slope * x_mean])
    return np.where(np.count_nonzero(weights, axis=1)[:, None] >= _MIN_BINS, lines, np.nan)
