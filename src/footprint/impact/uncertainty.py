"""Where a forecast's variance comes from: the model, the market's own move, the execution.

By the law of total variance the variance of a forecast is that of its mean, because the model is not known exactly,
plus that of the outcome around the mean. Of the latter the market's move is known without the order: with a Brownian
mid of variance sigma^2 a second, n >= 1 fills evenly over the horizon T and the relaxation h,

    peak                     W(T)                       sigma^2 T
    lasting shift            W(T + h)                   sigma^2 (T + h)
    shortfall                mean of W over [0, T]      sigma^2 T / 3
    temporary                shortfall - shift / 2      sigma^2 (T / 3 + (T + h) / 4 - T / 2)

(Almgren & Chriss 2001 for the shortfall of an even schedule.) What is left is execution: spread, fills, timing of the
children, reaction of the others. Where model and market claim more than the whole, execution is 0 and the two share the
whole in proportion.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from footprint.errors import UsageError
from footprint.impact.rows import RELAXATION_S, Rows


@dataclass(frozen=True, slots=True)
class VarianceParts:
    """Parts of each forecast's variance, bps^2, shape (n,) each; none is negative and they add up to `total`."""

    model: np.ndarray
    market: np.ndarray
    execution: np.ndarray
    total: np.ndarray


def split_variance(quantiles: np.ndarray, model_sd_bps: np.ndarray, market_variance: np.ndarray) -> VarianceParts:
    """Split the variance of predictive distributions.

    Args:
        quantiles: shape (n, 99), bps, the model's own uncertainty included.
        model_sd_bps: deviation of the mean forecast because the model is uncertain, shape (n,).
        market_variance: of the market's own move, bps^2, shape (n,).

    Raises:
        UsageError: shapes differ, or a part is negative or unknown.
    """
    model, market = np.square(model_sd_bps), np.asarray(market_variance, np.float64)
    if not model.shape == market.shape == quantiles.shape[:1]:
        raise UsageError(
            f"one model and one market part a forecast, found {model.shape}, {market.shape} for {quantiles.shape}"
        )
    if not (np.all(np.asarray(model_sd_bps) >= 0.0) and np.all(market >= 0.0)):
        raise UsageError("the deviation of the model and the variance of the market must be 0 or more")
    total = variance(quantiles)
    claimed = model + market
    share = np.divide(total, claimed, out=np.ones_like(total), where=claimed > total)
    model, market = share * model, share * market
    return VarianceParts(model, market, np.maximum(total - model - market, 0.0), total)


def market_variance(rows: Rows, target: str) -> np.ndarray:
    """Variance of the market's own move in a target, bps^2, shape (n,); see the table above."""
    horizon_s, after_s = rows.horizon_s, RELAXATION_S[target]
    if target == "shortfall":
        time_s = horizon_s / 3.0
    elif target == "temporary":
        time_s = horizon_s / 3.0 + 0.25 * (horizon_s + after_s) - 0.5 * horizon_s
    else:
        time_s = horizon_s + after_s
    return rows.volatility**2 * time_s


def variance(quantiles: np.ndarray) -> np.ndarray:
    """Variance of distributions given by 99 quantiles, shape (...,): linear between levels, exponential 1 % tails.

    The same law as `distribution.mean` and `distribution.cvar95`.

    >>> round(float(variance(np.linspace(-0.98, 0.98, 99))), 3)  # uniform on (-1, 1) but for its tails
    0.335
    """
    away = quantiles - quantiles[..., 49:50]
    low = (away[..., 4] - away[..., 0]) / np.log(5.0)
    high = (away[..., -1] - away[..., -5]) / np.log(5.0)
    left, right = away[..., :-1], away[..., 1:]
    first = 0.5 * (left + right).sum(axis=-1) + (away[..., 0] - low) + (away[..., -1] + high)
    second = (left**2 + left * right + right**2).sum(axis=-1) / 3.0
    second = second + (away[..., 0] - low) ** 2 + low**2 + (away[..., -1] + high) ** 2 + high**2
    return np.asarray(np.maximum(second / 100.0 - (first / 100.0) ** 2, 0.0))
