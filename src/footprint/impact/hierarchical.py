"""Partial pooling: every symbol has its own law, drawn around its market's, drawn around the law of all markets.

Outcome / noise scale = Y law + c half-spread + exp(s) residual, all in noise scales. (Y, c, s) of a symbol are normal
around those of its market, and these around a global centre (Gelman & Hill 2007, ch. 12 and 13). A symbol with many
orders keeps its own values, a thin one borrows its market's, an unseen one gets the market's or the global predictive,
which is wider. What a sampler needs is in `SymbolStatistics`, whose size is that of the list of symbols; what it gives
is kept as draws, so that a forecast needs no sampler.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from footprint.impact.distribution import LEVELS
from footprint.impact.overlap import blocks, design_effect
from footprint.impact.residuals import weighted_quantiles
from footprint.impact.rows import Rows

PARAMETERS = ("prefactor", "half_spreads", "log_size")
_SHAPE_LEVELS = (np.arange(400) + 0.5) / 400  # finer than the 99, so that a mixture of sizes keeps its tails


@dataclass(frozen=True, slots=True)
class HierarchyPrior:
    """Prior of the three parameters, in the order of `PARAMETERS`.

    Attributes:
        mean, sd: of the global centre, normal.
        market_sd, symbol_sd: scales of the half-normal priors of the spreads between markets and between symbols.
    """

    mean: tuple[float, float, float] = (0.5, 0.5, 0.0)
    sd: tuple[float, float, float] = (1.0, 1.0, 0.5)
    market_sd: tuple[float, float, float] = (0.5, 0.5, 0.25)
    symbol_sd: tuple[float, float, float] = (0.5, 0.5, 0.25)


@dataclass(frozen=True, slots=True)
class SymbolStatistics:
    """Sufficient statistics of a normal likelihood, symbol by symbol, counted as independent rows.

    With b = (Y, c): log-likelihood = -size_count (s + rest exp(-2s) / 2) - (b - centre)' gram (b - centre) exp(-2s) /
    2.

    Attributes:
        symbols, markets: names.
        market: number of each symbol's market, shape (S,).
        centre: least-squares (Y, c), shape (S, 2).
        gram: of law and half-spread over the design effect of their scores, shape (S, 2, 2).
        rest: mean squared residual, shape (S,).
        size_count: rows over the design effect of the squared residuals, which has their kurtosis in it, shape (S,).
    """

    symbols: tuple[str, ...]
    markets: tuple[str, ...]
    market: np.ndarray
    centre: np.ndarray
    gram: np.ndarray
    rest: np.ndarray
    size_count: np.ndarray


def symbol_statistics(rows: Rows, target: str) -> SymbolStatistics:
    """Statistics of rows whose outcome is known; the tapes of a symbol weigh the same."""
    symbols, symbol = np.unique(rows.symbol, return_inverse=True)
    markets, market = np.unique(rows.market, return_inverse=True)
    columns, outcome = law_columns(rows, target), rows.outcome(target) / rows.scale_bps(target)
    weights, residual = np.empty(len(rows)), np.empty(len(rows))
    members = [np.flatnonzero(symbol == s) for s in range(len(symbols))]
    centre, gram, rest = np.empty((len(symbols), 2)), np.empty((len(symbols), 2, 2)), np.empty(len(symbols))
    for s, mine in enumerate(members):
        weights[mine] = w = rows.take(mine).tape_weights()
        root = np.sqrt(w)
        centre[s] = np.linalg.lstsq(columns[mine] * root[:, None], outcome[mine] * root, rcond=None)[0]
        gram[s] = columns[mine].T @ (columns[mine] * w[:, None])
        residual[mine] = outcome[mine] - columns[mine] @ centre[s]
        rest[s] = np.average(residual[mine] ** 2, weights=w)
    block = np.unique(np.stack([symbol, blocks(rows)]), axis=1, return_inverse=True)[1].ravel()
    relative = residual / np.sqrt(rest[symbol])
    surprise = relative**2 - 1.0
    law_share = _shared(design_effect(columns, relative, weights, block), block)
    size_share = _shared(design_effect(np.ones((len(rows), 1)), surprise, weights, block), block)
    kurtosis = max(1.0, 0.5 * float(np.average(surprise**2, weights=weights)))  # 1 for a normal residual
    crowd = np.array([_crowd(block[mine]) for mine in members])
    return SymbolStatistics(
        tuple(symbols.tolist()),
        tuple(markets.tolist()),
        np.array([market[mine[0]] for mine in members]),
        centre,
        gram / (1.0 + law_share * (crowd - 1.0))[:, None, None],
        rest,
        np.array([len(mine) for mine in members]) / (kurtosis * (1.0 + size_share * (crowd - 1.0))),
    )


def _crowd(block: np.ndarray) -> float:
    """Mean number of rows in a row's own block."""
    count = np.bincount(block)
    return float(np.sum(count**2) / len(block))


def _shared(effect: float, block: np.ndarray) -> float:
    """Correlation within blocks that gives this design effect: effect = 1 + (crowd - 1) correlation (Kish 1965)."""
    crowd = _crowd(block)
    return min(1.0, (effect - 1.0) / (crowd - 1.0)) if crowd > 1.0 else 0.0


def law_columns(rows: Rows, target: str) -> np.ndarray:
    """Square-root law and half-spread in noise scales, shape (n, 2)."""
    law = rows.volatility_day_bps * np.sqrt(rows.participation)
    return np.column_stack([law, 0.5 * rows.spread_bps]) / rows.scale_bps(target)[:, None]


@dataclass(frozen=True, slots=True)
class HierarchyDraws:
    """D joint draws of the parameters.

    Attributes:
        centre, market_sd, symbol_sd: shape (D, 3).
        market: of each market, shape (D, M, 3).
        symbol: of each symbol, shape (D, S, 3).
    """

    centre: np.ndarray
    market_sd: np.ndarray
    symbol_sd: np.ndarray
    market: np.ndarray
    symbol: np.ndarray


@dataclass(frozen=True, slots=True)
class FittedHierarchical:
    """Draws of every group's parameters: the symbols, a new symbol of each market, a new symbol of a new market.

    Attributes:
        draws: shape (S + M + 1, D, 3), groups in that order.
        residual_quantiles: of (outcome / scale - mean) / exp(s) on the 99 levels.
        noise_quantiles: of exp(s) residual over the draws, on the 99 levels, shape (S + M + 1, 99).
        noise_sd: standard deviation of the same, shape (S + M + 1,).
    """

    target: str
    symbols: tuple[str, ...]
    markets: tuple[str, ...]
    draws: np.ndarray
    residual_quantiles: np.ndarray
    noise_quantiles: np.ndarray
    noise_sd: np.ndarray

    def group(self, rows: Rows) -> np.ndarray:
        """Number of the group that answers for each row, shape (n,)."""
        symbol = {name: s for s, name in enumerate(self.symbols)}
        market = {name: len(self.symbols) + m for m, name in enumerate(self.markets)}
        new = len(self.symbols) + len(self.markets)
        names = zip(rows.symbol.tolist(), rows.market.tolist(), strict=True)
        return np.array([symbol.get(s, market.get(m, new)) for s, m in names], np.int64)

    def quantiles(self, rows: Rows) -> np.ndarray:
        """Shape (n, 99), bps: the group's noise, stretched about its median by the variance of the mean."""
        group, columns = self.group(rows), law_columns(rows, self.target)
        centre = np.einsum("ij,ij->i", columns, self.draws[:, :, :2].mean(axis=1)[group])
        stretch = np.sqrt(1.0 + self._mean_variance(columns, group) / self.noise_sd[group] ** 2)
        noise = self.noise_quantiles[group]
        median = noise[:, 49:50]
        relative = centre[:, None] + median + stretch[:, None] * (noise - median)
        return rows.scale_bps(self.target)[:, None] * relative

    def model_sd_bps(self, rows: Rows) -> np.ndarray:
        """Standard deviation of the mean forecast because the group's law is uncertain, bps, shape (n,)."""
        variance = self._mean_variance(law_columns(rows, self.target), self.group(rows))
        return rows.scale_bps(self.target) * np.sqrt(variance)

    def drawn_quantiles(self, rows: Rows, rng: np.random.Generator) -> np.ndarray:
        """Quantiles of the rows under one joint draw of all groups' parameters, bps, shape (n, 99)."""
        drawn = self.draws[self.group(rows), rng.integers(self.draws.shape[1])]
        centre = np.einsum("ij,ij->i", law_columns(rows, self.target), drawn[:, :2])
        relative = centre[:, None] + np.exp(drawn[:, 2:]) * self.residual_quantiles
        return rows.scale_bps(self.target)[:, None] * relative

    def _mean_variance(self, columns: np.ndarray, group: np.ndarray) -> np.ndarray:
        away = self.draws[:, :, :2] - self.draws[:, :, :2].mean(axis=1, keepdims=True)
        covariance = np.einsum("gdi,gdj->gij", away, away) / self.draws.shape[1]
        return np.einsum("ni,nij,nj->n", columns, covariance[group], columns)


def fitted_hierarchical(
    rows: Rows, target: str, statistics: SymbolStatistics, draws: HierarchyDraws, rng: np.random.Generator
) -> FittedHierarchical:
    """The fitted value: draws by group, and the residual of all symbols together as the shape of the noise.

    Args:
        rows: those that gave the statistics.
        rng: draws the values of new symbols and markets, once.
    """
    groups = _group_draws(draws, rng)
    number = {name: s for s, name in enumerate(statistics.symbols)}
    symbol = np.array([number[name] for name in rows.symbol.tolist()])
    centre = groups.mean(axis=1)[symbol]
    outcome = rows.outcome(target) / rows.scale_bps(target)
    mean = np.einsum("ij,ij->i", law_columns(rows, target), centre[:, :2])
    residual = (outcome - mean) / np.exp(centre[:, 2])
    shape = weighted_quantiles(residual, rows.tape_weights(), _SHAPE_LEVELS)
    return _with_noise(target, statistics.symbols, statistics.markets, groups, shape)


def prior_hierarchical(
    prior: HierarchyPrior, target: str, count: int, shape: Sequence[float] | np.ndarray, rng: np.random.Generator
) -> FittedHierarchical:
    """What the prior alone says of any symbol: the model before it has seen data, for prior predictive checks.

    Args:
        count: number of draws.
        shape: a sample of the residual in noise scales.
    """
    centre = np.array(prior.mean) + np.array(prior.sd) * rng.standard_normal((count, 3))
    market_sd, symbol_sd = (
        np.abs(scale * rng.standard_normal((count, 3))) for scale in (prior.market_sd, prior.symbol_sd)
    )
    nobody = np.empty((count, 0, 3))
    groups = _group_draws(HierarchyDraws(centre, market_sd, symbol_sd, nobody, nobody), rng)
    return _with_noise(target, (), (), groups, np.asarray(shape))


def _group_draws(draws: HierarchyDraws, rng: np.random.Generator) -> np.ndarray:
    """Draws of the symbols, of a new symbol in each market, and of one in a new market, shape (S + M + 1, D, 3)."""
    market_step, symbol_step = rng.standard_normal((2, *draws.centre.shape))
    new_market = draws.centre + draws.market_sd * market_step
    parents = np.concatenate([draws.market, new_market[:, None]], axis=1)
    new_symbols = parents + (draws.symbol_sd * symbol_step)[:, None]
    return np.concatenate([draws.symbol, new_symbols], axis=1).transpose(1, 0, 2).copy()


def _with_noise(
    target: str, symbols: tuple[str, ...], markets: tuple[str, ...], groups: np.ndarray, shape: np.ndarray
) -> FittedHierarchical:
    size = np.exp(groups[:, :, 2])
    noise = np.array([np.quantile(np.outer(s, shape), LEVELS) for s in size])
    variance = np.mean(size**2, axis=1) * np.mean(shape**2) - (size.mean(axis=1) * shape.mean()) ** 2
    residual = np.quantile(shape, LEVELS)
    return FittedHierarchical(target, symbols, markets, groups, residual, noise, np.sqrt(variance))
