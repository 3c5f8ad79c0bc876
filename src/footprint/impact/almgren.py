"""Almgren, Thum, Hauptmann, Li (2005), "Direct Estimation of Equity Market Impact".

Permanent impact  I = gamma sigma_D (X / V_D) (Theta / V_D)^(1/4)
Shortfall         J = I / 2 + eta sigma_D |X / (V_D T)|^(3/5),  T in days.

Fitted there on US orders: gamma 0.314, eta 0.142. Theta is the number of shares outstanding, which no tape carries;
`INVERSE_TURNOVER` = Theta / V_D stands in for it, at the value of the paper's worked example for IBM.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from footprint.impact.linear_mean import FittedLinearMean, fit_linear_mean
from footprint.impact.residuals import ResidualForm
from footprint.impact.rows import Rows

GAMMA = 0.314
ETA = 0.142
TEMPORARY_EXPONENT = 0.6
INVERSE_TURNOVER = 263.0
# shares of (permanent, temporary) impact in each target: the peak is both at full size, the shortfall I/2 + temporary
_SHARES = {
    "peak": (1.0, 1.0),
    "shortfall": (0.5, 1.0),
    "shift_300": (1.0, 0.0),
    "shift_600": (1.0, 0.0),
    "temporary": (0.0, 1.0),
}


@dataclass(frozen=True, slots=True)
class Almgren2005:
    """The published form with its published constants, or refitted.

    Args:
        refit: estimate gamma and eta from the rows instead of using 0.314 and 0.142.
    """

    refit: bool = False
    residual: ResidualForm = "diffusive"

    @property
    def name(self) -> str:
        """almgren_2005 or almgren_refit."""
        return "almgren_refit" if self.refit else "almgren_2005"

    def basis(self, rows: Rows) -> np.ndarray:
        """Permanent and temporary impact per unit of gamma and eta, bps, shape (n, 2)."""
        days = np.maximum(rows.horizon_s, 1.0) / rows.day_s
        permanent = rows.volatility_day_bps * rows.participation * INVERSE_TURNOVER**0.25
        temporary = rows.volatility_day_bps * (rows.participation / days) ** TEMPORARY_EXPONENT
        return np.column_stack([permanent, temporary])

    def fit(self, rows: Rows, target: str) -> FittedLinearMean:
        """Published constants scaled to the target, or both terms by weighted least squares."""
        published = np.array([GAMMA, ETA]) * np.array(_SHARES[target])
        return fit_linear_mean(self, rows, target, None if self.refit else published)
