"""A predictive distribution as its quantiles on 99 levels, and the numbers a desk reads from it."""

from __future__ import annotations

import numpy as np
from scipy.special import ndtri

LEVELS = np.arange(1, 100) / 100.0
LEVELS.setflags(write=False)
NORMAL_SCORES = ndtri(LEVELS)
NORMAL_SCORES.setflags(write=False)


def _tail_lengths(quantiles: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Decay lengths of the exponential tails through the levels 1 and 5 % (95 and 99 %)."""
    low = (quantiles[..., 4] - quantiles[..., 0]) / np.log(5.0)
    high = (quantiles[..., -1] - quantiles[..., -5]) / np.log(5.0)
    return low, high


def mean(quantiles: np.ndarray) -> np.ndarray:
    """Mean of the distribution: the quantile function integrated over (0, 1), with exponential 1 % tails.

    Args:
        quantiles: shape (..., 99), non-decreasing along the last axis.

    >>> round(float(mean(np.linspace(0, 2, 99))), 12)
    1.0
    """
    low, high = _tail_lengths(quantiles)
    inner = quantiles.sum(axis=-1) - 0.5 * (quantiles[..., 0] + quantiles[..., -1])
    return (inner + quantiles[..., 0] - low + quantiles[..., -1] + high) / 100.0


def quantile(quantiles: np.ndarray, level: float) -> np.ndarray:
    """Value at one of the 99 levels (0.01 ... 0.99).

    Raises:
        ValueError: the level is not on the grid.
    """
    index = round(level * 100) - 1
    if not 0 <= index < len(LEVELS) or abs(LEVELS[index] - level) > 1e-9:
        raise ValueError(f"level must be one of 0.01 ... 0.99, not {level!r}")
    return quantiles[..., index]


def prob_exceed(quantiles: np.ndarray, threshold: float) -> np.ndarray:
    """P(outcome > threshold): linear between levels, exponential 1 % tails beyond the first and last level."""
    flat = np.atleast_2d(quantiles)
    low, high = (np.maximum(length, 1e-12) for length in _tail_lengths(flat))
    below = (flat <= threshold).sum(axis=1)
    left = np.clip(below - 1, 0, len(LEVELS) - 2)
    n = np.arange(len(flat))
    start, width = flat[n, left], flat[n, left + 1] - flat[n, left]
    inside = 1.0 - (left + 1 + (threshold - start) / np.where(width > 0, width, 1.0)) / 100.0
    under = 1.0 - 0.01 * np.exp(np.minimum(threshold - flat[:, 0], 0.0) / low)
    over = 0.01 * np.exp(-np.maximum(threshold - flat[:, -1], 0.0) / high)
    out = np.where(below == 0, under, np.where(below == len(LEVELS), over, inside))
    return out.reshape(np.shape(quantiles)[:-1])


def cvar95(quantiles: np.ndarray) -> np.ndarray:
    """Mean of the worst 5 % of costs: the quantile function averaged over (0.95, 1), with an exponential 1 % tail."""
    worst = quantiles[..., 94:]
    _, high = _tail_lengths(quantiles)
    inner = worst.sum(axis=-1) - 0.5 * (worst[..., 0] + worst[..., -1])
    return (inner + worst[..., -1] + high) / 5.0


def probability_integral_transform(quantiles: np.ndarray, outcome: np.ndarray) -> np.ndarray:
    """Predicted probability of an outcome at or below the one that came, shape (n,), in [0, 1].

    Uniform when the forecasts are right. Outside the grid it is set to the middle of the 1 % tail.
    """
    below = (quantiles <= outcome[:, None]).sum(axis=1)
    n = np.arange(len(outcome))
    low = np.clip(below - 1, 0, 97)
    left, right = quantiles[n, low], quantiles[n, low + 1]
    width = np.where(right > left, right - left, 1.0)
    inside = (low + 1 + np.clip((outcome - left) / width, 0.0, 1.0)) / 100.0
    return np.where(below == 0, 0.005, np.where(below >= 99, 0.995, inside))


def from_levels(levels: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Quantiles on the 99 levels from values on a coarser grid, interpolated linearly in normal scores.

    Crossing values are sorted first (Chernozhukov, Fernandez-Val, Galichon 2010). Beyond the outer levels the last
    slope in normal scores is continued.

    Args:
        levels: shape (k,), increasing, inside (0, 1).
        values: shape (n, k).

    Returns:
        shape (n, 99).
    """
    return np.sort(values, axis=1) @ interpolation_weights(levels)


def interpolation_weights(levels: np.ndarray) -> np.ndarray:
    """Matrix (k, 99) that carries values on `levels` to the 99 levels, linear in normal scores."""
    knots = ndtri(levels)
    right = np.clip(np.searchsorted(knots, NORMAL_SCORES), 1, len(knots) - 1)
    share = (NORMAL_SCORES - knots[right - 1]) / (knots[right] - knots[right - 1])
    weights = np.zeros((len(knots), len(LEVELS)))
    column = np.arange(len(LEVELS))
    weights[right - 1, column] = 1.0 - share
    weights[right, column] += share
    return weights
