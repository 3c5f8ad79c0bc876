"""Intervals from blocks of the clock, and regressions whose replicates cost nothing.

Trades of one half hour share the market's move, so half hours are resampled whole (`evaluation/scoring.py`). Sums over
a replicate are weighted sums of the sums over blocks, and a regression needs its data only through the products of its
columns: so everything here is computed once a block. Arrays of replicates have the data themselves as row 0.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from footprint.impact.evaluation.scoring import Bootstrap, clusters

BLOCK_S = 1800.0
MIN_BLOCKS = 12  # a tape too short for so many half hours is cut into so many shorter blocks
DRAWS = 1000


def block_length_s(trading_s: float) -> float:
    """Half an hour; for less than six hours of trading a twelfth of them, seconds."""
    return min(BLOCK_S, max(trading_s / MIN_BLOCKS, 1.0))


@dataclass(frozen=True, slots=True)
class Blocks:
    """Rows cut into stretches of the clock, and how often each replicate contains each stretch.

    Attributes:
        block_s: length of a block, seconds.
    """

    bootstrap: Bootstrap
    block_s: float

    @classmethod
    def draw(cls, time_ns: np.ndarray, block_s: float, rng: np.random.Generator, draws: int = DRAWS) -> Blocks:
        """Blocks of rows at these times, int64 of shape (n,), n at least 1."""
        one_market = np.zeros(len(time_ns), np.int8)
        cluster = clusters(one_market, time_ns, block_s)
        return cls(Bootstrap.draw(cluster, one_market, draws, rng), block_s)

    @property
    def rows(self) -> int:
        """Number of rows."""
        return len(self.bootstrap.cluster)

    def replicates(self, block_sums: np.ndarray) -> np.ndarray:
        """Sums over the data and over every replicate, from sums over the blocks, shape (blocks, ...).

        Returns:
            Shape (1 + draws, ...).
        """
        drawn = np.tensordot(self.bootstrap.times, block_sums, axes=1)
        return np.concatenate([block_sums.sum(axis=0)[None], drawn])

    def sums(self, values: np.ndarray) -> np.ndarray:
        """Sums of per-row values of shape (n,) or (n, k), shape (1 + draws,) or (1 + draws, k)."""
        return self.replicates(self.bootstrap.block_sums(values))

    def means(self, values: np.ndarray, weights: np.ndarray | None = None) -> np.ndarray:
        """Means of the columns of `values`, shape (n, k); nan values count for nothing, shape (1 + draws, k)."""
        known = np.isfinite(values)
        weight = known * (1.0 if weights is None else weights[:, None])
        return ratio(self.sums(np.where(known, values, 0.0) * weight), self.sums(weight))

    def products(self, columns: np.ndarray) -> np.ndarray:
        """W'W of columns of shape (n, k), shape (1 + draws, k, k)."""
        order = np.argsort(self.bootstrap.cluster, kind="stable")
        present, first = np.unique(self.bootstrap.cluster[order], return_index=True)
        k = columns.shape[1]
        blocks = np.zeros((self.bootstrap.times.shape[1], k, k))
        for block, rows in zip(present, np.split(order, first[1:]), strict=True):
            blocks[block] = columns[rows].T @ columns[rows]
        return self.replicates(blocks)


def ratio(numerator: np.ndarray, denominator: np.ndarray) -> np.ndarray:
    """Quotient, nan where the denominator is 0."""
    numerator, denominator = np.broadcast_arrays(numerator, denominator)
    return np.divide(numerator, denominator, out=np.full(numerator.shape, np.nan), where=denominator != 0)


def regress(moments: np.ndarray, regressors: list[int], responses: list[int]) -> tuple[np.ndarray, np.ndarray]:
    """Ordinary least squares of some columns on others.

    Args:
        moments: W'W of shape (..., k, k); column 0 of W is the constant 1.
        regressors, responses: numbers of columns; the constant is a regressor only if it is named.

    Returns:
        Coefficients of shape (..., regressors, responses) and the covariance of the residuals, shape (..., responses,
        responses).
    """
    xx = moments[..., regressors, :][..., regressors]
    xy = moments[..., regressors, :][..., responses]
    yy = moments[..., responses, :][..., responses]
    coefficients = np.linalg.pinv(xx, hermitian=True) @ xy
    rows = moments[..., 0, 0][..., None, None]
    return coefficients, (yy - np.swapaxes(xy, -1, -2) @ coefficients) / rows


def r_squared(moments: np.ndarray, regressors: list[int], response: int) -> np.ndarray:
    """Share of the variance of one column that the others explain; shape of the leading axes of `moments`."""
    _, residual = regress(moments, regressors, [response])
    rows = moments[..., 0, 0]
    variance = moments[..., response, response] / rows - (moments[..., 0, response] / rows) ** 2
    return ratio(variance - residual[..., 0, 0], np.maximum(variance, 0.0))
