"""The power law: mean impact = Y sigma_D (Q / V_D)^delta with the exponent fitted too."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from footprint.impact.residuals import ResidualForm
from footprint.impact.rows import Rows
from footprint.impact.shaped_mean import FittedShapedMean, fit_shaped_mean


@dataclass(frozen=True, slots=True)
class PowerLaw:
    """Y sigma_D (Q/V_D)^delta + residual; Han, Wu, Cheng (arXiv 1610.08767) find delta near 0.7, most others 0.5.

    Args:
        residual: form of the residual's scale (`residuals.residual_scale_bps`).
        half_spread: add a term c * spread / 2.
    """

    residual: ResidualForm = "diffusive"
    half_spread: bool = False

    @property
    def name(self) -> str:
        """power_law or power_law_spread."""
        return "power_law_spread" if self.half_spread else "power_law"

    @property
    def shape_bounds(self) -> tuple[tuple[float, float], ...]:
        """Of delta: from hardly any growth with size to more than linear."""
        return ((0.05, 1.5),)

    def basis(self, rows: Rows, target: str, shape: np.ndarray) -> np.ndarray:
        """bps, shape (n, 1 or 2)."""
        law = rows.volatility_day_bps * rows.participation ** shape[0]
        return np.column_stack([law, 0.5 * rows.spread_bps]) if self.half_spread else law[:, None]

    def fit(self, rows: Rows, target: str) -> FittedShapedMean:
        """Delta within its bounds, Y (and c) not negative, the residual's quantiles from the rows."""
        return fit_shaped_mean(self, rows, target)
