"""The propagator: impact that fades like a power of time, G(t) = (t0 + t)^-gamma.

Bouchaud, Gefen, Potters, Wyart (2004), Quantitative Finance 4, 176; in continuous time Gatheral (2010), Quantitative
Finance 10, 749. At constant pace, gamma = delta = 1/2 and t0 = 0 give the square-root law.

A round trip must not pay. With f(v) = v, any positive, decreasing, convex kernel sees to it (Alfonsi, Schied, Slynko
2012, SIAM J. Financial Math. 3, 511). With f(v) = v^delta, delta < 1, the kernel must be singular (t0 = 0), and
gamma + delta >= 1 and gamma >= 2 - log2(3) are necessary (Gatheral 2010, section 5). They are not sufficient: Curato,
Gatheral, Lillo (arXiv 1412.4839) find schedules of short bursts with negative cost unless the spread is charged too.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from footprint.errors import ModelError
from footprint.impact.residuals import ResidualForm
from footprint.impact.rows import Rows
from footprint.impact.shaped_mean import FittedShapedMean, fit_shaped_mean
from footprint.impact.transient import Kernel, transient_basis

LEAST_CONCAVE_DECAY = 2.0 - np.log2(3.0)
_SLOWEST, _FASTEST = 0.05, 0.95  # gamma of an integrable kernel is below 1


@dataclass(frozen=True, slots=True)
class PowerKernel:
    """(offset + days)^-decay, decay below 1; parameters are numbers or arrays that go with the days."""

    decay: float
    offset_days: np.ndarray

    def once(self, days: np.ndarray) -> np.ndarray:
        """Integral from 0."""
        left = 1.0 - self.decay
        return ((self.offset_days + days) ** left - self.offset_days**left) / left

    def twice(self, days: np.ndarray) -> np.ndarray:
        """Integral of the integral."""
        left, more = 1.0 - self.decay, 2.0 - self.decay
        grown = ((self.offset_days + days) ** more - self.offset_days**more) / more
        return (grown - self.offset_days**left * days) / left


@dataclass(frozen=True, slots=True)
class Propagator:
    """Power-law decay of each trade's impact, within the bounds that leave no profit to a round trip.

    Args:
        linear: f(v) = v instead of v^delta with delta fitted.
        offset_s: t0; above 0 only with linear impact.
        residual: form of the residual's scale (`residuals.residual_scale_bps`).
        half_spread: add a term c * spread / 2.
    """

    linear: bool = False
    offset_s: float = 0.0
    residual: ResidualForm = "diffusive"
    half_spread: bool = False

    @property
    def name(self) -> str:
        """propagator or propagator_linear, with _spread."""
        return "propagator" + ("_linear" if self.linear else "") + ("_spread" if self.half_spread else "")

    @property
    def shape_bounds(self) -> tuple[tuple[float, float], ...]:
        """Of gamma and, where impact is concave, of the way from delta = 1 - gamma (0) to delta = 1 (1)."""
        if self.linear:
            return ((_SLOWEST, _FASTEST),)
        return ((LEAST_CONCAVE_DECAY, _FASTEST), (0.0, 1.0))

    def decay(self, shape: np.ndarray) -> float:
        """Gamma."""
        return float(shape[0])

    def pace_exponent(self, shape: np.ndarray) -> float:
        """Delta; gamma + delta >= 1."""
        return 1.0 if self.linear else float(1.0 - shape[0] * (1.0 - shape[1]))

    def kernels(self, shape: np.ndarray, day_s: np.ndarray) -> tuple[Kernel, ...]:
        """One power of time."""
        return (PowerKernel(self.decay(shape), self.offset_s / day_s),)

    def basis(self, rows: Rows, target: str, shape: np.ndarray) -> np.ndarray:
        """bps, shape (n, 1 or 2)."""
        return transient_basis(self, rows, target, shape)

    def fit(self, rows: Rows, target: str) -> FittedShapedMean:
        """Gamma and delta within the bounds, the prefactor (and c) not negative.

        Raises:
            ModelError: fewer than 50 rows with a known outcome, or a kernel that lets a round trip pay.
        """
        if self.offset_s < 0.0 or (self.offset_s > 0.0 and not self.linear):
            raise ModelError(
                f"{self.name} with offset_s {self.offset_s:g}: a kernel without singularity lets a round trip pay "
                "unless impact is linear; use linear=True or offset_s=0"
            )
        return fit_shaped_mean(self, rows, target)
