"""A mean whose basis bends with a few bounded parameters: the frame of power, logarithm and transient impact.

For every value of the shape the coefficients follow by non-negative least squares, so that only the shape is searched
for (variable projection, Golub and Pereyra 1973): first on a grid, then within its bounds from the best point.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import Protocol

import numpy as np
from scipy.optimize import least_squares

from footprint.impact.linear_mean import known_rows
from footprint.impact.non_negative import non_negative_least_squares
from footprint.impact.residuals import ResidualForm, fit_residual, residual_scale_bps
from footprint.impact.rows import Rows

_GRID = (0.1, 0.3, 0.5, 0.7, 0.9)  # of each parameter's range


class ShapedMeanModel(Protocol):
    """A parametric model whose mean is linear in its coefficients once its shape is given."""

    @property
    def name(self) -> str:
        """Name in scoreboards and stored models."""
        ...

    @property
    def residual(self) -> ResidualForm:
        """Form of the residual's scale."""
        ...

    @property
    def shape_bounds(self) -> tuple[tuple[float, float], ...]:
        """Lowest and highest value of each parameter of the shape."""
        ...

    def basis(self, rows: Rows, target: str, shape: np.ndarray) -> np.ndarray:
        """Columns of the mean, bps per unit of coefficient, shape (n, k)."""
        ...


@dataclass(frozen=True, slots=True)
class FittedShapedMean:
    """mean = basis(shape) @ coefficients; outcome = mean + scale * residual.

    Attributes:
        shape: within the model's bounds, shape (m,).
        coefficients: not negative, dimensionless, shape (k,).
        residual_quantiles: of (outcome - mean) / scale on the 99 levels.
        variance_weights: of `residuals.variance_parts`; empty unless the residual's form is "fitted".
    """

    model: ShapedMeanModel
    target: str
    shape: np.ndarray
    coefficients: np.ndarray
    residual_quantiles: np.ndarray
    variance_weights: tuple[float, ...] = ()

    def mean_bps(self, rows: Rows) -> np.ndarray:
        """Mean part without the residual's own mean, shape (n,)."""
        return self.model.basis(rows, self.target, self.shape) @ self.coefficients

    def quantiles(self, rows: Rows) -> np.ndarray:
        """Shape (n, 99), bps."""
        scale = residual_scale_bps(rows, self.target, self.model.residual, self.variance_weights)
        return self.mean_bps(rows)[:, None] + scale[:, None] * self.residual_quantiles


def fit_shaped_mean(model: ShapedMeanModel, rows: Rows, target: str) -> FittedShapedMean:
    """Least squares with the noise variance as weight and every tape the same total; deterministic.

    Raises:
        ModelError: fewer than 50 rows with a known outcome.
    """
    rows = known_rows(rows, target, model.name)
    outcome = rows.outcome(target)
    root = np.sqrt(rows.tape_weights()) / rows.scale_bps(target)
    low, high = np.array(model.shape_bounds).T

    def projected(shape: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        weighted = model.basis(rows, target, shape) * root[:, None]
        coefficients = non_negative_least_squares(weighted, outcome * root)
        return coefficients, outcome * root - weighted @ coefficients

    def misfit(shape: np.ndarray) -> np.ndarray:
        return projected(shape)[1]

    grid = [low + np.array(point) * (high - low) for point in product(_GRID, repeat=len(low))]
    start = min(grid, key=lambda shape: float(np.sum(misfit(shape) ** 2)))
    shape = least_squares(misfit, start, bounds=(low, high), x_scale=high - low, max_nfev=100).x
    coefficients, weighted_residual = projected(shape)
    variance_weights, quantiles = fit_residual(rows, target, model.residual, weighted_residual / root)
    return FittedShapedMean(model, target, shape, coefficients, quantiles, variance_weights)
