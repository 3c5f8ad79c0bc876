"""How much less overlapping orders tell than independent ones would.

Orders of one half hour share the market's move. A likelihood that takes them as independent is too sure of itself;
raised to the power 1 / (design effect) it is about as sure as the data allow.
"""

from __future__ import annotations

import numpy as np

from footprint.impact.evaluation.protocol import Protocol
from footprint.impact.evaluation.scoring import clusters
from footprint.impact.rows import Rows


def blocks(rows: Rows) -> np.ndarray:
    """Number of each row's (market, half hour), 0-based, shape (n,)."""
    return clusters(rows.market, rows.start_ns, Protocol().cluster_s)


def design_effect(
    columns: np.ndarray, residual: np.ndarray, weights: np.ndarray, block: np.ndarray, inverse: np.ndarray | None = None
) -> float:
    """Variance of a weighted linear fit with errors shared in blocks over its variance with independent errors.

    tr(H^-1 J) / tr(H^-1 H) with H = sigma^2 X'WX and J the sum over blocks of the outer products of their scores: the
    magnitude adjustment of a composite likelihood (Pauli, Racugno, Ventura 2011, eq. 2.7), which also covers weights.

    Args:
        columns: shape (n, p).
        residual, weights: shape (n,); weights have mean 1.
        block: number of the row's block, shape (n,).
        inverse: (X'WX + penalty)^-1 of a penalised fit, shape (p, p); without it the penalty is none.

    Returns:
        At least 1.
    """
    gram = columns.T @ (columns * weights[:, None])
    inverse = np.linalg.pinv(gram) if inverse is None else inverse
    scores = np.zeros((int(block.max()) + 1, columns.shape[1]))
    np.add.at(scores, block, columns * (weights * residual)[:, None])
    variance = float(np.average(residual**2, weights=weights))
    independent = variance * float(np.sum(inverse * gram))
    shared = float(np.einsum("bi,ij,bj->", scores, inverse, scores, optimize=True))
    return max(1.0, shared / independent) if independent > 0 else 1.0
