"""Residual scale and weighted quantiles, shared by every model with a mean and a residual."""

from __future__ import annotations

from typing import Literal

import numpy as np

from footprint.impact.distribution import LEVELS
from footprint.impact.non_negative import non_negative_least_squares
from footprint.impact.rows import RELAXATION_S, Rows

ResidualForm = Literal["constant", "diffusive", "fitted"]

_LEAST_DIFFUSION = 0.01  # weight that diffusion keeps in a fitted scale, so that none vanishes
_STEPS = 100
_SMALLEST_STEP = 1e-9  # relative to the largest weight


def residual_scale_bps(
    rows: Rows, target: str, form: ResidualForm, variance_weights: tuple[float, ...] = ()
) -> np.ndarray:
    """Scale of the noise around the mean, bps, shape (n,).

    "constant": the day's volatility, whatever the order's duration. "diffusive": volatility over the order's duration
    and the relaxation after it, with half the spread (`Rows.scale_bps`). "fitted": the root of `variance_parts`
    weighted by `variance_weights`, so that the noise may also grow with the spread and with the impact itself.
    """
    if form == "fitted":
        return np.sqrt(variance_parts(rows, target) @ np.array(variance_weights))
    return rows.volatility_day_bps if form == "constant" else rows.scale_bps(target)


def variance_parts(rows: Rows, target: str) -> np.ndarray:
    """Diffusion until the target is read, half-spread and square-root impact, each squared; bps^2, shape (n, 3)."""
    diffusion = rows.volatility**2 * (np.maximum(rows.horizon_s, 1.0) + RELAXATION_S[target])
    return np.column_stack([diffusion, (0.5 * rows.spread_bps) ** 2, rows.volatility_day_bps**2 * rows.participation])


def fit_residual(
    rows: Rows, target: str, form: ResidualForm, residual_bps: np.ndarray
) -> tuple[tuple[float, ...], np.ndarray]:
    """Weights of the variance's parts (empty unless the form is "fitted") and the standardised residual's quantiles.

    Args:
        rows: all with a known outcome.
        residual_bps: outcome - mean, shape (n,).

    Returns:
        Three weights or none, and the quantiles on the 99 levels, shape (99,).
    """
    tape_weights = rows.tape_weights()
    variance_weights = _variance_weights(rows, target, residual_bps, tape_weights) if form == "fitted" else ()
    scale = residual_scale_bps(rows, target, form, variance_weights)
    return variance_weights, weighted_quantiles(residual_bps / scale, tape_weights, LEVELS)


def _variance_weights(
    rows: Rows, target: str, residual_bps: np.ndarray, tape_weights: np.ndarray
) -> tuple[float, float, float]:
    """Weights by the quasi-likelihood of a Laplace law: the sum of log(scale) + |residual| / scale is smallest.

    The mean size of fat-tailed residuals is a steadier guide to their scale than the mean square. Found by Fisher
    scoring, which is a non-negative least squares a step, with steps halved until the sum falls.
    """
    noise = rows.scale_bps(target)
    parts = variance_parts(rows, target) / noise[:, None] ** 2
    size, share = np.abs(residual_bps) / noise, tape_weights / len(rows)
    weights = np.array([1.0, 1.0, 0.0]) * float(share @ size) ** 2
    if weights[0] == 0.0:  # nothing but the mean
        return 1.0, 1.0, 0.0
    least = _LEAST_DIFFUSION * weights * np.array([1.0, 0.0, 0.0])

    def loss(weights: np.ndarray) -> float:
        variance = parts @ weights
        return float(share @ (0.5 * np.log(variance) + size / np.sqrt(variance)))

    for _ in range(_STEPS):
        variance = parts @ weights
        aim = variance * (2.0 * size / np.sqrt(variance) - 1.0) - parts @ least
        root = np.sqrt(share) / variance
        step = least + non_negative_least_squares(parts * root[:, None], aim * root) - weights
        before = loss(weights)
        while loss(weights + step) > before and np.abs(step).max() > _SMALLEST_STEP * weights.max():
            step *= 0.5
        if np.abs(step).max() <= _SMALLEST_STEP * weights.max():
            break
        weights = weights + step
    first, second, third = weights.tolist()
    return first, second, third


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
    order = np.argsort(values)
    cumulated = np.cumsum(weights[order])
    position = (cumulated - 0.5 * weights[order]) / cumulated[-1]
    return np.interp(levels, position, values[order])
