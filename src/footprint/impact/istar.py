"""The I-star model of Kissell and Malamut (Kissell, The Science of Algorithmic Trading, 2013, ch. 4).

    I*  = a1 (Q / V_D)^a2 sigma^a3
    MI  = b1 I* POV^a4 + (1 - b1) I*

POV is the planned share of the market's volume over the order's duration at the usual rate, at most 1.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import least_squares

from footprint.impact.distribution import LEVELS
from footprint.impact.linear_mean import known_rows
from footprint.impact.residuals import weighted_quantiles
from footprint.impact.rows import Rows

# start and bounds of (log a1, a2, a3, a4, b1); a1 in bps with sigma in bps per day
_START = np.array([0.0, 0.5, 1.0, 0.5, 0.5])
_LOW = np.array([-8.0, 0.05, 0.2, 0.0, 0.0])
_HIGH = np.array([8.0, 1.5, 2.0, 1.5, 1.0])


@dataclass(frozen=True, slots=True)
class FittedIStar:
    """Parameters (log a1, a2, a3, a4, b1) and the residual's quantiles in units of the row's noise scale."""

    target: str
    parameters: np.ndarray
    residual_quantiles: np.ndarray

    def quantiles(self, rows: Rows) -> np.ndarray:
        """Shape (n, 99), bps."""
        return (
            istar_bps(self.parameters, rows)[:, None] + rows.scale_bps(self.target)[:, None] * self.residual_quantiles
        )


@dataclass(frozen=True, slots=True)
class IStar:
    """Five parameters by nonlinear least squares, diffusive residual."""

    @property
    def name(self) -> str:
        """istar."""
        return "istar"

    def fit(self, rows: Rows, target: str) -> FittedIStar:
        """Noise-weighted nonlinear least squares within fixed bounds from one fixed start.

        Raises:
            ModelError: fewer than 50 rows with a known outcome.
        """
        rows = known_rows(rows, target, self.name)
        outcome, weights, noise = rows.outcome(target), rows.tape_weights(), rows.scale_bps(target)
        root = np.sqrt(weights) / noise

        def misfit(parameters: np.ndarray) -> np.ndarray:
            return (outcome - istar_bps(parameters, rows)) * root

        parameters = least_squares(misfit, _START, bounds=(_LOW, _HIGH), max_nfev=200).x
        standardised = (outcome - istar_bps(parameters, rows)) / noise
        return FittedIStar(target, parameters, weighted_quantiles(standardised, weights, LEVELS))


def istar_bps(parameters: np.ndarray, rows: Rows) -> np.ndarray:
    """MI of the rows, bps, shape (n,)."""
    log_a1, a2, a3, a4, b1 = parameters
    days = np.maximum(rows.horizon_s, 1.0) / rows.day_s
    pov = np.minimum(rows.participation / days, 1.0)
    instantaneous = np.exp(log_a1) * rows.participation**a2 * rows.volatility_day_bps**a3
    return instantaneous * (b1 * pov**a4 + 1.0 - b1)
