"""Least squares with coefficients that are not negative."""

from __future__ import annotations

import numpy as np
from scipy.optimize import nnls

_ROUNDING = 1e-10  # a column so much shorter than the longest one is zero but for rounding


def non_negative_least_squares(columns: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Coefficients >= 0 that bring `columns` nearest to `values` (Lawson and Hanson 1974, on the triangle of a QR).

    Args:
        columns: shape (n, k), n >= k; a column that is zero but for rounding gets the coefficient 0.
        values: shape (n,).

    Returns:
        Shape (k,).
    """
    length = np.linalg.norm(columns, axis=0)
    there = length > _ROUNDING * length.max()
    q, r = np.linalg.qr(columns[:, there] / length[there])
    coefficients = np.zeros(columns.shape[1])
    coefficients[there] = nnls(r, q.T @ values)[0] / length[there]
    return coefficients
