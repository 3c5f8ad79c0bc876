"""Mondrian calibration: bands as wide as their own kind of order needs, as far as the data can tell the kinds apart.

Mondrian conformal prediction (Vovk, Gammerman & Shafer 2005, section 4.5) calibrates each cell of a partition by
itself. With some hundred overlapping orders a cell that fits the noise of its market's last days, so a cell has one
number, the factor by which the 90 % band of the pooled calibration must be widened to cover 90 % of it, and this is
drawn towards 1 by the empirical-Bayes weight n / (n + k). Cells are symbols first, then thirds of size x thirds of
volatility within each symbol. k is sampling variance over true variance between cells, the former read off the parts of
the past, which share no orders: where parts disagree as much as cells do, k is infinite and the pooled calibration
stays.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from footprint.impact.calibration.conformal import CrossFit, FoldBy, calibrate, cross_fit, level_shifts, shifted
from footprint.impact.interface import FittedImpact, ImpactModel
from footprint.impact.residuals import weighted_quantiles
from footprint.impact.rows import Rows

_COVERAGE = 0.90
_LOW, _HIGH = 4, 94  # positions of the band's levels
_THIRDS = np.array([1.0, 2.0]) / 3.0
_FEWEST = 10  # rows of a cell in a part from which a factor is read


@dataclass(frozen=True, slots=True)
class Cells:
    """The partition: thirds of size and volatility of each symbol; other symbols are outside it.

    Attributes:
        symbols: S names.
        size_edges, volatility_edges: thirds of participation and volatility of the training rows, shape (S, 2).
    """

    symbols: tuple[str, ...]
    size_edges: np.ndarray
    volatility_edges: np.ndarray

    @classmethod
    def of(cls, rows: Rows) -> Cells:
        """Edges from the training rows."""
        symbol, names = rows.symbol, np.unique(rows.symbol)
        size, volatility = (
            np.array([np.quantile(values[symbol == name], _THIRDS) for name in names])
            for values in (rows.participation, rows.volatility)
        )
        return cls(tuple(names.tolist()), size, volatility)

    def numbers(self, rows: Rows) -> tuple[np.ndarray, np.ndarray]:
        """Number of each row's symbol (S when it is another) and of its cell (9 S then), shape (n,) each."""
        known = {name: s for s, name in enumerate(self.symbols)}
        symbol = np.array([known.get(name, len(known)) for name in rows.symbol.tolist()], np.int64)
        cell = np.full(len(rows), 9 * len(known))
        inside = symbol < len(known)
        mine = symbol[inside]
        size = (rows.participation[inside, None] >= self.size_edges[mine]).sum(axis=1)
        volatility = (rows.volatility[inside, None] >= self.volatility_edges[mine]).sum(axis=1)
        cell[inside] = 9 * mine + 3 * size + volatility
        return symbol, cell


@dataclass(frozen=True, slots=True)
class FittedMondrian:
    """A calibrated model and the log of each symbol's and each cell's factor on its width.

    Attributes:
        symbol_log_width: shape (S + 1,), the last 0 for other symbols.
        cell_log_width: on top of the symbol's, shape (9 S + 1,).
        prior_rows: k of the symbols and of the cells; infinite where no difference could be told from noise.
    """

    base: FittedImpact
    cells: Cells
    symbol_log_width: np.ndarray
    cell_log_width: np.ndarray
    prior_rows: tuple[float, float]

    def quantiles(self, rows: Rows) -> np.ndarray:
        """Shape (n, 99), bps: the base's, stretched about the median."""
        symbol, cell = self.cells.numbers(rows)
        width = np.exp(self.symbol_log_width[symbol] + self.cell_log_width[cell])
        quantiles = self.base.quantiles(rows)
        median = quantiles[:, 49:50]
        return median + width[:, None] * (quantiles - median)


@dataclass(frozen=True, slots=True)
class Mondrian:
    """Wraps any model.

    Args:
        fold_by: folds of the held-out quantiles ("part" or "symbol").
    """

    model: ImpactModel
    fold_by: FoldBy = "part"

    @property
    def name(self) -> str:
        """Name of the wrapped model with "_mondrian"."""
        return f"{self.model.name}_mondrian"

    def fit(self, rows: Rows, target: str) -> FittedMondrian:
        """Pooled conformal shifts, then each cell's width, all from held-out quantiles."""
        rows = rows.known(target)
        cross = cross_fit(self.model, rows, target, self.fold_by)
        return calibrate_by_cell(cross, rows, target)


def calibrate_by_cell(cross: CrossFit, rows: Rows, target: str) -> FittedMondrian:
    """The full fit with the pooled shifts and the cells' widths that its held-out errors ask for."""
    held_out = shifted(cross.held_out, level_shifts(cross.held_out, rows, target), rows, target)
    return widen_by_cell(calibrate(cross, rows, target), held_out, rows, target)


def widen_by_cell(base: FittedImpact, held_out: np.ndarray, rows: Rows, target: str) -> FittedMondrian:
    """`base`, calibrated on the pool, with each cell's width.

    Args:
        held_out: quantiles of the rows by models without each row's fold, pooled calibration included, shape (n, 99).
        rows: all with a known outcome.
    """
    cells = Cells.of(rows)
    symbol, cell = cells.numbers(rows)
    reach, weights = _reach(held_out, rows.outcome(target)), rows.tape_weights()
    by_symbol, symbol_rows = _log_widths(reach, weights, rows.part, symbol, len(cells.symbols))
    left = reach / np.exp(by_symbol[symbol])
    by_cell, cell_rows = _log_widths(left, weights, rows.part, cell, 9 * len(cells.symbols))
    return FittedMondrian(base, cells, by_symbol, by_cell, (symbol_rows, cell_rows))


def _reach(quantiles: np.ndarray, outcome: np.ndarray) -> np.ndarray:
    """Factor on the band about its median at which it just reaches the outcome, shape (n,)."""
    away = outcome - quantiles[:, 49]
    half = np.where(away > 0, quantiles[:, _HIGH] - quantiles[:, 49], quantiles[:, 49] - quantiles[:, _LOW])
    return np.maximum(np.abs(away), 1e-12) / np.maximum(half, 1e-12)


def _log_widths(
    reach: np.ndarray, weights: np.ndarray, part: np.ndarray, cell: np.ndarray, count: int
) -> tuple[np.ndarray, float]:
    """Shrunk log factor of every cell, shape (count + 1,), and k.

    With l_c the log factor of cell c from n_c rows and v_c its variance from the spread over parts: sampling variance
    a / n_c with a the mean of n_c v_c, true variance b = mean of l_c^2 - a / n_c (Morris 1983), k = a / b.
    """
    raw, rows, variances = np.zeros(count), np.zeros(count), []
    for c in np.unique(cell):
        mine = np.flatnonzero(cell == c)
        raw[c], rows[c] = _log_factor(reach[mine], weights[mine]), len(mine)
        of_parts = [mine[part[mine] == p] for p in np.unique(part[mine])]
        factors = [_log_factor(reach[i], weights[i]) for i in of_parts if len(i) >= _FEWEST]
        if len(factors) > 1:
            variances.append(len(mine) * np.var(factors, ddof=1) / len(factors))
    some = rows > 0
    noise = float(np.mean(variances)) if variances else np.inf
    signal = float(np.mean(raw[some] ** 2 - noise / rows[some]))
    prior_rows = noise / signal if signal > 0 else np.inf
    weight = np.divide(rows, rows + prior_rows, out=np.zeros(count), where=some)
    return np.append(weight * raw, 0.0), prior_rows


def _log_factor(reach: np.ndarray, weights: np.ndarray) -> float:
    return float(np.log(weighted_quantiles(reach, weights, np.array([_COVERAGE]))[0]))
