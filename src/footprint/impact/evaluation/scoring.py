"""Scoring rules and their errors. Everything works on per-row numbers, so that one bootstrap serves every metric.

Errors: orders of one half hour share the market's move, so the half-hour blocks of a market's clock are resampled
whole (clusters common to all its symbols); skills are ratios of sums over the resampled blocks.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from footprint.impact.distribution import LEVELS, prob_exceed, probability_integral_transform
from footprint.units import NS_PER_SECOND


def pinball_bps(quantiles: np.ndarray, outcome: np.ndarray) -> np.ndarray:
    """Pinball loss of every level, shape (n, 99). Koenker & Bassett (1978)."""
    error = outcome[:, None] - quantiles
    return np.maximum(LEVELS * error, (LEVELS - 1.0) * error)


def crps_bps(quantiles: np.ndarray, outcome: np.ndarray) -> np.ndarray:
    """Continuous ranked probability score of each row, shape (n,), bps; smaller is better.

    Twice the mean pinball loss over the 99 levels (Gneiting & Ranjan 2011, eq. 12 with unit weight).
    """
    return 2.0 * pinball_bps(quantiles, outcome).mean(axis=1)


def covered(quantiles: np.ndarray, outcome: np.ndarray, coverage: float) -> np.ndarray:
    """1.0 where the outcome lies inside the central band (0.90: levels 5 % to 95 %), shape (n,)."""
    tail = round((1.0 - coverage) / 2.0 * 100)
    return ((outcome >= quantiles[:, tail - 1]) & (outcome <= quantiles[:, 99 - tail])).astype(np.float64)


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
        """The same replicates for a subset of the rows."""
        return Bootstrap(self.cluster[mask], self.times)

    def sums(self, values: np.ndarray) -> np.ndarray:
        """Sum of per-row values in every replicate, shape (draws,)."""
        return self.times @ np.bincount(self.cluster, weights=values, minlength=self.times.shape[1])

    @property
    def blocks(self) -> int:
        """Blocks that hold at least one of the rows."""
        return len(np.unique(self.cluster))


def mean_estimate(values: np.ndarray, weights: np.ndarray, bootstrap: Bootstrap) -> Estimate:
    """Weighted mean with its interval."""
    ratio = _safe_ratio(bootstrap.sums(values * weights), bootstrap.sums(weights))
    low, high = _interval(ratio)
    return Estimate(float(np.average(values, weights=weights)), low, high, len(values), bootstrap.blocks)


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
    point, draws = [], []
    for name in np.unique(tape):
        mine = tape == name
        subset = bootstrap.take(mine)
        point.append(loss[mine].mean())
        draws.append(_safe_ratio(subset.sums(loss[mine]), subset.sums(np.ones(mine.sum()))))
    return TapeMeans(np.array(point), np.array(draws), len(loss), bootstrap.blocks)


def skill_percent(loss: TapeMeans, reference: TapeMeans) -> Estimate:
    """Mean over tapes of 100 (1 - loss / reference): every tape counts the same, however noisy its prices are."""
    low, high = _interval(100.0 * (1.0 - np.nanmean(loss.draws / reference.draws, axis=0)))
    value = 100.0 * (1.0 - float(np.mean(loss.point / reference.point)))
    return Estimate(value, low, high, loss.n, loss.blocks)


def pooled_skill_percent(loss: TapeMeans, reference: TapeMeans) -> Estimate:
    """100 (1 - mean loss / mean reference), losses averaged over tapes first: the noisiest tapes decide."""
    ratio = np.nansum(loss.draws, axis=0) / np.nansum(reference.draws, axis=0)
    low, high = _interval(100.0 * (1.0 - ratio))
    value = 100.0 * (1.0 - float(loss.point.sum() / reference.point.sum()))
    return Estimate(value, low, high, loss.n, loss.blocks)


def _safe_ratio(numerator: np.ndarray, denominator: np.ndarray) -> np.ndarray:
    """Nan where a replicate holds none of the rows."""
    return np.divide(numerator, denominator, out=np.full(len(numerator), np.nan), where=denominator > 0)


def _interval(draws: np.ndarray) -> tuple[float, float]:
    if not np.isfinite(draws).any():
        return float("nan"), float("nan")
    low, high = np.nanpercentile(draws, [2.5, 97.5])
    return float(low), float(high)
