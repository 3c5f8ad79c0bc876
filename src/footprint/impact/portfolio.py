"""Orders in several symbols at once: what they cost together, and how much of their risk is shared.

Mean costs add up in currency. Of the risk, the market's own move is shared: with even schedules over T_i <= T_j and
correlation rho of the mids' returns the covariance of the two shortfalls is rho sigma_i sigma_j times

    integral of (1 - t / T_i)(1 - t / T_j) from 0 to T_i = T_i / 2 - T_i^2 / (6 T_j)

(Almgren & Chriss 2001, appendix A; T / 3 where the horizons are equal). Model and execution parts are taken as
independent between orders.

Cross-impact is off unless asked for: every order then pays its own impact alone, orders of one symbol included. When
asked for, impact is linear and lasting around the own costs, in the form of the multivariate Kyle model with order flow
that is independent between symbols (del Molino, Mastromatteo, Benzaquen, Bouchaud, arXiv 1806.07791; compared with
others by Tomas, Mastromatteo, Benzaquen, arXiv 2004.01624), rescaled to the forecast own costs,

    K = k^(1/2) R k^(1/2),   R = the correlation form of (A rho A)^(1/2),   A = diag(sigma_i V_i),

K_ij the move of i in bps per unit of currency traded in j, k_i what the forecast of order i says of itself, so that the
diagonal is the own cost. K is symmetric and positive semi-definite, which is what excludes a profit of any round trip
under linear impact (Huberman & Stanzl 2004; Alfonsi, Kloeck, Schied 2016); `check_no_arbitrage` says so of any matrix.
The matrix is a model, not an estimate: correlations are measured, cross-impact is not.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from footprint.errors import ModelError, UsageError
from footprint.units import BPS

LEAST_RETURNS = 30
_TOLERANCE = 1e-9


@dataclass(frozen=True, slots=True)
class PortfolioOrder:
    """One order with its forecast.

    Attributes:
        side: +1 buy, -1 sell.
        notional: quantity x price, currency, positive.
        horizon_s: of its even plan.
        mean_bps, sd_bps: of its slippage.
        impact_bps: the part of the mean that is impact, without the spread; 0 or more.
        market_sd_bps: part of the deviation that is the market's own move, at most `sd_bps`.
        day_risk: sigma_D x V_D, currency; how much its symbol's usual flow is worth.
    """

    symbol: str
    side: int
    notional: float
    horizon_s: float
    mean_bps: float
    sd_bps: float
    impact_bps: float
    market_sd_bps: float
    day_risk: float


@dataclass(frozen=True, slots=True)
class PortfolioCost:
    """The orders together.

    Attributes:
        notional: sum, currency; bps below are of it.
        mean_bps, sd_bps: of the cost of all.
        cross_impact_bps: part of the mean that is cross-impact; None when off.
        independent_sd_bps: deviation if nothing were correlated.
        order_mean_bps: mean of each order, its share of cross-impact included, shape (n,).
        risk_share: share of each order in the variance, adding up to 1; negative for a hedge, shape (n,).
    """

    notional: float
    mean_bps: float
    sd_bps: float
    cross_impact_bps: float | None
    independent_sd_bps: float
    order_mean_bps: np.ndarray
    risk_share: np.ndarray


def portfolio(orders: Sequence[PortfolioOrder], correlation: np.ndarray, cross_impact: bool = False) -> PortfolioCost:
    """Cost the orders together.

    Args:
        correlation: of the mids' returns, by order, shape (n, n).
        cross_impact: charge the moves that the orders cause each other.

    Raises:
        UsageError: no order, a matrix that is no correlation, or cross-impact with two orders of one symbol.
        ModelError: a matrix of cross-impact that lets a round trip pay.
    """
    _check_correlation(orders, correlation)
    notional = np.array([o.notional for o in orders])
    signed = notional * np.array([o.side for o in orders])
    mean_bps = np.array([o.mean_bps for o in orders])
    cross = None
    if cross_impact:
        extra = _cross_cost_bps(orders, correlation, signed)
        mean_bps, cross = mean_bps + extra, float(extra @ notional) / notional.sum()
    covariance = np.outer(signed, signed) * _market_covariance(orders, correlation)
    own = notional**2 * np.array([o.sd_bps**2 for o in orders])
    np.fill_diagonal(covariance, own)
    total = max(float(covariance.sum()), 0.0)
    return PortfolioCost(
        notional=float(notional.sum()),
        mean_bps=float(mean_bps @ notional) / float(notional.sum()),
        sd_bps=math.sqrt(total) / float(notional.sum()),
        cross_impact_bps=cross,
        independent_sd_bps=math.sqrt(float(own.sum())) / float(notional.sum()),
        order_mean_bps=mean_bps,
        risk_share=covariance.sum(axis=1) / total if total > 0.0 else np.full(len(orders), 1.0 / len(orders)),
    )


def cross_impact_matrix(own_bps: np.ndarray, day_risk: np.ndarray, correlation: np.ndarray) -> np.ndarray:
    """K of the table above, bps per unit of currency, shape (n, n).

    Args:
        own_bps: k, the diagonal, 0 or more, shape (n,).
        day_risk: sigma_D x V_D of each symbol, positive, shape (n,).
        correlation: of returns, positive semi-definite, shape (n, n).
    """
    values, vectors = np.linalg.eigh(np.outer(day_risk, day_risk) * correlation)
    root = (vectors * np.sqrt(np.maximum(values, 0.0))) @ vectors.T
    form = root / np.sqrt(np.outer(np.diag(root), np.diag(root)))
    scale = np.sqrt(own_bps)
    return np.asarray(np.outer(scale, scale) * form)


def check_no_arbitrage(matrix: np.ndarray) -> None:
    """Raise when linear impact by this matrix lets a round trip pay: it is not symmetric, or has a negative direction.

    Raises:
        ModelError: with the size of the fault.
    """
    scale = max(float(np.abs(matrix).max()), np.finfo(float).tiny)
    skew = float(np.abs(matrix - matrix.T).max()) / scale
    if not skew <= _TOLERANCE:
        raise ModelError(f"a matrix of cross-impact that is not symmetric by {skew:.2g} of its largest entry")
    least = float(np.linalg.eigvalsh(matrix)[0]) / scale
    if least < -_TOLERANCE:
        raise ModelError(f"a matrix of cross-impact with a negative eigenvalue, {least:.2g} of its largest entry")


def correlation_of(mids: np.ndarray) -> np.ndarray:
    """Correlation of log returns.

    Args:
        mids: on one time grid, shape (symbols, times), nan where unknown; a time counts where all are known.

    Raises:
        UsageError: fewer than 30 common returns, or a mid that never moves.
    """
    returns = np.diff(np.log(mids), axis=1)
    common = returns[:, np.isfinite(returns).all(axis=0)]
    if common.shape[1] < LEAST_RETURNS:
        raise UsageError(f"{common.shape[1]} returns at which all symbols have a mid, allowed: {LEAST_RETURNS} or more")
    sd = common.std(axis=1)
    if not (sd > 0.0).all():
        raise UsageError("a symbol's mid does not move: its correlation is unknown")
    centred = (common - common.mean(axis=1, keepdims=True)) / sd[:, None]
    found = centred @ centred.T / common.shape[1]
    np.fill_diagonal(found, 1.0)
    return np.asarray(found)


def _check_correlation(orders: Sequence[PortfolioOrder], correlation: np.ndarray) -> None:
    n = len(orders)
    if n == 0:
        raise UsageError("a portfolio without an order")
    fits = correlation.shape == (n, n) and np.allclose(correlation, correlation.T)
    if not (fits and np.allclose(np.diag(correlation), 1.0) and np.linalg.eigvalsh(correlation)[0] >= -_TOLERANCE * n):
        raise UsageError(f"not a correlation matrix of {n} orders: symmetric, 1 on the diagonal, no negative direction")


def _market_covariance(orders: Sequence[PortfolioOrder], correlation: np.ndarray) -> np.ndarray:
    """Covariance of two orders' market parts, bps^2, shape (n, n)."""
    horizon = np.array([o.horizon_s for o in orders])
    sd = np.array([o.market_sd_bps for o in orders])
    short, long = np.minimum.outer(horizon, horizon), np.maximum.outer(horizon, horizon)
    overlap = (short / 2.0 - short**2 / (6.0 * long)) / (np.sqrt(np.outer(horizon, horizon)) / 3.0)
    return np.asarray(correlation * np.outer(sd, sd) * overlap)


def _cross_cost_bps(orders: Sequence[PortfolioOrder], correlation: np.ndarray, signed: np.ndarray) -> np.ndarray:
    """What the others' trading adds to each order's cost, bps of its notional, shape (n,).

    Order i pays the move that j has caused so far, averaged over i's execution: relative to equal horizons
    T_i / T_j where i ends first and 2 - T_j / T_i where it goes on. The two shares of a pair add up to 2, so that the
    cost of all does not depend on who ends first.
    """
    symbols = [o.symbol for o in orders]
    twice = sorted({s for s in symbols if symbols.count(s) > 1})
    if twice:
        raise UsageError(f"cross-impact with several orders in {', '.join(twice)}, allowed: one order a symbol")
    own_bps = np.array([o.impact_bps / o.notional for o in orders])
    matrix = cross_impact_matrix(own_bps, np.array([o.day_risk for o in orders]), correlation)
    check_no_arbitrage(matrix)
    horizon = np.array([o.horizon_s for o in orders])
    ratio = horizon[:, None] / horizon[None]
    seen = np.where(ratio <= 1.0, ratio, 2.0 - 1.0 / ratio)
    moves = matrix * seen
    np.fill_diagonal(moves, 0.0)
    return np.asarray(np.sign(signed) * (moves @ signed))


def in_currency(cost_bps: float, notional: float) -> float:
    """A cost in bps as an amount.

    >>> in_currency(5.0, 2_000_000.0)
    1000.0
    """
    return cost_bps * notional / BPS
