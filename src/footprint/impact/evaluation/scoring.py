"""Scoring rules and their errors. Everything works on per-row numbers, so that one bootstrap serves every metric.

Errors: orders of one half hour share the market's move, so the half-hour blocks of a market's clock are resampled
whole (clusters common to all its symbols), whole days where a market has enough of them; skills are ratios of sums over
the resampled blocks.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from footprint.impact.distribution import LEVELS, prob_exceed, probability_integral_transform
from footprint.units import NS_PER_DAY, NS_PER_SECOND


def pinball_bps(quantiles: np.ndarray, outcome: np.ndarray) -> np.ndarray:
    """Pinball loss of every level, shape (n, 99). Koenker & Bassett (1978)."""
    return _pinball(quantiles, outcome, LEVELS)


def pinball_at(quantiles: np.ndarray, outcome: np.ndarray, levels: Sequence[float]) -> np.ndarray:
    """Pinball loss of a few of the 99 levels, shape (n, len(levels)), bps."""
    return _pinball(quantiles[:, [round(100 * level) - 1 for level in levels]], outcome, np.array(levels))


def _pinball(quantiles: np.ndarray, outcome: np.ndarray, levels: np.ndarray) -> np.ndarray:
    error = outcome[:, None] - quantiles
    return np.maximum(levels * error, (levels - 1.0) * error)


def crps_bps(quantiles: np.ndarray, outcome: np.ndarray) -> np.ndarray:
    """Continuous ranked probability score of each row, shape (n,), bps; smaller is better.

    Twice the mean pinball loss over the 99 levels (Gneiting & Ranjan 2011, eq. 12 with unit weight).
    """
    return 2.0 * pinball_bps(quantiles, outcome).mean(axis=1)


def covered(quantiles: np.ndarray, outcome: np.ndarray, coverage: float) -> np.ndarray:
    """1.0 where the outcome lies inside the central band (0.90: levels 5 % to 95 %), shape (n,)."""
    tail = round((1.0 - coverage) / 2.0 * 100)
    return ((outcome >= quantiles[:, tail - 1]) & (outcome <= quantiles[:, 99 - tail])).astype(np.float64)


def interval_score(quantiles: np.ndarray, outcome: np.ndarray, coverage: float) -> np.ndarray:
    """Width of the central band plus 2 / (1 - coverage) times the distance outside it, shape (n,), bps.

    Winkler (1972); Gneiting & Raftery (2007), eq. 43.
    """
    tail = round((1.0 - coverage) / 2.0 * 100)
    low, high = quantiles[:, tail - 1], quantiles[:, 99 - tail]
    outside = np.maximum(low - outcome, 0.0) + np.maximum(outcome - high, 0.0)
    return high - low + 2.0 / (1.0 - coverage) * outside


def brier(quantiles: np.ndarray, outcome: np.ndarray, threshold_bps: float) -> np.ndarray:
    """Squared error of P(outcome > threshold), shape (n,). Brier (1950)."""
    return (prob_exceed(quantiles, threshold_bps) - (outcome > threshold_bps)) ** 2


def pit_distance(quantiles: np.ndarray, outcome: np.ndarray, weights: np.ndarray) -> float:
    """Largest gap between the weighted distribution of the probability integral transform and the uniform one."""
    pit = probability_integral_transform(quantiles, outcome)
    order = np.argsort(pit, kind="stable")
    cumulated = np.cumsum(weights[order]) / weights.sum()
    before = np.concatenate(([0.0], cumulated[:-1]))
    return float(np.max(np.maximum(np.abs(cumulated - pit[order]), np.abs(before - pit[order]))))


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure with its two-sided 95 % interval, the rows and the independent blocks behind it."""

    value: float
    low: float
    high: float
    n: int
    blocks: int


def clusters(market: np.ndarray, start_ns: np.ndarray, cluster_s: float) -> np.ndarray:
    """Number of each row's (market, clock block), 0-based, shape (n,)."""
    block = start_ns // int(cluster_s * NS_PER_SECOND)
    _, market_code = np.unique(market, return_inverse=True)
    _, code = np.unique(np.stack([market_code, block]), axis=1, return_inverse=True)
    return code.ravel()


def resampled_blocks(market: np.ndarray, start_ns: np.ndarray, cluster_s: float, days_from: int) -> np.ndarray:
    """As `clusters`, but by UTC day in every market whose rows lie on at least `days_from` days, shape (n,)."""
    code = clusters(market, start_ns, cluster_s)
    for name in np.unique(market):
        mine = market == name
        day = start_ns[mine] // NS_PER_DAY
        if len(np.unique(day)) >= days_from:
            code[mine] = -1 - day  # negative: never the number of a half hour
    _, joint = np.unique(np.stack([np.unique(market, return_inverse=True)[1], code]), axis=1, return_inverse=True)
    return joint.ravel()


@dataclass(frozen=True, slots=True)
class Bootstrap:
    """Resampled blocks: how often each drawn replicate contains each block, shape (draws, blocks)."""

    cluster: np.ndarray
    times: np.ndarray

    @classmethod
    def draw(cls, cluster: np.ndarray, market: np.ndarray, draws: int, rng: np.random.Generator) -> Bootstrap:
        """Draw blocks with replacement within each market, so that no replicate loses a market."""
        blocks = int(cluster.max()) + 1
        block_market = np.empty(blocks, dtype=np.asarray(market).dtype)
        block_market[cluster] = market
        times = np.zeros((draws, blocks))
        for name in np.unique(block_market):
            mine = np.flatnonzero(block_market == name)
            times[:, mine] = rng.multinomial(len(mine), np.full(len(mine), 1.0 / len(mine)), size=draws)
        return cls(cluster, times)

    def take(self, mask: np.ndarray) -> Bootstrap:
        """The same replicates for a subset of the rows, without the blocks that hold none of them."""
        present, cluster = np.unique(self.cluster[mask], return_inverse=True)
        return Bootstrap(cluster, self.times[:, present])

    def block_sums(self, values: np.ndarray) -> np.ndarray:
        """Sum of per-row values, shape (n,) or (n, k), within each block, shape (blocks,) or (blocks, k)."""
        total = np.zeros((self.times.shape[1], *values.shape[1:]))
        order = np.argsort(self.cluster, kind="stable")
        present, first = np.unique(self.cluster[order], return_index=True)
        total[present] = np.add.reduceat(values[order], first, axis=0)
        return total

    def sums(self, values: np.ndarray) -> np.ndarray:
        """Sum of per-row values, shape (n,) or (n, k), in every replicate, shape (draws,) or (draws, k)."""
        return self.times @ self.block_sums(values)

    @property
    def blocks(self) -> int:
        """Blocks that hold at least one of the rows."""
        return len(np.unique(self.cluster))


def mean_estimate(values: np.ndarray, weights: np.ndarray, bootstrap: Bootstrap) -> Estimate:
    """Weighted mean with its interval."""
    return mean_estimates(values[:, None], weights, bootstrap)[0]


def mean_estimates(values: np.ndarray, weights: np.ndarray, bootstrap: Bootstrap) -> list[Estimate]:
    """Weighted mean of each column of `values`, shape (n, k), with its interval."""
    sums = bootstrap.sums(np.column_stack([values * weights[:, None], weights]))
    draws = _safe_ratio(sums[:, :-1], sums[:, -1:])
    low, high = interval(draws)
    point = np.average(values, axis=0, weights=weights)
    return [
        Estimate(float(p), float(a), float(b), len(values), bootstrap.blocks)
        for p, a, b in zip(point, low, high, strict=True)
    ]


@dataclass(frozen=True, slots=True)
class TapeMeans:
    """Mean loss of one model on each tape.

    Attributes:
        point: shape (tapes,).
        draws: of every bootstrap replicate, shape (tapes, draws); nan where a replicate holds no row of the tape.
    """

    point: np.ndarray
    draws: np.ndarray
    n: int
    blocks: int


def tape_means(loss: np.ndarray, tape: np.ndarray, bootstrap: Bootstrap) -> TapeMeans:
    """Mean of a per-row loss within each tape, tapes in alphabetical order."""
    return tape_means_of_many(loss[:, None], tape, bootstrap)[0]


def tape_means_of_many(losses: np.ndarray, tape: np.ndarray, bootstrap: Bootstrap) -> list[TapeMeans]:
    """The same for each column of `losses`, shape (n, k)."""
    point, draws = [], []
    for name in np.unique(tape):
        mine = tape == name
        subset = bootstrap.take(mine)
        sums = subset.sums(np.column_stack([losses[mine], np.ones(mine.sum())]))
        point.append(losses[mine].mean(axis=0))
        draws.append(_safe_ratio(sums[:, :-1], sums[:, -1:]))
    points, replicates = np.array(point), np.array(draws)
    return [TapeMeans(points[:, k], replicates[:, :, k], len(losses), bootstrap.blocks) for k in range(losses.shape[1])]


def skill_percent(loss: TapeMeans, reference: TapeMeans) -> Estimate:
    """Mean over tapes of 100 (1 - loss / reference): every tape counts the same, however noisy its prices are."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # a replicate without any row of these tapes is nan
        low, high = interval(100.0 * (1.0 - np.nanmean(loss.draws / reference.draws, axis=0)))
    value = 100.0 * (1.0 - float(np.mean(loss.point / reference.point)))
    return Estimate(value, float(low), float(high), loss.n, loss.blocks)


def pooled_skill_percent(loss: TapeMeans, reference: TapeMeans) -> Estimate:
    """100 (1 - mean loss / mean reference), losses averaged over tapes first: the noisiest tapes decide."""
    ratio = _safe_ratio(np.nansum(loss.draws, axis=0), np.nansum(reference.draws, axis=0))
    low, high = interval(100.0 * (1.0 - ratio))
    value = 100.0 * (1.0 - float(loss.point.sum() / reference.point.sum()))
    return Estimate(value, float(low), float(high), loss.n, loss.blocks)


def _safe_ratio(numerator: np.ndarray, denominator: np.ndarray) -> np.ndarray:
    """Nan where a replicate holds none of the rows."""
    return np.divide(numerator, denominator, out=np.full(numerator.shape, np.nan), where=denominator > 0)


def interval(draws: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Two-sided 95 % interval of replicates, shape (draws,) or (draws, k); nan where no replicate is known."""
    known = np.isfinite(draws)
    percentiles = np.percentile if known.all() else np.nanpercentile
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # a column without any known replicate is nan
        low, high = percentiles(draws, [2.5, 97.5], axis=0)
    return low, high
