"""The model of Obizhaeva and Wang (2013), "Optimal trading strategy and supply/demand dynamics", J. Fin. Markets 16, 1.

G(t) = lambda + kappa exp(-rho t): every trade moves the price by kappa + lambda, of which kappa fades at the book's
resilience rho and lambda stays. Impact is linear in the pace, the only one that exponential decay allows without
profit to a round trip (Gatheral 2010, Quantitative Finance 10, 749, section 4); with kappa, lambda >= 0 and rho > 0 the
kernel is positive, decreasing and convex.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from footprint.impact.residuals import ResidualForm
from footprint.impact.rows import Rows
from footprint.impact.shaped_mean import FittedShapedMean, fit_shaped_mean
from footprint.impact.transient import Kernel, transient_basis

_HALF_LIFE_S = (1.0, 7_200.0)


@dataclass(frozen=True, slots=True)
class ExponentialKernel:
    """exp(-resilience * days), resilience > 0 per day: a number, or an array that goes with the days."""

    resilience: np.ndarray

    def once(self, days: np.ndarray) -> np.ndarray:
        """Integral from 0."""
        return -np.expm1(-self.resilience * days) / self.resilience

    def twice(self, days: np.ndarray) -> np.ndarray:
        """Integral of the integral."""
        return (days - self.once(days)) / self.resilience


@dataclass(frozen=True, slots=True)
class LastingKernel:
    """1: what is moved stays moved."""

    def once(self, days: np.ndarray) -> np.ndarray:
        """Integral from 0."""
        return days

    def twice(self, days: np.ndarray) -> np.ndarray:
        """Integral of the integral."""
        return 0.5 * days**2


@dataclass(frozen=True, slots=True)
class ObizhaevaWang:
    """Linear impact, part of which fades exponentially; coefficients kappa, lambda (and c), in units of sigma_D / V_D.

    Args:
        residual: form of the residual's scale (`residuals.residual_scale_bps`).
        half_spread: add a term c * spread / 2.
    """

    residual: ResidualForm = "diffusive"
    half_spread: bool = False

    @property
    def name(self) -> str:
        """obizhaeva_wang or obizhaeva_wang_spread."""
        return "obizhaeva_wang_spread" if self.half_spread else "obizhaeva_wang"

    @property
    def shape_bounds(self) -> tuple[tuple[float, float], ...]:
        """Of the log of the half-life in seconds."""
        return ((float(np.log(_HALF_LIFE_S[0])), float(np.log(_HALF_LIFE_S[1]))),)

    def half_life_s(self, shape: np.ndarray) -> float:
        """Time after which half of kappa is gone, log(2) / rho."""
        return float(np.exp(shape[0]))

    def pace_exponent(self, shape: np.ndarray) -> float:
        """1."""
        return 1.0

    def kernels(self, shape: np.ndarray, day_s: np.ndarray) -> tuple[Kernel, ...]:
        """The transient part and the lasting part."""
        return ExponentialKernel(np.log(2.0) / self.half_life_s(shape) * day_s), LastingKernel()

    def basis(self, rows: Rows, target: str, shape: np.ndarray) -> np.ndarray:
        """bps, shape (n, 2 or 3)."""
        return transient_basis(self, rows, target, shape)

    def fit(self, rows: Rows, target: str) -> FittedShapedMean:
        """Resilience within its bounds; kappa, lambda (and c) not negative."""
        return fit_shaped_mean(self, rows, target)
