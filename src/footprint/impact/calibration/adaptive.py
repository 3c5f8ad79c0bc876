"""Adaptive conformal calibration: a band that has missed too often is widened, one that has hit too often narrowed.

Gibbs & Candes (2021) move the working level after every outcome; here the log of the band's width is moved instead (the
quantile tracker of Angelopoulos, Candes & Tibshirani 2023, "Conformal PID control", eq. 3, on the log of the factor at
which the band just reaches the outcome), so that all 99 levels follow with one number and the median stays. Long-run
coverage holds without any assumption on the outcomes while the width stays inside its limits: over T updates it misses
its aim by at most 2 limit / (rate T). An outcome is used only once it is known, at the end of the order and the
relaxation after it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from footprint.errors import UsageError
from footprint.impact.calibration.conformal import CrossConformal, FoldBy
from footprint.impact.interface import FittedImpact, ImpactModel
from footprint.impact.rows import RELAXATION_S, Rows
from footprint.units import NS_PER_SECOND

LEVEL = 0.90
_LOW, _HIGH = 4, 94  # positions of its ends among the 99 levels


@dataclass(frozen=True, slots=True)
class AdaptiveWidth:
    """State of one stream of forecasts.

    The defaults were compared on the first two of the six parts of the development tapes only, which no scored run
    tests.

    Attributes:
        rate: step of the log width that an outcome outside the band would make at level 0.
        limit: the log width stays within plus or minus this.
        log_width: log of the factor on the band's width now.
    """

    rate: float = 0.02
    limit: float = math.log(2.0)
    log_width: float = 0.0

    def update(self, level: float, covered: bool) -> AdaptiveWidth:
        """The state after an outcome: covered or not by the central band of that level, as it was issued.

        Raises:
            UsageError: the level is not between 0 and 1.
        """
        if not 0.0 < level < 1.0:
            raise UsageError(f"the level of a band must lie between 0 and 1, not {level!r}")
        moved = self.log_width + self.rate * (level - float(covered))
        return replace(self, log_width=min(max(moved, -self.limit), self.limit))

    def apply(self, quantiles: np.ndarray) -> np.ndarray:
        """Quantiles, shape (..., 99), stretched about their median."""
        median = quantiles[..., 49:50]
        return median + math.exp(self.log_width) * (quantiles - median)


@dataclass(frozen=True, slots=True)
class FittedAdaptive:
    """A calibrated model and the state of each symbol's stream.

    Attributes:
        start: state of a symbol that has not been followed.
        widths: by symbol.
    """

    base: FittedImpact
    target: str
    start: AdaptiveWidth
    widths: dict[str, AdaptiveWidth]

    def quantiles(self, rows: Rows) -> np.ndarray:
        """Shape (n, 99), bps, at the present widths."""
        factor = np.array([math.exp(self._width(name).log_width) for name in rows.symbol.tolist()])
        quantiles = self.base.quantiles(rows)
        median = quantiles[:, 49:50]
        return median + factor[:, None] * (quantiles - median)

    def follow(self, rows: Rows) -> tuple[np.ndarray, FittedAdaptive]:
        """Forecast rows in the order of time, each with the outcomes that were known before it.

        Rows with an unknown outcome are forecast and teach nothing. Symbols are followed apart.

        Returns:
            Quantiles as they would have been issued, shape (n, 99), in the order of the rows; and the fitted value
            after all of their outcomes have become known.
        """
        issued = self.base.quantiles(rows)
        outcome, symbol = rows.outcome(self.target), rows.symbol
        known_ns = rows.end_ns + int(RELAXATION_S[self.target] * NS_PER_SECOND)
        widths = dict(self.widths)
        for name in np.unique(symbol).tolist():
            mine = np.flatnonzero(symbol == name)
            width = self._width(name)
            waiting = mine[np.isfinite(outcome[mine])]
            queue = iter(waiting[np.argsort(known_ns[waiting], kind="stable")])
            due = next(queue, None)
            for i in mine[np.argsort(rows.start_ns[mine], kind="stable")]:
                while due is not None and known_ns[due] < rows.start_ns[i]:
                    width = width.update(LEVEL, _covered(issued[due], outcome[due]))
                    due = next(queue, None)
                issued[i] = width.apply(issued[i])
            while due is not None:
                width = width.update(LEVEL, _covered(issued[due], outcome[due]))
                due = next(queue, None)
            widths[name] = width
        return issued, replace(self, widths=widths)

    def _width(self, symbol: str) -> AdaptiveWidth:
        return self.widths.get(symbol, self.start)


def _covered(quantiles: np.ndarray, outcome: float) -> bool:
    return bool(quantiles[_LOW] <= outcome <= quantiles[_HIGH])


@dataclass(frozen=True, slots=True)
class Adaptive:
    """Wraps any model: cross-conformal shifts at first, widths that follow the outcomes from then on.

    Args:
        start: state at the end of the fit; held-out errors of the past are those of other models and do not move it.
        fold_by: folds of the conformal step.
    """

    model: ImpactModel
    start: AdaptiveWidth = AdaptiveWidth()
    fold_by: FoldBy = "part"

    @property
    def name(self) -> str:
        """Name of the wrapped model with "_adaptive"."""
        return f"{self.model.name}_adaptive"

    def fit(self, rows: Rows, target: str) -> FittedAdaptive:
        """Calibrated on all the past, no symbol followed yet."""
        return FittedAdaptive(CrossConformal(self.model, self.fold_by).fit(rows, target), target, self.start, {})
