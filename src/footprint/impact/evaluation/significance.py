"""Is one forecast better than another by more than chance? The test of Diebold and Mariano on block sums."""

from __future__ import annotations

import numpy as np
from scipy.special import stdtr


def diebold_mariano(differential: np.ndarray, cluster: np.ndarray) -> float:
    """Two-sided p-value of the hypothesis that the mean loss differential is zero.

    Differentials of one block share the market's move; the sums of blocks are taken as independent, and their t
    statistic has the small-sample correction of Harvey, Leybourne and Newbold (1997) at horizon 1: Student's t with
    one degree of freedom less than there are blocks. Diebold & Mariano (1995), Journal of Business & Economic
    Statistics 13, 253.

    Args:
        differential: loss of the reference less loss of the forecast, weighted, shape (n,).
        cluster: number of the row's block, shape (n,).

    Returns:
        nan where there are fewer than two blocks; 1 where the two never differ.
    """
    _, code = np.unique(cluster, return_inverse=True)
    sums = np.bincount(code, weights=differential)
    if len(sums) < 2:
        return float("nan")
    error = sums.std(ddof=1) / np.sqrt(len(sums))
    if error == 0.0:
        return 1.0 if sums.mean() == 0.0 else 0.0
    return float(2.0 * stdtr(len(sums) - 1, -abs(sums.mean()) / error))
