"""Do the probabilities mean what they say? The probability integral transform and the reliability curve."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from footprint.impact.evaluation.scoring import Bootstrap, Estimate, interval, mean_estimate, mean_estimates

PIT_DRAWS = 500
PIT_BINS = 20
PROBABILITY_BINS = 10
_GRID = np.arange(1, 100) / 100.0


@dataclass(frozen=True, slots=True)
class PitTest:
    """Kolmogorov-Smirnov distance of the PIT from uniform, and the p-value of no distance at all."""

    distance: Estimate
    p: float


def pit_test(pit: np.ndarray, weights: np.ndarray, bootstrap: Bootstrap) -> PitTest:
    """Distance of the weighted PIT from the uniform distribution on a grid of the 99 levels.

    The p-value is the share of block replicates that lie at least as far from the sample as the sample lies from the
    uniform distribution: dependence within blocks widens both.

    Args:
        pit: shape (n,), in [0, 1].
        weights: shape (n,).
    """
    cell = np.minimum((pit * 100).astype(np.int64), 99)
    blocks = bootstrap.times.shape[1]
    table = np.bincount(100 * bootstrap.cluster + cell, weights=weights, minlength=100 * blocks).reshape(blocks, 100)
    below = np.cumsum(table.sum(axis=0))[:-1] / weights.sum()
    replicates = np.cumsum(bootstrap.times[:PIT_DRAWS] @ table, axis=1)
    with np.errstate(invalid="ignore"):
        drawn = replicates[:, :-1] / replicates[:, -1:]
    value = float(np.abs(below - _GRID).max())
    low, high = interval(np.abs(drawn - _GRID).max(axis=1))
    noise = np.abs(drawn - below).max(axis=1)
    p = float(np.mean(noise[np.isfinite(noise)] >= value)) if np.isfinite(noise).any() else float("nan")
    return PitTest(Estimate(value, float(low), float(high), len(pit), bootstrap.blocks), p)


def pit_shares(pit: np.ndarray, weights: np.ndarray, bootstrap: Bootstrap) -> Iterator[tuple[str, Estimate]]:
    """Per cent of the outcomes in each of twenty equal bins of the PIT, each 5 when the forecasts are right."""
    inside = np.minimum((pit * PIT_BINS).astype(np.int64), PIT_BINS - 1)[:, None] == np.arange(PIT_BINS)
    for k, share in enumerate(mean_estimates(100.0 * inside, weights, bootstrap)):
        yield f"PIT {k / PIT_BINS:.2f} to {(k + 1) / PIT_BINS:.2f}", share


@dataclass(frozen=True, slots=True)
class ReliabilityBin:
    """Forecasts of one range of probability: their mean, and how often it happened, both in per cent."""

    name: str
    predicted: Estimate
    observed: Estimate


def reliability(
    probability: np.ndarray, happened: np.ndarray, weights: np.ndarray, bootstrap: Bootstrap
) -> Iterator[ReliabilityBin]:
    """The reliability curve (Murphy & Winkler 1977) in ten equal bins of the forecast probability; empty ones are left.

    Args:
        probability: shape (n,), in [0, 1].
        happened: shape (n,), 0 or 1.
    """
    bin_of = np.minimum((probability * PROBABILITY_BINS).astype(np.int64), PROBABILITY_BINS - 1)
    for k in np.unique(bin_of):
        mine = bin_of == k
        subset = bootstrap.take(mine)
        predicted, observed = (
            mean_estimate(100.0 * values[mine], weights[mine], subset) for values in (probability, happened)
        )
        name = f"P {k / PROBABILITY_BINS:.1f} to {(k + 1) / PROBABILITY_BINS:.1f}"
        yield ReliabilityBin(name, predicted, observed)
