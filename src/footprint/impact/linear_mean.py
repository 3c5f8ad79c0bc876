"""A mean that is linear in its coefficients plus a residual with its own scale: the frame of the parametric models."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from footprint.errors import ModelError
from footprint.impact.residuals import ResidualForm, fit_residual, residual_scale_bps
from footprint.impact.rows import Rows

MIN_ROWS = 50


class LinearMeanModel(Protocol):
    """A parametric model: its basis in bps and the form of its residual."""

    @property
    def name(self) -> str:
        """Name in scoreboards and stored models."""
        ...

    @property
    def residual(self) -> ResidualForm:
        """Form of the residual's scale."""
        ...

    def basis(self, rows: Rows) -> np.ndarray:
        """Columns of the mean, bps per unit of coefficient, shape (n, k)."""
        ...


@dataclass(frozen=True, slots=True)
class FittedLinearMean:
    """mean = basis @ coefficients; outcome = mean + scale * residual.

    Attributes:
        coefficients: shape (k,), dimensionless.
        residual_quantiles: of (outcome - mean) / scale on the 99 levels.
        variance_weights: of `residuals.variance_parts`; empty unless the residual's form is "fitted".
    """

    model: LinearMeanModel
    target: str
    coefficients: np.ndarray
    residual_quantiles: np.ndarray
    variance_weights: tuple[float, ...] = ()

    def mean_bps(self, rows: Rows) -> np.ndarray:
        """Mean part without the residual's own mean, shape (n,)."""
        return self.model.basis(rows) @ self.coefficients

    def quantiles(self, rows: Rows) -> np.ndarray:
        """Shape (n, 99), bps."""
        scale = residual_scale_bps(rows, self.target, self.model.residual, self.variance_weights)
        return self.mean_bps(rows)[:, None] + scale[:, None] * self.residual_quantiles


def fit_linear_mean(
    model: LinearMeanModel, rows: Rows, target: str, coefficients: np.ndarray | None = None
) -> FittedLinearMean:
    """Weighted least squares with the noise variance as weight and every tape the same total.

    Args:
        coefficients: fixed coefficients (published constants); only the residual is then fitted.

    Raises:
        ModelError: fewer than 50 rows with a known outcome.
    """
    rows = known_rows(rows, target, model.name)
    outcome, weights = rows.outcome(target), rows.tape_weights()
    if coefficients is None:
        noise = rows.scale_bps(target)
        root = np.sqrt(weights) / noise
        coefficients = np.linalg.lstsq(model.basis(rows) * root[:, None], outcome * root, rcond=None)[0]
    residual_bps = outcome - model.basis(rows) @ coefficients
    variance_weights, quantiles = fit_residual(rows, target, model.residual, residual_bps)
    return FittedLinearMean(model, target, coefficients, quantiles, variance_weights)


def known_rows(rows: Rows, target: str, name: str) -> Rows:
    """Rows with a known outcome.

    Raises:
        ModelError: fewer than 50 of them.
    """
    rows = rows.known(target)
    if len(rows) < MIN_ROWS:
        raise ModelError(f"{name} needs at least {MIN_ROWS} rows with a known {target}, found {len(rows)}")
    return rows
