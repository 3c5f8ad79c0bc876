"""Linear impact (Kyle 1985): mean = Y sigma_D Q / V_D."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from footprint.impact.linear_mean import FittedLinearMean, fit_linear_mean
from footprint.impact.residuals import ResidualForm
from footprint.impact.rows import Rows


@dataclass(frozen=True, slots=True)
class Linear:
    """Y sigma_D (Q/V_D) + diffusive residual. Kyle, Econometrica 53 (1985) 1315, eq. 2.6 in units of a day."""

    residual: ResidualForm = "diffusive"

    @property
    def name(self) -> str:
        """linear."""
        return "linear"

    def basis(self, rows: Rows) -> np.ndarray:
        """bps, shape (n, 1)."""
        return (rows.volatility_day_bps * rows.participation)[:, None]

    def fit(self, rows: Rows, target: str) -> FittedLinearMean:
        """Y by weighted least squares."""
        return fit_linear_mean(self, rows, target)
