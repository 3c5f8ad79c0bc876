"""The square-root law: mean impact = Y sigma_D sqrt(Q / V_D), optionally with a half-spread term."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from footprint.impact.linear_mean import FittedLinearMean, fit_linear_mean
from footprint.impact.residuals import ResidualForm
from footprint.impact.rows import Rows


@dataclass(frozen=True, slots=True)
class SquareRoot:
    """Y sigma_D sqrt(Q/V_D) + residual.

    The law as in Sato & Kanazawa (arXiv 2411.13965); sigma_D and V_D are trailing here, because the day's own values
    are not known at arrival. With `half_spread`, a term c * spread / 2 is added: the price of crossing.

    Args:
        residual: "constant" (in sigma_D, the textbook form), "diffusive" (grows with the order's duration) or "fitted"
            (a fitted mix of that with the spread and the law itself).
        half_spread: add the spread term.
    """

    residual: ResidualForm = "diffusive"
    half_spread: bool = False

    @property
    def name(self) -> str:
        """square_root_constant, _diffusive or _fitted; square_root_spread, _spread_constant or _spread_fitted."""
        if not self.half_spread:
            return f"square_root_{self.residual}"
        return "square_root_spread" if self.residual == "diffusive" else f"square_root_spread_{self.residual}"

    def basis(self, rows: Rows) -> np.ndarray:
        """bps, shape (n, 1 or 2)."""
        law = rows.volatility_day_bps * np.sqrt(rows.participation)
        return np.column_stack([law, 0.5 * rows.spread_bps]) if self.half_spread else law[:, None]

    def fit(self, rows: Rows, target: str) -> FittedLinearMean:
        """Y (and c) by weighted least squares, the residual's quantiles from the rows."""
        return fit_linear_mean(self, rows, target)
