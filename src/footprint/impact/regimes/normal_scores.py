"""A monotone map of each column to normal scores, learned once and then frozen.

Observations of a minute are discrete where the tick or the number of trades is, and fat-tailed elsewhere. Gaussian
states on the raw logs become states of outliers that come and go with single minutes; on scores they last.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri

_LEVELS = np.arange(1, 50) / 50.0


@dataclass(frozen=True, slots=True)
class NormalScores:
    """Piecewise linear through 49 quantiles of each of d columns, constant beyond the outer ones (2 and 98 %).

    Attributes:
        values: the quantiles, shape (d, 49), non-decreasing; nan for a column that was never known.
        scores: standard normal quantiles of the same levels, equal values sharing their mean, shape (d, 49).
    """

    values: np.ndarray
    scores: np.ndarray

    def of(self, columns: np.ndarray) -> np.ndarray:
        """Scores of values, shape (n, d), each by itself; nan stays nan."""
        return _interpolated(columns, self.values, self.scores)

    def inverse(self, scores: np.ndarray) -> np.ndarray:
        """Values at scores, shape (n, d)."""
        return _interpolated(scores, self.scores, self.values)


def fit_normal_scores(columns: np.ndarray) -> NormalScores:
    """Learn the map from columns of shape (n, d), unknown values left out."""
    width = columns.shape[1]
    values, scores = np.full((width, len(_LEVELS)), np.nan), np.tile(ndtri(_LEVELS), (width, 1))
    for j in range(width):
        known = columns[np.isfinite(columns[:, j]), j]
        if len(known):
            values[j] = np.quantile(known, _LEVELS)
            _, group = np.unique(values[j], return_inverse=True)
            scores[j] = (np.bincount(group, weights=scores[j]) / np.bincount(group))[group]
    return NormalScores(values, scores)


def _interpolated(columns: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    return np.column_stack([np.interp(column, *knots) for column, *knots in zip(columns.T, x, y, strict=True)])
