"""Residual scale and weighted quantiles, shared by every model with a mean and a residual."""

from __future__ import annotations

from typing import Literal

import numpy as np

from footprint.impact.rows import Rows

ResidualForm = Literal["constant", "diffusive"]


def residual_scale_bps(rows: Rows, target: str, form: ResidualForm) -> np.ndarray:
    """Scale of the noise around the mean, bps, shape (n,).

    "constant": the day's volatility, whatever the order's duration. "diffusive": volatility over the order's duration
    and the relaxation after it, with half the spread (`Rows.scale_bps`).
    """
    return rows.volatility_day_bps if form == "constant" else rows.scale_bps(target)


def weighted_quantiles(values: np.ndarray, weights: np.ndarray, levels: np.ndarray) -> np.ndarray:
    """Quantiles of a weighted sample, linear between the midpoints of cumulated weight.

    Args:
        values, weights: shape (n,), n >= 1; weights positive.
        levels: shape (k,), in (0, 1).

    Returns:
        shape (k,).

    >>> float(weighted_quantiles(np.array([1.0, 2.0, 3.0]), np.ones(3), np.array([0.5]))[0])
    2.0
    """
    order = np.argsort(values, kind="stable")
    cumulated = np.cumsum(weights[order])
    position = (cumulated - 0.5 * weights[order]) / cumulated[-1]
    return np.interp(levels, position, values[order])
