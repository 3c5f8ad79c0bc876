"""The logarithmic law: mean impact = a sigma_D log10(1 + b Q / V_D)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from footprint.impact.residuals import ResidualForm
from footprint.impact.rows import Rows
from footprint.impact.shaped_mean import FittedShapedMean, fit_shaped_mean


@dataclass(frozen=True, slots=True)
class Logarithmic:
    """a sigma_D log10(1 + b Q/V_D) + residual: linear in small orders, logarithmic in large ones.

    Zarinelli, Treccani, Farmer, Lillo (arXiv 1412.2152) find it to hold over five decades of size. The bounds of b put
    the bend between orders of a millionth of the day's volume and of ten days' volume.

    Args:
        residual: form of the residual's scale (`residuals.residual_scale_bps`).
        half_spread: add a term c * spread / 2.
    """

    residual: ResidualForm = "diffusive"
    half_spread: bool = False

    @property
    def name(self) -> str:
        """logarithmic or logarithmic_spread."""
        return "logarithmic_spread" if self.half_spread else "logarithmic"

    @property
    def shape_bounds(self) -> tuple[tuple[float, float], ...]:
        """Of log10 b."""
        return ((-1.0, 6.0),)

    def basis(self, rows: Rows, target: str, shape: np.ndarray) -> np.ndarray:
        """bps, shape (n, 1 or 2)."""
        law = rows.volatility_day_bps * np.log1p(10.0 ** shape[0] * rows.participation) / np.log(10.0)
        return np.column_stack([law, 0.5 * rows.spread_bps]) if self.half_spread else law[:, None]

    def fit(self, rows: Rows, target: str) -> FittedShapedMean:
        """b within its bounds, a (and c) not negative, the residual's quantiles from the rows."""
        return fit_shaped_mean(self, rows, target)
